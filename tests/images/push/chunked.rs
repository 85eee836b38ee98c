//! zstd:chunked: a layer whose files are frames of their own, behind which a table of contents stands that readers of zstd skip.

use serde_json::{Value, json};

use crate::harness::http::Registry;
use crate::harness::image::{busybox_layer, digest, machine, registry};
use crate::harness::{Case, Driver};

/// A frame that holds no data (RFC 8878, 3.1.2).
fn skippable(content: &[u8]) -> Vec<u8> {
    let length = u32::try_from(content.len()).unwrap();
    [&[0x50, 0x2a, 0x4d, 0x18], length.to_le_bytes().as_slice(), content].concat()
}

/// The layer, and the annotations that tell where its table of contents is.
fn chunked(tar: &[u8]) -> (Vec<u8>, Value) {
    let mut blob: Vec<u8> = tar.chunks(100_000).flat_map(|piece| zstd::encode_all(piece, 3).unwrap()).collect();
    let table = json!({"version": 1, "entries": [{"type": "reg", "name": "bin/busybox", "size": 1}]}).to_string();
    let packed = zstd::encode_all(table.as_bytes(), 3).unwrap();
    let split = zstd::encode_all(b"{}".as_slice(), 3).unwrap();
    // Behind the head of its frame.
    let place = blob.len() + 8;
    blob.extend(skippable(&packed));
    let split_place = blob.len() + 8;
    blob.extend(skippable(&split));
    let numbers = [place, packed.len(), table.len(), 1, split_place, split.len(), 2];
    let mut footer: Vec<u8> = numbers.iter().flat_map(|number| (*number as u64).to_le_bytes()).collect();
    footer.extend(b"GNUlInUx");
    blob.extend(skippable(&footer));
    let position = |numbers: &[usize]| numbers.iter().map(usize::to_string).collect::<Vec<_>>().join(":");
    let annotations = json!({
        "io.github.containers.zstd-chunked.manifest-checksum": digest(&packed),
        "io.github.containers.zstd-chunked.manifest-position": position(&numbers[..4]),
        "io.github.containers.zstd-chunked.tarsplit-position": position(&numbers[4..]),
    });
    (blob, annotations)
}

/// It is pulled, runs, and goes on with its digest and its annotations, so that the table of contents can be found again.
#[test]
fn it_goes_as_it_came() {
    let there = Registry { address: registry(), credentials: None };
    let tar = busybox_layer().tar();
    let (layer, annotations) = chunked(&tar);
    let config = json!({"os": "linux", "architecture": machine(), "config": {"Cmd": ["/bin/sh", "-c", "echo runs"]},
        "rootfs": {"type": "layers", "diff_ids": [digest(&tar)]}})
    .to_string();
    for blob in [&layer[..], config.as_bytes()] {
        there.push_blob("chunked", &digest(blob), blob);
    }
    let media_type = "application/vnd.oci.image.manifest.v1+json";
    let manifest = json!({"schemaVersion": 2, "mediaType": media_type,
        "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": digest(config.as_bytes()), "size": config.len()},
        "layers": [{"mediaType": "application/vnd.oci.image.layer.v1.tar+zstd", "digest": digest(&layer), "size": layer.len(),
            "annotations": annotations}]});
    there.push_manifest("chunked", "1", media_type, manifest.to_string().as_bytes());
    let case = Case::new(Driver::Auto);
    let name = case.pull(&format!("{}/chunked:1", registry()));
    case.coracle(["run", "--rm", "--network=none", &name]).code(0).stdout("runs\n");
    let (to, archive) = (format!("{}/chunked/again:1", registry()), "oci-archive:chunked.tar:again");
    case.coracle(["push", &name, &to]).code(0);
    case.coracle(["push", &name, archive]).code(0);
    case.coracle(["rmi", "-f", &name]).code(0);
    for source in [&to, archive] {
        case.coracle(["pull", "-q", source]).code(0);
        let pulled = case.coracle(["images", "--format", "{{.Digest}}"]).code(0).stdout;
        assert_eq!(pulled.trim(), digest(manifest.to_string().as_bytes()), "{source}");
        case.coracle(["rmi", "-af"]).code(0);
    }
    let pushed = there.request("GET", "/v2/chunked/again/manifests/1", &[("Accept", media_type)], b"").body;
    assert_eq!(serde_json::from_slice::<Value>(&pushed).unwrap()["layers"][0]["annotations"], annotations);
}
