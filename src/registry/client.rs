//! The client of a registry: `oci-client` on a thread of its own, asked over channels.
//!
//! ```text
//! caller ── Command ──▶ thread "registry" (tokio, current-thread) ── HTTP ──▶ registry
//!        ◀── chunks ── bounded channel: a caller that is slow slows the sender down ──
//! ```
//!
//! The thread ends with the [`Client`]; whatever it was doing is dropped.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc as blocking;
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use oci_client::client::{ClientConfig, ClientProtocol};
use oci_client::secrets::RegistryAuth;
use tokio::sync::mpsc;

use super::endpoint::{TlsVerify, Transport, transports};
use super::error::{About, innermost};
use super::{Credentials, Error, Registry, Result, Sources, retry};
use crate::host::fault;
use crate::oci::reference::DEFAULT_TAG;
use crate::oci::{Digest, Reference, media_type};

/// Without one byte for so long, a connection counts as dead.
const IDLE: Duration = Duration::from_secs(60);
const CONNECT: Duration = Duration::from_secs(30);
/// Chunks on their way to a slow reader, of some 10 to 400 KiB each.
const CHUNKS: usize = 16;

/// How a registry is spoken to.
#[derive(Debug, Clone, Default)]
pub struct Options {
    pub tls_verify: TlsVerify,
    /// Given by the user right now; else they are looked for in the files.
    pub credentials: Option<Credentials>,
    pub sources: Sources,
}

/// The client of one image's registry.
#[derive(Debug)]
pub struct Client {
    /// `None` only while it is dropped.
    commands: Option<mpsc::UnboundedSender<Command>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

/// A blob on its way.
#[derive(Debug)]
pub struct Blob {
    chunks: mpsc::Receiver<Result<Bytes>>,
}

enum Command {
    Manifest { image: Reference, reply: blocking::SyncSender<Result<Vec<u8>>> },
    Blob { image: Reference, digest: Digest, chunks: mpsc::Sender<Result<Bytes>> },
}

impl Client {
    /// A client for the registry of `image`. Reads the credentials; the network is touched by the first request.
    pub fn new(image: &Reference, options: &Options) -> Result<Self> {
        fault::point("registry: start").map_err(|error| Error::Client { cause: error.to_string() })?;
        let credentials = match &options.credentials {
            Some(credentials) => credentials.clone(),
            None => options.sources.find(image)?,
        };
        let who = match &credentials {
            Credentials::Anonymous => "anonymous users".to_owned(),
            Credentials::Password { user, .. } => format!("the user `{user}`"),
        };
        let about = About { registry: image.registry().to_owned(), who, looked: options.sources.describe() };
        let connection = Connection {
            auth: match credentials {
                Credentials::Anonymous => RegistryAuth::Anonymous,
                Credentials::Password { user, password } => RegistryAuth::Basic(user, password),
            },
            untried: transports(image.registry(), options.tls_verify),
            about,
            client: None,
        };
        let (commands, received) = mpsc::unbounded_channel();
        let thread = std::thread::Builder::new().name("registry".to_owned());
        let thread = thread
            .spawn(move || serve(connection, received))
            .map_err(|error| Error::Client { cause: error.to_string() })?;
        Ok(Self { commands: Some(commands), thread: Some(thread) })
    }

    fn send(&self, command: Command) -> Result<()> {
        let sent = self.commands.as_ref().map(|commands| commands.send(command).is_ok());
        if sent == Some(true) { Ok(()) } else { Err(gone()) }
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.commands = None;
        if let Some(thread) = self.thread.take() {
            // Its panic was reported to whoever waited for an answer.
            let _ = thread.join();
        }
    }
}

impl Registry for Client {
    fn manifest(&self, image: &Reference) -> Result<Vec<u8>> {
        retry::request(|| {
            let (reply, answer) = blocking::sync_channel(1);
            self.send(Command::Manifest { image: image.clone(), reply })?;
            answer.recv().map_err(|_| gone())?
        })
    }

    fn blob(&self, image: &Reference, digest: &Digest) -> Result<Blob> {
        let (chunks, received) = mpsc::channel(CHUNKS);
        self.send(Command::Blob { image: image.clone(), digest: digest.clone(), chunks })?;
        Ok(Blob { chunks: received })
    }
}

impl Blob {
    /// The next bytes; `None` at the end. Blocks.
    pub fn next_chunk(&mut self) -> Result<Option<Bytes>> {
        self.chunks.blocking_recv().transpose()
    }
}

fn gone() -> Error {
    Error::Client { cause: "its thread has ended".to_owned() }
}

/// The thread's whole life.
fn serve(mut connection: Connection, mut commands: mpsc::UnboundedReceiver<Command>) {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        // The callers see their channels close.
        Err(_) => return,
    };
    runtime.block_on(async {
        while let Some(command) = commands.recv().await {
            match command {
                Command::Manifest { image, reply } => {
                    let answer = connection.manifest(&image).await;
                    // Nobody waits any more: nothing is lost.
                    let _ = reply.send(answer);
                }
                Command::Blob { image, digest, chunks } => match connection.client() {
                    Ok(client) => {
                        tokio::spawn(stream(client, connection.about.clone(), image, digest, chunks));
                    }
                    Err(error) => drop(chunks.send(Err(error)).await),
                },
            }
        }
    });
}

/// One registry and the way to it that works.
struct Connection {
    auth: RegistryAuth,
    about: About,
    /// Ways to reach it, the one in use first.
    untried: &'static [Transport],
    client: Option<oci_client::Client>,
}

impl Connection {
    /// The client in use; it is made when it is first needed.
    fn client(&mut self) -> Result<oci_client::Client> {
        if let Some(client) = &self.client {
            return Ok(client.clone());
        }
        let client = make(self.untried.first().copied().unwrap_or(Transport::Tls))?;
        Ok(self.client.insert(client).clone())
    }

    /// The first request finds out which transport works; the first failure is the one that is told.
    async fn manifest(&mut self, image: &Reference) -> Result<Vec<u8>> {
        let mut first = None;
        loop {
            let error = match self.client()?.pull_manifest_raw(&theirs(image), &self.auth, &ACCEPTED).await {
                Ok((bytes, _)) => return Ok(bytes.to_vec()),
                Err(error) => self.about.error(&image.to_string(), error),
            };
            match self.untried {
                [_, rest @ ..] if !rest.is_empty() && error.is_of_the_transport() => {
                    self.untried = rest;
                    self.client = None;
                    first.get_or_insert(error);
                }
                _ => return Err(first.filter(|_| error.is_of_the_transport()).unwrap_or(error)),
            }
        }
    }
}

const ACCEPTED: [&str; 4] = media_type::ACCEPTED_MANIFESTS;

/// The name in the words of `oci-client`.
fn theirs(image: &Reference) -> oci_client::Reference {
    let (registry, repository) = (image.registry().to_owned(), image.repository().to_owned());
    match image.digest() {
        Some(digest) => oci_client::Reference::with_digest(registry, repository, digest.to_string()),
        None => {
            let tag = image.tag().unwrap_or(DEFAULT_TAG).to_owned();
            oci_client::Reference::with_tag(registry, repository, tag)
        }
    }
}

fn make(transport: Transport) -> Result<oci_client::Client> {
    // Fails where it is done already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let config = ClientConfig {
        protocol: if transport == Transport::Plain { ClientProtocol::Http } else { ClientProtocol::Https },
        accept_invalid_certificates: transport == Transport::TlsWithAnyCertificate,
        platform_resolver: None,
        read_timeout: Some(IDLE),
        connect_timeout: Some(CONNECT),
        user_agent: concat!("coracle/", env!("CARGO_PKG_VERSION")),
        ..ClientConfig::default()
    };
    // `Client::new` hides a failure and panics in its second attempt where the machine has no certificates at all, and
    // `try_from` builds a default client too.
    match catch_unwind(AssertUnwindSafe(|| oci_client::Client::try_from(config))) {
        Ok(Ok(client)) => Ok(client),
        Ok(Err(error)) => Err(Error::Client { cause: innermost(&error) }),
        Err(_) => Err(Error::Client { cause: "this machine has no certificates of authorities".to_owned() }),
    }
}

/// Sends a blob's chunks until its end, an error, or until nobody listens.
async fn stream(
    client: oci_client::Client,
    about: About,
    image: Reference,
    digest: Digest,
    chunks: mpsc::Sender<Result<Bytes>>,
) {
    let what = digest.to_string();
    let mut stream = match client.pull_blob_stream(&theirs(&image), what.as_str()).await {
        Ok(stream) => stream,
        Err(error) => return drop(chunks.send(Err(about.error(&what, error))).await),
    };
    while let Some(chunk) = stream.next().await {
        let chunk = chunk.map_err(|error| about.stream(&error));
        let failed = chunk.is_err();
        if chunks.send(chunk).await.is_err() || failed {
            return;
        }
    }
}
