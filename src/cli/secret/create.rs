//! `secret create`.

use std::io::Read;
use std::process::ExitCode;

use clap::Args;

use crate::cli::{Context, Report, output, pairs};
use crate::container::{name, state};
use crate::store::secrets::{Data, LIMIT, Secret, is_name};

/// Keep a secret, to be given to containers with `--secret`
#[derive(Debug, Args)]
pub struct Create {
    /// `file`: in the store, in a file that only you can read
    #[arg(long, short, value_name = "DRIVER", default_value = "file", hide_default_value = true)]
    driver: String,
    /// Kept for `inspect`; the driver `file` needs none
    #[arg(long, value_name = "NAME=VALUE")]
    driver_opts: Vec<String>,
    /// Take it from the environment variable of that name instead of a file
    #[arg(long)]
    env: bool,
    /// Set a label
    #[arg(long, short, value_name = "NAME[=VALUE]")]
    label: Vec<String>,
    /// Take the place of one of this name; containers that have it keep what they have
    #[arg(long)]
    replace: bool,
    /// Its name
    name: String,
    /// The file that has it, `-` for standard input
    #[arg(value_name = "FILE")]
    source: String,
}

impl Create {
    pub fn run(self, context: &Context) -> Result<ExitCode, Report> {
        if !is_name(&self.name) {
            return Err(Report::new(format!(
                "secret name \"{}\" can not include '=', '/', ',', or the '\\0' (NULL) and be between 1 and 253 characters: invalid secret name",
                self.name
            )));
        }
        if self.driver != "file" {
            return Err(Report::new(format!("invalid driver `{}`", self.driver)).hint("`file` is the only one"));
        }
        let data = self.read()?;
        let store = context.store()?;
        // It takes the place of one that can't be read, too; and a name may begin as several IDs do.
        let older = store.secret(&self.name).ok().flatten().filter(|older| self.replace && older.name == self.name);
        let now = state::now();
        let secret = Secret {
            id: name::random_id()?.chars().take(25).collect(),
            created: older.map_or_else(|| now.clone(), |older| older.created),
            updated: now,
            labels: pairs(&self.label),
            driver_options: pairs(&self.driver_opts),
            data: Data(data),
            name: self.name,
        };
        if !store.keep_secret(&secret, self.replace)? {
            return Err(Report::new(format!("{}: secret name in use", secret.name))
                .hint("`--replace` takes the place of the one that is there"));
        }
        output::line(&secret.id);
        Ok(ExitCode::SUCCESS)
    }

    fn read(&self) -> Result<Vec<u8>, Report> {
        let mut data = Vec::new();
        // One byte more than may be tells that there is more.
        let limit = LIMIT as u64;
        if self.env {
            use std::os::unix::ffi::OsStringExt;
            let unset = || {
                Report::new(format!("cannot create store secret data: environment variable {} is not set", self.source))
            };
            data = std::env::var_os(&self.source).ok_or_else(unset)?.into_vec();
        } else if self.source == "-" {
            std::io::stdin().lock().take(limit).read_to_end(&mut data).map_err(Report::new)?;
        } else {
            let failed = |error: std::io::Error| {
                let error = error.to_string();
                let reason = error.split(" (os error").next().unwrap_or_default().to_lowercase();
                Report::new(format!("open {}: {reason}", self.source))
            };
            std::fs::File::open(&self.source).map_err(failed)?.take(limit).read_to_end(&mut data).map_err(failed)?;
        }
        if data.is_empty() || data.len() >= LIMIT {
            return Err(Report::new(format!("secret data must be larger than 0 and less than {LIMIT} bytes")));
        }
        Ok(data)
    }
}
