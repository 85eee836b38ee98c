//! Descriptors of this process that a program in a container is handed: those that a flag names, and the sockets on which a service
//! manager listens in its place (sd_listen_fds(3)).

use std::collections::BTreeSet;
use std::os::fd::{AsFd, OwnedFd};

use clap::Args;

use crate::cli::Report;
use crate::container::record::Container;
use crate::network::ports::{self, Listening};
use crate::sys::process::{self, Handed};

/// More descriptors than this are handed on to no program.
const MOST: u32 = 1000;

/// What this process was started with, for the containers that it starts.
#[derive(Debug, Default)]
pub struct HandedOn {
    fds: Vec<Handed>,
    /// The service manager's are those from [`process::FIRST_INHERITED`] on, so many; `None`: there is no manager.
    sockets: Option<u32>,
    /// Their names, one for each.
    names: Option<String>,
}

/// What one container has of it.
#[derive(Debug)]
pub struct Lent {
    /// What its program is handed.
    pub fds: Vec<Handed>,
    /// `NAME=value`: what that is told about it.
    pub variables: Vec<String>,
    /// What leads to its ports.
    sockets: Vec<(OwnedFd, u16)>,
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
        let names = std::env::var("LISTEN_FDNAMES").ok().filter(|_| sockets.is_some());
        Ok(HandedOn { fds, sockets, names })
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

impl HandedOn {
    /// What this container has of it: the sockets that it publishes ports on lead to those; its program is handed the others, and
    /// what flags name, and finds sockets in a row.
    pub fn lend(&self, container: &Container) -> Result<Lent, Report> {
        let mut sockets = Vec::new();
        let mut published = BTreeSet::new();
        for passed in &container.passed_sockets {
            let meant: Vec<&Handed> = self
                .sockets()
                .filter(|(handed, name)| passed.means(handed.number, *name))
                .map(|(one, _)| one)
                .collect();
            if meant.is_empty() {
                return Err(ports::Error::NotPassed { socket: passed.socket.clone(), passed: self.known() }.into());
            }
            for handed in meant {
                passed.check(handed.fd.as_fd())?;
                sockets.push((handed.try_clone()?.fd, passed.container));
                published.insert(handed.number);
            }
        }
        let (mut fds, mut names) = (Vec::new(), Vec::new());
        for (handed, name) in self.sockets().filter(|(handed, _)| !published.contains(&handed.number)) {
            fds.push(Handed { number: process::FIRST_INHERITED + fds.len() as i32, ..handed.try_clone()? });
            names.extend(name);
        }
        let mut variables = Vec::new();
        if self.sockets.is_some() && !fds.is_empty() {
            variables.extend([format!("LISTEN_FDS={}", fds.len()), "LISTEN_PID=1".to_owned()]);
            variables.extend(self.names.is_some().then(|| format!("LISTEN_FDNAMES={}", names.join(":"))));
        }
        for handed in self.fds.iter().filter(|handed| !self.is_socket(handed)) {
            fds.push(handed.try_clone()?);
        }
        Ok(Lent { fds, variables, sockets })
    }

    /// In the order of their numbers, each with its name.
    fn sockets(&self) -> impl Iterator<Item = (&Handed, Option<&str>)> {
        let names: Vec<&str> = self.names.iter().flat_map(|names| names.split(':')).collect();
        let mut sockets: Vec<&Handed> = self.fds.iter().filter(|handed| self.is_socket(handed)).collect();
        sockets.sort_by_key(|handed| handed.number);
        sockets.into_iter().enumerate().map(move |(place, handed)| (handed, names.get(place).copied()))
    }

    fn is_socket(&self, handed: &Handed) -> bool {
        handed.number - process::FIRST_INHERITED < self.sockets.unwrap_or_default() as i32
    }

    /// What can be named.
    fn known(&self) -> Vec<String> {
        let shown = |(handed, name): (&Handed, Option<&str>)| match name {
            Some(name) => format!("`{name}` ({})", handed.number),
            None => handed.number.to_string(),
        };
        self.sockets().map(shown).collect()
    }
}

impl Lent {
    pub fn published(&self) -> Vec<Listening<'_>> {
        self.sockets
            .iter()
            .map(|(socket, container)| Listening { socket: socket.as_fd(), container: *container })
            .collect()
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
