//! A registry of a few lines that takes images, and does wrong what the test says.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use serde_json::Value;

use crate::harness::LIMIT;
use crate::harness::http::{TLS, first_byte};
use crate::harness::image::digest;

/// What is asked.
#[derive(Clone)]
pub struct Request {
    pub method: String,
    pub path: String,
    query: String,
    pub headers: BTreeMap<String, String>,
    body: Vec<u8>,
}

impl Request {
    pub fn is(&self, method: &str, part: &str) -> bool {
        self.method == method && self.path.contains(part)
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    fn parameter(&self, name: &str) -> Option<String> {
        let value = self.query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))?;
        Some(value.replace("%3A", ":").replace("%2F", "/"))
    }
}

/// What happens instead of the right thing.
#[derive(Clone)]
pub enum Fault {
    /// This answer: status, headers, body.
    Says(u16, String, String),
    /// The right answer with another header: its name, its value; none: without it.
    Header(&'static str, Option<String>),
    /// So much of the body is taken, then the connection is cut.
    Cut(usize),
    /// All is done, and then the connection is cut.
    Mute,
    /// The right answer, but not before so many uploads were open at once; or, so that a test ends, after a while.
    Crowd(usize),
    /// So much of the body is taken, and nothing more, and nothing is answered until the client hangs up.
    Deaf(usize),
}

impl Fault {
    pub fn status(code: u16) -> Self {
        Self::Says(code, String::new(), String::new())
    }

    pub fn error(code: u16, word: &str) -> Self {
        Self::Says(code, String::new(), format!(r#"{{"errors":[{{"code":"{word}","message":"because"}}]}}"#))
    }
}

/// The requests that a fault is for, and how often.
struct Rule {
    method: &'static str,
    part: &'static str,
    times: usize,
    fault: Fault,
}

#[derive(Default)]
struct State {
    rules: Vec<Rule>,
    /// By repository and digest.
    blobs: BTreeMap<(String, String), Vec<u8>>,
    uploads: BTreeMap<usize, Vec<u8>>,
    begun: usize,
    /// By repository and tag or digest.
    manifests: BTreeMap<(String, String), Vec<u8>>,
    asked: Vec<Request>,
    received: usize,
    /// The most uploads that were open at once.
    most_open: usize,
}

pub struct Receiver {
    pub address: String,
    state: Arc<Mutex<State>>,
}

struct Answer {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
}

impl Answer {
    fn new(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Vec::new() }
    }

    fn error(status: u16, word: &str) -> Self {
        Self { body: format!(r#"{{"errors":[{{"code":"{word}","message":""}}]}}"#).into_bytes(), ..Self::new(status) }
    }

    fn with(mut self, name: &'static str, value: impl ToString) -> Self {
        self.headers.push((name, value.to_string()));
        self
    }
}

impl Receiver {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let state = Arc::new(Mutex::new(State::default()));
        let serving = Arc::clone(&state);
        // Lives as long as the test binary.
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let state = Arc::clone(&serving);
                std::thread::spawn(move || serve(&state, stream));
            }
        });
        Self { address, state }
    }

    /// The next `times` requests of this method, with `part` in their path, go wrong.
    pub fn fault(self, method: &'static str, part: &'static str, times: usize, fault: Fault) -> Self {
        self.state.lock().unwrap().rules.push(Rule { method, part, times, fault });
        self
    }

    /// How often this was asked.
    pub fn asked(&self, method: &str, part: &str) -> usize {
        self.requests().iter().filter(|request| request.is(method, part)).count()
    }

    pub fn requests(&self) -> Vec<Request> {
        self.state.lock().unwrap().asked.clone()
    }

    pub fn forget_requests(&self) {
        self.state.lock().unwrap().asked.clear();
    }

    /// Bytes of blobs that came, those that came twice counted twice.
    pub fn received(&self) -> usize {
        self.state.lock().unwrap().received
    }

    /// How many uploads were open at once.
    pub fn most_open(&self) -> usize {
        self.state.lock().unwrap().most_open
    }

    pub fn manifest(&self, repository: &str, name: &str) -> Option<Value> {
        let state = self.state.lock().unwrap();
        let bytes = state.manifests.get(&(repository.to_owned(), name.to_owned()))?;
        Some(serde_json::from_slice(bytes).unwrap())
    }

    pub fn blob(&self, repository: &str, digest: &str) -> Option<Vec<u8>> {
        self.state.lock().unwrap().blobs.get(&(repository.to_owned(), digest.to_owned())).cloned()
    }
}

fn serve(state: &Mutex<State>, mut stream: TcpStream) {
    if first_byte(&stream) == TLS {
        return;
    }
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or(0) == 0 {
            return;
        }
        match line.trim_end() {
            "" => break,
            line => lines.push(line.to_owned()),
        }
    }
    let mut words = lines[0].split(' ');
    let (method, target) = (words.next().unwrap().to_owned(), words.next().unwrap());
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let headers = lines[1..].iter().filter_map(|line| line.split_once(':'));
    let headers = headers.map(|(name, value)| (name.to_lowercase(), value.trim().to_owned())).collect();
    let mut request = Request { method, path: path.to_owned(), query: query.to_owned(), headers, body: Vec::new() };
    let length: usize = request.header("content-length").parse().unwrap_or(0);
    let fault = state.lock().unwrap().fault(&request);
    let taken = match &fault {
        Some(Fault::Cut(taken) | Fault::Deaf(taken)) => length.min(*taken),
        _ => length,
    };
    request.body = vec![0; taken];
    if reader.read_exact(&mut request.body).is_err() {
        return;
    }
    match fault {
        Some(Fault::Crowd(many)) => {
            let begun = Instant::now();
            while state.lock().unwrap().most_open < many && begun.elapsed() < LIMIT / 4 {
                std::thread::sleep(Duration::from_millis(5));
            }
        }
        Some(Fault::Deaf(_)) => {
            // A client that goes with bytes in its buffer can't say so.
            let limit = Timespec { tv_sec: 3 * LIMIT.as_secs() as i64, tv_nsec: 0 };
            let _ = poll(&mut [PollFd::new(&stream, PollFlags::RDHUP)], Some(&limit));
            return;
        }
        _ => {}
    }
    let mut state = state.lock().unwrap();
    state.asked.push(Request { body: Vec::new(), ..request.clone() });
    let answer = match fault {
        Some(Fault::Says(status, head, body)) => {
            Answer { body: body.into_bytes(), ..Answer::new(status) }.with("X", head)
        }
        Some(Fault::Header(name, value)) => {
            let mut answer = state.answer(&request);
            answer.headers.retain(|(known, _)| *known != name);
            match value {
                Some(value) => answer.with(name, value),
                None => answer,
            }
        }
        Some(Fault::Cut(_) | Fault::Mute) => {
            state.answer(&request);
            return;
        }
        Some(Fault::Crowd(_) | Fault::Deaf(_)) | None => state.answer(&request),
    };
    drop(state);
    let body: &[u8] = if request.method == "HEAD" { b"" } else { &answer.body };
    let mut head = format!("HTTP/1.1 {} X\r\nConnection: close\r\n", answer.status);
    if !answer.headers.iter().any(|(name, _)| *name == "Content-Length") && answer.status != 204 {
        head += &format!("Content-Length: {}\r\n", answer.body.len());
    }
    for (name, value) in &answer.headers {
        // A whole head of the test's own.
        head += &if *name == "X" { value.clone() } else { format!("{name}: {value}\r\n") };
    }
    // A client that went away is not this side's failure.
    let _ = stream.write_all(format!("{head}\r\n").as_bytes()).and_then(|()| stream.write_all(body));
}

impl State {
    fn fault(&mut self, request: &Request) -> Option<Fault> {
        let rule = self.rules.iter_mut().find(|rule| rule.times > 0 && request.is(rule.method, rule.part))?;
        rule.times -= 1;
        Some(rule.fault.clone())
    }

    fn answer(&mut self, request: &Request) -> Answer {
        if let Some(upload) = request.path.strip_prefix("/upload/") {
            return self.upload(request, upload.parse().unwrap());
        }
        let Some(rest) = request.path.strip_prefix("/v2/").filter(|rest| !rest.is_empty()) else {
            return Answer::new(200);
        };
        if let Some((repository, name)) = rest.split_once("/manifests/") {
            return self.manifest(request, repository, name);
        }
        let (repository, name) = rest.split_once("/blobs/").unwrap();
        if name.starts_with("uploads/") {
            return self.begin(request, repository);
        }
        match self.blobs.get(&(repository.to_owned(), name.to_owned())) {
            Some(blob) => Answer { body: blob.clone(), ..Answer::new(200) },
            None => Answer::error(404, "BLOB_UNKNOWN"),
        }
    }

    fn begin(&mut self, request: &Request, repository: &str) -> Answer {
        if let (Some(blob), Some(from)) = (request.parameter("mount"), request.parameter("from"))
            && let Some(bytes) = self.blobs.get(&(from, blob.clone())).cloned()
        {
            self.blobs.insert((repository.to_owned(), blob), bytes);
            return Answer::new(201);
        }
        let number = self.begun;
        self.begun += 1;
        self.uploads.insert(number, Vec::new());
        self.most_open = self.most_open.max(self.uploads.len());
        Answer::new(202).with("Location", format!("/upload/{number}?of={repository}"))
    }

    fn upload(&mut self, request: &Request, number: usize) -> Answer {
        self.received += request.body.len();
        let Some(upload) = self.uploads.get_mut(&number) else { return Answer::error(404, "BLOB_UPLOAD_UNKNOWN") };
        let start: usize = request.header("content-range").split('-').next().unwrap().parse().unwrap_or(0);
        if request.method == "PATCH" && start != upload.len() {
            return Answer::new(416);
        }
        upload.extend_from_slice(&request.body);
        if request.method == "PUT" {
            let claimed = request.parameter("digest").unwrap();
            if digest(upload) != claimed {
                return Answer::error(400, "DIGEST_INVALID");
            }
            let bytes = self.uploads.remove(&number).unwrap();
            self.blobs.insert((request.parameter("of").unwrap(), claimed), bytes);
            return Answer::new(201);
        }
        let range = format!("0-{}", upload.len().saturating_sub(1));
        let status = if request.method == "GET" { 204 } else { 202 };
        let place = format!("{}?{}", request.path, request.query);
        Answer::new(status).with("Range", range).with("Location", place)
    }

    fn manifest(&mut self, request: &Request, repository: &str, name: &str) -> Answer {
        let key = |name: &str| (repository.to_owned(), name.to_owned());
        if request.method != "PUT" {
            let found = self.manifests.get(&key(name));
            return found.map_or(Answer::new(404), |bytes| Answer { body: bytes.clone(), ..Answer::new(200) });
        }
        let manifest: Value = serde_json::from_slice(&request.body).unwrap();
        let layers = manifest["layers"].as_array().into_iter().flatten().chain(manifest.get("config"));
        for blob in layers {
            if !self.blobs.contains_key(&key(blob["digest"].as_str().unwrap())) {
                return Answer::error(400, "MANIFEST_BLOB_UNKNOWN");
            }
        }
        let own = digest(&request.body);
        self.manifests.insert(key(name), request.body.clone());
        self.manifests.insert(key(&own), request.body.clone());
        Answer::new(201).with("Docker-Content-Digest", own)
    }
}
