//! The network that a container has, and the files by which it knows itself and others.

pub mod named;

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use clap::{ArgAction, Args};

use super::namespaces::join_network;
use super::value::absolute;
use crate::cli::Report;
use crate::container::record::{Container, HOSTS_NONE, HOSTS_OF_IMAGE, HostAddress, Network};
use crate::network::pasta::Options;
use crate::network::resolv::Asked;
use crate::network::way::Maker;
use crate::oci::image_config::RunConfig;
use crate::store::Store;

#[derive(Debug, Args)]
#[command(next_help_heading = "Network")]
#[group(skip)]
pub struct Flags {
    /// Add a line to /etc/hosts
    #[arg(long, value_name = "NAME:ADDRESS")]
    add_host: Vec<String>,
    /// Ask this server for names in place of the host's; `none`: leave /etc/resolv.conf to the image
    #[arg(long, value_name = "ADDRESS")]
    dns: Vec<String>,
    /// An option of resolv.conf(5) in place of the host's
    #[arg(long, visible_alias = "dns-opt", value_name = "OPTION")]
    dns_option: Vec<String>,
    /// Look for names in this domain in place of the host's; `.`: in none
    #[arg(long, value_name = "DOMAIN")]
    dns_search: Vec<String>,
    /// Document a port, or a range of ports, that the program listens on
    #[arg(long, value_name = "PORT[-PORT][/PROTOCOL]", value_delimiter = ',')]
    expose: Vec<String>,
    /// Take the lines of this file into /etc/hosts in place of the host's; `image`: those of the image's own; `none`: no lines
    #[arg(long, value_name = "FILE")]
    hosts_file: Option<PathBuf>,
    #[command(flatten)]
    default_maker: DefaultMaker,
    /// The address of this machine, as containers are told of it; `none`: they are told of none
    #[arg(long, hide = true, value_name = "ADDRESS")]
    default_host_address: Option<String>,
    /// Words for pasta(1) before those of `--network=pasta:WORD,WORD`
    #[arg(long, hide = true, value_name = "WORD")]
    default_pasta_option: Vec<String>,
    /// `private`: a network of its own with a way out, by `stack`, this program itself, or by `pasta:WORD,WORD`, with words for
    /// pasta(1); `none`, `host`, `container:NAME`, `ns:PATH`; or the name of a network that others are on, more than once
    /// for several, with `:alias=`, `ip=`, `ip6=`, `mac=`, `interface_name=` behind it
    #[arg(long, visible_alias = "net", value_name = "MODE", default_value = "private", hide_default_value = true)]
    network: Vec<String>,
    #[command(flatten)]
    named: named::Flags,
    /// Leave /etc/hostname to the image
    #[arg(long)]
    no_hostname: bool,
    /// Leave /etc/hosts to the image
    #[arg(long, action = ArgAction::SetTrue)]
    no_hosts: bool,
}

/// What stands in containers.conf.
#[derive(Debug, Args)]
pub struct DefaultMaker {
    /// Who makes the way out where `--network` names nobody
    #[arg(long, hide = true, value_name = "NAME")]
    default_network_cmd: Option<String>,
    /// Where pasta(1) is looked for first
    #[arg(long, hide = true, value_name = "FOLDER")]
    pub default_helper_folder: Vec<PathBuf>,
}

impl DefaultMaker {
    pub fn get(&self) -> Result<Option<Maker>, Report> {
        match self.default_network_cmd.as_deref() {
            None | Some("") => Ok(None),
            Some("pasta") => Ok(Some(Maker::Pasta)),
            Some("stack" | "slirp4netns") => Ok(Some(Maker::Stack)),
            Some(other) => Err(Report::new(format!("the default_rootless_network_cmd `{other}` is not known"))
                .hint("`pasta`, `slirp4netns` and `stack` are")),
        }
    }
}

impl Flags {
    pub fn fill(&self, store: &Store, container: &mut Container, config: &RunConfig) -> Result<(), Report> {
        container.add_hosts.clone_from(&self.add_host);
        container.helper_folders.clone_from(&self.default_maker.default_helper_folder);
        self.mode(store, container)?;
        container.exposed_ports = config.exposed_ports.keys().map(|port| with_protocol(port)).collect();
        for text in &self.expose {
            container.exposed_ports.extend(ports(text)?);
        }
        let hosts_file = self.hosts_file.as_deref().filter(|path| !path.as_os_str().is_empty());
        if self.no_hosts && !self.add_host.is_empty() {
            return Err(Report::new("--no-hosts and --add-host cannot be set together"));
        }
        container.host_address = self.host_address()?;
        container.image_hosts = self.no_hosts;
        container.image_hostname = self.no_hostname;
        container.hosts_base = hosts_file.map(hosts_base).transpose()?;
        container.image_resolver = self.dns == ["none"];
        container.resolver = self.resolver(container.network)?;
        Ok(())
    }

    fn host_address(&self) -> Result<Option<HostAddress>, Report> {
        match self.default_host_address.as_deref() {
            None | Some("") => Ok(None),
            Some("none") => Ok(Some(HostAddress::Untold)),
            Some(text) => match text.parse() {
                Ok(address) => Ok(Some(HostAddress::Is(address))),
                Err(_) => Err(Report::new(format!("the host_containers_internal_ip `{text}` is no address"))
                    .hint("it is as `10.0.0.1` or `fd00::1`; `none`: containers have no name for this machine")),
            },
        }
    }

    /// The first of the modes says whether there can be others. slirp4netns, which is slower, has the stack in its place.
    fn mode(&self, store: &Store, container: &mut Container) -> Result<(), Report> {
        let first = self.network.first().map_or("private", String::as_str);
        match first.split_once(':') {
            Some(("container" | "ns", _)) => join_network(store, container, first)?,
            Some(("pasta", words)) => self.private(container, Some(Maker::Pasta), words),
            None if first == "pasta" => self.private(container, Some(Maker::Pasta), ""),
            Some(("slirp4netns", words)) => {
                return Err(Report::new(format!("slirp4netns is not used, and nobody takes its options: {words}"))
                    .hint("`--network=stack` has no need of it; `--network=pasta:WORD,WORD` hands words on"));
            }
            None if matches!(first, "stack" | "slirp4netns") => self.private(container, Some(Maker::Stack), ""),
            None if matches!(first, "private" | "default" | "") => {
                self.private(container, self.default_maker.get()?, "")
            }
            None if first == "none" => container.network = Network::None,
            None if first == "host" => container.network = Network::Host,
            _ => {
                container.way = self.default_maker.get()?;
                return self.named.fill(store, container, &self.network);
            }
        }
        self.named.refuse(first)?;
        if self.network.len() > 1 {
            return Err(Report::new(format!(
                "cannot set multiple networks without bridge network mode, selected mode {first}: invalid argument"
            ))
            .hint("several are named networks, all of them: `coracle network ls` lists those"));
        }
        Ok(())
    }

    fn private(&self, container: &mut Container, way: Option<Maker>, words: &str) {
        container.network = Network::Private;
        container.way = way;
        if way != Some(Maker::Stack) {
            container.network_options = Options::parse(&self.default_pasta_option, words);
        }
    }

    fn resolver(&self, network: Network) -> Result<Asked, Report> {
        let flags = [("dns", &self.dns), ("dns-search", &self.dns_search), ("dns-option", &self.dns_option)];
        let own = matches!(network, Network::Private | Network::Named | Network::Host);
        if let Some((flag, _)) = flags.into_iter().find(|(_, values)| !own && !values.is_empty()) {
            return Err(Report::new(format!(
                "conflicting options: {flag} and the network mode: {}",
                self.network.join(", ")
            )));
        }
        let server = |text: &String| {
            let none = || Report::new(format!("{text} is not an ip address"));
            text.parse::<IpAddr>()
                .map_err(|_| none().hint("servers are named by their addresses, as in `--dns 192.0.2.53`"))
        };
        let words =
            |texts: &[String]| match texts.iter().find(|text| text.is_empty() || text.contains(char::is_whitespace)) {
                Some(bad) => Err(Report::new(format!("{bad:?} is no word of resolv.conf(5)"))),
                None => Ok(texts.to_vec()),
            };
        Ok(Asked {
            servers: self.dns.iter().filter(|text| *text != "none").map(server).collect::<Result<_, _>>()?,
            searches: words(&self.dns_search)?,
            options: words(&self.dns_option)?,
        })
    }
}

/// The path made absolute; the words as they are.
fn hosts_base(path: &Path) -> Result<PathBuf, Report> {
    match path.to_str() {
        Some(HOSTS_NONE | HOSTS_OF_IMAGE) => Ok(path.to_owned()),
        _ => absolute(path),
    }
}

fn with_protocol(port: &str) -> String {
    if port.contains('/') { port.to_owned() } else { format!("{port}/tcp") }
}

/// `PORT[-PORT][/PROTOCOL]`: each of them, with its protocol.
fn ports(text: &str) -> Result<Vec<String>, Report> {
    let malformed = || Report::new(format!("invalid range format for --expose: {text}"));
    let (range, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
    let (first, last) = range.split_once('-').unwrap_or((range, range));
    let port = |text: &str| text.parse::<u16>().ok().filter(|port| *port > 0);
    let (first, last) = port(first).zip(port(last)).ok_or_else(malformed)?;
    if first > last || !["tcp", "udp", "sctp"].contains(&protocol) {
        return Err(malformed());
    }
    Ok((first..=last).map(|port| format!("{port}/{protocol}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_come_alone_and_in_ranges() {
        assert_eq!(ports("80").unwrap(), ["80/tcp"]);
        assert_eq!(ports("90-92/udp").unwrap(), ["90/udp", "91/udp", "92/udp"]);
        for bad in ["", "0", "x", "9-8", "65536", "80/x", "1-2-3", "80/"] {
            assert!(ports(bad).is_err(), "{bad}");
        }
    }
}
