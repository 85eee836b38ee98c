//! `images --sort` by every key and `images --filter` by every filter, each beside what it leaves out.

use serde_json::Value;

use super::looks::load_dated;
use crate::harness::{Case, Driver, Layer};

/// Three images, each first by another key: their names, years and sizes.
const IMAGES: [(&str, &str, usize); 3] =
    [("q.io/b:1", "2001", 20_000), ("q.io/a:3", "2003", 30_000), ("q.io/c:2", "2002", 10_000)];

fn case() -> Case {
    let case = Case::new(Driver::Auto);
    for (name, year, size) in IMAGES {
        load_dated(&case, name, year, Layer::new().file(name, 0o644, vec![b'x'; size]));
    }
    case
}

/// One letter an image, from lines that begin with its name; `-` for one without.
fn letters(shown: &str) -> String {
    shown.lines().map(|line| line.split_once('/').and_then(|(_, rest)| rest.chars().next()).unwrap_or('-')).collect()
}

#[test]
fn every_order() {
    let case = case();
    let list = |words: &[&str]| case.coracle(["images"].iter().chain(words).copied()).code(0).stdout;
    let ids = list(&["--no-trunc", "--format", "{{.ID}} {{.Repository}}"]);
    let mut by_id: Vec<&str> = ids.lines().collect();
    by_id.sort_unstable();
    let by_id: String = by_id.iter().map(|line| &line[line.len() - 1..]).collect();
    for (key, expected) in
        [("created", "acb"), ("id", by_id.as_str()), ("repository", "abc"), ("size", "cba"), ("tag", "bca")]
    {
        assert_eq!(letters(&list(&["--sort", key, "--format", "{{.Repository}}"])), expected, "{key}");
        assert_eq!(letters(&list(&["-n", "--sort", key])), expected, "{key}");
        let json: Value = serde_json::from_str(&list(&["--sort", key, "--format", "json"])).unwrap();
        let names: Vec<&str> = json.as_array().unwrap().iter().map(|one| one["Names"][0].as_str().unwrap()).collect();
        assert_eq!(letters(&names.join("\n")), expected, "{key} in JSON");
        let ids: Vec<String> = list(&["-q", "--sort", key]).lines().map(str::to_owned).collect();
        let shown: Vec<String> = list(&["--sort", key, "--format", "{{.ID}}"]).lines().map(str::to_owned).collect();
        assert_eq!(ids, shown, "{key} with -q");
    }
    assert_eq!(list(&[]), list(&["--sort", "created"]));
    let refused = case.coracle(["images", "--sort", "age"]).code(125).stdout("");
    refused.error("\"age\" is not a valid field for sorting. Choose from: repository, size, tag, created, id");
    // An image with two names stands at both, and in JSON once.
    case.coracle(["tag", "q.io/a:3", "q.io/d:0"]).code(0);
    assert_eq!(letters(&list(&["--sort", "tag", "--format", "{{.Repository}}"])), "dbca");
    let json: Value = serde_json::from_str(&list(&["--sort", "tag", "--format", "json"])).unwrap();
    assert_eq!(json.as_array().unwrap().len(), 3);
    assert_eq!(json[0]["Names"], serde_json::json!(["q.io/a:3", "q.io/d:0"]));
}

/// Beside the three: `e`, a list; one without a name; and `a` has a container. What each filter shows, and what it shows with `!=`.
#[test]
fn every_filter() {
    let case = case();
    case.coracle(["manifest", "create", "q.io/e:9"]).code(0);
    load_dated(&case, "q.io/f:1", "1999", Layer::new().file("f", 0o644, "f"));
    case.coracle(["untag", "q.io/f:1"]).code(0);
    let label = ["import", "-q", "-c", "LABEL made=here", "-", "q.io/l:1"];
    case.command(label).stdin(Layer::new().file("l", 0o644, "l").tar()).finish().code(0);
    case.coracle(["create", "--name", "box", "q.io/a:3", "/x"]).code(0);
    let field = |name: &str, field: &str| {
        case.coracle(["images", "--format", &format!("{{{{.{field}}}}}"), name]).code(0).stdout.trim().to_owned()
    };
    let (id, digest) = (field("q.io/b:1", "Id"), field("q.io/b:1", "Digest"));
    let shown = |filter: &str| {
        let shown = case.coracle(["images", "--sort=repository", "--format", "{{.Repository}}", "-f", filter]).code(0);
        letters(&shown.stdout)
    };
    for (key, value, with, without) in [
        ("after", "q.io/c:2", "ael", "-bc"),
        ("since", "q.io/c:2", "ael", "-bc"),
        ("before", "q.io/c:2", "-b", "acel"),
        ("until", "2002-06-01T00:00:00Z", "-bc", "ael"),
        ("containers", "true", "a", "-bcel"),
        ("containers", "false", "-bcel", "a"),
        ("containers", "external", "-bcel", "a"),
        ("dangling", "true", "-", "abcel"),
        ("digest", &digest[..20], "b", "-acel"),
        ("id", &id[..12], "b", "-acel"),
        ("intermediate", "true", "", "-abcel"),
        ("intermediate", "false", "-abcel", ""),
        ("label", "made", "l", "-abce"),
        ("label", "made=here", "l", "-abce"),
        ("label", "made=there", "", "-abcel"),
        ("manifest", "true", "e", "-abcl"),
        ("manifest", "false", "-abcl", "e"),
        ("readonly", "true", "", "-abcel"),
        ("readonly", "false", "-abcel", ""),
        ("reference", "q.io/[ab]", "ab", "-cel"),
        ("reference", "*/c:2", "c", "-abel"),
    ] {
        assert_eq!(shown(&format!("{key}={value}")), with, "{key}={value}");
        assert_eq!(shown(&format!("{key}!={value}")), without, "{key}!={value}");
    }
    let refused = |filters: &[&str], cause: &str| {
        let words = filters.iter().flat_map(|filter| ["-f", filter]);
        case.coracle(["images"].into_iter().chain(words)).code(125).stdout("").error(cause);
    };
    refused(&["containers=some"], "unsupported value \"some\" for containers filter");
    refused(&["digest=abc"], "invalid value \"abc\" for digest filter");
    for key in ["intermediate", "manifest", "readonly"] {
        refused(&[&format!("{key}=some")], &format!("non-boolean value \"some\" for {key} filter"));
    }
    for key in ["after", "since"] {
        refused(&[&format!("{key}=nope")], &format!("could not find local image for filter \"{key}\"=\"nope\""));
    }
    let twice = "specifying \"dangling\" filter more than once with different values is not supported";
    refused(&["dangling=true", "dangling=false"], twice);
}

/// What others were made on is hidden once it has no name, and no dangling one; JSON has each image once, and says on which it was made.
#[test]
fn what_others_were_made_on() {
    let case = Case::new(Driver::Auto);
    let base = Layer::new().file("b", 0o644, "b").tar();
    case.command(["import", "-q", "-", "q.io/base:1"]).stdin(base).finish().code(0);
    for (from, to) in [("q.io/base:1", "q.io/child:1"), ("q.io/child:1", "q.io/last:1")] {
        case.coracle(["create", "--name", "box", from, "/x"]).code(0);
        case.coracle(["commit", "-q", "box", to]).code(0);
        case.coracle(["rm", "box"]).code(0);
    }
    case.coracle(["tag", "q.io/child:1", "q.io/also:1"]).code(0);
    let list = |words: &[&str]| case.coracle(["images"].iter().chain(words).copied()).code(0).stdout;
    let field = |name: &str, field: &str| list(&["--format", &format!("{{{{.{field}}}}}"), name]).trim().to_owned();
    let ids = ["base", "child", "last"].map(|name| field(&format!("q.io/{name}:1"), "Id"));
    let json: Value = serde_json::from_str(&list(&["--format", "json"])).unwrap();
    let told: Vec<_> = ids
        .iter()
        .map(|id| {
            let mut same = json.as_array().unwrap().iter().filter(|image| image["Id"] == **id);
            let image = same.next().unwrap();
            assert!(same.next().is_none(), "twice: {image}");
            (image["ParentId"].as_str().unwrap(), image["Names"].as_array().unwrap().len(), image["Dangling"].clone())
        })
        .collect();
    assert_eq!(told, [("", 1, Value::Null), (&ids[0], 2, Value::Null), (&ids[1], 1, Value::Null)]);
    let keys: Vec<&str> = json[0].as_object().unwrap().keys().map(String::as_str).collect();
    for key in "Id ParentId RepoTags RepoDigests Size SharedSize VirtualSize Labels Containers Digest History Names \
        CreatedAt Created Arch Os"
        .split_whitespace()
    {
        assert!(keys.contains(&key), "no {key} in {keys:?}");
    }
    assert_eq!(field("q.io/last:1", "ParentId"), ids[1]);

    case.coracle(["untag", "q.io/base:1"]).code(0);
    let quiet = |words: &[&str]| {
        let shown = list(&[&["-q", "--no-trunc"], words].concat());
        shown.lines().map(|line| line.trim_start_matches("sha256:").to_owned()).collect::<Vec<_>>()
    };
    let base = std::slice::from_ref(&ids[0]);
    for words in [&[][..], &["-f", "intermediate=false"], &["-a", "-f", "intermediate!=true"]] {
        let mut shown = quiet(words);
        shown.sort();
        let mut others = ids[1..].to_vec();
        others.sort();
        assert_eq!(shown, others, "{words:?}");
    }
    assert_eq!(quiet(&["-a"]).len(), 3);
    for words in [&["-f", "intermediate=true"][..], &["-a", "-f", "intermediate=true"], &["-f", "intermediate!=false"]]
    {
        assert_eq!(quiet(words), base, "{words:?}");
    }
    assert_eq!(quiet(&["-a", "-f", "dangling=true"]), [""; 0]);
    assert!(!list(&[]).contains("<none>") && list(&["-a"]).contains("<none>"));
    // With nothing on it, it is what nobody needs.
    case.coracle(["rmi", "q.io/last:1", "q.io/child:1", "q.io/also:1"]).code(0);
    assert_eq!(quiet(&["-f", "dangling=true"]), base);
    assert_eq!(quiet(&["-f", "intermediate=true"]), [""; 0]);
}
