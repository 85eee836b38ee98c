//! `search`: by a registry's search, by its list of repositories, and the tags of one.

use serde_json::{Value, json};

use super::user;
use crate::harness::{Case, Driver};
use crate::images::server::{Answer, Answers, Server};

fn serves(answers: &[(&str, Value)]) -> Server {
    let answers = answers
        .iter()
        .map(|(path, answer)| ((*path).to_owned(), vec![Answer::Whole(200, answer.to_string().into_bytes())]));
    Server::start(answers.collect::<Answers>())
}

/// What Docker Hub's search answers.
fn hub(path: &str) -> Server {
    let long = "Apache HTTP server, with\nall that belongs to it and some more";
    serves(&[(
        path,
        json!({"num_results": 2, "query": "web", "results": [
            {"name": "web", "description": long, "star_count": 70, "is_official": true, "is_automated": false},
            {"name": "ns/web", "description": "\u{1b}[2J", "star_count": 3, "is_official": false, "is_automated": true},
            {"name": "third/web", "description": "", "star_count": 0}
        ]}),
    )])
}

#[test]
fn a_registry_that_searches() {
    let server = hub("/v1/search?q=web&n=25");
    let (case, at) = (Case::new(Driver::Auto), &server.address);
    let term = format!("{at}/web");
    let columns = |words: &[&str]| -> Vec<Vec<String>> {
        let text = case.coracle([&["search", &term], words].concat()).code(0).stdout;
        text.lines()
            .map(|line| line.split("  ").map(str::trim).filter(|word| !word.is_empty()).map(str::to_owned).collect())
            .collect()
    };
    assert_eq!(
        columns(&[])[..3],
        [
            vec!["NAME".to_owned(), "DESCRIPTION".to_owned()],
            vec![format!("{at}/web"), "Apache HTTP server, with all that belongs to...".to_owned()],
            vec![format!("{at}/ns/web"), "\\u{1b}[2J".to_owned()],
        ]
    );
    assert_eq!(columns(&["--compatible"])[1][2..], ["70", "[OK]"]);
    assert!(columns(&["--no-trunc"])[1][1].ends_with("some more"));
    let names = |filter: &str| {
        case.coracle(["search", "--filter", filter, "--format", "{{.Name}} {{.Stars}}", &term]).code(0).stdout
    };
    assert_eq!(names("stars=3"), format!("{at}/web 70\n{at}/ns/web 3\n"));
    assert_eq!(names("is-official"), format!("{at}/web 70\n"));
    assert_eq!(names("is-automated=true"), format!("{at}/ns/web 3\n"));
    case.coracle(["search", "--filter", "foo=1", &term]).code(125).error("invalid filter type \"foo=1\"");
    let first: Value = serde_json::from_str(&case.coracle(["search", "--format=json", &term]).code(0).stdout).unwrap();
    assert_eq!(
        (&first[0]["Index"], &first[0]["Official"], &first[2]["Stars"]),
        (&json!(at), &json!("[OK]"), &json!(0))
    );
    let limited = hub("/v1/search?q=web&n=1");
    let names = case.coracle(["search", "--limit=1", "--format={{.Name}}", &format!("{}/web", limited.address)]);
    names.code(0).stdout(&format!("{}/web\n", limited.address));
}

#[test]
fn a_registry_that_only_lists() {
    let server = serves(&[("/v2/_catalog", json!({"repositories": ["a/web", "b", "web"]}))]);
    let case = user(&format!("unqualified-search-registries = ['127.0.0.1:9', '{}']", server.address));
    let found = case.coracle(["search", "--format", "{{.Name}}", "web"]).code(125).error("127.0.0.1:9");
    assert_eq!(found.stdout, format!("{0}/a/web\n{0}/web\n", server.address), "who answers is shown");
    case.coracle(["search", "--format", "{{.Name}}", &format!("{}/", server.address)])
        .code(0)
        .stdout(&format!("{0}/a/web\n{0}/b\n{0}/web\n", server.address));
    user("")
        .coracle(["search", "web"])
        .code(125)
        .error("no registries to search")
        .says("hint: name one: `docker.io/web`");
}

/// Docker Hub searches at a host of its own, and knows its own images by short names. The server stands for it as a proxy does,
/// which gets whole addresses; there is no TLS to it.
#[test]
fn docker_hub() {
    let answer = json!({"num_results": 2, "page": 1, "page_size": 25, "query": "alpine", "results": [
        {"name": "alpine", "description": "A minimal Docker image", "star_count": 11000, "is_official": true,
            "is_automated": false, "pull_count": 7},
        {"name": "alpinelinux/unbound", "description": "", "star_count": 12, "is_official": false, "is_automated": true}
    ]});
    let found = |number: usize| format!("http://index.docker.io/v1/search?q=alpine&n={number}");
    let server =
        serves(&[("http://index.docker.io/v2/", json!({})), (&found(25), answer.clone()), (&found(1), answer)]);
    let case = user("unqualified-search-registries = ['docker.io']");
    let search = |words: &[&str]| {
        let command = case.command([&["search", "--tls-verify=false"], words].concat());
        let proxy = format!("http://{}", server.address);
        command.env("HTTP_PROXY", &proxy).env("HTTPS_PROXY", &proxy).finish().code(0).stdout
    };
    let names = "docker.io/library/alpine 11000 [OK] docker.io\ndocker.io/alpinelinux/unbound 12  docker.io\n";
    for term in ["alpine", "docker.io/alpine", "docker.io/library/alpine"] {
        let shown = search(&["--format", "{{.Name}} {{.Stars}} {{.Official}} {{.Index}}", term]);
        assert_eq!(shown, names, "{term}");
    }
    let official = search(&["--filter=is-official", "--compatible", "alpine"]);
    let cells: Vec<Vec<&str>> = official.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(cells[0], ["NAME", "DESCRIPTION", "STARS", "OFFICIAL", "AUTOMATED"]);
    assert_eq!(cells[1].join(" "), "docker.io/library/alpine A minimal Docker image 11000 [OK]");
    assert_eq!(cells.len(), 2);
    assert_eq!(search(&["--limit=1", "--format={{.Name}}", "alpine"]), "docker.io/library/alpine\n");
}

#[test]
fn tags() {
    let server = serves(&[("/v2/ns/web/tags/list", json!({"name": "ns/web", "tags": ["1", "2", "latest"]}))]);
    let (case, term) = (Case::new(Driver::Auto), format!("{}/ns/web", server.address));
    let list = |more: &[&str]| case.coracle([&["search", "--list-tags", &term], more].concat()).code(0).stdout;
    assert_eq!(list(&["--format", "{{.Name}}:{{.Tag}}", "--limit=2"]), format!("{term}:1\n{term}:2\n"));
    assert_eq!(list(&[]).lines().next().unwrap().split_whitespace().collect::<Vec<_>>(), ["NAME", "TAG"]);
    let json: Value = serde_json::from_str(&list(&["--format=json"])).unwrap();
    assert_eq!(json, json!([{"Name": term, "Tags": ["1", "2", "latest"]}]));
    case.coracle(["search", "--list-tags", &format!("{}/none", server.address)])
        .code(125)
        .error("is not at the registry");
}
