//! Quadlets (podman-systemd.unit(5)): `web.container`, `data.volume`, `net.network`, `base.image` and `app.build` become services.
//!
//! ```text
//!  search paths ──find──▶ files, drop-ins ──file──▶ Quadlet ──keys──▶ flags ─┐
//!                                              others by their names ───────┴─▶ Service ──folder──▶ units, links
//! ```
//!
//! What must stay true: all of it is a function of the files; a file that is wrong is named with its line, and keeps no other from
//! becoming a unit.

mod build;
mod container;
pub mod file;
pub mod find;
pub mod folder;
mod keys;
mod others;
mod service;
pub mod watch;
pub mod words;

use std::path::{Path, PathBuf};

pub use self::keys::Means;
pub use self::service::Service;
use file::{Entry, Place, UnitFile};

/// A file, the line in it, and what is wrong there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}{}: {problem}", file.display(), if *line > 0 { format!(", line {line}") } else { String::new() })]
pub struct Error {
    pub file: PathBuf,
    /// From 1; 0: the file as a whole.
    pub line: usize,
    pub problem: Problem,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    #[error("{0}")]
    Unreadable(String),
    #[error("longer than {} bytes", file::LONGEST)]
    TooLong,
    #[error("a control character")]
    Control,
    #[error("a key before the first section")]
    NoSection,
    #[error("`{0}` is no `Key=value`, section or comment")]
    NoKey(String),
    #[error("a quote is not closed")]
    OpenQuote,
    #[error("`\\{0}` is no escape")]
    Escape(String),
    #[error("`{0}={1}`: expected yes or no")]
    NoSwitch(String, String),
    #[error("unsupported key `{0}` in [{1}]")]
    UnknownKey(String, &'static str),
    #[error("`{0}=` is not supported: {1}")]
    Refused(String, &'static str),
    #[error("`.{0}` files are not supported: {1}")]
    Kind(String, &'static str),
    #[error("`{0}={1}` can't be: {2}")]
    Value(String, String, &'static str),
    #[error("`{0}=` is missing")]
    Missing(&'static str),
    #[error("`{0}`: there is no such quadlet")]
    NoQuadlet(String),
    #[error("`{0}` and `{1}` are both the service {2}")]
    SameService(String, String, String),
}

impl Problem {
    pub fn at(self, place: &Place) -> Error {
        Error { file: place.file.as_ref().clone(), line: place.line, problem: self }
    }

    /// Of a file as a whole.
    pub fn of(self, file: &Path) -> Error {
        Error { file: file.to_owned(), line: 0, problem: self }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Container,
    Volume,
    Network,
    Image,
    Build,
}

/// What is a quadlet of Podman's and none of ours, and why.
const REFUSED: [(&str, &str); 3] = [
    ("pod", "pods are not there yet: `Network=NAME.container` puts a container into another one's network"),
    ("kube", "Kubernetes files are not read: write a `.container` file for each container"),
    ("artifact", "artifacts are not kept"),
];

impl Kind {
    pub const ALL: [Self; 5] = [Self::Container, Self::Volume, Self::Network, Self::Image, Self::Build];

    pub fn extension(self) -> &'static str {
        match self {
            Self::Container => "container",
            Self::Volume => "volume",
            Self::Network => "network",
            Self::Image => "image",
            Self::Build => "build",
        }
    }

    /// The section that says what it is.
    pub fn section(self) -> &'static str {
        match self {
            Self::Container => "Container",
            Self::Volume => "Volume",
            Self::Network => "Network",
            Self::Image => "Image",
            Self::Build => "Build",
        }
    }

    pub fn keys(self) -> &'static [(&'static str, Means)] {
        match self {
            Self::Container => keys::CONTAINER,
            Self::Volume => keys::VOLUME,
            Self::Network => keys::NETWORK,
            Self::Image => keys::IMAGE,
            Self::Build => keys::BUILD,
        }
    }

    /// Of the command whose flags the keys are.
    pub fn command(self) -> &'static [&'static str] {
        match self {
            Self::Container => &["run"],
            Self::Volume => &["volume", "create"],
            Self::Network => &["network", "create"],
            Self::Image => &["pull"],
            Self::Build => &["build"],
        }
    }

    /// `None`: it is no quadlet. An error: it is one of Podman's alone.
    pub fn of(path: &Path) -> Option<Result<Self, Error>> {
        let extension = path.extension()?.to_str()?;
        if let Some(&(name, why)) = REFUSED.iter().find(|(name, _)| *name == extension) {
            return Some(Err(Problem::Kind(name.to_owned(), why).of(path)));
        }
        Self::ALL.into_iter().find(|kind| kind.extension() == extension).map(Ok)
    }
}

/// A quadlet with its drop-ins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quadlet {
    /// `web.container`.
    pub name: String,
    pub path: PathBuf,
    pub kind: Kind,
    pub file: UnitFile,
}

impl Quadlet {
    /// Its own section's.
    fn last(&self, key: &str) -> Option<&Entry> {
        self.file.last(self.kind.section(), key)
    }

    fn values(&self, key: &str) -> Vec<&Entry> {
        self.file.values(self.kind.section(), key)
    }

    /// The words of all values.
    fn words(&self, key: &str) -> Result<Vec<String>, Error> {
        Ok(self.values(key).into_iter().map(Entry::words).collect::<Result<Vec<_>, _>>()?.concat())
    }

    fn is_on(&self, key: &str) -> Result<bool, Error> {
        self.last(key).map_or(Ok(false), Entry::is_on)
    }

    /// The name without the extension.
    fn stem(&self) -> &str {
        self.name.rsplit_once('.').map_or(&self.name, |(stem, _)| stem)
    }

    /// Of its unit, without `.service`.
    pub fn service_name(&self) -> String {
        match (self.last("ServiceName"), self.kind) {
            (Some(entry), _) => entry.text().to_owned(),
            (None, Kind::Container) => self.stem().to_owned(),
            (None, kind) => match self.stem().split_once('@') {
                // The instance stays at the end.
                Some((template, instance)) => format!("{template}-{}@{instance}", kind.extension()),
                None => format!("{}-{}", self.stem(), kind.extension()),
            },
        }
    }

    /// What it is called once it is made: a container's name, a volume's, a network's; an image's own.
    fn resource(&self) -> String {
        let key = match self.kind {
            Kind::Container => "ContainerName",
            Kind::Volume => "VolumeName",
            Kind::Network => "NetworkName",
            Kind::Image | Kind::Build => "ImageTag",
        };
        let named = match self.kind {
            Kind::Image => self.last(key).or_else(|| self.last("Image")),
            // Of several names the first.
            Kind::Build => self.values(key).into_iter().next(),
            _ => self.last(key),
        };
        match named {
            Some(entry) => entry.text().to_owned(),
            None => format!("systemd-{}", self.stem()),
        }
    }
}

/// Makes units of quadlets, by a program at this path. What can't be one is among the errors.
pub fn services(quadlets: &[Quadlet], program: &str) -> (Vec<Service>, Vec<Error>) {
    let (mut services, mut errors): (Vec<Service>, Vec<Error>) = (Vec::new(), Vec::new());
    for quadlet in quadlets {
        let one = Conversion { quadlet, all: quadlets, program };
        match one.service() {
            Ok(service) => match services.iter().find(|other| other.name == service.name) {
                Some(other) => {
                    let path = |service: &Service| service.source.display().to_string();
                    let problem = Problem::SameService(path(other), path(&service), service.name.clone());
                    errors.push(problem.of(&quadlet.path));
                }
                None => services.push(service),
            },
            Err(error) => errors.push(error),
        }
    }
    (services, errors)
}

/// One of them on its way.
struct Conversion<'a> {
    quadlet: &'a Quadlet,
    all: &'a [Quadlet],
    program: &'a str,
}

impl Conversion<'_> {
    fn service(&self) -> Result<Service, Error> {
        keys::check(self.quadlet)?;
        if let Some(entry) = self.quadlet.last("ServiceName").filter(|entry| !is_name(entry.text())) {
            let why = "no name of a unit";
            return Err(entry.problem(Problem::Value(entry.key.clone(), entry.value.clone(), why)));
        }
        let unit_of = |name: &str| Some(format!("{}.service", self.named(name)?.service_name()));
        let mut service = Service::of(self.quadlet, unit_of)?;
        match self.quadlet.kind {
            Kind::Container => self.container(&mut service)?,
            Kind::Volume => self.volume(&mut service)?,
            Kind::Network => self.network(&mut service)?,
            Kind::Image => self.image(&mut service)?,
            Kind::Build => self.build(&mut service)?,
        }
        service.default("Service", "SyslogIdentifier", "%N");
        Ok(service)
    }

    fn named(&self, name: &str) -> Option<&Quadlet> {
        self.all.iter().find(|other| other.name == name)
    }

    /// The quadlet that a value names, on which the unit depends then. `None`: it names none.
    fn other(&self, service: &mut Service, entry: &Entry, name: &str, kinds: &[Kind]) -> Result<Option<String>, Error> {
        let path = Path::new(name);
        if name.contains('/') || path.extension().is_none() {
            return Ok(None);
        }
        let kind = match Kind::of(path) {
            Some(kind) => kind.map_err(|error| entry.problem(error.problem))?,
            None => return Ok(None),
        };
        if !kinds.contains(&kind) {
            return Ok(None);
        }
        let other = self.named(name).ok_or_else(|| entry.problem(Problem::NoQuadlet(name.to_owned())))?;
        service.depend_on(&format!("{}.service", other.service_name()));
        Ok(Some(other.resource()))
    }

    /// The program, and what is said before its command.
    fn program(&self) -> Result<Vec<String>, Error> {
        let modules =
            self.quadlet.values("ContainersConfModule").into_iter().map(|entry| format!("--module={}", entry.text()));
        let global = self.quadlet.words("GlobalArgs")?;
        Ok([self.program.to_owned()].into_iter().chain(modules).chain(global).collect())
    }

    /// A path that counts from the quadlet's folder. One that begins with a specifier is for systemd to make out.
    fn path(&self, path: &str) -> String {
        let folder = self.quadlet.path.parent().unwrap_or(Path::new("/"));
        let plain = path.strip_prefix("./").unwrap_or(path);
        if path.starts_with(['/', '%']) { path.to_owned() } else { folder.join(plain).to_string_lossy().into_owned() }
    }
}

/// Whether a unit can be called so (systemd.unit(5)).
fn is_name(text: &str) -> bool {
    let known = |c: char| c.is_ascii_alphanumeric() || ":-_.\\@".contains(c);
    !text.is_empty() && text.len() < 200 && !text.starts_with('.') && text.chars().all(known)
}
