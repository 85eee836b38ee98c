//! What archives take of memory: little, however large they are.

use std::path::Path;

use crate::harness::image::noise;
use crate::harness::{Case, Driver, Layer};
use crate::images::registry::{highest, size};

/// Of all processes of a command together, in KiB.
const MOST: u64 = 60 << 10;
const LARGE: u64 = 110_000_000;

/// The command works, within that.
fn within(case: &Case, words: &[&str]) {
    let running = case.command(words.iter().copied()).start();
    let memory = highest(running.pid().as_raw_nonzero().get());
    running.finish().code(0);
    println!("{memory} KiB of {words:?}");
    assert!(memory < MOST, "{memory} KiB of {words:?}");
}

#[test]
fn of_one_large_layer() {
    const NAME: &str = "localhost/large:1";
    let case = Case::new(Driver::Auto);
    std::fs::write(case.home.join("large.tar"), Layer::new().file("large", 0o644, noise(LARGE)).tar()).unwrap();
    within(&case, &["import", "-q", "large.tar", NAME]);
    for format in ["docker-archive", "oci-archive", "oci-dir", "docker-dir"] {
        within(&case, &["save", "-q", "--format", format, "-o", format, NAME]);
        let path = case.home.join(format);
        let written = if path.is_dir() { size(&path) } else { path.metadata().unwrap().len() };
        assert!(written > LARGE, "{format}: {written}");
    }
    case.command_of(Path::new("gzip"), ["-1", "-k", "docker-archive"]).finish().code(0);
    case.coracle(["rmi", "-f", NAME]).succeeded();
    for archive in ["docker-archive", "oci-archive", "oci-dir", "docker-dir", "docker-archive.gz"] {
        within(&case, &["load", "-q", "-i", archive]);
        case.coracle(["system", "check"]).succeeded();
        case.coracle(["rmi", "-a", "-f"]).succeeded();
    }
    within(&case, &["load", "-q", "-i", "oci-archive"]);
    case.coracle(["create", "--name=box", "--network=none", NAME, "/large"]).succeeded();
    within(&case, &["export", "-o", "exported", "box"]);
    within(&case, &["cp", "box:/large", "copied"]);
    within(&case, &["cp", "copied", "box:/second"]);
    within(&case, &["commit", "-q", "box", "localhost/committed:1"]);
}
