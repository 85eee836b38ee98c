//! Another user of the machine. The test plays them with a subordinate id: to the kernel another user, in this machine's own
//! namespaces, without any capability.

use super::{Bait, exec};
use crate::harness::{Case, Driver, Finished, Image, Layer, binary, set_mode};

/// Runs a script as the neighbour.
#[track_caller]
fn neighbour(case: &Case, script: &str) -> Finished {
    let words = ["unshare", "setpriv", "--reuid=33", "--regid=33", "--clear-groups", "sh", "-c", script];
    case.coracle(words).code(0)
}

/// A world down to whose store anybody may walk, of a user without a umask.
fn open_world(driver: Driver) -> Case {
    let case = Case::new(driver);
    std::fs::create_dir(&case.data).unwrap();
    for folder in [&case.home, &case.data, &case.home.join("tmp")].into_iter().chain(&case.runtime) {
        set_mode(folder, 0o777);
    }
    // That of all the tests of this run.
    set_mode(case.home.parent().unwrap(), 0o711);
    case
}

/// CVE-2021-41091, CVE-2021-41089: of what an account has, a neighbour can read, write, run and connect to nothing, whatever the umask
/// was; they see into none of its processes, and end none.
#[test]
fn a_neighbour_sees_nothing() {
    for driver in [Driver::Kernel, Driver::Fuse] {
        let case = open_world(driver);
        let layer =
            Layer::new().file("bin/root-me", 0o4755, "#!/bin/sh\n").dir("open", 0o777).file("open/file", 0o666, "x");
        let image = Image::busybox().layer(layer).push("setuid:latest");
        let program = binary().display().to_string();
        let script = format!(
            "umask 000; {program} run -d --network=none --name=box -v vol:/v {image} sleep 1000 &&
            echo s3cret | {program} secret create pass - && {program} exec box touch /open/new /v/new"
        );
        case.command_of("sh".as_ref(), ["-c", &script]).finish().succeeded();
        let store = case.store().display().to_string();
        let inside = format!("{store}/containers/{}", case.inspect("box", "{{.Id}}"));
        let processes = case.inspect("box", "{{.State.ConmonPid}} {{.State.Pid}}");
        let script = format!(
            "id -u; ls {data}; cd {store} && echo entered
            ls {store}; (echo x >{store}/new)
            for f in {store}/secrets {store}/volumes/vol/data/new {inside}/merged/open/file {inside}/upper/open/new {inside}/control; do
                test -r $f && echo read $f; test -w $f && echo write $f; test -x $f && echo run $f; test -e $f && echo see $f
            done
            for p in {processes}; do
                for f in environ mem maps root/etc cwd/. exe fd/0; do head -c 1 /proc/$p/$f; done
                kill -0 $p && echo signalled $p
            done; true",
            data = case.data.display()
        );
        let finished = neighbour(&case, &script);
        assert_eq!(finished.stdout, "33\ncoracle\n", "{finished}");
        exec(&case, &["box", "true"]).code(0);
    }
}

/// The same with the account's own eyes: the control would see what the neighbour does not.
#[test]
fn an_account_sees_its_own() {
    let case = open_world(Driver::Auto);
    let image = case.busybox();
    case.coracle(["run", "-d", "--network=none", "--name=box", &image, "sleep", "1000"]).succeeded();
    let script =
        format!("cat {}/images/oci-layout; kill -0 {}", case.store().display(), case.inspect("box", "{{.State.Pid}}"));
    case.command_of("sh".as_ref(), ["-c", &script]).finish().code(0);
}

/// In a folder where others may make files, somebody else's link at the name that we write is replaced, or refused, and never followed
/// (where it would be, the kernel does not let it: `fs.protected_symlinks`).
#[test]
fn links_of_a_neighbour_in_a_shared_folder() {
    let case = open_world(Driver::Auto);
    let bait = Bait::new(&case);
    let image = case.busybox();
    case.coracle(["run", "-d", "--network=none", "--name=box", &image, "sleep", "1000"]).succeeded();
    let shared = case.home.join("shared");
    std::fs::create_dir(&shared).unwrap();
    set_mode(&shared, 0o1777);
    let names = ["save", "oci", "export", "cp", "folder", "ids", "digest", "events"];
    let path = |name: &str| shared.join(name).display().to_string();
    let script: String = names
        .iter()
        .map(|name| {
            let target = if ["folder", "oci"].contains(name) { bait.path("inner") } else { bait.path("file") };
            format!("ln -s {target} {}\n", path(name))
        })
        .collect();
    neighbour(&case, &script);
    for line in [
        &["save", "-q", "-o", &path("save"), &image][..],
        &["save", "-q", "--format=oci-dir", "-o", &path("oci"), &image],
        &["export", "-o", &path("export"), "box"],
        &["cp", "box:/etc/passwd", &path("cp")],
        &["cp", "box:/etc", &path("folder")],
        &["cp", "box:/etc/.", &path("folder")],
        &["run", "--rm", "--network=none", "--cidfile", &path("ids"), &image, "true"],
        &["pull", "-q", "--digestfile", &path("digest"), &image],
    ] {
        // Whatever becomes of it: a link that is refused, or replaced.
        let done = case.coracle(line.iter().copied());
        assert!(done.signal.is_none(), "{done}");
        bait.is_untouched();
    }
    // Control: where nobody was first, all of it is there.
    case.coracle(["save", "-q", "-o", &path("own"), &image]).succeeded();
    assert!(std::fs::metadata(shared.join("own")).unwrap().len() > 100_000);
}

/// Nothing is ever put where others may put something first: the folder for what is temporary stays empty.
#[test]
fn nothing_lies_in_a_shared_folder() {
    let case = open_world(Driver::Auto);
    let shared = case.home.join("tmp");
    set_mode(&shared, 0o1777);
    let image = case.busybox();
    case.coracle(["run", "-d", "--name=box", "-v=vol:/v", &image, "sleep", "1000"]).succeeded();
    let mut seen = Vec::new();
    for line in [
        "exec box true",
        "cp box:/etc copy",
        "commit -q box again",
        "save -o again.tar again",
        "rmi again",
        "load -i again.tar",
        "diff box",
        "export -o box.tar box",
        "import box.tar third",
        "stop -t0 box",
        "start box",
        "rm -f -t0 box",
    ] {
        let mut running = case.command(line.split(' ')).piped();
        while running.try_wait().unwrap().is_none() {
            seen.extend(std::fs::read_dir(&shared).unwrap().map(|entry| entry.unwrap().path()));
        }
        assert!(running.wait().unwrap().success(), "{line}");
    }
    assert_eq!(seen, Vec::<std::path::PathBuf>::new());
}
