//! Whole programs, in the styles that people use: they build with no network, run, and answer.
//!
//! `tests/build/programs` has them; `prepare` makes what an index of packages would give. The images that they begin with are made
//! by `tests/setup/image`.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::architecture::root;
use crate::harness::image::registry;
use crate::harness::{Case, Finished, LIMIT, wait_for, wait_until};

/// A program's folder, copied into the home of a case; built into the store that all cases share.
struct Program {
    case: Case,
    name: &'static str,
    path: PathBuf,
    tag: String,
    /// One at a time: in a store that they share, what one does anew another one is not to find in the cache.
    _turn: MutexGuard<'static, ()>,
}

static TURN: Mutex<()> = Mutex::new(());

impl Program {
    fn new(case: &Case, name: &'static str) -> Self {
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        let case = case.sharing_store();
        let (from, path) = (root().join("tests/build/programs").join(name), case.home.join(name));
        copy(&from, &path);
        if path.join("prepare").exists() {
            let mut prepared = case.command_of(&path.join("prepare"), []).directory(&path);
            prepared = prepared.env("PATH", "/usr/bin:/bin");
            prepared.finish().code(0);
        }
        let tag = format!("{name}-{}", case.driver.name());
        Self { case, name, path, tag, _turn: turn }
    }

    fn build(&self, flags: &[&str]) -> Finished {
        let bases = [("BASE", "debian-languages"), ("SLIM", "debian")]
            .map(|(argument, image)| format!("{argument}={}/{image}:12", registry()));
        let fixed = ["build", "--network=none", "-t", &self.tag, "--build-arg", &bases[0], "--build-arg", &bases[1]];
        self.case.coracle(fixed.into_iter().chain(flags.iter().copied()).chain([self.path.to_str().unwrap()])).code(0)
    }

    fn change(&self, file: &str, from: &str, to: &str) {
        let path = self.path.join(file);
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{file}: {text}");
        std::fs::write(&path, text.replace(from, to)).unwrap();
    }

    /// What the server says to who asks at its published port.
    fn answers(&self, expected: &str) {
        let name = format!("{}-server", self.tag);
        let up = ["run", "-d", "-p=127.0.0.1::8080", "--name", &name, &self.tag];
        self.case.coracle(up).succeeded();
        wait_until("it listens", LIMIT, || self.case.coracle(["logs", &name]).stdout.contains("listening"));
        let port = self.case.coracle(["port", &name, "8080"]).code(0).stdout;
        let answer = wait_for("it answers", LIMIT, || ask(port.trim_end()).filter(|answer| answer.contains("hello")));
        assert!(answer.starts_with("HTTP/1.") && answer.ends_with(expected), "{}: {answer}", self.name);
        let user = self.case.coracle(["exec", &name, "id", "-u"]).code(0).stdout;
        assert_ne!(user, "0\n", "{} runs as root", self.name);
        let health = self.case.coracle(["inspect", "--format", "{{json .Config.Healthcheck}}", &name]).stdout;
        if health.contains("CMD") {
            wait_until("it is well", LIMIT, || self.case.coracle(["healthcheck", "run", &name]).code == Some(0));
        }
        self.case.coracle(["rm", "-f", "-t", "1", &name]).code(0);
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.case.command(["rm", "-f", "-t", "0", &format!("{}-server", self.tag)]).try_finish();
    }
}

fn ask(address: &str) -> Option<String> {
    let mut stream = TcpStream::connect(address).ok()?;
    stream.write_all(b"GET / HTTP/1.0\r\n\r\n").ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    Some(answer)
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().flatten() {
        let target = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => copy(&entry.path(), &target),
            false => drop(std::fs::copy(entry.path(), target).unwrap()),
        }
    }
}

/// Several stages, dependencies in a layer of their own, caches for the compiler; the last stage has the program alone.
pub fn rust(case: &Case) {
    let program = Program::new(case, "rust");
    let built = program.build(&["--no-cache"]);
    assert!(built.stdout.contains("Compiling greet") || built.stderr.contains("Compiling greet"), "{built}");
    assert!(!built.stdout.contains("cargo test"), "a stage that nobody needs was built: {built}");
    program.answers("hello from rust\n");
    let again = program.build(&[]);
    assert!(!again.stderr.contains("Compiling"), "{again}");
    // A change of the program's own source compiles that alone.
    program.change("src/main.rs", "greeting(\"rust\")", "greeting(\"changed rust\")");
    let changed = program.build(&[]);
    assert!(changed.stderr.contains("Compiling server") && !changed.stderr.contains("Compiling greet"), "{changed}");
    program.answers("hello from changed rust\n");
    program.build(&["--target=test"]);
}

/// A virtual environment from wheels, with pip's cache; an account of its own; a script for bash in the instructions.
pub fn python(case: &Case) {
    let program = Program::new(case, "python");
    program.build(&["--no-cache", "--build-arg=VERSION=3.1"]);
    program.answers("hello from python 3.1\n");
    program.change("app/__main__.py", "python {", "changed python {");
    let changed = program.build(&[]);
    assert!(!changed.stdout.contains("Successfully installed"), "{changed}");
    program.answers("hello from changed python development\n");
}

/// `npm ci` with npm's cache, dependencies in a stage of their own, a check of health.
pub fn node(case: &Case) {
    let program = Program::new(case, "node");
    let built = program.build(&["--no-cache"]);
    assert!(built.stdout.contains("added 1 package"), "{built}");
    program.answers("hello from node\n");
    program.change("server.js", "greeting('node')", "greeting('changed node')");
    let changed = program.build(&[]);
    assert!(!changed.stdout.contains("added 1 package"), "{changed}");
    program.answers("hello from changed node\n");
    program.build(&["--target=test"]);
}

on_both_drivers!(rust, python, node);
