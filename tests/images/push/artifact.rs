//! Artifacts made of files, in a list.

use serde_json::{Value, json};

use super::receiver::Receiver;
use crate::harness::image::digest;
use crate::harness::{Case, Driver, Image, Layer};

const EMPTY: &str = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";

fn inspect(case: &Case) -> Value {
    serde_json::from_str(&case.coracle(["manifest", "inspect", "list"]).succeeded().stdout).unwrap()
}

/// A case with a list and some files in its home.
fn case() -> Case {
    let case = Case::new(Driver::Auto);
    case.coracle(["manifest", "create", "list"]).succeeded();
    for (name, content) in [("t.txt", &b"hello\n"[..]), ("b.bin", b"\x01\x02\0bin"), ("j.json", b"{\"a\":1}")] {
        std::fs::write(case.home.join(name), content).unwrap();
    }
    case
}

/// The manifest of this one file is the one that Podman 5.4 makes, byte for byte.
#[test]
fn files_become_an_artifact() {
    let (case, receiver) = (case(), Receiver::start());
    let id = case.coracle(["manifest", "add", "--artifact", "list", "t.txt"]).succeeded().stdout;
    let kind = "application/vnd.oci.image.manifest.v1+json";
    let of_podman = "sha256:ef2ec693063818bc733a8485a0f47e1baa84cf1b0913abb47af98e1c45ce1bf2";
    assert_eq!(
        inspect(&case)["manifests"],
        json!([{"mediaType": kind, "digest": of_podman, "size": 481, "artifactType": "application/vnd.unknown.artifact.v1"}])
    );
    let flags = [
        "--artifact-type=application/vnd.x",
        "--artifact-layer-type=application/vnd.l",
        "--artifact-exclude-titles",
        "--artifact-config=j.json",
        "--artifact-config-type=application/vnd.c",
        "--annotation=k=v",
        "--arch=arm64",
        "--os=linux",
    ];
    let add = ["manifest", "add", "--artifact"].into_iter().chain(flags).chain(["list", "b.bin", "t.txt"]);
    case.coracle(add).code(0).stdout(&id);
    let entry = inspect(&case)["manifests"][1].clone();
    assert_eq!(entry["platform"], json!({"architecture": "arm64", "os": "linux"}));
    assert_eq!((&entry["annotations"], &entry["artifactType"]), (&json!({"k": "v"}), &json!("application/vnd.x")));
    // The files are not needed any more, and what the list leads to stays as long as it does.
    for name in ["t.txt", "b.bin", "j.json"] {
        std::fs::remove_file(case.home.join(name)).unwrap();
    }
    case.coracle(["image", "prune", "--force"]).code(0);
    case.coracle(["system", "check"]).code(0).stdout("");
    case.coracle(["manifest", "push", "list", &format!("{}/files:1", receiver.address)]).code(0);
    assert_eq!(receiver.manifest("files", "1"), Some(inspect(&case)));
    let first = receiver.manifest("files", of_podman).unwrap();
    assert_eq!(first["config"]["digest"], EMPTY);
    assert_eq!(receiver.blob("files", first["layers"][0]["digest"].as_str().unwrap()).unwrap(), b"hello\n");
    let second = receiver.manifest("files", entry["digest"].as_str().unwrap()).unwrap();
    assert_eq!(second["config"]["mediaType"], "application/vnd.c");
    assert_eq!(receiver.blob("files", second["config"]["digest"].as_str().unwrap()).unwrap(), b"{\"a\":1}");
    assert_eq!(second["layers"][0]["digest"], digest(b"\x01\x02\0bin"));
    assert_eq!(
        (&second["layers"][0]["mediaType"], &second["layers"][0]["annotations"]),
        (&json!("application/vnd.l"), &Value::Null)
    );
    // A list at a registry is shown as one that is here.
    let there = case.coracle(["manifest", "inspect", &format!("{}/files:1", receiver.address)]).code(0).stdout;
    assert_eq!(serde_json::from_str::<Value>(&there).unwrap(), inspect(&case));
    case.coracle(["manifest", "inspect", &format!("{}/files:none", receiver.address)]).code(125).error("files:none");
    case.coracle(["manifest", "rm", "list"]).code(0);
    assert_eq!(std::fs::read_dir(case.store().join("images/blobs/sha256")).unwrap().count(), 0);
}

/// An artifact, or a list itself, may belong to an image: here or at a registry.
#[test]
fn subjects() {
    let (case, receiver) = (case(), Receiver::start());
    let image = case.pull(&Image::of(vec![Layer::new().file("a", 0o644, "a")]).push("subject:1"));
    let to = format!("{}/subject:1", receiver.address);
    case.coracle(["push", &image, &to]).code(0);
    let wanted = case.coracle(["images", "--format", "{{.Digest}}", &image]).code(0).stdout;
    for subject in [&image, &to] {
        case.coracle(["manifest", "add", "--artifact", "--artifact-subject", subject, "list", "t.txt"]).code(0);
        case.coracle(["manifest", "annotate", "--index", "--subject", subject, "list"]).code(0);
        let list = inspect(&case);
        assert_eq!(list["subject"]["digest"], wanted.trim(), "{subject}");
        case.coracle(["manifest", "push", "list", &format!("{}/list:1", receiver.address)]).code(0);
        let artifact = receiver.manifest("list", list["manifests"][0]["digest"].as_str().unwrap()).unwrap();
        assert_eq!(artifact["subject"], list["subject"], "{subject}");
    }
    case.coracle(["rmi", &image]).code(0);
    case.coracle(["manifest", "annotate", "--subject", &to, "list"]).code(125).error("--index");
    case.coracle(["manifest", "annotate", "--index", "list", EMPTY]).code(125).error("--index");
}

#[test]
fn what_is_no_artifact() {
    let case = case();
    case.coracle(["manifest", "add", "--artifact", "list", "/nonexistent"]).code(125).error("/nonexistent");
    case.coracle(["manifest", "add", "--artifact", "list", "/proc"]).code(125).error("`/proc` is not a file");
    case.coracle(["manifest", "add", "--artifact-type", "a/b", "list", "t.txt"])
        .code(125)
        .error("--artifact-type requires --artifact");
    case.coracle(["manifest", "add", "--artifact", "nope", "t.txt"]).code(125).error("nope: image not known");
    assert_eq!(inspect(&case)["manifests"], json!([]));
    assert_eq!(std::fs::read_dir(case.store().join("tmp")).unwrap().count(), 0);
}
