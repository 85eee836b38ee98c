//! Real programs of Debian's on a network: a web server, a database and who asks both.

use std::process::Command;

use crate::harness::{Case, Driver, LIMIT, wait_until};

const DATABASE: &str = "PATH=$PATH:$(echo /usr/lib/postgresql/*/bin); initdb -D /tmp/data -A trust >/tmp/log &&
    echo 'host all all samenet trust' >>/tmp/data/pg_hba.conf &&
    exec postgres -D /tmp/data -c listen_addresses='*' -c unix_socket_directories=/tmp";
const WEB: &str = "echo found >/var/www/html/page; exec nginx -g 'daemon off;'";

/// They find each other by name; the web server is reached from this machine, too, and bears a load.
pub fn web_database_and_client(case: &Case) {
    let image = case.made("debian-services");
    case.coracle(["network", "create", "net"]).code(0);
    let run = ["run", "-d", "--network=net", "--stop-timeout=0"];
    let start = |flags: &[&str], script: &str| {
        case.coracle(run.iter().chain(flags).copied().chain([&*image, "sh", "-c", script])).succeeded();
    };
    start(&["--name=db", "--user=postgres"], DATABASE);
    start(&["--name=web", "-p", "127.0.0.1::80"], WEB);
    start(&["--name=client", "-e", "PGUSER=postgres", "-e", "PGCONNECT_TIMEOUT=5"], "exec sleep 1000");
    let ask = |command: &[&str]| case.coracle(["exec", "client"].iter().chain(command).copied());
    wait_until("the database answers", LIMIT, || ask(&["psql", "-h", "db", "-Atc", "select 6 * 7"]).stdout == "42\n");
    wait_until("the web server answers", LIMIT, || ask(&["curl", "-s", "http://web/page"]).stdout == "found\n");
    ask(&["psql", "-h", "db", "-c", "create table kept as select generate_series(1, 100000) as number"]).code(0);
    ask(&["psql", "-h", "db", "-Atc", "select sum(number) from kept"]).code(0).stdout("5000050000\n");
    let port = case.coracle(["port", "web", "80"]).succeeded().stdout;
    let page = format!("http://{}/page", port.trim_end());
    let load = Command::new("wrk").args(["-t1", "-c50", "-d3s", &page]).output().unwrap();
    let said = String::from_utf8_lossy(&load.stdout);
    let is_wrong = ["Socket errors", "Non-2xx"].iter().any(|words| said.contains(words));
    assert!(load.status.success() && said.contains("requests in") && !is_wrong, "{said}");
    // A new start keeps name and address.
    case.coracle(["restart", "web"]).code(0);
    wait_until("the web server answers again", LIMIT, || ask(&["curl", "-s", "http://web/page"]).stdout == "found\n");
}

#[test]
fn they_find_each_other() {
    web_database_and_client(&Case::new(Driver::Auto));
}
