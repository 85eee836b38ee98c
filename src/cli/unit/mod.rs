//! `unit`: what a container was made with, as a quadlet: then systemd starts it, at boot too, and starts it again.

pub mod service;
mod socket;

use std::process::ExitCode;

use clap::parser::ValueSource;
use clap::{ArgMatches, Args};

use super::{Context, Report, as_podman_reads, output, root};
use crate::container::find::find;
use crate::container::life::restart::RestartPolicy;
use crate::container::record::Container;
use crate::host::{atomic_file, change};
use crate::systemd::quadlet::{Kind, Means, Service, words};

/// Write a container as a file that `quadlet install` takes, to be a service of systemd
#[derive(Debug, Args)]
pub struct Unit {
    /// Write a socket unit and a service instead, of which the first listens here, on `PORT` or `ADDRESS:PORT`, and the second is the
    /// container, made anew and started by the first connection; with `:PORT` behind it, the container's, where it does not publish that one
    #[arg(long, value_name = "PORT")]
    socket: Option<String>,
    /// Stop the container when nobody has been connected for this long; the socket goes on listening
    #[arg(long, value_name = "DURATION", requires = "socket")]
    idle: Option<String>,
    /// Put the two where this account's service manager finds them, and have it read them
    #[arg(long, requires = "socket")]
    install: bool,
    /// Name or ID
    container: String,
}

/// Flags that a unit gives itself, or that mean something for the caller of a command alone.
const NOT_SAID: [&str; 16] = [
    "name",
    "boot",
    "explain",
    "detach",
    "detach-keys",
    "rm",
    "rmi",
    "replace",
    "restart",
    "sdnotify",
    "cgroups",
    "cidfile",
    "pull",
    "quiet",
    "attach",
    "sig-proxy",
];

/// The first line of units that are put where the service manager finds them.
const MARK: &str = "# Made by `coracle unit --install`, which writes it anew.\n";

impl Unit {
    pub fn run(self, context: &Context) -> Result<ExitCode, Report> {
        let found = find(&context.store()?, &self.container)?;
        let Some(socket) = &self.socket else {
            output::print(&quadlet(&found.container)?);
            return Ok(ExitCode::SUCCESS);
        };
        let units = socket::pair(&found.container, socket, self.idle.as_deref())?;
        if self.install {
            install(&units)?;
        } else {
            let shown: Vec<String> = units.iter().map(|unit| format!("# {}\n{}", unit.name, unit.text())).collect();
            output::print(&shown.join("\n"));
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn install(units: &[Service]) -> Result<(), Report> {
    let folder = super::quadlet::units()?;
    change::create_dirs(&folder)?;
    for unit in units {
        let path = folder.join(&unit.name);
        if std::fs::read_to_string(&path).map_or(path.is_symlink(), |text| !text.starts_with(MARK)) {
            return Err(Report::new(format!(
                "the unit `{}` is there, and not of this command's making",
                path.display()
            ))
            .hint("`coracle rename` gives the container another name, which is that of its units"));
        }
    }
    for unit in units {
        let path = folder.join(&unit.name);
        atomic_file::write(&path, format!("{MARK}\n{}", unit.text()).as_bytes(), true)?;
        output::line(&path.display().to_string());
    }
    super::quadlet::reload()
}

/// A `.container` file, whose lines are those flags of the container's command that have a key, and the others as they are.
fn quadlet(container: &Container) -> Result<String, Report> {
    let Made { global, flags, program, directory, .. } = Made::of(container)?;
    let mut lines = Vec::new();
    let mut others = Vec::new();
    // The directory has a key of its own.
    for (flag, value) in flags.into_iter().filter(|(flag, _)| flag != "rootfs") {
        match line(&flag, &value) {
            Some(line) => lines.push(line),
            None => others.push(format!("--{flag}={value}")),
        }
    }
    let origin = match (&container.rootfs, &container.image) {
        (Some(rootfs), _) => {
            format!("Rootfs={}{}", literal(&rootfs.path.to_string_lossy()), if rootfs.overlay { ":O" } else { "" })
        }
        (None, image) => format!("Image={}", image.as_ref().map_or("", |image| &image.name)),
    };
    let key = |key: &str, words: &[String]| (!words.is_empty()).then(|| format!("{key}={}", words::join(words)));
    let own = [Some("[Container]".to_owned()), Some(origin), Some(format!("ContainerName={}", container.name))];
    let last = [key("GlobalArgs", &global), key("PodmanArgs", &others), key("Exec", &program)];
    let all =
        own.into_iter().chain(lines.into_iter().map(Some)).chain(last).flatten().chain(service(container, directory));
    Ok(all.map(|line| format!("{line}\n")).collect())
}

/// The command by which a container was made, as words that mean nothing else to systemd.
#[derive(Debug)]
pub struct Made {
    /// What is said before the command.
    pub global: Vec<String>,
    /// Flags and their values, without those of [`NOT_SAID`].
    pub flags: Vec<(String, String)>,
    /// The image, or the directory in its place.
    pub image: String,
    pub program: Vec<String>,
    /// Who says that it is ready was said, too.
    pub says_ready: Option<String>,
    /// Which paths in it count from, where one does not begin at the root.
    pub directory: Option<String>,
}

impl Made {
    pub fn of(container: &Container) -> Result<Self, Report> {
        let whole = as_podman_reads(root::whole());
        let matches = whole.clone().try_get_matches_from(&container.create_command);
        let matches =
            matches.map_err(|_| Report::new(format!("`{}` was not made by `run` or `create`", container.name)))?;
        let mut is_relative = said(&whole, &matches).any(|(flag, value)| counts_from_directory(flag, &value));
        let global = said(&whole, &matches).map(|(flag, value)| format!("--{flag}={value}")).collect();
        let (mut command, mut matches) = (&whole, &matches);
        while let Some((name, below)) = matches.subcommand() {
            command = command.find_subcommand(name).unwrap_or(command);
            matches = below;
        }
        is_relative |= said(command, matches).any(|(flag, value)| counts_from_directory(flag, &value));
        let directory = container.create_directory.as_ref().filter(|_| is_relative);
        let directory = directory.map(|directory| directory.to_string_lossy().replace('%', "%%"));
        let flags = said(command, matches).filter(|(flag, _)| !NOT_SAID.contains(flag)).map(|(flag, value)| {
            let value = if flag == "env" { with_value(container, &value) } else { value };
            (flag.to_owned(), literal(&value))
        });
        let flags = flags.collect();
        let says_ready = said(command, matches).find(|(flag, _)| *flag == "sdnotify").map(|(_, value)| value);
        let mut words = raw(matches, "image_and_command").into_iter().map(|word| literal(&word));
        let (image, program) = (words.next().unwrap_or_default(), words.collect());
        Ok(Self { global, flags, image, program, says_ready, directory })
    }
}

/// Whether it names a path that does not begin at the root.
fn counts_from_directory(flag: &str, value: &str) -> bool {
    let is_relative = |path: &str| !path.starts_with('/');
    match flag {
        "authfile" | "cert-dir" | "conmon-pidfile" | "env-file" | "hosts-file" | "label-file" | "pidfile" | "root"
        | "rootfs" | "runroot" => is_relative(value),
        "security-opt" => value.strip_prefix("seccomp=").is_some_and(|path| path != "unconfined" && is_relative(path)),
        "volume" => value.starts_with('.'),
        "mount" => {
            let is_bind = value.split(',').any(|field| field == "type=bind");
            let source = |field: &str| {
                let source = field.strip_prefix("src=").or_else(|| field.strip_prefix("source="));
                source.is_some_and(is_relative)
            };
            is_bind && value.split(',').any(source)
        }
        _ => false,
    }
}

/// The flags of a command line, one for each value.
fn said<'a>(command: &'a clap::Command, matches: &'a ArgMatches) -> impl Iterator<Item = (&'a str, String)> {
    let given = |arg: &&clap::Arg| matches.value_source(arg.get_id().as_str()) == Some(ValueSource::CommandLine);
    command
        .get_arguments()
        .filter(given)
        .filter_map(|arg| Some((arg.get_long()?, arg.get_id().as_str())))
        .flat_map(|(flag, id)| raw(matches, id).into_iter().map(move |value| (flag, value)))
}

fn raw(matches: &ArgMatches, id: &str) -> Vec<String> {
    let values = matches.try_get_raw(id).ok().flatten().into_iter().flatten();
    values.map(|value| value.to_string_lossy().into_owned()).collect()
}

/// The line of a flag that has a key, and a value of one line.
fn line(flag: &str, value: &str) -> Option<String> {
    if value.contains('\n') {
        return None;
    }
    Kind::Container.keys().iter().find_map(|(key, means)| match means {
        Means::Last(known) | Means::Each(known) | Means::Switch(known) if *known == flag => {
            Some(format!("{key}={value}"))
        }
        Means::Words(known) if *known == flag => Some(format!("{key}={}", words::join(&[value.to_owned()]))),
        _ if *key == "Volume" && flag == "volume" && !value.starts_with('.') => Some(format!("{key}={value}")),
        _ if *key == "Network" && flag == "network" => Some(format!("{key}={value}")),
        _ => None,
    })
}

/// A variable that was taken from the environment has the value that it had.
fn with_value(container: &Container, variable: &str) -> String {
    let pair = |pair: &&String| pair.split_once('=').is_some_and(|(name, _)| name == variable);
    container.env.iter().find(pair).cloned().unwrap_or(variable.to_owned())
}

/// Nothing in it means anything to systemd.
pub fn literal(text: &str) -> String {
    text.replace('%', "%%").replace('$', "$$")
}

/// When the service is started, and where.
fn service(container: &Container, directory: Option<String>) -> Vec<String> {
    let restart = match container.restart {
        RestartPolicy::No => None,
        RestartPolicy::OnFailure(_) => Some("Restart=on-failure"),
        RestartPolicy::Always | RestartPolicy::UnlessStopped => Some("Restart=always"),
    };
    let lines = restart.map(str::to_owned).into_iter().chain(directory.map(|path| format!("WorkingDirectory={path}")));
    let lines: Vec<String> = lines.collect();
    let head = ["", "[Service]"].map(str::to_owned).into_iter().filter(|_| !lines.is_empty());
    let enabled = ["", "[Install]", "WantedBy=default.target"].map(str::to_owned);
    head.chain(lines.clone()).chain(enabled).collect()
}
