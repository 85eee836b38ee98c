//! The root file system: which driver, and its mount.

use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::time::Duration;

use super::ownership;
use crate::container::job::Job;
use crate::container::record::Driver;
use crate::overlay::probe::Probed;
use crate::overlay::start::Mounter;
use crate::overlay::{self, Stack, Upper, kernel};
use crate::process::session::refusal::Refusal;
use crate::runtime::times::Times;
use crate::store::records;
use crate::sys::mount::{self, Attributes};
use crate::sys::process::{Child, raise_descriptor_limit};

/// The mounted root and, with the FUSE driver, who serves it.
pub struct Root {
    /// Detached, until init takes it.
    pub mount: Option<OwnedFd>,
    pub driver: &'static str,
    pub reason: String,
    pub mounter: Option<Child>,
    /// When each step was over, this one first.
    pub times: Times,
    /// Open as long as the mounter is to serve.
    _talk: Option<OwnedFd>,
}

/// Mounts the container's layers, or the directory that takes their place.
pub fn mount(job: &Job) -> Result<Root, Refusal> {
    let mut times = Times::default();
    times.mark("the monitor was cloned, and had its namespaces and ids");
    let mut root = mount_any(job, times)?;
    root.times.mark("the root file system was mounted");
    Ok(root)
}

fn mount_any(job: &Job, times: Times) -> Result<Root, Refusal> {
    if let Some(directory) = &job.rootfs {
        let mount = bind(directory).map_err(Refusal::ours)?;
        let reason = "the directory itself is the root".to_owned();
        return Ok(Root { mount: Some(mount), driver: "none", reason, mounter: None, times, _talk: None });
    }
    raise_descriptor_limit();
    let stack = stack(job).map_err(Refusal::ours)?;
    let (driver, reason) = choose(job, &stack)?;
    match driver {
        Driver::Fuse => {
            let stdio = [rustix::stdio::stdin(), rustix::stdio::stdout(), rustix::stdio::stderr()];
            let Mounter { child, mount, socket } =
                overlay::start::start_mounter(&stack, &job.overlay.features, None, stdio).map_err(Refusal::ours)?;
            Ok(Root { mount: Some(mount), driver: "fuse", reason, mounter: Some(child), times, _talk: Some(socket) })
        }
        Driver::Kernel | Driver::Auto => {
            if let Some(label) = &job.overlay.label {
                ownership::label_layers(&job.overlay.lowers, label).map_err(Refusal::ours)?;
            }
            let mount = kernel::mount(&stack, job.overlay.features.volatile, job.plan.file_label.as_deref())
                .map_err(Refusal::ours)?;
            Ok(Root { mount: Some(mount), driver: "kernel", reason, mounter: None, times, _talk: None })
        }
    }
}

/// A directory of this machine as it is, with all that is mounted in it.
fn bind(directory: &Path) -> Result<OwnedFd, overlay::Error> {
    let directory = overlay::open_directory(directory)?;
    let mount = mount::clone_tree(directory.as_fd(), c"", true)?;
    mount::set_attributes(mount.as_fd(), Attributes::NO_DEV, None, true)?;
    Ok(mount)
}

fn choose(job: &Job, stack: &Stack) -> Result<(Driver, String), Refusal> {
    let features = &job.overlay.features;
    match (job.overlay.driver, features.needs_fuse()) {
        (Driver::Kernel, Some(reason)) => {
            return Err(Refusal::ours(format!(
                "the storage driver `kernel` can't serve this container: {reason}\nhint: `fuse` can, and `auto` takes it by itself"
            )));
        }
        (Driver::Auto, Some(reason)) => return Ok((Driver::Fuse, reason.to_owned())),
        (Driver::Auto, None) => {}
        (forced, _) => {
            let lacks = features.kernel_lacks().filter(|_| forced == Driver::Kernel);
            return Ok((forced, lacks.map_or("asked for".to_owned(), |lacks| format!("asked for; {lacks}"))));
        }
    }
    if let Some(reason) = features.kernel_lacks() {
        return Ok((Driver::Fuse, reason.to_owned()));
    }
    let boot_id = &job.state.boot_id;
    let probed = Probed::remembered(&job.probe, boot_id).unwrap_or_else(|| {
        let probed = Probed::here(&job.tmp, boot_id);
        // Not remembered: the next start tries again.
        let _ = records::write(&job.probe, &probed, false);
        probed
    });
    let label = job.plan.file_label.as_deref();
    if probed.works && !probed.abilities.layers_one_by_one && !kernel::fits(stack, features.volatile, label) {
        let count = stack.lowers.len();
        return Ok((Driver::Fuse, format!("the kernel's can't be given {count} layers before Linux 6.5")));
    }
    Ok((if probed.works { Driver::Kernel } else { Driver::Fuse }, probed.reason))
}

fn stack(job: &Job) -> Result<Stack, overlay::Error> {
    let open = |path: &Path| overlay::open_directory(path);
    let lowers = job.overlay.lowers.iter().map(|path| open(path)).collect::<Result<Vec<_>, _>>()?;
    let upper = Upper { dir: open(&job.directory.join("upper"))?, work: open(&job.directory.join("work"))? };
    Ok(Stack { lowers, upper: Some(upper) })
}

impl Root {
    /// Waits until the mounter has written back all that the kernel cached; the last mount went with init.
    pub fn settle(self, limit: Duration) {
        let Some(mounter) = self.mounter else { return };
        let timeout = rustix::time::Timespec { tv_sec: limit.as_secs() as i64, tv_nsec: 0 };
        let mut polled = [rustix::event::PollFd::from_borrowed_fd(mounter.pidfd.as_fd(), rustix::event::PollFlags::IN)];
        let _ = rustix::event::poll(&mut polled, Some(&timeout));
    }
}
