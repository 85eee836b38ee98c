//! ADD of files and repositories of other machines.

use std::path::{Path, PathBuf};

use super::server::{Page, Server};
use super::{Context, nothing_is_left};
use crate::harness::image::{Layer, digest};
use crate::harness::{Account, Case};

pub fn files(case: &Case) {
    let server = Server::new();
    let address = &server.address;
    let page =
        |body: &str| Page { headers: "Last-Modified: Wed, 21 Oct 2015 07:28:00 GMT\r\n".into(), ..Page::of(body) };
    server.page("/a/file.txt", page("one"));
    server.page("/pack.tar.gz", Page::of(Layer::new().file("packed", 0o644, "inside").blob()));
    let named = "Content-Disposition: attachment; filename=\"named.txt\"\r\n".to_owned();
    server.page("/", Page { headers: named, ..Page::of("named") });
    server.page(
        "/moved",
        Page { status: 302, headers: format!("Location: {address}/a/file.txt\r\n"), ..Page::default() },
    );
    let context = Context::new(
        case,
        &format!(
            "FROM IMAGE\n\
             ADD {address}/a/file.txt /x\n\
             ADD --chmod=644 --chown=33:44 {address}/a/file.txt?query=1 {address}/pack.tar.gz local /d/\n\
             ADD --unpack=true {address}/pack.tar.gz /u/\n\
             ADD {address}/ /n/\n\
             ADD {address}/moved /m/\n"
        ),
    );
    server.page("/a/file.txt?query=1", page("two"));
    context.file("local", "mine");
    context.build(&[]).code(0);
    assert_eq!(
        context.prints("cat /x /d/file.txt /d/local /u/packed /n/named.txt /m/moved"),
        "onetwomineinsidenamedone"
    );
    // With one id all is root's to look at; the layer has the owner all the same.
    let owner = if Account::current().subordinate == 0 { "0:0" } else { "33:44" };
    assert_eq!(
        context.prints("stat -c '%a %u:%g %Y %n' /x /d/file.txt /n/named.txt; ls /d"),
        format!(
            "600 0:0 1445412480 /x\n644 {owner} 1445412480 /d/file.txt\n600 0:0 0 /n/named.txt\nfile.txt\nlocal\npack.tar.gz\n"
        )
    );
    nothing_is_left(case);
}

/// What has not changed is not sent again, and what has is another layer.
fn what_was_fetched_is_remembered(case: &Case) {
    let server = Server::new();
    let address = &server.address;
    let page = |body: &str, etag: &str| Page { etag: Some(etag.to_owned()), ..Page::of(body) };
    server.page("/marked", page("one", "\"1\""));
    server.page("/plain", Page::of("plain"));
    server.page("/fixed", Page::of("fixed"));
    let sum = digest(b"fixed");
    let context = Context::new(
        case,
        &format!("FROM IMAGE\nADD {address}/marked /\nADD {address}/plain /\nADD --checksum={sum} {address}/fixed /\n"),
    );
    let cached = || context.build(&[]).code(0).stdout.matches("Using cache").count();
    assert_eq!(cached(), 0);
    assert_eq!(server.asked(), ["GET /marked 200", "GET /plain 200", "GET /fixed 200"]);
    assert_eq!(cached(), 3);
    assert_eq!(server.asked(), ["GET /marked 304", "GET /plain 200"]);
    server.page("/marked", page("two", "\"2\""));
    assert_eq!(cached(), 0);
    assert_eq!(context.prints("cat /marked /plain /fixed"), "twoplainfixed");
    server.asked();
    // Without its layer, what the server need not send again is sent again all the same.
    case.coracle(["rmi", "-af"]).code(0);
    case.coracle(["system", "prune", "-af"]).code(0);
    case.busybox();
    assert_eq!(cached(), 0);
    assert_eq!(context.prints("cat /marked"), "two");
}

fn what_can_not_be_fetched(case: &Case) {
    let server = Server::new();
    let address = server.address.clone();
    let cut = "Content-Length: 100\r\n".to_owned();
    server.page("/cut", Page { headers: cut, ..Page::of("short") });
    server.page("/busy", Page { busy: 2, ..Page::of("at last") });
    server.page("/file", Page::of("content"));
    let ftp = "Location: file:///etc/passwd\r\n".to_owned();
    server.page("/elsewhere", Page { status: 302, headers: ftp, ..Page::default() });
    let wrong = digest(b"other");
    let context = Context::new(case, "");
    for (source, error) in [
        (format!("{address}/nowhere"), "`/nowhere` is not at the server `127.0.0.1"),
        (format!("{address}/cut"), "can't be fetched: "),
        (format!("{address}/elsewhere"), "to an address of the kind `file`"),
        (format!("--checksum={wrong} {address}/file"), "is expected"),
        (format!("--checksum=md5:1 {address}/file"), "expected `sha256:`"),
        ("http://127.0.0.1:1/x".to_owned(), "refused the connection"),
        (format!("{address}/"), "is not at the server"),
        ("http:///x".to_owned(), "can't be fetched: "),
        ("http://me:secret@127.0.0.1:1/x".to_owned(), "Containerfile:2:1: `http://127.0.0.1:1/x` can't be fetched"),
    ] {
        context.instructions(&format!("FROM IMAGE\nADD {source} /x/\n"));
        let refused = context.build(&["--retry=0"]).code(125);
        assert!(refused.stderr.contains(error), "{source}\n{refused}");
        assert!(!refused.stderr.lines().any(|line| line.contains("fetched") && line.contains("secret")), "{refused}");
    }
    context.instructions(&format!("FROM IMAGE\nADD {address}/busy /\n"));
    context.build(&["--retry-delay=10ms"]).code(0);
    assert_eq!(context.prints("cat /busy"), "at last");
}

/// Runs git in a folder, and gives what it says.
pub fn git(case: &Case, folder: &Path, words: &[&str]) -> String {
    let fixed =
        ["-c", "user.name=n", "-c", "user.email=e@e", "-c", "init.defaultBranch=main", "-c", "commit.gpgsign=false"];
    let all: Vec<&str> = fixed.iter().chain(words).copied().collect();
    let command = case.command_of("git".as_ref(), all).directory(folder).env("PATH", "/usr/bin:/bin");
    command.finish().code(0).stdout.trim().to_owned()
}

/// An empty repository in the home of a case.
pub fn repository(case: &Case) -> PathBuf {
    let work = case.home.join("work");
    std::fs::create_dir_all(&work).unwrap();
    git(case, &work, &["init", "-q"]);
    work
}

/// Commits a file, and all else that has changed; gives the commit's name.
pub fn commit(case: &Case, path: &str, text: &str) -> String {
    let work = case.home.join("work");
    std::fs::create_dir_all(work.join(path).parent().unwrap()).unwrap();
    std::fs::write(work.join(path), text).unwrap();
    git(case, &work, &["add", "-A"]);
    git(case, &work, &["commit", "-q", "-m", "x"]);
    git(case, &work, &["rev-parse", "HEAD"])
}

/// Has the server give the repository; its address.
pub fn clone_of(case: &Case, server: &Server) -> String {
    let folder = case.home.join("repositories");
    std::fs::create_dir_all(&folder).unwrap();
    git(case, &case.home, &["clone", "-q", "--bare", "work", "repositories/r.git"]);
    server.repositories(folder);
    format!("{}/git/r.git", server.address)
}

fn repositories(case: &Case) {
    let server = Server::new();
    let work = repository(case);
    let put = |path: &str, text: &str| commit(case, path, text);
    put("deep/er/file", "deep");
    let first = put("top", "first");
    git(case, &work, &["tag", "-a", "-m", "x", "v1"]);
    std::os::unix::fs::symlink("/etc/passwd", work.join("link")).unwrap();
    crate::harness::set_mode(&work.join("top"), 0o755);
    put("top", "second");
    // A hook of the user's own, which is not for files of others.
    std::fs::create_dir_all(case.home.join("hooks")).unwrap();
    let hook = case.home.join("hooks/post-checkout");
    std::fs::write(&hook, format!("#!/bin/sh\ntouch {}\n", case.home.join("hooked").display())).unwrap();
    crate::harness::set_mode(&hook, 0o755);
    std::fs::write(
        case.home.join(".gitconfig"),
        format!("[core]\n\thooksPath = {}\n", case.home.join("hooks").display()),
    )
    .unwrap();
    let url = clone_of(case, &server);
    let instructions = format!(
        "FROM IMAGE\n\
             ADD {url} /all\n\
             ADD {url}#v1 /tag/\n\
             ADD {url}#{first}:deep/er /commit\n\
             ADD --keep-git-dir=true --checksum={first} {url}#{} /start\n\
             ADD --chown=33:44 {url}#main:top /one\n",
        &first[..10]
    );
    let context = Context::new(case, &instructions);
    context.build(&[]).code(0);
    assert_eq!(context.prints("cd /all; ls -A; cat top; readlink link"), "deep\nlink\ntop\nsecond/etc/passwd\n");
    assert_eq!(
        context.prints("cat /tag/top /commit/file /start/top /one; ls -A /start"),
        "firstdeepfirstsecond.git\ndeep\ntop\n"
    );
    assert_eq!(
        context.prints("stat -c '%a %u:%g' /all/top /all/deep /all/deep/er/file /one"),
        "755 0:0\n755 0:0\n644 0:0\n755 33:44\n"
    );
    assert!(!case.home.join("hooked").exists());
    // Who logs in is nobody else's business.
    let login = url.replace("http://", "http://me:secret@");
    context.instructions(&format!("FROM IMAGE\nADD --keep-git-dir=true {login} /x\n"));
    context.build(&[]).code(0);
    assert_eq!(context.prints("grep -rl secret /x | wc -l"), "0\n");
    assert!(!case.coracle(["history", "--no-trunc", "built"]).code(0).stdout.contains("secret"));
    context.instructions(&instructions);
    // A commit is looked up, and not fetched again; another one is.
    server.asked();
    let again = context.build(&[]).code(0);
    assert_eq!(again.stdout.matches("Using cache").count(), 5, "{again}");
    put("top", "third");
    git(case, &work, &["push", "-q", case.home.join("repositories/r.git").to_str().unwrap(), "main"]);
    context.build(&[]).code(0);
    assert_eq!(context.prints("cat /all/top /tag/top"), "thirdfirst");
    for (source, error) in [
        (format!("{url}#nowhere"), "`nowhere` is neither a branch nor a tag"),
        (format!("{url}#--upload-pack=touch"), "is no name of a branch"),
        (format!("{}/git/none.git", server.address), "can't be fetched: "),
        (format!("{url}#main:none"), "`none` is not in the repository"),
        (format!("{url}#main:../.."), "leads out of"),
        (format!("--checksum=0123456789 {url}"), "0123456789 is expected"),
    ] {
        context.instructions(&format!("FROM IMAGE\nADD {source} /x\n"));
        let refused = context.build(&[]).code(125);
        assert!(refused.stderr.contains(error), "{source}\n{refused}");
    }
    nothing_is_left(case);
}

on_both_drivers!(files, what_was_fetched_is_remembered, what_can_not_be_fetched, repositories);
