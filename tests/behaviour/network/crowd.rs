//! Many containers on one network: each has an address of its own, and none is left over.

use std::collections::BTreeSet;

use super::internal;
use crate::harness::{Case, Driver, long_or};

const TOGETHER: usize = 50;

/// At once, with nobody there before: so all of them find one namespace to be in.
fn at_once(case: &Case) {
    let image = case.busybox();
    internal(case, "net", &["--subnet=10.206.0.0/16"]);
    let names: Vec<String> = (0..TOGETHER).map(|number| format!("many-{number}")).collect();
    std::thread::scope(|scope| {
        for name in &names {
            let head = ["run", "-d", "--stop-timeout=0", "--network=net", "--name", name];
            let command = case.command(head.into_iter().chain([&*image, "sleep", "1000"]));
            scope.spawn(move || drop(command.finish().code(0)));
        }
    });
    let all = |verb: &'static str| [verb].into_iter().chain(names.iter().map(String::as_str));
    let told = case.coracle(all("inspect")).succeeded().stdout;
    let told: serde_json::Value = serde_json::from_str(&told).unwrap();
    let on_net =
        |container: &serde_json::Value| container["NetworkSettings"]["Networks"]["net"]["IPAddress"].to_string();
    let addresses: BTreeSet<String> = told.as_array().unwrap().iter().map(on_net).collect();
    assert_eq!(addresses.len(), TOGETHER, "{addresses:?}");
    // The first knows the last.
    let script =
        names.iter().map(|name| format!("nslookup -type=a {name} >/dev/null || exit 1")).collect::<Vec<_>>().join("; ");
    case.coracle(["exec", "many-0", "sh", "-c", &script]).code(0);
    case.coracle(all("kill")).code(0);
    case.coracle(all("wait")).succeeded();
    none_is_left(case);
    case.coracle(["rm", "-a", "-f"]).code(0);
}

/// One after the other, each finding one that stays.
fn in_a_row(case: &Case) {
    let image = case.busybox();
    internal(case, "net", &["--subnet=10.207.0.0/16"]);
    case.coracle(["run", "-d", "--stop-timeout=0", "--network=net", "--name=stays", &image, "sleep", "100000"])
        .succeeded();
    let mut seen = BTreeSet::new();
    for _ in 0..long_or(1000, 100) {
        let script = "nslookup -type=a stays >/dev/null && ip -o -4 addr show eth0 | grep -o '10[.0-9]*/16'";
        let told = case.coracle(["run", "--rm", "--network=net", &image, "sh", "-c", script]).succeeded().stdout;
        assert!(seen.insert(told.clone()), "{told} was given twice in a row");
    }
    case.coracle(["rm", "-f", "stays"]).code(0);
    none_is_left(case);
}

#[track_caller]
pub fn none_is_left(case: &Case) {
    let shown = case.coracle(["network", "inspect", "--format", "{{json .Containers}}", "net"]);
    shown.code(0).stdout("{}\n");
    let claims = std::fs::read_dir(case.store().join("members")).unwrap().flatten().flat_map(|network| {
        let files = std::fs::read_dir(network.path()).unwrap().flatten();
        files.map(|file| file.file_name().into_string().unwrap()).collect::<Vec<_>>()
    });
    assert_eq!(claims.collect::<Vec<_>>(), ["last.json"]);
    case.coracle(["system", "check", "--quick"]).code(0);
}

#[test]
fn fifty_at_once() {
    at_once(&Case::new(Driver::Auto));
}

#[test]
fn many_in_a_row() {
    in_a_row(&Case::new(Driver::Auto));
}
