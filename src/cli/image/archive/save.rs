//! `save`: images from the store into an archive.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use rustix::stdio::stdout;
use rustix::termios::isatty;

use crate::cli::output::progress::Display;
use crate::cli::{Context, Report};
use crate::container::watch::events::{self, Action, Event, Kind};
use crate::host::atomic_file::Unfinished;
use crate::image::archive::Format;
use crate::image::archive::save::{self, Chosen};
use crate::store::Store;

/// Save images to an archive
#[derive(Debug, Args)]
pub struct Save {
    /// Compress layers that are not; with `docker-dir` alone
    #[arg(long)]
    compress: bool,
    /// `docker-archive` and `oci-archive` are files, `docker-dir` and `oci-dir` directories
    #[arg(long, value_name = "FORMAT", default_value = "docker-archive")]
    format: String,
    /// All arguments are images, not names for the first of them; not with `docker-dir`, which holds one
    #[arg(long, short)]
    multi_image_archive: bool,
    /// Write to this file or directory, which appears when it is whole [default: standard output]
    #[arg(long, short, value_name = "PATH")]
    output: Option<PathBuf>,
    /// Show no progress
    #[arg(long, short)]
    quiet: bool,
    /// Accepted for scripts: layers are saved as they are kept anyway
    #[arg(long, hide = true)]
    uncompressed: bool,
    /// The image, and more names for it in the archive
    #[arg(required = true, value_name = "IMAGE")]
    images: Vec<String>,
}

/// Writes an archive to a path, where it appears when it is whole.
pub fn write(save: &save::Save<'_>, chosen: &[Chosen], path: &Path) -> Result<(), Report> {
    let is_there = || std::fs::metadata(path).is_ok_and(|file| file.is_file() && file.len() > 0);
    if save.format == Format::DockerArchive && is_there() {
        return Err(Report::new("docker-archive doesn't support modifying existing images")
            .hint("remove the file first, or name another"));
    }
    if matches!(save.format, Format::OciDir | Format::DockerDir) {
        return Ok(save.to_directory(chosen, path)?);
    }
    let file = Unfinished::create(path)?;
    save.to_stream(chosen, file.fd())?;
    Ok(file.finish()?)
}

const FORMATS: [(&str, Format); 4] = [
    ("oci-dir", Format::OciDir),
    ("oci-archive", Format::OciArchive),
    ("docker-dir", Format::DockerDir),
    ("docker-archive", Format::DockerArchive),
];

impl Save {
    pub fn run(self, context: &Context) -> Result<ExitCode, Report> {
        let format = self.meaning()?;
        let is_directory = matches!(format, Format::OciDir | Format::DockerDir);
        if self.output.is_none() && is_directory {
            return Err(Report::new("a directory can't be written to standard output").hint("name one with `--output`"));
        }
        if self.output.is_none() && isatty(stdout()) {
            return Err(Report::new("refusing to save to terminal. Use -o flag or redirect"));
        }
        let store = context.store()?;
        let chosen = self.chosen(&store)?;
        let progress = Display::new(self.quiet || self.output.is_none());
        let save = save::Save { store: &store, progress: &progress, format, compress: self.compress };
        match &self.output {
            None => save.to_stream(&chosen, stdout())?,
            Some(path) => write(&save, &chosen, path)?,
        }
        let place = self.output.as_deref().map(|path| path.display().to_string()).unwrap_or_default();
        let event = |chosen: &Chosen| Event::new(Kind::Image, Action::Save, chosen.image.id.hex(), &place);
        events::record(store.layout().root(), &chosen.iter().map(event).collect::<Vec<_>>());
        Ok(ExitCode::SUCCESS)
    }

    fn meaning(&self) -> Result<Format, Report> {
        let Some((_, format)) = FORMATS.into_iter().find(|(name, _)| *name == self.format) else {
            return Err(Report::new(format!(
                "format value must be one of {}",
                FORMATS.map(|(name, _)| name).join(" ")
            )));
        };
        if self.compress && format != Format::DockerDir {
            return Err(Report::new("--compress can only be set when --format is 'docker-dir'"));
        }
        if self.multi_image_archive && self.images.len() > 1 && format == Format::DockerDir {
            let problem = "unsupported format \"docker-dir\" for saving multiple images: it holds one";
            return Err(Report::new(problem).hint("`--format` with docker-archive, oci-archive or oci-dir"));
        }
        Ok(format)
    }

    fn chosen(&self, store: &Store) -> Result<Vec<Chosen>, Report> {
        if self.multi_image_archive {
            return Ok(self.images.iter().map(|image| Chosen::find(store, image)).collect::<Result<_, _>>()?);
        }
        let mut images = self.images.iter();
        let mut all = Vec::new();
        if let Some(image) = images.next() {
            let mut chosen = Chosen::find(store, image)?;
            images.try_for_each(|name| chosen.name(name))?;
            all.push(chosen);
        }
        Ok(all)
    }
}
