//! Whose ids a container has: `--userns`, `--uidmap`, `--gidmap`. The layers are the same bytes for all of them.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::harness::{Account, Case, Driver, Finished, Image, Layer, has, set_mode};

fn with_ids(test: fn(&Case)) {
    if has("subordinate ids", Account::current().subordinate != 0) {
        Case::with(Driver::Auto, test);
    }
}

fn own_ids() -> (u32, u32) {
    (rustix::process::getuid().as_raw(), rustix::process::getgid().as_raw())
}

/// `run --rm --network=none FLAGS IMAGE sh -c SCRIPT`, to its end.
#[track_caller]
fn run(case: &Case, flags: &[&str], image: &str, script: &str) -> Finished {
    case.coracle([&["run", "--rm", "--network=none"], flags, &[image, "sh", "-c", script]].concat())
}

/// Files of several owners, one that gives root's rights and one that gives a capability.
fn owned(case: &Case) -> String {
    let busybox = std::fs::read("/bin/busybox").unwrap();
    let net_raw = "\x01\0\0\x02\0\x20\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
    let layer = Layer::new()
        .dir("data", 0o755)
        .owned_file("data/theirs", 0o640, (33, 40), "theirs\n")
        .owned_file("data/high", 0o644, (5000, 6000), "high\n")
        .file("data/setuid", 0o4755, "#!/bin/sh\n")
        .pax("SCHILY.xattr.security.capability", net_raw)
        .file("data/busybox-capable", 0o755, &busybox);
    case.pull(&Image::busybox().layer(layer).push("owned:latest"))
}

/// Everything about every file of the unpacked layers but the time when it was last read.
fn layers(case: &Case) -> BTreeMap<PathBuf, Vec<i64>> {
    let mut pending = vec![case.store().join("layers")];
    let mut all = BTreeMap::new();
    while let Some(path) = pending.pop() {
        let meta = path.symlink_metadata().unwrap();
        if meta.is_dir() {
            // Another id's folder may be closed.
            pending.extend(std::fs::read_dir(&path).into_iter().flatten().map(|entry| entry.unwrap().path()));
        }
        let numbers = [meta.ino(), meta.nlink(), meta.mode().into(), meta.uid().into(), meta.gid().into(), meta.len()];
        let times = [meta.mtime(), meta.mtime_nsec(), meta.ctime(), meta.ctime_nsec()];
        all.insert(path, numbers.into_iter().map(|number| number as i64).chain(times).collect());
    }
    all
}

#[test]
fn keep_id_makes_the_user_themselves() {
    with_ids(|case| {
        let image = owned(case);
        let (uid, gid) = own_ids();
        let shared = case.home.join("shared");
        std::fs::create_dir(&shared).unwrap();
        std::fs::write(shared.join("mine"), "").unwrap();
        set_mode(&shared, 0o700);
        let volume = format!("{}:/new/shared", shared.display());
        let script = "id -u; id -g; id -G; id -un; echo $HOME; touch /new/shared/made; cd /data
            stat -c '%u:%g %a %n' /new /new/shared/* theirs high setuid /bin/busybox /etc/hosts /dev /dev/shm";
        let name = Account::current().name;
        run(case, &["--userns=keep-id", "-v", &volume], &image, script).succeeded().stdout(&format!(
            "{uid}\n{gid}\n{gid}\n{name}\n/\n0:0 755 /new\n{uid}:{gid} 644 /new/shared/made\n{uid}:{gid} 644 /new/shared/mine\n\
             33:40 640 theirs\n5000:6000 644 high\n0:0 4755 setuid\n0:0 755 /bin/busybox\n0:0 644 /etc/hosts\n0:0 755 /dev\n\
             0:0 1777 /dev/shm\n"
        ));
        assert_eq!(std::fs::metadata(shared.join("made")).unwrap().uid(), uid);
    });
}

/// As another number, as the image's user, as root: the files of the layers are the image's in all of them.
#[test]
fn keep_id_of_another_number_and_other_users() {
    with_ids(|case| {
        let image = case.pull(&Image::busybox().config("User", "www-data").push("keep-user:latest"));
        let (uid, gid) = own_ids();
        let script = "id -u; id -g; stat -c %u:%g /bin/busybox; tail -n 1 /etc/passwd; tail -n 1 /etc/group";
        let as_other = run(case, &["--userns=keep-id:uid=1500,gid=1600", "-u", "1500:1600"], &image, script);
        as_other.succeeded().stdout("1500\n1600\n0:0\n1500:*:1500:1600::/:/bin/sh\n1600:x:1600:1500\n");
        run(case, &["--userns=keep-id"], &image, "id -u; id -G | tr ' ' '\\n' | sort -n | xargs")
            .succeeded()
            .stdout(&format!("33\n33 40 {gid}\n"));
        run(
            case,
            &["--userns=keep-id", "-u", "0"],
            &image,
            "id -u; id -G; echo $HOME; touch /bin/x && stat -c %u /bin/x",
        )
        .succeeded()
        .stdout(&format!("0\n0 {gid}\n/root\n0\n"));
        let map = run(case, &["--userns=keep-id:size=2000"], &image, "cat /proc/self/uid_map").succeeded().stdout;
        let rows: Vec<&str> = map.split_whitespace().collect();
        let above = (2000 - uid - 1).to_string();
        assert_eq!(rows.last(), Some(&above.as_str()), "{map}");
        // At home where home is shown.
        let home = format!("{0}:{0}", case.home.display());
        let busybox = case.busybox();
        let finished = run(case, &["--userns=keep-id", "-v", &home], &busybox, "echo $HOME").succeeded();
        assert_eq!(Path::new(finished.stdout.trim()), case.home);
    });
}

#[test]
fn privileges_of_files_count() {
    with_ids(|case| {
        let image = owned(case);
        let script = "/data/busybox-capable grep CapEff /proc/self/status; busybox grep CapEff /proc/self/status";
        for flags in
            [&["--userns=keep-id"][..], &["--userns=keep-id", "-u", "www-data"], &["--userns=auto", "-u", "33"]]
        {
            let flags = [flags, &["--cap-add=NET_RAW"]].concat();
            let finished = run(case, &flags, &image, script).succeeded();
            assert_eq!(finished.stdout, "CapEff:\t0000000000002000\nCapEff:\t0000000000000000\n", "{flags:?}");
        }
    });
}

/// A distribution's own tools, as root beside the user: accounts, packages, set-user-id programs.
#[test]
fn packages_are_installed_in_a_container_that_keeps_ids() {
    with_ids(|case| {
        let case = case.sharing_store();
        let image = case.made("debian");
        let before = layers(&case);
        let script = "set -e; mkdir -p p/DEBIAN p/opt; echo x >p/opt/f
            printf 'Package: p\\nVersion: 1\\nArchitecture: all\\nMaintainer: x <x@x.org>\\nDescription: x\\n' >p/DEBIAN/control
            printf '#!/bin/sh\\nuseradd -r service\\nchown service /opt/f\\n' >p/DEBIAN/postinst; chmod 755 p/DEBIAN/postinst
            dpkg-deb -b p p.deb >/dev/null; dpkg -i p.deb >/dev/null; dpkg -V p
            test $(stat -c %U /opt/f) = service; rm -rf /usr/share/doc; chown -R 1234:1234 /usr/lib/apt
            cp /usr/bin/id /root-id; chmod 4755 /root-id; su service -s /bin/sh -c '/root-id -u; id -un'
            stat -c %u:%g /usr/lib/apt/methods/http";
        for userns in ["--userns=keep-id", "--userns=auto:size=2000", "--userns=nomap"] {
            let finished = run(&case, &[userns, "-u", "0"], &image, script).code(0);
            assert_eq!(finished.stdout, "0\nservice\n1234:1234\n", "{userns}: {finished}");
        }
        assert!(before.len() > 3000 && before == layers(&case), "a layer has changed");
    });
}

/// What is kept stays right over a start with other ids around it, and the caller is introduced once.
#[test]
fn a_kept_container_is_the_same_at_its_next_start() {
    with_ids(|case| {
        let image = owned(case);
        let (uid, gid) = own_ids();
        let script = "grep -c :$(id -u): /etc/passwd; touch /tmp/f; chmod 600 /tmp/f; stat -c %u:%g /tmp/*";
        let flags = ["create", "--network=none", "--userns=keep-id", "--name", "k", &image, "sh", "-c", script];
        case.coracle(flags).succeeded();
        for _ in 0..2 {
            let expected = format!("1\n{uid}:{gid}\n");
            case.coracle(["start", "-a", "k"]).succeeded().stdout(&expected);
        }
        assert_eq!(
            case.inspect("k", "{{.HostConfig.UsernsMode}} {{index .HostConfig.IDMappings.UidMap 1}}"),
            format!("private {uid}:0:1")
        );
        assert_eq!(
            case.inspect("k", "{{.GraphDriver.Data.Driver}}: {{.GraphDriver.Data.Reason}}"),
            "fuse: ids are translated as they pass"
        );
        // On disk lie the ids of the image, 0 being the user.
        let upper = case.store().join("containers").join(case.inspect("k", "{{.Id}}")).join("upper");
        assert_eq!(std::fs::metadata(upper.join("etc/passwd")).unwrap().uid(), uid);
        let forced = case.command(["start", "-a", "k"]).env("CORACLE_STORAGE_DRIVER", "kernel").finish();
        forced.code(125).error("the storage driver `kernel` can't serve this container").says("hint: `fuse` can");
    });
}

/// The runs of ids that containers have for themselves, as `inspect` tells.
fn runs(case: &Case, names: &[&str]) -> Vec<(u32, u32)> {
    let run = |name: &&str| {
        let map = case.inspect(name, "{{index .HostConfig.IDMappings.UidMap 0}}");
        let numbers: Vec<u32> = map.split(':').map(|number| number.parse().unwrap()).collect();
        (numbers[1], numbers[1] + numbers[2])
    };
    names.iter().map(run).collect()
}

/// Also of containers that are made at the same moment.
#[test]
fn auto_gives_each_container_ids_of_its_own() {
    with_ids(|case| {
        let image = case.busybox();
        let names = ["a", "b", "c", "d", "e", "f"];
        let create = |name: &&str| {
            case.command(["create", "--network=none", "--userns=auto", "--name", name, &image, "sh"]).start()
        };
        let started: Vec<_> = names.iter().map(create).collect();
        started.into_iter().for_each(|running| drop(running.finish().succeeded()));
        let mut runs = runs(case, &names);
        runs.sort_unstable();
        assert!(runs.windows(2).all(|pair| pair[0].1 <= pair[1].0), "{runs:?}");
        assert!(runs.iter().all(|(from, to)| *from > 0 && to - from == 1024), "{runs:?}");
        // As many as the account has, and no more; what is removed is free again.
        let rest = 65_536 - 6 * 1024;
        let flags = |size: u32| format!("--userns=auto:size={size}");
        let none_left = case.coracle(["create", &flags(rest + 1), &image, "sh"]);
        none_left.code(125).error("not enough unused ids").says("hint: ask for fewer");
        case.coracle(["rm", "a", "b", "c", "d", "e", "f"]).succeeded();
        case.coracle(["create", &flags(rest + 1), &image, "sh"]).succeeded();
    });
}

/// The account is nobody there, and nothing that works without ids of its own stops working.
#[test]
fn auto_and_nomap_leave_the_account_out() {
    with_ids(|case| {
        let image = owned(case);
        let dir = case.home.join("private");
        std::fs::create_dir(&dir).unwrap();
        std::fs::write(dir.join("f"), "").unwrap();
        set_mode(&dir, 0o700);
        let volume = format!("{}:/mnt/private", dir.display());
        let script = "id -u; stat -c '%u:%g %n' /mnt /mnt/private /etc/hosts /data/theirs; echo out >/dev/stdout
            echo 127.0.0.1 x >>/etc/hosts && ls /mnt/private 2>/dev/null || echo closed; grep -c . /proc/self/uid_map";
        for userns in ["--userns=auto", "--userns=nomap"] {
            let expected =
                "0\n0:0 /mnt\n65534:65534 /mnt/private\n0:0 /etc/hosts\n33:40 /data/theirs\nout\nclosed\n1\n";
            run(case, &[userns, "-v", &volume], &image, script).succeeded().stdout(expected);
        }
        // Room for the image's accounts, and owners for whom there is none are nobody's.
        run(case, &["--userns=auto"], &image, "stat -c %u:%g /data/high; chown 5:5 /data/high 2>&1")
            .code(1)
            .stdout("65534:65534\nchown: /data/high: Operation not permitted\n");
        let layer = Layer::new().file("etc/passwd", 0o644, "root:x:0:0::/:/bin/sh\nbig:x:7000:7000::/:/bin/sh\n");
        let image = case.pull(&Image::busybox().layer(layer).push("big-id:latest"));
        run(case, &["--userns=auto"], &image, "awk '{ print $3 }' /proc/self/uid_map").succeeded().stdout("7001\n");
    });
}

#[test]
fn maps_that_are_given_are_taken() {
    with_ids(|case| {
        let image = owned(case);
        let show =
            "cat /proc/self/uid_map /proc/self/gid_map | tr -s ' ' | sed 's/^ //'; stat -c %u:%g /data/theirs /bin/sh";
        run(case, &["--uidmap=0:1:100"], &image, show).succeeded().stdout("0 1 100\n0 1 100\n33:40\n0:0\n");
        // Split where the account's own id ends and the subordinate ones begin.
        let own_first = ["--uidmap=0:0:100", "--gidmap=0:5:20"];
        run(case, &own_first, &image, show).succeeded().stdout("0 0 1\n1 1 99\n0 5 20\n33:65534\n0:0\n");
        let first = Account::current().subordinate;
        let by_host_id = format!("--uidmap=+100000:@{first}:1");
        let moved = "0 0 1\n1 2 65535\n100000 1 1\n";
        let by_name = ["--subuidname", &Account::current().name];
        run(case, &by_name, &image, show).succeeded().stdout("0 1 65536\n0 1 65536\n33:40\n0:0\n");
        run(case, &[&by_host_id], &image, show).succeeded().stdout(&format!("{moved}{moved}33:40\n0:0\n"));
    });
}

#[test]
fn the_environment_has_a_say_and_flags_have_the_last_word() {
    with_ids(|case| {
        let image = case.busybox();
        let (uid, _) = own_ids();
        let run = |flags: &[&str]| {
            let all = [&["run", "--rm", "--network=none"], flags, &[&image, "id", "-u"]].concat();
            case.command(all).env("PODMAN_USERNS", "keep-id").finish()
        };
        run(&[]).code(0).stdout(&format!("{uid}\n"));
        run(&["--userns=host"]).code(0).stdout("0\n");
        run(&["--uidmap=0:0:10"]).code(0).stdout("0\n");
        run(&["--userns="]).code(0).stdout("0\n");
    });
}

#[test]
fn what_makes_no_sense_is_refused_in_words() {
    with_ids(|case| {
        let image = case.busybox();
        for (flags, words) in [
            (&["--userns=frob"][..], "unrecognized namespace mode frob passed"),
            (&["--userns=keep-id:foo=1"], "unknown option specified: \"foo\""),
            (&["--userns=keep-id:uid=x"], "parsing \"x\": invalid syntax"),
            (&["--userns=nomap:size=1"], "unrecognized namespace mode nomap:size=1 passed"),
            (&["--userns=container:x"], "no container with name or ID \"x\" found"),
            (&["--userns=auto:size=70000"], "not enough unused ids"),
            (&["--userns=keep-id", "--uidmap=0:0:1"], "mutually exclusive"),
            (&["--uidmap=5:6:7"], "container UID 0 is not mapped"),
            (&["--subuidname=nobody-else"], "the ranges of `nobody-else` can't be mapped"),
            (&["--subgidname=root", "--uidmap=0:0:9"], "the ranges of `root` can't be mapped"),
            (&["--userns=keep-id", "--subuidname", &Account::current().name], "mutually exclusive"),
        ] {
            case.coracle([&["create"], flags, &[&image, "sh"]].concat()).code(125).error(words);
        }
        run(case, &["--uidmap=0:0:10", "-u", "33"], &image, "id").code(126).error("the id 33 is not mapped");
        assert_eq!(case.coracle(["ps", "-aq"]).succeeded().stdout, "", "something was made all the same");
    });
}

#[test]
fn further_commands_have_the_containers_ids() {
    with_ids(|case| {
        let image = case.busybox();
        let (uid, gid) = own_ids();
        for (name, userns, own) in
            [("k", "--userns=keep-id", format!("{uid}:{gid}")), ("a", "--userns=auto", "0:0".into())]
        {
            case.coracle(["run", "-d", "--network=none", userns, "--name", name, &image, "sleep", "1000"]).succeeded();
            let script = "touch /tmp/$(id -u); stat -c %u:%g /tmp/$(id -u); cat /proc/self/uid_map >/tmp/map; cmp /tmp/map /proc/1/uid_map";
            case.coracle(["exec", name, "sh", "-c", script]).succeeded().stdout(&format!("{own}\n"));
            case.coracle(["exec", "-u", "33", name, "sh", "-c", "id -u; stat -c %u /bin/sh"])
                .succeeded()
                .stdout("33\n0\n");
        }
    });
}

#[test]
fn what_is_committed_has_the_owners_that_the_image_means() {
    with_ids(|case| {
        let image = owned(case);
        let (uid, gid) = own_ids();
        let make = format!("cd /data; touch roots users; chown {uid}:{gid} users; echo more >>theirs");
        for userns in ["--userns=keep-id", "--userns=auto:size=2000"] {
            case.coracle(["run", "--network=none", userns, "-u", "0", "--name", "c", &image, "sh", "-c", &make])
                .succeeded();
            case.coracle(["commit", "-q", "c", "committed"]).succeeded();
            case.sh("committed", "cd /data; stat -c %u:%g roots users theirs high")
                .succeeded()
                .stdout(&format!("0:0\n{uid}:{gid}\n33:40\n5000:6000\n"));
            case.coracle(["rm", "c"]).succeeded();
            case.coracle(["rmi", "committed"]).succeeded();
        }
    });
}

/// With and without a container whose namespace it shares.
#[test]
fn a_command_of_this_machine_among_the_ids_of_containers() {
    let case = Case::new(Driver::Auto);
    let (uid, subordinate) = (own_ids().0, Account::current().subordinate);
    for alone in [true, false] {
        if !alone {
            case.coracle([
                "run",
                "-d",
                "--network=none",
                "--stop-timeout=0",
                "--name=box",
                &case.busybox(),
                "sleep",
                "1000",
            ])
            .code(0);
        }
        let map = case.coracle(["unshare", "cat", "/proc/self/uid_map"]).succeeded().stdout;
        let numbers: Vec<&str> = map.split_whitespace().collect();
        assert_eq!(numbers[..3], ["0", &uid.to_string(), "1"], "{map}");
        assert_eq!(numbers.len(), if subordinate == 0 { 3 } else { 6 }, "{map}");
        case.coracle(["unshare", "id", "-u"]).succeeded().stdout("0\n");
        case.coracle(["unshare", "sh", "-c", "exit 7"]).code(7);
        case.command(["unshare"]).env("SHELL", "/bin/pwd").finish().code(0);
    }
    if subordinate != 0 {
        let script = "touch owned && chown 33:33 owned && stat -c %u:%g owned";
        case.command(["unshare", "sh", "-c", script]).directory(&case.home).finish().code(0).stdout("33:33\n");
        case.command(["unshare", "rm", "owned"]).directory(&case.home).finish().code(0);
    }
    let namespace = |pid: &str| std::fs::read_link(format!("/proc/{pid}/ns/user")).unwrap();
    let script = "readlink /proc/self/ns/user";
    let joined = case.coracle(["unshare", "sh", "-c", script]).succeeded().stdout;
    let monitor = case.inspect("box", "{{.State.ConmonPid}}");
    assert_eq!(joined.trim_end(), namespace(&monitor).to_str().unwrap());
    case.coracle(["unshare", "no-such-command"]).code(127).error("executable file not found in $PATH");
    case.coracle(["unshare", "/etc/passwd"]).code(126).error("/etc/passwd");
    case.coracle(["unshare", "--rootless-netns", "true"]).code(125).error("network namespace").says("hint: ");
}
