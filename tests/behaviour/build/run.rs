//! RUN, and the instructions that change the config alone.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixListener;

use super::Context;
use crate::harness::image::registry;
use crate::harness::{Account, Case, binary};

fn every_setting(case: &Case) {
    let context = Context::new(
        case,
        "ARG BASE=IMAGE\n\
         FROM $BASE\n\
         ARG WHO=world\n\
         ENV GREETING=\"hello $WHO\" OTHER=${NONE:-fallback}\n\
         LABEL a=1 \"b c\"=$WHO\n\
         WORKDIR /work\nWORKDIR below\n\
         EXPOSE 80 53/udp 8000-8002 9000-9010/UDP\n\
         VOLUME /data\n\
         STOPSIGNAL SIGINT\n\
         HEALTHCHECK --interval=5s --retries=2 CMD true\n\
         ONBUILD USER 0\nONBUILD RUN echo built upon >/upon\n\
         RUN echo \"$GREETING $WHO $OTHER\" >/greeting; pwd >>/greeting\n\
         RUN [\"sh\", \"-c\", \"echo exec $0 >>/greeting\"]\n\
         RUN <<EOF\necho first >>/greeting\necho second >>/greeting\nEOF\n\
         SHELL [\"/bin/sh\", \"-ec\"]\n\
         USER 33:44\n\
         RUN id -u; test \"$(id -u):$(id -g)\" = 33:44\n\
         ENTRYPOINT [\"cat\"]\n\
         CMD [\"/greeting\"]\n",
    );
    let built = context.build(&["--build-arg", "WHO=you", "--label", "c=3"]).code(0);
    assert_eq!(built.stdout.lines().last().unwrap().len(), 64, "{built}");
    assert!(built.stdout.contains("STEP 1/20: FROM $BASE\n") && built.stdout.contains("\n33\n"), "{built}");
    let shown = case.coracle(["run", "--rm", "--network=none", "built"]).code(0);
    shown.stdout("hello you you fallback\n/work/below\nexec sh\nfirst\nsecond\n");
    for (template, value) in [
        ("{{.User}} {{.Config.WorkingDir}} {{.Config.StopSignal}}", "33:44 /work/below SIGINT"),
        ("{{json .Config.ExposedPorts}}", r#"{"53/udp":{},"80/tcp":{},"8000-8002/tcp":{},"9000-9010/udp":{}}"#),
        (
            "{{json .Config.Volumes}} {{json .Config.OnBuild}}",
            r#"{"/data":{}} ["USER 0","RUN echo built upon >/upon"]"#,
        ),
        ("{{json .Labels}}", r#"{"a":"1","b c":"you","c":"3"}"#),
        ("{{json .Config.Entrypoint}} {{json .Config.Cmd}}", r#"["cat"] ["/greeting"]"#),
        ("{{json .Config.Shell}} {{len .RootFS.Layers}}", r#"["/bin/sh","-ec"] 5"#),
    ] {
        assert_eq!(context.config(template), value, "{template}");
    }
    // What the image brings along for those who build upon it is done once, and not handed on.
    context.instructions("FROM built\nRUN test -e /upon\n");
    context.build(&[]).code(0);
    let shown = case.coracle(["run", "--rm", "--network=none", "--entrypoint=cat", "built", "/upon"]);
    shown.code(0).stdout("built upon\n");
    assert!(!context.config("{{json .Config}}").contains("OnBuild"));
}

fn mounts(case: &Case) {
    let context = Context::new(
        case,
        "FROM IMAGE AS other\n\
         RUN mkdir /made && echo from a stage >/made/file\n\
         FROM IMAGE\n\
         RUN --mount=type=bind,target=/context --mount=from=other,source=/made,target=/other \
             cat /context/input /other/file >/seen; echo x >/context/input || echo read-only >>/seen\n\
         RUN --mount=type=cache,target=/cache echo once >>/cache/times; wc -l </cache/times >/count\n\
         RUN --mount=type=tmpfs,target=/memory echo x >/memory/x\n\
         RUN --mount=type=secret,id=token cat /run/secrets/token | md5sum >/sum; grep -c . /run/secrets/token\n\
         RUN --mount=type=secret,id=token,env=TOKEN echo -n \"$TOKEN\" | md5sum | cmp - /sum\n",
    );
    context.file("input", "from the context\n");
    std::fs::write(case.home.join("token"), "very secret").unwrap();
    let secret = format!("id=token,src={}", case.home.join("token").display());
    context.build(&["--secret", &secret]).code(0);
    assert_eq!(context.prints("cat /seen /count"), "from the context\nfrom a stage\nread-only\n1\n");
    // Nothing of what was mounted is left, and nothing knows the secret.
    assert_eq!(context.prints("ls -d /context /other /cache /memory /run/secrets 2>/dev/null | wc -l"), "0\n");
    super::nothing_is_left(case);
    let everywhere = case.command_of("grep".as_ref(), ["-rl", "very secret", case.store().to_str().unwrap()]).finish();
    everywhere.code(1).stdout("");
    // The cache is there the next time.
    context.build(&["--secret", &secret, "--no-cache"]).code(0);
    assert_eq!(context.prints("cat /count"), "2\n");
    let missing = context.build(&["--no-cache"]).code(2);
    assert!(missing.stderr.contains("Containerfile:7:1: the command "), "{missing}");
}

/// Agents for ssh are there while a command runs, each by its number, and nothing knows of them afterwards.
fn agents_for_ssh(case: &Case) {
    let context = Context::new(
        case,
        "FROM IMAGE\n\
         RUN --mount=type=ssh --mount=type=ssh,id=other --mount=type=ssh,id=third,target=/agent \
             test -S /run/buildkit/ssh_agent.0 && test -S /run/buildkit/ssh_agent.1 && test -S /agent && \
             echo $SSH_AUTH_SOCK >/which\n\
         RUN --mount=type=ssh,id=unknown echo \"[$SSH_AUTH_SOCK]\" >>/which\n",
    );
    let socket = case.home.join("agent");
    let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    let named = |name: &str| format!("--ssh={name}={}", socket.display());
    let flags = [named("default"), named("other"), named("third")];
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    context.build(&flags).code(0);
    assert_eq!(
        context.prints("cat /which; find / -xdev -name 'ssh_agent*' -o -xdev -name agent"),
        "/run/buildkit/ssh_agent.0\n[]\n"
    );
    let history = case.coracle(["history", "--no-trunc", "built"]).code(0).stdout;
    assert!(!history.contains(socket.to_str().unwrap()), "{history}");
    let store = case.store();
    let knows = ["-rl", "--exclude-dir=tmp", socket.to_str().unwrap(), store.to_str().unwrap()];
    case.command_of("grep".as_ref(), knows).finish().code(1).stdout("");
    context.instructions("FROM IMAGE\nRUN --mount=type=ssh,required=true true\n");
    context.build(&[]).code(125).error("the agent `default` that RUN needs was not given");
    context.instructions("FROM IMAGE\nRUN --device=vendor.com/class=x true\n");
    context.build(&[]).code(125).error("Containerfile:2:1: `RUN --device=vendor.com/class=x` is not known");
}

/// What is mounted is a path, whatever characters it has: with an ignore file, of which a copy is mounted, and without.
fn sources_are_no_patterns(case: &Case) {
    let context = Context::new(case, "");
    for name in ["a*b", "axb", "[x]", "x", "d?/in", "dd/in"] {
        context.file(name, &format!("of {name}\n"));
    }
    for ignored in ["", "unrelated\n"] {
        context.file(".containerignore", ignored);
        context.instructions(
            "FROM IMAGE\n\
             RUN --mount=type=bind,source=a*b,target=/f cat /f >/seen\n\
             RUN --mount=type=bind,source=[x],target=/f cat /f >>/seen\n\
             RUN --mount=type=bind,source=d?,target=/f cat /f/in >>/seen\n",
        );
        context.build(&[]).code(0);
        assert_eq!(context.prints("cat /seen"), "of a*b\nof [x]\nof d?/in\n", "{ignored:?}");
        for pattern in ["*", "[a]xb", "d[d]", "a*x"] {
            context.instructions(&format!("FROM IMAGE\nRUN --mount=type=bind,source={pattern},target=/f true\n"));
            context.build(&[]).code(125).error(&format!("Containerfile:2:1: `{pattern}` is not in the build context"));
        }
    }
}

/// As an agent for ssh does, it answers its own user alone.
fn answers_its_user(socket: &std::path::Path) {
    let listener = UnixListener::bind(socket).unwrap();
    std::thread::spawn(move || {
        for mut client in listener.incoming().flatten() {
            let whose = rustix::net::sockopt::socket_peercred(&client).unwrap().uid;
            let mut line = String::new();
            if whose == rustix::process::geteuid() && BufReader::new(&client).read_line(&mut line).is_ok() {
                // A client that has gone is no matter.
                let _ = client.write_all(format!("heard {line}").as_bytes());
            }
        }
    });
}

/// An agent speaks to whom the mount names: on an account with one id, to everybody in there.
pub fn agents_have_owners_and_modes(case: &Case) {
    let ask = "use IO::Socket::UNIX;\n\
               my $agent = IO::Socket::UNIX->new(Peer => $ENV{SSH_AUTH_SOCK}) or die \"no agent: $!\\n\";\n\
               print $agent \"a word\\n\"; $agent->flush; print <$agent>;\n";
    let image = case.made("debian");
    let begin = format!("FROM {image}\nCOPY ask /ask\nUSER 1000:1000\n");
    let context = Context::new(case, "");
    context.file("ask", ask);
    let socket = case.home.join("agent");
    answers_its_user(&socket);
    let agent = format!("--ssh=default={}", socket.display());
    let build = |instructions: &str| {
        context.file("Containerfile", &format!("{begin}{instructions}"));
        context.build(&[&agent])
    };
    build(
        "RUN --mount=type=ssh,uid=1000 stat -c %a $SSH_AUTH_SOCK >/tmp/seen; perl /ask >>/tmp/seen\n\
         RUN --mount=type=ssh,gid=1000,mode=0660 stat -c %a $SSH_AUTH_SOCK >>/tmp/seen; perl /ask >>/tmp/seen\n\
         USER 0\n\
         RUN --mount=type=ssh perl /ask >>/tmp/seen\n",
    )
    .code(0);
    assert_eq!(context.prints("cat /tmp/seen"), "600\nheard a word\n660\nheard a word\nheard a word\n");
    super::nothing_is_left(case);
    let others = build("RUN --mount=type=ssh perl /ask\n");
    if Account::current().subordinate == 0 {
        assert!(others.code(0).stdout.contains("heard a word\n"));
        return;
    }
    others.code(13).says("no agent: Permission denied");
    build("RUN --mount=type=ssh,uid=1000,gid=44 stat -c %u:%g $SSH_AUTH_SOCK >/tmp/seen\n").code(0);
    assert_eq!(context.prints("cat /tmp/seen"), "1000:44\n");
    let of_nobody = build("RUN --mount=type=ssh,uid=4000000000 true\n").code(125);
    let of_nobody =
        of_nobody.error("Containerfile:4:1: `--mount=type=ssh`: this account has no ids for the owner 4000000000:0");
    assert!(of_nobody.stderr.contains("\nhint: `uid=` and `gid=` below "), "{of_nobody}");
    std::fs::write(case.home.join("token"), "word").unwrap();
    let secret = format!("--secret=id=token,src={}", case.home.join("token").display());
    context.file("Containerfile", &format!("{begin}RUN --mount=type=secret,id=token,gid=4000000000 true\n"));
    context
        .build(&[&secret])
        .code(125)
        .error("`--mount=type=secret`: this account has no ids for the owner 0:4000000000");
}

/// `RUN --network=none` has nothing but itself to speak to, whatever the others have.
pub fn a_command_without_a_network(case: &Case) {
    let context = Context::new(
        case,
        "FROM IMAGE\n\
         RUN cut -d: -f1 /proc/net/dev | tail -n +3 | tr -d ' ' | sort >/default\n\
         RUN --network=none cut -d: -f1 /proc/net/dev | tail -n +3 | tr -d ' ' >/none; \
             wget -q -T 5 -O /dev/null http://REGISTRY/v2/ || echo unreachable >>/none\n",
    );
    let instructions = std::fs::read_to_string(context.path.join("Containerfile")).unwrap();
    context.file("Containerfile", &instructions.replace("REGISTRY", &registry()));
    case.coracle(["build", "-t", "built", context.path.to_str().unwrap()]).code(0);
    assert_eq!(context.prints("cat /none"), "lo\nunreachable\n");
    let default = context.prints("cat /default");
    assert!(default.lines().count() > 1 && default.lines().any(|name| name == "lo"), "{default}");
}

/// What a stage says of those upon it is done there, and not handed on.
fn stages_upon_stages(case: &Case) {
    let context = Context::new(
        case,
        "FROM IMAGE AS base\n\
         ONBUILD RUN echo delayed >>/made\n\
         ONBUILD COPY --from=files /file /copied\n\
         FROM IMAGE AS files\n\
         RUN echo from a stage >/file\n\
         FROM base AS upon\n\
         FROM upon\n\
         RUN echo last >>/made\n",
    );
    context.build(&[]).code(0);
    assert_eq!(context.prints("cat /made /copied"), "delayed\nlast\nfrom a stage\n");
    let config = context.config("{{json .Config}}");
    assert!(!config.contains("OnBuild"), "{config}");
    context.build(&["--target=base"]).code(0);
    assert_eq!(context.prints("ls /made 2>&1 | wc -l"), "1\n");
    // What is wrong in one is told of at the stage that brings it about.
    context.instructions("FROM IMAGE AS base\nONBUILD LABEL a=${X:?must}\nFROM base\n");
    context.build(&[]).code(125).error("Containerfile:3:1: ");
    context.instructions("FROM IMAGE\nCOPY <<A /x\n${X:?must}\nA\n");
    context.build(&[]).code(125).error("Containerfile:2:");
    context.instructions("FROM IMAGE AS build\nFROM IMAGE\nCOPY --from=biuld /x /\n");
    context.build(&["--pull=never"]).code(125).says("hint: did you mean the stage `build`?");
}

/// What an image brings along may name a stage of the file, which nothing else needs: by name, by number, and in a mount.
fn images_that_take_from_stages(case: &Case) {
    let context = Context::new(
        case,
        "FROM IMAGE\n\
         ONBUILD COPY --from=files /file /copied\n\
         ONBUILD COPY --from=0 /file /numbered\n\
         ONBUILD RUN --mount=from=others,target=/o cat /o/file >/mounted\n",
    );
    context.build(&["-t", "brings"]).code(0);
    let stages = "FROM IMAGE AS files\nRUN echo from a stage >/file\nFROM IMAGE AS others\nRUN echo another >/file\n";
    context.instructions(&format!("{stages}FROM IMAGE AS unused\nRUN exit 7\nFROM brings\nRUN echo last >/last\n"));
    context.build(&[]).code(0);
    assert_eq!(context.prints("cat /copied /numbered /mounted /last"), "from a stage\nfrom a stage\nanother\nlast\n");
    // Where there is no such stage, the name is an image's.
    context.instructions("FROM IMAGE AS others\nRUN echo x >/file\nFROM brings\n");
    context.build(&["--pull=never"]).code(125).says("Error: Containerfile:3:1: ");
    // A stage that needs itself.
    context.instructions("FROM IMAGE AS others\nFROM brings AS files\n");
    context.build(&[]).code(125).says("Error: Containerfile:2:1: ");
}

/// A container of a step is nobody's to see, and nothing of it is left.
fn nothing_is_left(case: &Case) {
    let context = Context::new(case, "FROM IMAGE\nRUN echo x >/x\nRUN exit 7\n");
    let failed = context.build(&[]).code(7);
    failed.error("Containerfile:3:1: the command `/bin/sh -c exit 7` ended with exit code 7");
    case.coracle(["ps", "-aq"]).code(0).stdout("");
    let left: Vec<_> =
        std::fs::read_dir(case.store().join("tmp")).unwrap().flatten().map(|entry| entry.path()).collect();
    assert!(left.is_empty(), "{left:?}");
    case.coracle(["system", "check"]).code(0);
    // What was done before the failure need not be done again.
    let again = context.build(&[]).code(7);
    assert!(again.stdout.contains("Using cache"), "{again}");
    case.coracle(["image", "prune", "-f"]).code(0);
    let again = context.build(&[]).code(7);
    assert!(!again.stdout.contains("Using cache"), "{again}");
}

/// With the time fixed, the same input gives the same image: on this account and, in `one_id`, on one without subordinate ids.
pub fn reproducible(case: &Case) -> String {
    let context = Context::new(
        case,
        "FROM IMAGE\n\
         COPY --chown=33:44 input /owned/\n\
         RUN mkdir -p /made/deep && echo x >/made/deep/file && ln -s deep /made/link && chown 33:44 /made/deep/file\n\
         LABEL a=b\n",
    );
    context.file("input", "text\n");
    let build = |flags: &[&str]| {
        let all: Vec<&str> = ["--timestamp", "1000000000", "-q"].iter().chain(flags).copied().collect();
        context.build(&all).code(0).stdout
    };
    // Layers of other times are remembered, and not taken.
    context.build(&[]).code(0);
    context.build(&["--timestamp", "1"]).code(0);
    let first = build(&[]);
    assert_eq!(build(&["--no-cache"]), first);
    assert_eq!(context.prints("stat -c '%u:%g %Y' /made /made/link"), "0:0 1000000000\n0:0 1000000000\n");
    assert_eq!(context.config("{{.Created}}"), "2001-09-09 01:46:40 +0000 UTC");
    assert_eq!(context.config("{{.Id}}"), first.trim_end());
    let built = context.config(BOTH);
    // By the name that everybody's tools know, too.
    let argument = "--build-arg=SOURCE_DATE_EPOCH=1000000000";
    assert_eq!(context.build(&[argument, "-q"]).code(0).stdout, first);
    let path = context.path.to_str().unwrap();
    let build = case.command(["build", "-t", "built", "-q", "--no-cache", "--network=none", path]);
    assert_eq!(build.env("SOURCE_DATE_EPOCH", "1000000000").finish().code(0).stdout, first);
    assert_eq!(context.config(BOTH), built);
    context.instructions("FROM IMAGE\nARG SOURCE_DATE_EPOCH\nRUN echo $SOURCE_DATE_EPOCH >/time\n");
    context.build(&["--timestamp=7", "-t", "timed"]).code(0);
    case.sh("timed", "cat /time").code(0).stdout("7\n");
    built
}

/// Of an image: of its config, and of its manifest.
const BOTH: &str = "{{.Id}} {{.Digest}}";

/// The other account's image of this very run, if it came first, is the same; else this one is left for it.
pub fn the_same_everywhere(case: &Case) {
    let built = reproducible(case);
    let stage = binary().ancestors().nth(2).unwrap().file_name().unwrap().to_string_lossy().to_lowercase();
    let name = format!("{}/reproducible:{stage}", registry());
    if case.coracle(["pull", "-q", &name]).code == Some(0) {
        assert_eq!(case.coracle(["image", "inspect", "--format", BOTH, &name]).code(0).stdout.trim_end(), built);
    } else {
        case.coracle(["push", "-q", built.split(' ').next().unwrap(), &name]).code(0);
    }
}

fn the_same_input_gives_the_same_image(case: &Case) {
    the_same_everywhere(case);
}

on_both_drivers!(
    every_setting,
    mounts,
    sources_are_no_patterns,
    agents_for_ssh,
    agents_have_owners_and_modes,
    a_command_without_a_network,
    stages_upon_stages,
    images_that_take_from_stages,
    nothing_is_left,
    the_same_input_gives_the_same_image
);
