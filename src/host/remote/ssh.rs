//! Another machine, by way of `ssh`: a command there, its input and output here.

use std::process::{Child, Command, Stdio};
use std::str::FromStr;

use crate::host::fault;
use crate::sys::{self, Call};

/// `[ssh://][user@]host[:port][/…]`; `host` may be an alias of ssh's configuration. What follows a `/`, the socket of another
/// program's service, is not needed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Host {
    /// `[user@]host`.
    pub name: String,
    port: Option<u16>,
}

/// A text that names no machine.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{0}` is not a machine that ssh could reach: expected `[USER@]HOST[:PORT]`")]
pub struct HostError(String);

impl FromStr for Host {
    type Err = HostError;

    fn from_str(text: &str) -> Result<Self, HostError> {
        let bad = || HostError(text.chars().take(80).collect());
        let rest = text.strip_prefix("ssh://").unwrap_or(text);
        let rest = rest.split('/').next().unwrap_or_default();
        let (name, port) = match rest.rsplit_once(':') {
            // The colons of a bare IPv6 address are no port's.
            Some((name, port)) if !name.contains(':') || name.ends_with(']') => {
                (name, Some(port.parse().map_err(|_| bad())?))
            }
            _ => (rest, None),
        };
        let name = name.replace(['[', ']'], "");
        let plain = |c: char| c.is_ascii_alphanumeric() || "@._-:%".contains(c);
        // ssh must not take it for an option.
        let good = name.chars().all(plain) && name.split('@').all(|part| !part.is_empty() && !part.starts_with('-'));
        if good { Ok(Self { name, port }) } else { Err(bad()) }
    }
}

/// Starts a command line of a shell there. What it says on standard error is shown here.
pub fn start(host: &Host, line: &str, input: Stdio, output: Stdio) -> sys::Result<Child> {
    fault::point("ssh: start").call("execve(ssh)")?;
    let mut command = Command::new("ssh");
    if let Some(port) = host.port {
        command.args(["-p", &port.to_string()]);
    }
    command.args(["--", &host.name, line]).stdin(input).stdout(output);
    command.spawn().call("execve(ssh)")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn machines_are_told_from_options() {
        let host = |text: &str| text.parse::<Host>().map(|host| (host.name, host.port)).ok();
        let named = |name: &str, port| Some((name.to_owned(), port));
        assert_eq!(host("box"), named("box", None));
        assert_eq!(host("me@box.lan:2222"), named("me@box.lan", Some(2222)));
        assert_eq!(host("ssh://me@10.0.0.1:22/run/user/1000/podman/podman.sock"), named("me@10.0.0.1", Some(22)));
        assert_eq!(host("[fe80::1%eth0]:22"), named("fe80::1%eth0", Some(22)));
        assert_eq!(host("::1"), named("::1", None));
        for bad in ["", "-oProxyCommand=x", "me@-x", "a b", "box:port", "box:70000", "x;y", "$(x)", "@", "ssh:///x"] {
            assert_eq!(host(bad), None, "{bad}");
        }
    }
}
