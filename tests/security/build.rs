//! A hostile Containerfile, base image or build context: what is built, and what lies around the one who builds.

use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::process::Signal;

use super::race::tries;
use super::{Bait, pull, pulled};
use crate::behaviour::build::Context;
use crate::harness::{Case, Driver, Finished, Image, LIMIT, Layer, wait_until};

/// Builds these instructions, in which `IMAGE` is busybox and `BAIT` the folder that must stay as it is.
fn build(context: &Context<'_>, bait: &Bait, instructions: &str) -> Finished {
    context.instructions(&instructions.replace("BAIT", bait.path("").trim_end_matches('/')));
    let done = context.build(&["--no-cache"]);
    bait.is_untouched();
    assert!(!done.stdout.contains(Bait::SECRET), "{instructions}\n{done}");
    done
}

/// CVE-2024-1753, CVE-2024-9407, CVE-2024-9675, CVE-2024-11218: what a mount of RUN shows lies in the context, the stage or the
/// cache, whatever links are there and whatever its fields say.
fn sources_of_mounts(case: &Case) {
    let (bait, context) = (Bait::new(case), Context::new(case, ""));
    symlink(bait.path(""), context.path.join("out")).unwrap();
    symlink(bait.path("file"), context.path.join("file-out")).unwrap();
    context.file("inside", "x");
    let steal = "cat /m/file /m/inner/file /m 2>/dev/null; echo planted >/m/file; echo planted >/m/planted; echo ran";
    for source in ["out", "out/inner", "file-out", "../bait", "inside/../../bait", "./out/."] {
        let done = build(
            &context,
            &bait,
            &format!("FROM IMAGE\nRUN --mount=type=bind,rw,source={source},target=/m {steal}\n"),
        );
        done.code(125).error("leads out of the build context");
    }
    let links = "FROM IMAGE AS made\nRUN ln -s BAIT /way; ln -s BAIT/file /file-way; ln -s ../../../../../.. /up; ln -s /proc/1/root /root-way\nFROM IMAGE\n";
    for source in ["/way", "/way/inner", "/file-way", "/upBAIT", "/root-wayBAIT", "../../../..BAIT", "/up/../..BAIT"] {
        let done = build(
            &context,
            &bait,
            &format!("{links}RUN --mount=type=bind,from=made,rw,source={source},target=/m {steal}\n"),
        );
        assert_ne!(done.code, Some(0), "{source}: {done}");
    }
    // A cache is where its id has it, and nothing in it leads out.
    for id in ["../../../bait", "BAIT", "..", "/", "a/../../b"] {
        let plant = format!(
            "RUN --mount=type=cache,id={id},target=/c ls /c; rm -rf /c/*; ln -s BAIT /c/way; ln -s BAIT/file /c/file; echo ran\n"
        );
        let done = build(&context, &bait, &format!("FROM IMAGE\n{plant}")).code(0);
        assert!(!done.stdout.lines().any(|line| line == "inner"), "{done}");
        for source in ["way", "way/inner", "file", "../../.."] {
            let reads = format!("RUN --mount=type=cache,id={id},source={source},target=/m {steal}\n");
            build(&context, &bait, &format!("FROM IMAGE\n{reads}"));
        }
    }
    for junk in ["bind-propagation=shared", "propagation=rshared"] {
        let done = build(&context, &bait, &format!("FROM IMAGE\nRUN --mount=type=bind,{junk},target=/m true\n"));
        done.code(125).error("Containerfile:2:");
    }
    build(&context, &bait, "FROM IMAGE\nRUN --mount=type=bind,rw,target=/m ls /m; cat /m/inside\n").code(0);
}

/// CVE-2024-23651, CVE-2024-23652: places of mounts that lead elsewhere, before the command and after it; what was made for them is
/// taken away from the layer, and from nowhere else.
fn targets_of_mounts(case: &Case) {
    let bait = Bait::new(case);
    let layer = Layer::new()
        .symlink("way", bait.path("").trim_end_matches('/'))
        .symlink("up", &format!("{}{}", "../".repeat(12), bait.path("")));
    let image = pulled(case, layer);
    let context = Context::new(case, "");
    context.file("inside", "x");
    std::fs::write(case.home.join("word"), "word").unwrap();
    for target in ["/way/deep/er", "/way/inner", "/way", "/up/deep", "/way/file"] {
        for mount in ["type=tmpfs", "type=cache", "type=cache,id=other", "type=bind,source=.", "type=bind,rw,source=."]
        {
            let text = format!("FROM {image}\nRUN --mount={mount},target={target} echo x >{target}/planted; true\n");
            build(&context, &bait, &text);
        }
    }
    // The command moves the place away, and a link to somewhere else is there when it ends.
    for mount in ["type=tmpfs", "type=cache", "type=bind,source=.", "type=bind,source=inside", "type=secret,id=word"] {
        let text = format!(
            "FROM IMAGE\nRUN mkdir -p /d\nRUN --mount={mount},target=/d/inner mv /d /e 2>/dev/null; ln -s BAIT /d; rm -rf /f; ln -s BAIT /f; true\n\
             RUN ls -d /d /e /f 2>/dev/null; true\n"
        );
        context.instructions(&text.replace("BAIT", bait.path("").trim_end_matches('/')));
        let done = context.build(&["--no-cache", "--secret=id=word,src=word"]).code(0);
        assert!(done.stdout.contains("/e\n"), "the command has moved nothing: {done}");
        bait.is_untouched();
    }
    case.coracle(["rmi", "-af"]).code(0);
    case.coracle(["system", "prune", "-af"]).code(0);
    bait.is_untouched();
}

/// CVE-2020-10696, CVE-2019-14271, CVE-2021-3602 by way of a build: nothing is written or read through links of the image, nor by an
/// archive that plants them, nor does a program of the image run but in RUN.
fn copies_through_links(case: &Case) {
    let bait = Bait::new(case);
    let singer = "#!/bin/sh\necho sang >>/canary\nexec /bin/busybox \"${0##*/}\" \"$@\"\n";
    let layer = Layer::new()
        .symlink("way", bait.path("").trim_end_matches('/'))
        .symlink("up", &format!("{}{}", "../".repeat(12), bait.path("")))
        .symlink("over", &bait.path("file"))
        .file("usr/bin/tar", 0o755, singer)
        .file("bin/tar", 0o755, singer)
        .file("bin/cp", 0o755, singer)
        .file("bin/chown", 0o755, singer);
    let image = pulled(case, layer);
    let context = Context::new(case, "");
    context.file("dir/planted", "planted");
    context.file("dir/inner/file", "planted");
    let archive = Layer::new()
        .symlink("in", &bait.path("inner"))
        .file("in/planted", 0o644, "planted")
        .symlink("past", &bait.path("file"))
        .file("past", 0o644, "planted")
        .hard_link("hard", &bait.path("file"))
        .file("../../../climbed", 0o644, "planted")
        .tar();
    std::fs::write(context.path.join("hostile.tar"), archive).unwrap();
    for line in [
        "COPY dir/planted /way/planted",
        "COPY dir /way/",
        "COPY dir/planted /over",
        "COPY --chown=33:33 --chmod=777 dir /up/",
        "COPY <<EOF /way/heredoc\nplanted\nEOF",
        "ADD hostile.tar /",
        "ADD hostile.tar /way/",
        "WORKDIR /way/deep/er",
        "WORKDIR /up/deep",
        "WORKDIR /way\nUSER 33\nWORKDIR inner",
        "VOLUME /way/inner",
        "RUN ls /way /up; true",
    ] {
        build(&context, &bait, &format!("FROM {image}\n{line}\nRUN test ! -e /canary\n"));
    }
    let done = build(&context, &bait, &format!("FROM {image}\nCOPY dir /fine/\nRUN cat /fine/inner/file\n")).code(0);
    assert!(done.stdout.contains("\nplanted"), "{done}");
    for line in [
        "COPY --from=0 /way/file /stolen",
        "COPY --from=0 /over /stolen",
        "COPY --from=0 /up /stolen/",
        "COPY --from=0 /w*/file /stolen",
        "COPY --from=0 /way /stolen/",
    ] {
        let text = format!(
            "FROM {image}\nRUN true\nFROM {image}\n{line}\nFROM IMAGE\nCOPY --from=1 / /all/\nRUN grep -r 'nobody els[e]' /all && exit 9; true\n"
        );
        let done = build(&context, &bait, &text);
        assert_ne!(done.code, Some(9), "{line}: {done}");
    }
    assert!(!case.home.join("climbed").exists());
}

/// A context that leads out of itself, by links, patterns and what its ignore file says; and while it changes.
fn contexts_that_lead_out(case: &Case) {
    let (bait, context) = (Bait::new(case), Context::new(case, ""));
    symlink(bait.path(""), context.path.join("out")).unwrap();
    symlink(bait.path("file"), context.path.join("file-out")).unwrap();
    std::fs::create_dir(context.path.join("dir")).unwrap();
    symlink("../out/file", context.path.join("dir/far")).unwrap();
    symlink("loop", context.path.join("loop")).unwrap();
    symlink(bait.path("file"), context.path.join(".dockerignore")).unwrap();
    for line in [
        "COPY out/file /stolen",
        "COPY out /stolen/",
        "COPY out/ /stolen/",
        "COPY file-out /stolen",
        "COPY file-* /stolen",
        "COPY o*/file /stolen",
        "COPY o*/*/file /stolen",
        "COPY --parents out/./inner/file /stolen/",
        "COPY --parents ./out/file /stolen/",
        "COPY dir/far /stolen",
        "COPY loop /stolen",
        "COPY ../bait/file /stolen",
        "COPY dir/../../bait/file /stolen",
        "ADD file-out /stolen",
        "ADD /out/file /stolen",
        "RUN --mount=type=bind,target=/m cat /m/out/file /m/file-out /m/dir/far >/stolen",
    ] {
        let done = build(
            &context,
            &bait,
            &format!("FROM IMAGE\n{line}\nRUN grep -r 'nobody els[e]' /stolen && exit 9; true\n"),
        );
        assert_ne!(done.code, Some(9), "{line}: {done}");
    }
    // All of it: links are links.
    let done = build(
        &context,
        &bait,
        "FROM IMAGE\nCOPY . /all/\nRUN readlink /all/out; readlink /all/file-out; grep -r 'nobody els[e]' /all && exit 9; true\n",
    );
    assert!(done.code(0).stdout.contains(&bait.path("file")));
    // While a folder and a link take each other's place.
    std::fs::remove_file(context.path.join(".dockerignore")).unwrap();
    let (name, link) = (context.path.join("dir/name"), context.path.join("dir/link"));
    std::fs::create_dir(&name).unwrap();
    std::fs::write(name.join("file"), "inside\n").unwrap();
    symlink(bait.path(""), &link).unwrap();
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| exchange(&name, &link, &over));
        for _ in 0..tries() {
            for line in [
                "COPY dir /all/",
                "COPY dir/name/file /all/",
                "COPY d*/n*/f* /all/",
                "RUN --mount=type=bind,source=dir/name,target=/m cp -r /m /all",
            ] {
                context
                    .instructions(&format!("FROM IMAGE\n{line}\nRUN grep -r 'nobody els[e]' /all && exit 9; true\n"));
                let done = context.build(&["--no-cache"]);
                if done.code == Some(9) || done.stdout.contains(Bait::SECRET) {
                    over.store(true, Ordering::Relaxed);
                    panic!("{line}: {done}");
                }
            }
        }
        over.store(true, Ordering::Relaxed);
    });
    bait.is_untouched();
}

fn exchange(a: &Path, b: &Path, over: &AtomicBool) {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    while !over.load(Ordering::Relaxed) {
        renameat_with(CWD, a, CWD, b, RenameFlags::EXCHANGE).unwrap();
    }
}

/// What an ignore file leaves out is not there for any instruction.
fn ignored_files(case: &Case) {
    let (bait, context) = (Bait::new(case), Context::new(case, ""));
    context.file(".dockerignore", ".env\nsecrets\n!secrets/public\n**/*.key\n");
    for path in [".env", "secrets/word", "secrets/public", "deep/er/a.key", "plain"] {
        context.file(path, if path == "plain" || path == "secrets/public" { "plain\n" } else { Bait::SECRET });
    }
    symlink("secrets/word", context.path.join("way")).unwrap();
    symlink("secrets", context.path.join("ways")).unwrap();
    for line in [
        "COPY .env /all/",
        "COPY .e* /all/",
        "COPY . /all/",
        "COPY ./secrets/../.env /all/",
        "COPY secrets /all/",
        "COPY secrets/word /all/",
        "COPY --parents ./*/er/*.key /all/",
        "COPY way /all/",
        "COPY ways/word /all/",
        "COPY ways /all/",
        "RUN --mount=type=bind,target=/m cp -rL /m /all",
        "RUN --mount=type=bind,rw,target=/m cp -rL /m /all",
        "RUN --mount=type=bind,source=secrets,target=/m cp -r /m /all",
        "RUN --mount=type=bind,source=secrets/word,target=/m cp -r /m /all",
        "RUN --mount=type=bind,source=ways,target=/m cp -r /m /all",
    ] {
        let done =
            build(&context, &bait, &format!("FROM IMAGE\n{line}\nRUN grep -r 'nobody els[e]' /all && exit 9; true\n"));
        assert_ne!(done.code, Some(9), "{line}: {done}");
    }
    let done =
        build(&context, &bait, "FROM IMAGE\nRUN --mount=type=bind,target=/m cat /m/plain /m/secrets/public\n").code(0);
    assert!(done.stdout.contains("plain\nplain\n"), "{done}");
}

/// CVE-2024-23653: a Containerfile, or the ONBUILD of an image, takes no rights that the user did not give.
fn rights_that_nobody_gave(case: &Case) {
    let context = Context::new(case, "");
    let capable = "grep -q '^CapEff:.*ffffffff' /proc/self/status && echo all; readlink /proc/self/ns/net";
    let outside = std::fs::read_link("/proc/self/ns/net").unwrap().display().to_string();
    for (flag, right) in [("--security=insecure", "security.insecure"), ("--network=host", "network.host")] {
        let text = format!("FROM IMAGE\nRUN {flag} {capable}\n");
        context.instructions(&text);
        let done = context.build(&["--no-cache"]).code(125).error("Containerfile:2:");
        assert!(
            done.stderr.contains(&format!("--allow={right}"))
                && !done.stdout.contains("all\n")
                && !done.stdout.contains(&outside),
            "{done}"
        );
        // By way of what is built upon.
        context.instructions(&format!("FROM IMAGE\nONBUILD RUN {flag} {capable}\n"));
        case.coracle(["build", "-q", "-t", "upon", "--network=none", context.path.to_str().unwrap()]).code(0);
        context.instructions("FROM upon\n");
        context.build(&["--no-cache"]).code(125).error(flag);
        // Control: with the right it has what it asked for.
        context.instructions(&text);
        let done = context.build(&["--no-cache", "--allow", right]).code(0);
        assert!(done.stdout.contains("all\n") || done.stdout.contains(&outside), "{done}");
    }
    case.coracle(["build", "--allow=everything", context.path.to_str().unwrap()]).code(125).error("--allow=everything");
}

/// CVE-2024-24557: an image from elsewhere that says that it was made by the same steps is no step that was done here.
fn an_image_that_claims_to_be_a_step(case: &Case) {
    let context = Context::new(case, "FROM IMAGE\nRUN echo good >/x\n");
    let poisoned = Image::busybox().layer(Layer::new().file("x", 0o644, "evil\n"));
    let poisoned = poisoned.made_by(&["busybox", "/bin/sh -c echo good >/x"]);
    pull(case, poisoned);
    let done = context.build(&[]).code(0);
    assert!(!done.stdout.contains("Using cache"), "{done}");
    assert_eq!(context.prints("cat /x"), "good\n");
}

/// The files of the store that hold a text.
fn files_with(case: &Case, text: &str) -> String {
    let store = case.store();
    let arguments = ["-rls", "--devices=skip", text, store.to_str().unwrap()];
    // The kernel's overlay has directories that nobody may look into, nor write to.
    case.command_of("grep".as_ref(), arguments).finish().stdout
}

/// A builder that is killed while its command has the secret leaves no copy of it, neither before nor after anybody tidies up.
fn a_killed_build_leaves_no_secret(case: &Case) {
    let word = &*format!("k1lled-with-7703{}", case.driver.name());
    // Told from that of the case beside this one.
    let nap = format!("9.19{}", case.driver.name().len());
    let sleeps = || processes(&format!("sleep\0{nap}\0")).next().is_some();
    let context = Context::new(
        case,
        &format!(
            "FROM IMAGE\nRUN --mount=type=secret,id=word --mount=type=secret,id=word,env=WORD \
             test -s /run/secrets/word && test -n \"$WORD\" && exec sleep {nap}\n"
        ),
    );
    std::fs::write(case.home.join("word"), word).unwrap();
    let path = context.path.to_str().unwrap();
    let running = case.command(["build", "--network=none", "--secret=id=word,src=word", path]).own_group().start();
    wait_until("the command runs", LIMIT, sleeps);
    assert_eq!(files_with(case, word), "");
    running.signal(Signal::KILL);
    running.finish();
    wait_until("all have ended", LIMIT, || !sleeps());
    assert_eq!(files_with(case, word), "");
    context.instructions("FROM IMAGE\nRUN true\n");
    context.build(&[]).code(0);
    assert_eq!(files_with(case, word), "");
}

/// A secret is where its RUN finds it, and nowhere else: no layer, config, history, output, cache, nor among the processes; and what a
/// step depends on does not tell of it.
fn secrets_are_nowhere_else(case: &Case) {
    // Another than that of the case beside this one, which looks for its own.
    let word = &*format!("f00l-proof-9481{}", case.driver.name());
    let seconds = if case.driver == Driver::Kernel { "0.1948" } else { "0.1949" };
    let instructions = "FROM IMAGE AS first\n\
         RUN --mount=type=secret,id=word,target=/deep/word test \"$(cat /deep/word)\" = f00l-proof-9\"\"481DRIVER\n\
         RUN --mount=type=secret,id=word,env=WORD --mount=type=cache,target=/c test -n \"$WORD\"; until test -e /c/over; do echo waits; sleep SECONDS; done\n\
         FROM IMAGE\n\
         RUN --mount=type=secret,id=word test -s /run/secrets/word\n\
         COPY --from=first / /all/\n";
    let context = Context::new(case, &instructions.replace("DRIVER", case.driver.name()).replace("SECONDS", seconds));
    std::fs::write(case.home.join("word"), word).unwrap();
    let arguments = [
        "build",
        "-t",
        "built",
        "--network=none",
        "--progress=plain",
        "--secret=id=word,src=word",
        context.path.to_str().unwrap(),
    ];
    let running = case.command(arguments).start();
    let cache = || {
        let mounts = std::fs::read_dir(case.store().join("build-cache/mounts")).into_iter().flatten().flatten();
        mounts.map(|entry| entry.path().join("files")).find(|path| path.is_dir())
    };
    let sleeps = || processes(&format!("sleep\0{seconds}\0")).next().is_some();
    wait_until("the command waits", LIMIT, || cache().is_some() && sleeps());
    // While it runs, too: whoever is killed now leaves nothing.
    assert_eq!(files_with(case, word), "");
    let told: Vec<String> = processes("")
        .filter(|(name, line, environment)| {
            // The command itself, which has it in its environment, is inside.
            let inside = ["sh", "sleep", "busybox", "test", "cat"].contains(&name.as_str());
            line.contains(word) || environment.contains(word) && !inside
        })
        .map(|(name, line, _)| format!("{name}: {line}"))
        .collect();
    assert_eq!(told, Vec::<String>::new());
    std::fs::write(cache().unwrap().join("over"), "").unwrap();
    let done = running.finish().code(0);
    assert!(!done.stdout.contains(word) && !done.stderr.contains(word), "{done}");
    for question in [&["history", "--no-trunc", "built"][..], &["image", "inspect", "built"]] {
        let told = case.coracle(question.iter().copied()).code(0);
        assert!(!told.stdout.contains(word), "{told}");
    }
    case.coracle(["save", "-q", "-o", "built.tar", "built"]).code(0);
    let script = format!(
        "mkdir x && tar -xf built.tar -C x && for f in $(find x -type f); do gzip -dc $f 2>/dev/null | grep -q {word} && echo $f; done; grep -rl {word} x '{}'",
        case.store().display()
    );
    case.command_of("sh".as_ref(), ["-c", &script]).finish().stdout("");
    // Another word is no other step.
    std::fs::write(case.home.join("word"), "another").unwrap();
    let again = case.coracle(arguments).code(0);
    assert_eq!(again.stdout.matches("Using cache").count(), 4, "{again}");
}

/// Name, command line and environment of the processes of this account, whose command line begins so.
fn processes(start: &str) -> impl Iterator<Item = (String, String, String)> {
    let folders = std::fs::read_dir("/proc").unwrap().flatten().map(|entry| entry.path());
    let read = |path: &Path, name: &str| {
        String::from_utf8_lossy(&std::fs::read(path.join(name)).unwrap_or_default()).into_owned()
    };
    let all = folders
        .map(move |path| (read(&path, "comm").trim_end().to_owned(), read(&path, "cmdline"), read(&path, "environ")));
    all.filter(move |(_, line, _)| line.starts_with(start))
}

on_both_drivers!(
    sources_of_mounts,
    targets_of_mounts,
    copies_through_links,
    contexts_that_lead_out,
    ignored_files,
    rights_that_nobody_gave,
    an_image_that_claims_to_be_a_step,
    secrets_are_nowhere_else,
    a_killed_build_leaves_no_secret,
);
