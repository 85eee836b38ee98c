//! Sending: what a push asks of a registry, one request at a time (OCI distribution-spec, "Pushing Blobs").
//!
//! ```text
//! size ─▶ there: done        mount ─▶ there: done
//!     └─▶ not there               └─▶ start ─▶ part ─▶ part … ─▶ finish
//!                                               └─ cut ─▶ state: how much came ─▶ part …
//! ```
//!
//! What can be asked twice without harm is asked again when the network fails; whether a part came before its connection broke
//! only [`Client::upload_state`] tells. An upload whose place is another host's goes there without a credential.

mod push;
pub(super) mod sending;

use std::sync::Arc;

use bytes::Bytes;
use reqwest::header::{CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, HeaderMap, LOCATION, RANGE};
use reqwest::{Method, Response, StatusCode, Url};

pub use push::Outgoing;

use super::client::{Client, media_type, of_manifest};
use super::connection::{Connection, Request, Target};
use super::endpoint::{location, may_lead};
use super::{Content, Error, Registry, Result};
use crate::oci::{Descriptor, Digest, Reference};

/// The header in which a registry tells a manifest's digest.
const CONTENT_DIGEST: &str = "docker-content-digest";

/// A blob on its way to a registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upload {
    image: Reference,
    place: Url,
    /// Bytes that the registry has.
    pub offset: u64,
}

/// What became of the wish to have a blob that another repository of the registry has.
#[derive(Debug)]
pub enum Mount {
    Done,
    /// It can't be had; its upload has begun.
    Upload(Upload),
}

impl Client {
    /// How large the registry's blob is, in bytes; `None`: it has none.
    pub fn blob_size(&self, image: &Reference, digest: &Digest) -> Result<Option<u64>> {
        let path = format!("v2/{}/blobs/{digest}", image.repository());
        let request = Request::new(Method::HEAD, Target::Path(path), digest.to_string()).scopes([push(image)]);
        let found = self.run_again(move |connection| {
            let request = request.clone();
            async move { connection.send(&request).await.map(|response| length(response.headers())) }
        });
        match found {
            Ok(length) => Ok(Some(length.unwrap_or_default())),
            Err(Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// What a manifest's address holds; `None`: nothing. The registry is believed where it tells type, digest and size.
    pub fn manifest_head(&self, image: &Reference) -> Result<Option<Descriptor>> {
        let request = of_manifest(Method::HEAD, image);
        let head = self.run_again(|connection| {
            let request = request.clone();
            async move { connection.send(&request).await.map(|response| described(response.headers())) }
        });
        match head {
            Err(Error::NotFound { .. }) => Ok(None),
            Ok(None) => {
                let Content { bytes, media_type } = self.manifest(image)?;
                let media_type = media_type.unwrap_or_default();
                Ok(Some(Descriptor::new(&media_type, Digest::of(&bytes), bytes.len() as u64)))
            }
            head => head,
        }
    }

    /// Asks for a blob that the repository `from` of the same registry has.
    pub fn mount(&self, image: &Reference, digest: &Digest, from: &str) -> Result<Mount> {
        let path = format!("v2/{}/blobs/uploads/?mount={digest}&from={from}", image.repository());
        let scopes = [push(image), format!("repository:{from}:pull")];
        let request = Request::new(Method::POST, Target::Path(path), digest.to_string()).scopes(scopes);
        let (request, image) = (request.header(CONTENT_LENGTH, "0"), image.clone());
        self.run(move |connection| async move {
            let response = connection.send(&request).await?;
            match response.status() {
                StatusCode::CREATED => Ok(Mount::Done),
                _ => Ok(Mount::Upload(Upload::after(&connection, &image, &response, 0).await?)),
            }
        })
    }

    /// Begins to send a blob.
    pub fn start_upload(&self, image: &Reference) -> Result<Upload> {
        let path = format!("v2/{}/blobs/uploads/", image.repository());
        let request = Request::new(Method::POST, Target::Path(path), image.to_string()).scopes([push(image)]);
        let (request, image) = (request.header(CONTENT_LENGTH, "0"), image.clone());
        self.run_again(move |connection| {
            let (request, image) = (request.clone(), image.clone());
            async move {
                let response = connection.send(&request).await?;
                Upload::after(&connection, &image, &response, 0).await
            }
        })
    }

    /// Sends the next bytes. After an error, [`Client::upload_state`] tells how many came.
    pub fn send_part(&self, upload: &Upload, bytes: Bytes) -> Result<Upload> {
        let end = upload.offset + bytes.len() as u64;
        let request = upload.request(Method::PATCH, upload.place.clone());
        let request = request.header(CONTENT_TYPE, "application/octet-stream");
        let request =
            request.header(CONTENT_RANGE, &format!("{}-{}", upload.offset, end.saturating_sub(1))).body(bytes);
        let image = upload.image.clone();
        self.run(move |connection| async move {
            let response = connection.send(&request).await?;
            Upload::after(&connection, &image, &response, end).await
        })
    }

    /// Where an upload is that was cut. [`Error::NotFound`]: the registry has forgotten it.
    pub fn upload_state(&self, upload: &Upload) -> Result<Upload> {
        let (request, image) = (upload.request(Method::GET, upload.place.clone()), upload.image.clone());
        self.run_again(move |connection| {
            let (request, image) = (request.clone(), image.clone());
            async move {
                let response = connection.send(&request).await?;
                Upload::after(&connection, &image, &response, 0).await
            }
        })
    }

    /// Ends an upload: the registry checks that what came has this digest.
    pub fn finish_upload(&self, upload: &Upload, digest: &Digest) -> Result<()> {
        let mut place = upload.place.clone();
        place.query_pairs_mut().append_pair("digest", &digest.to_string());
        let request = upload.request(Method::PUT, place).header(CONTENT_LENGTH, "0");
        self.run(move |connection| async move { connection.send(&request).await.map(drop) })
    }

    /// Stores a manifest under the digest of `image`, or its tag. What digest the registry tells for it, if any.
    pub fn put_manifest(&self, image: &Reference, media_type: &str, bytes: Bytes) -> Result<Option<String>> {
        let mut request = of_manifest(Method::PUT, image);
        request.scopes = vec![push(image)];
        let request = request.header(CONTENT_TYPE, media_type).body(bytes);
        self.run_again(move |connection| {
            let request = request.clone();
            async move {
                let response = connection.send(&request).await?;
                let digest = response.headers().get(CONTENT_DIGEST).and_then(|value| value.to_str().ok());
                Ok(digest.map(str::to_owned))
            }
        })
    }
}

/// The scope that writing needs.
fn push(image: &Reference) -> String {
    format!("repository:{}:pull,push", image.repository())
}

impl Upload {
    fn request(&self, method: Method, place: Url) -> Request {
        Request::new(method, Target::Address(place), self.image.name()).scopes([push(&self.image)])
    }

    /// What an answer says of an upload: where it goes on, and how much came (`Range: 0-LAST`), else `offset`.
    async fn after(connection: &Arc<Connection>, image: &Reference, response: &Response, offset: u64) -> Result<Self> {
        let about = &connection.http.about;
        let place = response.headers().get(LOCATION).ok_or_else(|| about.protocol("it says no place for an upload"))?;
        let place = location(response.url(), place);
        let place = place.and_then(|place| may_lead(response.url(), &place).map(|()| place));
        let place = place.map_err(|cause| Error::Redirect { registry: about.registry.clone(), cause })?;
        let offset = match response.headers().get(RANGE).and_then(|value| value.to_str().ok()) {
            Some(range) => came(range).ok_or_else(|| about.protocol("it tells a range of an upload that is none"))?,
            None => offset,
        };
        Ok(Self { image: image.clone(), place, offset })
    }
}

/// How many bytes a range from 0 on holds. Registries write `0-0` for nothing, so of one byte alone nobody can tell.
fn came(range: &str) -> Option<u64> {
    let range = range.trim();
    let last: u64 = range.strip_prefix("bytes=").unwrap_or(range).strip_prefix("0-")?.parse().ok()?;
    if last == 0 { Some(0) } else { last.checked_add(1) }
}

fn length(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

fn described(headers: &HeaderMap) -> Option<Descriptor> {
    let digest = headers.get(CONTENT_DIGEST)?.to_str().ok()?.parse().ok()?;
    Some(Descriptor::new(&media_type(headers).unwrap_or_default(), digest, length(headers)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_tells_how_much_came() {
        for (text, bytes) in [("0-99", Some(100)), ("bytes=0-4", Some(5)), ("0-0", Some(0)), ("5-9", None), ("x", None)]
        {
            assert_eq!(came(text), bytes, "{text}");
        }
        assert_eq!(came("0-18446744073709551615"), None);
    }
}
