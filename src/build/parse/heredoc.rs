//! Heredocs: `<<NAME`, `<<-NAME`, `3<<"NAME"`, whose contents follow the instruction, each up to a line of its name alone.

use super::split;

/// Whose lines may have them.
const WITH: [&str; 3] = ["RUN", "COPY", "ADD"];

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heredoc {
    /// What the line that ends it says.
    pub name: String,
    /// The word as written: `<<-"NAME"`.
    pub word: String,
    /// Tabs at the beginnings of lines are not meant (`<<-`).
    pub strips_tabs: bool,
    /// Variables are replaced: no part of the name is quoted.
    pub expands: bool,
    /// The lines as they are in the file, the last with its end.
    pub content: String,
}

impl Heredoc {
    /// The contents, without the tabs that are not meant.
    pub fn text(&self) -> String {
        if !self.strips_tabs {
            return self.content.clone();
        }
        self.content.split_inclusive('\n').map(|line| line.trim_start_matches('\t')).collect()
    }

    /// Whether this line (without its end) ends it.
    pub fn is_end(&self, line: &str) -> bool {
        let line = if self.strips_tabs { line.trim_start_matches('\t') } else { line };
        line == self.name
    }
}

/// The heredocs, still empty, that an instruction announces.
pub fn announced(text: &str, escape: char) -> Vec<Heredoc> {
    if !text.contains("<<") {
        return Vec::new();
    }
    let mut rest = text.trim_start();
    loop {
        let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
        let name = rest[..end].to_ascii_uppercase();
        rest = rest[end..].trim_start();
        if WITH.contains(&name.as_str()) {
            break;
        }
        if name != "ONBUILD" {
            return Vec::new();
        }
    }
    // Who leaves a quote open does not announce.
    let words = split::shell_words(rest, escape).unwrap_or_default();
    words.into_iter().filter_map(|word| heredoc(word, escape)).collect()
}

/// `[number]<<[-]NAME`.
pub fn heredoc(word: &str, escape: char) -> Option<Heredoc> {
    let name = word.trim_start_matches(|c: char| c.is_ascii_digit()).strip_prefix("<<")?;
    let (strips_tabs, name) = name.strip_prefix('-').map_or((false, name), |name| (true, name));
    if name.is_empty() || name.contains(['<', '\n']) {
        return None;
    }
    let bare = split::unquoted(name, escape)?;
    (!bare.is_empty()).then(|| Heredoc {
        expands: bare == name,
        name: bare,
        word: word.to_owned(),
        strips_tabs,
        content: String::new(),
    })
}
