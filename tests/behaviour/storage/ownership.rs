//! Whose the files of the host are that a container is shown: `-v …:U`, `-v …:mine`.

use std::os::unix::fs::{MetadataExt, symlink};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::harness::{Account, Case, Command, Driver, has, wait_until};

fn with_ids(test: fn(&Case)) {
    if has("subordinate ids", Account::current().subordinate != 0) {
        Case::with(Driver::Auto, test);
    }
}

/// A folder of the caller's with a tree in it: its path, and the option that shows it at /v.
fn shared(case: &Case, options: &str) -> (PathBuf, String) {
    let shared = case.home.join("shared");
    std::fs::create_dir_all(shared.join("sub/deep")).unwrap();
    for file in ["f", "sub/f", "sub/deep/f", "../outside"] {
        std::fs::write(shared.join(file), "mine\n").unwrap();
    }
    symlink("../outside", shared.join("link")).unwrap();
    let volume = format!("{}:/v:{options}", shared.display());
    (shared, volume)
}

/// On disk, recursively, for whichever ids the container has; and nothing behind a link.
#[test]
fn files_are_given_to_the_containers_user() {
    with_ids(|case| {
        let image = case.busybox();
        let (shared, volume) = shared(case, "U");
        let own = rustix::process::getuid().as_raw();
        let subordinate = Account::current().subordinate;
        let script = "stat -c %u:%g /v /v/f /v/sub/deep/f /v/link | sort -u";
        let run = |flags: &[&str], script: &str| {
            let all =
                [&["run", "--rm", "--network=none", "-v", &volume], flags, &[&image, "sh", "-c", script]].concat();
            case.coracle(all).succeeded().stdout
        };
        let owner = |path: &str| std::fs::symlink_metadata(shared.join(path)).unwrap().uid();
        assert_eq!(run(&["-u", "33"], script), "33:33\n");
        assert_eq!((owner("f"), owner("link"), owner("../outside")), (subordinate + 32, subordinate + 32, own));
        assert_eq!(run(&["--userns=nomap"], script), "0:0\n");
        assert_eq!((owner("."), owner("../outside")), (subordinate, own));
        assert_eq!(run(&["--userns=keep-id"], &format!("{script}; cat /v/f")), format!("{own}:{own}\nmine\n"));
        assert_eq!((owner("sub/deep/f"), owner("sub")), (own, own));
        let all_of_home = format!("{}:/v:U", case.home.display());
        let refused = case.coracle(["create", "-v", &all_of_home, &image, "sh"]).code(125);
        refused.error("can't be given to a container's user").says("hint: name a directory in it");
        let idmap = case.coracle(["create", "-v", &volume.replace(":U", ":idmap=uids=0-1-1"), &image, "sh"]).code(125);
        idmap.error("only root can have the kernel show other ids");
    });
}

/// On disk nothing changes hands: the caller's files are the user's inside, and what is made or changed there is the caller's.
#[test]
fn mine_stays_mine_and_is_the_users_inside() {
    with_ids(|case| {
        let image = case.busybox();
        let (shared, volume) = shared(case, "mine");
        let own = rustix::process::getuid().as_raw();
        let script = "set -e; cd /v; stat -c %u:%g . f sub/deep link | sort -u; cat f link 2>/dev/null || true
            echo new >new; mkdir made; mv sub/f made/moved; echo more >>f; chmod 700 new; ln f hard; rm sub/deep/f; rmdir sub/deep
            ln -s f soft; mkfifo fifo; truncate -s 3 made/moved; stat -c %u:%g new made soft fifo hard | sort -u
            cp /bin/busybox busybox-tool; ./busybox-tool true && echo ran";
        for (flags, user) in
            [(&["-u", "33"][..], "33:33"), (&["--userns=nomap"], "0:0"), (&["--userns=auto", "-u", "5:5"], "5:5")]
        {
            let all =
                [&["run", "--rm", "--network=none", "-v", &volume], flags, &[&image, "sh", "-c", script]].concat();
            case.coracle(all).succeeded().stdout(&format!("{user}\nmine\n{user}\nran\n"));
            let mut pending = vec![shared.clone()];
            while let Some(path) = pending.pop() {
                let meta = path.symlink_metadata().unwrap();
                assert_eq!(meta.uid(), own, "{}", path.display());
                if meta.is_dir() {
                    pending.extend(std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
                }
            }
            assert_eq!(std::fs::read_to_string(shared.join("hard")).unwrap(), "mine\nmore\n");
            assert_eq!(std::fs::metadata(shared.join("made/moved")).unwrap().len(), 3);
            Command::new(shared.join("busybox-tool")).arg("true").finish().code(0);
            std::fs::remove_dir_all(&shared).unwrap();
            self::shared(case, "mine");
        }
        // Root inside gives nothing away.
        let give = "chown 7:7 /v/f && stat -c %u:%g /v/f; touch /v/roots";
        let all = ["run", "--rm", "--network=none", "-v", &volume, "--userns=nomap", &image, "sh", "-c", give];
        case.coracle(all).succeeded().stdout("0:0\n");
        assert_eq!(std::fs::metadata(shared.join("f")).unwrap().uid(), own);
        let read_only = volume.replace(":mine", ":mine,ro");
        case.coracle(["run", "--rm", "--network=none", "-u", "33", "-v", &read_only, &image, "touch", "/v/x"]).code(1);
    });
}

/// What the host changes is seen within a moment; what a program has open stays what it opened.
#[test]
fn what_is_mine_lives() {
    with_ids(|case| {
        let image = case.busybox();
        let (shared, volume) = shared(case, "mine");
        let script = "cd /v; exec 3<f; ls . sub; cat f sub/f; touch ready
            until test -e born && test ! -e sub/f && test \"$(cat f)\" = new! && test \"$(ls made)\" = moved && test \"$(cat same)\" = two
            do sleep 0.02; done; touch seen; cat <&3; cat made/moved";
        std::fs::write(shared.join("same"), "one\n").unwrap();
        let flags = ["run", "--rm", "--network=none", "-u", "33", "-v", &volume, &image, "sh", "-c", script];
        let running = case.command(flags).start();
        let limit = Duration::from_secs(20);
        wait_until("the container has read all", limit, || shared.join("ready").exists());
        std::fs::write(shared.join("born"), "").unwrap();
        std::fs::write(shared.join("same"), "two\n").unwrap();
        std::fs::write(shared.join("next"), "new!\n").unwrap();
        std::fs::rename(shared.join("next"), shared.join("f")).unwrap();
        std::fs::create_dir(shared.join("made")).unwrap();
        std::fs::rename(shared.join("sub/f"), shared.join("made/moved")).unwrap();
        let changed = Instant::now();
        wait_until("the container has seen all", limit, || shared.join("seen").exists());
        let took = changed.elapsed();
        assert!(took < Duration::from_secs(3), "seen after {took:?}");
        let finished = running.finish().succeeded();
        assert!(finished.stdout.ends_with("mine\nmine\nmine\nmine\n"), "{finished}");
    });
}
