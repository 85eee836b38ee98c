//! To a registry that does all as it should.

use serde_json::Value;

use super::receiver::{Fault, Receiver};
use crate::harness::http::Registry;
use crate::harness::image::{Compression, Format, digest, noise, registry};
use crate::harness::{Case, Driver, Image, Layer, set_mode};

fn case() -> Case {
    Case::new(Driver::Auto)
}

fn field(case: &Case, image: &str, template: &str) -> String {
    case.coracle(["image", "inspect", "--format", template, image]).succeeded().stdout.trim().to_owned()
}

fn at(registry: &Registry, repository: &str, name: &str) -> (Value, String) {
    let accept = "application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json";
    let answer = registry.request("GET", &format!("/v2/{repository}/manifests/{name}"), &[("Accept", accept)], b"");
    assert_eq!(answer.status, 200, "{repository}:{name}");
    (serde_json::from_slice(&answer.body).unwrap(), digest(&answer.body))
}

/// Whatever the image's layers and format are, the registry gets the bytes that were pulled.
#[test]
fn an_image_keeps_its_digests() {
    let case = case();
    let layer = |compression| Layer::new().file("a", 0o644, noise(5000)).compressed(compression);
    let images = [
        Image::of(vec![layer(Compression::Gzip), layer(Compression::Plain)]),
        Image::of(vec![layer(Compression::Zstd), layer(Compression::Zstd)]),
        Image::of(vec![layer(Compression::Gzip)]).format(Format::Docker),
    ];
    for (number, image) in images.iter().enumerate() {
        let name = case.pull(&image.push(&format!("kept{number}:1")));
        let to = format!("{}/kept/again{number}:2", registry());
        case.coracle(["push", "--digestfile", "digest", &name, &to]).code(0).stdout("");
        let (_, pushed) = at(&Registry { address: registry(), credentials: None }, &format!("kept/again{number}"), "2");
        assert_eq!(pushed, field(&case, &name, "{{.Digest}}"));
        assert_eq!(std::fs::read_to_string(case.home.join("digest")).unwrap(), pushed);
        case.coracle(["pull", &to]).code(0);
        assert_eq!(field(&case, &to, "{{.Id}}"), field(&case, &name, "{{.Id}}"));
    }
}

/// Layers travel together: no part of one is answered before three are on their way.
#[test]
fn layers_in_parallel() {
    let case = case();
    let layers = ["a", "b", "c", "d"].map(|name| Layer::new().file(name, 0o644, name));
    let image = case.pull(&Image::of(layers.to_vec()).push("parallel:1"));
    let receiver = Receiver::start().fault("PATCH", "/upload/", 9, Fault::Crowd(3));
    case.coracle(["push", &image, &format!("{}/x:1", receiver.address)]).code(0);
    assert_eq!(receiver.most_open(), 3);
    let layers = receiver.manifest("x", "1").unwrap()["layers"].as_array().unwrap().clone();
    assert_eq!(layers.len(), 4);
    assert!(layers.iter().all(|layer| receiver.blob("x", layer["digest"].as_str().unwrap()).is_some()));
}

/// What a container changed is an image like any other.
#[test]
fn a_committed_image() {
    let case = case();
    let image = case.busybox();
    case.coracle(["run", "--name", "c", "--network=none", &image, "sh", "-c", "echo mine >/mine"]).succeeded();
    let to = format!("{}/committed:1", registry());
    case.coracle(["commit", "-q", "c", &to]).succeeded();
    case.coracle(["push", "-q", &to]).code(0).stdout("").stderr("");
    case.coracle(["rm", "c"]).succeeded();
    case.coracle(["rmi", "--force", &to]).succeeded();
    case.coracle(["run", "--rm", "--network=none", &to, "cat", "/mine"]).code(0).stdout("mine\n");
}

#[test]
fn in_another_format_and_compression() {
    let case = case();
    let name = case.pull(&Image::of(vec![Layer::new().file("a", 0o644, vec![b'x'; 50_000])]).push("other:1"));
    let there = Registry { address: registry(), credentials: None };
    let push = |tag: &str, flags: &[&str]| {
        let to = format!("{}/other/forms:{tag}", registry());
        case.coracle(["push"].into_iter().chain(flags.iter().copied()).chain([name.as_str(), &to])).code(0);
        at(&there, "other/forms", tag).0
    };
    let docker = push("docker", &["--format", "v2s2"]);
    assert_eq!(docker["mediaType"], "application/vnd.docker.distribution.manifest.v2+json");
    assert_eq!(docker["config"]["mediaType"], "application/vnd.docker.container.image.v1+json");
    assert_eq!(docker["layers"][0]["mediaType"], "application/vnd.docker.image.rootfs.diff.tar.gzip");
    let zstd = push("zstd", &["--compression-format", "zstd", "--compression-level", "9"]);
    assert_eq!(zstd["layers"][0]["mediaType"], "application/vnd.oci.image.layer.v1.tar+zstd");
    assert_eq!(zstd["config"], push("oci", &[])["config"]);
    // What the registry has may stay as it is.
    let stays = push("stays", &["--compression-format", "zstd", "--force-compression=false"]);
    assert_eq!(stays["layers"], push("oci", &[])["layers"]);
    // Pulled in that form and pushed on as gzip, it is the same image.
    let zstd = case.pull(&format!("{}/other/forms:zstd", registry()));
    assert_eq!(field(&case, &zstd, "{{.Id}}"), field(&case, &name, "{{.Id}}"));
    let to = format!("{}/other/forms:gzip", registry());
    case.coracle(["push", "--format", "v2s2", &zstd, &to]).code(125).error("compressed with zstd");
    case.coracle(["push", "--format", "v2s2", "--compression-format", "gzip", &zstd, &to]).code(0);
    assert_eq!(at(&there, "other/forms", "gzip").0["layers"][0]["mediaType"], docker["layers"][0]["mediaType"]);
    case.coracle(["pull", &to]).code(0);
    assert_eq!(field(&case, &to, "{{.Id}}"), field(&case, &name, "{{.Id}}"));
}

/// As images come out of Docker's archives.
#[test]
fn docker_layers_that_are_plain_go_compressed() {
    let case = case();
    let layer = Layer::new().file("a", 0o644, vec![b'x'; 50_000]).compressed(Compression::Plain);
    let name = case.pull(&Image::of(vec![layer]).format(Format::Docker).push("plain:1"));
    let to = format!("{}/plain/gzip:1", registry());
    case.coracle(["push", &name, &to]).code(0);
    let (manifest, _) = at(&Registry { address: registry(), credentials: None }, "plain/gzip", "1");
    assert_eq!(manifest["layers"][0]["mediaType"], "application/vnd.docker.image.rootfs.diff.tar.gzip");
    assert!(manifest["layers"][0]["size"].as_u64().unwrap() < 5000, "{manifest}");
    // Once more: what is there is known, and the layer is not even read.
    let blobs = case.store().join("images/blobs/sha256");
    let is_layer = |path: &std::path::PathBuf| path.metadata().unwrap().len() > 50_000;
    let layer = std::fs::read_dir(blobs).unwrap().map(|entry| entry.unwrap().path()).find(is_layer).unwrap();
    set_mode(&layer, 0);
    case.coracle(["push", &name, &to]).code(0);
    case.coracle(["push", &name, &format!("{}/plain/other:1", registry())]).code(125).error("Permission denied");
    set_mode(&layer, 0o600);
    case.coracle(["pull", &to]).code(0);
    assert_eq!(field(&case, &to, "{{.Id}}"), field(&case, &name, "{{.Id}}"));
}

/// What Debian's skopeo reads is what we read.
#[test]
fn another_tool_reads_it() {
    let case = case();
    let image = case.busybox();
    for (tag, flags) in
        [("as-is", [].as_slice()), ("docker", &["--format", "v2s2"]), ("zstd", &["--compression-format", "zstd"])]
    {
        let to = format!("{}/read:{tag}", registry());
        case.coracle(["push"].into_iter().chain(flags.iter().copied()).chain([image.as_str(), &to])).code(0);
        case.coracle(["pull", &to]).code(0);
        let skopeo = |arguments: &[&str]| {
            let command = crate::harness::Command::new("skopeo").env("PATH", "/usr/bin:/bin").env("HOME", &case.home);
            arguments
                .iter()
                .fold(command, |command, argument| command.arg(argument))
                .directory(&case.home)
                .finish()
                .code(0)
        };
        let from = format!("docker://{to}");
        let digest = skopeo(&["inspect", "--tls-verify=false", "--format", "{{.Digest}}", &from]).stdout;
        assert_eq!(digest.trim(), field(&case, &to, "{{.Digest}}"));
        // It checks every byte.
        let copy = format!("dir:{tag}");
        skopeo(&["--insecure-policy", "copy", "--src-tls-verify=false", &from, &copy]);
    }
}

#[test]
fn what_is_refused_in_words() {
    let case = case();
    let image = case.busybox();
    case.coracle(["push", "nothing"]).code(125).error("nothing: image not known");
    case.coracle(["push", &image, "docker-daemon:x"]).code(125).error("docker-daemon");
    case.coracle(["push", &image, "containers-storage:x"]).code(125).error("is not at a registry");
    case.coracle(["push", "--format", "v2s1", &image]).code(125).error("v2s1");
    case.coracle(["push", "--format", "v3", &image]).code(125).error("v3");
    case.coracle(["push", "--compression-format", "zstd:chunked", &image]).code(125).error("zstd:chunked");
    case.coracle(["push", "--compression-format", "zstd", "--format", "v2s2", &image]).code(125).error("zstd");
    case.coracle(["push", "--compression-format", "gzip", "--compression-level", "12", &image])
        .code(125)
        .error("1 to 9");
    case.coracle(["push", "--sign-by", "me", &image]).code(125).error("not signed");
    case.coracle(["push", "--encryption-key", "jwe:x", &image]).code(125).error("not encrypted");
    case.coracle(["push", "--format", "oci", &image, "dir:x"]).code(125).error("--format");
    case.coracle(["push", "--creds", "noone", &image]).code(125).error("--creds");
}

#[test]
fn all_tags_of_a_repository() {
    let (case, receiver) = (case(), Receiver::start());
    let image = case.busybox();
    let other = case.pull(&Image::of(vec![Layer::new().file("a", 0o644, "a")]).push("tagged:other"));
    let repository = format!("{}/all", receiver.address);
    for (image, name) in [(&image, "all:1"), (&image, "all:2"), (&other, "all:other"), (&other, "alls:3")] {
        case.coracle(["tag", image, &format!("{}/{name}", receiver.address)]).code(0);
    }
    case.coracle(["push", "--all-tags", &repository]).code(0);
    for tag in ["1", "2", "other"] {
        let config =
            receiver.manifest("all", tag).unwrap()["config"]["digest"].as_str().unwrap().replace("sha256:", "");
        assert_eq!(config, field(&case, &format!("{repository}:{tag}"), "{{.Id}}"));
    }
    assert_eq!(receiver.manifest("alls", "3"), None);
    case.coracle(["push", "-a", &format!("{repository}:1")]).code(125).error("tag can't be used with --all-tags/-a");
    case.coracle(["push", "-a", &format!("{repository}/none")]).code(125).error("none: image not known");
}

#[test]
fn to_an_archive() {
    let case = case();
    let image = case.busybox();
    let id = field(&case, &image, "{{.Id}}");
    for (place, path) in [("oci:layout:1", "layout"), ("oci-archive:o.tar", "o.tar"), ("dir:d", "d")] {
        case.coracle(["push", &image, place]).code(0).stdout("");
        let other = Case::new(Driver::Auto);
        other.coracle(["load", "-i", &case.home.join(path).display().to_string()]).code(0);
        let ids = other.coracle(["images", "-q", "--no-trunc"]).succeeded().stdout;
        assert_eq!(
            ids,
            format!(
                "sha256:{id}
"
            ),
            "{place}"
        );
    }
    case.coracle(["push", &image, "docker-archive:d.tar:q.io/x:1"]).code(0);
    case.coracle(["push", &image, "docker-archive:d.tar:q.io/x:1"]).code(125).error("modifying existing images");
    case.coracle(["load", "-i", "d.tar"]).code(0).stdout("Loaded image: q.io/x:1\n");
}

/// With a password, which goes to the registry alone.
#[test]
fn with_credentials() {
    let Some(address) = std::env::var("CORACLE_PRIVATE_REGISTRY").ok() else { return };
    let case = case();
    let image = case.busybox();
    let to = format!("{address}/own:1");
    case.coracle(["push", &image, &to]).code(125).error("anonymous users");
    case.coracle(["push", "--creds", "someone:wrong", &image, &to]).code(125).error("someone");
    case.coracle(["push", "--creds", "someone:secret", &image, &to]).code(0);
    let there = Registry { address, credentials: Some("someone:secret".to_owned()) };
    assert_eq!(at(&there, "own", "1").1, field(&case, &image, "{{.Digest}}"));
}

/// What the registry has is asked for once and not sent again; what another of its repositories has is mounted.
#[test]
fn nothing_is_sent_twice() {
    let receiver = Receiver::start();
    let case = case();
    let image = case.busybox();
    let to = format!("{}/a:1", receiver.address);
    case.coracle(["push", &image, &to]).code(0).says("Copying blob sha256:");
    let (sent, blobs) = (receiver.received(), 2);
    receiver.forget_requests();
    case.coracle(["push", &image, &to]).code(0).says("Writing manifest to image destination");
    let asked: Vec<_> = receiver.requests().iter().map(|request| request.method.clone()).collect();
    assert_eq!(receiver.asked("HEAD", "/blobs/"), blobs, "{asked:?}");
    assert_eq!((receiver.asked("PUT", "/manifests/1"), asked.len()), (1, blobs + 2), "{asked:?}");
    case.coracle(["tag", &image, &to]).succeeded();
    case.coracle(["push", &image, &format!("{}/b:1", receiver.address)]).code(0).says("Copying blob sha256:");
    assert_eq!((receiver.received(), receiver.asked("PATCH", "")), (sent, 0));
    assert_eq!(receiver.manifest("b", "1"), receiver.manifest("a", "1"));
}

/// For what a push needs a token is asked, and for nothing more: to write where it goes, and to read where a blob is mounted from.
#[test]
fn scopes() {
    use crate::images::registry::scripted::{Registry as Tokens, Reply};
    let grant = |request: &crate::images::registry::scripted::Request, _| {
        request.path.starts_with("/token").then(|| Reply::ok("{\"token\":\"good\",\"expires_in\":300}"))
    };
    let tokens = Tokens::start(&crate::images::server::Parts::new(), Box::new(grant));
    let realm = format!("WWW-Authenticate: Bearer realm=\"http://{}/token\",service=\"s\"\r\n", tokens.address);
    let receiver = Receiver::start().fault("GET", "/v2/", 2, Fault::Says(401, realm, String::new()));
    let case = case();
    let image = case.busybox();
    let scopes = || -> Vec<Vec<String>> {
        let asked = tokens.asked("/token").into_iter();
        let scopes = asked.map(|request| {
            assert!(request.header("authorization").is_some_and(|value| value.starts_with("Basic ")), "{request:?}");
            let query = request.path.replace("%3A", ":").replace("%2C", ",").replace("%2F", "/");
            let fields = query.split(['?', '&']).filter_map(|field| field.strip_prefix("scope="));
            fields.map(str::to_owned).collect()
        });
        scopes.collect()
    };
    let to = format!("{}/ns/a:1", receiver.address);
    case.coracle(["push", "--creds=me:secret", &image, &to]).code(0);
    assert_eq!(scopes(), [["repository:ns/a:pull,push"]]);
    case.coracle(["tag", &image, &to]).succeeded();
    case.coracle(["push", "--creds=me:secret", &image, &format!("{}/b:1", receiver.address)]).code(0);
    assert_eq!(receiver.asked("POST", "/v2/b/"), 2, "both blobs are mounted");
    assert_eq!(scopes()[1..], [vec!["repository:b:pull,push"], vec!["repository:b:pull,push", "repository:ns/a:pull"]]);
    // The registry got the tokens, and never the password.
    for request in receiver.requests() {
        let header = request.headers.get("authorization").map(String::as_str);
        assert!(
            header == Some("Bearer good") || request.path == "/v2/",
            "{} {}: {header:?}",
            request.method,
            request.path
        );
    }
}
