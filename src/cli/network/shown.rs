//! A network as it is shown: to templates by the names that Go has for its fields, and as JSON by Podman's keys.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::cli::Report;
use crate::store::Store;
use crate::store::networks::Network;
use crate::store::networks::members::Member;

/// For templates.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Shown {
    pub name: String,
    #[serde(rename = "ID")]
    pub id: String,
    driver: &'static str,
    network_interface: String,
    created: String,
    subnets: Value,
    routes: Value,
    #[serde(rename = "IPv6Enabled")]
    ipv6_enabled: bool,
    internal: bool,
    #[serde(rename = "DNSEnabled")]
    dns_enabled: bool,
    #[serde(rename = "NetworkDNSServers")]
    network_dns_servers: Value,
    labels: BTreeMap<String, String>,
    options: BTreeMap<String, String>,
    #[serde(rename = "IPAMOptions")]
    ipam_options: BTreeMap<&'static str, &'static str>,
    containers: Value,
}

/// By the keys of `subnet`, `gateway`, and those of a range, in the order in which they are named.
type Keys = [&'static str; 5];
const FIELDS: Keys = ["Subnet", "Gateway", "LeaseRange", "StartIP", "EndIP"];
const KEYS: Keys = ["subnet", "gateway", "lease_range", "start_ip", "end_ip"];

fn subnets(network: &Network, keys: Keys) -> Value {
    let [subnet, gateway, range, start, end] = keys;
    let one = |lan: &crate::store::networks::Lan| {
        let mut shown = Map::new();
        shown.insert(subnet.into(), lan.subnet.to_string().into());
        shown.insert(gateway.into(), lan.gateway.to_string().into());
        if let Some((first, last)) = lan.range {
            shown.insert(range.into(), json!({ start: first, end: last }));
        }
        Value::Object(shown)
    };
    network.subnets.iter().map(one).collect()
}

fn routes(network: &Network) -> Value {
    let one = |route: &crate::store::networks::Route| {
        let mut shown = json!({ "destination": route.destination, "gateway": route.gateway });
        if let (Some(metric), Some(shown)) = (route.metric, shown.as_object_mut()) {
            shown.insert("metric".into(), metric.into());
        }
        shown
    };
    network.routes.iter().map(one).collect()
}

/// Those that run on it, by their ids.
fn containers(network: &Network, members: &[Member]) -> Value {
    let one = |member: &Member| {
        let addresses = member.addresses.iter().filter_map(|address| {
            let lan = network.subnets.iter().find(|lan| lan.subnet.contains(*address))?;
            Some(json!({ "ipnet": format!("{address}/{}", lan.subnet.prefix()), "gateway": lan.gateway }))
        });
        let interface = json!({ "subnets": addresses.collect::<Value>(), "mac_address": member.mac });
        let interfaces = json!({ &member.interface: interface });
        (member.container.clone(), json!({ "name": member.name, "interfaces": interfaces }))
    };
    Value::Object(members.iter().map(one).collect())
}

pub fn shown(store: &Store, network: Network) -> Result<Shown, Report> {
    let members = store.members(&network.id)?;
    Ok(Shown {
        driver: "bridge",
        subnets: subnets(&network, FIELDS),
        routes: routes(&network),
        containers: containers(&network, &members),
        network_dns_servers: json!(network.dns_servers),
        ipam_options: [("driver", "host-local")].into(),
        name: network.name,
        id: network.id,
        network_interface: network.interface,
        created: network.created,
        ipv6_enabled: network.ipv6,
        internal: network.internal,
        dns_enabled: network.dns,
        labels: network.labels,
        options: network.options,
    })
}

/// As JSON. `members`: who is on it, where that is to be shown.
pub fn object(network: &Network, members: Option<&[Member]>) -> Value {
    let mut shown = Map::new();
    let mut set = |key: &str, value: Value| drop(shown.insert(key.to_owned(), value));
    set("name", json!(network.name));
    set("id", json!(network.id));
    set("driver", json!("bridge"));
    set("network_interface", json!(network.interface));
    set("created", json!(network.created));
    set("subnets", subnets(network, KEYS));
    if !network.routes.is_empty() {
        set("routes", routes(network));
    }
    set("ipv6_enabled", json!(network.ipv6));
    set("internal", json!(network.internal));
    set("dns_enabled", json!(network.dns));
    if !network.dns_servers.is_empty() {
        set("network_dns_servers", json!(network.dns_servers));
    }
    for (key, map) in [("labels", &network.labels), ("options", &network.options)] {
        if !map.is_empty() {
            set(key, json!(map));
        }
    }
    set("ipam_options", json!({ "driver": "host-local" }));
    if let Some(members) = members {
        set("containers", containers(network, members));
    }
    Value::Object(shown)
}
