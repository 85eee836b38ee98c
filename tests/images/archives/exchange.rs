//! Images go to other tools and come back from them: skopeo, umoci, buildah and podman, as the distribution has them.

use std::path::PathBuf;

use serde_json::Value;

use crate::behaviour::image::commit::{lists_and_capabilities, they_count};
use crate::harness::image::{busybox_layer, registry};
use crate::harness::{Case, Command, Driver, Finished, Image, Layer, binary, has};

const PATH: &str = "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin";

/// Where podman is, and what it calls: beside the program.
fn tools() -> PathBuf {
    binary().parent().unwrap().to_owned()
}

/// An image in a store, and archives of it in the case's home.
struct Stock {
    case: Case,
    name: String,
    id: String,
    digest: String,
}

impl Stock {
    fn new() -> Self {
        let case = Case::new(Driver::Auto);
        let import = ["import", "-q", "-c", "CMD [\"/bin/true\"]", "-", "x"];
        case.command(import).stdin(busybox_layer().tar()).finish().code(0);
        let field = |field: &str| {
            let format = format!("{{{{.{field}}}}}");
            case.coracle(["images", "--format", &format, "localhost/x"]).code(0).stdout.trim().to_owned()
        };
        let (id, digest) = (field("Id"), field("Digest"));
        for format in ["docker-archive", "oci-archive", "oci-dir", "docker-dir"] {
            case.coracle(["save", "-q", "--format", format, "-o", format, "localhost/x"]).code(0);
        }
        case.coracle(["rmi", "-af"]).code(0);
        Self { case, name: "localhost/x:latest".into(), id, digest }
    }

    /// A command of another tool, in the home.
    #[track_caller]
    fn tool(&self, line: &str) -> Finished {
        let home = &self.case.home;
        let mut command = Command::new("sh").arg("-c").arg(line).directory(home).env("HOME", home);
        command = command
            .env("PATH", format!("{}:{PATH}", tools().display()))
            .env("TMPDIR", home.join("tmp"))
            .env("XDG_RUNTIME_DIR", home.join("tmp"))
            .env("STORAGE_DRIVER", "vfs");
        command.finish().code(0)
    }

    /// The image at the registry of the tests: its name.
    #[track_caller]
    fn pushed(&self) -> String {
        let there = format!("{}/exchange:{}", registry(), self.case.home.file_name().unwrap().to_str().unwrap());
        self.case.coracle(["load", "-q", "-i", "oci-archive"]).code(0);
        self.case.coracle(["push", "-q", &self.name, &there]).code(0);
        self.case.coracle(["rmi", "-af"]).code(0);
        there
    }

    /// What another tool wrote is the same image.
    #[track_caller]
    fn comes_back(&self, place: &str, same_digest: bool) {
        self.case.coracle(["pull", "-q", place]).code(0).stdout(&format!("{}\n", self.id));
        let digest = self.case.coracle(["images", "--format", "{{.Digest}}"]).code(0).stdout;
        assert!(!same_digest || digest.trim() == self.digest, "{place}: {digest}");
        self.case.coracle(["run", "--rm", "--network=none", &self.id]).code(0);
        self.case.coracle(["rmi", "-f", &self.id]).code(0);
    }
}

#[test]
fn with_skopeo() {
    let stock = Stock::new();
    let name = &stock.name;
    let ours = [
        format!("oci-archive:oci-archive:{name}"),
        format!("oci:oci-dir:{name}"),
        "dir:docker-dir".into(),
        format!("docker-archive:docker-archive:{name}"),
    ];
    for (number, ours) in ours.iter().enumerate() {
        if ours.starts_with("oci") {
            let found = stock.tool(&format!("skopeo inspect --format '{{{{.Digest}}}}' {ours}")).stdout;
            assert_eq!(found.trim(), stock.digest, "{ours}");
        }
        let id = stock.tool(&format!("skopeo inspect --config --raw {ours} | sha256sum")).stdout;
        assert_eq!(id.split(' ').next(), Some(stock.id.as_str()), "{ours}");
        for (to, reference) in [
            ("oci", "oci:s1:1"),
            ("oci-archive", "oci-archive:s2"),
            ("docker-archive", "docker-archive:s3:q.io/x:1"),
            ("dir", "dir:s4"),
        ] {
            // skopeo writes docker's archives in docker's words; from those to OCI's it makes another config.
            let from_docker = number > 1;
            if from_docker && to.starts_with("oci") {
                continue;
            }
            stock.tool(&format!("rm -rf s1 s2 s3 s4; skopeo copy -q --insecure-policy {ours} {reference}"));
            stock.comes_back(reference, !from_docker && to != "docker-archive");
        }
    }
}

/// Two images in one OCI archive: skopeo finds each in ours, and we find both in what it made.
#[test]
fn two_in_one_with_skopeo() {
    let stock = Stock::new();
    let case = &stock.case;
    let other = Layer::new().file("other", 0o644, "");
    case.coracle(["load", "-q", "-i", "oci-archive"]).code(0);
    case.command(["import", "-q", "-", "localhost/y"]).stdin(other.tar()).finish().code(0);
    case.coracle(["save", "-q", "-m", "--format", "oci-archive", "-o", "both", "localhost/x", "localhost/y"]).code(0);
    let facts = || {
        let shown = case.coracle(["images", "--sort=repository", "--format", "{{.Repository}} {{.Id}} {{.Digest}}"]);
        shown.code(0).stdout
    };
    let before = facts();
    case.coracle(["rmi", "-af"]).code(0);
    for name in ["x", "y"] {
        let ours = format!("oci-archive:both:localhost/{name}:latest");
        stock.tool(&format!("skopeo copy -q --insecure-policy {ours} oci:theirs:localhost/{name}:latest"));
    }
    stock.tool("tar -C theirs -cf theirs.tar .");
    let both = "Loaded image: localhost/x:latest\nLoaded image: localhost/y:latest\n";
    case.coracle(["load", "-q", "-i", "theirs.tar"]).code(0).stdout(both);
    assert_eq!(facts(), before);
}

#[test]
fn with_skopeo_at_a_registry() {
    let stock = Stock::new();
    let there = stock.pushed();
    let skopeo = "skopeo --insecure-policy copy -q --src-tls-verify=false --dest-tls-verify=false";
    stock.tool(&format!("{skopeo} docker://{there} docker://{there}-again && {skopeo} docker://{there} oci:got:1"));
    stock.comes_back(&format!("{there}-again"), true);
    stock.comes_back("oci:got:1", true);
}

#[test]
fn with_umoci() {
    let stock = Stock::new();
    let name = &stock.name;
    assert_eq!(stock.tool("umoci ls --layout oci-dir").stdout, format!("{name}\n"));
    let found = stock.tool(&format!("umoci stat --image oci-dir:{name} --json")).stdout;
    assert_eq!(serde_json::from_str::<Value>(&found).unwrap()["history"].as_array().map(Vec::len), Some(1));
    stock.tool(&format!("umoci config --image oci-dir:{name} --tag labelled --config.label made=there"));
    stock
        .case
        .coracle(["load", "-q", "-i", "oci-dir"])
        .code(0)
        .stdout(&format!("Loaded image: {name}\nLoaded image: localhost/labelled:latest\n"));
    let label = ["image", "inspect", "--format", "{{.Labels.made}} {{.Id}}"];
    let labelled = stock.case.coracle(label.into_iter().chain(["labelled"])).code(0).stdout;
    assert!(labelled.starts_with("there ") && !labelled.contains(&stock.id), "{labelled}");
    let same = stock.case.coracle(["images", "--format", "{{.Id}} {{.Digest}}", name]).code(0).stdout;
    assert_eq!(same.trim(), format!("{} {}", stock.id, stock.digest));
}

/// buildah and podman have the same store.
fn with_store_of(stock: &Stock, tool: &str) {
    let tool = format!("{tool} --root {0}/theirs --runroot tmp/run", stock.case.home.display());
    let name = &stock.name;
    for (number, ours) in
        ["oci-archive:oci-archive", "oci:oci-dir", "docker-archive:docker-archive"].into_iter().enumerate()
    {
        let id = stock.tool(&format!("{tool} pull -q {ours}")).stdout;
        assert_eq!(id.trim(), stock.id, "{tool} {ours}");
        for reference in [format!("docker-archive:d{number}:{name}"), format!("oci-archive:o{number}")] {
            // From docker's words to OCI's another config is made.
            if number == 2 && reference.starts_with("oci") {
                continue;
            }
            stock.tool(&format!("{tool} push -q {} {reference}", stock.id));
            stock.comes_back(&reference, false);
        }
        stock.tool(&format!("{tool} rmi -f {}", stock.id));
    }
    // What is pushed keeps its digest; those tools compress what they push anew.
    let there = stock.pushed();
    assert_eq!(stock.tool(&format!("{tool} pull -q --tls-verify=false docker://{there}")).stdout.trim(), stock.id);
    let digests = stock.tool(&format!("{tool} images --digests --format '{{{{.Digest}}}}'")).stdout;
    assert_eq!(digests.trim(), stock.digest);
    for format in ["oci", "v2s2"] {
        let back = format!("{there}-{format}");
        stock.tool(&format!("{tool} push -q --tls-verify=false --format {format} {} docker://{back}", stock.id));
        // From OCI's words to Docker's another config is made.
        if format == "oci" {
            stock.comes_back(&back, false);
        } else {
            stock.case.coracle(["run", "--rm", "--network=none", &back]).code(0);
        }
    }
}

#[test]
fn with_buildah() {
    with_store_of(&Stock::new(), "buildah");
}

/// It leaves a process behind that holds its namespaces.
fn end_podman(stock: &Stock) {
    stock.tool(&format!("podman --root {}/theirs --runroot tmp/run system migrate", stock.case.home.display()));
}

#[test]
fn with_podman() {
    if has("podman", tools().join("podman").exists()) {
        let stock = Stock::new();
        with_store_of(&stock, "podman");
        end_podman(&stock);
    }
}

/// What other tools pushed in another compression, to a registry or a folder: the layers are the same, and so is the image, whichever
/// way it comes in.
fn compressed_anew_by(stock: &Stock, tool: &str) {
    let tool = format!("{tool} --root {0}/theirs --runroot tmp/run", stock.case.home.display());
    let (case, id) = (&stock.case, &stock.id);
    stock.tool(&format!("{tool} pull -q oci-archive:oci-archive"));
    let there = format!("{}/anew:{}", registry(), case.home.file_name().unwrap().to_str().unwrap());
    let facts = "{{.Id}} {{.Digest}} {{.RootFS.Layers}}";
    let look = || case.coracle(["image", "inspect", "--format", facts, id]).code(0).stdout;
    case.coracle(["load", "-q", "-i", "oci-archive"]).code(0);
    let layers = ["image", "inspect", "--format", "{{.RootFS.Layers}}", id.as_str()];
    let layers = case.coracle(layers).code(0).stdout;
    case.coracle(["rmi", "-f", id]).code(0);
    for (format, kind) in [("gzip", "tar+gzip"), ("zstd", "tar+zstd"), ("zstd:chunked", "tar+zstd")] {
        let push = format!("push -q --tls-verify=false --compression-format {format} --format oci {id}");
        let tag = format.replace(':', "-");
        let name = there.replace("/anew:", &format!("/anew/{tag}:"));
        // What it knows to be at the registry in another form it would leave so.
        stock.tool("rm -rf .local/share/containers/cache");
        stock.tool(&format!("{tool} {push} docker://{name} && {tool} {push} oci:o-{tag}:1"));
        let manifest = case.coracle(["manifest", "inspect", &name]).code(0).stdout;
        let other = stock.tool(&format!("skopeo inspect --raw oci:o-{tag}:1")).stdout;
        for manifest in [manifest, other] {
            let manifest: Value = serde_json::from_str(&manifest).unwrap();
            assert_eq!(manifest["layers"][0]["mediaType"], format!("application/vnd.oci.image.layer.v1.{kind}"));
        }
        let mut seen = Vec::new();
        for words in
            [["pull", "-q", &name], ["pull", "-q", &format!("oci:o-{tag}:1")], ["load", "-qi", &format!("o-{tag}")]]
        {
            let came = case.coracle(words).code(0).stdout;
            let shown = look();
            assert!(words[0] == "load" || came.trim() == id, "{format}: {came}");
            assert!(shown.trim_end().ends_with(layers.trim_end()), "{format}: {shown} are not {layers}");
            case.coracle(["run", "--rm", "--network=none", id]).code(0);
            // And from here to others, as it came.
            case.coracle(["save", "-q", "--format=oci-archive", "-o", "on", id]).code(0);
            let config = stock.tool("skopeo inspect --config --raw oci-archive:on | sha256sum").stdout;
            assert!(config.starts_with(id.as_str()), "{format}: {config}");
            case.coracle(["rmi", "-f", id]).code(0);
            seen.push(shown);
        }
        assert_eq!(seen[1], seen[2], "{format}: what is pulled is what is loaded");
        stock.tool("rm -f on");
    }
}

#[test]
fn compressed_anew_by_buildah() {
    compressed_anew_by(&Stock::new(), "buildah");
}

/// Podman, too, and what its `save --compress` writes.
#[test]
fn compressed_anew_by_podman() {
    if !has("podman", tools().join("podman").exists()) {
        return;
    }
    let stock = Stock::new();
    compressed_anew_by(&stock, "podman");
    let (case, podman) =
        (&stock.case, format!("podman --root {0}/theirs --runroot tmp/run", stock.case.home.display()));
    let save = |flags: &str| stock.tool(&format!("{podman} save -q --format docker-dir {flags} {}", stock.id));
    save("-o plain");
    save("--compress -o packed");
    let mut ids = Vec::new();
    for folder in ["plain", "packed"] {
        let pulled = case.coracle(["pull", "-q", &format!("dir:{folder}")]).code(0).stdout;
        let pulled = pulled.trim();
        case.coracle(["run", "--rm", "--network=none", pulled]).code(0);
        case.coracle(["rmi", "-f", pulled]).code(0);
        case.coracle(["load", "-q", "-i", folder]).code(0).stdout(&format!("Loaded image: sha256:{pulled}\n"));
        case.coracle(["run", "--rm", "--network=none", pulled]).code(0);
        case.coracle(["rmi", "-f", pulled]).code(0);
        ids.push(pulled.to_owned());
    }
    assert_eq!(ids[0], ids[1], "compressed, it is the same image");
    // As gzip begins (RFC 1952, 2.3.1).
    let is_packed = |folder: &str| {
        let files = std::fs::read_dir(case.home.join(folder)).unwrap();
        files.map(|file| std::fs::read(file.unwrap().path()).unwrap()).any(|bytes| bytes.starts_with(&[0x1f, 0x8b]))
    };
    assert!(is_packed("packed") && !is_packed("plain"));
    end_podman(&stock);
}

/// ACLs and capabilities of what a container made: saved, loaded in another store, by way of skopeo, umoci and buildah, too.
#[test]
fn lists_of_who_may_and_capabilities() {
    let mut stock = Stock::new();
    let first = &stock.case;
    let image = first.pull(&Image::busybox().layer(lists_and_capabilities()).push("acl-saved:latest"));
    let script = "touch -d @5 /acl /opt/busybox; echo new >/d/new";
    first.coracle(["run", "--network=none", "--name", "box", &image, "sh", "-c", script]).code(0);
    first.coracle(["commit", "-q", "box", "q.io/made:1"]).code(0);
    for format in ["docker-archive", "oci-archive", "oci-dir", "docker-dir"] {
        let path = format!("made-{format}");
        first.coracle(["save", "-q", "--format", format, "-o", &path, "q.io/made:1"]).code(0);
    }
    let id = first.coracle(["images", "-q", "--no-trunc", "q.io/made:1"]).code(0).stdout;
    stock.id = id.trim().trim_start_matches("sha256:").to_owned();
    stock.tool("skopeo copy -q --insecure-policy oci-archive:made-oci-archive dir:by-skopeo");
    stock.tool("cp -r made-oci-dir by-umoci && umoci config --image by-umoci:q.io/made:1 --config.label made=there");
    let buildah = format!("buildah --root {}/theirs --runroot tmp/run", stock.case.home.display());
    stock.tool(&format!(
        "{buildah} pull -q oci-archive:made-oci-archive && {buildah} push -q {} oci-archive:by-buildah",
        stock.id
    ));
    for (place, same) in [
        ("docker-archive:made-docker-archive", true),
        ("oci-archive:made-oci-archive", true),
        ("oci:made-oci-dir", true),
        ("dir:made-docker-dir", true),
        ("dir:by-skopeo", true),
        ("oci:by-umoci", false),
        ("oci-archive:by-buildah", true),
    ] {
        let other = Case::new(Driver::Auto);
        let mut pull = other.command(["pull", "-q", place]);
        pull = pull.directory(&stock.case.home);
        let came = pull.finish().code(0).stdout;
        let came = came.trim();
        assert_eq!(came == stock.id, same, "{place}: {came} of {}", stock.id);
        they_count(&other, came, &["/acl", "/d/new"], "secret\nnew\n");
    }
}
