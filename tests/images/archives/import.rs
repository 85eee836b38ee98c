//! `import`: a tar archive of a file system becomes an image.

use std::io::Write;

use serde_json::Value;

use crate::harness::image::{busybox_layer, digest};
use crate::harness::{Case, Driver, Layer};

fn inspect(case: &Case, image: &str) -> Value {
    let text = case.coracle(["image", "inspect", image]).succeeded().stdout;
    serde_json::from_str::<Value>(&text).unwrap()[0].take()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn imported(case: &Case) {
    let plain = busybox_layer().tar();
    let path = case.home.join("root.tar");
    std::fs::write(&path, &plain).unwrap();
    let path = path.to_str().unwrap();
    let changes = ["-c", "CMD [\"echo\", \"hello\"]", "--change", "ENV A=b", "-m", "a message"];
    let arguments = ["import", "-q"].into_iter().chain(changes).chain([path, "q.io/x:1"]);
    let id = case.coracle(arguments).code(0).stderr("").stdout;
    let image = inspect(case, "q.io/x:1");
    assert_eq!(id.trim(), format!("sha256:{}", image["Id"].as_str().unwrap()));
    assert_eq!((&image["Comment"], &image["Config"]["Env"][0]), (&"a message".into(), &"A=b".into()));
    assert_eq!(image["History"][0]["comment"], "a message");
    let added = format!("/bin/sh -c #(nop) ADD file:{} in /", digest(&plain).trim_start_matches("sha256:"));
    assert_eq!(image["History"][0]["created_by"], added);
    assert_eq!(image["RootFS"]["Layers"][0], digest(&plain));
    case.coracle(["run", "--rm", "--network=none", "q.io/x:1"]).code(0).stdout("hello\n");

    // From a pipe, compressed or not: the same layer, and what is compressed stays as it is.
    for (name, bytes) in
        [("gzip", gzip(&plain)), ("zstd", zstd::encode_all(plain.as_slice(), 3).unwrap()), ("plain", plain.clone())]
    {
        case.command(["import", "-q", "-", name]).stdin(bytes.clone()).finish().code(0);
        let image = inspect(case, name);
        assert_eq!(image["RootFS"]["Layers"][0], digest(&plain), "{name}");
        assert_eq!(image["Comment"], "imported from tarball");
        let kept = case.store().join("images/blobs/sha256").join(digest(&bytes).trim_start_matches("sha256:"));
        assert_eq!(kept.exists(), name != "plain", "{name}");
        case.coracle(["run", "--rm", "--network=none", name, "/bin/sh", "-c", "echo runs"]).code(0).stdout("runs\n");
    }
}

on_both_drivers!(imported);

#[test]
fn what_can_not_be_imported() {
    let case = Case::new(Driver::Auto);
    let archive = Layer::new().file("a", 0o644, "a").tar();
    let refused = |arguments: &[&str], bytes: &[u8], cause: &str| {
        let command = ["import", "-q"].into_iter().chain(arguments.iter().copied());
        case.command(command).stdin(bytes).finish().code(125).stdout("").error(cause);
    };
    refused(&["/nonexistent"], b"", "error opening \"/nonexistent\": open /nonexistent: no such file or directory");
    refused(&["https://example.invalid/x.tar"], b"", "an image is not imported from an address");
    refused(&["-"], b"no archive, and that for more than 512 bytes", "tar archive");
    refused(&["-"], b"", "");
    refused(&["-"], &archive[..700], "it ends within");
    refused(&["-"], &gzip(&archive)[..60], "");
    refused(&["-"], b"\xfd7zXZ\0.....", "can't be read");
    refused(&["-"], b"\x04\x22\x4d\x18....", "compressed with lz4: gzip, zstd, bzip2 and xz are known");
    refused(&["-c", "NOPE x", "-"], &archive, "`NOPE x` is not a change that can be made to an image");
    refused(&["-", "Not/A/Name"], &archive, "lower case");
    refused(&["-"], &Layer::new().file("../a", 0o644, "a").tar(), "climbs above the root");
    let large = Layer::new().file("a", 0o644, "a".repeat(100_000)).tar();
    refused(&["--max-layer-size=10k", "-"], &large, "it unpacks to more than 10240 bytes");
    case.coracle(["images", "-q"]).code(0).stdout("");
    for folder in ["layers", "tmp", "images/blobs/sha256"] {
        assert_eq!(std::fs::read_dir(case.store().join(folder)).unwrap().count(), 0, "{folder}");
    }
    let foreign = ["import", "-q", "--os", "linux", "--arch", "arm", "--variant", "v7", "-", "arm"];
    case.command(foreign).stdin(archive).finish().code(0);
    let image = inspect(&case, "arm");
    assert_eq!((&image["Os"], &image["Architecture"]), (&"linux".into(), &"arm".into()));
}
