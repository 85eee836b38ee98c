//! Questions that are on their way to other servers, all waited for in one place: each has a socket of its own, whose port the kernel
//! takes by chance, so nobody else can answer in the server's place.

use std::collections::{BTreeSet, HashMap};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use rustix::event::Timespec;
use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};

use super::upstream::{LARGEST, PATIENCE};
use super::wire::{self, Code};
use crate::sys::{self, Call};

/// So many are on their way at a time, if this process may have twice as many descriptors: what one container asks leaves most of
/// this machine's ports to others.
pub const MOST: usize = 2048;
/// And so many bytes of them are kept.
const ROOM: usize = 1 << 20;
/// So many answers are taken before others have their turn.
const TURN: usize = 64;

#[derive(Debug)]
pub struct Asking {
    epoll: OwnedFd,
    all: HashMap<u64, Pending>,
    /// When another server is asked, or nobody any more.
    due: BTreeSet<(Instant, u64)>,
    named: u64,
    most: usize,
    /// How many bytes of questions are kept.
    kept: usize,
    buffer: Vec<u8>,
}

#[derive(Debug)]
struct Pending {
    client: SocketAddr,
    question: Vec<u8>,
    socket: UdpSocket,
    due: Instant,
    /// Who has not been asked.
    others: std::vec::IntoIter<SocketAddr>,
}

impl Asking {
    /// `descriptors`: how many this process may have.
    pub fn new(descriptors: u64) -> sys::Result<Self> {
        let half = usize::try_from(descriptors / 2).unwrap_or(usize::MAX);
        Ok(Self {
            epoll: epoll::create(CreateFlags::CLOEXEC).call("epoll_create1")?,
            all: HashMap::new(),
            due: BTreeSet::new(),
            named: 0,
            most: MOST.min(half),
            kept: 0,
            buffer: vec![0; LARGEST],
        })
    }

    /// Readable when [`Asking::hear`] has something to do.
    pub fn fd(&self) -> BorrowedFd<'_> {
        self.epoll.as_fd()
    }

    /// How long there is nothing to do unless somebody answers.
    pub fn patience(&self) -> Option<Timespec> {
        let (due, _) = self.due.first()?;
        let rest = due.saturating_duration_since(Instant::now());
        // Rounded up, so that it is over then.
        let rest = Duration::from_millis(rest.as_millis() as u64 + 1);
        Some(Timespec { tv_sec: rest.as_secs() as i64, tv_nsec: i64::from(rest.subsec_nanos()) })
    }

    /// Passes a client's question on to the first of these servers that can be asked. `false`: there is none, or no room.
    pub fn ask(&mut self, client: SocketAddr, question: &[u8], servers: Vec<SocketAddr>) -> bool {
        if self.all.len() >= self.most || self.kept + question.len() > ROOM {
            return false;
        }
        self.send(client, question.to_vec(), servers.into_iter()).is_ok()
    }

    /// `Err`: the question, which nobody takes.
    fn send(
        &mut self,
        client: SocketAddr,
        question: Vec<u8>,
        mut others: std::vec::IntoIter<SocketAddr>,
    ) -> Result<(), Vec<u8>> {
        self.named += 1;
        let id = self.named;
        let sent = others.find_map(|server| {
            let socket = socket_to(server, &question).ok()?;
            epoll::add(&self.epoll, &socket, EventData::new_u64(id), EventFlags::IN).ok()?;
            Some(socket)
        });
        let Some(socket) = sent else { return Err(question) };
        let due = Instant::now() + PATIENCE;
        self.due.insert((due, id));
        self.kept += question.len();
        self.all.insert(id, Pending { client, question, socket, due, others });
        Ok(())
    }

    /// Takes what servers have answered and asks others in place of those that have not; `tell`: whom to say what.
    pub fn hear(&mut self, tell: impl Fn(SocketAddr, &[u8])) {
        let mut events: Vec<Event> = Vec::with_capacity(TURN);
        let now = Timespec { tv_sec: 0, tv_nsec: 0 };
        let _ = epoll::wait(&self.epoll, rustix::buffer::spare_capacity(&mut events), Some(&now));
        for event in &events {
            let id = event.data.u64();
            let Some(pending) = self.all.get(&id) else { continue };
            match pending.socket.recv(&mut self.buffer) {
                Ok(count) => {
                    let answer = &self.buffer[..count];
                    if wire::parse(&pending.question).is_ok_and(|question| question.is_answered_by(answer)) {
                        tell(pending.client, answer);
                        self.remove(id);
                    }
                }
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
                // Nobody is there.
                Err(_) => self.ask_another(id, &tell),
            }
        }
        let now = Instant::now();
        while let Some((_, id)) = self.due.first().copied().filter(|(due, _)| *due <= now) {
            self.ask_another(id, &tell);
        }
    }

    fn ask_another(&mut self, id: u64, tell: &impl Fn(SocketAddr, &[u8])) {
        let Some(Pending { client, question, others, .. }) = self.remove(id) else { return };
        if let Err(question) = self.send(client, question, others)
            && let Ok(question) = wire::parse(&question)
        {
            tell(client, &question.refuse(Code::Failed));
        }
    }

    /// With its socket it is waited for no more.
    fn remove(&mut self, id: u64) -> Option<Pending> {
        let pending = self.all.remove(&id)?;
        self.due.remove(&(pending.due, id));
        self.kept -= pending.question.len();
        Some(pending)
    }
}

fn socket_to(server: SocketAddr, question: &[u8]) -> std::io::Result<UdpSocket> {
    let any: IpAddr = if server.is_ipv6() { Ipv6Addr::UNSPECIFIED.into() } else { Ipv4Addr::UNSPECIFIED.into() };
    let socket = UdpSocket::bind((any, 0))?;
    socket.set_nonblocking(true)?;
    socket.connect(server)?;
    socket.send(question)?;
    Ok(socket)
}
