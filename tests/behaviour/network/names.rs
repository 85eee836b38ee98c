//! Names and addresses by which containers on a network find each other.

use super::{address, internal, reaches, serve};
use crate::harness::{Case, Driver};

/// By name, alias, short id, host name and address, in both directions; and back from the address to the name.
pub fn containers_find_each_other(case: &Case) {
    internal(case, "net", &["--subnet=10.201.1.0/24"]);
    serve(case, "one", &["--network=net:alias=uno", "--network-alias=eins", "--hostname=host-of-one"]);
    serve(case, "two", &["--network=net"]);
    let id = case.inspect("one", "{{.Id}}");
    let place = address(case, "one", "net");
    assert_eq!(place, "10.201.1.2");
    for whom in ["one", "uno", "eins", &id[..12], "host-of-one", "one.dns.podman", "ONE", &place] {
        reaches(case, "two", whom, "one");
    }
    reaches(case, "one", "two", "two");
    // One that is named twice is one, and a name that no machine would have is found as it is.
    serve(case, "My_db.1", &["--network=net:alias=uno,alias=uno", "--network-alias=uno", "--hostname=uno"]);
    let twice = case.inspect("My_db.1", "{{json (index .NetworkSettings.Networks \"net\").Aliases}}");
    assert_eq!(twice, format!(r#"["uno","{}"]"#, case.inspect("My_db.1", "{{slice .Id 0 12}}")));
    reaches(case, "two", "my_db.1", "My_db.1");
    case.coracle(["rm", "-f", "My_db.1"]).code(0);
    let aliases = case.inspect("one", "{{json (index .NetworkSettings.Networks \"net\").Aliases}}");
    assert_eq!(aliases, format!(r#"["eins","uno","{}","host-of-one"]"#, &id[..12]));
    let hosts = case.coracle(["exec", "one", "cat", "/etc/hosts"]).succeeded().stdout;
    assert!(hosts.contains("10.201.1.2\thost-of-one one\n"), "{hosts}");
    let resolver = case.coracle(["exec", "one", "cat", "/etc/resolv.conf"]).succeeded().stdout;
    assert!(resolver.starts_with("search dns.podman") && resolver.contains("nameserver 169.254.1.1\n"), "{resolver}");
    let look_up = |name: &str| case.coracle(["exec", "two", "nslookup", "-type=ptr", name]);
    let named = look_up("2.1.201.10.in-addr.arpa").succeeded();
    assert!(named.stdout.contains("one.dns.podman"), "{named}");
    // Nobody else is asked on an internal network, and in the domain of containers never.
    for name in ["nobody", "nobody.dns.podman", "a.example"] {
        let finished = case.coracle(["exec", "two", "nslookup", name]).code(1);
        assert!(finished.stdout.contains("NXDOMAIN"), "{finished}");
    }
    // A name is only known as long as its container runs.
    case.coracle(["stop", "one"]).code(0);
    case.coracle(["exec", "two", "nslookup", "one"]).code(1);
    case.coracle(["start", "one"]).code(0);
    reaches(case, "two", "one", "one");
}

/// A name that changes while its container runs is the new one at once, in its own /etc/hosts as well.
fn a_new_name(case: &Case) {
    internal(case, "left", &["--subnet=10.201.8.0/24"]);
    internal(case, "right", &["--subnet=10.201.9.0/24"]);
    serve(case, "old", &["--network=left:alias=uno", "--network=right", "--hostname=host-of-one"]);
    serve(case, "two", &["--network=left"]);
    serve(case, "three", &["--network=right"]);
    reaches(case, "two", "old", "old");
    case.coracle(["rename", "old", "new"]).code(0);
    for (whom, of) in [("new", "two"), ("uno", "two"), ("host-of-one", "two"), ("new", "three")] {
        reaches(case, of, whom, "old");
        case.coracle(["exec", of, "nslookup", "old"]).code(1);
    }
    let hosts = case.coracle(["exec", "new", "cat", "/etc/hosts"]).succeeded().stdout;
    assert!(hosts.contains("10.201.8.2\thost-of-one new\n") && !hosts.contains("old"), "{hosts}");
    // Somebody else can have the old one.
    serve(case, "old", &["--network=left"]);
    reaches(case, "new", "old", "old");
    case.coracle(["stop", "new"]).code(0);
    case.coracle(["rename", "new", "newer"]).code(0);
    case.coracle(["start", "newer"]).code(0);
    reaches(case, "two", "newer", "old");
}

/// A name that several have is all of theirs, and an answer that is too long for a packet comes over a connection.
pub fn an_alias_of_many(case: &Case) {
    internal(case, "net", &["--subnet=10.201.2.0/24"]);
    for name in ["one", "two", "three"] {
        serve(case, name, &["--network=net:alias=all"]);
    }
    let finished = case.coracle(["exec", "one", "nslookup", "-type=a", "all"]).succeeded();
    for address in ["10.201.2.2", "10.201.2.3", "10.201.2.4"] {
        assert!(finished.stdout.contains(&format!("Address: {address}")), "{finished}");
    }
}

/// A container of its own on port 53 is in nobody's way, and who shares the network of another has its names.
fn a_name_server_inside(case: &Case) {
    internal(case, "net", &["--subnet=10.201.3.0/24"]);
    serve(case, "one", &["--network=net"]);
    let image = case.busybox();
    let script = "(echo mine | nc -l -p 53) & until echo | nc -w 1 127.0.0.1 53; do sleep 0.05; done; nslookup one";
    let finished = case.coracle(["run", "--rm", "--network=container:one", &image, "sh", "-c", script]).succeeded();
    assert!(finished.stdout.contains("mine\n") && finished.stdout.contains("10.201.3.2"), "{finished}");
}

/// Packets that no resolver sends, and very many: the companion goes on.
fn malformed_questions(case: &Case) {
    internal(case, "net", &["--subnet=10.201.4.0/24"]);
    serve(case, "one", &["--network=net"]);
    serve(case, "two", &["--network=net"]);
    let script = "for n in 1 2 3 4 5 6 7 8 9; do
        head -c $((n * 7)) /dev/urandom | nc -u -w 1 169.254.1.1 53 &
        head -c 60000 /dev/urandom | nc -w 1 169.254.1.1 53 &
        printf '\\000\\020' | nc -w 1 169.254.1.1 53 &
        printf '\\000\\001\\001\\000\\000\\001\\000\\000\\000\\000\\000\\000\\300\\014\\000\\001\\000\\001' | nc -u -w 1 169.254.1.1 53 &
        done; wait; for n in $(seq 200); do nslookup nobody$n >/dev/null & done; wait; true";
    case.coracle(["exec", "two", "sh", "-c", script]).code(0);
    reaches(case, "two", "one", "one");
    reaches(case, "one", "two", "two");
}

/// Who asks without end, for what others are asked and for what is known, is in nobody's way but its own.
pub fn a_flood_of_questions(case: &Case) {
    internal(case, "net", &["--subnet=10.201.10.0/24"]);
    case.coracle(["network", "create", "--subnet=10.201.11.0/24", "--dns=127.0.0.1", "open"]).code(0);
    let flood =
        "for n in $(seq 20); do while :; do nslookup one; nslookup a.example; done >/dev/null 2>&1 & done; wait";
    let image = case.busybox();
    let run = ["run", "-d", "--name=flood", "--stop-timeout=0", "--network=net", "--network=open", &image, "sh", "-c"];
    case.coracle(run.into_iter().chain([flood])).succeeded();
    for name in ["one", "two"] {
        serve(case, name, &["--network=net", "--network=open"]);
    }
    for _ in 0..20 {
        reaches(case, "two", "one", "one");
        reaches(case, "one", "two", "two");
    }
    assert_eq!(case.inspect("flood", "{{.State.Status}}"), "running");
}

/// Networks do not reach each other, whatever a container tells its own kernel.
pub fn networks_are_apart(case: &Case) {
    internal(case, "left", &["--subnet=10.201.5.0/24"]);
    internal(case, "right", &["--subnet=10.201.6.0/24"]);
    serve(case, "one", &["--network=left", "--cap-add=NET_ADMIN"]);
    serve(case, "two", &["--network=right", "--cap-add=NET_ADMIN"]);
    serve(case, "both", &["--network=left", "--network=right:interface_name=other0"]);
    reaches(case, "both", "one", "one");
    reaches(case, "both", "two", "two");
    case.coracle(["exec", "both", "test", "-e", "/sys/class/net/other0"]).code(0);
    let place = address(case, "one", "left");
    assert_eq!((super::ask(case, "two", &place), super::ask(case, "two", "one")), (String::new(), String::new()));
    let route = |container: &str, to: &str, via: &str| {
        case.coracle(["exec", container, "ip", "route", "replace", to, "via", via]).code(0);
    };
    // Neither the gateway sends packets on, nor who is on both.
    for [left, right] in
        [["10.201.5.1", "10.201.6.1"].map(str::to_owned), ["left", "right"].map(|on| address(case, "both", on))]
    {
        route("one", "10.201.6.0/24", &left);
        route("two", "10.201.5.0/24", &right);
        assert_eq!(super::ask(case, "two", &place), "");
    }
}

/// On one that is not internal there is a way out, and ports are published.
pub fn a_way_out(case: &Case) {
    case.coracle(["network", "create", "--subnet=10.201.7.0/24", "net"]).code(0);
    serve(case, "one", &["--network=net", "-p", "127.0.0.1::7000"]);
    let place = case.coracle(["port", "one", "7000"]).succeeded().stdout;
    crate::harness::wait_until("the port leads inside", crate::harness::LIMIT, || {
        use std::io::Read;
        let mut heard = String::new();
        let asked = std::net::TcpStream::connect(place.trim_end()).and_then(|mut stream| {
            stream.set_read_timeout(Some(std::time::Duration::from_secs(2)))?;
            std::io::Write::write_all(&mut stream, b"\n")?;
            stream.read_to_string(&mut heard)
        });
        asked.is_ok() && heard == "one\n"
    });
    case.coracle(["exec", "one", "test", "-e", "/sys/class/net/out0"]).code(0);
    case.coracle(["ps", "--filter", "network=net", "--format", "{{.Names}} {{.Networks}}"]).code(0).stdout("one net\n");
    case.coracle(["ps", "-q", "--filter", "network=other"]).code(0).stdout("");
    assert_eq!(case.inspect("one", "{{.HostConfig.NetworkMode}}"), "bridge");
}

macro_rules! tests {
    ($($name:ident)+) => { $(mod $name { #[test] fn auto() { super::$name(&super::Case::new(super::Driver::Auto)); } })+ };
}
tests!(containers_find_each_other a_new_name an_alias_of_many a_name_server_inside malformed_questions a_flood_of_questions networks_are_apart a_way_out);

/// Without names on the network containers have the host's resolver, and reach each other by address.
#[test]
fn without_names() {
    let case = Case::new(Driver::Auto);
    internal(&case, "net", &["--subnet=10.201.12.0/24", "--disable-dns"]);
    assert_eq!(case.coracle(["network", "inspect", "--format", "{{.DNSEnabled}}", "net"]).stdout, "false\n");
    serve(&case, "one", &["--network=net"]);
    serve(&case, "two", &["--network=net"]);
    reaches(&case, "two", &address(&case, "one", "net"), "one");
    let finished = case.coracle(["exec", "two", "nslookup", "-type=a", "one"]);
    assert_ne!(finished.code, Some(0), "{finished}");
}
