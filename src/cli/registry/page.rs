//! The manual page coracle-registries(5): which of the field's files about registries are read, and which of their keys are not.

use crate::cli::output::roff;

/// What is read: a file, a key of it or a variable, and what is made of it.
const HONOURED: [(&str, &str); 16] = [
    (
        "registries.conf",
        "$CONTAINERS_REGISTRIES_CONF, else $XDG_CONFIG_HOME/containers/registries.conf, else /etc/containers/registries.conf; then \
         registries.conf.d/*.conf of /etc/containers, unless the account has a file of its own, and of $XDG_CONFIG_HOME/containers. \
         Version 2: unqualified-search-registries, short-name-mode, credential-helpers, [aliases], and of [[registry]] prefix, \
         location, insecure, blocked, mirror-by-digest-only and mirror, with its location, insecure and pull-from-mirror. Without \
         any such file short names are Docker Hub's.",
    ),
    (
        "short-name-aliases.conf",
        "$XDG_CACHE_HOME/containers/short-name-aliases.conf: [aliases], which pull writes once it has asked.",
    ),
    (
        "auth.json",
        "$XDG_RUNTIME_DIR/containers/auth.json, $XDG_CONFIG_HOME/containers/auth.json and $HOME/.docker/config.json in this order, \
         or the one file that --authfile or $REGISTRY_AUTH_FILE names: auths, with auth, username and password, identitytoken; \
         credHelpers, credsStore. login writes the first of them.",
    ),
    ("DOCKER_CONFIG", "A directory whose config.json comes before all others, and before $HOME/.docker/config.json."),
    (
        "docker-credential-NAME",
        "The programs that credHelpers, credsStore and credential-helpers name, found in PATH: get, store, erase.",
    ),
    (
        "policy.json",
        "The file of --signature-policy, else $XDG_CONFIG_HOME/containers/policy.json, else /etc/containers/policy.json: default, and \
         of transports docker and, for archives that are pulled, loaded or imported, docker-archive, oci-archive, oci, dir and \
         tarball; oci-archive, oci and dir with paths as scopes. insecureAcceptAnything, reject, and sigstoreSigned with keyPath, keyPaths, keyData, keyDatas (PEM: ECDSA \
         on P-256 or P-384, Ed25519, RSA with PKCS #1 v1.5) and signedIdentity: matchExact, matchRepoDigestOrExact, matchRepository, \
         exactReference with dockerReference, exactRepository with dockerRepository, remapIdentity with prefix and signedPrefix; an \
         archive has no signatures. Without a file all images are taken.",
    ),
    (
        "certs.d",
        "HOST:PORT/*.crt, *.cert and *.key of $XDG_CONFIG_HOME/containers/certs.d, /etc/containers/certs.d, /etc/docker/certs.d.",
    ),
    (
        "storage.conf",
        "The file that $CONTAINERS_STORAGE_CONF names, and no other; of it graphroot, with $HOME and $UID in it, alone: everything lies in \
         a folder `coracle` of that directory.",
    ),
    (
        "HTTPS_PROXY, HTTP_PROXY, ALL_PROXY, NO_PROXY",
        "Proxies on the way to registries; one on this machine is reached without.",
    ),
    (
        "--tls-verify",
        "Without it registries.conf counts; with it, what the flag says. A registry on this machine may speak plain HTTP; where \
         there is a password for it, only one that does not speak TLS.",
    ),
    (
        "--creds",
        "For the registry that the image names: no mirror and no other location gets them, and nobody where a short name may be at \
         several registries. Once read they no longer show in the process list.",
    ),
    (
        "redirects",
        "Up to ten, without the credentials, which stay with the registry's own scheme, host and port. None leads from TLS to plain \
         HTTP, where Podman goes, nor from another machine to this one; what is sent goes to no other place than was asked for.",
    ),
    (
        "short names",
        "Local images first, as localhost/NAME or at the end of any name; then aliases, then the registries to search.",
    ),
    (
        "mirrors",
        "Asked in turn for the manifest, then the location itself; for blobs that one lacks, or does not send to the end or as they \
         are, those behind it.",
    ),
    ("search", "The registry's /v1/search, and where it has none the names in its /v2/_catalog."),
    ("signatures", "At the tag sha256-HEX.sig beside the image, in the format of cosign."),
];

/// What is not, and what happens instead.
const NOT_HONOURED: [(&str, &str); 19] = [
    (
        "registries.conf: [registries.search], [registries.insecure], [registries.block]",
        "Version 1 of the format is refused.",
    ),
    ("registries.conf: additional-layer-store-auth-helper", "Passed over: there are no additional layer stores."),
    (
        "registries.d/*.yaml: use-sigstore-attachments",
        "Not read: attachments are looked for wherever the policy asks for a signature, and there alone. Podman looks only where this \
         key is true, and takes no image elsewhere.",
    ),
    (
        "registries.d/*.yaml: default-docker, docker, lookaside, lookaside-staging, sigstore, sigstore-staging",
        "Not read: no image is taken for which the policy asks for what lies there, a signature of simple signing.",
    ),
    (
        "policy.json: signedBy with keyType, keyPath, keyPaths, keyData, signedIdentity; signedBaseLayer with baseLayerIdentity",
        "No image is taken for which it is asked.",
    ),
    (
        "policy.json: sigstoreSigned with fulcio (caPath, caData, oidcIssuer, subjectEmail), pki (caRootsPath, caRootsData, \
         caIntermediatesPath, caIntermediatesData, subjectEmail, subjectHostname), rekorPublicKeyPath, rekorPublicKeyPaths, \
         rekorPublicKeyData, rekorPublicKeyDatas",
        "No image is taken for which it is asked.",
    ),
    (
        "policy.json: transports atomic, containers-storage, docker-daemon, ostree, sif",
        "Read, and what is wrong in them is an error; no image comes from there.",
    ),
    (
        "auth.json: email, serveraddress, registrytoken, HttpHeaders, proxies, detachKeys, psFormat, imagesFormat, currentContext, \
         plugins, features, and all other keys",
        "Passed over, and kept where login and logout write the file.",
    ),
    ("$HOME/.dockercfg", "Not read: docker login has long written $HOME/.docker/config.json."),
    ("certs.d: files with other endings", "Passed over."),
    (
        "storage.conf of /usr/share/containers, /etc/containers, $XDG_CONFIG_HOME/containers",
        "Not read: Podman's store is none of this program's.",
    ),
    (
        "storage.conf: [storage] driver, driver_priority",
        "Passed over: --storage-driver and $CORACLE_STORAGE_DRIVER say which overlay; without them what has proved to serve is used.",
    ),
    (
        "storage.conf: [storage] runroot, rootless_storage_path, imagestore, transient_store",
        "Passed over: --runroot and --root; images lie beside containers, and all of it stays.",
    ),
    (
        "storage.conf: [storage.options] additionalimagestores, additionallayerstores, pull_options with enable_partial_images, \
         use_hard_links, ostree_repos, convert_images, insecure_allow_unpredictable_image_contents",
        "Passed over: there is one store, a layer in it exists once, and all of a blob is fetched and checked.",
    ),
    (
        "storage.conf: [storage.options] remap-uids, remap-gids, remap-user, remap-group, root-auto-userns-user, \
         auto-userns-min-size, auto-userns-max-size",
        "Passed over: the ids are those of /etc/subuid and /etc/subgid; --userns, --uidmap and --gidmap say which.",
    ),
    (
        "storage.conf: [storage.options] disable-volatile, ignore_chown_errors, mount_program, mountopt, skip_mount_home, size",
        "Passed over: what an overlay is mounted with follows from the container; --storage-opt size=SIZE limits it.",
    ),
    (
        "storage.conf: [storage.options.overlay] ignore_chown_errors, inodes, force_mask, mount_program, mountopt, skip_mount_home, \
         size, use_composefs",
        "Passed over, for the same reason.",
    ),
    (
        "storage.conf: [storage.options.aufs], [storage.options.btrfs] min_space, [storage.options.vfs], [storage.options.zfs] \
         fsname, [storage.options.thinpool]",
        "Passed over: there are no such drivers.",
    ),
    ("containers-sigstore-signing-params.yaml(5)", "Not read: nothing is signed."),
];

/// The page, in roff.
pub fn page() -> String {
    format!(
        ".TH coracle-registries 5 \"\" \"\" coracle\n.SH NAME\ncoracle\\-registries \\- files about registries, credentials and trust\n\
         .SH DESCRIPTION\nThe files are those of Podman and Docker, described in containers\\-registries.conf(5), \
         containers\\-auth.json(5), containers\\-policy.json(5), containers\\-certs.d(5), containers\\-registries.d(5) and \
         containers\\-storage.conf(5). This page says which of them are read, and which of their keys are not.\n.SH HONOURED\n{}.SH NOT HONOURED\n{}.SH SEE ALSO\ncoracle\\-pull(1), \
         coracle\\-login(1), coracle\\-search(1), coracle\\-configuration(5)\n",
        roff::list(&HONOURED),
        roff::list(&NOT_HONOURED)
    )
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::oci::Registries;
    use crate::oci::policy::{Policy, Requirement};
    use crate::registry::Credentials;

    /// What the page has under a heading for names that begin so.
    fn said(entries: &[(&str, &str)], start: &str) -> String {
        entries
            .iter()
            .filter(|(name, _)| name.starts_with(start))
            .map(|(name, text)| format!("{name} {text} "))
            .collect()
    }

    /// A key that is read must have the right type; one that is not may have any.
    #[test]
    fn the_page_tells_the_truth() {
        let registries = |text: &str| Registries::default().read(Path::new("f"), text).is_ok();
        for key in ["unqualified-search-registries", "short-name-mode", "credential-helpers", "aliases", "registry"] {
            assert!(said(&HONOURED, "registries.conf").contains(key) && !registries(&format!("{key} = 1")), "{key}");
        }
        for key in ["prefix", "location", "insecure", "blocked", "mirror-by-digest-only", "mirror"] {
            let text = format!("[[registry]]\nprefix = '*.q.io'\n{key} = 1");
            assert!(said(&HONOURED, "registries.conf").contains(key) && !registries(&text), "{key}");
        }
        assert!(said(&NOT_HONOURED, "registries.conf").contains("additional-layer-store-auth-helper"));
        assert!(registries("additional-layer-store-auth-helper = 1") && !registries("[registries.search]"));
        let credentials =
            |key: &str| Credentials::in_file(Path::new("f"), format!("{{\"{key}\":1}}").as_bytes(), "q.io").is_ok();
        for key in ["auths", "credHelpers", "credsStore"] {
            assert!(said(&HONOURED, "auth.json").contains(key) && !credentials(key), "{key}");
        }
        assert!(said(&NOT_HONOURED, "auth.json").contains("HttpHeaders") && credentials("HttpHeaders"));
        let more =
            ["fulcio", "pki", "rekorPublicKeyPath", "rekorPublicKeyPaths", "rekorPublicKeyData", "rekorPublicKeyDatas"];
        let signed = more.map(|key| (key, format!(r#"{{"type":"sigstoreSigned","keyPath":"/k","{key}":{{}}}}"#)));
        let others = ["signedBy", "signedBaseLayer"].map(|kind| (kind, format!(r#"{{"type":"{kind}","x":1}}"#)));
        for (key, requirement) in signed.into_iter().chain(others) {
            let policy = Policy::parse(format!(r#"{{"default":[{requirement}]}}"#).as_bytes()).unwrap();
            let requirements = policy.requirements(&"q.io/x".parse().unwrap()).to_vec();
            assert!(matches!(requirements[..], [Requirement::Unsupported(_)]), "{key}");
            assert!(said(&NOT_HONOURED, "policy.json").contains(key), "{key}");
        }
    }
}
