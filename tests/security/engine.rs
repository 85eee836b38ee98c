//! What a container meets of this program: processes on their way in, and the file that they run. As the other races, a thousand
//! times each with `CORACLE_LONG`.

use std::os::unix::fs::MetadataExt;

use super::race::tries;
use super::{exec, program, pulled, start};
use crate::harness::{Case, LIMIT, Layer, binary, set_mode, wait_until};

fn said(case: &Case) -> String {
    case.coracle(["logs", "box"]).code(0).stdout
}

/// CVE-2016-9962: who is on their way to a command is not looked into, nor traced, by whoever may trace all that the container has.
fn a_command_on_its_way(case: &Case) {
    let image = pulled(case, Layer::new().file("hostile", 0o755, program()));
    for flags in [&["--cap-add=SYS_PTRACE"][..], &["--privileged"]] {
        start(case, flags, &image, "exec /hostile spy");
        for user in ["0", "33"].iter().cycle().take(tries() / 2) {
            exec(case, &["-u", user, "box", "true"]).code(0);
        }
        wait_until("one was met", LIMIT, || {
            exec(case, &["box", "true"]).code(0);
            said(case).contains("seen")
        });
        let said = said(case);
        assert!(!said.contains("found"), "{flags:?}: {said}");
        case.coracle(["rm", "-f", "-t0", "box"]).code(0);
    }
}

/// Nor is the first process of a container that joins the namespaces of another, while it has this machine's files in reach: not by
/// whoever may trace all that is in those.
fn a_container_on_its_way(case: &Case) {
    let image = pulled(case, Layer::new().file("hostile", 0o755, program()));
    for flags in [&["--cap-add=SYS_PTRACE"][..], &["--privileged"]] {
        start(case, flags, &image, "exec /hostile spy");
        let join = ["run", "--rm", "--network=none", "--userns=container:box", "--pid=container:box", &image, "true"];
        (0..tries() / 2).for_each(|_| drop(case.coracle(join).code(0)));
        wait_until("one was met", LIMIT, || {
            case.coracle(join).code(0);
            said(case).contains("seen")
        });
        let said = said(case);
        assert!(!said.contains("found"), "{flags:?}: {said}");
        case.coracle(["rm", "-f", "-t0", "box"]).code(0);
    }
}

/// Nor who copies, compares or packs what a container has, where that sees the machine's processes.
fn a_worker_on_its_way(case: &Case) {
    let image = pulled(case, Layer::new().file("hostile", 0o755, program()));
    let here = case.home.display().to_string();
    for flags in [&["--pid=host", "--cap-add=SYS_PTRACE"][..], &["--pid=host", "--privileged"]] {
        start(case, flags, &image, "exec /hostile spy");
        wait_until("it looks", LIMIT, || said(case).contains("spying"));
        for _ in 0..tries() / 2 {
            case.coracle(["cp", "box:/bin/busybox", &here]).succeeded();
            case.coracle(["cp", &format!("{here}/busybox"), "box:/copy"]).succeeded();
        }
        case.coracle(["diff", "box"]).succeeded();
        case.coracle(["commit", "-q", "box", "again"]).succeeded();
        case.coracle(["export", "-o", &format!("{here}/tree.tar"), "box"]).succeeded();
        let said = said(case);
        assert!(said.contains("seen") && !said.contains("found"), "{flags:?}: {said}");
        case.coracle(["rm", "-f", "-t0", "box"]).code(0);
    }
}

/// CVE-2019-5736: a program's file, of which a container got hold while it ran as a command of its own, can't be written to when
/// nobody runs it any more, nor is it given another mode.
fn the_program_stays_as_it_is(case: &Case) {
    let layer = Layer::new().file("hostile", 0o755, program()).file("evil", 0o755, "#!/proc/self/exe\n");
    let image = pulled(case, layer);
    // A copy, which the monitor does not run: as long as it did, nobody could write to it.
    let copy = case.home.join("copy");
    std::fs::copy(binary(), &copy).unwrap();
    set_mode(&copy, 0o755);
    let state = || {
        let found = copy.metadata().unwrap();
        (found.mode(), found.nlink(), found.len(), found.mtime_nsec(), found.ctime_nsec())
    };
    let before = state();
    start(case, &[], &image, "exec /hostile catch");
    let try_it = || {
        for command in ["/evil", "/proc/self/exe"] {
            case.command_of(&copy, ["exec", "box", command]).finish();
        }
    };
    (0..tries()).for_each(|_| try_it());
    wait_until("it got hold of one, and nobody ran it any more", LIMIT, || {
        try_it();
        said(case).contains("Read-only file system")
    });
    let said = said(case);
    assert!(!said.contains("changed") && !said.contains("written"), "{said}");
    assert_eq!(state(), before, "the program has changed");
}

on_both_drivers!(a_command_on_its_way, a_container_on_its_way, a_worker_on_its_way, the_program_stays_as_it_is);
