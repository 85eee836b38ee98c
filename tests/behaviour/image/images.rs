//! The store: what is listed, what may be removed, who may look, and what other tools read.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use serde_json::Value;

use crate::harness::image::{Compression, busybox_layer};
use crate::harness::{Case, Command, Driver, Image, Layer};

fn case() -> Case {
    Case::new(Driver::Auto)
}

#[test]
fn listed() {
    let case = case();
    let fields = |line: &str| {
        line.split("  ").map(|field| field.trim().to_owned()).filter(|field| !field.is_empty()).collect::<Vec<_>>()
    };
    let header = ["REPOSITORY", "TAG", "IMAGE ID", "CREATED", "SIZE"];
    assert_eq!(fields(&case.coracle(["images"]).succeeded().stdout), header);
    let image = case.busybox();
    let (repository, _) = image.rsplit_once(':').unwrap();
    let listed = case.coracle(["images"]).succeeded();
    let rows: Vec<_> = listed.stdout.lines().map(fields).collect();
    assert_eq!(rows.len(), 2, "{listed}");
    assert_eq!(rows[0], header);
    assert_eq!(rows[1][..2], [repository, "latest"], "{listed}");
    assert_eq!(rows[1][2].len(), 12, "{listed}");
    assert!(rows[1][4].ends_with(" MB"), "{listed}");
    case.coracle(["images", "-q"]).code(0).stdout(&format!("{}\n", rows[1][2]));
    let json: Value = serde_json::from_str(&case.coracle(["images", "--format", "json"]).succeeded().stdout).unwrap();
    assert_eq!(json[0]["Names"], serde_json::json!([image]));
    assert!(json[0]["Id"].as_str().unwrap().starts_with(&rows[1][2]));
}

#[test]
fn inspected() {
    let case = case();
    let image = case.pull(&Image::busybox().config("Env", vec!["A=b"]).config("User", "33").push("inspected:latest"));
    let inspected: Value = serde_json::from_str(&case.coracle(["inspect", &image]).succeeded().stdout).unwrap();
    let one = &inspected[0];
    assert_eq!(one["RepoTags"], serde_json::json!([image]));
    assert_eq!(one["Config"]["Env"], serde_json::json!(["A=b"]));
    assert_eq!(one["Config"]["User"], "33");
    assert_eq!(one["Architecture"], crate::harness::image::machine());
    assert_eq!(one["RootFS"]["Layers"].as_array().unwrap().len(), 1);
    assert_eq!(one["Id"].as_str().unwrap().len(), 64);
}

/// What a container uses stays; what nothing uses any more goes with the image.
#[test]
fn removed() {
    let case = case();
    let image = case.busybox();
    let other = Image::busybox().layer(Layer::new().file("own", 0o644, "own")).push("second:latest");
    let other = case.pull(&other);
    case.coracle(["run", "-d", "--network=none", "--name", "user", &image, "sleep", "1000"]).succeeded();
    case.coracle(["rmi", &image]).code(2).error("in use");
    case.coracle(["stop", "-t", "0", "user"]).code(0);
    // A container that has ended uses it too.
    case.coracle(["rmi", &image]).code(2).error("in use");
    case.coracle(["rm", "user"]).code(0);
    let layers = || std::fs::read_dir(case.store().join("layers")).unwrap().count();
    assert_eq!(layers(), 2);
    let removed = case.coracle(["rmi", &other]).succeeded();
    assert!(removed.stdout.starts_with(&format!("Untagged: {other}\nDeleted: ")), "{removed}");
    // The layer that both shared is still used.
    assert_eq!(layers(), 1);
    case.sh(&image, "echo here").code(0).stdout("here\n");
    case.coracle(["rmi", &image]).code(0);
    assert_eq!(layers(), 0);
    let blobs = case.store().join("images/blobs/sha256");
    assert_eq!(std::fs::read_dir(blobs).map_or(0, Iterator::count), 0);
    case.coracle(["rmi", &image]).code(1).stdout("").error(&image);
    case.coracle(["rmi", "-f", &image]).code(0);
}

/// By its id, with all its names and its containers; by one of its names, without them.
#[test]
fn removed_by_force() {
    let case = case();
    let image = case.busybox();
    let id = case.coracle(["images", "-q", &image]).succeeded().stdout;
    case.coracle(["tag", &image, "second"]).code(0);
    case.coracle(["create", "--name", "user", &image]).code(0);
    case.coracle(["tag", &image, "third"]).code(0);
    case.coracle(["rmi", "-f", "third"]).code(0).stdout("Untagged: localhost/third:latest\n");
    let several = case.coracle(["rmi", id.trim()]).code(125).error("by ID with more than one tag ([");
    assert!(several.stderr.contains("localhost/second:latest]): please force removal"), "{several}");
    assert_eq!(case.coracle(["ps", "-aq"]).code(0).stdout.lines().count(), 1);
    case.coracle(["rmi", "-f", id.trim()]).code(0);
    case.coracle(["images", "-aq"]).code(0).stdout("");
    case.coracle(["ps", "-aq"]).code(0).stdout("");
}

/// One image that was pulled with its layers compressed in two ways has two manifests: it is gone when both are.
#[test]
fn removed_under_another_manifest() {
    let case = case();
    let forms = [Compression::Gzip, Compression::Zstd];
    let [gzip, zstd] = forms.map(|form| {
        case.pull(&Image::of(vec![busybox_layer().compressed(form)]).push(&format!("form-{form:?}:1").to_lowercase()))
    });
    let id = case.coracle(["images", "-q", "--no-trunc"]).succeeded().stdout.replace("sha256:", "");
    assert_eq!(id.lines().count(), 1, "{id}");
    case.coracle(["rmi", &gzip]).code(0).stdout(&format!("Untagged: {gzip}\n"));
    case.sh(&zstd, "echo here").code(0).stdout("here\n");
    case.coracle(["rmi", &zstd]).code(0).stdout(&format!("Untagged: {zstd}\nDeleted: {id}"));
    assert_eq!(std::fs::read_dir(case.store().join("images/blobs/sha256")).unwrap().count(), 0);
}

/// An OCI image layout, as another tool reads it.
#[test]
fn read_by_skopeo() {
    let case = case();
    let image = case.busybox();
    let source = format!("oci:{}:{image}", case.store().join("images").display());
    let path = "/usr/local/bin:/usr/bin:/bin";
    let inspected =
        Command::new("skopeo").arg("inspect").arg(&source).env("PATH", path).env("HOME", &case.home).finish();
    let inspected: Value = serde_json::from_str(&inspected.succeeded().stdout).unwrap();
    assert_eq!(inspected["Architecture"], crate::harness::image::machine());
    // Every blob is there, whole.
    let copy = format!("oci:{}:copy", case.home.join("copy").display());
    let copied = Command::new("skopeo").arg("--insecure-policy").arg("copy").arg(&source).arg(&copy);
    copied.env("PATH", path).env("HOME", &case.home).env("TMPDIR", case.home.join("tmp")).finish().code(0);
}

/// CVE-2021-41091: nobody else on the machine may even look, whatever the umask.
#[test]
fn other_users_are_locked_out() {
    let case = case();
    let image = crate::harness::Image::busybox().push("busybox:latest");
    let line = format!("umask 000; exec {} pull -q {image}", crate::harness::binary().display());
    case.command_of("sh".as_ref(), ["-c", &line]).finish().succeeded();
    case.coracle(["run", "--network=none", "--name", "box", &image, "true"]).code(0);
    for folder in ["", "images", "layers", "containers", "names", "tmp"] {
        let folder = case.store().join(folder);
        let Ok(metadata) = folder.symlink_metadata() else { continue };
        assert_eq!(metadata.mode() & 0o7777, 0o700, "{}", folder.display());
    }
    // Another id than the user's own: one of the subordinate ones.
    let volume = format!("{}:/data:ro", case.data.display());
    let script = "ls /data/coracle; cat /data/coracle/images/index.json";
    let finished =
        case.coracle(["run", "--rm", "--network=none", "-v", &volume, "-u", "33", &image, "sh", "-c", script]);
    assert_eq!(finished.stdout, "", "{finished}");
    assert_eq!(finished.stderr.matches("Permission denied").count(), 2, "{finished}");
}

/// Every JSON file of ours has a version; a newer one is refused with a hint, by name.
#[test]
fn versions_of_files() {
    let case = case();
    let image = case.busybox();
    case.coracle(["run", "--network=none", "--name", "box", &image, "true"]).code(0);
    let mut files = Vec::new();
    own_json(&case.store(), &mut files);
    for name in ["container.json", "state.json", "layer.json"] {
        assert!(files.iter().any(|file| file.ends_with(name)), "no {name} among {files:?}");
    }
    for file in &files {
        let json: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
        assert!(json["version"].is_u64(), "{}: {json}", file.display());
    }
    let file = files.iter().find(|file| file.ends_with("container.json")).unwrap();
    let mut json: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    json["version"] = 9999.into();
    std::fs::write(file, json.to_string()).unwrap();
    case.coracle(["inspect", "--type=container", "box"]).code(125).error("container.json").says("hint: ");
}

/// Our own JSON files below the folder: not those of the image layout, whose format is not ours, nor what containers hold.
fn own_json(folder: &Path, files: &mut Vec<std::path::PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        let skipped = ["images", "fs", "upper", "work", "merged"].iter().any(|name| path.ends_with(name));
        if path.is_dir() && !path.is_symlink() && !skipped {
            own_json(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "json") {
            files.push(path);
        }
    }
}
