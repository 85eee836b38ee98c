//! distrobox, unmodified, with a `podman` that is this program: a box is made, entered, left, exported from, stopped and removed.

use std::os::unix::fs::symlink;

use crate::harness::{Case, Driver, Finished, binary};

/// A home in which distrobox finds a `podman`.
struct Home<'a>(&'a Case);

impl Home<'_> {
    fn sh(&self, script: &str) -> Finished {
        let case = self.0;
        let boxes = binary().parent().unwrap().join("distrobox");
        let path = format!("{}/bin:{}:/usr/bin:/bin", case.home.display(), boxes.display());
        let command = case.command_of("bash".as_ref(), ["-c", &format!("cd && {script}")]);
        command.env("PATH", path).env("SHELL", "/bin/bash").env("USER", name()).env("NO_COLOR", "1").finish()
    }
}

/// Of who runs the tests.
fn name() -> String {
    let passwd = std::fs::read_to_string("/etc/passwd").unwrap();
    let uid = rustix::process::getuid().as_raw().to_string();
    let line = passwd.lines().find(|line| line.split(':').nth(2) == Some(&uid)).unwrap();
    line.split(':').next().unwrap().to_owned()
}

#[test]
fn a_box() {
    // Its user keeps the id: by the program's own overlay.
    let case = &Case::new(Driver::Auto);
    let image = case.made("debian-box");
    let bin = case.home.join("bin");
    std::fs::create_dir(&bin).unwrap();
    symlink(binary(), bin.join("podman")).unwrap();
    let home = Home(case);
    home.sh(&format!("distrobox create --yes --name den --image {image}")).code(0);
    assert!(home.sh("distrobox list").code(0).stdout.contains("den"));
    // Its first entry makes the user inside, mounts what is the machine's, and asks sudo for a password never again.
    let entered = home
        .sh("distrobox enter den -- sh -c 'id -un; pwd; echo $CONTAINER_ID; echo of the box >made; sudo -n id -u; \
         test -e /run/host/etc/hostname && echo of this machine >/dev/null && echo $?'");
    let entered = entered.code(0).stdout;
    let place = case.home.display();
    let expected = format!("{}\n{place}\nden\n0\n0\n", name());
    assert!(entered.ends_with(&expected), "{entered}");
    assert_eq!(std::fs::read_to_string(case.home.join("made")).unwrap(), "of the box\n");
    home.sh("distrobox enter den -- distrobox-export --bin /usr/bin/bc --export-path \"$HOME/bin\"").code(0);
    home.sh("echo 6*7 | bin/bc").code(0).stdout("42\n");
    home.sh("distrobox stop --yes den").code(0);
    assert!(home.sh("distrobox list").code(0).stdout.contains("exited"));
    // What was exported starts it again.
    home.sh("echo 6*7 | bin/bc").code(0);
    home.sh("distrobox rm --force den").code(0);
    assert!(!home.sh("distrobox list").code(0).stdout.contains("den"));
}
