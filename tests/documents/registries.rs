//! coracle-registries(5) names every file of Podman's that is read, and every key in it, with what becomes of it; and says the truth:
//! a value of the wrong kind is an error where a key counts, and nothing where it does not; nonsense in a file that is read is an
//! error that names the file.

use std::collections::BTreeSet;
use std::path::Path;

use coracle::oci::Registries;
use coracle::oci::policy::{Policy, Requirement};
use coracle::registry::Credentials;

use super::page::{self, Entry};
use crate::harness::{Case, Driver};

/// What the page has under its two headings.
struct Page {
    honoured: Vec<Entry>,
    not: Vec<Entry>,
}

impl Page {
    fn read() -> Self {
        let text = page::text("coracle-registries");
        Self { honoured: page::entries(&text, "HONOURED"), not: page::entries(&text, "NOT HONOURED") }
    }

    /// Whether some entry about the file has this word. What counts stands behind the file's name, what does not beside it.
    fn has(entries: &[Entry], file: &str, word: &str) -> bool {
        entries.iter().filter(|(name, _)| name.starts_with(file)).any(|(name, text)| {
            let words = format!("{name} {text}");
            words
                .split(|c: char| !(c.is_alphanumeric() || "-_.*".contains(c)))
                .any(|other| other.trim_end_matches('.') == word)
        })
    }

    /// A key of a file stands where it should; `counts`: what the program makes of it.
    #[track_caller]
    fn says(&self, file: &str, key: &str, counts: bool) {
        assert_eq!(Self::has(&self.honoured, file, key), counts, "{key} of {file} under HONOURED");
        assert!(counts || Self::has(&self.not, file, key), "{key} of {file} under NOT HONOURED");
    }
}

/// Of containers-registries.conf(5), with the tables that they stand in.
#[test]
fn registries_conf() {
    let page = Page::read();
    let is_read = |text: &str| Registries::default().read(Path::new("f"), text).is_ok();
    for (above, keys) in [
        (
            "",
            "unqualified-search-registries short-name-mode credential-helpers additional-layer-store-auth-helper aliases registry",
        ),
        ("[[registry]]\nlocation = 'q.io'\n", "prefix insecure blocked mirror-by-digest-only mirror"),
        ("[[registry]]\nprefix = '*.q.io'\n", "location"),
        ("[[registry]]\nlocation = 'q.io'\n[[registry.mirror]]\nlocation = 'm.io'\n", "insecure pull-from-mirror"),
    ] {
        assert!(is_read(above), "{above}");
        for key in keys.split(' ') {
            page.says("registries.conf", key, !is_read(&format!("{above}{key} = 1979-05-27")));
        }
    }
    // Version 1.
    for table in ["registries.search", "registries.insecure", "registries.block"] {
        assert!(
            Page::has(&page.not, "registries.conf", table) && !is_read(&format!("[{table}]\nregistries = ['q.io']"))
        );
    }
}

/// Of containers-auth.json(5), and what docker's config.json has besides.
#[test]
fn auth_json() {
    let page = Page::read();
    let is_read = |text: String| Credentials::in_file(Path::new("f"), text.as_bytes(), "q.io").is_ok();
    for key in ["auth", "username", "password", "identitytoken", "email", "serveraddress", "registrytoken"] {
        page.says("auth.json", key, !is_read(format!(r#"{{"auths":{{"q.io":{{"{key}":1}}}}}}"#)));
    }
    for key in [
        "auths",
        "credHelpers",
        "credsStore",
        "HttpHeaders",
        "proxies",
        "detachKeys",
        "psFormat",
        "imagesFormat",
        "currentContext",
        "plugins",
        "features",
    ] {
        page.says("auth.json", key, !is_read(format!(r#"{{"{key}":1}}"#)));
    }
}

/// Of containers-policy.json(5): every key is known, as the file is read strictly; what is not supported lets no image through.
#[test]
fn policy_json() {
    let page = Page::read();
    let image = "q.io/x:1".parse().unwrap();
    let requirements = |requirement: String| {
        let policy = Policy::parse(format!(r#"{{"default":[{requirement}]}}"#).as_bytes()).ok()?;
        policy.requirements(&image).first().cloned()
    };
    let supported = |requirement: String| match requirements(requirement.clone()) {
        None => panic!("{requirement} is not even read"),
        Some(Requirement::Unsupported(_)) => false,
        Some(_) => true,
    };
    for (kind, more) in [
        ("insecureAcceptAnything", ""),
        ("reject", ""),
        ("signedBy", r#","keyType":"GPGKeys","keyPath":"/k""#),
        ("signedBaseLayer", r#","baseLayerIdentity":{"type":"matchExact"}"#),
        ("sigstoreSigned", r#","keyPath":"/k""#),
    ] {
        page.says("policy.json", kind, supported(format!(r#"{{"type":"{kind}"{more}}}"#)));
    }
    let signed = |fields: &str| format!(r#"{{"type":"sigstoreSigned",{fields}}}"#);
    for (key, value) in [
        ("keyPath", r#""/k""#),
        ("keyPaths", r#"["/k"]"#),
        ("keyData", r#""eA==""#),
        ("keyDatas", r#"["eA=="]"#),
        ("fulcio", "{}"),
        ("pki", "{}"),
        ("rekorPublicKeyPath", r#""/k""#),
        ("rekorPublicKeyPaths", r#"["/k"]"#),
        ("rekorPublicKeyData", r#""eA==""#),
        ("rekorPublicKeyDatas", r#"["eA=="]"#),
    ] {
        let own = if key.starts_with("key") { String::new() } else { r#""keyPath":"/k","#.to_owned() };
        page.says("policy.json", key, supported(signed(&format!(r#"{own}"{key}":{value}"#))));
    }
    for (kind, more) in [
        ("matchExact", ""),
        ("matchRepoDigestOrExact", ""),
        ("matchRepository", ""),
        ("exactReference", r#","dockerReference":"q.io/x:1""#),
        ("exactRepository", r#","dockerRepository":"q.io/x""#),
        ("remapIdentity", r#","prefix":"q.io","signedPrefix":"r.io""#),
    ] {
        let identity = format!(r#""keyPath":"/k","signedIdentity":{{"type":"{kind}"{more}}}"#);
        page.says("policy.json", kind, supported(signed(&identity)));
        for key in more.split('"').filter(|word| word.starts_with("docker") || word.ends_with("refix")) {
            page.says("policy.json", key, true);
        }
    }
    // What is within those that are refused.
    let within = "keyType baseLayerIdentity caPath caData oidcIssuer subjectEmail caRootsPath caRootsData caIntermediatesPath \
                  caIntermediatesData subjectHostname";
    for key in within.split_whitespace() {
        page.says("policy.json", key, false);
    }
    for transport in ["docker", "docker-archive", "oci-archive", "oci", "dir", "tarball", "default", "transports"] {
        page.says("policy.json", transport, true);
    }
    for transport in ["atomic", "containers-storage", "docker-daemon", "ostree", "sif"] {
        page.says("policy.json", transport, false);
    }
}

/// Of containers-storage.conf(5), by their tables.
#[test]
fn storage_conf() {
    let (page, case) = (Page::read(), Case::new(Driver::Auto));
    let path = case.home.join("storage.conf");
    let path = path.to_str().unwrap();
    for (table, keys) in [
        ("storage", "driver graphroot runroot rootless_storage_path imagestore driver_priority transient_store"),
        (
            "storage.options",
            "additionalimagestores additionallayerstores pull_options remap-uids remap-gids remap-user remap-group \
             root-auto-userns-user auto-userns-min-size auto-userns-max-size disable-volatile ignore_chown_errors mount_program \
             mountopt skip_mount_home size",
        ),
        (
            "storage.options.pull_options",
            "enable_partial_images use_hard_links ostree_repos convert_images insecure_allow_unpredictable_image_contents",
        ),
        (
            "storage.options.overlay",
            "ignore_chown_errors inodes force_mask mount_program mountopt skip_mount_home size use_composefs",
        ),
        ("storage.options.btrfs", "min_space size"),
        ("storage.options.vfs", "ignore_chown_errors"),
        ("storage.options.zfs", "fsname mountopt size"),
    ] {
        let named = |entries| Page::has(entries, "storage.conf", table.trim_end_matches(".pull_options"));
        assert!(named(&page.not) || named(&page.honoured), "[{table}]");
        for key in keys.split_whitespace() {
            std::fs::write(path, format!("[{table}]\n{key} = 1979-05-27\n")).unwrap();
            let listed = case.command(["images"]).env("CONTAINERS_STORAGE_CONF", path).finish();
            let counts = listed.code == Some(125) && listed.stderr.contains(path);
            assert!(counts || listed.code == Some(0), "{key}: {listed}");
            page.says("storage.conf", key, counts);
        }
    }
    for table in ["storage.options.aufs", "storage.options.thinpool"] {
        assert!(Page::has(&page.not, "storage.conf", table), "[{table}]");
    }
}

/// Of containers-registries.d(5), none of whose files is read.
#[test]
fn registries_d() {
    let page = Page::read();
    for key in "default-docker docker use-sigstore-attachments lookaside lookaside-staging sigstore sigstore-staging"
        .split(' ')
    {
        page.says("registries.d", key, false);
    }
}

/// Each file that counts, with nonsense in it, and then with nothing; in a root file system of the test's own making as far as it is
/// the machine's. Those that do not count may hold what they like.
#[test]
fn files() {
    let (page, case) = (Page::read(), Case::new(Driver::Auto));
    let commands = ["pull --tls-verify=true 127.0.0.1:9/x", "login --get-login 127.0.0.1:9"];
    let is_read = |variable: &str, path: &str, value: &str| page::is_read(&case, &commands, variable, path, value);
    let mut told = BTreeSet::new();
    for (file, variable, path, value) in [
        ("registries.conf", "", "$XDG_CONFIG_HOME/containers/registries.conf", ""),
        ("registries.conf", "", "/etc/containers/registries.conf", ""),
        ("registries.conf", "", "/etc/containers/registries.conf.d/x.conf", ""),
        ("registries.conf", "", "$XDG_CONFIG_HOME/containers/registries.conf.d/x.conf", ""),
        ("registries.conf", "CONTAINERS_REGISTRIES_CONF", "$PWD/elsewhere/named", "$path"),
        ("short-name-aliases.conf", "", "$XDG_CACHE_HOME/containers/short-name-aliases.conf", ""),
        ("auth.json", "", "$XDG_RUNTIME_DIR/containers/auth.json", ""),
        ("auth.json", "", "$XDG_CONFIG_HOME/containers/auth.json", ""),
        ("auth.json", "", "$HOME/.docker/config.json", ""),
        ("auth.json", "REGISTRY_AUTH_FILE", "$PWD/elsewhere/named", "$path"),
        ("DOCKER_CONFIG", "DOCKER_CONFIG", "$PWD/elsewhere/config.json", "$PWD/elsewhere"),
        ("policy.json", "", "$XDG_CONFIG_HOME/containers/policy.json", ""),
        ("policy.json", "", "/etc/containers/policy.json", ""),
        ("certs.d", "", "$XDG_CONFIG_HOME/containers/certs.d/127.0.0.1:9/x.crt", ""),
        ("certs.d", "", "/etc/containers/certs.d/127.0.0.1:9/x.crt", ""),
        ("certs.d", "", "/etc/docker/certs.d/127.0.0.1:9/x.crt", ""),
        ("storage.conf", "CONTAINERS_STORAGE_CONF", "$PWD/elsewhere/named", "$path"),
    ] {
        assert!(is_read(variable, path, value), "{path} {variable} is not read");
        let (_, text) = page.honoured.iter().find(|(name, _)| name == file).unwrap_or_else(|| panic!("no {file}"));
        // A file by its folder, where it stands in a list of folders.
        let place =
            if variable.is_empty() { path.split_once("/x.").map_or(path, |(folder, _)| folder) } else { variable };
        let place = place.trim_end_matches("/127.0.0.1:9");
        let parts =
            place.strip_prefix("/etc/containers/").or_else(|| place.strip_prefix("$XDG_CONFIG_HOME/containers/"));
        let is_there = text.contains(place) || file == place || parts.is_some_and(|part| text.contains(part));
        assert!(is_there, "{file} does not name {place}");
        told.insert(file);
    }
    for (name, path) in [
        ("registries.d", "$XDG_CONFIG_HOME/containers/registries.d/x.yaml"),
        ("registries.d", "/etc/containers/registries.d/x.yaml"),
        ("$HOME/.dockercfg", "$HOME/.dockercfg"),
        ("storage.conf of", "$XDG_CONFIG_HOME/containers/storage.conf"),
        ("storage.conf of", "/etc/containers/storage.conf"),
        ("certs.d: files with other endings", "/etc/containers/certs.d/127.0.0.1:9/x.pem"),
    ] {
        assert!(!is_read("", path, ""), "{path} is read");
        assert!(page.not.iter().any(|(entry, _)| entry.starts_with(name)), "nothing is said of {name}");
    }
    // Nothing on the page that looks like a file is left out above.
    for (name, _) in page.honoured.iter().filter(|(name, _)| name.contains('.') && !name.contains(' ')) {
        assert!(told.contains(name.as_str()), "{name} was not tried");
    }
}
