//! `pull` of what is not at a registry.

use std::path::Path;

use crate::cli::Report;
use crate::cli::output::{self, progress::Display};
use crate::container::watch::events::{self, Action, Event, Kind};
use crate::image::Error;
use crate::image::archive::load::{Load, Loaded};
use crate::image::archive::transport::Place;
use crate::image::archive::{Archive, Format};
use crate::image::find::find_any;
use crate::oci::Platform;
use crate::store::Store;

/// Takes the image that is meant into the store, if it is not there, and prints its id.
pub fn take(
    store: &Store,
    place: &Place,
    platform: Platform,
    max_layer_size: Option<u64>,
    policy: Option<&Path>,
    quiet: bool,
) -> Result<(), Report> {
    let (format, path, which) = match place {
        Place::Archive { format, path, which } => (format, path, which),
        Place::Registry(name) | Place::Store(name) => {
            let found = find_any(store, name)?.ok_or_else(|| Error::Unknown { name: name.clone() })?;
            output::line(found.id.hex());
            return Ok(());
        }
    };
    if path.is_dir() != matches!(format, Format::OciDir | Format::DockerDir) {
        let wanted = if path.is_dir() { "a file" } else { "a directory" };
        return Err(Report::new(format!("`{}` is not {wanted}, as this transport needs it", path.display())));
    }
    let archive = Archive::open(store, path)?;
    let progress = Display::new(quiet);
    let load = Load { store, progress: &progress, platform, max_layer_size, policy };
    for Loaded { id, names } in load.run(&archive, which)? {
        let name = names.first().map_or("", String::as_str);
        events::record(store.layout().root(), &[Event::new(Kind::Image, Action::Pull, id.hex(), name)]);
        output::line(id.hex());
    }
    Ok(())
}
