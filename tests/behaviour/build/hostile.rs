//! Contexts and instructions that are not kind: odd files, files that come, go and change meanwhile, too much of everything.

use std::fs;
use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::Context;
use crate::harness::{Case, set_mode};

/// What is no file, directory or symlink is left out of a directory, and refused where it is asked for by name.
fn sockets_devices_and_pipes(case: &Case) {
    let context = Context::new(case, "FROM IMAGE\nCOPY socket /\n");
    let _socket = std::os::unix::net::UnixListener::bind(context.path.join("socket")).unwrap();
    let pipe = context.path.join("dir/pipe");
    context.file("dir/file", "x");
    rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
    context.build(&[]).code(125).error("Containerfile:2:1: `socket` is a socket, of which there is no copy");
    context.instructions("FROM IMAGE\nCOPY dir /dir/\nRUN test -p /dir/pipe && ls /dir\n");
    context.build(&[]).code(0);
    // The machine's own, as a context.
    let file = context.path.join("Containerfile");
    let of_dev = |line: &str| {
        context.instructions(&format!("FROM IMAGE\n{line}\nRUN ls -l /x\n"));
        case.coracle(["build", "--no-cache", "--network=none", "-f", file.to_str().unwrap(), "/dev"])
    };
    of_dev("COPY null /x").code(125).error("`null` is a device, of which there is no copy");
    of_dev("COPY n?ll zer* /x/").code(125).error("is a device, of which there is no copy");
    of_dev("ADD zero /x").code(125).error("`zero` is a device, of which there is no copy");
    // Containerfiles and ignore files that never end, or hold the reader up.
    fs::remove_file(&file).unwrap();
    rustix::fs::mknodat(rustix::fs::CWD, &file, rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
    context.build(&[]).code(125).error("no Containerfile or Dockerfile is in");
    fs::remove_file(&file).unwrap();
    std::os::unix::fs::symlink("/dev/zero", &file).unwrap();
    context.build(&[]).code(125).error("no Containerfile or Dockerfile is in");
    fs::remove_file(&file).unwrap();
    std::os::unix::fs::symlink("/dev/zero", context.path.join(".dockerignore")).unwrap();
    context.instructions("FROM IMAGE\n");
    context.build(&[]).code(0);
    case.coracle(["build", "-q", "--ignorefile=/dev/zero", context.path.to_str().unwrap()])
        .code(125)
        .error("a pattern is longer than");
    case.coracle(["build", "-q", "-f", "/dev/zero", context.path.to_str().unwrap()])
        .code(125)
        .error("bytes are too many for instructions");
}

/// Nobody may read this one: it is named, unless it is left out; what nobody may enter, too.
fn unreadable_files(case: &Case) {
    let context = Context::new(case, "FROM IMAGE\nCOPY . /c\n");
    context.file("secret/file", "x");
    context.file("plain", "x");
    set_mode(&context.path.join("plain"), 0);
    context.build(&[]).code(125).error("open(plain): Permission denied");
    context.file(".dockerignore", "plain\n");
    set_mode(&context.path.join("secret"), 0);
    context.build(&[]).code(125).error("open(secret): Permission denied");
    context.file(".dockerignore", "plain\nsecret\n");
    context.build(&[]).code(0);
    set_mode(&context.path.join("secret"), 0o755);
}

/// Files that come, go, grow and shrink while they are copied: the build is done, or says of which file it could not be; never a
/// file that is half another.
fn a_context_that_changes_meanwhile(case: &Case) {
    let context = Context::new(case, "FROM IMAGE\nCOPY dir /c\nRUN cat /c/size* | tr -d 'ab' | wc -c\n");
    for number in 0..200 {
        context.file(&format!("dir/stays{number}"), &"x".repeat(10_000));
    }
    context.file("dir/size", "a");
    let over = AtomicBool::new(false);
    let (one, two, size) =
        (context.path.join("dir/comes"), context.path.join("dir/sub/goes"), context.path.join("dir/size"));
    let done = std::thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                fs::write(&one, "x").unwrap();
                fs::create_dir_all(two.parent().unwrap()).unwrap();
                fs::write(&two, "x").unwrap();
                fs::File::options().append(true).open(&size).unwrap().write_all(&[b'b'; 5000]).unwrap();
                fs::remove_file(&one).unwrap();
                fs::remove_dir_all(two.parent().unwrap()).unwrap();
                fs::write(&size, "a").unwrap();
            }
        });
        let done: Vec<_> = (0..8).map(|_| context.build(&["--no-cache"])).collect();
        over.store(true, Ordering::Relaxed);
        done
    });
    for done in &done {
        match done.code {
            Some(0) => assert!(done.stdout.contains("\n0\n"), "{done}"),
            Some(125) => {
                let named = ["comes", "goes", "sub", "size"].iter().any(|name| done.stderr.contains(name));
                assert!(done.stderr.contains("Error: ") && named && done.stderr.contains("hint: "), "{done}");
            }
            _ => panic!("{done}"),
        }
    }
    fs::write(&size, "a").unwrap();
    context.build(&["--no-cache"]).code(0);
    case.coracle(["system", "check"]).code(0);
}

/// Instructions, lines, steps and names without an end: refused in words, and soon.
fn too_much(case: &Case) {
    let context = Context::new(case, "");
    let begun = Instant::now();
    let file = context.path.join("Containerfile");
    fs::File::options().write(true).open(&file).unwrap().set_len(100 << 20).unwrap();
    context.build(&[]).code(125).error("bytes are too many for instructions");
    let stdin = "RUN true # and so on\n".repeat(5 << 20);
    case.command(["build", "-f", "-", context.path.to_str().unwrap()])
        .stdin(stdin)
        .finish()
        .code(125)
        .error("bytes are too many for instructions");
    for (text, error) in [
        (format!("FROM IMAGE\nRUN true {}\n", "x".repeat(900_000)), "rgument list too long"),
        (format!("FROM IMAGE\n{}", "LABEL a=b\n".repeat(90_000)), ""),
        (format!("FROM IMAGE\n{}", "FROM scratch\n".repeat(50_000)), ""),
        (format!("FROM IMAGE\nCOPY {} /\n", "a ".repeat(100_000)), "`a` is not in the build context"),
        (format!("FROM IMAGE\nCOPY {} /x\n", "*/".repeat(10_000)), "is not in the build context"),
        (format!("FROM IMAGE\nCOPY {} /x\n", "a/".repeat(10_000)), ""),
        (format!("FROM IMAGE\nARG A=x\n{}", "ARG A=$A$A$A$A\n".repeat(30)), ""),
        (format!("FROM IMAGE\nENV A={}\nRUN true\n", "x".repeat(300_000)), ""),
        (format!("FROM IMAGE\nWORKDIR {}\nRUN true\n", "/a".repeat(5_000)), ""),
        (format!("FROM IMAGE\n{}", "ONBUILD ".repeat(10_000)), "Containerfile:2:"),
        (format!("FROM IMAGE\nRUN <<A\n{}", "x\n".repeat(100_000)), ""),
    ] {
        context.instructions(&text);
        let done = context.build(&["-q"]);
        let told = format!(
            "{}… : {}",
            text.chars().take(60).collect::<String>(),
            done.stderr.chars().take(2000).collect::<String>()
        );
        assert!(matches!(done.code, Some(0 | 125..=127)), "{:?} {told}", done.code);
        assert!(done.stderr.contains(error) && done.stderr.len() < 30_000, "{told}");
    }
    assert!(begun.elapsed() < Duration::from_secs(120), "it took {:?}", begun.elapsed());
}

on_both_drivers!(sockets_devices_and_pipes, unreadable_files, a_context_that_changes_meanwhile, too_much);
