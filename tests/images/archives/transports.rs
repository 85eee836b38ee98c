//! Names of images that begin with a transport, for `pull` and for `run`.

use super::build::Archive;
use crate::harness::image::busybox_layer;
use crate::harness::{Case, Driver, Layer};
use crate::images::server::Parts;

/// The two images `q.io/one:1` and `two`, and each transport's name of an archive with both, or one.
struct Stock {
    case: Case,
    one: String,
    two: String,
}

impl Stock {
    fn new() -> Self {
        let case = Case::new(Driver::Auto);
        let id = |parts: &Parts, name: &str| {
            case.command(["load", "-q"]).stdin(Archive::oci(parts, &[name]).tar()).finish().code(0);
            case.coracle(["images", "-q", "--no-trunc", name]).code(0).stdout.trim().replace("sha256:", "")
        };
        let one = id(&Parts::of(&[busybox_layer()]), "q.io/one:1");
        let two = id(&Parts::of(&[Layer::new().file("two", 0o644, "")]), "two");
        for (format, path) in [("oci-archive", "one.oci"), ("docker-archive", "one.docker"), ("docker-dir", "one.dir")]
        {
            case.coracle(["save", "-q", "--format", format, "-o", path, "q.io/one:1"]).code(0);
        }
        case.coracle(["save", "-q", "-m", "-o", "both.docker", "q.io/one:1", "two"]).code(0);
        for name in ["q.io/one:1", "two"] {
            case.coracle(["save", "-q", "--format", "oci-dir", "-o", "both", name]).code(0);
        }
        case.coracle(["rmi", "-af"]).succeeded();
        Self { case, one, two }
    }
}

#[test]
fn pulled() {
    let Stock { case, one, two } = Stock::new();
    for (name, id, listed) in [
        ("oci-archive:one.oci", &one, "q.io/one:1"),
        ("docker-archive:one.docker", &one, "q.io/one:1"),
        ("docker-archive:one.docker:q.io/one:1", &one, "q.io/one:1"),
        ("docker-archive:both.docker:q.io/one:1", &one, "q.io/one:1"),
        ("docker-archive:both.docker:localhost/two", &two, "localhost/two:latest"),
        ("docker-archive:both.docker:@1", &two, "localhost/two:latest"),
        ("oci:both:localhost/two:latest", &two, "localhost/two:latest"),
        ("oci:both:@0", &one, "q.io/one:1"),
        ("dir:one.dir", &one, "<none>:<none>"),
    ] {
        case.coracle(["pull", "-q", name]).code(0).stdout(&format!("{id}\n")).stderr("");
        let rows = case.coracle(["images", "--format", "{{.Repository}}:{{.Tag}} {{.Id}}"]).code(0);
        assert_eq!(rows.stdout, format!("{listed} {id}\n"), "{name}");
        if listed != "<none>:<none>" {
            case.coracle(["pull", "-q", &format!("containers-storage:{listed}")]).code(0).stdout(&format!("{id}\n"));
        }
        case.coracle(["rmi", "-f", id]).succeeded();
    }
    for (name, cause) in [
        ("docker-archive:both.docker", "it holds 2 images: choose one"),
        ("oci:both", "it holds 2 images: choose one"),
        ("oci:both:nope", "it holds no such image"),
        ("docker-archive:both.docker:@2", "it holds no such image"),
        ("oci-archive:nope.tar", "nope.tar"),
        ("oci:one.oci", "is not a directory"),
        ("oci-archive:both", "is not a file"),
        ("oci-archive:", "names no path"),
        ("containers-storage:nope", "nope: image not known"),
        ("docker-daemon:x:1", "the transport `docker-daemon` is not supported"),
    ] {
        case.coracle(["pull", "-q", name]).code(125).stdout("").error(cause);
    }
    case.coracle(["images", "-q"]).code(0).stdout("");
}

#[test]
fn run() {
    let Stock { case, one, .. } = Stock::new();
    for name in ["oci-archive:one.oci", "docker-archive:both.docker:q.io/one:1", "dir:one.dir"] {
        let run = ["run", "--rm", "--quiet", "--network=none", name, "/bin/sh", "-c", "echo runs"];
        case.coracle(run).code(0).stdout("runs\n").stderr("");
        case.coracle(["rmi", "-f", &one]).succeeded();
    }
    case.coracle(["run", "--rm", "--network=none", "oci-archive:nope.tar"]).code(125).error("nope.tar");
}
