//! An account with no subordinate ids: one mapped id, and a working shell. Run as `tester-noids`.

use crate::harness::{Account, Case, Image, Layer};

/// The test makes sense for an account without subordinate ids alone.
fn no_ids() -> bool {
    crate::harness::has("an account without subordinate ids", Account::current().subordinate == 0)
}

fn a_shell_works(case: &Case) {
    if !no_ids() {
        return;
    }
    let image = case.busybox();
    let finished = case.coracle(["run", "--rm", "--network=none", &image, "sh", "-c", "id; echo ok"]).succeeded();
    assert!(
        finished.stdout.starts_with("uid=0(root) gid=0(root)") && finished.stdout.ends_with("\nok\n"),
        "{finished}"
    );
    case.sh(&image, "exit 3").code(3);
    let script = "echo x >/tmp/f && cat /tmp/f && rm /bin/ls && mkdir /bin/ls && stat -c %u /tmp/f; cat /proc/self/uid_map | wc -l";
    case.sh(&image, script).code(0).stdout("x\n0\n1\n");
}

/// Owners that cannot be had on disk do not stop an image from being unpacked.
fn foreign_owners(case: &Case) {
    if !no_ids() {
        return;
    }
    let layer = Layer::new().dir("opt", 0o755).owned_file("opt/theirs", 0o640, (33, 40), "theirs\n");
    let image = case.pull(&Image::busybox().layer(layer).push("foreign:latest"));
    case.sh(&image, "cat /opt/theirs").code(0).stdout("theirs\n");
    let layers = std::fs::read_dir(case.store().join("layers")).unwrap().map(|layer| layer.unwrap().path());
    let tables: Vec<u8> = layers.flat_map(|layer| std::fs::read(layer.join("owners")).unwrap()).collect();
    assert_eq!(String::from_utf8(tables).unwrap(), "coracle-owners 1\n33:40 - opt/theirs\0");
}

fn a_real_distribution(case: &Case) {
    if !no_ids() {
        return;
    }
    let case = case.sharing_store();
    let image = case.made("debian");
    let finished =
        case.sh(&image, "id -u; . /etc/os-release; echo $VERSION_ID; apt-get --version | head -c 3").succeeded();
    assert_eq!(finished.stdout, "0\n12\napt");
}

fn detached(case: &Case) {
    if !no_ids() {
        return;
    }
    let image = case.busybox();
    case.coracle(["run", "-d", "--network=none", "--name", "box", &image, "sleep", "1000"]).succeeded();
    assert_eq!(case.inspect("box", "{{.State.Status}}"), "running");
    case.coracle(["stop", "-t", "0", "box"]).code(0).stdout("box\n");
    case.coracle(["rm", "box"]).code(0);
    case.coracle(["rmi", &image]).code(0);
}

on_both_drivers!(a_shell_works, foreign_owners, a_real_distribution, detached);
