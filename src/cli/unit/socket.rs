//! `unit --socket`: a pair of units, of which the first listens and the second is the container, started by the first connection. With
//! `--idle` it ends when nobody is connected any more, and the first goes on listening.

use super::Made;
use super::service::anew;
use crate::cli::Report;
use crate::cli::container::options::idle;
use crate::container::record::Container;
use crate::network::ports::{self, Protocol, Published};
use crate::systemd::quadlet::Service;

/// The socket unit and the service.
pub fn pair(container: &Container, listen: &str, idle: Option<&str>) -> Result<[Service; 2], Report> {
    let (listen, port) = place(container, listen)?;
    let name = &container.name;
    // What systemd passes is known by this name.
    let socket = format!("port-{port}");
    let mut listener = Service::new(format!("{name}.socket"));
    listener.add("Unit", "Description", &format!("Container {name}, for the first who comes"));
    listener.add("Socket", "ListenStream", &listen);
    listener.add("Socket", "FileDescriptorName", &socket);
    listener.add("Install", "WantedBy", "sockets.target");
    let mut made = Made::of(container)?;
    made.flags = made.flags.into_iter().flat_map(|(flag, value)| without(&listen, flag, value)).collect();
    made.flags.push(("publish".to_owned(), format!("fd:{socket}:{port}")));
    if let Some(idle) = idle {
        made.flags.retain(|(flag, _)| flag != "idle");
        made.flags.push(("idle".to_owned(), format!("{}s", idle::seconds(idle)?)));
    }
    let mut service = Service::new(format!("{name}.service"));
    service.add("Unit", "Description", &format!("Container {name}"));
    for key in ["Requires", "After"] {
        service.add("Unit", key, &format!("{name}.socket"));
    }
    service.add("Service", "Restart", "on-failure");
    anew(&mut service, made, name, container.stop_timeout)?;
    Ok([listener, service])
}

/// Where to listen, and the container's port: `PORT` or `ADDRESS:PORT`, which the container publishes, or either with the container's
/// port behind it.
fn place(container: &Container, text: &str) -> Result<(String, u16), Report> {
    let (place, port) = match text.rsplit_once(':') {
        Some((place, port)) if is_place(place) => (place, Some(port)),
        _ => (text, None),
    };
    if !is_place(place) {
        return Err(
            Report::new(format!("`--socket={text}` is no port")).hint("for example 8080, 127.0.0.1:8080 or 8080:80")
        );
    }
    let wrong = || Report::new(format!("`--socket={text}`: the container's port is none"));
    if let Some(port) = port {
        return Ok((place.to_owned(), port.parse().ok().filter(|port| *port > 0).ok_or_else(wrong)?));
    }
    let leads = container
        .published
        .iter()
        .filter(|one| one.protocol == Protocol::Tcp)
        .find_map(|one| inside(one, number(place)?));
    let port = leads.ok_or_else(|| {
        Report::new(format!("the container `{}` publishes nothing on port {place}", container.name))
            .hint(format!("`--socket={place}:PORT` names the container's port"))
    })?;
    Ok((place.to_owned(), port))
}

/// `PORT` or `ADDRESS:PORT`.
fn is_place(text: &str) -> bool {
    text.parse::<u16>().is_ok_and(|port| port > 0) || text.parse::<std::net::SocketAddr>().is_ok()
}

fn number(place: &str) -> Option<u16> {
    place.rsplit(':').next()?.parse().ok()
}

/// The container's port behind one of this machine.
fn inside(published: &Published, host: u16) -> Option<u16> {
    published.pairs().find(|(at, _)| *at == host).map(|(_, inside)| inside)
}

/// The flag; of a `--publish` that holds what the socket stands for, the others.
fn without(listen: &str, flag: String, value: String) -> Vec<(String, String)> {
    let is_it = |one: &Published| {
        one.protocol == Protocol::Tcp && number(listen).is_some_and(|host| inside(one, host).is_some())
    };
    match ports::parse(&value) {
        Ok(published) if flag == "publish" && published.iter().any(is_it) => {
            let others = published.iter().flat_map(Published::singles).filter(|one| !is_it(one));
            others.map(|one| (flag.clone(), one.to_string())).collect()
        }
        _ => vec![(flag, value)],
    }
}
