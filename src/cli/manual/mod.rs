//! The manual: a page for each command, made of its definition and its examples, and pages about what no one command is.
//!
//! The pages are what `generate` writes, packages install and `help` shows. Those of section 7 are prose: they lie whole in `man/`, and
//! the program has them in it.

mod examples;
pub mod help;
mod plain;

use clap::Command;
use clap_mangen::Man;

use super::{Report, config, quadlet, registry, root};

/// Pages that are written by hand, by the word that `help` knows them by.
const PROSE: [(&str, &str); 6] = [
    ("from-docker", include_str!("../../../man/coracle-from-docker.7")),
    ("from-podman", include_str!("../../../man/coracle-from-podman.7")),
    ("network", include_str!("../../../man/coracle-network.7")),
    ("rootless", include_str!("../../../man/coracle-rootless.7")),
    ("security", include_str!("../../../man/coracle-security.7")),
    ("storage", include_str!("../../../man/coracle-storage.7")),
];

type Text = fn() -> String;

/// Pages that are made, as [`PROSE`]; all of section 5.
const MADE: [(&str, Text); 3] =
    [("configuration", config::page::page), ("quadlet", quadlet::page::page), ("registries", registry::page::page)];

/// A page: its name, its section, and its text for man(7).
struct Page {
    name: String,
    section: u8,
    text: String,
}

/// All pages: their file names and texts.
pub fn pages() -> Result<Vec<(String, String)>, Report> {
    let mut command = root::whole();
    command.build();
    let mut pages = Vec::new();
    of_command(&command, &mut Vec::new(), &mut pages)?;
    pages.extend(others());
    Ok(pages.into_iter().map(|page| (format!("{}.{}", page.name, page.section), page.text)).collect())
}

/// Pages that are no command's.
fn others() -> impl Iterator<Item = Page> {
    let page = |name: &str, section, text: String| Page { name: format!("coracle-{name}"), section, text };
    let prose = PROSE.into_iter().map(move |(name, text)| page(name, 7, text.to_owned()));
    prose.chain(MADE.into_iter().map(move |(name, text)| page(name, 5, text())))
}

/// The words that `help` knows and that are no commands.
pub fn topics() -> impl Iterator<Item = &'static str> {
    PROSE.iter().map(|(name, _)| *name).chain(MADE.iter().map(|(name, _)| *name))
}

/// The page of a command, which lies at `path` below the program, then those of its own.
fn of_command(command: &Command, path: &mut Vec<String>, pages: &mut Vec<Page>) -> Result<(), Report> {
    pages.push(of_one(command, path)?);
    for below in command.get_subcommands().filter(|below| !below.is_hide_set()) {
        path.push(below.get_name().to_owned());
        of_command(below, path, pages)?;
        path.pop();
    }
    Ok(())
}

fn of_one(command: &Command, path: &[String]) -> Result<Page, Report> {
    let name = [&["coracle".to_owned()], path].concat().join("-");
    let mut text = Vec::new();
    Man::new(command.clone().name(name.clone()).display_name(name.clone())).render(&mut text).map_err(Report::new)?;
    // A break beside a space says nothing.
    let text = String::from_utf8(text).map_err(Report::new)?.replace(".br\n\n.br\n", ".sp\n");
    let mut page = String::new();
    for line in text.lines() {
        match line.starts_with(".TH ") {
            // No date: the page of a release must not change from day to day.
            true => page.push_str(&format!(".TH {name} 1 \"\" \"\" coracle")),
            false => page.push_str(line.trim_end()),
        }
        page.push('\n');
    }
    page.push_str(&examples::section(path));
    if path.is_empty() {
        let pages: Vec<String> = others().map(|page| format!(".BR {} ({})", page.name, page.section)).collect();
        page.push_str(&format!(".SH SEE ALSO\n{}\n", pages.join(",\n")));
    }
    Ok(Page { name, section: 1, text: page })
}
