//! The log of a container: Kubernetes' format, as `k8s-file` of Podman: `TIME stdout F LINE`, with `P` for a line whose end is
//! still to come.

use std::fs::File;
use std::io::Write;
use std::path::Path;

use rustix::fs::{Mode, OFlags};

use super::streams::Kind;
use crate::sys::{Call, Result};

/// A line longer than this is written in parts, so that nothing grows without limit.
const LONGEST: usize = 16 * 1024;

#[derive(Debug)]
pub struct Log {
    file: File,
    /// The unfinished lines of output and error output.
    unfinished: [Vec<u8>; 2],
}

impl Log {
    /// Appends to the log at `path`.
    pub fn open(path: &Path) -> Result<Self> {
        let flags = OFlags::WRONLY | OFlags::APPEND | OFlags::CREATE | OFlags::CLOEXEC;
        let file =
            rustix::fs::open(path, flags, Mode::RUSR | Mode::WUSR).call_with(|| format!("open({})", path.display()))?;
        Ok(Self { file: file.into(), unfinished: [Vec::new(), Vec::new()] })
    }

    /// Adds output. A full disk loses lines of the log, not the container.
    pub fn add(&mut self, kind: Kind, bytes: &[u8]) {
        let mut text = Vec::new();
        let [output, error] = &mut self.unfinished;
        let (line, name) = match kind {
            Kind::Output => (output, "stdout"),
            Kind::Error => (error, "stderr"),
        };
        for byte in bytes {
            if *byte == b'\n' {
                put(&mut text, name, 'F', line);
                line.clear();
            } else {
                line.push(*byte);
                if line.len() >= LONGEST {
                    put(&mut text, name, 'P', line);
                    line.clear();
                }
            }
        }
        let _ = self.file.write_all(&text);
    }

    /// What is left of lines that no newline ended.
    pub fn finish(&mut self) {
        let mut text = Vec::new();
        for (line, name) in self.unfinished.iter_mut().zip(["stdout", "stderr"]) {
            if !line.is_empty() {
                put(&mut text, name, 'P', line);
                line.clear();
            }
        }
        let _ = self.file.write_all(&text);
    }
}

fn put(text: &mut Vec<u8>, name: &str, tag: char, line: &[u8]) {
    let time = chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Nanos, false);
    text.extend_from_slice(format!("{time} {name} {tag} ").as_bytes());
    text.extend_from_slice(line);
    text.push(b'\n');
}
