//! What a manual page says of files and keys, and whether the program reads a file.

use crate::architecture::root;
use crate::harness::Case;

/// An entry of a page: its name, and what is said of it.
pub type Entry = (String, String);

/// A page of section 5, as it would be typed.
pub fn text(name: &str) -> String {
    let text = std::fs::read_to_string(root().join(format!("man/{name}.5"))).unwrap();
    text.replace("\\-", "-").replace("\\&", "")
}

/// A section of it, by its heading.
pub fn section<'a>(page: &'a str, name: &str) -> &'a str {
    page.split(".SH ").find_map(|section| section.strip_prefix(&format!("{name}\n"))).unwrap()
}

/// The entries of a section.
pub fn entries(page: &str, name: &str) -> Vec<Entry> {
    let entries = section(page, name).split(".TP\n\\fB").skip(1);
    entries.map(|entry| entry.split_once("\\fR\n").map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap()).collect()
}

/// Tries a path with nonsense in it, in a root file system of the test's own making as far as it is the machine's.
const SCRIPT: &str = r#"
    set -eu
    mkdir etc && cp /etc/passwd /etc/group /etc/subuid /etc/subgid etc
    mount -t tmpfs none /etc && cp etc/* /etc
    export HOME=$PWD/h XDG_CONFIG_HOME=$PWD/config XDG_CACHE_HOME=$PWD/cache XDG_RUNTIME_DIR=$PWD/runtime
    mkdir -p h "$XDG_RUNTIME_DIR"
    variable=$1 path=$(eval echo "$2")
    if [ -n "$variable" ]; then export "$variable=$(eval echo "$3")"; fi
    shift 3
    mkdir -p "$(dirname "$path")"
    echo '{ nonsense' >"$path"
    for command; do # whether one of them says so
        $CORACLE $command >said 2>&1 || true
        grep -q "^Error: .*$path" said && echo read && break
    done"#;

/// Whether one of the commands reads the file at this path. `variable`: one that has this value then; the empty one is none.
pub fn is_read(case: &Case, commands: &[&str], variable: &str, path: &str, value: &str) -> bool {
    let unshare = ["--user", "--map-root-user", "--mount", "sh", "-c", SCRIPT, "sh"];
    let words = unshare.into_iter().chain([variable, path, value]).chain(commands.iter().copied());
    let command = case.command_of("unshare".as_ref(), words).env("CONTAINERS_CONF", "");
    let finished = command.env("CORACLE", crate::harness::binary()).finish();
    for folder in ["etc", "h", "config", "cache", "runtime", "elsewhere"] {
        let _ = std::fs::remove_dir_all(case.home.join(folder));
    }
    match (finished.code, finished.stdout.as_str()) {
        (Some(0), "read\n") => true,
        (Some(0 | 1), "") => false,
        _ => panic!("{path}: {finished}"),
    }
}
