//! A port of a container behind a socket on which a service manager listens (sd_listen_fds(3)): `-p fd:NAME:8080`, or with the
//! descriptor's number, `-p fd:3:8080`.

use std::os::fd::BorrowedFd;

use rustix::net::SocketType;
use rustix::net::sockopt;
use serde::{Deserialize, Serialize};

use super::Error;

/// How the word begins.
const SCHEME: &str = "fd:";

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Passed {
    /// Its name, which several may have, or its number.
    pub socket: String,
    /// The port in the container.
    pub container: u16,
}

/// A socket that was passed, and the port of the container's to which it leads.
#[derive(Debug, Clone, Copy)]
pub struct Listening<'a> {
    pub socket: BorrowedFd<'a>,
    pub container: u16,
}

impl Passed {
    /// `None`: the text is about a port of this machine.
    pub fn parse(text: &str) -> Option<Result<Self, Error>> {
        let rest = text.strip_prefix(SCHEME)?;
        let bad = |why| Error::MalformedSocket(text.to_owned(), why);
        let Some((socket, port)) = rest.rsplit_once(':') else {
            return Some(Err(bad("behind the socket stands the container's port")));
        };
        let container = port.strip_suffix("/tcp").unwrap_or(port).parse().ok().filter(|port| *port > 0);
        // As sd_listen_fds_with_names(3) has names.
        let is_name = !socket.is_empty() && !socket.contains(':') && socket.chars().all(|c| c.is_ascii_graphic());
        Some(match container {
            None => Err(bad("the container's port is none")),
            Some(_) if !is_name => Err(bad("the socket has no name")),
            Some(container) => Ok(Self { socket: socket.to_owned(), container }),
        })
    }

    /// Whether it means the one of this number and name.
    pub fn means(&self, number: i32, name: Option<&str>) -> bool {
        match self.socket.parse::<i32>() {
            Ok(wanted) => number == wanted,
            Err(_) => name == Some(&self.socket),
        }
    }

    /// Whether somebody can come to it.
    pub fn check(&self, socket: BorrowedFd<'_>) -> Result<(), Error> {
        let bad = |why| Err(Error::NoListener { socket: self.socket.clone(), why });
        match (sockopt::socket_type(socket), sockopt::socket_acceptconn(socket)) {
            (Err(_), _) => bad("is no socket"),
            (Ok(kind), _) if kind != SocketType::STREAM => bad("is not one of streams, as those of TCP are"),
            (Ok(_), Ok(true)) => Ok(()),
            (Ok(_), _) => bad("is not listened on"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream, UdpSocket};
    use std::os::fd::AsFd;

    use super::*;

    #[test]
    fn a_socket_is_named_or_numbered() {
        let parse = |text: &str| Passed::parse(text).map(|one| one.map_err(|error| error.to_string()));
        let passed = |socket: &str| Passed { socket: socket.into(), container: 80 };
        assert_eq!(parse("fd:web.socket:80"), Some(Ok(passed("web.socket"))));
        assert_eq!(parse("fd:3:80/tcp"), Some(Ok(passed("3"))));
        assert_eq!(parse("8080:80"), None);
        for bad in ["fd:", "fd:80", "fd::80", "fd:a:0", "fd:a:80/udp", "fd:a:b:80", "fd:a b:80"] {
            assert!(parse(bad).unwrap().is_err(), "{bad}");
        }
        assert!(passed("web").means(4, Some("web")) && !passed("web").means(4, None));
        assert!(passed("4").means(4, Some("web")) && !passed("4").means(5, Some("4")));
    }

    #[test]
    fn only_what_streams_come_to_is_taken() {
        let passed = Passed { socket: "web".into(), container: 80 };
        let why = |fd: &dyn AsFd| passed.check(fd.as_fd()).map_err(|error| error.to_string());
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        assert_eq!(why(&listener), Ok(()));
        let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        assert!(why(&stream).unwrap_err().contains("is not listened on"));
        assert!(why(&UdpSocket::bind("127.0.0.1:0").unwrap()).unwrap_err().contains("streams"));
        assert!(why(&std::fs::File::open("/dev/null").unwrap()).unwrap_err().contains("is no socket"));
    }
}
