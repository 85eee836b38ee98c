//! YAML, as `info` prints it: what JSON can say, in blocks.

use serde_json::Value;

use super::format::visible;

/// The value as a document.
pub fn yaml(value: &Value) -> String {
    let mut text = String::new();
    block(value, 0, &mut text);
    text
}

fn block(value: &Value, depth: usize, text: &mut String) {
    let indent = "  ".repeat(depth);
    match value {
        Value::Object(map) if !map.is_empty() => {
            for (key, value) in map {
                text.push_str(&format!("{indent}{}:", scalar(key)));
                nested(value, depth + 1, text);
            }
        }
        Value::Array(values) if !values.is_empty() => {
            for value in values {
                // The first line of a nested block stands behind the dash.
                let mut inner = String::new();
                block(value, depth + 1, &mut inner);
                text.push_str(&format!("{indent}- {}", inner.trim_start()));
            }
        }
        other => text.push_str(&format!("{indent}{}\n", plain(other))),
    }
}

/// What stands behind a key.
fn nested(value: &Value, depth: usize, text: &mut String) {
    match value {
        Value::Object(map) if !map.is_empty() => {
            text.push('\n');
            block(value, depth, text);
        }
        Value::Array(values) if !values.is_empty() => {
            text.push('\n');
            // As Podman's: the items of a list stand under its key.
            block(value, depth - 1, text);
        }
        other => text.push_str(&format!(" {}\n", plain(other))),
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::Object(_) => "{}".into(),
        Value::Array(_) => "[]".into(),
        Value::String(text) => scalar(text),
        other => other.to_string(),
    }
}

/// A string, in quotes where it would read as something else.
fn scalar(text: &str) -> String {
    let word = |c: char| c.is_ascii_alphanumeric() || "_-./+()@".contains(c) || c == ' ' || c == ',';
    let is_plain = text.chars().all(word)
        && text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/')
        && !text.ends_with(' ')
        && !["true", "false", "null", "yes", "no", "on", "off", "y", "n"].contains(&text.to_ascii_lowercase().as_str());
    // A JSON string is a YAML string in double quotes.
    if is_plain { text.to_owned() } else { visible(Value::from(text).to_string()) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    #[test]
    fn blocks_lists_and_strings_that_look_like_something_else() {
        let value = json!({
            "host": {"cpus": 2, "arch": "amd64", "groups": ["cpu", "io"], "empty": {}, "none": [], "on": true},
            "maps": [{"id": 0, "size": 1}, {"id": 1, "size": 65536}],
            "version": "5.4", "yes": "no", "odd": "a: b\n\u{1b}"
        });
        assert_eq!(
            super::yaml(&value),
            "host:\n  arch: amd64\n  cpus: 2\n  empty: {}\n  groups:\n  - cpu\n  - io\n  none: []\n  \"on\": true\nmaps:\n- id: 0\n  \
             size: 1\n- id: 1\n  size: 65536\nodd: \"a: b\\n\\u001b\"\nversion: \"5.4\"\n\"yes\": \"no\"\n"
        );
    }
}
