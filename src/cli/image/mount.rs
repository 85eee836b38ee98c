//! `image mount` and `unmount`: the files of images, within `unshare`.

use std::process::ExitCode;

use clap::Args;
use serde::Serialize;

use crate::cli::output::{self, format, table};
use crate::cli::{Context, Report};
use crate::image::list::list;
use crate::image::mount::{Mounted, mount, mounted, unmount};
use crate::store::Store;

/// Mount images, read-only, for programs that `unshare` runs; without a name, show what is mounted
#[derive(Debug, Args)]
pub struct Mount {
    /// Mount all images
    #[arg(long, short, conflicts_with = "images")]
    all: bool,
    /// `json`
    #[arg(long, value_name = "FORMAT")]
    format: Option<String>,
    /// Names, or starts of ids
    #[arg(value_name = "IMAGE")]
    images: Vec<String>,
}

/// Unmount images
#[derive(Debug, Args)]
pub struct Unmount {
    /// Unmount all that are mounted
    #[arg(long, short, conflicts_with = "images")]
    all: bool,
    /// Accepted for scripts: nobody else can have mounted them here
    #[arg(long, short, hide = true)]
    force: bool,
    /// Names, or starts of ids
    #[arg(required_unless_present = "all", value_name = "IMAGE")]
    images: Vec<String>,
}

impl Mount {
    pub fn run(self, context: &Context) -> Result<ExitCode, Report> {
        if !rustix::process::geteuid().is_root() {
            let problem =
                "cannot run command \"coracle image mount\" in rootless mode, must execute `coracle unshare` first";
            return Err(
                Report::new(problem).hint("`coracle unshare coracle image mount …`, or a shell: `coracle unshare sh`")
            );
        }
        if let Some(other) = self.format.as_deref().filter(|format| *format != "json") {
            return Err(Report::new(format!("unknown --format \"{other}\"")).hint("`json` is known"));
        }
        let store = context.store()?;
        let names = if self.all { ids(&store)? } else { self.images };
        let all = match names.is_empty() {
            true => mounted(&store)?,
            false => names.iter().map(|name| mount(&store, name)).collect::<Result<_, _>>()?,
        };
        output::print(&match (self.format, all.as_slice()) {
            (Some(_), all) => format::json(&all.iter().map(Json::of).collect::<Vec<_>>())?,
            (None, [one]) if names.len() == 1 => format!("{}\n", one.path.display()),
            (None, all) => {
                let row = |mounted: &Mounted| vec![mounted.image.display_name(), mounted.path.display().to_string()];
                table::table(&all.iter().map(row).collect::<Vec<_>>())
            }
        });
        Ok(ExitCode::SUCCESS)
    }
}

impl Unmount {
    pub fn run(self, context: &Context) -> Result<ExitCode, Report> {
        let store = context.store()?;
        let names = match self.all {
            true => mounted(&store)?.into_iter().map(|mounted| mounted.image.id.hex().to_owned()).collect(),
            false => self.images,
        };
        for name in names {
            output::line(unmount(&store, &name)?.hex());
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// Of all images that have files.
fn ids(store: &Store) -> Result<Vec<String>, Report> {
    let images = list(store)?.images.into_iter().map(|listed| listed.image);
    Ok(images.filter(|image| !image.layers.is_empty()).map(|image| image.id.hex().to_owned()).collect())
}

/// Podman's keys.
#[derive(Serialize)]
struct Json {
    id: String,
    #[serde(rename = "Names")]
    names: Vec<String>,
    #[serde(rename = "Repositories")]
    repositories: Vec<String>,
    mountpoint: String,
}

impl Json {
    fn of(mounted: &Mounted) -> Self {
        let Mounted { image, path } = mounted;
        Self {
            id: image.id.hex().to_owned(),
            names: vec![image.manifest_digest.to_string()],
            repositories: image.names.clone(),
            mountpoint: path.display().to_string(),
        }
    }
}
