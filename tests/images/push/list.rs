//! Manifest lists, and images of theirs that are at registries.

use serde_json::{Value, json};

use super::receiver::Receiver;
use crate::harness::http::Registry;
use crate::harness::image::{Format, digest, machine, push_index, registry};
use crate::harness::{Case, Driver, Image, Layer};
use crate::images::artifacts::artifact;

fn inspect(case: &Case, list: &str) -> Value {
    serde_json::from_str(&case.coracle(["manifest", "inspect", list]).succeeded().stdout).unwrap()
}

fn image(content: &str, architecture: &str) -> Image {
    Image::of(vec![Layer::new().file("f", 0o644, content)]).platform("linux", architecture)
}

#[test]
fn a_list_with_its_images() {
    let (case, receiver) = (Case::new(Driver::Auto), Receiver::start());
    let one = case.pull(&image("one", &machine()).push("of-list:1"));
    let two = image("two", "riscv64").push("of-list:2");
    case.coracle(["pull", "--arch", "riscv64", &two]).code(0);
    case.coracle(["manifest", "create", "list", &one, &two]).succeeded();
    let to = format!("{}/list:1", receiver.address);
    case.coracle(["manifest", "push", "--digestfile", "digest", "list", &to]).code(0).stdout("").says("Copying image");
    assert_eq!(receiver.manifest("list", "1"), Some(inspect(&case, "list")));
    let digest = std::fs::read_to_string(case.home.join("digest")).unwrap();
    assert_eq!(receiver.manifest("list", &digest), Some(inspect(&case, "list")));
    for entry in inspect(&case, "list")["manifests"].as_array().unwrap() {
        let manifest = receiver.manifest("list", entry["digest"].as_str().unwrap()).unwrap();
        assert!(receiver.blob("list", manifest["layers"][0]["digest"].as_str().unwrap()).is_some());
    }
    // Its images in another format have other digests, which the list then names.
    case.coracle(["manifest", "push", "--format", "v2s2", "--rm", "list", &format!("{}/list:2", receiver.address)])
        .code(0);
    let docker = receiver.manifest("list", "2").unwrap();
    assert_eq!(docker["mediaType"], "application/vnd.docker.distribution.manifest.list.v2+json");
    for entry in docker["manifests"].as_array().unwrap() {
        assert_eq!(entry["mediaType"], "application/vnd.docker.distribution.manifest.v2+json");
        assert!(receiver.manifest("list", entry["digest"].as_str().unwrap()).is_some());
    }
    case.coracle(["manifest", "exists", "list"]).code(1);
    // By its plain name goes what runs here.
    case.coracle(["manifest", "create", "list", &one, &two]).succeeded();
    case.coracle(["push", "list", &format!("{}/plain:1", receiver.address)]).code(0);
    assert!(receiver.manifest("plain", "1").unwrap()["layers"].is_array());
}

/// Of an image at a registry only the manifest is read; its layers go from there to where the list goes.
#[test]
fn images_at_a_registry() {
    let (case, receiver) = (Case::new(Driver::Auto), Receiver::start());
    let all = [image("here", &machine()), image("there", "riscv64")];
    let name = push_index(&all, Format::Oci, "at-registry:1");
    let single = image("single", "s390x").push("at-registry-too:1");
    let far = format!("docker://{name}");
    case.coracle(["manifest", "create", "list"]).succeeded();
    case.coracle(["manifest", "add", "list", &far]).code(0);
    assert_eq!(inspect(&case, "list")["manifests"][0]["platform"]["architecture"], machine());
    case.coracle(["manifest", "add", "--arch", "riscv64", "list", &far]).code(0);
    assert_eq!(inspect(&case, "list")["manifests"][1]["platform"]["architecture"], "riscv64");
    case.coracle(["manifest", "add", "list", &single]).code(0);
    assert_eq!(inspect(&case, "list")["manifests"][2]["platform"]["architecture"], "s390x");
    case.coracle(["manifest", "create", "--all", "whole", &far]).succeeded();
    assert_eq!(inspect(&case, "whole")["manifests"].as_array().unwrap().len(), 2);
    case.coracle(["manifest", "add", "list", "docker://localhost:1/x"]).code(125).error("localhost:1");
    case.coracle(["manifest", "add", "--arch", "mips", "list", &far]).code(125).error("linux/mips");
    case.coracle(["system", "check"]).code(0);
    case.coracle(["manifest", "push", "list", &format!("{}/copied:1", receiver.address)]).code(0);
    assert_eq!(receiver.manifest("copied", "1"), Some(inspect(&case, "list")));
    for entry in inspect(&case, "list")["manifests"].as_array().unwrap() {
        let manifest = receiver.manifest("copied", entry["digest"].as_str().unwrap()).unwrap();
        assert!(receiver.blob("copied", manifest["layers"][0]["digest"].as_str().unwrap()).is_some());
    }
    assert_eq!(std::fs::read_dir(case.store().join("tmp")).unwrap().count(), 0);
    case.coracle(["images", "--format", "{{.Names}}", "--filter", "reference=at-registry*"]).code(0).stdout("");
}

/// An index in an index, and artifacts: all that a list leads to arrives with the digests that it had, unless other images are asked
/// for; an artifact does so always.
#[test]
fn indexes_in_a_list_and_artifacts() {
    let (case, receiver) = (Case::new(Driver::Auto), Receiver::start());
    let there = Registry { address: registry(), credentials: None };
    let index_type = "application/vnd.oci.image.index.v1+json";
    push_index(&[image("inner", &machine()), image("other", "riscv64")], Format::Oci, "nested:inner");
    let inner = there.request("GET", "/v2/nested/manifests/inner", &[("Accept", index_type)], b"").body;
    let nested = json!({"mediaType": index_type, "digest": digest(&inner), "size": inner.len()});
    let outer = json!({"schemaVersion": 2, "mediaType": index_type, "manifests": [nested, artifact("nested", 5000)],
        "annotations": {"made": "there"}});
    there.push_manifest("nested", "outer", index_type, outer.to_string().as_bytes());
    let far = format!("docker://{}/nested:outer", registry());
    case.coracle(["manifest", "create", "--all", "list", &far]).succeeded();
    assert_eq!(inspect(&case, "list")["manifests"], outer["manifests"]);
    for (tag, flags) in [("as-is", [].as_slice()), ("zstd", &["--compression-format", "zstd"])] {
        let to = format!("{}/copied:{tag}", receiver.address);
        case.coracle(["manifest", "push"].into_iter().chain(flags.iter().copied()).chain(["list", &to])).code(0);
        let pushed = receiver.manifest("copied", tag).unwrap();
        assert_eq!(pushed["manifests"][1], outer["manifests"][1], "{tag}");
        assert_eq!(pushed["manifests"][0] == outer["manifests"][0], flags.is_empty(), "{tag}");
        let mut below: Vec<Value> = pushed["manifests"].as_array().unwrap().clone();
        while let Some(entry) = below.pop() {
            let document = receiver.manifest("copied", entry["digest"].as_str().unwrap()).unwrap();
            below.extend(document["manifests"].as_array().into_iter().flatten().cloned());
            if entry["platform"].is_object() {
                let packed = if flags.is_empty() { "tar+gzip" } else { "tar+zstd" };
                assert!(document["layers"][0]["mediaType"].as_str().unwrap().ends_with(packed), "{tag}: {document}");
            }
            for blob in document["layers"].as_array().into_iter().flatten() {
                let bytes = receiver.blob("copied", blob["digest"].as_str().unwrap()).unwrap();
                assert_eq!(digest(&bytes), blob["digest"]);
            }
        }
    }
}
