//! Variables for a program, from files and flags.

use std::path::PathBuf;

use clap::{ArgAction, Args};

use crate::cli::Report;
use crate::container::record::Container;
use crate::oci::image_config::RunConfig;

/// What a container gets where neither the image nor the user says it.
const PATH: &str = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Variables by which programs find a proxy; each in small and in capital letters.
const PROXY: [&str; 4] = ["http_proxy", "https_proxy", "ftp_proxy", "no_proxy"];

#[derive(Debug, Args)]
#[command(next_help_heading = "Environment")]
#[group(skip)]
pub struct Flags {
    /// Those of the configuration
    #[arg(long, value_name = "NAME[=VALUE]", hide = true)]
    default_env: Vec<String>,
    /// Set a variable; without a value it is taken from the environment, `PREFIX*` takes all that begin so
    #[arg(long, short, value_name = "NAME[=VALUE]")]
    env: Vec<String>,
    /// Read variables from a file, one a line
    #[arg(long, value_name = "FILE")]
    env_file: Vec<PathBuf>,
    /// Take all variables of the environment
    #[arg(long)]
    env_host: bool,
    /// Set a variable from the image's: `${NAME}` is replaced by its value
    #[arg(long, value_name = "NAME=VALUE")]
    env_merge: Vec<String>,
    /// Take the variables for proxies from the environment [default: true]
    #[arg(long, default_value_t = true, action = ArgAction::Set, hide_default_value = true, hide_possible_values = true)]
    #[arg(value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    http_proxy: bool,
    /// Leave a variable of the image or a default one out
    #[arg(long, value_name = "NAME")]
    unsetenv: Vec<String>,
    /// Leave all variables of the image and all default ones out
    #[arg(long)]
    unsetenv_all: bool,
}

impl Flags {
    /// What is there by default, the configuration's variables and the image's, then the host's, files, flags: the later wins. The host name is known,
    /// and whether there is a terminal.
    pub fn fill(&self, container: &mut Container, config: &RunConfig) -> Result<(), Report> {
        let mut env = Environment::default();
        env.set(PATH);
        if container.terminal {
            env.set("TERM=xterm");
        }
        self.default_env.iter().try_for_each(|pair| env.take(pair))?;
        config.env.iter().for_each(|pair| env.set(pair));
        let merged: Vec<String> = self.env_merge.iter().map(|text| expand(text, |name| env.get(name))).collect();
        if let Some(bare) = merged.iter().find(|pair| !pair.contains('=')) {
            return Err(Report::new(format!("`--env-merge={bare}`: expected `NAME=VALUE`")));
        }
        merged.iter().try_for_each(|pair| env.take(pair))?;
        env.pairs.retain(|pair| !self.unsetenv_all && !self.unsetenv.iter().any(|name| name_of(pair) == name));
        for pair in ["container=podman", &format!("HOSTNAME={}", container.hostname)] {
            if env.get(name_of(pair)).is_none() {
                env.set(pair);
            }
        }
        if self.env_host {
            env.take("*")?;
        } else if self.http_proxy {
            for name in PROXY {
                env.take(name)?;
                env.take(&name.to_uppercase())?;
            }
        }
        if container.systemd.is_some() && env.get("container_uuid").is_none() {
            // By which systemd gives the machine an id.
            env.set(&format!("container_uuid={}", container.id.get(..32).unwrap_or_default()));
        }
        env.take_all(&self.env_file, &self.env)?;
        container.env = env.pairs;
        Ok(())
    }
}

fn name_of(pair: &str) -> &str {
    pair.split_once('=').map_or(pair, |(name, _)| name)
}

/// Replaces `$NAME` and `${NAME}` by what `value` knows, or nothing.
fn expand<'a>(text: &str, value: impl Fn(&str) -> Option<&'a str>) -> String {
    let mut parts = text.split('$');
    let mut expanded = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let braced = part.strip_prefix('{').and_then(|rest| rest.split_once('}'));
        let (name, rest) = braced.unwrap_or_else(|| {
            let end = part.find(|c: char| c != '_' && !c.is_ascii_alphanumeric()).unwrap_or(part.len());
            part.split_at(end)
        });
        expanded += value(name).unwrap_or_default();
        expanded += rest;
    }
    expanded
}

/// Variables in the order of their first mention.
#[derive(Debug, Default)]
pub struct Environment {
    /// `NAME=VALUE`.
    pub pairs: Vec<String>,
}

impl Environment {
    pub fn set(&mut self, pair: &str) {
        let same = |other: &String| name_of(other) == name_of(pair);
        match self.pairs.iter_mut().find(|other| same(other)) {
            Some(old) => *old = pair.to_owned(),
            None => self.pairs.push(pair.to_owned()),
        }
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.pairs
            .iter()
            .find_map(|pair| pair.split_once('=').filter(|(other, _)| *other == name))
            .map(|(_, value)| value)
    }

    /// Files first, then flags: the later wins.
    pub fn take_all(&mut self, files: &[PathBuf], flags: &[String]) -> Result<(), Report> {
        for path in files {
            let text = std::fs::read_to_string(path).map_err(|error| {
                Report::new(format!("the file `{}` of variables can't be read: {error}", path.display()))
            })?;
            text.lines()
                .filter(|line| !line.trim().is_empty() && !line.trim_start().starts_with('#'))
                .try_for_each(|line| self.take(line))?;
        }
        flags.iter().try_for_each(|pair| self.take(pair))
    }

    /// `NAME=VALUE`, `NAME` (if this process has it), `PREFIX*` (all that this process has).
    fn take(&mut self, text: &str) -> Result<(), Report> {
        if text.starts_with('=') {
            return Err(Report::new(format!("invalid variable: {text:?}")).hint("a variable is `NAME=VALUE`"));
        }
        if text.contains('=') {
            self.set(text);
            return Ok(());
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
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_later_variable_replaces_an_earlier_one_in_its_place() {
        let mut env = Environment::default();
        ["A=1", "B=2", "A=3"].iter().try_for_each(|pair| env.take(pair)).unwrap();
        env.take("SURELY_NOT_SET_HERE").unwrap();
        assert_eq!(env.pairs, ["A=3", "B=2"]);
    }

    #[test]
    fn names_in_a_value_are_replaced() {
        let value = |name: &str| {
            [("A", "1"), ("B_2", "two")].into_iter().find(|(known, _)| *known == name).map(|(_, value)| value)
        };
        assert_eq!(expand("X=${A}:$B_2:$A-$NONE${NONE}.", value), "X=1:two:1-.");
        assert_eq!(
            (expand("plain", value), expand("$", value), expand("${A", value)),
            ("plain".into(), String::new(), "{A".into())
        );
    }
}
