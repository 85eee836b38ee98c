//! What a registry may try.

use super::server::{Answer, Answers, Parts, Server};
use crate::harness::image::digest;
use crate::harness::{Case, Driver};

/// Pulls from a registry with these answers; it must fail with an error that holds `cause`, and leave nothing.
#[track_caller]
fn refused(answers: Answers, cause: &str) -> Server {
    let server = Server::start(answers);
    let case = Case::new(Driver::Auto);
    case.coracle(["pull", &format!("{}/x:1", server.address)]).code(125).stdout("").error(cause);
    case.coracle(["images", "-q"]).code(0).stdout("");
    for folder in ["layers", "tmp", "partial", "images/blobs/sha256"] {
        let left = std::fs::read_dir(case.store().join(folder)).map_or(0, Iterator::count);
        assert_eq!(left, 0, "left in {folder} after {cause:?}");
    }
    server
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
    parts.manifest["layers"][0]["size"] = (parts.layer.len() - 1).into();
    refused(parts.answers(), "bytes, not the");
    parts.manifest["layers"][0]["size"] = (parts.layer.len() + 1).into();
    refused(parts.answers(), "bytes, not the");
}

#[test]
fn a_layer_that_unpacks_to_something_else() {
    let mut parts = Parts::new();
    let honest = parts.config.to_string();
    parts.config["rootfs"]["diff_ids"][0] = digest(b"something else").into();
    let lie = parts.config.to_string();
    let text = parts.manifest.to_string().replace(&digest(honest.as_bytes()), &digest(lie.as_bytes()));
    parts.manifest = serde_json::from_str(&text).unwrap();
    refused(parts.answers(), "the image says");
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
