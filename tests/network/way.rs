//! What holds whoever makes the way out, from root of a user namespace and for a network namespace that a nested one owns.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::time::Duration;

use coracle::network::way::Maker;
use coracle::network::{HOST, ports};
use rustix::event::{PollFd, PollFlags, Timespec};

use super::{Contained, Way, connect, inside, on_a_stage, serve};

const LIMIT: Timespec = Timespec { tv_sec: 60, tv_nsec: 0 };

/// Each of these with both makers.
macro_rules! whoever_makes_it {
    ($($name:ident),+) => {$(
        mod $name {
            use super::*;

            #[test]
            fn pasta() {
                on_a_stage(concat!("network::way::", stringify!($name), "::stage_pasta"));
            }

            #[test]
            fn stack() {
                on_a_stage(concat!("network::way::", stringify!($name), "::stage_stack"));
            }

            #[test]
            #[ignore = "needs a stage"]
            fn stage_pasta() {
                super::$name(Maker::Pasta);
            }

            #[test]
            #[ignore = "needs a stage"]
            fn stage_stack() {
                super::$name(Maker::Stack);
            }
        }
    )+};
}

whoever_makes_it!(the_world_is_reached_and_not_the_hosts_loopback, the_container_sees_who_comes);

fn the_world_is_reached_and_not_the_hosts_loopback(maker: Maker) {
    let other = Contained::new();
    connect(&other);
    let container = Contained::new();
    let way = Way::make(maker, &container, &[]);
    let far = inside(&other, || serve("10.9.9.3"));
    assert_eq!(container.fetch("10.9.9.3", far), "hello");
    assert_eq!(container.fetch("10.10.10.10", serve("10.10.10.10")), "hello");
    assert_eq!(container.fetch("2001:db8:10::10", serve("2001:db8:10::10")), "hello");
    let secret = serve("127.0.0.1");
    assert_eq!(container.fetch("10.9.9.3", secret), "", "the gateway must not lead to the host's loopback");
    assert_eq!(container.fetch("127.0.0.1", secret), "", "the container's loopback is its own");
    let echo = UdpSocket::bind("10.10.10.10:0").unwrap();
    let place = echo.local_addr().unwrap();
    let asking = inside(&container, || UdpSocket::bind("0.0.0.0:0").unwrap());
    asking.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    asking.connect(place).unwrap();
    // As large as a datagram on this way can be.
    for size in [1, 1400, 65_000] {
        let sent: Vec<u8> = (0..size).map(|number| number as u8).collect();
        let mut buffer = vec![0; 1 << 16];
        asking.send(&sent).unwrap();
        let (count, from) = echo.recv_from(&mut buffer).unwrap();
        assert!(buffer[..count] == sent, "{size}");
        echo.send_to(&buffer[..count], from).unwrap();
        let count = asking.recv(&mut buffer).unwrap();
        assert!(buffer[..count] == sent, "{size}");
    }
    let pid = way.pid();
    drop(way);
    assert!(!std::path::Path::new(&format!("/proc/{pid}")).exists());
}

fn at(place: &str) -> SocketAddr {
    place.parse().unwrap()
}

fn the_container_sees_who_comes(maker: Maker) {
    let other = Contained::new();
    connect(&other);
    let container = Contained::new();
    let published = ["8080:80", "8081-8082:90-91", "10.9.9.1:5300:53/udp"];
    let way = Way::make(maker, &container, &published);
    let (tcp, udp) = inside(&container, || {
        let tcp = [80, 91].map(|port| TcpListener::bind(("0.0.0.0", port)).unwrap());
        (tcp, UdpSocket::bind("0.0.0.0:53").unwrap())
    });
    for (listener, port) in tcp.iter().zip([8080, 8082]) {
        let mut asking = inside(&other, move || TcpStream::connect(("10.9.9.1", port)).unwrap());
        // The version of 2023 takes a connection through once the one who asks has said something.
        asking.write_all(b"x").unwrap();
        let (mut stream, peer) = accept(listener);
        assert_eq!(peer, asking.local_addr().unwrap());
        stream.write_all(b"y").unwrap();
        asking.read_exact(&mut [0]).unwrap();
    }
    let asking = inside(&other, || UdpSocket::bind("10.9.9.3:0").unwrap());
    for socket in [&asking, &udp] {
        socket.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    }
    for _ in 0..2 {
        asking.send_to(b"x", "10.9.9.1:5300").unwrap();
        let (_, peer) = udp.recv_from(&mut [0; 8]).unwrap();
        assert_eq!(peer, asking.local_addr().unwrap());
        udp.send_to(b"y", peer).unwrap();
        let (_, from) = asking.recv_from(&mut [0; 8]).unwrap();
        assert_eq!(from, at("10.9.9.1:5300"));
    }
    // Whoever comes from this machine is not the container itself.
    for place in ["127.0.0.1:8080", "10.9.9.1:8080"] {
        let mut asking = TcpStream::connect(place).unwrap();
        asking.write_all(b"x").unwrap();
        let (mut stream, peer) = accept(&tcp[0]);
        if maker == Maker::Stack {
            assert_eq!(peer, SocketAddr::new(HOST.into(), asking.local_addr().unwrap().port()));
        }
        stream.write_all(b"y").unwrap();
        asking.read_exact(&mut [0]).unwrap();
    }
    // What it has, nobody else can; once it has ended, anybody.
    let published: Vec<_> = published.iter().flat_map(|text| ports::parse(text).unwrap()).collect();
    assert!(matches!(ports::check(&published), Err(ports::Error::Taken { port: 8080, .. })));
    drop(way);
    ports::check(&published).unwrap();
}

pub fn accept(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    rustix::event::poll(&mut [PollFd::new(listener, PollFlags::IN)], Some(&LIMIT)).unwrap();
    listener.set_nonblocking(true).unwrap();
    let (stream, peer) = listener.accept().unwrap();
    stream.set_nonblocking(false).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    (stream, peer)
}
