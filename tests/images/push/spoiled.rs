//! To a registry that breaks off, loses and lies: what can still be done is done, and of the rest the error names the cause.

use std::time::{Duration, Instant};

use super::receiver::{Fault, Receiver};
use crate::harness::image::{Compression, noise};
use crate::harness::{Case, Driver, Image, Layer, long_or};
use crate::images::registry::highest;

const ERROR: u16 = 500;

/// A case and an image in it, whose layer is sent in three parts.
fn large() -> (Case, String) {
    let case = Case::new(Driver::Auto);
    let image = Image::of(vec![Layer::new().file("large", 0o644, noise(20 << 20))]).push("large:1");
    case.pull(&image);
    (case, image)
}

/// The push goes well all the same; the registry has every byte.
#[track_caller]
fn arrives(receiver: &Receiver, (case, image): &(Case, String)) {
    case.coracle(["push", image, &format!("{}/x:1", receiver.address)]).code(0);
    let manifest = receiver.manifest("x", "1").expect("the manifest is there");
    let layer = &manifest["layers"][0];
    let blob = receiver.blob("x", layer["digest"].as_str().unwrap()).expect("the layer is there");
    assert_eq!(blob.len() as u64, layer["size"].as_u64().unwrap());
}

/// The push fails with an error that holds `cause`; nothing has the name.
#[track_caller]
fn fails(receiver: &Receiver, cause: &str) {
    let case = Case::new(Driver::Auto);
    let image = case.busybox();
    let to = format!("{}/x:1", receiver.address);
    case.coracle(["push", "--stall-timeout", "5", &image, &to]).code(125).stdout("").error(cause);
    assert_eq!(receiver.manifest("x", "1"), None);
    assert_eq!(std::fs::read_dir(case.store().join("tmp")).unwrap().count(), 0);
}

/// A registry that says nothing more, at each step of a push, or takes no more bytes in the middle of a layer: a minute is enough, as
/// for a pull; a test of hours waits for it.
#[test]
fn a_registry_that_falls_silent() {
    let (case, large) = large();
    let small = case.pull(&Image::of(vec![Layer::new().file("small", 0o644, "small")]).push("small:1"));
    let (seconds, flag) = long_or((60, None), (2, Some("--stall-timeout=2")));
    for (image, method, part, taken) in [
        (&small, "HEAD", "/blobs/", usize::MAX),
        (&small, "POST", "/uploads/", usize::MAX),
        (&small, "PATCH", "/upload/", usize::MAX),
        (&small, "PUT", "/manifests/", usize::MAX),
        (&large, "PATCH", "/upload/", 1 << 20),
    ] {
        let receiver = Receiver::start().fault(method, part, 99, Fault::Deaf(taken));
        let begun = Instant::now();
        let to = format!("{}/x:1", receiver.address);
        let running = case.command(["push", "--retry=0", image, &to].into_iter().chain(flag)).start();
        // Which looks until it ends, however long that is.
        highest(running.pid().as_raw_nonzero().get());
        running.finish().code(125).stdout("").error("did not answer in time");
        let limit = Duration::from_secs(seconds);
        let took = begun.elapsed();
        // What waits in this machine's buffers has half as long again.
        assert!((limit..limit * 3 / 2 + Duration::from_secs(10)).contains(&took), "{method} of {image}: {took:?}");
        assert_eq!(receiver.manifest("x", "1"), None);
    }
}

/// The second part is cut in its middle: what came before is not sent again.
#[test]
fn a_connection_that_is_cut() {
    let world = large();
    let whole = Receiver::start();
    arrives(&whole, &world);
    assert_eq!(whole.asked("PATCH", "/upload/"), 4, "the layer's three parts, and the config");
    let receiver = Receiver::start().fault("PATCH", "/upload/", 1, Fault::Header("X-Unused", None)).fault(
        "PATCH",
        "/upload/",
        1,
        Fault::Cut(3 << 20),
    );
    arrives(&receiver, &world);
    assert_eq!(receiver.received(), whole.received(), "no byte twice");
    // Three times in a row, and then on.
    let receiver = Receiver::start().fault("PATCH", "/upload/", 3, Fault::Cut(0));
    arrives(&receiver, &world);
}

#[test]
fn an_upload_of_which_the_registry_tells_wrong() {
    let world = large();
    // Nothing, more than was sent, and less than it has: it begins anew, or is asked again.
    for (times, fault) in [
        (9, Fault::error(404, "BLOB_UPLOAD_UNKNOWN")),
        (1, Fault::Header("Range", Some("0-99999999".to_owned()))),
        (1, Fault::Header("Range", Some("0-999999".to_owned()))),
    ] {
        let receiver =
            Receiver::start().fault("PATCH", "/upload/", 1, Fault::Cut(2 << 20)).fault("GET", "/upload/", times, fault);
        arrives(&receiver, &world);
    }
    let odd = Fault::Header("Range", Some("all".to_owned()));
    let receiver = Receiver::start().fault("PATCH", "/upload/", 1, Fault::Cut(9)).fault("GET", "/upload/", 9, odd);
    fails(&receiver, "range");
    let stuck = Fault::Header("Range", Some("0-0".to_owned()));
    fails(&Receiver::start().fault("PATCH", "/upload/", 9, stuck), "does not keep them");
}

#[test]
fn what_may_pass() {
    let world = large();
    let wait = Fault::Says(429, "Retry-After: 1\r\n".to_owned(), String::new());
    for (method, part, fault) in [
        ("POST", "/uploads/", Fault::status(503)),
        ("HEAD", "/blobs/", wait.clone()),
        ("PATCH", "/upload/", wait),
        ("PATCH", "/upload/", Fault::status(416)),
        ("PUT", "/upload/", Fault::status(502)),
        // The blob is there, only nobody said so.
        ("PUT", "/upload/", Fault::Mute),
        ("PUT", "/manifests/", Fault::Mute),
        // It lied of having all, and lacks one when the manifest comes.
        ("HEAD", "/blobs/", Fault::Says(200, String::new(), String::new())),
    ] {
        arrives(&Receiver::start().fault(method, part, 2, fault), &world);
    }
}

#[test]
fn what_does_not_pass() {
    for (method, part, fault, cause) in [
        ("POST", "/uploads/", Fault::status(ERROR), "status 500"),
        ("POST", "/uploads/", Fault::error(403, "DENIED"), "does not let anonymous users use"),
        ("POST", "/uploads/", Fault::error(405, "UNSUPPORTED"), "because"),
        ("POST", "/uploads/", Fault::Header("Location", None), "place for an upload"),
        ("POST", "/uploads/", Fault::Header("Location", Some("file:///etc/passwd".into())), "`file`"),
        ("POST", "/uploads/", Fault::Header("Location", Some("http://me:x@127.0.0.1/".into())), "user's name"),
        ("PATCH", "/upload/", Fault::Says(307, "Location: /upload/0\r\n".into(), String::new()), "redirects"),
        ("PATCH", "/upload/", Fault::status(413), "status 413"),
        ("PUT", "/upload/", Fault::error(400, "DIGEST_INVALID"), "because"),
        ("PUT", "/manifests/", Fault::error(400, "MANIFEST_INVALID"), "because"),
        ("PUT", "/manifests/", Fault::error(400, "MANIFEST_BLOB_UNKNOWN"), "lacks a blob"),
        ("HEAD", "/blobs/", Fault::status(401), "anonymous users"),
    ] {
        fails(&Receiver::start().fault(method, part, 99, fault), cause);
    }
}

/// What can't be had from another repository is sent.
#[test]
fn a_mount_that_is_refused() {
    let case = Case::new(Driver::Auto);
    let image = case.busybox();
    let refusals =
        [Fault::error(404, "NAME_UNKNOWN"), Fault::error(403, "DENIED"), Fault::status(405), Fault::status(500)];
    for (number, refusal) in refusals.into_iter().enumerate() {
        let receiver = Receiver::start();
        let from = format!("{}/from:{number}", receiver.address);
        case.coracle(["push", &image, &from]).code(0);
        case.coracle(["tag", &image, &from]).code(0);
        let receiver = receiver.fault("POST", "/v2/to/blobs/uploads/", 1, refusal);
        case.coracle(["push", &image, &format!("{}/to:1", receiver.address)]).code(0);
        assert_eq!(receiver.manifest("to", "1"), receiver.manifest("from", &number.to_string()));
    }
}

#[test]
fn a_manifest_that_is_stored_as_another() {
    let receiver = Receiver::start();
    let other = format!("sha256:{}", "0".repeat(64));
    let receiver = receiver.fault("PUT", "/manifests/", 1, Fault::Header("Docker-Content-Digest", Some(other.clone())));
    let case = Case::new(Driver::Auto);
    let image = case.busybox();
    case.coracle(["push", &image, &format!("{}/x:1", receiver.address)]).code(125).error(&other);
}

/// An upload that lies on another host goes there without the password.
#[test]
fn an_upload_elsewhere() {
    let elsewhere = Receiver::start();
    // It knows of no upload, and says so: that must come to us, too.
    let place = Fault::Header("Location", Some(format!("http://{}/upload/0", elsewhere.address)));
    let receiver = Receiver::start().fault(
        "GET",
        "/v2/",
        1,
        Fault::Says(401, "WWW-Authenticate: Basic realm=\"x\"\r\n".into(), String::new()),
    );
    let receiver = receiver.fault("POST", "/uploads/", 99, place);
    let case = Case::new(Driver::Auto);
    let image = case.busybox();
    let to = format!("{}/x:1", receiver.address);
    let pushed =
        case.coracle(["push", "--creds", "someone:secret", &image, &to]).code(125).error("is not at the registry");
    assert!(!pushed.stderr.contains("secret"), "{pushed}");
    assert!(receiver.requests().iter().any(|request| request.headers.contains_key("authorization")));
    let there = elsewhere.requests();
    assert!(!there.is_empty() && there.iter().all(|request| !request.headers.contains_key("authorization")));
}

/// A token that runs out in the middle is replaced.
#[test]
fn a_token_that_runs_out() {
    let receiver = Receiver::start();
    let ask = |receiver: &Receiver| {
        let realm = format!("WWW-Authenticate: Bearer realm=\"http://{}/token\",service=\"s\"\r\n", receiver.address);
        Fault::Says(401, realm, String::new())
    };
    let (first, second) = (ask(&receiver), ask(&receiver));
    let token = |token: &str| Fault::Says(200, String::new(), format!(r#"{{"token":"{token}"}}"#));
    let receiver = receiver
        .fault("GET", "/v2/", 1, first)
        .fault("GET", "/token", 1, token("one"))
        .fault("PATCH", "/upload/", 1, second)
        .fault("GET", "/token", 9, token("two"));
    let case = Case::new(Driver::Auto);
    let image = case.busybox();
    case.coracle(["push", &image, &format!("{}/x:1", receiver.address)]).code(0);
    let bearers: Vec<_> = receiver.requests().iter().filter_map(|r| r.headers.get("authorization").cloned()).collect();
    assert!(bearers.contains(&"Bearer one".to_owned()) && bearers.contains(&"Bearer two".to_owned()), "{bearers:?}");
}

/// A bit that the disk has lost, in the first part of a layer, in its last one, or in the config: no registry gets that as what it
/// was, whole or resumed, nor compressed anew. What the registry has already is not read.
#[test]
fn a_blob_that_rotted() {
    // In three parts: it is not compressed.
    let layer = Layer::new().file("large", 0o644, noise(20 << 20)).compressed(Compression::Plain);
    let pushed = Image::of(vec![layer]).push("rotten:1");
    let world = || {
        let case = Case::new(Driver::Auto);
        (case.pull(&pushed), case)
    };
    let whole = Receiver::start();
    let (image, case) = world();
    arrives(&whole, &(case, image));
    for (at, cut) in [(0, false), (19 << 20, false), (5, true)] {
        let (image, case) = world();
        let manifest = whole.manifest("x", "1").unwrap();
        let digest = manifest["layers"][0]["digest"].as_str().unwrap().to_owned();
        let path = case.store().join("images/blobs/sha256").join(digest.trim_start_matches("sha256:"));
        let honest = std::fs::read(&path).unwrap();
        let mut rotten = honest.clone();
        rotten[at] ^= 1;
        std::fs::write(&path, &rotten).unwrap();
        let receiver = Receiver::start();
        let receiver = if cut { receiver.fault("PATCH", "/upload/", 2, Fault::Cut(3 << 20)) } else { receiver };
        let to = format!("{}/x:1", receiver.address);
        let push = |more: &[&str]| case.coracle([&["push"], more, &[&image, &to]].concat());
        for more in [&[][..], &["--compression-format=zstd"]] {
            let refused = push(more).code(125).stdout("").error(&format!("the blob `{digest}` is damaged"));
            refused.says("hint: the disk has lost it: `coracle system check --repair`");
            assert_eq!((receiver.blob("x", &digest), receiver.manifest("x", "1")), (None, None), "{at} {more:?}");
            assert_eq!(receiver.asked("PUT", "/manifests/"), 0);
        }
        // The last part is never sent.
        assert!(receiver.received() < rotten.len(), "{} of {} bytes came", receiver.received(), rotten.len());
        case.coracle(["push", &image, &format!("{}/x:1", whole.address)]).code(0);
        std::fs::write(&path, honest).unwrap();
        push(&[]).code(0);
    }
}
