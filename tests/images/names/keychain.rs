//! Keychains: programs that keep credentials, named by the files of credentials or by registries.conf.

use std::os::unix::fs::PermissionsExt;

use super::place;
use crate::harness::http::Registry;
use crate::harness::{Case, Command, Driver, Image};

/// A registry that asks for a password, and an image there.
fn private() -> (String, String) {
    let address = std::env::var("CORACLE_PRIVATE_REGISTRY").expect("tests/run starts a private registry");
    let registry = Registry { address: address.clone(), credentials: Some("someone:secret".to_owned()) };
    (address, Image::busybox().push_to(&registry, "private/keychain:latest"))
}

/// A user with the keychain `docker-credential-test`, which writes its arguments and questions down, and does `script`.
fn user(script: &str) -> Case {
    let case = Case::new(Driver::Auto);
    let text = format!("#!/bin/sh\nread question\necho \"$*|$question\" >>\"$HOME/asked\"\n{script}");
    place(&case, "bin/docker-credential-test", &text);
    let program = case.home.join("bin/docker-credential-test");
    std::fs::set_permissions(program, PermissionsExt::from_mode(0o755)).unwrap();
    case
}

fn coracle(case: &Case, arguments: &[&str]) -> Command {
    let path = format!("{}:/usr/bin:/bin:/usr/sbin:/sbin", case.home.join("bin").display());
    case.command(arguments.iter().copied()).env("PATH", path)
}

const KNOWS: &str = r#"echo '{"ServerURL":"x","Username":"someone","Secret":"secret"}'"#;

#[test]
fn of_one_registry_of_all_and_of_registries_conf() {
    let (address, image) = private();
    let helpers = format!(r#"{{"credHelpers":{{"{address}":"test"}}}}"#);
    let store = format!(r#"{{"auths":{{"{address}":{{}}}},"credsStore":"test"}}"#);
    let conf = "credential-helpers = ['containers-auth.json', 'test']".to_owned();
    for (file, text) in [
        (".config/containers/auth.json", &helpers),
        (".docker/config.json", &store),
        (".config/containers/registries.conf", &conf),
    ] {
        let case = user(KNOWS);
        place(&case, file, text);
        coracle(&case, &["pull", &image]).finish().code(0);
        let asked = std::fs::read_to_string(case.home.join("asked")).unwrap();
        assert_eq!(asked, format!("get|{address}\n"), "{file}");
    }
}

#[test]
fn what_a_keychain_says_stays_out_of_errors() {
    let (address, image) = private();
    let named = format!(r#"{{"credHelpers":{{"{address}":"test"}}}}"#);
    for (script, cause) in [
        ("echo hunter2; exit 1", "`docker-credential-test get` failed"),
        ("echo '{\"Secret\":\"hunter2\"}'", "gave no JSON"),
        // More than is read.
        ("head -c 2000000 /dev/zero | tr '\\0' 'h'", "`docker-credential-test get` failed"),
        // It knows nobody: as nobody the registry refuses.
        ("echo credentials not found in native keychain; exit 1", "does not let anonymous users"),
    ] {
        let case = user(script);
        place(&case, ".config/containers/auth.json", &named);
        let failed = coracle(&case, &["pull", &image]).finish().code(125).stdout("").error(cause);
        assert!(!failed.stderr.contains("hunter2"), "{failed}");
    }
    let case = Case::new(Driver::Auto);
    place(&case, ".config/containers/auth.json", &named);
    case.coracle(["pull", &image]).code(125).error("the program `docker-credential-test` is not installed");
}
