//! What registries, other tools and users write as JSON, as YAML, as TOML or as the name of an image.

use std::path::Path;

use coracle::cli::config::file;
use coracle::cli::output::template::Template;
use coracle::host::dirs::Dirs;
use coracle::oci::capability::CapabilitySet;
use coracle::oci::cdi::Spec;
use coracle::oci::manifest::{self, Document, MAX_ENTRIES, MAX_LAYERS};
use coracle::oci::policy::{Policy, Requirement};
use coracle::oci::registries::RegistriesError;
use coracle::oci::signature::Payload;
use coracle::oci::yaml;
use coracle::oci::{ImageConfig, Platform, Reference, Registries};
use coracle::registry::{Credentials, Error};
use coracle::runtime::seccomp::{self, Facts, Profile};
use coracle::store::Store;

/// A document is an image or an index, within the limits; what was understood is understood again.
pub fn manifest(bytes: &[u8]) {
    match manifest::parse(bytes, None) {
        Ok(Document::Manifest(manifest)) => {
            assert!(manifest.layers.len() <= MAX_LAYERS);
            let again = serde_json::to_vec(&manifest).unwrap();
            let Ok(Document::Manifest(again)) = manifest::parse(&again, None) else { panic!("an image no more") };
            assert_eq!(again, manifest);
        }
        Ok(Document::Index(index)) => {
            assert!(index.manifests.len() <= MAX_ENTRIES);
            let host = Platform::host();
            if let Some(chosen) = host.choose(&index) {
                assert!(chosen.platform.as_ref().is_none_or(|platform| platform.runs_on(&host)));
            }
        }
        Err(error) => assert!(error.to_string().len() < 4096),
    }
}

pub fn image_config(bytes: &[u8]) {
    if let Ok(config) = ImageConfig::parse(bytes) {
        assert!(!config.platform().to_string().is_empty());
        assert_eq!(ImageConfig::parse(&serde_json::to_vec(&config).unwrap()).unwrap(), config);
    }
}

/// `index.json` of the store, which other tools write too.
pub fn image_index(bytes: &[u8]) {
    let store = Store::open(&Dirs::at(&super::scratch("index"))).unwrap();
    std::fs::write(store.layout().index(), bytes).unwrap();
    if let Ok(images) = store.images() {
        for entry in &images {
            let found = entry.name().map(|name| store.image_named(name).unwrap());
            assert!(found.is_none_or(|found| found.is_some()));
        }
    }
}

/// What was understood is understood again as the same, and its parts are safe to make paths of.
pub fn reference(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Ok(reference) = text.parse::<Reference>() else { return };
    assert_eq!(reference.to_string().parse::<Reference>().unwrap(), reference);
    let path = format!("{}/{}", reference.registry(), reference.repository());
    assert!(!path.split('/').any(|part| part.is_empty() || part == "." || part == ".."), "{path}");
}

/// Never a secret in an error.
pub fn credentials(bytes: &[u8]) {
    for name in ["q.io/x/y", "docker.io/library/debian", "localhost:5000/a"] {
        // The name of a keychain is no secret.
        if let Err(error) = Credentials::in_file(Path::new("auth.json"), bytes, name)
            && !matches!(error, Error::Keychain(_))
        {
            let text = format!("{error} {error:?}");
            assert!(!text.contains("hunter2") && !text.contains("dTpodW50ZXIy"), "{text}");
        }
    }
}

/// What a user or an administrator writes as registries.conf: what is wrong is said by a line that the file has; what is right
/// gives every image a place.
pub fn registries(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let mut registries = Registries::default();
    match registries.read(Path::new("f"), text) {
        Err(RegistriesError::File { line, .. }) => assert!(line <= 1 + text.matches('\n').count()),
        Err(error) => panic!("{error}"),
        Ok(()) => {
            for image in ["q.io/x/y:1", "a.r.io/x", "debian", "x/y", "z"] {
                if let Ok(meaning) = registries.meaning(image) {
                    assert!(!meaning.names.is_empty());
                    for name in meaning.names {
                        assert!(registries.sources(&name).is_err() || !registries.sources(&name).unwrap().is_empty());
                    }
                }
            }
        }
    }
}

/// policy.json, and what a signature covers: there is always a requirement, and a payload is of an image.
pub fn policy(bytes: &[u8]) {
    if let Ok(policy) = Policy::parse(bytes) {
        for image in ["q.io/x/y:1", "a.r.io/x", "debian"] {
            let image: Reference = image.parse().unwrap();
            let requirements = policy.requirements(&image);
            assert!(!requirements.is_empty());
            for requirement in requirements {
                if let Requirement::Signed(signed) = requirement {
                    assert!(!signed.keys.is_empty());
                    let _ = signed.identity.accepts(&image, &String::from_utf8_lossy(bytes));
                }
            }
        }
    }
    if let Some(payload) = Payload::parse(bytes) {
        assert_eq!(payload.digest().hex().len(), 64);
    }
}

/// A profile of the engines' common format: what can be read can be compiled, or is too much for the kernel, and is kept as it is.
pub fn seccomp(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Ok(profile) = seccomp::json::parse(text) else { return };
    let facts = Facts::here(CapabilitySet::DEFAULT).unwrap();
    if let Ok(program) = seccomp::compile(&profile, &facts) {
        assert!((1..=4096).contains(&program.instructions().len()));
    }
    assert_eq!(serde_json::from_str::<Profile>(&serde_json::to_string(&profile).unwrap()).unwrap(), profile);
}

/// What a user writes behind `--format`: whatever it is, it is shown, or it is an error.
pub fn template(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let row = serde_json::json!({
        "ID": "abc", "Names": ["a", "b"], "State": {"Running": true, "Pid": 7}, "Labels": {"k": "v"},
        "Config": {"Labels": {"x": "y"}}, "Created": "2026-01-31T12:00:00.25Z",
    });
    if let Ok(template) = Template::parse("ps", &text) {
        let _ = template.each(std::slice::from_ref(&row));
        let _ = template.list(&[row], &[("ID", "CONTAINER ID")], false);
    }
}

/// What a user or an administrator writes as containers.conf or config.toml: what is wrong is said by a line that the file has.
pub fn configuration(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let theirs = file::parse(Path::new("f"), text, false);
    if let Ok(ours) = file::parse(Path::new("f"), text, true) {
        assert_eq!(theirs.unwrap(), ours);
    }
}

/// What a vendor's tool writes of devices, in both formats: YAML becomes JSON with its lines (the end
/// may count as one more), or is wrong in one of them.
pub fn devices(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    // As YAML counts lines.
    let lines = 1 + text.replace("\r\n", "\n").matches(['\r', '\n']).count();
    let wrong = |error: yaml::Error| assert!(error.line <= lines + 1, "{error}");
    match yaml::to_json(text) {
        Err(error) => wrong(error),
        Ok(json) => {
            assert!(json.is_empty() || serde_json::from_str::<serde::de::IgnoredAny>(&json).is_ok(), "{json}");
            assert!(json.matches('\n').count() <= lines);
        }
    }
    for spec in [Spec::from_yaml(text), Spec::from_json(text)] {
        match spec {
            Err(error) => wrong(error),
            Ok(spec) => {
                for device in &spec.devices {
                    assert!(spec.edits(&device.name).is_some());
                }
            }
        }
    }
}
