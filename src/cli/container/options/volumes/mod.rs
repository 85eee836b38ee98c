//! What a container has mounted: `--volume`, `--mount`, `--tmpfs`, `--volumes-from`, and the volumes that its image asks for.
//!
//! Where two of them have one target, what was said stands above what another container lends, and that above what the image asks
//! for; to say it twice is a mistake.

pub mod cdi;
pub mod devices;
mod glob;
mod lent;
mod mount;
pub mod target;
mod volume;
mod words;

use clap::{Args, ValueEnum};

use crate::cli::Report;
use crate::container::mount::{Mount, Source};
use crate::container::record::Container;
use crate::oci::image_config::RunConfig;
use crate::store::Store;

#[derive(Debug, Args)]
#[command(next_help_heading = "Volumes")]
#[group(skip)]
pub struct Flags {
    /// What becomes of the volumes that the image asks for: `anonymous`, `tmpfs` or `ignore` [default: anonymous]
    #[arg(
        long,
        value_name = "MODE",
        default_value = "anonymous",
        hide_default_value = true,
        hide_possible_values = true
    )]
    image_volume: ImageVolume,
    /// Mount something, in words: `type=bind|volume|tmpfs|image|glob|devpts,source=…,target=…` and options
    #[arg(long, value_name = "KEY=VALUE,…")]
    mount: Vec<String>,
    /// Mount a tmpfs, which begins with what the image has at its place
    #[arg(long, value_name = "PATH[:OPTIONS]")]
    tmpfs: Vec<String>,
    /// Show a volume, or a file or directory of this machine, in the container; with the option `U` its files become the container's
    /// user's, with `mine` yours are shown as that user's and stay yours, with `O` what is written is thrown away
    #[arg(long, short, value_name = "[SOURCE:]TARGET[:OPTIONS]")]
    volume: Vec<String>,
    /// Mount the volumes and directories that another container has
    #[arg(long, value_name = "CONTAINER[:OPTIONS]", value_delimiter = ',')]
    volumes_from: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ImageVolume {
    #[value(alias = "bind")]
    Anonymous,
    Tmpfs,
    Ignore,
}

impl Flags {
    /// Nothing is made yet.
    pub fn fill(&self, container: &mut Container, config: &RunConfig, store: &Store) -> Result<(), Report> {
        let mut said = Vec::new();
        for (at, text) in self.volume.iter().enumerate() {
            // Scripts that gather flags may say one twice.
            if !self.volume.iter().take(at).any(|other| other == text) {
                said.push(volume::parse(text)?);
            }
        }
        for text in &self.mount {
            said.extend(mount::parse(text, store, container.mode)?);
        }
        for text in &self.tmpfs {
            said.push(volume::tmpfs(text)?);
        }
        for (at, mount) in said.iter().enumerate() {
            if said.iter().take(at).any(|other| other.target == mount.target) {
                return Err(Report::new(format!("{}: duplicate mount destination", mount.target)));
            }
        }
        for text in &self.volumes_from {
            for lent in lent::by(text, store)? {
                add(&mut said, lent);
            }
        }
        for path in config.volumes.keys() {
            if let Some(of_image) = self.of_image(path)? {
                add(&mut said, of_image);
            }
        }
        container.mounts = said;
        Ok(())
    }

    fn of_image(&self, path: &str) -> Result<Option<Mount>, Report> {
        if self.image_volume == ImageVolume::Ignore {
            return Ok(None);
        }
        let target = target::parse(path)?;
        // What the kernel shows there is the container's own, whatever its image thinks.
        if ["/proc", "/sys", "/dev"].iter().any(|own| std::path::Path::new(&target).starts_with(own)) {
            return Err(Report::new(format!("the image asks for a volume at `{target}`, which is the kernel's"))
                .hint("`--image-volume=ignore` makes none of those that the image asks for"));
        }
        Ok(Some(match self.image_volume {
            ImageVolume::Tmpfs => {
                let options = ["rw", "nosuid", "nodev"].map(str::to_owned).to_vec();
                Mount { source: Source::Tmpfs { copy_up: true }, target, options, overlay: None }
            }
            _ => volume::anonymous(target)?,
        }))
    }
}

/// Unless something has that target.
fn add(mounts: &mut Vec<Mount>, mount: Mount) {
    if !mounts.iter().any(|other| other.target == mount.target) {
        mounts.push(mount);
    }
}
