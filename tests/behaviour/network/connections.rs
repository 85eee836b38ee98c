//! A container that opens as many connections as it can: neighbours go on, it does itself, and nothing is left of them.

use rustix::process::{Resource, getrlimit};

use super::confined::server;
use super::crowd::none_is_left;
use super::{reaches, serve};
use crate::harness::{Case, Driver, LIMIT, has, wait_for, wait_until};

const MANY: usize = 10_000;

/// Greets whoever comes, and keeps all of them until a signal says that they may go.
const GREETER: &str = r#"
    $| = 1;
    my $socket;
    socket($socket, 2, 1, 0) && bind($socket, pack("S n N x8", 2, 0, 0)) && listen($socket, 4096) or die "listen: $!";
    print +(unpack("S n", getsockname($socket)))[1], "\n";
    my @all;
    $SIG{USR1} = sub { @all = () };
    while (1) {
        accept(my $one, $socket) or next;
        syswrite($one, "hello\n");
        push(@all, $one);
    }
"#;

/// Opens so many connections to this machine, all of which are greeted, says so, and keeps them until it is told to go.
const CROWD: &str = r#"
    $| = 1;
    my ($port, $many) = @ARGV;
    my @all;
    for my $number (1 .. $many) {
        my ($one, $word);
        socket($one, 2, 1, 0) && connect($one, pack("S n C4 x8", 2, $port, 169, 254, 1, 2)) or die "$number: $!";
        sysread($one, $word, 6) == 6 or die "$number is not greeted: $!";
        push(@all, $one);
    }
    print "open\n";
    <STDIN>;
"#;

fn descriptors(pid: &str) -> usize {
    std::fs::read_dir(format!("/proc/{pid}/fd")).unwrap().count()
}

#[test]
fn ten_thousand_of_one_harm_no_other() {
    let case = Case::new(Driver::Auto);
    let most = getrlimit(Resource::Nofile).maximum;
    if !has("descriptors for ten thousand connections", most.is_none_or(|most| most * 3 / 4 > MANY as u64)) {
        return;
    }
    let debian = case.made("debian");
    case.coracle(["network", "create", "--subnet=10.212.1.0/24", "net"]).succeeded();
    serve(&case, "one", &["--network=net"]);
    serve(&case, "two", &["--network=net"]);
    let limit = "--ulimit=nofile=12000:12000";
    let run = ["run", "-d", "--stop-timeout=0", limit];
    let start = |flags: &[&str], command: &[&str]| {
        case.coracle(run.iter().chain(flags).copied().chain([&*debian]).chain(command.iter().copied())).succeeded();
    };
    start(&["--name=greeter", "--network=host"], &["perl", "-e", GREETER]);
    start(&["--name=many", "--network=net"], &["sleep", "1014"]);
    let port = wait_for("a port", LIMIT, || {
        let said = case.coracle(["logs", "greeter"]).stdout;
        said.ends_with('\n').then(|| said.trim_end().to_owned())
    });
    let greeted = |container: &str| {
        // Who greets does not close.
        let hear = ["exec", container, "timeout", "2", "nc", "169.254.1.2", &port];
        wait_until(&format!("{container} is greeted"), LIMIT, || case.coracle(hear).stdout == "hello\n");
    };
    let way = server(&case, "many", "coracle-stack");
    let before = descriptors(&way);
    let many = MANY.to_string();
    let mut crowd = case.command(["exec", "-i", "many", "perl", "-e", CROWD, &port, &many]).open_stdin().start();
    wait_until("all are open", LIMIT, || descriptors(&way) >= before + MANY);
    for (one, other) in [("one", "two"), ("two", "one")] {
        reaches(&case, one, other, other);
        greeted(one);
        case.coracle(["exec", one, "nslookup", "-type=a", "many"]).code(0);
    }
    crowd.close_stdin();
    crowd.finish().code(0).stdout("open\n");
    case.coracle(["kill", "-s", "USR1", "greeter"]).code(0);
    wait_until("all are closed", LIMIT, || descriptors(&way) <= before);
    case.coracle(["exec", "many", "getent", "ahostsv4", "one"]).succeeded();
    let again = ["exec", "many", "perl", "-e", CROWD, &port, "1"];
    case.coracle(again).code(0).stdout("open\n");
    greeted("one");
    assert_eq!(server(&case, "many", "coracle-stack"), way);
    case.coracle(["rm", "-f", "one", "two", "many", "greeter"]).code(0);
    none_is_left(&case);
}
