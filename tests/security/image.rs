//! A hostile image: what lies in its layers and what its config says.

use serde_json::json;

use super::{Bait, exec, pull, pulled, run, start};
use crate::harness::{Case, Image, LIMIT, Layer};

/// CVE-2019-16884, CVE-2019-19921, CVE-2023-28642, CVE-2026-41579, CVE-2026-47766: the kernel's file systems, and /dev, are mounted on
/// no link of the image's, so that no mask, setting or node ends elsewhere.
fn proc_and_sys_that_lead_elsewhere(case: &Case) {
    let bait = Bait::new(case);
    for (number, path) in ["proc", "sys", "dev"].into_iter().enumerate() {
        for (place, target) in
            [bait.path("inner"), "tmp".to_owned(), "../../../../../tmp".to_owned()].iter().enumerate()
        {
            let tag = format!("{path}:{}-{number}-{place}", case.home.file_name().unwrap().to_string_lossy());
            let image = case.pull(&Image::busybox().layer(Layer::new().symlink(path, target)).push(&tag));
            let finished = run(case, &[], &image, "echo ran").stdout("");
            assert!(matches!(finished.code, Some(125..=127)), "{path} to {target}: {finished}");
        }
    }
    bait.is_untouched();
}

/// CVE-2023-27561, CVE-2025-52881: what the image puts in the place of /proc is not what settings are written to.
fn volumes_on_proc(case: &Case) {
    let layer = ["proc", "proc/sys", "proc/sys/net", "proc/sys/net/ipv4", "proc/self"]
        .iter()
        .fold(Layer::new(), |layer, folder| layer.dir(folder, 0o755))
        .file("proc/sys/net/ipv4/ip_forward", 0o666, "planted\n")
        .file("proc/self/oom_score_adj", 0o666, "planted\n");
    let image = pull(case, Image::busybox().layer(layer.clone()).config("Volumes", json!({ "/proc/self": {} })));
    run(case, &[], &image, "true").code(125).error("which is the kernel's");
    let image = pulled(case, layer);
    let flags = ["-v=planted:/proc", "--sysctl=net.ipv4.ip_forward=1", "--oom-score-adj=500"];
    run(case, &flags, &image, "cat /proc/sys/net/ipv4/ip_forward /proc/self/oom_score_adj")
        .code(0)
        .stdout("planted\nplanted\n");
}

/// CVE-2025-31133: what covers files of the kernel's is the machine's own null device, whatever the image has at /dev/null.
fn a_planted_null_device(case: &Case) {
    let layer = Layer::new().dir("dev", 0o755).symlink("dev/null", "/proc/sys/kernel/core_pattern");
    let image = pulled(case, layer);
    let script = "readlink /dev/null; stat -c '%t:%T' /proc/keys /proc/timer_list; wc -c </proc/keys";
    run(case, &["-v=planted:/dev"], &image, script).code(0).stdout("/proc/sys/kernel/core_pattern\n1:3\n1:3\n0\n");
}

/// CVE-2025-52565: a terminal is bound on no link of the image's.
fn a_planted_console(case: &Case) {
    let layer = Layer::new()
        .dir("dev", 0o755)
        .dir("dev/pts", 0o755)
        .symlink("dev/console", "/proc/sys/kernel/core_pattern")
        .symlink("dev/pts/0", "/proc/sys/kernel/core_pattern")
        .symlink("dev/pts/ptmx", "/proc/sys/kernel/core_pattern");
    let image = pulled(case, layer);
    let finished = run(case, &["-t", "-v=planted:/dev"], &image, "stat -c %F /proc/sys/kernel/core_pattern").stdout("");
    assert!(matches!(finished.code, Some(125..=127)), "{finished}");
    // Without a volume there, the image's own files are out of sight.
    let image =
        pull(case, Image::busybox().layer(Layer::new().dir("dev", 0o755).symlink("dev/console", "/etc/passwd")));
    run(case, &["-t"], &image, "stat -c %F /dev/console /etc/passwd")
        .code(0)
        .stdout("character special file\r\nregular file\r\n");
}

/// CVE-2025-24965: the user that is made known is written to no file outside.
fn account_files_that_lead_elsewhere(case: &Case) {
    let bait = Bait::new(case);
    let up = "../".repeat(11);
    for target in [bait.path("file"), format!("{up}{}", bait.path("file").trim_start_matches('/'))] {
        let layer = ["etc/passwd", "etc/group"].iter().fold(Layer::new(), |layer, path| layer.symlink(path, &target));
        let image = pulled(case, layer);
        for flag in ["--userns=keep-id", "--passwd-entry=x:x:0:0::/:/bin/sh", "--group-entry=x:x:0:"] {
            run(case, &[flag], &image, "true");
        }
    }
    bait.is_untouched();
}

/// CVE-2026-30892, CVE-2024-40635, CVE-2026-46680: no user of an image's config, and none of `exec`, becomes root unasked.
fn users_that_overflow(case: &Case) {
    let passwd = "root:x:0:0::/:/bin/sh\n99999999999:x:0:0::/:/bin/sh\n4294967296:x:0:0::/:/bin/sh\n-1:x:0:0::/:/bin/sh\n\
        4294967295:x:0:0::/:/bin/sh\nbig:x:4294967296:4294967296::/:/bin/sh\nminus:x:-1:-1::/:/bin/sh\n";
    let users = ["-1", "4294967295", "4294967296", "2147483648", "99999999999", "0x0", "00x", "1:-1", "big", "minus"];
    let base = Image::busybox().layer(Layer::new().file("etc/passwd", 0o644, passwd));
    for (number, user) in users.into_iter().enumerate() {
        let tag = format!("users:{number}");
        let image = case.pull(&base.clone().config("User", user).push(&tag));
        let finished = run(case, &[], &image, "id -u");
        assert!(finished.code != Some(0) && finished.stdout.is_empty(), "USER {user}: {finished}");
    }
    let image = pull(case, base);
    start(case, &[], &image, "sleep 1000");
    for user in users {
        let finished = exec(case, &[&format!("--user={user}"), "box", "id", "-u"]);
        assert!(finished.code != Some(0) && finished.stdout.is_empty(), "exec --user {user}: {finished}");
    }
    // `01` is one, and `1` never root.
    exec(case, &["--user=01", "box", "id", "-u"]).code(0).stdout("1\n");
}

/// CVE-2024-21626: an image's working directory leads through no descriptor of ours.
fn working_directories_that_lead_out(case: &Case) {
    let directories = (3..20).map(|fd| format!("/proc/self/fd/{fd}"));
    for (number, directory) in
        directories.chain(["/proc/1/cwd/../..".into(), "/proc/self/cwd/../../..".into()]).enumerate()
    {
        let tag = format!("working-directory:{number}");
        let image = case.pull(&Image::busybox().config("WorkingDir", directory.as_str()).push(&tag));
        let finished = run(case, &[], &image, "echo ran");
        // The container's own root is one, by a way that stays inside.
        assert!(finished.code != Some(0) || directory.contains("/cwd/"), "{directory}: {finished}");
    }
}

/// CVE-2026-55686: a working directory whose path leads through links of the image is made inside, and nothing outside is made, or
/// changes its owner.
fn working_directories_through_links(case: &Case) {
    let bait = Bait::new(case);
    let up = format!("{}{}", "../".repeat(11), bait.path(""));
    let layer =
        || Layer::new().symlink("way", bait.path("").trim_end_matches('/')).symlink("up", up.trim_end_matches('/'));
    for (number, directory) in
        ["/way/made/deep", "/up/made", "/way", "/way/inner", "/way/../made"].into_iter().enumerate()
    {
        for user in ["0", "33"] {
            let image = Image::busybox()
                .layer(layer())
                .config("WorkingDir", directory)
                .config("User", user)
                .push(&format!("through-links:{}-{number}-{user}", case.home.file_name().unwrap().to_string_lossy()));
            let image = case.pull(&image);
            // Beneath the container's root there is room for it.
            let finished = run(case, &["--name=box"], &image, "cat file inner/file; pwd -P");
            let inside = directory.replace("/way", bait.path("").trim_end_matches('/'));
            let inside = inside.replace("/up", bait.path("").trim_end_matches('/'));
            assert!(finished.stdout == format!("{inside}\n") || directory.contains(".."), "{directory}: {finished}");
        }
    }
    bait.is_untouched();
}

/// CVE-2026-57231: what an image says of variables is their text, and never a wish to have those of who runs it.
fn variables_of_the_image(case: &Case) {
    let variables = vec!["TOKEN", "T*", "*", "", "PATH=/bin:/usr/bin", "A=${TOKEN}", "B=$TOKEN"];
    let image = pull(case, Image::busybox().config("Env", variables));
    let secret = Bait::SECRET.trim_end();
    let context = crate::behaviour::build::Context::new(case, "");
    context.file(
        "Containerfile",
        &format!("FROM {image}\nARG TOKEN\nENV C=$TOKEN*\nRUN env; tr '\\0' '\\n' </proc/self/environ\n"),
    );
    let folder = context.path.display().to_string();
    let shown = "env; tr '\\0' '\\n' </proc/self/environ; tr '\\0' '\\n' </proc/1/environ";
    let with = |line: &[&str]| {
        let done =
            case.command(line.iter().copied()).env("TOKEN", secret).env("TOWN", secret).env("OWN", secret).finish();
        assert!(!done.stdout.contains(secret) && !done.stderr.contains(secret), "{done}");
        done
    };
    let create = ["create", "--network=none", "--name=box", &image, "sh", "-c"];
    let sleeps = format!("{shown}; exec sleep 1000");
    with(&["run", "--rm", "--network=none", &image, "sh", "-c", shown]).code(0);
    with(&[&create[..], &[&sleeps]].concat()).code(0);
    with(&["start", "box"]).code(0);
    crate::harness::wait_until("it has said it", LIMIT, || with(&["logs", "box"]).stdout.contains("A="));
    with(&["exec", "box", "sh", "-c", shown]).code(0);
    with(&["inspect", "box"]).code(0);
    with(&["commit", "-q", "box", "committed"]).code(0);
    with(&["run", "--rm", "--network=none", "committed", "sh", "-c", shown]).code(0);
    with(&["build", "-t", "built", "--no-cache", "--network=none", &folder]).code(0);
    with(&["run", "--rm", "--network=none", "built", "sh", "-c", shown]).code(0);
    // Control: a flag is such a wish.
    for (flag, name) in [("TOKEN", "TOKEN"), ("TO*", "TOWN")] {
        let line = ["run", "--rm", "--network=none", "-e", flag, &image, "env"];
        let asked = case.command(line).env("TOKEN", secret).env("TOWN", secret).finish().code(0).stdout;
        assert!(asked.contains(&format!("{name}={secret}\n")), "{asked}");
    }
}

/// CVE-2022-1227, CVE-2019-14271: of an image's programs and libraries none is run, but those that the user asked for.
fn programs_of_the_image(case: &Case) {
    let canary = "#!/bin/busybox sh\n/bin/busybox touch /canary\n";
    let programs = ["ps", "nsenter", "sh", "id", "tar", "cat", "ls", "mount", "getent", "newuidmap", "env", "top"];
    let folders = ["lib", "lib/x86_64-linux-gnu", "usr/lib", "usr/lib/x86_64-linux-gnu"];
    let layer = programs.iter().fold(Layer::new(), |layer, name| {
        let layer = if *name == "newuidmap" { layer } else { layer.whiteout(&format!("bin/{name}")) };
        layer.file(&format!("usr/bin/{name}"), 0o755, canary).file(&format!("bin/{name}"), 0o755, canary)
    });
    let layer = folders.iter().fold(layer, |layer, folder| {
        ["libnss_files.so.2", "libnss_compat.so.2", "libc.so.6"]
            .iter()
            .fold(layer.dir(folder, 0o755), |layer, name| layer.file(&format!("{folder}/{name}"), 0o755, canary))
    });
    let image = pulled(
        case,
        layer.file("etc/nsswitch.conf", 0o644, "passwd: files\n").file(
            "etc/ld.so.preload",
            0o644,
            "/usr/lib/libc.so.6\n",
        ),
    );
    case.coracle([
        "run",
        "-d",
        "--network=none",
        "--name=box",
        "-u",
        "www-data",
        &image,
        "/bin/busybox",
        "sleep",
        "1000",
    ])
    .succeeded();
    std::fs::write(case.home.join("in"), "x").unwrap();
    for line in [
        "top box",
        "stats --no-stream box",
        "cp in box:/tmp/in",
        "cp box:/etc out",
        "diff box",
        "export -o box.tar box",
        "commit -q box committed",
        "inspect box",
        "logs box",
        "port box",
        "exec -u www-data:extra box /bin/busybox true",
    ] {
        case.coracle(line.split(' ')).code(0);
    }
    let changed = case.coracle(["diff", "box"]).succeeded().stdout;
    assert!(!changed.contains("canary"), "{changed}");
    // That it would have sung:
    exec(case, &["-u", "0", "box", "ps"]).code(0);
    assert!(case.coracle(["diff", "box"]).succeeded().stdout.contains("A /canary\n"));
}

/// CVE-2023-0386, CVE-2021-3493: what a file's copy in a container's own directory may do counts inside, and nowhere else.
fn privileges_of_copies(case: &Case) {
    // Version 2 of `struct vfs_cap_data`: effective; permitted CAP_NET_RAW.
    let capability = "\x01\0\0\x02\0\x20\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
    let busybox = std::fs::read("/bin/busybox").unwrap();
    let layer =
        Layer::new().pax("SCHILY.xattr.security.capability", capability).file("busybox-capable", 0o4755, busybox);
    let image = pulled(case, layer);
    start(case, &["--cap-add=NET_RAW"], &image, "chmod 755 /busybox-capable; exec sleep 1000");
    let line = ["grep", "CapEff", "/proc/self/status"];
    let copy = case.store().join("containers").join(case.inspect("box", "{{.Id}}")).join("upper/busybox-capable");
    crate::harness::wait_until("it was copied", LIMIT, || copy.exists());
    let inside = exec(case, &[&["-u", "33", "box", "/busybox-capable"], &line[..]].concat());
    inside.code(0).stdout("CapEff:\t0000000000002000\n");
    case.coracle(["stop", "-t0", "box"]).code(0);
    case.command_of(&copy, line).finish().code(0).stdout("CapEff:\t0000000000000000\n");
}

/// CVE-2024-23652: what is removed with a container, a volume or an image ends where their own trees do.
fn removal_follows_no_link(case: &Case) {
    let bait = Bait::new(case);
    let target = bait.path("");
    let image = pulled(case, Layer::new().symlink("way", target.trim_end_matches('/')));
    let script = format!(
        "for p in /a /v/a; do ln -s {target} $p; ln -s {target}file $p.file; mkdir $p.d; ln -s {target} $p.d/x; done; rm -rf /mnt; ln -s {target} /mnt"
    );
    case.coracle(["run", "--network=none", "--name=box", "-v=vol:/v", "--tmpfs=/mnt/t", &image, "sh", "-c", &script]);
    case.coracle([
        "run",
        "--rm",
        "--network=none",
        "-v=vol:/v",
        &image,
        "sh",
        "-c",
        &script.replace("/a /v/a", "/b /v/b"),
    ])
    .code(0);
    case.coracle(["rm", "box"]).succeeded();
    case.coracle(["volume", "rm", "vol"]).succeeded();
    case.coracle(["rmi", &image]).succeeded();
    case.coracle(["system", "prune", "-af", "--volumes"]).code(0);
    bait.is_untouched();
}

/// CVE-2025-9566, CVE-2020-1726: what the image has at a volume's place is copied once, into an empty one, and through no link;
/// what is mounted below a link in a volume stays inside.
fn volumes_whose_content_leads_elsewhere(case: &Case) {
    let bait = Bait::new(case);
    let layer =
        Layer::new().dir("data", 0o755).file("data/of-the-image", 0o644, "").symlink("data/way", &bait.path("inner"));
    let image = pulled(
        case,
        layer.symlink("door", &bait.path("")).symlink("up", &format!("{}{}", "../".repeat(11), bait.path(""))),
    );
    run(case, &["-v=vol:/data"], &image, "rm /data/of-the-image; echo mine >/data/mine").code(0);
    run(case, &["-v=vol:/data"], &image, "ls /data").code(0).stdout("mine\nway\n");
    for target in ["/data/way/deep/er", "/door/deep/er", "/up/deep", "/door"] {
        let flag = format!("-v=other:{target}");
        run(case, &["-v=vol:/data", &flag], &image, "true");
        run(case, &["-v=vol:/data", "--tmpfs", target], &image, "true");
    }
    bait.is_untouched();
}

/// CVE-2024-9676: account files without an end, or that hold the reader up, are read so far and no further.
fn account_files_without_an_end(case: &Case) {
    let image = case.busybox();
    let script = "dd if=/dev/zero of=/etc/passwd bs=1M count=2 2>/dev/null; echo >>/etc/passwd; echo 'late:x:0:0::/:/bin/sh' >>/etc/passwd
        truncate -s 100G /etc/passwd; rm /etc/group; mkfifo /etc/group; sleep 1000";
    start(case, &[], &image, script);
    crate::harness::wait_until("the pipe is there", LIMIT, || {
        exec(case, &["box", "test", "-p", "/etc/group"]).code == Some(0)
    });
    exec(case, &["-u", "late", "box", "id", "-u"]).code(255).error("no matching entries in passwd file").stdout("");
    exec(case, &["-u", "7:7", "box", "grep", "-c", "^Uid:.7.7.7.7$", "/proc/self/status"]).code(0).stdout("1\n");
    for planted in ["ln -s /dev/zero /etc/passwd", "mkdir /etc/passwd", "ln -s /proc/kmsg /etc/passwd"] {
        exec(case, &["box", "sh", "-c", &format!("rm -rf /etc/passwd; {planted}")]).code(0);
        exec(case, &["-u", "late", "box", "id", "-u"]).code(255).error("no matching entries in passwd file");
    }
}

/// CVE-2025-11395: an archive of images whose names lead out of it, or whose layers are links to files of the user's, is loaded without
/// them, or not at all; nothing of it is made but what lies in the layers.
fn archives_of_images_that_lead_out(case: &Case) {
    let bait = Bait::new(case);
    let layer = Layer::new().file("etc/of-the-layer", 0o644, "x").tar();
    let config = json!({
        "architecture": "amd64", "os": "linux", "config": {},
        "rootfs": {"type": "layers", "diff_ids": [crate::harness::image::digest(&layer)]}
    });
    let manifest = json!([{"Config": "config.json", "RepoTags": ["localhost/loaded:1"], "Layers": ["layer.tar"]}]);
    let named = |archive: Layer| {
        archive.file("config.json", 0o644, config.to_string()).file("manifest.json", 0o644, manifest.to_string())
    };
    let load = |archive: Layer| {
        std::fs::write(case.home.join("archive.tar"), archive.tar()).unwrap();
        let piped = case.command(["load", "-q"]).stdin(archive.tar()).finish();
        let loaded = case.coracle(["load", "-q", "-i", "archive.tar"]);
        bait.is_untouched();
        assert!(!case.home.join("climbed").exists() && !case.home.parent().unwrap().join("climbed").exists());
        assert_eq!(piped.code, loaded.code, "{piped}\n{loaded}");
        loaded
    };
    let planted = Layer::new()
        .symlink("way", bait.path("").trim_end_matches('/'))
        .file("way/planted", 0o644, "planted")
        .file("way/file", 0o644, "planted")
        .hard_link("hard", &bait.path("file"))
        .file("../../climbed", 0o644, "planted")
        .file(&bait.path("planted"), 0o644, "planted");
    load(named(planted.file("layer.tar", 0o644, &layer))).code(0);
    case.coracle(["rmi", "-f", "localhost/loaded:1"]).code(0);
    for target in [bait.path("file"), "../bait/file".to_owned(), "way/file".to_owned()] {
        let way = || Layer::new().symlink("way", bait.path("").trim_end_matches('/'));
        load(named(way().symlink("layer.tar", &target))).code(125);
        load(named(way().hard_link("layer.tar", &target))).code(125);
        load(way().symlink("manifest.json", &target)).code(125);
    }
    case.coracle(["image", "exists", "localhost/loaded:1"]).code(1);
    bait.is_untouched();
}

/// CVE-2020-10696, CVE-2026-44517, CVE-2025-11395: an archive that first plants a link and then writes through it, and one that a container makes of
/// itself for a second copy, stay where they were sent.
fn archives_that_write_through_links(case: &Case) {
    let bait = Bait::new(case);
    let image = case.busybox();
    start(case, &[], &image, "sleep 1000");
    let archive = Layer::new()
        .symlink("in", &bait.path("inner"))
        .file("in/planted", 0o644, "planted")
        .symlink("over", &bait.path("file"))
        .file("over", 0o644, "planted")
        .hard_link("hard", &bait.path("file"))
        .tar();
    case.command(["cp", "-", "box:/tmp"]).stdin(archive.clone()).finish();
    case.coracle(["volume", "create", "vol"]).succeeded();
    case.command(["volume", "import", "vol", "-"]).stdin(archive).finish();
    // Outside, what the first copy brought is a link; the second one has a folder, and a file, of that name.
    exec(case, &["box", "sh", "-c", &format!("mkdir /d; ln -s {0}inner /d/in; ln -s {0}file /d/over", bait.path(""))])
        .code(0);
    case.coracle(["cp", "box:/d", "copy"]).code(0);
    assert!(case.home.join("copy/in").is_symlink());
    exec(case, &["box", "sh", "-c", "rm /d/*; mkdir /d/in; echo planted >/d/in/file; echo planted >/d/over"]).code(0);
    case.coracle(["cp", "box:/d/.", "copy"]);
    case.coracle(["cp", "--overwrite", "box:/d/.", "copy"]);
    bait.is_untouched();
}

on_both_drivers!(
    proc_and_sys_that_lead_elsewhere,
    volumes_on_proc,
    a_planted_null_device,
    a_planted_console,
    account_files_that_lead_elsewhere,
    users_that_overflow,
    working_directories_that_lead_out,
    working_directories_through_links,
    variables_of_the_image,
    archives_of_images_that_lead_out,
    programs_of_the_image,
    privileges_of_copies,
    removal_follows_no_link,
    volumes_whose_content_leads_elsewhere,
    account_files_without_an_end,
    archives_that_write_through_links,
);
