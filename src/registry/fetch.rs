//! A file from any server of HTTP: what `ADD` of an address fetches. No credentials of a registry's go there.

use std::fs::File;
use std::io::{Seek, Write};
use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{
    CONTENT_DISPOSITION, ETAG, HeaderMap, HeaderName, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED,
};
use reqwest::{Method, StatusCode, Url};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::connection::{Connection, Request, Target};
use super::endpoint::shown;
use super::http::Body;
use super::{Client, Credentials, Error, Options, Patience, Result};
use crate::oci::Digest;

/// Characters of a header that is handed on.
const HEADER: usize = 1024;

/// What is asked for.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Wanted {
    pub url: String,
    /// Only if it is not as it was when the server said this of it.
    pub unless: Option<Marks>,
    /// Bytes that it may have.
    pub limit: u64,
    /// Seconds without progress, after which the connection counts as dead.
    pub stall: u64,
    pub retries: u32,
}

/// By what a server tells one state of a file from another.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Marks {
    pub etag: Option<String>,
    /// As the server wrote it (RFC 9110, 5.6.7).
    pub modified: Option<String>,
}

/// What came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Fetched {
    NotModified,
    File { digest: Digest, marks: Marks, name: Option<String> },
}

/// Fetches a file into `file`, from its start; again, while that fails for a reason that may pass.
pub fn fetch(wanted: &Wanted, file: &File) -> Result<Fetched> {
    let url: Url = wanted.url.parse().map_err(|_| Error::Source("it is no address".into()))?;
    if url.host_str().is_none() {
        return Err(Error::Source("the address names no server".into()));
    }
    let patience = Patience { stall: Duration::from_secs(wanted.stall), retries: wanted.retries, delay: None };
    let client = Client::with(&shown(&url), Credentials::Anonymous, &Options { patience, ..Options::default() })?;
    let copy = || file.try_clone().map_err(|error| Error::Source(Box::new(error)));
    let attempts = super::Registry::attempts(&client);
    attempts.make(|| {
        let (wanted, url, file) = (wanted.clone(), url.clone(), copy()?);
        client.run(move |connection| once(connection, wanted, url, file))
    })
}

async fn once(connection: Arc<Connection>, wanted: Wanted, url: Url, mut file: File) -> Result<Fetched> {
    let about = &connection.http.about;
    let what = url.path().chars().take(HEADER).collect::<String>();
    let marks = wanted.unless.clone().unwrap_or_default();
    let mut request = Request::new(Method::GET, Target::Address(url.clone()), what.clone());
    for (name, mark) in [(IF_NONE_MATCH, marks.etag), (IF_MODIFIED_SINCE, marks.modified)] {
        request = mark.into_iter().fold(request, |request, mark| request.header(name.clone(), &mark));
    }
    let response = connection.follow(&request, &url, None).await?;
    if response.status() == StatusCode::NOT_MODIFIED && wanted.unless.is_some() {
        return Ok(Fetched::NotModified);
    }
    let response = connection.successful(&what, response).await?;
    let limit = usize::try_from(wanted.limit).unwrap_or(usize::MAX);
    let too_long = || Error::TooLong { registry: about.registry.clone(), what: "file", limit };
    if response.content_length().is_some_and(|length| length > wanted.limit) {
        return Err(too_long());
    }
    let length = response.content_length();
    let headers = response.headers().clone();
    let failed = |error: std::io::Error| Error::Source(Box::new(error));
    file.set_len(0).and_then(|()| file.rewind()).map_err(failed)?;
    let (mut body, mut hash, mut size) = (Body::new(response, connection.http.stall), Sha256::new(), 0);
    while let Some(chunk) = body.next(about).await? {
        size += chunk.len() as u64;
        if size > wanted.limit {
            return Err(too_long());
        }
        hash.update(&chunk);
        file.write_all(&chunk).map_err(failed)?;
    }
    if length.is_some_and(|length| length != size) {
        return Err(about.protocol("it sends less than it says"));
    }
    let marks = Marks { etag: header(&headers, &ETAG), modified: header(&headers, &LAST_MODIFIED) };
    let name = header(&headers, &CONTENT_DISPOSITION).and_then(|text| name_in(&text));
    Ok(Fetched::File { digest: Digest::from_sha256(hash.finalize().into()), marks, name })
}

fn header(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    let text = headers.get(name)?.to_str().ok()?;
    Some(text.to_owned()).filter(|text| text.len() <= HEADER)
}

/// The name in a `Content-Disposition` (RFC 6266): `attachment; filename="x y.tar"`. A path is none.
fn name_in(text: &str) -> Option<String> {
    let value = text.split(';').find_map(|field| {
        let (key, value) = field.trim().split_once('=')?;
        key.trim().eq_ignore_ascii_case("filename").then(|| value.trim().trim_matches('"').to_owned())
    })?;
    let plain = |c: char| !c.is_control() && c != '/';
    (!value.is_empty() && value.chars().all(plain) && value != "." && value != "..").then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_no_path() {
        assert_eq!(name_in("attachment; filename=\"a b.tar\"").as_deref(), Some("a b.tar"));
        assert_eq!(name_in("inline;FileName=x").as_deref(), Some("x"));
        for none in ["attachment", "attachment; filename=\"../x\"", "x; filename=..", "x; filename=", "x; filename=a/b"]
        {
            assert_eq!(name_in(none), None, "{none}");
        }
    }
}
