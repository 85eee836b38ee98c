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

on_both_drivers!(the_platform_decides_what_is_pulled, credentials_are_used);
