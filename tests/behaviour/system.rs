//! `version`, `info` and `doctor`.

use serde_json::Value;

use crate::harness::{Case, Driver};

#[test]
fn version_in_words_and_by_template() {
    let case = Case::new(Driver::Auto);
    let version = env!("CARGO_PKG_VERSION");
    let words = case.coracle(["version"]).succeeded().stdout;
    assert!(words.contains(&format!("\nVersion:      {version}\n")), "{words}");
    case.coracle(["version", "--format", "{{.Client.Version}}"]).succeeded().stdout(&format!("{version}\n"));
    case.coracle(["version", "--format", "{{"]).code(125).error("template");
}

#[test]
fn info_has_the_keys_of_the_field_and_makes_no_store() {
    let case = Case::new(Driver::Auto);
    let text = case.coracle(["info", "--format", "json"]).succeeded().stdout;
    let info: Value = serde_json::from_str(&text).unwrap();
    for pointer in [
        "/host/arch",
        "/host/security/rootless",
        "/host/ociRuntime/name",
        "/store/imageStore/number",
        "/version/Version",
    ] {
        assert!(info.pointer(pointer).is_some_and(|value| !value.is_null()), "{pointer} in {text}");
    }
    let store = case.store();
    assert_eq!(info.pointer("/store/graphRoot").and_then(Value::as_str), store.to_str());
    assert!(!store.exists(), "a question made {}", store.display());
    case.coracle(["info", "--format", "{{.Store.GraphRoot}}"]).succeeded().stdout(&format!("{}\n", store.display()));
    let yaml = case.coracle(["info"]).succeeded().stdout;
    assert!(yaml.starts_with("host:\n  arch: ") && yaml.contains("\nstore:\n  containerStore:\n"), "{yaml}");
}

#[test]
fn a_forced_driver_shows_in_info() {
    for driver in [Driver::Kernel, Driver::Fuse] {
        let case = Case::new(driver);
        let template = "{{.Store.GraphStatus.Driver}}";
        case.coracle(["info", "--format", template]).succeeded().stdout(&format!("{}\n", driver.name()));
    }
}

/// What fails says what helps; only what no container can do without makes the code 1.
#[test]
fn doctor_gives_a_hint_with_each_finding() {
    let case = Case::new(Driver::Auto);
    let finished = case.coracle(["doctor", "--format", "json"]);
    let checks: Vec<Value> = serde_json::from_str(&finished.stdout).unwrap();
    let names: Vec<&str> = checks.iter().map(|check| check["Name"].as_str().unwrap()).collect();
    assert_eq!(
        names,
        [
            "kernel",
            "user namespaces",
            "subordinate ids",
            "private network",
            "system call filters",
            "resource limits",
            "named networks",
            "data directory",
            "disk space",
            "kernel overlay",
            "own overlay",
            "services at boot",
        ]
    );
    let is = |check: &Value, key: &str| check[key].as_bool().unwrap();
    for check in &checks {
        assert!(is(check, "Ok") != check["Hint"].is_string(), "{check}");
    }
    let bad = checks.iter().any(|check| !is(check, "Ok") && is(check, "Essential"));
    finished.code(i32::from(bad));
    case.coracle(["--root", "/proc/nowhere", "doctor"]).code(1);
    // No service manager of the tests' accounts runs; and who asked for pasta is told where it is.
    let told = case.command(["doctor"]).env("PATH", "/nonexistent").env("CONTAINERS_CONF", "pasta.conf");
    std::fs::write(case.home.join("pasta.conf"), "[network]\ndefault_rootless_network_cmd = \"pasta\"\n").unwrap();
    let told = told.directory(&case.home).finish().stdout;
    assert!(told.contains("\nok       pasta                 /"), "{told}");
    for (line, hint) in [("missing  services at boot ", "enable-linger"), ("broken   subordinate ids ", "uidmap")] {
        let mut after = told.lines().skip_while(|shown| !shown.starts_with(line)).skip(1);
        assert!(
            after.next().is_some_and(|shown| shown.starts_with("         hint: ") && shown.contains(hint)),
            "{line}: {told}"
        );
    }
}
