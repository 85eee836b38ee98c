//! Builds that are cut: at each point, at any instant, by a disk that fills. What was not done is not there, and what was is used again.

mod disk;
mod killed;
pub mod points;

use std::fs;

use super::cut::users;
use crate::behaviour::build::Context;
use crate::harness::{Case, Finished, LIMIT, wait_until};

/// Every kind of step: RUN, COPY of the context and of a stage, a working directory, a cache, a secret.
const INSTRUCTIONS: &str = "FROM IMAGE AS made\n\
    RUN echo made >/made\n\
    COPY files /files\n\
    FROM IMAGE\n\
    WORKDIR /work\n\
    COPY --from=made /made /files/1 /out/\n\
    RUN --mount=type=cache,target=/cache --mount=type=secret,id=word cp /out/made /cache/ && ln -s made /out/link\n\
    LABEL a=b\n\
    CMD [\"cat\", \"/out/link\", \"/out/1\"]\n";

const FOLDERS: [&str; 3] = ["layers", "images/blobs/sha256", "tmp"];

/// A small build that is cut, and what it gives when it is not.
pub struct Bench<'a> {
    pub case: &'a Case,
    context: Context<'a>,
    id: String,
    /// How many entries each of [`FOLDERS`] has beside the build.
    before: [usize; 3],
}

impl<'a> Bench<'a> {
    pub fn new(case: &'a Case) -> Self {
        let context = Context::new(case, INSTRUCTIONS);
        for number in 0..20 {
            context.file(&format!("files/{number}"), &format!("file {number}\n"));
        }
        fs::write(case.home.join("word"), "very secret\n").unwrap();
        let mut bench = Self { case, context, id: String::new(), before: [0; 3] };
        bench.before = FOLDERS.map(|folder| bench.entries(folder).len());
        bench.id = bench.command().finish().code(0).stdout;
        assert_eq!(bench.id.trim_end().len(), 64, "{}", bench.id);
        bench.works("at first");
        bench.clean("at first");
        bench
    }

    /// The build, with its time fixed.
    pub fn command(&self) -> crate::harness::Command {
        let path = self.context.path.to_str().unwrap();
        let fixed =
            ["build", "-q", "-t", "built", "--network=none", "--timestamp=1000000000", "--secret=id=word,src=word"];
        self.case.command(fixed.into_iter().chain([path]))
    }

    fn entries(&self, folder: &str) -> Vec<String> {
        let listed = fs::read_dir(self.case.store().join(folder)).into_iter().flatten().flatten();
        listed.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
    }

    fn works(&self, told: &str) {
        let shown = self.case.coracle(["run", "--rm", "--network=none", "built"]);
        assert!(shown.code == Some(0) && shown.stdout == "made\nfile 1\n", "{told}: {shown}");
    }

    /// What a build that was cut, and ended so, leaves: an image that is whole, or none; no container, and no process. The next one
    /// gives what it would have given.
    pub fn judge(&self, done: &Finished, told: &str) {
        let case = self.case;
        let exists = case.coracle(["image", "exists", "built"]).code;
        match done.code {
            Some(0) => {
                assert_eq!((exists, &done.stdout), (Some(0), &self.id), "{told}: {done}");
                self.works(told);
            }
            // The image was whole when it failed, or it is not there.
            _ if exists == Some(0) => self.works(told),
            _ => assert_eq!(exists, Some(1), "{told}: {done}"),
        }
        wait_until(&format!("no process has a part of the store ({told})"), LIMIT, || users(&case.store()).is_empty());
        case.coracle(["ps", "-a", "-q"]).code(0).stdout("");
        let checked = case.coracle(["system", "check"]);
        assert_eq!(checked.code, Some(0), "{told}: {checked}");
        let again = self.command().finish();
        assert!(again.code == Some(0) && again.stdout == self.id, "{told}, again: {again}");
        // Behind its answer a command still removes files.
        wait_until(&format!("tmp/ is empty ({told})"), LIMIT, || self.entries("tmp").is_empty());
        self.works(told);
        self.clean(told);
    }

    /// Nothing is there but what was before the build.
    fn clean(&self, told: &str) {
        let case = self.case;
        case.coracle(["rmi", "-f", "built"]).code(0);
        wait_until(&format!("nothing is left of it in {FOLDERS:?} ({told})"), LIMIT, || {
            case.coracle(["image", "prune", "-f"]).code(0);
            FOLDERS.map(|folder| self.entries(folder).len()) == self.before
        });
        let text = case.command_of("grep".as_ref(), ["-rl", "very secret", case.store().to_str().unwrap()]).finish();
        assert_eq!(text.stdout, "", "{told}: the secret was left");
    }
}
