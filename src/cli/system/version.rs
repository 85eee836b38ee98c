//! `version`: of this program, in the shape of `podman version`.

use std::process::ExitCode;

use clap::Args;
use serde_json::{Value, json};

use crate::cli::output::template::Template;
use crate::cli::output::{self, format};
use crate::cli::{Context, Report};

/// Show the version of this program
#[derive(Debug, Args)]
pub struct Version {
    /// Print as `json`, or by a Go template: '{{.Client.Version}}'
    #[arg(short, long, value_name = "FORMAT")]
    format: Option<String>,
}

impl Version {
    pub fn run(self, _context: &Context) -> Result<ExitCode, Report> {
        let version = version();
        match self.format.as_deref() {
            Some("json") => output::print(&format::json(&version)?),
            Some(text) => output::print(&Template::parse("version", text)?.each(&[version])?),
            None => output::print(&format!(
                "Client:       Coracle Engine\nVersion:      {}\nAPI Version:  {}\nOS/Arch:      {}\n",
                env!("CARGO_PKG_VERSION"),
                env!("CARGO_PKG_VERSION"),
                os_arch()
            )),
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// What templates know.
pub fn version() -> Value {
    json!({ "Client": client() })
}

/// The keys of Podman, as far as they mean something here.
pub fn client() -> Value {
    json!({
        "APIVersion": env!("CARGO_PKG_VERSION"),
        "Version": env!("CARGO_PKG_VERSION"),
        "Os": "linux",
        "OsArch": os_arch(),
    })
}

fn os_arch() -> String {
    format!("linux/{}", arch())
}

/// The architecture in the words of image platforms.
pub fn arch() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}
