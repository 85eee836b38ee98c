//! The root of the command line: global options, the list of commands, and what every command gets.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{ArgMatches, Args, FromArgMatches};

use super::config::storage;
use super::{
    Report, builder, complete, container, generate, image, manifest, manual, network, pod, quadlet, registry, secret,
    system, unit, volume,
};
use crate::container::record::Driver;
use crate::host::dirs::Dirs;
use crate::runtime::cgroup::placement::Maker;
use crate::store::Store;

#[derive(Debug, Default, Args)]
pub struct Global {
    /// Keep images and containers in this directory [default: $XDG_DATA_HOME/coracle]
    #[arg(long, value_name = "DIRECTORY", global = false)]
    pub root: Option<PathBuf>,
    /// Keep what is true of this boot alone in this directory: what the kernel's overlay can do here [default: with the rest]
    #[arg(long, value_name = "DIRECTORY")]
    runroot: Option<PathBuf>,
    /// Mount containers with this driver: `auto`, `kernel` or `fuse` [default: auto]
    #[arg(long, value_name = "DRIVER")]
    pub storage_driver: Option<String>,
    /// `size=BYTES[bkmgt]`: how much a container may write into its file system, where it is not said for the container itself
    #[arg(long, value_name = "KEY=VALUE")]
    pub storage_opt: Vec<String>,
    /// Who makes control groups: `systemd`, or `cgroupfs`, this program itself in what is delegated [default: systemd, where there is
    /// one]
    #[arg(long, value_name = "MANAGER")]
    cgroup_manager: Option<String>,
    /// Look for `config.json` with credentials in this directory, as Docker does [default: ~/.docker]
    #[arg(long, value_name = "DIRECTORY")]
    config: Option<PathBuf>,
    /// `debug`: say what is read, started and decided; `error`: no warnings [default: warn]
    #[arg(long, value_name = "LEVEL")]
    log_level: Option<String>,
    /// Read this file of containers.conf.modules/, too, for what no flag says
    #[arg(long, value_name = "FILE")]
    module: Vec<PathBuf>,
}

/// The list of commands: `"name" | "alias" => its struct`. From it come the definition and the dispatch.
macro_rules! commands {
    ($($name:literal $(| $alias:literal)* => $command:ty),+ $(,)?) => {
        const NAMES: &[&str] = &[$($name $(, $alias)*),+];

        /// Adds those commands that are `meant`, each as it is to be read.
        fn with_commands(
            mut root: clap::Command,
            meant: impl Fn(&[&str]) -> bool,
            read: fn(clap::Command) -> clap::Command,
        ) -> clap::Command {
            $(if meant(&[$name $(, $alias)*]) {
                let command = <$command>::augment_args(clap::Command::new($name)$(.visible_alias($alias))*);
                root = root.subcommand(read(command));
            })+
            root
        }

        fn dispatch(name: &str, matches: &ArgMatches, context: &Context) -> Result<ExitCode, Stopped> {
            match name {
                $($name => Ok(<$command>::from_arg_matches(matches)?.run(context)?),)+
                // clap has looked the name up already.
                _ => Err(Report::new(format!("unrecognized command `{name}`")).into()),
            }
        }
    };
}

commands! {
    "attach" => container::session::attach::Attach,
    "completion" => complete::Completion,
    "build" => image::build::Build,
    "builder" => builder::Builder,
    "buildx" => builder::Buildx,
    "commit" => container::tree::commit::Commit,
    "container" => container::Container,
    "cp" => container::tree::cp::Cp,
    "create" => container::create::Create,
    "diff" => container::tree::diff::Diff,
    "exec" => container::session::exec::Exec,
    "export" => container::tree::export::Export,
    "healthcheck" => container::life::healthcheck::Healthcheck,
    "inspect" => container::inspect::Inspect,
    "kill" => container::kill::Kill,
    "logs" => container::logs::Logs,
    "pause" => container::life::pause::Pause,
    "port" => container::watch::port::Port,
    "ps" | "list" => container::ps::Ps,
    "rename" => container::life::rename::Rename,
    "restart" => container::life::restart::Restart,
    "rm" => container::rm::Rm,
    "run" => container::run::Run,
    "start" => container::start::Start,
    "stats" => container::watch::stats::Stats,
    "stop" => container::stop::Stop,
    "top" => container::watch::top::Top,
    "unpause" => container::life::pause::Unpause,
    "update" => container::life::update::Update,
    "wait" => container::wait::Wait,
    "doctor" => system::doctor::Doctor,
    "events" => system::events::Events,
    "info" => system::info::Info,
    "system" => system::System,
    "unshare" => system::unshare::Unshare,
    "version" => system::version::Version,
    "generate" => generate::Generate,
    "help" => manual::help::Help,
    "history" => image::history::History,
    "image" => image::Image,
    "login" => registry::login::Login,
    "logout" => registry::logout::Logout,
    "search" => registry::search::Search,
    "images" => image::list::Images,
    "import" => image::archive::Import,
    "load" => image::archive::Load,
    "manifest" => manifest::Manifest,
    "network" => network::Network,
    "pod" => pod::Pod,
    "quadlet" => quadlet::Quadlet,
    "unit" => unit::Unit,
    "pull" => image::pull::Pull,
    "push" => image::push::Push,
    "rmi" => image::remove::Rmi,
    "save" => image::archive::Save,
    "tag" => image::tag::Tag,
    "untag" => image::tag::Untag,
    "secret" => secret::Secret,
    "volume" => volume::Volume,
}

/// Why a command was not carried out to its end.
pub enum Stopped {
    Usage(clap::Error),
    Failed(Report),
}

impl From<clap::Error> for Stopped {
    fn from(error: clap::Error) -> Self {
        Self::Usage(error)
    }
}

impl From<Report> for Stopped {
    fn from(report: Report) -> Self {
        Self::Failed(report)
    }
}

/// The command line whole, for help, manual pages and completions.
pub fn whole() -> clap::Command {
    with_commands(head(), |_| true, taking_any_value)
}

/// The command line as far as `words` can mean it. Every start pays for what is defined here, and most of it is another command's.
pub fn meant_by(words: &[String]) -> clap::Command {
    let said = |name: &&str| words.iter().any(|word| word == name);
    if !NAMES.iter().any(said) {
        return whole();
    }
    with_commands(head(), |names| names.iter().any(said), taking_any_value)
}

/// Those commands whose names are among the words, as [`beginning_with`].
pub fn named_in(words: &[String]) -> clap::Command {
    with_commands(head(), |names| names.iter().any(|name| words.iter().any(|word| word == name)), |command| command)
}

/// Those commands whose names begin so, to be looked at and not to be read: for who waits for the answer.
pub fn beginning_with(name: &str) -> clap::Command {
    with_commands(head(), |names| names.iter().any(|one| one.starts_with(name)), |command| command)
}

/// Where in the words the command is.
#[derive(Debug, Default)]
pub struct Place<'a> {
    /// Its name, below those that it belongs to.
    pub path: Vec<&'a str>,
    /// How many words there are up to it.
    pub end: usize,
    /// The global options before it that take a value, and their values.
    said: Vec<(&'a str, OsString)>,
}

impl<'a> Place<'a> {
    pub fn find(root: &'a clap::Command, words: &[OsString]) -> Self {
        let mut place = Self { end: 1, ..Self::default() };
        let mut command = root;
        while let Some(word) = words.get(place.end).and_then(|word| word.to_str()) {
            place.end += 1;
            if let Some(flag) = word.strip_prefix("--") {
                let (name, value) = flag.split_once('=').map_or((flag, None), |(name, value)| (name, Some(value)));
                let flag = command.get_arguments().find(|arg| arg.get_long() == Some(name));
                let Some(flag) = flag.filter(|flag| flag.get_action().takes_values()) else { continue };
                let value = value.map(OsString::from).or_else(|| {
                    place.end += 1;
                    words.get(place.end - 1).cloned()
                });
                place.said.extend(flag.get_long().zip(value));
            } else if !word.starts_with('-') {
                let Some(found) = command.find_subcommand(word) else { break };
                place.path.push(found.get_name());
                if !found.has_subcommands() {
                    break;
                }
                command = found;
            }
        }
        place
    }

    /// What is said of a global option, in its order.
    pub fn said(&self, option: &str) -> impl DoubleEndedIterator<Item = &OsString> {
        self.said.iter().filter(move |(name, _)| *name == option).map(|(_, value)| value)
    }
}

/// The first of the words that is a command's name.
pub fn command_among<'a>(mut words: impl Iterator<Item = &'a String>) -> Option<&'static str> {
    words.find_map(|word| NAMES.iter().find(|name| *name == word)).copied()
}

/// Whether it is one of the flags that go before a command.
pub fn is_global(flag: &str) -> bool {
    head().get_arguments().any(|arg| arg.get_long().is_some_and(|long| flag.strip_prefix("--") == Some(long)))
}

/// As Podman reads it: the word behind a flag that takes a value is the value, whatever it looks like.
fn taking_any_value(command: clap::Command) -> clap::Command {
    let takes = |arg: &clap::Arg| !arg.is_positional() && arg.get_action().takes_values();
    command
        .mut_args(|arg| if takes(&arg) { arg.allow_hyphen_values(true) } else { arg })
        .mut_subcommands(taking_any_value)
}

fn head() -> clap::Command {
    let root = clap::Command::new("coracle")
        .version(concat!("version ", env!("CARGO_PKG_VERSION")))
        .disable_help_subcommand(true)
        .subcommand_required(true)
        .arg_required_else_help(true);
    Global::augment_args(root).about("Containers without a daemon, without root, without an administrator")
}

/// Carries out what was read.
pub fn run(matches: &ArgMatches) -> Result<ExitCode, Stopped> {
    let context = Context { global: Global::from_arg_matches(matches)? };
    match matches.subcommand() {
        Some((name, matches)) => dispatch(name, matches, &context).map_err(|stopped| context.with_similar(stopped)),
        None => Err(Report::new("missing command `coracle COMMAND`").into()),
    }
}

/// What every command gets: nothing has been opened yet.
#[derive(Debug)]
pub struct Context {
    pub global: Global,
}

impl Context {
    /// Of a command line that says no more than where the store is.
    pub fn of_root(root: Option<&Path>) -> Self {
        Self { global: Global { root: root.map(Path::to_owned), ..Global::default() } }
    }

    pub fn dirs(&self) -> Result<Dirs, Report> {
        let named = if self.global.root.is_none() { storage::root()? } else { None };
        let dirs = Dirs::of_account(self.global.root.as_deref().or(named.as_deref()))?;
        match &self.global.runroot {
            Some(run) => Ok(dirs.with_run(run)?),
            None => Ok(dirs),
        }
    }

    /// The overlay driver that was asked for.
    pub fn driver(&self) -> Result<Option<Driver>, Report> {
        let Some(asked) = &self.global.storage_driver else { return Ok(None) };
        let known = [("auto", Driver::Auto), ("kernel", Driver::Kernel), ("fuse", Driver::Fuse)];
        match known.into_iter().find(|(name, _)| name == asked) {
            Some((_, driver)) => Ok(Some(driver)),
            None => Err(Report::new(format!("the storage driver `{asked}` is not known"))
                .hint("`auto`, `kernel` and `fuse` are")),
        }
    }

    /// Who is to make control groups.
    pub fn cgroup_manager(&self) -> Result<Option<Maker>, Report> {
        match self.global.cgroup_manager.as_deref() {
            None | Some("") => Ok(None),
            Some("systemd") => Ok(Some(Maker::Systemd)),
            Some("cgroupfs") => Ok(Some(Maker::Cgroupfs)),
            Some(asked) => {
                Err(Report::new(format!("the cgroup manager `{asked}` is not known"))
                    .hint("`systemd` and `cgroupfs` are"))
            }
        }
    }

    /// Says, of what was named and is not there, what it may have meant.
    fn with_similar(&self, stopped: Stopped) -> Stopped {
        let Stopped::Failed(mut report) = stopped else { return stopped };
        if let Some(store) =
            self.dirs().ok().filter(|_| !report.missing.is_empty()).and_then(|dirs| Store::existing(&dirs))
        {
            let hints: Vec<String> = report.missing.iter().filter_map(|missing| missing.hint(&store)).collect();
            report.hints.splice(0..0, hints);
        }
        Stopped::Failed(report)
    }

    pub fn store(&self) -> Result<Store, Report> {
        Ok(Store::open(&self.dirs()?)?)
    }
}
