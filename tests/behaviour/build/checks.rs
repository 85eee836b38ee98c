//! Checks of instructions: before a build, and instead of one.

use super::Context;
use crate::harness::Case;

const WARNED: &str = "FROM IMAGE AS Base\nENV A b\nCMD echo\n";

/// One line a finding, on standard error; what scripts read stays as it is.
fn a_build_warns_at_its_start(case: &Case) {
    let context = Context::new(case, WARNED);
    let built = context.build(&[]).code(0);
    let warned: Vec<&str> = built.stderr.lines().filter(|line| line.contains("warning: ")).collect();
    let [casing, legacy, json] = warned.as_slice() else { panic!("{built}") };
    assert_eq!(*casing, "Containerfile:1: warning: the stage `Base` is called `base` (StageNameCasing)");
    assert_eq!(
        *legacy,
        "Containerfile:2: warning: `ENV A VALUE` is the old form: `ENV A=VALUE` (LegacyKeyValueFormat)"
    );
    assert!(json.starts_with("Containerfile:3: warning: ") && json.ends_with(" (JSONArgsRecommended)"), "{json}");
    assert!(!built.stdout.contains("warning"), "{built}");
    assert_eq!(context.build(&["--quiet"]).code(0).stderr, "");
    // A variable of the image is one, a misspelt one is shown.
    context.instructions("FROM IMAGE\nENV HERE=$PATH\nCOPY Containerfile $HEER/\n");
    let built = context.build(&[]).code(0);
    assert!(built.stderr.contains(":3: warning: nothing above gives `$HEER` a value: did you mean `HERE`?"), "{built}");
    assert!(!built.stderr.contains(":2: warning"), "{built}");
}

fn the_file_says_what_is_checked(case: &Case) {
    let context = Context::new(case, &format!("# check=skip=StageNameCasing,LegacyKeyValueFormat\n{WARNED}RUN true\n"));
    let built = context.build(&[]).code(0);
    assert_eq!(built.stderr.matches("warning: ").count(), 1, "{built}");
    context.instructions(&format!("# check=skip=all;error=true\n{WARNED}"));
    assert!(!context.build(&[]).code(0).stderr.contains("warning: "));
    // What was found stops it before its first step, also a quiet one.
    context.instructions(&format!("# check=error=true\n{WARNED}RUN echo it runs\n"));
    for flags in [&[][..], &["--quiet"]] {
        let stopped = context.build(flags).code(125).error("`# check=error=true` takes what was found for an error");
        assert!(
            stopped.stderr.contains("Containerfile:3: warning: `ENV A") && !stopped.stdout.contains("STEP"),
            "{stopped}"
        );
    }
    context.build(&["--build-arg=BUILDKIT_DOCKERFILE_CHECK=skip=JSONArgsRecommended"]).code(0);
    context.instructions("# check=only=A\nFROM IMAGE\n");
    let wrong = context.build(&[]).code(125).error("Containerfile:1:1: `only=A` means nothing to `# check=`");
    assert!(wrong.stderr.contains("hint: as in `# check=skip="), "{wrong}");
}

/// `--check` builds nothing, and pulls nothing.
fn only_checks(case: &Case) {
    let context = Context::new(case, "FROM nowhere.example/missing\nCOPY left /\nRUN echo $ANY\n");
    let path = context.path.to_str().unwrap();
    case.coracle(["build", "--check", path]).code(0).stdout("");
    context.file(".containerignore", "left\n");
    case.coracle(["build", "--check", path])
        .code(1)
        .stdout("Containerfile:2: warning: the ignore file leaves `left` out of the context (CopyIgnoredFile)\n 2 | COPY left /\n   |      ^^^^\n");
    assert_eq!(case.coracle(["build", "--check", "-q", path]).code(1).stdout, "");
    context.instructions("FROM a AS b\nCOPY --from=c / /\nFROM a AS c\nCOPY --from=b / /\n");
    case.coracle(["build", "--check", path]).code(125).error("Containerfile:2:13: the stages need each other");
    case.coracle(["build", "--check", "--target=x", path]).code(125).error("there is no stage `x`");
    case.coracle(["image", "exists", "nowhere.example/missing"]).code(1);
}

on_both_drivers!(a_build_warns_at_its_start, the_file_says_what_is_checked, only_checks);
