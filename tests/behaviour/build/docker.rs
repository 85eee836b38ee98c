//! FROM an image as Docker's own builder makes them: a manifest of schema 2, and a config with Docker's notes in it.

use serde_json::{Value, json};

use super::Context;
use crate::harness::http::Registry;
use crate::harness::image::{Format, busybox_layer, digest, machine, registry};
use crate::harness::{Case, Layer};

/// Of the base: what is behind `#(nop)` is Docker's way to say that nothing was run.
const STEPS: [(&str, bool); 6] = [
    ("/bin/sh -c #(nop) ADD file:8d3b1b6c1c9a in / ", false),
    ("/bin/sh -c #(nop)  CMD [\"bash\"]", true),
    ("/bin/sh -c #(nop)  LABEL maintainer=Somebody <some@example.org>", true),
    ("/bin/sh -c #(nop)  ENV PROGRAM_VERSION=1.25.3", true),
    ("/bin/sh -c set -x     && echo second >/second", false),
    ("/bin/sh -c #(nop)  CMD [\"/bin/sh\" \"-c\" \"echo $PROGRAM_VERSION\"]", true),
];

/// The config of `docker build`, and its layers.
fn made() -> (Value, Vec<Layer>) {
    let layers = vec![busybox_layer(), Layer::new().file("second", 0o644, "second\n")];
    let config = |command: &[&str]| {
        json!({
            "Hostname": "", "Domainname": "", "User": "", "AttachStdin": false, "AttachStdout": false,
            "AttachStderr": false, "ExposedPorts": { "80/tcp": {} }, "Tty": false, "OpenStdin": false, "StdinOnce": false,
            "Env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "PROGRAM_VERSION=1.25.3"],
            "Cmd": command, "ArgsEscaped": true, "Image": format!("sha256:{}", "4".repeat(64)), "Volumes": null,
            "WorkingDir": "", "Entrypoint": null, "OnBuild": null,
            "Labels": { "maintainer": "Somebody <some@example.org>" }, "StopSignal": "SIGQUIT",
        })
    };
    let history: Vec<Value> = STEPS
        .iter()
        .map(|(text, empty)| match empty {
            true => json!({ "created": "2023-10-24T22:44:45.123456789Z", "created_by": text, "empty_layer": true }),
            false => json!({ "created": "2023-10-11T00:00:01Z", "created_by": text }),
        })
        .collect();
    let diff_ids: Vec<String> = layers.iter().map(|layer| digest(&layer.tar())).collect();
    let whole = json!({
        "architecture": machine(),
        "config": config(&["/bin/sh", "-c", "echo $PROGRAM_VERSION"]),
        "container": "5".repeat(64),
        "container_config": config(&["/bin/sh", "-c", "#(nop) ", "CMD [\"/bin/sh\" \"-c\" \"echo $PROGRAM_VERSION\"]"]),
        "created": "2023-10-24T22:44:45.123456789Z",
        "docker_version": "20.10.23",
        "history": history,
        "os": "linux",
        "rootfs": { "type": "layers", "diff_ids": diff_ids },
    });
    (whole, layers)
}

/// As `docker push` leaves it.
fn pushed(name: &str) -> String {
    let (config, layers) = made();
    let config = config.to_string();
    let to = Registry { address: registry(), credentials: None };
    let describe = |media_type: &str, bytes: &[u8]| json!({ "mediaType": media_type, "size": bytes.len(), "digest": digest(bytes) });
    let mut listed = Vec::new();
    for layer in &layers {
        let blob = layer.blob();
        to.push_blob(name, &digest(&blob), &blob);
        listed.push(describe(layer.media_type(Format::Docker), &blob));
    }
    to.push_blob(name, &digest(config.as_bytes()), config.as_bytes());
    let media_type = "application/vnd.docker.distribution.manifest.v2+json";
    let manifest = json!({
        "schemaVersion": 2, "mediaType": media_type,
        "config": describe("application/vnd.docker.container.image.v1+json", config.as_bytes()), "layers": listed,
    });
    to.push_manifest(name, "1", media_type, manifest.to_string().as_bytes());
    format!("{}/{name}:1", registry())
}

/// As `docker save` of Docker before 25 writes it, directories and notes of version 1 included.
fn saved(case: &Case) -> String {
    let (config, layers) = made();
    let config = config.to_string();
    let id = digest(config.as_bytes()).trim_start_matches("sha256:").to_owned();
    let (mut archive, mut paths) = (Layer::new(), Vec::new());
    for (number, layer) in layers.iter().enumerate() {
        let folder = number.to_string().repeat(64);
        archive = archive
            .dir(&folder, 0o755)
            .file(&format!("{folder}/VERSION"), 0o644, "1.0")
            .file(&format!("{folder}/json"), 0o644, json!({ "id": folder, "os": "linux" }).to_string())
            .file(&format!("{folder}/layer.tar"), 0o644, layer.tar());
        paths.push(format!("{folder}/layer.tar"));
    }
    let manifest = json!([{ "Config": format!("{id}.json"), "RepoTags": ["made-by-docker:1"], "Layers": paths }]);
    let archive = archive
        .file(&format!("{id}.json"), 0o644, config)
        .file("manifest.json", 0o644, manifest.to_string())
        .file("repositories", 0o644, json!({ "made-by-docker": { "1": "1".repeat(64) } }).to_string());
    std::fs::write(case.home.join("saved.tar"), archive.tar()).unwrap();
    case.coracle(["load", "-q", "-i", "saved.tar"]).code(0);
    "made-by-docker:1".to_owned()
}

/// The config of an image, as it is stored.
fn config_of(case: &Case, name: &str) -> Value {
    let id = case.coracle(["image", "inspect", "--format", "{{.Id}}", name]).code(0).stdout;
    let blob = case.store().join("images/blobs/sha256").join(id.trim_end());
    serde_json::from_slice(&std::fs::read(blob).unwrap()).unwrap()
}

/// What is the image's is carried on, what was noted about its making is not.
pub fn images_of_dockers(case: &Case) {
    let context = Context::new(case, "");
    let base = made().0;
    for (name, format) in [(pushed("made-by-docker"), "docker"), (saved(case), "oci")] {
        context.instructions(&format!(
            "FROM {name}\n\
             ENV ADDED=${{PROGRAM_VERSION}}-1\n\
             RUN echo \"$PROGRAM_VERSION $ADDED\" >/seen; cat /second >>/seen\n\
             LABEL own=1\n"
        ));
        context.build(&["--format", format]).code(0);
        assert_eq!(context.prints("cat /seen"), "1.25.3 1.25.3-1\nsecond\n");
        case.coracle(["run", "--rm", "--network=none", "built"]).code(0).stdout("1.25.3\n");
        let built = config_of(case, "built");
        for key in ["container", "container_config", "docker_version"] {
            assert!(built.get(key).is_none(), "{key} of {built:#}");
        }
        let (config, was) = (&built["config"], &base["config"]);
        for key in ["Cmd", "ExposedPorts", "StopSignal", "ArgsEscaped"] {
            assert_eq!(config[key], was[key], "{key}");
        }
        for key in ["Image", "OnBuild", "Entrypoint", "Volumes"] {
            assert!(config.get(key).is_none_or(Value::is_null), "{key} of {config:#}");
        }
        assert_eq!(config["Labels"], json!({ "maintainer": "Somebody <some@example.org>", "own": "1" }));
        let environment: Vec<Value> =
            was["Env"].as_array().unwrap().iter().cloned().chain([json!("ADDED=1.25.3-1")]).collect();
        assert_eq!(config["Env"], json!(environment));
        // Their steps as they are, and ours behind them.
        let (history, old) = (built["history"].as_array().unwrap(), base["history"].as_array().unwrap());
        assert_eq!(history[..old.len()], old[..]);
        let ours: Vec<bool> = history[old.len()..].iter().map(|step| step["empty_layer"] == true).collect();
        assert_eq!(ours, [true, false, true], "{history:#?}");
        assert_eq!(built["rootfs"]["diff_ids"].as_array().unwrap().len(), 3);
        assert_eq!(
            built["rootfs"]["diff_ids"].as_array().unwrap()[..2],
            base["rootfs"]["diff_ids"].as_array().unwrap()[..]
        );
        let shown = case.coracle(["history", "--no-trunc", "--format", "{{.CreatedBy}}", "built"]).code(0).stdout;
        assert!(shown.contains(STEPS[3].0), "{shown}");
        // Nothing is lost on the way out, either.
        case.coracle(["save", "-q", "--format=docker-archive", "-o", "again.tar", "built"]).code(0);
        case.coracle(["rmi", "-f", "built"]).code(0);
        case.coracle(["load", "-q", "-i", "again.tar"]).code(0);
        assert_eq!(config_of(case, "built"), built);
        std::fs::remove_file(case.home.join("again.tar")).unwrap();
    }
}

on_both_drivers!(images_of_dockers);
