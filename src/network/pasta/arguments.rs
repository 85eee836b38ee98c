//! The command line of pasta: what it is always told, which ports it publishes, and the user's own words.

use std::ffi::CString;
use std::net::Ipv4Addr;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::network::ports::{Protocol, Published};
use crate::network::{DNS_FORWARD, HOST};

/// Podman's word, which pasta does not know: the gateway's address inside means this machine's loopback.
const MAP_GATEWAY: &str = "--map-gw";

/// By which an address inside means this machine, since 2024_08_21: its services, without those that listen on its loopback alone.
pub const MAP_HOST: &str = "--map-guest-addr";

/// What a way out is to be.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Wanted {
    /// The ports of this machine that lead inside.
    pub published: Vec<Published>,
    pub options: Options,
    /// How its interface is called inside; `None`: as that of this machine.
    #[serde(default)]
    pub interface: Option<String>,
    /// Where it is looked for first.
    #[serde(default)]
    pub folders: Vec<PathBuf>,
}

/// Words of the user's: what they say is not said otherwise.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Options(Vec<String>);

impl Options {
    /// `WORD,WORD`, behind others.
    pub fn parse(before: &[String], text: &str) -> Self {
        let words = text.split(',').filter(|word| !word.is_empty()).map(str::to_owned);
        Self(before.iter().cloned().chain(words).collect())
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Where name queries inside go to the host's resolver.
    pub fn dns_forward(&self) -> Ipv4Addr {
        let behind = |(at, word): (usize, &String)| match word.strip_prefix("--dns-forward")? {
            "" => self.0.get(at + 1)?.parse().ok(),
            value => value.strip_prefix('=')?.parse().ok(),
        };
        self.0.iter().enumerate().find_map(behind).unwrap_or(DNS_FORWARD)
    }

    /// Whether the container gets another address than this machine's.
    pub fn name_an_address(&self) -> bool {
        self.say("-a", "--address")
    }

    /// Whether a flag is among them; `short`: `-x`, or nothing.
    fn say(&self, short: &str, long: &str) -> bool {
        let is_short = |word: &str| !short.is_empty() && !word.starts_with("--") && word.starts_with(short);
        let is_long = |word: &str| word.strip_prefix(long).is_some_and(|rest| rest.is_empty() || rest.starts_with('='));
        self.0.iter().any(|word| is_short(word) || is_long(word))
    }
}

/// `maps_host`: the version knows [`MAP_HOST`].
pub fn arguments(wanted: &Wanted, maps_host: bool) -> Vec<CString> {
    let Wanted { published, options, interface, .. } = wanted;
    let fixed = [
        "pasta",
        "--foreground",
        "--config-net",
        "--netns",
        "/proc/self/fd/0",
        // Else it watches a directory for the end of the namespace, which for a descriptor never comes.
        "--no-netns-quit",
        "--pid",
        "/proc/self/fd/1",
    ];
    let mut words: Vec<String> = fixed.map(str::to_owned).into();
    let mut say = |flag: &str, value: &str| words.extend([flag, value].map(str::to_owned));
    // Its defaults forward every port that anyone listens on, both ways.
    for (short, long) in [("-T", "--tcp-ns"), ("-U", "--udp-ns")] {
        if !options.say(short, long) {
            say(long, "none");
        }
    }
    for (short, long, protocol) in [("-t", "--tcp-ports", Protocol::Tcp), ("-u", "--udp-ports", Protocol::Udp)] {
        let specs = specs(published, protocol);
        specs.iter().for_each(|spec| say(long, spec));
        if specs.is_empty() && !options.say(short, long) {
            say(long, "none");
        }
    }
    if !options.say("", "--dns-forward") {
        say("--dns-forward", &DNS_FORWARD.to_string());
    }
    if let Some(interface) = interface.as_ref().filter(|_| !options.say("-I", "--ns-ifname")) {
        say("--ns-ifname", interface);
    }
    if maps_host && !options.say("", MAP_HOST) {
        say(MAP_HOST, &HOST.to_string());
    }
    if !options.say("-d", "--debug") && !options.say("", "--trace") {
        words.push("--quiet".to_owned());
    }
    // Else the gateway's address inside means this machine's loopback, and what listens there.
    if !options.say("", MAP_GATEWAY) && !options.say("", "--no-map-gw") {
        words.push("--no-map-gw".to_owned());
    }
    words.extend(options.0.iter().filter(|word| *word != MAP_GATEWAY).cloned());
    words.into_iter().filter_map(|word| CString::new(word).ok()).collect()
}

/// `[ADDRESS/]FIRST-LAST:FIRST-LAST`, of this machine and then the container's.
fn specs(published: &[Published], protocol: Protocol) -> Vec<String> {
    let spec = |one: &Published| {
        let range = |first: u16| format!("{first}-{}", first + (one.count - 1));
        let address = one.address.map_or_else(String::new, |address| format!("{address}/"));
        format!("{address}{}:{}", range(one.host), range(one.container))
    };
    published.iter().filter(|one| one.protocol == protocol).map(spec).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::ports;

    fn line(ports: &[&str], options: &str) -> String {
        let published = ports.iter().flat_map(|text| ports::parse(text).unwrap()).collect();
        let wanted = Wanted { published, options: Options::parse(&[], options), ..Wanted::default() };
        arguments(&wanted, false).iter().skip(8).map(|word| word.to_str().unwrap()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn nothing_leads_in_or_to_the_host_unless_asked_for() {
        assert_eq!(
            line(&[], ""),
            "--tcp-ns none --udp-ns none --tcp-ports none --udp-ports none --dns-forward 169.254.1.1 --quiet --no-map-gw"
        );
        let published = line(&["8080-8081:80-81", "[::1]:8082:82", "127.0.0.1:53:5353/udp"], "");
        assert!(
            published.contains(
                " --tcp-ports 8080-8081:80-81 --tcp-ports ::1/8082-8082:82-82 --udp-ports 127.0.0.1/53-53:5353-5353 "
            ),
            "{published}"
        );
    }

    #[test]
    fn the_users_word_is_not_contradicted() {
        let options = "-T,5201,--udp-ns=auto,-t,auto,--dns-forward,192.0.2.53,--map-gw,--mtu,1500";
        assert_eq!(
            line(&[], options),
            "--udp-ports none --quiet -T 5201 --udp-ns=auto -t auto --dns-forward 192.0.2.53 --mtu 1500"
        );
        for (options, dns) in
            [(options, "192.0.2.53"), ("--dns-forward=192.0.2.54", "192.0.2.54"), ("-a,1.2.3.4", "169.254.1.1")]
        {
            assert_eq!(Options::parse(&[], options).dns_forward().to_string(), dns);
        }
        assert!(!line(&[], "--debug").contains("--quiet"));
        let maps = |options| {
            let wanted = Wanted { options: Options::parse(&[], options), ..Wanted::default() };
            arguments(&wanted, true).iter().filter(|word| word.to_str() == Ok(MAP_HOST)).count()
        };
        assert_eq!((maps(""), maps("--map-guest-addr,192.0.2.7")), (1, 1));
    }
}
