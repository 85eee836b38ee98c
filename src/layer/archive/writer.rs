//! Writing an archive: the same files in the same order give the same bytes, whoever writes them and when.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use tar::EntryType;

use super::Problem;
use crate::host::atomic_file::Unfinished;
use crate::host::{change, link};
use crate::layer::pack::header::{BLOCK, Header};
use crate::layer::{Error, Result};

/// Where the files go.
#[derive(Debug)]
pub struct Writer {
    target: Target,
    names: BTreeSet<String>,
}

#[derive(Debug)]
enum Target {
    Tar(File),
    Directory(Directory),
}

/// What is made in a directory goes again, unless all of it was made.
#[derive(Debug)]
struct Directory {
    path: PathBuf,
    made: Vec<PathBuf>,
    finished: bool,
}

impl Writer {
    /// As a tar stream.
    pub fn tar(out: BorrowedFd<'_>) -> Result<Self> {
        let out: OwnedFd = out.try_clone_to_owned()?;
        Ok(Self { target: Target::Tar(out.into()), names: BTreeSet::new() })
    }

    /// In a directory, which may be there and hold files of other names.
    pub fn directory(path: &Path) -> Result<Self> {
        let path = link::resolve(path)?;
        let mut directory = Directory { path, made: Vec::new(), finished: false };
        directory.make_directory("")?;
        Ok(Self { target: Target::Directory(directory), names: BTreeSet::new() })
    }

    /// Whether a file of this name was written.
    pub fn has(&self, name: &str) -> bool {
        self.names.contains(name)
    }

    pub fn make_directory(&mut self, name: &str) -> Result<()> {
        match &mut self.target {
            Target::Tar(out) => {
                let path = format!("{name}/").into_bytes();
                let header = Header { path, kind: EntryType::Directory, mode: 0o755, ..Header::marker() };
                out.write_all(&header.encode()).map_err(Error::Write)
            }
            Target::Directory(directory) => directory.make_directory(name),
        }
    }

    /// Writes a file of so many bytes; `content` has them.
    pub fn file(&mut self, name: &str, size: u64, content: &mut dyn Read) -> Result<()> {
        let copied = match &mut self.target {
            Target::Tar(out) => {
                let header = Header { path: name.into(), size, mode: 0o644, ..Header::marker() };
                out.write_all(&header.encode()).map_err(Error::Write)?;
                let copied = copy(name, content, out)?;
                let padding = size.next_multiple_of(BLOCK as u64) - size;
                out.write_all([0; BLOCK].get(..padding as usize).unwrap_or_default()).map_err(Error::Write)?;
                copied
            }
            Target::Directory(directory) => directory.file(name, content)?,
        };
        if copied != size {
            return Err(Problem::WrongSize { name: name.to_owned(), expected: size, found: copied }.into());
        }
        self.names.insert(name.to_owned());
        Ok(())
    }

    pub fn bytes(&mut self, name: &str, bytes: &[u8]) -> Result<()> {
        self.file(name, bytes.len() as u64, &mut &*bytes)
    }

    /// Writes the files that make it an archive, the last that a reader would look for, and ends it.
    pub fn finish(mut self, last: &[(&str, &[u8])]) -> Result<()> {
        for (name, bytes) in last {
            match &self.target {
                Target::Tar(_) => self.bytes(name, bytes)?,
                // They may replace older ones, and all that they speak of is there.
                Target::Directory(directory) => Unfinished::create(&directory.path.join(name))?.finish_with(bytes)?,
            }
        }
        match &mut self.target {
            Target::Tar(out) => out.write_all(&[0; 2 * BLOCK]).map_err(Error::Write),
            Target::Directory(directory) => {
                directory.finished = true;
                Ok(())
            }
        }
    }
}

impl Directory {
    fn make_directory(&mut self, name: &str) -> Result<()> {
        let path = self.path.join(name);
        if change::create_dir(&path)? {
            self.made.push(path);
        }
        Ok(())
    }

    /// Makes a file, or replaces one; how many bytes it has.
    fn file(&mut self, name: &str, content: &mut dyn Read) -> Result<u64> {
        let path = self.path.join(name);
        let file = Unfinished::create(&path)?;
        let copied = copy(name, content, &mut File::from(file.fd().try_clone_to_owned()?))?;
        let is_new = rustix::fs::stat(&path).is_err();
        file.finish()?;
        if is_new {
            self.made.push(path);
        }
        Ok(copied)
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        if !self.finished {
            // Their own failure would hide the cause.
            for path in self.made.iter().rev() {
                let _ = change::remove_file(path);
                let _ = change::remove_dir(path);
            }
        }
    }
}

/// A failure to read is told apart from one to write.
fn copy(name: &str, from: &mut dyn Read, to: &mut File) -> Result<u64> {
    let mut buffer = vec![0; 256 << 10];
    let mut copied = 0;
    loop {
        let length = match from.read(&mut buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            read => read.map_err(|source| Problem::Unreadable { name: name.to_owned(), source })?,
        };
        let Some(piece) = buffer.get(..length).filter(|piece| !piece.is_empty()) else { return Ok(copied) };
        to.write_all(piece).map_err(Error::Write)?;
        copied += length as u64;
    }
}
