//! Workers, seen from those who start them: a layer to be unpacked, a tree to be removed (or read: [`super::read`]), as root of
//! the user's namespace.
//!
//! ```text
//! starter                                        worker (this program again, one thread)
//!   exec, with a socket and a directory ────────▶  unshare(user)
//!                                        ◀── ready
//!   write the id maps                    ── go ──▶  become 0:0, chdir to the directory, unshare(mount, net, ipc),
//!                                                  make the directory its root, no new privileges
//!   feed the compressed stream ═══════════════▶  unpack
//!                                        ◀── result
//! ```
//!
//! The worker's side is `process::worker`. One message of a SOCK_SEQPACKET socket is one JSON value; if the worker dies, the
//! kernel closes its end and the starter learns how it ended.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::fs::{Mode as FileMode, OFlags};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::budget::Budget;
use super::compression::Window;
use super::copy::{Owners, Source, Stream, Target};
use super::pack::Form;
use super::read::Inputs;
use super::unpack::Summary;
use super::{About, Error, Result};
use crate::host::lock::Lock;
use crate::host::role::{Role, Start};
use crate::host::subid::IdMaps;
use crate::host::{change, fault};
use crate::oci::Digest;
use crate::store::layers::{self, Mode};
use crate::store::{Store, Tmp, owners};
use crate::sys::process::{Child, Ended};
use crate::sys::{self, Call};

/// What a worker is told. Its descriptors: [`CHANNEL`], [`DIRECTORY`], then those of the job.
#[derive(Debug, Serialize, Deserialize)]
pub enum Job {
    /// Unpack the stream at [`STREAM`] into the directory; in recorded mode, write the owners to [`OWNERS`]. With a shared limit,
    /// what counts it is behind these.
    Unpack { mode: Mode, expected: Option<Digest>, limits: Limits },
    /// Remove everything in the directory but the names in `keep`.
    Empty { keep: Vec<String> },
    /// Write the directory, or the tree of which it is the topmost layer, to [`STREAM`].
    Pack { form: Form, leave_out: Vec<String>, inputs: Inputs },
    /// Write to [`STREAM`] what differs between that tree and another.
    Compare { ignored: Vec<String>, inputs: Inputs },
    /// Add up what the directories at these paths below it hold.
    Measure { paths: Vec<String> },
    /// Find out at which path two directories below it differ.
    Differ { paths: [String; 2] },
    /// Nothing but what each job that reads a live tree does first.
    Settle { inputs: Inputs },
    /// Make what the archive at [`STREAM`] holds in the directory, beside what is there.
    Extract { target: Target },
    /// Write a file or directory of a container to [`STREAM`]; behind it, the container's user namespace and root.
    CopyOut { source: Source },
    /// Make what is read there in a container; all of it the user's, where one is named.
    CopyIn { target: Target, user: Option<String> },
}

impl Job {
    /// The descriptors of a job that reads.
    pub fn inputs(&self) -> Option<&Inputs> {
        match self {
            Self::Pack { inputs, .. } | Self::Compare { inputs, .. } | Self::Settle { inputs } => Some(inputs),
            Self::Unpack { .. }
            | Self::Empty { .. }
            | Self::Measure { .. }
            | Self::Extract { .. }
            | Self::CopyOut { .. }
            | Self::CopyIn { .. }
            | Self::Differ { .. } => None,
        }
    }

    /// Whether it is done in a user namespace that is there.
    pub fn joins(&self) -> bool {
        matches!(self, Self::CopyOut { .. } | Self::CopyIn { .. }) || self.inputs().is_some_and(|inputs| inputs.is_live)
    }
}

/// What a layer may take to be unpacked.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub struct Limits {
    /// The most bytes that it may unpack to; `None`: nine tenths of what the disk has free.
    pub size: Option<u64>,
    /// Those that all layers of its image may unpack to together, in place of a limit of its own.
    pub shared: Option<u64>,
    pub window: Window,
}

/// Places of [`Start::fds`].
pub const CHANNEL: usize = 0;
pub const DIRECTORY: usize = 1;
pub const STREAM: usize = 2;
pub const OWNERS: usize = 3;

/// What a worker says.
#[derive(Debug, Serialize, Deserialize)]
pub enum Reply {
    /// It is in its namespaces and waits for [`Go`].
    Ready,
    Unpacked(Unpacked),
    Emptied,
    /// Bytes, in the order of the paths.
    Measured(Vec<u64>),
    /// `None`: they are the same.
    Differs(Option<String>),
    /// So many entries are written.
    Packed(u64),
    Compared,
    Settled,
    /// So many entries.
    Copied(u64),
    Failed {
        text: String,
        hint: Option<String>,
        about: About,
    },
}

/// The id maps are written.
#[derive(Debug, Serialize, Deserialize)]
pub struct Go {
    /// Whether the namespace may set supplementary groups: not with one id.
    pub set_groups: bool,
}

/// An unpacked layer, all bytes of its stream read and hashed. Nothing is synced yet: see [`crate::store::Commit`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unpacked {
    pub diff_id: Digest,
    pub summary: Summary,
}

/// Where the compressed bytes come from.
#[derive(Debug)]
pub enum Input {
    /// They are written to [`RunningUnpack::take_input`] as they arrive.
    Pipe,
    /// They are in a file, from its current place to its end.
    File(File),
}

/// A layer to be unpacked.
#[derive(Debug)]
pub struct Unpack<'a> {
    /// An empty directory of the user's, made for this.
    pub directory: &'a Path,
    /// A lock that is to be held as long as the worker lives, though its starter dies: that of the directory in `tmp/`.
    pub lock: Option<&'a Lock>,
    pub mode: Mode,
    /// Where the owners go, in recorded mode.
    pub owners: Option<BorrowedFd<'a>>,
    /// The diff id that the image's configuration names; `None`: any.
    pub expected: Option<Digest>,
    pub limits: Limits,
    /// What counts a limit that is shared.
    pub budget: Option<BorrowedFd<'a>>,
}

/// A worker that unpacks.
#[derive(Debug)]
pub struct RunningUnpack {
    input: Option<File>,
    running: Running,
}

/// How a layer is kept by an account with these maps.
pub fn mode_for(ids: &IdMaps) -> Mode {
    if ids.is_single() { Mode::Recorded } else { Mode::Mapped }
}

/// Starts a worker on a layer. Several may run at once.
pub fn start_unpack(ids: &IdMaps, unpack: &Unpack<'_>, input: Input) -> Result<RunningUnpack> {
    let (read, write) = match input {
        Input::File(file) => (OwnedFd::from(file), None),
        Input::Pipe => {
            let (read, write) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).call("pipe2")?;
            // Fewer switches between the two processes; an account that has used up its pages gets less.
            let _ = rustix::pipe::fcntl_setpipe_size(&write, 1 << 20);
            (read, Some(File::from(write)))
        }
    };
    let job = Job::Unpack { mode: unpack.mode, expected: unpack.expected.clone(), limits: unpack.limits };
    let mut fds = vec![read.as_fd()];
    fds.extend(unpack.owners);
    fds.extend(unpack.budget);
    fds.extend(unpack.lock.map(Lock::fd));
    Ok(RunningUnpack { input: write, running: Running::start(ids, unpack.directory, &job, &fds)? })
}

impl RunningUnpack {
    /// Where the compressed bytes go; drop it after the last one. `None` with [`Input::File`], or the second time.
    ///
    /// A broken pipe means that the worker has given up: [`RunningUnpack::finish`] tells why.
    pub fn take_input(&mut self) -> Option<File> {
        self.input.take()
    }

    /// Waits for the end of the work.
    pub fn finish(mut self) -> Result<Unpacked> {
        drop(self.input.take());
        match self.running.result()? {
            Reply::Unpacked(unpacked) => Ok(unpacked),
            other => Err(unexpected(&other)),
        }
    }
}

/// Unpacks into `tmp` what becomes one layer: `tmp/layer/fs`, in recorded mode with the owners beside it. See [`finish_layer`].
pub fn start_layer(
    ids: &IdMaps,
    tmp: &Tmp,
    mode: Mode,
    expected: Option<Digest>,
    mut limits: Limits,
    budget: Option<&Budget>,
    input: Input,
) -> Result<RunningUnpack> {
    // What an earlier holder of the same claim left.
    remove_layer(ids, tmp)?;
    let layer = tmp.path().join("layer");
    let directory = layer.join(layers::FS);
    change::create_dirs(&directory)?;
    let owners = match mode {
        Mode::Mapped => None,
        Mode::Recorded => {
            let path = layer.join(owners::FILE);
            Some(File::create_new(&path).call_with(|| format!("open({})", path.display()))?)
        }
    };
    let owners = owners.as_ref().map(AsFd::as_fd);
    limits.shared = budget.map(|budget| budget.size);
    let (lock, budget) = (Some(tmp.lock()), budget.map(Budget::fd));
    let unpack = Unpack { directory: &directory, lock, mode, owners, expected, limits, budget };
    start_unpack(ids, &unpack, input)
}

/// Writes the record of a layer that [`start_layer`] began and gives the directory for [`crate::store::Commit::layer`].
pub fn finish_layer(
    tmp: &Tmp,
    unpacked: &Unpacked,
    blob: Option<Digest>,
) -> std::result::Result<std::path::PathBuf, crate::store::Error> {
    let layer = tmp.path().join("layer");
    let Summary { entries, tar_size, size, .. } = unpacked.summary;
    let record = layers::LayerRecord { diff_id: unpacked.diff_id.clone(), blob, tar_size, size, entries };
    crate::store::records::write(&layer.join(layers::RECORD), &record, false)?;
    Ok(layer)
}

/// Removes what [`start_layer`] began. Nothing to do if it is gone.
pub fn remove_layer(ids: &IdMaps, tmp: &Tmp) -> Result<()> {
    remove_tree_as_root(ids, &tmp.path().join("layer"))
}

/// Removes a directory of the user's whose content may belong to subordinate ids. Nothing to do if it is gone.
pub fn remove_tree_as_root(ids: &IdMaps, path: &Path) -> Result<()> {
    // Without other owners in it, no worker is needed.
    if change::remove_tree(path).is_ok() {
        return Ok(());
    }
    empty_as_root(ids, path, &[])?;
    Ok(change::remove_tree(path)?)
}

/// Removes everything in a directory but the names in `keep`.
pub fn empty_as_root(ids: &IdMaps, path: &Path, keep: &[&str]) -> Result<()> {
    let job = Job::Empty { keep: keep.iter().map(|name| (*name).to_owned()).collect() };
    match Running::start(ids, path, &job, &[])?.result()? {
        Reply::Emptied => Ok(()),
        other => Err(unexpected(&other)),
    }
}

/// Makes what a tar archive, compressed or not, holds in a directory, with the owners that it names. How many entries that were.
pub fn extract(ids: &IdMaps, directory: &Path, archive: BorrowedFd<'_>, place: &str) -> Result<u64> {
    start_extract(ids, directory, Owners::Kept, archive, place)?.finish()
}

/// A worker that makes what an archive holds.
#[derive(Debug)]
pub struct RunningExtract {
    running: Running,
}

/// Starts a worker that makes what a tar archive, compressed or not, holds in a directory. It may take most of what the disk has
/// free.
pub fn start_extract(
    ids: &IdMaps,
    directory: &Path,
    owners: Owners,
    archive: BorrowedFd<'_>,
    place: &str,
) -> Result<RunningExtract> {
    let (path, place) = (b"/".to_vec(), place.to_owned());
    let owners = if ids.is_single() { Owners::Own } else { owners };
    let (overwrite, parents, recorded) = (true, false, false);
    let target = Target { path, place, stream: Stream::Archive, overwrite, parents, owners, recorded };
    Ok(RunningExtract { running: Running::start(ids, directory, &Job::Extract { target }, &[archive])? })
}

impl RunningExtract {
    /// Waits for the end; how many entries there were.
    pub fn finish(self) -> Result<u64> {
        match self.running.result()? {
            Reply::Copied(entries) => Ok(entries),
            other => Err(unexpected(&other)),
        }
    }
}

/// Removes what a directory in `tmp/` holds, whoever owns it, and then itself.
pub fn remove_tmp(ids: &IdMaps, tmp: Tmp) -> Result<()> {
    empty_as_root(ids, tmp.path(), &["lock"])?;
    drop(tmp);
    Ok(())
}

/// Sweeps `tmp/` of everything that nobody works on, whoever owns the files. With nothing to do: one readdir, and the ids
/// of the account are not even read.
pub fn sweep(store: &Store) -> std::result::Result<(), SweepError> {
    let abandoned = store.sweep()?;
    if abandoned.is_empty() {
        return Ok(());
    }
    let ids = IdMaps::of_account().map_err(Error::from)?;
    for tmp in abandoned {
        remove_tmp(&ids, tmp)?;
    }
    Ok(())
}

#[derive(Debug, thiserror::Error)]
pub enum SweepError {
    #[error(transparent)]
    Store(#[from] crate::store::Error),
    #[error(transparent)]
    Layer(#[from] Error),
}

/// A worker that has been told to go.
#[derive(Debug)]
pub(super) struct Running {
    channel: OwnedFd,
    child: Child,
}

impl Running {
    pub(super) fn start(ids: &IdMaps, directory: &Path, job: &Job, more: &[BorrowedFd<'_>]) -> Result<Self> {
        let (ours, theirs) =
            rustix::net::socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)
                .call("socketpair")?;
        let open = |path: &Path, flags| {
            rustix::fs::open(path, flags | OFlags::CLOEXEC, FileMode::empty())
                .call_with(|| format!("open({})", path.display()))
        };
        // The root of a container may be closed to this user; not to the worker.
        let directory = open(directory, OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW)?;
        // What it reads is hostile: it gets no terminal.
        let null = open(Path::new("/dev/null"), OFlags::RDWR)?;
        let mut fds = vec![theirs.as_fd(), directory.as_fd()];
        fds.extend_from_slice(more);
        let stdio = [null.as_fd(), null.as_fd(), null.as_fd()];
        let child = Start { role: Role::Worker, stdio, fds }.run(job)?;
        drop(theirs);
        let running = Self { channel: ours, child };
        match running.reply()? {
            Reply::Ready => {}
            other => return Err(unexpected(&other)),
        }
        // A namespace that the worker joins has its maps.
        if !job.joins()
            && let Err(error) = ids.write(running.child.pid)
        {
            // It sees the closed channel and ends.
            drop(running.channel);
            let _ = running.child.wait();
            return Err(error.into());
        }
        fault::point("worker: go").call("write")?;
        send(running.channel.as_fd(), &Go { set_groups: !ids.is_single() })?;
        Ok(running)
    }

    fn reply(&self) -> Result<Reply> {
        match receive(self.channel.as_fd())? {
            Some(Reply::Failed { text, hint, about }) => {
                let _ = self.child.wait();
                Err(Error::Worker { text, hint, about })
            }
            Some(reply) => Ok(reply),
            None => Err(Error::WorkerDied(match self.child.wait()? {
                Ended::Exited(code) => format!("exit code {code}"),
                Ended::Signaled(signal) => format!("signal {signal}"),
            })),
        }
    }

    pub(super) fn result(self) -> Result<Reply> {
        let reply = self.reply()?;
        self.child.wait()?;
        Ok(reply)
    }
}

pub(super) fn unexpected(reply: &Reply) -> Error {
    Error::WorkerDied(format!("it said {reply:?} out of turn"))
}

/// The longest message.
const MESSAGE: usize = 16 << 10;

/// Sends one message.
pub fn send(channel: BorrowedFd<'_>, message: &impl Serialize) -> Result<()> {
    let bytes = serde_json::to_vec(message).map_err(io::Error::other)?;
    loop {
        match rustix::net::send(channel, &bytes, rustix::net::SendFlags::NOSIGNAL) {
            Ok(_) => return Ok(()),
            Err(Errno::INTR) => {}
            Err(error) => return Err(sys::Error::new("send(worker's channel)", error).into()),
        }
    }
}

/// Receives one message; `None`: the other end is closed.
pub fn receive<M: DeserializeOwned>(channel: BorrowedFd<'_>) -> Result<Option<M>> {
    let mut buffer = vec![0; MESSAGE];
    loop {
        match rustix::io::read(channel, &mut buffer) {
            Ok(0) | Err(Errno::CONNRESET) => return Ok(None),
            Ok(length) => {
                let bytes = buffer.get(..length).unwrap_or_default();
                return Ok(Some(serde_json::from_slice(bytes).map_err(io::Error::other)?));
            }
            Err(Errno::INTR) => {}
            Err(error) => return Err(sys::Error::new("read(worker's channel)", error).into()),
        }
    }
}
