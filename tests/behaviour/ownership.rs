//! Whose the files of the host are that a container is shown: `-v …:U`.

use std::os::unix::fs::{MetadataExt, symlink};
use std::path::PathBuf;

use crate::harness::{Account, Case, Driver, has};

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
        let idmap = case.coracle(["create", "-v", &volume.replace(":U", ":idmap"), &image, "sh"]).code(125);
        idmap.error("only root can have the kernel show other ids");
    });
}
