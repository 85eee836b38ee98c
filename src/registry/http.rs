//! HTTP itself: one client for each kind of place, and answers that are read within limits of time and length.
//!
//! The variables `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY` say what goes through a proxy: never what a registry on
//! this very machine is asked.
//!
//! A client reads every certificate of the machine, which takes 50 ms: each is made when the first request needs it, and plain
//! HTTP needs none.

use std::path::PathBuf;
use std::pin::pin;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use bytes::Bytes;
use reqwest::{Client, ClientBuilder, RequestBuilder, Response, Url, redirect};

use super::certificates::Certificates;
use super::endpoint::{is_loopback, same_origin};
use super::error::{About, innermost};
use super::upload::sending::Pieces;
use super::{Error, Result};

const CONNECT: Duration = Duration::from_secs(30);
/// Less than so many bytes within the time limit are none.
const LEAST: u64 = 1024;

/// What all requests to one registry have in common.
#[derive(Debug)]
pub(super) struct Http {
    pub about: About,
    /// Of the registry's API, over TLS.
    root: Url,
    any_certificate: bool,
    /// Where `--cert-dir` points.
    cert_dir: Option<PathBuf>,
    /// Without progress for so long, a connection counts as dead.
    pub stall: Duration,
    plain: OnceLock<Client>,
    own: OnceLock<Client>,
    elsewhere: OnceLock<Client>,
}

impl Http {
    pub fn new(about: About, root: Url, any_certificate: bool, cert_dir: Option<PathBuf>, stall: Duration) -> Self {
        let (plain, own, elsewhere) = Default::default();
        Self { about, root, any_certificate, cert_dir, stall, plain, own, elsewhere }
    }

    /// The client for this address: a client certificate is shown to the registry itself alone.
    pub fn client(&self, url: &Url) -> Result<&Client> {
        let (clear, own) = (url.scheme() == "http", same_origin(url, &self.root));
        let place = match (clear, own) {
            (true, _) => &self.plain,
            (false, true) => &self.own,
            (false, false) => &self.elsewhere,
        };
        if let Some(client) = place.get() {
            return Ok(client);
        }
        let client = if clear { self.build(Client::builder().tls_certs_only([]), true)? } else { self.with_tls(own)? };
        Ok(place.get_or_init(|| client))
    }

    fn with_tls(&self, own: bool) -> Result<Client> {
        let Certificates { authorities, identity } = Certificates::of(&self.about.registry, self.cert_dir.as_deref())?;
        // The one there is would be made again.
        if let Some(same) = self.own.get().filter(|_| identity.is_none() && !self.is_here()) {
            return Ok(same.clone());
        }
        let builder = Client::builder().danger_accept_invalid_certs(self.any_certificate).tls_certs_merge(authorities);
        let builder = match identity.filter(|_| own) {
            Some(identity) => builder.identity(identity),
            None => builder,
        };
        self.build(builder, own)
    }

    /// The registry is on this very machine.
    fn is_here(&self) -> bool {
        self.root.host_str().is_some_and(is_loopback)
    }

    /// `own`: for the registry itself.
    fn build(&self, builder: ClientBuilder, own: bool) -> Result<Client> {
        // Fails where it is done already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let builder = if own && self.is_here() { builder.no_proxy() } else { builder };
        builder
            .user_agent(concat!("coracle/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT.min(self.stall))
            // Where it may lead is for us to say.
            .redirect(redirect::Policy::none())
            .build()
            .map_err(|error| Error::Client { cause: innermost(&error) })
    }

    /// Sends a request with this body, as long as any of it goes; the answer's body is still to be read.
    pub async fn send(&self, request: RequestBuilder, body: Bytes) -> Result<Response> {
        let (request, watch) = match body.is_empty() {
            true => (request, None),
            false => {
                let (pieces, watch) = Pieces::new(body);
                (request.body(reqwest::Body::wrap(pieces)), Some(watch))
            }
        };
        let mut answer = pin!(request.send());
        let mut patience = self.stall;
        loop {
            if let Ok(answer) = tokio::time::timeout(patience, answer.as_mut()).await {
                return answer.map_err(|error| self.about.request(&error));
            }
            patience = watch.as_ref().map(|watch| watch.patience(self.stall)).unwrap_or_default();
            if patience.is_zero() {
                return Err(Error::Timeout { registry: self.about.registry.clone() });
            }
        }
    }

    /// A whole body of at most `limit` bytes; `what` it is, for the error.
    pub async fn read(&self, response: Response, what: &'static str, limit: usize) -> Result<Vec<u8>> {
        let too_long = || Error::TooLong { registry: self.about.registry.clone(), what, limit };
        if response.content_length().is_some_and(|length| length > limit as u64) {
            return Err(too_long());
        }
        let mut body = Body::new(response, self.stall);
        let mut bytes = Vec::new();
        while let Some(chunk) = body.next(&self.about).await? {
            if bytes.len() + chunk.len() > limit {
                return Err(too_long());
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(bytes)
    }
}

/// A body on its way.
pub(super) struct Body {
    response: Response,
    stall: Duration,
    /// Waited for, and received, since there were [`LEAST`] bytes.
    waited: Duration,
    received: u64,
}

impl Body {
    pub fn new(response: Response, stall: Duration) -> Self {
        Self { response, stall, waited: Duration::ZERO, received: 0 }
    }

    /// The next bytes; `None` at the end. Only the time that passes in here counts, not the reader's own.
    pub async fn next(&mut self, about: &About) -> Result<Option<Bytes>> {
        let begun = Instant::now();
        let chunk = match tokio::time::timeout(self.stall.saturating_sub(self.waited), self.response.chunk()).await {
            Ok(chunk) => chunk.map_err(|error| about.request(&error))?,
            Err(_) => return Err(Error::Stalled { registry: about.registry.clone(), seconds: self.stall.as_secs() }),
        };
        self.waited += begun.elapsed();
        self.received += chunk.as_ref().map_or(0, |chunk| chunk.len() as u64);
        if self.received >= LEAST {
            (self.waited, self.received) = (Duration::ZERO, 0);
        }
        Ok(chunk)
    }
}
