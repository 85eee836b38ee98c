//! `run`: create and start, in the foreground or not.

use std::process::ExitCode;

use clap::Args;
use rustix::stdio::stdin;
use rustix::termios::isatty;

use super::boot;
use super::options::Options;
use super::session::detach_keys::{self, DetachKeys};
use super::session::direct::Direct;
use super::session::foreground::{self, Foreground};
use super::session::handed_on::{self, HandedOn};
use super::session::service::{self, Service};
use super::session::times;
use crate::cli::image::remove::remove_unused;
use crate::cli::{Context, Report, output};
use crate::container::find::{Found, find};
use crate::container::job::Streams;
use crate::container::life::create::Created;
use crate::container::life::restart::RestartPolicy;
use crate::container::life::start::{How, start};
use crate::container::log::LogDriver;
use crate::container::record::Container;
use crate::container::state::Status;
use crate::container::watch::events::{self, Action};
use crate::host::lock::Lock;
use crate::host::message;
use crate::store::Store;

/// Run a command in a new container
#[derive(Debug, Args)]
#[command(disable_help_flag = true)]
pub struct Run {
    /// Leave the container running and print its ID
    #[arg(long, short)]
    detach: bool,
    /// With `--detach`: as a service of this account's systemd, which starts it at every boot
    #[arg(long)]
    boot: bool,
    /// Keys that leave the container and let it run on; an empty text: none do
    #[arg(long, value_name = "KEYS", default_value = detach_keys::DEFAULT, hide_default_value = true)]
    detach_keys: String,
    #[command(flatten)]
    handed_on: handed_on::Flags,
    /// Remove the container when it has ended, and then its image, unless another container uses it
    #[arg(long)]
    rmi: bool,
    /// Pass signals on to the program
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    #[arg(default_value_t = true, action = clap::ArgAction::Set, hide_default_value = true, hide_possible_values = true)]
    sig_proxy: bool,
    /// `plan`, which is meant without a word: print the steps of the start as JSON instead of carrying them out; `times`: carry them
    /// out, and say on standard error where the time went
    #[arg(long, value_name = "WHAT", num_args = 0..=1, require_equals = true, default_missing_value = "plan")]
    #[arg(hide_possible_values = true)]
    explain: Option<Explain>,
    #[command(flatten)]
    options: Options,
}

/// What of a start is explained.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Explain {
    #[value(alias = "true")]
    Plan,
    Times,
}

impl Run {
    pub fn run(mut self, context: &Context) -> Result<ExitCode, Report> {
        let handed_on = self.handed_on.take_with_sockets()?;
        if self.rmi {
            if self.detach {
                return Err(Report::new(
                    "--rmi and --detach can't be used together: nobody is there to remove the image",
                )
                .hint("`coracle rmi IMAGE` does, once the container is gone"));
            }
            self.options.remove_with_image();
        }
        // Not by the definition, to which `--boot=false` were the same.
        if self.boot && (!self.detach || self.options.removes()) {
            return Err(Report::new(
                "--boot needs --detach, and no --rm: a service runs without a terminal, and comes again",
            )
            .hint("`coracle run -d --boot …`"));
        }
        let keys = DetachKeys::parse(&self.detach_keys)?;
        if self.explain == Some(Explain::Times) {
            times::measure();
            times::mark("the command line and the configuration were read");
        }
        if self.explain == Some(Explain::Plan) {
            self.options.only_look();
        }
        let manager = self.boot.then(boot::manager).transpose()?;
        let store = context.store()?;
        let Created { container, lock, .. } = self.options.create(context, &store)?;
        times::mark("the container's record was written, its image pulled where it was missing");
        let directory = store.layout().container(&container.id);
        let found = Found { directory, container };
        if self.explain == Some(Explain::Plan) {
            return explain(&store, &found, lock);
        }
        if let Some(mut manager) = manager {
            drop(lock);
            let id = found.container.id.clone();
            boot::begin(found, &mut manager)?;
            output::line(&id);
            return Ok(ExitCode::SUCCESS);
        }
        if self.detach {
            leave(context, &store, &found, Some(lock), &handed_on, Service::of(&found.container).as_ref())?;
            output::line(&found.container.id);
            times::tell();
            if matches!(found.container.restart, RestartPolicy::Always | RestartPolicy::UnlessStopped) {
                boot::remind(&found.container.name);
            }
            return Ok(ExitCode::SUCCESS);
        }
        let manner = Manner { pass_signals: self.sig_proxy, keys, handed_on };
        let ended = stay(context, &store, &found, Some(lock), manner);
        times::mark("the program ended, and what it left was tidied");
        times::tell();
        if self.rmi && found.container.image.is_some() {
            remove_unused(&store, found.container.image_name())?;
        }
        ended.map(ExitCode::from)
    }
}

/// How a client stays.
pub struct Manner {
    pub pass_signals: bool,
    pub keys: DetachKeys,
    pub handed_on: HandedOn,
}

/// Starts the container, with the lock of one that was just made, and lets it live on alone. Its monitor is what `service` has as its
/// main process.
pub fn leave(
    context: &Context,
    store: &Store,
    found: &Found,
    made: Option<Lock>,
    handed_on: &HandedOn,
    service: Option<&Service>,
) -> Result<(), Report> {
    start_dependencies(context, store, found)?;
    let lent = handed_on.lend(&found.container)?;
    let published = lent.published();
    let direct = passthrough(&found.container)?;
    let stdio = direct.as_ref().map(Direct::stdio);
    let streams = if stdio.is_some() { Streams::Given } else { streams(&found.container) };
    let driver = context.driver()?;
    let how = How {
        secrets: None,
        streams,
        stdio,
        log: true,
        handed_on: &lent.fds,
        published: &published,
        variables: &lent.variables,
        manager: service.map(|service| &service.manager),
        alone: true,
        terminal_size: (0, 0),
        driver,
    };
    let launched = start(store, found, made, how)?;
    times::mark_at(launched.planned, "the start was planned");
    foreground::await_start(&launched.talk)?;
    service.inspect(|service| service.started(launched.monitor.pid.as_raw_nonzero().get()));
    foreground::let_go(&launched.talk)
}

/// As [`leave`], but stays with it until it has ended, or the user detaches; the exit code.
pub fn stay(context: &Context, store: &Store, found: &Found, made: Option<Lock>, manner: Manner) -> Result<u8, Report> {
    start_dependencies(context, store, found)?;
    let container = &found.container;
    if container.terminal && container.interactive && !isatty(stdin()) {
        message::warn(|| {
            "standard input is not a terminal, so `--tty` and `--interactive` may not work as expected: `-i` alone hands it on"
                .to_owned()
        });
    }
    // What the journal has outlives the container.
    let kept = !container.remove || container.log.driver == LogDriver::Journald;
    let lent = manner.handed_on.lend(container)?;
    let published = lent.published();
    let direct = match passthrough(container)? {
        // Straight through, where nothing is kept.
        None if !kept && !container.terminal && container.muted == [false; 2] => {
            Direct::of(container, &container.user, container.interactive)?
        }
        other => other,
    };
    let given = direct.as_ref().map(Direct::stdio);
    let streams = if given.is_some() { Streams::Given } else { streams(container) };
    let service = Service::of(container);
    let how = How {
        secrets: None,
        streams,
        stdio: given,
        log: kept,
        handed_on: &lent.fds,
        published: &published,
        variables: &lent.variables,
        manager: service.as_ref().map(|service| &service.manager),
        alone: false,
        terminal_size: if container.terminal { foreground::terminal_size() } else { (0, 0) },
        driver: context.driver()?,
    };
    let launched = start(store, found, made, how)?;
    times::mark_at(launched.planned, "the start was planned");
    events::record_of(found.root(), container, &[Action::Attach], None);
    let foreground = Foreground {
        input: container.interactive && streams != Streams::Given,
        terminal: container.terminal,
        pass_signals: manner.pass_signals,
        keys: manner.keys,
        muted: service::muted(container),
        launcher: true,
        service,
    };
    foreground.stay(launched.talk)
}

/// Starts those of the containers that this one needs which do not run.
fn start_dependencies(context: &Context, store: &Store, found: &Found) -> Result<(), Report> {
    for id in found.container.dependencies() {
        let needed = find(store, id)?;
        if needed.state()?.status != Status::Running {
            leave(context, store, &needed, None, &HandedOn::default(), None)?;
        }
    }
    Ok(())
}

/// Our own streams, for a container that is to have them.
fn passthrough(container: &Container) -> Result<Option<Direct>, Report> {
    (container.log.driver == LogDriver::Passthrough).then(|| Direct::asked(container)).transpose()
}

/// Where the streams of a container lead that the monitor holds.
fn streams(container: &Container) -> Streams {
    if container.terminal { Streams::Terminal } else { Streams::Pipes { input: container.interactive } }
}

fn explain(store: &Store, found: &Found, lock: Lock) -> Result<ExitCode, Report> {
    use crate::container::life;
    let streams = streams(&found.container);
    let how = How { streams, ..life::start::IDLE };
    let job = life::start::job(store, found, how, &crate::host::subid::IdMaps::of_account()?)?;
    output::print(&output::format::json(&job.plan)?);
    drop(lock);
    life::remove::remove_with_volumes(store, found, true, std::time::Duration::ZERO)?;
    Ok(ExitCode::SUCCESS)
}
