//! The worker: one piece of file work as root of a user namespace, in a process that sees nothing of the machine but the
//! directory that it works on, has no network, and can gain no privileges; Landlock (landlock(7)) holds it there once more.
//!
//! The other side, with a drawing of the sequence, is [`crate::layer::worker`]. Order matters: the working directory is set
//! before the mount namespace is left, since that carries it over into the copy, where the directory can be cloned (a
//! descriptor from outside can't). That is done as root where the user may not: a container's root can close its own root directory.
//! Threads start last: namespaces are entered by a single-threaded process only.

use std::fs::File;
use std::io::{BufReader, BufWriter, ErrorKind, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::process::ExitCode;

use nix::sched::{CloneFlags, setns, unshare};
use rustix::fs::{CWD, Gid, Mode as FileMode, OFlags, Uid};
use rustix::mount::{MountPropagationFlags, UnmountFlags};
use rustix::process::{DumpableBehavior, set_dumpable_behavior};

use crate::host::subid::{Extent, IdMaps};
use crate::host::{change, fault, role};
use crate::layer::budget::Share;
use crate::layer::copy::{self, Owners, Root};
use crate::layer::merged::{self, Merged};
use crate::layer::read::{self, Inputs, Kept, Live};
use crate::layer::stream::{HashedStream, Limit, Limited};
use crate::layer::worker::{CHANNEL, DIRECTORY, Go, Job, Limits, OWNERS, Reply, STREAM, Unpacked, receive, send};
use crate::layer::{About, Error, Result, changes, compression, measure, pack, same, settle, unpack};
use crate::oci::Digest;
use crate::runtime::identity::{Accounts, Identity};
use crate::store::layers::Mode;
use crate::sys::{self, Call, landlock, mount, process};

/// What is written at a time.
const PIECE: usize = 256 << 10;

pub fn main() -> ExitCode {
    // Without a channel there is nobody to tell.
    let (Ok(job), Ok(channel)) = (role::job::<Job>(), role::inherited(CHANNEL)) else { return ExitCode::FAILURE };
    let reply = match work(&job, channel.as_fd()) {
        Ok(reply) => reply,
        Err(error) => Reply::Failed { text: error.to_string(), hint: error.hint(), about: error.about() },
    };
    let failed = matches!(reply, Reply::Failed { .. });
    match send(channel.as_fd(), &reply) {
        Ok(()) if !failed => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}

fn work(job: &Job, channel: BorrowedFd<'_>) -> Result<Reply> {
    fault::keep();
    let directory = role::inherited(DIRECTORY)?;
    let stream = match job {
        Job::Empty { .. } | Job::Measure { .. } | Job::Differ { .. } => None,
        _ => Some(role::inherited(STREAM)?),
    };
    let owners = match job {
        Job::Unpack { mode: Mode::Recorded, .. } => Some(File::from(role::inherited(OWNERS)?)),
        _ => None,
    };
    let container = match job.joins() {
        true => Some(Live { user_namespace: role::inherited(STREAM + 1)?, root: role::inherited(STREAM + 2)? }),
        false => None,
    };
    let entered = rustix::process::fchdir(&directory);
    enter_user_namespace(container.as_ref())?;
    send(channel, &Reply::Ready)?;
    let Some(go) = receive::<Go>(channel)? else {
        return Err(Error::WorkerDied("its starter has gone".into()));
    };
    become_root(&go)?;
    // Where the container's root is not the user, it may not enter what the user may.
    entered.or_else(|_| rustix::process::fchdir(&directory)).call("fchdir")?;
    let sources = job.inputs().map(|inputs| Sources::inherit(inputs, directory.as_fd())).transpose()?;
    drop(directory);
    let root = make_root()?;
    rustix::thread::set_no_new_privs(true).call("prctl(PR_SET_NO_NEW_PRIVS)")?;
    confine(root.as_fd(), container.as_ref(), sources.as_ref())?;
    match (job, stream, sources) {
        (&Job::Unpack { mode, ref expected, limits }, Some(stream), _) => {
            Layer { root: root.as_fd(), mode, owners, expected: expected.as_ref(), limits }.unpack(stream)
        }
        (Job::Empty { keep }, ..) => empty(root.as_fd(), keep),
        (Job::Measure { paths }, ..) => {
            let size = |path: &String| measure::size(root.as_fd(), path);
            Ok(Reply::Measured(paths.iter().map(size).collect::<sys::Result<_>>()?))
        }
        (Job::Differ { paths }, ..) => Ok(Reply::Differs(same::find(root.as_fd(), paths)?)),
        (Job::Pack { form, leave_out, .. }, Some(stream), Some(sources)) => {
            let (tree, _) = sources.settled(root, container)?;
            Ok(Reply::Packed(pack::pack(tree, *form, leave_out, BufWriter::with_capacity(PIECE, File::from(stream)))?))
        }
        (Job::Compare { ignored, .. }, Some(stream), Some(sources)) => {
            let (tree, other) = sources.settled(root, container)?;
            compare(tree, other, ignored, stream)
        }
        (Job::Settle { .. }, _, Some(sources)) => sources.settled(root, container).map(|_| Reply::Settled),
        (Job::CopyOut { source }, Some(stream), _) => {
            let container = container.ok_or_else(incomplete)?;
            let out = BufWriter::with_capacity(PIECE, File::from(stream));
            Ok(Reply::Copied(copy::pack(Root::Container(container.root.as_fd()), source, out)?))
        }
        (Job::Extract { target }, Some(stream), _) => extract(root.as_fd(), target, stream, true),
        (Job::CopyIn { target, user }, Some(stream), _) => {
            copy_in(&container.ok_or_else(incomplete)?, target, user.as_deref(), stream)
        }
        _ => Err(incomplete()),
    }
}

fn incomplete() -> Error {
    Error::WorkerDied("it was not given what the job needs".into())
}

fn copy_in(container: &Live, target: &copy::Target, user: Option<&str>, stream: OwnedFd) -> Result<Reply> {
    let root = container.root.as_fd();
    let owners = match user {
        Some(user) => {
            let accounts = Accounts::read(root)?;
            let named = accounts.identity(user, &[]);
            let Identity { uid, gid, .. } =
                named.map_err(|error| Error::Worker { text: error.to_string(), hint: None, about: About::Other })?;
            Owners::Given { uid, gid }
        }
        None => target.owners,
    };
    let target = copy::Target { owners, ..target.clone() };
    extract(root, &target, stream, false)
}

/// `limited`: it may not fill the disk.
fn extract(root: BorrowedFd<'_>, target: &copy::Target, stream: OwnedFd, limited: bool) -> Result<Reply> {
    let limit = if limited { most_of_the_disk(root)? } else { u64::MAX };
    let plain = compression::plain_archive(File::from(stream)).map_err(|error| match error.kind() {
        // Of fewer bytes than tell a format.
        ErrorKind::UnexpectedEof => copy::Problem::NotArchive.into(),
        _ => Error::Read(error),
    })?;
    let plain = BufReader::with_capacity(PIECE, Limited::new(plain, limit));
    let made = copy::unpack(Root::Container(root), target, plain);
    Ok(Reply::Copied(made.map_err(|error| no_room(error, limit, ""))?))
}

/// Where the limit is the disk's, and not the user's; `beside`: what counts, too.
fn no_room(error: Error, limit: u64, beside: &str) -> Error {
    match error {
        Error::Read(error) if error.kind() == ErrorKind::FileTooLarge => {
            let full = std::io::Error::from_raw_os_error(libc::ENOSPC);
            let words =
                format!("it unpacks{beside} to more than the {limit} bytes that it may take of the disk: {full}");
            Error::Read(std::io::Error::other(words))
        }
        other => other,
    }
}

/// What a job that reads is given, beside the directory itself.
struct Sources {
    owners: merged::Owners,
    below: Vec<(OwnedFd, merged::Owners)>,
    other: Vec<(OwnedFd, merged::Owners)>,
}

impl Sources {
    /// What is written of owners lies beside the directories, out of sight in a moment.
    fn inherit(inputs: &Inputs, directory: BorrowedFd<'_>) -> Result<Self> {
        let mut place = if inputs.is_live { STREAM + 2 } else { STREAM };
        let mut layer = |kept: &Kept| -> Result<_> {
            place += 1;
            let mut fd = role::inherited(place)?;
            if rustix::fs::fcntl_getfl(&fd).call("fcntl(F_GETFL)")?.contains(OFlags::PATH) {
                let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
                fd = rustix::fs::openat(fd, c".", flags, FileMode::empty()).call("open(layer)")?;
            }
            let owners = kept.read(fd.as_fd())?;
            Ok((fd, owners))
        };
        let below = inputs.below.iter().map(&mut layer).collect::<Result<_>>()?;
        let other = inputs.other.iter().map(&mut layer).collect::<Result<_>>()?;
        Ok(Self { owners: inputs.top.read(directory)?, below, other })
    }

    /// The tree whose topmost layer is `top`, with all that was written to it if it is live, and the other one.
    fn settled(self, top: OwnedFd, live: Option<Live>) -> Result<(Merged, Merged)> {
        // One descriptor for each layer of each directory on the way down.
        process::raise_descriptor_limit();
        if let Some(live) = live {
            let upper = top.try_clone().call("fcntl(F_DUPFD_CLOEXEC)")?;
            settle::settle(live.root.as_fd(), Merged::root(vec![(upper, merged::Owners::Disk)]))?;
        }
        let tree = [(top, self.owners)].into_iter().chain(self.below).collect();
        Ok((Merged::root(tree), Merged::root(self.other)))
    }
}

/// One of its own, or that of a container.
fn enter_user_namespace(container: Option<&Live>) -> sys::Result<()> {
    match container {
        Some(live) => {
            // Where the container sees the machine's processes, it sees this one, which still has the machine's files in reach: it
            // can't be dumped, and its memory belongs to a user namespace further out.
            set_dumpable_behavior(DumpableBehavior::NotDumpable).call("prctl(PR_SET_DUMPABLE)")?;
            setns(&live.user_namespace, CloneFlags::CLONE_NEWUSER).call("setns(user)")
        }
        None => unshare(CloneFlags::CLONE_NEWUSER).call("unshare(user)"),
    }
}

/// Root of the namespace, with no other groups and no umask; of a container's that has no root, whoever there is.
fn become_root(go: &Go) -> sys::Result<()> {
    let maps = IdMaps::of_process(rustix::process::getpid().as_raw_nonzero().get())?;
    let least = |extents: &[Extent]| extents.iter().map(|extent| extent.inside).min().unwrap_or(0);
    let (uid, gid) = (Uid::from_raw(least(&maps.uids)), Gid::from_raw(least(&maps.gids)));
    if go.set_groups {
        rustix::thread::set_thread_groups(&[]).call("setgroups")?;
    }
    rustix::thread::set_thread_res_gid(gid, gid, gid).call("setresgid")?;
    rustix::thread::set_thread_res_uid(uid, uid, uid).call("setresuid")?;
    rustix::process::umask(FileMode::empty());
    Ok(())
}

/// Makes the working directory the root of this process, and everything else unreachable.
fn make_root() -> sys::Result<OwnedFd> {
    unshare(CloneFlags::CLONE_NEWNS | CloneFlags::CLONE_NEWNET | CloneFlags::CLONE_NEWIPC)
        .call("unshare(mount, net, ipc)")?;
    let private = MountPropagationFlags::PRIVATE | MountPropagationFlags::REC;
    rustix::mount::mount_change("/", private).call("mount(/, private)")?;
    let copy = mount::clone_tree(CWD, c".", false)?;
    let here = rustix::fs::open(".", OFlags::PATH | OFlags::CLOEXEC, FileMode::empty()).call("open(.)")?;
    mount::attach(copy.as_fd(), here.as_fd())?;
    rustix::process::fchdir(&copy).call("fchdir(layer)")?;
    // The old root ends up on top of the new one, from where it is taken off (pivot_root(2), "pivot_root(".", ".")").
    rustix::process::pivot_root(".", ".").call("pivot_root")?;
    rustix::mount::unmount(".", UnmountFlags::DETACH).call("umount2(old root)")?;
    rustix::process::chdir("/").call("chdir(/)")?;
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    rustix::fs::open("/", flags, FileMode::empty()).call("open(/)")
}

/// Leaves the directory, and what of others was handed over: all else is out of reach already, so this is a second wall, which
/// kernels before 5.19 do not have.
fn confine(root: BorrowedFd<'_>, container: Option<&Live>, sources: Option<&Sources>) -> sys::Result<()> {
    let layers = sources.into_iter().flat_map(|sources| sources.below.iter().chain(&sources.other));
    let layers = layers.map(|(directory, _)| directory.as_fd());
    let all = [root].into_iter().chain(container.map(|live| live.root.as_fd())).chain(layers);
    landlock::confine(&all.collect::<Vec<_>>()).map(drop)
}

/// One layer that is to be unpacked.
struct Layer<'a> {
    root: BorrowedFd<'a>,
    mode: Mode,
    /// Where its table of owners is written, if it has one.
    owners: Option<File>,
    expected: Option<&'a Digest>,
    limits: Limits,
}

impl Layer<'_> {
    /// What a layer that comes to nothing took of what all of its image may take is given back, once the disk has it back, too.
    fn unpack(self, stream: OwnedFd) -> Result<Reply> {
        let (root, place) = (self.root, if self.mode == Mode::Recorded { OWNERS + 1 } else { OWNERS });
        let share = self.limits.shared.map(|_| role::inherited(place).map(Share::new)).transpose()?;
        let unpacked = self.unpack_within(share.as_ref(), stream);
        if let (Err(_), Some(share)) = (&unpacked, share) {
            // If it stays, so does what was taken for it.
            if empty(root, &[]).is_ok() {
                share.give_back();
            }
        }
        unpacked
    }

    fn unpack_within(self, share: Option<&Share>, stream: OwnedFd) -> Result<Reply> {
        let (limit, of_the_disk) = match (self.limits, share) {
            (Limits { shared: Some(size), .. }, Some(share)) => (Limit::Shared(share.clone(), size), Some(size)),
            (Limits { size: Some(size), .. }, _) => (Limit::Of(size), None),
            _ => most_of_the_disk(self.root).map(|size| (Limit::Of(size), Some(size)))?,
        };
        let mut stream = HashedStream::start(File::from(stream), limit, self.limits.window)?;
        let beside = if share.is_some() { ", with the image's other layers," } else { "" };
        let (summary, table) =
            unpack::unpack(&mut stream, self.root, self.mode).map_err(|error| match of_the_disk {
                Some(limit) => no_room(error, limit, beside),
                None => error,
            })?;
        if let Some(mut owners) = self.owners {
            fault::point("worker: owners").call("write(owners)")?;
            owners.write_all(&table.bytes()).call("write(owners)")?;
        }
        let diff_id = stream.digest()?;
        match self.expected {
            Some(expected) if *expected != diff_id => {
                Err(Error::WrongDiffId { expected: expected.clone(), found: diff_id })
            }
            _ => Ok(Reply::Unpacked(Unpacked { diff_id, summary })),
        }
    }
}

/// A layer that takes more than this leaves no room for anything else.
fn most_of_the_disk(root: BorrowedFd<'_>) -> sys::Result<u64> {
    let disk = rustix::fs::fstatvfs(root).call("fstatvfs(/)")?;
    // A ramfs does not say what it has.
    if disk.f_blocks == 0 {
        return Ok(u64::MAX);
    }
    Ok(disk.f_bavail.saturating_mul(disk.f_frsize) / 10 * 9)
}

fn compare(tree: Merged, other: Merged, ignored: &[String], stream: OwnedFd) -> Result<Reply> {
    let mut out = BufWriter::with_capacity(PIECE, File::from(stream));
    for change in changes::changes(tree, other, ignored)? {
        out.write_all(&read::encode(&change)).map_err(Error::Write)?;
    }
    out.flush().map_err(Error::Write)?;
    Ok(Reply::Compared)
}

fn empty(root: BorrowedFd<'_>, keep: &[String]) -> Result<Reply> {
    for entry in rustix::fs::Dir::read_from(root).call("opendir(/)")? {
        let entry = entry.call("getdents64")?;
        let name = entry.file_name().to_bytes();
        let kept = keep.iter().any(|kept| kept.as_bytes() == name);
        if !kept && name != b"." && name != b".." {
            change::remove_tree_at(root, std::os::unix::ffi::OsStrExt::from_bytes(name))?;
        }
    }
    Ok(Reply::Emptied)
}
