//! Descriptors of this process that a program in a container is handed: those that a flag names, and the sockets on which a service
//! manager listens in its place (sd_listen_fds(3)).

use std::collections::BTreeSet;

use clap::Args;

use crate::cli::Report;
use crate::sys::process::{self, Handed};

/// More descriptors than this are handed on to no program.
const MOST: u32 = 1000;

/// What a program is handed, and what it is told about it.
#[derive(Debug, Default)]
pub struct HandedOn {
    pub fds: Vec<Handed>,
    /// `NAME=value`.
    pub variables: Vec<String>,
}

#[derive(Debug, Default, Args)]
#[group(skip)]
pub struct Flags {
    /// Hand these descriptors on, under their own numbers
    #[arg(long, value_name = "FD", value_delimiter = ',')]
    preserve_fd: Vec<i32>,
    /// Hand this many descriptors on, number 3 and up
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    preserve_fds: u32,
}

impl Flags {
    /// Takes them. Call it before this process opens anything that could get their numbers.
    pub fn take(&self) -> Result<Vec<Handed>, Report> {
        let (flag, numbers) = self.numbers()?;
        take(numbers, &format!("the {flag} option"))
    }

    /// With the sockets of a service manager's. The program is its container's first process.
    pub fn take_with_sockets(&self) -> Result<HandedOn, Report> {
        let sockets = sockets();
        let mut fds = self.take()?;
        let (first, count) = (process::FIRST_INHERITED, sockets.unwrap_or_default() as i32);
        let untaken = (first..first + count).filter(|number| !fds.iter().any(|handed| handed.number == *number));
        fds.extend(take(untaken.collect(), "LISTEN_FDS")?);
        let mut variables = Vec::new();
        if sockets.is_some() {
            variables.extend([format!("LISTEN_FDS={count}"), "LISTEN_PID=1".to_owned()]);
            variables.extend(std::env::var("LISTEN_FDNAMES").ok().map(|names| format!("LISTEN_FDNAMES={names}")));
        }
        Ok(HandedOn { fds, variables })
    }

    /// Each once, and the flag that has named them.
    fn numbers(&self) -> Result<(&'static str, BTreeSet<i32>), Report> {
        if self.preserve_fds > MOST {
            return Err(Report::new(format!(
                "`--preserve-fds={}`: at most {MOST} descriptors can be handed on",
                self.preserve_fds
            )));
        }
        if self.preserve_fd.is_empty() {
            let first = process::FIRST_INHERITED;
            return Ok(("preserve-fds", (first..first + self.preserve_fds as i32).collect()));
        }
        if self.preserve_fds > 0 {
            return Err(Report::new("cannot specify both --preserve-fds and --preserve-fd"));
        }
        match self.preserve_fd.iter().find(|number| **number < process::FIRST_INHERITED) {
            Some(number) => Err(Report::new(format!("cannot preserve FD {number}"))
                .hint("`--log-driver=passthrough` hands standard input, output and error on")
                .code(126)),
            None => Ok(("preserve-fd", self.preserve_fd.iter().copied().collect())),
        }
    }
}

/// Takes each; `who` says that they are there.
fn take(numbers: BTreeSet<i32>, who: &str) -> Result<Vec<Handed>, Report> {
    let take = |number: i32| {
        let fd = process::inherited(number).map_err(|_| {
            Report::new(format!(
                "file descriptor {number} is not available - {who} requires that file descriptors must be passed"
            ))
        })?;
        Ok(Handed { number, fd })
    };
    numbers.into_iter().map(take).collect()
}

/// How many sockets this process was started with. `None`: none, or another process was meant.
fn sockets() -> Option<u32> {
    let number = |name| std::env::var(name).ok()?.parse::<u32>().ok();
    let count = number("LISTEN_FDS").filter(|_| number("LISTEN_PID") == Some(std::process::id()));
    count.filter(|count| (1..=MOST).contains(count))
}
