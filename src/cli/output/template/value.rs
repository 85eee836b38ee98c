//! From what is to be shown to what a template sees, and back to JSON.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, NaiveDateTime};
use gotmpl::Value;
use serde::Serialize;
use serde_json::Value as Json;

use super::maps::MAPS;
use super::times::{GO_TIME, TIMES};

/// Fields that hold lists, which may be `null` in JSON.
const LISTS: [&str; 8] = ["Args", "Cmd", "Devices", "Entrypoint", "Env", "Mounts", "OnBuild", "VolumesFrom"];

/// `times`: the fields that hold moments are shown as Go does.
pub fn of(value: &impl Serialize, times: bool) -> serde_json::Result<Value> {
    Ok(from_json(&serde_json::to_value(value)?, times))
}

fn from_json(value: &Json, times: bool) -> Value {
    match value {
        Json::Null => Value::Nil,
        Json::Bool(value) => Value::Bool(*value),
        Json::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(number), _) => Value::Int(number),
            (None, Some(number)) => Value::Uint(number),
            _ => Value::Float(number.as_f64().unwrap_or_default()),
        },
        Json::String(text) => Value::String(text.as_str().into()),
        Json::Array(values) => Value::List(values.iter().map(|value| from_json(value, times)).collect()),
        Json::Object(fields) => {
            let field = |(name, value): (&String, &Json)| {
                let value = match value {
                    // Go has no missing lists and maps, only empty ones.
                    Json::Null if LISTS.contains(&name.as_str()) => Value::List(Arc::new([])),
                    Json::Null if MAPS.contains(&name.as_str()) => Value::Map(Arc::default()),
                    Json::String(text) if times && TIMES.contains(&name.as_str()) => {
                        Value::String(go_time(text).into())
                    }
                    other => from_json(other, times),
                };
                (Arc::from(name.as_str()), value)
            };
            Value::Map(Arc::new(fields.iter().map(field).collect::<BTreeMap<_, _>>()))
        }
    }
}

/// A moment in RFC 3339 as Go writes it; whatever else it is, the text as it is.
fn go_time(text: &str) -> String {
    DateTime::parse_from_rfc3339(text)
        .map_or_else(|_| text.to_owned(), |moment| trimmed(&moment.to_utc().naive_utc(), GO_TIME))
}

/// Without zeros at the end of the fraction.
fn trimmed(moment: &NaiveDateTime, format: &str) -> String {
    let text = moment.format(format).to_string();
    match text.split_once('.') {
        Some((seconds, rest)) => {
            let digits = rest.find(|digit: char| !digit.is_ascii_digit()).unwrap_or(rest.len());
            let (fraction, rest) = rest.split_at(digits);
            let fraction = fraction.trim_end_matches('0');
            format!("{seconds}{}{fraction}{rest}", if fraction.is_empty() { "" } else { "." })
        }
        None => text,
    }
}

/// What the function `json` shows.
pub fn plain(value: &Value) -> Json {
    match value {
        Value::Bool(value) => (*value).into(),
        Value::Int(value) => (*value).into(),
        Value::Uint(value) => (*value).into(),
        Value::Float(value) => (*value).into(),
        Value::String(text) => match NaiveDateTime::parse_from_str(text, GO_TIME) {
            Ok(moment) => trimmed(&moment, "%Y-%m-%dT%H:%M:%S%.fZ").into(),
            Err(_) => (**text).into(),
        },
        Value::List(values) => values.iter().map(plain).collect(),
        Value::Map(map) => Json::Object(map.iter().map(|(key, value)| (key.to_string(), plain(value))).collect()),
        _ => Json::Null,
    }
}

/// The fields of a row with their headings in them.
pub fn headings(row: &impl Serialize, named: &[(&str, &str)]) -> serde_json::Result<Value> {
    let Json::Object(fields) = serde_json::to_value(row)? else { return Ok(Value::Nil) };
    let heading = |name: &String| {
        let named = named.iter().find(|(field, _)| field == name).map(|(_, heading)| (*heading).to_owned());
        (Arc::from(name.as_str()), Value::String(named.unwrap_or_else(|| capitals(name)).into()))
    };
    Ok(Value::Map(Arc::new(fields.keys().map(heading).collect::<BTreeMap<_, _>>())))
}

/// `CreatedAt`: `CREATED AT`.
fn capitals(name: &str) -> String {
    let mut words = String::new();
    let mut before = ' ';
    for letter in name.chars() {
        if letter.is_uppercase() && before.is_lowercase() {
            words.push(' ');
        }
        words.extend(letter.to_uppercase());
        before = letter;
    }
    words
}
