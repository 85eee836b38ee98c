//! `--mount`: pairs of keys and values, as in a line of a CSV file.

use std::path::Path;

use super::volume::{in_memory, named};
use super::words::{PROPAGATION, Words, there};
use super::{glob, target};
use crate::cli::Report;
use crate::cli::container::options::value::absolute;
use crate::container::mount::{Mount, Source};
use crate::container::record::Image;
use crate::image::find;
use crate::store::Store;
use crate::store::layers::Mode;

/// The fields of one flag, the common ones understood.
struct Fields<'a> {
    whole: &'a str,
    kind: String,
    source: Option<String>,
    target: Option<String>,
    /// In their order.
    rest: Vec<(String, Option<String>)>,
}

/// The mounts that one flag stands for: several with a pattern.
pub fn parse(text: &str, store: &Store, mode: Mode) -> Result<Vec<Mount>, Report> {
    let fields = Fields::parse(text)?;
    match fields.kind.as_str() {
        "bind" => {
            let target = fields.target()?;
            let source = fields.source.as_deref().or(fields.target.as_deref()).unwrap_or_default();
            Ok(vec![fields.words()?.mount(Source::Bind(there(source)?), target, text)?])
        }
        "glob" => fields.glob(),
        "volume" => fields.volume().map(|mount| vec![mount]),
        "tmpfs" => fields.tmpfs().map(|mount| vec![mount]),
        "image" => fields.image(store, mode).map(|mount| vec![mount]),
        "devpts" => fields.devpts().map(|mount| vec![mount]),
        "" => Err(Report::new(
            "incorrect mount format: should be --mount type=<bind|glob|tmpfs|volume>,[src=<host-dir|volume-name>,]target=<ctr-dir>[,options]",
        )
        .hint("as in `--mount type=bind,src=/srv/data,target=/data`")),
        other => Err(Report::new(format!("invalid filesystem type \"{other}\""))
            .hint("`bind`, `volume`, `tmpfs`, `image`, `glob` and `devpts` are")),
    }
}

impl<'a> Fields<'a> {
    fn parse(whole: &'a str) -> Result<Self, Report> {
        let mut fields = Self { whole, kind: String::new(), source: None, target: None, rest: Vec::new() };
        for field in csv(whole).ok_or_else(|| Report::new(format!("a quote of `{whole}` is never closed")))? {
            let (key, value) = field.split_once('=').map_or((field.as_str(), None), |(key, value)| (key, Some(value)));
            let needed = || {
                let missing = || Report::new(format!("{key}: must have a value: `{whole}`"));
                value.filter(|value| !value.is_empty()).map(str::to_owned).ok_or_else(missing)
            };
            match key {
                "type" => fields.kind = needed()?,
                "src" | "source" => fields.source = Some(needed()?),
                "dst" | "destination" | "target" => fields.target = Some(needed()?),
                // Of other machines.
                "consistency" => {}
                "" => {}
                _ => fields.rest.push((key.to_owned(), value.map(str::to_owned))),
            }
        }
        Ok(fields)
    }

    fn target(&self) -> Result<String, Report> {
        target::parse(self.target.as_deref().ok_or_else(|| Report::new("must set volume destination"))?)
    }

    fn unknown(&self, key: &str) -> Report {
        Report::new(format!("{key}: invalid mount option")).hint(format!("`{}` can't have it", self.whole))
    }

    /// The options of a bind or a volume.
    fn words(&self) -> Result<Words, Report> {
        let mut words = Words::default();
        for (key, value) in &self.rest {
            let switched = || switch(key, value.as_deref());
            match (key.as_str(), value.as_deref()) {
                ("ro" | "readonly", _) => words.take(if switched()? { "ro" } else { "rw" }, self.whole)?,
                ("rw", _) => words.take(if switched()? { "rw" } else { "ro" }, self.whole)?,
                ("U" | "chown", _) if switched()? => words.take("U", self.whole)?,
                ("bind-nonrecursive", _) if switched()? => words.take("bind", self.whole)?,
                ("U" | "chown" | "bind-nonrecursive", _) => {}
                ("bind-propagation", Some(value)) if PROPAGATION.contains(&value) => words.take(value, self.whole)?,
                ("bind-propagation", value) => {
                    return Err(Report::new(format!(
                        "invalid value \"bind-propagation={}\"",
                        value.unwrap_or_default()
                    )));
                }
                ("relabel", Some("shared")) => words.take("z", self.whole)?,
                ("relabel", Some("private")) => words.take("Z", self.whole)?,
                ("volume-nocopy", _) if switched()? => words.take("nocopy", self.whole)?,
                (key, None) if !["O", "z", "Z"].contains(&key) => {
                    words.take(key, self.whole).map_err(|_| self.unknown(key))?;
                }
                ("idmap", Some(value)) => words.take(&format!("idmap={value}"), self.whole)?,
                (key, _) => return Err(self.unknown(key)),
            }
        }
        Ok(words)
    }

    fn volume(mut self) -> Result<Mount, Report> {
        let target = self.target()?;
        let mut subpath = None;
        self.rest.retain(|(key, value)| match key.as_str() {
            "subpath" | "volume-subpath" => {
                subpath.clone_from(value);
                false
            }
            _ => true,
        });
        let words = self.words()?;
        let mut mount = match &self.source {
            Some(name) => {
                let source = named(name, words.nocopy)?;
                words.mount(source, target, self.whole)?
            }
            None => {
                let anonymous = super::volume::anonymous(target)?;
                words.mount(anonymous.source, anonymous.target, self.whole)?
            }
        };
        if let Source::Volume(volume) = &mut mount.source {
            volume.subpath = subpath.filter(|subpath| !subpath.is_empty());
        }
        Ok(mount)
    }

    /// The file at each path that fits, in the target, or without one where it is.
    fn glob(&self) -> Result<Vec<Mount>, Report> {
        let pattern = self.source.as_deref().ok_or_else(|| Report::new("glob mounts must name a source"))?;
        let absolute = absolute(pattern)?;
        let found = glob::matching(&absolute);
        if found.is_empty() {
            return Err(Report::new(format!("no file paths matching glob \"{pattern}\"")));
        }
        let place = self.target.as_ref().map(|_| self.target()).transpose()?;
        let one = |path: std::path::PathBuf| {
            let target = match (&place, path.file_name()) {
                (Some(place), Some(name)) => Path::new(place).join(name),
                _ => path.clone(),
            };
            self.words()?.mount(Source::Bind(path), target::parse(&target.to_string_lossy())?, self.whole)
        };
        found.into_iter().map(one).collect()
    }

    fn tmpfs(&self) -> Result<Mount, Report> {
        let mut options = Vec::new();
        for (key, value) in &self.rest {
            let option = |name: &str| format!("{name}={}", value.as_deref().unwrap_or_default());
            options.push(match key.as_str() {
                "tmpfs-size" => option("size"),
                "tmpfs-mode" => option("mode"),
                "ro" | "readonly" => if switch(key, value.as_deref())? { "ro" } else { "rw" }.to_owned(),
                "rw" => if switch(key, value.as_deref())? { "rw" } else { "ro" }.to_owned(),
                "U" | "chown" if switch(key, value.as_deref())? => "U".to_owned(),
                "U" | "chown" => continue,
                _ if value.is_some() => option(key),
                _ => key.clone(),
            });
        }
        in_memory(self.target()?, options.iter().map(String::as_str))
    }

    fn image(&self, store: &Store, mode: Mode) -> Result<Mount, Report> {
        let (mut writable, mut subpath) = (false, None);
        for (key, value) in &self.rest {
            match key.as_str() {
                "rw" | "readwrite" => writable = switch(key, value.as_deref())?,
                "ro" | "readonly" => writable = !switch(key, value.as_deref())?,
                "subpath" => subpath = value.clone().filter(|subpath| !subpath.is_empty()),
                _ => return Err(self.unknown(key)),
            }
        }
        let name =
            self.source.as_deref().ok_or_else(|| Report::new("must set source and destination for image volume"))?;
        let unknown =
            || Report::new(format!("{name}: image not known")).hint(format!("`coracle pull {name}` pulls it"));
        let found = find::find(store, name)?.ok_or_else(unknown)?;
        if let Some(missing) = found.layers.iter().find(|layer| !store.has_layer(mode, layer)) {
            return Err(Report::new(format!("the layer {missing} of `{name}` is not unpacked for this account"))
                .hint(format!("`coracle pull {name}` unpacks it")));
        }
        let image = Image { name: found.display_name(), id: found.id, manifest: found.manifest_digest };
        let options = if writable { vec![] } else { vec!["ro".to_owned()] };
        Ok(Mount {
            source: Source::Image { image, layers: found.layers, subpath },
            target: self.target()?,
            options,
            overlay: None,
        })
    }

    fn devpts(&self) -> Result<Mount, Report> {
        let mut options = Vec::new();
        for (key, value) in &self.rest {
            match (key.as_str(), value) {
                ("uid" | "gid" | "mode" | "max", Some(value)) => options.push(format!("{key}={value}")),
                _ => return Err(self.unknown(key)),
            }
        }
        Ok(Mount { source: Source::Devpts, target: self.target()?, options, overlay: None })
    }
}

/// Whether a key that may stand alone is switched on.
fn switch(key: &str, value: Option<&str>) -> Result<bool, Report> {
    match value {
        None | Some("true" | "1" | "t" | "T" | "TRUE" | "True") => Ok(true),
        Some("false" | "0" | "f" | "F" | "FALSE" | "False") => Ok(false),
        Some(other) => Err(Report::new(format!("`{key}={other}` is neither true nor false"))),
    }
}

/// The fields of one line of CSV (RFC 4180): what stands in quotes may hold commas, and quotes twice. `None`: a quote is left open.
fn csv(line: &str) -> Option<Vec<String>> {
    let (mut fields, mut field, mut quoted) = (Vec::new(), String::new(), false);
    let mut chars = line.chars().peekable();
    while let Some(char) = chars.next() {
        match char {
            '"' if quoted && chars.peek() == Some(&'"') => {
                chars.next();
                field.push('"');
            }
            '"' if quoted || field.is_empty() => quoted = !quoted,
            ',' if !quoted => fields.push(std::mem::take(&mut field)),
            _ => field.push(char),
        }
    }
    fields.push(field);
    (!quoted).then_some(fields)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(text: &str) -> Fields<'_> {
        Fields::parse(text).unwrap()
    }

    #[test]
    fn a_line_of_csv_is_read() {
        assert_eq!(csv("a,\"b,c\",d=\"e\"").unwrap(), ["a", "b,c", "d=\"e\""]);
        assert_eq!(csv("\"say \"\"hi\"\"\",").unwrap(), ["say \"hi\"", ""]);
        assert_eq!(csv("\"a,b"), None);
    }

    #[test]
    fn keys_have_synonyms_and_values() {
        let options = |text: &str| fields(text).words().map(|words| words.options.join(","));
        let long = "type=bind,readonly,bind-propagation=rslave,bind-nonrecursive=true,relabel=shared,chown,noexec,consistency=cached";
        assert_eq!(options(long).unwrap(), "ro,rslave,bind,z,U,noexec");
        assert_eq!(options("ro=false,U=false,bind-nonrecursive=0").unwrap(), "rw");
        for bad in [
            "foo",
            "foo=1",
            "ro=maybe",
            "bind-propagation=foo",
            "bind-propagation",
            "O",
            "relabel=x",
            "idmap=uids=0-1-1",
        ] {
            assert!(options(bad).is_err(), "{bad}");
        }
        let volume = fields("type=volume,src=data,dst=/x,subpath=a/b,volume-nocopy").volume().unwrap();
        let of = volume.volume().unwrap();
        assert_eq!((of.name.as_str(), of.subpath.as_deref(), of.copy), ("data", Some("a/b"), false));
        assert!(fields("type=volume,target=/x").volume().unwrap().volume().unwrap().anonymous);
        let tmpfs = fields("type=tmpfs,dst=/x,tmpfs-size=1m,tmpfs-mode=700,ro,notmpcopyup,noexec").tmpfs().unwrap();
        assert_eq!(tmpfs.options.join(","), "nosuid,nodev,size=1m,mode=700,ro,noexec");
        assert_eq!(fields("dst=/x,uid=33,max=5").devpts().unwrap().options, ["uid=33", "max=5"]);
        for bad in ["src=", "type", "dst"] {
            assert!(Fields::parse(bad).is_err(), "{bad}");
        }
        assert!(fields("type=volume").volume().is_err() && fields("dst=/x,foo=1").devpts().is_err());
    }
}
