//! `rmi`: names of images, and images.

use std::collections::BTreeSet;
use std::process::ExitCode;

use clap::Args;

use crate::cli::{Context, Report, output};
use crate::container;
use crate::container::commit::step;
use crate::container::mount::Source;
use crate::container::record::Container;
use crate::container::watch::events::{self, Action, Event, Kind};
use crate::host::subid::IdMaps;
use crate::image::Error;
use crate::image::find::{find_any, is_id};
use crate::image::list::{List, list};
use crate::image::remove::{Removal, Removed, User, Users};
use crate::layer::worker;
use crate::oci::Digest;
use crate::store::Store;

/// Remove images, or names of images that have several
#[derive(Debug, Args)]
pub struct Rmi {
    /// Remove all images
    #[arg(short, long, conflicts_with = "images")]
    all: bool,
    /// Remove all names of an image, and an image that containers use together with these
    #[arg(short, long)]
    force: bool,
    /// An image that is not here is no failure
    #[arg(short, long)]
    ignore: bool,
    /// Accepted for scripts; parents of an image are never images of their own here
    #[arg(long, hide = true)]
    no_prune: bool,
    /// Names, or starts of ids
    #[arg(required_unless_present = "all", value_name = "IMAGE")]
    images: Vec<String>,
}

impl Rmi {
    pub fn run(self, context: &Context) -> Result<ExitCode, Report> {
        let store = context.store()?;
        // What others left may be met again: a failure is not this command's.
        let _ = worker::sweep(&store);
        let images = if self.all { all(&store)? } else { self.images.clone() };
        let mut failure = None::<Report>;
        for text in &images {
            if self.force {
                remove_containers(&store, text)?;
            }
            match (Removal { names: self.force || self.all }).run(&store, text, &Containers(&store)) {
                Ok(removed) => finish(&store, removed)?,
                Err(Error::Unknown { .. }) if self.ignore || self.force => {}
                Err(error) => {
                    let report = report(error);
                    match &mut failure {
                        Some(failure) => failure.join(report),
                        None => failure = Some(report),
                    }
                }
            }
        }
        failure.map_or(Ok(ExitCode::SUCCESS), Err)
    }
}

/// Removes the image unless a container uses it, or somebody else has removed it.
pub fn remove_unused(store: &Store, image: &str) -> Result<(), Report> {
    match (Removal { names: false }).run(store, image, &Containers(store)) {
        Ok(removed) => clear(store, removed),
        Err(Error::InUse { .. } | Error::Unknown { .. }) => Ok(()),
        Err(error) => Err(report(error)),
    }
}

/// The ids of all images, each once; of what can't be read, what its entry goes by.
fn all(store: &Store) -> Result<Vec<String>, Report> {
    let List { images, broken } = list(store)?;
    let ids = images.into_iter().map(|listed| listed.image.id).chain(broken.into_iter().map(|(key, _)| key));
    let ids: BTreeSet<String> = ids.map(|id| id.hex().to_owned()).collect();
    Ok(ids.into_iter().collect())
}

/// With the exit code that Podman has for it.
pub fn report(error: Error) -> Report {
    let code = match error {
        Error::Unknown { .. } => 1,
        Error::InUse { .. } => 2,
        _ => 125,
    };
    Report::from(error).code(code)
}

/// Says what is gone, then clears up behind it.
pub fn finish(store: &Store, removed: Removed) -> Result<(), Report> {
    for name in &removed.untagged {
        output::line(&output::printable(&format!("Untagged: {name}")));
    }
    if let Some(id) = &removed.deleted {
        output::line(&format!("Deleted: {}", id.hex()));
    }
    clear(store, removed)
}

/// Tells of it among the events, and removes what is out of sight already.
pub fn clear(store: &Store, removed: Removed) -> Result<(), Report> {
    let event = |action, name: &str| Event::new(Kind::Image, action, &removed.id, name);
    let untagged = removed.untagged.iter().map(|name| event(Action::Untag, name));
    let deleted = removed.deleted.iter().map(|_| event(Action::Remove, ""));
    events::record(store.layout().root(), &untagged.chain(deleted).collect::<Vec<_>>());
    if !removed.layers.is_empty() {
        let ids = IdMaps::of_account()?;
        for layer in removed.layers {
            worker::remove_tmp(&ids, layer)?;
        }
    }
    Ok(())
}

/// With `--force`, the containers that would keep the image go first.
fn remove_containers(store: &Store, text: &str) -> Result<(), Report> {
    // Of what can't be read, the removal tells.
    let Some(image) = find_any(store, text).ok().flatten() else { return Ok(()) };
    // Of several names only that one goes.
    if image.names.len() > 1 && !is_id(store, text)? {
        return Ok(());
    }
    for found in container::find::all(store)?.iter().filter(|found| found.container.image_id() == image.id.hex()) {
        let patience = std::time::Duration::from_secs(found.container.stop_timeout.into());
        container::life::remove::remove(store, found, true, patience)?;
    }
    Ok(())
}

/// The containers of this store, as users of images.
pub struct Containers<'a>(pub &'a Store);

impl Users for Containers<'_> {
    fn users(&self) -> Result<Vec<User>, Box<dyn std::error::Error + Send + Sync>> {
        let all = container::find::all(self.0)?.into_iter().flat_map(|found| {
            let Container { id, image, layers, mounts, .. } = found.container;
            let own = image.map(|image| (image.id, layers));
            let mounted = mounts.into_iter().filter_map(|mount| match mount.source {
                Source::Image { image, layers, .. } => Some((image.id, layers)),
                _ => None,
            });
            let short: String = id.chars().take(12).collect();
            let all: Vec<_> = own.into_iter().chain(mounted).collect();
            all.into_iter().map(move |(image, layers)| User { container: short.clone(), image, layers })
        });
        // An image is not in use by what is built upon it, but its layers are.
        let built = |container: Container| {
            let images = container.mounts.into_iter().filter_map(|mount| match mount.source {
                Source::Image { layers, .. } => Some(layers),
                _ => None,
            });
            let layers = images.flatten().chain(container.layers).collect();
            User { container: container.id, image: Digest::of(b""), layers }
        };
        Ok(all.chain(step::living(self.0).into_iter().map(built)).collect())
    }
}
