//! Manual pages of files: what man(7) takes.

/// A list of names, each with what there is to say of it.
pub fn list<N: AsRef<str>, T: AsRef<str>>(entries: &[(N, T)]) -> String {
    let entry =
        |(name, text): &(N, T)| format!(".TP\n\\fB{}\\fR\n{}\n", escaped(name.as_ref()), escaped(text.as_ref()));
    entries.iter().map(entry).collect()
}

/// A line cannot begin with a dot or a quote, and `-` is a hyphen unless told.
pub fn escaped(text: &str) -> String {
    let text = text.replace('\\', "\\\\").replace('-', "\\-");
    if text.starts_with(['.', '\'']) { format!("\\&{text}") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_line_is_taken_for_a_request() {
        assert_eq!(escaped(".x-y\\"), "\\&.x\\-y\\\\");
        assert_eq!(list(&[("'a", ".b")]), ".TP\n\\fB\\&'a\\fR\n\\&.b\n");
    }
}
