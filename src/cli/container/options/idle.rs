//! `--idle`: a container that ends when nobody needs it.

use clap::Args;

use crate::cli::Report;
use crate::cli::output::time;
use crate::container::record::{Container, Network};
use crate::network::way::Maker;

#[derive(Debug, Args)]
#[command(next_help_heading = "Network")]
#[group(skip)]
pub struct Flags {
    /// Stop the program, with exit code 0, when nobody has been connected to a published port for this long, such as `10m`
    #[arg(long, value_name = "DURATION")]
    idle: Option<String>,
}

impl Flags {
    /// Once the network and what is published are known.
    pub fn fill(&self, container: &mut Container) -> Result<(), Report> {
        let Some(text) = &self.idle else { return Ok(()) };
        let without = |why: &str, hint: &str| Err(Report::new(format!("`--idle={text}`: {why}")).hint(hint));
        container.idle = seconds(text)?;
        if !matches!(container.network, Network::Private | Network::Named) {
            return without(
                "the container has no network of its own, so nobody is seen to come",
                "leave `--network` out",
            );
        }
        if container.way_maker() == Maker::Pasta {
            return without("`pasta` does not tell who comes", "`--network=stack` does");
        }
        if !container.publishes() {
            return without("no port is published, so nobody can come", "publish one with `--publish`");
        }
        Ok(())
    }
}

/// As Go writes it, or systemd: `10m`, `10min`; whole seconds, and at least one.
pub fn seconds(text: &str) -> Result<u32, Report> {
    let go = text.replace("min", "m").replace(' ', "");
    let bare = go.parse::<u32>().is_ok();
    let found = time::go_duration(&if bare { format!("{go}s") } else { go }).map(|found| found.num_seconds());
    found.and_then(|seconds| u32::try_from(seconds).ok()).filter(|seconds| *seconds > 0).ok_or_else(|| {
        Report::new(format!("`--idle={text}` is no time")).hint("for example 90s, 10m (or 10min), 1h30m")
    })
}

#[cfg(test)]
mod tests {
    use super::seconds;

    #[test]
    fn times_are_read_as_go_and_systemd_write_them() {
        for (text, read) in [("10min", 600), ("10m", 600), ("1h 30min", 5400), ("5", 5), ("2.5s", 2)] {
            assert_eq!(seconds(text).unwrap(), read, "{text}");
        }
        for text in ["", "0", "500ms", "soon", "-1s"] {
            assert!(seconds(text).is_err(), "{text}");
        }
    }
}
