//! `cp`: between this machine and containers that run, and others that do not. Names, owners and words as Podman 5.4 has them.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

use rustix::process::Signal;

use super::terminal::on_terminal;
use crate::behaviour::image::diff::gnu_tar;
use crate::harness::{Account, Case, Driver, LIMIT, set_mode, wait_until};

const STATES: [&str; 2] = ["runs", "stopped"];

/// Two containers of one user, 33:40: one that runs and one that never did, with a volume each.
fn containers(case: &Case) {
    let image = case.busybox();
    for name in STATES {
        fs::create_dir(case.home.join(format!("volume-{name}"))).unwrap();
        let volume = format!("./volume-{name}:/volume");
        let flags = ["create", "--network=none", "-u", "33:40", "-w", "/tmp", "-v", &volume, "--name", name];
        let command = [image.as_str(), "sh", "-c", "trap 'exit 0' TERM; while :; do sleep 1; done"];
        case.coracle(flags.into_iter().chain(command)).succeeded();
    }
    case.coracle(["start", "runs"]).succeeded();
}

/// On this machine: `file` (0640, of 2001), `tree` with all kinds of files, a symlink to each.
fn files(case: &Case) {
    let at = |name: &str| case.home.join(name);
    fs::write(at("file"), "hello\n").unwrap();
    set_mode(&at("file"), 0o640);
    let file = fs::File::options().write(true).open(at("file")).unwrap();
    file.set_modified(UNIX_EPOCH + Duration::from_secs(1_000_000_000)).unwrap();
    fs::create_dir_all(at("tree/sub")).unwrap();
    fs::write(at("tree/a"), "a").unwrap();
    fs::hard_link(at("tree/a"), at("tree/sub/b")).unwrap();
    symlink("a", at("tree/link")).unwrap();
    let fifo = rustix::fs::mknodat(rustix::fs::CWD, at("tree/fifo"), rustix::fs::FileType::Fifo, 0o600.into(), 0);
    fifo.unwrap();
    let holes = fs::File::create(at("tree/holes")).unwrap();
    holes.set_len(64 << 20).unwrap();
    set_mode(&at("tree/sub"), 0o511);
    set_mode(&at("tree"), 0o750);
    symlink("file", at("to-file")).unwrap();
    symlink("tree", at("to-tree")).unwrap();
}

/// What the container shows of a path: one line of `stat` each.
fn shown(case: &Case, name: &str, paths: &str) -> String {
    if name == "runs" {
        return case.coracle(["exec", "-u", "0", name, "sh", "-c", &format!("stat -c '%n %A %u:%g' {paths}")]).stdout;
    }
    // One that does not run is looked at as an archive of itself.
    let archive = case.home.join("look.tar");
    case.coracle(["export", "-o", archive.to_str().unwrap(), name]).succeeded();
    let listed = gnu_tar(&["-tvf", archive.to_str().unwrap(), "--numeric-owner"]);
    fs::remove_file(archive).unwrap();
    let line = |path: &str| {
        let name = path.trim_start_matches('/');
        let named = |line: &&str| {
            let line = line.split(" -> ").next().unwrap_or_default();
            line.trim_end_matches('/').ends_with(&format!(" {name}"))
        };
        let found = listed.lines().find(named)?;
        let mut words = found.split_whitespace();
        Some(format!("{path} {} {}\n", words.next()?, words.next()?.replace('/', ":")))
    };
    paths.split_whitespace().filter_map(line).collect()
}

fn into_a_container(case: &Case) {
    containers(case);
    files(case);
    for name in STATES {
        let to = |path: &str| format!("{name}:{path}");
        for (source, target) in [
            ("file", "/tmp"),
            ("file", "/tmp/new"),
            ("file", "relative"),
            ("to-file", "/tmp/"),
            ("./file", "/volume/x"),
            ("tree", "/tmp"),
            ("tree/.", "/opt"),
            ("to-tree", "/tmp/renamed"),
            ("tree/", "/usr"),
        ] {
            case.coracle(["cp", source, &to(target)]).code(0).stdout("").stderr("");
        }
        // Files become the container's user's; directories that were there stay whose they were.
        let expected = "/tmp/file -rw-r----- 33:40\n/tmp/new -rw-r----- 33:40\n/tmp/relative -rw-r----- 33:40\n\
                        /tmp/to-file -rw-r----- 33:40\n/tmp/tree drwxr-x--- 33:40\n/tmp/tree/sub dr-x--x--x 33:40\n\
                        /tmp/tree/link lrwxrwxrwx 33:40\n/tmp/tree/fifo prw------- 33:40\n/opt/a -rw-r--r-- 33:40\n\
                        /tmp/renamed/holes -rw-r--r-- 33:40\n/usr/tree/a -rw-r--r-- 33:40\n/tmp drwxrwxrwt 0:0\n";
        let paths: Vec<&str> = expected.lines().map(|line| line.split(' ').next().unwrap()).collect();
        assert_eq!(shown(case, name, &paths.join(" ")), expected, "{name}");
        let volume = case.home.join(format!("volume-{name}/x"));
        assert_eq!(volume.metadata().unwrap().len(), 6);
        if Account::current().subordinate > 0 {
            assert_eq!(volume.metadata().unwrap().uid(), Account::current().subordinate + 32, "{name}");
        }
        // With `--archive=false` the owner is whom the account's own files belong to in there.
        case.coracle(["cp", "-a=false", "file", &to("/tmp/kept")]).code(0);
        assert_eq!(shown(case, name, "/tmp/kept"), "/tmp/kept -rw-r----- 0:0\n", "{name}");
    }
    // Times, links, holes; what was copied while it did not run is there when it does.
    case.coracle(["start", "stopped"]).succeeded();
    for name in STATES {
        let script =
            "stat -c %Y /tmp/file; stat -c %h /tmp/tree/a; cat /tmp/tree/sub/b /tmp/tree/link; echo; du -k /opt/holes";
        let seen = case.coracle(["exec", "-u", "0", name, "sh", "-c", script]).code(0).stdout;
        let [time, links, content, used] = seen.lines().collect::<Vec<_>>()[..] else { panic!("{seen}") };
        assert_eq!((time, links, content), ("1000000000", "2", "aa"), "{name}");
        assert!(used.split_whitespace().next().unwrap().parse::<u32>().unwrap() < 1024, "{name}: {used}");
    }
}

fn out_of_a_container(case: &Case) {
    containers(case);
    files(case);
    let home = |name: &str| case.home.join(name);
    let read = |name: &str| fs::read_to_string(home(name)).unwrap();
    for name in STATES {
        let of = |path: &str| format!("{name}:{path}");
        case.coracle(["cp", "tree", &of("/tmp/tree")]).code(0);
        // Symlinks lead nowhere but inside.
        symlink("/etc/hostname", home("outwards")).unwrap();
        symlink("../../../../../etc", home("upwards")).unwrap();
        case.coracle(["cp", "file", &of("/etc/hostname-of-its-own")]).code(0);
        fs::create_dir(home("links")).unwrap();
        symlink("/etc/hostname-of-its-own", home("links/absolute")).unwrap();
        symlink("../../../../../../../etc", home("links/upwards")).unwrap();
        case.coracle(["cp", "links", &of("/tmp")]).code(0);
        case.coracle(["cp", &of("/tmp/links/absolute"), "first"]).code(0).stderr("");
        case.coracle(["cp", &of("/tmp/links/upwards/hostname-of-its-own"), "second"]).code(0);
        assert_eq!((read("first"), read("second")), ("hello\n".into(), "hello\n".into()));
        // A path that is no absolute one begins where the program does.
        case.coracle(["cp", &of("tree"), "whole"]).code(0).stderr("");
        assert_eq!((read("whole/a"), read("whole/sub/b")), ("a".into(), "a".into()));
        let (a, b) = (home("whole/a").metadata().unwrap(), home("whole/sub/b").metadata().unwrap());
        assert_eq!((a.ino(), a.uid()), (b.ino(), rustix::process::getuid().as_raw()), "{name}");
        assert_eq!(fs::read_link(home("whole/link")).unwrap(), Path::new("a"));
        let mode = |name: &str| home(name).metadata().unwrap().permissions().mode() & 0o7777;
        assert_eq!((mode("whole"), mode("whole/sub")), (0o750, 0o511));
        assert!(home("whole/holes").metadata().unwrap().blocks() < 2048);
        // Into what is there; what is in it.
        case.coracle(["cp", &of("/tmp/tree"), "whole"]).code(0);
        case.coracle(["cp", &of("/tmp/tree/."), "links"]).code(0);
        assert_eq!((read("whole/tree/a"), read("links/a")), ("a".into(), "a".into()));
        case.coracle(["cp", &of("/volume"), "of-volume"]).code(0);
        assert!(home("of-volume").is_dir());
        for made in ["whole", "links", "of-volume"] {
            // `sub` lets nobody write into it.
            for sub in ["sub", "tree/sub"] {
                if home(made).join(sub).exists() {
                    set_mode(&home(made).join(sub), 0o755);
                }
            }
            fs::remove_dir_all(home(made)).unwrap();
        }
        for made in ["outwards", "upwards", "first", "second"] {
            fs::remove_file(home(made)).unwrap();
        }
    }
}

fn archives(case: &Case) {
    containers(case);
    files(case);
    let home = case.home.to_str().unwrap();
    for name in STATES {
        let root = format!("{name}:/");
        let plain = gnu_tar_bytes(&["-c", "-C", home, "--owner=7", "--group=8", "tree/a", "tree/link"]);
        case.command(["cp", "-", &root]).stdin(plain.clone()).finish().code(0).stdout("").stderr("");
        let packed = gnu_tar_bytes(&["-cz", "-C", home, "--owner=7", "--group=8", "--transform=s/^/var\\//", "file"]);
        case.command(["cp", "--archive=false", "-", &root]).stdin(packed).finish().code(0);
        // A directory that the archive does not name is made.
        let expected = "/tree drwxr-xr-x 33:40\n/tree/a -rw-r--r-- 33:40\n/var/file -rw-r----- 7:8\n";
        assert_eq!(shown(case, name, "/tree /tree/a /var/file"), expected, "{name}");
        let list = |path: &str| {
            let out = case.home.join("out.tar");
            let script = ["-c", "\"$0\" cp \"$1\" - >out.tar", &crate::harness::binary().display().to_string(), path];
            case.command_of("/bin/sh".as_ref(), script).finish().code(0).stderr("");
            gnu_tar(&["-tf", out.to_str().unwrap()])
        };
        assert_eq!(list(&format!("{name}:/tree")), "tree/\ntree/a\ntree/link\n");
        assert_eq!(list(&format!("{name}:/tree/.")), "a\nlink\n");
        assert_eq!(list(&format!("{name}:/tree/link")), "link\n");
        for (bytes, target, words) in [
            (Vec::new(), "/tree", "source must be a (compressed) tar archive when copying from stdin"),
            (b"garbage, and a lot of it".to_vec(), "/tree", "source must be a (compressed) tar archive"),
            (plain.clone(), "/tree/a", "destination must be a directory when copying from stdin"),
            (plain.clone(), "/nowhere", "destination must be a directory when copying from stdin"),
            (plain.get(..600).unwrap().to_vec(), "/tree", "it ends within"),
        ] {
            case.command(["cp", "-", &format!("{name}:{target}")]).stdin(bytes).finish().code(125).error(words);
        }
        // Nothing climbs out of the target.
        let hostile = gnu_tar_bytes(&["-cP", "-C", home, "--transform=s/^/..\\/..\\/..\\//", "file"]);
        case.command(["cp", "-", &format!("{name}:/tree")]).stdin(hostile).finish().code(125).error("climbs");
    }
    let mut terminal = on_terminal(case, &["cp", "runs:/etc/passwd", "-"]);
    terminal.expect("refusing to write an archive to the terminal");
    terminal.expect("ended 125");
}

fn from_one_to_the_other(case: &Case) {
    containers(case);
    files(case);
    case.coracle(["cp", "tree", "stopped:/tmp/tree"]).code(0);
    case.coracle(["cp", "stopped:/tmp/tree", "runs:/tmp/copy"]).code(0).stdout("").stderr("");
    case.coracle(["exec", "-u", "0", "runs", "cat", "/tmp/copy/sub/b"]).code(0).stdout("a");
    case.coracle(["cp", "runs:/tmp/copy/.", "stopped:/opt"]).code(0);
    for name in STATES {
        case.coracle(["cp", &format!("{name}:/tmp"), &format!("{name}:/usr/within")]).code(0);
    }
    case.coracle(["exec", "-u", "0", "runs", "cat", "/usr/within/copy/a"]).code(0).stdout("a");
    case.coracle(["cp", "stopped:/usr/within/tree/a", "a"]).code(0);
    case.coracle(["cp", "runs:/none", "stopped:/opt"])
        .code(125)
        .error("\"/none\" could not be found on container runs");
    case.coracle(["cp", "runs:/tmp", "stopped:/no/where"]).code(125).error("could not be found on container stopped");
}

/// What stands in the way is said, and left as it is.
fn in_the_way(case: &Case) {
    containers(case);
    files(case);
    for name in STATES {
        let at = |path: &str| format!("{name}:{path}");
        case.coracle(["cp", "tree", &at("/tmp/tree")]).code(0);
        case.coracle(["cp", "file", &at("/tmp/file")]).code(0);
        let lost = |path: &str| format!("\"{path}\" could not be found on container {name}: no such file or directory");
        for (source, target, words) in [
            ("file", at("/none/"), lost("/none/")),
            ("file", at("/no/where"), lost("/no/where")),
            ("none", at("/tmp"), "\"none\" could not be found on the host: no such file or directory".into()),
            (&at("/none"), ".".into(), lost("/none")),
            (&at("/etc/passwd"), "no/where".into(), "\"no/where\" could not be found on the host".into()),
            ("file", at("/tmp/file/"), format!("\"/tmp/file/\" on container {name} exists but is not a directory")),
            ("tree", at("/tmp/file"), "destination must be a directory when copying a directory".into()),
            ("tree/fifo", at("/tmp"), "\"tree/fifo\" on the host is neither a file nor a directory".into()),
            ("file", "absent:/tmp".into(), "container \"absent\" does not exist".into()),
            ("file", "copy".into(), "one of the two must be in a container".into()),
        ] {
            case.coracle(["cp", source, &target]).code(125).stdout("").error(&words);
        }
        // A file where a directory is, and a directory where a file is.
        fs::create_dir_all(case.home.join("swapped/a")).unwrap();
        fs::write(case.home.join("swapped/sub"), "now a file").unwrap();
        let refused = case.coracle(["cp", "swapped/.", &at("/tmp/tree")]).code(125);
        refused.error("cannot overwrite file \"swapped/a/\" with a directory").says("hint: `--overwrite`");
        case.coracle(["cp", &at("/tmp/tree/a"), "whole"]).code(0);
        assert_eq!(fs::read_to_string(case.home.join("whole")).unwrap(), "a", "{name}");
        case.coracle(["cp", "--overwrite", "swapped/.", &at("/tmp/tree")]).code(0).stderr("");
        let expected = "/tmp/tree/a drwxr-xr-x 33:40\n/tmp/tree/sub -rw-r--r-- 33:40\n";
        assert_eq!(shown(case, name, "/tmp/tree/a /tmp/tree/sub"), expected, "{name}");
        // Through a symlink to what it leads to, and onto what is mounted.
        fs::create_dir_all(case.home.join("more")).unwrap();
        let _ = symlink("/tmp/led-to", case.home.join("more/leads"));
        case.coracle(["cp", "more/.", &at("/opt")]).code(0);
        case.coracle(["cp", "file", &at("/opt/leads")]).code(0);
        case.coracle(["cp", "file", &at("/etc/hostname")]).code(0).stderr("");
        let expected = "/opt/leads lrwxrwxrwx 33:40\n/tmp/led-to -rw-r----- 33:40\n";
        assert_eq!(shown(case, name, "/opt/leads /tmp/led-to"), expected, "{name}");
    }
    case.coracle(["exec", "runs", "cat", "/etc/hostname"]).code(0).stdout("hello\n");
    case.coracle(["cp", "runs:/etc/hostname", "/dev/null"]).code(125).error("must be a directory or a regular file");
    // What says that it is empty.
    case.coracle(["cp", "runs:/proc/version", "version"]).code(0);
    assert!(fs::read_to_string(case.home.join("version")).unwrap().starts_with("Linux version "));
}

/// What is mounted in a container stays mounted, and what is copied onto a mounted file is in that file.
fn what_is_mounted_stays(case: &Case) {
    let image = case.busybox();
    let at = |name: &str| case.home.join(name);
    fs::write(at("file"), "new\n").unwrap();
    fs::write(at("mounted"), "old\n").unwrap();
    fs::create_dir_all(at("volume")).unwrap();
    fs::write(at("volume/kept"), "kept").unwrap();
    let volumes = ["-v", "./mounted:/mnt/mounted", "-v", "./volume:/around/volume"];
    let flags = ["run", "-d", "--network=none", "--name", "box"].into_iter().chain(volumes);
    case.coracle(flags.chain([image.as_str(), "sleep", "1000"])).succeeded();
    let mounts = || case.coracle(["exec", "box", "cut", "-d", " ", "-f", "5", "/proc/self/mountinfo"]).code(0).stdout;
    let before = mounts();
    for target in ["/mnt/mounted", "/etc/hosts", "/etc/resolv.conf", "/dev/null"] {
        case.coracle(["cp", "file", &format!("box:{target}")]).code(0).stderr("");
    }
    assert_eq!(fs::read_to_string(at("mounted")).unwrap(), "new\n");
    // Other things in their place, or in that of the directory around them.
    let in_the_way = [
        ("link/mounted", "box:/mnt"),
        ("around-file/mnt", "box:/"),
        ("plain/volume", "box:/around"),
        ("outer/around", "box:/"),
    ];
    for (over, target) in in_the_way {
        let over = at(over);
        let directory = over.parent().unwrap();
        fs::create_dir(directory).unwrap();
        if over.ends_with("mounted") { symlink("/", &over) } else { fs::write(&over, "") }.unwrap();
        let source = format!("{}/.", directory.display());
        case.coracle(["cp", "--overwrite", &source, target]).code(125).stdout("");
    }
    assert_eq!(mounts(), before);
    assert_eq!(fs::read_to_string(at("volume/kept")).unwrap(), "kept");
}

/// Copies that are cut short leave no half file under a name, no mount, and a container that starts.
fn cut_short(case: &Case) {
    containers(case);
    fs::write(case.home.join("big"), vec![7; 64 << 20]).unwrap();
    for name in STATES {
        for wait in [0, 5, 20, 40, 80] {
            let target = format!("{name}:/tmp/big");
            let running = case.command(["cp", "big", &target]).start();
            std::thread::sleep(Duration::from_millis(wait));
            running.signal(Signal::KILL);
            let _ = running.finish();
        }
        if name == "stopped" {
            wait_until("the container can be started", LIMIT, || case.coracle(["start", name]).code == Some(0));
        }
        let found = case.coracle(["exec", "-u", "0", name, "sh", "-c", "ls -a /tmp | grep -c coracle-cp"]).stdout;
        assert!(found.trim().parse::<u32>().unwrap() <= 5, "{found}");
        case.coracle(["cp", "big", &format!("{name}:/tmp/big")]).code(0);
        case.coracle(["exec", "-u", "0", name, "sh", "-c", "wc -c </tmp/big"]).code(0).stdout("67108864\n");
        case.coracle(["rm", "-f", "-t", "0", name]).code(0);
    }
}

/// A copy into a container that does not run leaves its state alone.
fn the_state_stays(case: &Case) {
    let image = case.busybox();
    case.coracle(["run", "--network=none", "--name", "ended", &image, "sh", "-c", "exit 7"]).code(7);
    case.coracle(["create", "--rm", "--network=none", "--name", "rm", &image, "cat", "/f"]).succeeded();
    let before = case.inspect("ended", "{{.State.Status}} {{.State.ExitCode}} {{.State.FinishedAt}}");
    fs::write(case.home.join("f"), "copied\n").unwrap();
    case.coracle(["cp", "f", "ended:/f"]).code(0);
    case.coracle(["cp", "f", "rm:/f"]).code(0);
    assert_eq!(case.inspect("ended", "{{.State.Status}} {{.State.ExitCode}} {{.State.FinishedAt}}"), before);
    assert_eq!(case.inspect("rm", "{{.State.Status}}"), "created");
    case.coracle(["start", "-a", "rm"]).code(0).stdout("copied\n");
    case.coracle(["logs", "ended"]).code(0).stdout("");
}

/// With a view: the ids are those of the container.
fn with_a_view(case: &Case) {
    let image = case.busybox();
    let flags = ["create", "--network=none", "--userns=keep-id", "--name", "box"];
    case.coracle(flags.into_iter().chain([image.as_str(), "sh", "-c", "stat -c %u:%g /f; id -u"])).succeeded();
    fs::write(case.home.join("f"), "x").unwrap();
    case.coracle(["cp", "f", "box:/f"]).code(0);
    let (uid, gid) = (rustix::process::getuid().as_raw(), rustix::process::getgid().as_raw());
    let user = case.coracle(["start", "-a", "box"]).code(0).stdout;
    let (owner, user) = user.trim_end().split_once('\n').unwrap();
    assert!(owner == format!("{uid}:{gid}") || user == "0" && owner == "0:0", "{owner} {user}");
    case.coracle(["cp", "box:/f", "back"]).code(0);
    assert_eq!(fs::metadata(case.home.join("back")).unwrap().uid(), uid);
}

/// With one id inside all is its; whose it would be is written down.
pub fn with_one_id(case: &Case) {
    let image = case.busybox();
    fs::write(case.home.join("f"), "x").unwrap();
    for (user, expected) in [("0", "0:0 x"), ("33:40", "33:40 x")] {
        let flags = ["create", "--network=none", "-u", user, "--name", "box"];
        case.coracle(flags.into_iter().chain([
            image.as_str(),
            "sh",
            "-c",
            "stat -c %u:%g /tmp/f | tr '\\n' ' '; cat /tmp/f",
        ]))
        .succeeded();
        case.coracle(["cp", "f", "box:/tmp/f"]).code(0).stderr("");
        case.coracle(["start", "-a", "box"]).code(0).stdout(expected);
        case.coracle(["cp", "box:/tmp", "out"]).code(0).stderr("");
        assert_eq!(fs::read(case.home.join("out/f")).unwrap(), b"x");
        fs::remove_dir_all(case.home.join("out")).unwrap();
        case.coracle(["rm", "box"]).code(0);
    }
}

fn gnu_tar_bytes(arguments: &[&str]) -> Vec<u8> {
    let done = std::process::Command::new("tar").args(arguments).output().unwrap();
    assert!(done.status.success(), "{done:?}");
    done.stdout
}

on_both_drivers!(
    into_a_container,
    out_of_a_container,
    archives,
    from_one_to_the_other,
    in_the_way,
    what_is_mounted_stays,
    cut_short,
    the_state_stays
);

#[test]
fn a_view() {
    with_a_view(&Case::new(Driver::Fuse));
}
