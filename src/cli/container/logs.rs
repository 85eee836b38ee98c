//! `logs`: what containers wrote, and what they write.

use std::io::{BufWriter, Write};
use std::os::fd::BorrowedFd;
use std::process::ExitCode;

use clap::Args;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use super::latest::latest;
use crate::cli::output::time;
use crate::cli::{Context, Report};
use crate::container::find::{self, Found};
use crate::container::into::logs::{Records, Watch};
use crate::container::log::{self, Entry, LogDriver};
use crate::host::message;
use crate::sys::Call;

/// Between the end of a program and that of its log, which its monitor writes down.
const SOON: Timespec = Timespec { tv_sec: 0, tv_nsec: 20_000_000 };

/// Print what containers wrote
#[derive(Debug, Args)]
pub struct Logs {
    /// Go on until the container has ended
    #[arg(long, short)]
    follow: bool,
    /// Of the container that was created last
    #[arg(long, short)]
    latest: bool,
    /// With several containers: begin each line with the name of its own instead of the ID
    #[arg(long, short)]
    names: bool,
    /// Only what was written since then: a time, a date, seconds since 1970, or how long ago (`10m`, `1h30m`)
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Only the last lines; -1: all
    #[arg(long, value_name = "LINES", default_value_t = -1, hide_default_value = true)]
    tail: i64,
    /// Begin each line with its time
    #[arg(long, short)]
    timestamps: bool,
    /// Only what was written until then
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// Names or IDs
    #[arg(required_unless_present = "latest")]
    containers: Vec<String>,
}

impl Logs {
    pub fn run(self, context: &Context) -> Result<ExitCode, Report> {
        let store = context.store()?;
        let mut found = self.containers.iter().map(|name| find::find(&store, name)).collect::<Result<Vec<_>, _>>()?;
        if self.latest {
            found.push(latest(&store)?);
        }
        let moment = |text: &Option<String>| text.as_deref().map(moment).transpose();
        let (since, until) = (moment(&self.since)?, moment(&self.until)?);
        let tail = u64::try_from(self.tail).ok();
        let several = found.len() > 1;
        let mut open = Vec::new();
        for found in found {
            let printer = Printer::new(self.prefix(&found, several), self.timestamps);
            open.push(Log {
                records: records(found, tail, self.follow)?,
                printer,
                since: since.clone(),
                until: until.clone(),
            });
        }
        let printed = if self.follow { follow(open) } else { open.iter_mut().try_for_each(Log::print_all) };
        match printed {
            // Nobody reads any more.
            Err(Stopped::Gone) | Ok(()) => Ok(ExitCode::SUCCESS),
            Err(Stopped::Failed(report)) => Err(report),
        }
    }

    fn prefix(&self, found: &Found, several: bool) -> String {
        match (several, self.names) {
            (false, _) => String::new(),
            (true, true) => format!("{} ", found.container.name),
            (true, false) => format!("{} ", found.container.short_id()),
        }
    }
}

fn records(found: Found, tail: Option<u64>, follow: bool) -> Result<Records, Report> {
    match found.container.log.driver {
        LogDriver::K8sFile | LogDriver::Journald => Ok(Records::open(found, tail, follow)?),
        driver => Err(Report::new(format!(
            "this container is using the '{0}' log driver, cannot read logs: this container is not logging output",
            driver.name()
        ))),
    }
}

fn moment(text: &str) -> Result<String, Report> {
    let moment = time::moment(text).ok_or_else(|| {
        Report::new(format!("`{text}` is not a time"))
            .hint("for example 2026-01-31T12:00:00Z, 2026-01-31, 1769860800, or 10m for ten minutes ago")
    })?;
    Ok(log::time(moment))
}

/// Why printing ended before the log did.
enum Stopped {
    Gone,
    Failed(Report),
}

impl<E> From<E> for Stopped
where
    Report: From<E>,
{
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

/// One container's log on its way to our output.
struct Log {
    records: Records,
    printer: Printer,
    since: Option<String>,
    until: Option<String>,
}

impl Log {
    /// Prints what there is, and says what is missing.
    fn print_all(&mut self) -> Result<(), Stopped> {
        self.print()?;
        self.warn();
        Ok(())
    }

    fn warn(&self) {
        if let Some(words) = self.records.lost() {
            message::warn(|| format!("container {}: {words}", self.records.found().container.name));
        }
    }

    /// Prints what there is; `true`: what comes later is not wanted.
    fn print(&mut self) -> Result<bool, Stopped> {
        let outside = |bound: &Option<String>, time: &[u8], after: bool| {
            bound.as_ref().is_some_and(|bound| if after { time > bound.as_bytes() } else { time < bound.as_bytes() })
        };
        while let Some(entry) = self.records.read()? {
            if outside(&self.until, entry.time, true) {
                self.printer.flush()?;
                return Ok(true);
            }
            if !outside(&self.since, entry.time, false) {
                self.printer.print(&entry)?;
            }
        }
        self.printer.flush()?;
        Ok(false)
    }
}

/// Prints until every container has ended.
fn follow(logs: Vec<Log>) -> Result<(), Stopped> {
    let mut followed = Vec::new();
    for log in logs {
        // From before the first look, so that nothing is missed.
        let watch = log.records.watch()?;
        followed.push((log, watch));
    }
    loop {
        let mut living = Vec::new();
        for (mut log, mut watch) in followed {
            let last = log.records.is_final(&mut watch)?;
            match log.print()? || last {
                true => log.warn(),
                false => {
                    // What comes from now on is later, whatever the clock says.
                    log.since = None;
                    living.push((log, watch));
                }
            }
        }
        if living.is_empty() {
            return Ok(());
        }
        wait(living.iter().map(|(_, watch)| watch))?;
        followed = living;
    }
}

fn wait<'a>(watches: impl Iterator<Item = &'a Watch> + Clone) -> Result<(), Report> {
    let ready = |fd: BorrowedFd<'a>| PollFd::from_borrowed_fd(fd, PollFlags::IN);
    let mut programs: Vec<PollFd<'_>> = watches.clone().filter_map(Watch::program).map(ready).collect();
    let now = Timespec { tv_sec: 0, tv_nsec: 0 };
    // A program that has ended stays ready: its log is looked at again and again, for the moment that is left to it.
    let ended = poll(&mut programs, Some(&now)).is_ok_and(|count| count > 0);
    let mut polled: Vec<PollFd<'_>> = watches.map(|watch| ready(watch.changes())).collect();
    if !ended {
        polled.append(&mut programs);
    }
    match poll(&mut polled, ended.then_some(&SOON)) {
        Err(Errno::INTR) => Ok(()),
        other => Ok(other.map(drop).call("poll")?),
    }
}

/// Our outputs; each is written out before the other is written to, so that a terminal shows both in order.
struct Printer {
    prefix: String,
    timestamps: bool,
    output: BufWriter<std::io::Stdout>,
    error: BufWriter<std::io::Stderr>,
    last_error: bool,
    /// Whether the last record of each stream left its line open.
    within: [bool; 2],
}

impl Printer {
    fn new(prefix: String, timestamps: bool) -> Self {
        let output = BufWriter::with_capacity(256 << 10, std::io::stdout());
        let error = BufWriter::with_capacity(64 << 10, std::io::stderr());
        Self { prefix, timestamps, output, error, last_error: false, within: [false; 2] }
    }

    fn print(&mut self, entry: &Entry<'_>) -> Result<(), Stopped> {
        if entry.error != self.last_error {
            self.flush()?;
            self.last_error = entry.error;
        }
        let [output, error] = &mut self.within;
        let within = if entry.error { error } else { output };
        let head = !std::mem::replace(within, !entry.whole);
        let to: &mut dyn Write = if entry.error { &mut self.error } else { &mut self.output };
        let mut put = |bytes: &[u8]| to.write_all(bytes).map_err(|_| Stopped::Gone);
        if head {
            put(self.prefix.as_bytes())?;
            if self.timestamps {
                put(entry.time)?;
                put(b" ")?;
            }
        }
        put(entry.text)?;
        if entry.whole { put(b"\n") } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<(), Stopped> {
        self.output.flush().and_then(|()| self.error.flush()).map_err(|_| Stopped::Gone)
    }
}
