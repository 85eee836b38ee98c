//! `events`: what happened, and what happens.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use clap::Args;
use serde::Serialize;

use crate::cli::filter::{Filters, has_label};
use crate::cli::output::template::Template;
use crate::cli::output::{self, format, time};
use crate::cli::{Context, Report};
use crate::container::watch::events::{self, Event, Kind};

/// Show what happens to containers, images and volumes, as it happens
#[derive(Debug, Args)]
pub struct Events {
    /// Only events that fit: `container=`, `event=`, `image=`, `label=`, `type=`, `volume=`
    #[arg(long, short, value_name = "KEY=VALUE")]
    filter: Vec<String>,
    /// `json`, or a Go template
    #[arg(long, value_name = "FORMAT")]
    format: Option<String>,
    /// Whole IDs
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    #[arg(default_value_t = true, action = clap::ArgAction::Set, hide_default_value = true, hide_possible_values = true)]
    no_trunc: bool,
    /// From this time on: RFC 3339, seconds since 1970, or how long ago (`10m`)
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Go on as events happen; `false`: end with the last that is known
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    #[arg(default_value_t = true, action = clap::ArgAction::Set, hide_default_value = true, hide_possible_values = true)]
    stream: bool,
    /// Up to this time
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
}

pub const FILTERS: [&str; 8] = ["container", "event", "image", "label", "pod", "status", "type", "volume"];

/// An event as Podman's templates and JSON have it.
#[derive(Debug, Default, Serialize)]
pub struct Shown {
    #[serde(rename = "ContainerExitCode", skip_serializing_if = "Option::is_none")]
    exit_code: Option<i32>,
    #[serde(rename = "ID", skip_serializing_if = "String::is_empty")]
    id: String,
    #[serde(rename = "Image", skip_serializing_if = "String::is_empty")]
    image: String,
    #[serde(rename = "Name", skip_serializing_if = "String::is_empty")]
    name: String,
    #[serde(rename = "Status")]
    status: String,
    time: i64,
    #[serde(rename = "timeNano")]
    nanoseconds: i64,
    #[serde(rename = "Type")]
    kind: String,
    #[serde(rename = "health_status", skip_serializing_if = "String::is_empty")]
    health: String,
    #[serde(rename = "Attributes")]
    attributes: Option<BTreeMap<String, String>>,
}

/// How events are printed.
enum Style {
    Words,
    Json,
    Template(Template),
}

impl Events {
    pub fn run(self, context: &Context) -> Result<ExitCode, Report> {
        let store = context.store()?;
        let bad = |report: Report| Report {
            messages: report
                .messages
                .iter()
                .map(|message| format!("failed to parse event filters: {message}"))
                .collect(),
            ..report
        };
        let filters = Filters::parse(&self.filter, &FILTERS).map_err(bad)?;
        let (since, until) = (moment("since", self.since.as_deref())?, moment("until", self.until.as_deref())?);
        let style = match self.format.as_deref() {
            None => Style::Words,
            Some("json") => Style::Json,
            Some(text) => Style::Template(Template::parse("events", text)?),
        };
        let mut events = events::Events::of(store.layout().root());
        let now = Utc::now();
        let follow = self.stream && until.is_none_or(|until| until > now);
        let watch = follow.then(|| events.watch()).transpose()?;
        let mut since = since.or_else(|| (follow && until.is_none()).then_some(now));
        let end = until.and_then(|until| (until - now).to_std().ok()).map(|rest: Duration| Instant::now() + rest);
        loop {
            for event in events.read()? {
                let at = DateTime::from_timestamp_nanos(event.time);
                if since.is_none_or(|since| at >= since)
                    && until.is_none_or(|until| at <= until)
                    && fits(&event, &filters)?
                {
                    self.print(&event, &style)?;
                }
            }
            // What comes from now on is later, whatever the clock says.
            since = None;
            match &watch {
                Some(watch) if watch.wait(end)? => {}
                _ => return Ok(ExitCode::SUCCESS),
            }
        }
    }

    fn print(&self, event: &Event, style: &Style) -> Result<(), Report> {
        let mut shown = Shown::of(event)?;
        if !self.no_trunc {
            shown.id = shown.id.chars().take(12).collect();
        }
        match style {
            Style::Words => output::line(&output::printable(&shown.words())),
            Style::Json => output::line(&format::line(&shown)?),
            Style::Template(template) => output::print(&template.each(&[shown.fields()])?),
        }
        Ok(())
    }
}

fn moment(flag: &str, text: Option<&str>) -> Result<Option<DateTime<Utc>>, Report> {
    let Some(text) = text else { return Ok(None) };
    time::moment(text).map(Some).ok_or_else(|| {
        Report::new(format!("unable to convert {flag} time of {text}: unable to interpret time value"))
            .hint("write `2026-01-31T12:00:00`, seconds since 1970, or how long ago: `10m`")
    })
}

fn fits(event: &Event, filters: &Filters) -> Result<bool, Report> {
    let (kind, action) = (name(&event.kind)?, name(&event.action)?);
    let is = |wanted_kind, value: &str| {
        event.kind == wanted_kind && (event.name == value || (!value.is_empty() && event.id.starts_with(value)))
    };
    filters.fit(|key, value| {
        Ok(match key {
            "container" => is(Kind::Container, value),
            "image" => is(Kind::Image, value) || event.image == value,
            "volume" => is(Kind::Volume, value),
            "event" | "status" => action == value,
            "type" => kind == value,
            "label" => has_label(&event.attributes, value),
            // There are none.
            _ => false,
        })
    })
}

/// As it is written in the log.
fn name(word: &impl Serialize) -> Result<String, Report> {
    let word = serde_json::to_value(word).map_err(Report::new)?;
    Ok(word.as_str().unwrap_or_default().to_owned())
}

impl Shown {
    fn of(event: &Event) -> Result<Self, Report> {
        Ok(Self {
            exit_code: event.exit_code,
            id: event.id.clone(),
            image: event.image.clone(),
            name: event.name.clone(),
            status: name(&event.action)?,
            time: event.time / 1_000_000_000,
            nanoseconds: event.time,
            kind: name(&event.kind)?,
            health: event.health.clone(),
            attributes: (event.kind == Kind::Container).then(|| event.attributes.clone()),
        })
    }

    fn words(&self) -> String {
        let time = DateTime::from_timestamp_nanos(self.nanoseconds).format("%Y-%m-%d %H:%M:%S%.9f +0000 UTC");
        let mut text = format!("{time} {} {}", self.kind, self.status);
        match &self.attributes {
            Some(labels) => {
                text += &format!(" {} (image={}, name={}", self.id, self.image, self.name);
                if !self.health.is_empty() {
                    text += &format!(", health_status={}", self.health);
                }
                labels.iter().for_each(|(name, value)| text += &format!(", {name}={value}"));
                text.push(')');
            }
            None => [&self.id, &self.name]
                .into_iter()
                .filter(|word| !word.is_empty())
                .for_each(|word| text += &format!(" {word}")),
        }
        text
    }

    /// Under the names that templates know.
    pub fn fields(&self) -> serde_json::Value {
        serde_json::json!({
            "ContainerExitCode": self.exit_code,
            "ID": self.id,
            "Image": self.image,
            "Name": self.name,
            "Status": self.status,
            "Time": self.time,
            "TimeNano": self.nanoseconds,
            "Type": self.kind,
            "HealthStatus": self.health,
            "Attributes": self.attributes.clone().unwrap_or_default(),
        })
    }
}
