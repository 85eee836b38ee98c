//! One file of registries.conf: TOML, with what is wrong said by its line. Keys that are not known are passed over: they are for
//! other programs.

use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{Mirror, RegistriesError, Table, is_short};
use crate::oci::Reference;

/// What one file says; `None`: nothing.
#[derive(Debug, Default)]
pub(super) struct File {
    pub search: Option<Vec<String>>,
    pub helpers: Option<Vec<String>>,
    pub mode: Option<Mode>,
    /// By their prefixes.
    pub tables: Vec<(String, Table)>,
    /// Short names, and what each means; `None`: nothing any more.
    pub aliases: Vec<(String, Option<Reference>)>,
}

/// What becomes of a short name that several registries may have.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Mode {
    /// The user is asked; without a terminal it is an error.
    Enforcing,
    /// The user is asked; without a terminal all are tried.
    #[default]
    Permissive,
    /// All are tried.
    Disabled,
}

/// For which images a mirror serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum From {
    All,
    DigestOnly,
    TagOnly,
}

impl From {
    /// `pinned`: the image is named by its digest.
    pub fn serves(self, pinned: bool) -> bool {
        match self {
            Self::All => true,
            Self::DigestOnly => pinned,
            Self::TagOnly => !pinned,
        }
    }
}

type Result<T> = std::result::Result<T, RegistriesError>;
type Value<'a> = Spanned<DeValue<'a>>;

/// Turns offsets into errors that name lines.
struct Reader<'a> {
    path: &'a Path,
    text: &'a str,
}

impl File {
    pub fn parse(path: &Path, text: &str) -> Result<Self> {
        let reader = Reader { path, text };
        let document = DeTable::parse(text)
            .map_err(|error| reader.wrong(error.span().map_or(0, |span| span.start), error.message()))?;
        let mut file = Self::default();
        for (key, value) in document.get_ref() {
            match key.get_ref().as_ref() {
                "unqualified-search-registries" => {
                    let search = reader.texts(value)?.into_iter();
                    file.search = Some(search.map(|host| reader.location(value, &host)).collect::<Result<_>>()?);
                }
                "credential-helpers" => file.helpers = Some(reader.texts(value)?),
                "short-name-mode" => file.mode = reader.mode(value)?,
                "registry" => {
                    let tables = reader.tables(value)?;
                    file.tables = tables.into_iter().map(|table| reader.registry(table)).collect::<Result<_>>()?;
                }
                "aliases" => file.aliases = reader.aliases(value)?,
                "registries" => {
                    let what = "`[registries]` is of version 1 of this format, which is not read: \
                                `unqualified-search-registries` and `[[registry]]` are of version 2";
                    return Err(reader.wrong(key.span().start, what));
                }
                _ => {}
            }
        }
        Ok(file)
    }
}

impl Reader<'_> {
    fn wrong(&self, offset: usize, what: impl ToString) -> RegistriesError {
        let line = 1 + self.text.bytes().take(offset).filter(|byte| *byte == b'\n').count();
        RegistriesError::File { path: self.path.to_owned(), line, what: what.to_string() }
    }

    fn at(&self, value: &Value<'_>, what: impl ToString) -> RegistriesError {
        self.wrong(value.span().start, what)
    }

    fn text(&self, value: &Value<'_>) -> Result<String> {
        match value.get_ref() {
            DeValue::String(text) => Ok(text.to_string()),
            _ => Err(self.at(value, "this must be a text in quotes")),
        }
    }

    fn switch(&self, value: &Value<'_>) -> Result<bool> {
        match value.get_ref() {
            DeValue::Boolean(value) => Ok(*value),
            _ => Err(self.at(value, "this must be `true` or `false`")),
        }
    }

    fn texts(&self, value: &Value<'_>) -> Result<Vec<String>> {
        match value.get_ref() {
            DeValue::Array(list) => list.iter().map(|item| self.text(item)).collect(),
            _ => Err(self.at(value, "this must be a list of texts in quotes")),
        }
    }

    fn tables<'a>(&self, value: &'a Value<'a>) -> Result<Vec<(&'a Value<'a>, &'a DeTable<'a>)>> {
        let wrong = |value| self.at(value, "this must be a list of tables: `[[registry]]`, `[[registry.mirror]]`");
        let DeValue::Array(list) = value.get_ref() else { return Err(wrong(value)) };
        let table = |item: &'a Value<'a>| match item.get_ref() {
            DeValue::Table(table) => Ok((item, table)),
            _ => Err(wrong(item)),
        };
        list.iter().map(table).collect()
    }

    fn mode(&self, value: &Value<'_>) -> Result<Option<Mode>> {
        match self.text(value)?.as_str() {
            "" => Ok(None),
            "enforcing" => Ok(Some(Mode::Enforcing)),
            "permissive" => Ok(Some(Mode::Permissive)),
            "disabled" => Ok(Some(Mode::Disabled)),
            other => Err(self.at(
                value,
                format!("the mode of short names `{other}` is not known: `enforcing`, `permissive` and `disabled` are"),
            )),
        }
    }

    /// A name without a scheme and without a slash at its end.
    fn location(&self, value: &Value<'_>, text: &str) -> Result<String> {
        if text.contains("://") {
            return Err(self.at(value, format!("`{text}` must be `host[:port][/path]`, without a scheme")));
        }
        Ok(text.trim_end_matches('/').to_owned())
    }

    fn registry(&self, (value, table): (&Value<'_>, &DeTable<'_>)) -> Result<(String, Table)> {
        let (mut prefix, mut location, mut by_digest, mut mirrors) = (String::new(), String::new(), false, Vec::new());
        let (mut insecure, mut blocked) = (false, false);
        for (key, value) in table {
            match key.get_ref().as_ref() {
                "prefix" => prefix = self.location(value, &self.text(value)?)?,
                "location" => location = self.location(value, &self.text(value)?)?,
                "insecure" => insecure = self.switch(value)?,
                "blocked" => blocked = self.switch(value)?,
                "mirror-by-digest-only" => by_digest = self.switch(value)?,
                "mirror" => mirrors = self.tables(value)?,
                _ => {}
            }
        }
        let wild = prefix.strip_prefix("*.");
        if wild.unwrap_or(&prefix).contains('*') || wild.is_some_and(|domain| domain.contains(['/', ':'])) {
            return Err(
                self.at(value, format!("the prefix `{prefix}` has a `*` that is not `*.` before a domain alone"))
            );
        }
        if location.is_empty() && wild.is_none() {
            return Err(self.at(value, "a `[[registry]]` needs a `location`, unless its `prefix` is `*.DOMAIN`"));
        }
        let mirrors = mirrors.into_iter().map(|mirror| self.mirror(mirror, by_digest)).collect::<Result<_>>()?;
        let prefix = if prefix.is_empty() { location.clone() } else { prefix };
        let location = Some(location).filter(|location| !location.is_empty());
        Ok((prefix, Table { location, insecure, blocked, mirrors, from: self.path.to_owned() }))
    }

    fn mirror(&self, (value, table): (&Value<'_>, &DeTable<'_>), by_digest: bool) -> Result<Mirror> {
        let (mut location, mut insecure, mut from) = (String::new(), false, None);
        for (key, value) in table {
            match key.get_ref().as_ref() {
                "location" => location = self.location(value, &self.text(value)?)?,
                "insecure" => insecure = self.switch(value)?,
                "pull-from-mirror" => {
                    from = match self.text(value)?.as_str() {
                        "" => None,
                        "all" => Some(From::All),
                        "digest-only" => Some(From::DigestOnly),
                        "tag-only" => Some(From::TagOnly),
                        other => {
                            let what = format!("`{other}` must be `all`, `digest-only` or `tag-only`");
                            return Err(self.at(value, what));
                        }
                    }
                }
                _ => {}
            }
        }
        if location.is_empty() {
            return Err(self.at(value, "a mirror needs a `location`"));
        }
        if by_digest && from.is_some() {
            return Err(self.at(value, "`pull-from-mirror` can't stand beside `mirror-by-digest-only = true`"));
        }
        let from = from.unwrap_or(if by_digest { From::DigestOnly } else { From::All });
        Ok(Mirror { location, insecure, from })
    }

    fn aliases(&self, value: &Value<'_>) -> Result<Vec<(String, Option<Reference>)>> {
        let DeValue::Table(table) = value.get_ref() else {
            return Err(self.at(value, "`aliases` must be a table"));
        };
        let alias = |(key, value): (&Spanned<std::borrow::Cow<'_, str>>, &Value<'_>)| {
            let short = key.get_ref().as_ref();
            let bare = |name: &Reference| name.tag().is_none() && name.digest().is_none();
            if !is_short(short) || !short.parse().is_ok_and(|name| bare(&name)) {
                let what = format!("the alias `{short}` must be a name without registry, tag and digest");
                return Err(self.wrong(key.span().start, what));
            }
            let text = self.text(value)?;
            if text.is_empty() {
                return Ok((short.to_owned(), None));
            }
            let name = text.parse().ok().filter(|name| bare(name) && Reference::is_qualified(&text));
            let name = name.ok_or_else(|| {
                self.at(value, format!("`{text}` must be a name with its registry, without tag and digest"))
            })?;
            Ok((short.to_owned(), Some(name)))
        };
        table.iter().map(alias).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_said_by_its_line() {
        for (text, expected) in [
            ("\n[registries.search]\nregistries = ['a']", "f:2: `[registries]` is of version 1"),
            ("\n\nunqualified-search-registries = 'a'", "f:3: this must be a list"),
            ("unqualified-search-registries = ['https://a']", "without a scheme"),
            ("short-name-mode = 'strict'", "`strict` is not known"),
            ("[[registry]]\ninsecure = 'yes'", "f:2: this must be `true` or `false`"),
            ("[[registry]]\nprefix = 'q.io'", "needs a `location`"),
            ("[[registry]]\nprefix = '*.q.io/x'\nlocation = 'a'", "a `*` that is not"),
            ("[[registry]]\nprefix = 'q.*.io'\nlocation = 'a'", "a `*` that is not"),
            ("[registry]\nlocation = 'a'", "a list of tables"),
            ("[[registry]]\nlocation = 'a'\n[[registry.mirror]]\ninsecure = true", "a mirror needs a `location`"),
            (
                "[[registry]]\nlocation='a'\n[[registry.mirror]]\nlocation='b'\npull-from-mirror='some'",
                "`some` must be",
            ),
            (
                "[[registry]]\nlocation='a'\nmirror-by-digest-only=true\n[[registry.mirror]]\nlocation='b'\npull-from-mirror='all'",
                "can't stand beside",
            ),
            ("[aliases]\n'q.io/x' = 'q.io/x'", "the alias `q.io/x` must be"),
            ("[aliases]\n'x:1' = 'q.io/x'", "the alias `x:1` must be"),
            ("[aliases]\nx = 'y'", "f:2: `y` must be a name with its registry"),
            ("[aliases]\nx = 'q.io/y:1'", "`q.io/y:1` must be"),
            ("[[registry]]\nlocation = \n", "f:2: "),
            ("a = 1\na = 2", "f:2: "),
        ] {
            let error = File::parse(Path::new("f"), text).unwrap_err().to_string();
            assert!(error.starts_with("f:") && error.contains(expected), "{text}: {error}");
        }
    }

    #[test]
    fn what_is_for_others_is_passed_over() {
        let text =
            "additional-layer-store-auth-helper = 'x'\n[[registry]]\nlocation = 'q.io'\nfrob = [1]\n[frob]\na = 1";
        assert_eq!(File::parse(Path::new("f"), text).unwrap().tables.len(), 1);
    }
}
