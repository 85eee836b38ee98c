//! What is done again, and what is not.

use super::Context;
use crate::harness::Case;
use crate::harness::image::Layer;

fn steps_are_remembered(case: &Case) {
    let context = Context::new(
        case,
        "FROM IMAGE\nLABEL a=1\nRUN echo x >/x\nCOPY input /\nRUN echo y >/y\nENV A=1\nRUN echo z >/z\n",
    );
    context.file("input", "1");
    let cached = |flags: &[&str]| context.build(flags).code(0).stdout.matches("Using cache").count();
    let id = || context.config("{{.Id}}");
    assert_eq!(cached(&[]), 0);
    let first = id();
    assert_eq!((cached(&[]), id()), (4, first.clone()), "the same, down to the id");
    // A label changes nothing of what comes after it; a file does, and a variable.
    context
        .instructions("FROM IMAGE\nLABEL a=2\nRUN echo x >/x\nCOPY input /\nRUN echo y >/y\nENV A=2\nRUN echo z >/z\n");
    assert_eq!(cached(&[]), 3);
    context.file("input", "2");
    assert_eq!(cached(&[]), 1);
    assert_ne!(id(), first);
    assert_eq!(context.prints("cat /input"), "2");
    // A new time alone is no change, another mode is.
    std::fs::File::options()
        .write(true)
        .open(context.path.join("input"))
        .unwrap()
        .set_modified(std::time::UNIX_EPOCH)
        .unwrap();
    assert_eq!(cached(&[]), 4);
    crate::harness::set_mode(&context.path.join("input"), 0o600);
    assert_eq!(cached(&[]), 1);
    assert_eq!(cached(&["--no-cache"]), 0);
    let explained = context.build(&["--explain", "--no-cache"]).code(0);
    assert!(explained.stdout.contains("not from the cache: --no-cache"), "{explained}");
    // Why, step by step.
    let why = |instructions: &str, flags: &[&str]| {
        context.instructions(&format!("FROM IMAGE\n{instructions}"));
        let flags = [&["--explain"], flags].concat();
        let said = context.build(&flags).code(0).stdout;
        said.lines()
            .filter_map(|line| line.trim().strip_prefix("not from the cache: "))
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let starts = |told: Vec<String>, expected: &[&str]| {
        assert!(told.len() == expected.len(), "{told:?}");
        told.iter().zip(expected).for_each(|(told, expected)| assert!(told.starts_with(expected), "{told}"));
    };
    let (below, instruction) = ("what lies below it is not", "the instruction, with");
    context.file("input", "4");
    starts(why("RUN echo why\nCOPY input /\nRUN echo x >/why\n", &[]), &[instruction, "no step with", "no step with"]);
    context.file("input", "5");
    let changed = "what it reads is not what it was: `input` changed";
    starts(why("RUN echo why\nCOPY input /\nRUN echo x >/why\n", &[]), &[changed, below]);
    starts(why("RUN echo why\nCOPY input /\nRUN echo x >/why\n", &["--timestamp=1"]), &[below, below, below]);
    starts(why("RUN echo why\nCOPY input /\nRUN echo y >/why\n", &[]), &[instruction]);
}

/// Of a COPY that is done again, what changed is named: the first of it, and folders where there are many files.
fn what_changed_is_named(case: &Case) {
    let context = Context::new(case, "FROM IMAGE\nCOPY tree /tree\n");
    let why = || {
        let said = context.build(&["--explain"]).code(0).stdout;
        let line = said
            .lines()
            .find_map(|line| line.trim().strip_prefix("not from the cache: what it reads is not what it was: "));
        line.map(str::to_owned)
    };
    for name in ["a", "b", "c/d", "c/e"] {
        context.file(&format!("tree/{name}"), "1");
    }
    assert_eq!(why(), None);
    context.file("tree/c/d", "2");
    assert_eq!(why().as_deref(), Some("`tree/c/d` changed"));
    context.file("tree/new", "1");
    std::fs::remove_file(context.path.join("tree/a")).unwrap();
    crate::harness::set_mode(&context.path.join("tree/b"), 0o600);
    context.file("tree/c/e", "2");
    assert_eq!(why().as_deref(), Some("`tree/a` was removed, `tree/b` changed, `tree/c/e` changed, and 1 more"));
    for number in 0..300 {
        context.file(&format!("tree/many/{number}"), "1");
    }
    assert_eq!(
        why().as_deref(),
        Some("a file of its source, another stage, or what an address gives"),
        "from few to many"
    );
    context.file("tree/many/7", "2");
    assert_eq!(why().as_deref(), Some("`tree/many` changed"));
    // What is remembered does not grow with the files.
    for number in 0..300 {
        context.file(&format!("tree/{number}"), "1");
    }
    context.build(&[]).code(0);
    context.file("tree/7", "2");
    assert_eq!(why().as_deref(), Some("a file of its source, another stage, or what an address gives"));
}

/// And of the files of a context that a RUN finds mounted.
fn what_changed_of_a_mount_is_named(case: &Case) {
    let context = Context::new(case, "");
    context.file("tree/a", "1");
    context.file("other/b", "1");
    for ignored in ["", "unrelated\n"] {
        context.file(".containerignore", ignored);
        context.instructions(
            "FROM IMAGE\nRUN --mount=source=tree,target=/t --mount=source=other/b,target=/b \
             --mount=type=tmpfs,target=/x cat /t/a /b >/seen\n",
        );
        let why = || {
            let said = context.build(&["--explain"]).code(0).stdout;
            said.lines().find_map(|line| line.trim().strip_prefix("not from the cache: ")).map(str::to_owned)
        };
        why();
        assert_eq!(why(), None);
        context.file("tree/a", &format!("2{ignored}"));
        assert_eq!(why().as_deref(), Some("what it reads is not what it was: `tree/a` changed"));
        context.file("other/b", &format!("2{ignored}"));
        context.file("tree/new", ignored);
        let named = if ignored.is_empty() {
            "`other/b` changed, `tree/new` was added"
        } else {
            "`other/b` changed, `tree/new` changed"
        };
        assert_eq!(why(), Some(format!("what it reads is not what it was: {named}")));
    }
}

/// Instructions that look alike and give other files are not taken for each other.
fn steps_that_look_alike(case: &Case) {
    let context = Context::new(case, "");
    for path in ["a/x", "b/x", "tree/one", "tree/two"] {
        context.file(path, "same");
    }
    std::fs::write(context.path.join("pack.tar"), Layer::new().file("packed", 0o644, "x").tar()).unwrap();
    let built = |text: &str, flags: &[&str]| {
        context.instructions(&format!("FROM IMAGE\n{text}"));
        context.build(flags).code(0);
        context.prints("find /d -type f | sort | tr '\\n' ' '")
    };
    assert_eq!(built("COPY --parents a/x /d/\n", &[]), "/d/a/x ");
    assert_eq!(built("COPY --parents b/x /d/\n", &[]), "/d/b/x ");
    assert_eq!(built("COPY --parents ./b/./x /d/\n", &[]), "/d/x ");
    let excluding = "ARG LEFT\nCOPY --exclude=$LEFT tree /d/\n";
    assert_eq!(built(excluding, &["--build-arg=LEFT=one"]), "/d/two ");
    assert_eq!(built(excluding, &["--build-arg=LEFT=two"]), "/d/one ");
    assert_eq!(built("ADD pack.tar /d/\n", &[]), "/d/packed ");
    assert_eq!(built("ADD --unpack=false pack.tar /d/\n", &[]), "/d/pack.tar ");
}

/// A layer that only a step remembers stays with the images that have it, and goes with the cache.
fn the_cache_keeps_its_layers(case: &Case) {
    let context = Context::new(case, "FROM IMAGE\nRUN echo x >/x\n");
    context.build(&[]).code(0);
    case.coracle(["rmi", "built"]).code(0);
    let again = context.build(&[]).code(0);
    assert!(again.stdout.contains("Using cache"), "{again}");
    assert_eq!(context.prints("cat /x"), "x\n");
    case.coracle(["system", "check"]).code(0);
    case.coracle(["rmi", "-af"]).code(0);
    case.coracle(["system", "prune", "-f"]).code(0);
    let layers = std::fs::read_dir(case.store().join("layers")).unwrap().count();
    assert_eq!(layers, 0);
}

fn all_in_one_layer(case: &Case) {
    let context = Context::new(case, "FROM IMAGE\nRUN echo x >/x\nRUN rm /x; echo y >/y\n");
    context.build(&["--squash-all", "-t", "second"]).code(0);
    assert_eq!(context.config("{{len .RootFS.Layers}}"), "1");
    assert_eq!(context.prints("ls /x 2>/dev/null; cat /y"), "y\n");
    case.sh("second", "cat /y").code(0).stdout("y\n");
}

/// Several builds of the same at the same time give one image; a cache that is locked has one user at a time.
fn builds_at_the_same_time(case: &Case) {
    let context = Context::new(
        case,
        "FROM IMAGE\nCOPY Containerfile /\n\
         RUN --mount=type=cache,target=/c,sharing=locked mkdir /c/mine && sleep 0.2 && rmdir /c/mine && echo done >/done\n",
    );
    let path = context.path.to_str().unwrap();
    let build = ["build", "-q", "--timestamp=1000000000", "--network=none", path];
    let running: Vec<_> = (0..4).map(|_| case.command(build).start()).collect();
    let ids: Vec<String> = running.into_iter().map(|build| build.finish().code(0).stdout).collect();
    assert!(ids[0].len() == 65 && ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    case.coracle(["system", "check"]).code(0);
}

on_both_drivers!(
    steps_are_remembered,
    what_changed_is_named,
    what_changed_of_a_mount_is_named,
    steps_that_look_alike,
    the_cache_keeps_its_layers,
    all_in_one_layer,
    builds_at_the_same_time
);
