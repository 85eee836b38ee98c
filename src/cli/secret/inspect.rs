//! `secret inspect`: everything about secrets, but only where asked for what they are.

use std::process::ExitCode;

use clap::Args;
use serde_json::{Value, json};

use super::get;
use crate::cli::output::template::Template;
use crate::cli::output::{self, format};
use crate::cli::{Context, Report};
use crate::store::secrets::Secret;

/// Show everything about secrets but what they are
#[derive(Debug, Args)]
pub struct Inspect {
    /// `json`, or a Go template
    #[arg(long, short, value_name = "FORMAT", conflicts_with = "pretty")]
    format: Option<String>,
    /// In lines
    #[arg(long)]
    pretty: bool,
    /// What it is, too
    #[arg(long)]
    showsecret: bool,
    /// Names or IDs
    #[arg(required = true, value_name = "SECRET")]
    secrets: Vec<String>,
}

impl Inspect {
    pub fn run(self, context: &Context) -> Result<ExitCode, Report> {
        let store = context.store()?;
        let (mut found, mut failed) = (Vec::new(), None::<Report>);
        for name in &self.secrets {
            match get(&store, name) {
                Ok(secret) => found.push(secret),
                Err(report) => match &mut failed {
                    Some(failed) => failed.join(report),
                    None => failed = Some(report),
                },
            }
        }
        if self.pretty {
            found.iter().for_each(|secret| output::print(&output::printable(&lines(secret))));
            return failed.map_or(Ok(ExitCode::SUCCESS), Err);
        }
        let shown: Vec<Value> = found.iter().map(|secret| object(secret, self.showsecret)).collect();
        match self.format.as_deref() {
            None | Some("json") => output::print(&format::json(&shown)?),
            Some(text) => output::print(&Template::parse("inspect", text)?.each(&shown)?),
        }
        failed.map_or(Ok(ExitCode::SUCCESS), Err)
    }
}

/// Podman's keys.
pub fn object(secret: &Secret, with_data: bool) -> Value {
    let mut object = json!({
        "ID": secret.id,
        "CreatedAt": secret.created,
        "UpdatedAt": secret.updated,
        "Spec": {
            "Name": secret.name,
            "Driver": { "Name": "file", "Options": secret.driver_options },
            "Labels": secret.labels,
        },
    });
    if with_data && let Some(keys) = object.as_object_mut() {
        keys.insert("SecretData".into(), String::from_utf8_lossy(&secret.data.0).into());
    }
    object
}

fn lines(secret: &Secret) -> String {
    let label = |(name, value): (&String, &String)| match value.as_str() {
        "" => format!(" - {name}\n"),
        value => format!(" - {name}={value}\n"),
    };
    let labels: String = secret.labels.iter().map(label).collect();
    format!(
        "ID:              {}\nName:              {}\nLabels:\n{labels}Driver:            file\nCreated at:        {}\nUpdated at:        {}\n",
        secret.id, secret.name, secret.created, secret.updated
    )
}
