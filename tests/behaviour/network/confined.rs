//! Those who read what a container sends have next to nothing that could be taken over.

use super::{internal, serve};
use crate::harness::{Case, Driver, LIMIT, wait_for};

/// The processes of a container that have this name.
fn server(case: &Case, container: &str, name: &str) -> String {
    let monitor = case.inspect(container, "{{.State.ConmonPid}}");
    let children = || std::fs::read_to_string(format!("/proc/{monitor}/task/{monitor}/children")).ok();
    let is_it = |pid: &&str| std::fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|comm| comm.trim() == name);
    wait_for(name, LIMIT, || children()?.split_whitespace().find(is_it).map(str::to_owned))
}

/// Of what the kernel says of a process, a line.
fn line(pid: &str, key: &str) -> String {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let found = status.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(':'));
    found.unwrap_or_default().trim().to_owned()
}

#[test]
fn servers_have_a_filter_and_no_rights() {
    let case = Case::new(Driver::Auto);
    internal(&case, "apart", &[]);
    case.coracle(["network", "create", "net"]).succeeded();
    serve(&case, "box", &["--network=net", "--network=apart"]);
    for name in ["coracle-net", "coracle-stack"] {
        let pid = server(&case, "box", name);
        // It gives all up once the container has its networks.
        wait_for("a filter", LIMIT, || (line(&pid, "Seccomp") == "2").then_some(()));
        for (key, value) in [("NoNewPrivs", "1"), ("CapEff", "0000000000000000"), ("CapPrm", "0000000000000000")] {
            assert_eq!(line(&pid, key), value, "{key} of {name}");
        }
    }
}
