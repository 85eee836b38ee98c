//! Races: a container changes a name back and forth between a folder, or file, and a link that leads out, as fast as the kernel
//! can, while the program works on that name. With `CORACLE_LONG` a thousand times each.

use super::{Bait, exec, program, pulled};
use crate::harness::{Case, Driver, LIMIT, Layer, long_or, wait_until};

/// How often each is tried.
pub fn tries() -> usize {
    long_or(1000, 10)
}

/// Starts a container `box` in which `/race/name` and a link to `target` take each other's place; what `make` makes is the former.
/// The volume `race` holds them. It is seen that who looks by path, from outside, is led to the target now and then.
fn flipping(case: &Case, make: &str, path: &str, target: &str) {
    let script = format!("cd /race; {make}; ln -s {target} link; exec /hostile flip name link");
    super::start(case, &["-v=race:/race"], &image(case), &script);
    wait_until("it flips", LIMIT, || case.coracle(["logs", "box"]).stdout.contains("flipping"));
    // Nobody outside may look through the FUSE overlay.
    if case.driver == Driver::Kernel {
        let naive = format!("/proc/{}/root/race/{path}", case.inspect("box", "{{.State.Pid}}"));
        wait_until("somebody is led astray", LIMIT, || {
            std::fs::read_to_string(&naive).is_ok_and(|text| text == Bait::SECRET)
        });
    }
}

fn image(case: &Case) -> String {
    pulled(case, Layer::new().file("hostile", 0o755, program()))
}

/// CVE-2021-30465, CVE-2024-45310: what is mounted below the name, or made for it, lies in the container.
fn mounts(case: &Case) {
    let (bait, image) = (Bait::new(case), image(case));
    flipping(case, "mkdir name; echo inside >name/file", "name/file", &bait.path("inner"));
    std::fs::write(case.home.join("mine"), "mine\n").unwrap();
    let mut started = 0;
    for _ in 0..tries() {
        let flags = ["-v=race:/x", "-v=other:/x/name/deep/er", "-v=./mine:/x/name/planted"];
        let finished = super::run(case, &flags, &image, "mount | grep -c ' on /x/'; cat /x/name/planted; true");
        started += usize::from(finished.code == Some(0));
        bait.is_untouched();
    }
    assert!(started > 0, "none of the containers started: nothing was tried");
}

/// CVE-2018-15664, CVE-2019-10152: nothing outside is read, and nothing written.
fn copies(case: &Case) {
    let bait = Bait::new(case);
    flipping(case, "mkdir name; echo inside >name/file", "name/file", &bait.path("inner"));
    std::fs::write(case.home.join("planted"), "planted\n").unwrap();
    let read = |path: &str| {
        let finished = case.coracle(["cp", path, "-"]);
        assert!(!finished.stdout.contains(Bait::SECRET), "{finished}");
        // Or what was copied in meanwhile.
        finished.stdout.contains("inside\n") || finished.stdout.contains("planted\n")
    };
    for _ in 0..tries() {
        read("box:/race/name/file");
        read("box:/race/link/file");
        case.coracle(["cp", "planted", "box:/race/name/"]);
        case.coracle(["cp", "planted", "box:/race/link/file"]);
        bait.is_untouched();
    }
    wait_until("what is inside is read", LIMIT, || read("box:/race/name/file"));
}

/// CVE-2023-0778: what is exported or committed holds nothing from outside.
fn exports(case: &Case) {
    let bait = Bait::new(case);
    let image = image(case);
    let script = format!(
        "mkdir /race; cd /race; echo inside >name; ln -s {} link; exec /hostile flip name link",
        bait.path("file")
    );
    super::start(case, &[], &image, &script);
    wait_until("it flips", LIMIT, || case.coracle(["logs", "box"]).stdout.contains("flipping"));
    let out = case.home.join("box.tar");
    let mut read = 0;
    for number in 0..tries() {
        case.coracle(["export", "-o", "box.tar", "box"]);
        let exported = std::fs::read(&out).unwrap_or_default();
        assert!(!exported.windows(Bait::SECRET.len()).any(|part| part == Bait::SECRET.as_bytes()));
        read += usize::from(exported.windows(7).any(|part| part == b"inside\n"));
        if number % 10 == 0 {
            case.coracle(["commit", "-q", "box", "committed"]);
        }
    }
    assert!(read > 0, "nothing was exported at all");
    let committed = super::run(case, &[], "committed", "cat /race/name /race/link; true");
    assert!(!committed.stdout.contains(Bait::SECRET), "{committed}");
    bait.is_untouched();
}

/// CVE-2025-52881, CVE-2025-31133, CVE-2025-52565: settings, covers and the terminal of a container whose volume is shared with who
/// flips, at the places of /proc and /dev.
fn settings_and_covers(case: &Case) {
    let (bait, image) = (Bait::new(case), image(case));
    let script = "cd /race; mkdir -p dev/pts proc/sys/kernel; ln -s /proc/sys/kernel/core_pattern link; touch dev/null dev/console
        exec /hostile flip dev/console link";
    super::start(case, &["-v=race:/race"], &image, script);
    wait_until("it flips", LIMIT, || case.coracle(["logs", "box"]).stdout.contains("flipping"));
    let before = std::fs::read_to_string("/proc/sys/kernel/core_pattern").unwrap();
    for _ in 0..tries() {
        let flags = ["-t", "--mount=type=volume,src=race,dst=/dev,subpath=dev", "--sysctl=kernel.msgmax=8000"];
        let finished =
            super::run(case, &flags, &image, "stat -c %F /proc/sys/kernel/core_pattern; cat /proc/sys/kernel/msgmax");
        assert!(finished.code != Some(0) || finished.stdout == "regular empty file\r\n8000\r\n", "{finished}");
    }
    assert_eq!(std::fs::read_to_string("/proc/sys/kernel/core_pattern").unwrap(), before);
    bait.is_untouched();
    exec(case, &["box", "true"]).code(0);
}

on_both_drivers!(mounts, copies, exports, settings_and_covers);
