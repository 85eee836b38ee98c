//! The network of a container: none, the host's, or one of its own with a way out.

use crate::harness::Case;

fn none(case: &Case) {
    let image = case.busybox();
    case.sh(&image, "tail -n +3 /proc/net/dev | cut -d: -f1 | tr -d ' '").code(0).stdout("lo\n");
    // Its own loopback is up.
    let script = "(echo hello | nc -l -p 7000) & until nc 127.0.0.1 7000 2>/dev/null; do sleep 0.05; done";
    case.sh(&image, script).code(0).stdout("hello\n");
}

fn host(case: &Case) {
    let image = case.busybox();
    let namespace = std::fs::read_link("/proc/self/ns/net").unwrap();
    case.coracle(["run", "--rm", "--network=host", &image, "readlink", "/proc/self/ns/net"])
        .code(0)
        .stdout(&format!("{}\n", namespace.display()));
}

/// The default: private, with a route and a resolver; what listens on the machine's loopback is out of reach.
fn private(case: &Case) {
    let image = case.busybox();
    let namespace = std::fs::read_link("/proc/self/ns/net").unwrap();
    let finished = case.coracle(["run", "--rm", &image, "readlink", "/proc/self/ns/net"]).succeeded();
    assert_ne!(finished.stdout.trim_end(), namespace.display().to_string());
    if !crate::harness::has("a route out", outbound_address().is_some_and(|address| !address.is_loopback())) {
        return;
    }
    let interfaces =
        "tail -n +3 /proc/net/dev | wc -l; ip route | grep -c ^default; grep -c ^nameserver /etc/resolv.conf";
    let finished = case.coracle(["run", "--rm", &image, "sh", "-c", interfaces]).succeeded();
    let counts: Vec<u32> = finished.stdout.lines().map(|line| line.parse().unwrap()).collect();
    assert!(counts[0] == 2 && counts[1] == 1 && counts[2] >= 1, "{finished}");
    // The machine's loopback stays its own.
    let loopback = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let script =
        format!("nc -w 2 127.0.0.1 {} </dev/null && echo reached; true", loopback.local_addr().unwrap().port());
    case.coracle(["run", "--rm", &image, "sh", "-c", &script]).code(0).stdout("");
}

/// The address from which this machine would reach another.
fn outbound_address() -> Option<std::net::IpAddr> {
    let socket = std::net::UdpSocket::bind("0.0.0.0:0").ok()?;
    // Sends nothing: a connected datagram socket only looks up the route.
    socket.connect("192.0.2.1:9").ok()?;
    Some(socket.local_addr().ok()?.ip())
}

on_both_drivers!(none, host, private);
