//! `--sdnotify`: what a service manager is told, and by whom.

use std::io::IoSliceMut;
use std::mem::MaybeUninit;
use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;
use std::time::Duration;

use super::image;
use crate::harness::{Case, Command, LIMIT, wait_until};
use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, recvmsg, sockopt};
use rustix::process::Signal;

/// A service manager, as far as it hears.
struct Manager {
    path: PathBuf,
    socket: UnixDatagram,
}

impl Manager {
    fn new(case: &Case) -> Self {
        let path = case.home.join("notify");
        let socket = UnixDatagram::bind(&path).unwrap();
        socket.set_read_timeout(Some(LIMIT)).unwrap();
        sockopt::set_socket_passcred(&socket, true).unwrap();
        Self { path, socket }
    }

    fn command<'a>(&self, case: &Case, arguments: impl IntoIterator<Item = &'a str>) -> Command {
        case.command(arguments).env("NOTIFY_SOCKET", &self.path)
    }

    /// Who says what.
    fn hear(&self) -> (i32, String) {
        let (mut buffer, mut space) = ([0; 4096], [MaybeUninit::uninit(); rustix::cmsg_space!(ScmCredentials(1))]);
        let mut ancillary = RecvAncillaryBuffer::new(&mut space);
        let mut slices = [IoSliceMut::new(&mut buffer)];
        let count = recvmsg(&self.socket, &mut slices, &mut ancillary, RecvFlags::empty()).unwrap().bytes;
        let sender = ancillary.drain().find_map(|message| match message {
            RecvAncillaryMessage::ScmCredentials(sender) => Some(sender.pid.as_raw_nonzero().get()),
            _ => None,
        });
        (sender.unwrap(), String::from_utf8(buffer[..count].to_vec()).unwrap())
    }

    fn has_heard_all(&self) {
        self.socket.set_nonblocking(true).unwrap();
        assert!(self.socket.recv(&mut [0; 4096]).is_err(), "something was said behind the end");
        self.socket.set_nonblocking(false).unwrap();
    }
}

const RUN: [&str; 3] = ["run", "--rm", "--network=none"];

/// In the foreground the command is the service's main process, and says all of it.
fn a_command_that_stays_speaks_for_the_container(case: &Case) {
    let manager = Manager::new(case);
    let line = RUN.into_iter().chain(["--sdnotify=conmon", image(), "sh", "-c", "test -z $NOTIFY_SOCKET"]);
    let running = manager.command(case, line).start();
    let pid = running.pid().as_raw_nonzero().get();
    // The image is not there.
    assert_eq!(manager.hear(), (pid, "EXTEND_TIMEOUT_USEC=60000000".to_owned()));
    assert_eq!(manager.hear(), (pid, format!("MAINPID={pid}\nREADY=1")));
    running.finish().succeeded();

    let words = ["service", "MAINPID=1\nREADY=1\nSTATUS=half done", "FDSTORE=1", "WATCHDOG=1"];
    let running = manager.command(case, RUN.into_iter().chain([image()]).chain(words)).start();
    let pid = running.pid().as_raw_nonzero().get();
    assert_eq!(manager.hear(), (pid, format!("MAINPID={pid}")));
    assert_eq!(manager.hear(), (pid, "READY=1\nSTATUS=half done".to_owned()));
    assert_eq!(manager.hear(), (pid, "WATCHDOG=1".to_owned()));
    running.finish().succeeded();
    manager.has_heard_all();
}

/// A container that is left alone has its monitor as the main process, which goes on speaking.
fn a_monitor_speaks_once_it_is_alone(case: &Case) {
    let manager = Manager::new(case);
    let image = case.pull(image());
    let script = "trap 'service STOPPING=1; exit' TERM; service READY=1; sleep 1000 & wait";
    let line = ["run", "-d", "--name=box", "--network=none", &image, "sh", "-c", script];
    manager.command(case, line).finish().succeeded();
    let monitor: i32 = case.inspect("box", "{{.State.ConmonPid}}").parse().unwrap();
    assert_eq!(manager.hear().1, format!("MAINPID={monitor}"));
    assert_eq!(manager.hear(), (monitor, "READY=1".to_owned()));
    case.coracle(["stop", "box"]).succeeded();
    assert_eq!(manager.hear(), (monitor, "STOPPING=1".to_owned()));
    // As it was made, so it is started again.
    manager.command(case, ["start", "box"]).finish().succeeded();
    assert!(manager.hear().1.starts_with("MAINPID="));
    assert_eq!(manager.hear().1, "READY=1");
}

/// With the first health check that is passed, and not before.
fn a_container_is_ready_when_it_is_healthy(case: &Case) {
    let manager = Manager::new(case);
    let image = case.pull(image());
    let health = ["--sdnotify=healthy", "--health-cmd=test -e /well", "--health-interval=100ms"];
    let line = ["run", "-d", "--name=box", "--network=none"].into_iter().chain(health);
    manager.command(case, line.chain([&image, "sleep", "1000"])).finish().succeeded();
    let monitor: i32 = case.inspect("box", "{{.State.ConmonPid}}").parse().unwrap();
    assert_eq!(manager.hear().1, format!("MAINPID={monitor}"));
    case.coracle(["healthcheck", "run", "box"]).code(1);
    manager.has_heard_all();
    case.coracle(["exec", "box", "touch", "/well"]).succeeded();
    assert_eq!(manager.hear(), (monitor, "READY=1".to_owned()));
    assert_eq!(case.inspect("box", "{{.State.Health.Status}} {{.Config.SdNotifyMode}}"), "healthy healthy");
    case.coracle(["create", "--sdnotify=healthy", &image]).code(125).error("requires a healthcheck to be set");
}

/// A manager that wants to know is told twice in its time that the container lives, but not while that is unwell.
fn a_sign_of_life_is_given_while_all_is_well(case: &Case) {
    let manager = Manager::new(case);
    let image = case.pull(image());
    let health = ["--health-cmd=test ! -e /ill", "--health-interval=100ms", "--health-retries=1"];
    let line = RUN.into_iter().chain(["--name=box", "--sdnotify=conmon", "--stop-timeout=0"]).chain(health);
    let running = manager.command(case, line.chain([&*image, "sleep", "1000"])).env("WATCHDOG_USEC", "300000").start();
    let pid = running.pid().as_raw_nonzero().get();
    assert_eq!(manager.hear(), (pid, format!("MAINPID={pid}\nREADY=1")));
    for _ in 0..3 {
        assert_eq!(manager.hear(), (pid, "WATCHDOG=1".to_owned()));
    }
    case.coracle(["exec", "box", "touch", "/ill"]).succeeded();
    wait_until("the checks see it", LIMIT, || case.inspect("box", "{{.State.Health.Status}}") == "unhealthy");
    manager.socket.set_read_timeout(Some(Duration::from_millis(1500))).unwrap();
    // What was said before.
    while manager.socket.recv(&mut [0; 4096]).is_ok() {}
    assert_eq!(case.inspect("box", "{{.State.Health.Status}}"), "unhealthy");
    case.coracle(["exec", "box", "rm", "/ill"]).succeeded();
    manager.socket.set_read_timeout(Some(LIMIT)).unwrap();
    assert_eq!(manager.hear(), (pid, "WATCHDOG=1".to_owned()));
    running.signal(Signal::TERM);
    case.coracle(["rm", "-f", "-t", "0", "box"]).code(0);
    running.finish();
    // A program that speaks for itself does so of its life, too; a watchdog of another process is not its.
    let script = "echo $WATCHDOG_USEC; service READY=1";
    let line: Vec<&str> = RUN.into_iter().chain([&*image, "sh", "-c", script]).collect();
    let command = || manager.command(case, line.iter().copied()).env("WATCHDOG_USEC", "300000");
    command().finish().succeeded().stdout("300000\n");
    command().env("WATCHDOG_PID", "1").finish().succeeded().stdout("\n");
}

/// SIGHUP of a manager is no hangup: the program has it, the manager is told, and all goes on, restarts included.
fn a_reload_is_the_programs(case: &Case) {
    let manager = Manager::new(case);
    let image = case.pull(image());
    let script = "trap 'touch /again' HUP; trap 'exit 0' TERM; touch /set; while sleep 0.1; do if test -e /end; then rm /end; exit 1; fi; done";
    let line = ["run", "--name=box", "--network=none", "--sdnotify=conmon", "--restart=on-failure:1"];
    let running = manager.command(case, line.into_iter().chain([&*image, "sh", "-c", script])).start();
    let pid = running.pid().as_raw_nonzero().get();
    assert_eq!(manager.hear(), (pid, format!("MAINPID={pid}\nREADY=1")));
    case.coracle(["exec", "box", "sh", "-c", "until test -e /set; do sleep 0.1; done"]).succeeded();
    running.signal(Signal::HUP);
    let (sender, words) = manager.hear();
    let moment: u64 = words.strip_prefix("RELOADING=1\nMONOTONIC_USEC=").unwrap().parse().unwrap();
    assert!(sender == pid && moment > 0);
    assert_eq!(manager.hear(), (pid, "READY=1".to_owned()));
    case.coracle(["exec", "box", "sh", "-c", "until test -e /again; do sleep 0.1; done; touch /end"]).succeeded();
    running.finish().code(1);
    wait_until("the next life", LIMIT, || case.inspect("box", "{{.State.Status}} {{.RestartCount}}") == "running 1");
    case.coracle(["rm", "-f", "-t", "0", "box"]).code(0);
}

/// So is one that is ready when it is healthy; before that, there is nothing to be told of a reload.
fn a_reload_of_a_healthy_one(case: &Case) {
    let manager = Manager::new(case);
    let image = case.pull(image());
    let script = "trap 'touch /again' HUP; trap 'exit 0' TERM; touch /set; while sleep 0.1; do :; done";
    let health = ["--sdnotify=healthy", "--health-cmd=test -e /well", "--health-interval=100ms"];
    let line = ["run", "--name=box", "--network=none"].into_iter().chain(health);
    let running = manager.command(case, line.chain([&*image, "sh", "-c", script])).start();
    let pid = running.pid().as_raw_nonzero().get();
    assert_eq!(manager.hear(), (pid, format!("MAINPID={pid}")));
    case.coracle(["exec", "box", "sh", "-c", "until test -e /set; do sleep 0.1; done"]).succeeded();
    running.signal(Signal::HUP);
    case.coracle(["exec", "box", "sh", "-c", "until test -e /again; do sleep 0.1; done; touch /well"]).succeeded();
    assert_eq!(manager.hear(), (pid, "READY=1".to_owned()));
    running.signal(Signal::HUP);
    assert!(manager.hear().1.starts_with("RELOADING=1\nMONOTONIC_USEC="));
    assert_eq!(manager.hear(), (pid, "READY=1".to_owned()));
    running.signal(Signal::TERM);
    running.finish().code(0);
}

/// Nobody speaks who is not to.
fn silence_is_kept(case: &Case) {
    let manager = Manager::new(case);
    let image = case.pull(image());
    let script = "echo \"<$NOTIFY_SOCKET>\"; test ! -e /run/notify";
    let line = RUN.into_iter().chain(["--sdnotify=ignore", &image, "sh", "-c", script]);
    manager.command(case, line).finish().succeeded().stdout("<>\n");
    manager.has_heard_all();
    case.coracle(["create", "--sdnotify=frob", &image]).code(125).error("invalid sdnotify value \"frob\"");
}

on_both_drivers!(
    a_command_that_stays_speaks_for_the_container,
    a_monitor_speaks_once_it_is_alone,
    a_container_is_ready_when_it_is_healthy,
    a_sign_of_life_is_given_while_all_is_well,
    a_reload_is_the_programs,
    a_reload_of_a_healthy_one,
    silence_is_kept,
);
