//! One file of configuration: TOML, with what is wrong said by its line.

use std::path::Path;

use toml::de::{DeTable, DeValue};

use super::keys::{KEYS, Key, Kind};
use crate::cli::Report;
use crate::host::config;

/// What a file says for a key.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Found {
    pub values: Vec<String>,
    /// `FILE:LINE`.
    pub place: String,
    /// Whether later files append; `None`: it does not say.
    pub append: Option<bool>,
}

/// The text of a file; `None`: there is none.
pub fn text(path: &Path) -> Result<Option<String>, Report> {
    let unreadable = |error| Report::new(format!("the configuration file `{}` can't be read: {error}", path.display()));
    config::text(path).map_err(unreadable)
}

/// What it says. `ours`: what is not known is an error; in Podman's files it is for Podman alone.
pub fn parse(path: &Path, text: &str, ours: bool) -> Result<Vec<(&'static Key, Found)>, Report> {
    let place = |offset: usize| {
        let line = 1 + text.bytes().take(offset).filter(|byte| *byte == b'\n').count();
        format!("{}:{line}", path.display())
    };
    let wrong = |offset: usize, what: String| Report::new(format!("{}: {what}", place(offset)));
    let described =
        if ours { "coracle-configuration(5) describes the file" } else { "containers.conf(5) describes the file" };
    let document = DeTable::parse(text).map_err(|error| {
        wrong(error.span().map_or(0, |span| span.start), error.message().to_owned()).hint(described)
    })?;
    let mut found = Vec::new();
    for (table, content) in document.get_ref() {
        let (offset, table) = (table.span().start, table.get_ref().as_ref());
        if !KEYS.iter().any(|key| key.table == table) {
            if ours {
                return Err(wrong(offset, format!("`{table}` is not known")).hint(
                    "`[containers]`, `[engine]` and `[network]` are, with the keys of coracle-configuration(5)",
                ));
            }
            continue;
        }
        let DeValue::Table(content) = content.get_ref() else {
            return Err(wrong(offset, format!("`{table}` is no table")));
        };
        for (name, value) in content {
            let (offset, name) = (name.span().start, name.get_ref().as_ref());
            match KEYS.iter().find(|key| key.table == table && key.name == name) {
                Some(key) => {
                    let values = values(key.kind, value.get_ref());
                    let values = values.ok_or_else(|| wrong(offset, format!("`{name}` must be {}", key.kind.words())));
                    found.push((key, Found { place: place(offset), ..values? }));
                }
                None if ours => return Err(wrong(offset, format!("`{name}` is not known in `[{table}]`"))),
                None => {}
            }
        }
    }
    Ok(found)
}

impl Kind {
    fn words(self) -> &'static str {
        match self {
            Self::Text => "a text in quotes",
            Self::Number | Self::Size => "a whole number",
            Self::Switch => "`true` or `false`",
            Self::List => "a list of texts in quotes",
        }
    }
}

/// `None`: it is of another kind. An empty text says nothing.
fn values(kind: Kind, value: &DeValue<'_>) -> Option<Found> {
    let mut found = Found::default();
    match (kind, value) {
        (Kind::Text, DeValue::String(text)) if text.is_empty() => {}
        (Kind::Text, DeValue::String(text)) => found.values.push(text.to_string()),
        (Kind::Switch, DeValue::Boolean(value)) => found.values.push(value.to_string()),
        (Kind::Number | Kind::Size, DeValue::Integer(number)) => {
            let number = i64::from_str_radix(number.as_str(), number.radix()).ok()?;
            found.values.extend((kind == Kind::Number || number >= 0).then(|| number.to_string()));
        }
        (Kind::List, DeValue::Array(list)) => {
            for item in list {
                match item.get_ref() {
                    DeValue::String(text) => found.values.push(text.to_string()),
                    DeValue::Table(attributes) => {
                        match attributes.iter().next().map(|(name, value)| (name.get_ref(), value.get_ref())) {
                            Some((name, DeValue::Boolean(append))) if name == "append" => found.append = Some(*append),
                            _ => return None,
                        }
                    }
                    _ => return None,
                }
            }
        }
        _ => return None,
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, ours: bool) -> Result<Vec<(&'static str, Vec<String>)>, String> {
        let found = parse(Path::new("f"), text, ours).map_err(|report| format!("{report:?}"))?;
        Ok(found.into_iter().map(|(key, found)| (key.name, found.values)).collect())
    }

    #[test]
    fn each_kind_is_read_as_itself_alone() {
        for (line, expected) in [
            ("umask = '0027'", Some(vec!["0027"])),
            ("umask = ''", Some(vec![])),
            ("umask = 27", None),
            ("pids_limit = 0x10", Some(vec!["16"])),
            ("pids_limit = -1", Some(vec!["-1"])),
            ("log_size_max = -1", Some(vec![])),
            ("pids_limit = '16'", None),
            ("pids_limit = 99999999999999999999", None),
            ("init = true", Some(vec!["true"])),
            ("init = 'true'", None),
            ("env = ['A=1', 'B=2']", Some(vec!["A=1", "B=2"])),
            ("env = ['A=1', 2]", None),
            ("env = ['A=1', {prepend = true}]", None),
            ("env = 'A=1'", None),
        ] {
            let values = read(&format!("[containers]\n{line}"), false).map(|found| found[0].1.clone());
            let expected = expected.map(|values| values.into_iter().map(str::to_owned).collect::<Vec<_>>());
            assert_eq!(values.clone().ok(), expected, "{line}: {values:?}");
        }
    }

    #[test]
    fn what_is_not_known_is_an_error_in_our_own_file_alone() {
        for text in ["[containers]\n\nfrob = 1", "\n\n[frob]\na = 1", "#\n#\nfrob = 1"] {
            assert_eq!(read(text, false), Ok(vec![]));
            let error = read(text, true).unwrap_err();
            assert!(error.contains("f:3: `frob` is not known"), "{error}");
        }
        for text in ["containers = 1", "[containers", "[containers]\numask = \n"] {
            assert!(read(text, false).unwrap_err().contains("\"f:"), "{text}");
        }
    }
}
