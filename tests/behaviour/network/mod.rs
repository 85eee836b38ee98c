//! Named networks: containers that find each other, and nobody else.
//!
//! Where a container only listens, its networks are internal: so none of the tests depends on a way out of this machine.

mod addresses;
pub mod changes;
mod confined;
mod connections;
mod crowd;
pub mod death;
pub mod names;
pub mod services;
mod verbs;

use crate::harness::{Case, Finished, LIMIT, wait_until};

/// What a container answers on port 7000.
pub fn server(greeting: &str) -> [String; 3] {
    ["sh".to_owned(), "-c".to_owned(), format!("while true; do echo {greeting} | nc -l -p 7000; done")]
}

/// Runs a container that answers with its name, on these networks.
pub fn serve(case: &Case, name: &str, flags: &[&str]) -> Finished {
    let (image, command) = (case.busybox(), server(name));
    let head = ["run", "-d", "--stop-timeout=0", "--name", name].into_iter().chain(flags.iter().copied());
    case.coracle(head.chain([&*image]).chain(command.iter().map(String::as_str))).succeeded()
}

/// A new network without a way out.
pub fn internal(case: &Case, name: &str, flags: &[&str]) {
    case.coracle(["network", "create", "--internal"].iter().chain(flags).copied().chain([name])).code(0);
}

/// What somebody answers to the container, empty where nobody does.
pub fn ask(case: &Case, container: &str, whom: &str) -> String {
    case.coracle(["exec", container, "nc", "-w", "2", whom, "7000"]).stdout.trim_end().to_owned()
}

/// Waits until `whom` answers the container by this greeting.
#[track_caller]
pub fn reaches(case: &Case, container: &str, whom: &str, greeting: &str) {
    wait_until(&format!("{whom} answers {container}"), LIMIT, || ask(case, container, whom) == greeting);
}

/// Of a container, its address on a network.
pub fn address(case: &Case, container: &str, network: &str) -> String {
    case.inspect(container, &format!("{{{{(index .NetworkSettings.Networks \"{network}\").IPAddress}}}}"))
}
