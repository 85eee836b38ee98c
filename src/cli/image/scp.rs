//! `image scp`: an image from machine to machine, as an archive that goes through ssh.

use std::fs::File;
use std::os::fd::{AsFd, OwnedFd};
use std::process::{Child, ExitCode, Stdio};

use clap::Args;

use super::archive::load;
use crate::cli::output::progress::Display;
use crate::cli::{Context, Report};
use crate::host::remote::ssh::{self, Host};
use crate::image::archive::save::{Chosen, Save};
use crate::image::archive::{Archive, Format};
use crate::store::Store;
use crate::sys::Call;

/// Copy an image from or to another machine, or between two, through ssh
///
/// The other machine needs this program or Podman.
#[derive(Debug, Args)]
pub struct Scp {
    /// Show no progress
    #[arg(long, short)]
    quiet: bool,
    /// An image here, or one there: `[USER@]HOST[:PORT]::IMAGE`
    source: String,
    /// Where it goes: `[USER@]HOST[:PORT]::` [default: here]
    destination: Option<String>,
}

/// The end of a copy that is another machine.
struct There {
    host: Host,
    text: String,
}

impl There {
    /// The machine that `text` names before `::`, if it does, and what follows.
    fn parse(text: &str) -> Result<Option<(Self, &str)>, Report> {
        let Some((host, rest)) = text.rsplit_once("::") else { return Ok(None) };
        Ok(Some((Self { host: host.parse().map_err(Report::new)?, text: host.to_owned() }, rest)))
    }

    /// Starts what the other machine has of this program and Podman.
    fn start(&self, arguments: &str, input: Stdio, output: Stdio) -> Result<Child, Report> {
        let line = format!(
            "if command -v coracle >/dev/null; then exec coracle {arguments}; else exec podman {arguments}; fi"
        );
        ssh::start(&self.host, &line, input, output).map_err(|error| match error.errno() {
            libc::ENOENT => Report::new(error).hint("install ssh: on Debian the package `openssh-client`"),
            _ => Report::new(error),
        })
    }

    fn end(&self, child: &mut Child) -> Result<(), Report> {
        let status = child.wait().call("wait4")?;
        match status.success() {
            true => Ok(()),
            false => Err(Report::new(format!("the command on `{}` failed ({status})", self.text))),
        }
    }
}

/// The name or id of an image, as a word of a shell's command line that the shell takes for nothing more.
fn word(image: &str) -> Result<&str, Report> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._:/@-".contains(&byte);
    match image.starts_with(|first: char| first.is_ascii_alphanumeric()) && image.bytes().all(plain) {
        true => Ok(image),
        false => Err(Report::new(format!("{image:?} names no image"))),
    }
}

/// Where both sides failed, either may be the cause of the other: both are told.
fn both(theirs: Result<(), Report>, other: Result<(), Report>) -> Result<(), Report> {
    match (theirs, other) {
        (Err(mut theirs), Err(other)) => {
            theirs.join(other);
            Err(theirs)
        }
        (theirs, other) => theirs.and(other),
    }
}

impl Scp {
    pub fn run(self, context: &Context) -> Result<ExitCode, Report> {
        let to = match self.destination.as_deref().map(There::parse).transpose()? {
            Some(Some((there, ""))) => Some(there),
            Some(_) => return Err(Report::new("the destination is a machine: `[USER@]HOST::`")),
            None => None,
        };
        let quiet = if self.quiet { " --quiet" } else { "" };
        let load = format!("load{quiet}");
        match (There::parse(&self.source)?, to) {
            (None, None) => return Err(Report::new("must specify a destination: invalid argument")),
            (None, Some(to)) => self.send(&context.store()?, &to, &load)?,
            (Some((from, image)), to) => {
                let save = format!("save{quiet} --format oci-archive {}", word(image)?);
                let mut saving = from.start(&save, Stdio::null(), Stdio::piped())?;
                let archive = OwnedFd::from(saving.stdout.take().ok_or_else(|| Report::new("ssh has no output"))?);
                let done = match &to {
                    Some(to) => {
                        to.start(&load, archive.into(), Stdio::inherit()).and_then(|mut child| to.end(&mut child))
                    }
                    None => self.load(&context.store()?, archive.into(), &from.text),
                };
                // Whoever sends knows best why nothing came, and whoever receives why no more was taken.
                both(from.end(&mut saving), done)?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }

    fn send(&self, store: &Store, to: &There, load: &str) -> Result<(), Report> {
        let chosen = Chosen::find(store, &self.source)?;
        let progress = Display::new(self.quiet);
        let save = Save { store, progress: &progress, format: Format::OciArchive, compress: false };
        let mut child = to.start(load, Stdio::piped(), Stdio::inherit())?;
        let archive = child.stdin.take().ok_or_else(|| Report::new("ssh has no input"))?;
        let saved = save.to_stream(&[chosen], archive.as_fd());
        drop(archive);
        both(to.end(&mut child), saved.map_err(Report::from))
    }

    fn load(&self, store: &Store, archive: File, from: &str) -> Result<(), Report> {
        load::load(store, &Archive::read(store, archive, from)?, None, None, self.quiet)
    }
}
