//! `--volumes-from`: what another container has mounted of this machine and of volumes.

use crate::cli::Report;
use crate::container::find;
use crate::container::mount::{Mount, RELABELLED, Source};
use crate::store::Store;

/// `CONTAINER[:OPTIONS]`.
pub fn by(text: &str, store: &Store) -> Result<Vec<Mount>, Report> {
    let (name, options) = text.split_once(':').unwrap_or((text, ""));
    let (mut access, mut shares) = (None, false);
    for option in options.split(',').filter(|option| !option.is_empty()) {
        match option {
            "ro" | "rw" => access = Some(option),
            "z" => shares = true,
            _ => {
                return Err(Report::new(format!(
                    "invalid option \"{option}\" specified - volumes from another container can only use z,ro,rw options"
                )));
            }
        }
    }
    let found = find::find(store, name).map_err(|error| Report {
        messages: vec![format!("looking up container \"{name}\" for volumes-from: {error}")],
        ..Report::from(error)
    })?;
    let is_lent =
        |mount: &Mount| matches!(mount.source, Source::Bind(_) | Source::Volume(_)) && mount.overlay.is_none();
    let mut lent: Vec<Mount> = found.container.mounts.into_iter().filter(is_lent).collect();
    if let Some(access) = access {
        for mount in &mut lent {
            mount.options.retain(|option| option != "ro" && option != "rw");
            mount.options.push(access.to_owned());
        }
    }
    if shares {
        for mount in &mut lent {
            mount.options.retain(|option| !RELABELLED.contains(&option.as_str()));
            mount.options.push("z".to_owned());
        }
    }
    Ok(lent)
}
