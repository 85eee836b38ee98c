//! Sockets on which a service manager listens (sd_listen_fds(3)).

use std::io::Read;
use std::net::{TcpListener, TcpStream};
use std::os::fd::AsRawFd;

use rustix::io::{FdFlags, fcntl_setfd};

use super::image;
use crate::harness::{Case, Running, binary};

/// Has systemd's part: a process that becomes the program, whose number 3 is the socket.
fn activate(case: &Case, listener: &TcpListener, pid: &str, line: &str) -> Running {
    let script = format!(
        "exec 3<&{}; export LISTEN_FDS=1 LISTEN_PID={pid} LISTEN_FDNAMES=web; exec {} {line}",
        listener.as_raw_fd(),
        binary().display()
    );
    case.command_of("bash".as_ref(), ["-c", &script]).start()
}

fn listener() -> TcpListener {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    fcntl_setfd(&listener, FdFlags::empty()).unwrap();
    listener
}

/// What the program in the container says of its socket, to who connects.
fn answer(listener: &TcpListener) -> String {
    let mut said = String::new();
    TcpStream::connect(listener.local_addr().unwrap()).unwrap().read_to_string(&mut said).unwrap();
    said
}

/// Also one without any network of its own; in the foreground, left alone, and started again.
fn a_container_has_the_sockets_of_its_service(case: &Case) {
    let (image, listener) = (case.pull(image()), listener());
    let running = activate(case, &listener, "$$", &format!("run --rm --network=none {image} service accept"));
    assert_eq!(answer(&listener), "1 1 web");
    running.finish().succeeded();
    let line = format!("run -d --name=box --network=none {image} service accept");
    activate(case, &listener, "$$", &line).finish().succeeded();
    assert_eq!(answer(&listener), "1 1 web");
    case.coracle(["wait", "box"]).succeeded().stdout("0\n");
    activate(case, &listener, "$$", "start box").finish().succeeded();
    assert_eq!(answer(&listener), "1 1 web");
    case.coracle(["wait", "box"]).succeeded().stdout("0\n");
}

/// Those of another process are not, nor what is not there.
fn sockets_that_were_not_meant_stay_out(case: &Case) {
    let (image, listener) = (case.pull(image()), listener());
    let line = format!("run --rm --network=none {image} sh -c 'env | grep LISTEN; ls -1 /proc/self/fd'");
    activate(case, &listener, "1", &line).finish().succeeded().stdout("0\n1\n2\n3\n");
    let script = format!("export LISTEN_FDS=900 LISTEN_PID=$$; exec {} run --rm {image} true", binary().display());
    let finished = case.command_of("bash".as_ref(), ["-c", &script]).finish().code(125);
    finished.error("is not available - LISTEN_FDS requires that file descriptors must be passed");
}

on_both_drivers!(a_container_has_the_sockets_of_its_service, sockets_that_were_not_meant_stay_out);
