//! Archives, and layers in them, that are compressed in any of the ways that the field knows.

use serde_json::json;

use super::build::Archive;
use crate::harness::image::busybox_layer;
use crate::harness::{Case, Command, Driver, Layer};
use crate::images::registry::{MEMORY, highest};
use crate::images::server::Parts;

const TOOLS: [&str; 4] = ["gzip", "bzip2", "xz", "zstd"];

/// What the tool makes of some bytes.
fn packed(case: &Case, tool: &str, bytes: &[u8]) -> Vec<u8> {
    if tool == "zstd" {
        return zstd::encode_all(bytes, 3).unwrap();
    }
    let path = case.home.join("packed");
    std::fs::write(&path, bytes).unwrap();
    Command::new("sh").arg("-c").arg(format!("{tool} -c <packed >out")).directory(&case.home).finish().code(0);
    std::fs::read(case.home.join("out")).unwrap()
}

fn runs(case: &Case, image: &str) {
    case.coracle(["run", "--rm", "--network=none", image, "/bin/sh", "-c", "echo runs"]).code(0).stdout("runs\n");
}

#[test]
fn archives() {
    let case = Case::new(Driver::Auto);
    let parts = Parts::of(&[busybox_layer()]);
    for tool in TOOLS {
        for (form, archive) in
            [("docker", Archive::docker(&parts, &["q.io/x:1"])), ("oci", Archive::oci(&parts, &["q.io/x:1"]))]
        {
            let bytes = packed(&case, tool, &archive.tar());
            let path = case.home.join("archive");
            std::fs::write(&path, &bytes).unwrap();
            case.coracle(["load", "-q", "-i", "archive"]).code(0).stdout("Loaded image: q.io/x:1\n");
            runs(&case, "q.io/x:1");
            case.coracle(["rmi", "-af"]).code(0);
            case.command(["load", "-q"]).stdin(bytes).finish().code(0).stdout("Loaded image: q.io/x:1\n");
            case.coracle(["rmi", "-af"]).code(0);
            case.coracle(["pull", "-q", &format!("{form}-archive:archive")]).code(0);
            case.coracle(["rmi", "-af"]).code(0);
        }
    }
}

#[test]
fn file_systems() {
    let case = Case::new(Driver::Auto);
    for tool in TOOLS {
        let bytes = packed(&case, tool, &busybox_layer().tar());
        case.command(["import", "-q", "-", tool]).stdin(bytes).finish().code(0);
        runs(&case, tool);
        // It can be given to anybody.
        case.coracle(["save", "-q", "--format=oci-archive", "-o", "saved", tool]).code(0);
        case.coracle(["rmi", "-af"]).code(0);
        case.coracle(["load", "-q", "-i", "saved"]).code(0);
        runs(&case, tool);
        std::fs::remove_file(case.home.join("saved")).unwrap();
    }
}

/// In docker-archive a layer may be compressed, however the archive is; what it holds is told by the config alone.
#[test]
fn layers() {
    let case = Case::new(Driver::Auto);
    let parts = Parts::of(&[busybox_layer()]);
    let id = |case: &Case| case.coracle(["images", "-q", "--no-trunc"]).code(0).stdout;
    let mut ids = std::collections::BTreeSet::new();
    for tool in TOOLS {
        let mut archive = Archive::docker(&parts, &["q.io/x:1"]);
        let layer = archive.0[0].0.clone();
        *archive.entry(&layer) = packed(&case, tool, &parts.layer);
        case.command(["load", "-q"]).stdin(archive.tar()).finish().code(0).stdout("Loaded image: q.io/x:1\n");
        runs(&case, "q.io/x:1");
        ids.insert(id(&case));
        case.coracle(["system", "check"]).code(0).stdout("");
        case.coracle(["rmi", "-af"]).code(0);
    }
    assert_eq!(ids.len(), 1, "{ids:?}");
}

/// A dictionary of a gigabyte would take a gigabyte to unpack.
#[test]
fn a_dictionary_that_is_too_large() {
    let case = Case::new(Driver::Auto);
    let archive = Archive::docker(&Parts::new(), &["q.io/x:1"]).tar();
    let bytes = packed(&case, "xz --lzma2=dict=1GiB", &archive);
    case.command(["load", "-q"]).stdin(bytes).finish().code(125).error("memory").says("hint: ");
}

/// A dictionary of 64 MiB, as `xz -9` has it, in each of three layers: they are unpacked one by one.
#[test]
fn dictionaries_do_not_add_up() {
    let case = Case::new(Driver::Auto);
    let layers = ["a", "b", "c"].map(|name| Layer::new().file(name, 0o644, vec![0; 70_000_000]));
    let parts = Parts::of(&layers);
    let mut archive = Archive::docker(&parts, &["q.io/x:1"]);
    archive.0.remove(0);
    for (name, layer) in ["a.tar", "b.tar", "c.tar"].into_iter().zip(&layers) {
        let packed = packed(&case, "xz --lzma2=preset=0,dict=64MiB", &layer.tar());
        archive.0.insert(0, (name.to_owned(), packed));
    }
    *archive.entry("manifest.json") =
        json!([{"Config": archive.0[3].0, "RepoTags": ["q.io/x:1"], "Layers": ["a.tar", "b.tar", "c.tar"]}])
            .to_string()
            .into_bytes();
    std::fs::write(case.home.join("archive"), archive.tar()).unwrap();
    let running = case.command(["load", "-q", "-i", "archive"]).start();
    let memory = highest(running.pid().as_raw_nonzero().get());
    running.finish().code(0);
    println!("{memory} KiB");
    assert!(memory < MEMORY, "{memory} KiB");
}
