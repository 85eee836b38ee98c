//! Control groups, of this program's own making: where a container's is, its limits, and what is said where one can't be enforced.

use std::path::Path;

use super::{inspected, run};
use crate::behaviour::faults::adversity::on_a_small_disk;
use crate::harness::{Case, Image, LIMIT, has, wait_until};

/// Whether the tests run in a control group that they may divide.
pub fn divisible(case: &Case) -> bool {
    let maker = case.coracle(["info", "--format", "{{.Host.CgroupManager}}"]).succeeded().stdout;
    has("a delegated control group of version 2", maker == "cgroupfs\n")
}

fn limits_hold_or_are_refused(case: &Case) {
    if !divisible(case) {
        return;
    }
    let controllers = case.coracle(["info", "--format", "{{.Host.CgroupControllers}}"]).succeeded().stdout;
    let limits = [
        ("--memory=64m", "memory", "memory.max", "67108864\n"),
        ("--memory-reservation=32m", "memory", "memory.low", "33554432\n"),
        ("--cpus=0.5", "cpu", "cpu.max", "50000 100000\n"),
        ("--cpu-quota=20000", "cpu", "cpu.max", "20000 100000\n"),
        ("-c=512", "cpu", "cpu.weight", "20\n"),
        ("--cpuset-cpus=0", "cpuset", "cpuset.cpus", "0\n"),
        ("--pids-limit=50", "pids", "pids.max", "50\n"),
        ("--cgroup-conf=memory.high=16777216", "memory", "memory.high", "16777216\n"),
    ];
    for (flag, controller, file, value) in limits {
        let ran = run(case, &[flag], &format!("cat /sys/fs/cgroup/{file}"));
        if controllers.contains(controller) {
            ran.code(0).stdout(value);
        } else {
            let refused = ran.code(125).error(&format!("not delegated to this account: {controller}"));
            let flag = flag.trim_start_matches('-').split('=').next().unwrap();
            let flag = if flag == "c" { "cpu-shares" } else { flag }.replace("cpu-quota", "cpus");
            assert!(refused.stderr.contains(&format!("`--{flag}`")), "{refused}");
            assert!(refused.stderr.contains("hint: ") && refused.stderr.contains("Delegate="), "{refused}");
        }
    }
    // No limit needs nobody to enforce it.
    run(case, &["--memory=0", "--pids-limit=-1", "--cpus=0"], "echo ran").code(0).stdout("ran\n");
}

fn mistakes_in_limits_are_told(case: &Case) {
    for (flags, words) in [
        (&["--cpus=1", "--cpu-period=1000"][..], "--cpu-period and --cpus cannot be set together"),
        (&["--cpu-quota=1000", "--cpus=1"], "--cpu-quota and --cpus cannot be set together"),
        (&["--cpu-period=1"], "CPU cfs period cannot be less than 1ms"),
        (&["--cpu-quota=1"], "CPU cfs quota cannot be less than 1ms"),
        (&["--cpuset-cpus=9999"], "requested `9999`, available: 0"),
        (&["--cpuset-cpus=a"], "expected numbers and ranges"),
        (&["--memory=x"], "`x` is not a size"),
        (&["--memory=2m", "--memory-swap=1m"], "minimum memoryswap limit should be larger than memory limit"),
        (&["--memory-swap=1m"], "you should always set a memory limit"),
        (&["--memory=1m", "--memory-reservation=2m"], "cannot be less than memory reservation limit"),
        (&["--memory-swappiness=50"], "control groups of version 2 have no such setting"),
        (&["--blkio-weight=1"], "range of blkio weight is from 10 to 1000"),
        (&["--device-read-bps=/dev/null:1mb"], "`/dev/null` is not a block device"),
        (&["--device-write-iops=frob"], "expected a device and a number"),
        (&["--cgroup-conf=x"], "expected `FILE=VALUE`"),
        (&["--cgroup-conf=cgroup.procs=1"], "not a file of a controller"),
        (&["--cgroups=frob"], "`--cgroups=frob` is not known"),
        (&["--cgroups=disabled", "--memory=64m"], "can't be enforced without a control group"),
    ] {
        run(case, flags, "true").code(125).error(words);
    }
    case.coracle(["ps", "-a", "-q"]).code(0).stdout("");
}

fn a_container_has_a_group_of_its_own(case: &Case) {
    if !divisible(case) {
        return;
    }
    let image = case.busybox();
    let run = ["run", "-d", "--network=none", "--name=box", &image, "sleep", "1000"];
    let id = case.coracle(run).succeeded().stdout;
    let path = case.inspect("box", "{{.State.CgroupPath}}");
    assert!(path.ends_with(&format!("/payload-{}", id.trim())), "{path}");
    let group = Path::new("/sys/fs/cgroup").join(path.trim_start_matches('/'));
    let members = std::fs::read_to_string(group.join("cgroup.procs")).unwrap();
    assert_eq!(members, format!("{}\n", case.inspect("box", "{{.State.Pid}}")));
    // It is all that is seen from inside, also by a command that joins.
    let script = "grep -h ^0: /proc/self/cgroup /proc/1/cgroup";
    case.coracle(["exec", "box", "sh", "-c", script]).code(0).stdout("0::/\n0::/\n");
    // Again by the same name, after a monitor that was killed.
    let monitor = case.inspect("box", "{{.State.ConmonPid}}").parse().unwrap();
    rustix::process::kill_process(rustix::process::Pid::from_raw(monitor).unwrap(), rustix::process::Signal::KILL)
        .unwrap();
    wait_until("the container has ended", LIMIT, || case.inspect("box", "{{.State.Running}}") == "false");
    case.coracle(["start", "box"]).code(0);
    case.coracle(["rm", "-f", "-t0", "box"]).code(0);
    wait_until("its group is gone", LIMIT, || !group.exists());
    case.coracle(["run", "--rm", "--network=none", "--cgroups=disabled", &image, "true"]).code(0);
    // What is asked for so is what there is without a word.
    case.coracle(["run", "-d", "--network=none", "--name=box", "--cgroups=enabled", &image, "sleep", "1000"])
        .succeeded();
    assert!(case.inspect("box", "{{.State.CgroupPath}}").contains("/payload-"));
    assert_eq!(
        inspected(case, &["--cgroups=enabled"], "{{.HostConfig.Cgroups}}"),
        inspected(case, &[], "{{.HostConfig.Cgroups}}")
    );
    assert_eq!(inspected(case, &["--cgroups=split"], "{{.HostConfig.Cgroups}}"), "split");
}

/// Machines whose groups are of version 1, also with version 2 beside it: all runs but what asks for a limit, which is told.
fn limits_on_machines_without_version_two(case: &Case) {
    let image = Image::busybox().push("busybox:latest");
    let script = r#"
        try() { out=$(coracle run --rm --network=none "$1" "$image" echo ran 2>said); echo "$1: $out $?"; cat said; }
        image=$1; coracle pull -q "$image" >/dev/null
        mkdir v2; mount --rbind /sys/fs/cgroup v2
        mount -t tmpfs none /sys/fs/cgroup
        for kind in v1 hybrid; do
            [ $kind = v1 ] || { mkdir /sys/fs/cgroup/unified && mount --rbind v2 /sys/fs/cgroup/unified; }
            mkdir -p /sys/fs/cgroup/memory
            for flag in --pull=never --memory=20m --pids-limit=50 --cpus=1 --cgroups=enabled; do try $flag; done
        done
        coracle info --format '{{.Host.CGroupsVersion}}'"#;
    let finished = on_a_small_disk(case, script, &[&image]);
    let refused = |flag: &str, name: &str| {
        format!(
            "{flag}:  125\nError: `--{name}` can't be enforced: control groups are not version 2 on this machine\n\
             hint: start the machine with `systemd.unified_cgroup_hierarchy=1` on the kernel's command line\n"
        )
    };
    let each = format!(
        "--pull=never: ran 0\n{}{}{}--cgroups=enabled: ran 0\n",
        refused("--memory=20m", "memory"),
        refused("--pids-limit=50", "pids-limit"),
        refused("--cpus=1", "cpus")
    );
    assert_eq!(finished.stdout, format!("{}v1\n", each.repeat(2)), "{finished}");
}

fn slices_and_groups_are_not_confused(case: &Case) {
    if !divisible(case) {
        return;
    }
    run(case, &["--cgroup-parent=mine.slice"], "true").code(125).error("systemd slice received as cgroup parent");
    // Somebody else's: no reason to fail where nothing is asked for.
    run(case, &["--cgroup-parent=/"], "echo ran").code(0).stdout("ran\n");
    run(case, &["--cgroup-parent=/", "--pids-limit=5"], "true").code(125).error("`--pids-limit` can't be enforced");
}

on_both_drivers!(
    limits_hold_or_are_refused,
    limits_on_machines_without_version_two,
    mistakes_in_limits_are_told,
    a_container_has_a_group_of_its_own,
    slices_and_groups_are_not_confused,
);
