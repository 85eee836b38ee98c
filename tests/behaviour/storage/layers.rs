//! An image of as many layers as the kernel's driver takes: 500 with what is committed on top.

use crate::harness::{Case, Driver, Image, Layer};

/// Beside the one with the system.
const COUNT: usize = 498;

/// Each has a file of its own, one that all have, and removes one of the layer below.
fn layer(at: usize) -> Layer {
    let layer = Layer::new()
        .dir("data", 0o755)
        .file(&format!("data/own{at}"), 0o644, format!("{at}\n"))
        .file("data/all", 0o644, format!("{at}\n"))
        .file(&format!("data/brief{at}"), 0o644, "");
    if at > 1 { layer.whiteout(&format!("data/brief{}", at - 1)) } else { layer }
}

fn five_hundred_layers(case: &Case) {
    let image = (1..=COUNT).fold(Image::busybox(), |image, at| image.layer(layer(at)));
    let image = case.pull(&image.push("five-hundred:latest"));
    let sum = COUNT * (COUNT + 1) / 2;
    let script = "cd /data; ls | wc -l; ls -d brief*; cat all own1 own498
        sum=0; for file in own*; do read number <$file; sum=$((sum + number)); done; echo $sum";
    let shown = format!("{}\nbrief{COUNT}\n{COUNT}\n1\n498\n{sum}\n", COUNT + 2);
    case.sh(&image, script).code(0).stderr("").stdout(&shown);

    let change = "cd /data; rm own1 own250; echo more >>own498; mv own2 moved; mkdir new; rm all; touch new/x";
    case.coracle(["run", "--name", "box", "--network=none", &image, "sh", "-ec", change]).code(0).stderr("");
    let mut changed: Vec<String> =
        case.coracle(["diff", "box"]).succeeded().stdout.lines().map(str::to_owned).collect();
    changed.sort();
    assert_eq!(
        changed,
        [
            "A /data/moved",
            "A /data/new",
            "A /data/new/x",
            "C /data",
            "C /data/own498",
            "D /data/all",
            "D /data/own1",
            "D /data/own2",
            "D /data/own250",
        ]
    );
    case.coracle(["commit", "-q", "box", "on-top"]).code(0);
    let count = ["image", "inspect", "--format", "{{len .RootFS.Layers}}", "on-top"];
    case.coracle(count).code(0).stdout(&format!("{}\n", COUNT + 2));
    let script = "cd /data; ls | wc -l; cat own498 moved; ls all own1 own2 own250 2>/dev/null; find new";
    case.sh("on-top", script).code(0).stdout(&format!("{}\n498\nmore\n2\nnew\nnew/x\n", COUNT));
}

on_both_drivers!(five_hundred_layers);

/// A kernel that takes no layers one by one has no room for so many: then the program's own overlay is chosen.
#[test]
fn more_layers_than_an_old_kernel_takes() {
    let case = Case::new(Driver::Auto);
    let few = case.busybox();
    let many = (1..=COUNT).fold(Image::busybox(), |image, at| image.layer(layer(at)));
    let many = case.pull(&many.push("more-layers:latest"));
    let driver = |name: &str, image: &str| {
        case.coracle(["run", "--name", name, "--network=none", image, "true"]).code(0);
        case.inspect(name, "{{.GraphDriver.Data.Driver}}: {{.GraphDriver.Data.Reason}}")
    };
    let usual = driver("usual", &many);
    let file = case.store().join("overlay.json");
    let mut found: serde_json::Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    assert!(found["abilities"]["layers_one_by_one"].is_boolean(), "{found}");
    found["abilities"]["layers_one_by_one"] = false.into();
    std::fs::write(&file, found.to_string()).unwrap();
    assert_eq!(driver("few", &few), usual);
    let reason = format!("fuse: the kernel's can't be given {} layers before Linux 6.5", COUNT + 1);
    assert_eq!(driver("many", &many), reason);
}
