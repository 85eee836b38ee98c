//! `logs`: what a container wrote.

use std::io::{BufRead, BufReader, Write};
use std::process::ExitCode;

use clap::Args;

use crate::cli::{Context, Report};
use crate::container::find;

/// Print what a container wrote
#[derive(Debug, Args)]
pub struct Logs {
    /// Begin each line with its time
    #[arg(long, short)]
    timestamps: bool,
    /// Name or ID
    container: String,
}

impl Logs {
    pub fn run(self, context: &Context) -> Result<ExitCode, Report> {
        let found = find::find(&context.store()?, &self.container)?;
        let path = found.directory.join("log");
        let file = match std::fs::File::open(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(ExitCode::SUCCESS),
            other => other.map_err(|error| Report::new(format!("the log can't be read: {error}")))?,
        };
        let (mut out, mut err) = (std::io::stdout().lock(), std::io::stderr().lock());
        for line in BufReader::new(file).split(b'\n') {
            let line = line.map_err(|error| Report::new(format!("the log can't be read: {error}")))?;
            let mut fields = line.splitn(4, |byte| *byte == b' ');
            let (Some(time), Some(stream), Some(tag), Some(text)) =
                (fields.next(), fields.next(), fields.next(), fields.next())
            else {
                continue;
            };
            let mut bytes = Vec::with_capacity(line.len());
            if self.timestamps {
                bytes.extend_from_slice(time);
                bytes.push(b' ');
            }
            bytes.extend_from_slice(text);
            if tag == b"F" {
                bytes.push(b'\n');
            }
            let written = if stream == b"stderr" { err.write_all(&bytes) } else { out.write_all(&bytes) };
            if written.is_err() {
                break;
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}
