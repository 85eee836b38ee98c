//! `run` in the foreground: exit codes, environment, folders, volumes, entry points.

use crate::harness::{Case, Image, Layer};

fn output_and_codes(case: &Case) {
    let image = case.busybox();
    case.sh(&image, "echo out; echo err >&2").code(0).stdout("out\n").stderr("err\n");
    case.sh(&image, "exit 3").code(3).stdout("").stderr("");
    case.sh(&image, "sh -c 'kill -9 $$'; exit $?").code(137).stdout("");
}

/// 125: ours; 126: cannot be invoked; 127: not found. Each in one line, and nothing is left behind.
fn codes_of_failures(case: &Case) {
    let image = case.busybox();
    let run = |arguments: &[&str]| case.coracle(["run", "--rm", "--network=none"].iter().chain(arguments).copied());
    run(&["--no-such-flag", &image, "true"]).code(125).stdout("").error("--no-such-flag");
    run(&["--pull=never", "localhost:1/no/such:image", "true"]).code(125).stdout("").error("localhost:1/no/such:image");
    run(&[&image, "no-such-command"]).code(127).stdout("").error("no-such-command");
    run(&[&image, "/no/such/command"]).code(127).stdout("").error("/no/such/command");
    run(&[&image, "/etc"]).code(126).stdout("").error("/etc");
    run(&[&image, "/etc/passwd"]).code(126).stdout("").error("/etc/passwd");
    run(&["-w", "/no/such/folder", &image, "true"]).code(126).stdout("").error("/no/such/folder");
    run(&["-u", "nosuchuser", &image, "true"]).code(126).stdout("").error("nosuchuser");
    run(&["-v", "/no/such/source:/mnt", &image, "true"]).code(125).stdout("").error("/no/such/source");
    case.coracle(["ps", "-a", "-q"]).code(0).stdout("");
}

fn environment(case: &Case) {
    let image = case.busybox();
    let command = case.command([
        "run",
        "--rm",
        "--network=none",
        "-e",
        "A=b",
        "-e",
        "EMPTY=",
        "-e",
        "TAKEN",
        "-e",
        "ABSENT",
        &image,
        "env",
    ]);
    let finished = command.env("TAKEN", "from the host").env("SECRET", "stays out").finish().succeeded();
    let mut lines: Vec<_> = finished.stdout.lines().filter(|line| !line.starts_with("HOSTNAME=")).collect();
    lines.sort_unstable();
    let path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    assert_eq!(lines, ["A=b", "EMPTY=", "HOME=/root", path, "TAKEN=from the host", "container=podman"]);
}

fn working_directory(case: &Case) {
    let image = case.busybox();
    case.coracle(["run", "--rm", "--network=none", "-w", "/var/www", &image, "pwd"]).code(0).stdout("/var/www\n");
    case.coracle(["run", "--rm", "--network=none", &image, "pwd"]).code(0).stdout("/\n");
    let made = Image::busybox().config("WorkingDir", "/made/by/the/engine").push("workdir:made");
    let made = case.pull(&made);
    case.coracle(["run", "--rm", "--network=none", &made, "pwd"]).code(0).stdout("/made/by/the/engine\n");
}

/// CVE-2024-21626: a working directory that leads out through a descriptor.
fn working_directory_that_leads_out(case: &Case) {
    let image = case.busybox();
    for path in (3..=20).map(|fd| format!("/proc/self/fd/{fd}")).chain(["/proc/self/fd/7/../../..".to_owned()]) {
        let finished = case.coracle(["run", "--rm", "--network=none", "-w", &path, &image, "pwd"]);
        assert_ne!(finished.code, Some(0), "{path}: {finished}");
    }
}

fn entry_points(case: &Case) {
    let image = Image::busybox().config("Entrypoint", vec!["echo", "entry"]).config("Cmd", vec!["command"]);
    let image = case.pull(&image.push("entrypoint:latest"));
    let run = |arguments: &[&str]| case.coracle(["run", "--rm", "--network=none"].iter().chain(arguments).copied());
    run(&[&image]).code(0).stdout("entry command\n");
    run(&[&image, "a", "b"]).code(0).stdout("entry a b\n");
    // An entry point of the user's drops the image's command.
    run(&["--entrypoint", "echo", &image]).code(0).stdout("\n");
    run(&["--entrypoint", "echo", &image, "x"]).code(0).stdout("x\n");
    run(&["--entrypoint", r#"["echo","-n"]"#, &image, "x"]).code(0).stdout("x");
}

fn volumes(case: &Case) {
    let image = case.busybox();
    let folder = case.home.join("source");
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("file"), "content\n").unwrap();
    let read_only = format!("{}:/src:ro", folder.display());
    let run = |volume: &str, script: &str| {
        case.coracle(["run", "--rm", "--network=none", "-v", volume, "-w", "/src", &image, "sh", "-c", script])
    };
    run(&read_only, "cat file").code(0).stdout("content\n");
    let refused = run(&read_only, "echo x >file").code(1);
    assert!(refused.stderr.contains("Read-only file system"), "{refused}");
    run(&format!("{}:/src", folder.display()), "echo new >made; stat -c %u made").code(0).stdout("0\n");
    assert_eq!(std::fs::read_to_string(folder.join("made")).unwrap(), "new\n");
    // Root inside is the user outside.
    use std::os::unix::fs::MetadataExt;
    assert_eq!(folder.join("made").metadata().unwrap().uid(), rustix::process::getuid().as_raw());
    // A source is relative to where the user stands.
    run("./source:/src", "cat file").code(0).stdout("content\n");
}

/// CVE-2025-24965, CVE-2026-41579: what the engine itself writes or mounts in a root file system stays in it.
fn symlinks_planted_for_the_engine(case: &Case) {
    let bait = case.home.join("bait");
    std::fs::create_dir(&bait).unwrap();
    std::fs::write(bait.join("file"), "untouched").unwrap();
    let (bait_file, bait_folder) = (bait.join("file").display().to_string(), bait.display().to_string());
    let layer = ["etc/hosts", "etc/resolv.conf", "etc/hostname", "etc/mtab", "run/.containerenv"]
        .iter()
        .fold(Layer::new().dir("run", 0o755), |layer, path| layer.symlink(path, &bait_file))
        .symlink("dev", &bait_folder)
        .symlink("mnt", &bait_folder);
    // The bait's path is the case's own, so is the tag.
    let tag = format!("bait:{}", case.home.file_name().unwrap().to_string_lossy());
    let image = case.pull(&Image::busybox().layer(layer).push(&tag));
    let finished = case.coracle(["run", "--rm", "--network=none", "-v", "./source:/mnt/deep/target", &image, "true"]);
    drop(finished);
    case.coracle(["run", "--rm", "--network=none", &image, "true"]);
    let names: Vec<_> = std::fs::read_dir(&bait).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["file"]);
    assert_eq!(std::fs::read_to_string(bait.join("file")).unwrap(), "untouched");
}

fn system_files(case: &Case) {
    let image = case.busybox();
    let script = "cat /etc/hostname; hostname; echo $HOSTNAME; stat -c '%F %s' /run/.containerenv";
    let finished = case.sh(&image, script).succeeded();
    let lines: Vec<_> = finished.stdout.lines().collect();
    assert_eq!(lines[0].len(), 12, "{finished}");
    assert!(lines[0] == lines[1] && lines[1] == lines[2], "{finished}");
    assert_eq!(lines[3], "regular empty file 0");
    case.sh(&image, "grep -c '^127.0.0.1.*localhost' /etc/hosts").code(0).stdout("1\n");
    case.coracle(["run", "--rm", "--network=none", "--hostname", "boat", &image, "hostname"]).code(0).stdout("boat\n");
}

fn a_real_distribution(case: &Case) {
    let case = case.sharing_store();
    let image = case.made("debian");
    let script = "id; cat /etc/os-release; apt-get --version";
    let finished = case.coracle(["run", "--rm", &image, "sh", "-c", script]).succeeded();
    let mut lines = finished.stdout.lines();
    assert_eq!(lines.next(), Some("uid=0(root) gid=0(root) groups=0(root)"));
    assert!(finished.stdout.contains("\nVERSION_ID=\"12\"\n"), "{finished}");
    assert!(finished.stdout.contains("\napt 2."), "{finished}");
    let source = case.home.join("src");
    std::fs::create_dir(&source).unwrap();
    std::fs::write(source.join("README"), "read me").unwrap();
    crate::harness::set_mode(&source, 0o755);
    let line =
        format!("run --rm -v {}:/src:ro -e A=b -w /src -u www-data --entrypoint ls {image} -l", source.display());
    let finished = case.coracle(line.split(' ')).succeeded();
    let listed: Vec<_> = finished.stdout.lines().collect();
    assert!(listed.len() == 2 && listed[1].contains(" root root ") && listed[1].ends_with(" README"), "{finished}");
}

/// Many runs, eight at a time: every code arrives, and nothing is left.
fn many_at_once(case: &Case) {
    let image = case.busybox();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..4 {
                    case.sh(&image, "echo here; exit 7").code(7).stdout("here\n").stderr("");
                }
            });
        }
    });
    case.coracle(["ps", "-a", "-q"]).code(0).stdout("");
}

on_both_drivers!(
    output_and_codes,
    codes_of_failures,
    environment,
    working_directory,
    working_directory_that_leads_out,
    entry_points,
    volumes,
    symlinks_planted_for_the_engine,
    system_files,
    a_real_distribution,
    many_at_once,
);
