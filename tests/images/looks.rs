//! Looking at images: `history`, `image tree`, and what `images` shows of several.

use serde_json::Value;

use crate::harness::image::{busybox_layer, digest};
use crate::harness::{Case, Driver, Finished, Layer};

/// `base`, and on it `second`, and on that `third`; and `other`, made of the same layer as `base`, for another machine.
struct Family {
    case: Case,
}

impl Family {
    fn new() -> Self {
        let case = Case::new(Driver::Auto);
        let base = busybox_layer().tar();
        let import = |arguments: &[&str]| {
            let command = ["import", "-q"].into_iter().chain(arguments.iter().copied());
            case.command(command).stdin(base.clone()).finish().code(0);
        };
        import(&["-c", "LABEL made=first", "-m", "the first", "-", "q.io/base:1"]);
        import(&["--arch", "arm64", "-", "other"]);
        for (from, name) in [("q.io/base:1", "second"), ("second", "third")] {
            case.coracle(["create", "--name", name, from, "/bin/touch", &format!("/{name}")]).code(0);
            case.coracle(["start", "-a", name]).code(0);
            case.coracle(["commit", "-q", name, name]).code(0);
            case.coracle(["rm", name]).code(0);
        }
        Self { case }
    }

    fn coracle<'a>(&self, arguments: impl IntoIterator<Item = &'a str>) -> Finished {
        self.case.coracle(arguments).code(0)
    }

    fn id(&self, name: &str) -> String {
        self.coracle(["images", "--format", "{{.Id}}", name]).stdout.trim().to_owned()
    }
}

#[test]
fn history() {
    let family = Family::new();
    let ids = ["third", "second", "q.io/base:1"].map(|name| family.id(name));
    let json = family.coracle(["history", "--format", "json", "third"]).stdout;
    let json: Value = serde_json::from_str(&json).unwrap();
    let steps = json.as_array().unwrap();
    for (step, id) in steps.iter().zip(&ids) {
        assert_eq!(step["id"], **id);
    }
    assert_eq!(steps[0]["tags"], serde_json::json!(["localhost/third:latest"]));
    assert_eq!(steps[1]["CreatedBy"], "/bin/touch /second");
    assert_eq!(
        (steps[2]["size"].as_u64(), &steps[2]["comment"]),
        (Some(busybox_layer().tar().len() as u64), &"the first".into())
    );
    let text = family.coracle(["history", "third"]).stdout;
    let lines: Vec<Vec<&str>> =
        text.lines().map(|line| line.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).collect()).collect();
    assert_eq!(lines[0], ["ID", "CREATED", "CREATED BY", "SIZE", "COMMENT"]);
    assert_eq!((lines.len(), lines[1][0], lines[1][2]), (4, &ids[0][..12], "/bin/touch /third"));
    assert_eq!(lines[3][2].len(), 45, "{text}");
    assert!(lines[3][2].ends_with("...") && lines[1][1].ends_with(" ago"), "{text}");
    let quiet = |more: &[&'static str]| {
        family.coracle(["history", "-q"].into_iter().chain(more.iter().copied()).chain(["third"])).stdout
    };
    assert_eq!(quiet(&["--no-trunc"]), ids.iter().map(|id| format!("{id}\n")).collect::<String>());
    assert_eq!(quiet(&[]), ids.iter().map(|id| format!("{}\n", &id[..12])).collect::<String>());
    let created = |human: &str| family.coracle(["history", human, "--format", "{{.Created}}", "third"]).stdout;
    assert!(created("--human").lines().all(|line| line.ends_with(" ago")), "{}", created("--human"));
    let exact = family.coracle(["history", "--human=false", "third"]).stdout;
    let is_exact = |line: &str| chrono::DateTime::parse_from_rfc3339(line.split_whitespace().nth(1).unwrap()).is_ok();
    assert!(exact.lines().skip(1).all(is_exact), "{exact}");
    let long =
        family.coracle(["image", "history", "--no-trunc", "--format", "table {{.ID}} {{.CreatedBy}}", "third"]).stdout;
    assert!(
        long.starts_with("ID") && long.contains(digest(&busybox_layer().tar()).trim_start_matches("sha256:")),
        "{long}"
    );
    // Without the images below, nobody knows their ids.
    family.coracle(["rmi", "second", "q.io/base:1", "other"]);
    assert_eq!(quiet(&[]), format!("{}\n<missing>\n<missing>\n", &ids[0][..12]));
    family.case.coracle(["history", "nope"]).code(125).error("nope: image not known");
}

#[test]
fn tree() {
    let family = Family::new();
    let layer = |name: &str, place: usize| {
        let layers = family.coracle(["image", "inspect", "--format", "{{json .RootFS.Layers}}", name]).stdout;
        let layers: Vec<String> = serde_json::from_str(&layers).unwrap();
        layers[place].trim_start_matches("sha256:")[..12].to_owned()
    };
    let [base, second, third] = [0, 1, 2].map(|place| layer("third", place));
    let shown = family.coracle(["image", "tree", "third"]).stdout;
    let lines: Vec<&str> = shown.lines().collect();
    assert_eq!(lines[0], format!("Image ID: {}", &family.id("third")[..12]));
    assert_eq!(lines[1], "Tags:     [localhost/third:latest]");
    assert!(lines[2].starts_with("Size:     ") && lines[3] == "Image Layers", "{shown}");
    assert!(lines[4].starts_with(&format!("├── ID: {base} Size: ")), "{shown}");
    assert!(lines[4].ends_with(" Top Layer of: [localhost/other:latest q.io/base:1]"), "{shown}");
    assert!(lines[6].starts_with(&format!("└── ID: {third} Size: ")), "{shown}");
    let shown = family.coracle(["image", "tree", "--whatrequires", "q.io/base:1"]).stdout;
    let lines: Vec<&str> = shown.lines().skip(4).collect();
    for (line, start) in
        lines.iter().zip([format!("├── ID: {base}"), format!("└── ID: {second}"), format!("    └── ID: {third}")])
    {
        assert!(line.starts_with(&start), "{shown}");
    }
    assert_eq!(lines.len(), 3);
    family.case.coracle(["image", "tree", "nope"]).code(125).error("nope: image not known");
}

#[test]
fn filters() {
    let family = Family::new();
    let empty = Layer::new().tar();
    family.case.command(["import", "-q", "-"]).stdin(empty).finish().code(0);
    let id = family.id("second");
    let until = "until=2020-01-01T00:00:00Z";
    for (filters, expected) in [
        (&["reference=q.io/*"][..], "base"),
        (&["reference=q.io/*", "reference=oth*"], "base other"),
        (&["reference!=q.io/*", "dangling=false"], "other second third"),
        (&["label=made"], "base second third"),
        (&["label=made=first", "reference=*/second"], "second"),
        (&["label!=made"], "<none> other"),
        (&["dangling=true"], "<none>"),
        (&["dangling=false"], "base other second third"),
        (&["dangling!=true", "label!=made"], "other"),
        (&[&format!("id={}", &id[..10])], "second"),
        (&["digest=sha256:"], "<none> base other second third"),
        (&["digest=sha256:x"], ""),
        (&["intermediate=true"], ""),
        (&["readonly=false", "manifest=false", "label=made"], "base second third"),
        (&[until], ""),
        (&["until=0s", "label=made"], "base second third"),
        (&["containers=false", "label=made"], "base second third"),
        (&["containers=true"], ""),
    ] {
        let flags = filters.iter().flat_map(|filter| ["-f", *filter]);
        let shown = family.coracle(["images", "-n", "--format", "{{.Repository}}"].into_iter().chain(flags)).stdout;
        let mut names: Vec<&str> = shown.lines().map(|line| line.rsplit('/').next().unwrap()).collect();
        names.sort_unstable();
        assert_eq!(names.join(" "), expected, "{filters:?}");
    }
    for (filter, cause) in [
        ("before=nope", "could not find local image for filter \"before\"=\"nope\": nope: image not known"),
        ("dangling=x", "non-boolean value \"x\" for dangling filter"),
        ("until=x", "failed to parse value as time or duration: \"x\""),
        ("nope=x", "invalid image filter \"nope\": must be in the format"),
        ("label", "invalid image filter \"label\": must be in the format"),
    ] {
        family.case.coracle(["images", "-f", filter]).code(125).stdout("").error(cause);
    }
    let sorted = |by: &str| {
        family.coracle(["images", "-n", "--sort", by, "--format", "{{.Repository}}", "-f", "label=made"]).stdout
    };
    assert_eq!(sorted("repository"), "localhost/second\nlocalhost/third\nq.io/base\n");
    let ids = family.coracle(["images", "-n", "--sort", "id", "--format", "{{.ID}}"]).stdout;
    assert!(ids.lines().count() > 2 && ids.lines().is_sorted(), "{ids}");
    family.case.coracle(["images", "--sort", "nope"]).code(125).error("\"nope\" is not a valid field for sorting");
    assert_eq!(family.coracle(["images", "-q", &id[..8]]).stdout, format!("{}\n", &id[..12]));
    let history = family.coracle(["images", "--history", "second"]).stdout;
    assert!(
        history.lines().next().unwrap().ends_with("HISTORY") && history.ends_with("localhost/second:latest\n"),
        "{history}"
    );
}

/// Loads an image that says of itself that it was made in this year.
pub fn load_dated(case: &Case, name: &str, year: &str, layer: Layer) {
    let mut parts = crate::images::server::Parts::of(&[layer]);
    parts.config["created"] = format!("{year}-01-01T00:00:00Z").into();
    let ids: Vec<String> = serde_json::from_value(parts.config["rootfs"]["diff_ids"].clone()).unwrap();
    parts.claim(&ids);
    let archive = super::archives::build::Archive::oci(&parts, &[name]).tar();
    case.command(["load", "-q"]).stdin(archive).finish().code(0);
}

/// Images of different ages, told by what they say of themselves.
#[test]
fn older_and_newer() {
    let case = Case::new(Driver::Auto);
    for (name, year) in [("old", "2001"), ("middle", "2002"), ("new", "2003")] {
        load_dated(&case, name, year, Layer::new().file(name, 0o644, name));
    }
    for (filter, expected) in [
        ("before=middle", "localhost/old\n"),
        ("since=middle", "localhost/new\n"),
        ("after=old", "localhost/new\nlocalhost/middle\n"),
        ("until=2002-06-01T00:00:00Z", "localhost/middle\nlocalhost/old\n"),
    ] {
        case.coracle(["images", "-n", "--format", "{{.Repository}}", "-f", filter]).code(0).stdout(expected);
    }
}

#[test]
fn mounted() {
    let family = Family::new();
    let refused = family.case.coracle(["image", "mount", "third"]).code(125).stdout("");
    refused.error("cannot run command \"coracle image mount\" in rootless mode, must execute `coracle unshare` first");
    let binary = crate::harness::binary();
    let script = "set -eu; c=$0; p=$($c image mount third); ls $p/second $p/third; ! touch $p/new 2>/dev/null; stat -c %u $p/bin/busybox
        q=$($c image mount q.io/base:1); test ! -e $q/second; test -x $q/bin/busybox; ! touch $q/new 2>/dev/null
        $c image mount | wc -l; $c image mount --format json | grep -c mountpoint; $c image mount -a | wc -l
        $c image unmount third; ls $p 2>/dev/null || true; $c image umount -a | wc -l; $c image mount; $c image unmount third";
    let shown = family.coracle(["unshare", "sh", "-c", script, binary.to_str().unwrap()]).stdout;
    let (place, id) = (family.case.store().join("mounts"), family.id("third"));
    let of_third = place.join(&id);
    let of_third = of_third.display();
    assert_eq!(shown, format!("{of_third}/second\n{of_third}/third\n0\n2\n2\n4\n{id}\n3\n{id}\n"));
    assert_eq!(std::fs::read_dir(place).unwrap().count(), 0);
    // What was mounted has ended with its namespace.
    let left = family.coracle(["unshare", binary.to_str().unwrap(), "image", "mount", "third"]).stdout;
    assert_eq!(left, format!("{of_third}\n"));
    assert_eq!(std::fs::read_dir(left.trim()).unwrap().count(), 0);
    assert_eq!(family.coracle(["unshare", binary.to_str().unwrap(), "image", "mount"]).stdout, "");
    family.case.coracle(["image", "unmount", "nope"]).code(125).error("nope: image not known");
}

/// What the index says of its images is shown without a look at them, and believed only of the manifest that it was said of.
#[test]
fn a_list_by_the_index_alone() {
    let family = Family::new();
    // Without their age, which goes on.
    let row = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        format!("{} {}\n", words[..4].join(" "), words[words.len() - 2..].join(" "))
    };
    let shown = || family.coracle(["images", "--no-trunc", "--digests"]).stdout.lines().map(row).collect::<String>();
    let path = family.case.store().join("images/index.json");
    let change = |change: &dyn Fn(&mut Value)| {
        let mut index: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        index["manifests"].as_array_mut().unwrap().iter_mut().for_each(change);
        std::fs::write(&path, index.to_string()).unwrap();
    };
    let truth = shown();
    assert_eq!(truth.lines().count(), 5, "{truth}");
    change(&|entry| entry["coracle.image"]["size"] = 7.into());
    assert_eq!(shown().matches(" 7 B").count(), 4, "{}", shown());
    // Of another manifest; and of none, as other tools write entries.
    change(&|entry| entry["coracle.image"]["manifest"] = digest(b"another").into());
    assert_eq!(shown(), truth);
    change(&|entry| drop(entry.as_object_mut().unwrap().remove("coracle.image")));
    assert_eq!(shown(), truth);
    let third = family.id("third");
    assert_eq!(family.coracle(["images", "-q", "--no-trunc", &third[..9]]).stdout.trim(), format!("sha256:{third}"));
}

/// An image whose manifest has gone is not listed as if it were here.
#[test]
fn an_image_that_has_gone_is_told() {
    let family = Family::new();
    let manifest = family.coracle(["images", "--format", "{{.Digest}}", "other"]).stdout;
    let hex = manifest.trim().strip_prefix("sha256:").unwrap();
    std::fs::remove_file(family.case.store().join("images/blobs/sha256").join(hex)).unwrap();
    let listed = family.coracle(["images"]);
    assert!(listed.stderr.contains(hex) && !listed.stdout.contains("other"), "{listed}");
}
