//! `system df`, `check`, `prune`, `reset`, `image prune`, and lists of what there is not yet.

use serde_json::Value;

use crate::behaviour::build::Context;
use crate::harness::{Case, Driver, Image};

fn df(case: &Case) -> Vec<Value> {
    serde_json::from_str(&case.coracle(["system", "df", "--format", "json"]).succeeded().stdout).unwrap()
}

fn space(case: &Case) {
    let image = case.busybox();
    let unused = case.pull(&Image::busybox().config("User", "1").push("other:latest"));
    let write = "head -c 7000 /dev/zero >/file; chmod 700 /tmp; chown 33 /tmp; head -c 3000 /dev/zero >/v/file";
    case.coracle(["run", "--network=none", "--name", "box", "-v", "vol:/v", &image, "sh", "-c", write]).code(0);
    case.coracle(["run", "-d", "--network=none", "--name", "alive", &image, "sleep", "1000"]).succeeded();
    let kinds = df(case);
    let of = |kind: usize, key: &str| kinds[kind][key].clone();
    assert_eq!((of(0, "Type"), of(0, "Total"), of(0, "Active")), ("Images".into(), 2.into(), 1.into()));
    assert_eq!((of(1, "Type"), of(1, "Total"), of(1, "Active")), ("Containers".into(), 2.into(), 1.into()));
    assert_eq!((of(1, "RawSize"), of(1, "Reclaimable")), (7000.into(), "7kB (100%)".into()));
    assert_eq!(
        (of(2, "Type"), of(2, "Total"), of(2, "Active"), of(2, "Size")),
        ("Local Volumes".into(), 1.into(), 1.into(), "3kB".into())
    );
    // One layer under two images counts once.
    let size: u64 = case.coracle(["image", "inspect", "--format", "{{.Size}}", &image]).stdout.trim().parse().unwrap();
    assert_eq!((of(0, "RawSize"), of(0, "RawReclaimable")), (size.into(), 0.into()));
    let table = case.coracle(["system", "df"]).succeeded().stdout;
    let first: Vec<&str> = table.lines().next().unwrap().split_whitespace().collect();
    assert_eq!(first, ["TYPE", "TOTAL", "ACTIVE", "SIZE", "RECLAIMABLE"]);
    let all = case.coracle(["system", "df", "-v"]).succeeded().stdout;
    for part in [
        "Images space usage:",
        "SHARED SIZE",
        "Containers space usage:",
        "LOCAL VOLUMES",
        "Local Volumes space usage:",
        "vol ",
    ] {
        assert!(all.contains(part), "{part}: {all}");
    }
    case.coracle(["system", "df", "-v", "--format", "json"])
        .code(125)
        .error("cannot combine --format and --verbose flags");

    // What is used stays.
    let kept = case.coracle(["system", "prune"]).code(0);
    assert!(kept.stdout.ends_with("Are you sure you want to continue? [y/N] "), "{kept}");
    let pruned = case.coracle(["system", "prune", "-a", "-f", "--volumes"]).succeeded().stdout;
    let id = case.coracle(["image", "inspect", "--format", "{{.Id}}", &unused]).code(125);
    assert!(id.stderr.contains("image not known"), "{id}");
    for part in ["Deleted Containers\n", "Deleted Volumes\nvol\n", "Deleted Images\n"] {
        assert!(pruned.contains(part), "{part}: {pruned}");
    }
    assert!(pruned.ends_with("Total reclaimed space: 10kB\n"), "{pruned}");
    assert_eq!(case.coracle(["ps", "-a", "--format", "{{.Names}}"]).stdout, "alive\n");
    case.coracle(["system", "prune", "-f"]).code(0).stdout("Total reclaimed space: 0B\n");
    case.coracle(["image", "prune", "-a", "-f"]).code(0).stdout("");
    case.coracle(["system", "check"]).code(0).stdout("").stderr("");

    case.coracle(["system", "reset", "-f"]).code(0).stdout("").stderr("");
    case.coracle(["ps", "-a", "-q"]).code(0).stdout("");
    case.coracle(["images", "-q"]).code(0).stdout("");
    case.coracle(["volume", "ls", "-q"]).code(0).stdout("");
    let left = |folder: &str| std::fs::read_dir(case.store().join(folder)).map_or(0, Iterator::count);
    assert_eq!(["layers", "containers", "volumes", "tmp"].map(left), [0; 4]);
    let image = case.busybox();
    case.coracle(["run", "--rm", "--network=none", &image, "echo", "again"]).code(0).stdout("again\n");
}

/// What builds remember has a row, as Docker's, and goes as far as the question says.
fn what_builds_remember(case: &Case) {
    let context = Context::new(
        case,
        "FROM IMAGE\nRUN head -c 20000 /dev/zero >/file\n\
         RUN --mount=type=cache,target=/c head -c 5000 /dev/zero >/c/file; true >/x\n",
    );
    let row = || {
        let row = df(case).pop().unwrap();
        assert_eq!(row["Type"], "Build Cache");
        ["Total", "Active", "Size", "Reclaimable"].map(|key| row[key].to_string().replace('"', "")).join(" ")
    };
    assert_eq!(row(), "0 0 0B 0B (0%)");
    context.build(&[]).code(0);
    // The layers are the image's.
    assert_eq!(row(), "3 2 5kB 5kB (100%)");
    case.coracle(["rmi", "built"]).code(0);
    let asked = case.coracle(["system", "prune"]).code(0);
    assert!(asked.stdout.contains("\t- all dangling images\n\t- all dangling build cache\n"), "{asked}");
    case.coracle(["system", "prune", "-f"]).code(0);
    assert_eq!(row(), "1 0 5kB 5kB (100%)");
    let asked = case.coracle(["system", "prune", "-a"]).code(0);
    assert!(asked.stdout.contains("\t- all build cache\n"), "{asked}");
    let pruned = case.coracle(["system", "prune", "-af"]).code(0);
    assert!(pruned.stdout.contains("Deleted Build Cache\n"), "{pruned}");
    assert_eq!(row(), "0 0 0B 0B (0%)");
    case.busybox();
    context.build(&[]).code(0);
    case.coracle(["image", "prune", "-f", "--build-cache"]).code(0);
    assert_eq!(row(), "2 2 0B 0B (0%)");
    let all = case.coracle(["system", "df", "-v"]).code(0).stdout;
    assert!(all.contains("Build Cache space usage:\n\nCACHE ID"), "{all}");
}

/// Each kind of damage is found and named, and what can be pulled again is removed.
fn damage(case: &Case) {
    let image = case.busybox();
    case.coracle(["create", "--network=none", "--name", "box", &image, "true"]).succeeded();
    case.coracle(["system", "check"]).code(0).stdout("").stderr("");

    let blobs = case.store().join("images/blobs/sha256");
    let largest = std::fs::read_dir(&blobs).unwrap().map(|entry| entry.unwrap().path());
    let blob = largest.max_by_key(|path| path.metadata().unwrap().len()).unwrap();
    let whole = std::fs::read(&blob).unwrap();
    let mut bytes = whole.clone();
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::write(&blob, &bytes).unwrap();
    let found = case.coracle(["system", "check"]).code(125).error("damage detected in local storage");
    let name = format!("Damaged blob sha256:{}", blob.file_name().unwrap().to_str().unwrap());
    assert!(found.stdout.contains(&name) && found.stdout.contains(&format!("Damaged image {image}")), "{found}");
    assert!(found.stderr.contains("hint: `--repair`"), "{found}");
    // A quick look does not read blobs.
    case.coracle(["system", "check", "--quick"]).code(0).stdout("");
    std::fs::write(&blob, &whole).unwrap();
    case.coracle(["system", "check"]).code(0);

    let layer = std::fs::read_dir(case.store().join("layers")).unwrap().next().unwrap().unwrap().path();
    std::fs::rename(layer.join("layer.json"), layer.join("aside")).unwrap();
    // From that it would be made again.
    std::fs::remove_file(&blob).unwrap();
    let found = case.coracle(["system", "check", "--quick"]).code(125);
    for part in ["Damaged layer", "Damaged image", "Damaged container"] {
        assert!(found.stdout.contains(part), "{part}: {found}");
    }
    let repaired = case.coracle(["system", "check", "--repair"]).code(125);
    assert!(repaired.stderr.contains("hint: `--force`"), "{repaired}");
    case.coracle(["images", "-q"]).code(0).stdout("");
    let forced = case.coracle(["system", "check", "--repair", "--force"]).code(0);
    assert!(forced.stdout.contains("Damaged container"), "{forced}");
    case.coracle(["ps", "-a", "-q"]).code(0).stdout("");
    case.coracle(["system", "check"]).code(0).stdout("");
    let image = case.busybox();
    case.coracle(["run", "--rm", "--network=none", &image, "echo", "again"]).code(0).stdout("again\n");

    // What no image names is no damage until it is old.
    case.coracle(["untag", &image]).code(0);
    case.coracle(["image", "prune", "-f"]).code(0);
    let stray = blobs.join("ab".repeat(32));
    std::fs::write(&stray, "whatever").unwrap();
    case.coracle(["system", "check", "--quick"]).code(0).stdout("");
    let old = case.coracle(["system", "check", "--quick", "--max", "0s"]).code(125);
    assert!(old.stdout.contains("nothing uses it"), "{old}");
    case.coracle(["system", "check", "--quick", "--max", "0s", "--repair"]).code(0);
    assert!(!stray.exists());
}

on_both_drivers!(space, what_builds_remember, damage);

/// A volume that can't be read hides no other, stops no container that does not name it, and can be removed.
#[test]
fn damaged_volumes() {
    let case = Case::new(Driver::Auto);
    let image = case.busybox();
    let volumes = case.store().join("volumes");
    for name in ["good", "cut", "bare", "hollow", "used"] {
        case.coracle(["volume", "create", name]).code(0);
    }
    let create = ["create", "--network=none", "-v", "used:/v", &image, "true"];
    case.coracle(create).succeeded();
    case.coracle(["system", "check", "--quick"]).code(0).stdout("");
    std::fs::write(volumes.join("cut/volume.json"), "{").unwrap();
    std::fs::remove_file(volumes.join("bare/volume.json")).unwrap();
    for name in ["hollow", "used"] {
        std::fs::remove_dir(volumes.join(name).join("data")).unwrap();
    }

    let listed = case.coracle(["volume", "ls", "-q"]).code(125).stdout("good\nhollow\nused\n");
    assert!(listed.stderr.contains("cut/volume.json") && listed.stderr.contains("bare/volume.json"), "{listed}");
    case.coracle(["run", "--rm", "--network=none", "-v", "good:/v", &image, "true"]).code(0);
    let run = case.coracle(["run", "--rm", "--network=none", "-v", "bare:/v", &image, "true"]).code(125);
    assert!(run.stderr.contains("bare/volume.json"), "{run}");
    case.coracle(["system", "df"]).code(0);
    let found = case.coracle(["system", "check", "--quick"]).code(125);
    for name in ["cut", "bare", "hollow", "used"] {
        assert!(found.stdout.contains(&format!("Damaged volume {name}: ")), "{found}");
    }

    // What a user keeps in a volume goes by `--force` alone, and only if no container has it.
    case.coracle(["system", "check", "--quick", "--repair"]).code(125);
    assert!(volumes.join("cut").exists());
    case.coracle(["volume", "rm", "cut"]).code(0).stdout("cut\n");
    case.coracle(["system", "check", "--quick", "--repair", "--force"]).code(125);
    case.coracle(["volume", "ls", "-q"]).code(0).stdout("good\nused\n");
    case.coracle(["volume", "ls", "-q", "--filter", "name=^g"]).code(0).stdout("good\n");
}

#[test]
fn dangling_images_go_first() {
    let case = Case::new(Driver::Auto);
    let image = case.busybox();
    let other = case.pull(&Image::busybox().config("User", "2").push("dangling:latest"));
    let id = case.coracle(["image", "inspect", "--format", "{{.Id}}", &other]).succeeded().stdout;
    case.coracle(["untag", &other]).code(0);
    case.coracle(["image", "prune", "-f", "--filter", "label=none"]).code(0).stdout("");
    case.coracle(["image", "prune", "-f", "--filter", "until=1h"]).code(0);
    case.coracle(["images", "-q", "--filter", "dangling=true"]).code(0);
    let pruned = case.coracle(["image", "prune", "-f"]).succeeded().stdout;
    assert!(pruned == id || pruned.is_empty(), "{pruned}");
    case.coracle(["images", "-q", "--no-trunc", "--filter", "dangling=true"]).code(0).stdout("");
    case.coracle(["image", "exists", &image]).code(0);
    case.coracle(["image", "prune", "-f", "--filter", "foo=bar"]).code(125).error("foo is an invalid filter");
}

#[test]
fn what_there_is_not_yet() {
    let case = Case::new(Driver::Auto);
    let table: &[(&[&str], i32, &str)] = &[
        (&["pod", "ls"], 0, "POD ID      NAME        STATUS      CREATED     INFRA ID    # OF CONTAINERS\n"),
        (&["pod", "ps", "--format", "json"], 0, "[]\n"),
        (&["pod", "ls", "-q"], 0, ""),
        (&["pod", "prune", "-f"], 0, ""),
        (&["pod", "exists", "x"], 1, ""),
        (&["pod", "inspect", "x"], 125, "[]\n"),
        (&["pod", "rm", "x"], 1, ""),
        (&["pod", "rm", "-f", "x"], 0, ""),
        (&["container", "exists", "x"], 1, ""),
    ];
    for (arguments, code, stdout) in table {
        case.coracle(arguments.iter().copied()).code(*code).stdout(stdout);
    }
    let image = case.busybox();
    case.coracle(["create", "--network=none", "--name", "box", &image, "true"]).succeeded();
    case.coracle(["images", "--format", "{{.Containers}}"]).code(0).stdout("1\n");
    case.coracle(["container", "cleanup", "box", "nope"]).code(0).stdout("box\n").stderr("");
    case.coracle(["container", "cleanup", "--all", "--rm"]).code(0);
    case.coracle(["ps", "-a", "-q"]).code(0).stdout("");
    for verb in ["migrate", "renumber"] {
        let said = case.coracle(["system", verb]).code(0).stderr("");
        assert!(said.stdout.starts_with("nothing to do"), "{said}");
    }
}
