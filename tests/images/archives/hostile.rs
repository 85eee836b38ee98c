//! What an archive may try. Each case is one line: what is done to an honest archive, and what the error must hold.

use std::io::Write;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tar::EntryType;

use super::build::Archive;
use crate::harness::image::digest;
use crate::harness::{Case, Command, Driver, Finished, Layer};
use crate::images::registry::{LEFT, MEMORY, TIME, highest, size};
use crate::images::server::Parts;

/// A store, and something outside it that nobody may touch.
struct Victim {
    case: Case,
    tried: usize,
}

impl Victim {
    fn new() -> Self {
        let victim = Self { case: Case::new(Driver::Auto), tried: 0 };
        // Makes the directories.
        victim.case.coracle(["images", "-q"]).code(0).stdout("");
        std::fs::write(victim.case.home.join("secret"), "secret").unwrap();
        victim
    }

    /// As a file.
    fn load(&self, bytes: &[u8]) -> Finished {
        let path = self.case.home.join("archive.tar");
        std::fs::write(&path, bytes).unwrap();
        self.within_limits(self.case.command(["load", "-q", "-i", path.to_str().unwrap()]))
    }

    /// Within the time and the memory that anything may take.
    #[track_caller]
    fn within_limits(&self, command: Command) -> Finished {
        let begun = Instant::now();
        let running = command.start();
        let memory = highest(running.pid().as_raw_nonzero().get());
        let finished = running.finish();
        assert!(memory < MEMORY, "{memory} KiB of memory: {finished}");
        assert!(begun.elapsed() < TIME, "{:?}: {finished}", begun.elapsed());
        finished
    }

    /// As a file and from a pipe, it must fail with one line that holds `cause`, and leave nothing.
    #[track_caller]
    fn refuses(&mut self, what: &str, bytes: &[u8], cause: &str) {
        let piped = self.within_limits(self.case.command(["load", "-q"]).stdin(bytes));
        for (way, loaded) in [("file", self.load(bytes)), ("pipe", piped)] {
            let lines: Vec<_> = loaded.stderr.lines().filter(|line| line.starts_with("Error: ")).collect();
            let [line] = lines[..] else { panic!("{what}, {way}: {loaded}") };
            assert!(loaded.code == Some(125) && loaded.stdout.is_empty(), "{what}, {way}: {loaded}");
            assert!(line.contains(cause), "{what}, {way}: {line}");
            assert!(
                line.contains(if way == "file" { "archive.tar`" } else { "standard input" }),
                "{what}, {way}: {line}"
            );
            self.is_clean(what);
        }
        self.tried += 1;
    }

    #[track_caller]
    fn is_clean(&self, what: &str) {
        for folder in ["layers", "tmp", "images/blobs/sha256"] {
            let left = std::fs::read_dir(self.case.store().join(folder)).unwrap().count();
            assert_eq!(left, 0, "left in {folder} after {what}");
        }
        let left = size(&self.case.store());
        assert!(left <= LEFT, "{left} bytes are left after {what}");
        assert!(!self.case.store().join("images/index.json").exists(), "{what} has a name");
        assert_eq!(std::fs::read_to_string(self.case.home.join("secret")).unwrap(), "secret");
    }
}

fn parts() -> Parts {
    Parts::of(&[Layer::new().file("seen", 0o644, vec![b'x'; 50_000])])
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Changes to one text of docker-archive, and to its `manifest.json` in particular.
#[test]
fn docker_archives() {
    let mut victim = Victim::new();
    let parts = parts();
    let honest = Archive::docker(&parts, &["q.io/x:1"]);
    let (layer, config) = (honest.0[0].0.clone(), honest.0[1].0.clone());
    let manifest = "manifest.json";
    let long = format!("\"{}\"", "a/".repeat(3000));
    let many = vec![format!("\"{layer}\""); 600].join(",");
    let deep = "[".repeat(200_000);
    let names = vec!["\"q.io/x:1\""; 10_001].join(",");
    for (old, new, cause) in [
        (layer.as_str(), "/etc/passwd", "it has no `/etc/passwd`"),
        (&layer, "../../secret", "it has no `../../secret`"),
        (&layer, "../secret", "it has no `../secret`"),
        (&layer, "", "it has no ``"),
        (&layer, ".", "it has no `.`"),
        (&layer, "nope.tar", "it has no `nope.tar`"),
        (&layer, &config, "the layer has the digest"),
        (&config, "/etc/passwd", "it has no `/etc/passwd`"),
        (&config, "../secret", "it has no `../secret`"),
        (&config, "nope.json", "it has no `nope.json`"),
        (&config, &layer, "the image config is not valid"),
        (&config, manifest, "the image config is not valid"),
        (&format!("\"{layer}\""), "", "the manifest has 0 layers, but the config has 1"),
        (&format!("\"{layer}\""), &format!("\"{layer}\",\"{layer}\""), "the manifest has 2 layers"),
        (&format!("\"{layer}\""), &many, "600 layers"),
        (&format!("\"{layer}\""), "7", "not valid JSON"),
        (&format!("\"{layer}\""), &long, "it has no `a/a/"),
        ("\"q.io/x:1\"", "\"Q.io/../x:1\"", "`Q.io/../x:1`"),
        ("\"q.io/x:1\"", "\"-x\"", "-x"),
        ("\"q.io/x:1\"", "\"\"", ""),
        ("\"q.io/x:1\"", "{}", "not valid JSON"),
        ("\"q.io/x:1\"", &names, "10001 names"),
        ("\"Layers\"", "\"Layer\"", "the manifest has 0 layers"),
        ("\"Config\"", "\"Conf\"", "not valid JSON"),
        ("\"Config\"", "\"Config\":\"x\",\"Config\"", "duplicate field"),
        ("[{", "{", "not valid JSON"),
        ("[{", &format!("{deep}{{"), "not valid JSON"),
        ("}]", "", "not valid JSON"),
        ("}]", "}]x", "not valid JSON"),
    ] {
        let mut archive = honest.clone();
        archive.replace(manifest, old, new);
        victim.refuses(&format!("{old} -> {}", new.get(..40).unwrap_or(new)), &archive.tar(), cause);
    }
    let with = |name: &str, bytes: Vec<u8>| {
        let mut archive = honest.clone();
        *archive.entry(name) = bytes;
        archive.tar()
    };
    let flipped = |bytes: &[u8]| {
        let mut bytes = bytes.to_vec();
        bytes[1000] ^= 1;
        bytes
    };
    let lie = parts.config.to_string().replace("linux", "linuy").into_bytes();
    for (what, bytes, cause) in [
        ("no images", with(manifest, b"[]".to_vec()), "it holds no such image"),
        ("null", with(manifest, b"null".to_vec()), "not valid JSON"),
        ("no bytes", with(manifest, Vec::new()), "not valid JSON"),
        ("invalid UTF-8", with(manifest, b"[\xff]".to_vec()), "not valid JSON"),
        ("5 MiB of manifest", with(manifest, vec![b' '; 5 << 20]), "more than the 4194304 that are allowed"),
        ("9 MiB of config", with(&config, vec![b' '; 9 << 20]), "more than the 4194304 that are allowed"),
        ("another config", with(&config, lie), "the config has the digest"),
        ("another layer", with(&layer, flipped(&parts.layer)), "digest"),
        ("a longer layer", with(&layer, [parts.layer.clone(), vec![0; 512]].concat()), "digest"),
        ("a shorter layer", with(&layer, parts.layer[..parts.layer.len() - 512].to_vec()), "digest"),
        ("an empty layer", with(&layer, Vec::new()), ""),
        ("a compressed other layer", with(&layer, gzip(&flipped(&parts.layer))), "digest"),
        ("half a compressed layer", with(&layer, gzip(&parts.layer)[..200].to_vec()), ""),
        ("half a layer in xz", with(&layer, b"\xfd7zXZ\0 and so on".to_vec()), "XZ"),
        ("half a layer in bzip2", with(&layer, b"BZh91AY&SY and so on".to_vec()), "bz"),
        ("a layer in lz4", with(&layer, b"\x04\x22\x4d\x18 and so on".to_vec()), "compressed with lz4"),
        ("a link out", honest.with_kind(&layer, EntryType::Symlink, "/etc/passwd"), "is a link that leads to no file"),
        ("a link up", honest.with_kind(&layer, EntryType::Symlink, "../secret"), "is a link that leads to no file"),
        ("a link to itself", honest.with_kind(&layer, EntryType::Symlink, &layer), "is a link that leads to no file"),
        (
            "a hard link out",
            honest.with_kind(&layer, EntryType::Link, "/etc/passwd"),
            "is a link that leads to no file",
        ),
        ("a dangling link", honest.with_kind(&layer, EntryType::Symlink, "nope"), "is a link that leads to no file"),
        (
            "a linked config",
            honest.with_kind(&config, EntryType::Symlink, "../secret"),
            "is a link that leads to no file",
        ),
        ("a device", honest.with_kind(&layer, EntryType::Char, ""), "is not a file"),
        ("a FIFO", honest.with_kind(manifest, EntryType::Fifo, ""), "is not a file"),
        ("a directory", honest.with_kind(manifest, EntryType::Directory, ""), "is not a file"),
        ("two manifests", honest.open_tar().file(manifest, 0o644, "[]").tar(), "it has two entries `manifest.json`"),
        ("two by ./", honest.open_tar().file("./manifest.json", 0o644, "[]").tar(), "two entries `manifest.json`"),
        ("two layers", honest.open_tar().file(&layer, 0o644, "x").tar(), "it has two entries"),
        ("nothing but a layer", Layer::new().file(&layer, 0o644, &parts.layer).tar(), "does not match any"),
        ("many entries", (0..50_001).fold(Layer::new(), |tar, n| tar.file(&n.to_string(), 0o644, "")).tar(), "50000"),
    ] {
        victim.refuses(what, &bytes, cause);
    }
    assert!(victim.tried >= 50, "{}", victim.tried);
    victim.load(&honest.tar()).code(0).stdout("Loaded image: q.io/x:1\n");
}

/// Ten thousand images that name one large config, by itself and by a link: it is read once.
#[test]
fn one_config_for_many_images() {
    let mut victim = Victim::new();
    let parts = parts();
    let config = format!("{}{}", parts.config, " ".repeat(4_000_000));
    let item = |config: &str| json!({"Config": config, "RepoTags": null, "Layers": ["layer"]});
    let mut items: Vec<_> = (0..9_999).map(|number| item(["config", "link"][number % 2])).collect();
    items.push(item("nope"));
    let tar = Layer::new().file("config", 0o644, config).file("layer", 0o644, &parts.layer);
    let tar = tar.entry(EntryType::Symlink, "link", 0o644, (0, 0), "config", b"");
    let tar = tar.file("manifest.json", 0o644, Value::from(items).to_string()).tar();
    let begun = Instant::now();
    victim.refuses("many images", &tar, "it has no `nope`");
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
}

#[test]
fn oci_archives() {
    let mut victim = Victim::new();
    let parts = parts();
    let honest = Archive::oci(&parts, &["q.io/x:1"]);
    let [layer, config, manifest] = [0, 1, 2].map(|place| honest.0[place].0.clone());
    let of_manifest = digest(&honest.0[2].1);
    let without = |name: &str| {
        let mut archive = honest.clone();
        archive.0.retain(|(other, _)| other != name);
        archive.tar()
    };
    let with = |name: &str, bytes: Vec<u8>| {
        let mut archive = honest.clone();
        *archive.entry(name) = bytes;
        archive.tar()
    };
    let index = |old: &str, new: &str| {
        let mut archive = honest.clone();
        archive.replace("index.json", old, new);
        archive.tar()
    };
    // A manifest of other words, with a digest that is right.
    let lying = |old: &str, new: &str| {
        let mut lie = self::parts();
        let text = lie.manifest.to_string();
        assert!(text.contains(old), "no {old} in {text}");
        lie.manifest = serde_json::from_str(&text.replace(old, new)).unwrap();
        Archive::oci(&lie, &["q.io/x:1"]).tar()
    };
    let own = |archive: &str| digest(archive.as_bytes());
    let (of_layer, of_config) = (own_digest(&layer), own_digest(&config));
    let size = format!("\"size\":{}", parts.layer.len());
    for (what, bytes, cause) in [
        ("no layer", without(&layer), "it has no `blobs/sha256/"),
        ("no config", without(&config), "it has no `blobs/sha256/"),
        ("no manifest", without(&manifest), "it has no `blobs/sha256/"),
        ("no index", without("index.json"), "does not match any"),
        ("no mark", without("oci-layout"), "does not match any"),
        ("a digest that climbs", index(&of_manifest, "sha256:../../../secret"), "is not a digest"),
        ("a digest of another kind", index(&of_manifest, "sha512:00"), "digest"),
        ("a digest of the layer", index(&of_manifest, &of_layer), ""),
        ("a digest of the config", index(&of_manifest, &of_config), ""),
        ("a digest of nothing", index(&of_manifest, &own("nothing")), "it has no `blobs/sha256/"),
        ("a name that climbs", index("q.io/x:1", "q.io/../../x:1"), "q.io/../../x:1"),
        ("a name with a newline", index("q.io/x:1", "q.io/x\\n:1"), "q.io/x"),
        ("a schema of the future", index("\"schemaVersion\":2", "\"schemaVersion\":3"), "schema version 3"),
        ("an index that is an image", index("\"schemaVersion\":2", "\"schemaVersion\":2,\"layers\":[]"), "at once"),
        ("an index of nothing", with("index.json", br#"{"schemaVersion":2,"manifests":[]}"#.to_vec()), "no such image"),
        ("an index of no kind", with("index.json", b"{}".to_vec()), "neither"),
        ("an index with garbage", index("\"schemaVersion\":2}", "\"schemaVersion\":2}}"), "not valid JSON"),
        ("an index of 5 MiB", with("index.json", vec![b' '; 5 << 20]), "more than the 4194304 that are allowed"),
        ("a manifest of other bytes", with(&manifest, b"{}".to_vec()), "the manifest has the digest"),
        ("a manifest of 5 MiB", with(&manifest, vec![b' '; 5 << 20]), "more than the 4194304 that are allowed"),
        (
            "a config of other bytes",
            with(&config, vec![b' '; parts.config.to_string().len()]),
            "the config has the digest",
        ),
        ("a short config", with(&config, b"{}".to_vec()), "the config `sha256:"),
        ("a layer of other bytes", with(&layer, vec![0; parts.layer.len()]), "digest"),
        ("a short layer", with(&layer, b"x".to_vec()), "the layer `sha256:"),
        ("a layer of a wrong size", lying(&size, "\"size\":7"), "not the 7"),
        ("a layer of a negative size", lying(&size, "\"size\":-7"), "not valid JSON"),
        ("a layer that is foreign", lying("image.layer.v1", "image.layer.nondistributable.v1"), "not distributable"),
        ("a layer that is none", lying("image.layer.v1.tar", "image.bread"), "no file system layer"),
        ("a layer of another name", lying(&of_layer, &own("other")), "it has no `blobs/sha256/"),
        ("a manifest that is an index", lying("\"layers\"", "\"manifests\":[],\"layers\""), "at once"),
        ("two indexes", honest.open_tar().file("index.json", 0o644, "{}").tar(), "two entries `index.json`"),
        ("a linked index", honest.with_kind("index.json", EntryType::Symlink, "/etc/passwd"), "leads to no file"),
        ("a linked blob", honest.with_kind(&layer, EntryType::Symlink, "../../../secret"), "leads to no file"),
    ] {
        victim.refuses(what, &bytes, cause);
    }
    assert!(victim.tried >= 33, "{}", victim.tried);
    victim.load(&honest.tar()).code(0).stdout("Loaded image: q.io/x:1\n");
}

fn own_digest(name: &str) -> String {
    name.replace("blobs/sha256/", "sha256:")
}

/// Cut at many places, plain and compressed.
#[test]
fn cut_archives() {
    let mut victim = Victim::new();
    let parts = parts();
    for whole in [Archive::docker(&parts, &["q.io/x:1"]), Archive::oci(&parts, &["q.io/x:1"])] {
        // Without the end, and without the padding of the last entry, nothing is missing.
        let plain = whole.open_tar().tar();
        let needed = plain.len() - 1024 - 512;
        for part in 0..16 {
            victim.refuses("a cut", &plain[..needed * part / 16], "");
        }
        let packed = gzip(&plain);
        for part in 1..8 {
            victim.refuses("a cut gzip", &packed[..packed.len() * part / 8], "");
        }
    }
}

/// Compression that lies.
#[test]
fn bombs() {
    let mut victim = Victim::new();
    let parts = parts();
    let zeros = vec![0; 30 << 20];
    let mut archive = Archive::docker(&parts, &["q.io/x:1"]);
    *archive.entry("manifest.json") = zeros.clone();
    victim.refuses("a manifest of zeros", &gzip(&archive.tar()), "more than the 4194304 that are allowed");
    let mut archive = Archive::docker(&parts, &["q.io/x:1"]);
    let layer = archive.0[0].0.clone();
    *archive.entry(&layer) = zeros;
    victim.refuses("a layer of zeros", &gzip(&archive.tar()), "digest");
    let mut damaged = gzip(&Archive::docker(&parts, &["q.io/x:1"]).tar());
    let place = damaged.len() - 6;
    damaged[place] ^= 1;
    victim.refuses("a wrong checksum at the end", &damaged, "");
    for (what, start, cause) in [
        ("bzip2", &b"BZh91AY&SY...."[..], "can't be read"),
        ("xz", b"\xfd7zXZ\0......", "can't be read"),
        ("lz4", b"\x04\x22\x4d\x18....", "compressed with lz4"),
    ] {
        victim.refuses(what, start, cause);
    }
}

/// Four hundred mentions of one layer of 50 MB, each with another diff id: it is taken apart for its size once.
#[test]
fn one_layer_for_many_diff_ids() {
    let mut victim = Victim::new();
    let mut packed = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::best());
    packed.write_all(&vec![0; 50 << 20]).unwrap();
    let ids: Vec<_> = (0..400).map(|number| format!("sha256:{number:064x}")).collect();
    let config = json!({
        "architecture": "amd64", "os": "linux", "config": {}, "rootfs": {"type": "layers", "diff_ids": ids},
    });
    let item = json!([{"Config": "config", "RepoTags": null, "Layers": vec!["layer"; ids.len()]}]);
    let tar = Layer::new().file("config", 0o644, config.to_string()).file("layer", 0o644, packed.finish().unwrap());
    let begun = Instant::now();
    victim.refuses("many diff ids", &tar.file("manifest.json", 0o644, item.to_string()).tar(), "digest");
    assert!(begun.elapsed() < Duration::from_secs(40), "{:?}", begun.elapsed());
}

/// Directories hold what tar files hold, and what those can't.
#[test]
fn directories() {
    let victim = Victim::new();
    let parts = parts();
    let path = |name: &str| victim.case.home.join("layout").join(name);
    let make = |archive: &Archive| {
        let _ = std::fs::remove_dir_all(path(""));
        for (name, bytes) in &archive.0 {
            std::fs::create_dir_all(path(name).parent().unwrap()).unwrap();
            std::fs::write(path(name), bytes).unwrap();
        }
    };
    let honest = Archive::oci(&parts, &["q.io/x:1"]);
    let (layer, manifest) = (honest.0[0].0.clone(), honest.0[2].0.clone());
    let secret = victim.case.home.join("secret");
    let spoilings: [(&str, &dyn Fn(), &str); 9] = [
        ("no index", &|| std::fs::remove_file(path("index.json")).unwrap(), "does not match any"),
        ("no layer", &|| std::fs::remove_file(path(&layer)).unwrap(), "it has no `blobs/sha256/"),
        ("a link out", &|| relink(&path(&layer), &secret), "it has no `blobs/sha256/"),
        ("a link up", &|| relink(&path(&layer), "../../../secret".as_ref()), "it has no `blobs/sha256/"),
        ("a link to itself", &|| relink(&path(&layer), path(&layer).file_name().unwrap().as_ref()), "oo many levels"),
        (
            "a linked folder",
            &|| {
                std::fs::rename(path("blobs"), victim.case.home.join("blobs")).unwrap();
                relink(&path("blobs"), "../blobs".as_ref());
            },
            "oo many levels",
        ),
        (
            "a FIFO",
            &|| {
                std::fs::remove_file(path(&layer)).unwrap();
                nix::unistd::mkfifo(&path(&layer), nix::sys::stat::Mode::S_IRUSR).unwrap();
            },
            "is not a file",
        ),
        (
            "a directory",
            &|| {
                std::fs::remove_file(path(&manifest)).unwrap();
                std::fs::create_dir(path(&manifest)).unwrap();
            },
            "is not a file",
        ),
        ("other bytes", &|| std::fs::write(path(&layer), vec![7; parts.layer.len()]).unwrap(), "digest"),
    ];
    for (what, spoil, cause) in spoilings {
        make(&honest);
        spoil();
        let loaded = victim.within_limits(victim.case.command(["load", "-q", "-i", path("").to_str().unwrap()]));
        assert!(loaded.code == Some(125) && loaded.stderr.contains(cause), "{what}: {loaded}");
        victim.is_clean(what);
        let _ = std::fs::remove_dir_all(victim.case.home.join("blobs"));
    }
    make(&honest);
    victim.case.coracle(["load", "-q", "-i", path("").to_str().unwrap()]).code(0).stdout("Loaded image: q.io/x:1\n");
}

fn relink(path: &std::path::Path, target: &std::path::Path) {
    let _ = std::fs::remove_file(path);
    std::os::unix::fs::symlink(target, path).unwrap();
}

/// More than the disk has room for is not even begun.
#[test]
fn bombs_on_small_disks() {
    let Some(case) = Case::on_disk(Driver::Auto, "full") else { return };
    let mut victim = Victim { case, tried: 0 };
    victim.case.coracle(["images", "-q"]).code(0).stdout("");
    std::fs::write(victim.case.home.join("secret"), "secret").unwrap();
    let mut archive = Archive::docker(&parts(), &["q.io/x:1"]);
    let layer = archive.0[0].0.clone();
    *archive.entry(&layer) = vec![0; 200 << 20];
    victim.refuses("200 MB for a disk of 40", &gzip(&archive.tar()), "nine tenths of what the store's disk has free");
    // Nor is anything looked at without end that nobody asked for.
    let mut behind = Archive::docker(&parts(), &["q.io/x:1"]).tar();
    behind.resize(behind.len() + (200 << 20), 0);
    victim.refuses("200 MB behind the end", &gzip(&behind), "it unpacks to more than");
    let beside = Layer::new().file("../a", 0o644, vec![0; 200 << 20]).tar();
    victim.refuses("200 MB that are passed over", &gzip(&beside), "it unpacks to more than");
}
