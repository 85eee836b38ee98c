//! Flags that give more: as much as rootless Podman gives, and never more than the account has.

use crate::harness::{Case, Finished};

fn run(case: &Case, flags: &[&str], script: &str) -> Finished {
    let image = case.busybox();
    let head = ["run", "--rm", "--network=none"];
    case.coracle(head.iter().chain(flags).copied().chain([image.as_str(), "sh", "-c", script]))
}

/// Capabilities, no-new-privileges, filter, and how many mounts cover files of the kernel's.
const POSTURE: &str = "grep -E '^(CapEff|NoNewPrivs|Seccomp):' /proc/self/status | cut -f2
    grep -cE ' /(proc|sys)/[^ ]* ' /proc/self/mountinfo";

fn more_is_given(case: &Case) {
    let all = "000001ffffffffff";
    let usual: u32 = run(case, &[], POSTURE).code(0).stdout.lines().last().unwrap().parse().unwrap();
    assert!(usual > 10, "{usual}");
    // The control groups have a mount of their own below /sys.
    run(case, &["--privileged"], POSTURE).code(0).stdout(&format!("{all}\n0\n0\n1\n"));
    run(case, &["--cap-add=ALL"], POSTURE).code(0).stdout(&format!("{all}\n0\n2\n{usual}\n"));
    run(case, &["--security-opt=unmask=ALL"], POSTURE).code(0).stdout("00000000800405fb\n0\n2\n1\n");
    run(case, &["--privileged", "--security-opt=no-new-privileges"], POSTURE)
        .code(0)
        .stdout(&format!("{all}\n1\n0\n1\n"));
    run(case, &["--privileged", "--cap-drop=ALL"], POSTURE).code(0).stdout("0000000000000000\n0\n0\n1\n");
    // What it is for: mounts, namespaces, names of its own.
    let work = "mount -t tmpfs none /mnt && hostname boat && hostname && unshare -m true && echo done";
    run(case, &["--privileged"], &format!("mkdir -p /mnt; {work}")).code(0).stdout("boat\ndone\n");
    run(case, &["--cap-add=SYS_ADMIN"], "mkdir -p /mnt; mount -t tmpfs none /mnt && echo done")
        .code(0)
        .stdout("done\n");
}

/// What only the machine's root may do, nobody may in here.
fn never_more_than_the_account_has(case: &Case) {
    let attempts = "
        try() { \"$@\" >/dev/null 2>&1 && echo \"could: $*\"; }
        put() { (echo x >$1) 2>/dev/null && echo \"wrote: $1\"; }
        try cat /host/etc/shadow; try touch /host/etc/planted; try ls /host/root; put /host/etc/passwd
        try chroot /host cat /etc/shadow; try chown 0:0 /host/etc/passwd; try chmod 666 /host/etc/passwd
        for f in kernel/core_pattern kernel/modprobe vm/drop_caches kernel/panic kernel/yama/ptrace_scope; do put /proc/sys/$f; done
        put /proc/sysrq-trigger; put /sys/power/state; put /sys/kernel/uevent_helper; put /host/sys/power/state
        date -s 2001-01-01 >/dev/null 2>&1; [ $(date +%Y) = 2001 ] && echo 'set the clock'; try insmod /bin/busybox; try swapoff -a; try dmesg -c; try nice -n -5 true
        try mount -t ext4 /dev/sda /mnt; try mount -t ext4 /dev/vda /mnt; try mount -o remount,rw,suid,dev /host/usr
        mknod /disk b 254 0 2>/dev/null && try head -c 1 /disk; mknod /mem c 1 1 2>/dev/null && try head -c 1 /mem
        try ip link set lo down; true";
    let image = case.busybox();
    for flags in [
        &["--privileged"][..],
        &["--privileged", "--pid=host", "--ipc=host", "--uts=host", "--cgroupns=host"],
        &["--cap-add=ALL", "--security-opt=unmask=ALL", "--security-opt=seccomp=unconfined"],
    ] {
        let host = flags.contains(&"--pid=host");
        // A network of one's own may be changed.
        let attempts = if host { attempts.to_owned() } else { attempts.replace("try ip link set lo down; ", "") };
        let attempts = if host { format!("{attempts}; try kill -0 1; try hostname planted") } else { attempts };
        let network = if host { "--network=host" } else { "--network=none" };
        let head = ["run", "--rm", network, "-v=/:/host"].into_iter().chain(flags.iter().copied());
        let script = format!("mkdir -p /mnt; {attempts}; true");
        case.coracle(head.chain([&*image, "sh", "-c", &script])).code(0).stdout("");
    }
    assert_ne!(std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap(), "planted\n");
}

on_both_drivers!(more_is_given, never_more_than_the_account_has);
