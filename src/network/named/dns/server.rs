//! The companion's one wait, and the threads that serve connections.

use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::os::fd::BorrowedFd;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::asking::Asking;
use super::upstream::{self, read_message, write_message};
use super::wire::{self, Code, DATAGRAM, Question};
use super::zone::{Found, Zone};
use crate::network::named::plumbing::Doors;

/// How many connections may be open, each of which has a thread; the others wait in the kernel's queue.
const MOST: usize = 64;
/// How often it is looked whether one of those may come in.
const AGAIN: Timespec = Timespec { tv_sec: 0, tv_nsec: 20_000_000 };
/// A connection on which nothing comes for so long is closed.
const PATIENCE: Duration = Duration::from_secs(10);
/// Of a thread, which keeps its buffers elsewhere, in bytes.
const STACK: usize = 128 << 10;
/// So many questions are heard before others have their turn.
const TURN: usize = 64;

/// What a companion knows and whom it asks.
#[derive(Debug)]
pub struct Companion {
    zone: Mutex<Zone>,
    /// Who is asked for names that it does not know; empty: those of its networks. `None`: nobody.
    servers: Option<Vec<SocketAddr>>,
    /// Threads that are at work.
    busy: AtomicUsize,
}

impl Companion {
    pub fn new(zone: Zone, servers: Option<Vec<SocketAddr>>) -> Arc<Self> {
        Arc::new(Self { zone: Mutex::new(zone), servers, busy: AtomicUsize::new(0) })
    }

    /// Answers until `monitor`, the other end of which is the monitor's, is closed. This thread is in the host's network.
    pub fn serve(self: &Arc<Self>, doors: &Doors, monitor: BorrowedFd<'_>, mut asking: Asking) -> std::io::Result<()> {
        let mut buffer = vec![0; upstream::LARGEST];
        doors.udp.set_nonblocking(true)?;
        doors.tcp.set_nonblocking(true)?;
        loop {
            let is_full = self.busy.load(Ordering::Relaxed) >= MOST;
            let mut polled = [
                PollFd::from_borrowed_fd(monitor, PollFlags::RDHUP),
                PollFd::new(&doors.udp, PollFlags::IN),
                PollFd::from_borrowed_fd(asking.fd(), PollFlags::IN),
                PollFd::new(&doors.tcp, if is_full { PollFlags::empty() } else { PollFlags::IN }),
            ];
            let again = is_full.then_some(AGAIN);
            let patience = asking.patience().into_iter().chain(again).min_by_key(|limit| (limit.tv_sec, limit.tv_nsec));
            match poll(&mut polled, patience.as_ref()) {
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
            if !polled[0].revents().is_empty() {
                return Ok(());
            }
            for _ in 0..TURN {
                // What a socket says of packets that could not be delivered concerns nobody.
                let Ok((count, client)) = doors.udp.recv_from(&mut buffer) else { break };
                self.hear(&doors.udp, client, &buffer[..count], &mut asking);
            }
            asking.hear(|client, answer| drop(doors.udp.send_to(answer, client)));
            if !is_full && let Ok((stream, _)) = doors.tcp.accept() {
                let companion = Arc::clone(self);
                self.occupy(move || companion.converse(stream));
            }
        }
    }

    /// Answers a packet at once, or has others asked.
    fn hear(&self, socket: &UdpSocket, client: SocketAddr, packet: &[u8], asking: &mut Asking) {
        let answer = match self.answer_at_once(packet, DATAGRAM) {
            Some(answer) if answer.is_empty() => return,
            Some(answer) => answer,
            None if asking.ask(client, packet, self.whom()) => return,
            None => match wire::parse(packet) {
                Ok(question) => question.refuse(Code::Failed),
                Err(_) => return,
            },
        };
        let _ = socket.send_to(&answer, client);
    }

    /// Answers what comes on a connection.
    fn converse(&self, mut stream: TcpStream) {
        let limits = stream
            .set_nonblocking(false)
            .and_then(|()| stream.set_read_timeout(Some(PATIENCE)))
            .and_then(|()| stream.set_write_timeout(Some(PATIENCE)));
        while limits.is_ok()
            && let Ok(packet) = read_message(&mut stream)
        {
            let at_once = self.answer_at_once(&packet, upstream::LARGEST);
            let answer = at_once.or_else(|| self.ask(&packet));
            if answer.is_none_or(|answer| answer.is_empty() || write_message(&mut stream, &answer).is_err()) {
                break;
            }
        }
    }

    /// What the companion knows by itself, empty where nothing is to be said. `None`: others are to be asked.
    fn answer_at_once(&self, packet: &[u8], limit: usize) -> Option<Vec<u8>> {
        let question = match wire::parse(packet) {
            Ok(question) => question,
            Err(answer) => return Some(answer.unwrap_or_default()),
        };
        let mut zone = self.zone.lock().unwrap_or_else(PoisonError::into_inner);
        let found =
            if question.is_of_internet() { zone.look_up(&question.name, question.kind) } else { Ok(Found::Foreign) };
        match found {
            Ok(Found::Known(data)) => Some(question.answer(&data, limit)),
            Ok(Found::Nobody) => Some(question.refuse(Code::NoName)),
            Ok(Found::Foreign) if self.servers.is_some() => None,
            Ok(Found::Foreign) => Some(question.refuse(Code::NoName)),
            Err(_) => Some(question.refuse(Code::Failed)),
        }
    }

    /// The answer of others over TCP, or that there is none.
    fn ask(&self, packet: &[u8]) -> Option<Vec<u8>> {
        let question: Question<'_> = wire::parse(packet).ok()?;
        Some(upstream::ask(&self.whom(), &question).unwrap_or_else(|| question.refuse(Code::Failed)))
    }

    /// Who is asked for names that nobody here has.
    fn whom(&self) -> Vec<SocketAddr> {
        match self.servers.as_deref() {
            None => Vec::new(),
            Some([]) => upstream::or_of_host(self.servers_of_networks()),
            Some(given) => given.to_vec(),
        }
    }

    /// As they are now. None: the host's are asked.
    fn servers_of_networks(&self) -> Vec<SocketAddr> {
        let servers = self.zone.lock().unwrap_or_else(PoisonError::into_inner).servers();
        servers.unwrap_or_default().into_iter().map(upstream::place).collect()
    }

    /// Does something in a thread; where there can be none, not.
    fn occupy(self: &Arc<Self>, work: impl FnOnce() + Send + 'static) {
        self.busy.fetch_add(1, Ordering::Relaxed);
        let companion = Arc::clone(self);
        let thread = std::thread::Builder::new().stack_size(STACK).spawn(move || {
            work();
            companion.busy.fetch_sub(1, Ordering::Relaxed);
        });
        if thread.is_err() {
            self.busy.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, UdpSocket};

    use super::*;
    use crate::store::testing::Scratch;

    const LIMIT: Option<Duration> = Some(Duration::from_secs(20));

    /// A question for the address of a name.
    fn question(id: u8, name: &str) -> Vec<u8> {
        [&[0, id, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, name.len() as u8][..], name.as_bytes(), &[0, 0, 1, 0, 1]].concat()
    }

    /// A companion that may have so many descriptors and asks these servers; where it is asked, and what ends it.
    fn companion(
        name: &str,
        descriptors: u64,
        servers: Option<Vec<SocketAddr>>,
    ) -> (SocketAddr, SocketAddr, std::os::unix::net::UnixStream) {
        let zone = Zone::new(Scratch::new(name).store.clone(), "a".into());
        let doors =
            Doors { udp: UdpSocket::bind("127.0.0.1:0").unwrap(), tcp: TcpListener::bind("127.0.0.1:0").unwrap() };
        let places = (doors.udp.local_addr().unwrap(), doors.tcp.local_addr().unwrap());
        let (ours, theirs) = std::os::unix::net::UnixStream::pair().unwrap();
        std::thread::spawn(move || {
            use std::os::fd::AsFd;
            Companion::new(zone, servers).serve(&doors, theirs.as_fd(), Asking::new(descriptors).unwrap()).unwrap();
        });
        (places.0, places.1, ours)
    }

    fn client(companion: SocketAddr) -> UdpSocket {
        let client = UdpSocket::bind("127.0.0.1:0").unwrap();
        client.connect(companion).unwrap();
        client.set_read_timeout(LIMIT).unwrap();
        client
    }

    fn hear(client: &UdpSocket) -> Vec<u8> {
        let mut buffer = [0; 2048];
        let count = client.recv(&mut buffer).unwrap();
        buffer[..count].to_vec()
    }

    /// A server that answers each question, but first with what is no answer to it.
    fn server() -> SocketAddr {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let place = socket.local_addr().unwrap();
        std::thread::spawn(move || {
            let mut buffer = [0; 2048];
            while let Ok((count, client)) = socket.recv_from(&mut buffer) {
                let packet = buffer[..count].to_vec();
                let answer = wire::parse(&packet).unwrap().refuse(Code::NoName);
                let mut wrong = answer.clone();
                wrong[0] ^= 1;
                for answer in [wrong, packet.clone(), answer] {
                    socket.send_to(&answer, client).unwrap();
                }
            }
        });
        place
    }

    #[test]
    fn what_it_does_not_know_others_are_asked() {
        // The first of them never answers.
        let silent = UdpSocket::bind("127.0.0.1:0").unwrap();
        let (udp, _, _ends) = companion("companion-asks", 128, Some(vec![silent.local_addr().unwrap(), server()]));
        let client = client(udp);
        client.send(&question(7, "example")).unwrap();
        let answer = hear(&client);
        assert_eq!((answer[1], answer[3]), (7, 0x83));
    }

    /// As many as a program with a thread for each name asks at once, of a server that takes its time.
    #[test]
    fn a_slow_server_answers_hundreds_that_ask_at_once() {
        const ALL: usize = 200;
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let place = socket.local_addr().unwrap();
        socket.set_read_timeout(LIMIT).unwrap();
        std::thread::spawn(move || {
            let mut buffer = [0; 2048];
            let mut asked = std::collections::BTreeMap::new();
            // Nobody is answered before all have asked.
            while asked.len() < ALL {
                let (count, from) = socket.recv_from(&mut buffer).unwrap();
                asked.insert(buffer[..count].to_vec(), from);
            }
            for (question, from) in asked {
                socket.send_to(&wire::parse(&question).unwrap().refuse(Code::NoName), from).unwrap();
            }
        });
        // On a busy machine they may have to be asked again.
        let (udp, _, _ends) = companion("companion-slow", 4096, Some(vec![place; 5]));
        let client = client(udp);
        for id in 0..ALL {
            client.send(&question(id as u8, "example")).unwrap();
        }
        let mut answers: Vec<(u8, u8)> = (0..ALL).map(|_| hear(&client)).map(|one| (one[1], one[3])).collect();
        answers.sort_unstable();
        assert_eq!(answers, (0..ALL).map(|id| (id as u8, 0x83)).collect::<Vec<_>>());
    }

    /// Who holds as many connections as there may be keeps others waiting, who are served as soon as one goes.
    #[test]
    fn a_connection_waits_for_its_turn() {
        let (_, tcp, _ends) = companion("companion-full", 128, Some(vec![server()]));
        let mut held: Vec<TcpStream> = (0..MOST).map(|_| TcpStream::connect(tcp).unwrap()).collect();
        let mut waiting = TcpStream::connect(tcp).unwrap();
        waiting.set_read_timeout(LIMIT).unwrap();
        // No question, but answered all the same: so much longer than the queue is nobody in it.
        write_message(&mut waiting, &[0; 20]).unwrap();
        drop(held.swap_remove(0));
        assert_eq!(read_message(&mut waiting).unwrap()[3], 0x81);
    }

    #[test]
    fn nobody_is_asked_too_much() {
        let silent = UdpSocket::bind("127.0.0.1:0").unwrap();
        let (udp, tcp, _ends) = companion("companion-busy", 128, Some(vec![silent.local_addr().unwrap()]));
        let client = client(udp);
        for _ in 0..2 * MOST {
            client.send(&question(1, "example")).unwrap();
        }
        // Those for whom there is no room hear so at once, and the others when nobody has answered.
        for _ in 0..2 * MOST {
            assert_eq!(hear(&client)[3], 0x82);
        }
        let mut stream = TcpStream::connect(tcp).unwrap();
        stream.set_read_timeout(LIMIT).unwrap();
        write_message(&mut stream, &question(2, "example")).unwrap();
        // Over TCP nobody listens there.
        assert_eq!(read_message(&mut stream).unwrap()[3], 0x82);
        write_message(&mut stream, &[0; 20]).unwrap();
        assert_eq!(read_message(&mut stream).unwrap()[3], 0x81);
        write_message(&mut stream, &[0; 3]).unwrap();
        assert!(read_message(&mut stream).is_err());
    }

    #[test]
    fn on_an_internal_network_nobody_is() {
        let (udp, _, _ends) = companion("companion-internal", 128, None);
        let client = client(udp);
        client.send(&question(3, "example")).unwrap();
        assert_eq!(hear(&client)[3], 0x83);
    }
}
