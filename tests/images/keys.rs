//! The keys of `images` and `history`, each in the form that Podman 5.4 was seen to give it, of an image like this one.

use regex::Regex;

use crate::harness::{Case, Driver, Layer};

const AGO: &str = "^(Less than a second|1 second|[0-9]+ seconds|About a minute) ago$";
const RFC3339: &str = "^20[0-9-]{8}T[0-9:]{8}Z$";
const GO_TIME: &str = r"^20[0-9-]{8} [0-9:]{8} \+0000 UTC$";
const SHORT: &str = "^[0-9a-f]{12}$";
const LONG: &str = "^[0-9a-f]{64}$";
const DIGEST: &str = "^sha256:[0-9a-f]{64}$";

fn case() -> Case {
    let case = Case::new(Driver::Auto);
    let file_system = Layer::new().file("big", 0o644, vec![7; 50_000]).tar();
    let import = ["import", "-q", "-c", "LABEL a=b", "-m", "the message", "-", "q.io/x:1"];
    case.command(import).stdin(file_system).finish().code(0);
    case
}

#[track_caller]
fn is(shown: &str, what: &str, form: &str) {
    assert!(Regex::new(form).unwrap().is_match(shown.trim_end()), "{what}: {shown:?} is not {form}");
}

#[test]
fn history() {
    let case = case();
    let show = |flags: &[&str], template: &str| {
        case.coracle([&["history", "--format", template, "q.io/x:1"], flags].concat()).code(0).stdout
    };
    let plain = ["--human=false", "--no-trunc"];
    for (key, form, exact, heading) in [
        ("ID", SHORT, LONG, "ID"),
        ("Created", AGO, RFC3339, "CREATED"),
        ("CreatedAt", RFC3339, RFC3339, "CREATED AT"),
        ("CreatedSince", AGO, RFC3339, "CREATED SINCE"),
        ("CreatedBy", r"^/bin/sh -c #\(nop\) ADD file:[0-9a-f]{15}\.\.\.$", "file:[0-9a-f]{64} in /$", "CREATED BY"),
        ("Size", "^51.7kB$", "^51.7kB$", "SIZE"),
        ("Comment", "^the message$", "^the message$", "COMMENT"),
        ("Tags", r"^\[q.io/x:1\]$", r"^\[q.io/x:1\]$", "TAGS"),
    ] {
        is(&show(&[], &format!("{{{{.{key}}}}}")), key, form);
        is(&show(&plain, &format!("{{{{.{key}}}}}")), key, exact);
        is(show(&[], &format!("table {{{{.{key}}}}}")).lines().next().unwrap(), key, &format!("^{heading}$"));
    }
    let of_json = r#"^\{"id":"[0-9a-f]{64}","created":"20[^"]*Z","CreatedBy":"[^"]*","tags":\["q.io/x:1"\],"size":51712,"comment":"the message"\}$"#;
    is(&show(&[], "{{json .}}"), "{{json .}}", of_json);
    case.coracle(["history", "--format", "{{.Nope}}", "q.io/x:1"]).code(125).error("can't evaluate field Nope");
}

#[test]
fn images() {
    let case = case();
    let show = |template: &str| case.coracle(["images", "--format", template]).code(0).stdout;
    for (key, form, heading) in [
        ("ID", SHORT, "IMAGE ID"),
        ("Id", LONG, "ID"),
        ("Repository", "^q.io/x$", "REPOSITORY"),
        ("Tag", "^1$", "TAG"),
        ("Digest", DIGEST, "DIGEST"),
        ("Created", AGO, "CREATED"),
        ("CreatedAt", GO_TIME, "CREATED"),
        ("CreatedSince", AGO, "CREATED"),
        ("CreatedTime", GO_TIME, "CREATED TIME"),
        ("Size", r"^[0-9.]+ kB$", "SIZE"),
        ("VirtualSize", "^[0-9]+$", "VIRTUAL SIZE"),
        ("SharedSize", "^0$", "SHARED SIZE"),
        ("Labels", r"^map\[a:b\]$", "LABELS"),
        ("Names", r"^\[q.io/x:1\]$", "NAMES"),
        ("History", "^q.io/x:1$", "HISTORY"),
        ("RepoTags", r"^\[q.io/x:1\]$", "REPO TAGS"),
        ("RepoDigests", r"^\[q.io/x@sha256:[0-9a-f]{64}\]$", "REPO DIGESTS"),
        ("ParentId", "^$", "PARENT ID"),
        ("Containers", "^0$", "CONTAINERS"),
        ("ReadOnly", "^false$", "R/O"),
        ("Dangling", "^false$", "DANGLING"),
    ] {
        is(&show(&format!("{{{{.{key}}}}}")), key, form);
        is(show(&format!("table {{{{.{key}}}}}")).lines().next().unwrap(), key, &format!("^{heading}$"));
    }
    let line: serde_json::Value = serde_json::from_str(&show("{{json .}}")).unwrap();
    for (key, form) in
        [("repository", "^q.io/x$"), ("tag", "^1$"), ("Id", LONG), ("ParentId", "^$"), ("Digest", DIGEST)]
    {
        is(line[key].as_str().unwrap(), key, form);
    }
    for (key, value) in [
        ("RepoTags", serde_json::json!(["q.io/x:1"])),
        ("History", serde_json::json!(["q.io/x:1"])),
        ("Names", serde_json::json!(["q.io/x:1"])),
        ("Labels", serde_json::json!({"a": "b"})),
        ("Containers", 0.into()),
        ("SharedSize", 0.into()),
    ] {
        assert_eq!(line[key], value, "{key}");
    }
    assert!(line["Created"].is_i64() && line["Size"].is_i64() && line["VirtualSize"] == line["Size"], "{line}");
    case.coracle(["images", "--format", "{{.ParentID}}"]).code(125).error("can't evaluate field ParentID");
}
