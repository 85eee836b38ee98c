//! The client of a registry, for callers that block: its requests run on a thread of its own.
//!
//! ```text
//! caller ── work ──▶ thread "registry" (tokio, current-thread) ── HTTP ──▶ registry
//!        ◀── chunks ── bounded channel: a caller that is slow slows the sender down ──
//! ```
//!
//! The thread ends with the [`Client`]; whatever it was doing is dropped.

use std::future::Future;
use std::sync::{Arc, mpsc as blocking};
use std::time::Duration;

use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, LINK};
use reqwest::{Method, Response};
use serde::Deserialize;
use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;

use super::auth::Auth;
use super::connection::{Connection, Request, Target};
use super::endpoint::{TlsVerify, location, same_origin};
use super::error::About;
use super::{Attempts, Blob, Content, Credentials, Error, Registry, Result, Sources};
use crate::host::fault;
use crate::oci::manifest::MAX_MANIFEST;
use crate::oci::reference::{DEFAULT_TAG, is_tag};
use crate::oci::{Digest, Reference, media_type};

/// Of a page of a list, in bytes, and of pages, all together too; of what is listed in all.
const PAGE: usize = 4 << 20;
const MAX_PAGES: usize = 1000;
const MAX_BYTES: usize = 16 << 20;
const MAX_LISTED: usize = 100_000;

/// How a registry is spoken to.
#[derive(Debug, Clone, Default)]
pub struct Options {
    pub tls_verify: TlsVerify,
    /// Given by the user right now; else they are looked for in the files.
    pub credentials: Option<Credentials>,
    pub sources: Sources,
    /// Where certificates for it lie; else in the usual folders.
    pub cert_dir: Option<std::path::PathBuf>,
    pub patience: Patience,
}

/// How long a registry is waited for.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// Without progress for so long, a connection counts as dead.
    pub stall: Duration,
    /// How often what failed for a reason that may pass is tried again.
    pub retries: u32,
    /// Before each further attempt; `None`: ever longer.
    pub delay: Option<Duration>,
}

impl Patience {
    /// In seconds.
    pub const STALL: u64 = 60;
    pub const RETRIES: u32 = 3;
}

impl Default for Patience {
    fn default() -> Self {
        Self { stall: Duration::from_secs(Self::STALL), retries: Self::RETRIES, delay: None }
    }
}

/// The client of one image's registry.
pub struct Client {
    connection: Arc<Connection>,
    patience: Patience,
    runtime: Handle,
    /// `None` only while it is dropped.
    end: Option<oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Client {
    /// A client for the registry of `image`. Reads the credentials; the network is touched by the first request.
    pub fn new(image: &Reference, options: &Options) -> Result<Self> {
        let credentials = match &options.credentials {
            Some(credentials) => credentials.clone(),
            None => options.sources.find(image)?,
        };
        Self::with(image.registry(), credentials, options)
    }

    /// A client for a registry, `host[:port]`, to which we are this one.
    pub fn with(registry: &str, credentials: Credentials, options: &Options) -> Result<Self> {
        let failed = |error: std::io::Error| Error::Client { cause: error.to_string() };
        fault::point("registry: start").map_err(failed)?;
        let who = match &credentials {
            Credentials::Anonymous => "anonymous users".to_owned(),
            Credentials::Password { user, .. } => format!("the user `{user}`"),
            Credentials::Identity { .. } => "the bearer of this identity token".to_owned(),
        };
        let about = About { registry: registry.to_owned(), who, looked: options.sources.describe() };
        let connection = Arc::new(Connection::new(registry, options, Auth::new(credentials), about)?);
        let runtime = Builder::new_current_thread().enable_all().build().map_err(failed)?;
        let handle = runtime.handle().clone();
        let (end, ended) = oneshot::channel();
        let thread = std::thread::Builder::new().name("registry".to_owned());
        // The sender is only ever dropped.
        let thread = thread.spawn(move || drop(runtime.block_on(ended))).map_err(failed)?;
        Ok(Self { connection, patience: options.patience, runtime: handle, end: Some(end), thread: Some(thread) })
    }

    /// Does the work on the client's thread and waits for its result.
    pub(super) fn run<T: Send + 'static, W>(&self, work: impl FnOnce(Arc<Connection>) -> W) -> Result<T>
    where
        W: Future<Output = Result<T>> + Send + 'static,
    {
        let (reply, answer) = blocking::sync_channel(1);
        let work = work(Arc::clone(&self.connection));
        self.runtime.spawn(async move { drop(reply.send(work.await)) });
        answer.recv().map_err(|_| Error::Client { cause: "its thread has ended".to_owned() })?
    }

    /// As [`Client::run`], again while it fails for a reason that may pass.
    pub(super) fn run_again<T: Send + 'static, W>(&self, work: impl Fn(Arc<Connection>) -> W) -> Result<T>
    where
        W: Future<Output = Result<T>> + Send + 'static,
    {
        self.attempts().make(|| self.run(&work))
    }

    /// It does what it must not.
    pub(super) fn protocol(&self, cause: &str) -> Error {
        self.connection.http.about.protocol(cause)
    }

    /// Whether the registry knows who we are: asks for its API with what we have.
    pub fn check(&self) -> Result<()> {
        self.run_again(|connection| async move {
            let request = Request::new(Method::GET, Target::Path("v2/".into()), "the registry's API");
            connection.send(&request).await.map(drop)
        })
    }

    /// All tags of the repository of `image`, in the registry's order.
    pub fn tags(&self, image: &Reference) -> Result<Vec<String>> {
        let (path, scope) = (format!("v2/{}/tags/list", image.repository()), pull(image));
        let tags = self.run_again(|connection| listed(connection, path.clone(), image.name(), scope.clone()))?;
        Ok(tags.into_iter().filter(|tag| is_tag(tag)).collect())
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.end = None;
        if let Some(thread) = self.thread.take() {
            // Its panic was reported to whoever waited for an answer.
            let _ = thread.join();
        }
    }
}

impl Registry for Client {
    fn attempts(&self) -> Attempts {
        Attempts::new(&self.patience)
    }

    fn manifest(&self, image: &Reference) -> Result<Content> {
        let image = image.clone();
        self.run_again(move |connection| manifest(connection, image.clone()))
    }

    fn blob(&self, image: &Reference, digest: &Digest, from: u64) -> Result<Blob> {
        let (image, digest) = (image.clone(), digest.clone());
        self.run(move |connection| Blob::open(connection, image, digest, from))
    }
}

/// The scope that reading an image needs.
pub(super) fn pull(image: &Reference) -> String {
    format!("repository:{}:pull", image.repository())
}

/// A request about the manifest of `image`, by its digest if it has one.
pub(super) fn of_manifest(method: Method, image: &Reference) -> Request {
    let name = image.digest().map(ToString::to_string);
    let name = name.unwrap_or_else(|| image.tag().unwrap_or(DEFAULT_TAG).to_owned());
    let path = format!("v2/{}/manifests/{name}", image.repository());
    let request = Request::new(method, Target::Path(path), image.to_string()).scopes([pull(image)]);
    media_type::ACCEPTED_MANIFESTS.iter().fold(request, |request, kind| request.header(ACCEPT, kind))
}

async fn manifest(connection: Arc<Connection>, image: Reference) -> Result<Content> {
    let response = connection.send(&of_manifest(Method::GET, &image)).await?;
    let media_type = media_type(response.headers());
    Ok(Content { bytes: connection.http.read(response, "manifest", MAX_MANIFEST).await?, media_type })
}

/// What the header `Content-Type` says.
pub(super) fn media_type(headers: &HeaderMap) -> Option<String> {
    headers.get(CONTENT_TYPE)?.to_str().ok().map(str::to_owned)
}

/// All pages of a list, at `path`: of tags, or of repositories.
pub(super) async fn listed(
    connection: Arc<Connection>,
    path: String,
    what: String,
    scope: String,
) -> Result<Vec<String>> {
    #[derive(Deserialize)]
    struct Page {
        #[serde(alias = "repositories")]
        tags: Option<Vec<String>>,
    }
    let about = &connection.http.about;
    let (mut all, mut length) = (Vec::new(), 0);
    let mut target = Target::Path(path);
    for _ in 0..MAX_PAGES {
        let request = Request::new(Method::GET, target, what.clone()).scopes([scope.clone()]);
        let response = connection.send(&request).await?;
        let next = next_page(&connection, &response).await?;
        let bytes = connection.http.read(response, "list", PAGE).await?;
        length += bytes.len();
        if length > MAX_BYTES {
            return Err(about.protocol(&format!("its list has more than {MAX_BYTES} bytes")));
        }
        let page: Page =
            serde_json::from_slice(&bytes).map_err(|error| about.protocol(&format!("its list: {error}")))?;
        all.extend(page.tags.unwrap_or_default());
        if all.len() > MAX_LISTED {
            return Err(about.protocol(&format!("it lists more than {MAX_LISTED} names")));
        }
        match next {
            Some(next) => target = next,
            None => return Ok(all),
        }
    }
    Err(about.protocol(&format!("its list has more than {MAX_PAGES} pages")))
}

/// What the header `Link` names as the next page (`<address>; rel="next"`), which must be the registry's own.
async fn next_page(connection: &Connection, response: &Response) -> Result<Option<Target>> {
    let Some(link) = response.headers().get(LINK) else { return Ok(None) };
    let about = &connection.http.about;
    let text = link.to_str().ok().filter(|text| text.contains("rel=\"next\"") || text.contains("rel=next"));
    let address = text.and_then(|text| text.split_once('<')?.1.split_once('>').map(|(address, _)| address));
    let Some(address) = address.and_then(|address| address.parse().ok()) else { return Ok(None) };
    let root = connection.root().await?;
    match location(root, &address) {
        Ok(next) if same_origin(root, &next) => Ok(Some(Target::Address(next))),
        _ => Err(about.protocol("the next page of its list is elsewhere")),
    }
}
