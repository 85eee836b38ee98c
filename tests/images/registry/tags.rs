//! Several images at once: all tags of a repository, page by page, and several names.

use super::scripted::{Registry, Reply, Request};
use crate::harness::{Case, Driver};
use crate::images::server::Parts;

/// A repository whose tags `1`, `2` and `3` are one image, and whose list of tags comes in pages of one.
fn paged(parts: &Parts) -> impl Fn(&Request, usize) -> Option<Reply> + use<> {
    let manifest = parts.manifest.to_string();
    move |request, _| {
        if request.path.starts_with("/v2/x/manifests/") {
            return Some(Reply::ok(manifest.clone()));
        }
        let page = request.path.strip_prefix("/v2/x/tags/list")?;
        let tag: u32 = page.strip_prefix("?last=").map_or(1, |last| last.parse::<u32>().unwrap() + 1);
        let reply = Reply::ok(format!("{{\"name\":\"x\",\"tags\":[\"{tag}\",\"no tag at all\"]}}"));
        let next = format!("</v2/x/tags/list?last={tag}>; rel=\"next\"");
        Some(if tag == 3 { reply } else { reply.header("Link", &next) })
    }
}

#[test]
fn all_tags() {
    let parts = Parts::new();
    let registry = Registry::start(&parts, Box::new(paged(&parts)));
    let case = Case::new(Driver::Auto);
    let pulled =
        case.coracle(["pull", "--all-tags", &format!("{}/x:of no interest", registry.address).replace(' ', "-")]);
    let pulled = pulled.succeeded();
    assert_eq!(pulled.stdout.lines().count(), 3, "{pulled}");
    let listed = case.coracle(["images", "--format", "{{.Tag}}", "--sort", "tag"]).code(0);
    assert_eq!(listed.stdout, "1\n2\n3\n");
    assert_eq!(registry.asked(&parts.layer_path()).len(), 1);
}

/// Lists of tags that no end has, or that lead away.
#[test]
fn lists_that_lie() {
    let long = format!("{{\"tags\":[\"{}\"]}}", "x".repeat(4_000_000));
    for (link, body, says) in [
        ("</v2/x/tags/list>; rel=\"next\"", "{\"tags\":[]}", "more than 1000 pages"),
        ("<http://127.0.0.1:9/>; rel=\"next\"", "{\"tags\":[]}", "elsewhere"),
        ("<file:///etc/passwd>; rel=\"next\"", "{\"tags\":[]}", "elsewhere"),
        ("</v2/x/tags/list>; rel=\"next\"", &long, "more than 16777216 bytes"),
        ("", "{\"tags\":7}", "its list: "),
        ("", "[", "its list: "),
    ] {
        let body = body.to_owned();
        let script = move |request: &Request, _| {
            let list = request.path.starts_with("/v2/x/tags/list");
            list.then(|| Reply::ok(body.clone()).header("Link", link))
        };
        let registry = Registry::start(&Parts::new(), Box::new(script));
        let case = Case::new(Driver::Auto);
        case.coracle(["pull", "-a", &format!("{}/x", registry.address)]).code(125).stdout("").error(says);
    }
}

/// One that can't be had hinders no other.
#[test]
fn several() {
    let parts = Parts::new();
    let registry = Registry::start(&parts, Box::new(paged(&parts)));
    let image = |name: &str| format!("{}/{name}", registry.address);
    let case = Case::new(Driver::Auto);
    let pulled = case.coracle(["pull", "-q", &image("x:1"), &image("y:1"), &image("x:2")]);
    let pulled = pulled.code(125).error("y:1` is not at the registry");
    assert_eq!(pulled.stdout.lines().count(), 2, "{pulled}");
}

/// How often, and how fast, is for the user to say.
#[test]
fn attempts() {
    for (flags, asked) in [(&["--retry=0"][..], 1), (&["--retry=5", "--retry-delay=1ms"], 6)] {
        let registry = Registry::start(
            &Parts::new(),
            Box::new(|request: &Request, _| request.path.contains("/manifests/").then(|| Reply::new(503, ""))),
        );
        let case = Case::new(Driver::Auto);
        let image = format!("{}/x:1", registry.address);
        let words = ["pull"].iter().chain(flags).copied().chain([image.as_str()]);
        case.coracle(words.collect::<Vec<_>>()).code(125).error("status 503");
        assert_eq!(registry.asked("/v2/x/").len(), asked);
    }
    Case::new(Driver::Auto).coracle(["pull", "--retry-delay=soon", "x"]).code(125).error("soon");
}

/// Of all tags one that can't be had hinders no other, and each of these is named.
#[test]
fn all_tags_but_some() {
    let (honest, broken) = (Parts::new(), Parts::of(&[crate::harness::Layer::new().file("gone", 0o644, "gone")]));
    let (manifest, other) = (honest.manifest.to_string(), broken.manifest.to_string());
    let script = move |request: &Request, _| match request.path.as_str() {
        "/v2/x/tags/list" => Some(Reply::ok("{\"tags\":[\"1\",\"2\",\"3\",\"4\"]}")),
        "/v2/x/manifests/1" => Some(Reply::new(404, "")),
        "/v2/x/manifests/3" => Some(Reply::ok(other.clone())),
        path if path.starts_with("/v2/x/manifests/") => Some(Reply::ok(manifest.clone())),
        _ => None,
    };
    let registry = Registry::start(&honest, Box::new(script));
    let case = Case::new(Driver::Auto);
    let pulled = case.coracle(["pull", "-a", &format!("{}/x", registry.address)]);
    let pulled = pulled.code(125).error("x:1");
    assert_eq!(pulled.stdout.lines().count(), 2, "{pulled}");
    assert!(pulled.stderr.contains("x:3"), "{pulled}");
    case.coracle(["images", "--format", "{{.Tag}}", "--sort", "tag"]).code(0).stdout("2\n4\n");
}
