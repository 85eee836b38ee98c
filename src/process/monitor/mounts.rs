//! What is mounted beside the root, as far as it takes root of the account's namespace: the first content of volumes, a place inside a
//! volume, and file systems of this program's own.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::fs::{Mode, OFlags, ResolveFlags};
use rustix::io::Errno;
use rustix::mount::UnmountFlags;

use super::ownership::Ids;
use crate::container::job::Job;
use crate::host::change;
use crate::host::lock::Lock;
use crate::overlay::living::Living;
use crate::overlay::start::{Mounter, start_mounter};
use crate::overlay::view::View;
use crate::overlay::{self, Features, Stack, Upper as UpperLayer};
use crate::process::session::refusal::Refusal;
use crate::runtime::plan::{Mount, Owners, Plan, Source, Step, Upper};
use crate::store::volumes::{self, fill::First};
use crate::sys::process::Child;
use crate::sys::{self, Call, beneath, mount};

/// Who serves a mount.
pub struct Server {
    pub child: Child,
    /// Open as long as it is to serve.
    _talk: OwnedFd,
}

/// What a container's mounts need as long as it runs.
pub struct Volumes {
    pub servers: Vec<Server>,
    /// Those that no other container may have meanwhile.
    alone: Vec<Lock>,
}

impl Volumes {
    /// The program has ended, and the next container's may have all of them, whatever is still to be taken apart here.
    pub fn let_go(&mut self) {
        self.alone.clear();
    }
}

/// Detached mounts, by the number of the step that attaches each.
pub type Served = Vec<(usize, OwnedFd)>;

/// Makes all that init could not, and changes the plan where an ordinary bind does it. `root` is the root file system, with nothing
/// mounted in it.
pub fn prepare(job: &Job, plan: &mut Plan, root: BorrowedFd<'_>, user: Ids) -> Result<(Served, Volumes), Refusal> {
    let alone = fill(job, root, user)?;
    let (served, servers) = serve(job, plan, user)?;
    Ok((served, Volumes { servers, alone }))
}

/// Gives fresh volumes their first content: what lies at their places in `root`, or nothing, as `user`'s. The locks hold those that
/// have none and are the container's alone.
fn fill(job: &Job, root: BorrowedFd<'_>, user: Ids) -> Result<Vec<Lock>, Refusal> {
    let mut alone = Vec::new();
    for volume in &job.volumes {
        if volume.alone {
            let lock = volumes::have_alone(&volume.directory).map_err(Refusal::ours)?;
            alone.push(lock.ok_or_else(|| {
                let name = volume.directory.file_name().unwrap_or_default().display();
                Refusal::ours(format!(
                    "the volume `{name}` is in memory, and another container that runs has it\nhint: one that is kept in the store, or in a directory, can be shared"
                ))
            })?);
        } else {
            let first = First { volume: &volume.directory, root, target: &volume.target, user, copy: volume.copy };
            first.fill().map_err(Refusal::ours)?;
        }
    }
    Ok(alone)
}

fn serve(job: &Job, plan: &mut Plan, user: Ids) -> Result<(Served, Vec<Server>), Refusal> {
    let (mut served, mut servers) = (Vec::new(), Vec::new());
    for (number, step) in plan.steps.iter_mut().enumerate() {
        let Step::Mount(Mount { source, .. }) = step else { continue };
        let mounter = match source {
            // The caller is that user.
            Source::Bind { owners: owners @ Owners::Mine, .. } if user == (0, 0) => {
                *owners = Owners::Kept;
                continue;
            }
            Source::Bind { path, owners: Owners::Mine, .. } => mine(path, user),
            Source::Bind { path, subpath: Some(subpath), recursive, .. } => {
                served.push((number, inside(path, subpath, *recursive).map_err(Refusal::ours)?));
                continue;
            }
            Source::Overlay { lowers, upper, layers, .. } => overlay(job, lowers, upper.as_ref(), *layers),
            Source::Bind { .. } | Source::New { .. } | Source::Joined => continue,
        };
        let Mounter { child, mount, socket } = mounter.map_err(Refusal::ours)?;
        let mount = match source {
            Source::Overlay { subpath: Some(subpath), .. } => below(&mount, subpath, &job.directory.join("merged")),
            _ => Ok(mount),
        };
        served.push((number, mount.map_err(Refusal::ours)?));
        servers.push(Server { child, _talk: socket });
    }
    Ok((served, servers))
}

/// A directory of this machine in which the caller's files are shown as `user`'s.
fn mine(path: &str, (uid, gid): Ids) -> Result<Mounter, overlay::Error> {
    let stack = Stack { lowers: Vec::new(), upper: Some(UpperLayer { dir: open(path)?, work: open(path)? }) };
    let features =
        Features { view: Some(View::Mine { uid, gid }), living: Some(Living::default()), ..Features::default() };
    start(&stack, &features)
}

/// Directories that are written over: an image's, whose owners are seen as those of the root are, or one of this machine.
fn overlay(job: &Job, lowers: &[String], upper: Option<&Upper>, layers: bool) -> Result<Mounter, overlay::Error> {
    let upper = match upper {
        Some(Upper { dir, work, thrown_away }) => {
            for path in [dir, work].into_iter().filter(|_| *thrown_away) {
                renew(Path::new(path))?;
            }
            Some(UpperLayer { dir: open(dir)?, work: open(work)? })
        }
        None => None,
    };
    let stack = Stack { lowers: lowers.iter().map(|path| open(path)).collect::<Result<_, _>>()?, upper };
    let of_root = &job.overlay.features;
    let features = match layers {
        true => Features { view: of_root.view.clone(), recorded: of_root.recorded, ..Features::default() },
        false => Features { living: Some(Living::default()), ..Features::default() },
    };
    start(&stack, &Features { volatile: true, ..features })
}

fn open(path: &str) -> Result<OwnedFd, overlay::Error> {
    overlay::open_directory(path)
}

fn start(stack: &Stack, features: &Features) -> Result<Mounter, overlay::Error> {
    let stdio = [rustix::stdio::stdin(), rustix::stdio::stdout(), rustix::stdio::stderr()];
    start_mounter(stack, features, None, stdio)
}

/// An empty directory that everybody in the container may walk through.
fn renew(path: &Path) -> sys::Result<()> {
    change::remove_tree(path)?;
    change::create_dirs(path)?;
    rustix::fs::chmod(path, Mode::from_raw_mode(0o755)).call_with(|| format!("chmod({})", path.display()))
}

/// What lies at `subpath` in a detached mount. Kernels before 6.15 clone no part of one: it hangs at `place`, in this namespace alone,
/// meanwhile.
fn below(mount: &OwnedFd, subpath: &str, place: &Path) -> sys::Result<OwnedFd> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let call = || format!("open({})", place.display());
    mount::attach(mount.as_fd(), rustix::fs::open(place, flags, Mode::empty()).call_with(call)?.as_fd())?;
    let found = inside(&place.to_string_lossy(), subpath, false);
    let unmounted = rustix::mount::unmount(place, UnmountFlags::DETACH);
    unmounted.call_with(|| format!("umount2({})", place.display())).and(found)
}

/// What lies at `subpath` in the directory at `path`, as a detached mount. Whoever writes there may have made links: they lead inside.
fn inside(path: &str, subpath: &str, recursive: bool) -> sys::Result<OwnedFd> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let top = rustix::fs::open(path, flags, Mode::empty()).call_with(|| format!("open({path})"))?;
    let found = beneath::open(&top, subpath, OFlags::PATH, Mode::empty(), ResolveFlags::NO_MAGICLINKS);
    let found = found.map_err(|error| match error {
        Errno::NOENT | Errno::NOTDIR => sys::Error::new(format!("the subpath `{subpath}`"), error),
        error => sys::Error::new(format!("openat2({subpath})"), error),
    })?;
    mount::clone_tree(found.as_fd(), c"", recursive)
}
