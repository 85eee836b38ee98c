//! The functions that Docker and Podman add to those of Go's templates.

use std::sync::Arc;

use gotmpl::{Template, TemplateError, Value};

use super::limits::{CHARGE, Taken};
use super::times;
use super::value::plain;
use crate::cli::output::{format, printable};

type Result = std::result::Result<Value, TemplateError>;

/// Name, number of arguments, body.
type Function = (&'static str, usize, fn(&[Value]) -> Result);

const ADDED: [Function; 9] = [
    ("json", 1, |args| string(format::visible(plain(&args[0]).to_string()))),
    ("lower", 1, |args| string(text(&args[0])?.to_lowercase())),
    ("upper", 1, |args| string(text(&args[0])?.to_uppercase())),
    ("title", 1, |args| string(title(text(&args[0])?))),
    ("join", 2, |args| string(strings(&args[0])?.join(text(&args[1])?))),
    ("split", 2, |args| split(text(&args[0])?, text(&args[1])?)),
    ("pad", 3, |args| string(pad(text(&args[0])?, number(&args[1])?, number(&args[2])?))),
    ("truncate", 2, |args| string(text(&args[0])?.chars().take(number(&args[1])?).collect())),
    (KEY, 2, |args| Ok(args[0].field(text(&args[1])?).cloned().unwrap_or(Value::Nil))),
];

/// What a map has under a key, or nothing. Its name can't be written in a template.
pub const KEY: &str = "key of map";

/// What a value looks like where the template prints it. Its name can't be written in a template.
pub const SHOWN: &str = "shown value";

/// As [`SHOWN`], of what is no key of a map: nothing is Go's `nil`.
pub const SHOWN_FIELD: &str = "shown field";

/// The widest that something is padded to: more is a mistake.
const WIDEST: usize = 1000;

/// What their texts take counts as `taken`. `to_terminal`: the values that are printed could steer one, and must not.
pub fn add(template: Template, taken: &Taken, to_terminal: bool) -> Template {
    let added = ADDED.into_iter().fold(template, |template, (name, count, body)| {
        let taken = taken.clone();
        template.func(name, move |args| match args.len() == count {
            true => taken.charge(args).and_then(|()| body(args)),
            false => Err(TemplateError::ArgCount { name: name.to_owned(), expected: count, got: args.len() }),
        })
    });
    let taken = taken.clone();
    let charge = move |args: &[Value]| taken.charge(args).map(|()| args.last().cloned().unwrap_or(Value::Nil));
    let show = move |args: &[Value]| {
        let value = args.last().unwrap_or(&Value::Nil);
        Ok(if to_terminal { shown(value) } else { value.clone() })
    };
    let show_field = move |args: &[Value]| match args.last() {
        None | Some(Value::Nil) => string("<nil>".to_owned()),
        Some(_) => show(args),
    };
    let shows = added.func(SHOWN, show).func(SHOWN_FIELD, show_field);
    shows.func("index", index).func(CHARGE, charge).func(times::METHOD, times::method)
}

/// The value without control characters.
fn shown(value: &Value) -> Value {
    match value {
        Value::String(text) => Value::String(printable(text).into()),
        Value::List(values) => Value::List(values.iter().map(shown).collect()),
        Value::Map(map) => {
            let pair = |(key, value): (&Arc<str>, &Value)| (printable(key).into(), shown(value));
            Value::Map(Arc::new(map.iter().map(pair).collect()))
        }
        other => other.clone(),
    }
}

/// As Go's, of a map of strings: what it does not have is an empty one.
fn index(args: &[Value]) -> Result {
    let Some((first, keys)) = args.split_first() else {
        return Err(TemplateError::ArgCount { name: "index".to_owned(), expected: 1, got: 0 });
    };
    keys.iter().try_fold(first.clone(), |value, key| match (&value, key) {
        (Value::Map(map), Value::String(key))
            if !map.contains_key(key) && map.values().all(|value| matches!(value, Value::String(_))) =>
        {
            string(String::new())
        }
        _ => value.index(key),
    })
}

fn string(text: String) -> Result {
    Ok(Value::String(text.into()))
}

fn wrong(expected: &'static str, got: &Value) -> TemplateError {
    TemplateError::Exec(format!("wrong type for value; expected {expected}; got {}", got.type_name()))
}

fn text(value: &Value) -> std::result::Result<&str, TemplateError> {
    value.as_str().ok_or_else(|| wrong("string", value))
}

fn number(value: &Value) -> std::result::Result<usize, TemplateError> {
    let number = value.as_int().and_then(|number| usize::try_from(number).ok());
    number.filter(|number| *number <= WIDEST).ok_or_else(|| wrong("int", value))
}

fn strings(value: &Value) -> std::result::Result<Vec<&str>, TemplateError> {
    match value {
        Value::List(values) => values.iter().map(text).collect(),
        Value::Nil => Ok(Vec::new()),
        other => Err(wrong("[]string", other)),
    }
}

fn title(text: &str) -> String {
    let mut begins = true;
    let letter = |letter: char| {
        let capital = std::mem::replace(&mut begins, letter.is_whitespace());
        if capital { letter.to_uppercase().collect::<String>() } else { letter.to_string() }
    };
    text.chars().map(letter).collect()
}

fn split(text: &str, separator: &str) -> Result {
    let parts: Vec<Value> = text.split(separator).map(|part| Value::String(part.into())).collect();
    Ok(Value::List(parts.into()))
}

/// Nothing stays nothing.
fn pad(text: &str, before: usize, after: usize) -> String {
    if text.is_empty() { String::new() } else { format!("{}{text}{}", " ".repeat(before), " ".repeat(after)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_shown_without_control_characters() {
        let hostile = Value::String("\u{1b}[2J\u{9b}1m\u{7f}".into());
        let map = Value::Map(Arc::new([("\r".into(), hostile.clone())].into()));
        let list = Value::List([hostile, map, Value::Int(7)].into());
        assert_eq!(shown(&list).to_string(), r"[\u{1b}[2J\u{9b}1m\u{7f} map[\r:\u{1b}[2J\u{9b}1m\u{7f}] 7]");
    }
}
