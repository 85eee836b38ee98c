//! The program itself: its words, its user, where and with which streams it runs.

use clap::Args;

use crate::cli::Report;
use crate::container::record::Container;
use crate::oci::image_config::RunConfig;

const KEEP_GROUPS: &str = "keep-groups";

#[derive(Debug, Args)]
#[command(next_help_heading = "Program")]
#[group(skip)]
pub struct Flags {
    /// In the foreground, show this stream alone: `stdin`, `stdout` or `stderr`; may be given several times
    #[arg(long, short, value_name = "STREAM", value_delimiter = ',')]
    attach: Vec<String>,
    /// Run this instead of the image's entry point; a word, or a JSON list of words
    #[arg(long, value_name = "COMMAND")]
    entrypoint: Option<String>,
    /// Add a group to the program's; `keep-groups`: those of this process, which may have no number inside
    #[arg(long, value_name = "GROUP", value_delimiter = ',')]
    group_add: Vec<String>,
    /// Keep standard input open
    #[arg(long, short)]
    interactive: bool,
    /// Give the program a terminal
    #[arg(long, short)]
    tty: bool,
    /// The program's time zone: a name of tzdata, or `local` for this machine's
    #[arg(long, value_name = "ZONE")]
    tz: Option<String>,
    /// The program's umask, in octal
    #[arg(long, value_name = "MODE", default_value = "0022", hide_default_value = true)]
    umask: String,
    /// Run as this user, by name or number
    #[arg(long, short, value_name = "USER[:GROUP]")]
    pub user: Option<String>,
    /// Start in this directory
    #[arg(long, short, value_name = "PATH")]
    workdir: Option<String>,
}

impl Flags {
    /// `command`: the words after the image.
    pub fn fill(&self, container: &mut Container, config: &RunConfig, command: &[String]) -> Result<(), Report> {
        container.entrypoint = match &self.entrypoint {
            Some(text) => words(text)?,
            None => config.entrypoint.clone().unwrap_or_default(),
        };
        // The image's command is meant for the image's entry point.
        container.command = match (command.is_empty(), &self.entrypoint) {
            (true, None) => config.cmd.clone().unwrap_or_default(),
            _ => command.to_vec(),
        };
        if container.entrypoint.is_empty() && container.command.is_empty() {
            return Err(crate::container::Error::NoCommand.into());
        }
        let asked = self.workdir.as_deref().filter(|path| !path.is_empty());
        container.working_dir = working_dir(asked.unwrap_or(&config.working_dir))?;
        container.working_dir_of_image = asked.is_none();
        container.user = self.user.clone().unwrap_or_else(|| config.user.clone());
        container.keep_groups = self.group_add.iter().any(|group| group == KEEP_GROUPS);
        if container.keep_groups && self.group_add.len() > 1 {
            return Err(Report::new(
                "the '--group-add keep-groups' option is not allowed with any other --group-add options",
            ));
        }
        container.additional_groups = self.group_add.iter().filter(|group| *group != KEEP_GROUPS).cloned().collect();
        container.time_zone = self.tz.clone().filter(|zone| !zone.is_empty());
        container.terminal = self.tty;
        container.interactive = self.interactive;
        container.muted = muted(&self.attach)?;
        container.umask = u32::from_str_radix(&self.umask, 8)
            .ok()
            .filter(|umask| *umask <= 0o777)
            .ok_or_else(|| Report::new(format!("`{}` is not a umask: expected octal digits up to 0777", self.umask)))?;
        Ok(())
    }
}

/// Which of the outputs `--attach` leaves out; standard input is fed where it is open.
fn muted(attach: &[String]) -> Result<[bool; 2], Report> {
    let names: Vec<String> = attach.iter().filter(|name| !name.is_empty()).map(|name| name.to_lowercase()).collect();
    match names.iter().find(|name| !["stdin", "stdout", "stderr"].contains(&name.as_str())) {
        Some(bad) => Err(Report::new(format!(
            "invalid stream \"{bad}\" for --attach - must be one of stdin, stdout, or stderr: invalid argument"
        ))),
        None => Ok(["stdout", "stderr"].map(|output| !names.is_empty() && !names.iter().any(|name| name == output))),
    }
}

fn working_dir(path: &str) -> Result<String, Report> {
    match path {
        "" => Ok("/".into()),
        path if path.starts_with('/') => Ok(path.into()),
        path => Err(Report::new(format!("the working directory `{path}` is not an absolute path"))
            .hint(format!("as in `--workdir /{path}`"))),
    }
}

/// A word, or a JSON list; an empty text: no entry point.
fn words(text: &str) -> Result<Vec<String>, Report> {
    if text.trim_start().starts_with('[') {
        return serde_json::from_str(text)
            .map_err(|error| Report::new(format!("`{text}` is not a JSON list of words: {error}")));
    }
    Ok(if text.is_empty() { Vec::new() } else { vec![text.to_owned()] })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_point_is_a_word_or_a_list() {
        assert_eq!(words("[\"a\", \"b c\"]").unwrap(), ["a", "b c"]);
        assert_eq!((words("ls -l").unwrap(), words("").unwrap().len()), (vec!["ls -l".to_owned()], 0));
    }
}
