//! What the reference says, line by line.

use super::*;

fn read(text: &str) -> Dockerfile {
    parse("Containerfile", text.as_bytes()).unwrap_or_else(|fault| panic!("{fault}\n{}", fault.place.excerpt()))
}

/// The instruction behind a FROM.
fn one(text: &str) -> Kind {
    read(&format!("FROM scratch\n{text}\n")).instructions.remove(1).kind
}

fn words(words: &[Word]) -> Vec<&str> {
    words.iter().map(|word| word.text.as_str()).collect()
}

fn pairs(pairs: &[(Word, Word)]) -> Vec<(&str, &str)> {
    pairs.iter().map(|(name, value)| (name.text.as_str(), value.text.as_str())).collect()
}

fn exec(list: &[&str]) -> Command {
    Command::Exec(list.iter().map(|word| (*word).to_owned()).collect())
}

/// Where, what, and what would help.
#[track_caller]
fn wrong(text: &str, place: &str, problem: &str, hint: &str) {
    let fault = parse("F", text.as_bytes()).expect_err(text);
    assert_eq!(fault.to_string(), format!("F:{place}: {problem}"));
    let said = fault.hint().unwrap_or_default();
    assert!(said.contains(hint), "{said}");
}

#[test]
fn lines_are_joined_and_know_where_they_stood() {
    let file = read(
        "\u{feff}# syntax=docker/dockerfile:1\r\n#check=skip=all\r\n\r\n# note\r\n  FROM a \\\r\n# comment\r\n\r\n  AS \\  \r\n b\r\nrun x \\\\\nCMD y \\\\\\\nUSER \\\nme",
    );
    assert_eq!(file.directives.syntax.unwrap().text, "docker/dockerfile:1");
    assert_eq!(file.directives.check.unwrap().text, "skip=all");
    let shown: Vec<_> = file.instructions.iter().map(|one| (one.line, one.text.as_str())).collect();
    assert_eq!(shown, [(5, "FROM a   AS  b"), (10, "run x \\\\"), (11, "CMD y \\\\\\"), (12, "USER me")]);
    let Kind::From(from) = &file.instructions[0].kind else { panic!() };
    let name = from.name.clone().unwrap();
    assert_eq!((name.text.as_str(), file.source.place(name.span).to_string().as_str()), ("b", "Containerfile:9:2"));
    let whole = file.instructions[0].span;
    assert!(file.source.text[whole.start..whole.end].starts_with("  FROM a") && whole.end > name.span.start);
    let Kind::User(user) = &file.instructions[3].kind else { panic!() };
    assert_eq!(&file.source.text[user.span.start..user.span.end], "me");
}

#[test]
fn directives_come_first_and_once() {
    assert_eq!(read("# escape=`\nFROM a\nCOPY a\\b `\n  c\\").instructions[1].text, "COPY a\\b   c\\");
    // Behind any other line they are comments.
    assert_eq!(read("# note\n# escape=`\nFROM a\nUSER x`").directives, Directives::default());
    assert_eq!(read("\n# escape=`\nFROM a").directives.escape, '\\');
    wrong("# escape=`\n#escape=\\\nFROM a", "2:1", "a second `# escape=`", "");
    wrong("# escape=x\nFROM a", "1:1", "`x` can't be the escape character", "backquote");
}

#[test]
fn heredocs_are_collected() {
    let Kind::Run(run) = one("RUN <<EOF\n  a\n\nEOF \nEOF") else { panic!() };
    assert_eq!(run.body(), Body::Shell("  a\n\nEOF \n".into()));
    assert!(run.heredocs[0].expands && !run.heredocs[0].strips_tabs);
    let Kind::Run(run) = one("RUN <<-\"A B\"\n\t\tx\n\tA B") else { panic!() };
    assert_eq!(run.body(), Body::Shell("x\n".into()));
    assert!(!run.heredocs[0].expands);
    let Kind::Run(run) = one("RUN --network=none <<'E'\n#!/usr/bin/env python\nprint()\nE") else { panic!() };
    let script = Body::Script { name: "E".into(), content: "#!/usr/bin/env python\nprint()\n".into() };
    assert_eq!((run.body(), run.network), (script, RunNetwork::None));
    // The shell's own.
    let Kind::Run(run) = one("RUN cat <<A 3<<-B \\\n > f\na\nA\n\tb\n\tB\nUSER x") else { panic!() };
    assert_eq!(run.body(), Body::Shell("cat <<A 3<<-B  > f\na\nA\n\tb\nB".into()));
    // What only looks like one.
    for text in [
        "RUN echo $((1 << 2)) '<<EOF' <<<x",
        "RUN [\"cat\", \"<<EOF\"]",
        "RUN echo it's <<EOF",
        "USER <<EOF",
        "RUN cat << EOF",
    ] {
        let file = read(&format!("FROM a\n{text}\nUSER u"));
        assert_eq!(file.instructions.len(), 3, "{text}");
    }
    let Kind::Copy(copy) = one("COPY --chown=1 <<a.txt x <<-'b' /d/\n$A\na.txt\n\tq\nb") else { panic!() };
    let [CopySource::Heredoc(a), CopySource::Path(x), CopySource::Heredoc(b)] = copy.sources.as_slice() else {
        panic!("{copy:?}")
    };
    assert_eq!((a.name.as_str(), a.text().as_str(), a.expands), ("a.txt", "$A\n", true));
    assert_eq!((b.name.as_str(), b.text().as_str(), b.expands, x.text.as_str()), ("b", "q\n", false, "x"));
    wrong("FROM a\nRUN x <<EOF\ny\n EOF\n", "2:7", "the heredoc `EOF` has no end", "alone");
    wrong("FROM a\nRUN cat <<EOF>f\ny\nEOF\n", "2:9", "the heredoc `EOF>f` has no end", "`EOF >f`");
    // Their ends of lines are theirs.
    let Kind::Run(run) = one("RUN <<E\r\na\r\nE\r\n") else { panic!() };
    assert_eq!(run.heredocs[0].content, "a\r\n");
}

#[test]
fn from_has_a_platform_and_a_name() {
    let file = read("ARG V=1\nfrom --platform=$BUILDPLATFORM debian:${V} as Base-1.x\nFROM scratch");
    let Kind::From(from) = &file.instructions[1].kind else { panic!() };
    assert_eq!(from.image.text, "debian:${V}");
    assert_eq!(from.platform.as_ref().unwrap().text, "$BUILDPLATFORM");
    assert_eq!(from.name.as_ref().unwrap().text, "base-1.x");
    wrong("FROM", "1:1", "FROM needs an image", "scratch");
    wrong("FROM a b", "1:8", "expected `AS NAME`, and not `b`", "");
    wrong("FROM a AS", "1:8", "AS needs a name", "");
    wrong("FROM a AS 1x", "1:11", "`1x` can't be the name of a stage", "letter");
    wrong("FROM a AS b c", "1:13", "FROM takes no more than `IMAGE AS NAME`", "");
    wrong("FROM --platfrom=x a", "1:6", "FROM has no flag `--platfrom`", "`--platform`");
    wrong("RUN x\nFROM a", "1:1", "RUN before the first FROM", "FROM IMAGE");
    wrong("ARG x\n", "2:1", "there is no FROM", "scratch");
    wrong("# only\n", "2:1", "there are no instructions", "scratch");
}

#[test]
fn run_has_mounts_and_forms() {
    let Kind::Run(run) = one(
        "RUN --mount=type=cache,target=/c,sharing=locked --mount=type=bind,from=b,src=/x,dst=/y,rw --security=insecure --device=v/d=x make  all ",
    ) else {
        panic!()
    };
    assert_eq!((run.command, run.security), (Command::Shell("make  all".into()), Security::Insecure));
    assert_eq!(words(&run.devices), ["v/d=x"]);
    let as_it_is = |text: &str| Ok::<_, MountError>(text.to_owned());
    let specs: Vec<_> = run.mounts.iter().map(|mount| mount.read(as_it_is).unwrap()).collect();
    assert_eq!((specs[0].kind, specs[0].sharing, specs[0].read_only), (MountKind::Cache, Sharing::Locked, false));
    assert_eq!((specs[1].source.as_deref(), specs[1].target.as_deref()), (Some("/x"), Some("/y")));
    assert_eq!((run.mounts[1].from.as_deref(), specs[1].read_only), (Some("b"), false));
    let Kind::Run(run) = one("RUN [\"a b\", \"c\"]") else { panic!() };
    assert_eq!(run.command, exec(&["a b", "c"]));
    // No JSON: the shell's.
    let Kind::Run(run) = one("RUN ['a', 'b']") else { panic!() };
    assert_eq!(run.command, Command::Shell("['a', 'b']".into()));
    for (text, place, problem, hint) in [
        ("RUN", "2:1", "RUN needs a command", ""),
        ("RUN []", "2:1", "RUN needs a command", ""),
        ("RUN [\"a\", 1]", "2:5", "the list has something that is no string", "double quotes"),
        ("RUN --mount=type=chache,target=/x y", "2:13", "`chache` is no type of mount", "`cache`"),
        ("RUN --mount=type=cache y", "2:13", "a mount of type cache needs a `target`", ""),
        ("RUN --mount=type=cache,tagret=/x y", "2:13", "a mount has no `tagret`", "`target`"),
        ("RUN --mount=target=/x,sharing=shared y", "2:13", "a mount of type bind has no `sharing`", ""),
        ("RUN --mount=target=/x,from=$Y y", "2:13", "no variables stand in `from`", "AS name"),
        ("RUN --mount=target y", "2:13", "`target` needs a value", ""),
        ("RUN --mount y", "2:7", "`--mount` needs a value", "="),
        ("RUN --network=nat y", "2:15", "`--network=nat`: expected default, none or host", ""),
        ("RUN --network=host --network=none y", "2:20", "`--network` is given twice", ""),
        ("RUN --chown=1 y", "2:5", "RUN has no flag `--chown`", "`--mount`"),
    ] {
        wrong(&format!("FROM a\n{text}"), place, problem, hint);
    }
    // What has variables is looked at when they have values.
    let Kind::Run(run) = one("RUN --mount=type=$T,target=/x y") else { panic!() };
    let expanded = run.mounts[0].read(|text| Ok::<_, MountError>(text.replace("$T", "tmpfs")));
    assert_eq!(expanded.unwrap().kind, MountKind::Tmpfs);
    let secret = Mount::new(Word { text: "type=secret,id=k,env=K,required,mode=0400,uid=5".into(), ..Word::default() });
    let secret = secret.unwrap().read(as_it_is).unwrap();
    assert_eq!(
        (secret.env.as_deref(), secret.required, secret.mode, secret.uid),
        (Some("K"), true, Some(0o400), Some(5))
    );
    let tmpfs = Mount::new(Word { text: "type=tmpfs,\"target=/a,b\",size=1.5k".into(), ..Word::default() });
    let tmpfs = tmpfs.unwrap().read(as_it_is).unwrap();
    assert_eq!((tmpfs.target.as_deref(), tmpfs.size), (Some("/a,b"), Some(1536)));
}

#[test]
fn copy_and_add_have_sources_and_a_destination() {
    let Kind::Copy(copy) = one(
        "COPY --from=0 --chown=\"a:b\" --chmod=u=rwX,go=rX --parents --link=false --exclude=*.x --exclude=y a* b /d/",
    ) else {
        panic!()
    };
    assert_eq!((copy.from.unwrap().text.as_str(), copy.parents, copy.link), ("0", true, false));
    assert_eq!((copy.chown.unwrap().text.as_str(), copy.chmod.unwrap().text.as_str()), ("a:b", "u=rwX,go=rX"));
    assert_eq!(
        (words(&copy.excludes), copy.destination.text.as_str(), copy.sources.len()),
        (vec!["*.x", "y"], "/d/", 2)
    );
    let Kind::Copy(copy) = one("COPY [\"a b\", \"c\"]") else { panic!() };
    assert!(matches!(&copy.sources[..], [CopySource::Path(word)] if word.text == "a b"));
    let Kind::Add(add) = one("ADD --checksum=sha256:1 --keep-git-dir --unpack=false https://x/y /z") else { panic!() };
    assert_eq!((add.checksum.unwrap().text.as_str(), add.keep_git_dir, add.unpack), ("sha256:1", true, Some(false)));
    for (text, place, problem, hint) in [
        ("COPY a", "2:1", "COPY needs a source and a destination", "SOURCE... DESTINATION"),
        ("COPY --from=$x a b", "2:13", "no variables stand in `--from`", "AS name"),
        ("COPY --from a b", "2:8", "`--from` needs a value", ""),
        ("COPY --link=x a b", "2:13", "`--link=x`: expected true or false", ""),
        ("COPY a <<E\nE", "2:8", "COPY needs a destination", ""),
        ("ADD --from=x a b", "2:5", "ADD has no flag `--from`", "`--chown`"),
    ] {
        wrong(&format!("FROM a\n{text}"), place, problem, hint);
    }
}

#[test]
fn names_have_values() {
    let Kind::Env(env) = one("ENV a=b c=\"d e\" f=g\\ h 'i j'=k l=") else { panic!() };
    assert_eq!(pairs(&env), [("a", "b"), ("c", "\"d e\""), ("f", "g\\ h"), ("'i j'", "k"), ("l", "")]);
    let Kind::Env(env) = one("ENV  name  the \"value\" = x ") else { panic!() };
    assert_eq!(pairs(&env), [("name", "the \"value\" = x")]);
    let Kind::Label(label) = one("LABEL \"com.x y\"=\"a \\\n b\"") else { panic!() };
    assert_eq!(pairs(&label), [("\"com.x y\"", "\"a  b\"")]);
    let Kind::Arg(arg) = one("ARG a b=1 c=\"x y\"") else { panic!() };
    let shown: Vec<_> =
        arg.iter().map(|(name, value)| (name.text.as_str(), value.as_ref().map(|value| value.text.as_str()))).collect();
    assert_eq!(shown, [("a", None), ("b", Some("1")), ("c", Some("\"x y\""))]);
    for (text, place, problem, hint) in [
        ("ENV", "2:1", "ENV needs `NAME=VALUE`", ""),
        ("ENV a", "2:5", "ENV needs a value: `NAME=VALUE`", ""),
        ("ENV a=b c", "2:9", "`c` is not NAME=VALUE", "quotes"),
        ("ENV =b", "2:5", "a name is empty", ""),
        ("ARG", "2:1", "ARG needs a name", ""),
        ("ARG a =b", "2:7", "a name is empty", ""),
    ] {
        wrong(&format!("FROM a\n{text}"), place, problem, hint);
    }
}

#[test]
fn the_other_instructions() {
    assert!(matches!(one("WORKDIR /a b"), Kind::Workdir(word) if word.text == "/a b"));
    assert!(
        matches!(one("expose 80 53/udp 8000-8010"), Kind::Expose(ports) if words(&ports) == ["80", "53/udp", "8000-8010"])
    );
    assert!(matches!(one("VOLUME /a /b"), Kind::Volume(paths) if words(&paths) == ["/a", "/b"]));
    assert!(matches!(one("VOLUME [\"/a b\"]"), Kind::Volume(paths) if words(&paths) == ["/a b"]));
    assert_eq!(one("CMD []"), Kind::Cmd(exec(&[])));
    assert_eq!(one("CMD echo $x"), Kind::Cmd(Command::Shell("echo $x".into())));
    assert_eq!(one("ENTRYPOINT [\"/a\", \"-b\"]"), Kind::Entrypoint(exec(&["/a", "-b"])));
    assert_eq!(one("SHELL [\"/bin/bash\", \"-c\"]"), Kind::Shell(vec!["/bin/bash".into(), "-c".into()]));
    assert!(matches!(one("STOPSIGNAL SIGINT"), Kind::StopSignal(word) if word.text == "SIGINT"));
    assert!(matches!(one("MAINTAINER a <b@c>"), Kind::Maintainer(word) if word.text == "a <b@c>"));
    assert_eq!(one("HEALTHCHECK none"), Kind::HealthCheck(HealthCheck::None));
    let Kind::HealthCheck(HealthCheck::Check { interval, timeout, start_interval, retries, command, .. }) =
        one("HEALTHCHECK --interval=1m30s --start-interval=500ms --retries=3 CMD curl x || exit 1")
    else {
        panic!()
    };
    let seconds = |seconds| Some(std::time::Duration::from_millis(seconds));
    assert_eq!((interval, timeout, start_interval, retries), (seconds(90_000), None, seconds(500), Some(3)));
    assert_eq!(command, Command::Shell("curl x || exit 1".into()));
    for (text, place, problem, hint) in [
        ("RUNN x", "2:1", "unknown instruction `RUNN`", "did you mean `RUN`?"),
        ("workdri /x", "2:1", "unknown instruction `workdri`", "did you mean `WORKDIR`?"),
        ("apt-get update", "2:1", "unknown instruction `apt-get`", "RUN before it"),
        ("CMD --x", "2:5", "CMD has no flag `--x`", "[\"--x\"]"),
        ("WORKDIR", "2:1", "WORKDIR needs a directory", ""),
        ("USER", "2:1", "USER needs a name or number", ""),
        ("EXPOSE", "2:1", "EXPOSE needs a port", ""),
        ("VOLUME []", "2:1", "VOLUME needs a directory", ""),
        (
            "SHELL /bin/sh -c",
            "2:7",
            "SHELL needs a list: `[\"program\", \"argument\"]`",
            "SHELL [\"/bin/bash\", \"-c\"]",
        ),
        ("STOPSIGNAL a b", "2:14", "STOPSIGNAL takes no more than a signal", ""),
        ("HEALTHCHECK", "2:1", "HEALTHCHECK needs `CMD` or `NONE`", ""),
        ("HEALTHCHECK curl x", "2:13", "expected `CMD` or `NONE`, and not `curl`", "HEALTHCHECK CMD"),
        ("HEALTHCHECK CMD", "2:13", "HEALTHCHECK CMD needs a command", ""),
        ("HEALTHCHECK --interval=30 CMD x", "2:24", "`--interval=30`: expected a duration, as in `30s` or `1m30s`", ""),
        ("HEALTHCHECK --retries=-1 CMD x", "2:23", "`--retries=-1`: expected a number", ""),
        ("ONBUILD", "2:1", "ONBUILD needs an instruction", ""),
        ("ONBUILD FROM x", "2:9", "FROM can't be what ONBUILD delays", ""),
    ] {
        wrong(&format!("FROM a\n{text}"), place, problem, hint);
    }
}

#[test]
fn what_is_delayed_is_read_again() {
    let Kind::OnBuild(delayed) = one("ONBUILD COPY --chown=1 <<A /b\nx\nA\nUSER y") else { panic!() };
    assert_eq!(delayed.text, "COPY --chown=1 <<A /b\nx\nA");
    let (source, again) = on_build("ONBUILD of x", &delayed.text).unwrap();
    assert_eq!(again.text, delayed.instruction.text);
    let (Kind::Copy(before), Kind::Copy(after)) = (&delayed.instruction.kind, &again.kind) else { panic!() };
    assert_eq!((before.sources.clone(), source.name.as_str()), (after.sources.clone(), "ONBUILD of x"));
    for bad in ["", "FROM x", "USER a\nUSER b", "ONBUILD USER x", "RUNN"] {
        assert!(on_build("x", bad).is_err(), "{bad}");
    }
}

#[test]
fn what_is_no_containerfile_is_refused_with_words() {
    wrong(
        &"#".repeat(LONGEST + 1),
        "1:1",
        "1048577 bytes are too many for instructions: 1048576 at most",
        "right file",
    );
    wrong("FROM a\nRUN \0", "2:5", "this is no text: a NUL", "right file");
    let fault = parse("F", b"FROM a\nRUN \xff\n").unwrap_err();
    assert_eq!((fault.place.line, fault.place.column, *fault.problem), (2, 5, Problem::NotText));
    let many = format!("FROM a\n{}", "USER x\n".repeat(MOST));
    wrong(&many, "10001:1", "more than 10000 instructions", "");
}
