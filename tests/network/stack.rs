//! What is the stack's own.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::process::Command;
use std::sync::{Arc, Barrier};
use std::time::Duration;

use coracle::network::HOST6;
use coracle::network::way::Maker;
use coracle::sys::process::raise_descriptor_limit;

use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, ipproto, recv, send, socket_with, sockopt,
};

use super::way::accept;
use super::{Contained, Way, connect, inside, ip, on_a_stage, serve};

use crate::harness::has;

const LIMIT: Duration = Duration::from_secs(20);

#[test]
fn without_a_network_this_machine_is_reached() {
    on_a_stage("network::stack::stage_no_route");
}

#[test]
#[ignore = "needs a stage"]
fn stage_no_route() {
    ip("link set lo up");
    ip("addr add 10.10.10.10/32 dev lo");
    let container = Contained::new();
    let _way = Way::make(Maker::Stack, &container, &["127.0.0.1:8080:80"]);
    assert_eq!(container.fetch("169.254.1.2", serve("10.10.10.10")), "hello");
    assert_eq!(container.fetch("169.254.1.2", serve("127.0.0.1")), "", "its loopback is its own");
    let nowhere = inside(&container, || TcpStream::connect_timeout(&"192.0.2.1:9".parse().unwrap(), LIMIT));
    assert_eq!(nowhere.unwrap_err().kind(), std::io::ErrorKind::HostUnreachable);
    let listener = inside(&container, || TcpListener::bind("0.0.0.0:80").unwrap());
    let mut asking = TcpStream::connect("127.0.0.1:8080").unwrap();
    // A server that speaks first is heard.
    listener.accept().unwrap().0.write_all(b"x").unwrap();
    asking.read_exact(&mut [0]).unwrap();
}

#[test]
fn what_can_not_be_reached_is_told() {
    on_a_stage("network::stack::stage_refused");
}

#[test]
#[ignore = "needs a stage"]
fn stage_refused() {
    let other = Contained::new();
    connect(&other);
    let container = Contained::new();
    let _way = Way::make(Maker::Stack, &container, &[]);
    for place in ["10.10.10.10:9", "[2001:db8:10::10]:9", "10.9.9.3:9"] {
        let place: SocketAddr = place.parse().unwrap();
        let refused = inside(&container, move || TcpStream::connect_timeout(&place, LIMIT));
        assert_eq!(refused.unwrap_err().kind(), ErrorKind::ConnectionRefused, "{place}");
        let refused = inside(&container, move || {
            let socket = UdpSocket::bind(if place.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" }).unwrap();
            socket.set_read_timeout(Some(LIMIT)).unwrap();
            socket.connect(place).unwrap();
            socket.send(b"x").unwrap();
            socket.recv(&mut [0; 8])
        });
        assert_eq!(refused.unwrap_err().kind(), ErrorKind::ConnectionRefused, "{place}");
    }
}

/// Names are asked of this machine's resolvers, though they listen on its loopback; one that does not answer is followed by the next.
#[test]
fn names_are_asked_of_this_machines_resolvers() {
    on_a_stage("network::stack::stage_names");
}

#[test]
#[ignore = "needs a stage"]
fn stage_names() {
    let other = Contained::new();
    connect(&other);
    let text = std::env::temp_dir().join(format!("resolv.conf-{}", std::process::id()));
    std::fs::write(&text, "nameserver 127.0.0.7\nnameserver 127.0.0.8\n").unwrap();
    let target = std::fs::canonicalize("/etc/resolv.conf").unwrap();
    let mounted = Command::new("mount").arg("--bind").args([&text, &target]).status().unwrap();
    assert!(mounted.success());
    let container = Contained::new();
    let _way = Way::make(Maker::Stack, &container, &[]);
    let (silent, speaking) = (UdpSocket::bind("127.0.0.7:53").unwrap(), UdpSocket::bind("127.0.0.8:53").unwrap());
    let asking = inside(&container, || UdpSocket::bind("0.0.0.0:0").unwrap());
    asking.connect("169.254.1.1:53").unwrap();
    for socket in [&silent, &speaking, &asking] {
        socket.set_read_timeout(Some(LIMIT)).unwrap();
    }
    asking.send(b"who is it").unwrap();
    assert_eq!(silent.recv(&mut [0; 16]).unwrap(), 9);
    asking.send(b"who is it").unwrap();
    let (count, from) = speaking.recv_from(&mut [0; 16]).unwrap();
    assert_eq!(count, 9);
    speaking.send_to(b"it is me", from).unwrap();
    assert_eq!(asking.recv(&mut [0; 16]).unwrap(), 8);
    // Nothing else of that loopback is there.
    let listener = TcpListener::bind("127.0.0.7:53").unwrap();
    let mut stream = inside(&container, || TcpStream::connect("169.254.1.1:53").unwrap());
    stream.write_all(b"x").unwrap();
    listener.accept().unwrap().0.read_exact(&mut [0]).unwrap();
    let _secret = TcpListener::bind("127.0.0.7:54").unwrap();
    inside(&container, || TcpStream::connect_timeout(&"169.254.1.1:54".parse().unwrap(), LIMIT).unwrap_err());
}

/// Where the account may have echo sockets.
#[test]
fn an_echo_comes_back() {
    on_a_stage("network::stack::stage_echo");
}

#[test]
#[ignore = "needs a stage"]
fn stage_echo() {
    let other = Contained::new();
    connect(&other);
    let container = Contained::new();
    let _way = Way::make(Maker::Stack, &container, &[]);
    let allow = || std::fs::write("/proc/sys/net/ipv4/ping_group_range", "0 0").unwrap();
    inside(&container, allow);
    for allowed in [false, true] {
        if allowed {
            allow();
        }
        for (family, protocol, place) in [
            (AddressFamily::INET, ipproto::ICMP, "10.9.9.3:0"),
            (AddressFamily::INET6, ipproto::ICMPV6, "[2001:db8:9::3]:0"),
        ] {
            let place: SocketAddr = place.parse().unwrap();
            let heard = inside(&container, move || {
                let socket = socket_with(family, SocketType::DGRAM, SocketFlags::CLOEXEC, Some(protocol)).unwrap();
                sockopt::set_socket_timeout(&socket, sockopt::Timeout::Recv, Some(LIMIT)).unwrap();
                rustix::net::connect(&socket, &place).unwrap();
                let kind = if place.is_ipv4() { 8 } else { 128 };
                send(&socket, &[kind, 0, 0, 0, 0, 0, 0, 7, b'h', b'i'], SendFlags::empty()).unwrap();
                let mut buffer = [0; 32];
                let count = recv(&socket, &mut buffer[..], RecvFlags::empty())?.0;
                Ok::<_, rustix::io::Errno>(buffer[6..count].to_vec())
            });
            match allowed {
                true => assert_eq!(heard.unwrap(), [0, 7, b'h', b'i'], "{place}"),
                false => assert!(heard.is_err(), "{place}"),
            }
        }
    }
}

/// Who has said all still hears; who is reset hears that.
#[test]
fn each_direction_is_closed_by_itself() {
    on_a_stage("network::stack::stage_closed");
}

#[test]
#[ignore = "needs a stage"]
fn stage_closed() {
    let other = Contained::new();
    connect(&other);
    let container = Contained::new();
    let _way = Way::make(Maker::Stack, &container, &["8080:80"]);
    let listener = TcpListener::bind("10.10.10.10:0").unwrap();
    let place = listener.local_addr().unwrap();
    let within = inside(&container, || TcpListener::bind("0.0.0.0:80").unwrap());
    let pairs = || {
        let mut out = inside(&container, move || TcpStream::connect(place).unwrap());
        out.write_all(b"x").unwrap();
        let mut into = inside(&other, || TcpStream::connect("10.9.9.1:8080").unwrap());
        into.write_all(b"x").unwrap();
        let pairs = [(out, accept(&listener).0), (into, accept(&within).0)];
        pairs.map(|(asking, mut asked)| {
            asked.read_exact(&mut [0]).unwrap();
            asking.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
            (asking, asked)
        })
    };
    for (mut one, mut other) in pairs().into_iter().chain(pairs().map(|(asking, asked)| (asked, asking))) {
        one.write_all(b"that is all").unwrap();
        one.shutdown(Shutdown::Write).unwrap();
        let mut text = String::new();
        other.read_to_string(&mut text).unwrap();
        assert_eq!(text, "that is all");
        // More than fits anywhere on the way.
        let long = vec![7; 4 << 20];
        let sent = std::thread::spawn(move || {
            other.write_all(&long).unwrap();
            long
        });
        let mut heard = Vec::new();
        one.read_to_end(&mut heard).unwrap();
        assert!(heard == sent.join().unwrap());
    }
    for (one, mut other) in pairs().into_iter().chain(pairs().map(|(asking, asked)| (asked, asking))) {
        rustix::net::sockopt::set_socket_linger(&one, Some(Duration::ZERO)).unwrap();
        drop(one);
        let heard = other.read(&mut [0; 8]);
        assert_eq!(heard.unwrap_err().kind(), std::io::ErrorKind::ConnectionReset);
    }
}

/// Ten thousand at once, all of which are served; and others meanwhile.
#[test]
fn ten_thousand_connections_are_carried() {
    on_a_stage("network::stack::stage_many");
}

#[test]
#[ignore = "needs a stage"]
fn stage_many() {
    const MANY: usize = 10_000;
    let other = Contained::new();
    connect(&other);
    let descriptors = raise_descriptor_limit();
    if !has("descriptors for ten thousand connections", descriptors * 3 / 4 > MANY as u64) {
        return;
    }
    let container = Contained::new();
    let listener = TcpListener::bind("10.10.10.10:0").unwrap();
    let place = listener.local_addr().unwrap();
    let (namespace, inner) = (container.netns(), Arc::new(Barrier::new(2)));
    let outer = Arc::clone(&inner);
    let asking = std::thread::spawn(move || {
        nix::sched::setns(namespace, nix::sched::CloneFlags::CLONE_NEWNET).unwrap();
        // No process may have both ends of all of them open.
        nix::sched::unshare(nix::sched::CloneFlags::CLONE_FILES).unwrap();
        inner.wait();
        inner.wait();
        let mut streams: Vec<_> = (0..MANY).map(|_| TcpStream::connect(place).unwrap()).collect();
        inner.wait();
        for stream in &mut streams {
            let mut word = [0; 5];
            stream.read_exact(&mut word).unwrap();
            assert_eq!(&word, b"hello");
        }
        inner.wait();
    });
    outer.wait();
    let way = Way::make(Maker::Stack, &container, &["8080:80"]);
    outer.wait();
    let streams: Vec<_> = (0..MANY).map(|_| listener.accept().unwrap().0).collect();
    outer.wait();
    for mut stream in &streams {
        stream.write_all(b"hello").unwrap();
    }
    // Not the pages of the program's file, which are the system's to take back.
    let status = std::fs::read_to_string(format!("/proc/{}/status", way.pid())).unwrap();
    let held = status.lines().find_map(|line| line.strip_prefix("RssAnon:")?.trim().strip_suffix(" kB"));
    assert!(held.unwrap().parse::<u64>().unwrap() < 150 << 10, "{held:?} kB");
    // Who comes from elsewhere gets through.
    let listener = inside(&container, || TcpListener::bind("0.0.0.0:80").unwrap());
    let mut other = inside(&other, || TcpStream::connect("10.9.9.1:8080").unwrap());
    accept(&listener).0.write_all(b"x").unwrap();
    other.read_exact(&mut [0]).unwrap();
    outer.wait();
    asking.join().unwrap();
    for mut stream in streams {
        assert_eq!(stream.read(&mut [0; 8]).unwrap(), 0);
    }
}

/// Nobody need say anything: whoever has come, or has said all that there is to say, may be silent for ever. Who owes an
/// acknowledgement, and gives none, is given up.
#[test]
fn silence_ends_no_connection() {
    on_a_stage("network::stack::stage_silent");
}

#[test]
#[ignore = "needs a stage"]
fn stage_silent() {
    const SILENCE: Duration = Duration::from_secs(125);
    let other = Contained::new();
    connect(&other);
    let container = Contained::new();
    let _way = Way::make(Maker::Stack, &container, &["8080:80"]);
    let listener = TcpListener::bind("10.10.10.10:0").unwrap();
    let place = listener.local_addr().unwrap();
    let within = inside(&container, || TcpListener::bind("0.0.0.0:80").unwrap());
    let pair = |from_inside: bool| match from_inside {
        true => (inside(&container, move || TcpStream::connect(place).unwrap()), accept(&listener).0),
        false => {
            let outside = inside(&other, || TcpStream::connect("10.9.9.1:8080").unwrap());
            (accept(&within).0, outside)
        }
    };
    let mut pairs = Vec::new();
    for (from_inside, half_closed) in [(false, 0), (false, 1), (false, 2), (true, 0), (true, 1), (true, 2)] {
        let (mut inner, mut outer) = pair(from_inside);
        for stream in [&mut inner, &mut outer] {
            stream.set_read_timeout(Some(LIMIT)).unwrap();
            stream.write_all(b"hello").unwrap();
        }
        for stream in [&mut inner, &mut outer] {
            stream.read_exact(&mut [0; 5]).unwrap();
        }
        match half_closed {
            0 => {}
            1 => inner.shutdown(Shutdown::Write).unwrap(),
            _ => outer.shutdown(Shutdown::Write).unwrap(),
        }
        pairs.push((half_closed, inner, outer));
    }
    // The kernel asks the other ends now and then whether they are there: timer 2 of /proc/net/tcp (proc(5)), in state 1.
    let table = std::fs::read_to_string("/proc/net/tcp").unwrap();
    let asked = table.lines().filter(|line| line.contains(" 01 ") && line.contains(" 02:")).count();
    let open = pairs.iter().filter(|(half_closed, ..)| *half_closed == 0).count();
    assert_eq!(asked, open, "{table}");
    // A container that answers nothing at all.
    let deaf = Contained::new();
    let _way_of_deaf = Way::make(Maker::Stack, &deaf, &[]);
    let mut unheard = inside(&deaf, move || TcpStream::connect(place).unwrap());
    unheard.write_all(b"x").unwrap();
    let mut waiting = accept(&listener).0;
    waiting.read_exact(&mut [0]).unwrap();
    inside(&deaf, || ip("link set up0 down"));
    waiting.write_all(b"x").unwrap();
    std::thread::sleep(SILENCE);
    waiting.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    assert_eq!(waiting.read(&mut [0; 8]).unwrap_err().kind(), ErrorKind::ConnectionReset);
    for (half_closed, inner, outer) in pairs {
        let (mut one, mut other) = if half_closed == 1 { (outer, inner) } else { (inner, outer) };
        one.write_all(b"still here").unwrap();
        one.shutdown(Shutdown::Write).unwrap();
        let mut heard = String::new();
        other.read_to_string(&mut heard).unwrap();
        assert_eq!(heard, "still here", "{half_closed}");
        other.shutdown(Shutdown::Write).ok();
        assert_eq!(one.read(&mut [0; 8]).unwrap(), 0, "{half_closed}");
    }
}

/// Packets of all protocols with nothing in them that makes sense, and datagrams to everywhere; others are served meanwhile.
#[test]
fn malformed_packets_harm_nobody() {
    on_a_stage("network::stack::stage_malformed");
}

#[test]
#[ignore = "needs a stage"]
fn stage_malformed() {
    let other = Contained::new();
    connect(&other);
    let container = Contained::new();
    let way = Way::make(Maker::Stack, &container, &[]);
    let mut state = 1_u64;
    let mut byte = move || {
        // xorshift64
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as u8
    };
    inside(&container, move || {
        let raw = socket_with(AddressFamily::INET, SocketType::RAW, SocketFlags::CLOEXEC, Some(ipproto::RAW)).unwrap();
        for round in 0..50_000_u32 {
            let length = 20 + usize::from(byte()) % 80;
            let mut packet: Vec<u8> = (0..length).map(|_| byte()).collect();
            let protocol = [1, 6, 6, 17, 17, byte()][round as usize % 6];
            packet[..2].copy_from_slice(&[0x45, 0]);
            packet[6..10].copy_from_slice(&[0, 0, 64, protocol]);
            packet[12..16].copy_from_slice(&[10, 9, 9, 1]);
            packet[16..20].copy_from_slice(&[10, 9, 9, 3]);
            if let Some(offset) = packet.get_mut(32).filter(|_| protocol == 6 && round % 2 == 0) {
                *offset = 0x50;
            }
            let to: SocketAddr = "10.9.9.3:0".parse().unwrap();
            let _ = rustix::net::sendto(&raw, &packet, SendFlags::DONTWAIT, &to);
        }
    });
    assert_eq!(container.fetch("10.10.10.10", serve("10.10.10.10")), "hello");
    let files = std::fs::read_dir(format!("/proc/{}/fd", way.pid())).unwrap().count();
    assert!(files < 20_000, "{files}");
}

/// Who comes by IPv6, of this machine or another, comes by IPv6: a program may serve nothing else.
#[test]
fn a_server_of_ipv6_alone_is_reached() {
    on_a_stage("network::stack::stage_six");
}

#[test]
#[ignore = "needs a stage"]
fn stage_six() {
    let other = Contained::new();
    connect(&other);
    let container = Contained::new();
    let _way = Way::make(Maker::Stack, &container, &["8080:80", "5300:53/udp"]);
    let (listener, socket) = inside(&container, || {
        let [tcp, udp] = [SocketType::STREAM, SocketType::DGRAM].map(|kind| {
            let socket = socket_with(AddressFamily::INET6, kind, SocketFlags::CLOEXEC, None).unwrap();
            sockopt::set_ipv6_v6only(&socket, true).unwrap();
            socket
        });
        rustix::net::bind(&tcp, &"[::]:80".parse::<SocketAddr>().unwrap()).unwrap();
        rustix::net::listen(&tcp, 16).unwrap();
        rustix::net::bind(&udp, &"[::]:53".parse::<SocketAddr>().unwrap()).unwrap();
        (TcpListener::from(tcp), UdpSocket::from(udp))
    });
    socket.set_read_timeout(Some(LIMIT)).unwrap();
    let here = SocketAddr::new(HOST6.into(), 0);
    let asked = |asking: (TcpStream, UdpSocket), comes_from: SocketAddr| {
        let (mut stream, datagrams) = asking;
        let (mut inner, peer) = accept(&listener);
        assert_eq!(peer.ip(), comes_from.ip());
        inner.write_all(b"x").unwrap();
        stream.read_exact(&mut [0]).unwrap();
        datagrams.set_read_timeout(Some(LIMIT)).unwrap();
        datagrams.send(b"ask").unwrap();
        let (_, peer) = socket.recv_from(&mut [0; 8]).unwrap();
        assert_eq!(peer.ip(), comes_from.ip());
        socket.send_to(b"answer", peer).unwrap();
        assert_eq!(datagrams.recv(&mut [0; 8]).unwrap(), 6);
    };
    let ask = |place: &str| {
        let place: SocketAddr = place.parse().unwrap();
        let datagrams = UdpSocket::bind("[::]:0").unwrap();
        datagrams.connect(SocketAddr::new(place.ip(), 5300)).unwrap();
        (TcpStream::connect(place).unwrap(), datagrams)
    };
    asked(ask("[::1]:8080"), here);
    asked(ask("[2001:db8:9::1]:8080"), here);
    asked(inside(&other, move || ask("[2001:db8:9::1]:8080")), "[2001:db8:9::3]:0".parse().unwrap());
    // And this machine is reached by it.
    assert_eq!(container.fetch(&HOST6.to_string(), serve("2001:db8:9::1")), "hello");
    assert_eq!(container.fetch(&HOST6.to_string(), serve("::1")), "", "its loopback is its own");
}

/// Whichever of this machine's addresses is asked answers: a client that is connected takes nothing from another.
#[test]
fn a_datagram_is_answered_from_where_it_came() {
    on_a_stage("network::stack::stage_answers");
}

#[test]
#[ignore = "needs a stage"]
fn stage_answers() {
    let other = Contained::new();
    connect(&other);
    let container = Contained::new();
    let _way = Way::make(Maker::Stack, &container, &["5300:53/udp"]);
    let socket = inside(&container, || UdpSocket::bind("[::]:53").unwrap());
    socket.set_read_timeout(Some(LIMIT)).unwrap();
    let mut asking: Vec<UdpSocket> = Vec::new();
    // The same port to several addresses, too: each is a conversation of its own.
    let from = UdpSocket::bind("0.0.0.0:0").unwrap().local_addr().unwrap().port();
    for (place, port) in [
        ("127.0.0.1", 0),
        ("127.0.0.2", from),
        ("127.0.0.3", 0),
        ("10.9.9.1", 0),
        ("10.10.10.10", 0),
        ("::1", 0),
        ("2001:db8:9::1", 0),
        ("2001:db8:10::10", 0),
    ] {
        let place: std::net::IpAddr = place.parse().unwrap();
        let client = UdpSocket::bind((if place.is_ipv4() { "0.0.0.0" } else { "::" }, port)).unwrap();
        client.set_read_timeout(Some(LIMIT)).unwrap();
        client.connect((place, 5300)).unwrap();
        asking.push(client);
    }
    let far = inside(&other, || {
        let client = UdpSocket::bind("0.0.0.0:0").unwrap();
        client.connect("10.9.9.1:5300").unwrap();
        client
    });
    far.set_read_timeout(Some(LIMIT)).unwrap();
    asking.push(far);
    for _ in 0..2 {
        let mut peers = Vec::new();
        for (number, client) in asking.iter().enumerate() {
            client.send(&[number as u8]).unwrap();
            let mut word = [0; 8];
            let (count, peer) = socket.recv_from(&mut word).unwrap();
            assert_eq!(word[..count], [number as u8]);
            peers.push(peer);
        }
        for (number, peer) in peers.iter().enumerate().rev() {
            socket.send_to(&[number as u8, 7], peer).unwrap();
        }
        for (number, client) in asking.iter().enumerate() {
            let mut word = [0; 8];
            let count = client.recv(&mut word).unwrap_or_else(|error| panic!("{client:?}: {error}"));
            assert_eq!(word[..count], [number as u8, 7], "{client:?}");
        }
    }
    // Two that come from the same port of this machine, from different addresses of it.
    let pair = ["127.0.0.1", "127.0.0.9"].map(|address| {
        let client = UdpSocket::bind((address, from + 1)).unwrap();
        client.set_read_timeout(Some(LIMIT)).unwrap();
        client.connect("127.0.0.4:5300").unwrap();
        client
    });
    let peers = pair.each_ref().map(|client| {
        client.send(b"ask").unwrap();
        socket.recv_from(&mut [0; 8]).unwrap().1
    });
    assert_ne!(peers[0], peers[1]);
    for (peer, client) in peers.iter().zip(&pair) {
        socket.send_to(b"answer", peer).unwrap();
        assert_eq!(client.recv(&mut [0; 8]).unwrap(), 6);
    }
}

/// The container's kernel remembers a connection for a minute; who comes from the same port again is not made to wait for that.
#[test]
fn who_comes_again_from_the_same_port_is_taken_in_at_once() {
    on_a_stage("network::stack::stage_again");
}

#[test]
#[ignore = "needs a stage"]
fn stage_again() {
    let other = Contained::new();
    connect(&other);
    let container = Contained::new();
    let _way = Way::make(Maker::Stack, &container, &["8080:80"]);
    let listener = inside(&container, || TcpListener::bind("0.0.0.0:80").unwrap());
    for round in 0..20 {
        let begun = std::time::Instant::now();
        let asking = inside(&other, || {
            let flags = SocketFlags::CLOEXEC;
            let socket = socket_with(AddressFamily::INET, SocketType::STREAM, flags, None).unwrap();
            sockopt::set_socket_reuseaddr(&socket, true).unwrap();
            rustix::net::bind(&socket, &"10.9.9.3:5555".parse::<SocketAddr>().unwrap()).unwrap();
            rustix::net::connect(&socket, &"10.9.9.1:8080".parse::<SocketAddr>().unwrap()).unwrap();
            TcpStream::from(socket)
        });
        // Whoever closes first remembers.
        drop(accept(&listener).0);
        assert_eq!((&asking).read(&mut [0]).unwrap(), 0);
        assert!(begun.elapsed() < Duration::from_millis(800), "{round}: {:?}", begun.elapsed());
    }
}
