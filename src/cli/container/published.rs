//! Published ports as lists and `inspect` show them.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::container::record::Container;
use crate::network::ports::Published;

/// A cell of a list: `0.0.0.0:8080->80/tcp`, and what is exposed only, `81/tcp`.
pub fn cell(container: &Container) -> String {
    let range = |first: u16, count: u16| match count {
        1 => first.to_string(),
        _ => format!("{first}-{}", first + (count - 1)),
    };
    let published = container.published.iter().map(|one| {
        let Published { protocol, host, container, count, .. } = one;
        format!("{}:{}->{}/{protocol}", one.shown_address(), range(*host, *count), range(*container, *count))
    });
    let files = sockets(container).map(|(port, place)| format!("{place}->{port}"));
    let exposed = container.exposed_ports.iter().filter(|port| !is_published(container, port)).cloned();
    published.chain(files).chain(exposed).collect::<Vec<_>>().join(", ")
}

fn is_published(container: &Container, exposed: &str) -> bool {
    each(container).any(|(port, ..)| port == exposed)
}

/// Each of them: `80/tcp`, and the address and port of this machine.
pub fn each(container: &Container) -> impl Iterator<Item = (String, String, u16)> {
    container.published.iter().flat_map(|one| {
        let address = one.shown_address().to_string();
        one.pairs().map(move |(host, port)| (format!("{port}/{}", one.protocol), address.clone(), host))
    })
}

/// Each of those on socket files, and on sockets that are passed: `80/tcp`, and where.
pub fn sockets(container: &Container) -> impl Iterator<Item = (String, String)> {
    let files = container.socket_files.iter().map(|one| (one.container, format!("unix:{}", one.path.display())));
    let passed = container.passed_sockets.iter().map(|one| (one.container, format!("fd:{}", one.socket)));
    files.chain(passed).map(|(port, place)| (format!("{port}/tcp"), place))
}

/// As `inspect` has it: of each port of the container, where it is published.
pub fn bindings(container: &Container) -> Map<String, Value> {
    let mut bindings = Map::new();
    for (port, address, host) in each(container) {
        let places = bindings.entry(port).or_insert_with(|| json!([]));
        if let Some(places) = places.as_array_mut() {
            places.push(json!({ "HostIp": address, "HostPort": host.to_string() }));
        }
    }
    bindings
}

/// As [`bindings`], with those that are exposed only.
pub fn with_exposed(container: &Container) -> Map<String, Value> {
    let exposed = container.exposed_ports.iter().map(|port| (port.clone(), Value::Null));
    exposed.chain(bindings(container)).collect()
}

/// As `ps` has what is exposed: protocols by port.
pub fn exposed(container: &Container) -> BTreeMap<String, Vec<String>> {
    let mut exposed = BTreeMap::<_, Vec<_>>::new();
    for (port, protocol) in container.exposed_ports.iter().filter_map(|port| port.split_once('/')) {
        exposed.entry(port.to_owned()).or_default().push(protocol.to_owned());
    }
    exposed
}

/// As `ps --format json` has it.
pub fn objects(container: &Container) -> Value {
    if container.published.is_empty() {
        return Value::Null;
    }
    let object = |one: &Published| {
        json!({
            "host_ip": one.address.map_or_else(String::new, |address| address.to_string()),
            "container_port": one.container,
            "host_port": one.host,
            "range": one.count,
            "protocol": one.protocol,
        })
    };
    container.published.iter().map(object).collect()
}
