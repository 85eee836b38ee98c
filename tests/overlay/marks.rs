//! Whiteouts in the form of attributes (`user.overlay.whiteout`, in a directory marked `x`) and opaque directories, as others
//! leave them in a layer: with our driver on every kernel, with the kernel's where it understands them.

use std::fs;
use std::os::fd::AsFd;
use std::path::Path;

use rustix::fs::XattrFlags;

use super::snapshot::snapshot;
use super::stage::{self, Stage};

#[test]
fn kernel() {
    stage::run("kernel", "marks");
}

#[test]
fn fuse() {
    stage::run("fuse", "marks");
}

fn mark(path: &Path, name: &str, value: &[u8]) {
    rustix::fs::setxattr(path, name, value, XattrFlags::empty()).unwrap();
}

pub fn marks(stage: &Stage) {
    let store = coracle::overlay::open_directory(&*stage.place).unwrap();
    let abilities = coracle::overlay::probe::run(store.as_fd(), "probe").unwrap();
    if stage.driver == "kernel" && !abilities.attribute_whiteouts {
        // It is newer than this kernel, and nothing chooses this driver for such a layer then.
        return;
    }
    stage.fill();
    let above = stage.place.join("lower1");
    for dir in ["only", "links"] {
        fs::create_dir(above.join(dir)).unwrap();
    }
    fs::create_dir(stage.place.join("lower2/only/below")).unwrap();
    // The kernel looks for marked directories in layers alone whose top is marked.
    for dir in ["", "d", "links"] {
        mark(&above.join(dir), "user.overlay.opaque", b"x");
    }
    for hidden in ["h1", "d/c", "d/sub", "links/one", "links/sub"] {
        fs::write(above.join(hidden), "").unwrap();
        mark(&above.join(hidden), "user.overlay.whiteout", b"y");
    }
    mark(&above.join("only"), "user.overlay.opaque", b"y");
    let mounted = stage.mount(&stage.driver);
    let at = |name: &str| mounted.at.join(name);
    let names = |name: &str| {
        let mut names: Vec<_> =
            fs::read_dir(at(name)).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    };
    assert_eq!(names(""), ["d", "f", "h2", "links", "only", "s"]);
    assert_eq!(
        (names("d"), names("links"), names("only").len()),
        (vec!["a".into(), "b".into()], vec!["three".into()], 0)
    );
    for hidden in ["h1", "d/c", "d/sub", "d/sub/deep", "links/one", "only/below"] {
        assert!(fs::symlink_metadata(at(hidden)).is_err(), "{hidden}");
    }
    // What takes the place of something hidden has nothing of it, and what is marked can be removed.
    fs::create_dir(at("d/sub")).unwrap();
    assert!(names("d/sub").is_empty());
    fs::write(at("h1"), "new").unwrap();
    fs::write(at("links/three"), "changed").unwrap();
    fs::rename(at("h1"), at("d/c")).unwrap();
    fs::remove_dir_all(at("only")).unwrap();
    fs::create_dir(at("only")).unwrap();
    let shown = snapshot(&mounted.at);
    assert_eq!(fs::read_to_string(at("d/c")).unwrap(), "new");
    mounted.unmount();
    for driver in ["fuse", "kernel"] {
        if driver == "fuse" || abilities.attribute_whiteouts {
            let again = stage.mount(driver);
            assert_eq!(snapshot(&again.at), shown, "{driver}");
            again.unmount();
        }
    }
}
