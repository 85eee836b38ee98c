//! A store that several machines share, or that has seen another boot: whose record is believed, and by what.

use std::path::PathBuf;

use nix::fcntl::{FcntlArg, fcntl};
use serde_json::Value;

use crate::harness::{Case, Driver, LIMIT, wait_until};

/// A container `box` that has ended, and the folder of its record.
fn ended(case: &Case) -> PathBuf {
    let image = case.busybox();
    case.coracle(["run", "--network=none", "--name", "box", &image, "sh", "-c", "exit 3"]).code(3);
    case.store().join("containers").join(case.inspect("box", "{{.Id}}"))
}

/// Changes the state on record, as another boot or machine would have left it.
fn rewrite(folder: &std::path::Path, change: impl FnOnce(&mut Value)) {
    let file = folder.join("state.json");
    let mut state: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    change(&mut state);
    std::fs::write(&file, state.to_string()).unwrap();
}

/// Holds the container's lock as a monitor does.
fn hold(folder: &std::path::Path) -> std::fs::File {
    let file = std::fs::File::options().read(true).write(true).open(folder.join("lock")).unwrap();
    let whole = libc::flock { l_type: libc::F_WRLCK as _, l_whence: 0, l_start: 0, l_len: 0, l_pid: 0 };
    // Its monitor may be about to let go of it.
    fcntl(&file, FcntlArg::F_OFD_SETLKW(&whole)).unwrap();
    file
}

fn status(case: &Case) -> String {
    case.inspect("box", "{{.State.Status}} {{.State.ExitCode}}")
}

/// The power went out while it ran: the lock is free, so it does not run, and its code is unknown. A process that has its pid now
/// is left alone.
#[test]
fn a_record_of_an_earlier_boot() {
    let case = Case::new(Driver::Auto);
    let folder = ended(&case);
    assert_eq!(status(&case), "exited 3");
    rewrite(&folder, |state| {
        (state["status"], state["exit_code"]) = ("running".into(), Value::Null);
        (state["boot_id"], state["pid"]) = ("another".into(), std::process::id().into());
    });
    let status = status(&case);
    assert!(status.starts_with("exited ") && status != "exited 0" && status != "exited 3", "{status}");
    case.coracle(["stop", "-t", "0", "box"]).code(0);
    case.coracle(["start", "box"]).code(0);
    case.coracle(["rm", "-f", "-t", "0", "box"]).code(0);
}

/// A laptop is called after each network that it joins.
#[test]
fn a_machine_with_another_name() {
    let case = Case::new(Driver::Auto);
    let image = case.busybox();
    case.coracle(["run", "-d", "--network=none", "--name", "box", &image, "sleep", "1000"]).code(0);
    let folder = case.store().join("containers").join(case.inspect("box", "{{.Id}}"));
    rewrite(&folder, |state| state["host"] = "as-it-was-called".into());
    case.coracle(["exec", "box", "true"]).code(0);
    case.coracle(["stop", "-t", "0", "box"]).code(0);
    assert_eq!(status(&case), "exited 137");
    case.coracle(["rm", "box"]).code(0);
}

/// Its lock is held over there, so it runs; nothing here can stop it or takes it away, until the lock is free.
#[test]
fn a_container_of_another_machine() {
    let case = Case::new(Driver::Auto);
    let folder = ended(&case);
    rewrite(&folder, |state| {
        (state["status"], state["exit_code"], state["remove"]) = ("running".into(), Value::Null, true.into());
        (state["machine_id"], state["host"], state["pid"]) =
            ("0123".into(), "faraway".into(), std::process::id().into());
    });
    let held = hold(&folder);
    case.coracle(["ps", "--format", "{{.Names}} {{.State}}"]).code(0).stdout("box running\n");
    for command in [&["stop", "box"] as &[&str], &["kill", "box"], &["rm", "-f", "box"]] {
        case.coracle(command.iter().copied()).code(125).error("faraway");
    }
    // The commands that sweep leave it alone too.
    let image = case.busybox();
    case.sh(&image, "true").code(0);
    assert!(folder.join("container.json").exists());
    drop(held);
    // A process that another test is about to start may have the lock's descriptor for a moment yet.
    wait_until("it has ended over there", LIMIT, || status(&case).starts_with("exited "));
    case.coracle(["rm", "box"]).code(0);
}
