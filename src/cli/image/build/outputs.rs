//! `--output`: where what was built goes, beside the store.
//!
//! ```text
//!   DIRECTORY | type=local,dest=DIRECTORY     the files
//!   - | type=tar,dest=FILE|-                  the files, as a tar archive
//!   type=oci,dest=FILE|-[,tar=false]          the image, as an archive or directory of OCI's
//!   type=docker[,dest=FILE|-]                 the image, as an archive of Docker's; without a place, in the store alone
//!   type=image,name=NAME[,push=true]          one more name; and to its registry
//! ```

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::stdio::{dup2_stdout, stderr, stdout};
use rustix::termios::isatty;

use crate::build::output::Output;
use crate::cli::Report;
use crate::cli::image::archive::save::write;
use crate::cli::output::progress::Display;
use crate::host::atomic_file::Unfinished;
use crate::image::archive::Format;
use crate::image::archive::save::{Chosen, Save};
use crate::oci::Digest;
use crate::store::Store;

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    Directory(PathBuf),
    Archive(To),
    Image(Format, To),
    /// Where the image is anyway.
    Store,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum To {
    Path(PathBuf),
    Stdout,
}

/// All that was asked for.
#[derive(Debug, Default)]
pub struct Outputs {
    places: Vec<Place>,
    /// Names that the image gets.
    pub names: Vec<String>,
    /// Those of them that are pushed.
    pub pushed: Vec<String>,
    /// The standard output that the command was started with, where something else than messages goes there.
    stdout: Option<OwnedFd>,
}

const KINDS: &str = "`local`, `tar`, `oci`, `docker`, `image` and `registry` are known";

impl Outputs {
    pub fn parse(words: &[String]) -> Result<Self, Report> {
        let mut all = Self::default();
        words.iter().try_for_each(|word| all.add(word))?;
        if all.places.iter().filter(|place| place.is_stdout()).count() > 1 {
            return Err(Report::new("only one output can go to standard output"));
        }
        Ok(all)
    }

    fn add(&mut self, word: &str) -> Result<(), Report> {
        let wrong = |text: &str| Report::new(format!("`--output={word}`: {text}"));
        if word == "-" {
            self.places.push(Place::Archive(To::Stdout));
            return Ok(());
        }
        if !word.contains('=') {
            if word.is_empty() {
                return Err(wrong("expected a directory, or `type=KIND,dest=PATH`"));
            }
            self.places.push(Place::Directory(word.into()));
            return Ok(());
        }
        let (mut kind, mut dest, mut names, mut push, mut tar) = (None, None, Vec::new(), false, true);
        for field in word.split(',') {
            let (key, value) = field.split_once('=').unwrap_or((field, "true"));
            let flag = || value.parse::<bool>().map_err(|_| wrong(&format!("`{key}` is `true` or `false`")));
            match key {
                "type" => kind = Some(value),
                "dest" if value.is_empty() => return Err(wrong("`dest` needs a value")),
                "dest" => dest = Some(if value == "-" { To::Stdout } else { To::Path(value.into()) }),
                "name" => names.push(value.to_owned()),
                "push" => push = flag()?,
                "tar" => tar = flag()?,
                _ => {
                    return Err(wrong(&format!("`{key}` is not known"))
                        .hint("`type`, `dest`, `name`, `push` and `tar` are; how layers are compressed, `push` says"));
                }
            }
        }
        let needed = || dest.clone().ok_or_else(|| wrong("`dest` says where to, and is missing"));
        self.places.push(match kind {
            Some("local") => match needed()? {
                To::Path(path) => Place::Directory(path),
                To::Stdout => return Err(wrong("a directory can't be written to standard output")),
            },
            Some("tar") => Place::Archive(needed()?),
            Some("oci") => match (needed()?, tar) {
                (To::Stdout, false) => return Err(wrong("a directory can't be written to standard output")),
                (dest, true) => Place::Image(Format::OciArchive, dest),
                (dest, false) => Place::Image(Format::OciDir, dest),
            },
            Some("docker") => dest.map_or(Place::Store, |dest| Place::Image(Format::DockerArchive, dest)),
            Some("image" | "registry") if dest.is_some() => return Err(wrong("an image has no `dest`, but a `name`")),
            Some("image" | "registry") => Place::Store,
            Some("cacheonly") => Place::Store,
            Some(kind) => return Err(wrong(&format!("`{kind}` is not known")).hint(KINDS)),
            None => return Err(wrong("no `type` is named").hint(KINDS)),
        });
        if push || kind == Some("registry") {
            if names.is_empty() {
                return Err(wrong("what is pushed needs a `name`"));
            }
            self.pushed.extend(names.iter().cloned());
        }
        self.names.extend(names);
        Ok(())
    }

    /// From now on messages go to standard error, where standard output is needed for something else.
    pub fn take_stdout(&mut self) -> Result<(), Report> {
        if !self.places.iter().any(Place::is_stdout) {
            return Ok(());
        }
        if isatty(stdout()) {
            return Err(Report::new("refusing to write an archive to a terminal")
                .hint("redirect standard output, or name a file with `dest=FILE`"));
        }
        self.stdout = Some(stdout().try_clone_to_owned().map_err(Report::new)?);
        dup2_stdout(stderr()).map_err(Report::new)
    }

    /// Writes all of them. `names`: the image's own.
    pub fn write(&self, store: &Store, id: &Digest, names: &[String], latest: Option<i64>) -> Result<(), Report> {
        for place in &self.places {
            match place {
                Place::Store => {}
                Place::Directory(path) => Output::of(store, id, latest)?.to_directory(path)?,
                Place::Archive(to) => {
                    let output = Output::of(store, id, latest)?;
                    self.to(to, |out| Ok(output.to_archive(out)?))?;
                }
                Place::Image(format, to) => self.image(store, (id, names), *format, to)?,
            }
        }
        Ok(())
    }

    fn image(&self, store: &Store, (id, names): (&Digest, &[String]), format: Format, to: &To) -> Result<(), Report> {
        let mut chosen = Chosen::find(store, id.hex())?;
        names.iter().try_for_each(|name| chosen.name(name))?;
        let progress = Display::new(true);
        let save = Save { store, progress: &progress, format, compress: false };
        match to {
            To::Path(path) => write(&save, &[chosen], path),
            To::Stdout => self.to(to, |out| Ok(save.to_stream(&[chosen], out)?)),
        }
    }

    fn to(&self, to: &To, write: impl FnOnce(BorrowedFd<'_>) -> Result<(), Report>) -> Result<(), Report> {
        match to {
            To::Stdout => write(self.stdout.as_ref().map_or(stdout(), AsFd::as_fd)),
            To::Path(path) => {
                let file = Unfinished::create(Path::new(path))?;
                write(file.fd())?;
                Ok(file.finish()?)
            }
        }
    }
}

impl Place {
    fn is_stdout(&self) -> bool {
        matches!(self, Self::Archive(To::Stdout) | Self::Image(_, To::Stdout))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_output_means() {
        let parsed = |word: &str| Outputs::parse(&[word.to_owned()]).map(|all| all.places[0].clone()).ok();
        let path = |text: &str| To::Path(text.into());
        assert_eq!(parsed("out"), Some(Place::Directory("out".into())));
        assert_eq!(parsed("type=local,dest=out"), Some(Place::Directory("out".into())));
        assert_eq!(parsed("-"), Some(Place::Archive(To::Stdout)));
        assert_eq!(parsed("type=tar,dest=-"), Some(Place::Archive(To::Stdout)));
        assert_eq!(parsed("dest=x.tar,type=tar"), Some(Place::Archive(path("x.tar"))));
        assert_eq!(parsed("type=oci,dest=x"), Some(Place::Image(Format::OciArchive, path("x"))));
        assert_eq!(parsed("type=oci,dest=x,tar=false"), Some(Place::Image(Format::OciDir, path("x"))));
        assert_eq!(parsed("type=docker"), Some(Place::Store));
        assert_eq!(parsed("type=docker,dest=-"), Some(Place::Image(Format::DockerArchive, To::Stdout)));
        let image =
            Outputs::parse(&["type=image,name=a,push=true".to_owned(), "type=registry,name=b".to_owned()]).unwrap();
        assert_eq!((image.names, image.pushed), (vec!["a".to_owned(), "b".into()], vec!["a".to_owned(), "b".into()]));
        for bad in [
            "",
            "type=tar",
            "type=local,dest=-",
            "dest=x",
            "type=x,dest=y",
            "type=tar,dest=",
            "type=image,dest=x",
            "type=registry",
            "type=tar,dest=x,y=z",
        ] {
            assert!(parsed(bad).is_none(), "{bad}");
        }
        assert!(Outputs::parse(&["-".to_owned(), "type=tar,dest=-".to_owned()]).is_err());
    }
}
