//! Holds the building to its laws: who imports whom, how large things grow, where dangerous words may stand.
//!
//! Everything is read as text from `src/`, comments and strings blanked out. A table that must be long (one arm a system
//! call, one step a line) says so on the line above its function: `// flat: why`; it may then have 120 lines.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The floors of `src/lib.rs`: a room imports from lower floors only.
const FLOORS: [(&str, u8); 16] = [
    ("sys", 0),
    ("oci", 1),
    ("host", 1),
    ("store", 2),
    ("registry", 3),
    ("layer", 3),
    ("overlay", 3),
    ("runtime", 3),
    ("network", 3),
    ("image", 4),
    ("container", 5),
    ("build", 6),
    ("systemd", 7),
    ("api", 7),
    ("cli", 8),
    ("process", 8),
];

/// Rooms that change files or start programs; the others ask one of these.
const HANDS: [&str; 7] = ["host", "store", "layer", "overlay", "runtime", "sys", "network"];
const MUTATORS: [&str; 12] = [
    "fs::write",
    "fs::rename(",
    "fs::remove_",
    "fs::create_dir",
    "fs::copy",
    "fs::hard_link",
    "fs::set_permissions",
    "unix::fs::symlink",
    "File::create",
    "Command::new",
    "renameat",
    "unlinkat",
];

/// One source file.
struct Source {
    /// Below `src/`.
    path: PathBuf,
    raw: String,
    /// The text with comments and the contents of strings blanked out, line for line.
    code: String,
    /// As `code`, without what only tests compile.
    shipped: String,
}

impl Source {
    /// The room it belongs to; none for `lib.rs` and `main.rs`.
    fn room(&self) -> Option<&str> {
        let mut parts = self.path.iter();
        let first = parts.next()?.to_str()?;
        parts.next().map(|_| first)
    }

    /// How many modules lie between the file's own module and its room.
    fn depth(&self) -> usize {
        let parts = self.path.iter().count();
        if self.path.ends_with("mod.rs") { parts - 2 } else { parts - 1 }
    }

    fn at(&self, line: usize) -> String {
        format!("src/{}:{}", self.path.display(), line + 1)
    }
}

pub fn root() -> PathBuf {
    std::env::var_os("CORACLE_SOURCE").map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from)
}

fn sources() -> Vec<Source> {
    let top = root().join("src");
    let mut files = Vec::new();
    collect(&top, &mut files);
    assert!(files.len() > 20, "the sources are not at {}", top.display());
    files
        .into_iter()
        .map(|file| {
            let raw = std::fs::read_to_string(&file).unwrap();
            let code = blank(&raw);
            let shipped = without_tests(&code);
            Source { path: file.strip_prefix(&top).unwrap().to_owned(), raw, code, shipped }
        })
        .collect()
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

/// Blanks out comments and what stands in strings and character literals; lines stay lines.
fn blank(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = bytes.to_vec();
    let mut at = 0;
    while at < bytes.len() {
        let rest = &bytes[at..];
        let end = if rest.starts_with(b"//") {
            rest.iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |length| at + length)
        } else if rest.starts_with(b"/*") {
            at + block_comment(rest)
        } else if let Some(length) = string(rest, at.checked_sub(1).map(|before| bytes[before])) {
            at + length
        } else {
            at += 1;
            continue;
        };
        for byte in &mut out[at..end] {
            if *byte != b'\n' {
                *byte = b' ';
            }
        }
        at = end;
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn block_comment(rest: &[u8]) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < rest.len() {
        match &rest[at..] {
            [b'/', b'*', ..] => (depth, at) = (depth + 1, at + 2),
            [b'*', b'/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            break;
        }
    }
    at
}

/// The length of the string or character literal that begins here, if one does.
fn string(rest: &[u8], before: Option<u8>) -> Option<usize> {
    let in_word = before.is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    match rest {
        [b'"', ..] => Some(quoted(rest, b'"')),
        [b'r', b'"' | b'#', ..] if !in_word => {
            let hashes = rest[1..].iter().take_while(|byte| **byte == b'#').count();
            (rest.get(1 + hashes) == Some(&b'"')).then(|| {
                let close = [b"\"".as_slice(), &vec![b'#'; hashes]].concat();
                let body = 2 + hashes;
                rest[body..]
                    .windows(close.len())
                    .position(|window| window == close)
                    .map_or(rest.len(), |length| body + length + close.len())
            })
        }
        // A character, and not a lifetime.
        [b'\'', b'\\', ..] => Some(quoted(rest, b'\'')),
        [b'\'', ..] => {
            let text = std::str::from_utf8(&rest[1..rest.len().min(6)])
                .or_else(|error| std::str::from_utf8(&rest[1..1 + error.valid_up_to()]));
            let length = text.ok()?.chars().next()?.len_utf8();
            (rest.get(1 + length) == Some(&b'\'')).then_some(length + 2)
        }
        _ => None,
    }
}

fn quoted(rest: &[u8], quote: u8) -> usize {
    let mut at = 1;
    while at < rest.len() && rest[at] != quote {
        at += if rest[at] == b'\\' { 2 } else { 1 };
    }
    (at + 1).min(rest.len())
}

/// Blanks out the items under `#[cfg(test)]`.
fn without_tests(code: &str) -> String {
    let mut out = code.to_owned();
    while let Some(start) = out.find("#[cfg(test)]") {
        let end = item_end(&out, start);
        let blanked: String = out[start..end].chars().map(|char| if char == '\n' { '\n' } else { ' ' }).collect();
        out.replace_range(start..end, &blanked);
    }
    out
}

/// The end of the item that begins at `start`: its closing brace, or the semicolon before any brace.
fn item_end(code: &str, start: usize) -> usize {
    let mut depth = 0;
    for (at, char) in code[start..].char_indices() {
        match char {
            '{' => depth += 1,
            '}' if depth <= 1 => return start + at + 1,
            '}' => depth -= 1,
            ';' if depth == 0 => return start + at + 1,
            _ => {}
        }
    }
    code.len()
}

/// Whether `word` stands in the line as a word of its own.
fn has_word(line: &str, word: &str) -> bool {
    let part_of_word = |char: char| char.is_alphanumeric() || char == '_';
    line.match_indices(word).any(|(at, _)| {
        !line[..at].chars().next_back().is_some_and(part_of_word)
            && !line[at + word.len()..].chars().next().is_some_and(part_of_word)
    })
}

#[track_caller]
fn none(law: &str, faults: Vec<String>) {
    assert!(faults.is_empty(), "{law}:\n  {}", faults.join("\n  "));
}

/// The rooms that the text names by `crate::`, each with its line.
fn imports(code: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        if code[..at].ends_with('$') {
            continue;
        }
        let line = code[..at].matches('\n').count();
        let rest = &code[at + "crate::".len()..];
        if let Some(group) = rest.strip_prefix('{') {
            found.extend(group_heads(group).into_iter().map(|head| (line, head)));
        } else {
            found.push((line, head(rest)));
        }
    }
    found
}

/// The first name of each path in a `{…}` group; the text begins behind the brace.
fn group_heads(group: &str) -> Vec<String> {
    let (mut depth, mut heads, mut fresh) = (0, Vec::new(), true);
    for (at, char) in group.char_indices() {
        match char {
            '}' if depth == 0 => break,
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => fresh = true,
            _ if fresh && !char.is_whitespace() => {
                heads.push(head(&group[at..]));
                fresh = false;
            }
            _ => {}
        }
    }
    heads
}

fn head(path: &str) -> String {
    path.chars().take_while(|char| char.is_alphanumeric() || *char == '_').collect()
}

#[test]
fn rooms_import_from_lower_floors_only() {
    let floors = BTreeMap::from(FLOORS);
    let mut faults = Vec::new();
    for source in sources() {
        let Some(room) = source.room() else { continue };
        let Some(floor) = floors.get(room) else {
            faults.push(format!("{}: the room `{room}` has no floor", source.at(0)));
            continue;
        };
        for (line, import) in imports(&source.code) {
            let lower = floors.get(import.as_str()).is_some_and(|other| other < floor);
            if import != room && !lower {
                faults.push(format!("{}: `{room}` (floor {floor}) imports `{import}`", source.at(line)));
            }
        }
        // Out of the room by way of `super`.
        for (line, text) in source.code.lines().enumerate() {
            let longest = text.split(|char: char| char.is_whitespace() || char == '{' || char == '(' || char == ',');
            let supers = longest.map(|path| path.matches("super::").count()).max().unwrap_or(0);
            // An indented path may stand in an inner module.
            let inner = usize::from(text.starts_with(' '));
            if supers > source.depth() + inner {
                faults.push(format!("{}: a path leaves the room by `super`", source.at(line)));
            }
        }
    }
    none("a room imports from lower floors only, as src/lib.rs draws them", faults);
}

#[test]
fn the_map_shows_each_room() {
    let map = std::fs::read_to_string(root().join("src/lib.rs")).unwrap();
    let drawn: Vec<_> = map.lines().take_while(|line| line.starts_with("//!")).collect();
    let faults = map
        .lines()
        .filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';'))
        .filter(|room| !drawn.iter().any(|line| has_word(line, room)));
    none("src/lib.rs draws each room", faults.map(str::to_owned).collect());
}

#[test]
fn each_file_says_what_it_is_for() {
    let faults = sources().iter().filter(|source| !source.raw.starts_with("//! ")).map(|source| source.at(0)).collect();
    none("a file opens with `//!`", faults);
}

#[test]
fn files_and_folders_stay_small() {
    let mut faults = Vec::new();
    let mut folders: BTreeMap<PathBuf, usize> = BTreeMap::new();
    for source in sources() {
        *folders.entry(source.path.parent().unwrap().to_owned()).or_default() += 1;
        let lines = source.raw.lines().count();
        let most = if source.path.as_os_str() == "main.rs" { 30 } else { 600 };
        if lines > most {
            faults.push(format!("{}: {lines} lines, {most} at most", source.at(0)));
        }
    }
    let full = folders.iter().filter(|(_, count)| **count > 15);
    faults.extend(full.map(|(folder, count)| format!("src/{}: {count} files, 15 at most", folder.display())));
    none("files have 600 lines at most, folders 15 files", faults);
}

#[test]
fn functions_stay_small() {
    let mut faults = Vec::new();
    for source in sources() {
        let raw: Vec<_> = source.raw.lines().collect();
        let mut offset = 0;
        for (line, text) in source.code.split_inclusive('\n').enumerate() {
            let start = offset;
            offset += text.len();
            if !has_word(text, "fn") || !text.contains("fn ") {
                continue;
            }
            let from = start + text.find("fn ").unwrap();
            let lines = source.code[from..item_end(&source.code, from)].lines().count();
            let above = raw[..line].iter().rev().take_while(|above| {
                let above = above.trim_start();
                above.starts_with("//") || above.starts_with("#[")
            });
            let flat = above.into_iter().any(|above| above.trim_start().starts_with("// flat: "));
            let most = if flat { 120 } else { 60 };
            if lines > most {
                faults.push(format!("{}: a function of {lines} lines, {most} at most", source.at(line)));
            }
        }
    }
    none("functions have 60 lines at most (120 with `// flat: why` above)", faults);
}

#[test]
fn nothing_is_named_after_nothing() {
    let forbidden = ["util", "utils", "common", "helper", "helpers", "misc", "manager"];
    let named = |path: &Path| {
        path.iter().any(|part| {
            let stem = part.to_str().unwrap().trim_end_matches(".rs");
            stem.split('_').any(|word| forbidden.contains(&word))
        })
    };
    let faults = sources().iter().filter(|source| named(&source.path)).map(|source| source.at(0)).collect();
    none("files and folders are named after nouns of the field", faults);
}

/// Faults for each line of the shipped code in which `word` stands, outside of `rooms`.
fn outside(rooms: &[&str], words: &[&str], shipped: bool) -> Vec<String> {
    let mut faults = Vec::new();
    for source in sources() {
        if source.room().is_some_and(|room| rooms.contains(&room)) {
            continue;
        }
        let text = if shipped { &source.shipped } else { &source.code };
        for (line, text) in text.lines().enumerate() {
            // The definition of a command line starts nothing.
            let text = &text.replace("clap::Command::new", "");
            for word in words {
                let found = match word.chars().all(|char| char.is_alphanumeric() || char == '_') {
                    true => has_word(text, word),
                    false => text.contains(word),
                };
                if found {
                    faults.push(format!("{}: `{word}`", source.at(line)));
                }
            }
        }
    }
    faults
}

#[test]
fn unsafe_code_stays_at_the_door() {
    none("unsafe code stands in src/sys only", outside(&["sys"], &["unsafe", "unsafe_code"], false));
}

#[test]
fn only_the_command_line_speaks_and_exits() {
    let words = ["println!", "print!(", "process::exit(", "process::abort(", "dbg!"];
    none("only src/cli prints and exits", outside(&["cli"], &words, true));
}

#[test]
fn nothing_is_left_to_do() {
    none("no `todo!`", outside(&[], &["todo!", "unimplemented!"], false));
}

#[test]
fn only_some_rooms_have_hands() {
    none("files are changed and programs started in few rooms", outside(&HANDS, &MUTATORS, true));
}

#[test]
fn every_change_of_the_store_passes_the_seam() {
    let faults = sources()
        .iter()
        .filter(|source| source.room().is_some_and(|room| room == "store" || room == "host"))
        .filter(|source| {
            MUTATORS.iter().any(|word| source.shipped.contains(word)) && !source.shipped.contains("fault::point")
        })
        .map(|source| source.at(0))
        .collect();
    none("a file of `store` or `host` that changes files calls `fault::point`", faults);
}

#[test]
fn panics_stay_out_of_what_must_not_die() {
    let mut faults = Vec::new();
    for source in sources() {
        let path = source.path.to_str().unwrap();
        if !["overlay/", "runtime/inside", "process/"].iter().any(|room| path.starts_with(room)) {
            continue;
        }
        for (line, text) in source.shipped.lines().enumerate() {
            let words = [".unwrap()", ".expect(", "panic!", "unreachable!", "assert!(", "assert_eq!("];
            for word in words.iter().filter(|word| text.contains(**word) && !text.contains("debug_assert")) {
                faults.push(format!("{}: `{word}`", source.at(line)));
            }
        }
    }
    none("no panics in `overlay`, `runtime/inside`, `process`", faults);
}

#[test]
fn the_reader_of_sources_can_read() {
    let text = "a /* b /* c */ d */ e \"f // \\\" g\" 'h' '\\'' &'i j r#\"k\"l\"# // m\nn";
    let code = blank(text);
    assert_eq!(code.split_whitespace().collect::<Vec<_>>(), ["a", "e", "&'i", "j", "n"]);
    assert_eq!(code.len(), text.len());
    let tested = "fn a() {}\n#[cfg(test)]\nmod tests { fn b() { { } } }\nfn c() {}";
    assert_eq!(without_tests(tested).split_whitespace().collect::<Vec<_>>(), ["fn", "a()", "{}", "fn", "c()", "{}"]);
    let names: Vec<_> =
        imports("use crate::{a::{b, c}, d};\ncrate::e::f()").into_iter().map(|(_, name)| name).collect();
    assert_eq!(names, ["a", "d", "e"]);
}
