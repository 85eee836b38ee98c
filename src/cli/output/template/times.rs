//! Moments and their methods (Go's package `time`): `{{.Created.Format "2006-01-02"}}`, `{{.State.StartedAt.Unix}}`.
//!
//! Moments are texts here, of UTC until one asks for the local time, so what a template asks of one is rewritten to a call of [`method`]. Who knows a moment by its
//! field's name alone: [`TIMES`].

use chrono::{DateTime, Datelike, FixedOffset, Local, Timelike};
use gotmpl::parse::{CommandNode, Expr, PipeNode, Pos};
use gotmpl::{TemplateError, Value};

/// Fields that hold a moment: shown as Go does, where JSON has RFC 3339.
pub const TIMES: [&str; 7] =
    ["CheckpointedAt", "Created", "CreatedAt", "FinishedAt", "RestoredAt", "StartedAt", "UpdatedAt"];

/// How Go writes a moment, but for zeros at the end of the fraction and the name of its zone.
const GO_TIME: &str = "%Y-%m-%d %H:%M:%S%.f %z";

/// The function that methods of moments become. Its name can't be written in a template.
pub const METHOD: &str = "method of time";

/// What stands for a part of a moment in a layout, and how chrono writes it: none before one that it begins with.
const LAYOUT: [(&str, &str); 24] = [
    ("January", "%B"),
    ("Jan", "%b"),
    ("Monday", "%A"),
    ("Mon", "%a"),
    ("2006", "%Y"),
    ("_2006", "_%Y"),
    ("002", "%j"),
    ("01", "%m"),
    ("02", "%d"),
    ("03", "%I"),
    ("04", "%M"),
    ("05", "%S"),
    ("06", "%y"),
    ("15", "%H"),
    ("_2", "%e"),
    ("1", "%-m"),
    ("2", "%-d"),
    ("3", "%-I"),
    ("4", "%-M"),
    ("5", "%-S"),
    ("PM", "%p"),
    ("pm", "%P"),
    ("-07:00", "%:z"),
    ("-0700", "%z"),
];

/// What is shorter for UTC, and how chrono writes it for other zones.
const ZONES: [(&str, &str, &str); 3] = [("MST", "UTC", "%z"), ("Z07:00", "Z", "%:z"), ("Z0700", "Z", "%z")];

/// Makes calls of the methods that a command asks of moments.
pub fn rewrite(command: &mut CommandNode) {
    let Some((first, rest)) = command.args.split_first_mut() else { return };
    rest.iter_mut().for_each(|argument| {
        if let Some((pos, call)) = call(argument) {
            *argument = piped(pos, call);
        }
    });
    if let Some((_, mut call)) = call(first) {
        call.append(&mut command.args.split_off(1));
        command.args = call;
    }
}

/// `.Created.UTC.Unix` as `METHOD "Unix" (METHOD "UTC" .Created)`; `None`: no method of a moment.
fn call(expression: &Expr) -> Option<(Pos, Vec<Expr>)> {
    let (Expr::Field(pos, fields) | Expr::Variable(pos, _, fields)) = expression else { return None };
    let moment = fields.iter().position(|field| TIMES.contains(&field.as_str()))?;
    let (fields, methods) = fields.split_at(moment + 1);
    let mut value = match expression {
        Expr::Variable(pos, name, _) => Expr::Variable(*pos, name.clone(), fields.to_vec()),
        _ => Expr::Field(*pos, fields.to_vec()),
    };
    let mut last = None;
    for method in methods {
        if let Some(before) = last.take() {
            value = piped(*pos, before);
        }
        let name = Expr::String(*pos, method.as_str().into());
        last = Some(vec![Expr::Identifier(*pos, METHOD.into()), name, value.clone()]);
    }
    last.map(|call| (*pos, call))
}

fn piped(pos: Pos, args: Vec<Expr>) -> Expr {
    let commands = vec![CommandNode { pos, args }];
    Expr::Pipe(pos, PipeNode { pos, decl: Vec::new(), commands, is_assign: false })
}

/// What a moment's method gives: the name, the moment, and the layout of `Format`.
pub fn method(args: &[Value]) -> Result<Value, TemplateError> {
    let (name, moment, layout) = match args {
        [Value::String(name), Value::String(moment)] => (&**name, &**moment, None),
        [Value::String(name), Value::String(moment), Value::String(layout)] => (&**name, &**moment, Some(&**layout)),
        _ => return Err(TemplateError::Exec("a moment's method takes a text, or nothing".to_owned())),
    };
    let unknown = || TemplateError::MissingKey { key: name.to_owned() };
    let time = parse(moment).ok_or_else(unknown)?;
    let utc = time.to_utc();
    let nanoseconds = || utc.timestamp_nanos_opt().ok_or_else(|| TemplateError::Exec(format!("{moment} is too early")));
    Ok(match (name, layout) {
        ("Format", Some(layout)) => Value::String(format(&time, layout).into()),
        ("String", None) => Value::String(moment.into()),
        ("UTC", None) => Value::String(show(&utc.fixed_offset()).into()),
        ("Local", None) => Value::String(show(&utc.with_timezone(&Local).fixed_offset()).into()),
        ("IsZero", None) => Value::Bool(time.year() == 1 && utc.timestamp() == ZERO),
        ("Month", None) => Value::String(time.format("%B").to_string().into()),
        ("Weekday", None) => Value::String(time.format("%A").to_string().into()),
        ("Unix", None) => Value::Int(utc.timestamp()),
        ("UnixMilli", None) => Value::Int(utc.timestamp_millis()),
        ("UnixMicro", None) => Value::Int(utc.timestamp_micros()),
        ("UnixNano", None) => Value::Int(nanoseconds()?),
        ("Year", None) => Value::Int(time.year().into()),
        ("Day", None) => Value::Int(time.day().into()),
        ("YearDay", None) => Value::Int(time.ordinal().into()),
        ("Hour", None) => Value::Int(time.hour().into()),
        ("Minute", None) => Value::Int(time.minute().into()),
        ("Second", None) => Value::Int(time.second().into()),
        ("Nanosecond", None) => Value::Int(time.nanosecond().into()),
        _ => return Err(unknown()),
    })
}

/// Go's zero time, in seconds since 1970: the beginning of the year 1.
const ZERO: i64 = -62_135_596_800;

/// As Go writes a moment. A zone other than UTC is called by its distance, since nothing here knows its name.
pub fn show(time: &DateTime<FixedOffset>) -> String {
    let zone = if time.offset().local_minus_utc() == 0 { "UTC".to_owned() } else { time.format("%z").to_string() };
    format!("{} {zone}", trimmed(time, GO_TIME))
}

/// What [`show`] writes; `None`: no moment.
pub fn parse(text: &str) -> Option<DateTime<FixedOffset>> {
    DateTime::parse_from_str(text, &format!("{GO_TIME} %Z")).ok()
}

/// As Go writes it in JSON.
pub fn rfc_3339(time: &DateTime<FixedOffset>) -> String {
    let utc = time.offset().local_minus_utc() == 0;
    trimmed(time, if utc { "%Y-%m-%dT%H:%M:%S%.fZ" } else { "%Y-%m-%dT%H:%M:%S%.f%:z" })
}

/// Without zeros at the end of the fraction.
fn trimmed(time: &DateTime<FixedOffset>, format: &str) -> String {
    let text = time.format(format).to_string();
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

/// As Go writes the moment by an example.
fn format(time: &DateTime<FixedOffset>, layout: &str) -> String {
    let is_utc = time.offset().local_minus_utc() == 0;
    let mut text = String::new();
    let mut rest = layout;
    while let Some(first) = rest.chars().next() {
        if let Some((example, utc, chrono)) = ZONES.iter().find(|(example, ..)| rest.starts_with(example)) {
            text.push_str(&if is_utc { (*utc).to_owned() } else { time.format(chrono).to_string() });
            rest = &rest[example.len()..];
        } else if let Some((example, chrono)) = LAYOUT.iter().find(|(example, _)| rest.starts_with(example)) {
            text.push_str(&time.format(chrono).to_string());
            rest = &rest[example.len()..];
        } else if let Some(length) = fraction(rest) {
            text.push_str(&digits(time, &rest[..length]));
            rest = &rest[length..];
        } else {
            text.push(first);
            rest = &rest[first.len_utf8()..];
        }
    }
    text
}

/// How long the fraction of a second is with which a layout begins: a point or comma, and zeros or nines alone.
fn fraction(layout: &str) -> Option<usize> {
    let digits = layout.strip_prefix(['.', ','])?;
    let kind = digits.chars().next().filter(|digit| matches!(digit, '0' | '9'))?;
    let length = digits.len() - digits.trim_start_matches(kind).len();
    let ends = !digits[length..].starts_with(|next: char| next.is_ascii_digit());
    (ends && length <= 9).then_some(1 + length)
}

/// With as many digits as there are zeros; of nines, without the zeros at the end.
fn digits(time: &DateTime<FixedOffset>, layout: &str) -> String {
    let (point, kind) = layout.split_at(1);
    let all = format!("{:09}", time.nanosecond());
    let some = &all[..kind.len()];
    if kind.starts_with('0') {
        return format!("{point}{some}");
    }
    match some.trim_end_matches('0') {
        "" => String::new(),
        some => format!("{point}{some}"),
    }
}

#[cfg(test)]
mod tests {
    use super::{format, parse, show};

    #[test]
    fn moments_have_a_zone() {
        for text in ["2026-01-31 15:04:09.25 +0000 UTC", "2026-01-31 15:04:09 -0730 -0730"] {
            assert_eq!(show(&parse(text).unwrap()), text);
        }
        let india = parse("2026-01-31 20:34:09.25 +0530 +0530").unwrap();
        assert_eq!(format(&india, "15:04 Z07:00 Z0700 -07:00 MST"), "20:34 +05:30 +0530 +05:30 +0530");
    }

    #[test]
    fn a_layout_is_an_example() {
        let time = parse("2026-01-31 15:04:09.25 +0000 UTC").unwrap();
        for (layout, expected) in [
            ("2006-01-02T15:04:05Z07:00", "2026-01-31T15:04:09Z"),
            ("2006-01-02T15:04:05.999999999Z07:00", "2026-01-31T15:04:09.25Z"),
            ("Mon, 02 Jan 2006 15:04:05 -0700", "Sat, 31 Jan 2026 15:04:09 +0000"),
            ("Monday January _2 3:4PM MST 06, 002", "Saturday January 31 3:4PM UTC 26, 031"),
            (".000 .999999999 ,00 .5x 1.2%", ".250 .25 ,25 .9x 1.31%"),
            ("Å 100%", "Å 100%"),
        ] {
            assert_eq!(format(&time, layout), expected, "{layout}");
        }
    }
}
