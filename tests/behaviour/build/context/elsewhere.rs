//! Contexts on other machines: repositories of git, archives, instructions alone; and images in the place of contexts.

use super::super::fetched::{clone_of, commit, git, repository};
use super::super::server::{Page, Server};
use super::super::{Context, nothing_is_left};
use crate::harness::image::Layer;
use crate::harness::{Case, Finished, set_mode};

fn build(case: &Case, words: &[&str]) -> Finished {
    case.coracle(["build", "-t", "built", "--network=none"].iter().chain(words).copied())
}

fn repositories(case: &Case) {
    let (server, context) = (Server::new(), Context::new(case, ""));
    let instructions = format!("FROM {}\nCOPY . /c\n", case.busybox());
    let work = repository(case);
    commit(case, "Containerfile", &instructions);
    std::os::unix::fs::symlink("/etc", work.join("out")).unwrap();
    set_mode(&work.join("Containerfile"), 0o600);
    let first = commit(case, "sub/Containerfile", &format!("{instructions}RUN rm -f /c/left-out\n"));
    commit(case, "sub/left-out", "x");
    commit(case, "sub/.dockerignore", "left-out\n");
    commit(case, "sub/file", "in a directory");
    let time = git(case, &work, &["show", "-s", "--format=%ct", "HEAD"]);
    let url = clone_of(case, &server);

    build(case, &[&url]).code(0);
    assert_eq!(context.prints("cd /c; ls -A; ls -A sub; stat -c '%a %Y' Containerfile sub"), {
        let same = format!("644 {time}\n755 {time}\n");
        format!("Containerfile\nout\nsub\n.dockerignore\nContainerfile\nfile\nleft-out\n{same}")
    });
    // A directory of it alone, with its own ignore file.
    build(case, &[&format!("{url}#main:sub")]).code(0);
    assert_eq!(context.prints("cd /c; ls -A; cat file"), ".dockerignore\nContainerfile\nfile\nin a directory");
    build(case, &[&format!("{url}#{first}"), "-f", "sub/Containerfile"]).code(0);
    assert_eq!(context.prints("ls -A /c/sub"), "Containerfile\n");
    // What commands find mounted is that directory, too.
    let mounted = format!("FROM {}\nRUN --mount=target=/m cp -r /m /c\n", case.busybox());
    let stdin = ["build", "-t", "built", "--network=none", "-f", "-"];
    case.command(stdin.into_iter().chain([format!("{url}#main:sub").as_str()])).stdin(mounted).finish().code(0);
    assert_eq!(context.prints("ls -A /c"), ".dockerignore\nContainerfile\nfile\n");
    // What git has written down comes along for who asks, as with BuildKit.
    build(case, &["--build-arg", "BUILDKIT_CONTEXT_KEEP_GIT_DIR=1", &url]).code(0);
    assert_eq!(context.prints("ls -d /c/.git"), "/c/.git\n");
    // By the user's own ssh.
    let programs = case.home.join("programs");
    std::fs::create_dir_all(&programs).unwrap();
    std::fs::write(programs.join("ssh"), "#!/bin/sh\nfor last; do :; done\nexec sh -c \"$last\"\n").unwrap();
    set_mode(&programs.join("ssh"), 0o755);
    let by_ssh = format!("git@example:{}", case.home.join("repositories/r.git").display());
    let path = format!("{}:/usr/bin:/bin", programs.display());
    case.command(["build", "-t", "built", "--network=none", &by_ssh]).env("PATH", &path).finish().code(0);
    assert_eq!(context.prints("cat /c/sub/file"), "in a directory");
    for (address, error) in [
        (format!("{url}#main:out"), "`out` leads out of the build context"),
        (format!("{url}#main:../.."), "leads out of"),
        (format!("{url}#main:none"), "`none` is not in the repository"),
        (format!("{url}#main:sub/file"), "`sub/file` is not in the repository"),
        (format!("{url}#nowhere"), "`nowhere` is neither a branch nor a tag"),
        ("ftp://127.0.0.1/x".to_owned(), "that kind of address is not known"),
    ] {
        build(case, &[&address]).code(125).error(error);
    }
    nothing_is_left(case);
}

fn files(case: &Case) {
    let (server, context) = (Server::new(), Context::new(case, ""));
    let address = &server.address;
    let image = case.busybox();
    let archive =
        Layer::new().file("Dockerfile", 0o644, format!("FROM {image}\nCOPY file /\n")).file("file", 0o600, "sent");
    server.page("/context.tar.gz", Page::of(archive.blob()));
    server.page("/Containerfile", Page::of(format!("FROM {image}\nRUN echo alone >/alone\n")));
    server.page("/copies", Page::of(format!("FROM {image}\nCOPY file /\n")));
    server.page("/bad", Page::of("NONSENSE x\n"));
    build(case, &[&format!("{address}/context.tar.gz")]).code(0);
    assert_eq!(context.prints("cat /file; stat -c ' %a' /file"), "sent 600\n");
    build(case, &[&format!("{address}/Containerfile")]).code(0);
    assert_eq!(context.prints("cat /alone"), "alone\n");
    let refused = |place: &str, words: &[&str], error: &str| {
        let url = format!("{address}{place}");
        build(case, &[words, &["--retry=0", &url]].concat()).code(125).error(error);
    };
    refused("/copies", &[], "there is no build context");
    refused("/copies", &["-f", "x"], "is no archive, so `x` can't be in it");
    refused("/bad", &[], "/bad:1:1: ");
    refused("/nowhere", &[], "is not at the server");
    refused("/context.tar.gz", &["-f", "none"], "`none` is not in the archive at `http");
    nothing_is_left(case);
}

/// `--build-context` by address, and images in its place.
fn named_contexts(case: &Case) {
    let server = Server::new();
    let context = Context::new(case, "FROM base\nCOPY --from=Sent file /sent\nCOPY --from=other /etc/group /group\n");
    server.page("/x.tar", Page::of(Layer::new().file("file", 0o644, "sent").tar()));
    let (sent, image) = (format!("sent={}/x.tar", server.address), case.busybox());
    let image = |name: &str, scheme: &str| format!("{name}={scheme}://{image}");
    let (base, other) = (image("base", "docker-image"), image("OTHER", "container-image"));
    let flags = ["--build-context", &sent, "--build-context", &base, "--build-context", &other];
    context.build(&flags).code(0);
    assert_eq!(context.prints("cat /sent; cmp /group /etc/group && echo same"), "sentsame\n");
    assert_eq!(context.build(&flags).code(0).stdout.matches("Using cache").count(), 2);
    let odd = ["--build-context", "base=oci-layout://x"];
    context.build(&odd).code(125).error("that kind of address is not known");
    nothing_is_left(case);
}

on_both_drivers!(repositories, files, named_contexts);
