//! What a name without a registry means: an alias, or that name at one of the registries that are searched.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::file::File;
use super::{Mode, Registries, RegistriesError};
use crate::oci::Reference;
use crate::oci::reference::{DEFAULT_REGISTRY, ReferenceError};

/// The images that a name may mean, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Meaning {
    /// Never empty; to be tried in this order.
    pub names: Vec<Reference>,
    pub why: Why,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Why {
    /// The name says its registry.
    Qualified,
    /// The alias is in this file.
    Alias(PathBuf),
    /// This file lists the registries. `ask`: the user is to choose; `must`: and must be asked.
    Searched { from: PathBuf, ask: bool, must: bool },
    /// There is no registries.conf.
    Default,
}

/// Whether a name leaves its registry out.
pub fn is_short(text: &str) -> bool {
    !Reference::is_qualified(text)
}

/// A short name that is none, or that nothing is known about.
#[derive(Debug, thiserror::Error)]
pub enum MeaningError {
    #[error(transparent)]
    Reference(#[from] ReferenceError),
    #[error(transparent)]
    Registries(#[from] RegistriesError),
}

/// The file of recorded aliases, which now holds `text`, with one more.
pub fn recorded(path: &Path, text: &str, short: &str, name: &Reference) -> Result<String, RegistriesError> {
    let mut aliases: BTreeMap<_, _> = File::parse(path, text)?.aliases.into_iter().collect();
    let short = short.split(['@', ':']).next().unwrap_or_default();
    aliases.insert(short.to_owned(), name.name().parse().ok());
    let lines = aliases.iter().filter_map(|(short, name)| Some(format!("  {short:?} = {:?}\n", name.as_ref()?.name())));
    Ok(format!("[aliases]\n{}", lines.collect::<String>()))
}

impl Registries {
    /// What `text` means. A tag or digest is no part of an alias, and kept.
    pub fn meaning(&self, text: &str) -> Result<Meaning, MeaningError> {
        let full: Reference = text.parse()?;
        let one = |name, why| Ok(Meaning { names: vec![name], why });
        if !is_short(text) {
            return one(full, Why::Qualified);
        }
        let path = text.split(['@', ':']).next().unwrap_or_default();
        let behind = text.get(path.len()..).unwrap_or_default();
        if let Some(alias) = self.aliases.get(path) {
            return one(format!("{}{behind}", alias.name).parse()?, Why::Alias(alias.from.clone()));
        }
        if self.is_empty() {
            return one(format!("{DEFAULT_REGISTRY}/{text}").parse()?, Why::Default);
        }
        let names = self.search.iter().map(|registry| format!("{registry}/{text}").parse());
        let names = names.collect::<Result<Vec<Reference>, _>>()?;
        let Some(from) = self.search_from.clone().filter(|_| !names.is_empty()) else {
            let files = self
                .files
                .iter()
                .map(|file| format!("{:?}", file.display().to_string()))
                .collect::<Vec<_>>()
                .join(", ");
            return Err(RegistriesError::NowhereToSearch { name: text.to_owned(), files }.into());
        };
        let ask = names.len() > 1 && self.mode != Mode::Disabled;
        Ok(Meaning { names, why: Why::Searched { from, ask, must: ask && self.mode == Mode::Enforcing } })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meaning(file: Option<&str>, text: &str) -> Result<(Vec<String>, Why), String> {
        let mut all = Registries::default();
        if let Some(text) = file {
            all.read(Path::new("f"), text).unwrap();
        }
        let meaning = all.meaning(text).map_err(|error| error.to_string())?;
        Ok((meaning.names.iter().map(ToString::to_string).collect(), meaning.why))
    }

    #[test]
    fn aliases_then_the_registries_that_are_searched() {
        let file =
            "unqualified-search-registries = ['q.io', 'docker.io']\n[aliases]\na = 'r.io/x/y'\n'n/a' = 'docker.io/z'";
        let means = |text: &str| meaning(Some(file), text).unwrap();
        let digest = format!("sha256:{}", "0f".repeat(32));
        assert_eq!(means("a"), (vec!["r.io/x/y".into()], Why::Alias("f".into())));
        assert_eq!(means("a:1").0, ["r.io/x/y:1"]);
        assert_eq!(means(&format!("a@{digest}")).0, [format!("r.io/x/y@{digest}")]);
        assert_eq!(means("n/a:2").0, ["docker.io/library/z:2"]);
        let searched = Why::Searched { from: "f".into(), ask: true, must: false };
        assert_eq!(means("b:1"), (vec!["q.io/b:1".into(), "docker.io/library/b:1".into()], searched));
        assert_eq!(means("localhost/a"), (vec!["localhost/a".into()], Why::Qualified));
        assert_eq!(meaning(None, "b"), Ok((vec!["docker.io/library/b".into()], Why::Default)));
        assert!(meaning(Some(""), "b").unwrap_err().contains("did not resolve to an alias"));
        assert!(meaning(Some(file), "B").is_err() && meaning(None, "").is_err());
    }

    #[test]
    fn what_was_chosen_is_an_alias() {
        let name = |text: &str| text.parse().unwrap();
        let one = recorded(Path::new("f"), "", "x/y:1", &name("q.io/x/y:1")).unwrap();
        let two = recorded(Path::new("f"), &one, "a", &name("b.io/a")).unwrap();
        assert_eq!(two, "[aliases]\n  \"a\" = \"b.io/a\"\n  \"x/y\" = \"q.io/x/y\"\n");
        let mut all = Registries::default();
        all.read_recorded(Path::new("f"), &two).unwrap();
        assert_eq!(all.meaning("x/y:2").unwrap().names, [name("q.io/x/y:2")]);
        assert_eq!(all.meaning("z").unwrap().why, Why::Default, "no registries.conf, for all that");
    }

    #[test]
    fn modes() {
        for (mode, ask, must) in [("enforcing", true, true), ("permissive", true, false), ("disabled", false, false)] {
            let file = format!("unqualified-search-registries = ['a.io', 'b.io']\nshort-name-mode = '{mode}'");
            let expected = Why::Searched { from: "f".into(), ask, must };
            assert_eq!(meaning(Some(&file), "x").unwrap().1, expected);
        }
        let one = meaning(Some("unqualified-search-registries = ['a.io']\nshort-name-mode = 'enforcing'"), "x");
        assert_eq!(one.unwrap().1, Why::Searched { from: "f".into(), ask: false, must: false });
    }
}
