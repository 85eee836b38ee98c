//! A container whose launcher is a service: who tells the service manager that it is ready (`--sdnotify`), and what of the manager's
//! the program is given.
//!
//! ```text
//!  program ── notify.sock ──▶ monitor ── `n` ──▶ launcher ──▶ manager     in the foreground: the launcher is the service
//!                                └─────────────────────────▶ manager     left alone: the monitor is
//! ```

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::host::systemd::notify::{VARIABLE, WATCHDOG};
use crate::runtime::plan::{self, Mount, Owners, Plan, Propagation, Source, Step};
use crate::sys::mount::Attributes;

/// The socket to which the program speaks, in [`directory`].
pub const SOCKET: &str = "notify.sock";
const DIRECTORY: &str = "notify";
/// Where the program finds that directory.
const INSIDE: &str = "/run/notify";

/// Who says that a container is ready.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Notify {
    /// The program itself.
    #[default]
    Container,
    /// We do, as soon as the program runs.
    Conmon,
    /// We do, at the first health check that is passed.
    Healthy,
    /// Nobody.
    Ignore,
}

impl Notify {
    pub const ALL: [(&'static str, Self); 4] = [
        ("container", Self::Container),
        ("conmon", Self::Conmon),
        ("healthy", Self::Healthy),
        ("ignore", Self::Ignore),
    ];

    /// As `--sdnotify` calls it.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, notify)| *notify == self).map_or("", |(name, _)| name)
    }
}

/// The directory of the socket, in that of the container.
pub fn directory(container: &Path) -> PathBuf {
    container.join(DIRECTORY)
}

/// Gives the program the socket, which is there by the time that it runs, and tells it how often the manager wants a sign of life, in
/// microseconds; 0: never.
pub fn lend(plan: &mut Plan, container: &Path, watchdog: u64) -> Result<(), plan::Error> {
    let directory = directory(container);
    let not_utf8 = || plan::Error::NotUtf8(directory.display().to_string());
    let path = directory.to_str().ok_or_else(not_utf8)?.to_owned();
    let attributes = Attributes::NO_SUID | Attributes::NO_DEV | Attributes::NO_EXEC;
    plan.steps.push(Step::Mount(Mount {
        target: INSIDE.to_owned(),
        source: Source::Bind {
            path,
            subpath: None,
            recursive: false,
            owners: Owners::Kept,
            label: plan.file_label.clone(),
        },
        attributes: attributes.bits(),
        propagation: Propagation::Private,
        strict: false,
        optional: false,
    }));
    plan.process.env.push(format!("{VARIABLE}={INSIDE}/{SOCKET}"));
    plan.process.env.extend((watchdog > 0).then(|| format!("{WATCHDOG}={watchdog}")));
    Ok(())
}
