//! What a build is given: modes, arguments, platforms, first contents of caches.

use super::{Context, nothing_is_left};
use crate::harness::image::{Format, Image, Layer, machine, push_index};
use crate::harness::{Case, set_mode};

pub fn modes_change_by_letters(case: &Case) {
    let context = Context::new(
        case,
        "FROM IMAGE AS made\n\
         RUN mkdir /m && echo x >/m/program && chmod 700 /m/program && chmod 750 /m\n\
         FROM IMAGE\n\
         ARG MODE=u+x,go-r\n\
         COPY --chmod=$MODE script /a\n\
         COPY --chmod=a=rX,u+w tree /tree/\n\
         COPY --chmod=g=u,+t --from=made /m /m/\n\
         COPY --chmod=a+x <<EOF /heredoc\nx\nEOF\n",
    );
    for (path, mode) in [("script", 0o644), ("tree/plain", 0o600), ("tree/program", 0o700)] {
        context.file(path, "x");
        set_mode(&context.path.join(path), mode);
    }
    std::fs::create_dir_all(context.path.join("tree/folder")).unwrap();
    set_mode(&context.path.join("tree/folder"), 0o700);
    context.build(&[]).code(0);
    assert_eq!(
        context.prints("stat -c '%a %n' /a /tree/plain /tree/program /tree/folder /m/program /heredoc"),
        "700 /a\n644 /tree/plain\n755 /tree/program\n755 /tree/folder\n1770 /m/program\n755 /heredoc\n"
    );
    context.build(&["--build-arg=MODE=u+q"]).code(125).error("`--chmod=u+q`: expected octal digits");
}

fn a_cache_begins_with_files(case: &Case) {
    let context = Context::new(
        case,
        "FROM IMAGE AS seed\n\
         RUN mkdir -p /s/sub && echo seed >/s/sub/file && ln /s/sub/file /s/link && chown -R 33:44 /s/sub\n\
         FROM IMAGE\n\
         ARG TIME=1\n\
         RUN --mount=type=cache,target=/c,from=seed,source=/s stat -c %u:%g /c/sub/file >/seen; cat /c/link >>/seen; echo more >>/c/sub/file\n\
         RUN --mount=type=cache,id=/c,target=/empty ls -A /empty | wc -l >/other\n\
         RUN --mount=type=cache,target=/c,from=extra,sharing=locked cat /c/input >/context; ls /c >>/context\n\
         RUN --mount=type=cache,target=/c,from=IMAGE,source=/etc,sharing=private head -n 1 /c/passwd >/image\n",
    );
    std::fs::create_dir_all(case.home.join("extra/folder")).unwrap();
    std::fs::write(case.home.join("extra/input"), "from a context\n").unwrap();
    let extra = format!("--build-context=extra={}", case.home.join("extra").display());
    context.build(&[&extra]).code(0);
    assert_eq!(context.prints("cat /seen /other /context"), "33:44\nseed\n0\nfrom a context\nfolder\ninput\n");
    assert_eq!(context.prints("cat /image"), "root:x:0:0:root:/root:/bin/sh\n");
    // It is kept, and nothing was done to the stage.
    context.build(&[&extra, "--build-arg=TIME=2"]).code(0);
    assert_eq!(context.prints("cat /seen"), "33:44\nseed\nmore\n");
    context.instructions("FROM IMAGE\nRUN --mount=type=cache,target=/c,from=IMAGE,source=/nowhere true\n");
    context.build(&[]).code(125).error("`/nowhere` is not in the stage or image");
    context.instructions("FROM IMAGE\nRUN --mount=type=cache,target=/c,from=IMAGE,source=/etc/passwd true\n");
    context.build(&[]).code(125).error("is no directory");
    nothing_is_left(case);
}

fn arguments_that_nobody_asks_for(case: &Case) {
    let context = Context::new(case, "FROM IMAGE\nARG A\nRUN echo $A\n");
    let given = ["--build-arg=A=1", "--build-arg=C=3", "--build-arg=B=2", "--build-arg=HTTP_PROXY=p"];
    let warning = "[Warning] one or more build args were not consumed: [B C]\n";
    assert!(context.build(&given).code(0).stderr.contains(warning));
    let quiet: Vec<_> = given.into_iter().chain(["-q"]).collect();
    context.build(&quiet).code(0).stderr("");
    assert!(!context.build(&["--build-arg=A=1"]).code(0).stderr.contains("Warning"));
}

/// What the kernel would refuse with E2BIG, is refused where it is written.
fn variables_have_a_limit(case: &Case) {
    let long = "a".repeat(100_000);
    let context = Context::new(case, &format!("FROM IMAGE\nENV A={long}\nRUN test ${{#A}} = 100000\nENV B=$A$A\n"));
    context.build(&[]).code(125).error("Containerfile:4:1: the variable `B` has 200002 bytes");
    let all: String = (0..11).map(|number| format!("ENV A{number}=$A\n")).collect();
    context.instructions(&format!("FROM IMAGE\nENV A={long}\n{all}RUN true\n"));
    context.build(&[]).code(125).error("the variables have 11").says("hint: a text of that length goes into a file");
}

fn stages_of_another_platform(case: &Case) {
    let other = if machine() == "amd64" { "arm64" } else { "amd64" };
    let image = |architecture: &str| {
        Image::of(vec![Layer::new().file("which", 0o644, architecture)]).platform("linux", architecture)
    };
    let mine = machine();
    let name = push_index(&[image(&mine), image(other)], Format::Oci, "build/platforms:1");
    let one = image(other).push("build/platform:1");
    let context = Context::new(
        case,
        &format!(
            "FROM --platform=linux/{other} {name} AS other\n\
             FROM --platform=$BUILDPLATFORM {name} AS own\n\
             FROM IMAGE\n\
             COPY --from=other /which /other\n\
             COPY --from=own /which /own\n"
        ),
    );
    context.build(&[]).code(0);
    assert_eq!(context.prints("cat /other /own"), format!("{other}{mine}"));
    // The image of that name is one of them now, and nobody may ask for the other.
    let context = Context::new(case, &format!("FROM --platform=linux/{other} {name}\n"));
    let refused = context.build(&["--pull=never"]).code(125);
    refused.error(&format!("the image `{name}` is made for linux/{mine}, and linux/{other} is asked for"));
    context.build(&[]).code(0);
    assert_eq!(context.config("{{.Architecture}}"), other);
    // A registry that has none for it.
    context.instructions(&format!("FROM --platform=linux/{mine} {one}\n"));
    let refused = context.build(&[]).code(125);
    assert!(refused.stderr.contains(other) && refused.stderr.contains("hint: "), "{refused}");
    context.instructions(&format!("FROM {one}\n"));
    context.build(&["--platform", &format!("linux/{other}")]).code(0);
    assert_eq!(context.config("{{.Architecture}}"), other);
    context.instructions("FROM --platform=nonsense IMAGE\n");
    context.build(&[]).code(125).error("Containerfile:1:1: `nonsense` is not a platform");
}

on_both_drivers!(
    modes_change_by_letters,
    a_cache_begins_with_files,
    arguments_that_nobody_asks_for,
    variables_have_a_limit,
    stages_of_another_platform
);
