//! `registries.conf`, version 2 (containers-registries.conf(5)): where the images of a name are, and what short names mean.
//!
//! ```text
//!   file, drop-in, drop-in … ─▶ Registries ─▶ sources: mirrors in turn, then the location itself
//!                                          └▶ meaning: aliases, then the registries that are searched
//! ```
//!
//! A later file replaces what an earlier one says: the table of a prefix, an alias, the list of searched registries, each whole.

mod file;
mod short_name;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::reference::ReferenceError;
use super::{Reference, scope};
pub use file::Mode;
use file::{File, From};
pub use short_name::{Meaning, MeaningError, Why, is_short, recorded};

/// What all files together say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Registries {
    /// The files that were read, the strongest last.
    files: Vec<PathBuf>,
    search: Vec<String>,
    search_from: Option<PathBuf>,
    helpers: Vec<String>,
    mode: Mode,
    tables: BTreeMap<String, Table>,
    aliases: BTreeMap<String, Alias>,
}

/// What holds below one prefix.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Table {
    /// In place of the prefix; `None`: names stay as they are (with `*.domain` alone).
    location: Option<String>,
    insecure: bool,
    blocked: bool,
    mirrors: Vec<Mirror>,
    from: PathBuf,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Mirror {
    location: String,
    insecure: bool,
    from: From,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Alias {
    name: Reference,
    from: PathBuf,
}

/// One place where an image may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// What the image is called there.
    pub reference: Reference,
    /// Any certificate and plain HTTP will do.
    pub insecure: bool,
}

#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum RegistriesError {
    #[error("{}:{line}: {what}", path.display())]
    File { path: PathBuf, line: usize, what: String },
    #[error("the registry `{prefix}` is blocked in `{}`", path.display())]
    Blocked { prefix: String, path: PathBuf },
    #[error("the location `{location}` of `{}` makes no name of an image: {cause}", path.display())]
    Location { location: String, path: PathBuf, cause: String },
    #[error(
        "short-name {name:?} did not resolve to an alias and no unqualified-search registries are defined in {files}"
    )]
    NowhereToSearch { name: String, files: String },
}

impl RegistriesError {
    /// What the user can do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::File { .. } => Some("containers-registries.conf(5) describes the file".into()),
            Self::Blocked { path, .. } => Some(format!("`blocked = true` in `{}` says so", path.display())),
            Self::Location { .. } => None,
            Self::NowhereToSearch { name, .. } => Some(format!(
                "name the registry, for example `docker.io/{name}`, or set `unqualified-search-registries = [\"docker.io\"]`"
            )),
        }
    }
}

impl Registries {
    /// Where a name without a registry is looked for, in this order.
    pub fn search(&self) -> &[String] {
        &self.search
    }

    /// Adds what the file at `path`, which holds `text`, says.
    pub fn read(&mut self, path: &Path, text: &str) -> Result<(), RegistriesError> {
        let file = File::parse(path, text)?;
        if let Some(search) = file.search {
            (self.search, self.search_from) = (search, Some(path.to_owned()));
        }
        self.helpers = file.helpers.unwrap_or(std::mem::take(&mut self.helpers));
        self.mode = file.mode.unwrap_or(self.mode);
        self.tables.extend(file.tables);
        self.set_aliases(path, file.aliases);
        self.files.push(path.to_owned());
        Ok(())
    }

    /// Adds the aliases of the file that the program itself writes; of nothing else it may speak.
    pub fn read_recorded(&mut self, path: &Path, text: &str) -> Result<(), RegistriesError> {
        self.set_aliases(path, File::parse(path, text)?.aliases);
        Ok(())
    }

    fn set_aliases(&mut self, path: &Path, aliases: Vec<(String, Option<Reference>)>) {
        for (short, name) in aliases {
            match name {
                Some(name) => drop(self.aliases.insert(short, Alias { name, from: path.to_owned() })),
                None => drop(self.aliases.remove(&short)),
            }
        }
    }

    /// There is no file at all.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// The registries where short names are searched, and where `login` and `search` go that name none.
    pub fn searched(&self) -> &[String] {
        &self.search
    }

    /// All registries that the files speak of: `host[:port]`, those that are searched first, each once.
    pub fn hosts(&self) -> Vec<&str> {
        let tables = self.tables.iter().filter(|(_, table)| !table.blocked);
        let places = tables.flat_map(|(prefix, table)| [Some(prefix.as_str()), table.location.as_deref()]).flatten();
        let aliases = self.aliases.values().map(|alias| alias.name.registry());
        let all = self.search.iter().map(String::as_str).chain(places).chain(aliases);
        let mut told = BTreeSet::new();
        let hosts = all.filter_map(|place| place.split('/').next()).filter(|host| !host.starts_with("*."));
        hosts.filter(|host| told.insert(*host)).collect()
    }

    /// Programs that keep credentials, and among them `containers-auth.json` for the usual files; the first that knows counts.
    pub fn credential_helpers(&self) -> &[String] {
        &self.helpers
    }

    /// Where to pull an image from, in this order.
    pub fn sources(&self, image: &Reference) -> Result<Vec<Source>, RegistriesError> {
        let Some((prefix, table)) = self.table(&scope::of(image)) else {
            return Ok(vec![Source { reference: image.clone(), insecure: false }]);
        };
        table.refuse_blocked(prefix)?;
        let pinned = image.digest().is_some();
        let mirrors = table.mirrors.iter().filter(|mirror| mirror.from.serves(pinned));
        let places = mirrors.map(|mirror| (Some(&mirror.location), mirror.insecure));
        let places = places.chain([(table.location.as_ref(), table.insecure)]);
        places
            .map(|(location, insecure)| {
                let reference = location.map_or(Ok(image.clone()), |location| table.moved(image, prefix, location))?;
                Ok(Source { reference, insecure })
            })
            .collect()
    }

    /// Whether any certificate and plain HTTP will do for `name`: `host[:port]`, or a namespace or repository there.
    pub fn is_insecure(&self, name: &str) -> Result<bool, RegistriesError> {
        let mut scopes = vec![name.to_owned()];
        scopes.extend(scope::above(name));
        let Some((prefix, table)) = self.table(&scopes) else { return Ok(false) };
        table.refuse_blocked(prefix)?;
        Ok(table.insecure)
    }

    fn table<'a>(&'a self, scopes: &[String]) -> Option<(&'a str, &'a Table)> {
        scopes.iter().find_map(|scope| self.tables.get_key_value(scope)).map(|(prefix, table)| (prefix.as_str(), table))
    }
}

impl Table {
    fn refuse_blocked(&self, prefix: &str) -> Result<(), RegistriesError> {
        match self.blocked {
            true => Err(RegistriesError::Blocked { prefix: prefix.to_owned(), path: self.from.clone() }),
            false => Ok(()),
        }
    }

    /// The image with `location` in place of the prefix; `*.domain` stands for the whole host.
    fn moved(&self, image: &Reference, prefix: &str, location: &str) -> Result<Reference, RegistriesError> {
        let text = image.to_string();
        let kept = if prefix.starts_with("*.") { image.registry().len() } else { prefix.len() };
        let rest = text.get(kept..).unwrap_or_default();
        format!("{location}{rest}").parse().map_err(|error: ReferenceError| RegistriesError::Location {
            location: location.to_owned(),
            path: self.from.clone(),
            cause: error.to_string(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn registries(files: &[&str]) -> Registries {
        let mut all = Registries::default();
        for (number, text) in files.iter().enumerate() {
            all.read(Path::new(&format!("f{number}")), text).unwrap();
        }
        all
    }

    fn sources(all: &Registries, image: &str) -> Result<Vec<String>, String> {
        let sources = all.sources(&image.parse().unwrap()).map_err(|error| error.to_string())?;
        let mark = |source: &Source| if source.insecure { "!" } else { "" };
        Ok(sources.iter().map(|source| format!("{}{}", source.reference, mark(source))).collect())
    }

    /// The example of the manual page, and what it says of it.
    const EXAMPLE: &str = r#"
        [[registry]]
        prefix = "example.com/foo"
        location = "internal.example.org/bar/"
        [[registry.mirror]]
        location = "mirror-0.local/mirror-for-foo"
        [[registry.mirror]]
        location = "mirror-1.local/mirrors/foo"
        insecure = true
        [[registry]]
        location = "registry.com"
        insecure = true
        [[registry.mirror]]
        location = "mirror.registry.com"
    "#;

    #[test]
    fn mirrors_come_first_and_the_longest_prefix_counts() {
        let all = registries(&[EXAMPLE, "[[registry]]\nlocation = 'example.com'\n[[registry]]\nprefix='*.wild.org'"]);
        assert_eq!(
            sources(&all, "example.com/foo/image:1").unwrap(),
            [
                "mirror-0.local/mirror-for-foo/image:1",
                "mirror-1.local/mirrors/foo/image:1!",
                "internal.example.org/bar/image:1"
            ]
        );
        assert_eq!(sources(&all, "registry.com/image").unwrap(), ["mirror.registry.com/image", "registry.com/image!"]);
        for elsewhere in ["example.com/foobar/x", "example.com:5000/foo/x", "a.wild.org/x", "debian", "wild.org/x"] {
            let full: Reference = elsewhere.parse().unwrap();
            assert_eq!(sources(&all, elsewhere).unwrap(), [full.to_string()]);
        }
        assert!(all.is_insecure("registry.com/x").unwrap() && !all.is_insecure("registry.com:5000").unwrap());
    }

    #[test]
    fn the_registries_of_all_files() {
        let all = registries(&[
            "unqualified-search-registries = ['z.io', 'docker.io']\n[aliases]\n'deb' = 'q.io/team/debian'",
            "[[registry]]\nprefix='*.wild.org'\nlocation='c.org/b'\n[[registry]]\nlocation='no.io'\nblocked=true",
            EXAMPLE,
        ]);
        let expected = ["z.io", "docker.io", "c.org", "example.com", "internal.example.org", "registry.com", "q.io"];
        assert_eq!(all.hosts(), expected);
    }

    #[test]
    fn mirrors_for_digests_or_tags_alone() {
        let mirror = |how: &str| {
            format!("[[registry]]\nlocation='q.io'\n[[registry.mirror]]\nlocation='m.io'\npull-from-mirror='{how}'\n")
        };
        let whole = "[[registry]]\nlocation='q.io'\nmirror-by-digest-only=true\n[[registry.mirror]]\nlocation='m.io'";
        let pinned = format!("q.io/x@sha256:{}", "0f".repeat(32));
        let count = |text: &str| {
            let all = registries(&[text]);
            (sources(&all, "q.io/x:1").unwrap().len(), sources(&all, &pinned).unwrap().len())
        };
        assert_eq!(count(&mirror("all")), (2, 2));
        assert_eq!(count(&mirror("")), (2, 2));
        assert_eq!(count(&mirror("digest-only")), (1, 2));
        assert_eq!(count(&mirror("tag-only")), (2, 1));
        assert_eq!(count(whole), (1, 2));
    }

    #[test]
    fn a_later_file_replaces_and_wildcards_move_whole_hosts() {
        let all = registries(&[
            "[[registry]]\nlocation='q.io'\nblocked=true\n[[registry]]\nprefix='*.b.org'\nlocation='c.org/b'",
            "[[registry]]\nlocation='q.io'\ninsecure=true\n[[registry]]\nprefix='x.io/one:1'\nlocation='y.io/two:2'",
            "[[registry]]\nprefix='*.q.io'\nblocked=true",
        ]);
        assert_eq!(sources(&all, "q.io/x").unwrap(), ["q.io/x!"]);
        assert_eq!(sources(&all, "a.b.org:80/x:1").unwrap(), ["c.org/b/x:1"]);
        assert_eq!(sources(&all, "x.io/one:1").unwrap(), ["y.io/two:2"]);
        assert_eq!(sources(&all, "x.io/one:2").unwrap(), ["x.io/one:2"]);
        assert_eq!(sources(&all, "a.q.io/x").unwrap_err(), "the registry `*.q.io` is blocked in `f2`");
        assert!(all.is_insecure("a.q.io").is_err());
        let broken = registries(&["[[registry]]\nprefix='q.io/x'\nlocation='q.io/X'"]);
        assert!(sources(&broken, "q.io/x/y").unwrap_err().contains("`f0`"));
    }
}
