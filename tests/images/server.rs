//! A registry of a few lines: what it answers is the test's to say.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};

use serde_json::json;

use crate::harness::Layer;
use crate::harness::http::{TLS, first_byte};
use crate::harness::image::{digest, machine};

/// An answer to one request.
#[derive(Clone)]
pub enum Answer {
    /// Status and body.
    Whole(u16, Vec<u8>),
    /// Announces more bytes than it sends, then closes.
    Short(Vec<u8>),
    /// Sends so many bytes, and the rest once [`Server::release`] is called.
    Held(Vec<u8>, usize),
    /// To another address.
    Redirect(String),
}

impl Answer {
    /// Holds all of a whole answer back.
    pub fn hold(&mut self) {
        if let Self::Whole(_, body) = self {
            *self = Self::Held(std::mem::take(body), 0);
        }
    }
}

/// Paths and their answers: the first is given once, the last for ever.
pub type Answers = BTreeMap<String, Vec<Answer>>;

pub struct Server {
    pub address: String,
    state: Arc<State>,
}

struct State {
    answers: Mutex<Answers>,
    asked: Mutex<Vec<String>>,
    released: Mutex<bool>,
    release: Condvar,
}

impl Server {
    pub fn start(answers: Answers) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (asked, released, release) = (Mutex::default(), Mutex::new(false), Condvar::new());
        let state = Arc::new(State { answers: Mutex::new(answers), asked, released, release });
        let serving = Arc::clone(&state);
        // Lives as long as the test binary.
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let state = Arc::clone(&serving);
                std::thread::spawn(move || state.serve(stream));
            }
        });
        Self { address, state }
    }

    /// From now on these, as what an image says may depend on the server's address.
    pub fn answer_with(&self, answers: Answers) {
        *self.state.answers.lock().unwrap() = answers;
    }

    /// What was held back is sent.
    pub fn release(&self) {
        *self.state.released.lock().unwrap() = true;
        self.state.release.notify_all();
    }

    /// How often a path was asked for.
    pub fn asked(&self, path: &str) -> usize {
        self.state.asked.lock().unwrap().iter().filter(|asked| *asked == path).count()
    }
}

impl State {
    /// One request, one answer, then the connection is closed.
    fn serve(&self, mut stream: TcpStream) {
        if first_byte(&stream) == TLS {
            return;
        }
        let mut lines = BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok);
        let Some(first) = lines.next() else { return };
        let path = first.split(' ').nth(1).unwrap_or_default().to_owned();
        for _ in lines.take_while(|line| !line.is_empty()) {}
        self.asked.lock().unwrap().push(path.clone());
        let (mut status, mut extra, mut missing, mut now) = (200, String::new(), 0, usize::MAX);
        let body = match self.answer(&path) {
            Answer::Whole(other, body) => {
                status = other;
                body
            }
            Answer::Short(body) => {
                missing = 1000;
                body
            }
            Answer::Held(body, first) => {
                now = first;
                body
            }
            Answer::Redirect(to) => {
                (status, extra) = (307, format!("Location: {to}\r\n"));
                Vec::new()
            }
        };
        let length = body.len() + missing;
        let head = format!("HTTP/1.1 {status} X\r\nContent-Length: {length}\r\nConnection: close\r\n{extra}\r\n");
        let (first, rest) = body.split_at(now.min(body.len()));
        // A client that went away is not this side's failure.
        let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(first));
        if !rest.is_empty() {
            drop(self.release.wait_while(self.released.lock().unwrap(), |released| !*released).unwrap());
            let _ = stream.write_all(rest);
        }
    }

    fn answer(&self, path: &str) -> Answer {
        match self.answers.lock().unwrap().get_mut(path) {
            Some(list) if list.len() > 1 => list.remove(0),
            Some(list) => list[0].clone(),
            None if path == "/v2/" => Answer::Whole(200, b"{}".to_vec()),
            None => Answer::Whole(404, b"{\"errors\":[{\"code\":\"MANIFEST_UNKNOWN\",\"message\":\"\"}]}".to_vec()),
        }
    }
}

/// An honest image of plain layers, for a test to spoil.
pub struct Parts {
    /// The first of them.
    pub layer: Vec<u8>,
    others: Vec<Vec<u8>>,
    pub config: serde_json::Value,
    pub manifest: serde_json::Value,
}

impl Parts {
    pub fn new() -> Self {
        Self::of(&[Layer::new().file("seen", 0o644, vec![b'x'; 300_000])])
    }

    pub fn of(layers: &[Layer]) -> Self {
        let mut layers: Vec<_> = layers.iter().map(Layer::tar).collect();
        let diff_ids: Vec<_> = layers.iter().map(|layer| digest(layer)).collect();
        let config = json!({"architecture": machine(), "os": "linux", "config": {},
            "rootfs": {"type": "layers", "diff_ids": diff_ids}});
        let described: Vec<_> =
            layers.iter().map(|layer| Self::descriptor("application/vnd.oci.image.layer.v1.tar", layer)).collect();
        let manifest = json!({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": Self::descriptor("application/vnd.oci.image.config.v1+json", config.to_string().as_bytes()),
            "layers": described});
        let layer = layers.remove(0);
        Self { layer, others: layers, config, manifest }
    }

    /// Names other diff ids, in a config that the manifest knows.
    pub fn claim(&mut self, diff_ids: &[String]) {
        self.config["rootfs"]["diff_ids"] = json!(diff_ids);
        self.manifest["config"] =
            Self::descriptor("application/vnd.oci.image.config.v1+json", self.config.to_string().as_bytes());
    }

    pub fn descriptor(media_type: &str, bytes: &[u8]) -> serde_json::Value {
        json!({"mediaType": media_type, "digest": digest(bytes), "size": bytes.len()})
    }

    /// Where the first layer lies that the manifest names.
    pub fn layer_path(&self) -> String {
        self.layer_paths().remove(0)
    }

    pub fn layer_paths(&self) -> Vec<String> {
        let layers = self.manifest["layers"].as_array().unwrap();
        layers.iter().map(|layer| format!("/v2/x/blobs/{}", layer["digest"].as_str().unwrap())).collect()
    }

    /// Where the config lies that the manifest names.
    pub fn config_path(&self) -> String {
        format!("/v2/x/blobs/{}", self.manifest["config"]["digest"].as_str().unwrap())
    }

    /// What an honest registry answers.
    pub fn answers(&self) -> Answers {
        let whole = |bytes: &[u8]| vec![Answer::Whole(200, bytes.to_vec())];
        let layers = self.layer_paths().into_iter().zip([&self.layer].into_iter().chain(&self.others));
        let mut answers: Answers = layers.map(|(path, layer)| (path, whole(layer))).collect();
        answers.insert("/v2/x/manifests/1".to_owned(), whole(self.manifest.to_string().as_bytes()));
        answers.insert(self.config_path(), whole(self.config.to_string().as_bytes()));
        answers
    }
}
