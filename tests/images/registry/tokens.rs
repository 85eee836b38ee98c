//! Token servers, and where a credential goes: a password to the registry and its realm, a token to the registry, nothing to others.

use std::io::Write;
use std::net::TcpListener;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use base64::Engine as _;

use super::Hostile;
use super::scripted::{Registry, Reply, Request};
use crate::harness::http::{TLS, first_byte};
use crate::harness::{Case, Driver, LIMIT, Layer, wait_until};
use crate::images::server::{Parts, Server};

const CHALLENGE: &str = "Bearer realm=\"http://{here}/token\",service=\"the service\"";

fn unauthorized(challenge: &str) -> Reply {
    Reply::new(401, "").header("WWW-Authenticate", challenge)
}

/// As a registry behind a token server: refuses what has no token out of `good`, and gives out `given`.
fn guarded(request: &Request, given: &str, good: impl Fn(&str) -> bool) -> Option<Reply> {
    if request.path.starts_with("/token") {
        return Some(Reply::ok(given));
    }
    let token = request.header("authorization").and_then(|value| value.strip_prefix("Bearer "));
    (!token.is_some_and(good)).then(|| unauthorized(CHALLENGE))
}

/// A registry whose token server gives this reply.
fn gives(name: &str, says: &'static [&'static str], reply: Reply) -> Hostile {
    Hostile::new(name, says, Parts::new(), move |request, _| {
        Some(if request.path.starts_with("/token") { reply.clone() } else { unauthorized(CHALLENGE) })
    })
}

/// A registry that asks in this way.
fn asks(name: &str, says: &'static [&'static str], challenge: &str) -> Hostile {
    let challenge = challenge.to_owned();
    Hostile::new(name, says, Parts::new(), move |_, _| Some(unauthorized(&challenge)))
}

pub fn token_servers() -> Vec<Hostile> {
    let token = |text: &str| Reply::ok(format!("{{\"token\":\"{text}\"}}"));
    vec![
        gives("a token that is never enough", &["does not let"], token("good")),
        gives("nothing", &["no JSON with a token"], Reply::ok("")),
        gives("a page", &["no JSON with a token"], Reply::ok("<html>")),
        gives("a list", &["no JSON with a token"], Reply::ok("[]")),
        gives("no token", &["an empty token"], Reply::ok("{}")),
        gives("an empty token", &["an empty token"], token("")),
        gives("a token that is a number", &["no JSON with a token"], Reply::ok("{\"token\":1}")),
        gives("a token with a line break", &["control characters"], token("a\\r\\nX: y")),
        gives("a life that is none", &["no JSON with a token"], Reply::ok("{\"token\":\"a\",\"expires_in\":-1}")),
        gives("a token of 10 MB", &["more than the 1048576 bytes"], token(&"a".repeat(10 << 20))),
        gives(
            "a token without end",
            &["more than the 1048576 bytes"],
            Reply::ok(vec![b'a'; 1 << 20]).no_length().endless(),
        ),
        gives("a token that stalls", &["stalled"], token("good").cut(5).stall()),
        gives("a token that trickles", &["stalled"], token("good").length("9999").cut(5).trickle()),
        gives("silence", &["did not answer in time"], Reply::raw("").stall()),
        gives("no HTTP", &["does not speak HTTP"], Reply::raw("SSH-2.0\r\n\r\n")),
        gives("a loop", &["more than 10 times"], Reply::redirect("/token")),
        gives("a way to a file", &["`file`"], Reply::redirect("file:///etc/passwd")),
        gives("401", &["does not let"], Reply::new(401, "")),
        gives("a challenge of its own", &["does not let"], unauthorized(CHALLENGE)),
        gives("403", &["does not let"], Reply::new(403, "")),
        gives("404", &["is not at the registry"], Reply::new(404, "")),
        gives("500", &["status 500"], Reply::new(500, "")),
        asks("no challenge that is known", &["does not let"], "Negotiate"),
        asks("basic, of who has no password", &["does not let"], "Basic realm=\"x\""),
        asks("no realm", &["no realm"], "Bearer service=\"x\""),
        asks("no challenge that can be read", &["can't be read"], "Bearer realm=\"http://"),
        asks("a realm that is no address", &["no address"], "Bearer realm=\"here\""),
        asks("a realm at a file", &["`file`"], "Bearer realm=\"file:///etc/passwd\""),
        asks("a realm of the machine's data", &["169.254.169.254"], "Bearer realm=\"http://169.254.169.254/t\""),
        asks("a realm elsewhere, in the clear", &["without TLS"], "Bearer realm=\"http://token.example.org/t\""),
        asks("a realm with a user", &["user's name"], "Bearer realm=\"http://me:secret@127.0.0.1/t\""),
        asks(
            "a challenge of 10 kB",
            &["more than 8192 bytes"],
            &format!("Bearer realm=\"http://{}\"", "a".repeat(10_000)),
        ),
    ]
}

/// However it goes, a request is sent twice at most and a token is asked for as often.
#[test]
fn no_loop_of_401() {
    let registry =
        Registry::start(&Parts::new(), Box::new(|request, _| guarded(request, "{\"token\":\"bad\"}", |_| false)));
    let case = Case::new(Driver::Auto);
    case.coracle(["pull", &format!("{}/x:1", registry.address)]).code(125).error("anonymous users");
    assert!(registry.asked("/v2/x/").len() <= 2, "{:?}", registry.asked("/v2/x/"));
    assert!(registry.asked("/token").len() <= 2, "{:?}", registry.asked("/token"));
}

/// Who has no password gets a token as well, and one serves for all that a pull asks.
#[test]
fn a_token_for_everybody() {
    let registry = Registry::start(
        &Parts::new(),
        Box::new(|request, _| guarded(request, "{\"token\":\"good\"}", |it| it == "good")),
    );
    let case = Case::new(Driver::Auto);
    case.pull(&format!("{}/x:1", registry.address));
    let asked = registry.asked("/token");
    assert_eq!(asked.len(), 1, "{asked:?}");
    assert_eq!(asked[0].path, "/token?service=the+service&scope=repository%3Ax%3Apull");
    assert_eq!(asked[0].header("authorization"), None);
}

/// With a name and a password, the realm gets them, and the registry its token.
#[test]
fn a_token_for_a_user() {
    let answer = "{\"access_token\":\"good\",\"expires_in\":300}";
    let registry =
        Registry::start(&Parts::new(), Box::new(move |request, _| guarded(request, answer, |it| it == "good")));
    let case = Case::new(Driver::Auto);
    let pull = ["pull", "--creds=me:pass:word", &format!("{}/x:1", registry.address)];
    case.coracle(pull).succeeded();
    let asked = registry.asked("/token");
    let encoded = base64::engine::general_purpose::STANDARD.encode("me:pass:word");
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0].header("authorization"), Some(format!("Basic {encoded}").as_str()));
    assert!(asked[0].path.ends_with("&account=me"), "{asked:?}");
    let basic = registry
        .asked("/v2/")
        .into_iter()
        .find(|request| request.header("authorization").is_some_and(|it| it.contains("Basic")));
    assert!(basic.is_none(), "the registry got the password: {basic:?}");
}

/// What all processes of the machine show of themselves in this file, where it holds `text`.
fn shown(file: &str, text: &str) -> Vec<String> {
    let processes = std::fs::read_dir("/proc").unwrap().map(|entry| entry.unwrap().path());
    let read = |path: std::path::PathBuf| {
        let shown = String::from_utf8_lossy(&std::fs::read(path.join(file)).ok()?).into_owned();
        shown
            .contains(text)
            .then(|| format!("{}: {shown:?}", std::fs::read_to_string(path.join("comm")).unwrap_or_default()))
    };
    processes.filter_map(read).collect()
}

/// A password that was typed is in no process's arguments while the command is at work, and in no worker's environment; and it
/// reaches the registry.
#[test]
fn a_password_is_not_seen() {
    let basic = |text: &str| format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(text));
    let case = Case::new(Driver::Auto);
    for (number, words) in [
        &["pull", "--creds", "me:PASSWORD", "IMAGE"][..],
        &["pull", "--creds=me:PASSWORD", "IMAGE"],
        &["push", "--creds=me:PASSWORD", "LOCAL", "IMAGE"],
        &["run", "--rm", "--network=none", "--creds=me:PASSWORD", "IMAGE", "/none"],
        &["login", "-u", "me", "-pPASSWORD", "REGISTRY"],
        &["login", "--username=me", "--password", "PASSWORD", "REGISTRY"],
    ]
    .into_iter()
    .enumerate()
    {
        let password = format!("s3cr3t-{number}-{}", std::process::id());
        let parts = Parts::of(&[Layer::new().file("seen", 0o644, password.as_str())]);
        let (held, expected, layer) =
            (Arc::new(AtomicBool::new(true)), basic(&format!("me:{password}")), parts.layer_path());
        let is_held = Arc::clone(&held);
        let registry = Registry::start(
            &parts,
            Box::new(move |request, _| {
                if request.header("authorization") != Some(&expected) {
                    return Some(unauthorized("Basic realm=\"x\""));
                }
                if request.path == layer || request.path == "/v2/" {
                    wait_until("the test has looked", LIMIT, || !is_held.load(Ordering::Relaxed));
                }
                None
            }),
        );
        let image = format!("{}/x:1", registry.address);
        let words = words.iter().map(|word| {
            let word = word.replace("PASSWORD", &password).replace("IMAGE", &image);
            let word = word.replace("REGISTRY", &registry.address);
            if word == "LOCAL" { case.pull(&format!("{}/x:1", Server::start(parts.answers()).address)) } else { word }
        });
        let words: Vec<String> = words.collect();
        let running = case.command(words.iter().map(String::as_str)).start();
        let last = if words[0] == "login" { "/v2/" } else { &parts.layer_path() };
        let is_known = || registry.asked(last).iter().any(|request| request.header("authorization").is_some());
        wait_until("the registry knows who asks", LIMIT, is_known);
        let seen = shown("cmdline", &password);
        assert!(seen.is_empty(), "{words:?}: {seen:?}");
        let workers = shown("environ", &password);
        assert!(!workers.iter().any(|process| process.starts_with("coracle-worker")), "{words:?}: {workers:?}");
        held.store(false, Ordering::Relaxed);
        // The image has no program.
        assert_eq!(running.finish().code, Some(if words[0] == "run" { 127 } else { 0 }), "{words:?}");
    }
}

/// A registry on this machine that speaks TLS gets no byte in the clear from who has a password, one that does not gets it once
/// that is known.
#[test]
fn tls_before_a_password() {
    let first = Arc::new(Mutex::new(Vec::new()));
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let seen = Arc::clone(&first);
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            seen.lock().unwrap().push(first_byte(&stream));
            // An alert: no parameters in common (RFC 8446, 6).
            let _ = stream.write_all(&[21, 3, 3, 0, 2, 2, 40]);
        }
    });
    let case = Case::new(Driver::Auto);
    let image = format!("{address}/x:1");
    case.coracle(["pull", "--creds=me:secret", &image]).code(125).error("breaks off TLS");
    case.coracle(["login", "-u", "me", "-p", "secret", &address.to_string()]).code(125).error("breaks off TLS");
    let first = first.lock().unwrap();
    assert!(!first.is_empty() && first.iter().all(|byte| *byte == TLS), "{first:?}");
}

/// Docker's identity tokens are exchanged for a token by POST.
#[test]
fn an_identity_token() {
    let registry = Registry::start(
        &Parts::new(),
        Box::new(|request, _| guarded(request, "{\"access_token\":\"good\"}", |it| it == "good")),
    );
    let case = Case::new(Driver::Auto);
    let file =
        serde_json::json!({"auths": {&registry.address: {"auth": "bWU6", "identitytoken": "who/I am"}}}).to_string();
    std::fs::write(case.home.join("auth.json"), file).unwrap();
    case.coracle(["pull", "--authfile=auth.json", &format!("{}/x:1", registry.address)]).succeeded();
    let asked = registry.asked("/token");
    assert_eq!((asked.len(), asked[0].method.as_str()), (1, "POST"));
    let body = String::from_utf8(asked[0].body.clone()).unwrap();
    for field in
        ["service=the+service", "grant_type=refresh_token", "refresh_token=who%2FI+am", "scope=repository%3Ax%3Apull"]
    {
        assert!(body.split('&').any(|has| has == field), "no {field} in {body}");
    }
}

/// A token that runs out in the middle is replaced.
#[test]
fn a_token_that_runs_out() {
    let parts = Parts::new();
    let layer = parts.layer_path();
    let registry = Registry::start(
        &parts,
        Box::new(move |request, times| {
            if request.path.starts_with("/token") {
                return Some(Reply::ok(format!("{{\"token\":\"t{times}\",\"expires_in\":0}}")));
            }
            let good = if request.path == layer { "t1" } else { "t0" };
            guarded(request, "", |it| it == good)
        }),
    );
    let case = Case::new(Driver::Auto);
    case.pull(&format!("{}/x:1", registry.address));
    assert_eq!(registry.asked("/token").len(), 2);
}

/// What a registry on this machine is asked never goes through a proxy, which would see the password; what others are, does.
#[test]
fn proxies() {
    let seen = Registry::start(&Parts::new(), Box::new(|_, _| Some(Reply::new(404, ""))));
    let registry = Registry::start(&Parts::new(), Box::new(|_, _| None));
    let case = Case::new(Driver::Auto);
    let proxy = format!("http://{}", seen.address);
    let pull = |flag: &str, image: &str| case.command(["pull", flag, image]).env("http_proxy", &proxy).finish();
    pull("--creds=me:secret", &format!("{}/x:1", registry.address)).succeeded();
    assert!(seen.asked("").is_empty(), "{:?}", seen.asked(""));
    pull("--tls-verify=false", "registry.invalid/x:1").code(125).error("is not at the registry `registry.invalid`");
    assert_eq!(seen.asked("http://registry.invalid/v2/").len(), 2, "{:?}", seen.asked(""));
}

/// A blob that lies elsewhere is fetched without what is the registry's alone; what that other host asks for is not answered.
#[test]
fn nothing_goes_to_another_host() {
    let parts = Parts::new();
    let (layer, body) = (parts.layer_path(), parts.layer.clone());
    for greedy in [false, true] {
        let body = body.clone();
        let elsewhere = Registry::start(
            &parts,
            Box::new(move |_, _| {
                Some(if greedy { unauthorized("Basic realm=\"x\"") } else { Reply::ok(body.clone()) })
            }),
        );
        let (layer, to) = (layer.clone(), format!("http://{}/blob", elsewhere.address));
        let registry = Registry::start(
            &parts,
            Box::new(move |request, _| {
                if request.header("authorization").is_none() {
                    return Some(unauthorized("Basic realm=\"x\""));
                }
                (request.path == layer).then(|| Reply::redirect(&to))
            }),
        );
        let case = Case::new(Driver::Auto);
        let finished = case.coracle(["pull", "--creds=me:secret", &format!("{}/x:1", registry.address)]);
        assert_eq!(finished.code, Some(if greedy { 125 } else { 0 }), "{finished}");
        assert!(!finished.stderr.contains("secret"), "{finished}");
        let asked = elsewhere.asked("/");
        assert_eq!(asked.len(), 1, "{asked:?}");
        assert_eq!(asked[0].header("authorization"), None);
    }
}
