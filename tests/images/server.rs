//! A registry of a few lines: what it answers is the test's to say.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use serde_json::json;

use crate::harness::Layer;
use crate::harness::image::{digest, machine};

/// An answer to one request.
#[derive(Clone)]
pub enum Answer {
    /// Status and body.
    Whole(u16, Vec<u8>),
    /// Announces more bytes than it sends, then closes.
    Short(Vec<u8>),
    /// To another address.
    Redirect(String),
}

/// Paths and their answers: the first is given once, the last for ever.
pub type Answers = BTreeMap<String, Vec<Answer>>;

pub struct Server {
    pub address: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Server {
    pub fn start(answers: Answers) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let state = Arc::new(Mutex::new(answers));
        let log = Arc::clone(&asked);
        // Lives as long as the test binary.
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (state, log) = (Arc::clone(&state), Arc::clone(&log));
                std::thread::spawn(move || serve(stream, &state, &log));
            }
        });
        Self { address, asked }
    }

    /// How often a path was asked for.
    pub fn asked(&self, path: &str) -> usize {
        self.asked.lock().unwrap().iter().filter(|asked| *asked == path).count()
    }
}

/// One request, one answer, then the connection is closed.
fn serve(mut stream: TcpStream, answers: &Mutex<Answers>, log: &Mutex<Vec<String>>) {
    let mut lines = BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok);
    let Some(first) = lines.next() else { return };
    let path = first.split(' ').nth(1).unwrap_or_default().to_owned();
    for _ in lines.take_while(|line| !line.is_empty()) {}
    log.lock().unwrap().push(path.clone());
    let answer = {
        let mut answers = answers.lock().unwrap();
        match answers.get_mut(&path) {
            Some(list) if list.len() > 1 => list.remove(0),
            Some(list) => list[0].clone(),
            None if path == "/v2/" => Answer::Whole(200, b"{}".to_vec()),
            None => Answer::Whole(404, b"{\"errors\":[{\"code\":\"MANIFEST_UNKNOWN\",\"message\":\"\"}]}".to_vec()),
        }
    };
    let (status, extra, length, body) = match answer {
        Answer::Whole(status, body) => (status, String::new(), body.len(), body),
        Answer::Short(body) => (200, String::new(), body.len() + 1000, body),
        Answer::Redirect(to) => (307, format!("Location: {to}\r\n"), 0, Vec::new()),
    };
    let head = format!("HTTP/1.1 {status} X\r\nContent-Length: {length}\r\nConnection: close\r\n{extra}\r\n");
    // A client that went away is not this side's failure.
    let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&body));
}

/// An honest image of one plain layer, for a test to spoil.
pub struct Parts {
    pub layer: Vec<u8>,
    pub config: serde_json::Value,
    pub manifest: serde_json::Value,
}

impl Parts {
    pub fn new() -> Self {
        let layer = Layer::new().file("seen", 0o644, vec![b'x'; 300_000]).tar();
        let config = json!({"architecture": machine(), "os": "linux", "config": {},
            "rootfs": {"type": "layers", "diff_ids": [digest(&layer)]}});
        let manifest = json!({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": Self::descriptor("application/vnd.oci.image.config.v1+json", config.to_string().as_bytes()),
            "layers": [Self::descriptor("application/vnd.oci.image.layer.v1.tar", &layer)]});
        Self { layer, config, manifest }
    }

    fn descriptor(media_type: &str, bytes: &[u8]) -> serde_json::Value {
        json!({"mediaType": media_type, "digest": digest(bytes), "size": bytes.len()})
    }

    /// Where the layer lies that the manifest names.
    pub fn layer_path(&self) -> String {
        format!("/v2/x/blobs/{}", self.manifest["layers"][0]["digest"].as_str().unwrap())
    }

    /// What an honest registry answers.
    pub fn answers(&self) -> Answers {
        let config = self.config.to_string().into_bytes();
        let whole = |bytes: &[u8]| vec![Answer::Whole(200, bytes.to_vec())];
        BTreeMap::from([
            ("/v2/x/manifests/1".to_owned(), whole(self.manifest.to_string().as_bytes())),
            (format!("/v2/x/blobs/{}", self.manifest["config"]["digest"].as_str().unwrap()), whole(&config)),
            (self.layer_path(), whole(&self.layer)),
        ])
    }
}
