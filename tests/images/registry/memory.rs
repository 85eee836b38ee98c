//! What a pull takes of memory: little, however large its layers are, and however they are compressed.

use std::collections::BTreeMap;
use std::io::Write;

use super::scripted::{Registry, Reply};
use super::{MEMORY, highest};
use crate::harness::image::noise;
use crate::harness::{Case, Driver, Layer};
use crate::images::push::receiver::Receiver;
use crate::images::server::Parts;

/// Of all processes of a pull of an honest image together, in KiB.
const HONEST: u64 = 60 << 10;

/// Compressed with a window of `1 << log` bytes, of which `bytes` has several.
fn zstd(bytes: &[u8], log: u32) -> Vec<u8> {
    let mut encoder = zstd::Encoder::new(Vec::new(), 1).unwrap();
    encoder.window_log(log).unwrap();
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn gzip(bytes: &[u8], _: u32) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Three layers of 70 MB come at once. Windows that all levels of zstd up to 19 need are open at once; of larger ones, one.
#[test]
fn three_layers_at_once() {
    let layers = ["a", "b", "c"].map(|name| Layer::new().file(name, 0o644, noise(70_000_000)));
    let case = Case::new(Driver::Auto);
    type Pack = fn(&[u8], u32) -> Vec<u8>;
    for (pack, log, most) in [(gzip as Pack, 0, HONEST), (zstd, 23, HONEST), (zstd, 25, MEMORY)] {
        let mut parts = Parts::of(&layers);
        let mut blobs = BTreeMap::new();
        for (place, layer) in layers.iter().enumerate() {
            let blob = pack(&layer.tar(), log);
            parts.manifest["layers"][place] = Parts::descriptor("application/vnd.oci.image.layer.v1.tar+zstd", &blob);
            blobs.insert(parts.layer_paths().remove(place), blob);
        }
        let registry =
            Registry::start(&parts, Box::new(move |request, _| Some(Reply::ok(blobs.get(&request.path)?.clone()))));
        let running = case.command(["pull", "-q", &format!("{}/x:1", registry.address)]).start();
        let memory = highest(running.pid().as_raw_nonzero().get());
        running.finish().code(0);
        case.coracle(["rmi", "--all"]).code(0);
        println!("{memory} KiB with windows of 2 to the {log}");
        assert!(memory < most, "{memory} KiB with windows of 2 to the {log}");
    }
}

/// One layer of more than 100 MB, as a blob, too: it is pulled, pushed as it is, and pushed compressed anew.
#[test]
fn one_large_layer() {
    const LARGE: u64 = 110_000_000;
    let case = Case::new(Driver::Auto);
    let layer = Layer::new().file("large", 0o644, noise(LARGE));
    let mut parts = Parts::of(&[layer]);
    let blob = gzip(&parts.layer, 0);
    assert!(blob.len() as u64 > LARGE);
    parts.manifest["layers"][0] = Parts::descriptor("application/vnd.oci.image.layer.v1.tar+gzip", &blob);
    let path = parts.layer_path();
    let registry =
        Registry::start(&parts, Box::new(move |request, _| (request.path == path).then(|| Reply::ok(blob.clone()))));
    let (image, receiver) = (format!("{}/x:1", registry.address), Receiver::start());
    let to = |tag: &str| format!("{}/x:{tag}", receiver.address);
    for words in [
        vec!["pull", "-q", &image],
        vec!["push", "-q", &image, &to("gzip")],
        vec!["push", "-q", "--compression-format=zstd", &image, &to("zstd")],
    ] {
        let running = case.command(words.iter().copied()).start();
        let memory = highest(running.pid().as_raw_nonzero().get());
        running.finish().code(0);
        println!("{memory} KiB of {words:?}");
        assert!(memory < HONEST, "{memory} KiB of {words:?}");
    }
    for tag in ["gzip", "zstd"] {
        let sent = receiver.manifest("x", tag).unwrap()["layers"][0]["size"].as_u64();
        assert!(sent > Some(LARGE), "{tag}: {sent:?}");
    }
}
