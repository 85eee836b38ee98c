//! The two overlay drivers over the same directories, and which is taken.

use rustix::process::{Pid, Signal, kill_process};

use super::files::layered;
use crate::harness::{Case, Driver, LIMIT, wait_until};

/// Everything that programs see of the tree that the steps change.
const SHOW: &str = "cd /data; find . | sort | while read -r f; do stat -c '%n %F %a %u %g %s' \"$f\"; \
                    [ -f \"$f\" ] && cat \"$f\" || true; done";

/// A container that runs whatever the file `steps` of the case's home says.
fn stepwise(case: &Case) {
    let volume = format!("{}:/steps", case.home.join("steps").display());
    std::fs::create_dir(case.home.join("steps")).unwrap();
    let image = layered(case);
    case.coracle(["create", "--name", "c", "--network=none", "-v", &volume, &image, "sh", "-e", "/steps/now"])
        .succeeded();
}

fn step(case: &Case, driver: Driver, script: &str) -> String {
    std::fs::write(case.home.join("steps/now"), script).unwrap();
    let output = case.coracle(["--storage-driver", driver.name(), "start", "-a", "c"]).code(0).stdout;
    assert_eq!(
        case.inspect("c", "{{.GraphDriver.Data.Driver}} {{.GraphDriver.Data.Reason}}"),
        format!("{} asked for", driver.name())
    );
    output
}

/// Whatever one driver leaves, the other shows, and goes on from there.
fn moves_there_and_back(first: Driver, second: Driver) {
    let case = Case::new(first);
    stepwise(&case);
    let change = format!(
        "cd /data; echo more >>kept; rm changed; rm -r opaque; mkdir opaque; echo x >opaque/own; mv linked moved
         chmod 600 setuid; chown 5:6 owned; ln moved again; ln -s moved soft; mkfifo fifo; mkdir -p a/b; echo d >a/b/c
         rm absolute; mkdir absolute; {SHOW}"
    );
    let left = step(&case, first, &change);
    assert_eq!(step(&case, second, SHOW), left);
    let change = format!(
        "cd /data; rm -r opaque a/b; mkdir a/b; echo again >changed; echo less >kept; mv absolute a; rm again fifo
         mkdir gone hidden; echo y >hidden/z; chown 7 setuid; {SHOW}"
    );
    let left = step(&case, second, &change);
    assert_eq!(step(&case, first, SHOW), left);
    assert_eq!(step(&case, second, SHOW), left);
}

#[test]
fn a_container_of_the_kernel_driver_goes_on_with_fuse() {
    moves_there_and_back(Driver::Kernel, Driver::Fuse);
}

#[test]
fn a_container_of_fuse_goes_on_with_the_kernel_driver() {
    moves_there_and_back(Driver::Fuse, Driver::Kernel);
}

/// What is thrown away is mounted `volatile` by the kernel's driver, which refuses the leftovers of such a mount.
#[test]
fn a_volatile_container_starts_again_after_its_monitor_was_killed() {
    let case = Case::new(Driver::Kernel);
    let image = case.busybox();
    let script = "ls /mark 2>/dev/null && exit 7; touch /mark; sleep 1000";
    case.coracle(["create", "--rm", "--name", "c", "--network=none", &image, "sh", "-c", script]).succeeded();
    case.coracle(["start", "c"]).succeeded();
    let upper = case.inspect("c", "{{.GraphDriver.Data.UpperDir}}");
    wait_until("the program has written", LIMIT, || std::path::Path::new(&upper).join("mark").exists());
    let monitor = case.inspect("c", "{{.State.ConmonPid}}").parse().unwrap();
    kill_process(Pid::from_raw(monitor).unwrap(), Signal::KILL).unwrap();
    wait_until("the container has ended", LIMIT, || case.inspect("c", "{{.State.Status}}") == "exited");
    case.coracle(["start", "-a", "c"]).code(7).stdout("/mark\n");
}

/// `auto` says what it took and why; `info` what was found out; `doctor` finds out anew.
#[test]
fn the_choice_is_explained() {
    let case = Case::new(Driver::Auto);
    let image = case.busybox();
    let status = |key: &str| {
        let template = format!("{{{{index .Store.GraphStatus \"{key}\"}}}}");
        case.coracle(["info", "--format", &template]).succeeded().stdout.trim_end().to_owned()
    };
    assert_eq!(status("Driver"), "auto");
    case.coracle(["run", "--name", "c", "--network=none", &image, "true"]).code(0);
    let (driver, reason) = (status("Driver"), status("Reason"));
    let shown = case.inspect("c", "{{.GraphDriver.Data.Driver}}: {{.GraphDriver.Data.Reason}}");
    assert_eq!(shown, format!("{driver}: {reason}"));
    assert_eq!(status("Kernel overlay"), (driver == "kernel").to_string());
    for ability in ["layers one by one", "volatile", "attribute whiteouts", "data-only layers"] {
        let has = status(&format!("Kernel overlay: {ability}"));
        assert!(has == "true" || has == "false", "{ability}: {has}");
        assert!(case.coracle(["doctor"]).stdout.contains(ability), "{ability}");
    }
    let said = case.coracle(["doctor"]).stdout;
    assert!(said.contains("own overlay           works on this store"), "{said}");
    // Nothing of the trial stays.
    assert_eq!(std::fs::read_dir(case.store().join("tmp")).unwrap().count(), 0);
}

/// What was found out is not tried again, until the machine has started anew.
#[test]
fn what_was_found_out_holds_for_one_boot() {
    let case = Case::new(Driver::Auto);
    let image = case.busybox();
    let chosen = |name: &str| {
        case.coracle(["run", "--name", name, "--network=none", &image, "true"]).code(0);
        case.inspect(name, "{{.GraphDriver.Data.Driver}}: {{.GraphDriver.Data.Reason}}")
    };
    let first = chosen("first");
    let file = case.store().join("overlay.json");
    let found: serde_json::Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    let mut other = found.clone();
    other["works"] = false.into();
    other["reason"] = "as it was found".into();
    std::fs::write(&file, other.to_string()).unwrap();
    assert_eq!(chosen("second"), "fuse: as it was found");
    other["boot_id"] = "of another boot".into();
    std::fs::write(&file, other.to_string()).unwrap();
    assert_eq!(chosen("third"), first);
    assert_eq!(serde_json::from_slice::<serde_json::Value>(&std::fs::read(&file).unwrap()).unwrap(), found);
}
