//! A line into words. Quotes and escapes stay as they are written: whether they mean something is said where a word is used.

/// Words as a shell splits them: spaces in quotes, behind an escape or in `${…}` belong to the word. `None`: a quote is open.
pub fn shell_words(text: &str, escape: char) -> Option<Vec<&str>> {
    let (mut words, mut start, mut quote, mut braces) = (Vec::new(), None, None, 0_usize);
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        if c.is_whitespace() && quote.is_none() && braces == 0 {
            words.extend(start.take().map(|start| &text[start..at]));
            continue;
        }
        start.get_or_insert(at);
        match (c, quote) {
            (c, Some(open)) if c == open => quote = None,
            (c, Some('"') | None) if c == escape => drop(chars.next()),
            ('"' | '\'', None) => quote = Some(c),
            ('$', None) if chars.peek().is_some_and(|(_, next)| *next == '{') => {
                chars.next();
                braces += 1;
            }
            ('}', None) => braces = braces.saturating_sub(1),
            _ => {}
        }
    }
    words.extend(start.map(|start| &text[start..]));
    quote.is_none().then_some(words)
}

/// The word without its quotes and escapes. `None`: a quote is open, or it is more than one word.
pub fn unquoted(word: &str, escape: char) -> Option<String> {
    let (mut bare, mut quote) = (String::new(), None);
    let mut chars = word.chars().peekable();
    while let Some(c) = chars.next() {
        match (c, quote) {
            (c, Some(open)) if c == open => quote = None,
            ('"' | '\'', None) => quote = Some(c),
            (c, None) if c == escape => bare.extend(chars.next()),
            (c, Some('"')) if c == escape => {
                bare.push(chars.next_if(|next| [escape, '"', '$'].contains(next)).unwrap_or(c));
            }
            (c, None) if c.is_whitespace() => return None,
            _ => bare.push(c),
        }
    }
    quote.is_none().then_some(bare)
}

/// The word without its quotes and escapes; a quote that stays open goes to the end.
pub fn unquoted_loosely(word: &str, escape: char) -> String {
    let (mut bare, mut quote) = (String::new(), None);
    let mut chars = word.chars();
    while let Some(c) = chars.next() {
        match (c, quote) {
            (c, Some(open)) if c == open => quote = None,
            ('"' | '\'', None) => quote = Some(c),
            (c, Some('"') | None) if c == escape => bare.extend(chars.next()),
            _ => bare.push(c),
        }
    }
    bare
}

/// A piece of a line: where it begins there, and what it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Piece<'a> {
    pub at: usize,
    pub text: &'a str,
}

impl<'a> Piece<'a> {
    pub fn end(&self) -> usize {
        self.at + self.text.len()
    }

    /// From `from` up to `to`, in bytes of this piece.
    pub fn part(&self, from: usize, to: usize) -> Self {
        let text = self.text.get(from..to).unwrap_or_default();
        Self { at: self.at + from, text }
    }

    pub fn trim(&self) -> Self {
        let start = self.text.len() - self.text.trim_start().len();
        self.part(start, start + self.text.trim().len())
    }

    /// The first word, and what follows behind the spaces.
    pub fn first(&self) -> (Self, Self) {
        let trimmed = self.trim();
        let end = trimmed.text.find(char::is_whitespace).unwrap_or(trimmed.text.len());
        (trimmed.part(0, end), trimmed.part(end, trimmed.text.len()).trim())
    }

    /// At spaces, whatever stands around them.
    pub fn words(&self) -> Vec<Self> {
        let (mut words, mut rest) = (Vec::new(), *self);
        loop {
            let (word, after) = rest.first();
            if word.text.is_empty() {
                return words;
            }
            words.push(word);
            rest = after;
        }
    }

    /// The first word, which goes up to a space that is neither in quotes nor escaped; a quote may stay open.
    pub fn quoted_word(&self, escape: char) -> Self {
        let (trimmed, mut quote) = (self.trim(), None);
        let mut chars = trimmed.text.char_indices();
        while let Some((at, c)) = chars.next() {
            match (c, quote) {
                (c, None) if c.is_whitespace() => return trimmed.part(0, at),
                (c, Some(open)) if c == open => quote = None,
                (c, Some('"') | None) if c == escape => drop(chars.next()),
                ('"' | '\'', None) => quote = Some(c),
                _ => {}
            }
        }
        trimmed
    }

    pub fn quoted_words(&self, escape: char) -> Vec<Self> {
        let (mut words, mut rest) = (Vec::new(), self.trim());
        while !rest.text.is_empty() {
            let word = rest.quoted_word(escape);
            words.push(word);
            rest = rest.part(word.text.len(), rest.text.len()).trim();
        }
        words
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_keep_their_quotes() {
        let words = |text| shell_words(text, '\\');
        assert_eq!(
            words("a 'b c' \"d \\\" e\" f\\ g ${x:-y z}"),
            Some(vec!["a", "'b c'", "\"d \\\" e\"", "f\\ g", "${x:-y z}"])
        );
        assert_eq!((words("a 'b"), words("  "), words("\\")), (None, Some(vec![]), Some(vec!["\\"])));
        assert_eq!(unquoted("\"a b\"'c'\\d", '\\').as_deref(), Some("a bcd"));
        assert_eq!(unquoted("\"a\\b\\\"\"", '\\').as_deref(), Some("a\\b\""));
        assert_eq!((unquoted("a b", '\\'), unquoted("'a", '\\')), (None, None));
        let piece = Piece { at: 3, text: " k=\"v 2\" 'x" };
        let found: Vec<_> = piece.quoted_words('\\').into_iter().map(|word| (word.at, word.text)).collect();
        assert_eq!(found, [(4, "k=\"v 2\""), (12, "'x")]);
    }
}
