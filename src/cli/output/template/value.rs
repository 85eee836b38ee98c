//! From what is to be shown to what a template sees, and back to JSON.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use chrono::DateTime;
use gotmpl::Value;
use serde::Serialize;
use serde_json::Value as Json;

use super::maps::MAPS;
use super::times::{self, TIMES};

/// Fields that hold lists, which may be `null` in JSON.
const LISTS: [&str; 8] = ["Args", "Cmd", "Devices", "Entrypoint", "Env", "Mounts", "OnBuild", "VolumesFrom"];

/// Fields that Go calls otherwise than JSON does. Templates may have both names.
const GO_NAMES: [(&str, &str); 14] = [
    ("Domainname", "DomainName"),
    ("GidMap", "GIDMap"),
    ("Health", "Healthcheck"),
    ("Healthcheck", "HealthCheck"),
    ("HealthcheckMaxLogCount", "HealthMaxLogCount"),
    ("HealthcheckMaxLogSize", "HealthMaxLogSize"),
    ("Id", "ID"),
    ("UidMap", "UIDMap"),
    ("author", "Author"),
    ("comment", "Comment"),
    ("created", "Created"),
    ("created_by", "CreatedBy"),
    ("empty_layer", "EmptyLayer"),
    ("sdNotifyMode", "SdNotifyMode"),
];

/// What stands for a list and a map that are `null`: Go shows them like empty ones, but for JSON.
static NO_LIST: LazyLock<Arc<[Value]>> = LazyLock::new(|| Arc::new([]));
static NO_MAP: LazyLock<Arc<BTreeMap<Arc<str>, Value>>> = LazyLock::new(Arc::default);

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
            let of_json = fields.iter().map(|(name, value)| (name.as_str(), value));
            let of_go = GO_NAMES.iter().filter_map(|(json, go)| Some((*go, fields.get(*json)?)));
            let all = of_go.chain(of_json).map(|(name, json)| (Arc::from(name), field(name, json, times)));
            Value::Map(Arc::new(all.collect::<BTreeMap<_, _>>()))
        }
    }
}

fn field(name: &str, value: &Json, times: bool) -> Value {
    match value {
        Json::Null if LISTS.contains(&name) => Value::List(NO_LIST.clone()),
        Json::Null if MAPS.contains(&name) => Value::Map(NO_MAP.clone()),
        // Its keys are whatever somebody has written.
        Json::Object(keys) if MAPS.contains(&name) => {
            let keys = keys.iter().map(|(key, value)| (Arc::from(key.as_str()), from_json(value, times)));
            Value::Map(Arc::new(keys.collect::<BTreeMap<_, _>>()))
        }
        Json::String(text) if times && TIMES.contains(&name) => Value::String(go_time(text).into()),
        other => from_json(other, times),
    }
}

/// A moment in RFC 3339 as Go writes it; whatever else it is, the text as it is.
fn go_time(text: &str) -> String {
    DateTime::parse_from_rfc3339(text)
        .map_or_else(|_| text.to_owned(), |moment| times::show(&moment.to_utc().fixed_offset()))
}

/// What the function `json` shows.
pub fn plain(value: &Value) -> Json {
    match value {
        Value::Bool(value) => (*value).into(),
        Value::Int(value) => (*value).into(),
        Value::Uint(value) => (*value).into(),
        Value::Float(value) => (*value).into(),
        Value::String(text) => match times::parse(text) {
            Some(moment) => times::rfc_3339(&moment).into(),
            None => (**text).into(),
        },
        Value::List(values) if Arc::ptr_eq(values, &NO_LIST) => Json::Null,
        Value::List(values) => values.iter().map(plain).collect(),
        Value::Map(map) if Arc::ptr_eq(map, &NO_MAP) => Json::Null,
        Value::Map(map) => {
            let twice = |go: &str| GO_NAMES.iter().any(|(json, name)| *name == go && map.contains_key(*json));
            let own = map.iter().filter(|(key, _)| !twice(key));
            Json::Object(own.map(|(key, value)| (key.to_string(), plain(value))).collect())
        }
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
