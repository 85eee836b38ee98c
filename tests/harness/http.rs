//! The little of HTTP that it takes to give images to a registry on loopback.

use std::io::{Read, Write};
use std::net::TcpStream;

use base64::Engine;

/// The first byte that a client of TLS sends (RFC 8446, 5.1: a record of the handshake).
pub const TLS: u8 = 22;

/// The first byte that the other side sends, which is still to be read. 0: it has gone.
pub fn first_byte(stream: &TcpStream) -> u8 {
    let mut first = [0];
    stream.peek(&mut first).map_or(0, |_| first[0])
}

/// A registry, and who asks.
pub struct Registry {
    /// `localhost:PORT`.
    pub address: String,
    /// `USER:PASSWORD`.
    pub credentials: Option<String>,
}

/// An answer.
pub struct Answer {
    pub status: u16,
    head: String,
    pub body: Vec<u8>,
}

impl Answer {
    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }
}

impl Registry {
    /// One request on a connection of its own. `target` is a path, or an address on this registry.
    pub fn request(&self, method: &str, target: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let path = target.split_once(&self.address).map_or(target, |(_, path)| path);
        let mut head = format!("{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n", self.address);
        head += &format!("Content-Length: {}\r\n", body.len());
        if let Some(credentials) = &self.credentials {
            let encoded = base64::engine::general_purpose::STANDARD.encode(credentials);
            head += &format!("Authorization: Basic {encoded}\r\n");
        }
        for (key, value) in headers {
            head += &format!("{key}: {value}\r\n");
        }
        head += "\r\n";
        let mut stream = TcpStream::connect(self.address.replace("localhost", "127.0.0.1")).unwrap();
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(body).unwrap();
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).unwrap();
        let end = bytes.windows(4).position(|window| window == b"\r\n\r\n").expect("an answer has a head");
        let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
        let status = head.split(' ').nth(1).and_then(|code| code.parse().ok()).expect("an answer has a status");
        Answer { status, head, body: bytes[end + 4..].to_vec() }
    }

    /// Stores a blob unless it is there.
    pub fn push_blob(&self, repository: &str, digest: &str, bytes: &[u8]) {
        let blob = format!("/v2/{repository}/blobs/{digest}");
        if self.request("HEAD", &blob, &[], &[]).status == 200 {
            return;
        }
        let begun = self.request("POST", &format!("/v2/{repository}/blobs/uploads/"), &[], &[]);
        assert_eq!(begun.status, 202, "an upload begins: {}", begun.head);
        let location = begun.header("location").unwrap();
        let separator = if location.contains('?') { '&' } else { '?' };
        let target = format!("{location}{separator}digest={digest}");
        let done = self.request("PUT", &target, &[("Content-Type", "application/octet-stream")], bytes);
        assert_eq!(done.status, 201, "a blob is stored: {}", done.head);
    }

    /// Stores a manifest under a tag or a digest.
    pub fn push_manifest(&self, repository: &str, name: &str, media_type: &str, bytes: &[u8]) {
        let target = format!("/v2/{repository}/manifests/{name}");
        let done = self.request("PUT", &target, &[("Content-Type", media_type)], bytes);
        let text = String::from_utf8_lossy(&done.body);
        assert_eq!(done.status, 201, "a manifest is stored: {} {text}", done.head);
    }
}
