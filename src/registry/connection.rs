//! One registry and the way to it that works: every request passes here.
//!
//! ```text
//! send ─▶ root: which transport, which challenge (GET /v2/, once)
//!      ─▶ auth: the header for the scopes
//!      ─▶ follow: the request; redirects, each without the header unless it stays at the registry
//!      ─▶ 401: once more, with what the registry asks for now
//!      ─▶ successful: another status becomes an error, the registry's own words in it
//! ```

use bytes::Bytes;
use reqwest::header::{ACCEPT_ENCODING, AUTHORIZATION, HeaderMap, HeaderName, HeaderValue, LOCATION};
use reqwest::{Method, Response, StatusCode, Url};
use tokio::sync::OnceCell;

use super::auth::{Auth, Scopes};
use super::challenge::Challenge;
use super::endpoint::{self, Transport, may_lead, same_origin, transports};
use super::error::About;
use super::http::Http;
use super::{Error, Options, Result};

/// Of one request.
const REDIRECTS: usize = 10;
/// Of an error's body, in bytes: the words in it are quoted short.
const ERROR_BODY: usize = 1 << 20;

pub(super) struct Connection {
    pub http: Http,
    auth: Auth,
    /// Ways to reach it, in this order.
    transports: &'static [Transport],
    root: OnceCell<Url>,
}

/// Where a request goes.
#[derive(Debug, Clone)]
pub(super) enum Target {
    /// At the registry: `v2/…`.
    Path(String),
    /// Where somebody sent us.
    Address(Url),
}

/// What is asked.
#[derive(Debug, Clone)]
pub(super) struct Request {
    method: Method,
    target: Target,
    /// What this is about, for errors.
    pub what: String,
    pub scopes: Scopes,
    headers: HeaderMap,
    body: Bytes,
}

impl Request {
    pub fn new(method: Method, target: Target, what: impl Into<String>) -> Self {
        let mut headers = HeaderMap::new();
        // A digest is that of the bytes as they are stored.
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        Self { method, target, what: what.into(), scopes: Vec::new(), headers, body: Bytes::new() }
    }

    /// What the registry has to allow: `repository:NAME:pull`.
    pub fn scopes(mut self, scopes: impl IntoIterator<Item = String>) -> Self {
        self.scopes.extend(scopes);
        self
    }

    /// Leaves a value out that no header can have.
    pub fn header(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.append(name, value);
        }
        self
    }

    pub fn body(mut self, body: Bytes) -> Self {
        self.body = body;
        self
    }
}

impl Connection {
    pub fn new(registry: &str, options: &Options, auth: Auth, about: About) -> Result<Self> {
        let unusable = |cause: String| Error::Protocol { registry: registry.to_owned(), cause };
        let root = endpoint::root(registry, Transport::Tls).map_err(unusable)?;
        let any_certificate = options.tls_verify == super::TlsVerify::No;
        let http = Http::new(about, root, any_certificate, options.cert_dir.clone(), options.patience.stall);
        let transports = transports(registry, options.tls_verify, auth.has_secret());
        Ok(Self { http, auth, transports, root: OnceCell::new() })
    }

    /// The address of the registry's API. Who asks first finds out which transport works, and what the registry wants to know
    /// of us. Where none works, the first failure is the one that is told.
    pub async fn root(&self) -> Result<&Url> {
        self.root.get_or_try_init(|| self.ping()).await
    }

    async fn ping(&self) -> Result<Url> {
        let about = &self.http.about;
        let mut first = None;
        for transport in self.transports {
            let root = endpoint::root(&about.registry, *transport).map_err(|cause| about.protocol(&cause))?;
            let request = Request::new(Method::GET, Target::Path("v2/".into()), "the registry's API");
            let error = match self.follow(&request, &root, None).await {
                Ok(response) if response.status() == StatusCode::BAD_REQUEST => {
                    // What Go's servers say to plain HTTP at a TLS port.
                    match self.successful(&request.what, response).await {
                        Err(error) if error.is_of_the_transport() => error,
                        _ => return Ok(root),
                    }
                }
                Ok(response) => {
                    if let Some(challenge) = self.challenge(&root, &response)? {
                        self.auth.challenged(challenge, None).await;
                    }
                    return Ok(root);
                }
                Err(error) => error,
            };
            if !error.is_of_the_transport() {
                return Err(error);
            }
            first.get_or_insert(error);
        }
        Err(first.unwrap_or_else(|| about.protocol("there is no way to it")))
    }

    /// What the registry asks for, if it does. What another host asks for, to which it sent us, is not ours to give.
    fn challenge(&self, root: &Url, response: &Response) -> Result<Option<Challenge>> {
        if response.status() != StatusCode::UNAUTHORIZED || !same_origin(root, response.url()) {
            return Ok(None);
        }
        Challenge::of(response.headers()).map_err(|cause| self.http.about.protocol(&cause))
    }

    /// The answer to a request, if it is one of success.
    pub async fn send(&self, request: &Request) -> Result<Response> {
        let root = self.root().await?;
        let mut credential = self.auth.header(self, request).await?;
        let mut response = self.follow(request, root, credential.as_ref()).await?;
        if let Some(challenge) = self.challenge(root, &response)? {
            self.auth.challenged(challenge, credential.as_ref()).await;
            let other = self.auth.header(self, request).await?;
            if other != credential {
                credential = other;
                response = self.follow(request, root, credential.as_ref()).await?;
            }
        }
        self.successful(&request.what, response).await
    }

    /// Sends a request to where it leads. `home`: where its path begins, and the only place to which the credential goes.
    pub async fn follow(&self, request: &Request, home: &Url, credential: Option<&HeaderValue>) -> Result<Response> {
        let about = &self.http.about;
        let mut url = match &request.target {
            Target::Address(url) => url.clone(),
            Target::Path(path) => home.join(path).map_err(|error| about.protocol(&error.to_string()))?,
        };
        for _ in 0..=REDIRECTS {
            let builder = self.http.client(&url)?.request(request.method.clone(), url.clone());
            let mut builder = builder.headers(request.headers.clone());
            if let Some(value) = credential.filter(|_| same_origin(home, &url)) {
                builder = builder.header(AUTHORIZATION, value);
            }
            let response = self.http.send(builder, request.body.clone()).await?;
            let Some(next) = response.headers().get(LOCATION).filter(|_| redirects(response.status())) else {
                return Ok(response);
            };
            let next = endpoint::location(&url, next).and_then(|next| may_lead(&url, &next).map(|()| next));
            let next = next.and_then(|next| match request.method {
                Method::GET | Method::HEAD => Ok(next),
                _ => Err("what is sent to it".to_owned()),
            });
            url = next.map_err(|cause| Error::Redirect { registry: about.registry.clone(), cause })?;
        }
        let cause = format!("more than {REDIRECTS} times");
        Err(Error::Redirect { registry: about.registry.clone(), cause })
    }

    /// Turns an answer of another status than success into an error. `what` was asked for.
    pub async fn successful(&self, what: &str, response: Response) -> Result<Response> {
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let headers = response.headers().clone();
        // The status tells enough where the words can't be read.
        let body = self.http.read(response, "error", ERROR_BODY).await.unwrap_or_default();
        Err(self.http.about.status(what, status.as_u16(), &headers, &body))
    }
}

fn redirects(status: StatusCode) -> bool {
    matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308)
}
