//! `build`: images from instructions, as users of Docker and Podman know them, on both overlay drivers.

mod cache;
mod checks;
pub mod context;
mod copy;
pub mod docker;
pub mod fetched;
mod flags;
mod hostile;
pub mod inputs;
pub mod outputs;
pub mod programs;
mod refused;
pub mod run;
pub mod server;
mod shared;
mod spellings;
mod stages;

use std::path::PathBuf;
use std::time::Duration;

use crate::harness::{Case, Finished, wait_until};

/// A build context in the home of a case.
pub struct Context<'a> {
    pub case: &'a Case,
    pub path: PathBuf,
}

impl<'a> Context<'a> {
    /// One with these instructions, in which `IMAGE` is the image of busybox.
    pub fn new(case: &'a Case, instructions: &str) -> Self {
        let context = Self { case, path: case.home.join("context") };
        std::fs::create_dir_all(&context.path).unwrap();
        context.instructions(instructions);
        context
    }

    pub fn instructions(&self, text: &str) {
        self.file("Containerfile", &text.replace("IMAGE", &self.case.busybox()));
    }

    pub fn file(&self, path: &str, content: &str) {
        let path = self.path.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }

    /// Builds `built` with these flags.
    pub fn build(&self, flags: &[&str]) -> Finished {
        let fixed = ["build", "-t", "built", "--network=none"];
        let path = self.path.to_str().unwrap();
        self.case.coracle(fixed.into_iter().chain(flags.iter().copied()).chain([path]))
    }

    /// What a command prints in a container of what was built.
    pub fn prints(&self, script: &str) -> String {
        self.case.sh("built", script).code(0).stdout
    }

    pub fn config(&self, template: &str) -> String {
        let done = self.case.coracle(["image", "inspect", "--format", template, "built"]).code(0);
        done.stdout.trim_end().to_owned()
    }
}

/// Nobody works on anything, and nothing lies about. A container that was removed goes when that has been said.
pub fn nothing_is_left(case: &Case) {
    let tmp = case.store().join("tmp");
    wait_until("nothing is left", Duration::from_secs(30), || std::fs::read_dir(&tmp).unwrap().count() == 0);
}
