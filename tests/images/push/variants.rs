//! Lists to archives, and with images in another compression beside those that they have.

use serde_json::{Value, json};

use super::receiver::Receiver;
use crate::harness::image::{Format, digest, machine, push_index};
use crate::harness::{Case, Command, Driver, Image, Layer};
use crate::images::artifacts::artifact;

const ZSTD: &str = "io.github.containers.compression.zstd";

/// A case with a list of an image that is here, one that is at a registry, and an artifact.
fn case(repository: &str) -> Case {
    let case = Case::new(Driver::Auto);
    let image = |architecture: &str| {
        Image::of(vec![Layer::new().file("f", 0o644, architecture)]).platform("linux", architecture)
    };
    let here = case.pull(&image(&machine()).push(&format!("{repository}:here")));
    let there = push_index(&[image("riscv64").format(Format::Docker)], Format::Docker, &format!("{repository}:there"));
    let artifact = artifact(repository, 7000)["digest"].as_str().unwrap().to_owned();
    let repository = here.split_once(":here").unwrap().0;
    case.coracle(["manifest", "create", "list", &here, &format!("docker://{repository}@{artifact}")]).succeeded();
    case.coracle(["manifest", "add", "--all", "list", &format!("docker://{there}")]).succeeded();
    case
}

fn json_of(case: &Case, path: &str) -> Value {
    serde_json::from_slice(&std::fs::read(case.home.join(path)).unwrap()).unwrap()
}

fn platforms(index: &Value) -> Vec<String> {
    let entries = index["manifests"].as_array().unwrap().iter();
    entries.filter_map(|entry| Some(entry["platform"]["architecture"].as_str()?.to_owned())).collect()
}

/// What lies in a directory under the name that `path` has for a digest is whole: manifests, configs and layers. How many blobs.
#[track_caller]
fn is_whole(index: &Value, read: &dyn Fn(&str, bool) -> Vec<u8>) -> usize {
    let mut blobs = 0;
    for entry in index["manifests"].as_array().unwrap() {
        let manifest = read(entry["digest"].as_str().unwrap(), true);
        assert_eq!(
            (digest(&manifest), manifest.len()),
            (entry["digest"].as_str().unwrap().to_owned(), entry["size"].as_u64().unwrap() as usize)
        );
        let manifest: Value = serde_json::from_slice(&manifest).unwrap();
        for blob in manifest["layers"].as_array().unwrap().iter().chain([&manifest["config"]]) {
            let found = blob["digest"].as_str().unwrap();
            assert_eq!(digest(&read(found, false)), found);
            blobs += 1;
        }
    }
    blobs
}

#[test]
fn a_list_in_archives() {
    let case = case("in-archives");
    let machine = machine();
    let push = |to: &str| case.coracle(["manifest", "push", "-q", "--digestfile", "digest", "list", to]).code(0);
    let told = || std::fs::read_to_string(case.home.join("digest")).unwrap();
    let hex = |digest: &str| digest.strip_prefix("sha256:").unwrap().to_owned();
    push("oci:layout:q.io/list:1");
    let outer = json_of(&case, "layout/index.json");
    assert_eq!(outer["manifests"][0]["annotations"], json!({"org.opencontainers.image.ref.name": "q.io/list:1"}));
    assert_eq!(outer["manifests"][0]["digest"], told());
    let in_layout = |digest: &str, _| std::fs::read(case.home.join("layout/blobs/sha256").join(hex(digest))).unwrap();
    let index: Value = serde_json::from_slice(&in_layout(&told(), true)).unwrap();
    assert_eq!(platforms(&index), [machine.as_str(), "riscv64"]);
    assert_eq!(is_whole(&index, &in_layout), 7);
    for entry in index["manifests"].as_array().unwrap() {
        assert_eq!(entry["mediaType"], "application/vnd.oci.image.manifest.v1+json", "a layout has OCI's words");
    }
    // Another one beside it; then the first again.
    push("oci:layout:other");
    push("oci:layout:q.io/list:1");
    assert_eq!(json_of(&case, "layout/index.json")["manifests"].as_array().unwrap().len(), 2);
    push("dir:directory");
    let index = json_of(&case, "directory/manifest.json");
    let in_directory = |digest: &str, is_manifest| {
        let end = if is_manifest { ".manifest.json" } else { "" };
        std::fs::read(case.home.join(format!("directory/{}{end}", hex(digest)))).unwrap()
    };
    assert_eq!(is_whole(&index, &in_directory), 7);
    assert_eq!(index["manifests"][2]["mediaType"], "application/vnd.docker.distribution.manifest.v2+json", "as it was");
    push("oci-archive:archive:q.io/list:1");
    let tool = |line: &str| Command::new("sh").arg("-c").arg(line).directory(&case.home).finish().code(0).stdout;
    let raw = tool("skopeo inspect --raw oci-archive:archive:q.io/list:1");
    assert_eq!(digest(raw.trim_end().as_bytes()), told());
    tool("skopeo copy -q --all --insecure-policy oci-archive:archive:q.io/list:1 oci:copied:1");
    // What is for this machine comes out of each.
    for from in ["oci:layout:q.io/list:1", "oci-archive:archive", "dir:directory", "oci:copied"] {
        case.coracle(["rmi", "-af"]).code(0);
        let id = case.coracle(["pull", "-q", from]).code(0).stdout;
        assert_eq!(
            case.coracle(["image", "inspect", "--format", "{{.Architecture}}", id.trim()]).code(0).stdout.trim(),
            machine
        );
    }
}

#[test]
fn archives_that_hold_no_list() {
    let case = case("no-archive");
    let push =
        |arguments: &[&str]| case.coracle(["manifest", "push"].into_iter().chain(arguments.iter().copied())).code(125);
    push(&["list", "docker-archive:file"])
        .error("destination transport \"docker-archive\" does not support copying multiple images");
    push(&["--format", "v2s2", "list", "oci:layout"]).error("an OCI layout holds the format oci alone");
    push(&["--all=false", "--add-compression", "zstd", "list", "oci:layout"]).error("--all=false");
    push(&["--format", "v2s2", "--add-compression", "zstd", "list", "dir:directory"]).error("v2s2 has no layers");
    // What can't be had leaves nothing behind.
    let blobs = case.store().join("images/blobs/sha256");
    for blob in std::fs::read_dir(&blobs).unwrap().map(|entry| entry.unwrap().path()) {
        let bytes = std::fs::read(&blob).unwrap();
        if bytes.starts_with(&[0x1f, 0x8b]) {
            std::fs::write(&blob, b"rotten").unwrap();
        }
    }
    for to in ["oci:layout", "dir:directory", "oci-archive:file"] {
        push(&["-q", "list", to]);
    }
    let left = std::fs::read_dir(&case.home).unwrap().map(|entry| entry.unwrap().file_name()).collect::<Vec<_>>();
    assert!(!left.iter().any(|name| ["layout", "directory", "file"].iter().any(|made| name == made)), "{left:?}");
}

/// Each image in both compressions, once; an artifact as it is. Of two for one machine a client that knows nothing takes the first.
#[test]
fn images_in_another_compression() {
    let (case, receiver) = (case("compressions"), Receiver::start());
    let machine = machine();
    let both = [machine.as_str(), "riscv64", machine.as_str(), "riscv64"];
    let marks = |index: &Value| -> Vec<bool> {
        let images = index["manifests"].as_array().unwrap().iter().filter(|entry| entry.get("platform").is_some());
        images.map(|entry| entry["annotations"][ZSTD] == "true").collect()
    };
    let packed = |repository: &str, entry: &Value| {
        let manifest = receiver.manifest(repository, entry["digest"].as_str().unwrap()).unwrap();
        manifest["layers"][0]["mediaType"].as_str().unwrap().rsplit('+').next().unwrap().to_owned()
    };
    for (repository, flags) in [
        ("added", &["--add-compression", "zstd"][..]),
        ("added-both", &["--add-compression=gzip,zstd"]),
        ("turned", &["--compression-format", "zstd", "--add-compression", "gzip"]),
    ] {
        let to = format!("{}/{repository}:1", receiver.address);
        case.coracle(["manifest", "push", "-q"].into_iter().chain(flags.iter().copied()).chain(["list", &to])).code(0);
        let index = receiver.manifest(repository, "1").unwrap();
        assert_eq!(
            (platforms(&index), marks(&index)),
            (both.map(str::to_owned).to_vec(), vec![false, false, true, true]),
            "{repository}"
        );
        assert_eq!(index["manifests"].as_array().unwrap().len(), 5);
        for entry in index["manifests"].as_array().unwrap().iter().filter(|entry| entry.get("platform").is_some()) {
            let expected = if entry["annotations"][ZSTD] == "true" { "zstd" } else { "gzip" };
            assert_eq!(packed(repository, entry), expected, "{repository}");
        }
        // The image for this machine is the same in both.
        case.coracle(["manifest", "create", "--all", "again", &format!("docker://{to}")]).succeeded();
        case.coracle(["run", "--rm", "--network=none", &to, "/f"]).code(126);
        // Nothing more is added to what has both.
        case.coracle([
            "manifest",
            "push",
            "-q",
            "--add-compression=gzip,zstd",
            "again",
            &format!("{}/again:1", receiver.address),
        ])
        .code(0);
        assert_eq!(receiver.manifest("again", "1").unwrap()["manifests"].as_array().unwrap().len(), 5, "{repository}");
        case.coracle(["manifest", "rm", "again"]).code(0);
        case.coracle(["rmi", &to]).code(0);
    }
}
