//! What a container may write, and where.

use clap::Args;

use super::value::bytes;
use crate::cli::Report;
use crate::container::record::Container;

const SHM_SIZE: u64 = 65_536_000;

#[derive(Debug, Args)]
#[command(next_help_heading = "Storage")]
#[group(skip)]
pub struct Flags {
    /// Mount the root file system read-only
    #[arg(long)]
    read_only: bool,
    /// With `--read-only`, let /run, /tmp, /var/tmp, /dev and /dev/shm be written to, in memory [default: true]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    #[arg(hide_possible_values = true)]
    read_only_tmpfs: Option<bool>,
    /// Size of /dev/shm
    #[arg(long, value_name = "BYTES[bkmg]")]
    shm_size: Option<String>,
    /// `size=BYTES[bkmgt]`: how much the container may write into its file system
    #[arg(long, value_name = "KEY=VALUE")]
    storage_opt: Vec<String>,
}

impl Flags {
    /// `global`: what is said of all containers, those apart whose root is a directory of this machine.
    pub fn fill(&self, container: &mut Container, global: &[String]) -> Result<(), Report> {
        container.read_only = self.read_only;
        container.read_only_in_memory = self.read_only && self.read_only_tmpfs == Some(false);
        container.shm_size = self.shm_size.as_deref().map_or(Ok(SHM_SIZE), bytes)?;
        let (usual, own) = (quota(global)?, quota(&self.storage_opt)?);
        container.quota = own.or(usual.filter(|_| container.rootfs.is_none())).filter(|bytes| *bytes > 0);
        if let Some(rootfs) = container.rootfs.as_ref().filter(|rootfs| container.quota.is_some() && !rootfs.overlay) {
            return Err(Report::new("the size of a directory that is a root itself can't be limited").hint(format!(
                "`--rootfs {}:O` keeps what is written apart, and can limit it",
                rootfs.path.display()
            )));
        }
        Ok(())
    }
}

/// The bytes of `size=`; 0: no limit.
fn quota(options: &[String]) -> Result<Option<u64>, Report> {
    let mut quota = None;
    for option in options {
        let size = option.strip_prefix("overlay.").unwrap_or(option).strip_prefix("size=").ok_or_else(|| {
            Report::new(format!("the storage option `{option}` is not known")).hint("`size=BYTES[bkmgt]` is")
        })?;
        quota = Some(bytes(size)?);
    }
    Ok(quota)
}
