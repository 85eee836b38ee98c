//! A blob on its way: from its start, or from where an earlier transfer was cut.

use std::io::Read;
use std::sync::Arc;

use bytes::Bytes;
use reqwest::header::{CONTENT_RANGE, RANGE};
use reqwest::{Method, Response, StatusCode};
use tokio::sync::mpsc;

use super::client::pull;
use super::connection::{Connection, Request, Target};
use super::error::About;
use super::http::Body;
use super::{Error, Result};
use crate::oci::{Digest, Reference};

/// Chunks on their way to a slow reader, of some 10 to 400 KiB each.
const CHUNKS: usize = 4;

/// Bytes of a chunk that does not come over the network.
const CHUNK: u64 = 256 << 10;

/// The bytes of a blob, as they come. Their digest is the reader's to check.
pub struct Blob {
    /// Where in the blob the first chunk begins: where it was asked to, or at 0 where the registry can't do that.
    pub start: u64,
    source: Source,
}

enum Source {
    Network(mpsc::Receiver<Result<Bytes>>),
    Other(Box<dyn Read + Send>),
}

impl Blob {
    /// What does not come over the network, from its start.
    pub fn of(reader: impl Read + Send + 'static) -> Self {
        Self { start: 0, source: Source::Other(Box::new(reader)) }
    }

    /// The next bytes; `None` at the end. Blocks.
    pub fn next_chunk(&mut self) -> Result<Option<Bytes>> {
        let reader = match &mut self.source {
            Source::Network(chunks) => return chunks.blocking_recv().transpose(),
            Source::Other(reader) => reader,
        };
        let mut chunk = Vec::new();
        match reader.take(CHUNK).read_to_end(&mut chunk) {
            Ok(0) => Ok(None),
            Ok(_) => Ok(Some(chunk.into())),
            Err(error) => Err(Error::Source(error.into())),
        }
    }

    pub(super) async fn open(connection: Arc<Connection>, image: Reference, digest: Digest, from: u64) -> Result<Self> {
        let path = format!("v2/{}/blobs/{digest}", image.repository());
        let mut request = Request::new(Method::GET, Target::Path(path), digest.to_string()).scopes([pull(&image)]);
        if from > 0 {
            request = request.header(RANGE, &format!("bytes={from}-"));
        }
        let response = connection.send(&request).await?;
        let start = match response.status() {
            StatusCode::PARTIAL_CONTENT => check_range(&connection.http.about, &response, from)?,
            _ => 0,
        };
        let (sender, chunks) = mpsc::channel(CHUNKS);
        let body = Body::new(response, connection.http.stall);
        tokio::spawn(async move { pump(&connection.http.about, body, sender).await });
        Ok(Self { start, source: Source::Network(chunks) })
    }
}

/// A part is used only if it is the one that was asked for (RFC 9110, 14.4: `bytes FIRST-LAST/SIZE`).
fn check_range(about: &About, response: &Response, from: u64) -> Result<u64> {
    let range = response.headers().get(CONTENT_RANGE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let first = range.trim().strip_prefix("bytes ").and_then(|range| range.split_once('-')?.0.parse().ok());
    match first {
        Some(first) if first == from => Ok(first),
        Some(first) => Err(about.protocol(&format!("it sends a part from byte {first} on, not from byte {from}"))),
        None => Err(about.protocol("it sends a part and does not say which")),
    }
}

/// Sends chunks until the body's end, an error, or until nobody listens.
async fn pump(about: &About, mut body: Body, chunks: mpsc::Sender<Result<Bytes>>) {
    while let Some(chunk) = body.next(about).await.transpose() {
        let failed = chunk.is_err();
        if chunks.send(chunk).await.is_err() || failed {
            return;
        }
    }
}
