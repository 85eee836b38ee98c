//! policy.json: what is taken, what is refused, and signatures as cosign stores them, made here with openssl(1).

use serde_json::{Value, json};

use super::{images, place};
use crate::harness::image::digest;
use crate::harness::{Case, Command, Driver};
use crate::images::push::receiver::Receiver;
use crate::images::server::{Answer, Answers, Parts, Server};

const MANIFEST: &str = "/v2/x/manifests/1";

/// A user with the key pair `key` in the home, and this policy for `docker`; everything else is rejected.
fn user(docker: &Value) -> Case {
    let case = Case::new(Driver::Auto);
    make_key(&case, "key");
    let policy = json!({"default": [{"type": "reject"}], "transports": {"docker": docker}});
    place(&case, ".config/containers/policy.json", &policy.to_string().replace("HOME", case.home.to_str().unwrap()));
    case
}

fn openssl(case: &Case, arguments: &[&str]) {
    let command = arguments.iter().fold(Command::new("openssl"), |command, argument| command.arg(argument));
    command.env("PATH", "/usr/bin:/bin").directory(&case.home).finish().code(0);
}

fn make_key(case: &Case, name: &str) {
    make_key_of(case, name, &["EC", "-pkeyopt", "ec_paramgen_curve:P-256"]);
}

/// `kind`: the algorithm of genpkey(1), and its options.
fn make_key_of(case: &Case, name: &str, kind: &[&str]) {
    openssl(case, &[&["genpkey", "-out", name, "-algorithm"], kind].concat());
    openssl(case, &["pkey", "-in", name, "-pubout", "-out", &format!("{name}.pub")]);
}

fn signed_by(key: &str, identity: &str) -> Value {
    json!([{"type": "sigstoreSigned", "keyPath": format!("HOME/{key}.pub"), "signedIdentity": {"type": identity}}])
}

/// What cosign signs.
fn payload(manifest: &[u8], name: &str) -> Vec<u8> {
    json!({"critical": {"identity": {"docker-reference": name}, "image": {"docker-manifest-digest": digest(manifest)},
        "type": "cosign container image signature"}, "optional": null})
    .to_string()
    .into_bytes()
}

/// Puts a signature of `payload` by `key` beside the image.
fn sign(case: &Case, answers: &mut Answers, manifest: &[u8], payload: &[u8], key: &str) {
    std::fs::write(case.home.join("payload"), payload).unwrap();
    let words = ["pkeyutl", "-sign", "-rawin", "-inkey", key, "-in", "payload", "-out", "signature"];
    // Ed25519 has a digest of its own.
    let hashed = if key == "ed25519" { &[][..] } else { &["-digest", "sha256"] };
    openssl(case, &[&words, hashed].concat());
    let signature = std::fs::read(case.home.join("signature")).unwrap();
    let signature = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, signature);
    let layer = json!({"mediaType": "application/vnd.dev.cosign.simplesigning.v1+json", "digest": digest(payload),
        "size": payload.len(), "annotations": {"dev.cosignproject.cosign/signature": signature}});
    attach(answers, manifest, &[layer]);
    answers.insert(format!("/v2/x/blobs/{}", digest(payload)), vec![Answer::Whole(200, payload.to_vec())]);
}

/// Where the signatures of a manifest are.
fn attached(manifest: &[u8]) -> String {
    format!("/v2/x/manifests/{}.sig", digest(manifest).replace(':', "-"))
}

fn attach(answers: &mut Answers, manifest: &[u8], layers: &[Value]) {
    let config = json!({"mediaType": "application/vnd.oci.image.config.v1+json", "digest": digest(b"{}"), "size": 2});
    let document = json!({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": config, "layers": layers});
    answers.insert(attached(manifest), vec![Answer::Whole(200, document.to_string().into_bytes())]);
}

/// The image's manifest as its registry has it.
fn manifest(parts: &Parts) -> Vec<u8> {
    parts.manifest.to_string().into_bytes()
}

#[track_caller]
fn refused(case: &Case, server: &Server, cause: &str) {
    let image = format!("{}/x:1", server.address);
    case.coracle(["pull", &image]).code(125).stdout("").error("Source image rejected: ").error(cause);
    assert_eq!(images(case), "");
    // Of the image itself nothing but its manifest was asked for.
    assert_eq!(server.asked(&Parts::new().layer_path()), 0);
}

#[test]
fn accepted_and_rejected_by_where_they_are() {
    let server = Server::start(Parts::new().answers());
    let image = format!("{}/x:1", server.address);
    let accept = json!([{"type": "insecureAcceptAnything"}]);
    let case = user(&json!({&server.address: &accept, format!("{}/x:2", server.address): [{"type": "reject"}]}));
    case.coracle(["pull", &image]).code(0);
    let rejected = format!("{}/x:2", server.address);
    let said = format!("Source image rejected: Running image docker://{rejected} is rejected by policy");
    case.coracle(["pull", &rejected]).code(125).stdout("").error(&said).says("hint: policy.json");
    case.coracle(["run", &rejected]).code(125).error(&said);
    assert_eq!(server.asked("/v2/x/manifests/2"), 0);
    // Another file, and one that is not as it must be: nothing is taken.
    place(&case, "all.json", &json!({"default": &accept}).to_string());
    case.coracle(["pull", "--signature-policy", "all.json", &rejected]).code(125).error("is not at the registry");
    case.coracle(["pull", "--signature-policy", "none.json", &image]).code(125).error("it does not exist");
    for wrong in ["", "{}", r#"{"default":[{"type":"insecureAcceptAnything"}],"x":1}"#] {
        place(&case, ".config/containers/policy.json", wrong);
        case.coracle(["pull", &image]).code(125).stdout("").error("policy.json` can't be used: ");
    }
    let gpg = json!([{"type": "signedBy", "keyType": "GPGKeys", "keyPath": "/k"}]);
    let server = Server::start(Parts::new().answers());
    refused(&user(&json!({"": gpg})), &server, "asks for `signedBy`, which is not supported");
}

#[test]
fn signed_by_the_right_key_for_this_image() {
    let parts = Parts::new();
    let (manifest, mut answers) = (manifest(&parts), parts.answers());
    let case = user(&json!({"name.test": signed_by("key", "matchRepoDigestOrExact")}));
    sign(&case, &mut answers, &manifest, &payload(&manifest, "name.test/x:1"), "key");
    answers.insert("/v2/x/manifests/2".to_owned(), answers[MANIFEST].clone());
    answers.insert(format!("/v2/x/manifests/{}", digest(&manifest)), answers[MANIFEST].clone());
    let server = Server::start(answers);
    let moved = format!("[[registry]]\nprefix = 'name.test'\nlocation = '{}'", server.address);
    place(&case, ".config/containers/registries.conf", &moved);
    case.coracle(["pull", "name.test/x:2"])
        .code(125)
        .error("Source image rejected: Signature for identity \"name.test/x:1\" is not accepted");
    assert_eq!(images(&case), "", "the tag was moved to another's image");
    case.coracle(["pull", "name.test/x:1"]).code(0);
    case.coracle(["pull", &format!("name.test/x@{}", digest(&manifest))]).code(0);
}

#[test]
fn keys_of_other_kinds() {
    let parts = Parts::new();
    let manifest = manifest(&parts);
    for (key, kind) in [
        ("p384", &["EC", "-pkeyopt", "ec_paramgen_curve:P-384"][..]),
        ("ed25519", &["ED25519"]),
        ("rsa", &["RSA", "-pkeyopt", "rsa_keygen_bits:2048"]),
    ] {
        let case = user(&json!({"": signed_by(key, "matchRepository")}));
        make_key_of(&case, key, kind);
        let server = Server::start(parts.answers());
        let (mut answers, mut forged) = (parts.answers(), parts.answers());
        let payload = payload(&manifest, &format!("{}/x", server.address));
        sign(&case, &mut forged, &manifest, &payload, "key");
        server.answer_with(forged);
        refused(&case, &server, "it is by none of the keys");
        sign(&case, &mut answers, &manifest, &payload, key);
        server.answer_with(answers);
        case.coracle(["pull", &format!("{}/x:1", server.address)]).code(0);
    }
}

#[test]
fn a_signature_of_the_index_holds_for_its_images() {
    let parts = Parts::new();
    let (manifest, mut answers) = (manifest(&parts), parts.answers());
    let index = json!({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": [
        {"mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": digest(&manifest), "size": manifest.len(),
            "platform": {"os": "linux", "architecture": crate::harness::image::machine()}}]});
    let index = index.to_string().into_bytes();
    answers.insert(format!("/v2/x/manifests/{}", digest(&manifest)), answers[MANIFEST].clone());
    answers.insert(MANIFEST.to_owned(), vec![Answer::Whole(200, index.clone())]);
    let unsigned = answers.clone();
    let case = user(&json!({"": signed_by("key", "matchRepository")}));
    for (signed, works) in [(Some(&index), true), (Some(&manifest), true), (None, false)] {
        let mut answers = unsigned.clone();
        let server = Server::start(answers.clone());
        if let Some(signed) = signed {
            sign(&case, &mut answers, signed, &payload(signed, &format!("{}/x", server.address)), "key");
        }
        server.answer_with(answers);
        match works {
            true => drop(case.coracle(["pull", &format!("{}/x:1", server.address)]).code(0)),
            false => {
                case.coracle(["rmi", "--all"]).code(0);
                refused(&case, &server, "A signature was required, but no signature exists");
            }
        }
    }
}

#[test]
fn what_is_no_signature_of_it() {
    let parts = Parts::new();
    let (manifest, honest) = (manifest(&parts), parts.answers());
    let case = user(&json!({"": signed_by("key", "matchRepository")}));
    make_key(&case, "other");
    type Spoil = fn(&Case, &mut Answers, &[u8], &str);
    let cases: [(&str, Spoil); 7] = [
        ("A signature was required, but no signature exists", |_, _, _, _| {}),
        ("cryptographic signature verification failed", |case, answers, manifest, name| {
            sign(case, answers, manifest, &payload(manifest, name), "other");
        }),
        ("the signature is for the manifest", |case, answers, manifest, name| {
            sign(case, answers, manifest, &payload(b"another", name), "key");
        }),
        ("is not accepted", |case, answers, manifest, _| {
            sign(case, answers, manifest, &payload(manifest, "name.test/other"), "key");
        }),
        ("the signed payload is none of an image", |case, answers, manifest, _| {
            sign(case, answers, manifest, b"{}", "key");
        }),
        ("payload with another digest", |case, answers, manifest, name| {
            let payload = payload(manifest, name);
            sign(case, answers, manifest, &payload, "key");
            let path = format!("/v2/x/blobs/{}", digest(&payload));
            answers.insert(path, vec![Answer::Whole(200, vec![b'x'; payload.len()])]);
        }),
        ("4194304 at most", |_, answers, manifest, _| {
            let layer = json!({"mediaType": "application/vnd.dev.cosign.simplesigning.v1+json", "digest": digest(b"x"),
                "size": 5_000_000, "annotations": {"dev.cosignproject.cosign/signature": "eA=="}});
            attach(answers, manifest, &[layer]);
        }),
    ];
    for (cause, spoil) in cases {
        let server = Server::start(honest.clone());
        let mut answers = honest.clone();
        spoil(&case, &mut answers, &manifest, &format!("{}/x", server.address));
        server.answer_with(answers);
        refused(&case, &server, cause);
    }
    // A key that can't be read or is of another kind lets nothing through either.
    let server = Server::start(honest);
    refused(&user(&json!({"": signed_by("none", "matchRepository")})), &server, "none.pub` does not exist");
    let other = user(&json!({"": signed_by("other", "matchRepository")}));
    make_key_of(&other, "other", &["EC", "-pkeyopt", "ec_paramgen_curve:secp256k1"]);
    refused(&other, &server, "ECDSA on P-256 or P-384, Ed25519, RSA");
}

/// A list takes from a registry what a pull takes, and nothing else.
#[test]
fn lists_too() {
    let parts = Parts::new();
    let (signed, lonely) = (Server::start([].into()), Server::start(parts.answers()));
    let scopes = [&signed, &lonely].map(|server| (server.address.clone(), signed_by("key", "matchRepository")));
    let case = user(&Value::Object(scopes.into_iter().collect()));
    let (manifest, mut answers) = (manifest(&parts), parts.answers());
    let name = format!("{}/x:1", signed.address);
    sign(&case, &mut answers, &manifest, &payload(&manifest, &name), "key");
    signed.answer_with(answers);
    case.coracle(["manifest", "create", "list"]).code(0);
    case.coracle(["manifest", "add", "list", &format!("docker://{}/x:1", lonely.address)])
        .code(125)
        .error("Source image rejected: A signature was required");
    case.coracle(["manifest", "add", "list", &format!("docker://{name}")]).code(0);
}

/// What a list took from a registry is fetched again only as long as the policy takes it.
#[test]
fn what_a_list_is_pushed_with() {
    let parts = Parts::new();
    let (manifest, mut answers) = (manifest(&parts), parts.answers());
    answers.insert(format!("/v2/x/manifests/{}", digest(&manifest)), answers[MANIFEST].clone());
    let (source, receiver) = (Server::start(answers), Receiver::start());
    let case = Case::new(Driver::Auto);
    case.coracle(["manifest", "create", "list"]).code(0);
    case.coracle(["manifest", "add", "list", &format!("docker://{}/x:1", source.address)]).code(0);
    let policy = |requirement: Value| {
        let docker = json!({&source.address: [requirement]});
        let policy = json!({"default": [{"type": "insecureAcceptAnything"}], "transports": {"docker": docker}});
        place(&case, ".config/containers/policy.json", &policy.to_string());
    };
    let push = || case.coracle(["manifest", "push", "--all", "list", &format!("docker://{}/x:1", receiver.address)]);
    policy(json!({"type": "reject"}));
    push().code(125).error("is rejected by policy");
    assert_eq!(receiver.asked("PUT", "/manifests/"), 0);
    policy(json!({"type": "insecureAcceptAnything"}));
    push().code(0);
}

/// Archives are taken by their transport and, but for docker-archive, by where they are.
#[test]
fn archives() {
    let case = user(&json!({"": [{"type": "insecureAcceptAnything"}]}));
    let server = Server::start(Parts::new().answers());
    let image = case.pull(&format!("{}/x:1", server.address));
    for folder in ["trusted", "other"] {
        std::fs::create_dir(case.home.join(folder)).unwrap();
        for (format, name) in
            [("docker-archive", "d.tar"), ("oci-archive", "o.tar"), ("oci-dir", "oci"), ("docker-dir", "dir")]
        {
            case.coracle(["save", "-q", "--format", format, "-o", &format!("{folder}/{name}"), &image]).code(0);
        }
    }
    case.coracle(["rmi", &image]).code(0);
    std::os::unix::fs::symlink("other/o.tar", case.home.join("trusted.tar")).unwrap();
    let accept = json!([{"type": "insecureAcceptAnything"}]);
    let here = json!({case.home.join("trusted").to_str().unwrap(): accept});
    let policy = |transports: Value| {
        let policy = json!({"default": [{"type": "reject"}], "transports": transports});
        place(&case, ".config/containers/policy.json", &policy.to_string());
    };
    let refused = |words: &[&str], cause: &str| {
        case.coracle(words.iter().copied()).code(125).stdout("").error("Source image rejected: ").error(cause);
        assert_eq!(images(&case), "", "{words:?}");
    };
    let taken = |words: &[&str]| {
        case.coracle(words.iter().copied()).code(0);
        case.coracle(["rmi", "--all"]).code(0);
    };
    policy(json!({"oci": here, "oci-archive": here, "dir": here}));
    for (transport, name) in [("oci-archive", "o.tar"), ("oci", "oci"), ("dir", "dir")] {
        let (trusted, other) = (format!("trusted/{name}"), format!("other/{name}"));
        taken(&["load", "-q", "-i", &trusted]);
        taken(&["pull", "-q", &format!("{transport}:{trusted}")]);
        let rejected = format!("Running image {transport}:{other} is rejected by policy");
        refused(&["load", "-q", "-i", &other], &rejected);
        refused(&["pull", "-q", &format!("{transport}:{other}")], &rejected);
    }
    refused(&["load", "-q", "-i", "trusted.tar"], "Running image oci-archive:trusted.tar is rejected by policy");
    refused(&["load", "-q", "-i", "trusted/d.tar"], "Running image docker-archive:trusted/d.tar is rejected by policy");
    let piped = std::fs::read(case.home.join("trusted/o.tar")).unwrap();
    case.command(["load", "-q"])
        .stdin(piped)
        .finish()
        .code(125)
        .error("oci-archive:standard input is rejected by policy");
    refused(&["import", "-q", "trusted/d.tar"], "Running image tarball:trusted/d.tar is rejected by policy");
    policy(json!({"docker-archive": {"": accept}, "tarball": {"": accept}}));
    taken(&["import", "-q", "trusted/d.tar"]);
    taken(&["load", "-q", "-i", "other/d.tar"]);
    policy(json!({"docker-archive": {"": signed_by("key", "matchRepository")}}));
    refused(&["load", "-q", "-i", "other/d.tar"], "A signature was required, but no signature exists");
    place(&case, "all.json", &json!({"default": accept}).to_string());
    taken(&["load", "-q", "--signature-policy=all.json", "-i", "other/d.tar"]);
    taken(&["pull", "-q", "--signature-policy=all.json", "dir:other/dir"]);
}
