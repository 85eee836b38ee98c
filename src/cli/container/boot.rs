//! `run --boot`: a container that the account's service manager starts, now and whenever it does itself: at boot, for an account that
//! lingers.

use std::io::IsTerminal;
use std::path::Path;

use crate::cli::unit::{Made, service};
use crate::cli::{Report, quadlet};
use crate::container::find::Found;
use crate::container::watch::service::Notify;
use crate::host::systemd::{self, Manager};
use crate::host::{atomic_file, change, message};
use crate::store::records;
use crate::systemd::quadlet::Service;

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
    let mut made = Made::of(&found.container)?;
    if made.says_ready.is_none() {
        // Else a program that can't be started would be one that has been.
        found.container.notify = Notify::Conmon;
        made.says_ready = Some(Notify::Conmon.name().to_owned());
    }
    service::again(&mut unit, &made, &found.container.id, found.container.stop_timeout)?;
    // The container's own restart policy says when it is started again; what its monitor can't, since it was killed, is done here.
    unit.add("Service", "RestartForceExitStatus", "125");
    unit.add("Install", "WantedBy", "default.target");
    let (path, wants) = (units.join(&unit.name), units.join("default.target.wants"));
    let link = wants.join(&unit.name);
    // First of all so that they go with it.
    found.container.boot = vec![link.clone(), path.clone()];
    write(&found)?;
    change::create_dirs(&wants)?;
    atomic_file::write(&path, unit.text().as_bytes(), true)?;
    change::remove_file(&link)?;
    change::symlink(&Path::new("..").join(&unit.name), &link)?;
    // The folder of links may be new.
    [&wants, &units].into_iter().try_for_each(|folder| change::sync_dir(folder))?;
    manager.reload().map_err(Report::new)?;
    if let Err(error) = manager.start(&unit.name) {
        // What did not start now would not at the next boot.
        [&link, &path].into_iter().try_for_each(|file| change::remove_file(file).map(drop))?;
        found.container.boot = Vec::new();
        write(&found)?;
        manager.reload().map_err(Report::new)?;
        let log =
            format!("`journalctl --user -u {}` tells more; the container is there, and nothing starts it", unit.name);
        return Err(Report::new(error).hint(log));
    }
    if !systemd::lingers() {
        message::warn(|| {
            "it is started with your first login and ends with your last: `loginctl enable-linger` has it start at boot"
                .into()
        });
    }
    Ok(())
}

fn write(found: &Found) -> Result<(), Report> {
    let keep = !found.container.remove;
    records::write(&found.directory.join("container.json"), &found.container, keep).map_err(Report::new)
}

/// What those need who know it from elsewhere: a restart policy alone is no service. Scripts that read nothing are told nothing.
pub fn remind(name: &str) {
    if !std::io::stderr().is_terminal() {
        return;
    }
    let way = match (systemd::has_bus(), systemd::lingers()) {
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
