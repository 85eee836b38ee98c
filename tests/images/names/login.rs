//! `login` and `logout`, in Podman's words, against a registry with a password.

use std::os::unix::fs::PermissionsExt;

use serde_json::{Value, json};

use super::{place, registry};
use crate::behaviour::into::terminal::on_terminal;
use crate::harness::{Case, Driver};

fn address() -> String {
    std::env::var("CORACLE_PRIVATE_REGISTRY").expect("tests/run starts a private registry")
}

fn case() -> Case {
    Case::new(Driver::Auto)
}

fn read(case: &Case, file: &str) -> Value {
    serde_json::from_str(&std::fs::read_to_string(case.home.join(file)).unwrap()).unwrap()
}

/// base64 of `someone:secret`.
const AUTH: &str = "c29tZW9uZTpzZWNyZXQ=";
const FILE: &str = ".config/containers/auth.json";

#[test]
fn checked_then_kept_then_forgotten() {
    let (case, address) = (case(), address());
    place(&case, FILE, r#"{"auths":{"q.io":{"auth":"YTox"}},"other":[1]}"#);
    case.coracle(["login", &address, "-u", "someone", "-p", "wrong"])
        .code(125)
        .stdout("")
        .error(&format!("logging into \"{address}\": invalid username/password"));
    assert_eq!(read(&case, FILE), json!({"auths": {"q.io": {"auth": "YTox"}}, "other": [1]}));
    case.coracle(["login", &address, "-u", "someone", "-p", "secret"]).code(0).stdout("Login Succeeded!\n").stderr("");
    let kept = json!({"auths": {"q.io": {"auth": "YTox"}, &address: {"auth": AUTH}}, "other": [1]});
    assert_eq!(read(&case, FILE), kept);
    let mode = std::fs::metadata(case.home.join(FILE)).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    case.coracle(["login", "--get-login", &address]).code(0).stdout("someone\n");
    case.coracle(["login", "--get-login", "r.io"]).code(125).error("not logged into r.io");
    case.coracle(["login", &address]).code(0).stdout(&format!(
        "Authenticating with existing credentials for {address}\nExisting credentials are valid. Already logged in to {address}\n"
    ));
    case.coracle(["logout", &address]).code(0).stdout(&format!("Removed login credentials for {address}\n"));
    case.coracle(["logout", &address]).code(125).stdout("").error(&format!("not logged into {address}"));
    case.coracle(["logout", "--all", "x"]).code(125).error("--all takes no arguments");
    case.coracle(["logout", "--all"]).code(0).stdout("Removed login credentials for all registries\n");
    assert_eq!(read(&case, FILE), json!({"auths": {}, "other": [1]}));
}

#[test]
fn where_it_is_kept() {
    let address = address();
    let login = |case: &Case, more: &[&str]| {
        case.command([&["login", "-v", "-u", "someone", "--password-stdin"], more].concat())
            .stdin("secret\n")
            .finish()
            .code(0)
    };
    let runtime = Case::new(Driver::Fuse);
    let used = |path: &std::path::Path| format!("Used:  {}\nLogin Succeeded!\n", path.display());
    login(&runtime, &[&address]).stdout(&used(&runtime.home.join("run/containers/auth.json")));
    let case = case();
    let repository = format!("{address}/ns/repo");
    login(&case, &["--authfile", "a.json", &repository]).stdout(&used("a.json".as_ref()));
    assert_eq!(read(&case, "a.json"), json!({"auths": {&repository: {"auth": AUTH}}}));
    login(&case, &["--compat-auth-file", "c.json", &format!("https://{address}/v2/")]);
    assert_eq!(read(&case, "c.json"), json!({"auths": {&address: {"auth": AUTH}}}));
    let named = case.command(["logout", &address]).env("REGISTRY_AUTH_FILE", "c.json").finish();
    named.code(0).stdout(&format!("Removed login credentials for {address}\n"));
    // What another program keeps elsewhere stays there.
    place(&case, ".docker/config.json", &json!({"auths": {&address: {"auth": AUTH}}}).to_string());
    let elsewhere = case.coracle(["logout", &address]).code(0).stdout;
    assert!(elsewhere.starts_with(&format!("Not logged into {address} with current tool.")), "{elsewhere}");
    // Behind a symlink, the file is written and the link stays.
    std::os::unix::fs::symlink("a.json", case.home.join("link.json")).unwrap();
    login(&case, &["--authfile", "link.json", &address]);
    assert!(case.home.join("link.json").is_symlink() && read(&case, "a.json")["auths"][&address].is_object());
}

/// Of the files that know the registry, the first counts, as with Podman 5.4; a file that was named is the only one.
#[test]
fn the_files_in_their_order() {
    let case = case();
    let files = [
        ("env", "docker/config.json"),
        ("runtime", "run/containers/auth.json"),
        ("config", FILE),
        ("home", ".docker/config.json"),
    ];
    for (user, file) in files {
        let auth = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, format!("{user}:password"));
        place(&case, file, &json!({"auths": {"q.io": {"auth": auth}}}).to_string());
    }
    let who = |docker: bool| {
        let docker = if docker { case.home.join("docker") } else { "".into() };
        let command = case.command(["login", "--get-login", "q.io"]).env("DOCKER_CONFIG", docker);
        command.env("XDG_RUNTIME_DIR", case.home.join("run")).finish().code(0).stdout
    };
    assert_eq!(who(true), "env\n");
    for (user, file) in &files[1..] {
        assert_eq!(who(false), format!("{user}\n"));
        std::fs::remove_file(case.home.join(file)).unwrap();
    }
    assert_eq!(who(true), "env\n");
    case.coracle(["login", "--get-login", "--authfile", "docker/config.json", "q.io"]).code(0).stdout("env\n");
    case.coracle(["login", "--get-login", "q.io"]).code(125).error("not logged into q.io");
}

#[test]
fn what_it_refuses() {
    let case = case();
    place(&case, ".config/containers/registries.conf", "");
    let refused = |arguments: &[&str], error: &str| {
        case.coracle([&["login"], arguments].concat()).code(125).stdout("").error(error);
    };
    refused(&[], "no registries found in registries.conf, a registry must be provided");
    refused(&["-u", "a", "-p", "b", "--password-stdin", "q.io"], "Can't specify both --password-stdin and --password");
    refused(&["--password-stdin", "q.io"], "Must provide --username with --password-stdin");
    refused(&["-u", "a", "-p", "b", "q.io/ns/repo:tag"], "reference \"q.io/ns/repo:tag\" contains tag or digest");
    refused(&["-u", "a", "-p", "b", "not a host"], "`not a host` is no registry");
    refused(&["-u", "a", "-p", "b", "localhost:9"], "localhost:9");
    refused(&["--secret", "none", "q.io"], "no such secret");
    assert!(!case.home.join(FILE).exists());
    // A registry that asks for nothing takes anybody; the first to be searched is meant where none is named.
    let open = registry();
    place(
        &case,
        ".config/containers/registries.conf",
        &format!("unqualified-search-registries = ['{}']", open.address),
    );
    case.command(["secret", "create", "someone", "-"]).stdin("secret").finish().code(0);
    case.coracle(["login", "--secret", "someone"]).code(0).stdout("Login Succeeded!\n");
    assert_eq!(read(&case, FILE), json!({"auths": {&open.address: {"auth": AUTH}}}));
}

#[test]
fn at_a_terminal_the_password_is_not_shown() {
    let (case, address) = (case(), address());
    let mut terminal = on_terminal(&case, &["login", &address]);
    terminal.expect("Username: ");
    terminal.write("someone\n");
    terminal.expect("Password: ");
    terminal.write("secret\n");
    terminal.expect("Login Succeeded!");
    terminal.expect("ended 0");
    assert!(!terminal.shown().contains("secret"), "{}", terminal.shown());
    // Interrupted, it leaves the terminal as it was.
    let mut terminal = on_terminal(&case, &["login", "q.io", "-u", "someone"]);
    terminal.expect("Password: ");
    crate::harness::wait_until("the terminal is silent", crate::harness::LIMIT, || {
        !terminal.settings().local_modes.contains(rustix::termios::LocalModes::ECHO)
    });
    terminal.write("sec\x03");
    terminal.expect("ended 130");
    assert_eq!(terminal.settings().local_modes, terminal.before().local_modes);
}
