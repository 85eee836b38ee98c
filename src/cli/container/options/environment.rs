//! Variables for a program, from files and flags.

use std::path::PathBuf;

use clap::Args;

use crate::cli::Report;
use crate::container::record::Container;
use crate::oci::image_config::RunConfig;

/// What a container gets where neither the image nor the user says it.
const PATH: &str = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

#[derive(Debug, Args)]
#[command(next_help_heading = "Environment")]
#[group(skip)]
pub struct Flags {
    /// Set a variable; without a value it is taken from the environment, `PREFIX*` takes all that begin so
    #[arg(long, short, value_name = "NAME[=VALUE]")]
    env: Vec<String>,
    /// Read variables from a file, one a line
    #[arg(long, value_name = "FILE")]
    env_file: Vec<PathBuf>,
}

impl Flags {
    /// The image's variables, then files, then flags: the later wins. The host name is known, and whether there is a terminal.
    pub fn fill(&self, container: &mut Container, config: &RunConfig) -> Result<(), Report> {
        let mut env = Environment::default();
        env.set(PATH);
        env.set("container=podman");
        if container.terminal {
            env.set("TERM=xterm");
        }
        env.set(&format!("HOSTNAME={}", container.hostname));
        config.env.iter().for_each(|pair| env.set(pair));
        env.take_all(&self.env_file, &self.env)?;
        container.env = env.pairs;
        Ok(())
    }
}

/// Variables in the order of their first mention.
#[derive(Debug, Default)]
pub struct Environment {
    /// `NAME=VALUE`.
    pub pairs: Vec<String>,
}

impl Environment {
    pub fn set(&mut self, pair: &str) {
        let name = pair.split_once('=').map_or(pair, |(name, _)| name);
        let same = |other: &String| other.split_once('=').is_some_and(|(other, _)| other == name);
        match self.pairs.iter_mut().find(|other| same(other)) {
            Some(old) => *old = pair.to_owned(),
            None => self.pairs.push(pair.to_owned()),
        }
    }

    /// Files first, then flags: the later wins.
    pub fn take_all(&mut self, files: &[PathBuf], flags: &[String]) -> Result<(), Report> {
        for path in files {
            let text = std::fs::read_to_string(path).map_err(|error| {
                Report::new(format!("the file `{}` of variables can't be read: {error}", path.display()))
            })?;
            text.lines()
                .filter(|line| !line.trim().is_empty() && !line.trim_start().starts_with('#'))
                .for_each(|line| self.take(line));
        }
        flags.iter().for_each(|pair| self.take(pair));
        Ok(())
    }

    /// `NAME=VALUE`, `NAME` (if this process has it), `PREFIX*` (all that this process has).
    fn take(&mut self, text: &str) {
        if text.contains('=') {
            return self.set(text);
        }
        match text.strip_suffix('*') {
            Some(prefix) => {
                let own = std::env::vars_os()
                    .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
                own.filter(|(name, _)| name.starts_with(prefix))
                    .for_each(|(name, value)| self.set(&format!("{name}={value}")));
            }
            None => {
                if let Ok(value) = std::env::var(text) {
                    self.set(&format!("{text}={value}"));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_later_variable_replaces_an_earlier_one_in_its_place() {
        let mut env = Environment::default();
        ["A=1", "B=2", "A=3"].iter().for_each(|pair| env.take(pair));
        env.take("SURELY_NOT_SET_HERE");
        assert_eq!(env.pairs, ["A=3", "B=2"]);
    }
}
