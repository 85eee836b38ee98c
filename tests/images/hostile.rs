//! What a registry may try.
//!
//! Whatever it is: the pull ends with 125 and one line within 30 s, nothing shows in the store, at most a mebibyte is left there,
//! and no process needed more than 100 MB.

use std::time::Instant;

use super::registry::{LEFT, MEMORY, TIME, highest, size};
use super::server::{Answer, Answers, Parts, Server};
use crate::harness::image::{Compression, digest};
use crate::harness::{Case, Driver, Layer};

/// Pulls what can't be had: within what time and memory, and what is left of it.
#[track_caller]
fn fails(case: &Case, server: &Server, cause: &str) {
    let (begun, before) = (Instant::now(), size(&case.store()));
    let running = case.command(["pull", &format!("{}/x:1", server.address)]).start();
    let memory = highest(running.pid().as_raw_nonzero().get());
    let finished = running.finish().code(125).stdout("").error(cause);
    let errors = finished.stderr.lines().filter(|line| line.starts_with("Error: ")).count();
    assert_eq!(errors, 1, "more than one line says it: {finished}");
    assert!(begun.elapsed() < TIME, "it took {:?}: {finished}", begun.elapsed());
    assert!((1..MEMORY).contains(&memory), "it took {memory} KiB of memory: {finished}");
    let left = size(&case.store()).saturating_sub(before);
    assert!(left <= LEFT, "{left} bytes are left: {finished}");
}

/// Pulls from a registry with these answers; it must fail with an error that holds `cause`, and leave nothing.
#[track_caller]
fn refused(answers: Answers, cause: &str) -> Server {
    let server = Server::start(answers);
    let case = Case::new(Driver::Auto);
    fails(&case, &server, cause);
    case.coracle(["images", "-aq"]).code(0).stdout("");
    for folder in ["layers", "tmp", "partial", "images/blobs/sha256"] {
        let left = std::fs::read_dir(case.store().join(folder)).map_or(0, Iterator::count);
        assert_eq!(left, 0, "left in {folder} after {cause:?}");
    }
    server
}

/// The same where the honest image is here already, and stays.
#[track_caller]
fn refused_beside_the_honest(answers: Answers, cause: &str) {
    let (honest, server) = (Server::start(Parts::new().answers()), Server::start(answers));
    let case = Case::new(Driver::Auto);
    let honest = case.pull(&format!("{}/x:1", honest.address));
    let blobs = || std::fs::read_dir(case.store().join("images/blobs/sha256")).unwrap().count();
    assert_eq!(blobs(), 3);
    fails(&case, &server, cause);
    case.coracle(["images", "-a", "--format", "{{.Repository}}:{{.Tag}}"]).code(0).stdout(&format!("{honest}\n"));
    assert_eq!(blobs(), 3, "left after {cause:?}");
}

#[track_caller]
fn accepted(answers: Answers) -> Server {
    let server = Server::start(answers);
    let case = Case::new(Driver::Auto);
    let name = format!("{}/x:1", server.address);
    case.coracle(["pull", &name]).code(0);
    assert_eq!(std::fs::read_dir(case.store().join("layers")).unwrap().count(), 1);
    server
}

#[test]
fn an_honest_one_is_believed() {
    accepted(Parts::new().answers());
}

#[test]
fn a_layer_with_other_bytes() {
    let parts = Parts::new();
    let mut answers = parts.answers();
    let mut bytes = parts.layer.clone();
    bytes[1000] ^= 1;
    answers.insert(parts.layer_path(), vec![Answer::Whole(200, bytes)]);
    refused(answers, "digest");
}

#[test]
fn a_layer_of_another_length() {
    let mut parts = Parts::new();
    for size in [parts.layer.len() - 1, parts.layer.len() + 1] {
        parts.manifest["layers"][0]["size"] = size.into();
        refused(parts.answers(), "bytes, not the");
        refused_beside_the_honest(parts.answers(), "bytes, not the");
    }
}

/// It is not even asked for: there might be no end of it.
#[test]
fn a_layer_larger_than_the_disk() {
    let mut parts = Parts::new();
    parts.manifest["layers"][0]["size"] = 1_000_000_000_000_000_u64.into();
    let server = refused(parts.answers(), "No space left on device");
    assert_eq!(server.asked(&parts.layer_path()), 0);
}

#[test]
fn a_config_of_another_length() {
    let mut parts = Parts::new();
    parts.manifest["config"]["size"] = 7.into();
    refused(parts.answers(), "bytes, not the");
    refused_beside_the_honest(parts.answers(), "bytes, not the");
}

#[test]
fn a_layer_that_unpacks_to_something_else() {
    let mut parts = Parts::new();
    parts.claim(&[digest(b"something else")]);
    refused(parts.answers(), "the image says");
    refused_beside_the_honest(parts.answers(), "the image says");
}

/// Who knows the diff id of a layer could run with its files.
#[test]
fn a_layer_that_is_said_to_be_one_that_is_here() {
    for other in [Layer::new().file("other", 0o644, "x"), Layer::new().file("large", 0o644, vec![b'x'; 3_000_000])] {
        let mut parts = Parts::of(&[other.compressed(Compression::Gzip)]);
        parts.claim(&[digest(&Parts::new().layer)]);
        refused(parts.answers(), "the image says");
        refused_beside_the_honest(parts.answers(), "the image says");
        // Its blob is here, too.
        let server = Server::start(parts.answers());
        let case = Case::new(Driver::Auto);
        let name = format!("{}/x:1", server.address);
        parts.claim(&[digest(&parts.layer)]);
        server.answer_with(parts.answers());
        case.pull(&name);
        server.answer_with(Parts::new().answers());
        case.pull(&name);
        parts.claim(&[digest(&Parts::new().layer)]);
        server.answer_with(parts.answers());
        fails(&case, &server, "the image says");
    }
}

/// Both blobs are here afterwards, and count each time.
#[test]
fn a_layer_in_two_blobs_is_lawful() {
    let mut parts = Parts::new();
    let layer = Layer::new().file("seen", 0o644, vec![b'x'; 300_000]);
    let packed = layer.compressed(Compression::Gzip).blob();
    let diff_id = digest(&parts.layer);
    parts.claim(&[diff_id.clone(), diff_id]);
    let second = Parts::descriptor("application/vnd.oci.image.layer.v1.tar+gzip", &packed);
    parts.manifest["layers"].as_array_mut().unwrap().push(second);
    let mut answers = parts.answers();
    answers.insert(parts.layer_paths().remove(1), vec![Answer::Whole(200, packed)]);
    let server = Server::start(answers);
    for first in [None, Some(Parts::new())] {
        let case = Case::new(Driver::Auto);
        if let Some(first) = first {
            case.pull(&format!("{}/x:1", Server::start(first.answers()).address));
        }
        let name = case.pull(&format!("{}/x:1", server.address));
        case.pull(&name);
        let archive = case.home.join("saved.tar");
        case.coracle(["save", "--format", "oci-archive", "-q", "-o", archive.to_str().unwrap(), &name]).code(0);
        case.coracle(["system", "check"]).code(0);
    }
}

#[test]
fn a_config_with_other_bytes() {
    let mut parts = Parts::new();
    let mut answers = parts.answers();
    parts.config["os"] = "linuy".into();
    answers.insert(parts.config_path(), vec![Answer::Whole(200, parts.config.to_string().into_bytes())]);
    refused(answers, "digest");
}

#[test]
fn a_manifest_that_is_two_things() {
    let mut parts = Parts::new();
    parts.manifest["manifests"] = serde_json::json!([]);
    refused(parts.answers(), "as an image and as an index");
    refused_beside_the_honest(parts.answers(), "as an image and as an index");
    let mut old = Parts::new();
    old.manifest = serde_json::json!({"schemaVersion": 1, "fsLayers": []});
    let mut answers = Answers::new();
    answers.insert("/v2/x/manifests/1".into(), vec![Answer::Whole(200, old.manifest.to_string().into_bytes())]);
    refused(answers, "schema 1");
}

#[test]
fn a_layer_that_must_not_be_distributed() {
    let mut parts = Parts::new();
    parts.manifest["layers"][0]["mediaType"] = "application/vnd.oci.image.layer.nondistributable.v1.tar".into();
    refused(parts.answers(), "not distributable");
    refused_beside_the_honest(parts.answers(), "not distributable");
}

/// After a connection that breaks, and an error that passes, there are three more attempts.
#[test]
fn what_may_pass_is_tried_again() {
    let parts = Parts::new();
    let (whole, short) = (Answer::Whole(200, parts.layer.clone()), Answer::Short(parts.layer[..100_000].to_vec()));
    let busy = Answer::Whole(503, Vec::new());
    for first in [busy.clone(), short.clone()] {
        let mut answers = parts.answers();
        answers.insert(parts.layer_path(), vec![first, whole.clone()]);
        assert_eq!(accepted(answers).asked(&parts.layer_path()), 2);
    }
    let mut answers = parts.answers();
    answers.insert(parts.layer_path(), vec![busy]);
    assert_eq!(refused(answers, "503").asked(&parts.layer_path()), 4);
    let mut answers = parts.answers();
    answers.insert(parts.layer_path(), vec![short]);
    assert_eq!(refused(answers, "127.0.0.1").asked(&parts.layer_path()), 4);
}

#[test]
fn redirects_are_followed_and_have_an_end() {
    let parts = Parts::new();
    let mut answers = parts.answers();
    let elsewhere = Server::start(Answers::from([("/blob".into(), vec![Answer::Whole(200, parts.layer.clone())])]));
    answers.insert(parts.layer_path(), vec![Answer::Redirect(format!("http://{}/blob", elsewhere.address))]);
    accepted(answers);
    let mut answers = parts.answers();
    answers.insert(parts.layer_path(), vec![Answer::Redirect(parts.layer_path())]);
    refused(answers, "redirect");
}
