//! What a container has mounted: `-v` with all its options, `--mount`, `--tmpfs`, `--volumes-from`.

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::harness::{Case, Driver, Finished, Image, Layer};

/// A folder of the caller's with two files in it.
fn source(case: &Case) -> PathBuf {
    let source = case.home.join("src");
    std::fs::create_dir(&source).unwrap();
    std::fs::write(source.join("a"), "a\n").unwrap();
    std::fs::write(source.join("b.so"), "b\n").unwrap();
    source
}

/// `run --rm --network=none FLAGS IMAGE sh -c SCRIPT`, to its end.
fn run(case: &Case, image: &str, flags: &[&str], script: &str) -> Finished {
    case.coracle([&["run", "--rm", "--network=none"], flags, &[image, "sh", "-c", script]].concat())
}

/// As podman 5.4 reads them.
#[test]
fn sources_and_options_of_v() {
    let case = Case::new(Driver::Auto);
    let image = case.busybox();
    let source = source(&case);
    let run = |flags: &[&str], script: &str| run(&case, &image, flags, script);
    let path = source.display().to_string();
    // The tests run in the case's home.
    run(&["-v", "./src:/x"], "ls /x").code(0).stdout("a\nb.so\n");
    run(&["-v", "src:/x"], "ls /x").code(0).stdout("");
    case.coracle(["volume", "exists", "src"]).code(0);
    run(&["-v", &format!("{path}:/x/../y:z")], "ls /y").code(0).stdout("a\nb.so\n");
    for (text, words) in [
        (format!("{path}/nope:/x"), "nope: no such file or directory"),
        (":/x".into(), "host directory cannot be empty"),
        ("a:b:c:d".into(), "a:b:c:d: incorrect volume format, should be [host-dir:]ctr-dir[:option]"),
        ("a:b".into(), "invalid container path \"b\", must be an absolute path"),
        ("rel".into(), "invalid container path \"rel\", must be an absolute path"),
        (format!("{path}:/x:foo"), "invalid option type \"foo\""),
        ("b@d:/x".into(), "creating named volume \"b@d\": names must match"),
        (format!("{path}:/x:O,ro"), "can't use 'O' with other options"),
        (format!("{path}:/x:ro,rw"), "exclude each other"),
        (format!("{path}:/"), "nothing can be mounted over the root"),
    ] {
        case.coracle(["create", "-v", &text, &image]).code(125).error(words);
    }
    for second in ["-v=./src:/x/", "--tmpfs=/x", "--mount=type=bind,src=./src,dst=/x"] {
        case.coracle(["create", "-v", "./src:/x", second, &image]).code(125).error("/x: duplicate mount destination");
    }
    assert_eq!(case.coracle(["ps", "-aq"]).code(0).stdout, "", "something was made all the same");
    let options = |options: &str| {
        let volume = format!("{path}:/x:{options}");
        run(&["-v", &volume], "grep ' /x ' /proc/self/mountinfo | sed 's/.* .x //'").code(0).stdout
    };
    let has = |shown: &str, word: &str| shown.split([' ', ',']).any(|other| other == word);
    let plain = options("rw");
    assert!(has(&plain, "nosuid") && has(&plain, "nodev") && has(&plain, "rw") && !has(&plain, "noexec"), "{plain}");
    let other = options("ro,suid,dev,noexec,rslave,bind");
    assert!(!has(&other, "nosuid") && !has(&other, "nodev") && has(&other, "ro") && has(&other, "noexec"), "{other}");
    // A device of this machine is shared to be used.
    run(&["-v", "/dev:/machine:rslave"], "echo x >/machine/null").code(0);
    run(&["-v", "/dev:/machine:nodev"], "echo x >/machine/null").code(1);
    assert!(options("rshared").contains("shared:") && options("unbindable").contains("unbindable"));
}

/// Mounts are made in the order of how deep they lie, whatever the order in which they are named.
/// What other engines take, and scripts therefore say.
#[test]
fn words_that_change_nothing() {
    let case = Case::new(Driver::Auto);
    let (image, path) = (case.busybox(), source(&case));
    let line = |options: &str| format!("{}:/x{options}", path.display());
    for options in ["", ":cached", ":delegated,ro", ":idmap"] {
        let one = line(options);
        run(&case, &image, &["-v", &one, "-v", &one, "--log-opt=max-file=3"], "test -d /x && echo there")
            .code(0)
            .stdout("there\n");
    }
    run(&case, &image, &["-v", &line(""), "-v", &line(":ro")], "true").code(125).error("duplicate mount destination");
}

/// Where the current directory is gone, a path that counts from it is named.
#[test]
fn from_a_directory_that_is_gone() {
    let case = Case::new(Driver::Auto);
    let (image, binary) = (case.busybox(), crate::harness::binary());
    let script = "mkdir gone; cd gone; rmdir ../gone; exec $CORACLE run --rm -v ./x:/m $IMAGE true";
    let shell = case.command_of(std::path::Path::new("/bin/sh"), ["-c", script]);
    shell
        .env("CORACLE", &binary)
        .env("IMAGE", &image)
        .finish()
        .code(125)
        .error("`./x`")
        .says("hint: name an absolute path");
}

#[test]
fn what_is_deeper_is_on_top() {
    let case = Case::new(Driver::Auto);
    let image = case.busybox();
    source(&case);
    let flags = ["-v", "./src:/m/in/side", "--tmpfs", "/m", "-v", "deep:/m/in/side/../vol", "--tmpfs", "/run"];
    let script = "touch /m/in/vol/f; ls /m /m/in /m/in/side; ls -A /run; grep -c ' /etc/hosts ' /proc/mounts";
    run(&case, &image, &flags, script)
        .code(0)
        .stdout("/m:\nin\n\n/m/in:\nside\nvol\n\n/m/in/side:\na\nb.so\n.containerenv\n1\n");
    // What everybody has gives way to what was asked for at its place.
    run(&case, &image, &["-v", "./src:/dev/shm", "-v", "./src/a:/etc/hosts"], "ls /dev/shm; cat /etc/hosts")
        .code(0)
        .stdout("a\nb.so\na\n");
}

/// Nothing is written to what lies below; what was written is gone at the next start, unless it has a place.
fn written_over(case: &Case) {
    let image = case.busybox();
    let source = source(case);
    let script = "cd /x; ls | xargs; echo new >n; rm a; mkdir d; echo more >>b.so; cat n b.so; ls | xargs";
    let told = "a b.so\nnew\nb\nmore\nb.so d n\n";
    case.coracle(["run", "--network=none", "--name", "box", "-v", "./src:/x:O", &image, "sh", "-c", script])
        .code(0)
        .stdout(told);
    case.coracle(["start", "-a", "box"]).code(0).stdout(told);
    assert_eq!(std::fs::read_to_string(source.join("b.so")).unwrap(), "b\n");
    assert_eq!(std::fs::read_dir(&source).unwrap().count(), 2);
    for folder in ["up", "wk"] {
        std::fs::create_dir(case.home.join(folder)).unwrap();
    }
    run(case, &image, &["-v", "./src:/x:O,upperdir=up,workdir=wk"], script).code(0).stdout(told);
    run(case, &image, &["-v", "./src:/x:O,upperdir=up,workdir=wk"], "ls /x | xargs").code(0).stdout("b.so d n\n");
    assert!(case.home.join("up/n").exists() && source.join("a").exists());
    case.coracle(["run", "--rm", "--network=none", "-v", "vol:/x", &image, "touch", "/x/kept"]).code(0);
    run(case, &image, &["-v", "vol:/x:O"], "rm /x/kept; touch /x/other").code(0);
    run(case, &image, &["-v", "vol:/x"], "ls /x").code(0).stdout("kept\n");
}

/// Another image's files, with its owners, for reading or to be written over.
fn an_image_is_mounted(case: &Case) {
    let busybox = case.busybox();
    let layer = Layer::new().dir("opt", 0o755).owned_file("opt/theirs", 0o640, (33, 40), "theirs\n");
    let other = case.pull(&Image::busybox().layer(layer).push("to-be-mounted:latest"));
    let mount = |more: &str| format!("--mount=type=image,src={other},dst=/img{more}");
    let script = "cat /img/opt/theirs; touch /img/x 2>/dev/null || echo ro; stat -c %a /img/opt";
    run(case, &busybox, &[&mount("")], script).code(0).stdout("theirs\nro\n755\n");
    run(case, &busybox, &[&mount(",rw=true")], "rm /img/opt/theirs; touch /img/x && ls /img/opt /img/x")
        .code(0)
        .stdout("/img/x\n\n/img/opt:\n");
    run(case, &busybox, &[&mount("")], "cat /img/opt/theirs").code(0).stdout("theirs\n");
    // A part of it alone: a directory, a file.
    let part = |subpath: &str| mount(&format!(",subpath={subpath}"));
    run(case, &busybox, &[&part("/opt")], "ls /img; stat -c %u:%g /img/theirs").code(0).stdout("theirs\n33:40\n");
    run(case, &busybox, &[&part("opt,rw")], "touch /img/x; ls /img | xargs").code(0).stdout("theirs x\n");
    run(case, &busybox, &[&part("opt/theirs")], "cat /img").code(0).stdout("theirs\n");
    run(case, &busybox, &[&part("opt/no")], "true").code(125).error("the subpath `opt/no`: ");
    case.coracle(["create", "--name", "part", &part("opt"), &busybox]).code(0);
    assert_eq!(case.inspect("part", "{{range .Mounts}}{{.Type}} {{.SubPath}}{{end}}"), "image opt");
    case.coracle(["rm", "part"]).code(0);
    case.coracle(["create", "--name", "box", &mount(""), &busybox]).code(0);
    case.coracle(["rmi", &other]).code(2).error("is in use by container");
    case.coracle(["create", "--mount=type=image,src=absent-image,dst=/x", &busybox]).code(125).error("image not known");
}

on_both_drivers!(written_over, an_image_is_mounted, a_tmpfs_begins_with_what_it_covers);

fn a_tmpfs_begins_with_what_it_covers(case: &Case) {
    let layer = Layer::new()
        .dir("data", 0o1750)
        .file("data/f", 0o4711, "of the image\n")
        .dir("data/sub", 0o700)
        .symlink("data/l", "f");
    let image = case.pull(&Image::busybox().layer(layer).push("covered:latest"));
    let show = "cd /data; stat -c '%a %n' . f sub; cat l; touch made; grep -o '^tmpfs /data tmpfs r[wo],nosuid,nodev' /proc/mounts";
    let all = "1750 .\n4711 f\n700 sub\nof the image\ntmpfs /data tmpfs rw,nosuid,nodev\n";
    for flag in ["--tmpfs=/data", "--mount=type=tmpfs,dst=/data", "--tmpfs=/data:size=1m"] {
        run(case, &image, &[flag], show).code(0).stdout(all);
    }
    run(case, &image, &["--tmpfs=/data:notmpcopyup,mode=711"], "ls /data; stat -c %a /data").code(0).stdout("711\n");
    run(
        case,
        &image,
        &["--tmpfs=/data:ro,mode=711"],
        "ls /data | wc -l; touch /data/x 2>/dev/null || echo ro; stat -c %a /data",
    )
    .code(0)
    .stdout("3\nro\n711\n");
    run(case, &image, &["--tmpfs=/new"], "stat -c %a /new").code(0).stdout("1777\n");
    let users = ["--tmpfs=/new:U", "--mount=type=tmpfs,dst=/new,chown", "--mount=type=tmpfs,dst=/new,U=true"];
    for flag in users {
        run(case, &image, &["-u=33:40", flag], "stat -c %u:%g /new; touch /new/x").code(0).stdout("33:40\n");
    }
    let roots = ["-u=33:40", "--mount=type=tmpfs,dst=/new,U=false"];
    run(case, &image, &roots, "stat -c %u:%g /new").code(0).stdout("0:0\n");
    run(case, &image, &["--tmpfs=/new:size=1m"], "head -c 2000000 /dev/zero >/new/f 2>/dev/null || echo full")
        .code(0)
        .stdout("full\n");
    case.coracle(["create", "--tmpfs=/x:foo", &image])
        .code(125)
        .error("unknown mount option \"foo\": invalid mount option");
    case.coracle(["create", "--tmpfs=x", &image]).code(125).error("invalid container path \"x\"");
}

/// As podman 5.4 reads them.
#[test]
fn kinds_of_mount() {
    let case = Case::new(Driver::Auto);
    let image = case.busybox();
    let source = source(&case);
    let run = |mount: &str, script: &str| run(&case, &image, &["--mount", mount], script);
    run("type=bind,source=./src,target=/x,ro", "ls /x; touch /x/y 2>/dev/null || echo ro")
        .code(0)
        .stdout("a\nb.so\nro\n");
    run("\"type=bind\",\"src=src\",\"dst=/x,y\"", "ls /x,y").code(0).stdout("a\nb.so\n");
    run("type=volume,dst=/x", "touch /x/f; ls /x").code(0).stdout("f\n");
    run("type=volume,src=vol,dst=/x", "touch /x/f").code(0);
    run("type=volume,src=vol,dst=/x,readonly", "ls /x; touch /x/y 2>/dev/null || echo ro").code(0).stdout("f\nro\n");
    run(
        "type=tmpfs,dst=/x,tmpfs-size=1m,tmpfs-mode=700,noexec",
        "stat -c %a /x; grep -c '^tmpfs /x .*noexec.*size=1024k' /proc/mounts",
    )
    .code(0)
    .stdout("700\n1\n");
    run(
        "type=devpts,dst=/pts,mode=600,max=5",
        "ls /pts; grep -c '^devpts /pts .*mode=600,ptmxmode=000,max=5' /proc/mounts",
    )
    .code(0)
    .stdout("ptmx\n1\n");
    run("type=glob,src=./src/*,dst=/x", "ls /x").code(0).stdout("a\nb.so\n");
    let pattern = format!("type=glob,src={}/*.so", source.display());
    run(&pattern, &format!("ls {}", source.display())).code(0).stdout("b.so\n");
    for (mount, words) in [
        ("type=glob,src=./src/*.nope,dst=/x", "no file paths matching glob \"./src/*.nope\""),
        ("type=bind,src=./src", "must set volume destination"),
        ("type=bind,dst=/x", "statfs /x: no such file or directory"),
        ("type=foo,dst=/x", "invalid filesystem type \"foo\""),
        ("dst=/x", "incorrect mount format: should be --mount type=<bind|glob|tmpfs|volume>"),
        ("type=bind,src=./src,dst=/x,foo=1", "foo: invalid mount option"),
        ("type=bind,src=./src,dst=/x,bind-propagation=foo", "invalid value \"bind-propagation=foo\""),
        ("type=bind,src=nope,dst=/x", "nope: no such file or directory"),
    ] {
        case.coracle(["create", "--mount", mount, &image]).code(125).error(words);
    }
}

/// Podman's keys; and what another container may have of them.
#[test]
fn shown_and_lent() {
    let case = Case::new(Driver::Auto);
    let image = case.busybox();
    let source = source(&case).display().to_string();
    let image_mount = format!("type=image,src={image},dst=/img");
    let flags = ["-v", "vs:/x", "-v", "./src:/y:ro", "--tmpfs", "/z", "--mount", &image_mount, "-v", "./src:/w:O"];
    case.coracle([&["create", "--name", "vf"], &flags[..], &[&image]].concat()).code(0);
    let shown: Value = serde_json::from_str(&case.inspect("vf", "{{json .Mounts}}")).unwrap();
    let data = case.store().join("volumes/vs/data").display().to_string();
    assert_eq!(
        shown[0],
        json!({ "Type": "volume", "Name": "vs", "Source": data, "Destination": "/x", "Driver": "local", "Mode": "",
            "Options": ["nosuid", "nodev", "rbind"], "RW": true, "Propagation": "rprivate" })
    );
    assert_eq!(
        (&shown[1]["Type"], &shown[1]["Source"], &shown[1]["RW"]),
        (&"bind".into(), &source.as_str().into(), &false.into())
    );
    assert_eq!((&shown[2]["Type"], &shown[2]["Destination"]), (&"bind".into(), &"/w".into()));
    assert_eq!((&shown[3]["Type"], &shown[3]["Source"]), (&"image".into(), &image.as_str().into()));
    let binds: Value = serde_json::from_str(&case.inspect("vf", "{{json .HostConfig.Binds}}")).unwrap();
    assert_eq!(binds[0], "vs:/x:rw,rprivate,nosuid,nodev,rbind");
    assert_eq!(case.inspect("vf", "{{index .HostConfig.Tmpfs \"/z\"}}"), "rw,rprivate,nosuid,nodev,tmpcopyup");

    let run = |flags: &[&str], script: &str| run(&case, &image, flags, script);
    run(&["--volumes-from", "vf"], "touch /x/f; ls /x /y; ls -d /w /img /z 2>/dev/null")
        .code(1)
        .stdout("/x:\nf\n\n/y:\na\nb.so\n");
    run(&["--volumes-from=vf:ro"], "touch /x/g 2>/dev/null || echo ro").code(0).stdout("ro\n");
    run(&["--volumes-from", "vf", "--tmpfs", "/y"], "ls /x /y").code(0).stdout("/x:\nf\n\n/y:\n");
    case.coracle(["create", "--volumes-from", "nope", &image])
        .code(125)
        .error("looking up container \"nope\" for volumes-from");
    case.coracle(["create", "--volumes-from", "vf:foo", &image]).code(125).error("can only use z,ro,rw options");
    case.coracle(["volume", "rm", "vs"]).code(2);
}

/// Whatever the image has where something is to be mounted: it stays inside.
#[test]
fn targets_lead_nowhere_else() {
    let case = Case::new(Driver::Auto);
    source(&case);
    let out = case.home.join("out");
    let layer = Layer::new()
        .symlink("way", &format!("../../../../..{}", out.display()))
        .symlink("self", "/proc/self/root/tmp")
        .symlink("loop", "loop");
    let image =
        case.pull(&Image::busybox().layer(layer).config("Volumes", json!({ "/way/vol": {} })).push("leads-out:latest"));
    let run = |flags: &[&str], script: &str| run(&case, &image, flags, script);
    run(&["-v", "./src:/way/x", "--tmpfs", "/way/t"], "ls /way; ls /way/x").code(0).stdout("t\nvol\nx\na\nb.so\n");
    assert!(!out.exists(), "a mount point was made on the host");
    run(&["-v", "./src:/loop"], "true").code(125).error("/loop");
    run(&["-v", "./src:/self/x"], "true").code(125).error("/self");
    for kernels in ["/proc", "/proc/self", "/sys/fs", "/dev"] {
        let image = Image::busybox().config("Volumes", json!({ kernels: {} })).push("of-the-kernel:latest");
        case.coracle(["run", "--rm", "--pull=always", "-q", &image, "true"]).code(125).error("which is the kernel's");
    }
}

/// As podman 5.4 reads them; the node's own permissions hold.
#[test]
fn devices() {
    let case = Case::new(Driver::Auto);
    let image = case.busybox();
    let run = |flag: &str, script: &str| run(&case, &image, &["--device", flag], script);
    run("/dev/zero:/dev/xx", "head -c 3 /dev/xx | wc -c; test -c /dev/xx && echo node").code(0).stdout("3\nnode\n");
    run("/dev/fuse", "test -c /dev/fuse && echo node").code(0).stdout("node\n");
    run("/dev/full:rw", "echo x >/dev/full").code(1);
    run("/dev/net:/dev/other", "ls /dev/other").code(0).stdout("tun\n");
    for (device, words) in [
        ("/dev/nope", "stat /dev/nope: no such file or directory"),
        ("/dev/null:foo", "invalid device mode: foo"),
        ("/dev/null:/dev/x:q", "invalid device mode: q"),
        ("/etc/passwd", "/etc/passwd is not a valid device: not a device node"),
        ("vendor.com/class=x", "unresolvable CDI devices vendor.com/class=x"),
    ] {
        case.coracle(["create", "--device", device, &image]).code(125).error(words);
    }
    let rule = case.coracle(["create", "--device-cgroup-rule", "c 1:3 rwm", &image]).code(125);
    rule.error("device cgroup rules are not supported in rootless mode or in a user namespace")
        .says("hint: `--device PATH`");
    case.coracle(["create", "--name", "box", "--device=/dev/fuse:/dev/xx:rw", &image]).code(0);
    let shown = case.inspect(
        "box",
        "{{range .HostConfig.Devices}}{{.PathOnHost}} {{.PathInContainer}} {{.CgroupPermissions}}{{end}}",
    );
    assert_eq!(shown, "/dev/fuse /dev/xx rw");
}

#[test]
fn what_is_written_to_with_a_root_that_is_not() {
    let case = Case::new(Driver::Auto);
    let image = case.busybox();
    let script =
        "for d in / /run /tmp /dev /dev/shm; do touch $d/x 2>/dev/null && echo $d; done; echo >/dev/null && echo null";
    run(&case, &image, &["--read-only"], script).code(0).stdout("/run\n/tmp\n/dev\n/dev/shm\nnull\n");
    run(&case, &image, &["--read-only", "--read-only-tmpfs=false"], script).code(0).stdout("null\n");
    run(&case, &image, &["--read-only", "--read-only-tmpfs=false", "-t"], "tty; touch /dev/x 2>/dev/null || echo no")
        .code(0)
        .stdout("/dev/pts/0\r\nno\r\n");
    run(&case, &image, &["--read-only", "--read-only-tmpfs=false", "--tmpfs=/tmp"], "touch /tmp/x && echo ok")
        .code(0)
        .stdout("ok\n");
    run(&case, &image, &["--read-only-tmpfs=false"], script).code(0).stdout("/\n/run\n/tmp\n/dev\n/dev/shm\nnull\n");
}
