//! `--log-driver` and `--log-opt`.

use clap::Args;

use super::value::{absolute, bytes};
use crate::cli::Report;
use crate::container::log::{LogConfig, LogDriver};
use crate::container::record::Container;

#[derive(Debug, Args)]
#[command(next_help_heading = "Log")]
#[group(skip)]
pub struct Flags {
    /// Keep the output as `k8s-file` (`json-file` is the same) or in `journald`, or leave it to `none` or `passthrough` [default: k8s-file]
    #[arg(long, value_name = "DRIVER")]
    log_driver: Option<String>,
    /// `max-size=SIZE`: keep the last that many bytes, `path=FILE`: in this file, `tag=TEXT`
    #[arg(long, value_name = "NAME=VALUE")]
    log_opt: Vec<String>,
}

impl Flags {
    pub fn fill(&self, container: &mut Container) -> Result<(), Report> {
        container.log = config(self.log_driver.as_deref(), &self.log_opt)?;
        Ok(())
    }
}

/// Of an option that is given twice the last one counts.
fn config(driver: Option<&str>, options: &[String]) -> Result<LogConfig, Report> {
    let driver = match driver.unwrap_or_default() {
        "" | "k8s-file" | "json-file" => LogDriver::K8sFile,
        "journald" => LogDriver::Journald,
        "none" => LogDriver::None,
        "passthrough" => LogDriver::Passthrough,
        other => {
            return Err(Report::new(format!("the log driver `{other}` is not known"))
                .hint("`k8s-file` (also as `json-file`), `journald`, `none` and `passthrough` are"));
        }
    };
    let mut config = LogConfig { driver, ..LogConfig::default() };
    for option in options {
        match option.split_once('=') {
            Some(("max-size", size)) => config.max_size = Some(bytes(size)?).filter(|size| *size > 0),
            Some(("path", path)) => config.path = Some(absolute(path)?),
            Some(("tag", tag)) => tag.clone_into(&mut config.tag),
            // How many older files there are: one, whatever is said.
            Some(("max-file", _)) => {}
            _ => {
                return Err(Report::new(format!("the log option `{option}` is not known"))
                    .hint("`max-size=SIZE`, `path=FILE` and `tag=TEXT` are"));
            }
        }
    }
    Ok(config)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn options_are_read() {
        let options = ["max-size=1k", "path=/x/log", "tag=a=b", "max-size=2m", "max-file=3"].map(str::to_owned);
        let config = config(Some("json-file"), &options).unwrap();
        assert_eq!((config.driver, config.max_size, config.tag.as_str()), (LogDriver::K8sFile, Some(2 << 20), "a=b"));
        assert_eq!(config.path.as_deref(), Some(Path::new("/x/log")));
        for bad in ["size=1", "max-size=x", "max-size"] {
            assert!(super::config(None, &[bad.to_owned()]).is_err(), "{bad}");
        }
        assert!(super::config(Some("syslog"), &[]).is_err());
    }
}
