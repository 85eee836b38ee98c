//! The options of a mount, word by word: which there are, and which exclude each other.

use std::path::Path;

use crate::cli::Report;
use crate::cli::container::options::value::absolute;
use crate::container::mount::{Directories, Mount, Overlay, RELABELLED, Source};
use crate::host::selinux;

/// How mounts that are made later on one side come to the other (mount_namespaces(7)).
pub const PROPAGATION: [&str; 8] =
    ["private", "rprivate", "slave", "rslave", "shared", "rshared", "unbindable", "runbindable"];

/// Of each line one word at most.
const EXCLUSIVE: [&[&str]; 9] = [
    &["ro", "rw"],
    &["exec", "noexec"],
    &["suid", "nosuid"],
    &["dev", "nodev"],
    &["bind", "rbind"],
    &["copy", "nocopy"],
    &["U", "mine"],
    &RELABELLED,
    &PROPAGATION,
];

/// Options that were read, and what they ask for beside the kernel's.
#[derive(Debug, Default, PartialEq)]
pub struct Words {
    /// For the record.
    pub options: Vec<String>,
    pub nocopy: bool,
    overlay: bool,
    upper: Option<String>,
    work: Option<String>,
}

impl Words {
    /// Takes one word; `whole` is what the user wrote.
    pub fn take(&mut self, word: &str, whole: &str) -> Result<(), Report> {
        let group = EXCLUSIVE.iter().find(|group| group.contains(&word));
        match word.split_once('=') {
            // How Docker shares files with a Mac; and ids that are the container's already.
            None if ["cached", "delegated", "idmap"].contains(&word) => {}
            None if word == "O" => self.overlay = true,
            None if group.is_some() => {
                let group = group.copied().unwrap_or_default();
                let said = self.options.iter().map(String::as_str);
                let nocopy = self.nocopy.then_some("nocopy");
                if let Some(other) = said.chain(nocopy).find(|said| group.contains(said) && *said != word) {
                    return Err(Report::new(format!(
                        "the options `{other}` and `{word}` of `{whole}` exclude each other"
                    )));
                }
                match word {
                    "nocopy" => self.nocopy = true,
                    "copy" => {}
                    _ if self.options.iter().any(|said| said == word) => {}
                    _ => self.options.push(word.to_owned()),
                }
            }
            Some(("upperdir", path)) => self.upper = Some(path.to_owned()),
            Some(("workdir", path)) => self.work = Some(path.to_owned()),
            Some(("idmap", _)) => return Err(idmap(whole)),
            _ => {
                return Err(Report::new(format!("invalid option type \"{word}\" of `{whole}`")).hint(
                    "`ro`, `rw`, `copy`, `nocopy`, `U`, `mine`, `O`, `z`, `Z`, `exec`, `suid`, `dev`, `bind`, `rslave`, `rshared`, … are",
                ));
            }
        }
        Ok(())
    }

    /// The mount, if these options fit what is mounted.
    pub fn mount(self, source: Source, target: String, whole: &str) -> Result<Mount, Report> {
        let overlay = self.overlay(whole)?;
        let has = |word: &str| self.options.iter().any(|said| said == word);
        if let Source::Bind(path) = &source {
            if has("U") && is_precious(path) {
                return Err(Report::new(format!(
                    "`{}` as a whole can't be given to a container's user",
                    path.display()
                ))
                .hint("name a directory in it"));
            }
            if RELABELLED.into_iter().any(has) && selinux::is_enabled() && (is_precious(path) || is_of_machine(path)) {
                return Err(Report::new(format!("`{}` as a whole can't be given a container's label", path.display()))
                    .hint("name a directory in it, or switch the labels off with `--security-opt label=disable`"));
            }
            if has("mine") && !path.is_dir() {
                return Err(Report::new(format!("`mine` of `{whole}`: only a directory can be shown so"))
                    .hint("name the directory that the file lies in"));
            }
            if overlay.is_some() && !path.is_dir() {
                return Err(Report::new(format!("`O` of `{whole}`: only a directory can be written over")));
            }
        } else if has("mine") {
            return Err(Report::new(format!("`mine` of `{whole}`: what is in a volume is the containers' own")));
        }
        Ok(Mount { source, target, options: self.options, overlay })
    }

    fn overlay(&self, whole: &str) -> Result<Option<Overlay>, Report> {
        let given = self.upper.is_some() || self.work.is_some();
        if !self.overlay {
            let report = || Report::new(format!("`upperdir` and `workdir` of `{whole}` belong to the option `O`"));
            return if given { Err(report()) } else { Ok(None) };
        }
        if self.nocopy || self.options.iter().any(|option| !RELABELLED.contains(&option.as_str())) {
            return Err(Report::new(format!("can't use 'O' with other options: `{whole}`")));
        }
        let directories = match (&self.upper, &self.work) {
            (None, None) => None,
            (Some(upper), Some(work)) => Some(Directories { upper: there(upper)?, work: there(work)? }),
            _ => return Err(Report::new(format!("`{whole}` must name both `upperdir` and `workdir`, or neither"))),
        };
        Ok(Some(Overlay { directories }))
    }
}

/// A path of this machine, which must be there.
pub fn there(text: &str) -> Result<std::path::PathBuf, Report> {
    let absolute = absolute(text)?;
    match std::fs::metadata(&absolute) {
        Ok(_) => Ok(absolute),
        Err(error) => {
            let error = error.to_string();
            let reason = error.split(" (os error").next().unwrap_or_default().to_lowercase();
            Err(Report::new(format!("statfs {}: {reason}", absolute.display()))
                .hint("a path of this machine must exist before it can be shown in a container"))
        }
    }
}

/// Whether nobody means all of it when they give its files away.
fn is_precious(path: &Path) -> bool {
    let home = std::env::var_os("HOME").unwrap_or_default();
    std::fs::canonicalize(path).is_ok_and(|path| Path::new(&home).starts_with(path))
}

/// Directories that every program of the machine looks into (hier(7)).
const OF_MACHINE: &str = "/ /bin /boot /dev /etc /home /lib /lib32 /lib64 /media /mnt /opt /proc /root /run /sbin /srv /sys /tmp /usr /usr/bin \
    /usr/lib /usr/lib64 /usr/local /usr/sbin /usr/share /var /var/cache /var/lib /var/log /var/run /var/tmp";

fn is_of_machine(path: &Path) -> bool {
    std::fs::canonicalize(path)
        .is_ok_and(|path| OF_MACHINE.split_whitespace().any(|directory| path == Path::new(directory)))
}

fn idmap(text: &str) -> Report {
    Report::new(format!("`idmap` of `{text}`: only root can have the kernel show other ids of a directory of the host"))
        .hint("`mine` shows your files as the container's user's, `U` makes them that user's")
}
