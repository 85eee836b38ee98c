//! Races: a container changes a name back and forth between a folder, or file, and a link that leads out, as fast as the kernel
//! can, while the program works on that name. With `CORACLE_LONG` a thousand times each.

use super::{Bait, exec, program, pulled};
use crate::harness::{Case, Driver, Image, LIMIT, Layer, long_or, wait_until};

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

/// CVE-2026-17106: what is copied out of a container whose tree changes meanwhile is written where it was sent, also onto what an
/// earlier copy brought, of which a part may be a link.
fn copies_out(case: &Case) {
    let bait = Bait::new(case);
    flipping(
        case,
        "mkdir -p name/inner; echo planted >name/file; echo planted >name/planted; echo planted >name/inner/file",
        "name/file",
        bait.path("").trim_end_matches('/'),
    );
    let (mut links, mut folders) = (0, 0);
    for number in 0..tries() {
        for line in [
            &["cp", "box:/race", "fresh"][..],
            &["cp", "box:/race", "out"],
            &["cp", "box:/race/.", "out/race"],
            &["cp", "--overwrite", "box:/race/.", "out/race"],
            &["cp", "box:/race/name", "out/race/"],
            &["cp", "--overwrite", "box:/race/name", "out/race/"],
        ] {
            // Some are refused: a folder and a link take each other's place unasked nowhere.
            let done = case.coracle(line.iter().copied());
            assert!(done.code.is_some(), "{done}");
            bait.is_untouched();
        }
        let (fresh, out) = (case.home.join("fresh"), case.home.join("out"));
        for copy in [fresh.join("name"), out.join("race/name")] {
            links += usize::from(copy.is_symlink());
            folders += usize::from(copy.join("planted").exists() && !copy.is_symlink());
        }
        let _ = std::fs::remove_dir_all(fresh);
        // What lies there is copied onto, a few times.
        match number % 4 {
            0 => drop(std::fs::create_dir(out)),
            3 => std::fs::remove_dir_all(out).unwrap(),
            _ => {}
        }
    }
    wait_until("links were copied, and folders", LIMIT, || {
        case.coracle(["cp", "--overwrite", "box:/race/.", "last"]);
        let copy = case.home.join("last/name");
        links += usize::from(copy.is_symlink());
        folders += usize::from(copy.join("planted").exists() && !copy.is_symlink());
        links > 0 && folders > 0
    });
    bait.is_untouched();
}

/// CVE-2026-55686: a working directory that is made below the name lies in the container, and so does what becomes its owner's.
fn working_directories(case: &Case) {
    let bait = Bait::new(case);
    let name = format!("working:{}", case.home.file_name().unwrap().to_string_lossy());
    let image = Image::busybox().config("WorkingDir", "/x/name/made/deep").config("User", "33").push(&name);
    let image = case.pull(&image);
    flipping(case, "mkdir name; chmod 777 . name; echo inside >name/file", "name/file", &bait.path("inner"));
    let mut started = 0;
    for _ in 0..tries() {
        let finished = super::run(case, &["-v=race:/x"], &image, "cat ../../file; true");
        assert!(!finished.stdout.contains(Bait::SECRET), "{finished}");
        started += usize::from(finished.code == Some(0));
        bait.is_untouched();
    }
    assert!(started > 0, "none of the containers started: nothing was tried");
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

on_both_drivers!(mounts, copies, copies_out, working_directories, exports, settings_and_covers);
