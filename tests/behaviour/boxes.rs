//! distrobox and toolbox, unmodified, with a `podman` that is this program: a box is made, entered, left, stopped and removed; with
//! distrobox also exported from.

use std::os::unix::fs::symlink;
use std::path::PathBuf;

use super::into::terminal::on_terminal_of;
use crate::harness::{Account, Case, Driver, Finished, binary, set_mode};

/// A home in which distrobox finds a `podman`.
pub struct Home<'a>(&'a Case);

impl<'a> Home<'a> {
    pub fn of(case: &'a Case) -> Self {
        let bin = case.home.join("bin");
        std::fs::create_dir(&bin).unwrap();
        symlink(binary(), bin.join("podman")).unwrap();
        Self(case)
    }

    pub fn sh(&self, script: &str) -> Finished {
        let case = self.0;
        let boxes = binary().parent().unwrap().join("distrobox");
        let path = format!("{}/bin:{}:/usr/bin:/bin", case.home.display(), boxes.display());
        let command = case.command_of("bash".as_ref(), ["-c", &format!("cd && {script}")]);
        command
            .env("PATH", path)
            .env("SHELL", "/bin/bash")
            .env("USER", Account::current().name)
            .env("NO_COLOR", "1")
            .finish()
    }
}

#[test]
fn a_box() {
    // Its user keeps the id: by the program's own overlay.
    let case = &Case::new(Driver::Auto);
    let image = case.made("debian-box");
    let home = Home::of(case);
    home.sh(&format!("distrobox create --yes --name den --image {image}")).code(0);
    assert!(home.sh("distrobox list").code(0).stdout.contains("den"));
    // Its first entry makes the user inside, mounts what is the machine's, and asks sudo for a password never again.
    let entered = home
        .sh("distrobox enter den -- sh -c 'id -un; pwd; echo $CONTAINER_ID; echo of the box >made; sudo -n id -u; \
         test -e /run/host/etc/hostname && echo of this machine >/dev/null && echo $?'");
    let entered = entered.code(0).stdout;
    let place = case.home.display();
    let expected = format!("{}\n{place}\nden\n0\n0\n", Account::current().name);
    assert!(entered.ends_with(&expected), "{entered}");
    assert_eq!(std::fs::read_to_string(case.home.join("made")).unwrap(), "of the box\n");
    home.sh("distrobox enter den -- distrobox-export --bin /usr/bin/bc --export-path \"$HOME/bin\"").code(0);
    home.sh("echo 6*7 | bin/bc").code(0).stdout("42\n");
    // An application of the box stands among the machine's.
    let entry = "mkdir -p /usr/share/applications /usr/share/pixmaps; echo picture >/usr/share/pixmaps/sums.png
        printf '[Desktop Entry]\\nName=Sums\\nExec=/usr/bin/bc %%u\\nIcon=/usr/share/pixmaps/sums.png\\n' \
        >/usr/share/applications/sums.desktop";
    std::fs::write(case.home.join("make"), entry).unwrap();
    home.sh("distrobox enter den -- sudo -n sh ./make").code(0);
    home.sh("distrobox enter den -- distrobox-export --app sums").code(0);
    let told = std::fs::read_to_string(case.home.join(".local/share/applications/den-sums.desktop")).unwrap();
    let told = told.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(told.contains("Name=Sums (on den)") && told.contains("-n den -- /usr/bin/bc %u"), "{told}");
    // A person enters it, and leaves with a code.
    let path = format!("{}/bin:{}:/usr/bin:/bin", place, binary().parent().unwrap().join("distrobox").display());
    let variables = [("PATH", path.as_str()), ("SHELL", "/bin/bash"), ("USER", &Account::current().name)];
    let mut terminal = on_terminal_of(case, &["sh", "-c", "cd; distrobox enter den; echo left with $?"], &variables);
    terminal.write("echo in''side $CONTAINER_ID; tty; exit 7\r");
    terminal.expect("inside den\r\n/dev/pts/0\r\n");
    terminal.expect("left with 7\r\n");
    home.sh("distrobox stop --yes den").code(0);
    assert!(home.sh("distrobox list").code(0).stdout.contains("exited"));
    // What was exported starts it again.
    home.sh("echo 6*7 | bin/bc").code(0);
    home.sh("distrobox rm --force den").code(0);
    assert!(!home.sh("distrobox list").code(0).stdout.contains("den"));
}

/// What toolbox wants of the machine, in a case's home: a session bus, on which Flatpak's helper answers, and the place of the system's.
struct Session<'a> {
    home: Home<'a>,
    run: PathBuf,
}

impl<'a> Session<'a> {
    fn of(case: &'a Case) -> Self {
        let home = Home::of(case);
        let programs = binary().parent().unwrap().to_owned();
        symlink(programs.join("toolbox"), case.home.join("bin/toolbox")).unwrap();
        let services = case.data.join("dbus-1/services");
        std::fs::create_dir_all(&services).unwrap();
        let helper = programs.join("flatpak-session-helper");
        let service = format!("[D-BUS Service]\nName=org.freedesktop.Flatpak\nExec={}\n", helper.display());
        std::fs::write(services.join("org.freedesktop.Flatpak.service"), service).unwrap();
        let run = case.home.join("run");
        std::fs::create_dir(&run).unwrap();
        set_mode(&run, 0o700);
        std::fs::write(run.join("system-bus"), "").unwrap();
        Self { home, run }
    }

    fn variables(&self) -> String {
        let run = self.run.display();
        format!("XDG_RUNTIME_DIR={run} DBUS_SYSTEM_BUS_ADDRESS=unix:path={run}/system-bus")
    }

    fn sh(&self, script: &str) -> Finished {
        self.home.sh(&format!("cd / && {} dbus-run-session -- sh -c '{script}'", self.variables()))
    }
}

#[test]
fn a_toolbox() {
    let case = &Case::new(Driver::Auto);
    let image = case.made("debian-toolbox");
    let session = Session::of(case);
    session.sh(&format!("toolbox create --image {image} den")).code(0);
    let listed = session.sh("toolbox list").code(0).stdout;
    assert!(listed.contains("den") && listed.contains(&image), "{listed}");
    // Its first start makes the user inside and mounts what is the machine's.
    let script = "id -un; id -u; test -e /run/.toolboxenv && test -e /run/host/etc/passwd && echo in a box; \
        echo of the box >$XDG_RUNTIME_DIR/made; sudo id -u; exit 3";
    let ran = session.sh(&format!("toolbox run --container den sh -c \"{}\"", script.replace('$', "\\$"))).code(3);
    let (name, uid) = (Account::current().name, rustix::process::getuid().as_raw());
    assert_eq!(ran.stdout, format!("{name}\n{uid}\nin a box\n0\n"), "{ran}");
    assert_eq!(std::fs::read_to_string(session.run.join("made")).unwrap(), "of the box\n");
    session.home.sh("podman stop -t 1 den").code(0);
    // A person enters it, which starts it again.
    let line = format!(
        "cd / && exec env {} SHELL=/bin/bash USER={name} dbus-run-session -- toolbox enter den",
        session.variables()
    );
    let path = format!("{}/bin:/usr/bin:/bin", case.home.display());
    let mut terminal = on_terminal_of(case, &["sh", "-c", &line], &[("PATH", &path)]);
    terminal.write("echo in''side; id -u; exit\r");
    terminal.expect("inside\r\n");
    terminal.expect(&format!("{uid}\r\n"));
    session.sh("toolbox rm --force den").code(0);
    assert!(!session.sh("toolbox list").code(0).stdout.contains("den"));
}
