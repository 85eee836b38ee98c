//! The default filter under the real kernel: a small C program tries calls and says how they ended.

use std::collections::HashMap;
use std::process::Command;

use coracle::oci::capability::CapabilitySet;
use coracle::runtime::seccomp::{Facts, Profile, compile};
use coracle::sys;

/// Compiles the probe into a directory of its own.
fn build() -> std::path::PathBuf {
    let directory = std::env::temp_dir().join(format!("coracle-probe-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    let probe = directory.join("probe");
    let source = directory.join("probe.c");
    std::fs::write(&source, include_str!("probe.c")).unwrap();
    let status = Command::new("cc").arg("-o").arg(&probe).arg(source).status().expect("a C compiler, `cc`");
    assert!(status.success());
    probe
}

#[test]
fn the_default_filter_does_under_the_kernel_what_it_says() {
    let probe = build();
    // A filter holds for the thread that loads it and for its children, so the other tests stay free.
    let output = std::thread::scope(|scope| {
        let confined = scope.spawn(|| {
            let program = compile(&Profile::default(), &Facts::here(CapabilitySet::DEFAULT).unwrap()).unwrap();
            rustix::thread::set_no_new_privs(true).unwrap();
            sys::seccomp::load(program.instructions()).unwrap();
            Command::new(&probe).output().unwrap()
        });
        confined.join().unwrap()
    });
    std::fs::remove_dir_all(probe.parent().unwrap()).unwrap();
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    let found: HashMap<&str, i32> = text
        .lines()
        .filter_map(|line| line.split_once(' '))
        .map(|(name, errno)| (name, errno.parse().unwrap()))
        .collect();
    for (name, errno) in [
        ("getpid", 0),
        ("kexec_load", libc::EPERM),
        ("userfaultfd", libc::EPERM),
        ("io_uring_setup", libc::ENOSYS),
        ("unknown", libc::ENOSYS),
        ("far", libc::ENOSYS),
        ("vsock", libc::EPERM),
        ("vsock-high", libc::EPERM),
        ("audit", libc::EINVAL),
        ("netlink", 0),
        ("personality", 0),
        ("personality-aslr", libc::ENOSYS),
        ("unshare", 0),
        ("mount", 0),
        ("sethostname", libc::EPERM),
    ] {
        assert_eq!(found.get(name), Some(&errno), "{name} in {found:?}");
    }
    if cfg!(target_arch = "x86_64") {
        for (name, errno) in [
            ("x32", libc::ENOSYS),
            ("getpid32", 0),
            ("swapon32", libc::EPERM),
            ("clock_settime64-32", libc::EPERM),
            ("vsock32", libc::EPERM),
            ("unknown32", libc::ENOSYS),
        ] {
            assert_eq!(found.get(name), Some(&errno), "{name} in {found:?}");
        }
    }
}
