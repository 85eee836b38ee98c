//! Transfers that break: they go on where they were, in the same pull and in the next one.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::scripted::{Registry, Reply};
use super::size;
use crate::harness::image::noise;
use crate::harness::{Case, Driver, LIMIT, Layer, wait_until};
use crate::images::server::Parts;

fn large() -> Parts {
    Parts::of(&[Layer::new().file("large", 0o644, noise(6_000_000))])
}

/// A part of a blob, as it was asked for, of which only so many bytes come.
fn part(body: &[u8], from: usize, sent: usize) -> Reply {
    let range = format!("bytes {from}-{}/{}", body.len() - 1, body.len());
    let reply =
        if from == 0 { Reply::ok(body) } else { Reply::new(206, &body[from..]).header("Content-Range", &range) };
    reply.cut(sent.min(body.len() - from))
}

/// Torn after every megabyte and a half: each time it goes on, nothing comes twice, and no number of attempts is too many.
#[test]
fn within_a_pull() {
    let parts = large();
    let (path, body) = (parts.layer_path(), parts.layer.clone());
    let registry = Registry::start(
        &parts,
        Box::new(move |request, _| (request.path == path).then(|| part(&body, request.from().unwrap_or(0), 1_500_000))),
    );
    let case = Case::new(Driver::Auto);
    let finished = case.coracle(["pull", &format!("{}/x:1", registry.address)]).succeeded();
    assert!(finished.stderr.contains("again from byte 1500000: "), "{finished}");
    let from: Vec<_> = registry.asked(&parts.layer_path()).iter().map(|request| request.from().unwrap_or(0)).collect();
    assert_eq!(from, [0, 1_500_000, 3_000_000, 4_500_000, 6_000_000]);
    assert_eq!(size(&case.store().join("partial")), 0);
}

/// A registry that knows no parts sends all again: what is known of it is passed over.
#[test]
fn from_a_registry_that_knows_no_parts() {
    let parts = large();
    let (path, body) = (parts.layer_path(), parts.layer.clone());
    let registry = Registry::start(
        &parts,
        Box::new(move |request, times| {
            (request.path == path).then(|| Reply::ok(body.clone()).cut(if times == 0 { 4_000_000 } else { body.len() }))
        }),
    );
    Case::new(Driver::Auto).pull(&format!("{}/x:1", registry.address));
    assert_eq!(registry.asked(&parts.layer_path()).len(), 2);
}

/// What one pull received, killed or given up, the next one has; at last the layer is whole and nothing is left over.
#[test]
fn across_pulls() {
    for killed in [false, true] {
        let parts = large();
        let (path, body) = (parts.layer_path(), parts.layer.clone());
        let mended = Arc::new(AtomicBool::new(false));
        let whole = Arc::clone(&mended);
        let registry = Registry::start(
            &parts,
            Box::new(move |request, _| {
                let from = request.from().unwrap_or(0);
                let sent = if whole.load(Ordering::Relaxed) { usize::MAX } else { 4_000_000 - from };
                (request.path == path).then(|| part(&body, from, sent).stall())
            }),
        );
        let case = Case::new(Driver::Auto);
        let image = format!("{}/x:1", registry.address);
        let partial = || size(&case.store().join("partial"));
        if killed {
            let running = case.command(["pull", &image]).start();
            wait_until("most of it is here", LIMIT, || partial() == 4_000_000);
            running.signal(Signal::KILL);
            assert_eq!(running.finish().signal, Some(9));
        } else {
            case.coracle(["pull", "--stall-timeout=1", &image]).code(125).error("stalled");
        }
        assert_eq!(partial(), 4_000_000);
        case.coracle(["images", "-aq"]).code(0).stdout("");
        mended.store(true, Ordering::Relaxed);
        case.coracle(["pull", "--stall-timeout=5", &image]).succeeded();
        let asked = registry.asked(&parts.layer_path());
        assert_eq!(asked.last().unwrap().from(), Some(4_000_000), "{asked:?}");
        assert_eq!(partial(), 0);
    }
}

/// What lies there from an earlier time is not believed: where it is wrong, all is fetched once more.
#[test]
fn what_was_left_has_rotted() {
    let parts = large();
    let hex = parts.layer_path().rsplit(':').next().unwrap().to_owned();
    for length in [5_000_000, parts.layer.len(), 7_000_000] {
        let registry = Registry::start(&parts, Box::new(|_, _| None));
        let case = Case::new(Driver::Auto);
        case.coracle(["images"]).code(0);
        std::fs::create_dir(case.store().join("partial")).unwrap();
        std::fs::write(case.store().join("partial").join(&hex), vec![b'x'; length]).unwrap();
        let finished = case.coracle(["pull", &format!("{}/x:1", registry.address)]).succeeded();
        assert!(finished.stderr.contains("again from byte 0: "), "{finished}");
        assert_eq!(registry.asked(&parts.layer_path()).last().unwrap().from(), None);
        assert_eq!(size(&case.store().join("partial")), 0);
    }
}

/// A part from another place, or of what has changed in the meantime, is never put behind what is here.
#[test]
fn a_part_that_does_not_fit() {
    let parts = large();
    let (path, body) = (parts.layer_path(), parts.layer.clone());
    let registry = Registry::start(
        &parts,
        Box::new(move |request, _| {
            (request.path == path).then(|| match request.from() {
                None => part(&body, 0, 2_000_000),
                Some(from) => part(&body, from - 1000, usize::MAX),
            })
        }),
    );
    let case = Case::new(Driver::Auto);
    let image = format!("{}/x:1", registry.address);
    case.coracle(["pull", &image]).code(125).error("from byte 1999000 on, not from byte 2000000");
    let mut other = large();
    other.layer[5_500_000] ^= 1;
    let (path, changed, body) = (parts.layer_path(), other.layer, parts.layer.clone());
    let registry = Registry::start(
        &parts,
        Box::new(move |request, _| {
            (request.path == path).then(|| match request.from() {
                None => part(&body, 0, 2_000_000).header("ETag", "\"a\""),
                Some(from) => part(&changed, from, usize::MAX).header("ETag", "\"b\""),
            })
        }),
    );
    let case = Case::new(Driver::Auto);
    case.coracle(["pull", &format!("{}/x:1", registry.address)]).code(125).error("has the digest");
    assert_eq!(size(&case.store().join("partial")), 0);
}

/// A registry that asks to be left alone for two seconds is, and then asked again; one that is out of order is asked three times more.
#[test]
fn patience() {
    for (status, header) in [(429, Some("2")), (503, Some("2")), (500, None)] {
        let parts = Parts::new();
        let path = parts.layer_path();
        let registry = Registry::start(
            &parts,
            Box::new(move |request, times| {
                let reply = Reply::new(status, "");
                let reply = header.iter().fold(reply, |reply, wait| reply.header("Retry-After", wait));
                (request.path == path && times < 1 + 2 * usize::from(header.is_none())).then_some(reply)
            }),
        );
        let begun = Instant::now();
        Case::new(Driver::Auto).pull(&format!("{}/x:1", registry.address));
        assert!(
            begun.elapsed()
                >= Duration::from_secs(if header.is_some() { 2 } else { 3 }) / if header.is_some() { 1 } else { 2 }
        );
        assert_eq!(registry.asked(&parts.layer_path()).len(), if header.is_some() { 2 } else { 4 });
    }
}
