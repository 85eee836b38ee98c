//! `cp`: files between this machine and containers, or between two containers, running or not.
//!
//! A container's end is reached beneath the root of its init, so that volumes are there and every symlink leads inside. One that
//! does not run is *held* for as long as it takes: its monitor mounts everything and starts no program.

use std::fs::File;
use std::io::{BufReader, BufWriter};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use rustix::fs::{CWD, Mode, OFlags};
use rustix::pipe::{PipeFlags, pipe_with};

use crate::container::control::{CHUNK, ToClient};
use crate::container::find::Found;
use crate::container::life::{start, stop};
use crate::container::{Error, Result};
use crate::host::lock::{self, Lock};
use crate::host::subid::IdMaps;
use crate::layer::copy::inside::{self, Inside, RunningCopy};
use crate::layer::copy::{self, Owners, Root, Source, Stream, Target};
use crate::layer::read::Live;
use crate::layer::{self, About};
use crate::runtime::handshake::receive_with_fd;
use crate::store::Store;
use crate::sys::process::Child;
use crate::sys::{Call, signal};

/// What is read or written at a time.
const PIECE: usize = 256 << 10;
const MACHINE: &str = "the host";

/// Where files come from, or go.
#[derive(Debug)]
pub enum End<'a> {
    Machine(Vec<u8>),
    Container(&'a Found, Vec<u8>),
    /// A tar archive on a descriptor.
    Archive(BorrowedFd<'a>),
}

#[derive(Debug, Clone, Copy)]
pub struct How {
    /// What comes into a container becomes its user's; else it keeps its owners.
    pub own: bool,
    /// Directories and others may take each other's place.
    pub overwrite: bool,
}

/// Copies. The caller has one thread.
pub fn copy(store: &Store, from: &End<'_>, to: &End<'_>, how: How) -> Result<()> {
    let ids = IdMaps::of_account()?;
    match (from, to) {
        (End::Machine(path), End::Container(found, target)) => {
            let mounted = Mounted::open(store, found, &ids)?;
            let (read, write) = pipe_with(PipeFlags::CLOEXEC).call("pipe2")?;
            let unpacking = mounted.write(target, stream_of(path), how, read.as_fd())?;
            drop(read);
            let source = Source { path: path.clone(), place: MACHINE.into(), bare: false, recorded: false };
            let packed = copy::pack(Root::Machine(&ids), &source, BufWriter::with_capacity(PIECE, File::from(write)));
            first_cause(packed, unpacking.finish())
        }
        (End::Container(found, path), End::Machine(target)) => {
            let mounted = Mounted::open(store, found, &ids)?;
            let (read, write) = pipe_with(PipeFlags::CLOEXEC).call("pipe2")?;
            let packing = mounted.read(path, false, write.as_fd())?;
            drop(write);
            let (path, place, stream) = (target.clone(), MACHINE.into(), stream_of(path));
            let (overwrite, parents, recorded) = (how.overwrite, false, false);
            let target = Target { path, place, stream, overwrite, parents, owners: Owners::Own, recorded };
            let source = BufReader::with_capacity(PIECE, File::from(read));
            first_cause(copy::unpack(Root::Machine(&ids), &target, source), packing.finish())
        }
        (End::Container(found, path), End::Container(other, target)) => {
            let mounted = Mounted::open(store, found, &ids)?;
            let is_same = found.container.id == other.container.id;
            let others = if is_same { None } else { Some(Mounted::open(store, other, &ids)?) };
            let (read, write) = pipe_with(PipeFlags::CLOEXEC).call("pipe2")?;
            let packing = mounted.read(path, false, write.as_fd())?;
            let unpacking = others.as_ref().unwrap_or(&mounted).write(target, stream_of(path), how, read.as_fd())?;
            drop((read, write));
            first_cause(packing.finish(), unpacking.finish())
        }
        (End::Archive(input), End::Container(found, target)) => {
            let mounted = Mounted::open(store, found, &ids)?;
            Ok(mounted.write(target, Stream::Archive, how, *input)?.finish().map(drop)?)
        }
        (End::Container(found, path), End::Archive(out)) => {
            let mounted = Mounted::open(store, found, &ids)?;
            Ok(mounted.read(path, true, *out)?.finish().map(drop)?)
        }
        (End::Machine(_) | End::Archive(_), End::Machine(_) | End::Archive(_)) => Err(Error::NoContainer),
    }
}

fn stream_of(path: &[u8]) -> Stream {
    if Source::is_content(path) { Stream::Content } else { Stream::Named }
}

/// Where both sides fail, one of them does so because the other has gone.
fn first_cause(ours: layer::Result<u64>, theirs: layer::Result<u64>) -> Result<()> {
    match (ours, theirs) {
        (Err(ours), Err(theirs)) if ours.about() == About::Stream => Err(theirs.into()),
        (Err(error), _) | (Ok(_), Err(error)) => Err(error.into()),
        (Ok(_), Ok(_)) => Ok(()),
    }
}

/// A container with all that is mounted in it.
pub struct Mounted<'a> {
    found: &'a Found,
    ids: &'a IdMaps,
    live: Live,
    /// Behind the root, which must be closed before the monitor can unmount it.
    held: Option<Held>,
}

/// The monitor of a container that does not run, and the talk that keeps it.
struct Held {
    monitor: Child,
    talk: Option<OwnedFd>,
}

impl<'a> Mounted<'a> {
    fn open(store: &Store, found: &'a Found, ids: &'a IdMaps) -> Result<Self> {
        while stop::runs(&found.directory, &found.container.id)? {
            let state = found.state()?;
            if !state.is_here() {
                return Err(Error::Elsewhere { id: found.container.short_id().to_owned(), host: state.host });
            }
            let Some(pidfd) = state.pidfd() else { continue };
            // Looked at after both were opened: who lives now had this pid then.
            if let Some(live) = reach(state.pid)
                && signal::exists(pidfd.as_fd())
                && lock::is_held(&found.directory.join("lock"))?
            {
                return Ok(Self { found, ids, live, held: None });
            }
        }
        Self::hold(store, found, ids, None)
    }

    /// One that does not run. `lock`: the caller's, of one that nobody else knows.
    pub fn hold(store: &Store, found: &'a Found, ids: &'a IdMaps, lock: Option<Lock>) -> Result<Self> {
        let start::Launched { monitor, talk, .. } = start::hold(store, found, lock)?;
        let mut buffer = vec![0; CHUNK + 16];
        let heard = receive_with_fd(talk.as_fd(), &mut buffer);
        let held = Held { monitor, talk: Some(talk) };
        let (count, pidfd) = heard?;
        let message = match (ToClient::decode(buffer.get(..count).unwrap_or_default()), pidfd) {
            (Some(ToClient::Started(_)), Some(pidfd)) => {
                // Init lives as long as we talk.
                if let Some(live) = pid_of(pidfd.as_fd()).and_then(reach) {
                    return Ok(Self { found, ids, live, held: Some(held) });
                }
                "its root can't be opened"
            }
            (Some(ToClient::Failed { message, .. }), _) => message,
            _ => "its monitor died",
        };
        Err(Error::NotMounted { id: found.container.short_id().to_owned(), message: message.to_owned() })
    }

    /// Starts a worker that writes what is at an absolute path to `out`, with the owners that it means to have.
    pub fn take(&self, path: &[u8], out: BorrowedFd<'_>) -> Result<RunningCopy> {
        let (path, place) = (path.to_vec(), self.place());
        let source = Source { path, place, bare: false, recorded: self.ids.is_single() };
        Ok(inside::start_pack(self.ids, &self.inside(), source, out)?)
    }

    fn read(&self, path: &[u8], bare: bool, out: BorrowedFd<'_>) -> Result<RunningCopy> {
        let source = Source { path: self.path(path), place: self.place(), bare, recorded: false };
        Ok(inside::start_pack(self.ids, &self.inside(), source, out)?)
    }

    fn write(&self, path: &[u8], stream: Stream, how: How, input: BorrowedFd<'_>) -> Result<RunningCopy> {
        let single = self.ids.is_single();
        // With one id all is its; whose it would be, the overlay writes down.
        let owners = if single { Owners::Own } else { Owners::Kept };
        let user = (how.own && !single).then(|| self.found.container.user.clone());
        let (path, place) = (self.path(path), self.place());
        let (overwrite, parents, recorded) = (how.overwrite, false, false);
        let target = Target { path, place, stream, overwrite, parents, owners, recorded };
        Ok(inside::start_unpack(self.ids, &self.inside(), target, user, input)?)
    }

    /// Starts a worker that makes what `input` holds at an absolute path, and the directories that it lacks: with the owners that
    /// the stream has, or all of one `user[:group]` as the container's accounts have them. With one id they are written down.
    pub fn put(&self, path: &[u8], stream: Stream, user: Option<String>, input: BorrowedFd<'_>) -> Result<RunningCopy> {
        let target = Target {
            path: path.to_vec(),
            place: self.place(),
            stream,
            overwrite: false,
            parents: true,
            owners: Owners::Kept,
            recorded: self.ids.is_single(),
        };
        // The overlay takes words about owners from root of the namespace that it is mounted in, and not from the container's.
        let above = self.held.as_ref().filter(|_| target.recorded).map(|held| held.above(&self.live)).transpose()?;
        let live = above.as_ref().unwrap_or(&self.live);
        let inside = Inside { directory: &self.found.directory, live };
        Ok(inside::start_unpack(self.ids, &inside, target, user, input)?)
    }

    fn inside(&self) -> Inside<'_> {
        Inside { directory: &self.found.directory, live: &self.live }
    }

    /// From the container's root on.
    fn path(&self, path: &[u8]) -> Vec<u8> {
        match path.first() {
            Some(b'/') => path.to_vec(),
            _ => [self.found.container.working_dir.as_bytes(), b"/", path].concat(),
        }
    }

    fn place(&self) -> String {
        format!("container {}", self.found.container.name)
    }
}

impl Held {
    /// The container's root, for root of the namespace that the container's lies in.
    fn above(&self, live: &Live) -> Result<Live> {
        let path = format!("/proc/{}/ns/user", self.monitor.pid.as_raw_nonzero());
        let opened = rustix::fs::openat(CWD, path.as_str(), OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty());
        let root = live.root.try_clone().call("fcntl(F_DUPFD_CLOEXEC)")?;
        Ok(Live { user_namespace: opened.call_with(|| format!("open({path})"))?, root })
    }
}

impl Drop for Held {
    /// What was copied is in the upper directory when the monitor has ended, and the container can be started.
    fn drop(&mut self) {
        self.talk = None;
        let _ = self.monitor.wait();
    }
}

/// User namespace and root of a container's process.
fn reach(pid: i32) -> Option<Live> {
    let open = |name: &str, flags| {
        rustix::fs::openat(CWD, format!("/proc/{pid}/{name}"), flags | OFlags::CLOEXEC, Mode::empty()).ok()
    };
    let user_namespace = open("ns/user", OFlags::RDONLY)?;
    Some(Live { user_namespace, root: open("root", OFlags::PATH | OFlags::DIRECTORY)? })
}

/// As this process sees it (proc(5), fdinfo of a pidfd).
fn pid_of(pidfd: BorrowedFd<'_>) -> Option<i32> {
    let text = std::fs::read_to_string(format!("/proc/self/fdinfo/{}", pidfd.as_raw_fd())).ok()?;
    text.lines().find_map(|line| line.strip_prefix("Pid:"))?.trim().parse().ok()
}
