//! Paths of this machine that fit a pattern: `*`, `?` and `[…]`, none of which stands for a `/`.

use std::path::{Path, PathBuf};

/// How many paths one pattern may stand for.
const LIMIT: usize = 1000;

/// The paths that fit, in order. As in a shell, a pattern that does not say so fits no name that begins with a dot.
pub fn matching(pattern: &Path) -> Vec<PathBuf> {
    let mut found = vec![PathBuf::new()];
    for part in pattern.components() {
        let text = part.as_os_str().to_string_lossy();
        if !text.contains(['*', '?', '[']) {
            found.iter_mut().for_each(|path| path.push(part));
            continue;
        }
        let part: Vec<char> = text.chars().collect();
        let mut next = Vec::new();
        for path in &found {
            let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
            let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
            let fits = |name: &String| {
                (!name.starts_with('.') || part.first() == Some(&'.'))
                    && is_match(&part, &name.chars().collect::<Vec<_>>())
            };
            next.extend(names.filter(fits).take(LIMIT).map(|name| path.join(name)));
        }
        found = next;
    }
    found.retain(|path| path.exists());
    found.sort();
    found.truncate(LIMIT);
    found
}

/// One pass; of the stars only the last is tried again, which is enough.
fn is_match(pattern: &[char], name: &[char]) -> bool {
    let (mut at, mut of) = (0, 0);
    let mut star = None;
    while of < name.len() {
        let step = match pattern.get(at) {
            Some('*') => {
                star = Some((at, of));
                at += 1;
                continue;
            }
            Some('?') => Some(1),
            Some('[') => class(pattern.get(at..).unwrap_or_default(), name.get(of).copied()),
            other => (other == name.get(of)).then_some(1),
        };
        match (step, star) {
            (Some(length), _) => (at, of) = (at + length, of + 1),
            (None, Some((star_at, star_of))) => {
                (at, of) = (star_at + 1, star_of + 1);
                star = Some((star_at, star_of + 1));
            }
            (None, None) => return false,
        }
    }
    pattern.get(at..).unwrap_or_default().iter().all(|char| *char == '*')
}

/// `[a-z_]` or `[!a-z]`: how long it is, if it has the letter; a bracket that is never closed is one.
fn class(pattern: &[char], letter: Option<char>) -> Option<usize> {
    let letter = letter?;
    let negated = matches!(pattern.get(1), Some('!' | '^'));
    let first = if negated { 2 } else { 1 };
    let Some(end) = pattern.iter().skip(first + 1).position(|char| *char == ']').map(|at| at + first + 1) else {
        return (letter == '[').then_some(1);
    };
    let mut rest = pattern.get(first..end).unwrap_or_default();
    let mut has = false;
    while let Some(from) = rest.first() {
        let (to, length) = match rest {
            [_, '-', to, ..] => (to, 3),
            _ => (from, 1),
        };
        has |= (*from..=*to).contains(&letter);
        rest = rest.get(length..).unwrap_or_default();
    }
    (has != negated).then_some(end + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_fit_as_in_a_shell() {
        let fits = |pattern: &str, name: &str| {
            is_match(&pattern.chars().collect::<Vec<_>>(), &name.chars().collect::<Vec<_>>())
        };
        for (pattern, name) in [
            ("*", ""),
            ("*.so", "lib.so"),
            ("l*b*o", "libbb.so"),
            ("a?c", "abc"),
            ("[a-c]x[!0-9]", "bxy"),
            ("[]]", "]"),
            ("a[b", "a[b"),
            ("[x-]", "-"),
            ("é?", "éa"),
        ] {
            assert!(fits(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in
            [("*.so", "lib.so.1"), ("a?", "a"), ("[a-c]", "d"), ("[!a]", "a"), ("", "a"), ("a", "ab")]
        {
            assert!(!fits(pattern, name), "{pattern} {name}");
        }
        let pattern = format!("{}b", "a*".repeat(60));
        assert!(!fits(&pattern, &"a".repeat(2000)));
        assert_eq!(matching(Path::new("/etc/pass[v-x]?")), [PathBuf::from("/etc/passwd")]);
        assert!(matching(Path::new("/etc/*/nothing-of-that-name")).is_empty());
    }
}
