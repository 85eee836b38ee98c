//! `--format`: `json`, or a Go template as in Docker and Podman.

use gotmpl::{Template, Value};
use serde::Serialize;

use crate::cli::Report;

/// JSON as `inspect` and `--format json` print it.
pub fn json(value: &impl Serialize) -> Result<String, Report> {
    serde_json::to_string_pretty(value).map(|text| text + "\n").map_err(Report::new)
}

/// A field that a value does not have: a mistake in a list, whose fields are known; nothing in a tree with maps in it.
pub use gotmpl::MissingKey;

/// One line for each value, by a Go template. Fields as in Podman; `json`, `join`, `lower`, `split`, `title`, `upper`; `\t` and
/// `\n` may be written out; a leading `table` makes columns without a heading.
pub fn template<T: Serialize>(text: &str, values: &[T], missing: MissingKey) -> Result<String, Report> {
    let (table, text) = match text.strip_prefix("table ") {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let text = text.replace("\\t", "\t").replace("\\n", "\n");
    let template = functions(Template::new("format")).missing_key(missing).parse(&text).map_err(bad)?;
    let mut lines = Vec::new();
    for value in values {
        // Whole, a value keeps the order of its keys; a template's map is sorted.
        let line = if text.trim() == "{{json .}}" {
            serde_json::to_string(value).map_err(bad)?
        } else {
            template.execute_to_string(&gotmpl::to_value(value).map_err(bad)?).map_err(bad)?
        };
        lines.push(line);
    }
    if table {
        let rows: Vec<Vec<String>> = lines.iter().map(|line| line.split('\t').map(str::to_owned).collect()).collect();
        return Ok(super::table::table(&rows));
    }
    Ok(lines.iter().map(|line| format!("{line}\n")).collect())
}

fn bad(error: impl std::fmt::Display) -> Report {
    Report::new(format!("template: {error}")).hint("`--format` takes `json` or a Go template such as '{{.ID}}'")
}

fn functions(template: Template) -> Template {
    let text = |args: &[Value]| args.first().map(ToString::to_string).unwrap_or_default();
    let string = |text: String| Ok(Value::String(text.into()));
    template
        .func("json", move |args| string(args.first().map(|value| plain(value).to_string()).unwrap_or_default()))
        .func("lower", move |args| string(text(args).to_lowercase()))
        .func("upper", move |args| string(text(args).to_uppercase()))
        .func("title", move |args| {
            let text = text(args);
            let mut letters = text.chars();
            string(letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default())
        })
        .func("join", move |args| {
            let parts: Vec<String> = match args.first() {
                Some(Value::List(values)) => values.iter().map(ToString::to_string).collect(),
                _ => Vec::new(),
            };
            string(parts.join(&args.get(1).map(ToString::to_string).unwrap_or_default()))
        })
        .func("split", move |args| {
            let separator = args.get(1).map(ToString::to_string).unwrap_or_default();
            let parts = text(args).split(separator.as_str()).map(|part| Value::String(part.into())).collect::<Vec<_>>();
            Ok(Value::List(parts.into()))
        })
}

fn plain(value: &Value) -> serde_json::Value {
    match value {
        Value::Bool(value) => (*value).into(),
        Value::Int(value) => (*value).into(),
        Value::Uint(value) => (*value).into(),
        Value::Float(value) => (*value).into(),
        Value::String(value) => (**value).into(),
        Value::List(values) => values.iter().map(plain).collect(),
        Value::Map(map) => {
            serde_json::Value::Object(map.iter().map(|(key, value)| (key.to_string(), plain(value))).collect())
        }
        _ => serde_json::Value::Null,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::MissingKey;

    #[test]
    fn templates_speak_go() {
        let values = [json!({"ID": "abc", "Names": ["a", "b"], "State": {"Running": true}})];
        let run = |text: &str| super::template(text, &values, MissingKey::Error).unwrap();
        assert_eq!(run("{{.ID}}"), "abc\n");
        assert_eq!(run("{{join .Names \",\"}}\\t{{upper .ID}}"), "a,b\tABC\n");
        assert_eq!(run("{{.State.Running}} {{json .Names}}"), "true [\"a\",\"b\"]\n");
        assert_eq!(run("{{json .}}"), "{\"ID\":\"abc\",\"Names\":[\"a\",\"b\"],\"State\":{\"Running\":true}}\n");
        assert!(super::template("{{", &values, MissingKey::Invalid).is_err());
    }
}
