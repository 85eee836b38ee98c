//! What a container is called and labelled.

use clap::Args;

use crate::container::record::Container;
use crate::oci::image_config::RunConfig;

#[derive(Debug, Args)]
#[command(next_help_heading = "Names")]
#[group(skip)]
pub struct Flags {
    /// The container's host name [default: the beginning of its ID]
    #[arg(long, short = 'h', value_name = "NAME")]
    hostname: Option<String>,
    /// Set a label
    #[arg(long, short, value_name = "NAME[=VALUE]")]
    label: Vec<String>,
    /// Name the container
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
}

impl Flags {
    pub fn fill(&self, container: &mut Container, config: &RunConfig) {
        container.hostname = self.hostname.clone().unwrap_or_else(|| container.short_id().to_owned());
        container.labels.clone_from(&config.labels);
        for label in &self.label {
            let (name, value) = label.split_once('=').unwrap_or((label, ""));
            container.labels.insert(name.to_owned(), value.to_owned());
        }
    }

    pub fn name(&self) -> Option<&str> {
        self.name.as_deref().map(|name| name.trim_start_matches('/'))
    }
}
