//! A context, or instructions alone, on standard input.

use std::time::Duration;

use rustix::process::Signal;

use super::super::{Context, nothing_is_left};
use crate::harness::image::{Compression, Layer};
use crate::harness::{Case, Command, Finished, wait_until};

fn build(case: &Case, input: Vec<u8>, flags: &[&str]) -> Finished {
    let fixed = ["build", "-t", "built", "--network=none"];
    case.command(fixed.into_iter().chain(flags.iter().copied()).chain(["-"])).stdin(input).finish()
}

fn archive(case: &Case, instructions: &str) -> Layer {
    let instructions = instructions.replace("IMAGE", &case.busybox());
    Layer::new()
        .file("Containerfile", 0o644, instructions)
        .dir("sub", 0o700)
        .file("sub/input", 0o600, "from the archive\n")
        .owned_file("owned", 0o400, (1000, 1000), "mine\n")
        .file("left-out", 0o644, "x")
        .file(".dockerignore", 0o644, "left-out\n")
}

pub fn archives(case: &Case) {
    let context = Context::new(case, "");
    let instructions = "FROM IMAGE\nCOPY . /c\n";
    let gzip = archive(case, instructions);
    let packed = |tool: &str| {
        std::fs::write(case.home.join("plain"), gzip.tar()).unwrap();
        Command::new("sh").arg("-c").arg(format!("{tool} <plain >packed")).directory(&case.home).finish().code(0);
        std::fs::read(case.home.join("packed")).unwrap()
    };
    let (bzip2, xz) = (packed("bzip2"), packed("xz"));
    let zstd = gzip.clone().compressed(Compression::Zstd).blob();
    for bytes in [gzip.tar(), gzip.blob(), zstd, bzip2, xz] {
        build(case, bytes, &[]).code(0);
        assert_eq!(
            context.prints("cd /c; ls; cat sub/input owned"),
            "Containerfile\nowned\nsub\nfrom the archive\nmine\n"
        );
        assert_eq!(context.prints("stat -c '%a %u:%g' /c/owned /c/sub"), "400 0:0\n700 0:0\n");
        case.coracle(["rmi", "built"]).code(0);
    }
    let cached = build(case, gzip.tar(), &[]).code(0);
    assert!(cached.stdout.contains("Using cache"), "{cached}");
    // Another file of instructions, with an ignore file of its own.
    let other = archive(case, "nonsense")
        .file("sub/Other", 0o644, format!("FROM {}\nCOPY . /d\n", case.busybox()))
        .file("sub/Other.dockerignore", 0o644, "*\n!owned\n");
    build(case, other.tar(), &["-f", "sub/Other"]).code(0);
    assert_eq!(context.prints("ls -A /d"), "owned\n");
    build(case, other.tar(), &[]).code(125).error("Containerfile:1:1: ");
    build(case, other.tar(), &["-f", "sub/Missing"]).code(125).error("`sub/Missing` is not in the archive");
    nothing_is_left(case);
}

/// What an archive says leads nowhere but into its own directory.
pub fn archives_stay_where_they_are(case: &Case) {
    std::fs::write(case.home.join("secret"), "RUN secret\n").unwrap();
    let secret = case.home.join("secret").display().to_string();
    let refused = |layer: Layer, flags: &[&str], error: &str| {
        let refused = build(case, layer.tar(), flags).code(125);
        assert!(refused.stderr.contains(error) && !refused.stderr.contains("RUN secret"), "{error}\n{refused}");
        nothing_is_left(case);
    };
    refused(Layer::new().symlink("Containerfile", &secret), &[], "`Containerfile` leads out of the build context");
    let copy = format!("FROM {}\nCOPY link /x\n", case.busybox());
    refused(Layer::new().file("Containerfile", 0o644, &copy).symlink("link", &secret), &[], "`link` leads out of");
    let ignored = Layer::new().file("Containerfile", 0o644, &copy).symlink(".dockerignore", &secret);
    refused(ignored, &[], "`.dockerignore` leads out of");
    refused(archive(case, "FROM IMAGE\n"), &["-f", "../secret"], "`../secret` leads out of");
    refused(Layer::new().file("../../escaped", 0o644, "x"), &[], "");
    refused(Layer::new().symlink("up", "..").file("up/escaped", 0o644, "x"), &[], "");
    for place in ["escaped", "tmp/escaped"] {
        assert!(!case.store().join(place).exists());
    }
    refused(Layer::new().file("other", 0o644, "x"), &[], "no Containerfile or Dockerfile is in the archive");
    let mut cut = archive(case, "FROM IMAGE\n").blob();
    cut.truncate(cut.len() - 20);
    build(case, cut, &[]).code(125);
    build(case, b"\x1f\x8b no gzip".to_vec(), &[]).code(125);
    nothing_is_left(case);
}

fn instructions_alone(case: &Case) {
    let context = Context::new(case, "");
    let text = |text: &str| text.replace("IMAGE", &case.busybox()).into_bytes();
    build(case, text("FROM IMAGE\nRUN echo x >/x\n"), &[]).code(0);
    assert_eq!(context.prints("cat /x"), "x\n");
    build(case, text("FROM IMAGE\nCOPY x /\n"), &[]).code(125).error("there is no build context");
    build(case, text("FROM IMAGE\n"), &["-f", "Other"]).code(125).error("standard input is no archive");
    build(case, text("FROM IMAGE\n"), &["-f", "-"]).code(125).error("can't be the context and the instructions");
    build(case, Vec::new(), &[]).code(125);
}

/// A builder that is killed leaves what the next one sweeps.
fn killed(case: &Case) {
    case.busybox();
    let bytes = archive(case, "FROM IMAGE\nCOPY . /\nRUN sleep 1000\n").tar();
    let running = case.command(["build", "--network=none", "-"]).stdin(bytes).start();
    let tmp = case.store().join("tmp");
    let unpacked =
        || std::fs::read_dir(&tmp).unwrap().flatten().any(|entry| entry.path().join("context/owned").exists());
    wait_until("the context is unpacked", Duration::from_secs(60), unpacked);
    running.signal(Signal::KILL);
    running.finish();
    wait_until("it is swept", Duration::from_secs(60), || {
        build(case, b"FROM scratch\n".to_vec(), &[]);
        std::fs::read_dir(&tmp).unwrap().count() == 0
    });
}

on_both_drivers!(archives, archives_stay_where_they_are, instructions_alone, killed);
