//! How a registry is reached: flags of every command that asks one.

use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::Duration;

use clap::Args;

use crate::cli::Report;
use crate::cli::output::time::go_duration;
use crate::cli::registry::confidential::Confidential;
use crate::oci::Registries;
use crate::registry::{Credentials, Options, Patience, Sources, TlsVerify, registries};
use crate::sys::process;

/// How `run` hands on `--creds` to the pull that it starts.
const CREDENTIALS: &str = "CORACLE_PULL_CREDENTIALS";

/// What `run` handed on to this process, which goes no further: not to workers, nor to helpers.
fn handed_on() -> Result<Option<&'static str>, Report> {
    static TAKEN: OnceLock<Option<String>> = OnceLock::new();
    if TAKEN.get().is_none() {
        let variable = process::take_variable(CREDENTIALS)?;
        let _ = TAKEN.set(variable.and_then(|creds| creds.into_string().ok()));
    }
    Ok(TAKEN.get().and_then(Option::as_deref))
}

#[derive(Debug, Args)]
pub struct Reach {
    #[command(flatten)]
    way: Way,
    /// Log in to the registry with these
    #[arg(long, value_name = "USER:PASSWORD")]
    creds: Option<Confidential>,
    /// Give up on a registry that sends nothing for so many seconds
    #[arg(long, value_name = "SECONDS", default_value_t = Patience::STALL, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    stall_timeout: u64,
    /// Try so often again what failed for a reason that may pass
    #[arg(long, value_name = "TIMES", default_value_t = Patience::RETRIES)]
    retry: u32,
    /// Wait so long before each further attempt: `500ms`, `10s` [default: half a second, then ever longer]
    #[arg(long, value_name = "DURATION", value_parser = pause)]
    retry_delay: Option<Duration>,
}

fn pause(text: &str) -> Result<Duration, String> {
    let pause = go_duration(text).and_then(|pause| pause.to_std().ok());
    pause.ok_or_else(|| "expected a duration as `500ms`, `10s` or `1m`".to_owned())
}

/// What also those say that take credentials in another way.
#[derive(Debug, Args)]
pub struct Way {
    /// Require a registry with a certificate that holds; `false`: also take any certificate or plain HTTP [default: true,
    /// but plain HTTP for a registry on this machine]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    #[arg(hide_possible_values = true)]
    tls_verify: Option<bool>,
    /// Look for credentials in this file alone
    #[arg(long, value_name = "FILE")]
    authfile: Option<PathBuf>,
    /// Take certificates for the registry from this directory alone: `*.crt`, `*.cert` with `*.key`
    #[arg(long, value_name = "DIRECTORY")]
    cert_dir: Option<PathBuf>,
}

impl Way {
    fn options(&self, registries: &Registries) -> Options {
        let tls_verify = match self.tls_verify {
            None => TlsVerify::Unset,
            Some(true) => TlsVerify::Yes,
            Some(false) => TlsVerify::No,
        };
        let sources = Sources::of_account(self.authfile.as_deref(), registries);
        Options { tls_verify, sources, cert_dir: self.cert_dir.clone(), ..Options::default() }
    }

    /// For the registry of `name` (`host[:port][/path]`) itself, no mirror: what registries.conf says of it counts where no flag
    /// does.
    pub fn options_at(&self, name: &str) -> Result<Options, Report> {
        let registries = registries::of_account()?;
        let mut options = self.options(&registries);
        let insecure = registries.is_insecure(name).map_err(crate::registry::Error::from)?;
        if insecure && options.tls_verify == TlsVerify::Unset {
            options.tls_verify = TlsVerify::No;
        }
        Ok(options)
    }
}

impl Reach {
    pub fn options(&self) -> Result<Options, Report> {
        self.with_credentials(self.way.options(&registries::of_account()?))
    }

    /// As [`Way::options_at`].
    pub fn options_at(&self, name: &str) -> Result<Options, Report> {
        self.with_credentials(self.way.options_at(name)?)
    }

    fn with_credentials(&self, options: Options) -> Result<Options, Report> {
        let creds = self.creds.as_ref().map(Confidential::text).or(handed_on()?);
        let credentials = match creds.map(|creds| creds.split_once(':')) {
            None => None,
            Some(Some((user, password))) => Some(Credentials::password(user, password)),
            Some(None) => return Err(Report::new("`--creds` needs a user and a password: `USER:PASSWORD`")),
        };
        Ok(Options { credentials, patience: self.patience(), ..options })
    }

    /// What was given as credentials is for one registry: where `image` may be at several, none of them gets it.
    pub fn at_one_of(&self, image: &str, registries: &[&str]) -> Result<(), Report> {
        let [first, _, ..] = registries else { return Ok(()) };
        if self.creds.is_none() && handed_on()?.is_none() {
            return Ok(());
        }
        let all: Vec<_> = registries.iter().map(|registry| format!("`{registry}`")).collect();
        let text = format!("`--creds` is for one registry, and `{image}` may be at {}", all.join(" or "));
        Err(Report::new(text).hint(format!("name it with its registry: `{first}/{image}`")))
    }

    /// How long a server is waited for.
    pub fn patience(&self) -> Patience {
        Patience { stall: Duration::from_secs(self.stall_timeout), retries: self.retry, delay: self.retry_delay }
    }

    /// The credentials, for the environment of that process: unlike its arguments nobody else can read it.
    pub fn credentials(&self) -> Option<String> {
        self.creds.as_ref().map(|creds| format!("{CREDENTIALS}={}", creds.text()))
    }

    /// The same as arguments, but for the credentials, for a pull in another process.
    pub fn arguments(&self) -> Vec<String> {
        let path = |path: &Option<PathBuf>| path.as_ref().map(|path| path.display().to_string());
        let texts = [
            ("tls-verify", self.way.tls_verify.as_ref().map(ToString::to_string)),
            ("authfile", path(&self.way.authfile)),
            ("cert-dir", path(&self.way.cert_dir)),
            ("stall-timeout", Some(self.stall_timeout.to_string())),
            ("retry", Some(self.retry.to_string())),
            ("retry-delay", self.retry_delay.map(|pause| format!("{}ms", pause.as_millis()))),
        ];
        texts.into_iter().filter_map(|(flag, value)| Some(format!("--{flag}={}", value?))).collect()
    }
}
