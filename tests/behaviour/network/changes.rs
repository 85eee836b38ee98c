//! `network connect` and `disconnect`.

use super::{address, ask, internal, reaches, serve};
use crate::harness::{Case, Driver};

/// Of a container that runs, at once; and it stays so.
pub fn while_it_runs(case: &Case) {
    internal(case, "left", &["--subnet=10.204.1.0/24"]);
    internal(case, "right", &["--subnet=10.204.2.0/24"]);
    serve(case, "one", &["--network=left"]);
    serve(case, "two", &["--network=right"]);
    assert_eq!(ask(case, "two", "one"), "");
    case.coracle(["network", "connect", "--alias=uno", "--ip=10.204.2.9", "right", "one"]).code(0);
    for whom in ["one", "uno", "10.204.2.9"] {
        reaches(case, "two", whom, "one");
    }
    reaches(case, "one", "two", "two");
    let hosts = case.coracle(["exec", "one", "cat", "/etc/hosts"]).succeeded().stdout;
    assert!(hosts.contains("10.204.1.2\t") && hosts.contains("10.204.2.9\t"), "{hosts}");
    let connected = "is already connected to network \"right\": network is already connected";
    case.coracle(["network", "connect", "right", "one"]).code(125).error(connected);
    case.coracle(["network", "connect", "--ip=10.204.1.2", "left", "two"])
        .code(125)
        .error("in use by the container `one`");
    case.coracle(["network", "disconnect", "left", "two"]).code(125).error("is not connected to network \"left\"");
    // All of it again in its next life.
    case.coracle(["restart", "-t", "0", "one"]).code(0);
    reaches(case, "two", "uno", "one");
    case.coracle(["network", "disconnect", "right", "one"]).code(0);
    assert_eq!((ask(case, "two", "uno"), ask(case, "two", "10.204.2.9")), (String::new(), String::new()));
    case.coracle(["exec", "one", "test", "-e", "/sys/class/net/eth1"]).code(1);
    assert_eq!(case.inspect("one", "{{len .NetworkSettings.Networks}}"), "1");
    // Its address is free at once.
    case.coracle(["network", "disconnect", "right", "two"]).code(0);
    case.coracle(["network", "connect", "--ip=10.204.2.9", "right", "two"]).code(0);
    assert_eq!(address(case, "two", "right"), "10.204.2.9");
}

#[test]
fn of_one_that_runs() {
    while_it_runs(&Case::new(Driver::Auto));
}

#[test]
fn of_one_that_does_not_run() {
    let case = Case::new(Driver::Auto);
    internal(&case, "left", &["--subnet=10.204.3.0/24"]);
    internal(&case, "right", &["--subnet=10.204.4.0/24"]);
    serve(&case, "two", &["--network=right"]);
    let image = case.busybox();
    let command = super::server("one");
    let head = ["create", "--stop-timeout=0", "--name=one", "--network=left", &image].into_iter();
    case.coracle(head.chain(command.iter().map(String::as_str))).succeeded();
    case.coracle(["network", "connect", "right", "one"]).code(0);
    case.coracle(["network", "disconnect", "left", "one"]).code(0);
    case.coracle(["network", "rm", "left"]).code(0);
    case.coracle(["start", "one"]).code(0);
    reaches(&case, "two", "one", "one");
    case.coracle(["create", "--name=three", &image, "true"]).succeeded();
    case.coracle(["network", "connect", "right", "three"])
        .code(125)
        .error("\"stack\" is not supported: invalid network mode")
        .says("hint: ");
    case.coracle(["network", "connect", "right", "nope"]).code(125).error("no such container");
    case.coracle(["network", "connect", "nope", "one"]).code(125).error("network not found");
}

/// The way out comes with a start, and that is said.
#[test]
fn from_an_internal_network_to_another() {
    let case = Case::new(Driver::Auto);
    internal(&case, "inner", &["--subnet=10.204.8.0/24"]);
    case.coracle(["network", "create", "--subnet=10.204.9.0/24", "outer"]).code(0);
    serve(&case, "one", &["--network=inner"]);
    case.coracle(["exec", "one", "test", "-e", "/sys/class/net/out0"]).code(1);
    let connected = case.coracle(["network", "connect", "outer", "one"]).code(0);
    assert!(connected.stderr.contains("from its next start on"), "{connected}");
    case.coracle(["restart", "-t", "0", "one"]).code(0);
    case.coracle(["exec", "one", "test", "-e", "/sys/class/net/out0"]).code(0);
    // What is published on internal networks leads nowhere.
    let image = case.busybox();
    let made = case.coracle(["create", "--network=inner", "-p", "7000", &image, "true"]).code(0);
    assert!(made.stderr.contains("port mappings have been discarded"), "{made}");
}

/// One that was made again under the same name has its new addresses, though somebody had been on the old one.
#[test]
fn a_network_made_again() {
    let case = Case::new(Driver::Auto);
    internal(&case, "net", &["--subnet=10.204.5.0/24"]);
    internal(&case, "other", &["--subnet=10.204.6.0/24"]);
    serve(&case, "one", &["--network=net", "--network=other"]);
    case.coracle(["network", "disconnect", "net", "one"]).code(0);
    case.coracle(["network", "rm", "net"]).code(0);
    internal(&case, "net", &["--subnet=10.204.7.0/24"]);
    case.coracle(["network", "connect", "net", "one"]).code(0);
    serve(&case, "two", &["--network=net"]);
    assert_eq!(
        (address(&case, "one", "net"), address(&case, "two", "net")),
        ("10.204.7.2".into(), "10.204.7.3".into())
    );
    reaches(&case, "two", "10.204.7.2", "one");
}
