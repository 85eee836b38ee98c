//! Flags of `build`: what commands find of those that `run` has, too, and what the image is given.

use super::{Context, nothing_is_left};
use crate::harness::{Account, Case, Driver};

/// The sandbox of a RUN is what the same words give with `run`.
fn the_sandbox_is_runs(case: &Case) {
    let script = "grep made.example /etc/hosts; ulimit -n; df -k /dev/shm | awk 'NR == 2 { print $2 }'; \
                  grep -E 'NoNewPrivs|Cap(Eff|Bnd|Prm)' /proc/self/status; cat /proc/self/uid_map; cat /mounted/file";
    let volume = format!("--volume={}:/mounted:ro", case.home.join("mounted").display());
    std::fs::create_dir_all(case.home.join("mounted")).unwrap();
    std::fs::write(case.home.join("mounted/file"), "of this machine\n").unwrap();
    let mut flags = vec![
        "--add-host=made.example:192.0.2.7",
        "--ulimit=nofile=123:124",
        "--shm-size=2m",
        "--security-opt=no-new-privileges",
        "--cap-add=NET_ADMIN",
        "--cap-drop=CHOWN",
        volume.as_str(),
    ];
    if case.driver == Driver::Fuse && Account::current().subordinate > 0 {
        flags.push("--userns=auto:size=1024");
    }
    let context = Context::new(case, &format!("FROM IMAGE\nRUN ({script}) >/facts\n"));
    context.build(&flags).code(0);
    let image = case.busybox();
    let run = ["run", "--rm", "--network=none"].into_iter().chain(flags.iter().copied());
    let mut expected = case.coracle(run.chain([image.as_str(), "sh", "-c", script])).code(0).stdout;
    let mut facts = context.prints("cat /facts; ls -A /mounted 2>/dev/null | wc -l");
    assert!(facts.ends_with("of this machine\n0\n"), "{facts}");
    // Each container gets ids of its own.
    for text in [&mut facts, &mut expected] {
        *text =
            text.lines().map(|line| line.split_whitespace().take(1).collect::<String>()).collect::<Vec<_>>().join(" ");
    }
    assert_eq!(facts, format!("{expected} 0"));
    assert!(facts.starts_with("192.0.2.7 123 2048 Cap"), "{facts}");
    nothing_is_left(case);
}

fn what_the_image_is_given(case: &Case) {
    let context = Context::new(
        case,
        "FROM IMAGE\n\
         COPY . /c\n\
         RUN --mount=type=secret,id=token sh -c 'md5sum </run/secrets/token' >/sum\n",
    );
    for name in ["kept", "left-out"] {
        context.file(name, name);
    }
    std::fs::write(case.home.join("ignored"), "left-out\nContainerfile\n").unwrap();
    let ignored = format!("--ignorefile={}", case.home.join("ignored").display());
    let id_file = case.home.join("id");
    let iidfile = format!("--iidfile={}", id_file.display());
    let path = context.path.to_str().unwrap();
    let flags = ["build", "-t", "built", "--network=none", "--annotation=a.b=c d", "--env=GIVEN=x y", "--env=TAKEN"];
    let flags = flags.into_iter().chain(["--secret=id=token,env=TOKEN", &ignored, &iidfile, path]);
    case.command(flags).env("TAKEN", "from here").env("TOKEN", "very secret").finish().code(0);
    assert_eq!(std::fs::read_to_string(id_file).unwrap(), format!("sha256:{}", context.config("{{.Id}}")));
    assert_eq!(context.config("{{json .Annotations}}"), r#"{"a.b":"c d"}"#);
    assert_eq!(
        context.prints("ls /c; echo $GIVEN, $TAKEN; echo -n 'very secret' | md5sum | cmp - /sum"),
        "kept\nx y, from here\n"
    );
    for (flags, error, hint) in [
        (
            &["--file=https://example.org/Containerfile"] as &[&str],
            "instructions are not fetched from other machines",
            "curl",
        ),
        (&["--secret=id=token,env=NOWHERE_TO_BE_FOUND"], "NOWHERE_TO_BE_FOUND", ""),
        (&["--timestamp=soon"], "soon", ""),
        (&["--build-arg=SOURCE_DATE_EPOCH=soon"], "SOURCE_DATE_EPOCH is `soon`: expected seconds since 1970", ""),
        (&["--format=squashed"], "expected `oci` or `docker`", ""),
        (&["--pull=sometimes"], "expected `missing`, `always`, `newer` or `never`", ""),
        (&["--nonsense"], "--nonsense", ""),
    ] {
        let refused = context.build(flags).code(125);
        assert!(refused.stderr.contains(error) && refused.stderr.contains(hint), "{flags:?}\n{refused}");
    }
    context.instructions("FROM IMAGE\nRUN echo a >/a\nRUN echo b >/b\n");
    context.build(&["--layers=false"]).code(0);
    assert_eq!(context.config("{{len .RootFS.Layers}}"), "2");
    context.instructions("FROM IMAGE\nRUN --mount=type=secret,id=other,required=true true\n");
    context.build(&[]).code(125).error("the secret `other` that RUN needs was not given");
}

/// Podman's own: another image for the first FROM, what the image is not to have, namespaces of the commands.
fn what_podman_has_beside(case: &Case) {
    let image = case.busybox();
    let context = Context::new(
        case,
        "FROM nowhere.example/missing AS first\n\
         ENV KEPT=1 LEFT=2\n\
         LABEL kept=1 left=2\n\
         RUN readlink /proc/self/ns/uts >/namespaces; readlink /proc/self/ns/ipc >>/namespaces\n\
         FROM first\n",
    );
    let from = format!("--from={image}");
    let host = |name: &str| std::fs::read_link(format!("/proc/self/ns/{name}")).unwrap().display().to_string();
    context
        .build(&[&from, "--unsetenv=LEFT", "--unsetlabel=left", "--omit-history", "--uts=host", "--ipc=host"])
        .code(0);
    assert_eq!(context.prints("cat /namespaces"), format!("{}\n{}\n", host("uts"), host("ipc")));
    assert_eq!(context.prints("echo $KEPT,$LEFT"), "1,\n");
    assert_eq!(context.config("{{json .Labels}} {{len .History}}"), r#"{"kept":"1"} 0"#);
    case.coracle(["history", "-q", "built"]).code(0).stdout("");
    context.build(&[&from, "--omit-history", "--uts=private", "--ipc=", "--pid=container"]).code(0);
    let own = context.prints("cat /namespaces");
    assert!(!own.contains(&host("uts")) && !own.contains(&host("ipc")), "{own}");
    // An image that was made without a history can be built upon.
    context.instructions("FROM built\nRUN echo more >/more\n");
    context.build(&["--squash"]).code(0);
    assert_eq!(context.prints("cat /more /namespaces"), format!("more\n{own}"));
    // Of `hosts`, the image's.
    context.instructions("FROM IMAGE\nRUN rm -f /etc/hosts; echo own >/etc/hosts\nRUN cat /etc/hosts >/seen\n");
    context.build(&["--no-hosts"]).code(0);
    assert_eq!(context.prints("cat /seen"), "own\n");
    // What changes nothing is taken; what can't be done is refused, with what to do.
    context.instructions("FROM IMAGE\n");
    context
        .build(&["--isolation=chroot", "--compress", "-D", "--identity-label=false", "--skip-unused-stages"])
        .code(0);
    context.build(&["--isolation=hyperv"]).code(125);
    for (flag, why, hint) in [
        ("--manifest=list", "a build is for one platform", "coracle manifest create"),
        ("--cpp-flag=-DX", "do not go through the C preprocessor", "cpp -E"),
        ("--runtime=runc", "this program is its own runtime", "leave it out"),
        ("--stdin", "has an empty input", "heredoc"),
    ] {
        let name = flag.split('=').next().unwrap();
        let refused = context.build(&[flag]).code(125).error(&format!("{name}: "));
        assert!(refused.stderr.contains(why) && refused.stderr.contains(hint), "{refused}");
    }
}

on_both_drivers!(the_sandbox_is_runs, what_the_image_is_given, what_podman_has_beside);
