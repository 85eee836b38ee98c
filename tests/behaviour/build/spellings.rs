//! Docker's spellings of the same, and what is done about what builds remember.

use super::{Context, nothing_is_left};
use crate::harness::Case;

fn as_docker_has_it(case: &Case) {
    let context = Context::new(case, "FROM IMAGE\nRUN echo x >/x\n");
    let path = context.path.to_str().unwrap();
    let metadata = case.home.join("metadata");
    let flags =
        ["--network=none", "--load", "--progress=plain", "--provenance=false", "--builder", "default", "-t", "built"];
    let file = ["--metadata-file", metadata.to_str().unwrap()];
    for words in [["buildx", "build"], ["buildx", "b"], ["builder", "build"], ["image", "build"]] {
        let all: Vec<&str> = words.into_iter().chain(flags).chain(file).chain([path]).collect();
        case.coracle(all).code(0);
        assert_eq!(context.prints("cat /x"), "x\n", "{words:?}");
    }
    let told: serde_json::Value = serde_json::from_slice(&std::fs::read(&metadata).unwrap()).unwrap();
    assert_eq!(told["containerimage.config.digest"], format!("sha256:{}", context.config("{{.Id}}")));
    assert_eq!(told["containerimage.digest"], context.config("{{.Digest}}"));
    assert_eq!(told["image.name"], "localhost/built:latest");
    assert!(case.coracle(["buildx", "ls"]).code(0).stdout.contains("default*"));
    assert!(case.coracle(["buildx", "inspect", "--bootstrap"]).code(0).stdout.contains("Platforms: linux/"));
    case.coracle(["buildx", "inspect", "other"]).code(125).error("no builder \"other\" found");
    let version = case.coracle(["buildx", "version"]).code(0).stdout;
    assert!(version.starts_with("coracle buildx "), "{version}");
}

fn what_is_remembered_goes(case: &Case) {
    let context = Context::new(
        case,
        "FROM IMAGE\nRUN --mount=type=cache,target=/c echo kept >>/c/file; wc -l </c/file >/count\n",
    );
    context.build(&[]).code(0);
    // The step's layer is the image's; the cache is nobody's at this moment.
    let listed = case.coracle(["buildx", "du"]).code(0).stdout;
    let lines: Vec<Vec<&str>> = listed.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!((lines[1][1], lines[2][1]), ("false", "true"), "{listed}");
    assert!(
        listed.contains("a cache of RUN --mount") && listed.contains("RUN") && listed.contains("Total:"),
        "{listed}"
    );
    let pruned = case.coracle(["builder", "prune", "-f"]).code(0).stdout;
    assert_eq!(pruned.lines().filter(|line| line.len() == 64).count(), 1, "{pruned}");
    let again = context.build(&[]).code(0);
    assert!(again.stdout.contains("Using cache"), "{again}");
    case.coracle(["builder", "prune", "-af"]).code(0);
    let anew = context.build(&[]).code(0);
    assert!(!anew.stdout.contains("Using cache"), "{anew}");
    assert_eq!(context.prints("cat /count"), "1\n");
    // Without its image the layer goes, too.
    case.coracle(["rmi", "-af"]).code(0);
    assert!(std::fs::read_dir(case.store().join("layers")).unwrap().count() > 0);
    case.coracle(["buildx", "prune", "--force"]).code(0);
    assert_eq!(std::fs::read_dir(case.store().join("layers")).unwrap().count(), 0);
    nothing_is_left(case);
    assert!(case.coracle(["buildx", "du"]).code(0).stdout.ends_with("Total:\t\t0B\n"));
    case.coracle(["system", "check"]).code(0);
    // Asked first.
    let asked = case.command(["builder", "prune"]).stdin("n\n").finish().code(0);
    assert!(asked.stdout.contains("WARNING!") && !asked.stdout.contains("Total"), "{asked}");
}

/// TAB after `--target` knows the stages of the file.
fn stages_are_completed(case: &Case) {
    let context = Context::new(case, "FROM IMAGE AS first\nFROM first AS second\nFROM scratch\n");
    context.file("Other", "FROM scratch AS other\n");
    let path = context.path.to_str().unwrap();
    let asked = |words: &[&str]| {
        let all = ["@complete", "fish", "coracle"].into_iter().chain(words.iter().copied());
        let said = case.coracle(all).code(0).stdout;
        said.lines().map(|line| line.split('\t').next().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(asked(&["build", path, "--target", ""]), ["first", "second"]);
    assert_eq!(asked(&["buildx", "build", path, "--target=se"]), ["--target=second"]);
    assert_eq!(asked(&["build", "-f", "Other", path, "--target", ""]), ["other"]);
    assert!(asked(&["build", "/nowhere", "--target", ""]).is_empty());
}

on_both_drivers!(as_docker_has_it, what_is_remembered_goes, stages_are_completed);
