//! What the options of a volume mean: `--opt type=…`, `device=…`, `o=…`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// Where the files of a volume are.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Backing {
    /// In the store.
    #[default]
    Data,
    /// In memory, as long as a container has it.
    Tmpfs(Vec<String>),
    /// In a directory of this machine.
    Directory { path: PathBuf, options: Vec<String> },
}

/// The options, understood.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Meaning {
    pub backing: Backing,
    /// The owner of the volume, whatever the image has at its place.
    pub uid: Option<u32>,
    pub gid: Option<u32>,
    /// It is never filled from an image.
    pub nocopy: bool,
}

/// An option that has no meaning here.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum BadOption {
    #[error("invalid mount option {0} for driver 'local': invalid argument")]
    Unknown(String),
    #[error("the volume option `o={0}` is not known")]
    UnknownO(String),
    #[error("a file system of the type `{0}` can only be mounted by the machine's root")]
    Type(String),
    #[error("the device of a volume with `o=bind` must be the absolute path of a directory")]
    Device,
    #[error("the volume option `device={0}` is nothing without `o=bind`")]
    NotBound(String),
    #[error("the size of a volume on disk can't be limited")]
    Size,
    #[error("`{0}` of a volume's options is not a number")]
    Number(String),
}

impl BadOption {
    /// What the user can do about it.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Unknown(_) => "`type`, `device` and `o` are the options".into(),
            Self::UnknownO(_) => "`uid=`, `gid=` and `nocopy` are, with `type=tmpfs` those of a tmpfs, too".into(),
            Self::Type(_) => {
                "`--opt type=tmpfs`, or a directory with `--opt type=none --opt o=bind --opt device=DIRECTORY`".into()
            }
            Self::NotBound(device) => {
                format!(
                    "`--opt type=none --opt o=bind --opt device={device}` shows a directory; without `device` the volume is kept in the store"
                )
            }
            Self::Device => "for example `--opt type=none --opt o=bind --opt device=/srv/data`".into(),
            Self::Size => "`--opt type=tmpfs --opt o=size=SIZE` keeps it in memory, with a limit".into(),
            Self::Number(_) => return None,
        })
    }
}

/// Reads the options of a volume.
pub fn of(options: &BTreeMap<String, String>) -> Result<Meaning, BadOption> {
    if let Some(unknown) = options.keys().find(|key| !["type", "device", "o"].contains(&key.as_str())) {
        return Err(BadOption::Unknown(unknown.clone()));
    }
    let get = |key: &str| options.get(key).map_or("", String::as_str);
    let mut words: Vec<String> = get("o").split(',').filter(|word| !word.is_empty()).map(str::to_owned).collect();
    let mut take = |word: &str| {
        let before = words.len();
        words.retain(|other| other != word);
        words.len() < before
    };
    let (nocopy, bind) = (take("nocopy"), take("bind") | take("rbind"));
    match get("type") {
        "tmpfs" => Ok(Meaning { backing: Backing::Tmpfs(words), nocopy: true, ..Meaning::default() }),
        "" | "none" | "bind" if bind || get("type") == "bind" => {
            let path = PathBuf::from(get("device"));
            if !path.is_absolute() {
                return Err(BadOption::Device);
            }
            let known = |word: &&String| {
                !["ro", "rw", "suid", "nosuid", "dev", "nodev", "exec", "noexec"].contains(&word.as_str())
            };
            if let Some(unknown) = words.iter().find(known) {
                return Err(BadOption::UnknownO(unknown.clone()));
            }
            Ok(Meaning { backing: Backing::Directory { path, options: words }, nocopy: true, ..Meaning::default() })
        }
        "" | "none" if !get("device").is_empty() => Err(BadOption::NotBound(get("device").to_owned())),
        "" | "none" => on_disk(&words, nocopy),
        other => Err(BadOption::Type(other.to_owned())),
    }
}

fn on_disk(words: &[String], nocopy: bool) -> Result<Meaning, BadOption> {
    let mut meaning = Meaning { nocopy, ..Meaning::default() };
    for word in words {
        let number = |value: &str| value.parse().map(Some).map_err(|_| BadOption::Number(word.clone()));
        match word.split_once('=') {
            Some(("uid", value)) => meaning.uid = number(value)?,
            Some(("gid", value)) => meaning.gid = number(value)?,
            Some(("size" | "inodes", _)) => return Err(BadOption::Size),
            _ => return Err(BadOption::UnknownO(word.clone())),
        }
    }
    Ok(meaning)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &[(&str, &str)]) -> Result<Meaning, BadOption> {
        of(&text.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect())
    }

    #[test]
    fn options_have_one_meaning_or_none() {
        assert_eq!(read(&[]), Ok(Meaning::default()));
        let owned = Meaning { uid: Some(33), gid: Some(40), nocopy: true, ..Meaning::default() };
        assert_eq!(read(&[("o", "uid=33,gid=40,nocopy")]), Ok(owned));
        let tmpfs = read(&[("type", "tmpfs"), ("device", "tmpfs"), ("o", "size=1m,uid=5")]).unwrap();
        assert_eq!(tmpfs.backing, Backing::Tmpfs(vec!["size=1m".into(), "uid=5".into()]));
        let bind = read(&[("type", "none"), ("device", "/srv"), ("o", "bind,ro")]).unwrap();
        assert_eq!(bind.backing, Backing::Directory { path: "/srv".into(), options: vec!["ro".into()] });
        for (bad, why) in [
            (&[("foo", "x")][..], BadOption::Unknown("foo".into())),
            (&[("type", "ext4"), ("device", "/dev/sda")], BadOption::Type("ext4".into())),
            (&[("type", "none"), ("o", "bind")], BadOption::Device),
            (&[("type", "bind"), ("device", "srv")], BadOption::Device),
            (&[("type", "bind"), ("device", "/srv"), ("o", "frob")], BadOption::UnknownO("frob".into())),
            (&[("type", "none"), ("device", "/nope")], BadOption::NotBound("/nope".into())),
            (&[("device", "/srv"), ("o", "uid=5")], BadOption::NotBound("/srv".into())),
            (&[("o", "size=1g")], BadOption::Size),
            (&[("o", "uid=root")], BadOption::Number("uid=root".into())),
            (&[("o", "frob")], BadOption::UnknownO("frob".into())),
        ] {
            assert_eq!(read(bad), Err(why), "{bad:?}");
        }
    }
}
