//! The commands about networks, as Podman has them.

use super::{internal, serve};
use crate::harness::{Case, Driver};

#[test]
fn made_shown_and_removed() {
    let case = Case::new(Driver::Auto);
    case.coracle(["network", "ls"])
        .code(0)
        .stdout("NETWORK ID    NAME        DRIVER\n2f259bab93aa  podman      bridge\n");
    case.coracle(["network", "create", "--subnet=10.203.1.0/24", "--label", "a=b", "--opt", "mtu=1400", "net"])
        .code(0)
        .stdout("net\n");
    case.coracle(["network", "ls", "-q"]).code(0).stdout("net\npodman\n");
    case.coracle(["network", "ls", "-n", "--no-trunc", "--filter", "label=a=b", "--format", "{{.ID}} {{.Driver}}"])
        .code(0)
        .stdout("a08a0fcbdeafd3c1b3a4b495b9a9c9d96850f08946b52bc0622347d3b6e73b78 bridge\n");
    let json = case.coracle(["network", "inspect", "net"]).succeeded().stdout;
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    let expected = serde_json::json!([{ "subnet": "10.203.1.0/24", "gateway": "10.203.1.1" }]);
    assert_eq!((&json[0]["subnets"], &json[0]["dns_enabled"]), (&expected, &true.into()));
    assert_eq!((&json[0]["labels"]["a"], &json[0]["network_interface"]), (&"b".into(), &"podman1".into()));
    assert_eq!((&json[0]["options"]["mtu"], &json[0]["containers"]), (&"1400".into(), &serde_json::json!({})));
    case.coracle(["inspect", "--format", "{{.name}}", "net"]).code(0).stdout("net\n");
    case.coracle(["network", "inspect", "--format", "{{(index .Subnets 0).Gateway}} {{.Labels.a}}", "net"])
        .code(0)
        .stdout("10.203.1.1 b\n");
    case.coracle(["network", "exists", "net"]).code(0);
    case.coracle(["network", "create", "--ignore", "net"]).code(0).stdout("net\n");
    case.coracle(["network", "rm", "net", "net"])
        .code(1)
        .stdout("net\n")
        .error("unable to find network with name or ID net");
    case.coracle(["network", "exists", "net"]).code(1);
    case.coracle(["network", "rm", "-f", "net"]).code(0).stdout("");
    case.coracle(["network", "inspect", "net"])
        .code(125)
        .stdout("[]\n")
        .error("network net: unable to find network with name or ID net: network not found");
    let events =
        case.coracle(["events", "--stream=false", "--filter", "type=network", "--format", "{{.Status}} {{.Name}}"]);
    events.code(0).stdout("create net\nremove net\n");
}

#[test]
fn who_is_asked_for_other_names_changes() {
    let case = Case::new(Driver::Auto);
    internal(&case, "net", &["--subnet=10.203.4.0/24", "--dns=192.0.2.1"]);
    let update = |flags: &[&str]| case.coracle(["network", "update"].iter().chain(flags).copied());
    let servers = |network: &str| case.coracle(["network", "inspect", "-f", "{{.NetworkDNSServers}}", network]);
    update(&["--dns-add=192.0.2.2,192.0.2.1", "--dns-add=fd00::1", "net"]).code(0).stdout("net\n");
    servers("net").code(0).stdout("[192.0.2.1 192.0.2.2 fd00::1]\n");
    update(&["--dns-drop=192.0.2.1,192.0.2.9", "net"]).code(0).stdout("net\n");
    servers("net").code(0).stdout("[192.0.2.2 fd00::1]\n");
    // The one that is always there, too, which stays that.
    update(&["--dns-add=192.0.2.3", "podman"]).code(0);
    servers("podman").code(0).stdout("[192.0.2.3]\n");
    case.coracle(["network", "prune", "-f"]).code(0).stdout("net\n");
    case.coracle(["network", "rm", "podman"]).code(125).error("cannot be removed");
    update(&["--dns-add=x", "podman"]).code(125);
    update(&["--dns-add=192.0.2.3", "nope"]).code(125).error("network not found").says("hint: ");
}

/// What names mean is told again to those that run.
#[test]
fn reloaded() {
    let case = Case::new(Driver::Auto);
    internal(&case, "net", &["--subnet=10.203.5.0/24"]);
    serve(&case, "one", &["--network=net"]);
    serve(&case, "two", &["--network=none"]);
    let image = case.busybox();
    case.coracle(["create", "--name=three", "--network=net", &image, "true"]).succeeded();
    case.coracle(["exec", "one", "sh", "-c", "echo >/etc/hosts; echo >/etc/resolv.conf"]).code(0);
    let id = case.inspect("one", "{{.Id}}");
    case.coracle(["network", "reload", "-a"]).code(0).stdout(&format!("{id}\n"));
    let read = case.coracle(["exec", "one", "cat", "/etc/hosts", "/etc/resolv.conf"]).succeeded().stdout;
    assert!(read.contains("10.203.5.2\t") && read.contains("nameserver 169.254.1.1\n"), "{read}");
    case.coracle(["network", "reload", "one"]).code(0).stdout(&format!("{id}\n"));
    case.coracle(["network", "reload", "two"]).code(125).error("\"none\" is not supported: invalid network mode");
    case.coracle(["network", "reload", "--latest"])
        .code(125)
        .error("cannot reload network unless container network has been configured");
    case.coracle(["network", "reload"]).code(125).error("at least one name or id");
    case.coracle(["network", "reload", "-a", "one"]).code(125);
}

#[test]
fn in_use_and_unused() {
    let case = Case::new(Driver::Auto);
    for (name, label) in [("used", "k=1"), ("free", "k=1"), ("kept", "k=2")] {
        internal(&case, name, &["--label", label]);
    }
    serve(&case, "one", &["--network=used"]);
    case.coracle(["network", "rm", "used"])
        .code(2)
        .error("has associated containers with it")
        .says("hint: `--force` removes those on it, too: one");
    case.coracle(["network", "ls", "-q", "--filter", "dangling=true", "--filter", "name=e"])
        .code(0)
        .stdout("free\nkept\n");
    case.coracle(["network", "prune", "-f", "--filter", "label=k=1"]).code(0).stdout("free\n");
    case.coracle(["stop", "one"]).code(0);
    case.coracle(["network", "rm", "used"]).code(2);
    case.coracle(["network", "rm", "-f", "-t", "0", "used"]).code(0).stdout("used\n");
    case.coracle(["ps", "-aq"]).code(0).stdout("");
    let pruned = case.coracle(["system", "prune", "-f"]).succeeded().stdout;
    assert!(pruned.starts_with("Deleted Networks\nkept\n"), "{pruned}");
    case.coracle(["network", "rm", "podman"]).code(125).error("default network podman cannot be removed");
    case.coracle(["network", "ls", "-q"]).code(0).stdout("podman\n");
}

#[test]
fn what_makes_no_sense_is_refused() {
    let case = Case::new(Driver::Auto);
    internal(&case, "net", &["--subnet=10.203.2.0/24", "--interface-name=br7"]);
    let taken = "is already used on the host or by another config";
    for (flags, words) in [
        (&["net"][..], "network name net already used: network already exists"),
        (&["podman"], "network name podman already used"),
        (&["a b"], "network name a b invalid: names must match"),
        (&["a/b"], "network name a/b invalid: names must match"),
        (&["host"], "because it conflicts with a valid network mode"),
        (&["--subnet=10.203.0.0/16", "x"], taken),
        (&["--subnet=10.203.2.128/25", "x"], taken),
        (&["--subnet=10.203.3", "x"], "invalid CIDR address: 10.203.3"),
        (&["--gateway=10.203.3.1", "x"], "cannot set gateway or range without subnet"),
        (&["--subnet=10.203.3.0/24", "--gateway=10.203.3.255", "x"], "gateway 10.203.3.255 is no machine's address"),
        (&["--subnet=10.203.3.0/24", "--gateway=10.203.4.1", "x"], "gateway 10.203.4.1 not in subnet 10.203.3.0/24"),
        (&["--driver=frob", "x"], "failed to find driver or plugin \"frob\""),
        (&["--driver=macvlan", "x"], "the driver `macvlan` needs an interface of this machine"),
        (&["--opt=frob=1", "x"], "unsupported bridge network option frob"),
        (&["--interface-name=br7", "x"], "bridge name br7 already in use"),
        (&["--route=frob", "x"], "invalid route: frob"),
    ] {
        case.coracle(["network", "create"].iter().chain(flags).copied()).code(125).error(words).says("hint: ");
    }
    // What the host itself reaches is nobody's subnet.
    let routes = std::fs::read_to_string("/proc/net/route").unwrap();
    let used = routes.lines().skip(1).filter_map(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let number = |at: usize| u32::from_be(u32::from_str_radix(fields[at], 16).unwrap());
        let (first, mask) = (number(1), number(7));
        (mask != 0).then(|| format!("{}/{}", std::net::Ipv4Addr::from_bits(first), mask.count_ones()))
    });
    for subnet in used {
        case.coracle(["network", "create", "--subnet", &subnet, "x"]).code(125).error(taken).says("hint: ");
    }
    case.coracle(["network", "ls", "-q"]).code(0).stdout("net\npodman\n");
}
