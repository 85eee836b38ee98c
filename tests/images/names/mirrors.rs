//! Where registries.conf sends a name: mirrors in turn, another location, nowhere.

use super::{images, registry, user};
use crate::harness::Layer;
use crate::harness::image::{digest, noise};
use crate::images::registry::scripted::{Registry, Reply, Request};
use crate::images::server::{Answer, Parts, Server};

/// `name.test/ns` at this location, behind these mirrors.
fn sent(location: &str, mirrors: &[&str]) -> String {
    let mirrors = mirrors.iter().map(|mirror| format!("[[registry.mirror]]\nlocation = '{mirror}'\n"));
    format!("[[registry]]\nprefix = 'name.test/ns'\nlocation = '{location}'\n{}", mirrors.collect::<String>())
}

const IMAGE: &str = "name.test/ns/x:1";
const MANIFEST: &str = "/v2/x/manifests/1";

#[test]
fn the_first_mirror_that_has_it_serves() {
    let (bare, full, own) = (Server::start([].into()), registry(), registry());
    let case = user(&sent(&own.address, &["127.0.0.1:9", &bare.address, &full.address]));
    case.coracle(["pull", IMAGE]).code(0).says("Trying to pull name.test/ns/x:1...");
    assert_eq!((bare.asked(MANIFEST), full.asked(MANIFEST), own.asked(MANIFEST)), (1, 1, 0));
    assert_eq!(images(&case), format!("{IMAGE}\n"), "it keeps the name that was said");
}

#[test]
fn what_a_mirror_lacks_is_behind_it() {
    let parts = Parts::new();
    let mut answers = parts.answers();
    for broken in [None, Some(Answer::Whole(502, Vec::new())), Some(Answer::Whole(403, Vec::new()))] {
        match broken {
            Some(broken) => answers.insert(parts.layer_path(), vec![broken]),
            None => answers.remove(&parts.layer_path()),
        };
        let (mirror, own) = (Server::start(answers.clone()), Server::start(parts.answers()));
        let case = user(&sent(&own.address, &[&mirror.address]));
        case.coracle(["pull", IMAGE]).code(0);
        assert_eq!((own.asked(MANIFEST), own.asked(&parts.layer_path())), (0, 1));
    }
}

/// What is behind it may be nothing: the mirror is asked again.
#[test]
fn a_mirror_that_is_busy_for_a_moment() {
    let parts = Parts::new();
    let mut answers = parts.answers();
    let layer = parts.layer_path();
    let whole = answers[&layer].clone();
    answers.insert(layer.clone(), [vec![Answer::Whole(503, Vec::new())], whole].concat());
    let (mirror, own) = (Server::start(answers), Server::start([].into()));
    let case = user(&sent(&own.address, &[&mirror.address]));
    case.coracle(["pull", "--retry-delay=1ms", IMAGE]).code(0);
    assert_eq!((mirror.asked(&layer), own.asked(&layer)), (2, 1));
}

/// A mirror that stalls, breaks off each time, or sends other bytes: what is behind it sends the rest, or all of it.
#[test]
fn a_mirror_that_fails_in_the_middle() {
    let parts = Parts::of(&["a", "b"].map(|name| Layer::new().file(name, 0o644, noise(2_000_000))));
    let (layer, body) = (parts.layer_path(), parts.layer.clone());
    let (config, short) = (parts.config_path(), Reply::ok(&body[..1_000_000]));
    let (torn, ended) = (Reply::raw("").reset(), Reply::new(416, ""));
    for (path, says, reply, later, from) in [
        (&layer, "has stalled", Reply::ok(&body[..]).cut(1_000_000).stall(), &torn, Some(1_000_000)),
        (&layer, "broke", Reply::ok(&body[..]).cut(1_000_000), &torn, Some(1_000_000)),
        (&layer, "", short, &ended, Some(1_000_000)),
        (&layer, "has the digest", Reply::ok(vec![b'x'; body.len()]), &ended, None),
        (&config, "", Reply::ok("{}").cut(1).stall(), &torn, None),
        (&config, "", Reply::ok("{}"), &torn, None),
    ] {
        let (asked, later) = (path.clone(), later.clone());
        let script = move |request: &Request, _| {
            (request.path == asked).then(|| if request.from().is_none() { reply.clone() } else { later.clone() })
        };
        let mirror = Registry::start(&parts, Box::new(script));
        let own = Registry::start(&parts, Box::new(|_, _| None));
        let case = user(&sent(&own.address, &[&mirror.address]));
        let pulled = case.coracle(["pull", "--stall-timeout=2", "--retry-delay=1ms", IMAGE]).code(0);
        assert!(pulled.stderr.contains(says), "{says}: {pulled}");
        let asked: Vec<_> = own.asked(path).iter().map(Request::from).collect();
        assert_eq!(asked, [from], "{says}");
    }
}

#[test]
fn a_mirror_that_has_other_bytes_for_a_digest() {
    let parts = Parts::new();
    let text = parts.manifest.to_string();
    let path = format!("/v2/x/manifests/{}", digest(text.as_bytes()));
    let serve = |text: String| {
        let mut answers = parts.answers();
        answers.insert(path.clone(), vec![Answer::Whole(200, text.into_bytes())]);
        Server::start(answers)
    };
    let (mirror, own) = (serve(format!("{text} ")), serve(text.clone()));
    let case = user(&sent(&own.address, &[&mirror.address]));
    case.coracle(["pull", &format!("name.test/ns/x@{}", digest(text.as_bytes()))]).code(0);
    assert_eq!((mirror.asked(&path), own.asked(&path)), (1, 1));
}

#[test]
fn when_none_has_it_each_is_named() {
    let (mirror, own) = (Server::start([].into()), Server::start([].into()));
    let case = user(&sent(&own.address, &[&mirror.address]));
    let failed = case.coracle(["pull", IMAGE]).code(125).stdout("").error(&format!("`{}/x:1` is not at", own.address));
    failed.error(&format!("nor did its mirrors serve: `{}/x:1`: ", mirror.address));
}

#[test]
fn a_mirror_for_digests_does_not_move_tags() {
    let parts = Parts::new();
    let pinned = digest(parts.manifest.to_string().as_bytes());
    let mut answers = parts.answers();
    let whole = vec![Answer::Whole(200, parts.manifest.to_string().into_bytes())];
    answers.insert(format!("/v2/x/manifests/{pinned}"), whole);
    let (mirror, own) = (Server::start(answers), registry());
    let case = user(&format!("{}pull-from-mirror = 'digest-only'", sent(&own.address, &[&mirror.address])));
    case.coracle(["pull", IMAGE]).code(0);
    assert_eq!((mirror.asked(MANIFEST), own.asked(MANIFEST)), (0, 1));
    case.coracle(["pull", &format!("name.test/ns/x@{pinned}")]).code(0);
    assert_eq!(mirror.asked(&format!("/v2/x/manifests/{pinned}")), 1);
}

#[test]
fn blocked() {
    let case = user("[[registry]]\nprefix = '*.test'\nblocked = true");
    let file = case.home.join(".config/containers/registries.conf");
    let refused = format!("the registry `*.test` is blocked in `{}`", file.display());
    case.coracle(["pull", IMAGE]).code(125).stdout("").error(&refused);
}

/// Plain HTTP at a host that is not this machine by its name, where the file says so, and not against the user.
#[test]
fn insecure() {
    let server = registry();
    let elsewhere = server.address.replace("127.0.0.1", "0.0.0.0");
    let case = user(&format!("[[registry]]\nlocation = '{elsewhere}'\ninsecure = true"));
    let image = format!("{elsewhere}/x:1");
    case.coracle(["pull", "--tls-verify=true", &image]).code(125).stdout("");
    case.coracle(["pull", &image]).code(0);
}
