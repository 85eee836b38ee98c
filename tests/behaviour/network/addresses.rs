//! Which addresses containers get.

use super::{address, internal, reaches, serve};
use crate::harness::{Case, Driver};

fn run(case: &Case, flags: &[&str]) -> crate::harness::Finished {
    let image = case.busybox();
    case.coracle(["run", "--rm"].iter().chain(flags).copied().chain([&*image, "true"]))
}

#[test]
fn those_that_are_asked_for() {
    let case = Case::new(Driver::Auto);
    internal(&case, "net", &["--subnet=10.202.1.0/24", "--ip-range=10.202.1.64/29", "--gateway=10.202.1.254"]);
    serve(&case, "one", &["--network=net", "--ip=10.202.1.9", "--mac-address=02:00:00:00:00:09"]);
    serve(&case, "two", &["--network=net"]);
    assert_eq!(
        (address(&case, "one", "net"), address(&case, "two", "net")),
        ("10.202.1.9".into(), "10.202.1.65".into())
    );
    assert_eq!(case.inspect("one", "{{(index .NetworkSettings.Networks \"net\").MacAddress}}"), "02:00:00:00:00:09");
    assert_eq!(
        case.inspect("one", "{{.NetworkSettings.IPAddress}} {{.NetworkSettings.Gateway}}"),
        "10.202.1.9 10.202.1.254"
    );
    case.coracle(["exec", "one", "cat", "/sys/class/net/eth0/address"]).code(0).stdout("02:00:00:00:00:09\n");
    reaches(&case, "two", "10.202.1.9", "one");
    run(&case, &["--network=net:ip=10.202.1.9"]).code(125).error("in use by the container `one`").says("hint: ");
    run(&case, &["--network=net", "--mac-address=02:00:00:00:00:09"]).code(125).error("in use by the container `one`");
    run(&case, &["--network=net", "--ip=10.202.1.254"]).code(125).error("the network's gateway");
    run(&case, &["--network=net", "--ip=10.99.0.1"])
        .code(125)
        .error("requested static ip 10.99.0.1 not in any subnet on network net");
    // What was taken is free once its container has ended.
    case.coracle(["rm", "-f", "one"]).code(0);
    run(&case, &["--network=net:ip=10.202.1.9,mac=02:00:00:00:00:09"]).code(0);
}

#[test]
fn an_exhausted_pool() {
    let case = Case::new(Driver::Auto);
    internal(&case, "net", &["--subnet=10.202.2.0/29"]);
    for name in ["a", "b", "c", "d", "e"] {
        serve(&case, name, &["--network=net"]);
    }
    run(&case, &["--network=net"])
        .code(125)
        .error("no free address is left in the subnet 10.202.2.0/29")
        .says("hint: ");
    case.coracle(["kill", "c"]).code(0);
    case.coracle(["wait", "c"]).code(0);
    run(&case, &["--network=net"]).code(0);
}

/// Nobody comes to a container on internal networks, and whoever asks for a port is told so.
#[test]
fn ports_of_internal_networks() {
    let case = Case::new(Driver::Auto);
    internal(&case, "net", &["--subnet=10.202.9.0/24"]);
    serve(&case, "box", &["--network=net"]);
    let refused = case.coracle(["port", "add", "box", "7000"]).code(125);
    refused.error("all its networks are internal").says("hint: `coracle network connect NETWORK");
    case.coracle(["port", "box"]).code(0).stdout("");
}

#[test]
fn both_families() {
    let case = Case::new(Driver::Auto);
    internal(&case, "net", &["--subnet=10.202.3.0/24", "--subnet=fd00:202:3::/64"]);
    serve(&case, "one", &["--network=net:ip6=fd00:202:3::9"]);
    serve(&case, "two", &["--network=net"]);
    let six = "{{(index .NetworkSettings.Networks \"net\").GlobalIPv6Address}}";
    assert_eq!((case.inspect("one", six), case.inspect("two", six)), ("fd00:202:3::9".into(), "fd00:202:3::2".into()));
    reaches(&case, "two", "fd00:202:3::9", "one");
    let finished = case.coracle(["exec", "two", "nslookup", "-type=aaaa", "one"]).succeeded();
    assert!(finished.stdout.contains("fd00:202:3::9"), "{finished}");
    // With `--ipv6` alone a prefix is found.
    internal(&case, "more", &["--ipv6"]);
    let subnets =
        case.coracle(["network", "inspect", "-f", "{{range .Subnets}}{{.Subnet}} {{end}}", "more"]).succeeded();
    assert!(subnets.stdout.starts_with("10.") && subnets.stdout.contains("/24 fd"), "{subnets}");
}

#[test]
fn several_networks_in_their_order() {
    let case = Case::new(Driver::Auto);
    internal(&case, "first", &["--subnet=10.202.4.0/24", "--opt=mtu=1400"]);
    internal(&case, "second", &["--subnet=10.202.5.0/24", "--route=10.202.99.0/24,10.202.5.77"]);
    serve(&case, "one", &["--network=second", "--network=first:interface_name=lan0,ip=10.202.4.7"]);
    let script = "ip -o -4 addr show eth0; ip -o -4 addr show lan0; cat /sys/class/net/lan0/mtu; ip route";
    let told = case.coracle(["exec", "one", "sh", "-c", script]).succeeded().stdout;
    for part in ["10.202.5.2/24", "10.202.4.7/24", "\n1400\n", "10.202.99.0/24 via 10.202.5.77 dev eth0"] {
        assert!(told.contains(part), "no {part:?} in {told}");
    }
    assert!(!told.contains("default"), "{told}");
    case.coracle(["ps", "--format", "{{.Networks}}"]).code(0).stdout("second,first\n");
    for (flags, words) in [
        (&["--network=first", "--network=second", "--ip=10.202.4.9"][..], "can only be set for a single network"),
        (&["--network=first", "--network=first"], "is named twice"),
        (&["--network=first:interface_name=x", "--network=second:interface_name=x"], "is named twice"),
        (&["--network=none", "--network=first"], "cannot set multiple networks without bridge network mode"),
        (&["--network=first:frob=1"], "unknown bridge network option: frob"),
        (&["--network=nope"], "unable to find network with name or ID nope: network not found"),
        (&["--network=first", "--network-alias=a b"], "is no name of a host"),
        (&["--network=podman", "--network-alias=a"], "because dns is disabled"),
        (&["--network=none", "--ip=10.1.1.1"], "--ip needs a named network"),
    ] {
        run(&case, flags).code(125).error(words).says("hint: ");
    }
}

/// The network that is always there has addresses and no names.
#[test]
fn the_default_network() {
    let case = Case::new(Driver::Auto);
    serve(&case, "one", &["--network=bridge"]);
    serve(&case, "two", &["--network=podman"]);
    assert_eq!(
        (address(&case, "one", "podman"), address(&case, "two", "podman")),
        ("10.88.0.2".into(), "10.88.0.3".into())
    );
    reaches(&case, "two", "10.88.0.2", "one");
    let resolver = case.coracle(["exec", "one", "cat", "/etc/resolv.conf"]).succeeded().stdout;
    assert!(!resolver.contains("dns.podman"), "{resolver}");
}
