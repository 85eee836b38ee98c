//! What is unusual, and right all the same: it is pulled.

use serde_json::json;

use super::scripted::{Registry, Reply, Script};
use crate::harness::image::{digest, machine};
use crate::harness::{Case, Driver};
use crate::images::server::{Answer, Parts};

#[track_caller]
fn accepted(name: &str, parts: &Parts, script: Script) {
    let registry = Registry::start(parts, script);
    let finished = Case::new(Driver::Auto).coracle(["pull", "-q", &format!("{}/x:1", registry.address)]);
    assert_eq!(finished.code, Some(0), "{name}: {finished}");
}

/// All that an honest registry has, answered in another way.
fn rewritten(name: &str, reply: impl Fn(Vec<u8>) -> Reply + Send + Sync + 'static) {
    let parts = Parts::new();
    let answers = parts.answers();
    accepted(
        name,
        &parts,
        Box::new(move |request, _| match answers.get(&request.path)?.first()? {
            Answer::Whole(_, body) => Some(reply(body.clone())),
            _ => None,
        }),
    );
}

#[test]
fn answers() {
    rewritten("HTTP/1.0", |body| Reply::raw([b"HTTP/1.0 200 OK\r\n\r\n".to_vec(), body].concat()));
    rewritten("no length", |body| Reply::ok(body).no_length());
    rewritten("one chunk", |body| {
        let text = [format!("{:x}\r\n", body.len()).into_bytes(), body, b"\r\n0\r\n\r\n".to_vec()].concat();
        Reply::ok(text).no_length().header("Transfer-Encoding", "chunked")
    });
    rewritten("a type that tells nothing", |body| Reply::ok(body).header("Content-Type", "application/octet-stream"));
    rewritten("an encoding that is none", |body| Reply::ok(body).header("Content-Encoding", "identity"));
    rewritten("a digest that is another's", |body| Reply::ok(body).header("Docker-Content-Digest", &digest(b"other")));
    accepted(
        "no root of the API",
        &Parts::new(),
        Box::new(|request, _| (request.path == "/v2/").then(|| Reply::new(404, ""))),
    );
}

#[test]
fn five_redirects() {
    let parts = Parts::new();
    let (path, body) = (parts.layer_path(), parts.layer.clone());
    let script: Script = Box::new(move |request, _| {
        let hop: usize = match request.path.strip_prefix("/hop/") {
            Some(hop) => hop.parse().ok()?,
            None if request.path == path => 0,
            None => return None,
        };
        Some(if hop == 5 { Reply::ok(body.clone()) } else { Reply::redirect(&format!("/hop/{}", hop + 1)) })
    });
    accepted("five redirects", &parts, script);
}

/// The parts of an image with another config, and so many times its layer.
fn image(change: impl FnOnce(&mut serde_json::Value), layers: usize) -> Parts {
    let mut parts = Parts::new();
    let (layer, id) = (parts.manifest["layers"][0].clone(), parts.config["rootfs"]["diff_ids"][0].clone());
    parts.config["rootfs"]["diff_ids"] = vec![id; layers].into();
    change(&mut parts.config);
    let config = parts.config.to_string();
    parts.manifest["config"]["digest"] = digest(config.as_bytes()).into();
    parts.manifest["config"]["size"] = config.len().into();
    parts.manifest["layers"] = vec![layer; layers].into();
    parts
}

#[test]
fn documents() {
    let honest: fn() -> Script = || Box::new(|_, _| None);
    accepted("the same layer 127 times", &image(|_| (), 127), honest());
    accepted("unknown keys", &image(|config| config["new"] = json!({"a": [1, {"b": null}]}), 1), honest());
    let mut wordy = Parts::new();
    wordy.manifest["annotations"] = json!({"org.example": "x".repeat(1 << 20)});
    wordy.manifest["unknown"] = json!([[[[[1]]]]]);
    accepted("a megabyte of annotations", &wordy, honest());
    let parts = Parts::new();
    let text = parts.manifest.to_string();
    let entry = |text: &str, kind: &str| {
        json!({"mediaType": kind, "digest": digest(text.as_bytes()), "size": text.len(),
            "platform": {"os": "linux", "architecture": machine()}})
    };
    let index = "application/vnd.oci.image.index.v1+json";
    let inner = json!({"schemaVersion": 2, "manifests": [entry(&text, "application/vnd.oci.image.manifest.v1+json")]})
        .to_string();
    let outer = json!({"schemaVersion": 2, "manifests": [entry(&inner, index)]}).to_string();
    let script: Script = Box::new(move |request, _| {
        let name = request.path.strip_prefix("/v2/x/manifests/")?;
        let all = [&outer, &inner, &text];
        let found = if name == "1" { Some(&all[0]) } else { all.iter().find(|text| digest(text.as_bytes()) == name) };
        found.map(|text| Reply::ok(text.as_str()))
    });
    accepted("an index in an index", &parts, script);
}
