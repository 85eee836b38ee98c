//! What was saved is loaded again, and is the same image.

use super::build::Archive;
use crate::harness::{Case, Driver, Layer};
use crate::images::server::Parts;

const FORMATS: [&str; 4] = ["oci-archive", "oci-dir", "docker-archive", "docker-dir"];

fn id(case: &Case, name: &str) -> String {
    case.coracle(["images", "-q", "--no-trunc", name]).succeeded().stdout.trim().to_owned()
}

fn digest(case: &Case, name: &str) -> String {
    case.coracle(["images", "--format", "{{.Digest}}", name]).succeeded().stdout.trim().to_owned()
}

/// Each format, by way of a file and of a pipe; the same image saved twice gives the same bytes.
fn saved_and_loaded(case: &Case) {
    let name = case.busybox();
    let (before, manifest) = (id(case, &name), digest(case, &name));
    for format in FORMATS {
        let path = case.home.join(format);
        let path = path.to_str().unwrap();
        case.coracle(["save", "-q", "--format", format, "-o", path, &name]).code(0).stdout("").stderr("");
        case.coracle(["rmi", "-f", &before]).succeeded();
        let loaded = case.coracle(["load", "-q", "-i", path]).code(0);
        let named = format != "docker-dir";
        let expected = if named { &name } else { &before };
        assert_eq!(loaded.stdout, format!("Loaded image: {expected}\n"), "{format}");
        if !named {
            case.coracle(["tag", &before, &name]).succeeded();
        }
        assert_eq!(id(case, &name), before, "{format}");
        case.sh(&name, "echo works").code(0).stdout("works\n");
        if format.starts_with("oci") {
            assert_eq!(digest(case, &name), manifest, "{format}");
        }
        if format.ends_with("archive") {
            let again = case.home.join("again");
            case.coracle(["save", "--format", format, "-o", again.to_str().unwrap(), &name]).succeeded();
            let bytes = std::fs::read(path).unwrap();
            assert!(bytes == std::fs::read(&again).unwrap(), "{format} is not the same twice");
            std::fs::remove_file(&again).unwrap();
            case.coracle(["rmi", "-f", &before]).succeeded();
            case.command(["load", "-q"]).stdin(bytes).finish().code(0).stdout(&format!("Loaded image: {name}\n"));
        }
    }
}

on_both_drivers!(saved_and_loaded);

/// Several images and several names in one archive, and an archive that is added to.
#[test]
fn many_in_one() {
    let case = Case::new(Driver::Auto);
    let parts = |text: &str| Parts::of(&[Layer::new().file("seen", 0o644, text)]);
    for (text, names) in [("one", &["q.io/one:1", "q.io/one:latest"][..]), ("two", &["two"])] {
        let bytes = Archive::docker(&parts(text), names).tar();
        case.command(["load", "-q"]).stdin(bytes).finish().code(0);
    }
    let path = |name: &str| case.home.join(name).display().to_string();
    case.coracle(["save", "-q", "-m", "-o", &path("m"), "q.io/one:1", "two"]).code(0);
    case.coracle(["save", "-q", "-o", &path("n"), "q.io/one:1", "more", "q.io/third:3"]).code(0);
    for (name, part) in [("od", "q.io/one:1"), ("od", "two"), ("od", "two")] {
        case.coracle(["save", "-q", "--format", "oci-dir", "-o", &path(name), part]).code(0);
    }
    case.coracle(["rmi", "-af"]).succeeded();
    let load = |name: &str| case.coracle(["load", "-q", "-i", &path(name)]).code(0).stdout;
    let both = "Loaded image: q.io/one:1\nLoaded image: localhost/two:latest\n";
    assert_eq!(load("m"), both);
    assert_eq!(load("od"), both);
    case.coracle(["rmi", "-af"]).succeeded();
    assert_eq!(
        load("n"),
        "Loaded image: q.io/one:1\nLoaded image: localhost/more:latest\nLoaded image: q.io/third:3\n"
    );
    let refused = |arguments: &[&str], cause: &str| {
        case.coracle(arguments.iter().copied()).code(125).stdout("").error(cause);
    };
    refused(&["save", "-o", &path("n"), "q.io/one:1"], "docker-archive doesn't support modifying existing images");
    refused(&["save", "--format", "nope", "-o", &path("x"), "q.io/one:1"], "format value must be one of oci-dir");
    refused(&["save", "--compress", "-o", &path("x"), "q.io/one:1"], "--compress can only be set when --format is");
    let several = ["save", "-m", "--format", "docker-dir", "-o", &path("x"), "q.io/one:1", "more"];
    refused(&several, "unsupported format \"docker-dir\" for saving multiple images: it holds one");
    refused(&["save", "-o", &path("x"), "nope"], "nope: image not known");
    refused(&["save", "--format", "oci-dir", "q.io/one:1"], "a directory can't be written to standard output");
    assert!(!case.home.join("x").exists());
}

/// Several images in an OCI archive or directory, each with its digest: all of them are loaded, or one is chosen.
#[test]
fn many_in_one_of_oci() {
    let case = Case::new(Driver::Auto);
    let load = |bytes: Vec<u8>| case.command(["load", "-q"]).stdin(bytes).finish().code(0).stdout;
    let names = ["q.io/one:1", "localhost/two:latest", "q.io/three:3"];
    for name in names {
        load(Archive::oci(&Parts::of(&[Layer::new().file("seen", 0o644, name)]), &[name]).tar());
    }
    let facts = || names.map(|name| (id(&case, name), digest(&case, name)));
    let before = facts();
    let all = names.map(|name| format!("Loaded image: {name}\n")).concat();
    for (format, transport) in [("oci-archive", "oci-archive"), ("oci-dir", "oci")] {
        let save = ["save", "-q", "-m", "--format", format, "-o", format];
        case.coracle(save.into_iter().chain(names)).code(0).stdout("").stderr("");
        case.coracle(["rmi", "-af"]).succeeded();
        case.coracle(["load", "-q", "-i", format]).code(0).stdout(&all);
        assert_eq!(facts(), before, "{format}");
        case.coracle(["rmi", "-af"]).succeeded();
        for (which, place) in [(names[1], 1), ("@2", 2)] {
            let pulled = case.coracle(["pull", "-q", &format!("{transport}:{format}:{which}")]).code(0);
            assert_eq!(format!("sha256:{}", pulled.stdout.trim()), before[place].0);
            let listed = case.coracle(["images", "-n", "--format", "{{.Repository}}:{{.Tag}}"]).code(0).stdout;
            assert_eq!(listed, format!("{}\n", names[place]), "{format}");
            case.coracle(["rmi", "-af"]).succeeded();
        }
        case.coracle(["pull", "-q", &format!("{transport}:{format}")]).code(125).error("it holds 3 images: choose one");
        case.coracle(["load", "-q", "-i", format]).code(0);
    }
    // The same images give the same bytes, through a pipe too; and what comes from a pipe is all of it.
    let again = ["save", "-q", "-m", "--format", "oci-archive", "-o", "again"];
    case.coracle(again.into_iter().chain(names)).code(0);
    let bytes = std::fs::read(case.home.join("again")).unwrap();
    assert!(bytes == std::fs::read(case.home.join("oci-archive")).unwrap());
    case.coracle(["rmi", "-af"]).succeeded();
    assert_eq!(load(bytes), all);
    assert_eq!(facts(), before);
}

/// A blob that has gone bad on the disk is not passed on.
#[test]
fn a_bad_blob_is_not_saved() {
    let case = Case::new(Driver::Auto);
    let parts = Parts::new();
    case.command(["load", "-q"]).stdin(Archive::oci(&parts, &["q.io/x:1"]).tar()).finish().code(0);
    let blobs = case.store().join("images/blobs/sha256");
    let blob = blobs.join(crate::harness::image::digest(&parts.layer).trim_start_matches("sha256:"));
    let mut bytes = parts.layer.clone();
    bytes[1000] ^= 1;
    std::fs::write(&blob, bytes).unwrap();
    for format in FORMATS {
        let path = case.home.join(format);
        let saved = case.coracle(["save", "-q", "--format", format, "-o", path.to_str().unwrap(), "q.io/x:1"]);
        saved.code(125).error("the store's copy has the digest");
        assert!(!path.exists(), "a part of {format} is left");
    }
}
