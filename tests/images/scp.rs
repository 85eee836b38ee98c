//! Images from machine to machine: in the place of ssh stands a program that runs the command line with another store.

use std::fs;
use std::os::unix::fs::symlink;

use crate::harness::{Case, Command, Driver, binary, set_mode};

const SSH: &str = r#"#!/bin/sh
echo "$@" >>"$HOME/calls"
[ "$1" != -p ] || shift 2
[ "$1" = -- ] || exit 9
[ "$2" != down ] || { echo "ssh: no route to host" >&2; exit 255; }
[ "$2" != odd ] || { echo no archive; exit 3; }
XDG_DATA_HOME=$HOME/$2 exec sh -c "$3"
"#;

fn case() -> Case {
    let case = Case::new(Driver::Auto);
    let bin = case.home.join("bin");
    fs::create_dir(&bin).unwrap();
    fs::write(bin.join("ssh"), SSH).unwrap();
    set_mode(&bin.join("ssh"), 0o755);
    symlink(binary(), bin.join("coracle")).unwrap();
    case
}

fn scp(case: &Case, arguments: &[&str]) -> Command {
    let path = format!("{}:/usr/bin:/bin", case.home.join("bin").display());
    case.command(["image", "scp"].into_iter().chain(arguments.iter().copied())).env("PATH", path)
}

/// What the machine has: names and digests.
fn images(case: &Case, machine: &str) -> String {
    let command = case.command(["images", "--format", "{{.Repository}}:{{.Tag}} {{.Digest}}"]);
    command.env("XDG_DATA_HOME", case.home.join(machine)).finish().succeeded().stdout
}

#[test]
fn there_and_back() {
    let case = case();
    let image = case.busybox();
    let own = case.coracle(["images", "--format", "{{.Repository}}:{{.Tag}} {{.Digest}}"]).succeeded().stdout;
    let said = format!("Loaded image: {image}\n");
    scp(&case, &[&image, "me@one:2222::"]).finish().code(0).stdout(&said);
    assert_eq!(images(&case, "me@one"), own);
    scp(&case, &["--quiet", &format!("me@one::{image}"), "two::"]).finish().code(0).stdout(&said).stderr("");
    assert_eq!(images(&case, "two"), own);
    case.coracle(["rmi", &image]).code(0);
    scp(&case, &[&format!("two::{image}")]).finish().code(0).stdout(&said);
    assert_eq!(case.coracle(["images", "--format", "{{.Repository}}:{{.Tag}} {{.Digest}}"]).succeeded().stdout, own);
    let calls = fs::read_to_string(case.home.join("calls")).unwrap();
    assert!(calls.starts_with("-p 2222 -- me@one if "), "{calls}");
}

#[test]
fn what_goes_wrong() {
    let case = case();
    let image = case.busybox();
    scp(&case, &[&image]).finish().code(125).error("must specify a destination");
    scp(&case, &["nothing", "one::"]).finish().code(125).error("nothing: image not known");
    scp(&case, &[&image, "one"]).finish().code(125).error("the destination is a machine");
    scp(&case, &[&image, "one::name"]).finish().code(125).error("the destination is a machine");
    scp(&case, &["--", &image, "-oProxyCommand=x::"]).finish().code(125).error("-oProxyCommand");
    scp(&case, &["one::$(touch x)"]).finish().code(125).error("names no image");
    scp(&case, &["one::--output=x"]).finish().code(125).error("names no image");
    scp(&case, &[&image, "down::"]).finish().code(125).error("the command on `down` failed");
    scp(&case, &["down::x"]).finish().code(125).error("the command on `down` failed");
    let odd = scp(&case, &["odd::x"]).finish().code(125).error("the command on `odd` failed");
    assert!(odd.stderr.lines().filter(|line| line.starts_with("Error: ")).count() == 2, "our failure, too: {odd}");
    // What the machine says itself comes first.
    scp(&case, &["one::nothing"]).finish().code(125).says("Error: the command on `one` failed");
    scp(&case, &["one::nothing", "two::"]).finish().code(125).says("Error: the command on `one` failed");
    let none = scp(&case, &[&image, "one::"]).env("PATH", "/nonexistent").finish().code(125).error("execve(ssh)");
    assert!(none.stderr.contains("hint: install ssh"), "{none}");
    case.coracle(["images", "-q"]).succeeded();
    assert_eq!(fs::read_dir(case.store().join("tmp")).unwrap().count(), 0);
}
