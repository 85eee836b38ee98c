//! Those who read what a container sends have next to nothing that could be taken over.

use super::{internal, reaches, serve};
use crate::harness::{Case, Driver, LIMIT, wait_for};

/// The processes of a container that have this name.
pub fn server(case: &Case, container: &str, name: &str) -> String {
    let monitor = case.inspect(container, "{{.State.ConmonPid}}");
    let children = || std::fs::read_to_string(format!("/proc/{monitor}/task/{monitor}/children")).ok();
    let is_it = |pid: &&str| std::fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|comm| comm.trim() == name);
    wait_for(name, LIMIT, || children()?.split_whitespace().find(is_it).map(str::to_owned))
}

/// Of what the kernel says of a process, a line.
fn line(pid: &str, key: &str) -> String {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let found = status.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(':'));
    found.unwrap_or_default().trim().to_owned()
}

#[test]
fn servers_have_a_filter_and_no_rights() {
    let case = Case::new(Driver::Auto);
    internal(&case, "apart", &[]);
    case.coracle(["network", "create", "net"]).succeeded();
    serve(&case, "box", &["--network=net", "--network=apart"]);
    for name in ["coracle-net", "coracle-stack"] {
        let pid = server(&case, "box", name);
        // It gives all up once the container has its networks.
        wait_for("a filter", LIMIT, || (line(&pid, "Seccomp") == "2").then_some(()));
        for (key, value) in [("NoNewPrivs", "1"), ("CapEff", "0000000000000000"), ("CapPrm", "0000000000000000")] {
            assert_eq!(line(&pid, key), value, "{key} of {name}");
        }
    }
}

/// Frames in which nothing makes sense, to everybody on the network and to nobody, and datagrams to the one who answers for names:
/// neighbours go on, and so does that one.
#[test]
fn malformed_packets_harm_no_neighbour() {
    const FRAMES: &str = r#"
        open(my $file, "<", "/sys/class/net/eth0/ifindex") or die; my $index = <$file> + 0;
        socket(my $raw, 17, 3, 0) or die "raw: $!";
        socket(my $udp, 2, 2, 0) or die "udp: $!";
        my $names = pack("S n C4 x8", 2, 53, 169, 254, 1, 1);
        for my $round (1 .. 20000) {
            my $bytes = pack("C*", map { int(rand(256)) } 1 .. 40 + int(rand(200)));
            send($udp, $bytes, 0, $names) if $round % 4 == 0;
            substr($bytes, 0, 6) = "\xff" x 6 if $round % 2;
            substr($bytes, 12, 2) = pack("n", (0x0800, 0x0806, 0x86dd, int(rand(65536)))[$round % 4]);
            send($raw, $bytes, 0, pack("S n i S C C a8", 17, 0, $index, 0, 0, 6, "\xff" x 6));
        }
        print "sent\n";
    "#;
    let case = Case::new(Driver::Auto);
    internal(&case, "net", &["--subnet=10.208.1.0/24"]);
    serve(&case, "one", &["--network=net"]);
    serve(&case, "two", &["--network=net"]);
    let debian = case.made("debian");
    let line = ["run", "-d", "--stop-timeout=0", "--name=bad", "--network=net", "--cap-add=NET_RAW", &debian];
    case.coracle(line.into_iter().chain(["sleep", "1000"])).succeeded();
    let companion = server(&case, "bad", "coracle-net");
    case.coracle(["exec", "bad", "perl", "-e", FRAMES]).code(0).stdout("sent\n");
    reaches(&case, "one", "two", "two");
    case.coracle(["exec", "bad", "getent", "ahostsv4", "two"]).succeeded();
    assert_eq!(server(&case, "bad", "coracle-net"), companion);
}
