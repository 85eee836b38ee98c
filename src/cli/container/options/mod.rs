//! What `run` and `create` have in common: flags, and what they make of an image's defaults.

pub mod environment;
mod id_maps;
mod log;
mod origin;
mod storage;
mod user_namespace;
mod volume;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::{ArgAction, Args};

use self::environment::Environment;
use self::origin::Origin;
use super::fetch::Policy;
use crate::cli::{Context, Report};
use crate::container::name;
use crate::container::record::{Container, Driver, Network};
use crate::container::state;
use crate::host::{atomic_file, change};
use crate::oci::capability::CapabilitySet;
use crate::store::Store;

/// What a container gets where neither the image nor the user says it.
const PATH: &str = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
const STOP_TIMEOUT: u32 = 10;
const SHM_SIZE: u64 = 65_536_000;

#[derive(Debug, Args)]
pub struct Options {
    /// Add a line to /etc/hosts
    #[arg(long, value_name = "NAME:ADDRESS")]
    add_host: Vec<String>,
    /// Give a capability
    #[arg(long, value_name = "CAPABILITY", value_delimiter = ',')]
    cap_add: Vec<String>,
    /// Take a capability away
    #[arg(long, value_name = "CAPABILITY", value_delimiter = ',')]
    cap_drop: Vec<String>,
    /// Write the container's ID to this file
    #[arg(long, value_name = "FILE")]
    cidfile: Option<PathBuf>,
    /// Run this instead of the image's entry point; a word, or a JSON list of words
    #[arg(long, value_name = "COMMAND")]
    entrypoint: Option<String>,
    /// Set a variable; without a value it is taken from the environment, `PREFIX*` takes all that begin so
    #[arg(long, short, value_name = "NAME[=VALUE]")]
    env: Vec<String>,
    /// Read variables from a file, one a line
    #[arg(long, value_name = "FILE")]
    env_file: Vec<PathBuf>,
    /// Add a group to the program's
    #[arg(long, value_name = "GROUP")]
    group_add: Vec<String>,
    /// Print help
    #[arg(long, action = ArgAction::Help)]
    help: Option<bool>,
    /// The container's host name [default: the beginning of its ID]
    #[arg(long, short = 'h', value_name = "NAME")]
    hostname: Option<String>,
    /// Keep standard input open
    #[arg(long, short)]
    pub interactive: bool,
    /// Set a label
    #[arg(long, short, value_name = "NAME[=VALUE]")]
    label: Vec<String>,
    /// Keep the output as `k8s-file` (`json-file` is the same), or leave it to `none` or `passthrough` [default: k8s-file]
    #[arg(long, value_name = "DRIVER")]
    log_driver: Option<String>,
    /// `max-size=SIZE`: keep the last that many bytes, `path=FILE`: in this file, `tag=TEXT`
    #[arg(long, value_name = "NAME=VALUE")]
    log_opt: Vec<String>,
    /// Name the container
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// `none`, `host`, or `private`: a network of its own with a way out
    #[arg(long, visible_alias = "net", value_name = "MODE", default_value = "private", hide_default_value = true)]
    network: String,
    /// Give all capabilities of the user namespace, show all of /proc and /sys, filter no system call
    #[arg(long)]
    privileged: bool,
    /// When to pull the image: `missing`, `always`, `newer` or `never`
    #[arg(long, value_name = "WHEN", default_value = "missing", hide_default_value = true)]
    pull: Policy,
    /// Print nothing while pulling
    #[arg(long, short)]
    quiet: bool,
    /// Mount the root file system read-only
    #[arg(long)]
    read_only: bool,
    /// Remove a container of the same name first
    #[arg(long)]
    pub replace: bool,
    /// Remove the container when it has ended
    #[arg(long)]
    pub rm: bool,
    /// Take a directory of this machine in place of IMAGE as the root file system; `DIRECTORY:O` copy-on-write
    #[arg(long)]
    rootfs: bool,
    /// `no-new-privileges`, `seccomp=unconfined`; `label=…` and `apparmor=…` are accepted
    #[arg(long, value_name = "OPTION")]
    security_opt: Vec<String>,
    /// Size of /dev/shm
    #[arg(long, value_name = "BYTES[bkmg]")]
    shm_size: Option<String>,
    /// Signal that stops the program
    #[arg(long, value_name = "SIGNAL")]
    stop_signal: Option<String>,
    /// Seconds between that signal and the kill
    #[arg(long, value_name = "SECONDS", default_value_t = STOP_TIMEOUT, hide_default_value = true)]
    stop_timeout: u32,
    /// Pull over HTTPS with verified certificates [default: true, but for registries on this machine]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    #[arg(hide_possible_values = true)]
    tls_verify: Option<bool>,
    /// `size=BYTES[bkmgt]`: how much the container may write into its file system
    #[arg(long, value_name = "KEY=VALUE")]
    storage_opt: Vec<String>,
    /// Mount a tmpfs
    #[arg(long, value_name = "PATH[:OPTIONS]")]
    tmpfs: Vec<String>,
    /// Give the program a terminal
    #[arg(long, short)]
    pub tty: bool,
    /// The program's umask, in octal
    #[arg(long, value_name = "MODE", default_value = "0022", hide_default_value = true)]
    umask: String,
    /// Run as this user, by name or number
    #[arg(long, short, value_name = "USER[:GROUP]")]
    user: Option<String>,
    #[command(flatten)]
    user_namespace: user_namespace::Flags,
    /// Show a file or directory of this machine in the container; with the option `U` its files become the container's user's,
    /// with `mine` yours are shown as that user's and stay yours
    #[arg(long, short, value_name = "SOURCE:TARGET[:OPTIONS]")]
    volume: Vec<String>,
    /// Start in this directory
    #[arg(long, short, value_name = "PATH")]
    workdir: Option<String>,
    /// Name, or ID, of an image; then the program and its arguments [default: the image's]
    #[arg(required = true, trailing_var_arg = true, value_names = ["IMAGE", "COMMAND"])]
    image_and_command: Vec<String>,
}

impl Options {
    /// Finds or pulls the image, and writes a container down that is started at once.
    pub fn create(&self, context: &Context, store: &Store) -> Result<Container, Report> {
        self.make(context, store, false)
    }

    /// As [`Options::create`], one that may wait for its start for ever.
    pub fn create_only(&self, context: &Context, store: &Store) -> Result<Container, Report> {
        self.make(context, store, true)
    }

    /// The locks keep the image, and the container's ids, until the container uses them.
    fn make(&self, context: &Context, store: &Store, waits: bool) -> Result<Container, Report> {
        let id_file = self.cidfile.as_deref().map(IdFile::claim).transpose()?;
        let origin = Origin::find(self, context, store)?;
        let mut container = Container { waits, ..self.container(context, &origin)? };
        // First of all for the names that they still hold.
        crate::container::life::sweep::sweep(store);
        if self.replace {
            self.remove_namesake(store)?;
        }
        let _ids = self.user_namespace.settle(store, &mut container, self.user.is_some())?;
        let container = crate::container::life::create::create(store, container, self.name())?;
        if let Some(Err(report)) = id_file.map(|file| file.fill(&container.id)) {
            let directory = store.layout().container(&container.id);
            let found = crate::container::find::Found { directory, container };
            // The first failure is what the user must know.
            let _ = crate::container::life::remove::remove(store, &found, false, std::time::Duration::ZERO);
            return Err(report);
        }
        Ok(container)
    }

    /// With `--rootfs`, of the directory.
    fn name_of_image(&self) -> &str {
        self.image_and_command.first().map_or("", String::as_str)
    }

    fn command(&self) -> &[String] {
        self.image_and_command.get(1..).unwrap_or_default()
    }

    fn name(&self) -> Option<&str> {
        self.name.as_deref().map(|name| name.trim_start_matches('/'))
    }

    fn remove_namesake(&self, store: &Store) -> Result<(), Report> {
        use crate::container::{Error, find, life};
        let name = self.name().ok_or_else(|| Report::new("cannot replace container without --name being set"))?;
        match find::find(store, name) {
            Ok(found) => {
                let patience = std::time::Duration::from_secs(found.container.stop_timeout.into());
                Ok(life::remove::remove(store, &found, true, patience)?)
            }
            Err(Error::NotFound(_)) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// All defaults filled in.
    // flat: a field a line
    fn container(&self, context: &Context, origin: &Origin) -> Result<Container, Report> {
        let config = &origin.config;
        let id = name::random_id()?;
        let entrypoint = match &self.entrypoint {
            Some(text) => words(text)?,
            None => config.entrypoint.clone().unwrap_or_default(),
        };
        // The image's command is meant for the image's entry point.
        let command = match (self.command().is_empty(), &self.entrypoint) {
            (true, None) => config.cmd.clone().unwrap_or_default(),
            _ => self.command().to_vec(),
        };
        if entrypoint.is_empty() && command.is_empty() {
            return Err(crate::container::Error::NoCommand.into());
        }
        let hostname = self.hostname.clone().unwrap_or_else(|| id.chars().take(12).collect());
        let security = Security::parse(&self.security_opt)?;
        let capabilities = if self.privileged { CapabilitySet::ALL } else { CapabilitySet::DEFAULT };
        let driver = context.driver()?.unwrap_or(Driver::Auto);
        Ok(Container {
            env: self.environment(&config.env, &hostname)?,
            id,
            name: String::new(),
            created: state::now(),
            image: origin.image.clone(),
            rootfs: origin.rootfs.clone(),
            mode: origin.mode,
            layers: origin.layers.clone(),
            driver,
            quota: self.quota()?,
            entrypoint,
            command,
            working_dir: self.working_dir(&config.working_dir)?,
            working_dir_of_image: self.workdir.is_none(),
            user: self.user.clone().unwrap_or_else(|| config.user.clone()),
            additional_groups: self.group_add.clone(),
            user_namespace: None,
            hostname,
            terminal: self.tty,
            interactive: self.interactive,
            remove: self.rm,
            waits: false,
            read_only: self.read_only,
            privileged: self.privileged,
            network: network(&self.network)?,
            binds: self.volume.iter().map(|text| volume::bind(text)).collect::<Result<_, _>>()?,
            tmpfs: self.tmpfs.iter().map(|text| volume::tmpfs(text)).collect(),
            labels: self.labels(&config.labels),
            capabilities: capabilities.apply(&self.cap_add, &self.cap_drop).map_err(Report::new)?,
            no_new_privileges: security.no_new_privileges,
            seccomp: security.seccomp,
            add_hosts: self.add_host.clone(),
            stop_signal: match (&self.stop_signal, &config.stop_signal) {
                (Some(asked), _) => signal(asked)?,
                // What an image says wrongly is nothing that its user could put right.
                (None, Some(of_image)) => number_of_signal(of_image).unwrap_or(libc::SIGTERM),
                (None, None) => libc::SIGTERM,
            },
            stop_timeout: self.stop_timeout,
            shm_size: self.shm_size.as_deref().map_or(Ok(SHM_SIZE), bytes)?,
            umask: u32::from_str_radix(&self.umask, 8).ok().filter(|umask| *umask <= 0o777).ok_or_else(|| {
                Report::new(format!("`{}` is not a umask: expected octal digits up to 0777", self.umask))
            })?,
            log: log::config(self.log_driver.as_deref(), &self.log_opt)?,
            create_command: std::env::args().collect(),
        })
    }

    fn working_dir(&self, image: &str) -> Result<String, Report> {
        let path = self.workdir.as_deref().unwrap_or(image);
        match path {
            "" => Ok("/".into()),
            path if path.starts_with('/') => Ok(path.into()),
            path => Err(Report::new(format!("the working directory `{path}` is not an absolute path"))),
        }
    }

    fn labels(&self, image: &BTreeMap<String, String>) -> BTreeMap<String, String> {
        let mut labels = image.clone();
        for label in &self.label {
            let (name, value) = label.split_once('=').unwrap_or((label, ""));
            labels.insert(name.to_owned(), value.to_owned());
        }
        labels
    }

    /// The image's variables, then files, then flags: the later wins.
    fn environment(&self, image: &[String], hostname: &str) -> Result<Vec<String>, Report> {
        let mut env = Environment::default();
        env.set(PATH);
        env.set("container=podman");
        if self.tty {
            env.set("TERM=xterm");
        }
        env.set(&format!("HOSTNAME={hostname}"));
        image.iter().for_each(|pair| env.set(pair));
        env.take_all(&self.env_file, &self.env)?;
        Ok(env.pairs)
    }
}

/// The file of `--cidfile`: claimed before anything is made, and gone again if that fails.
struct IdFile<'a> {
    path: &'a Path,
    filled: bool,
}

impl<'a> IdFile<'a> {
    /// Makes the file, which must not exist: another container's ID would be lost.
    fn claim(path: &'a Path) -> Result<Self, Report> {
        match atomic_file::create(path, b"", 0o644, false) {
            Err(error) if error.errno() == libc::EEXIST => Err(Report::new(format!(
                "container id file exists. Ensure another container is not using it or delete {}",
                path.display()
            ))),
            other => Ok(other.map(|()| Self { path, filled: false })?),
        }
    }

    fn fill(mut self, id: &str) -> Result<(), Report> {
        atomic_file::write(self.path, id.as_bytes(), false)?;
        self.filled = true;
        Ok(())
    }
}

impl Drop for IdFile<'_> {
    fn drop(&mut self) {
        if !self.filled {
            // It stays empty at worst.
            let _ = change::remove_file(self.path);
        }
    }
}

struct Security {
    no_new_privileges: bool,
    seccomp: bool,
}

impl Security {
    fn parse(options: &[String]) -> Result<Self, Report> {
        let mut security = Self { no_new_privileges: false, seccomp: true };
        for option in options {
            match option.split_once(['=', ':']).unwrap_or((option, "true")) {
                ("no-new-privileges", value) => security.no_new_privileges = value != "false",
                ("seccomp", "unconfined") => security.seccomp = false,
                // Neither SELinux nor AppArmor is used; everybody's scripts switch them off.
                ("label" | "apparmor", _) => {}
                _ => {
                    return Err(Report::new(format!("the security option `{option}` is not known"))
                        .hint("`no-new-privileges` and `seccomp=unconfined` are"));
                }
            }
        }
        Ok(security)
    }
}

fn network(mode: &str) -> Result<Network, Report> {
    match mode {
        "none" => Ok(Network::None),
        "host" => Ok(Network::Host),
        "private" | "pasta" | "default" | "" => Ok(Network::Private),
        _ => Err(Report::new(format!("the network `{mode}` is not known")).hint("`none`, `host` and `private` are")),
    }
}

/// A word, or a JSON list; an empty text: no entry point.
fn words(text: &str) -> Result<Vec<String>, Report> {
    if text.trim_start().starts_with('[') {
        return serde_json::from_str(text)
            .map_err(|error| Report::new(format!("`{text}` is not a JSON list of words: {error}")));
    }
    Ok(if text.is_empty() { Vec::new() } else { vec![text.to_owned()] })
}

/// A signal by name, with or without `SIG`, or number; real-time ones are `RTMIN`, `RTMIN+n`, `RTMAX-n`, `RTMAX`.
pub fn signal(text: &str) -> Result<i32, Report> {
    number_of_signal(text)
        .ok_or_else(|| Report::new(format!("`{text}` is not a signal")).hint("`kill -l` lists their names"))
}

/// The real-time signals that the C libraries leave to programs (signal(7)): what `RTMIN` and `RTMAX` mean to all shells.
const REAL_TIME: std::ops::RangeInclusive<i32> = 34..=64;

fn number_of_signal(text: &str) -> Option<i32> {
    use std::str::FromStr;
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.parse().ok().filter(|number| (1..=64).contains(number));
    }
    let upper = text.to_uppercase();
    let name = upper.strip_prefix("SIG").unwrap_or(&upper);
    // Only digits: `parse` alone would take a second sign.
    let distance = |text: &str, sign: char| match text.strip_prefix(sign) {
        Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => digits.parse::<i32>().ok(),
        None if text.is_empty() => Some(0),
        _ => None,
    };
    let number = if let Some(rest) = name.strip_prefix("RTMIN") {
        REAL_TIME.start().checked_add(distance(rest, '+')?)?
    } else if let Some(rest) = name.strip_prefix("RTMAX") {
        REAL_TIME.end().checked_sub(distance(rest, '-')?)?
    } else {
        return nix::sys::signal::Signal::from_str(&format!("SIG{name}")).ok().map(|signal| signal as i32);
    };
    REAL_TIME.contains(&number).then_some(number)
}

/// `64m`: a number and one of b, k, m, g, t.
fn bytes(text: &str) -> Result<u64, Report> {
    let lower = text.to_lowercase();
    let (digits, unit) = match lower.trim_end_matches('b').char_indices().next_back() {
        Some((at, unit @ ('k' | 'm' | 'g' | 't'))) => (lower.get(..at).unwrap_or_default(), unit),
        _ => (lower.trim_end_matches('b'), 'b'),
    };
    let factor: u64 = match unit {
        'k' => 1 << 10,
        'm' => 1 << 20,
        'g' => 1 << 30,
        't' => 1 << 40,
        _ => 1,
    };
    let number: Option<u64> = digits.parse().ok();
    number
        .and_then(|number| number.checked_mul(factor))
        .ok_or_else(|| Report::new(format!("`{text}` is not a size: expected a number and `b`, `k`, `m`, `g` or `t`")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_flags_become_values() {
        assert_eq!(
            (bytes("64m").unwrap(), bytes("1gb").unwrap(), bytes("7").unwrap(), bytes("10B").unwrap()),
            (64 << 20, 1 << 30, 7, 10)
        );
        assert!(bytes("x").is_err() && bytes("").is_err() && bytes("99999999999g").is_err());
        assert_eq!((signal("TERM").unwrap(), signal("sigkill").unwrap(), signal("2").unwrap()), (15, 9, 2));
        let number = |text| signal(text).unwrap();
        assert_eq!((number("RTMIN"), number("sigrtmin+3"), number("RTMAX-1"), number("SIGRTMAX")), (34, 37, 63, 64));
        assert_eq!((number("64"), number("rtmin+30"), number("RTMAX-30")), (64, 64, 34));
        for bad in ["65", "0", "-1", "+9", "", "SIG", "NOPE", "RTMIN-1", "RTMAX+1", "RTMIN+31", "RTMIN++1", "RTMIN+"] {
            assert!(signal(bad).is_err(), "{bad}");
        }
        assert_eq!(words("[\"a\", \"b c\"]").unwrap(), ["a", "b c"]);
        assert_eq!((words("ls -l").unwrap(), words("").unwrap().len()), (vec!["ls -l".to_owned()], 0));
    }
}
