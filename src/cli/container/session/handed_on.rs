//! Descriptors of this process that a program in a container is handed.

use std::collections::BTreeSet;

use clap::Args;

use crate::cli::Report;
use crate::sys::process::{self, Handed};

/// More descriptors than this are handed on to no program.
const MOST: u32 = 1000;

#[derive(Debug, Args)]
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
        let take = |number: i32| {
            let fd = process::inherited(number).map_err(|_| {
                Report::new(format!("file descriptor {number} is not available - the {flag} option requires that file descriptors must be passed"))
            })?;
            Ok(Handed { number, fd })
        };
        numbers.into_iter().map(take).collect()
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
