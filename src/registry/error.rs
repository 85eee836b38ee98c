//! What can go wrong between here and a registry.
//!
//! Neither a URL nor a password reaches these texts: of an error below, only its innermost cause is quoted; of an address, its
//! host.

use std::error::Error as StdError;
use std::io;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use oci_client::errors::{OciEnvelope, OciErrorCode};
use reqwest::header::{HeaderMap, RETRY_AFTER};

use super::retry::LONGEST;
use crate::host::config::keychain;
use crate::oci::registries::RegistriesError;
use crate::oci::{Digest, Reference};

/// `registry` is `host[:port]` throughout.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("`{what}` is not at the registry `{registry}`")]
    NotFound { registry: String, what: String },
    #[error("the registry `{registry}` does not let {who} use `{what}`")]
    Unauthorized { registry: String, what: String, who: String, looked: String },
    #[error("the registry `{registry}` refused the connection")]
    Refused { registry: String },
    #[error("the registry `{registry}` can't be reached: {cause}")]
    Unreachable { registry: String, cause: String },
    #[error("the registry `{registry}` does not speak TLS")]
    NotTls { registry: String },
    #[error("the registry `{registry}` does not speak HTTP as it should: {cause}")]
    NotHttp { registry: String, cause: String },
    #[error("the registry `{registry}` breaks off TLS: {cause}")]
    Alert { registry: String, cause: String },
    #[error("the certificate of the registry `{registry}` does not hold: {cause}")]
    Certificate { registry: String, cause: String },
    #[error("the registry `{registry}` did not answer in time")]
    Timeout { registry: String },
    #[error("the connection to the registry `{registry}` broke: {cause}")]
    Broken { registry: String, cause: String },
    #[error("the registry `{registry}` sent less than a kilobyte in {seconds} s: the transfer has stalled")]
    Stalled { registry: String, seconds: u64 },
    #[error("the registry `{registry}` answered with status {code}{}{}", quoted(message), asked_wait(*retry_after))]
    Status { registry: String, code: u16, message: String, retry_after: Option<Duration> },
    #[error("the registry `{registry}` sends more than the {limit} bytes that a {what} may have")]
    TooLong { registry: String, what: &'static str, limit: usize },
    #[error("the registry `{registry}` redirects {cause}")]
    Redirect { registry: String, cause: String },
    #[error("the registry `{registry}` sends for a token {cause}")]
    Realm { registry: String, cause: String },
    #[error("the registry `{registry}` does not follow the protocol: {cause}")]
    Protocol { registry: String, cause: String },
    #[error("the registry `{registry}` lacks a blob of `{what}`: {message}")]
    LacksBlob { registry: String, what: String, message: String },
    #[error("`{}` can't be read: {cause}", path.display())]
    File { path: PathBuf, cause: String },
    #[error("the blob `{digest}` is damaged: what `{}` holds has the digest `{found}`", path.display())]
    Rotten { digest: Digest, path: PathBuf, found: Digest },
    #[error("the client of the network can't be started: {cause}")]
    Client { cause: String },
    #[error("`{}` can't be used as a certificate: {reason}", path.display())]
    Certificates { path: PathBuf, reason: String },
    #[error("{own} (nor did its mirrors serve: {mirrors})")]
    Mirrors { own: Box<Error>, mirrors: String, transient: bool, wait: Option<Duration> },
    /// By the policy.
    #[error("Source image rejected: {0}")]
    Rejected(String),
    #[error(transparent)]
    Registries(#[from] RegistriesError),
    #[error("the configuration `{}` can't be used: {cause}", path.display())]
    Configuration { path: PathBuf, cause: String },
    /// Of what an image is pulled from that is no registry.
    #[error(transparent)]
    Source(Box<dyn StdError + Send + Sync>),
    #[error("this account has no directory for credentials")]
    NoHome,
    #[error("the credentials file `{}` does not exist", path.display())]
    NoAuthFile { path: PathBuf },
    #[error("the credentials file `{}` can't be used: {reason}", path.display())]
    AuthFile { path: PathBuf, reason: String },
    #[error(transparent)]
    Keychain(#[from] keychain::Error),
}

fn quoted(message: &str) -> String {
    if message.is_empty() { String::new() } else { format!(": {message}") }
}

fn asked_wait(retry_after: Option<Duration>) -> String {
    match retry_after.filter(|wait| *wait >= Duration::from_secs(1)) {
        Some(wait) => format!(" and asks to be left alone for {} s", wait.as_secs()),
        None => String::new(),
    }
}

/// A status that says nothing of what was asked for.
fn is_of_the_moment(code: u16) -> bool {
    code == 429 || code >= 500
}

/// Where a way to registries is named.
const HAVE_PROXY: [&str; 4] = ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"];

impl Error {
    /// It may pass by itself: try again.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Refused { .. } | Self::Broken { .. } | Self::Unreachable { .. } => true,
            Self::Status { code, retry_after, .. } => {
                is_of_the_moment(*code) && retry_after.is_none_or(|wait| wait <= LONGEST)
            }
            Self::Mirrors { transient, .. } => *transient,
            _ => false,
        }
    }

    /// There is no such thing, at the registry or its mirrors.
    pub(super) fn is_not_found(&self) -> bool {
        match self {
            Self::Mirrors { own, .. } => own.is_not_found(),
            other => matches!(other, Self::NotFound { .. }),
        }
    }

    /// The way to the registry failed, not what it sent: what came of a blob until then is as good as any.
    pub fn is_of_the_network(&self) -> bool {
        match self {
            Self::Timeout { .. } | Self::Stalled { .. } => true,
            Self::Status { code, .. } => is_of_the_moment(*code),
            Self::Mirrors { own, .. } => own.is_of_the_network(),
            other => other.is_transient(),
        }
    }

    /// The registry was asked, and said no.
    pub fn is_an_answer(&self) -> bool {
        matches!(self, Self::Unauthorized { .. } | Self::NotFound { .. } | Self::LacksBlob { .. } | Self::Status { .. })
    }

    /// How long the registry asks to be left alone.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Status { retry_after, .. } => *retry_after,
            Self::Mirrors { wait, .. } => *wait,
            _ => None,
        }
    }

    /// What the user can do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Unauthorized { looked, .. } => Some(format!(
                "the image may not exist, or the registry wants a user and password, which `coracle login` asks for: they are looked for in {looked}"
            )),
            Self::Configuration { path, .. } if path.ends_with("policy.json") => {
                Some("containers-policy.json(5) describes the file; without it all images are taken".into())
            }
            Self::Refused { registry } => {
                let proxy = if HAVE_PROXY.iter().any(|name| std::env::var_os(name).is_some()) {
                    "; a proxy that `HTTPS_PROXY` or `HTTP_PROXY` names must run, too"
                } else {
                    ""
                };
                Some(format!(
                    "nothing listens there: is `{registry}` its address, with its port, and does it run?{proxy}"
                ))
            }
            Self::Unreachable { .. } | Self::Timeout { .. } => Some(
                "check the name and the way there; a proxy is named by `HTTPS_PROXY`, and one that is to be passed by in `NO_PROXY`".into(),
            ),
            Self::NotTls { .. } => {
                Some("if you trust the network between here and there, use plain HTTP with `--tls-verify=false`".into())
            }
            Self::Certificate { .. } => Some(
                "install the certificate of the authority that signed it, or, if you trust the network, `--tls-verify=false`"
                    .into(),
            ),
            Self::Alert { .. } => Some(
                "if it wants a certificate of yours, name the directory with its `.cert` and `.key` with `--cert-dir`".into(),
            ),
            Self::Client { .. } => Some("install the package `ca-certificates`".into()),
            Self::AuthFile { .. } => Some("mend the file, or name another one with `--authfile FILE`".into()),
            Self::Mirrors { own, .. } => own.hint(),
            Self::Registries(error) => error.hint(),
            Self::Rejected(_) => Some("policy.json says which images are taken: see containers-policy.json(5)".into()),
            Self::Rotten { .. } => Some(
                "the disk has lost it: `coracle system check --repair` removes the image, which can then be pulled or built again"
                    .into(),
            ),
            Self::NoHome => Some("name a file with `--authfile FILE`".into()),
            Self::Keychain(_) => Some(
                "`credHelpers` and `credsStore` of the credentials file, or `credential-helpers` of registries.conf, name it".into(),
            ),
            Self::NotFound { what, .. } => Some(match what.parse::<Reference>() {
                Ok(image) if Reference::is_qualified(what) && image.tag().is_some() => format!(
                    "check the spelling of the name and the tag: `coracle search --list-tags {}` lists those that are there",
                    image.name()
                ),
                _ => "check the spelling of the name and the tag".into(),
            }),
            Self::Realm { .. } | Self::Redirect { .. } => Some("ask whoever runs the registry to mend its addresses".into()),
            Self::Status { retry_after: Some(wait), .. } if !wait.is_zero() => Some(format!(
                "try again in {} s; for one request a registry is left alone for at most `--stall-timeout` seconds in all, and never for more than {} s",
                wait.as_secs(), LONGEST.as_secs()
            )),
            Self::Status { code: 429, .. } => Some("the registry limits how much you may pull: wait, or log in".into()),
            _ => None,
        }
    }

    /// The answer came from something that does not speak what was tried: another transport may work.
    pub(super) fn is_of_the_transport(&self) -> bool {
        match self {
            Self::NotTls { .. } | Self::NotHttp { .. } => true,
            Self::Refused { .. } | Self::Broken { .. } | Self::Unreachable { .. } => true,
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
    pub fn protocol(&self, cause: &str) -> Error {
        Error::Protocol { registry: self.registry.clone(), cause: sanitize(cause) }
    }

    pub fn unauthorized(&self, what: &str) -> Error {
        Error::Unauthorized {
            registry: self.registry.clone(),
            what: what.to_owned(),
            who: self.who.clone(),
            looked: self.looked.clone(),
        }
    }

    /// What an answer of this status, these headers and this body means. `what` was asked for.
    pub fn status(&self, what: &str, code: u16, headers: &HeaderMap, body: &[u8]) -> Error {
        let registry = self.registry.clone();
        let errors = serde_json::from_slice::<OciEnvelope>(body).map(|envelope| envelope.errors).unwrap_or_default();
        let text = String::from_utf8_lossy(body);
        let message = match errors.first() {
            Some(error) => sanitize(&error.message),
            // A page for a browser tells nothing here.
            None if text.trim_start().starts_with('<') => String::new(),
            None => sanitize(&text),
        };
        match (code, errors.first().map(|error| &error.code)) {
            (429, _) | (500.., _) => Error::Status { registry, code, message, retry_after: retry_after(headers) },
            (_, Some(OciErrorCode::Toomanyrequests)) => {
                Error::Status { registry, code: 429, message, retry_after: retry_after(headers) }
            }
            (_, Some(OciErrorCode::ManifestBlobUnknown)) => {
                Error::LacksBlob { registry, what: what.to_owned(), message }
            }
            (401 | 403, _) | (_, Some(OciErrorCode::Unauthorized | OciErrorCode::Denied)) => self.unauthorized(what),
            (404, _) => Error::NotFound { registry, what: what.to_owned() },
            _ => Error::Status { registry, code, message, retry_after: None },
        }
    }

    /// What an error of HTTP, or below it, means.
    pub fn request(&self, error: &(dyn StdError + 'static)) -> Error {
        let registry = self.registry.clone();
        let cause = sanitize(&innermost(error));
        if let Some(tls) = find::<rustls::Error>(error) {
            return match tls {
                rustls::Error::InvalidMessage(_) => Error::NotTls { registry },
                rustls::Error::InvalidCertificate(_) => Error::Certificate { registry, cause },
                rustls::Error::AlertReceived(_) => Error::Alert { registry, cause },
                _ => Error::Broken { registry, cause },
            };
        }
        if find::<reqwest::Error>(error).is_some_and(reqwest::Error::is_timeout) {
            return Error::Timeout { registry };
        }
        if find::<hyper::Error>(error).is_some_and(hyper::Error::is_parse) {
            return Error::NotHttp { registry, cause };
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
            Some(io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData) => Error::NotHttp { registry, cause },
            Some(_) => Error::Unreachable { registry, cause },
            None => Error::Broken { registry, cause },
        }
    }
}

/// What the header `Retry-After` asks for (RFC 9110, 10.2.3): seconds, or a date. What is neither asks for nothing.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if text.bytes().all(|byte| byte.is_ascii_digit()) && !text.is_empty() {
        return Some(Duration::from_secs(text.parse().unwrap_or(u64::MAX)));
    }
    let date = chrono::DateTime::parse_from_rfc2822(text).ok()?;
    // One that has passed: at once.
    Some(SystemTime::from(date).duration_since(SystemTime::now()).unwrap_or_default())
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

    fn about() -> About {
        About { registry: "r".into(), who: "you".into(), looked: String::new() }
    }

    #[test]
    fn what_may_be_waited_for() {
        let wait = |text: &str| retry_after(&HeaderMap::from_iter([(RETRY_AFTER, text.parse().unwrap())]));
        assert_eq!(wait("7"), Some(Duration::from_secs(7)));
        assert_eq!(wait("99999999999999999999999"), Some(Duration::from_secs(u64::MAX)));
        assert_eq!(wait("Wed, 21 Oct 2015 07:28:00 GMT"), Some(Duration::ZERO));
        assert!(wait("Mon, 21 Oct 2199 07:28:00 GMT").unwrap() > Duration::from_secs(86_400));
        for nothing in ["-1", "", "soon", "1.5"] {
            assert_eq!(wait(nothing), None, "{nothing}");
        }
        let status = |seconds| Error::Status {
            registry: "r".into(),
            code: 429,
            message: String::new(),
            retry_after: Some(Duration::from_secs(seconds)),
        };
        assert!(status(60).is_transient() && !status(61).is_transient());
        assert!(status(61).to_string().ends_with("for 61 s"), "{}", status(61));
    }

    #[test]
    fn an_answer_means_what_its_status_and_its_words_say() {
        let means = |code, body: &str| about().status("x", code, &HeaderMap::new(), body.as_bytes());
        let words = |code: &str| format!(r#"{{"errors":[{{"code":"{code}","message":"no\nway"}}]}}"#);
        assert!(matches!(means(404, ""), Error::NotFound { .. }));
        assert!(matches!(means(400, &words("DENIED")), Error::Unauthorized { .. }));
        assert!(matches!(means(403, &words("TOOMANYREQUESTS")), Error::Status { code: 429, .. }));
        assert!(means(500, &words("ODD")).to_string().ends_with("500: no way"));
        assert!(means(502, "<html>secret</html>").to_string().ends_with("502"));
        assert!(means(500, "").is_transient() && !means(400, "").is_transient());
    }

    #[test]
    fn what_a_registry_says_is_one_harmless_line() {
        assert_eq!(sanitize(" no\u{1b}[2J\r\nway. \n"), "no [2J  way");
        assert_eq!(sanitize(&"x".repeat(500)).len(), 200);
    }

    #[test]
    fn only_the_innermost_cause_is_told() {
        let inner = io::Error::from(io::ErrorKind::ConnectionRefused);
        let outer = io::Error::other(io::Error::other(inner));
        let about = about();
        assert!(matches!(about.request(&io::Error::from(io::ErrorKind::ConnectionReset)), Error::Broken { .. }));
        let error = about.request(&outer);
        assert!(error.is_transient() && !error.to_string().contains("http"), "{error}");
    }
}
