//! `--network NAME[:OPTION=VALUE,…]` and the flags that say more about one: named networks.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use clap::Args;

use crate::cli::Report;
use crate::container::networks::{self, Attachment};
use crate::container::record::{Container, Network};
use crate::network::named;
use crate::store::{Store, names};

#[derive(Debug, Args)]
#[command(next_help_heading = "Network")]
#[group(skip)]
pub struct Flags {
    /// The IPv4 address on the network
    #[arg(long, value_name = "ADDRESS")]
    ip: Option<Ipv4Addr>,
    /// The IPv6 address on the network
    #[arg(long, value_name = "ADDRESS")]
    ip6: Option<Ipv6Addr>,
    /// The hardware's address on the network
    #[arg(long, value_name = "ADDRESS", value_parser = mac)]
    mac_address: Option<String>,
    /// Another name by which the container is found on its networks
    #[arg(long, alias = "net-alias", value_name = "NAME")]
    network_alias: Vec<String>,
}

/// As it is written down.
pub fn mac(text: &str) -> Result<String, String> {
    named::parse_mac(text).map(named::mac_text).ok_or_else(|| format!("`{text}` is no address of one interface"))
}

/// A name by which others may ask.
pub fn alias(text: &str) -> Result<String, Report> {
    let is_letter = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let is_label = |label: &str| (1..64).contains(&label.len()) && label.chars().all(is_letter);
    match text.len() <= 253 && text.split('.').all(is_label) {
        true => Ok(text.to_owned()),
        false => Err(Report::new(format!("the alias {text:?} is no name of a host"))
            .hint("letters, digits, `-` and `_`, with dots between parts of at most 63 of them")),
    }
}

impl Flags {
    fn addresses(&self) -> Vec<IpAddr> {
        self.ip.map(IpAddr::V4).into_iter().chain(self.ip6.map(IpAddr::V6)).collect()
    }

    /// Puts the container on the networks that were named, all of them.
    pub fn fill(&self, store: &Store, container: &mut Container, given: &[String]) -> Result<(), Report> {
        container.network = Network::Named;
        for text in given {
            let attachment = self.attachment(store, container, text)?;
            if container.networks.iter().any(|other| other.network == attachment.network) {
                return Err(Report::new(format!("the network `{}` is named twice", attachment.network))
                    .hint("once is enough: `--network NAME:alias=…,alias=…` says all of it"));
            }
            if container.networks.iter().any(|other| other.interface == attachment.interface) {
                return Err(Report::new(format!("the interface `{}` is named twice", attachment.interface))
                    .hint("`--network NAME:interface_name=…` gives each a name of its own"));
            }
            container.networks.push(attachment);
        }
        let (addresses, mac) = (self.addresses(), self.mac_address.clone());
        match &mut container.networks[..] {
            [only] => {
                only.addresses.extend(addresses);
                only.mac = mac.or(only.mac.take());
            }
            _ if addresses.is_empty() && mac.is_none() => {}
            _ => {
                return Err(Report::new("--ip, --ip6 and --mac-address can only be set for a single network")
                    .hint("`--network NAME:ip=ADDRESS,mac=ADDRESS` sets them for each"));
            }
        }
        Ok(())
    }

    /// Where the container is on none.
    pub fn refuse(&self, mode: &str) -> Result<(), Report> {
        let flags = [
            ("--ip", self.ip.is_some()),
            ("--ip6", self.ip6.is_some()),
            ("--mac-address", self.mac_address.is_some()),
            ("--network-alias", !self.network_alias.is_empty()),
        ];
        match flags.into_iter().find(|(_, given)| *given) {
            Some((flag, _)) => Err(Report::new(format!(
                "{flag} needs a named network, and the network mode is `{mode}`"
            ))
            .hint(
                "`--network=pasta:--address,ADDRESS` and `--network=pasta:--ns-mac-addr,ADDRESS` give other addresses \
                     to a private one; `coracle network create NAME` makes a named one",
            )),
            None => Ok(()),
        }
    }

    fn attachment(&self, store: &Store, container: &Container, text: &str) -> Result<Attachment, Report> {
        let (name, options) = text.split_once(':').unwrap_or((text, ""));
        if names::check(name).is_err() {
            return Err(Report::new(format!("the network `{name}` is not known")).hint(
                "`none`, `host`, `private`, `pasta:WORD,WORD`, `container:NAME`, `ns:PATH` and names of networks are",
            ));
        }
        let network = networks::get(store, name)?;
        let aliases = self.network_alias.iter().map(|text| alias(text)).collect::<Result<_, _>>()?;
        let interface = container.free_interface();
        let mut attachment = Attachment { network: network.name, interface, aliases, ..Attachment::default() };
        for option in options.split(',').filter(|option| !option.is_empty()) {
            set(&mut attachment, option)?;
        }
        if !attachment.aliases.is_empty() && !network.dns {
            return Err(Report::new(format!(
                "cannot set network aliases for network \"{}\" because dns is disabled",
                attachment.network
            ))
            .hint("`coracle network create` makes networks on which names are known"));
        }
        Ok(attachment)
    }
}

fn set(attachment: &mut Attachment, option: &str) -> Result<(), Report> {
    let (key, value) = option.split_once('=').unwrap_or((option, ""));
    let bad = |family: &str| Report::new(format!("`{value}` is not an {family} address"));
    match key {
        "alias" => attachment.aliases.push(alias(value)?),
        "ip" => attachment.addresses.push(IpAddr::V4(value.parse().map_err(|_| bad("IPv4"))?)),
        "ip6" => attachment.addresses.push(IpAddr::V6(value.parse().map_err(|_| bad("IPv6"))?)),
        "mac" => attachment.mac = Some(mac(value).map_err(Report::new)?),
        "interface_name" if named::is_interface(value) => value.clone_into(&mut attachment.interface),
        "interface_name" => return Err(Report::new(format!("`{value}` is no name of an interface"))),
        _ => {
            return Err(Report::new(format!("unknown bridge network option: {key}"))
                .hint("`alias=`, `ip=`, `ip6=`, `mac=` and `interface_name=` are known"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_of_an_attachment() {
        let mut attachment = Attachment::default();
        for option in [
            "alias=db",
            "alias=sql.internal",
            "ip=10.1.1.2",
            "ip6=fd00::2",
            "mac=02:00:00:00:00:01",
            "interface_name=net0",
        ] {
            set(&mut attachment, option).unwrap();
        }
        assert_eq!(attachment.aliases, ["db", "sql.internal"]);
        assert_eq!(attachment.addresses.len(), 2);
        assert_eq!((attachment.mac.as_deref(), attachment.interface.as_str()), (Some("02:00:00:00:00:01"), "net0"));
        for bad in [
            "ip=fd00::2",
            "ip6=10.1.1.2",
            "ip=x",
            "mac=1",
            "interface_name=lo",
            "alias=",
            "alias=a b",
            "alias=a/b",
            "alias=a..b",
            "alias=ä",
            "foo=1",
        ] {
            assert!(set(&mut attachment, bad).is_err(), "{bad}");
        }
    }
}
