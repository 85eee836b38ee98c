//! Artifacts by name: what is no image is kept as it is, on its way through the store, and never run.

use serde_json::{Value, json};

use super::push::receiver::Receiver;
use crate::harness::http::Registry;
use crate::harness::image::{digest, noise, registry};
use crate::harness::{Case, Driver};

/// Pushes an artifact with so much content to the registry of the tests: its descriptor, as an index lists it.
pub fn artifact(repository: &str, size: u64) -> Value {
    let there = Registry { address: registry(), credentials: None };
    let content = noise(size);
    // A layer of a type that images have, too: an artifact's bytes stay as they are all the same.
    let blob = |media_type: &str, bytes: &[u8]| {
        there.push_blob(repository, &digest(bytes), bytes);
        json!({"mediaType": media_type, "digest": digest(bytes), "size": bytes.len(), "odd": {"kept": [1]}})
    };
    let layers = [
        blob("application/vnd.example.model", &content),
        blob("application/vnd.oci.image.layer.v1.tar+gzip", b"no archive at all"),
    ];
    let media_type = "application/vnd.oci.image.manifest.v1+json";
    let manifest = json!({"schemaVersion": 2, "mediaType": media_type, "artifactType": "application/vnd.example",
        "config": blob("application/vnd.oci.empty.v1+json", b"{}"), "layers": layers,
        "annotations": {"a": "b"}, "new": ["key"]})
    .to_string();
    there.push_manifest(repository, &digest(manifest.as_bytes()), media_type, manifest.as_bytes());
    json!({"mediaType": media_type, "digest": digest(manifest.as_bytes()), "size": manifest.len(),
        "artifactType": "application/vnd.example"})
}

/// A case with an artifact, its name and the digest of its manifest.
fn pulled(tag: &str) -> (Case, String, String) {
    let case = Case::new(Driver::Auto);
    let found = artifact("artifacts", 5000)["digest"].as_str().unwrap().to_owned();
    let there = Registry { address: registry(), credentials: None };
    let media_type = "application/vnd.oci.image.manifest.v1+json";
    let manifest =
        there.request("GET", &format!("/v2/artifacts/manifests/{found}"), &[("Accept", media_type)], b"").body;
    there.push_manifest("artifacts", tag, media_type, &manifest);
    let name = format!("{}/artifacts:{tag}", registry());
    let id = found.strip_prefix("sha256:").unwrap();
    case.coracle(["pull", "-q", &name]).code(0).stdout(&format!("{id}\n"));
    (case, name, found)
}

fn blobs(case: &Case) -> usize {
    std::fs::read_dir(case.store().join("images/blobs/sha256")).unwrap().count()
}

/// Each byte of it arrives with the digest that it had.
#[track_caller]
fn is_whole(case: &Case, name: &str, expected: &str) {
    let receiver = Receiver::start();
    case.coracle(["push", "-q", "--digestfile", "digest", name, &format!("{}/there:1", receiver.address)]).code(0);
    assert_eq!(std::fs::read_to_string(case.home.join("digest")).unwrap(), expected);
    let manifest = receiver.manifest("there", "1").unwrap();
    let layers = manifest["layers"].as_array().unwrap();
    for blob in layers.iter().chain([&manifest["config"]]) {
        let bytes = receiver.blob("there", blob["digest"].as_str().unwrap()).unwrap();
        assert_eq!(digest(&bytes), blob["digest"]);
    }
}

#[test]
fn an_artifact_is_pulled_looked_at_pushed_and_removed() {
    let (case, name, manifest) = pulled("one");
    let looked: Value = serde_json::from_str(&case.coracle(["image", "inspect", &name]).code(0).stdout).unwrap();
    assert_eq!((&looked[0]["Digest"], &looked[0]["RootFS"]["Layers"]), (&json!(manifest), &json!([])));
    assert_eq!(looked[0]["Annotations"], json!({"a": "b"}));
    case.coracle(["images", "--format", "{{.Names}} {{.Size}}"]).code(0).stdout(&format!("[{name}] 5.02 kB\n"));
    // All is here.
    let again = case.coracle(["pull", &name]).code(0).stderr;
    assert_eq!(again.matches("skipped: already exists").count(), 2, "{again}");
    case.coracle(["system", "check"]).code(0).stdout("");
    is_whole(&case, &name, &manifest);
    case.coracle(["tag", &name, "other"]).code(0);
    case.coracle(["rmi", &name]).code(0);
    is_whole(&case, "other", &manifest);
    case.coracle(["manifest", "create", "list", "other"]).code(0);
    let list: Value = serde_json::from_str(&case.coracle(["manifest", "inspect", "list"]).code(0).stdout).unwrap();
    assert_eq!(list["manifests"][0]["artifactType"], "application/vnd.example");
    case.coracle(["manifest", "rm", "list"]).code(0);
    case.coracle(["rmi", &manifest[7..19]]).code(0);
    assert_eq!(blobs(&case), 0);
}

/// Two artifacts have the same empty config and share a blob: what one needs stays when the other goes.
#[test]
fn artifacts_with_one_config_are_two() {
    let (case, one, _) = pulled("one");
    let two = format!("{}/artifacts@{}", registry(), artifact("artifacts", 6000)["digest"].as_str().unwrap());
    case.coracle(["pull", "-q", &two]).code(0);
    assert_eq!(case.coracle(["images", "-q"]).code(0).stdout.lines().count(), 2);
    case.coracle(["rmi", &two]).code(0);
    case.coracle(["image", "prune", "-f"]).code(0);
    case.coracle(["system", "check"]).code(0).stdout("");
    assert_eq!(case.coracle(["images", "--format", "{{.Names}}"]).code(0).stdout, format!("[{one}]\n"));
}

#[test]
fn an_artifact_is_saved_and_loaded() {
    let (case, name, manifest) = pulled("saved");
    for format in ["oci-archive", "oci-dir", "docker-dir"] {
        case.coracle(["save", "-q", "--format", format, "-o", format, &name]).code(0);
    }
    case.coracle(["save", "-q", "-o", "docker-archive", &name]).code(125).error("is an artifact").says("hint: ");
    assert!(!case.home.join("docker-archive").exists());
    for place in ["oci-archive:oci-archive", "oci:oci-dir", "dir:docker-dir"] {
        case.coracle(["rmi", "-af"]).code(0);
        assert_eq!(blobs(&case), 0, "{place}");
        case.coracle(["pull", "-q", place]).code(0);
        is_whole(&case, &manifest[7..], &manifest);
    }
}

/// What shall run is refused before a byte of it is here; what is here is refused, too.
#[test]
fn an_artifact_is_never_run() {
    let (case, name, _) = pulled("run");
    let refused = "is an artifact (`application/vnd.example`), not something that can be run";
    let commands: [&[&str]; 4] = [
        &["run", "--rm", &name],
        &["create", &name],
        &["run", "--rm", "--mount", &format!("type=image,source={name},target=/x"), &name],
        &["history", &name],
    ];
    for command in commands {
        case.coracle(command.iter().copied()).code(125).error(refused).says("hint: ");
    }
    case.coracle(["rmi", &name]).code(0);
    case.coracle(["run", "--rm", &name]).code(125).error(refused);
    assert_eq!((blobs(&case), case.coracle(["images", "-q"]).code(0).stdout.as_str()), (0, ""));
}
