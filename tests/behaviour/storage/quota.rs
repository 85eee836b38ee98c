//! `--storage-opt size=`: how much a container may write.

use rustix::process::{Pid, Signal, kill_process};

use crate::harness::{Case, Driver, LIMIT, wait_until};

const SIZE: &str = "--storage-opt=size=4m";

fn case() -> (Case, String) {
    let case = Case::new(Driver::Auto);
    let image = case.busybox();
    (case, image)
}

/// Past it a write fails at once, the numbers of the disk are the quota's, and what is removed is given back.
#[test]
fn a_full_container() {
    let (case, image) = case();
    let script = "df -k / | awk 'NR == 2 { print $2 }'
        dd if=/dev/zero of=/big bs=64k count=100 2>&1 | grep -o 'No space left on device'
        test $(du -sk /big | cut -f1) -gt 3800 && test $(du -sk /big | cut -f1) -le 4096 && echo most of it
        echo x >/more 2>/dev/null; cat /more; ls /more; rm -f /more; mkdir /dir 2>/dev/null || echo no directory
        df -k / | awk 'NR == 2 { print $4 < 8 }'
        echo over >/overwrite 2>/dev/null; dd if=/dev/zero of=/big bs=64k count=1 conv=notrunc 2>/dev/null && echo overwritten
        truncate -s 2097152 /big; dd if=/dev/zero of=/other bs=64k count=24 2>/dev/null && echo room again
        rm /big /other; dd if=/dev/zero of=/third bs=64k count=60 2>/dev/null && echo all again; rm /third
        dd if=/dev/zero of=/lost bs=64k count=60 2>/dev/null; exec 3</lost; rm /lost
        dd if=/dev/zero of=/other bs=64k count=24 2>/dev/null || echo still open
        exec 3<&-; rm /other; dd if=/dev/zero of=/other bs=64k count=60 2>/dev/null && echo closed";
    let output = case.coracle(["run", "--rm", "--network=none", SIZE, &image, "sh", "-c", script]).code(0).stdout;
    let expected = "4096\nNo space left on device\nmost of it\n/more\nno directory\n1\noverwritten\nroom again\nall again\nstill open\nclosed\n";
    assert_eq!(output, expected);
}

/// What was used is known after every end, also that of a monitor and mounter that were killed.
#[test]
fn accounting_survives_restart_and_crash() {
    let (case, image) = case();
    let script =
        "df -k / | awk 'NR == 2 { print $3 }'; dd if=/dev/zero of=/file-$1 bs=64k count=16 2>/dev/null || echo full
        df -k / | awk 'NR == 2 { print $3 }'; test -e /once && exit; touch /once; sleep 1000";
    let arguments = ["create", "--name", "c", "--network=none", SIZE, &image, "sh", "-c", script, "sh"];
    case.coracle(arguments).succeeded();
    assert_eq!(case.inspect("c", "{{.HostConfig.DiskQuota}}"), (4 << 20).to_string());
    case.coracle(["start", "c"]).succeeded();
    let logs = || case.coracle(["logs", "c"]).stdout;
    wait_until("it has written", LIMIT, || logs().lines().count() == 2);
    let upper = std::path::PathBuf::from(case.inspect("c", "{{.GraphDriver.Data.UpperDir}}"));
    wait_until("it has begun to sleep", LIMIT, || upper.join("once").exists());
    let monitor = case.inspect("c", "{{.State.ConmonPid}}").parse().unwrap();
    kill_process(Pid::from_raw(monitor).unwrap(), Signal::KILL).unwrap();
    wait_until("the container has ended", LIMIT, || case.inspect("c", "{{.State.Status}}") == "exited");
    let after_crash = case.coracle(["start", "-a", "c"]).code(0).stdout;
    let again = case.coracle(["start", "-a", "c"]).code(0).stdout;
    let numbers = |text: &str| -> Vec<u64> { text.lines().map(|line| line.parse().unwrap()).collect() };
    let first = numbers(&logs())[..2].to_vec();
    assert!(first[0] < 100 && (1024..1124).contains(&first[1]), "{first:?}");
    // The same file again, on top of nothing new.
    assert_eq!(numbers(&after_crash), [first[1], first[1]]);
    assert_eq!(numbers(&again), [first[1], first[1]]);
}

#[test]
fn sizes_that_make_no_sense_are_refused() {
    let (case, image) = case();
    let run = |option: &str| case.coracle(["run", "--rm", "--storage-opt", option, &image, "true"]).code(125);
    run("size=much").error("`much` is not a size");
    run("inodes=7").error("`inodes=7` is not known").says("hint: `size=");
    let forced = ["--storage-driver=kernel", "run", "--rm", SIZE, &image, "true"];
    case.coracle(forced).code(125).error("its size is limited").says("hint: `fuse` can");
    let home = case.home.to_str().unwrap();
    case.coracle(["run", "--rm", SIZE, "--rootfs", home, "true"]).code(125).error("can't be limited").says("hint: ");
}
