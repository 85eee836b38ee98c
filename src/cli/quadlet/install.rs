//! `quadlet install`: files become this account's quadlets, and its units.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::{ArgAction, Args};

use super::{own, program, renew};
use crate::cli::{Report, output};
use crate::host::{atomic_file, change};
use crate::systemd::quadlet::{self, Kind, find};

/// Copy files into the folder of this account's quadlets, and write their units
#[derive(Debug, Args)]
pub struct Install {
    /// In place of those of the same names that are there
    #[arg(long)]
    replace: bool,
    /// Have the service manager read its units again
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    #[arg(default_value_t = true, action = ArgAction::Set, hide_default_value = true, hide_possible_values = true)]
    reload_systemd: bool,
    /// `.container`, `.volume`, `.network` and `.image` files, folders of them with their drop-ins, and folders of drop-ins, such as
    /// `web.container.d`
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
}

/// What is to be installed.
struct Sources {
    files: Vec<PathBuf>,
    /// With their paths below the account's own folder.
    drop_ins: Vec<(PathBuf, PathBuf)>,
}

fn copy(from: &Path, to: &Path) -> Result<(), Report> {
    let failed = |error| Report::new(format!("{}: {error}", from.display()));
    atomic_file::write(to, &std::fs::read(from).map_err(failed)?, true)?;
    output::line(&to.display().to_string());
    Ok(())
}

/// `web.container.d`, `container.d`; others that end in `.d` are no quadlet's.
fn is_of_a_quadlets_drop_ins(folder: &Path) -> bool {
    let name = folder.file_name().and_then(|name| name.to_str()).and_then(|name| name.strip_suffix(".d"));
    let kind = |name: &str| Kind::of(Path::new(name)).is_some_and(|kind| kind.is_ok());
    name.is_some_and(|name| kind(name) || kind(&format!("x.{name}")))
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, Report> {
    let failed = |error| Report::new(format!("{}: {error}", folder.display()));
    let entries = std::fs::read_dir(folder).map_err(failed)?;
    let mut entries = entries.map(|entry| Ok(entry?.path())).collect::<std::io::Result<Vec<_>>>().map_err(failed)?;
    entries.sort();
    Ok(entries)
}

impl Install {
    pub fn run(self) -> Result<ExitCode, Report> {
        let own = own()?;
        let folders = find::folders();
        let (mut all, _) = find::load(&folders);
        let mut installed = Vec::new();
        let Sources { files, drop_ins } = self.sources()?;
        let folders: Vec<PathBuf> = self.files.iter().filter(|file| file.is_dir()).cloned().chain(folders).collect();
        for file in &files {
            let mut quadlet = find::one(file, &folders).map_err(Report::new)?;
            let same = |(_, other): &&(&PathBuf, quadlet::Quadlet)| other.name == quadlet.name;
            if let Some((other, _)) = installed.iter().find(same) {
                return Err(Report::new(format!(
                    "`{}` and `{}` are both the quadlet `{}`",
                    other.display(),
                    file.display(),
                    quadlet.name
                ))
                .hint("a quadlet is known by the name of its file: give one of them another"));
            }
            quadlet.path = own.join(&quadlet.name);
            if quadlet.path.exists() && !self.replace {
                return Err(Report::new(format!("there is a quadlet `{}`", quadlet.name))
                    .hint("`--replace` puts the new one in its place"));
            }
            all.retain(|other| other.name != quadlet.name);
            all.push(quadlet.clone());
            installed.push((file, quadlet));
        }
        // Before anything is there: what can't be a unit is not taken.
        let (_, errors) = quadlet::services(&all, &program()?);
        let is_new = |error: &&quadlet::Error| {
            installed.iter().any(|(file, quadlet)| [&quadlet.path, *file].contains(&&error.file))
        };
        if let Some(error) = errors.iter().find(is_new) {
            return Err(Report::new(error));
        }
        change::create_dirs(&own)?;
        for (file, quadlet) in &installed {
            copy(file, &quadlet.path)?;
        }
        for (file, below) in &drop_ins {
            let path = own.join(below);
            path.parent().map_or(Ok(()), change::create_dirs)?;
            copy(file, &path)?;
        }
        renew(self.reload_systemd, Duration::ZERO)
    }

    /// The quadlets that are named or lie in named folders; and the drop-ins of such folders, with their paths below the account's own.
    fn sources(&self) -> Result<Sources, Report> {
        let (mut files, mut drop_ins) = (Vec::new(), Vec::new());
        for named in &self.files {
            if !named.is_dir() {
                files.push(named.clone());
                continue;
            }
            let before = files.len() + drop_ins.len();
            // A folder of drop-ins by itself, or one with all that belongs together.
            let folders = if is_of_a_quadlets_drop_ins(named) { vec![named.clone()] } else { entries(named)? };
            for path in folders {
                if path.is_dir() && is_of_a_quadlets_drop_ins(&path) {
                    let folder = path.file_name().map(PathBuf::from).unwrap_or_default();
                    let all =
                        entries(&path)?.into_iter().filter(|file| file.extension().is_some_and(|end| end == "conf"));
                    drop_ins.extend(all.filter_map(|file| Some((file.clone(), folder.join(file.file_name()?)))));
                } else if path.is_file() && Kind::of(&path).is_some() {
                    files.push(path);
                }
            }
            if files.len() + drop_ins.len() == before {
                return Err(Report::new(format!("there is no quadlet in `{}`", named.display())).code(1));
            }
        }
        Ok(Sources { files, drop_ins })
    }
}
