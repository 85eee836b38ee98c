//! A server of HTTP on loopback for what ADD fetches: files with what is said of them, and repositories by `git http-backend`.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

/// What lies at a path.
#[derive(Clone, Default)]
pub struct Page {
    /// 0: 200.
    pub status: u16,
    /// With their ends.
    pub headers: String,
    pub body: Vec<u8>,
    pub etag: Option<String>,
    /// So many requests are answered with 503 before.
    pub busy: u32,
}

impl Page {
    pub fn of(body: impl Into<Vec<u8>>) -> Self {
        Self { body: body.into(), ..Self::default() }
    }
}

#[derive(Default)]
struct State {
    pages: BTreeMap<String, Page>,
    /// `GET /path 200`.
    log: Vec<String>,
    repositories: Option<PathBuf>,
}

pub struct Server {
    pub address: String,
    state: Arc<Mutex<State>>,
}

impl Server {
    pub fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let state: Arc<Mutex<State>> = Arc::default();
        let shared = Arc::clone(&state);
        // It ends with the test.
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let state = Arc::clone(&shared);
                std::thread::spawn(move || drop(answer(&stream, &state)));
            }
        });
        Self { address, state }
    }

    pub fn page(&self, path: &str, page: Page) {
        self.state.lock().unwrap().pages.insert(path.to_owned(), page);
    }

    /// Bare repositories in this folder are at `/git/NAME.git`.
    pub fn repositories(&self, folder: PathBuf) {
        self.state.lock().unwrap().repositories = Some(folder);
    }

    /// What was asked since the last time.
    pub fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.state.lock().unwrap().log)
    }
}

fn answer(mut stream: &TcpStream, state: &Mutex<State>) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 || line == "\r\n" {
            break;
        }
        lines.push(line.trim_end().to_owned());
    }
    let Some(request) = lines.first().cloned() else { return Ok(()) };
    let words: Vec<&str> = request.split(' ').collect();
    let [method, path, _] = words[..] else { return Ok(()) };
    let header = |name: &str| {
        let find = |line: &String| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
        };
        lines.iter().find_map(find)
    };
    let note = |status: u16| state.lock().unwrap().log.push(format!("{method} {path} {status}"));
    if path.starts_with("/git/") {
        let length = header("content-length").and_then(|text| text.parse().ok()).unwrap_or(0);
        let mut body = Vec::new();
        let chunked = header("transfer-encoding").is_some();
        if chunked {
            body = chunks(&mut reader)?;
        } else {
            reader.take(length).read_to_end(&mut body)?;
        }
        note(200);
        let folder = state.lock().unwrap().repositories.clone().unwrap();
        return git(stream, &folder, (method, path), &header, &body);
    }
    let mut locked = state.lock().unwrap();
    let page = locked.pages.get_mut(path).map(|page| {
        let busy = page.busy > 0;
        page.busy -= u32::from(busy);
        (page.clone(), busy)
    });
    drop(locked);
    let (status, headers, body) = match page {
        None => (404, String::new(), b"nothing".to_vec()),
        Some((_, true)) => (503, String::new(), Vec::new()),
        Some((page, _)) if page.etag.is_some() && header("if-none-match") == page.etag => {
            (304, String::new(), Vec::new())
        }
        Some((page, _)) => {
            let etag = page.etag.map(|etag| format!("ETag: {etag}\r\n")).unwrap_or_default();
            (if page.status == 0 { 200 } else { page.status }, page.headers + &etag, page.body)
        }
    };
    note(status);
    let length =
        if headers.contains("Content-Length") { String::new() } else { format!("Content-Length: {}\r\n", body.len()) };
    write!(stream, "HTTP/1.1 {status} X\r\nConnection: close\r\n{length}{headers}\r\n")?;
    stream.write_all(&body)
}

fn chunks(reader: &mut impl BufRead) -> std::io::Result<Vec<u8>> {
    let mut all = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let size = u64::from_str_radix(line.trim(), 16).unwrap_or(0);
        reader.by_ref().take(size).read_to_end(&mut all)?;
        reader.read_line(&mut String::new())?;
        if size == 0 {
            return Ok(all);
        }
    }
}

/// RFC 3875, as far as git needs it.
fn git(
    mut stream: &TcpStream,
    folder: &std::path::Path,
    (method, target): (&str, &str),
    header: &dyn Fn(&str) -> Option<String>,
    body: &[u8],
) -> std::io::Result<()> {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut child = Command::new("git")
        .arg("http-backend")
        .env("GIT_PROJECT_ROOT", folder)
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("GIT_CONFIG_COUNT", "1")
        .env("GIT_CONFIG_KEY_0", "safe.directory")
        .env("GIT_CONFIG_VALUE_0", "*")
        .env("PATH_INFO", path.strip_prefix("/git").unwrap_or(path))
        .env("QUERY_STRING", query)
        .env("REQUEST_METHOD", method)
        .env("CONTENT_TYPE", header("content-type").unwrap_or_default())
        .env("CONTENT_LENGTH", body.len().to_string())
        .env("HTTP_CONTENT_ENCODING", header("content-encoding").unwrap_or_default())
        .env("GIT_PROTOCOL", header("git-protocol").unwrap_or_default())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let mut input = child.stdin.take().unwrap();
    let body = body.to_vec();
    let writer = std::thread::spawn(move || input.write_all(&body));
    let mut said = Vec::new();
    child.stdout.take().unwrap().read_to_end(&mut said)?;
    child.wait()?;
    let _ = writer.join();
    let head = said.windows(4).position(|four| four == b"\r\n\r\n").map_or(said.len(), |at| at + 4);
    let text = String::from_utf8_lossy(&said[..head]).into_owned();
    let status = text.lines().find_map(|line| line.strip_prefix("Status: ")).unwrap_or("200 OK").to_owned();
    write!(stream, "HTTP/1.1 {status}\r\nConnection: close\r\n")?;
    stream.write_all(&said)
}
