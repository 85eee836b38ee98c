//! Instructions and context: of directories and files, or of what comes on standard input.
//!
//! ```text
//!   DIRECTORY [-f FILE]      the file from here, else from the context
//!   DIRECTORY -f -           instructions on standard input
//!   - [-f FILE]              an archive on standard input, compressed or not, and a file in it; or instructions, and no context
//! ```

use std::io::Read;
use std::path::{Path, PathBuf};

use super::Build;
use super::inputs::{self, FILES, LONGEST};
use crate::build::Source;
use crate::build::context::Context;
use crate::build::context::unpacked::Unpacked;
use crate::build::ignore::{self, Ignore};
use crate::build::parse::{self, Dockerfile};
use crate::cli::Report;
use crate::layer::compression::{Packing, told_by};
use crate::layer::pack::header::{BLOCK, is_header};
use crate::store::Store;

/// What it is called in messages.
const STDIN: &str = "standard input";

/// What is to be built.
pub struct Given {
    pub file: Dockerfile,
    pub context: Option<Context>,
    /// Removed with the value.
    _unpacked: Option<Unpacked>,
}

impl Given {
    pub fn of(build: &Build, store: &Store) -> Result<Self, Report> {
        let directory = match (&build.context, build.file.is_empty()) {
            (Some(path), _) if path.as_os_str() == "-" => return Self::of_stdin(build, store),
            (Some(path), _) => Some(path.clone()),
            (None, true) => Some(PathBuf::from(".")),
            (None, false) => None,
        };
        let (file, path) = inputs::instructions(&build.file, directory.as_deref())?;
        let asked = build.ignorefile.as_deref();
        let context = directory.map(|directory| inputs::context(&directory, asked, path.as_deref())).transpose()?;
        Ok(Self { file, context, _unpacked: None })
    }

    fn of_stdin(build: &Build, store: &Store) -> Result<Self, Report> {
        let named = match build.file.as_slice() {
            [] => None,
            [file] if file.as_os_str() == "-" => {
                return Err(Report::new("standard input can't be the context and the instructions")
                    .hint("`-f PATH` names a file in the archive"));
            }
            [file] => Some(file.as_path()),
            _ => return Err(Report::new("only one `--file` can be built")),
        };
        let mut input = std::io::stdin().lock();
        let mut start = Vec::new();
        let read = input.by_ref().take(BLOCK as u64).read_to_end(&mut start);
        read.map_err(|error| Report::new(format!("{STDIN} can't be read: {error}")))?;
        let input = start.as_slice().chain(input);
        if !is_archive(&start) {
            if let Some(file) = named {
                let text = format!("{STDIN} is no archive, so `{}` can't be in it", file.display());
                return Err(Report::new(text).hint("`tar -c . | coracle build -f FILE -` sends one"));
            }
            return Ok(Self { file: parse::parse(STDIN, &inputs::read(input)?)?, context: None, _unpacked: None });
        }
        let unpacked = Unpacked::of_archive(store, input)?;
        let context = Context::open_made(unpacked.path(), &format!("the archive on {STDIN}"))?;
        let (file, path) = instructions_in(&context, named)?;
        let ignore = match &build.ignorefile {
            Some(path) => inputs::ignore(path)?,
            None => ignore_in(&context, &path)?,
        };
        Ok(Self { file, context: Some(context.without(ignore)), _unpacked: Some(unpacked) })
    }
}

/// Told by its first block.
fn is_archive(start: &[u8]) -> bool {
    let packing = start.first_chunk().map_or(Packing::Plain, |first| told_by(*first));
    packing != Packing::Plain || is_header(start)
}

/// The file of instructions of a context that nobody may be led out of.
fn instructions_in(context: &Context, named: Option<&Path>) -> Result<(Dockerfile, PathBuf), Report> {
    let names = named.map_or_else(|| FILES.map(PathBuf::from).to_vec(), |named| vec![named.to_owned()]);
    for name in &names {
        if let Some(bytes) = context.read(&name.to_string_lossy(), parse::LONGEST as u64 + 1)? {
            let title = name.file_name().unwrap_or_default().display().to_string();
            return Ok((parse::parse(&title, &bytes)?, name.clone()));
        }
    }
    let text = match named {
        Some(name) => format!("`{}` is not in the archive on {STDIN}", name.display()),
        None => format!("no Containerfile or Dockerfile is in the archive on {STDIN}"),
    };
    Err(Report::new(text).hint("`-f PATH` names one that lies elsewhere in it or has another name"))
}

fn ignore_in(context: &Context, instructions: &Path) -> Result<Ignore, Report> {
    for place in ignore::places(Some(instructions), Path::new("")) {
        if let Some(bytes) = context.read(&place.to_string_lossy(), LONGEST)? {
            let name = place.file_name().unwrap_or_default().display().to_string();
            return Ok(Ignore::parse(&Source::new(name, String::from_utf8_lossy(&bytes)))?);
        }
    }
    Ok(Ignore::default())
}
