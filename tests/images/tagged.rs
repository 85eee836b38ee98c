//! `tag` and `untag`: names come, move and go; the image stays.

use super::looks::load_dated;
use crate::harness::{Case, Driver, Layer};

/// Two images, and a look at the names that the first and the second have.
struct Two {
    case: Case,
    ids: [String; 2],
}

impl Two {
    fn new() -> Self {
        let case = Case::new(Driver::Auto);
        let ids = [("q.io/a:1", "2001"), ("q.io/b:1", "2002")].map(|(name, year)| {
            load_dated(&case, name, year, Layer::new().file(name, 0o644, name));
            case.coracle(["images", "--format", "{{.Id}}", name]).code(0).stdout.trim().to_owned()
        });
        Self { case, ids }
    }

    fn names(&self) -> [String; 2] {
        let shown = self.case.coracle(["images", "--sort=repository", "--format", "{{.Id}} {{.Repository}}:{{.Tag}}"]);
        let shown = shown.code(0).stdout;
        self.ids.each_ref().map(|id| {
            let names = shown.lines().filter_map(|line| line.strip_prefix(&format!("{id} ")));
            names.collect::<Vec<_>>().join(" ")
        })
    }

    /// The command succeeds without a word, and then these are the names.
    #[track_caller]
    fn then(&self, words: &[&str], first: &str, second: &str) {
        self.case.coracle(words.iter().copied()).code(0).stdout("").stderr("");
        assert_eq!(self.names(), [first, second], "after {words:?}");
    }

    /// The command fails, and the names stay as they are.
    #[track_caller]
    fn refuses(&self, words: &[&str], cause: &str) {
        let before = self.names();
        self.case.coracle(words.iter().copied()).code(125).stdout("").error(cause);
        assert_eq!(self.names(), before, "after {words:?}");
    }
}

#[test]
fn names_come_and_move() {
    let two = Two::new();
    let id = two.ids[0].clone();
    two.then(&["tag", "q.io/a:1", "short", "q.io/c:2"], "localhost/short:latest q.io/a:1 q.io/c:2", "q.io/b:1");
    two.then(&["tag", &id[..12], "r.io/x"], "localhost/short:latest q.io/a:1 q.io/c:2 r.io/x:latest", "q.io/b:1");
    // One that another image has goes over to this one.
    two.then(
        &["image", "tag", "q.io/b:1", "q.io/a:1"],
        "localhost/short:latest q.io/c:2 r.io/x:latest",
        "q.io/a:1 q.io/b:1",
    );
    two.refuses(&["tag", "nope", "q.io/d:1"], "nope: image not known");
    two.refuses(&["tag", "q.io/b:1", "Not A Name"], "Not A Name");
}

#[test]
fn names_go() {
    let two = Two::new();
    two.then(&["tag", "q.io/a:1", "short", "q.io/c:2"], "localhost/short:latest q.io/a:1 q.io/c:2", "q.io/b:1");
    two.refuses(&["untag", "q.io/a:1", "q.io/c:2", "q.io/b:1"], "q.io/b:1: image not known");
    two.refuses(&["untag", "nope"], "nope: image not known");
    two.then(&["untag", "q.io/a:1", "q.io/c:2"], "localhost/short:latest q.io/a:1", "q.io/b:1");
    two.then(&["image", "untag", "short", "short"], "q.io/a:1", "q.io/b:1");
    two.then(&["tag", "q.io/a:1", "q.io/c:2"], "q.io/a:1 q.io/c:2", "q.io/b:1");
    // All of them: it is there by its id, until a prune.
    two.then(&["untag", "q.io/c:2"], "<none>:<none>", "q.io/b:1");
    two.case.coracle(["image", "inspect", "--format", "{{.RepoTags}}", &two.ids[0]]).code(0).stdout("[]\n");
    two.then(&["untag", &two.ids[1][..12]], "<none>:<none>", "<none>:<none>");
    two.then(&["tag", &two.ids[1], "q.io/again:1"], "<none>:<none>", "q.io/again:1");
    two.case.coracle(["image", "prune", "-f"]).code(0);
    assert_eq!(two.names(), ["", "q.io/again:1"]);
}

/// An image without a name on which another was made stays as long as that one does.
#[test]
fn a_prune_leaves_what_others_were_made_on() {
    let case = Case::new(Driver::Auto);
    let base = case.busybox();
    let ids = || case.coracle(["images", "-aq"]).code(0).stdout.lines().count();
    for (from, name) in [(base.as_str(), "q.io/middle:1"), ("q.io/middle:1", "q.io/top:1")] {
        case.coracle(["run", "--network=none", "--name=c", from, "sh", "-c", &format!("echo >/{}", &name[5..8])])
            .succeeded();
        case.coracle(["commit", "-q", "c", name]).succeeded();
        case.coracle(["rm", "c"]).succeeded();
    }
    case.coracle(["untag", &base]).code(0);
    case.coracle(["untag", "q.io/middle:1"]).code(0);
    case.coracle(["image", "prune", "-f"]).code(0).stdout("");
    assert_eq!(ids(), 3);
    case.coracle(["untag", "q.io/top:1"]).code(0);
    let pruned = case.coracle(["image", "prune", "-f"]).code(0).stdout;
    assert_eq!((pruned.lines().count(), ids()), (3, 0), "{pruned}");
}
