//! `pull`: every format that registries serve, at once or twice at once, cut short, or lied to.

use std::time::Instant;

use rustix::process::Signal;

use crate::behaviour::into::terminal::on_terminal;
use crate::harness::http::Registry;
use crate::harness::image::{self, Compression, Format, busybox_layer, noise, push_index};
use crate::harness::{Case, Driver, Image, LIMIT, Layer, wait_until};

fn case() -> Case {
    Case::new(Driver::Auto)
}

/// On a pipe: plain lines on standard error, the image's id and nothing else on standard output.
#[test]
fn speaks_plainly_on_a_pipe() {
    let case = case();
    let image = Image::busybox().push("busybox:latest");
    let pulled = case.coracle(["pull", &image]).succeeded();
    let id = pulled.stdout.trim_end().to_owned();
    assert!(id.len() == 64 && pulled.stdout.ends_with('\n'), "{pulled}");
    assert!(!pulled.stderr.contains(['\x1b', '\r']), "{pulled}");
    let pulled = pulled.says(&format!("Trying to pull {image}..."));
    assert!(pulled.stderr.lines().count() <= 8, "{pulled}");
    assert_eq!(case.coracle(["images", "-q", "--no-trunc"]).stdout, format!("sha256:{id}\n"));
    case.coracle(["pull", "-q", &image]).code(0).stdout(&format!("{id}\n")).stderr("");
    // What is there is not pulled by `run`, and what is not is.
    case.sh(&image, "true").code(0).stdout("").stderr("");
    case.coracle(["rmi", &image]).code(0);
    case.sh(&image, "echo pulled").code(0).stdout("pulled\n").says(&format!("Trying to pull {image}..."));
}

#[test]
fn formats() {
    let case = case();
    let top = |name: &str| Layer::new().file("top", 0o644, format!("{name}\n"));
    for (name, compression, format) in [
        ("gzip", Compression::Gzip, Format::Oci),
        ("zstd", Compression::Zstd, Format::Oci),
        ("plain", Compression::Plain, Format::Oci),
        ("docker-gzip", Compression::Gzip, Format::Docker),
        ("docker-plain", Compression::Plain, Format::Docker),
    ] {
        let image = Image::of(vec![busybox_layer().compressed(compression), top(name).compressed(compression)]);
        let image = case.pull(&image.format(format).push(&format!("format:{name}")));
        case.sh(&image, "cat /top").code(0).stdout(&format!("{name}\n"));
    }
    // One layer under six images exists once, however it travelled.
    let layers = std::fs::read_dir(case.store().join("layers")).unwrap().count();
    assert_eq!(layers, 6);
}

/// Of an index, the image for this machine is taken.
#[test]
fn indexes() {
    let case = case();
    for (name, format) in [("oci", Format::Oci), ("docker", Format::Docker)] {
        let here = Image::busybox().layer(Layer::new().file("which", 0o644, "here\n")).format(format);
        let other = Image::of(vec![Layer::new().file("which", 0o644, "elsewhere\n")]).format(format);
        let images = [
            other.clone().platform("linux", "s390x"),
            other.clone().platform("windows", &image::machine()),
            here.platform("linux", &image::machine()),
            other.clone().platform("unknown", "unknown"),
        ];
        let name = push_index(&images, format, &format!("index:{name}"));
        case.pull(&name);
        case.sh(&name, "cat /which").code(0).stdout("here\n");
    }
    let foreign = Image::of(vec![Layer::new().file("x", 0o644, "")]).platform("linux", "s390x");
    let name = push_index(&[foreign], Format::Oci, "index:foreign");
    case.coracle(["pull", &name]).code(125).stdout("").error("linux");
}

#[test]
fn by_digest() {
    let case = case();
    let name = Image::busybox().push("busybox:latest");
    let registry = Registry { address: image::registry(), credentials: None };
    let accept = [("Accept", "application/vnd.oci.image.manifest.v1+json")];
    let manifest = registry.request("GET", "/v2/busybox/manifests/latest", &accept, &[]).body;
    let (repository, _) = name.rsplit_once(':').unwrap();
    let pinned = format!("{repository}@{}", image::digest(&manifest));
    case.pull(&pinned);
    case.sh(&pinned, "echo here").code(0).stdout("here\n");
    let absent = format!("{repository}@sha256:{}", "0".repeat(64));
    case.coracle(["pull", &absent]).code(125).stdout("").error(&absent);
    for bad in ["sha256:../../../etc/passwd", "sha256:abc", "md5:d41d8cd98f00b204e9800998ecf8427e"] {
        case.coracle(["pull", &format!("{repository}@{bad}")]).code(125).stdout("").says("Error: ");
    }
}

#[test]
fn what_is_not_there() {
    let case = case();
    let registry = image::registry();
    let absent = format!("{registry}/no/such/image:tag");
    case.coracle(["pull", &absent]).code(125).stdout("").error(&absent);
    // Nobody listens there.
    case.coracle(["pull", "localhost:9/x:y"]).code(125).stdout("").error("localhost:9");
    case.coracle(["pull", "Not A Name"]).code(125).stdout("").error("Not A Name");
    case.coracle(["images", "-q"]).code(0).stdout("");
}

/// What does not have the digest that its config promises is never seen.
#[test]
fn a_layer_that_is_not_what_it_claims() {
    let case = case();
    let lie = image::digest(b"something else");
    let layer = Layer::new().file("never", 0o644, "never\n");
    let name = Image::of(vec![layer]).claiming_diff_id(&lie).push("lie:latest");
    case.coracle(["pull", &name]).code(125).stdout("").error("sha256:");
    case.coracle(["images", "-q"]).code(0).stdout("");
    assert_eq!(std::fs::read_dir(case.store().join("layers")).map_or(0, Iterator::count), 0);
    nothing_half_made(&case);
}

/// The same image, twice at once: both succeed, and the work is done once.
#[test]
fn twice_at_once() {
    let case = case();
    let image = Image::busybox().layer(Layer::new().file("large", 0o644, noise(6_000_000))).push("twice:latest");
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| case.coracle(["pull", &image]).succeeded());
        }
    });
    assert_eq!(std::fs::read_dir(case.store().join("layers")).unwrap().count(), 2);
    case.sh(&image, "wc -c </large").code(0).stdout("6000000\n");
    nothing_half_made(&case);
}

/// Killed at any moment, a pull has left nothing that shows, and the next one sweeps what it left.
#[test]
fn killed() {
    let case = case();
    let image = Image::busybox().layer(Layer::new().file("large", 0o644, noise(3_000_000))).push("killed:latest");
    let begun = Instant::now();
    case.pull(&image);
    let mut whole = begun.elapsed();
    let mut killed = 0;
    for moment in 0..20 {
        case.coracle(["rmi", "-f", &image]).code(0);
        let (running, begun) = (case.command(["pull", &image]).start(), Instant::now());
        // No wait for luck: the moments are spread over the time that a pull takes.
        std::thread::sleep(whole * (moment * 7 % 20) / 20);
        running.signal(Signal::KILL);
        if running.finish().signal.is_none() {
            whole = whole.min(begun.elapsed());
            continue;
        }
        killed += 1;
        let listed = case.coracle(["images", "-q"]).code(0).stdout;
        assert!(listed.is_empty() || case.sh(&image, "wc -c </large").stdout == "3000000\n", "named, but not whole");
    }
    assert!(killed >= 5, "only {killed} of 20 were killed in time");
    case.pull(&image);
    case.sh(&image, "wc -c </large").code(0).stdout("3000000\n");
    nothing_half_made(&case);
}

fn count(case: &Case, folder: &str) -> usize {
    std::fs::read_dir(case.store().join(folder)).map_or(0, Iterator::count)
}

/// What ended containers leave is removed behind the answer, so this is waited for.
#[track_caller]
fn nothing_half_made(case: &Case) {
    wait_until("`tmp` is empty", LIMIT, || count(case, "tmp") == 0);
}

fn private() -> Option<(Registry, String)> {
    let address = std::env::var("CORACLE_PRIVATE_REGISTRY").ok()?;
    let registry = Registry { address, credentials: Some("someone:secret".to_owned()) };
    let name = Image::busybox().push_to(&registry, "private/busybox:latest");
    Some((registry, name))
}

/// A registry that asks for a password: refused without one, and with one from any of the usual files.
#[test]
fn a_private_registry() {
    let Some((registry, image)) = private() else {
        crate::harness::has("a private registry", false);
        return;
    };
    let encode = |text: &str| base64::Engine::encode(&base64::engine::general_purpose::STANDARD, text);
    let entry = |password: &str| {
        let auth = encode(&format!("someone:{password}"));
        serde_json::json!({ "auths": { &registry.address: { "auth": auth } } }).to_string()
    };
    let refused = case();
    refused.coracle(["pull", &image]).code(125).stdout("").says("hint: ");
    let wrong = case();
    place(&wrong, ".config/containers/auth.json", &entry("guessed"));
    let finished = wrong.coracle(["pull", &image]).code(125).stdout("").says("Error: ");
    assert!(!finished.stderr.contains("guessed") && !finished.stderr.contains(&encode("someone:guessed")));
    for file in [".config/containers/auth.json", ".docker/config.json"] {
        let case = case();
        place(&case, file, &entry("secret"));
        case.pull(&image);
        case.sh(&image, "echo private").code(0).stdout("private\n");
    }
    let runtime = Case::new(Driver::Fuse);
    place(&runtime, "run/containers/auth.json", &entry("secret"));
    runtime.pull(&image);
    let named = case();
    place(&named, "elsewhere.json", &entry("secret"));
    named.coracle(["pull", "--authfile", "elsewhere.json", &image]).code(0);
    let named = case();
    place(&named, "of-docker/config.json", &entry("secret"));
    named.coracle(["--config", "of-docker", "pull", &image]).code(0);
}

fn place(case: &Case, file: &str, text: &str) {
    let path = case.home.join(file);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

/// On a terminal each layer has a bar that grows, and a line that stays.
#[test]
fn draws_bars_on_a_terminal() {
    let case = case();
    let image = Image::busybox().layer(Layer::new().file("large", 0o644, noise(3_000_000))).push("bars:latest");
    let mut terminal = on_terminal(&case, &["pull", &image]);
    terminal.expect("ended 0\r\n");
    let shown = terminal.shown();
    // Drawn more than once, in place, and in the end a word for each of both layers.
    assert!(shown.contains("\x1b[") && shown.matches("Copying blob").count() > 2, "{shown}");
    let (blobs, rest) = shown.rsplit_once("Copying config").unwrap();
    assert!(blobs.matches(" done").count() >= 2 && !rest.contains("Copying blob"), "{shown}");
}

/// Another host's registry is spoken to in the clear only if the user says so.
#[test]
fn a_plain_registry_that_is_not_on_this_machine() {
    let case = case();
    // This machine by an address that is none of its own: only the name counts.
    let image = Image::busybox().push("busybox:latest").replace("localhost", "0.0.0.0");
    case.coracle(["pull", &image]).code(125).stdout("").says("hint: ");
    case.coracle(["pull", "--tls-verify=true", &image]).code(125).stdout("").says("Error: ");
    case.coracle(["pull", "--tls-verify=false", &image]).code(0);
    case.sh(&image, "echo here").code(0).stdout("here\n");
}

/// A client of the network is a slow thing to build: it reads the certificates, and `run` of what is there never does.
#[test]
fn the_network_stays_off_the_run_path() {
    use rustix::fs::inotify;
    let case = case();
    let certificates = case.home.join("certificates.pem");
    std::fs::copy("/etc/ssl/certs/ca-certificates.crt", &certificates).unwrap();
    let watch = inotify::init(inotify::CreateFlags::NONBLOCK | inotify::CreateFlags::CLOEXEC).unwrap();
    inotify::add_watch(&watch, &certificates, inotify::WatchFlags::OPEN).unwrap();
    let opened = || {
        let mut buffer = [std::mem::MaybeUninit::uninit(); 4096];
        inotify::Reader::new(&watch, &mut buffer).next().is_ok()
    };
    let image = Image::busybox().push("busybox:latest");
    let coracle = |arguments: &[&str]| {
        case.command(arguments.iter().copied()).env("SSL_CERT_FILE", &certificates).finish().code(0)
    };
    // TLS needs them, plain HTTP does not.
    case.command(["pull", "--tls-verify=true", &image]).env("SSL_CERT_FILE", &certificates).finish().code(125);
    assert!(opened(), "the watch sees nothing");
    while opened() {}
    coracle(&["pull", &image]);
    coracle(&["run", "--rm", "--network=none", &image, "true"]);
    coracle(&["ps", "-a"]);
    coracle(&["images"]);
    assert!(!opened(), "a client was built");
}
