//! Published ports: whoever comes to one is taken to the container, from an address of its own.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;
use std::rc::Rc;

use rustix::event::epoll::EventFlags;
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType, acceptfrom_with, sockopt};

use super::datagrams::Conversations;
use super::net::{Kind, Net};
use super::packet::Ends;
use super::places::is_host;
use super::tcp::Connections;
use crate::network::HOST;
use crate::network::ports::{self, Protocol, Published, SocketFile};
use crate::sys::{self, Call, datagram};

/// So many wait to be taken in; the kernel may have a smaller limit.
const WAITING: i32 = 4096;
/// So many are taken in before others have their turn.
const TURN: usize = 64;

#[derive(Debug, Default)]
pub struct Listeners(HashMap<u64, Listener>);

#[derive(Debug)]
struct Listener {
    socket: Rc<OwnedFd>,
    protocol: Protocol,
    /// The container's.
    port: u16,
    at: At,
}

/// Where of this machine.
#[derive(Debug)]
pub enum At {
    Port(SocketAddr),
    File(PathBuf),
    /// On a socket that somebody else listens on, too.
    Passed,
}

impl Listeners {
    /// Listens on all ports of it, or on none.
    pub fn add(&mut self, net: &mut Net, published: &Published) -> Result<(), ports::Error> {
        let mut made = Vec::new();
        for (host, port) in published.pairs() {
            for (address, must) in published.addresses() {
                let at = SocketAddr::new(address, host);
                let socket = match listen(published.protocol, at) {
                    Ok(socket) => Rc::new(socket),
                    // A machine without IPv6.
                    Err(error) if !must && error != Errno::ADDRINUSE => continue,
                    Err(error) => return Err(published.explain(address, host, error.into())),
                };
                made.push((Listener { socket, protocol: published.protocol, port, at: At::Port(at) }, at));
            }
        }
        for (listener, at) in made {
            let watched = net.watch(&listener.socket, Kind::Listener, EventFlags::IN);
            let id = watched.map_err(|error| published.explain(at.ip(), at.port(), error.into()))?;
            self.0.insert(id, listener);
        }
        Ok(())
    }

    /// Has whoever connects to such a socket taken to this port of the container's.
    pub fn add_socket(&mut self, net: &mut Net, socket: OwnedFd, port: u16, at: At) -> sys::Result<()> {
        let id = net.watch(&socket, Kind::Listener, EventFlags::IN).call("epoll_ctl")?;
        self.0.insert(id, Listener { socket: Rc::new(socket), protocol: Protocol::Tcp, port, at });
        Ok(())
    }

    /// Lets these lead inside no more; what did.
    pub fn remove(&mut self, published: &Published) -> Vec<Rc<OwnedFd>> {
        let leads = |one: &Listener, at: SocketAddr| {
            published.protocol == one.protocol
                && published.pairs().any(|pair| pair == (at.port(), one.port))
                && published.addresses().iter().any(|(address, _)| *address == at.ip())
        };
        let is_it = |one: &Listener| matches!(one.at, At::Port(at) if leads(one, at));
        self.0.extract_if(|_, listener| is_it(listener)).map(|(_, listener)| listener.socket).collect()
    }

    /// Lets this socket file lead inside no more, which it stays.
    pub fn remove_file(&mut self, file: &SocketFile) {
        let is_it = |one: &Listener| matches!(&one.at, At::File(path) if *path == file.path);
        self.0.retain(|_, listener| !is_it(listener));
    }

    pub fn ready(&self, net: &mut Net, id: u64, connections: &mut Connections, conversations: &mut Conversations) {
        let Some(listener) = self.0.get(&id) else { return };
        match listener.protocol {
            Protocol::Tcp => listener.accept(net, connections),
            Protocol::Udp => conversations.published(net, id, &listener.socket, listener.port),
        }
    }
}

impl Listener {
    fn accept(&self, net: &mut Net, connections: &mut Connections) {
        for _ in 0..TURN {
            let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
            let Ok((socket, peer)) = acceptfrom_with(self.socket.as_fd(), flags) else { return };
            let outside = match peer.and_then(|peer| SocketAddr::try_from(peer).ok()) {
                Some(peer) => net.places.inward(peer),
                // Who comes by a socket file is a program of this machine, and has no port.
                None => SocketAddr::new(HOST.into(), connections.free_port()),
            };
            let Some(own) = net.places.container(outside.ip()) else { continue };
            let mut ends = Ends { inside: SocketAddr::new(own, self.port), outside };
            // Of this machine several may come from ports of the same number.
            while is_host(outside.ip()) && connections.has(&ends) {
                ends.outside.set_port(connections.free_port());
            }
            // One that can't be taken in is closed, which tells its owner.
            let _ = connections.accept(net, socket, ends, !matches!(self.at, At::Port(_)));
        }
    }
}

fn listen(protocol: Protocol, at: SocketAddr) -> Result<OwnedFd, Errno> {
    let family = if at.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
    let kind = match protocol {
        Protocol::Tcp => SocketType::STREAM,
        Protocol::Udp => SocketType::DGRAM,
    };
    let socket = rustix::net::socket_with(family, kind, SocketFlags::CLOEXEC | SocketFlags::NONBLOCK, None)?;
    if at.is_ipv6() {
        sockopt::set_ipv6_v6only(&socket, true)?;
    }
    if protocol == Protocol::Tcp {
        // Connections of an earlier life that are not quite over do not count.
        sockopt::set_socket_reuseaddr(&socket, true)?;
    }
    if protocol == Protocol::Udp && at.ip().is_unspecified() {
        datagram::tell_places(socket.as_fd(), at.is_ipv6())?;
    }
    rustix::net::bind(&socket, &at)?;
    if protocol == Protocol::Tcp {
        rustix::net::listen(&socket, WAITING)?;
    }
    Ok(socket)
}
