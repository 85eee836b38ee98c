//! `network create`.

use std::net::IpAddr;
use std::process::ExitCode;

use clap::Args;

use super::subnets::Subnets;
use crate::cli::{Context, Report, output, pairs};
use crate::container::state;
use crate::container::watch::events::{self, Action, Event, Kind};
use crate::network::named;
use crate::store::names;
use crate::store::networks::{Network, Networks, Route};

/// What `--network` means otherwise.
const MODES: [&str; 10] =
    ["bridge", "container", "default", "host", "none", "ns", "pasta", "private", "slirp4netns", "stack"];
/// The largest packet that a pair of interfaces takes, and the smallest that IPv4 may need.
const MTU: std::ops::RangeInclusive<u32> = 68..=65_535;

/// Make a network on which containers find each other
#[derive(Debug, Args)]
pub struct Create {
    /// Containers' names are not known on it
    #[arg(long)]
    disable_dns: bool,
    /// Ask this server for other names in place of the host's
    #[arg(long, value_name = "ADDRESS", value_delimiter = ',')]
    dns: Vec<IpAddr>,
    /// `bridge`, the only one
    #[arg(long, short, value_name = "DRIVER", default_value = "bridge", hide_default_value = true)]
    driver: String,
    #[command(flatten)]
    subnets: Subnets,
    /// One of this name that is there already is no failure
    #[arg(long)]
    ignore: bool,
    /// The name of its bridge [default: podman1, podman2, …]
    #[arg(long, value_name = "NAME")]
    interface_name: Option<String>,
    /// Its containers reach each other and nothing else
    #[arg(long)]
    internal: bool,
    /// `host-local`, the only one
    #[arg(long, hide = true, value_name = "DRIVER", default_value = "host-local")]
    ipam_driver: String,
    /// Set a label
    #[arg(long, value_name = "NAME[=VALUE]")]
    label: Vec<String>,
    /// `mtu=BYTES`: the largest packet; `isolate=true`, as all networks are
    #[arg(long = "opt", short, value_name = "NAME=VALUE")]
    options: Vec<String>,
    /// A way that its containers know: through a machine on the network
    #[arg(long, value_name = "SUBNET,GATEWAY[,METRIC]")]
    route: Vec<String>,
    /// Its name [default: that of its bridge]
    name: Option<String>,
}

impl Create {
    pub fn run(self, context: &Context) -> Result<ExitCode, Report> {
        let store = context.store()?;
        let _lock = store.lock_networks()?;
        let Networks { found: others, broken } = store.networks()?;
        if let Some(name) = &self.name {
            self.check_name(name)?;
            if broken.iter().any(|(broken, _)| broken == name) || others.iter().any(|other| other.name == *name) {
                if self.ignore {
                    output::line(name);
                    return Ok(ExitCode::SUCCESS);
                }
                return Err(Report::new(format!("network name {name} already used: network already exists"))
                    .hint("`--ignore` takes the one that is there"));
            }
        }
        let network = self.network(&others)?;
        store.write_network(&network)?;
        events::record(store.layout().root(), &[Event::new(Kind::Network, Action::Create, &network.id, &network.name)]);
        output::line(&network.name);
        Ok(ExitCode::SUCCESS)
    }

    fn check_name(&self, name: &str) -> Result<(), Report> {
        if names::check(name).is_err() || name.len() > 200 {
            return Err(Report::new(format!(
                "network name {name} invalid: names must match [a-zA-Z0-9][a-zA-Z0-9_.-]*: invalid argument"
            ))
            .hint("letters and digits, and behind the first of them `_`, `.` and `-`; at most 200"));
        }
        if MODES.contains(&name) {
            return Err(Report::new(format!(
                "cannot create network with name \"{name}\" because it conflicts with a valid network mode"
            ))
            .hint("`--network` means something else by it: any other name will do"));
        }
        Ok(())
    }

    fn network(&self, others: &[Network]) -> Result<Network, Report> {
        self.check_drivers()?;
        let interface = self.interface(others)?;
        let name = self.name.clone().unwrap_or_else(|| interface.clone());
        let subnets = self.subnets.settle(others)?;
        let options = pairs(&self.options);
        for (key, value) in &options {
            check_option(key, value)?;
        }
        // Docker's word for it.
        let canonical = |key: String| if key == "com.docker.network.driver.mtu" { "mtu".to_owned() } else { key };
        Ok(Network {
            id: Network::id_of(&name),
            name,
            created: state::now(),
            interface,
            ipv6: subnets.iter().any(|lan| lan.subnet.is_ipv6()),
            routes: self.route.iter().map(|text| route(text)).collect::<Result<_, _>>()?,
            subnets,
            internal: self.internal,
            dns: !self.disable_dns,
            dns_servers: self.dns.clone(),
            labels: pairs(&self.label),
            options: options.into_iter().map(|(key, value)| (canonical(key), value)).collect(),
        })
    }

    fn check_drivers(&self) -> Result<(), Report> {
        match (self.driver.as_str(), self.ipam_driver.as_str()) {
            ("bridge", "host-local") => Ok(()),
            ("macvlan" | "ipvlan", _) => Err(Report::new(format!(
                "the driver `{}` needs an interface of this machine, which no account may use",
                self.driver
            ))
            .hint("`--driver=bridge`, and `-p` publishes ports of its containers")),
            ("bridge", other) => Err(Report::new(format!("unsupported ipam driver \"{other}\""))),
            (driver, _) => Err(Report::new(format!("failed to find driver or plugin \"{driver}\""))
                .hint("`bridge` is the only driver")),
        }
    }

    /// Its bridge, of which there is one of a name.
    fn interface(&self, others: &[Network]) -> Result<String, Report> {
        let is_taken = |name: &str| others.iter().any(|other| other.interface == name || other.name == name);
        match &self.interface_name {
            None => Ok((1..).map(|number| format!("podman{number}")).find(|name| !is_taken(name)).unwrap_or_default()),
            Some(name) if !named::is_interface(name) => {
                Err(Report::new(format!("`{name}` is no name of an interface")).hint("at most 15 letters and digits"))
            }
            Some(name) => match others.iter().find(|other| other.interface == *name) {
                Some(other) => Err(Report::new(format!(
                    "bridge name {name} already in use by network `{}`: network already exists",
                    other.name
                ))
                .hint("without `--interface-name` one is found that no network has")),
                None => Ok(name.clone()),
            },
        }
    }
}

fn check_option(key: &str, value: &str) -> Result<(), Report> {
    match key {
        "mtu" | "com.docker.network.driver.mtu" if value.parse().is_ok_and(|mtu| MTU.contains(&mtu)) => Ok(()),
        "mtu" | "com.docker.network.driver.mtu" => {
            Err(Report::new(format!("unable to parse \"{value}\" as the network's MTU")).hint("68 to 65535"))
        }
        // Networks never reach each other.
        "isolate" if ["true", "false", "strict"].contains(&value) => Ok(()),
        _ => {
            Err(Report::new(format!("unsupported bridge network option {key}")).hint("`mtu=` and `isolate=` are known"))
        }
    }
}

fn route(text: &str) -> Result<Route, Report> {
    let bad = || Report::new(format!("invalid route: {text}")).hint("`SUBNET,GATEWAY` or `SUBNET,GATEWAY,METRIC`");
    let fields: Vec<&str> = text.split(',').collect();
    let (destination, gateway, metric) = match fields[..] {
        [destination, gateway] => (destination, gateway, None),
        [destination, gateway, metric] => (destination, gateway, Some(metric.parse().map_err(|_| bad())?)),
        _ => return Err(bad()),
    };
    let (destination, gateway) = destination.parse().ok().zip(gateway.parse().ok()).ok_or_else(bad)?;
    Ok(Route { destination, gateway, metric })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_and_routes() {
        assert!(check_option("mtu", "1400").is_ok() && check_option("isolate", "strict").is_ok());
        for (key, value) in [("mtu", "0"), ("mtu", "x"), ("vlan", "1"), ("isolate", "no")] {
            assert!(check_option(key, value).is_err(), "{key}={value}");
        }
        assert_eq!(route("10.1.0.0/16,10.89.0.9,5").unwrap().metric, Some(5));
        for bad in ["", "10.1.0.0/16", "10.1.0.0,10.89.0.9", "10.1.0.0/16,x", "10.1.0.0/16,10.89.0.9,x"] {
            assert!(route(bad).is_err(), "{bad}");
        }
    }
}
