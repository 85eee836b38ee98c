//! `inspect`: Podman's keys, and the truth in them.

use serde_json::Value;

use crate::harness::{Case, Driver, LIMIT, wait_until};

/// The keys of podman 5.4 that scripts read, each with what it is of the container below.
fn keys(case: &Case) {
    let image = case.busybox();
    case.coracle([
        "run",
        "-d",
        "--network=none",
        "--name",
        "box",
        "--hostname",
        "host",
        "-e",
        "A=b",
        "-l",
        "k=v",
        "-w",
        "/tmp",
        "--cap-add",
        "NET_ADMIN",
        "--cap-drop",
        "CHOWN",
        "--tmpfs",
        "/t:size=1m",
        "-v",
        "/usr:/u:ro",
        "--stop-timeout",
        "3",
        "--entrypoint",
        "[\"sh\",\"-c\"]",
        &image,
        "head -c 3000 /dev/zero >/file; sleep 1000",
    ])
    .succeeded();
    wait_until("the file is written", LIMIT, || {
        case.coracle(["inspect", "-s", "box", "--format", "{{.SizeRw}}"]).stdout == "3000\n"
    });
    let json: Vec<Value> = serde_json::from_str(&case.coracle(["inspect", "-s", "box"]).succeeded().stdout).unwrap();
    let it = &json[0];
    let at = |path: &str| it.pointer(path).unwrap_or_else(|| panic!("{path} is missing")).clone();
    for (path, expected) in [
        ("/Name", "box".into()),
        ("/Path", "sh".into()),
        ("/Args/0", "-c".into()),
        ("/ImageName", Value::from(image.as_str())),
        ("/State/Status", "running".into()),
        ("/State/Running", true.into()),
        ("/Config/AttachStdout", false.into()),
        ("/ExecIDs", Value::Array(Vec::new())),
        ("/State/Paused", false.into()),
        ("/State/ExitCode", 0.into()),
        ("/State/FinishedAt", "0001-01-01T00:00:00Z".into()),
        ("/Config/Hostname", "host".into()),
        ("/Config/WorkingDir", "/tmp".into()),
        ("/Config/Labels/k", "v".into()),
        ("/Config/Entrypoint/1", "-c".into()),
        ("/Config/StopSignal", "SIGTERM".into()),
        ("/Config/StopTimeout", 3.into()),
        ("/Config/Umask", "0022".into()),
        ("/HostConfig/CapAdd", serde_json::json!(["CAP_NET_ADMIN"])),
        ("/HostConfig/CapDrop", serde_json::json!(["CAP_CHOWN"])),
        ("/HostConfig/NetworkMode", "none".into()),
        ("/HostConfig/AutoRemove", false.into()),
        ("/HostConfig/Memory", 0.into()),
        ("/HostConfig/RestartPolicy/Name", "no".into()),
        ("/HostConfig/LogConfig/Type", "k8s-file".into()),
        ("/Mounts/0/Source", "/usr".into()),
        ("/Mounts/0/Destination", "/u".into()),
        ("/Mounts/0/RW", false.into()),
        ("/NetworkSettings/Networks/none/NetworkID", "none".into()),
        ("/SizeRw", 3000.into()),
    ] {
        assert_eq!(at(path), expected, "{path}");
    }
    let pid = at("/State/Pid");
    assert_eq!(at("/NetworkSettings/SandboxKey"), format!("/proc/{pid}/ns/net").as_str());
    assert!(at("/HostConfig/Tmpfs/~1t").as_str().unwrap().contains("size=1m"));
    assert!(at("/SizeRootFs").as_u64().unwrap() > 100_000);
    assert!(at("/Config/Env").as_array().unwrap().contains(&"A=b".into()));
    let upper = at("/GraphDriver/Data/UpperDir");
    assert!(std::path::Path::new(upper.as_str().unwrap()).is_dir());
    assert!(it.pointer("/State/Health").is_none() && it.get("ID").is_none(), "{it}");

    assert_eq!(case.inspect("box", "{{.State.Health}} {{.ID}}"), format!("<nil> {}", at("/Id").as_str().unwrap()));
    assert_eq!(case.inspect("box", "{{.Config.Labels.nope}}|{{index .Config.Labels \"k\"}}"), "<no value>|v");
    assert_eq!(case.inspect("box", "{{range .Mounts}}{{.Source}}:{{.Destination}}{{end}}"), "/usr:/u");
    let started = case.inspect("box", "{{.State.StartedAt}}");
    assert!(started.ends_with(" +0000 UTC") && started.as_bytes()[10] == b' ', "{started}");
    case.coracle(["inspect", "-l", "--format", "{{.Name}}"]).code(0).stdout("box\n");
    let line = case.coracle(["inspect", "box", "--format", "{{json .State.Running}} {{json .Config.Labels}}"]);
    line.code(0).stdout("true {\"k\":\"v\"}\n");
    // Of an image: what it does not say is empty.
    let of_image = case.coracle([
        "inspect",
        "--type",
        "image",
        &image,
        "--format",
        "{{.Config.Entrypoint}}{{len .RootFS.Layers}}",
    ]);
    of_image.code(0).stdout("[]1\n");
}

on_both_drivers!(keys);

/// Names that Go has and JSON has not, and what stands where nothing is.
#[test]
fn templates_know_gos_names() {
    let case = Case::new(Driver::Auto);
    let image = case.busybox();
    case.coracle(["create", "--network=none", "--name", "box", &image, "true"]).succeeded();
    let of_config =
        "{{.ID}} {{.Config.DomainName}}|{{.Config.SdNotifyMode}}|{{.Config.HealthMaxLogCount}}|{{.State.Healthcheck}}";
    let id = case.inspect("box", "{{.Id}}");
    assert_eq!(case.inspect("box", of_config), format!("{id} |container|5|<nil>"));
    assert_eq!(case.inspect("box", "{{json .Config.Entrypoint}} {{json .Config.Cmd}}"), "null [\"true\"]");
    let of_image = "{{.HealthCheck}} {{range .History}}{{.CreatedBy}}{{.Comment}}{{.Author}}{{.EmptyLayer}}{{end}}";
    case.coracle(["commit", "-q", "box", "made"]).succeeded();
    let shown = case.coracle(["image", "inspect", "--format", of_image, "made"]).succeeded().stdout;
    assert!(shown.starts_with("<nil> ") && shown.contains("FROM "), "{shown}");
    let local =
        ["inspect", "--format", "{{.Created.Local.Format \"-0700\"}} {{.Created.Local.UTC.Format \"MST\"}}", "box"];
    case.command(local).env("TZ", "IST-5:30").finish().code(0).stdout("+0530 UTC\n");
}

#[test]
fn what_is_not_there() {
    let case = Case::new(Driver::Auto);
    let image = case.busybox();
    case.coracle(["create", "--network=none", "--name", "box", &image]).succeeded();
    case.coracle(["inspect", "nope"]).code(125).stdout("[]\n").error("no such object: \"nope\"");
    case.coracle(["container", "inspect", "nope"]).code(125).stdout("[]\n").error("no such container nope");
    case.coracle(["inspect", "-t", "container", &image]).code(125).stdout("[]\n").error("no such container");
    case.coracle(["inspect", "-t", "image", "box"]).code(125).stdout("[]\n").error("box: image not known");
    case.coracle(["inspect", "-t", "bogus", "box"]).code(125).stdout("").error("invalid type \"bogus\"");
    case.coracle(["inspect"]).code(125).stdout("").error("no names or ids specified");
    case.coracle(["inspect", "-l", "box"]).code(125).stdout("").error("--latest and arguments cannot be used together");
    let both = case.coracle(["inspect", "box", "nope", &image, "--format", "{{.Id}}"]).code(125);
    assert_eq!(both.stdout.lines().count(), 2, "{both}");
    case.coracle(["inspect", "box", "--format", "{{.State.Foo}}"])
        .code(125)
        .stdout("")
        .error("can't evaluate field Foo");
    case.coracle(["images", "--format", "{{.Foo}}"]).code(125).stdout("").error("can't evaluate field Foo");
    case.coracle(["info", "--format", "{{.Foo}}"]).code(125).stdout("").error("can't evaluate field Foo");
    case.coracle(["version", "--format", "{{.Foo}}"]).code(125).stdout("").error("can't evaluate field Foo");
}
