//! `help`: the page of a command, or another one of the manual.

use std::process::ExitCode;

use clap::Args;
use rustix::fs::MemfdFlags;
use rustix::stdio::stdout;
use rustix::termios::isatty;

use super::plain::plain;
use super::{Page, of_one, others};
use crate::cli::root::{self, Context};
use crate::cli::{Report, output};
use crate::sys::{Call, process};

/// Show the manual page of a command, or another page of the manual
#[derive(Debug, Args)]
pub struct Help {
    /// A command, or one of the other pages: `configuration`, `from-docker`, `from-podman`, `7 network`, `5 quadlet`, `registries`,
    /// `rootless`, `security`, `storage`
    #[arg(value_name = "WORD")]
    words: Vec<String>,
}

impl Help {
    /// On a terminal, man(1) shows the page, which this program brings with it: none need be installed. Elsewhere, or without
    /// man(1), the help of the command is printed, as `--help` does.
    pub fn run(self, _context: &Context) -> Result<ExitCode, Report> {
        let mut whole = root::whole();
        whole.build();
        let mut command = &whole;
        let mut path = Vec::new();
        for word in &self.words {
            let Some(below) = command.find_subcommand(word) else { return self.topic() };
            command = below;
            path.push(below.get_name().to_owned());
        }
        if isatty(stdout()) {
            show(&of_one(command, &path)?.text)?;
        }
        output::print(&command.clone().render_help().to_string());
        Ok(ExitCode::SUCCESS)
    }

    /// A page that is no command's.
    fn topic(&self) -> Result<ExitCode, Report> {
        let Some(page) = other(&self.words) else {
            return Err(Report::new(format!("there is no page about `{}`", self.words.join(" ")))
                .hint("`coracle help` lists all commands, and `coracle help help` the other pages"));
        };
        if isatty(stdout()) {
            show(&page.text)?;
            output::print(&plain(&page.text));
        } else {
            output::print(&page.text);
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// The page that is named so, perhaps with its section before the name, as for man(1).
fn other(words: &[String]) -> Option<Page> {
    let (section, name) = match words {
        [name] => (None, name),
        [section, name] => (Some(section.parse::<u8>().ok()?), name),
        _ => return None,
    };
    // As programs often call it.
    let name = if name == "config" { "configuration" } else { name };
    let is = |page: &Page| {
        page.name.strip_prefix("coracle-") == Some(name) && section.is_none_or(|given| given == page.section)
    };
    others().find(is)
}

/// Becomes man(1). It returns where there is none.
fn show(page: &str) -> Result<(), Report> {
    let file = rustix::fs::memfd_create("page", MemfdFlags::CLOEXEC).call("memfd_create")?;
    let mut rest = page.as_bytes();
    while !rest.is_empty() {
        let written = rustix::io::write(&file, rest).call("write(page)")?;
        rest = rest.get(written..).unwrap_or_default();
    }
    rustix::fs::seek(&file, rustix::fs::SeekFrom::Start(0)).call("lseek(page)")?;
    rustix::stdio::dup2_stdin(&file).call("dup2(page)")?;
    process::become_program("man".as_ref(), &["-l".into(), "-".into()]);
    Ok(())
}
