//! Configuration: what `run`, `create`, `pull`, `push`, `load` and `save` do where no flag says it, and with what keys `attach`,
//! `exec` and `start` are left.
//!
//! ```text
//!   flag ▶ environment ▶ config.toml ▶ containers.conf ▶ built-in          the first that says something counts
//!
//!   $XDG_CONFIG_HOME/coracle/config.toml       ours: a key that is not known is an error
//!   CONTAINERS_CONF_OVERRIDE                   Podman's, the later read the weaker: what is not known here is passed over
//!   modules (--module)
//!   $XDG_CONFIG_HOME/containers/containers.conf.d/*.conf, …/containers.conf    ┐
//!   /etc/containers/containers.conf.d/*.conf, …/containers.conf                ├ or CONTAINERS_CONF alone
//!   /usr/share/containers/containers.conf                                      ┘
//! ```
//!
//! All have the same tables and keys ([`keys`]), and each key is the default of a flag: what it means, the flag's own code says. A
//! start without such files pays for opens that fail, and for nothing else.

pub mod file;
mod keys;
pub mod page;
pub mod storage;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use self::keys::{KEYS, Key, Means};
use super::Report;
use crate::host::{config, message};
use crate::sys::process;

/// The commands that read it, of which some have `container`, `image` or `system` before them; `run` and `create` alone heed what is
/// said of containers.
pub const COMMANDS: [&str; 12] =
    ["attach", "create", "doctor", "exec", "info", "load", "manifest push", "pull", "push", "run", "save", "start"];

const FILE: &str = "containers.conf";
/// Where machines have Podman's files, the weakest first.
const SYSTEM: [&str; 2] = ["/usr/share/containers", "/etc/containers"];

/// Those that heed no default, or of which not all do, but reach others or run programs of others: [`Settings::set_variables`]
/// is for them, too, and for whatever is below them.
pub const REACHING: [&str; 5] = ["build", "login", "logout", "manifest", "search"];

/// What was read: values for keys, by their tables and names.
#[derive(Debug, Default)]
pub struct Settings {
    values: BTreeMap<(&'static str, &'static str), Values>,
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Values {
    all: Vec<String>,
    /// Where the last of them were said.
    place: String,
    /// `{append = true}`: what is read later comes behind, not in its place.
    append: bool,
}

impl Settings {
    /// Those of this account. `modules`: what `--module` names.
    pub fn of_account(modules: &[OsString]) -> Result<Self, Report> {
        let mut settings = Self::default();
        let user = directories::BaseDirs::new().map(|base| base.config_dir().to_owned());
        let folders: Vec<PathBuf> =
            SYSTEM.iter().map(PathBuf::from).chain(user.iter().map(|user| user.join("containers"))).collect();
        match config::named_by("CONTAINERS_CONF") {
            Some(path) => settings.read_named(&path)?,
            None => {
                for folder in &folders {
                    settings.read(&folder.join(FILE), false)?;
                    for path in parts(&folder.join(format!("{FILE}.d")))? {
                        settings.read(&path, false)?;
                    }
                }
            }
        }
        for module in modules {
            settings.read_named(&module_in(&folders, Path::new(module))?)?;
        }
        if let Some(path) = config::named_by("CONTAINERS_CONF_OVERRIDE") {
            settings.read_named(&path)?;
        }
        if let Some(user) = user {
            settings.read(&user.join("coracle/config.toml"), true)?;
        }
        Ok(settings)
    }

    /// Leaves what is said of containers to those commands that make one.
    pub fn leave_containers_out(&mut self) {
        self.values.retain(|(table, _), _| *table != "containers");
    }

    /// A file that somebody has named must be there.
    fn read_named(&mut self, path: &Path) -> Result<(), Report> {
        match self.read(path, false)? {
            true => Ok(()),
            false => Err(Report::new(format!("the configuration file `{}` does not exist", path.display()))),
        }
    }

    /// Whether there is such a file. `ours`: it is the program's own.
    fn read(&mut self, path: &Path, ours: bool) -> Result<bool, Report> {
        let Some(text) = file::text(path)? else { return Ok(false) };
        for (key, values) in file::parse(path, &text, ours)? {
            self.set(key, values);
        }
        Ok(true)
    }

    fn set(&mut self, key: &'static Key, file::Found { values, append, place }: file::Found) {
        let known = self.values.entry((key.table, key.name)).or_default();
        known.append = append.unwrap_or(known.append);
        if !known.append {
            known.all.clear();
        }
        known.all.extend(values);
        known.place = place;
    }

    /// For a value that was refused: where it stands, if it is one of these.
    pub fn origin(&self, report: &Report) -> Option<String> {
        let quotes = ["`", "'", "\""];
        let is_told = |value: &String| {
            report
                .messages
                .iter()
                .any(|message| quotes.iter().any(|quote| message.contains(&format!("{quote}{value}{quote}"))))
        };
        let mut told = self.values.iter().filter(|(_, values)| values.all.iter().any(is_told));
        told.next().map(|((_, name), values)| format!("`{name}` is said in {}", values.place))
    }

    fn of(&self, key: &Key) -> Option<&Values> {
        self.values.get(&(key.table, key.name)).filter(|values| !values.all.is_empty())
    }

    /// Sets the variables of this process that are said, but for those that its caller has set.
    pub fn set_variables(&self) -> Result<(), Report> {
        let found = KEYS.iter().filter(|key| key.means == Means::Variables).filter_map(|key| self.of(key));
        for Values { all, place, .. } in found {
            for pair in all {
                match pair.split_once('=').filter(|(name, _)| !name.is_empty() && !pair.contains('\0')) {
                    Some((name, _)) if std::env::var_os(name).is_some() => {}
                    Some((name, value)) => process::set_variable(name, value.as_ref()).map_err(Report::from)?,
                    // A caller's proxies are worth more than an end with an error: as Podman has it.
                    None => message::warn(|| format!("{place}: `{}` is not `NAME=VALUE`", pair.escape_default())),
                }
            }
        }
        Ok(())
    }

    /// Gives the flags of the command at `path` below `root` their defaults.
    pub fn defaults(&self, root: clap::Command, path: &[String]) -> clap::Command {
        let Some((name, rest)) = path.split_first() else { return self.of_flags(root) };
        root.mut_subcommand(name, |command| self.defaults(command, rest))
    }

    fn of_flags(&self, command: clap::Command) -> clap::Command {
        command.mut_args(|arg| {
            let key = KEYS.iter().find(|key| key.means == Means::Default && arg.get_long() == Some(key.flag()));
            match key.and_then(|key| self.of(key)) {
                Some(values) => arg.default_values(values.all.clone()),
                None => arg,
            }
        })
    }

    /// What stands before the flags that are given, and is added to by them.
    pub fn words(&self) -> Vec<OsString> {
        let added = KEYS.iter().filter(|key| key.means == Means::Added);
        let words = |key: &'static Key| {
            let values = self.of(key).map_or(&[][..], |values| &values.all);
            values.iter().map(move |value| format!("{}{value}", key.flag).into())
        };
        added.flat_map(words).collect()
    }
}

/// The files of a folder, in their order; there may be none.
fn parts(folder: &Path) -> Result<Vec<PathBuf>, Report> {
    let unreadable = |error| Report::new(format!("the folder `{}` can't be read: {error}", folder.display()));
    config::parts(folder, "conf").map_err(unreadable)
}

/// The file of a module: the strongest that has this name.
fn module_in(folders: &[PathBuf], module: &Path) -> Result<PathBuf, Report> {
    let named = folders.iter().rev().map(|folder| folder.join(format!("{FILE}.modules")).join(module));
    named.into_iter().find(|path| path.exists()).ok_or_else(|| {
        Report::new(format!("the module `{}` of {FILE} does not exist", module.display()))
            .hint(format!("modules are in `{FILE}.modules/` of /etc/containers and of $XDG_CONFIG_HOME/containers"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(files: &[&str]) -> Settings {
        let mut settings = Settings::default();
        for text in files {
            file::parse(Path::new("x"), text, true)
                .unwrap()
                .into_iter()
                .for_each(|(key, found)| settings.set(key, found));
        }
        settings
    }

    #[test]
    fn a_later_file_replaces_or_appends() {
        let words = |files: &[&str]| settings(files).words();
        let first = "[containers]\nvolumes = ['/a:/a', {append = true}]\n";
        assert_eq!(
            words(&["[containers]\nvolumes = ['/a:/a']", "[containers]\nvolumes = ['/b:/b']"]),
            ["--volume=/b:/b"]
        );
        assert_eq!(words(&[first, "[containers]\nvolumes = ['/b:/b']"]), ["--volume=/a:/a", "--volume=/b:/b"]);
        assert_eq!(words(&[first, "[containers]\nvolumes = ['/b:/b', {append = false}]"]), ["--volume=/b:/b"]);
        assert_eq!(words(&["[containers]\nlog_size_max = -1"]), [""; 0]);
        assert_eq!(words(&["[containers]\nlog_size_max = 1024"]), ["--log-opt=max-size=1024"]);
    }

    #[test]
    fn a_value_that_is_refused_is_found() {
        let settings = settings(&["[containers]\nannotations = ['a=b']\numask = '999'"]);
        let origin = |message: &str| settings.origin(&Report::new(message));
        assert_eq!(origin("`999` is not a umask").unwrap(), "`umask` is said in x:3");
        assert_eq!((origin("9990 is not a umask"), origin("no such image")), (None, None));
    }

    #[test]
    fn flags_replace_defaults() {
        let read = |words: &[&str]| {
            let command =
                settings(&["[containers]\ndns_servers = ['1.1.1.1', '2.2.2.2']\nenv_host = true\numask = '0027'"])
                    .defaults(crate::cli::as_podman_reads(crate::cli::root::whole()), &["run".to_owned()]);
            let matches = command.try_get_matches_from([&["coracle", "run"], words, &["image"]].concat()).unwrap();
            let run = matches.subcommand_matches("run").unwrap();
            let dns: Vec<String> = run.get_many("dns").unwrap().cloned().collect();
            (dns.join(" "), run.get_flag("env_host"), run.get_one::<String>("umask").unwrap().clone())
        };
        assert_eq!(read(&[]), ("1.1.1.1 2.2.2.2".into(), true, "0027".into()));
        assert_eq!(read(&["--dns=8.8.8.8", "--env-host=false", "--umask=0"]), ("8.8.8.8".into(), false, "0".into()));
    }
}
