//! Manifest lists: images for several platforms under one name, put together here.

use serde_json::{Value, json};

use crate::harness::image::machine;
use crate::harness::{Case, Driver, Image, Layer};

fn inspect(case: &Case, list: &str) -> Value {
    serde_json::from_str(&case.coracle(["manifest", "inspect", list]).succeeded().stdout).unwrap()
}

fn field(case: &Case, image: &str, template: &str) -> String {
    case.coracle(["image", "inspect", "--format", template, image]).succeeded().stdout.trim().to_owned()
}

/// A case with the small image and one for a machine that does not exist: their names.
fn two_platforms() -> (Case, String, String) {
    let case = Case::new(Driver::Auto);
    let here = case.busybox();
    let there = Image::of(vec![Layer::new().file("there", 0o644, "there")]).platform("linux", "riscv64");
    let there = there.push("listed-there:latest");
    case.coracle(["pull", "--arch", "riscv64", &there]).code(0);
    (case, here, there)
}

/// The id stays while the list changes, and the digests are those that the images were pulled with.
#[test]
fn a_list_is_put_together() {
    let (case, here, there) = two_platforms();
    let id = case.coracle(["manifest", "create", "list"]).succeeded().stdout;
    assert_eq!(id.trim().len(), 64);
    case.coracle(["manifest", "add", "list", &here]).code(0).stdout(&id);
    case.coracle(["manifest", "add", id.trim(), &there]).code(0).stdout(&id);
    case.coracle(["manifest", "add", "list", &there]).code(0).stdout(&id);
    let entry = |image: &str, architecture: &str| {
        let path =
            case.store().join("images/blobs/sha256").join(field(&case, image, "{{.Digest}}").replace("sha256:", ""));
        json!({"mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": field(&case, image, "{{.Digest}}"),
            "size": path.metadata().unwrap().len(), "platform": {"architecture": architecture, "os": "linux"}})
    };
    let whole = json!({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": [entry(&here, &machine()), entry(&there, "riscv64")]});
    assert_eq!(inspect(&case, "list"), whole);
    assert_eq!(inspect(&case, &id[..12]), whole);
    case.coracle(["manifest", "exists", "list"]).code(0).stdout("");
    case.coracle(["manifest", "exists", "nothing"]).code(1).stdout("");
    case.coracle(["manifest", "exists", &here]).code(125).error("image is not a manifest list");
    let listed = case.coracle(["images", "--no-trunc", "--filter", "reference=list"]).succeeded();
    assert!(listed.stdout.contains(&format!("sha256:{}", id.trim())), "{listed}");
    case.coracle(["system", "check"]).code(0).stdout("");
    // The name runs this machine's image.
    case.coracle(["run", "--rm", "--network=none", "list", "echo", "runs"]).code(0).stdout("runs\n");
    assert_eq!(field(&case, "list", "{{.Id}}"), field(&case, &here, "{{.Id}}"));
    case.coracle(["manifest", "remove", "list", whole["manifests"][0]["digest"].as_str().unwrap()]).code(0).stdout(&id);
    assert_eq!(inspect(&case, "list")["manifests"].as_array().unwrap().len(), 1);
    case.coracle(["run", "--rm", "--network=none", "list", "true"]).code(125).error("riscv64");
}

#[test]
fn what_can_not_be_done_to_a_list() {
    let (case, here, _) = two_platforms();
    let id = case.coracle(["manifest", "create", "list", &here]).succeeded().stdout;
    case.coracle(["manifest", "create", "list"]).code(125).error("that name is already in use");
    case.coracle(["manifest", "create", "--amend", "list"]).code(0).stdout(&id);
    case.coracle(["manifest", "create", &here]).code(125).error("already in use");
    case.coracle(["manifest", "create", "--amend", &here]).code(125).error("not a manifest list");
    case.coracle(["manifest", "create", "other", "localhost/nothing"])
        .code(125)
        .says("hint: no image `localhost/nothing` is here");
    case.coracle(["manifest", "exists", "other"]).code(1);
    case.coracle(["manifest", "add", "nothing", &here]).code(125).error("nothing: image not known");
    case.coracle(["manifest", "add", &here, &here]).code(125).error("not a manifest list");
    let none = format!("sha256:{}", "0".repeat(64));
    case.coracle(["manifest", "remove", "list", &none]).code(125).error(&none);
    case.coracle(["manifest", "remove", "list", "busybox"]).code(125).error("not a digest");
    case.coracle(["manifest", "annotate", "list", &none, "--arch", "arm"]).code(125).error(&none);
    case.coracle(["manifest", "annotate", "--annotation", "x", "list", &here]).code(125).error("key=value");
    case.coracle(["manifest", "rm", &here]).code(125).error("not a manifest list");
    case.coracle(["manifest", "rm", "nothing"]).code(1).error("nothing: image not known");
    case.coracle(["manifest", "rm", "--ignore", "nothing"]).code(0);
    assert_eq!(inspect(&case, "list")["manifests"].as_array().unwrap().len(), 1);
}

#[test]
fn what_a_list_says_of_an_image() {
    let (case, here, there) = two_platforms();
    case.coracle(["manifest", "create", "--annotation", "made=here", "list"]).succeeded();
    case.coracle(["manifest", "add", "--arch", "arm", "--variant", "v7", "--annotation", "a=b", "list", &here])
        .succeeded();
    case.coracle(["manifest", "add", "list", &there]).succeeded();
    let flags =
        ["manifest", "annotate", "--os", "plan9", "--os-version", "4", "--os-features", "x,y", "--features", "sse"];
    case.coracle(flags.into_iter().chain(["--annotation", "c=d=e", "list", &here])).succeeded();
    case.coracle(["manifest", "annotate", "--index", "--annotation", "all=1", "list"]).succeeded();
    let index = inspect(&case, "list");
    assert_eq!(index["annotations"], json!({"made": "here", "all": "1"}));
    let (first, second) = (&index["manifests"][0], &index["manifests"][1]);
    assert_eq!(first["annotations"], json!({"a": "b", "c": "d=e"}));
    let platform = json!({"architecture": "arm", "os": "plan9", "os.version": "4", "os.features": ["x", "y"],
        "variant": "v7", "features": ["sse"]});
    assert_eq!(first["platform"], platform);
    assert_eq!(second["platform"], json!({"architecture": "riscv64", "os": "linux"}));
    // A variant goes with its architecture.
    case.coracle(["manifest", "annotate", "--arch", "s390x", "list", first["digest"].as_str().unwrap()]).succeeded();
    assert_eq!(inspect(&case, "list")["manifests"][0]["platform"]["variant"], Value::Null);
}

/// Two lists with the same bytes are two; names are taken away one by one; the images of a list stay as long as it does.
#[test]
fn lists_are_removed() {
    let (case, here, there) = two_platforms();
    case.coracle(["manifest", "create", "one"]).succeeded();
    let two = case.coracle(["manifest", "create", "two"]).succeeded().stdout;
    case.coracle(["tag", "two", "again"]).succeeded();
    case.coracle(["manifest", "rm", "one"]).code(0);
    case.coracle(["manifest", "add", "again", &here, &there]).succeeded();
    assert_eq!(inspect(&case, "two"), inspect(&case, "again"));
    case.coracle(["manifest", "rm", "two"]).code(0).stdout("Untagged: localhost/two:latest\n");
    case.coracle(["rmi", &there]).code(0);
    case.coracle(["rmi", &here]).code(0);
    case.coracle(["image", "prune", "--force"]).code(0).stdout("");
    case.coracle(["system", "check"]).code(0).stdout("");
    case.coracle(["run", "--name", "user", "--network=none", "again", "true"]).code(0);
    case.coracle(["manifest", "rm", "again"]).code(2).error("in use");
    case.coracle(["rm", "user"]).code(0);
    let gone = format!("Untagged: localhost/again:latest\nDeleted: {two}");
    case.coracle(["manifest", "rm", "again"]).code(0).stdout(&gone);
    case.coracle(["images", "-q"]).code(0).stdout("");
    for folder in ["layers", "tmp", "images/blobs/sha256"] {
        assert_eq!(std::fs::read_dir(case.store().join(folder)).unwrap().count(), 0, "left in {folder}");
    }
}

/// Each of several that add at once finds its image in the list.
#[test]
fn many_add_at_once() {
    let case = Case::new(Driver::Auto);
    case.coracle(["manifest", "create", "list"]).succeeded();
    let images: Vec<String> = (0..6)
        .map(|number| {
            let image = Image::of(vec![Layer::new().file("n", 0o644, number.to_string())]);
            case.pull(&image.push(&format!("many{number}:latest")))
        })
        .collect();
    let adding: Vec<_> = images.iter().map(|image| case.command(["manifest", "add", "list", image]).start()).collect();
    for add in adding {
        add.finish().code(0);
    }
    assert_eq!(inspect(&case, "list")["manifests"].as_array().unwrap().len(), 6);
}
