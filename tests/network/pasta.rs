//! What is pasta's own.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::AsFd;

use coracle::network::pasta::{self, Error, Wanted};
use coracle::sys;

use super::{Contained, on_a_stage};

#[test]
fn without_a_network_the_error_says_so() {
    on_a_stage("network::pasta::stage_no_route");
}

#[test]
fn loopback_is_switched_on() {
    on_a_stage("network::pasta::stage_loopback");
}

#[test]
#[ignore = "needs a stage"]
fn stage_no_route() {
    let container = Contained::new();
    let starting = pasta::start(&pasta::find(&[]).unwrap(), container.netns().as_fd(), &Wanted::default()).unwrap();
    let error = starting.finish().unwrap_err();
    assert!(matches!(error, Error::NoRoute(_)), "{error}");
    assert!(error.hint().unwrap().contains("--network=none"));
}

#[test]
#[ignore = "needs a stage"]
fn stage_loopback() {
    // The namespace of this thread alone.
    nix::sched::unshare(nix::sched::CloneFlags::CLONE_NEWNET).unwrap();
    assert!(TcpListener::bind("127.0.0.1:0").and_then(|listener| TcpStream::connect(listener.local_addr()?)).is_err());
    sys::interface::bring_up_loopback().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    listener.accept().unwrap().0.write_all(b"x").unwrap();
    let mut byte = [0; 1];
    client.read_exact(&mut byte).unwrap();
}
