//! The manual: its pages are sound, and what they give as examples runs.

use crate::architecture::root;
use crate::harness::image::registry;
use crate::harness::{Case, Command, Driver};

#[test]
fn pages_are_sound() {
    let pages = std::fs::read_dir(root().join("man")).unwrap().map(|entry| entry.unwrap().path());
    let mut lint = Command::new("mandoc").arg("-Tlint").arg("-Wwarning").env("PATH", "/usr/bin:/bin");
    for page in pages {
        lint = lint.arg(page);
    }
    let found = lint.finish();
    // Their text is the same from day to day.
    let complaints: Vec<&str> = found.stdout.lines().filter(|line| !line.contains("missing date")).collect();
    assert!(complaints.is_empty() && found.stderr.is_empty(), "{complaints:#?}\n{found}");
}

#[test]
fn help_is_shown_where_no_page_can_be() {
    let case = Case::new(Driver::Auto);
    let help = case.coracle(["help", "network", "create"]).code(0).stderr("").stdout;
    assert!(help.contains("Usage: coracle network create") && help.contains("--subnet"), "{help}");
    assert!(case.coracle(["help"]).code(0).stdout.contains("Commands:"));
    assert!(case.coracle(["help", "storage"]).code(0).stdout.starts_with(".TH coracle-storage 7 "));
    assert!(case.coracle(["help", "7", "network"]).code(0).stdout.starts_with(".TH coracle-network 7 "));
    assert!(case.coracle(["help", "config"]).code(0).stdout.contains(".TH coracle-configuration 5 "));
    case.coracle(["help", "frob"]).code(125).error("there is no page about `frob`").says("hint: ");
}

/// On a terminal man(1) gets the page, on its standard input.
#[test]
fn help_opens_the_page_on_a_terminal() {
    use crate::behaviour::into::terminal::on_terminal_of;
    let case = Case::new(Driver::Auto);
    let tools = case.home.join("tools");
    std::fs::create_dir(&tools).unwrap();
    std::fs::write(tools.join("man"), "#!/bin/sh\necho \"man $*\"; head -n 3\n").unwrap();
    crate::harness::set_mode(&tools.join("man"), 0o755);
    let program = crate::harness::binary().display().to_string();
    let path = format!("{}:/usr/bin:/bin", tools.display());
    let mut terminal = on_terminal_of(&case, &[&program, "help", "container", "exec"], &[("PATH", &path)]);
    terminal.expect("man -l -");
    terminal.expect(".TH coracle-container-exec 1 ");
}

/// Each example of each command, with what it says that it prints.
#[test]
fn examples_run() {
    let case = Case::new(Driver::Auto);
    let image = case.busybox();
    // What the examples call docker.io is the registry of the tests, and registry.example.org one that wants a password.
    let private = std::env::var("CORACLE_PRIVATE_REGISTRY").unwrap_or_default();
    let folder = case.home.join(".config/containers");
    std::fs::create_dir_all(&folder).unwrap();
    let conf = format!(
        "unqualified-search-registries = ['docker.io']\n[[registry]]\nprefix = 'docker.io/library'\nlocation = '{0}'\ninsecure = true\n\
         [[registry]]\nprefix = 'docker.io/mine'\nlocation = '{0}/mine'\ninsecure = true\n",
        registry()
    );
    std::fs::write(folder.join("registries.conf"), conf).unwrap();
    std::fs::write(case.home.join("password"), "secret").unwrap();
    std::fs::write(case.home.join("file"), "secret").unwrap();
    let tools = crate::harness::binary().parent().unwrap().display().to_string();
    let shell = |script: &str| {
        case.command_of("bash".as_ref(), ["-euc", script])
            .env("PATH", format!("{tools}:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"))
            .finish()
    };
    let prepare = format!(
        "coracle rm --all --force --time 0 >/dev/null; rm -rf site files
        coracle image exists docker.io/library/busybox || {{ coracle pull -q {image}; coracle tag {image} docker.io/library/busybox; }} >/dev/null
        coracle volume rm -f data shop copy >/dev/null; coracle network rm -f lan shop back inner >/dev/null
        coracle secret rm --ignore token password >/dev/null; coracle manifest rm --ignore localhost/list >/dev/null
        coracle volume create data >/dev/null; coracle network create lan >/dev/null; coracle secret create token file >/dev/null
        coracle run -d --name web --network=private busybox sh -c 'echo ready; exec sleep 1000' >/dev/null
        until [ \"$(coracle logs web)\" ]; do :; done"
    );
    let listed = format!("--list-tags {}", registry());
    let mut count = 0;
    let text = include_str!("../../../src/cli/manual/examples");
    for section in text.split("\n\n").skip(1) {
        let (name, lines) = section.split_once('\n').unwrap();
        shell(&prepare).code(0);
        for (script, printed) in examples(lines) {
            count += 1;
            let done = shell(
                &script.replace("registry.example.org", &private).replace("--list-tags docker.io/library", &listed),
            );
            assert_eq!(done.code, Some(0), "example of {name}: {script}\n{done}");
            if !printed.is_empty() {
                assert!(done.stdout.ends_with(&printed), "example of {name} prints {printed:?}\n{done}");
            }
        }
    }
    assert!(count > 90, "{count} examples");
}

/// The lines for a shell below each sentence, together, and what they print.
fn examples(lines: &str) -> Vec<(String, String)> {
    let mut all: Vec<(String, String)> = Vec::new();
    for line in lines.lines() {
        match (line.strip_prefix("$ "), all.last_mut()) {
            (Some(command), Some((script, _))) => *script += &format!("{command}\n"),
            (None, _) if line.starts_with(char::is_uppercase) && line.ends_with(':') => all.push(Default::default()),
            (None, Some((_, printed))) => *printed += &format!("{line}\n"),
            other => panic!("{other:?} before any sentence"),
        }
    }
    all
}
