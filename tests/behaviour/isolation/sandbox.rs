//! What a container may not do, and may not see: each known escape of the field that this machine can try.

use crate::harness::{Case, Image, Layer};

fn status(case: &Case, image: &str, flags: &[&str]) -> String {
    let arguments = ["run", "--rm", "--network=none"].iter().chain(flags).copied();
    let script = "grep -E '^(Cap|Seccomp:|NoNewPrivs)' /proc/self/status | tr -d '\\t'";
    case.coracle(arguments.chain([image, "sh", "-c", script])).succeeded().stdout
}

/// The default capabilities, none of them inheritable or ambient (CVE-2022-27649); none at all for a user.
fn capabilities_and_filter(case: &Case) {
    let image = case.busybox();
    let expected = |effective: &str| {
        format!(
            "CapInh:0000000000000000\nCapPrm:{effective}\nCapEff:{effective}\nCapBnd:00000000800405fb\n\
             CapAmb:0000000000000000\nNoNewPrivs:0\nSeccomp:2\n"
        )
    };
    assert_eq!(status(case, &image, &[]), expected("00000000800405fb"));
    assert_eq!(status(case, &image, &["-u", "33"]), expected("0000000000000000"));
}

fn namespaces(case: &Case) {
    let image = case.busybox();
    let names = ["cgroup", "ipc", "mnt", "net", "pid", "user", "uts"];
    let script = format!("cd /proc/self/ns; for n in {}; do readlink $n; done", names.join(" "));
    let inside = case.sh(&image, &script).succeeded();
    for (name, inside) in names.iter().zip(inside.stdout.lines()) {
        let outside = std::fs::read_link(format!("/proc/self/ns/{name}")).unwrap();
        assert_ne!(inside, outside.to_str().unwrap(), "the {name} namespace is the machine's");
    }
    // Nobody but the container's own processes is in sight.
    case.sh(&image, "echo $$; for p in /proc/[0-9]*; do echo ${p#/proc/}; done").code(0).stdout("1\n1\n");
    case.sh(&image, "cat /proc/self/cgroup | grep ^0:").code(0).stdout("0::/\n");
}

/// Files through which the kernel could be read or driven show nothing and take nothing.
fn masked_and_read_only(case: &Case) {
    let image = case.busybox();
    let script = "for f in /proc/kcore /proc/keys /proc/latency_stats /proc/timer_list /proc/sched_debug /proc/interrupts_; do
            [ -e $f ] && cat $f 2>/dev/null | wc -c | grep -v '^0$'; done
        for d in /proc/acpi /proc/scsi /sys/firmware /sys/fs/selinux; do [ -d $d ] && ls -A $d | head -n 3; done
        for f in /proc/sys/kernel/core_pattern /proc/sysrq-trigger /proc/irq/default_smp_affinity; do
            [ -e $f ] && (echo x >$f) 2>/dev/null && echo \"wrote $f\"; done
        mkdir /sys/fs/cgroup/x 2>/dev/null && echo made; mkdir /sys/x 2>/dev/null && echo made
        mount -o remount,rw /proc/sys 2>/dev/null && echo remounted; umount /proc/kcore 2>/dev/null && echo unmounted; true";
    case.sh(&image, script).code(0).stdout("");
}

/// What a flag asks for is done: nothing covered with --privileged, and with --read-only what programs must be able to write.
fn privileged_and_read_only(case: &Case) {
    let image = case.busybox();
    let run =
        |flag: &str, script: &str| case.coracle(["run", "--rm", "--network=none", flag, &image, "sh", "-c", script]);
    run("--privileged", "grep -c ' /proc/' /proc/self/mountinfo; true").code(0).stdout("0\n");
    run("--read-only", "touch /tmp/a /run/b /var/tmp/c && echo ok; touch /d 2>/dev/null || echo refused")
        .code(0)
        .stdout("ok\nrefused\n");
}

fn devices(case: &Case) {
    let image = case.busybox();
    let script = "cd /dev; for n in null zero full random urandom tty; do stat -c '%n %a %t:%T' $n; done
        for l in fd stdin stdout stderr ptmx; do readlink $l; done
        echo x >null; head -c 3 zero | wc -c; (echo x >full) 2>&1 | grep -c 'No space'; [ -d shm ] && touch shm/x && echo shm
        grep -E ' /dev/(pts|shm|mqueue) ' /proc/mounts | cut -d' ' -f2,3 | sort; ls pts; mknod sda b 8 0 2>/dev/null && echo made; true";
    case.sh(&image, script).code(0).stdout(
        "null 666 1:3\nzero 666 1:5\nfull 666 1:7\nrandom 666 1:8\nurandom 666 1:9\ntty 666 5:0\n\
         /proc/self/fd\n/proc/self/fd/0\n/proc/self/fd/1\n/proc/self/fd/2\npts/ptmx\n\
         3\n1\nshm\n/dev/mqueue mqueue\n/dev/pts devpts\n/dev/shm tmpfs\nptmx\n",
    );
}

/// The root of the machine is out of reach, and no mount of it is left inside.
fn nothing_of_the_machine_shows(case: &Case) {
    let image = case.busybox();
    let finished =
        case.sh(&image, "cat /proc/self/mountinfo; ls -A /; ls /oldroot /.old 2>/dev/null; pwd; cd ../../..; pwd");
    let home = case.home.display().to_string();
    assert!(finished.code(0).stdout.ends_with("/\n/\n"));
    let mounts = case.sh(&image, "cut -d' ' -f5- /proc/self/mountinfo").succeeded().stdout;
    assert!(!mounts.lines().any(|line| line.contains(" ext4 ") && line.starts_with("/ ")), "{mounts}");
    // Where the store lies may show as an option of the kernel's overlay, and nowhere else.
    for line in mounts.lines().filter(|line| !line.contains(" overlay ")) {
        assert!(!line.contains(&home), "{line}");
    }
    // Root's folder can't be left by the classic second chroot.
    let script =
        "mkdir /x; for i in 1 2 3 4 5 6 7 8 9; do up=$up../; done; chroot /x true 2>/dev/null; ls -d $up/etc/passwd";
    case.sh(&image, script).code(0);
}

/// CVE-2019-5736: our binary, owned by the user and writable to them, is the same file with the same bytes afterwards.
fn our_binary_is_out_of_reach(case: &Case) {
    let own = case.home.join("coracle");
    std::fs::copy(crate::harness::binary(), &own).unwrap();
    crate::harness::set_mode(&own, 0o755);
    let before = (crate::harness::image::digest(&std::fs::read(&own).unwrap()), state(&own));
    let layer = Layer::new()
        .dir("evil", 0o755)
        .file("evil/exe", 0o755, "#!/proc/self/exe\n")
        .file("evil/chmod", 0o755, "#!/proc/self/exe @worker\n")
        .symlink("evil/link", "/proc/self/exe");
    let image = case.pull(&Image::busybox().layer(layer).push("evil:latest"));
    for command in ["/evil/exe", "/evil/chmod", "/evil/link", "/proc/self/exe", "/proc/1/exe", "/proc/self/fd/0"] {
        // Whatever it does, it ends.
        let _ = case.command_of(&own, ["run", "--rm", "--network=none", &image, command]).finish();
    }
    let script = "for i in $(seq 300); do for p in /proc/[0-9]*; do
        { true >>$p/exe; chmod 4777 $p/exe; } 2>/dev/null && readlink $p/exe | grep -v ' (deleted)$' | grep coracle; done; done; true";
    for init in ["--init=false", "--init"] {
        case.command_of(&own, ["run", "--rm", "--network=none", init, &image, "sh", "-c", script])
            .finish()
            .code(0)
            .stdout("");
    }
    let after = (crate::harness::image::digest(&std::fs::read(&own).unwrap()), state(&own));
    assert_eq!(after, before);
}

/// What must not change about a file: number, mode, owner, links.
fn state(path: &std::path::Path) -> (u64, u32, u32, u64) {
    use std::os::unix::fs::MetadataExt;
    let metadata = path.metadata().unwrap();
    (metadata.ino(), metadata.mode(), metadata.uid(), metadata.nlink())
}

/// CVE-2021-3602: nothing of the caller's environment shows in any process inside.
fn no_environment_of_the_caller(case: &Case) {
    let image = case.busybox();
    let script = "cat /proc/*/environ | tr '\\0' '\\n' | grep -c TOKEN; true";
    let command = case.command(["run", "--rm", "--network=none", &image, "sh", "-c", script]);
    command.env("TOKEN", "s3cret").finish().code(0).stdout("0\n");
    case.coracle(["run", "-d", "--network=none", "--name", "box", &image, "sleep", "1000"]).succeeded();
    let inspected = case.command(["inspect", "box"]).env("TOKEN", "s3cret").finish().succeeded();
    assert!(!inspected.stdout.contains("s3cret"));
}

/// The user's own processes are out of reach of a container that runs under the same id.
fn processes_outside_are_out_of_reach(case: &Case) {
    let image = case.busybox();
    let own = std::process::id();
    case.sh(&image, &format!("kill -0 {own} 2>/dev/null && echo reached; ls /proc/{own} 2>/dev/null; true"))
        .code(0)
        .stdout("");
    let kill = format!("kill -0 {own} && echo reached");
    let with = |pids: &str| case.coracle(["run", "--rm", "--network=none", pids, &image, "sh", "-c", &kill]);
    with("--pid=host").code(0).stdout("reached\n");
    // The monitor is the parent of the first process: inside, that one has none.
    case.sh(&image, "cut -d' ' -f4 /proc/1/stat").code(0).stdout("0\n");
}

/// A container mounts nothing and makes nothing writable again, unless it is given the right to; and then, whatever the propagation,
/// what it mounts shows inside alone.
fn mounts_stay_inside(case: &Case) {
    let image = case.busybox();
    let folder = case.home.join("shared");
    std::fs::create_dir(&folder).unwrap();
    let run = |flags: &[&str], script: &str| {
        case.coracle(["run", "--rm", "--network=none"].iter().chain(flags).copied().chain([&image, "sh", "-c", script]))
    };
    let script = "mount -t tmpfs none /shared 2>/dev/null; mount -o remount,rw /shared 2>/dev/null; touch /shared/x 2>/dev/null; ls /shared";
    run(&["-v", "./shared:/shared:ro"], script).code(0).stdout("");
    for propagation in ["rprivate", "rslave", "rshared"] {
        let volume = format!("./shared:/shared:{propagation}");
        run(&["-v", &volume, "--cap-add=SYS_ADMIN"], "mount -t tmpfs none /shared && touch /shared/x; ls /shared")
            .code(0)
            .stdout("x\n");
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 0, "{propagation}");
    }
}

/// A volume above the store does not bring the container's own root in again, past its covers.
fn the_root_is_there_once(case: &Case) {
    let image = case.busybox();
    let volume = format!("{}:/above", case.data.display());
    let script = "ls -A /above/coracle/containers/*/merged; grep -c ' /above' /proc/self/mountinfo";
    case.coracle(["run", "--rm", "--network=none", "-v", &volume, &image, "sh", "-c", script]).code(0).stdout("1\n");
}

on_both_drivers!(
    the_root_is_there_once,
    capabilities_and_filter,
    namespaces,
    masked_and_read_only,
    privileged_and_read_only,
    devices,
    nothing_of_the_machine_shows,
    our_binary_is_out_of_reach,
    no_environment_of_the_caller,
    processes_outside_are_out_of_reach,
    mounts_stay_inside,
);
