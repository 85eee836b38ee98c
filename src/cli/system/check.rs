//! `system check`: whether what the store holds is whole.

use std::process::ExitCode;
use std::time::Duration;

use clap::Args;

use crate::cli::output::{self, time};
use crate::cli::{Context, Report};
use crate::container::check::{self, Damage, Mended, Subject};
use crate::store::Store;

/// A directory leads to an index, that to layers, and those to images and containers; a disk that goes on rotting to no end.
const PASSES: usize = 4;

/// Look whether images, layers, containers, volumes, secrets and networks are whole
#[derive(Debug, Args)]
pub struct Check {
    /// Remove damaged containers, volumes, secrets and networks, too
    #[arg(long, short)]
    force: bool,
    /// How old something may be that nothing uses
    #[arg(long, short, value_name = "DURATION", default_value = "24h", value_parser = duration)]
    max: Duration,
    /// Do not read every file
    #[arg(long, short)]
    quick: bool,
    /// Mend what can be mended, remove damaged images and layers for which that is not possible, and what is old and unused
    #[arg(long, short)]
    repair: bool,
}

fn duration(text: &str) -> Result<Duration, String> {
    time::go_duration(text)
        .and_then(|time| time.to_std().ok())
        .ok_or_else(|| format!("`{text}` is not a duration: write `24h` or `1h30m`"))
}

impl Check {
    pub fn run(self, context: &Context) -> Result<ExitCode, Report> {
        let store = context.store()?;
        let check = check::Check { quick: self.quick, max_age: self.max };
        let mut found = check.run(&store)?;
        let mut in_use = false;
        // What depends on something that was made whole may be whole, too; so it is looked at again.
        for _ in 0..if self.repair { PASSES } else { 0 } {
            let mended = mend(&store, &found)?;
            in_use = mended.contains(&Mended::InUse);
            if !mended.iter().any(|mended| matches!(mended, Mended::Done(_))) {
                break;
            }
            found = check.run(&store)?;
        }
        // An image that can still become whole stays.
        let wait = in_use && !self.force;
        let mut left = false;
        // A layer goes after the containers that would keep it.
        let (containers, rest): (Vec<&Damage>, Vec<&Damage>) =
            found.iter().partition(|damage| matches!(damage.subject, Subject::Container(_)));
        for damage in containers.into_iter().chain(rest) {
            let may_go = (self.repair || self.force) && !(wait && matches!(damage.subject, Subject::Image(..)));
            let repaired = may_go && check::repair(&store, damage, self.force)?;
            left |= !repaired;
            tell(damage, if repaired { "removed" } else { "" });
        }
        if !left {
            return Ok(ExitCode::SUCCESS);
        }
        let hint = match (self.repair, in_use) {
            (_, true) => "a container runs on a damaged layer: stop it, and try again",
            (true, false) => "`--force` removes damaged containers, volumes, secrets and networks, too",
            (false, false) => {
                "`--repair` mends what it can, or removes damaged images, which can be pulled again; `--force` removes containers, volumes, secrets and networks, too"
            }
        };
        Err(Report::new("damage detected in local storage").hint(hint))
    }
}

/// Makes whole what can be.
fn mend(store: &Store, found: &[Damage]) -> Result<Vec<Mended>, Report> {
    let mut all = Vec::new();
    for damage in found {
        let mended = check::mend(store, damage)?;
        if let Mended::Done(words) = &mended {
            tell(damage, words);
        }
        all.push(mended);
    }
    Ok(all)
}

/// `done`: what was done about it.
fn tell(damage: &Damage, done: &str) {
    let line = format!("Damaged {}: {}", words(&damage.subject), damage.why);
    output::line(&output::printable(if done.is_empty() { line } else { format!("{line}: {done}") }.as_str()));
}

fn words(subject: &Subject) -> String {
    match subject {
        Subject::Blob(digest) => format!("blob {digest}"),
        Subject::Layer(mode, digest) => format!("layer {} ({})", digest, mode.name()),
        Subject::Directory(path) => format!("directory {}", path.display()),
        Subject::Index => "index of images".to_owned(),
        Subject::Image(_, name) => format!("image {name}"),
        Subject::Container(id) => format!("container {id}"),
        Subject::Name(name, _) => format!("name {name}"),
        Subject::Volume(name) => format!("volume {name}"),
        Subject::Secret(path) => format!("secret {}", path.display()),
        Subject::Network(name) => format!("network {name}"),
        Subject::SocketFile(file) => format!("socket file {}", file.path.display()),
        Subject::Member(_, container) => format!("address of container {container}"),
    }
}
