//! What can go wrong between here and a registry, and what `oci-client` calls it.
//!
//! Neither a URL nor a password reaches these texts: of an error below, only its innermost cause is quoted.

use std::error::Error as StdError;
use std::io;
use std::path::PathBuf;

use oci_client::errors::{OciDistributionError, OciErrorCode};

/// `registry` is `host[:port]` throughout.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("`{what}` is not at the registry `{registry}`")]
    NotFound { registry: String, what: String },
    #[error("the registry `{registry}` does not let {who} read `{what}`")]
    Unauthorized { registry: String, what: String, who: String, looked: String },
    #[error("the registry `{registry}` refused the connection")]
    Refused { registry: String },
    #[error("the registry `{registry}` can't be reached: {cause}")]
    Unreachable { registry: String, cause: String },
    #[error("the registry `{registry}` does not speak TLS")]
    NotTls { registry: String },
    #[error("the certificate of the registry `{registry}` does not hold: {cause}")]
    Certificate { registry: String, cause: String },
    #[error("the registry `{registry}` did not answer in time")]
    Timeout { registry: String },
    #[error("the connection to the registry `{registry}` broke: {cause}")]
    Broken { registry: String, cause: String },
    #[error("the registry `{registry}` answered with status {code}{}", quoted(message))]
    Status { registry: String, code: u16, message: String },
    #[error("the registry `{registry}` sent bytes with another digest than was asked for")]
    WrongDigest { registry: String },
    #[error("the registry `{registry}` does not follow the protocol: {cause}")]
    Protocol { registry: String, cause: String },
    #[error("the client of the network can't be started: {cause}")]
    Client { cause: String },
    #[error("the credentials file `{}` does not exist", path.display())]
    NoAuthFile { path: PathBuf },
    #[error("the credentials file `{}` can't be used: {reason}", path.display())]
    AuthFile { path: PathBuf, reason: String },
    #[error("the credentials file `{}` leaves the password to the helper `{helper}`, which is not supported yet", path.display())]
    CredentialHelper { path: PathBuf, helper: String },
}

fn quoted(message: &str) -> String {
    if message.is_empty() { String::new() } else { format!(": {message}") }
}

impl Error {
    /// It may pass by itself: try again.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Refused { .. } | Self::Timeout { .. } | Self::Broken { .. } | Self::Unreachable { .. } => true,
            Self::Status { code, .. } => *code == 429 || *code >= 500,
            _ => false,
        }
    }

    /// What the user can do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Unauthorized { looked, .. } => Some(format!(
                "the image may not exist, or the registry wants a user and password: these are looked for in {looked}"
            )),
            Self::NotTls { .. } => {
                Some("if you trust the network between here and there, use plain HTTP with `--tls-verify=false`".into())
            }
            Self::Certificate { .. } => Some(
                "install the certificate of the authority that signed it, or, if you trust the network, `--tls-verify=false`"
                    .into(),
            ),
            Self::Client { .. } => Some("install the package `ca-certificates`".into()),
            Self::AuthFile { path, .. } | Self::CredentialHelper { path, .. } => {
                Some(format!("write `user:password` in base64 as `auth` of the registry into `{}`", path.display()))
            }
            Self::NotFound { .. } => Some("check the spelling of the name and the tag".into()),
            Self::Status { code: 429, .. } => Some("the registry limits how much you may pull: wait, or log in".into()),
            _ => None,
        }
    }

    /// The answer came from something that does not speak what was tried: another transport may work.
    pub(super) fn is_of_the_transport(&self) -> bool {
        match self {
            Self::NotTls { .. } | Self::Refused { .. } | Self::Broken { .. } | Self::Unreachable { .. } => true,
            // What Go's servers say to plain HTTP at a TLS port.
            Self::Status { code: 400, message, .. } => message.contains("HTTP request to an HTTPS server"),
            _ => false,
        }
    }
}

/// To whom an error happened.
#[derive(Debug, Clone)]
pub(super) struct About {
    pub registry: String,
    /// `you`, `anonymous users`, …
    pub who: String,
    /// The files in which credentials were looked for.
    pub looked: String,
}

impl About {
    /// `what`: the manifest or blob that was asked for.
    pub fn error(&self, what: &str, error: OciDistributionError) -> Error {
        let registry = self.registry.clone();
        match error {
            OciDistributionError::ImageManifestNotFoundError(_) => Error::NotFound { registry, what: what.to_owned() },
            OciDistributionError::UnauthorizedError { .. } | OciDistributionError::AuthenticationFailure(_) => {
                self.unauthorized(what)
            }
            OciDistributionError::RegistryError { envelope, .. } => self.envelope(what, &envelope.errors),
            OciDistributionError::ServerError { code, message, .. } => self.status(what, code, &message),
            OciDistributionError::DigestError(_) => Error::WrongDigest { registry },
            OciDistributionError::RequestError(error) => {
                let timeout = error.is_timeout();
                self.request(&error, timeout)
            }
            OciDistributionError::IoError(error) => self.stream(&error),
            other => Error::Protocol { registry, cause: sanitize(&innermost(&other)) },
        }
    }

    fn unauthorized(&self, what: &str) -> Error {
        Error::Unauthorized {
            registry: self.registry.clone(),
            what: what.to_owned(),
            who: self.who.clone(),
            looked: self.looked.clone(),
        }
    }

    fn envelope(&self, what: &str, errors: &[oci_client::errors::OciError]) -> Error {
        let registry = self.registry.clone();
        let message = errors.first().map(|error| sanitize(&error.message)).unwrap_or_default();
        match errors.first().map(|error| &error.code) {
            Some(
                OciErrorCode::ManifestUnknown
                | OciErrorCode::NameUnknown
                | OciErrorCode::NotFound
                | OciErrorCode::BlobUnknown
                | OciErrorCode::ManifestBlobUnknown,
            ) => Error::NotFound { registry, what: what.to_owned() },
            Some(OciErrorCode::Unauthorized | OciErrorCode::Denied) => self.unauthorized(what),
            Some(OciErrorCode::Toomanyrequests) => Error::Status { registry, code: 429, message },
            _ => Error::Protocol { registry, cause: message },
        }
    }

    fn status(&self, what: &str, code: u16, message: &str) -> Error {
        let registry = self.registry.clone();
        match code {
            404 => Error::NotFound { registry, what: what.to_owned() },
            401 | 403 => self.unauthorized(what),
            // A page for a browser tells nothing here.
            _ if message.trim_start().starts_with('<') => Error::Status { registry, code, message: String::new() },
            _ => Error::Status { registry, code, message: sanitize(message) },
        }
    }

    /// An error in the middle of a stream of bytes.
    pub fn stream(&self, error: &io::Error) -> Error {
        let inner = error.get_ref().map(|inner| inner as &(dyn StdError + 'static));
        if inner.is_some_and(|inner| find::<oci_client::errors::DigestError>(inner).is_some()) {
            return Error::WrongDigest { registry: self.registry.clone() };
        }
        let timeout = innermost(error).contains("timed out");
        self.request(error, timeout)
    }

    fn request(&self, error: &(dyn StdError + 'static), timeout: bool) -> Error {
        let registry = self.registry.clone();
        let cause = sanitize(&innermost(error));
        if let Some(tls) = find::<rustls::Error>(error) {
            return match tls {
                rustls::Error::InvalidMessage(_) => Error::NotTls { registry },
                rustls::Error::InvalidCertificate(_) => Error::Certificate { registry, cause },
                _ => Error::Broken { registry, cause },
            };
        }
        if timeout {
            return Error::Timeout { registry };
        }
        match find::<io::Error>(error).map(io::Error::kind) {
            Some(io::ErrorKind::ConnectionRefused) => Error::Refused { registry },
            Some(io::ErrorKind::TimedOut) => Error::Timeout { registry },
            Some(
                io::ErrorKind::ConnectionReset
                | io::ErrorKind::ConnectionAborted
                | io::ErrorKind::BrokenPipe
                | io::ErrorKind::UnexpectedEof,
            ) => Error::Broken { registry, cause },
            Some(_) => Error::Unreachable { registry, cause },
            None => Error::Broken { registry, cause },
        }
    }
}

/// The first error of this type in the chain of causes; those inside of an `io::Error` count too.
fn find<'a, E: StdError + 'static>(error: &'a (dyn StdError + 'static)) -> Option<&'a E> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<E>() {
            return Some(found);
        }
        next = below(error);
    }
    None
}

/// The cause of an error. An `io::Error` hides the error that it wraps and shows that one's cause instead.
fn below<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a (dyn StdError + 'static)> {
    match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        Some(wrapped) => Some(wrapped),
        None => error.source(),
    }
}

/// The text of the last cause; those before it quote URLs.
pub(super) fn innermost(error: &(dyn StdError + 'static)) -> String {
    let mut last = error;
    while let Some(next) = below(last) {
        last = next;
    }
    last.to_string()
}

/// One short line without control characters: what a stranger wrote may hold sequences that a terminal obeys.
fn sanitize(text: &str) -> String {
    let mut line: String = text.trim().chars().take(200).map(|c| if c.is_control() { ' ' } else { c }).collect();
    line.truncate(line.trim_end_matches([' ', '.']).len());
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_registry_says_is_one_harmless_line() {
        assert_eq!(sanitize(" no\u{1b}[2J\r\nway. \n"), "no [2J  way");
        assert_eq!(sanitize(&"x".repeat(500)).len(), 200);
    }

    #[test]
    fn only_the_innermost_cause_is_told() {
        let inner = io::Error::from(io::ErrorKind::ConnectionRefused);
        let outer = io::Error::other(io::Error::other(inner));
        let about = About { registry: "r".into(), who: "you".into(), looked: String::new() };
        assert!(matches!(about.stream(&io::Error::from(io::ErrorKind::ConnectionReset)), Error::Broken { .. }));
        let error = about.stream(&outer);
        assert!(error.is_transient() && !error.to_string().contains("http"), "{error}");
    }
}
