//! Which image is taken, and how it is pulled.

use crate::harness::{Case, Image};

fn the_platform_decides_what_is_pulled(case: &Case) {
    let image = Image::busybox().push("platform:latest");
    let run = |flags: &[&str]| {
        let head = ["run", "--rm", "--network=none"];
        case.coracle(head.iter().chain(flags).copied().chain([image.as_str(), "echo", "ran"]))
    };
    run(&["--pull=never"]).code(125).error("image not known");
    run(&["--arch=amd64", "-q"]).code(0).stdout("ran\n");
    run(&["--platform=linux/amd64", "--pull=never"]).code(0).stdout("ran\n").stderr("");
    // What is there is for another machine than the one that was asked for.
    run(&["--arch=arm64", "--pull=never"]).code(125).error("image not known");
    run(&["--os=plan9", "--pull=never"]).code(125).error("image not known");
    // Newer ones are only asked for.
    case.coracle(["tag", &image, "127.0.0.1:1/nobody/here:latest"]).succeeded();
    let newer =
        |name: &str| case.coracle(["run", "--rm", "--network=none", "--pull=newer", "--retry=0", name, "echo", "ran"]);
    newer("127.0.0.1:1/nobody/here:latest").code(0).stdout("ran\n").stderr("");
    newer("127.0.0.1:1/nobody/there:latest").code(125).error("127.0.0.1:1");
    run(&["--platform=nonsense"]).code(125).error("nonsense");
    run(&["--platform=linux/amd64", "--arch=amd64"]).code(125).error("--arch");
}

fn credentials_are_used(case: &Case) {
    let Ok(registry) = std::env::var("CORACLE_PRIVATE_REGISTRY") else { panic!("tests/run starts a private registry") };
    let image = format!("{registry}/nothing/here:latest");
    let run = |flags: &[&str]| {
        case.coracle(["run", "--rm", "-q"].iter().chain(flags).copied().chain([image.as_str(), "true"]))
    };
    let refused = run(&["--creds=someone:wrong"]).code(125).stderr;
    let missing = run(&["--creds=someone:secret"]).code(125).stderr;
    assert!(refused != missing && !missing.contains("secret"), "{refused}{missing}");
    run(&["--creds=someone"]).code(125).error("USER:PASSWORD");
    run(&["--authfile=/no/such/file"]).code(125).error("");
}

/// The image goes with the container, unless another one has it, or it was never to be.
fn the_image_goes_with_the_container(case: &Case) {
    let image = case.busybox();
    let run = || case.coracle(["run", "--rmi", "--network=none", &image, "sh", "-c", "echo ran; exit 3"]);
    let there = || case.coracle(["image", "exists", &image]).code == Some(0);
    case.coracle(["create", "--name=other", &image]).succeeded();
    run().code(3).stdout("ran\n").stderr("");
    assert!(there());
    case.coracle(["rm", "other"]).succeeded();
    run().code(3).stdout("ran\n").stderr("");
    assert!(!there());
    case.coracle(["ps", "-aq"]).succeeded().stdout("");
    let layers = case.store().join("layers");
    assert_eq!(std::fs::read_dir(&layers).unwrap().count(), 0, "in {}", layers.display());
    case.coracle(["run", "-d", "--rmi", "--network=none", &image, "true"]).code(125).error("--rmi").says("hint: ");
    case.coracle(["create", "--rmi", &image]).code(125).error("--rmi").says("hint: ");
}

on_both_drivers!(the_platform_decides_what_is_pulled, credentials_are_used, the_image_goes_with_the_container);
