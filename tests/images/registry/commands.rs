//! What a registry may try on the commands that do not pull: the same limits as for a pull, and nothing is kept or shown of it.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use super::scripted::{Registry, Reply, Request};
use super::{MEMORY, TIME, highest};
use crate::harness::{Case, Driver, Layer};
use crate::images::server::Parts;

/// What is run, `{here}` being the registry; and which answers are spoiled: those whose paths hold one of these.
type Asked = (&'static [&'static str], &'static [&'static str]);

const SEARCH: Asked = (&["search", "--stall-timeout=3", "{here}/web"], &["/v1/search", "/v2/_catalog"]);
const TAGS: Asked = (&["search", "--stall-timeout=3", "--list-tags", "{here}/x"], &["/v2/x/tags/list"]);
const LOGIN: Asked = (&["login", "-u", "me", "-p", "s3cr3t", "{here}"], &["/v2/"]);
const INSPECT: Asked = (&["manifest", "inspect", "--stall-timeout=3", "{here}/x:1"], &["/manifests/1"]);
const ADD: Asked = (&["manifest", "add", "--stall-timeout=3", "list", "{here}/x:1"], &["/manifests/1"]);
const PUSH: Asked = (&["push", "--stall-timeout=3", "q.io/x:1", "{here}/x:1"], &["/blobs/"]);
const PUSH_LIST: Asked = (&["manifest", "push", "--stall-timeout=3", "list", "{here}/x:1"], &["/manifests/1"]);

/// A case with an image and a list, in which nothing of the registry's may stay.
fn world() -> Case {
    let case = Case::new(Driver::Auto);
    let layer = Layer::new().file("a", 0o644, "a").tar();
    case.command(["import", "-q", "-", "q.io/x:1"]).stdin(layer).finish().code(0);
    case.coracle(["manifest", "create", "list"]).succeeded();
    case
}

/// Each command fails with one of the words, within the limits, and shows no byte that steers a terminal.
#[track_caller]
fn all_fail(what: &str, commands: &[Asked], says: &[&str], reply: impl Fn() -> Reply + Sync) {
    let (next, faults) = (AtomicUsize::new(0), std::sync::Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while let Some(&(words, paths)) = commands.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let (case, reply) = (world(), reply());
                    let script = move |request: &Request, _| {
                        let is_spoiled = paths.iter().any(|part| match *part {
                            "/v2/" => request.path == "/v2/",
                            part => request.path.contains(part),
                        });
                        is_spoiled.then(|| reply.clone())
                    };
                    let registry = Registry::start(&Parts::new(), Box::new(script));
                    let before = case.coracle(["images", "-aq"]).stdout;
                    let words: Vec<String> =
                        words.iter().map(|word| word.replace("{here}", &registry.address)).collect();
                    let begun = Instant::now();
                    let running = case.command(words.iter().map(String::as_str)).start();
                    let memory = highest(running.pid().as_raw_nonzero().get());
                    let finished = running.finish();
                    let took = begun.elapsed();
                    let errors: Vec<_> = finished.stderr.lines().filter(|line| line.starts_with("Error: ")).collect();
                    let steers = |c: char| c.is_control() && c != '\n' && c != '\t';
                    let is_well = finished.code == Some(125)
                        && finished.stdout.is_empty()
                        && errors.len() == 1
                        && says.iter().any(|says| errors[0].contains(says))
                        && errors[0].contains("127.0.0.1")
                        && !finished.stderr.contains(steers)
                        && !finished.stderr.contains("s3cr3t")
                        && took < TIME
                        && memory < MEMORY
                        && case.coracle(["images", "-aq"]).stdout == before
                        && !case.home.join(".config/containers/auth.json").exists();
                    if !is_well {
                        let mut faults = faults.lock().unwrap();
                        faults.push(format!("{what}: {words:?} in {took:?} with {memory} KiB: {finished}"));
                    }
                }
            });
        }
    });
    let faults = faults.into_inner().unwrap();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// Those that read a document of the registry's.
const READ: [Asked; 4] = [SEARCH, TAGS, INSPECT, ADD];
const ALL: [Asked; 7] = [SEARCH, TAGS, LOGIN, INSPECT, ADD, PUSH, PUSH_LIST];

#[test]
fn bodies() {
    let more = &["more than the"];
    all_fail("without end", &READ, more, || Reply::ok(vec![b' '; 1 << 20]).no_length().endless());
    all_fail("brackets", &READ, &["recursion limit", "invalid type"], || Reply::ok(vec![b'['; 100_000]));
    all_fail("a key of brackets", &READ, &["recursion limit", "EOF", "JSON"], || {
        Reply::ok([&b"{\"x\":"[..], &[b'['; 100_000]].concat())
    });
    let types =
        "{\"results\":{},\"repositories\":7,\"tags\":{\"a\":1},\"schemaVersion\":2,\"manifests\":7,\"layers\":7}";
    all_fail("other types", &READ, &["invalid type", "as an image and as an index"], || Reply::ok(types));
    all_fail("no UTF-8", &READ, &["JSON", "expected", "invalid"], || Reply::ok(vec![b'"', 0xff, b'"']));
}

#[test]
fn answers() {
    let escape = "{\"errors\":[{\"code\":\"X\",\"message\":\"no \\u001b[2J\\u009b31m way\"}]}";
    all_fail("an escape sequence", &ALL, &["status 400"], || Reply::new(400, escape));
    all_fail("an error without end", &ALL, &["status 400"], || {
        Reply::new(400, vec![b'x'; 1 << 20]).no_length().endless()
    });
    all_fail("to a file", &ALL, &["`file`"], || Reply::redirect("file:///etc/passwd"));
    all_fail("to the machine's data", &ALL, &["169.254.169.254"], || Reply::redirect("http://169.254.169.254/"));
    let circle = "/v2/x/tags/list?/v1/search/v2/_catalog/manifests/1/blobs/";
    let others: Vec<Asked> = ALL.into_iter().filter(|(words, _)| words[0] != "login").collect();
    all_fail("in a circle", &others, &["more than 10 times", "what is sent to it"], || Reply::redirect(circle));
    all_fail("in a circle", &[LOGIN], &["more than 10 times"], || Reply::redirect("/v2/"));
}

/// What trickles ends, where the limit can be set to seconds; a login has the same one of a minute.
#[test]
fn what_trickles() {
    let timed: Vec<Asked> = ALL.into_iter().filter(|(words, _)| words.contains(&"--stall-timeout=3")).collect();
    assert_eq!(timed.len(), 6);
    all_fail("a head", &timed, &["did not answer in time"], || Reply::raw("HTTP/1.1 200 X\r\nA: ").trickle());
    all_fail("nothing", &timed, &["did not answer in time"], || Reply::raw("").stall());
    all_fail("a body", &READ, &["stalled"], || Reply::ok("{").length("9999").trickle());
}

/// No command takes its password along to where it is sent.
#[test]
fn nothing_goes_along() {
    let elsewhere = Registry::start(&Parts::new(), Box::new(|_, _| None));
    for (words, path) in [
        (&["login", "-u", "me", "-p", "s3cr3t", "{here}"][..], "/v2/"),
        (&["manifest", "inspect", "--authfile=auth.json", "{here}/x:1"], "/v2/x/manifests/1"),
        (&["search", "--authfile=auth.json", "--list-tags", "{here}/x"], "/v2/x/tags/list"),
        (&["push", "--creds=me:s3cr3t", "q.io/x:1", "{here}/x:1"], "/v2/x/blobs/"),
    ] {
        let to = format!("http://{}/there", elsewhere.address);
        let script = move |request: &Request, times: usize| {
            if request.header("authorization").is_none() {
                return Some(Reply::new(401, "").header("WWW-Authenticate", "Basic realm=\"x\""));
            }
            (request.path.starts_with(path) && times < 99).then(|| Reply::redirect(&to))
        };
        let registry = Registry::start(&Parts::new(), Box::new(script));
        let case = world();
        let auth = serde_json::json!({"auths": {&registry.address: {"auth": "bWU6czNjcjN0"}}}).to_string();
        std::fs::write(case.home.join("auth.json"), auth).unwrap();
        let before = elsewhere.asked("/there").len();
        let finished = case.coracle(
            words
                .iter()
                .map(|word| word.replace("{here}", &registry.address))
                .collect::<Vec<_>>()
                .iter()
                .map(String::as_str),
        );
        assert!(!finished.stderr.contains("s3cr3t"), "{finished}");
        let asked = elsewhere.asked("/there");
        assert!(asked.len() > before, "{words:?} was not sent on: {finished}");
        assert!(asked.iter().all(|request| request.header("authorization").is_none()), "{words:?}: {asked:?}");
    }
}
