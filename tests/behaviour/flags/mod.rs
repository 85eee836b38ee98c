//! What each flag of `run` and `create` does, seen from inside or in `inspect`.

mod accounts;
mod cdi;
mod configuration;
mod environment;
pub mod groups;
pub mod hooks;
mod image;
mod limits;
mod names;
mod namespaces;
mod security;
mod systemd;
mod traps;

use crate::harness::{Case, Finished};

/// `run --rm --network=none FLAGS… IMAGE sh -c SCRIPT`, the image busybox.
#[track_caller]
fn run(case: &Case, flags: &[&str], script: &str) -> Finished {
    let image = case.busybox();
    let head = ["run", "--rm", "--network=none"];
    case.coracle(head.iter().chain(flags).copied().chain([image.as_str(), "sh", "-c", script]))
}

/// One field of `inspect` of a container that was made with these flags.
#[track_caller]
fn inspected(case: &Case, flags: &[&str], template: &str) -> String {
    let image = case.busybox();
    let created = case.coracle(["create"].iter().chain(flags).copied().chain([image.as_str()])).succeeded();
    let shown = case.inspect(created.stdout.trim(), template);
    case.coracle(["rm", created.stdout.trim()]).succeeded();
    shown
}
