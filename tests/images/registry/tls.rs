//! TLS: the registry proves who it is to an authority that was named, and we to it, with real registries and certificates that
//! `tests/setup/certificates` made.

use std::path::PathBuf;

use super::front;
use super::scripted::{Registry, Reply, Request};
use crate::harness::{Case, Driver, Image, has};
use crate::images::server::Parts;

/// The folder with certificates and, in NAME.address, where the registry of that name is.
fn folder() -> Option<PathBuf> {
    let folder = std::env::var_os("CORACLE_TLS").filter(|folder| !folder.is_empty()).map(PathBuf::from);
    has("registries with TLS", folder.is_some());
    folder
}

/// An image at the registry of this name, which has the same storage as the plain one of all tests.
fn image(folder: &std::path::Path, name: &str) -> String {
    let pushed = Image::busybox().push("busybox:latest");
    let address = std::fs::read_to_string(folder.join(format!("{name}.address"))).unwrap();
    format!("{}/{}", address.trim(), pushed.split_once('/').unwrap().1)
}

/// A folder below the case's home that holds these files, as they are called there.
fn certificates(case: &Case, place: &str, files: &[(&str, &str)]) {
    let folder = folder().unwrap();
    std::fs::create_dir_all(case.home.join(place)).unwrap();
    for (from, to) in files {
        std::fs::copy(folder.join(from), case.home.join(place).join(to)).unwrap();
    }
}

const AUTHORITY: [(&str, &str); 1] = [("ca.crt", "ca.crt")];

#[test]
fn an_authority_that_was_named() {
    let Some(folder) = folder() else { return };
    let image = image(&folder, "server");
    let (registry, _) = image.split_once('/').unwrap();
    let case = Case::new(Driver::Auto);
    let pull = |more: &[&str]| {
        let words = ["pull", "--creds=someone:secret"].iter().chain(more).copied().chain([image.as_str()]);
        case.coracle(words.collect::<Vec<_>>())
    };
    pull(&[]).code(125).error("certificate").says("hint: install the certificate of the authority");
    certificates(&case, "named", &AUTHORITY);
    pull(&["--cert-dir=named"]).succeeded();
    pull(&["--cert-dir=missing"]).code(125).error("`missing` can't be used");
    pull(&["--tls-verify=false"]).succeeded();
    certificates(&case, &format!(".config/containers/certs.d/{registry}"), &AUTHORITY);
    pull(&[]).succeeded();
    case.coracle(["pull", &image]).code(125).error("anonymous users");
    case.coracle(["pull", "--creds=someone:guessed", &image]).code(125).error("the user `someone`");
}

#[test]
fn certificates_that_do_not_hold() {
    let Some(folder) = folder() else { return };
    for name in ["expired", "other", "alone"] {
        let image = image(&folder, name);
        let case = Case::new(Driver::Auto);
        certificates(&case, "named", &AUTHORITY);
        case.coracle(["pull", "--cert-dir=named", &image]).code(125).error("certificate of the registry");
        case.coracle(["pull", "--tls-verify=true", "--cert-dir=named", &image]).code(125).error("certificate");
        case.coracle(["pull", "--tls-verify=false", &image]).succeeded();
    }
}

/// A registry that wants to see a certificate of ours.
#[test]
fn a_client_certificate() {
    let Some(folder) = folder() else { return };
    let image = image(&folder, "mutual");
    let case = Case::new(Driver::Auto);
    let pull = |place: &str| case.coracle(["pull", &format!("--cert-dir={place}"), &image]);
    certificates(&case, "authority", &AUTHORITY);
    pull("authority").code(125).error("breaks off TLS").says("hint: if it wants a certificate of yours");
    certificates(&case, "both", &[AUTHORITY[0], ("client.cert", "client.cert"), ("client.key", "client.key")]);
    pull("both").succeeded();
    // Shown to the registry that it is for, and not to another one at the same host.
    let (address, path) = image.split_once('/').unwrap();
    let there = format!("https://{address}/v2/{}", path.replace(':', "/manifests/"));
    let sends_on = move |request: &Request, _| (request.path == "/v2/x/manifests/1").then(|| Reply::redirect(&there));
    let other = Registry::start(&Parts::new(), Box::new(sends_on)).address.replace("127.0.0.1", "localhost");
    case.coracle(["pull", "--cert-dir=both", &format!("{other}/x:1")]).code(125).error("breaks off TLS");
    certificates(&case, "no-key", &[AUTHORITY[0], ("client.cert", "client.cert")]);
    pull("no-key").code(125).error("client.key` can't be used");
    certificates(&case, "no-cert", &[AUTHORITY[0], ("client.key", "client.key")]);
    pull("no-cert").code(125).error("there is no `.cert` for this key");
    certificates(&case, "swapped", &[("client.key", "ca.crt")]);
    pull("swapped").code(125).error("ca.crt` can't be used as a certificate");
}

/// The same authority counts for whatever else a registry is asked; another one does not, and then nothing is kept or sent.
#[test]
fn every_command_wants_the_authority() {
    let Some(folder) = folder() else { return };
    let image = image(&folder, "server");
    let registry = image.split('/').next().unwrap();
    let case = Case::new(Driver::Auto);
    let here = case.busybox();
    case.coracle(["manifest", "create", "list"]).succeeded();
    let auth = ".config/containers/auth.json";
    let (to, list) = (format!("{registry}/tls/pushed:1"), format!("{registry}/tls/list:1"));
    let term = format!("{registry}/busybox");
    let commands: [&[&str]; 6] = [
        &["login", "-u", "someone", "-p", "secret", registry],
        &["push", &here, &to],
        &["search", &term],
        &["search", "--list-tags", &to],
        &["manifest", "add", "list", &to],
        &["manifest", "push", "--all", "list", &list],
    ];
    certificates(&case, "named", &AUTHORITY);
    certificates(&case, "wrong", &[("alone.crt", "ca.crt")]);
    for command in commands {
        let with = |flag: &'static str| {
            case.coracle(
                command[..1]
                    .iter()
                    .copied()
                    .chain(if command[0] == "manifest" { [command[1], flag].to_vec() } else { vec![flag] })
                    .chain(command[if command[0] == "manifest" { 2 } else { 1 }..].iter().copied()),
            )
        };
        for flag in ["--tls-verify=true", "--cert-dir=wrong"] {
            with(flag).code(125).error("certificate of the registry");
            assert_eq!(case.home.join(auth).exists(), command[0] != "login", "{command:?} {flag}");
        }
        with("--cert-dir=named").succeeded();
    }
    case.coracle(["pull", "--cert-dir=named", &list]).succeeded();
}

/// A registry behind TLS that sends a blob's reader on in the clear, or asks for the password there, at another port of its own host:
/// nobody goes, whatever the certificate is worth. To a place behind TLS one goes, without the password.
#[test]
fn nothing_follows_into_the_clear() {
    let Some(folder) = folder() else { return };
    let parts = Parts::new();
    let elsewhere = Registry::start(&parts, Box::new(|_, _| None));
    let (behind_tls, clear) =
        (front::tls(&folder, &elsewhere.address), elsewhere.address.replace("127.0.0.1", "localhost"));
    let layer = parts.layer_path();
    let basic = "Basic realm=\"x\"".to_owned();
    let bearer = format!("Bearer realm=\"http://{clear}/token\",service=\"s\"");
    for (asks, to, refused) in [
        (&basic, format!("https://{behind_tls}{layer}"), None),
        (&basic, format!("http://{clear}{layer}"), Some("from TLS to plain HTTP")),
        (&bearer, format!("https://{behind_tls}{layer}"), Some("from TLS to plain HTTP")),
    ] {
        let (asks, from) = (asks.clone(), layer.clone());
        let script = move |request: &Request, _| match request.header("authorization") {
            None => Some(Reply::new(401, "").header("WWW-Authenticate", &asks)),
            Some(_) => (request.path == from).then(|| Reply::redirect(&to)),
        };
        let registry = Registry::start(&parts, Box::new(script));
        let image = format!("{}/x:1", front::tls(&folder, &registry.address));
        for flag in ["--cert-dir=named", "--tls-verify=false"] {
            let case = Case::new(Driver::Auto);
            certificates(&case, "named", &AUTHORITY);
            let before = elsewhere.asked("/").len();
            let pulled = case.coracle(["pull", "--retry=0", "--creds=someone:s3cr3t", flag, &image]);
            assert!(!pulled.stderr.contains("s3cr3t"), "{pulled}");
            let asked = elsewhere.asked("/").split_off(before);
            assert!(asked.iter().all(|request| request.header("authorization").is_none()), "{asked:?}");
            match refused {
                None => {
                    pulled.succeeded();
                    assert!(asked.iter().any(|request| request.path == layer), "{asked:?}");
                }
                Some(reason) => {
                    pulled.code(125).stdout("").error(reason).error(&clear);
                    assert!(asked.is_empty(), "{asked:?}");
                    case.coracle(["images", "-aq"]).code(0).stdout("");
                }
            }
        }
    }
}
