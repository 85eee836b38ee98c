//! Units that keep those of an account in step with its quadlets: a path unit that sees each change below the folders, and a service
//! that makes all of them anew (systemd.path(5)). Where an administrator has set up the generator, a reload does that.

use std::path::PathBuf;

use super::{Service, words};

/// The one that watches.
pub const PATH: &str = "coracle-quadlet.path";
const SERVICE: &str = "coracle-quadlet.service";

/// The two, for these folders, of which a change is seen in each, and none in those below. `program`: the path of this one.
pub fn units(folders: &[PathBuf], program: &str) -> [Service; 2] {
    let mut path = Service::new(PATH.to_owned());
    path.add("Unit", "Description", "Changes of quadlets");
    for folder in folders.iter().filter_map(|folder| folder.to_str()).filter(|folder| !folder.contains('\n')) {
        path.add("Path", "PathChanged", &folder.replace('%', "%%"));
    }
    path.links.push((format!("default.target.wants/{PATH}"), format!("../{PATH}")));
    let mut service = Service::new(SERVICE.to_owned());
    service.add("Unit", "Description", "Units of changed quadlets");
    // As often as somebody saves a file.
    service.add("Unit", "StartLimitIntervalSec", "0");
    service.add("Service", "Type", "oneshot");
    // Systemd sees nothing while the service runs: so that looks itself until all is written.
    let command = [program, "quadlet", "sync", "--settle=2"].map(|word| word.replace('%', "%%").replace('$', "$$"));
    service.add("Service", "ExecStart", &words::join(&command));
    [path, service]
}
