//! Words of a value (systemd.syntax(7), "Quoting"): apart by spaces, with quotes of two kinds and the escapes of C.

use std::iter::Peekable;
use std::str::Chars;

use super::Problem;

/// The words of a text.
pub fn split(text: &str) -> Result<Vec<String>, Problem> {
    let mut words = Vec::new();
    let mut rest = text.chars().peekable();
    loop {
        while rest.next_if(|c| c.is_whitespace()).is_some() {}
        if rest.peek().is_none() {
            return Ok(words);
        }
        words.push(word(&mut rest)?);
    }
}

fn word(rest: &mut Peekable<Chars<'_>>) -> Result<String, Problem> {
    let (mut word, mut quote) = (String::new(), None);
    while let Some(c) = rest.next() {
        match c {
            '\\' => word.push(escaped(rest)?),
            _ if quote == Some(c) => quote = None,
            '"' | '\'' if quote.is_none() => quote = Some(c),
            _ if quote.is_none() && c.is_whitespace() => return Ok(word),
            _ => word.push(c),
        }
    }
    if quote.is_some() { Err(Problem::OpenQuote) } else { Ok(word) }
}

/// The character behind a backslash.
fn escaped(rest: &mut Peekable<Chars<'_>>) -> Result<char, Problem> {
    let kind = rest.next().ok_or_else(|| Problem::Escape(String::new()))?;
    let plain = match kind {
        'a' => '\x07',
        'b' => '\x08',
        'f' => '\x0c',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'v' => '\x0b',
        's' => ' ',
        '\\' | '"' | '\'' => kind,
        'x' => return number(kind, taken(rest, 2), 16),
        'u' => return number(kind, taken(rest, 4), 16),
        'U' => return number(kind, taken(rest, 8), 16),
        '0'..='7' => return number(kind, format!("{kind}{}", taken(rest, 2)), 8),
        _ => return Err(Problem::Escape(kind.to_string())),
    };
    Ok(plain)
}

fn taken(rest: &mut Peekable<Chars<'_>>, count: usize) -> String {
    rest.by_ref().take(count).collect()
}

/// A character by its number, which is no NUL: that can be in no argument.
fn number(kind: char, digits: String, radix: u32) -> Result<char, Problem> {
    let length = match kind {
        'x' => 2,
        'u' => 4,
        'U' => 8,
        _ => 3,
    };
    let all = digits.len() == length && digits.chars().all(|digit| digit.is_digit(radix));
    let number = u32::from_str_radix(&digits, radix).ok().filter(|number| all && *number > 0);
    let shown = if radix == 8 { digits } else { format!("{kind}{digits}") };
    number.and_then(char::from_u32).ok_or(Problem::Escape(shown))
}

/// Words as a command line in a unit: those that need it in quotes. Specifiers stay what they are.
pub fn join(words: &[String]) -> String {
    words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ")
}

fn quoted(word: &str) -> String {
    let plain = |c: char| !(c.is_whitespace() || c.is_control() || matches!(c, '"' | '\'' | '\\' | ';'));
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    let mut quoted = String::from('"');
    for c in word.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            c if c.is_control() => quoted.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_taken_apart_and_put_together() {
        let text = r#"a "b c" 'd"e' f\x41\n"g h"i \101 ''  \"q\" \u00e4"#;
        let words = split(text).unwrap();
        assert_eq!(words, ["a", "b c", "d\"e", "fA\ng hi", "A", "", "\"q\"", "ä"]);
        assert_eq!(split(&join(&words)).unwrap(), words);
        assert_eq!(join(&["%n".into(), "a b".into(), String::new()]), "%n \"a b\" \"\"");
    }

    #[test]
    fn what_is_no_word_is_refused() {
        for (text, words) in [
            ("\"a", "a quote is not closed"),
            ("a\\", "`\\` is no escape"),
            ("\\q", "`\\q` is no escape"),
            ("\\x4", "`\\x4` is no escape"),
            ("\\x00", "`\\x00` is no escape"),
            ("\\uD800", "`\\uD800` is no escape"),
            ("\\000", "`\\000` is no escape"),
        ] {
            assert_eq!(split(text).unwrap_err().to_string(), words, "{text}");
        }
    }
}
