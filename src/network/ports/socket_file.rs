//! A port of a container on a socket file of this machine: `-p unix:/path/socket:8080`.

use std::fmt;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, socket_with};
use serde::{Deserialize, Serialize};

use super::Error;
use crate::host::change;
use crate::sys::{self, Call};

/// How the word begins.
const SCHEME: &str = "unix:";
/// So many wait to be taken in; the kernel may have a smaller limit.
const WAITING: i32 = 4096;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SocketFile {
    pub path: PathBuf,
    /// The port in the container.
    pub container: u16,
}

impl SocketFile {
    /// `None`: the text is about a port of this machine.
    pub fn parse(text: &str) -> Option<Result<Self, Error>> {
        let rest = text.strip_prefix(SCHEME)?;
        let bad = |why| Error::Malformed(text.to_owned(), why);
        let parsed = rest.rsplit_once(':').ok_or_else(|| bad("behind the path stands the container's port"));
        Some(parsed.and_then(|(path, port)| {
            let container = port.strip_suffix("/tcp").unwrap_or(port).parse().ok().filter(|port| *port > 0);
            let container = container.ok_or_else(|| bad("the container's port is none"))?;
            let path = PathBuf::from(path);
            let is_file = path.is_absolute() && path.file_name().is_some();
            is_file.then_some(Self { path, container }).ok_or_else(|| bad("the path is not absolute"))
        }))
    }

    /// Whether it could be listened on now, as far as is seen without doing so.
    pub fn check(&self) -> Result<(), Error> {
        if self.is_taken()? { Err(Error::FileTaken(self.path.clone())) } else { Ok(()) }
    }

    /// Listens there, for this account alone: the file is there as soon as it is listened on, in the place of one that nobody listens on
    /// any more.
    pub fn listen(&self) -> Result<OwnedFd, Error> {
        self.check()?;
        self.make().map_err(|error| Error::File { path: self.path.clone(), error })
    }

    /// Whether something is there that is not to be replaced.
    pub fn is_taken(&self) -> Result<bool, Error> {
        let error = |error: Errno| Error::File { path: self.path.clone(), error: sys::Error::new("connect", error) };
        match rustix::fs::statat(CWD, &self.path, AtFlags::SYMLINK_NOFOLLOW) {
            Err(Errno::NOENT) => Ok(false),
            Err(errno) => Err(error(errno)),
            Ok(stat) if FileType::from_raw_mode(stat.st_mode) != FileType::Socket => Ok(true),
            Ok(_) => {
                let socket =
                    socket_with(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None).map_err(error)?;
                let (_directory, address) =
                    address(&self.path, None).map_err(|error| Error::File { path: self.path.clone(), error })?;
                Ok(rustix::net::connect(&socket, &address) != Err(Errno::CONNREFUSED))
            }
        }
    }

    /// Whether it is there, and nobody listens on it.
    pub fn is_left(&self) -> bool {
        self.path.symlink_metadata().is_ok() && matches!(self.is_taken(), Ok(false))
    }

    /// Once nobody listens on it; what stays is replaced by the next that does.
    pub fn remove(&self) {
        if let Ok(false) = self.is_taken() {
            let _ = change::remove_file(&self.path);
        }
    }

    fn make(&self) -> sys::Result<OwnedFd> {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let socket = socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None).call("socket(AF_UNIX)")?;
        let name = format!(".{}", change::random_name()?);
        let (_directory, address) = address(&self.path, Some(&name))?;
        // The mode that the file gets.
        rustix::fs::fchmod(&socket, Mode::RUSR | Mode::WUSR).call("fchmod(socket)")?;
        rustix::net::bind(&socket, &address).call("bind")?;
        rustix::net::listen(&socket, WAITING).call("listen")?;
        change::rename(&self.path.with_file_name(name), &self.path)?;
        Ok(socket)
    }
}

impl fmt::Display for SocketFile {
    /// As `-p` takes it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{SCHEME}{}:{}", self.path.display(), self.container)
    }
}

/// What was asked for, each once: a file leads to one port.
pub fn settle_files(asked: Vec<SocketFile>) -> Result<Vec<SocketFile>, Error> {
    let mut settled: Vec<SocketFile> = Vec::new();
    for file in asked {
        match settled.iter().find(|other| other.path == file.path) {
            Some(other) if *other == file => {}
            Some(_) => return Err(Error::FileConflict(file.path)),
            None => settled.push(file),
        }
    }
    Ok(settled)
}

/// Of a file beside it, or of itself: through a descriptor of the directory, since an address has room for 108 bytes.
fn address(path: &Path, name: Option<&str>) -> sys::Result<(OwnedFd, SocketAddrUnix)> {
    let directory = path.parent().unwrap_or(Path::new("/"));
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let directory =
        rustix::fs::open(directory, flags, Mode::empty()).call_with(|| format!("open({})", directory.display()))?;
    let own = path.file_name().unwrap_or_default();
    let within = Path::new("/proc/self/fd").join(directory.as_raw_fd().to_string());
    let address = SocketAddrUnix::new(within.join(name.map_or(own, AsRef::as_ref))).call("bind")?;
    Ok((directory, address))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;
    use std::os::unix::net::UnixStream;

    use super::*;

    #[test]
    fn a_file_stands_for_a_port() {
        let parse = |text: &str| SocketFile::parse(text).map(|one| one.map_err(|error| error.to_string()));
        let file = SocketFile { path: "/run/a:b".into(), container: 80 };
        assert_eq!(parse("unix:/run/a:b:80"), Some(Ok(file.clone())));
        assert_eq!(parse("unix:/run/a:b:80/tcp"), Some(Ok(file.clone())));
        assert_eq!(parse("8080:80"), None);
        assert_eq!(file.to_string(), "unix:/run/a:b:80");
        for bad in ["unix:", "unix:/a", "unix:a:80", "unix:/a:0", "unix:/a:80/udp", "unix:/:80", "unix::80"] {
            assert!(parse(bad).unwrap().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_file_leads_to_one_port() {
        let file = |path: &str, container| SocketFile { path: path.into(), container };
        let settled = settle_files(vec![file("/a", 80), file("/b", 80), file("/a", 80)]).unwrap();
        assert_eq!(settled, [file("/a", 80), file("/b", 80)]);
        assert!(matches!(settle_files(vec![file("/a", 80), file("/a", 81)]), Err(Error::FileConflict(_))));
    }

    #[test]
    fn it_is_its_owners_and_replaces_what_nobody_listens_on() {
        let folder = std::env::temp_dir().join(format!("coracle-socket-{}", std::process::id()));
        // Longer than an address of a socket.
        let folder = folder.join("x".repeat(120));
        std::fs::create_dir_all(&folder).unwrap();
        let file = SocketFile { path: folder.join("s"), container: 80 };
        let socket = file.listen().unwrap();
        assert_eq!(std::fs::metadata(&file.path).unwrap().permissions().mode() & 0o7777, 0o600);
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1);
        let (_directory, address) = address(&file.path, None).unwrap();
        let client =
            UnixStream::from(socket_with(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None).unwrap());
        rustix::net::connect(&client, &address).unwrap();
        assert!(matches!(file.listen(), Err(Error::FileTaken(_))));
        drop(socket);
        drop(file.listen().unwrap());
        std::fs::remove_file(&file.path).unwrap();
        std::fs::write(&file.path, "").unwrap();
        assert!(matches!(file.listen(), Err(Error::FileTaken(_))));
        std::fs::remove_dir_all(folder.parent().unwrap()).unwrap();
    }
}
