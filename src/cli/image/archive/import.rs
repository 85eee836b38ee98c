//! `import`: an image of a tar archive of a file system.

use std::fs::File;
use std::os::fd::AsFd;
use std::process::ExitCode;

use clap::Args;
use rustix::stdio::stdin;

use crate::cli::container::options::value::signal;
use crate::cli::image::limit::Limit;
use crate::cli::output::{self, progress::Display};
use crate::cli::{Context, Report};
use crate::container::watch::events::{self, Action, Event, Kind};
use crate::image::import;
use crate::oci::Platform;

/// Make an image of a tar archive of a file system
#[derive(Debug, Args)]
pub struct Import {
    /// The architecture that its programs are for [default: this machine's]
    #[arg(long, value_name = "ARCHITECTURE")]
    arch: Option<String>,
    /// Change the image's config by an instruction: CMD, ENTRYPOINT, ENV, EXPOSE, LABEL, ONBUILD, STOPSIGNAL, USER, VOLUME,
    /// WORKDIR
    #[arg(long, short, value_name = "INSTRUCTION")]
    change: Vec<String>,
    /// A message for the image's history
    #[arg(long, short, value_name = "TEXT", default_value = "imported from tarball", hide_default_value = true)]
    message: String,
    /// The operating system that its programs are for [default: linux]
    #[arg(long, value_name = "OS")]
    os: Option<String>,
    /// `--os`, `--arch` and `--variant` in one: `os/architecture` or `os/architecture/variant`
    #[arg(long, value_name = "PLATFORM", conflicts_with_all = ["arch", "os", "variant"])]
    platform: Option<Platform>,
    /// Show nothing but the ID
    #[arg(long, short)]
    quiet: bool,
    /// The variant of the architecture
    #[arg(long, value_name = "VARIANT")]
    variant: Option<String>,
    /// The archive, compressed with gzip, bzip2, xz, zstd or not at all; `-` for standard input
    #[arg(value_name = "FILE")]
    archive: String,
    #[command(flatten)]
    limit: Limit,
    /// The image's name; `localhost/` and `:latest` may be left out [default: none]
    image: Option<String>,
}

impl Import {
    pub fn run(self, context: &Context) -> Result<ExitCode, Report> {
        let archive = self.open()?;
        let store = context.store()?;
        let progress = Display::new(self.quiet);
        let import = import::Import {
            store: &store,
            progress: &progress,
            platform: self.platform(),
            message: &self.message,
            changes: &self.change,
            is_signal: |text| signal(text).is_ok(),
            name: self.image.as_deref(),
            source: &self.archive,
            max_layer_size: self.limit.bytes()?,
        };
        let id = import.run(archive)?;
        events::record(store.layout().root(), &[Event::new(Kind::Image, Action::Import, id.hex(), &self.archive)]);
        output::line(&id.to_string());
        Ok(ExitCode::SUCCESS)
    }

    fn open(&self) -> Result<File, Report> {
        let path = &self.archive;
        if path == "-" {
            return stdin().as_fd().try_clone_to_owned().map(File::from).map_err(Report::new);
        }
        if ["http://", "https://"].iter().any(|scheme| path.starts_with(scheme)) {
            return Err(Report::new(format!("an image is not imported from an address: `{path}`"))
                .hint("`curl -fL ADDRESS | coracle import -` does it"));
        }
        File::open(path).map_err(|error| {
            let error = error.to_string();
            let reason = error.split(" (os error").next().unwrap_or_default().to_lowercase();
            Report::new(format!("error opening \"{path}\": open {path}: {reason}"))
        })
    }

    fn platform(&self) -> Platform {
        if let Some(platform) = &self.platform {
            return platform.clone();
        }
        let host = Platform::host();
        // The host's variant is that of the host's architecture.
        let variant = self.variant.clone().or(host.variant.filter(|_| self.arch.is_none()));
        let arch = self.arch.as_deref().unwrap_or(&host.architecture);
        Platform::new(self.os.as_deref().unwrap_or(&host.os), arch, variant.as_deref())
    }
}
