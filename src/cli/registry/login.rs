//! `login`: who we are to a registry, checked there before it is written down.

use std::io::Read;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::ask;
use super::confidential::Confidential;
use super::key::Key;
use crate::cli::image::reach::Way;
use crate::cli::{Context, Report, output};
use crate::registry::{Client, Credentials, Error, Options, registries};

/// Log in to a registry
#[derive(Debug, Args)]
pub struct Login {
    #[command(flatten)]
    way: Way,
    /// Write the credentials into this file of Docker's instead
    #[arg(long, value_name = "FILE", conflicts_with = "authfile")]
    compat_auth_file: Option<PathBuf>,
    /// Print the user that is logged in, and nothing else
    #[arg(long)]
    get_login: bool,
    /// The password
    #[arg(long, short, value_name = "PASSWORD")]
    password: Option<Confidential>,
    /// Read the password from standard input
    #[arg(long)]
    password_stdin: bool,
    /// Take the password from this secret; its name is the user's where no other is given
    #[arg(long, value_name = "SECRET")]
    secret: Option<String>,
    /// The user
    #[arg(long, short, value_name = "USER")]
    username: Option<String>,
    /// Say where the credentials are kept
    #[arg(long, short)]
    verbose: bool,
    /// `host[:port]`, or a namespace or repository there [default: the first of `unqualified-search-registries`]
    registry: Option<String>,
}

impl Login {
    pub fn run(self, context: &Context) -> Result<ExitCode, Report> {
        let key = Key::of(self.registry.as_deref(), &registries::of_account()?)?;
        let mut options = self.way.options_at(&key.key)?;
        options.sources.named = self.compat_auth_file.clone().or(options.sources.named);
        let known = match options.sources.find_for(&key.key) {
            // It is about to be written.
            Err(Error::NoAuthFile { .. }) => Credentials::Anonymous,
            other => other?,
        };
        if self.get_login {
            let Credentials::Password { user, .. } = known else {
                return Err(Report::new(format!("not logged into {}", key.key)));
            };
            output::line(&user);
            return Ok(ExitCode::SUCCESS);
        }
        let (user, password) = match (self.given(context)?, known) {
            (_, Credentials::Identity { .. }) => {
                return Err(Report::new("currently logged in, auth file contains an Identity token"));
            }
            ((None, None), known @ Credentials::Password { .. }) => {
                output::line(&format!("Authenticating with existing credentials for {}", key.key));
                if check(&key, &known, &options).is_ok() {
                    output::line(&format!("Existing credentials are valid. Already logged in to {}", key.registry));
                    return Ok(ExitCode::SUCCESS);
                }
                output::line("Existing credentials are invalid, please enter valid username and password");
                asked(None, None, &known)?
            }
            ((user, password), known) => asked(user, password, &known)?,
        };
        check(&key, &Credentials::password(&user, &password), &options)?;
        let kept = options.sources.set(&key.key, &user, &password)?;
        if self.verbose {
            output::line(&format!("Used:  {kept}"));
        }
        output::line("Login Succeeded!");
        Ok(ExitCode::SUCCESS)
    }

    /// User and password, as far as flags say them.
    fn given(&self, context: &Context) -> Result<(Option<String>, Option<String>), Report> {
        let password = self.password.as_ref().map(|password| password.text().to_owned());
        let user = self.username.clone();
        if let Some(name) = &self.secret {
            if password.is_some() || self.password_stdin {
                return Err(Report::new("--secret can not be used with --password options"));
            }
            let secret = context.store()?.secret(name)?;
            let secret =
                secret.ok_or_else(|| Report::new(format!("no secret with name or id {name:?}: no such secret")))?;
            let password = String::from_utf8(secret.data.0);
            let password = password.map_err(|_| Report::new(format!("the secret `{name}` is not UTF-8")))?;
            return Ok((user.or(Some(name.clone())), Some(password)));
        }
        if !self.password_stdin {
            return Ok((user, password));
        }
        if password.is_some() {
            return Err(Report::new("Can't specify both --password-stdin and --password"));
        }
        if user.is_none() {
            return Err(Report::new("Must provide --username with --password-stdin"));
        }
        let mut password = String::new();
        std::io::stdin().lock().take(LIMIT).read_to_string(&mut password).map_err(Report::new)?;
        Ok((user, Some(password.lines().collect())))
    }
}

/// Of a password on standard input, in bytes.
const LIMIT: u64 = 1 << 20;

/// Asks for what is not given.
fn asked(user: Option<String>, password: Option<String>, known: &Credentials) -> Result<(String, String), Report> {
    let user = match (user, known) {
        (Some(user), _) => user,
        (None, Credentials::Password { user: known, .. }) => {
            let answer = ask::line(&format!("Username ({known}): "))?;
            if answer.trim().is_empty() { known.clone() } else { answer }
        }
        (None, _) => ask::line("Username: ")?,
    };
    let password = password.map_or_else(|| ask::secret("Password: "), Ok)?;
    Ok((user.trim().to_owned(), password))
}

fn check(key: &Key, credentials: &Credentials, options: &Options) -> Result<(), Report> {
    Client::with(&key.registry, credentials.clone(), options)?.check().map_err(|error| match error {
        Error::Unauthorized { .. } => Report::new(format!("logging into {:?}: invalid username/password", key.key))
            .hint("some registries want a token in the password's place, which their web page makes"),
        other => other.into(),
    })
}
