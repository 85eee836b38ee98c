//! YAML as JSON: what stands in a line of the one stands in the same line of the other, so that whoever reads the JSON names the
//! YAML's lines.
//!
//! Of scalars without quotes, whole numbers, `true`, `false` and `null` are more than text. A part that has a name (`&name`) is
//! repeated where an alias (`*name`) stands, up to [`LONGEST`]: much can be made of little in that way.

use std::collections::HashMap;
use std::ops::Range;

use saphyr_parser::{Event, Parser, ScalarStyle};

/// The most that a document may be as JSON, in bytes.
const LONGEST: usize = 4 << 20;
/// How many lists and maps may lie in each other.
const DEEPEST: usize = 64;

/// What is wrong, and in which line, counted from 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {what}")]
pub struct Error {
    pub line: usize,
    pub what: String,
}

/// The one document of the text.
pub fn to_json(text: &str) -> Result<String, Error> {
    let mut json = Json { text: String::new(), line: 1, open: Vec::new(), named: HashMap::new() };
    for event in Parser::new_from_str(text) {
        let (event, span) =
            event.map_err(|error| Error { line: error.marker().line(), what: error.info().to_owned() })?;
        let line = span.start.line();
        json.write(event, line).map_err(|what| Error { line, what: what.to_owned() })?;
    }
    Ok(json.text)
}

struct Json {
    text: String,
    /// That of the text's end.
    line: usize,
    open: Vec<Open>,
    /// Where parts with names are, by the parser's numbers for them.
    named: HashMap<usize, Range<usize>>,
}

/// A list or a map that has not ended.
struct Open {
    map: bool,
    /// Items; in a map, its keys and values.
    count: usize,
    begin: usize,
    /// 0: it has none.
    name: usize,
}

impl Json {
    fn write(&mut self, event: Event<'_>, line: usize) -> Result<(), &'static str> {
        match event {
            Event::Scalar(text, style, name, tag) => {
                let key = self.next(line)?;
                if key && text == "<<" {
                    return Err("keys are not merged here (`<<`)");
                }
                let bare = style == ScalarStyle::Plain && tag.is_none() && !key;
                let json = bare.then(|| bare_word(&text)).flatten();
                let begin = self.text.len();
                self.text.push_str(&json.unwrap_or_else(|| serde_json::Value::from(text.as_ref()).to_string()));
                self.named.insert(name, begin..self.text.len());
            }
            Event::SequenceStart(name, _) => self.begin(line, name, false)?,
            Event::MappingStart(name, _) => self.begin(line, name, true)?,
            Event::SequenceEnd | Event::MappingEnd => self.end(),
            Event::Alias(name) => {
                if self.next(line)? {
                    return Err("a key is no alias");
                }
                let named = self.named.get(&name).and_then(|range| self.text.get(range.clone()));
                // Line breaks stand between words alone: in texts they are escaped.
                let again = named.ok_or("an alias stands within what it repeats")?.replace('\n', " ");
                self.text.push_str(&again);
            }
            Event::DocumentStart(_) if !self.text.is_empty() => return Err("a second document"),
            _ => {}
        }
        if self.text.len() > LONGEST { Err("too large with all that is repeated") } else { Ok(()) }
    }

    /// Makes ready for the next item, which begins in this line; whether it is a key.
    fn next(&mut self, line: usize) -> Result<bool, &'static str> {
        let mut key = false;
        if let Some(Open { map, count, .. }) = self.open.last_mut() {
            key = *map && *count % 2 == 0;
            match (*count, key || !*map) {
                (0, _) => {}
                (_, true) => self.text.push(','),
                (_, false) => self.text.push(':'),
            }
            *count += 1;
        }
        while self.line < line {
            self.text.push('\n');
            self.line += 1;
        }
        Ok(key)
    }

    fn begin(&mut self, line: usize, name: usize, map: bool) -> Result<(), &'static str> {
        if self.next(line)? {
            return Err("a key must be a text");
        }
        if self.open.len() == DEEPEST {
            return Err("too deep");
        }
        self.open.push(Open { map, count: 0, begin: self.text.len(), name });
        self.text.push(if map { '{' } else { '[' });
        Ok(())
    }

    fn end(&mut self) {
        if let Some(Open { map, begin, name, .. }) = self.open.pop() {
            self.text.push(if map { '}' } else { ']' });
            self.named.insert(name, begin..self.text.len());
        }
    }
}

/// What stands there without quotes and is no text.
fn bare_word(text: &str) -> Option<String> {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Some("null".to_owned()),
        "true" | "True" | "TRUE" => Some("true".to_owned()),
        "false" | "False" | "FALSE" => Some("false".to_owned()),
        _ => text.parse::<i64>().ok().map(|number| number.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn value(text: &str) -> Value {
        serde_json::from_str(&to_json(text).unwrap()).unwrap()
    }

    #[test]
    fn each_kind_is_itself() {
        let text = "---\na: [1, '1', -2, 0x10, ~, true, yes, 0.5.0]\n\"b\":\n- c: |\n    x\n    y\n  d:\n- {e: f, g: []}\n1: !!str 2\n...\n";
        assert_eq!(
            value(text),
            json!({
                "a": [1, "1", -2, "0x10", null, true, "yes", "0.5.0"],
                "b": [{"c": "x\ny\n", "d": null}, {"e": "f", "g": []}],
                "1": "2",
            })
        );
        assert_eq!(
            value("a: &x [1, {b: &y c}]\nd: *x\ne: *y\n"),
            json!({"a": [1, {"b": "c"}], "d": [1, {"b": "c"}], "e": "c"})
        );
        assert_eq!((value("--- a"), to_json("").unwrap()), (json!("a"), String::new()));
    }

    #[test]
    fn lines_stay_where_they_are() {
        let text = "# what this is\nkind: v/c\n\ndevices:\n  - name: x\n    mounts: &m\n      - 1\n  - name:\n      - y\n    mounts: *m\n";
        let json = to_json(text).unwrap();
        let line = |word: &str| json[..json.find(word).unwrap()].matches('\n').count() + 1;
        assert_eq!((line("kind"), line("devices"), line("\"x\""), line("1"), line("\"y\"")), (2, 4, 5, 7, 9));
    }

    #[test]
    fn bombs_and_what_is_no_json_are_refused_with_their_line() {
        let error = |text: &str| to_json(text).unwrap_err();
        let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..9 {
            let below = format!("*a{}, ", level - 1).repeat(10);
            bomb.push_str(&format!("a{level}: &a{level} [{}]\n", below.trim_end_matches(", ")));
        }
        assert_eq!(error(&bomb), Error { line: 6, what: "too large with all that is repeated".into() });
        assert_eq!(error(&format!("\n{}", "[".repeat(70))).line, 2);
        for (text, line) in [
            ("a: 1\n---\nb: 2\n", 2),
            ("a: &x\n  - *x\n", 2),
            ("a: *x\n", 1),
            ("a: 1\n[b]: 2\n", 2),
            ("a: &x 1\n*x : 2\n", 2),
            ("a: &x {b: 1}\nc:\n  <<: *x\n", 3),
            ("a:\n\t- b\n", 2),
            ("a: 'b\n", 1),
            ("a: b\n c: d: e\n", 2),
        ] {
            assert_eq!(error(text).line, line, "{text}: {}", error(text));
        }
    }
}
