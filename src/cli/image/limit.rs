//! What layers may become, for every command that unpacks some.

use clap::Args;

use crate::cli::Report;
use crate::cli::container::options::value::bytes;

#[derive(Debug, Args)]
pub struct Limit {
    /// Refuse a layer that unpacks to more [default: nine tenths of what the disk has free, for all layers of an image together]
    #[arg(long, value_name = "BYTES[bkmgt]")]
    max_layer_size: Option<String>,
}

impl Limit {
    pub fn bytes(&self) -> Result<Option<u64>, Report> {
        self.max_layer_size.as_deref().map(bytes).transpose()
    }

    /// The same as arguments, for a pull in another process.
    pub fn arguments(&self) -> Option<String> {
        self.max_layer_size.as_ref().map(|size| format!("--max-layer-size={size}"))
    }
}
