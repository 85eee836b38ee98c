//! What a container is called, labelled and annotated.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Args;

use crate::cli::Report;
use crate::container::life::create::free_name;
use crate::container::record::Container;
use crate::oci::image_config::RunConfig;
use crate::store::Store;

/// `HOST_NAME_MAX` (sethostname(2)).
const LONGEST_HOST_NAME: usize = 64;

#[derive(Debug, Args)]
#[command(next_help_heading = "Names")]
#[group(skip)]
pub struct Flags {
    /// Add an annotation
    #[arg(long, value_name = "NAME=VALUE")]
    annotation: Vec<String>,
    /// In place of the beginning of the ID, the host name is what can be of the container's name
    #[arg(long, hide = true)]
    default_name_as_hostname: bool,
    /// The container's host name [default: the beginning of its ID]
    #[arg(long, short = 'h', value_name = "NAME")]
    pub hostname: Option<String>,
    /// Set a label
    #[arg(long, short, value_name = "NAME[=VALUE]")]
    label: Vec<String>,
    /// Read labels from a file, one a line
    #[arg(long, value_name = "FILE")]
    label_file: Vec<PathBuf>,
    /// Name the container
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
}

impl Flags {
    pub fn fill(&self, store: &Store, container: &mut Container, config: &RunConfig) -> Result<(), Report> {
        if let Some(name) = self.hostname.as_deref().filter(|name| name.len() > LONGEST_HOST_NAME) {
            return Err(Report::new(format!("the host name `{name}` is longer than {LONGEST_HOST_NAME} bytes"))
                .hint("the kernel takes no longer one; `--add-host` gives further names"));
        }
        // What reads /etc/hosts, and every name server, takes others for something else.
        let is_letter = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        if let Some(name) = self.hostname.as_deref().filter(|name| !name.chars().all(is_letter)) {
            return Err(Report::new(format!("`{}` is no host name", name.escape_default()))
                .hint("it has letters, digits, `-`, `_` and dots"));
        }
        let hostname = self.hostname.clone().filter(|name| !name.is_empty());
        container.hostname = match hostname {
            Some(hostname) => hostname,
            None if self.default_name_as_hostname => {
                container.name = self.name().map_or_else(|| free_name(store), |name| Ok(name.to_owned()))?;
                // A container's name has no letters but those of a host name, and underscores.
                container.name.chars().filter(|letter| *letter != '_').take(LONGEST_HOST_NAME).collect()
            }
            None => container.short_id().to_owned(),
        };
        container.labels.clone_from(&config.labels);
        for path in &self.label_file {
            let text = std::fs::read_to_string(path).map_err(|error| {
                Report::new(format!("the file `{}` of labels can't be read: {error}", path.display()))
            })?;
            let lines = text.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#'));
            lines.for_each(|line| insert(&mut container.labels, line));
        }
        for label in &self.label {
            if label.is_empty() || label.starts_with('=') {
                return Err(Report::new(format!("invalid label format: {label:?}")).hint("a label is `NAME=VALUE`"));
            }
            insert(&mut container.labels, label);
        }
        for annotation in &self.annotation {
            if !annotation.contains('=') {
                return Err(Report::new(format!("annotations must be formatted KEY=VALUE: `{annotation}`")));
            }
            insert(&mut container.annotations, annotation);
        }
        Ok(())
    }

    /// For a container that is to have any: the name may be that of one that runs.
    pub fn forget_name(&mut self) {
        self.name = None;
    }

    /// As scripts have it whose variable is empty, an empty name is none.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref().map(|name| name.trim_start_matches('/')).filter(|name| !name.is_empty())
    }
}

/// `NAME=VALUE`, or `NAME`, whose value is empty.
fn insert(pairs: &mut BTreeMap<String, String>, text: &str) {
    let (name, value) = text.split_once('=').unwrap_or((text, ""));
    pairs.insert(name.to_owned(), value.to_owned());
}
