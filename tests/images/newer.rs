//! When the registry is asked, and when what is here is kept: `--pull` of `run`, `--policy` of `pull`.

use super::server::{Answers, Parts, Server};
use crate::harness::image::{busybox_layer, digest};
use crate::harness::{Case, Driver, Finished};

/// An image at a registry, of which another form comes later; the old one is here.
struct World {
    case: Case,
    server: Server,
    name: String,
    old: Parts,
    new: Parts,
}

fn parts(which: &str) -> Parts {
    Parts::of(&[busybox_layer().file("which", 0o644, which)])
}

fn id(parts: &Parts) -> String {
    digest(parts.config.to_string().as_bytes()).trim_start_matches("sha256:").to_owned()
}

impl World {
    fn new() -> Self {
        let (old, new) = (parts("old"), parts("new"));
        let server = Server::start(old.answers());
        let case = Case::new(Driver::Auto);
        let name = case.pull(&format!("{}/x:1", server.address));
        Self { case, server, name, old, new }
    }

    /// What a container of the image has.
    fn run(&self, when: &str) -> Finished {
        let flags = ["run", "--rm", "--network=none", "--retry=0", when, &self.name, "cat", "/which"];
        self.case.coracle(flags)
    }

    fn pull(&self, when: &str) -> Finished {
        self.case.coracle(["pull", "--retry=0", when, &self.name])
    }

    /// The registry has another form of the image now.
    fn renewed(self) -> Self {
        self.server.answer_with(self.new.answers());
        self
    }

    fn requests(&self) -> usize {
        let manifest = "/v2/x/manifests/1".to_owned();
        [manifest, self.old.layer_path()].iter().map(|path| self.server.asked(path)).sum()
    }
}

#[test]
fn a_newer_one_is_taken() {
    World::new().renewed().run("--pull=newer").code(0).stdout("new");
    let world = World::new().renewed();
    world.pull("--policy=newer").succeeded().stdout(&format!("{}\n", id(&world.new)));
    world.run("--pull=never").code(0).stdout("new").stderr("");
    // The name has moved on.
    let rows = world.case.coracle(["images", "-a", "--no-trunc", "--format", "{{.Repository}} {{.Id}}"]).code(0).stdout;
    let named: Vec<&str> = rows.lines().filter(|row| !row.starts_with("<none>")).collect();
    assert!(matches!(named[..], [row] if row.ends_with(&id(&world.new))), "{rows}");
}

/// What has not changed is asked for by its name alone.
#[test]
fn the_same_one_is_not_sent_again() {
    let world = World::new();
    world.run("--pull=newer").code(0).stdout("old");
    world.pull("--policy=newer").succeeded().stdout(&format!("{}\n", id(&world.old)));
    world.pull("--policy=always").succeeded().stdout(&format!("{}\n", id(&world.old)));
    assert_eq!((world.server.asked("/v2/x/manifests/1"), world.server.asked(&world.old.layer_path())), (4, 1));
}

/// The registry is not there, knows nothing of it, or sends what is broken.
#[test]
fn the_older_one_is_kept_where_no_newer_one_can_be_had() {
    let world = World::new();
    let mut broken = world.new.answers();
    broken.remove(&world.new.layer_path());
    for answers in [Answers::new(), broken] {
        world.server.answer_with(answers);
        world.run("--pull=newer").code(0).stdout("old").stderr("");
        let kept = world.pull("--policy=newer").code(0).stdout(&format!("{}\n", id(&world.old)));
        kept.says(&format!("Warning: the `{}` that is here is kept: ", world.name));
        // Who wants it from there and from nowhere else is told.
        world.run("--pull=always").code(125).stdout("").says("Error: ");
        world.pull("--policy=always").code(125).stdout("").says("Error: ");
    }
    let away = "127.0.0.1:1/x:1";
    world.case.coracle(["tag", &world.name, away]).succeeded();
    let run = |when: &str, name: &str| {
        world.case.coracle(["run", "--rm", "--network=none", "--retry=0", when, name, "cat", "/which"])
    };
    run("--pull=newer", away).code(0).stdout("old").stderr("");
    run("--pull=always", away).code(125).error("127.0.0.1:1");
    world.case.coracle(["pull", "--retry=0", "--policy=newer", away]).code(0).stdout(&format!("{}\n", id(&world.old)));
    // Where nothing is here, nothing is kept.
    let absent = "127.0.0.1:1/y:1";
    run("--pull=newer", absent).code(125).error("127.0.0.1:1");
    world.case.coracle(["pull", "--retry=0", "--policy=newer", absent]).code(125).stdout("").error("127.0.0.1:1");
}

#[test]
fn nobody_is_asked_for_what_is_here() {
    let world = World::new().renewed();
    let before = world.requests();
    for when in ["missing", "never"] {
        world.run(&format!("--pull={when}")).code(0).stdout("old").stderr("");
        let id = format!("{}\n", id(&world.old));
        world.pull(&format!("--policy={when}")).code(0).stdout(&id).stderr("");
    }
    assert_eq!(world.requests(), before);
    // For another machine it is not here; and then it is not to be had.
    let other = ["pull", "--arch=s390x", "--policy=never", &world.name];
    world.case.coracle(other).code(125).stdout("").error("image not known");
    world.case.coracle(["rmi", "-f", &world.name]).succeeded();
    world.pull("--policy=never").code(125).stdout("").error("image not known");
    assert_eq!(world.requests(), before);
    world.pull("--policy=missing").succeeded().stdout(&format!("{}\n", id(&world.new)));
    world.pull("--policy=now").code(125).error("now");
}
