//! Images that the tests make: any layer, any media type, pushed to the registry on loopback.
//!
//! Same calls, same bytes: times are 0, so that an image pushed twice is one image.

use std::io::Write;
use std::sync::{Mutex, OnceLock, PoisonError};

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tar::{EntryType, Header};

use super::http::Registry;

/// The registry of the tests; without `tests/run`, the one that `tests/demo` leaves at port 5000.
pub fn registry() -> String {
    std::env::var("CORACLE_REGISTRY").unwrap_or_else(|_| "localhost:5000".to_owned())
}

/// `sha256:<hex>` of some bytes.
pub fn digest(bytes: &[u8]) -> String {
    let hex: String = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{hex}")
}

/// How a layer travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    Gzip,
    Zstd,
    Plain,
}

/// A layer under construction: a tar stream.
#[derive(Clone)]
pub struct Layer {
    tar: Vec<u8>,
    pub compression: Compression,
}

impl Default for Layer {
    fn default() -> Self {
        Self::new()
    }
}

impl Layer {
    pub fn new() -> Self {
        Self { tar: Vec::new(), compression: Compression::Gzip }
    }

    pub fn compressed(mut self, compression: Compression) -> Self {
        self.compression = compression;
        self
    }

    pub fn dir(self, path: &str, mode: u32) -> Self {
        self.entry(EntryType::Directory, path, mode, (0, 0), "", b"")
    }

    pub fn file(self, path: &str, mode: u32, content: impl AsRef<[u8]>) -> Self {
        self.entry(EntryType::Regular, path, mode, (0, 0), "", content.as_ref())
    }

    pub fn owned_file(self, path: &str, mode: u32, owner: (u32, u32), content: &str) -> Self {
        self.entry(EntryType::Regular, path, mode, owner, "", content.as_bytes())
    }

    pub fn symlink(self, path: &str, target: &str) -> Self {
        self.entry(EntryType::Symlink, path, 0o777, (0, 0), target, b"")
    }

    pub fn hard_link(self, path: &str, target: &str) -> Self {
        self.entry(EntryType::Link, path, 0o644, (0, 0), target, b"")
    }

    /// Removes what a lower layer has at `path`.
    pub fn whiteout(self, path: &str) -> Self {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        self.file(&format!("{folder}/.wh.{name}"), 0o644, "")
    }

    /// Hides all that lower layers have in the folder.
    pub fn opaque(self, folder: &str) -> Self {
        self.file(&format!("{folder}/.wh..wh..opq"), 0o644, "")
    }

    /// A PAX record for the entry that follows: an extended attribute as `SCHILY.xattr.NAME`.
    pub fn pax(mut self, key: &str, value: impl AsRef<[u8]>) -> Self {
        let rest = [format!(" {key}=").as_bytes(), value.as_ref(), b"\n"].concat();
        // The record's length counts its own digits.
        let length =
            (1..).map(|digits| rest.len() + digits).find(|total| total.to_string().len() + rest.len() == *total);
        let record = [length.unwrap().to_string().as_bytes(), &rest].concat();
        self = self.entry(EntryType::XHeader, "pax", 0o644, (0, 0), "", &record);
        self
    }

    /// Any entry at all; the name goes in unchecked.
    pub fn entry(
        mut self,
        kind: EntryType,
        path: &str,
        mode: u32,
        (uid, gid): (u32, u32),
        target: &str,
        content: &[u8],
    ) -> Self {
        let mut header = Header::new_ustar();
        header.set_entry_type(kind);
        header.set_mode(mode);
        header.set_uid(uid.into());
        header.set_gid(gid.into());
        header.set_mtime(0);
        header.set_size(content.len() as u64);
        header.as_old_mut().name[..path.len()].copy_from_slice(path.as_bytes());
        header.as_old_mut().linkname[..target.len()].copy_from_slice(target.as_bytes());
        header.set_cksum();
        self.tar.extend_from_slice(header.as_bytes());
        self.tar.extend_from_slice(content);
        self.tar.resize(self.tar.len().next_multiple_of(512), 0);
        self
    }

    /// Bytes of a tar stream as they are.
    pub fn raw(mut self, bytes: &[u8]) -> Self {
        self.tar.extend_from_slice(bytes);
        self
    }

    /// The finished tar stream.
    pub fn tar(&self) -> Vec<u8> {
        let mut bytes = self.tar.clone();
        bytes.resize(bytes.len() + 1024, 0);
        bytes
    }

    /// It, compressed as it is to be.
    pub fn blob(&self) -> Vec<u8> {
        let tar = self.tar();
        match self.compression {
            Compression::Plain => tar,
            Compression::Zstd => zstd::encode_all(tar.as_slice(), 3).unwrap(),
            Compression::Gzip => {
                let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
                encoder.write_all(&tar).unwrap();
                encoder.finish().unwrap()
            }
        }
    }

    pub fn media_type(&self, format: Format) -> &'static str {
        match (format, self.compression) {
            (Format::Oci, Compression::Gzip) => "application/vnd.oci.image.layer.v1.tar+gzip",
            (Format::Oci, Compression::Zstd) => "application/vnd.oci.image.layer.v1.tar+zstd",
            (Format::Oci, Compression::Plain) => "application/vnd.oci.image.layer.v1.tar",
            (Format::Docker, Compression::Gzip) => "application/vnd.docker.image.rootfs.diff.tar.gzip",
            (Format::Docker, _) => "application/vnd.docker.image.rootfs.diff.tar",
        }
    }
}

/// Whose media types an image's manifest has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Oci,
    Docker,
}

/// An image under construction.
#[derive(Clone)]
pub struct Image {
    layers: Vec<Layer>,
    config: Value,
    platform: (String, String),
    format: Format,
    /// What the config claims the first layer unpacks to, where that is a lie.
    diff_id: Option<String>,
    /// What made each of its layers, as it says.
    history: Vec<String>,
}

impl Image {
    /// An image of these layers that starts `sh`.
    pub fn of(layers: Vec<Layer>) -> Self {
        let path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
        let config = json!({ "Env": [path], "Cmd": ["sh"] });
        let platform = ("linux".to_owned(), machine());
        Self { layers, config, platform, format: Format::Oci, diff_id: None, history: Vec::new() }
    }

    /// A working system of one megabyte: busybox, a few accounts, `/tmp`.
    pub fn busybox() -> Self {
        Self::of(vec![busybox_layer()])
    }

    pub fn layer(mut self, layer: Layer) -> Self {
        self.layers.push(layer);
        self
    }

    /// A key of the image's config: `Entrypoint`, `Cmd`, `Env`, `User`, `WorkingDir`, `StopSignal`.
    pub fn config(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.config[key] = value.into();
        self
    }

    /// The config claims that these made the layers.
    pub fn made_by(mut self, steps: &[&str]) -> Self {
        self.history = steps.iter().map(|step| (*step).to_owned()).collect();
        self
    }

    pub fn format(mut self, format: Format) -> Self {
        self.format = format;
        self
    }

    pub fn platform(mut self, os: &str, architecture: &str) -> Self {
        self.platform = (os.to_owned(), architecture.to_owned());
        self
    }

    pub fn claiming_diff_id(mut self, diff_id: &str) -> Self {
        self.diff_id = Some(diff_id.to_owned());
        self
    }

    /// Pushes the image to the registry of the tests as `name` (`repository:tag`) and gives its full name.
    pub fn push(&self, name: &str) -> String {
        self.push_to(&Registry { address: registry(), credentials: None }, name)
    }

    pub fn push_to(&self, registry: &Registry, name: &str) -> String {
        let (repository, tag) = name.split_once(':').unwrap();
        self.push_as(registry, repository, Some(tag));
        format!("{}/{name}", registry.address)
    }

    /// Pushes the image under a tag, or under its digest alone; gives its descriptor, as an index lists it.
    fn push_as(&self, registry: &Registry, repository: &str, tag: Option<&str>) -> Value {
        let blobs: Vec<_> = self.layers.iter().map(Layer::blob).collect();
        let mut diff_ids: Vec<_> = self.layers.iter().map(|layer| digest(&layer.tar())).collect();
        if let (Some(lie), Some(first)) = (&self.diff_id, diff_ids.first_mut()) {
            first.clone_from(lie);
        }
        let history: Vec<Value> = self.history.iter().map(|step| json!({ "created_by": step })).collect();
        let mut config = json!({
            "os": self.platform.0, "architecture": self.platform.1, "created": "1970-01-01T00:00:00Z",
            "config": self.config, "rootfs": { "type": "layers", "diff_ids": diff_ids },
        });
        if !history.is_empty() {
            config["history"] = history.into();
        }
        let config = config.to_string();
        let (manifest_type, config_type) = match self.format {
            Format::Oci => ("application/vnd.oci.image.manifest.v1+json", "application/vnd.oci.image.config.v1+json"),
            Format::Docker => (
                "application/vnd.docker.distribution.manifest.v2+json",
                "application/vnd.docker.container.image.v1+json",
            ),
        };
        let describe = |media_type: &str, bytes: &[u8]| json!({ "mediaType": media_type, "digest": digest(bytes), "size": bytes.len() });
        let layers: Vec<_> =
            self.layers.iter().zip(&blobs).map(|(layer, blob)| describe(layer.media_type(self.format), blob)).collect();
        let manifest = json!({
            "schemaVersion": 2, "mediaType": manifest_type,
            "config": describe(config_type, config.as_bytes()), "layers": layers,
        })
        .to_string();
        // Of two who store the same blob in the same repository at the same time, the registry may let one read what the other has
        // half written.
        let _turn = PUSHING.lock().unwrap_or_else(PoisonError::into_inner);
        for blob in &blobs {
            registry.push_blob(repository, &digest(blob), blob);
        }
        registry.push_blob(repository, &digest(config.as_bytes()), config.as_bytes());
        let name = digest(manifest.as_bytes());
        registry.push_manifest(repository, tag.unwrap_or(&name), manifest_type, manifest.as_bytes());
        let mut descriptor = describe(manifest_type, manifest.as_bytes());
        descriptor["platform"] = json!({ "os": self.platform.0, "architecture": self.platform.1 });
        descriptor
    }
}

static PUSHING: Mutex<()> = Mutex::new(());

/// Pushes an index over several images and gives its full name.
pub fn push_index(images: &[Image], format: Format, name: &str) -> String {
    let registry = Registry { address: registry(), credentials: None };
    let (repository, tag) = name.split_once(':').unwrap();
    let manifests: Vec<_> = images.iter().map(|image| image.push_as(&registry, repository, None)).collect();
    let media_type = match format {
        Format::Oci => "application/vnd.oci.image.index.v1+json",
        Format::Docker => "application/vnd.docker.distribution.manifest.list.v2+json",
    };
    let index = json!({ "schemaVersion": 2, "mediaType": media_type, "manifests": manifests }).to_string();
    registry.push_manifest(repository, tag, media_type, index.as_bytes());
    format!("{}/{name}", registry.address)
}

/// This machine's architecture in the words of image configs.
pub fn machine() -> String {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
    .to_owned()
}

/// The file system of [`Image::busybox`], as one layer.
pub fn busybox_layer() -> Layer {
    static LAYER: OnceLock<Layer> = OnceLock::new();
    LAYER.get_or_init(make_busybox_layer).clone()
}

fn make_busybox_layer() -> Layer {
    let program = std::fs::read("/bin/busybox").expect("the package busybox-static is installed");
    let listed = std::process::Command::new("/bin/busybox").arg("--list").output().unwrap();
    let passwd =
        "root:x:0:0:root:/root:/bin/sh\nwww-data:x:33:33:www-data:/var/www:/bin/sh\nnobody:x:65534:65534::/:/bin/sh\n";
    let group = "root:x:0:\ntty:x:5:\nwww-data:x:33:\nextra:x:40:www-data\nnogroup:x:65534:\n";
    let mut layer = ["bin", "etc", "root", "var", "var/www", "usr", "usr/bin"]
        .into_iter()
        .fold(Layer::new(), |layer, folder| layer.dir(folder, 0o755))
        .dir("tmp", 0o1777)
        .file("bin/busybox", 0o755, program)
        .file("etc/passwd", 0o644, passwd)
        .file("etc/group", 0o644, group);
    for applet in String::from_utf8(listed.stdout).unwrap().lines().filter(|applet| *applet != "busybox") {
        layer = layer.symlink(&format!("bin/{applet}"), "busybox");
    }
    layer
}

/// Bytes that no compression makes smaller, the same ones every time (splitmix64).
pub fn noise(count: u64) -> Vec<u8> {
    let word = |number: u64| {
        let mut mixed = number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    };
    let mut bytes: Vec<u8> = (1..=count.div_ceil(8)).flat_map(|number| word(number).to_le_bytes()).collect();
    bytes.truncate(count as usize);
    bytes
}
