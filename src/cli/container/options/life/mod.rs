//! How a container begins and ends: what it replaces, how it is stopped, whether it is removed.

mod id_file;
mod monitor;

use std::path::PathBuf;

use clap::Args;

pub use self::id_file::IdFile;
use super::value::{absolute, bytes, number_of_signal, signal};
use crate::cli::Report;
use crate::container::record::{Container, Systemd};
use crate::container::spec::systemd;
use crate::oci::image_config::RunConfig;

/// `SIGRTMIN+3`: systemd takes it for the word to shut down.
const SHUT_DOWN: i32 = 37;
/// Seconds.
const STOP_TIMEOUT: u32 = 10;

#[derive(Debug, Args)]
#[command(next_help_heading = "Begin and end")]
#[group(skip)]
pub struct Flags {
    /// Write the container's ID to this file
    #[arg(long, value_name = "FILE")]
    cidfile: Option<PathBuf>,
    /// Take the name from the container that has it, and remove that one; if this one can't start, all stays as it was
    #[arg(long)]
    replace: bool,
    /// Remove the container when it has ended
    #[arg(long)]
    pub rm: bool,
    /// Signal that stops the program
    #[arg(long, value_name = "SIGNAL")]
    stop_signal: Option<String>,
    /// Seconds between that signal and the kill
    #[arg(long, value_name = "SECONDS", default_value_t = STOP_TIMEOUT, hide_default_value = true)]
    stop_timeout: u32,
    /// Make the container a place for systemd: `true`, if the program is systemd or init; `always`; `false`
    #[arg(long, value_name = "MODE", default_value = "true", hide_default_value = true)]
    systemd: String,
    /// Size of what systemd has in memory, as /run and /tmp [default: half of the machine's]
    #[arg(long, value_name = "BYTES[bkmg]")]
    shm_size_systemd: Option<String>,
    /// `--rmi`, which `run` alone has.
    #[arg(skip)]
    pub rmi: bool,
    #[command(flatten)]
    monitor: monitor::Flags,
}

impl Flags {
    /// The program is known.
    pub fn fill(&self, container: &mut Container, config: &RunConfig) -> Result<(), Report> {
        container.systemd = self.systemd(&container.args())?;
        container.remove = self.rm || self.rmi;
        container.remove_image = self.rmi;
        container.id_file = self.cidfile.as_ref().map(absolute).transpose()?;
        container.stop_timeout = self.stop_timeout;
        container.stop_signal =
            match (self.stop_signal.as_deref().filter(|signal| !signal.is_empty()), &config.stop_signal) {
                (Some(asked), _) => signal(asked)?,
                // What an image says wrongly is nothing that its user could put right.
                (None, Some(of_image)) => number_of_signal(of_image).unwrap_or(libc::SIGTERM),
                (None, None) if container.systemd.is_some() => SHUT_DOWN,
                (None, None) => libc::SIGTERM,
            };
        self.monitor.fill(container)
    }

    fn systemd(&self, program: &[String]) -> Result<Option<Systemd>, Report> {
        let size = self.shm_size_systemd.as_deref().filter(|size| !size.is_empty()).map(bytes).transpose()?;
        let is = match self.systemd.to_lowercase().as_str() {
            "always" => true,
            "true" | "" => program.first().is_some_and(|program| systemd::is(program)),
            "false" => false,
            _ => return Err(Report::new("--systemd values must be one of \"true, false, always\"")),
        };
        Ok(is.then_some(Systemd { size: size.filter(|size| *size > 0) }))
    }

    /// Of what is made to be looked at alone: it takes nobody's place, and no file says its ID.
    pub fn only_look(&mut self) {
        (self.replace, self.cidfile) = (false, None);
    }

    /// With `--replace`: the name that is given, which is to be taken.
    pub fn replaces<'a>(&self, name: Option<&'a str>) -> Result<Option<&'a str>, Report> {
        if self.replace && name.is_none() {
            return Err(Report::new("cannot replace container without --name being set"));
        }
        Ok(name.filter(|_| self.replace))
    }

    /// The file of `--cidfile`, to be claimed before anything is made.
    pub fn id_file(&self) -> Result<Option<IdFile<'_>>, Report> {
        self.cidfile.as_deref().map(IdFile::claim).transpose()
    }
}
