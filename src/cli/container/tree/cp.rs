//! `cp`: files into and out of containers.

use std::ffi::{OsStr, OsString};
use std::os::fd::BorrowedFd;
use std::os::unix::ffi::OsStrExt;
use std::process::ExitCode;

use clap::Args;
use rustix::stdio::{stdin, stdout};
use rustix::termios::isatty;

use crate::cli::{Context, Report};
use crate::container::Error;
use crate::container::find::{self, Found};
use crate::container::into::copy::{self, End, How};
use crate::store::Store;

/// Copy files and directories between a container and this machine, or two containers
#[derive(Debug, Args)]
pub struct Cp {
    /// What is copied into a container becomes its user's; `--archive=false`: it keeps its owners' numbers
    #[arg(long, short, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    #[arg(default_value_t = true, action = clap::ArgAction::Set, hide_default_value = true, hide_possible_values = true)]
    archive: bool,
    /// Let a file take the place of a directory, and a directory that of a file
    #[arg(long)]
    overwrite: bool,
    /// Accepted for scripts: nothing is told of what goes well
    #[arg(long, short, hide = true)]
    quiet: bool,
    /// A path on this machine, `CONTAINER:PATH`, or `-`: a tar archive on standard input. A path that ends in `/.` means what is
    /// in the directory
    #[arg(value_name = "SOURCE")]
    source: OsString,
    /// A path on this machine, `CONTAINER:PATH`, or `-`: a tar archive to standard output
    #[arg(value_name = "TARGET")]
    target: OsString,
}

/// A word of the command line.
enum Word<'a> {
    Machine(&'a [u8]),
    Container(Box<Found>, &'a [u8]),
    Stream,
}

impl Cp {
    pub fn run(self, context: &Context) -> Result<ExitCode, Report> {
        let store = context.store()?;
        let (source, target) = (Word::parse(&store, &self.source)?, Word::parse(&store, &self.target)?);
        let (input, output) = (stdin(), stdout());
        let from = source.end(input);
        let to = target.end(output);
        match (&from, &to) {
            (End::Archive(_), _) if isatty(input) => {
                return Err(Report::new("standard input is a terminal: a tar archive is expected there"));
            }
            (_, End::Archive(_)) if isatty(output) => {
                return Err(Report::new("refusing to write an archive to the terminal: redirect standard output"));
            }
            _ => {}
        }
        copy::copy(&store, &from, &to, How { own: self.archive, overwrite: self.overwrite })?;
        Ok(ExitCode::SUCCESS)
    }
}

impl<'a> Word<'a> {
    /// A path of this machine that has a colon begins with `/` or `.`.
    fn parse(store: &Store, word: &'a OsStr) -> Result<Self, Report> {
        let bytes = word.as_bytes();
        if bytes == b"-" {
            return Ok(Self::Stream);
        }
        let colon = bytes
            .iter()
            .position(|byte| *byte == b':')
            .filter(|_| !bytes.starts_with(b"/") && !bytes.starts_with(b"."));
        let Some(colon) = colon else { return Ok(Self::Machine(bytes)) };
        let (name, path) = (bytes.get(..colon).unwrap_or_default(), bytes.get(colon + 1..).unwrap_or_default());
        let name = String::from_utf8_lossy(name).into_owned();
        let found = find::find(store, &name).map_err(|error| match error {
            Error::NotFound(_) => Report::new(format!("container \"{name}\" does not exist")).hint(format!(
                "`coracle ps -a` lists all containers; a file of that name is `./{}`",
                word.to_string_lossy()
            )),
            error => error.into(),
        })?;
        // No path is the root, as with Podman.
        Ok(Self::Container(Box::new(found), if path.is_empty() { b"/" } else { path }))
    }

    fn end<'b>(&'b self, stream: BorrowedFd<'b>) -> End<'b> {
        match self {
            Self::Machine(path) => End::Machine(path.to_vec()),
            Self::Container(found, path) => End::Container(found, path.to_vec()),
            Self::Stream => End::Archive(stream),
        }
    }
}
