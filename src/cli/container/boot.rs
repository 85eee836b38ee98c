//! `run --boot`: a container that the account's service manager starts, now and whenever it does itself: at boot, for an account that
//! lingers.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use crate::cli::unit::{Made, service};
use crate::cli::{Report, quadlet};
use crate::container::find::Found;
use crate::host::systemd::{self, Manager};
use crate::host::{atomic_file, change, message};
use crate::store::records;
use crate::systemd::quadlet::Service;

/// Where systemd-logind writes down who lingers.
const LINGERING: &str = "/var/lib/systemd/linger";

/// The manager, to be found before anything is made.
pub fn manager() -> Result<Manager, Report> {
    let none = || {
        Report::new("`--boot`: no service manager of this account runs here")
            .hint("with systemd, `loginctl enable-linger` starts one; without it, have whatever starts things at boot call `coracle start`")
    };
    Manager::of_user().ok_or_else(none)?.map_err(Report::new)
}

/// Writes the container's unit, enables it and starts it. The unit goes with the container.
pub fn begin(mut found: Found, manager: &mut Manager) -> Result<(), Report> {
    let name = found.container.name.clone();
    let units = quadlet::units()?;
    let mut unit = Service::new(format!("coracle-{name}.service"));
    unit.add("Unit", "Description", &format!("Container {name}"));
    service::again(&mut unit, &Made::of(&found.container)?, &found.container.id, found.container.stop_timeout)?;
    // The container's own restart policy says when it is started again; what its monitor can't, since it was killed, is done here.
    unit.add("Service", "RestartForceExitStatus", "125");
    unit.add("Install", "WantedBy", "default.target");
    let (path, wants) = (units.join(&unit.name), units.join("default.target.wants"));
    let link = wants.join(&unit.name);
    // First of all so that they go with it.
    found.container.boot = vec![link.clone(), path.clone()];
    records::write(&found.directory.join("container.json"), &found.container, !found.container.remove)?;
    change::create_dirs(&wants)?;
    atomic_file::write(&path, unit.text().as_bytes(), false)?;
    change::remove_file(&link)?;
    change::symlink(&Path::new("..").join(&unit.name), &link)?;
    manager.reload().map_err(Report::new)?;
    manager
        .start(&unit.name)
        .map_err(|error| Report::new(error).hint(format!("`journalctl --user -u {}` tells more", unit.name)))?;
    if !lingers() {
        message::warn(|| {
            "it is started with your first login and ends with your last: `loginctl enable-linger` has it start at boot"
                .into()
        });
    }
    Ok(())
}

/// What those need who know it from elsewhere: a restart policy alone is no service. Scripts that read nothing are told nothing.
pub fn remind(name: &str) {
    if !std::io::stderr().is_terminal() {
        return;
    }
    let way = match (systemd::has_bus(), lingers()) {
        (true, true) => "`run -d --boot` does, or a unit that `coracle unit` writes".to_owned(),
        (true, false) => {
            "`run -d --boot` does, or a unit that `coracle unit` writes, once `loginctl enable-linger` has your units \
             start before you log in"
                .to_owned()
        }
        (false, _) => {
            format!(
                "no service manager of this account runs here; have whatever starts things call `coracle start {name}`"
            )
        }
    };
    message::warn(|| format!("nothing starts the container {name} at the next boot: {way}"));
}

/// Whether the account's service manager runs without anybody logged in.
fn lingers() -> bool {
    let uid = rustix::process::getuid().as_raw();
    let known = std::fs::read_to_string(format!("/run/systemd/users/{uid}")).unwrap_or_default();
    let name = known.lines().find_map(|line| line.strip_prefix("NAME=")).map(PathBuf::from);
    let name = name.or_else(|| std::env::var_os("USER").map(PathBuf::from));
    name.is_some_and(|name| Path::new(LINGERING).join(name).exists())
}
