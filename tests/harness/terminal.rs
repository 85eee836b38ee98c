//! A terminal with a person at it: a pseudo-terminal whose foreground program the test starts, types to and reads from.

use std::io::{Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::process::{Child, Stdio};
use std::sync::{Arc, Mutex};

use rustix::process::Pid;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Termios, Winsize, tcgetattr, tcsetwinsize};

use super::{LIMIT, wait_until};

/// A terminal and the program that holds it as its controlling terminal.
pub struct Terminal {
    master: OwnedFd,
    child: Child,
    shown: Arc<Mutex<Vec<u8>>>,
    read: usize,
    before: Termios,
}

impl Terminal {
    /// Starts a program on a new terminal of `rows` and `columns`. `setsid --ctty` gives it the terminal.
    pub fn start(program: &[&str], environment: &[(&str, &str)], rows: u16, columns: u16) -> Self {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        resize(&master, rows, columns);
        let before = tcgetattr(&master).unwrap();
        let name = ptsname(&master, Vec::new()).unwrap();
        let slave = || -> Stdio {
            let options = rustix::fs::OFlags::RDWR | rustix::fs::OFlags::NOCTTY | rustix::fs::OFlags::CLOEXEC;
            rustix::fs::open(name.as_c_str(), options, rustix::fs::Mode::empty()).unwrap().into()
        };
        let child = std::process::Command::new("setsid")
            .arg("--ctty")
            .args(program)
            .env_clear()
            .envs(environment.iter().copied())
            .stdin(slave())
            .stdout(slave())
            .stderr(slave())
            .spawn()
            .unwrap();
        let shown = Arc::new(Mutex::new(Vec::new()));
        let mut reader = std::fs::File::from(master.try_clone().unwrap());
        let sink = Arc::clone(&shown);
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            // The last holder of the other end closing it is an error (EIO) here.
            while let Ok(count @ 1..) = reader.read(&mut buffer) {
                sink.lock().unwrap().extend_from_slice(&buffer[..count]);
            }
        });
        Self { master, child, shown, read: 0, before }
    }

    /// Types something.
    pub fn write(&self, text: &str) {
        std::fs::File::from(self.master.try_clone().unwrap()).write_all(text.as_bytes()).unwrap();
    }

    /// Waits until `text` is shown, behind all that was waited for before; gives what was shown up to its end.
    #[track_caller]
    pub fn expect(&mut self, text: &str) -> String {
        let from = self.read;
        let shown = Arc::clone(&self.shown);
        let start = std::time::Instant::now();
        let found = loop {
            let bytes = shown.lock().unwrap();
            let position = bytes[from..].windows(text.len()).position(|window| window == text.as_bytes());
            if let Some(position) = position {
                break (
                    from + position + text.len(),
                    String::from_utf8_lossy(&bytes[from..from + position]).into_owned(),
                );
            }
            assert!(start.elapsed() < LIMIT, "no {text:?} in {:?}", String::from_utf8_lossy(&bytes[from..]));
            drop(bytes);
            std::thread::sleep(std::time::Duration::from_millis(5));
        };
        self.read = found.0;
        found.1
    }

    /// All that was shown so far.
    pub fn shown(&self) -> String {
        String::from_utf8_lossy(&self.shown.lock().unwrap()).into_owned()
    }

    /// The terminal's settings before the program was there.
    pub fn before(&self) -> &Termios {
        &self.before
    }

    /// The terminal's settings, as the program on it set them.
    pub fn settings(&self) -> Termios {
        tcgetattr(&self.master).unwrap()
    }

    /// Whether the terminal is in raw mode: no echo, no lines, no signals from keys.
    pub fn is_raw(&self) -> bool {
        use rustix::termios::LocalModes;
        !self.settings().local_modes.intersects(LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG)
    }

    #[track_caller]
    pub fn wait_until_raw(&self) {
        wait_until("the terminal is in raw mode", LIMIT, || self.is_raw());
    }

    pub fn resize(&self, rows: u16, columns: u16) {
        resize(&self.master, rows, columns);
    }

    pub fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn resize(master: impl AsFd, rows: u16, columns: u16) {
    let size = Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
    tcsetwinsize(master, size).unwrap();
}
