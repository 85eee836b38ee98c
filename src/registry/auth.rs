//! How a request says who we are: a password, or a token that the registry's token server gave for it (the distribution
//! project's token and OAuth2 specifications).
//!
//! ```text
//! registry ── 401, Bearer realm, service ──▶ us ── who we are, scopes ──▶ realm ── token ──▶ us ── request, token ──▶ registry
//! ```
//!
//! What must stay true: a password or identity token goes to the registry itself and to the realm that it names, which must be
//! reached over TLS, or in the clear on the registry's own host where the registry itself is; a token goes to the registry alone.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use base64::Engine as _;
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderValue};
use reqwest::{Method, Url};
use serde::Deserialize;
use tokio::sync::Mutex;

use super::challenge::Challenge;
use super::connection::{Connection, Request, Target};
use super::endpoint::{may_lead, shown};
use super::{Credentials, Error, Result};

/// Of a token server's answer, in bytes.
const LIMIT: usize = 1 << 20;
/// A token lives at least so long (token specification, `expires_in`), and is not used in its last seconds.
const LIFE: Duration = Duration::from_secs(60);
const MARGIN: Duration = Duration::from_secs(10);
const DAY: u64 = 86_400;
/// What is asked for, in errors.
const TOKEN: &str = "a token";

/// What a request needs to be allowed: `repository:library/debian:pull`, several for a mount.
pub(super) type Scopes = Vec<String>;

/// Who we are to one registry, and what it gave us for that.
pub(super) struct Auth {
    credentials: Credentials,
    /// Held while a token is fetched: requests that need the same one wait for it.
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    challenge: Option<Challenge>,
    tokens: BTreeMap<Scopes, Token>,
}

#[derive(Clone)]
struct Token {
    header: HeaderValue,
    until: Instant,
}

#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    token: String,
    #[serde(default)]
    access_token: String,
    expires_in: Option<u64>,
}

impl Auth {
    pub fn new(credentials: Credentials) -> Self {
        Self { credentials, state: Mutex::default() }
    }

    /// Whether there is something that nobody else may see.
    pub fn has_secret(&self) -> bool {
        self.credentials != Credentials::Anonymous
    }

    /// What the header `Authorization` of this request is to say, as far as the registry has asked.
    pub async fn header(&self, connection: &Connection, request: &Request) -> Result<Option<HeaderValue>> {
        let mut state = self.state.lock().await;
        match state.challenge.clone() {
            None => Ok(None),
            Some(Challenge::Basic) => self.basic(),
            Some(Challenge::Bearer { realm, service, scope }) => {
                let mut scopes = request.scopes.clone();
                // A registry with names of its own for rights.
                scopes.extend(scope.filter(|scope| scopes.is_empty() && !scope.is_empty()));
                if let Some(token) = state.tokens.get(&scopes).filter(|token| token.until > Instant::now()) {
                    return Ok(Some(token.header.clone()));
                }
                let token = match self.fetch(connection, realm, service.as_deref(), &scopes).await {
                    // Who is not given a token is not let in.
                    Err(Error::Unauthorized { .. }) => return Err(connection.http.about.unauthorized(&request.what)),
                    fetched => fetched?,
                };
                state.tokens.insert(scopes, token.clone());
                Ok(Some(token.header))
            }
        }
    }

    /// The registry refused a request with `used` and asks for this instead.
    pub async fn challenged(&self, challenge: Challenge, used: Option<&HeaderValue>) {
        let mut state = self.state.lock().await;
        // Another request may have got a new token in the meantime.
        state.tokens.retain(|_, token| Some(&token.header) != used);
        state.challenge = Some(challenge);
    }

    fn basic(&self) -> Result<Option<HeaderValue>> {
        let Credentials::Password { user, password } = &self.credentials else { return Ok(None) };
        let text = base64::engine::general_purpose::STANDARD.encode(format!("{user}:{password}"));
        Ok(Some(secret(&format!("Basic {text}"))?))
    }

    async fn fetch(
        &self,
        connection: &Connection,
        realm: Url,
        service: Option<&str>,
        scopes: &[String],
    ) -> Result<Token> {
        check_realm(connection, &realm).await?;
        let password = self.basic()?;
        let request = self.request(realm.clone(), service, scopes);
        let response = connection.follow(&request, &realm, password.as_ref()).await?;
        let response = connection.successful(TOKEN, response).await?;
        let bytes = connection.http.read(response, "token", LIMIT).await?;
        // serde's message would quote the answer, and so a token.
        let protocol = |cause: &str| connection.http.about.protocol(cause);
        let answer: Answer = serde_json::from_slice(&bytes)
            .map_err(|_| protocol("its token server's answer is no JSON with a token"))?;
        let token = if answer.token.is_empty() { answer.access_token } else { answer.token };
        if token.is_empty() {
            return Err(protocol("its token server gave an empty token"));
        }
        let header = secret(&format!("Bearer {token}"));
        let life = Duration::from_secs(answer.expires_in.unwrap_or_default().min(DAY)).max(LIFE) - MARGIN;
        Ok(Token {
            header: header.map_err(|_| protocol("its token server gave a token with control characters"))?,
            until: Instant::now() + life,
        })
    }

    /// The question to the token server.
    fn request(&self, mut realm: Url, service: Option<&str>, scopes: &[String]) -> Request {
        let mut fields: Vec<(&str, &str)> = service.map(|service| ("service", service)).into_iter().collect();
        if let Credentials::Identity { token } = &self.credentials {
            let scope = scopes.join(" ");
            fields.extend([("grant_type", "refresh_token"), ("refresh_token", token), ("client_id", "coracle")]);
            fields.push(("scope", &scope));
            let body = form(&realm, &fields);
            let request = Request::new(Method::POST, Target::Address(realm), TOKEN);
            return request.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(body.into());
        }
        fields.extend(scopes.iter().map(|scope| ("scope", scope.as_str())));
        if let Credentials::Password { user, .. } = &self.credentials {
            fields.push(("account", user));
        }
        realm.query_pairs_mut().extend_pairs(fields);
        Request::new(Method::GET, Target::Address(realm), TOKEN).header(ACCEPT, "application/json")
    }
}

/// Refuses a realm to which a password would go in the clear.
async fn check_realm(connection: &Connection, realm: &Url) -> Result<()> {
    let root = connection.root().await?;
    let refused = match may_lead(root, realm) {
        Ok(()) if realm.scheme() == "http" && realm.host_str() != root.host_str() => {
            Err(format!("to another host, `{}`, without TLS", shown(realm)))
        }
        other => other,
    };
    let registry = &connection.http.about.registry;
    refused.map_err(|cause| Error::Realm { registry: registry.clone(), cause })
}

/// A header's value that is never shown.
fn secret(text: &str) -> Result<HeaderValue> {
    let mut value =
        HeaderValue::from_str(text).map_err(|_| Error::Client { cause: "a secret that is no text".into() })?;
    value.set_sensitive(true);
    Ok(value)
}

/// `key=value&…`, as a form is sent.
fn form(realm: &Url, fields: &[(&str, &str)]) -> String {
    let mut url = realm.clone();
    url.set_query(None);
    url.query_pairs_mut().extend_pairs(fields);
    url.query().unwrap_or_default().to_owned()
}
