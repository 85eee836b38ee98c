//! Short names: aliases, the registries that are searched, the prompt, and nothing at all.

use super::{images, place, registry, user};
use crate::behaviour::into::terminal::on_terminal;
use crate::harness::{Case, Command, Driver, binary};

/// Nobody listens there.
const SILENT: &str = "127.0.0.1:9";

#[test]
fn an_alias_is_what_it_says() {
    let server = registry();
    let case = user(&format!("[aliases]\n'some/thing' = '{}/x'", server.address));
    let file = case.home.join(".config/containers/registries.conf");
    let said = format!("Resolved \"some/thing:1\" as an alias ({})", file.display());
    case.coracle(["pull", "some/thing:1"]).code(0).says(&said);
    assert_eq!(images(&case), format!("{}/x:1\n", server.address));
    // Here as well, and nobody is asked again.
    case.coracle(["image", "exists", "some/thing:1"]).code(0);
    case.coracle(["run", "--pull=never", "some/thing:1"]).code(125).error("no command");
    case.coracle(["pull", "-q", "some/thing:1"]).code(0).stderr("");
    case.coracle(["rmi", "some/thing:1"]).code(0);
    assert_eq!(images(&case), "");
}

#[test]
fn all_registries_are_searched_in_their_order() {
    let server = registry();
    let case = user(&format!("unqualified-search-registries = ['{SILENT}', '{}']", server.address));
    let pulled = case.coracle(["pull", "x:1"]).code(0).says("Resolving \"x:1\" using unqualified-search registries (");
    let trying = |host: &str| pulled.stderr.find(&format!("Trying to pull {host}/x:1..."));
    assert!(trying(SILENT) < trying(&server.address), "{pulled}");
    assert_eq!(images(&case), format!("{}/x:1\n", server.address));
    let failed = case.coracle(["pull", "y:1"]).code(125).stdout("").error(SILENT);
    assert!(failed.stderr.contains(&server.address), "each says why: {failed}");
}

#[test]
fn enforced_without_a_terminal() {
    let case = user("unqualified-search-registries = ['a.io', 'b.io']\nshort-name-mode = 'enforcing'");
    case.coracle(["pull", "x:1"])
        .code(125)
        .error("short-name resolution enforced but cannot prompt without a TTY")
        .says("hint: name the registry: `a.io/x:1`, `b.io/x:1`");
    // There is nothing to ask about one.
    let server = registry();
    place(
        &case,
        ".config/containers/registries.conf.d/one.conf",
        &format!("unqualified-search-registries = ['{}']", server.address),
    );
    case.coracle(["pull", "x:1"]).code(0);
}

#[test]
fn the_choice_at_a_terminal_is_remembered() {
    let server = registry();
    let case = user(&format!("unqualified-search-registries = ['{SILENT}', '{}']", server.address));
    let mut terminal = on_terminal(&case, &["pull", "x:1"]);
    terminal.expect("Please select an image:");
    terminal.expect(&format!("2) {}/x:1", server.address));
    terminal.expect("Number [1]: ");
    terminal.write("2\n");
    terminal.expect("ended 0");
    let recorded = std::fs::read_to_string(case.home.join(".cache/containers/short-name-aliases.conf")).unwrap();
    assert_eq!(recorded, format!("[aliases]\n  \"x\" = \"{}/x\"\n", server.address));
    case.coracle(["rmi", "--all"]).code(0);
    case.coracle(["pull", "x:1"]).code(0).says("Resolved \"x:1\" as an alias (");
    // What is none of them, or can't be pulled, is not remembered.
    for (answer, code) in [("3\n", "ended 125"), ("\n", "ended 125")] {
        let mut terminal = on_terminal(&case, &["pull", "y:1"]);
        terminal.expect("Number [1]: ");
        terminal.write(answer);
        terminal.expect(code);
    }
    assert_eq!(std::fs::read_to_string(case.home.join(".cache/containers/short-name-aliases.conf")).unwrap(), recorded);
}

#[test]
fn a_file_without_registries_to_search() {
    let case = user("");
    case.coracle(["pull", "no/such/alias"])
        .code(125)
        .error(
            "short-name \"no/such/alias\" did not resolve to an alias and no unqualified-search registries are defined",
        )
        .says("hint: name the registry, for example `docker.io/no/such/alias`");
    place(&case, ".config/containers/registries.conf", "\n[registries.search]\nregistries = ['q.io']");
    case.coracle(["pull", "x"]).code(125).error("registries.conf:2: `[registries]` is of version 1");
    case.command(["pull", "x"])
        .env("CONTAINERS_REGISTRIES_CONF", case.home.join("absent"))
        .finish()
        .code(125)
        .error("absent` can't be used: it does not exist");
}

/// In a mount namespace of its own, where the machine has no such files; what answers for the network there is silent.
#[test]
fn no_file_at_all() {
    let case = Case::new(Driver::Auto);
    let script = "if [ -d /etc/containers ]; then mount -t tmpfs none /etc/containers; fi; exec \"$0\" pull alpine";
    let program = binary();
    let finished = Command::new("unshare")
        .arg("-rm")
        .arg("sh")
        .arg("-c")
        .arg(script)
        .arg(&program)
        .env("PATH", "/usr/bin:/bin:/usr/sbin:/sbin")
        .env("HOME", &case.home)
        .env("HTTPS_PROXY", format!("http://{SILENT}"))
        .finish()
        .code(125);
    finished
        .says("Resolved \"alpine\" as docker.io/library/alpine, as there is no registries.conf")
        .says("Trying to pull docker.io/library/alpine:latest...");
}

/// What is given as credentials is for one registry: of several at which a short name may be, none gets it.
#[test]
fn credentials_for_one_of_several() {
    use crate::images::registry::scripted::{Registry, Reply, Request};
    let wants = |request: &Request, _: usize| {
        let known = request.header("authorization").is_some();
        (!known).then(|| Reply::new(401, "").header("WWW-Authenticate", "Basic realm=\"x\""))
    };
    let servers = [0, 1].map(|_| Registry::start(&crate::images::server::Parts::new(), Box::new(wants)));
    let [first, second] = servers.each_ref().map(|server| server.address.as_str());
    let case =
        user(&format!("unqualified-search-registries = ['{first}', '{second}']\nshort-name-mode = 'permissive'"));
    for words in
        [["pull", "--creds=me:secret", "x:1"], ["pull", "-a", "--creds=me:secret"], ["run", "--creds=me:secret", "x:1"]]
    {
        let words = words.iter().copied().chain((words[1] == "-a").then_some("x"));
        let refused = case.coracle(words).code(125).stdout("");
        refused
            .error(&format!("may be at `{first}` or `{second}`"))
            .says(&format!("hint: name it with its registry: `{first}/x"));
    }
    case.coracle(["search", "--creds=me:secret", "x"]).code(125).error("`--creds` is for one registry");
    assert!(servers.iter().all(|server| server.asked("").is_empty()), "a registry was asked");
    case.coracle(["pull", "--creds=me:secret", &format!("{second}/x:1")]).succeeded();
    assert!(servers[0].asked("").is_empty());
    assert!(servers[1].asked("/v2/x/").iter().any(|request| request.header("authorization").is_some()));
    // With one place there is nothing to choose.
    let case = user(&format!("unqualified-search-registries = ['{first}']"));
    case.coracle(["pull", "--creds=me:secret", "x:1"]).succeeded();
}
