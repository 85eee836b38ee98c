//! Transfers that break: they go on where they were, in the same pull and in the next one.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::scripted::{Registry, Reply, Request};
use super::{Hostile, MEMORY, highest, size};
use crate::harness::image::noise;
use crate::harness::{Case, Driver, LIMIT, Layer, long_or, wait_until};
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

/// Cut before its first byte, before its last or in between: it goes on from there.
#[test]
fn wherever_it_is_cut() {
    let parts = large();
    let length = parts.layer.len();
    for cut in [0, 1, 1023, (1 << 20) - 1, 1 << 20, length / 2, length - 1] {
        let (path, body) = (parts.layer_path(), parts.layer.clone());
        let script = move |request: &Request, times| {
            let sent = if times == 0 { cut } else { usize::MAX };
            (request.path == path).then(|| part(&body, request.from().unwrap_or(0), sent))
        };
        let registry = Registry::start(&parts, Box::new(script));
        let case = Case::new(Driver::Auto);
        case.coracle(["pull", "-q", "--retry-delay=1ms", &format!("{}/x:1", registry.address)]).code(0);
        let asked: Vec<_> = registry.asked(&parts.layer_path()).iter().map(Request::from).collect();
        assert_eq!(asked, [None, Some(cut).filter(|cut| *cut > 0)], "{cut}");
        assert_eq!(size(&case.store().join("partial")), 0, "{cut}");
    }
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

/// A minute without a byte ends a transfer, as the help says; a test of hours waits for it.
#[test]
fn a_minute_is_enough() {
    let case = Case::new(Driver::Auto);
    let help = case.coracle(["pull", "--help"]).code(0).stdout;
    let words = help.split("--stall-timeout").nth(1).unwrap().split_whitespace().take(16).collect::<Vec<_>>().join(" ");
    assert!(words.contains("for so many seconds [default: 60]"), "{words}");
    let (seconds, flag) = long_or((60, None), (3, Some("--stall-timeout=3")));
    let parts = Parts::new();
    let (path, body) = (parts.layer_path(), parts.layer.clone());
    let script = move |request: &Request, _| (request.path == path).then(|| Reply::ok(&body[..]).cut(1000).stall());
    let registry = Registry::start(&parts, Box::new(script));
    let image = format!("{}/x:1", registry.address);
    let begun = Instant::now();
    let words = ["pull", &image].into_iter().chain(flag);
    let running = case.command(words).start();
    // Which looks until it ends, however long that is.
    assert!(highest(running.pid().as_raw_nonzero().get()) < MEMORY);
    running.finish().code(125).error(&format!("sent less than a kilobyte in {seconds} s"));
    let limit = Duration::from_secs(seconds);
    assert!((limit..limit + Duration::from_secs(5)).contains(&begun.elapsed()), "{:?}", begun.elapsed());
}

/// What came before a registry took its word back is of no use any more, and does not stay.
pub fn broken_off_and_then_refused() -> Vec<Hostile> {
    let parts = large();
    let refused = |name: String, says: &'static [&'static str], then: Reply| {
        let (path, body) = (parts.layer_path(), parts.layer.clone());
        Hostile::new(name, says, large(), move |request, _| {
            (request.path == path)
                .then(|| if request.from().is_none() { part(&body, 0, 4_000_000) } else { then.clone() })
        })
    };
    let statuses: [(u16, &[&str]); 7] = [
        (400, &["status 400"]),
        (401, &["does not let"]),
        (403, &["does not let"]),
        (404, &["is not at the registry"]),
        (410, &["status 410"]),
        (416, &["bytes, not the"]),
        (451, &["status 451"]),
    ];
    let statuses = statuses.map(|(status, says)| refused(format!("then {status}"), says, Reply::new(status, "")));
    let rest = |bytes: Vec<u8>, first: usize| {
        let range = format!("bytes {first}-{}/{}", parts.layer.len() - 1, parts.layer.len());
        Reply::new(206, bytes).header("Content-Range", &range)
    };
    let tail = parts.layer[4_000_000..].to_vec();
    let others = [
        refused("then other bytes".into(), &["has the digest"], rest(vec![b'x'; tail.len()], 4_000_000)),
        refused("then too many".into(), &["bytes, not the"], rest([&tail[..], b"x"].concat(), 4_000_000)),
        refused("then from elsewhere".into(), &["not from byte 4000000"], rest(tail.clone(), 3_999_999)),
        refused("then from nowhere".into(), &["does not say which"], Reply::new(206, tail.clone())),
    ];
    statuses.into_iter().chain(others).collect()
}

/// What nobody goes on with is swept once it is old, by whatever command sweeps; a prune takes all.
#[test]
fn what_is_never_taken_up_again() {
    let case = Case::new(Driver::Auto);
    let honest = Registry::start(&Parts::new(), Box::new(|_, _| None));
    let image = case.pull(&format!("{}/x:1", honest.address));
    case.coracle(["save", "-q", "-o", "saved.tar", &image]).code(0);
    let left = case.store().join("partial").join("0".repeat(64));
    let leave = |days: u64| {
        let file = std::fs::File::create(&left).unwrap();
        file.set_modified(std::time::SystemTime::now() - Duration::from_secs(days * 86_400)).unwrap();
    };
    for words in [["load", "-isaved.tar"], ["rmi", "none"], ["pull", &image]] {
        leave(6);
        case.coracle(words);
        assert!(left.exists(), "{words:?} took what is new");
        leave(8);
        case.coracle(words);
        assert!(!left.exists(), "{words:?} left what is old");
    }
    for words in [["image", "prune", "-f"], ["system", "prune", "-f"]] {
        leave(0);
        case.coracle(words).code(0);
        assert!(!left.exists(), "{words:?} left what is new");
    }
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

/// One that asks so again and again is left alone for as long as a silent one is waited for, and no longer.
#[test]
fn patience_has_an_end() {
    let parts = Parts::new();
    for path in ["/v2/x/manifests/1".to_owned(), parts.config_path(), parts.layer_path()] {
        let asked = path.clone();
        let script =
            move |request: &Request, _| (request.path == path).then(|| Reply::new(429, "").header("Retry-After", "2"));
        let registry = Registry::start(&parts, Box::new(script));
        let image = format!("{}/x:1", registry.address);
        let pulled = Case::new(Driver::Auto).coracle(["pull", "--stall-timeout=3", "--retry=9", &image]);
        pulled.code(125).error("status 429 and asks to be left alone for 2 s").says("hint: try again in 2 s");
        assert_eq!(registry.asked(&asked).len(), 2, "{asked}");
    }
}
