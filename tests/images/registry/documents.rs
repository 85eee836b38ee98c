//! Manifests, indexes and configs that lie, or that no reader should follow.

use serde_json::{Value, json};

use super::Hostile;
use super::Place::{Config, Manifest};
use super::scripted::Reply;
use crate::harness::Layer;
use crate::harness::image::{digest, machine};
use crate::images::server::Parts;

const OCI: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";

const NOT_SHA512: &str = "the digest algorithm `sha512` is not supported: only `sha256` is";

/// Well formed, and of nothing that is here.
fn sha512() -> String {
    format!("sha512:{}", "0f".repeat(64))
}

/// A digest that can't be checked is not passed over.
#[test]
fn a_name_with_another_algorithm() {
    let case = crate::harness::Case::new(crate::harness::Driver::Auto);
    for verb in ["pull", "run"] {
        let name = format!("127.0.0.1:9/x@{}", sha512());
        case.coracle([verb, &name]).code(125).stdout("").error(NOT_SHA512);
    }
}

/// Texts that are no manifest at all.
pub fn no_manifests() -> Vec<Hostile> {
    let honest = Parts::new().manifest.to_string();
    let cut = honest[..honest.len() / 2].to_owned();
    let twice = honest.replacen("\"layers\"", "\"layers\":[],\"layers\"", 1);
    let nul = honest.replacen("\"schemaVersion\"", "\"a\\u0000b\\ud800\":1,\"schemaVersion\"", 1);
    let mut invalid = honest.clone().into_bytes();
    let place = honest.find("vnd").unwrap();
    invalid[place] = 0xff;
    let long = format!("{{\"a\":\"{}\"}}", "x".repeat(4 << 20));
    let texts: Vec<(&str, &'static [&'static str], Vec<u8>)> = vec![
        ("blank", &["JSON"], b" ".to_vec()),
        ("null", &["JSON"], b"null".to_vec()),
        ("a list", &["JSON"], b"[]".to_vec()),
        ("a word", &["JSON"], b"\"manifest\"".to_vec()),
        ("a page", &["JSON"], b"<html>".to_vec()),
        ("an object of nothing", &["neither an image manifest nor an index"], b"{}".to_vec()),
        ("half", &["JSON"], cut.into_bytes()),
        ("something behind it", &["JSON"], format!("{honest}x").into_bytes()),
        ("two", &["JSON"], format!("{honest}{honest}").into_bytes()),
        ("a byte order mark", &["JSON"], format!("\u{feff}{honest}").into_bytes()),
        ("a key twice", &["JSON"], twice.into_bytes()),
        ("half a surrogate", &["JSON"], nul.into_bytes()),
        ("no UTF-8", &["JSON"], invalid),
        ("a hundred thousand brackets", &["JSON"], vec![b'['; 100_000]),
        ("a hundred thousand objects", &["JSON"], b"{\"a\":".repeat(100_000)),
        ("lists in an unknown key", &["JSON"], format!("{{\"layers\":[],\"a\":{}", "[".repeat(100_000)).into_bytes()),
        ("two million values", &["200000 values"], format!("{{\"a\":[0{}]}}", ",0".repeat(2_000_000)).into_bytes()),
        ("more than 4 MiB", &["more than the 4194304 bytes"], long.into_bytes()),
    ];
    let spoiled = |(name, says, text): (&str, &'static [&'static str], Vec<u8>)| {
        Manifest.spoiled(name, says, move |_| Reply::ok(text.clone()))
    };
    texts.into_iter().map(spoiled).collect()
}

/// Honest but for one value.
fn changed(name: &str, says: &'static [&'static str], change: impl FnOnce(&mut Value)) -> Hostile {
    let mut manifest = Parts::new().manifest;
    change(&mut manifest);
    Manifest.spoiled(name, says, |_| Reply::ok(manifest.to_string()))
}

/// A manifest of which one value is wrong.
pub fn values_of_manifests() -> Vec<Hostile> {
    let mut cases = Vec::new();
    for version in [json!(1), json!(0), json!(3), json!(-2), json!("2"), json!(2.5), json!(u64::MAX)] {
        let name = format!("the schema version {version}");
        cases.push(changed(&name, &["schema", "JSON"], |manifest| manifest["schemaVersion"] = version));
    }
    for bad in [
        "",
        "sha256",
        "sha256:",
        "sha256:abc",
        "SHA256:0f",
        "md5:d41d8cd98f00b204e9800998ecf8427e",
        "sha256:../../../../etc/passwd",
        "sha256:%2e%2e",
        "../x",
        ":",
    ] {
        for key in ["config", "layers"] {
            cases.push(changed(&format!("the digest {bad:?} in {key}"), &["digest"], |manifest| match key {
                "config" => manifest[key]["digest"] = bad.into(),
                _ => manifest[key][0]["digest"] = bad.into(),
            }));
        }
    }
    let upper = |digest: &Value| format!("sha256:{}", digest.as_str().unwrap()[7..].to_ascii_uppercase());
    cases.push(changed("a digest in upper case", &["digest"], |manifest| {
        manifest["config"]["digest"] = upper(&manifest["config"]["digest"]).into();
    }));
    for key in ["config", "layers"] {
        cases.push(changed(&format!("a digest of 512 bits in {key}"), &[NOT_SHA512], |manifest| match key {
            "config" => manifest[key]["digest"] = sha512().into(),
            _ => manifest[key][0]["digest"] = sha512().into(),
        }));
    }
    for size in [json!(-1), json!(1.5), json!("10"), json!(null), json!(1e300), json!([])] {
        let name = format!("the size {size}");
        cases.push(changed(&name, &["JSON"], |manifest| manifest["layers"][0]["size"] = size));
    }
    for (size, says) in [(0_u64, &["has the digest"][..]), (1, &["bytes, not the 1"]), (u64::MAX, &["No space left"])] {
        cases.push(changed(&format!("a layer of {size} bytes"), says, |manifest| {
            manifest["layers"][0]["size"] = size.into();
        }));
    }
    cases.push(changed("a config of 9 MB", &["config has"], |manifest| manifest["config"]["size"] = 9_000_000.into()));
    cases
        .push(changed("a config of one byte", &["bytes, not the 1"], |manifest| manifest["config"]["size"] = 1.into()));
    cases.push(changed("no config", &["JSON"], |manifest| drop(manifest.as_object_mut().unwrap().remove("config"))));
    cases.push(changed("a config that is a list", &["JSON"], |manifest| manifest["config"] = json!([])));
    cases.push(changed("layers that are an object", &["JSON"], |manifest| manifest["layers"] = json!({"a": 1})));
    cases.push(changed("no layers", &["0 layers, but the config has 1"], |manifest| manifest["layers"] = json!([])));
    cases.push(changed("layers that are null", &["0 layers, but"], |manifest| manifest["layers"] = json!(null)));
    for count in [2, 127, 501, 10_000] {
        cases.push(changed(&format!("the same layer {count} times"), &["layers"], |manifest| {
            manifest["layers"] = vec![manifest["layers"][0].clone(); count].into();
        }));
    }
    cases
}

/// What calls itself by a name that is not its own, or is nothing that can be run.
pub fn types() -> Vec<Hostile> {
    let mut cases = Vec::new();
    let kinds: [(&str, &'static [&'static str]); 6] = [
        (INDEX, &["calls"]),
        ("application/vnd.docker.distribution.manifest.list.v2+json", &["calls"]),
        ("application/vnd.docker.distribution.manifest.v1+json", &["schema 1"]),
        ("application/vnd.docker.distribution.manifest.v1+prettyjws", &["schema 1"]),
        (" application/vnd.oci.image.index.v1+json ; charset=utf-8", &["calls"]),
        ("application/vnd.oci.image.index.v1+json;x=\"y\"", &["calls"]),
    ];
    for (kind, says) in kinds {
        cases.push(changed(&format!("calls itself {kind}"), says, |manifest| manifest["mediaType"] = kind.into()));
        cases.push(
            Manifest.spoiled(&format!("is called {kind}"), says, |body| Reply::ok(body).header("Content-Type", kind)),
        );
    }
    cases.push(changed("an image and an index", &["as an image and as an index"], |manifest| {
        manifest["manifests"] = json!([])
    }));
    cases.push(changed("with layers of schema 1", &["schema 1"], |manifest| manifest["fsLayers"] = json!([])));
    cases.push(Manifest.spoiled("schema 1", &["schema 1"], |_| {
        Reply::ok(
            json!({"schemaVersion": 1, "name": "x", "tag": "1", "fsLayers": [{"blobSum": "sha256:x"}]}).to_string(),
        )
    }));
    // An artifact is taken as it is, but only whole.
    for (what, key, value, says) in [
        ("a blob of another size", "size", json!(7), &["not the 7 that"]),
        ("a blob without end", "size", json!(u64::MAX), &["takes 18446744073709551615 bytes"]),
        ("a blob that is not there", "digest", json!(digest(b"other")), &["is not at the registry"]),
    ] {
        cases.push(changed(&format!("an artifact with {what}"), says, |manifest| {
            manifest["config"]["mediaType"] = "application/vnd.cncf.helm.config.v1+json".into();
            manifest["layers"][0]["mediaType"] = "application/vnd.cncf.helm.chart.content.v1.tar+gzip".into();
            manifest["layers"][0][key] = value;
        }));
    }
    for kind in [
        "application/vnd.oci.image.layer.nondistributable.v1.tar",
        "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
        "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
    ] {
        cases.push(changed(&format!("a layer of the type {kind}"), &["not distributable"], |manifest| {
            manifest["layers"][0]["mediaType"] = kind.into();
            manifest["layers"][0]["urls"] = json!(["http://169.254.169.254/x"]);
        }));
    }
    for kind in
        ["", "application/vnd.oci.image.layer.v1.tar+gzip+encrypted", "application/vnd.in-toto+json", "\u{1b}[2J"]
    {
        cases.push(changed(&format!("a layer of the type {kind:?}"), &["no file system layer"], |manifest| {
            manifest["layers"][0]["mediaType"] = kind.into();
        }));
    }
    cases.push(changed("a layer that is not there", &["is not at the registry"], |manifest| {
        manifest["layers"][0]["digest"] = digest(b"other").into();
    }));
    cases
}

/// An image whose config is this text.
fn configured(name: &str, says: &'static [&'static str], text: Vec<u8>) -> Hostile {
    let mut parts = Parts::new();
    parts.manifest["config"]["digest"] = digest(&text).into();
    parts.manifest["config"]["size"] = text.len().into();
    let path = parts.config_path();
    Hostile::new(name, says, parts, move |request, _| (request.path == path).then(|| Reply::ok(text.clone())))
}

pub fn configs() -> Vec<Hostile> {
    let honest = Parts::new().config;
    let with = |change: &dyn Fn(&mut Value)| {
        let mut config = honest.clone();
        change(&mut config);
        config.to_string().into_bytes()
    };
    let mut cases = vec![
        configured("blank", &["config"], b" ".to_vec()),
        configured("null", &["config"], b"null".to_vec()),
        configured("a list", &["config"], b"[]".to_vec()),
        configured("brackets", &["config"], vec![b'['; 100_000]),
        configured("no UTF-8", &["config"], vec![b'"', 0xff, b'"']),
        configured(
            "a key twice",
            &["config"],
            honest.to_string().replacen("\"rootfs\"", "\"rootfs\":{},\"rootfs\"", 1).into(),
        ),
        configured("no layers", &["1 layers, but the config has 0"], with(&|c| c["rootfs"]["diff_ids"] = json!([]))),
        configured("no root file system", &["config"], with(&|c| drop(c.as_object_mut().unwrap().remove("rootfs")))),
        configured("another layer", &["the image says"], with(&|c| c["rootfs"]["diff_ids"][0] = digest(b"x").into())),
        configured("environment that is a word", &["config"], with(&|c| c["config"]["Env"] = json!("A=b"))),
        configured("more than 4 MiB", &["config has"], vec![b' '; (4 << 20) + 1]),
    ];
    for id in ["", "sha256:abc", "sha256:../../x", "md5:d41d8cd98f00b204e9800998ecf8427e"] {
        let name = format!("the diff id {id:?}");
        cases.push(configured(&name, &["digest"], with(&|c| c["rootfs"]["diff_ids"][0] = id.into())));
    }
    let other = with(&|c| c["rootfs"]["diff_ids"][0] = sha512().into());
    cases.push(configured("a diff id of 512 bits", &[NOT_SHA512], other));
    cases.push(Config.spoiled("not there", &["is not at the registry"], |_| Reply::new(404, "")));
    cases
}

/// An image behind an index of these entries; `more` lies at the manifests' addresses by digest.
fn indexed(name: &str, says: &'static [&'static str], entries: Vec<Value>, more: Vec<String>) -> Hostile {
    let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": entries}).to_string();
    Hostile::new(name, says, Parts::new(), move |request, _| {
        let name = request.path.strip_prefix("/v2/x/manifests/")?;
        if name == "1" {
            return Some(Reply::ok(index.clone()).header("Content-Type", INDEX));
        }
        let found = more.iter().find(|text| digest(text.as_bytes()) == name);
        Some(found.map_or_else(|| Reply::new(404, ""), |text| Reply::ok(text.clone())))
    })
}

fn entry(text: &str, kind: &str) -> Value {
    json!({"mediaType": kind, "digest": digest(text.as_bytes()), "size": text.len(),
        "platform": {"os": "linux", "architecture": machine()}})
}

/// Documents that each point to the one before; the last of them first.
fn chain(length: usize) -> Vec<String> {
    let mut all = vec![Parts::new().manifest.to_string()];
    for _ in 0..length {
        let below = all.first().unwrap();
        let kind = if all.len() == 1 { OCI } else { INDEX };
        let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": [entry(below, kind)]});
        all.insert(0, index.to_string());
    }
    all
}

pub fn indexes() -> Vec<Hostile> {
    let image = Parts::new().manifest.to_string();
    let with = |change: &dyn Fn(&mut Value)| {
        let mut entry = entry(&image, OCI);
        change(&mut entry);
        vec![entry]
    };
    let here = || vec![image.clone()];
    let mut cases = vec![
        indexed("no entries", &["no image for the platform"], Vec::new(), here()),
        indexed(
            "other platforms",
            &["no image for the platform"],
            with(&|e| e["platform"]["os"] = "plan9".into()),
            here(),
        ),
        indexed("no platform that is one", &["JSON", "platform"], with(&|e| e["platform"] = "linux".into()), here()),
        indexed("an entry of another size", &["bytes, not the 7"], with(&|e| e["size"] = 7.into()), here()),
        indexed(
            "an entry that is not there",
            &["is not at the registry"],
            with(&|e| e["digest"] = digest(b"x").into()),
            here(),
        ),
        indexed("an entry that is called an index", &["calls"], with(&|e| e["mediaType"] = INDEX.into()), here()),
        indexed(
            "an entry of schema 1",
            &["schema 1"],
            with(&|e| {
                e["mediaType"] = "application/vnd.docker.distribution.manifest.v1+json".into();
            }),
            here(),
        ),
        indexed("an entry of 512 bits", &[NOT_SHA512], with(&|e| e["digest"] = sha512().into()), here()),
        indexed("an entry whose digest is a path", &["digest"], with(&|e| e["digest"] = "sha256:../x".into()), here()),
        indexed(
            "an entry without a size",
            &["JSON"],
            with(&|e| drop(e.as_object_mut().unwrap().remove("size"))),
            here(),
        ),
        indexed("entries that are null", &["JSON"], vec![json!(null)], here()),
        indexed("ten thousand and one", &["10001 entries"], vec![with(&|_| ()).remove(0); 10_001], here()),
    ];
    let deep = chain(100);
    let top: Value = serde_json::from_str(&deep[0]).unwrap();
    cases.push(indexed("a hundred deep", &["deep"], vec![top["manifests"][0].clone()], deep));
    // What lies at the child's address is the index itself.
    let child = format!("/v2/x/manifests/{}", digest(image.as_bytes()));
    let index = json!({"schemaVersion": 2, "manifests": with(&|_| ())}).to_string();
    cases.push(Hostile::new("points to itself", &["has the digest"], Parts::new(), move |request, _| {
        (request.path == child || request.path == "/v2/x/manifests/1").then(|| Reply::ok(index.clone()))
    }));
    let other = Parts::of(&[Layer::new().file("other", 0o644, "x")]).manifest.to_string();
    let child = format!("/v2/x/manifests/{}", digest(image.as_bytes()));
    let index = json!({"schemaVersion": 2, "manifests": with(&|_| ())}).to_string();
    cases.push(Hostile::new("another image for the child", &["has the digest"], Parts::new(), move |request, _| {
        let text = if request.path == child { &other } else { &index };
        request.path.contains("/manifests/").then(|| Reply::ok(text.clone()))
    }));
    cases
}

/// A name with a digest gets what has that digest, or nothing.
pub fn pinned() -> Vec<Hostile> {
    let parts = Parts::new();
    let honest = parts.manifest.to_string();
    let spaced = format!("{honest} ");
    let pinned = |name: &str, text: String| {
        let path = format!("/v2/x/manifests/{}", digest(honest.as_bytes()));
        let script = move |request: &super::Request, _| (request.path == path).then(|| Reply::ok(text.clone()));
        let mut hostile = Hostile::new(name, &["has the digest"], Parts::new(), script);
        hostile.image = format!("x@{}", digest(honest.as_bytes()));
        hostile
    };
    let index = json!({"schemaVersion": 2, "manifests": [entry(&honest, OCI)]}).to_string();
    // What is pinned is the index: another one, or another image than it names.
    let listed = |name: &str, index_sent: String, image_sent: String, says| {
        let (of_index, of_image) = (digest(index.as_bytes()), digest(honest.as_bytes()));
        let wanted = of_index.clone();
        let script = move |request: &super::Request, _| {
            let sent = match request.path.strip_prefix("/v2/x/manifests/")? {
                name if name == of_index => &index_sent,
                name if name == of_image => &image_sent,
                _ => return None,
            };
            Some(Reply::ok(sent.clone()))
        };
        let mut hostile = Hostile::new(name, says, Parts::new(), script);
        hostile.image = format!("x@{wanted}");
        hostile
    };
    let spaced_index = format!("{index} ");
    let longer = json!({"schemaVersion": 2, "manifests": [entry(&honest, OCI), entry(&honest, OCI)]}).to_string();
    let other = Parts::of(&[Layer::new().file("other", 0o644, "x")]).manifest.to_string();
    const WRONG: &[&str] = &["has the digest"];
    vec![
        listed("an index with a space more", spaced_index, honest.clone(), WRONG),
        listed("an index with an entry more", longer, honest.clone(), WRONG),
        listed("the image in place of the index", honest.clone(), honest.clone(), WRONG),
        listed("the index, and another image", index.clone(), other, WRONG),
        listed("the index, and the image with a space more", index.clone(), spaced.clone(), WRONG),
        listed("the index in place of its image, too", index.clone(), index.clone(), WRONG),
        listed("the index, and no image", index.clone(), String::new(), WRONG),
        pinned("another image", Parts::of(&[Layer::new().file("other", 0o644, "x")]).manifest.to_string()),
        pinned("a space more", spaced),
        pinned("an index that has it", index),
    ]
}

/// Honest all the way down, an index that was pinned is its image.
#[test]
fn an_index_that_is_pinned() {
    use crate::harness::{Case, Driver};
    let parts = Parts::new();
    let image = parts.manifest.to_string();
    let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": [entry(&image, OCI)]}).to_string();
    let (of_index, of_image) = (digest(index.as_bytes()), digest(image.as_bytes()));
    let name = format!("x@{of_index}");
    let script = move |request: &super::Request, _| match request.path.strip_prefix("/v2/x/manifests/")? {
        name if name == of_index => Some(Reply::ok(index.clone())),
        name if name == of_image => Some(Reply::ok(image.clone())),
        _ => None,
    };
    let registry = super::Registry::start(&parts, Box::new(script));
    Case::new(Driver::Auto).pull(&format!("{}/{name}", registry.address));
}

/// As many as there may be: five hundred layers, and an index of ten thousand entries, of which one is for this machine.
#[test]
fn as_many_as_there_may_be() {
    use crate::harness::{Case, Driver};
    let mut parts = Parts::new();
    let layers = 500;
    let diff_ids: Vec<_> = vec![digest(&parts.layer); layers];
    parts.claim(&diff_ids);
    parts.manifest["layers"] = vec![parts.manifest["layers"][0].clone(); layers].into();
    let image = parts.manifest.to_string();
    let mut entries = vec![entry(&image, OCI); 10_000];
    for (number, other) in entries.iter_mut().enumerate().skip(1) {
        other["platform"] = json!({"os": "linux", "architecture": format!("a{number}")});
    }
    let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": entries}).to_string();
    let script = move |request: &super::Request, _| match request.path.strip_prefix("/v2/x/manifests/")? {
        "1" => Some(Reply::ok(index.clone())),
        _ => Some(Reply::ok(image.clone())),
    };
    let registry = super::Registry::start(&parts, Box::new(script));
    let case = Case::new(Driver::Auto);
    let name = case.pull(&format!("{}/x:1", registry.address));
    let shown = case.coracle(["image", "inspect", "--format", "{{len .RootFS.Layers}}", &name]);
    shown.code(0).stdout("500\n");
    assert_eq!(registry.asked(&parts.layer_path()).len(), 1);
}
