//! `NetworkSettings` of `inspect`.

use serde_json::{Map, Value, json};

use crate::cli::Report;
use crate::cli::container::published;
use crate::container::networks::{Attachment, get, members};
use crate::container::record::{Container, Network};
use crate::container::state::{State, Status};
use crate::store::Store;
use crate::store::networks as store_networks;
use crate::store::networks::members::Member;

/// What a container has on a network, as far as it runs.
fn endpoint(on: Option<(&store_networks::Network, &Member)>) -> Map<String, Value> {
    let address = |ipv6: bool| {
        let (network, member) = on?;
        let address = member.addresses.iter().find(|address| address.is_ipv6() == ipv6)?;
        let lan = network.subnets.iter().find(|lan| lan.subnet.contains(*address))?;
        Some((address.to_string(), lan.subnet.prefix(), lan.gateway.to_string()))
    };
    let (address4, prefix4, gateway4) = address(false).unwrap_or_default();
    let (address6, prefix6, gateway6) = address(true).unwrap_or_default();
    let pairs = [
        ("EndpointID", json!("")),
        ("Gateway", json!(gateway4)),
        ("IPAddress", json!(address4)),
        ("IPPrefixLen", json!(prefix4)),
        ("IPv6Gateway", json!(gateway6)),
        ("GlobalIPv6Address", json!(address6)),
        ("GlobalIPv6PrefixLen", json!(prefix6)),
        ("MacAddress", json!(on.map_or("", |(_, member)| &member.mac))),
    ];
    pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}

fn own(endpoint: Map<String, Value>, id: &str, aliases: Option<Vec<String>>) -> Value {
    let mut own = endpoint;
    own.insert("NetworkID".to_owned(), id.into());
    for none in ["DriverOpts", "IPAMConfig", "Links"] {
        own.insert(none.to_owned(), Value::Null);
    }
    if let Some(aliases) = aliases {
        own.insert("Aliases".to_owned(), aliases.into());
    }
    Value::Object(own)
}

/// By the names of its networks. Whose network is another's, that one has it.
fn networks(store: &Store, container: &Container) -> Result<Value, Report> {
    match container.network {
        Network::Joined => return Ok(json!({})),
        Network::Named => {}
        _ => {
            let mode = container.network_mode();
            return Ok(json!({ &mode: own(endpoint(None), &mode, None) }));
        }
    }
    let members = members(store, container)?;
    let mut all = Map::new();
    for attachment @ Attachment { network: name, .. } in &container.networks {
        let network = get(store, name)?;
        let member = members.iter().find(|(other, _)| other.id == network.id).map(|(_, member)| member);
        let endpoint = endpoint(member.map(|member| (&network, member)));
        all.insert(name.clone(), own(endpoint, &network.id, Some(container.aliases(attachment))));
    }
    Ok(Value::Object(all))
}

pub fn settings(store: &Store, container: &Container, state: &State) -> Result<Value, Report> {
    let mut settings = match &container.networks[..] {
        // Docker's clients of old look for the one address here.
        [_] => members(store, container)?
            .first()
            .map_or_else(|| endpoint(None), |(on, member)| endpoint(Some((on, member)))),
        _ => endpoint(None),
    };
    let runs = state.status == Status::Running && container.network != Network::Host;
    let more = [
        ("Bridge", json!("")),
        ("SandboxID", json!("")),
        ("HairpinMode", json!(false)),
        ("LinkLocalIPv6Address", json!("")),
        ("LinkLocalIPv6PrefixLen", json!(0)),
        ("Ports", json!(published::with_exposed(container))),
        ("SandboxKey", json!(if runs { format!("/proc/{}/ns/net", state.pid) } else { String::new() })),
        ("Networks", networks(store, container)?),
    ];
    settings.extend(more.into_iter().map(|(key, value)| (key.to_owned(), value)));
    Ok(Value::Object(settings))
}
