//! A registry whose every answer is the test's to make, down to the bytes on the wire.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::harness::http::{TLS, first_byte};
use crate::images::server::{Answer, Parts};

/// What a client asked.
#[derive(Debug, Clone)]
pub struct Request {
    pub method: String,
    /// With its query.
    pub path: String,
    /// Names in lower case.
    pub headers: BTreeMap<String, String>,
    pub body: Vec<u8>,
}

impl Request {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    /// The byte from which on it wants to have what it asks for.
    pub fn from(&self) -> Option<usize> {
        self.header("range")?.strip_prefix("bytes=")?.strip_suffix('-')?.parse().ok()
    }
}

/// What goes over the wire, and then.
#[derive(Clone)]
pub struct Reply {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    /// What `Content-Length` says; `None`: nothing.
    length: Option<String>,
    /// In its place, these bytes as they are.
    raw: Option<Vec<u8>>,
    /// Of the body, so many bytes are sent before the end comes.
    sent: usize,
    end: End,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Close,
    /// The connection is torn.
    Reset,
    /// Nothing more comes, and the connection stays open.
    Stall,
    /// A byte from time to time.
    Trickle,
    /// The body again and again.
    Endless,
}

impl Reply {
    pub fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        let body = body.into();
        let (length, sent) = (Some(body.len().to_string()), body.len());
        Self { status, headers: Vec::new(), body, length, raw: None, sent, end: End::Close }
    }

    pub fn ok(body: impl Into<Vec<u8>>) -> Self {
        Self::new(200, body)
    }

    /// Not even HTTP.
    pub fn raw(bytes: impl Into<Vec<u8>>) -> Self {
        Self { raw: Some(bytes.into()), ..Self::ok("") }
    }

    /// `{here}` in the value is the server's own address.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn redirect(to: &str) -> Self {
        Self::new(307, "").header("Location", to)
    }

    /// What is claimed to be the body's length.
    pub fn length(mut self, length: &str) -> Self {
        self.length = Some(length.to_owned());
        self
    }

    /// The end of the connection is the end of the body.
    pub fn no_length(mut self) -> Self {
        self.length = None;
        self
    }

    /// Only so many bytes of the body come.
    pub fn cut(mut self, sent: usize) -> Self {
        self.sent = sent;
        self
    }

    pub fn reset(mut self) -> Self {
        self.end = End::Reset;
        self
    }

    pub fn stall(mut self) -> Self {
        self.end = End::Stall;
        self
    }

    pub fn trickle(mut self) -> Self {
        self.end = End::Trickle;
        self
    }

    pub fn endless(mut self) -> Self {
        self.end = End::Endless;
        self
    }

    fn head(&self, here: &str) -> Vec<u8> {
        if let Some(raw) = &self.raw {
            return raw.clone();
        }
        let mut head = format!("HTTP/1.1 {} X\r\nConnection: close\r\n", self.status);
        if let Some(length) = &self.length {
            head += &format!("Content-Length: {length}\r\n");
        }
        for (name, value) in &self.headers {
            head += &format!("{name}: {}\r\n", value.replace("{here}", here));
        }
        (head + "\r\n").into_bytes()
    }

    /// A client that went away is not this side's failure.
    fn send(&self, stream: &mut (impl Write + Torn), here: &str) {
        let begun = stream.write_all(&self.head(here)).and_then(|()| stream.write_all(&self.body[..self.sent]));
        if begun.and_then(|()| stream.flush()).is_err() {
            return;
        }
        match self.end {
            End::Close => {}
            End::Reset => stream.tear(),
            // Until the client hangs up.
            End::Stall => while !stream.is_left() {},
            End::Trickle => while !stream.is_left() && stream.write_all(b" ").and_then(|()| stream.flush()).is_ok() {},
            End::Endless => while stream.write_all(&self.body).is_ok() {},
        }
    }
}

/// The two things that a connection can do besides writing.
trait Torn {
    fn tear(&self);
    /// Waits a little for the other side to hang up.
    fn is_left(&mut self) -> bool;
}

impl Torn for TcpStream {
    fn tear(&self) {
        // Unread bytes at the end of a socket make it a reset.
        let _ = rustix::net::sockopt::set_socket_linger(self, Some(Duration::ZERO));
        let _ = self.shutdown(Shutdown::Read);
    }

    fn is_left(&mut self) -> bool {
        let _ = self.set_read_timeout(Some(Duration::from_millis(100)));
        matches!(self.read(&mut [0]), Ok(0))
    }
}

/// What a registry answers to a request that came for the n-th time; the first is 0. `None`: as an honest one would.
pub type Script = Box<dyn Fn(&Request, usize) -> Option<Reply> + Send + Sync>;

pub struct Registry {
    pub address: String,
    asked: Arc<Mutex<Vec<Request>>>,
}

impl Registry {
    pub fn start(parts: &Parts, script: Script) -> Self {
        let honest: BTreeMap<String, Vec<u8>> = parts
            .answers()
            .into_iter()
            .filter_map(|(path, answers)| match answers.into_iter().next() {
                Some(Answer::Whole(_, body)) => Some((path, body)),
                _ => None,
            })
            .collect();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let asked = Arc::new(Mutex::new(Vec::<Request>::new()));
        let (seen, here, serve) = (Arc::clone(&asked), address.clone(), Arc::new((honest, script)));
        // Lives as long as the test binary.
        std::thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let (seen, here, serve) = (Arc::clone(&seen), here.clone(), Arc::clone(&serve));
                std::thread::spawn(move || {
                    let Some(request) = read(&stream) else { return };
                    let times = {
                        let mut seen = seen.lock().unwrap();
                        seen.push(request.clone());
                        seen.iter().filter(|other| other.path == request.path).count() - 1
                    };
                    let reply = serve.1(&request, times).unwrap_or_else(|| honest_reply(&serve.0, &request));
                    reply.send(&mut stream, &here);
                });
            }
        });
        Self { address, asked }
    }

    /// All requests whose paths begin so, in their order.
    pub fn asked(&self, path: &str) -> Vec<Request> {
        self.asked.lock().unwrap().iter().filter(|request| request.path.starts_with(path)).cloned().collect()
    }
}

/// `None`: it is no HTTP, or the client has gone.
fn read(stream: &TcpStream) -> Option<Request> {
    if first_byte(stream) == TLS {
        return None;
    }
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let mut first = String::new();
    reader.read_line(&mut first).ok()?;
    let mut words = first.split_whitespace();
    let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.split_once(':') else { break };
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let length = headers.get("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(Request { method, path, headers, body })
}

/// What a registry answers that does as it should, parts of blobs among it.
fn honest_reply(content: &BTreeMap<String, Vec<u8>>, request: &Request) -> Reply {
    match (content.get(&request.path), request.from()) {
        (Some(body), Some(from)) if from >= body.len() => Reply::new(416, ""),
        (Some(body), Some(from)) => {
            let range = format!("bytes {from}-{}/{}", body.len() - 1, body.len());
            Reply::new(206, &body[from..]).header("Content-Range", &range)
        }
        (Some(body), None) => Reply::ok(body.clone()),
        (None, _) if request.path == "/v2/" => Reply::ok("{}"),
        (None, _) => Reply::new(404, "{\"errors\":[{\"code\":\"MANIFEST_UNKNOWN\",\"message\":\"\"}]}"),
    }
}
