//! `RUN --mount=type=…,…`: what a command finds at a place of its own.

use super::ast::Word;
use super::problem::near;

/// As written; [`Mount::read`] says what it means, once variables have values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount {
    pub text: Word,
    /// The stage, image or build context that it comes from; no variables stand in it.
    pub from: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MountKind {
    /// Files of the context, a stage or an image.
    #[default]
    Bind,
    /// A directory that is kept from build to build.
    Cache,
    Tmpfs,
    Secret,
    Ssh,
}

/// Who may use a cache at the same time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sharing {
    #[default]
    Shared,
    /// A second writer gets another one.
    Private,
    /// A second writer waits.
    Locked,
}

/// What a mount means.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MountSpec {
    pub kind: MountKind,
    pub from: Option<String>,
    /// A path in what it comes from; of a secret, what it is called.
    pub source: Option<String>,
    /// Bind, cache and tmpfs have one; a secret may.
    pub target: Option<String>,
    pub read_only: bool,
    /// Of secrets and ssh: the build fails where there is none.
    pub required: bool,
    /// The label of SELinux of what is bound is to be that of what containers use.
    pub relabelled: bool,
    /// Of a tmpfs, in bytes.
    pub size: Option<u64>,
    /// Of a cache, a secret, an agent.
    pub id: Option<String>,
    pub sharing: Sharing,
    /// Permission bits.
    pub mode: Option<u32>,
    pub uid: Option<u32>,
    pub gid: Option<u32>,
    /// Of a secret: the variable that has it.
    pub env: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MountError {
    #[error("`{0}` is no type of mount")]
    Kind(String),
    #[error("a mount has no `{0}`")]
    Key(String),
    #[error("a mount of type {kind} has no `{key}`")]
    NotOfKind { kind: &'static str, key: String },
    #[error("a mount of type {kind} needs {what}")]
    Needs { kind: &'static str, what: &'static str },
    #[error("`{0}` needs a value")]
    NoValue(String),
    #[error("`{key}={value}`: expected {expected}")]
    Value { key: String, value: String, expected: &'static str },
    #[error("no variables stand in `from`")]
    Variable,
    #[error("a quote in the mount is not closed")]
    Quote,
}

const KINDS: [(&str, MountKind); 5] = [
    ("bind", MountKind::Bind),
    ("cache", MountKind::Cache),
    ("tmpfs", MountKind::Tmpfs),
    ("secret", MountKind::Secret),
    ("ssh", MountKind::Ssh),
];
const KEYS: [&str; 19] = [
    "type",
    "from",
    "source",
    "src",
    "target",
    "dst",
    "destination",
    "readonly",
    "ro",
    "readwrite",
    "rw",
    "required",
    "size",
    "id",
    "sharing",
    "mode",
    "uid",
    "gid",
    "env",
];

impl MountKind {
    pub fn name(self) -> &'static str {
        KINDS.iter().find(|(_, kind)| *kind == self).map_or("bind", |(name, _)| name)
    }
}

impl MountError {
    pub fn hint(&self) -> Option<String> {
        let near = match self {
            Self::Kind(kind) => match near(kind, &KINDS.map(|(name, _)| name)) {
                None => return Some("bind, cache, tmpfs, secret and ssh are".to_owned()),
                near => near,
            },
            Self::Key(key) => near(key, &KEYS),
            Self::Variable => return Some("name a stage: `FROM $IMAGE AS name`, then `from=name`".to_owned()),
            Self::NoValue(_) => return Some("as in `--mount=type=cache,target=/root/.cache`".to_owned()),
            _ => None,
        };
        near.map(|near| format!("did you mean `{near}`?"))
    }
}

impl Mount {
    /// Checked as far as it can be while variables have no values.
    pub fn new(text: Word) -> Result<Self, MountError> {
        let as_it_is = |text: &str| Ok::<_, MountError>(text.to_owned());
        let from = fields(&text.text)?.into_iter().find_map(|field| {
            let (key, value) = field.split_once('=')?;
            key.eq_ignore_ascii_case("from").then(|| value.to_owned())
        });
        if from.as_ref().is_some_and(|from| from.contains('$')) {
            return Err(MountError::Variable);
        }
        let mount = Self { text, from };
        if !mount.text.text.contains('$') {
            mount.read(as_it_is)?;
        }
        Ok(mount)
    }

    /// What it means; `expand` replaces the variables of a value.
    pub fn read<E: From<MountError>>(&self, expand: impl Fn(&str) -> Result<String, E>) -> Result<MountSpec, E> {
        let (mut spec, mut read_only) = (MountSpec::default(), None);
        let fields: Vec<(String, Option<String>)> = fields(&self.text.text)?
            .into_iter()
            .map(|field| match field.split_once('=') {
                Some((key, value)) => Ok((key.to_ascii_lowercase(), Some(expand(value)?))),
                None => Ok((field.to_ascii_lowercase(), None)),
            })
            .collect::<Result<_, E>>()?;
        // What the others mean depends on it.
        for (_, value) in fields.iter().filter(|(key, _)| key == "type") {
            let value = value.clone().ok_or_else(|| MountError::NoValue("type".to_owned()))?;
            let kind = KINDS.iter().find(|(name, _)| value.eq_ignore_ascii_case(name));
            spec.kind = kind.ok_or(MountError::Kind(value))?.1;
        }
        for (key, value) in fields {
            set(&mut spec, &mut read_only, &key, value)?;
        }
        let writes = matches!(spec.kind, MountKind::Cache | MountKind::Tmpfs);
        spec.read_only = read_only.unwrap_or(!writes);
        whole(&spec)?;
        Ok(spec)
    }
}

// flat: one arm a key
fn set(spec: &mut MountSpec, read_only: &mut Option<bool>, key: &str, value: Option<String>) -> Result<(), MountError> {
    use MountKind::{Cache, Secret, Ssh, Tmpfs};
    let kind = spec.kind;
    let only = |kinds: &[MountKind]| match kinds.contains(&kind) {
        true => Ok(()),
        false => Err(MountError::NotOfKind { kind: kind.name(), key: key.to_owned() }),
    };
    let wrong = |value: &str, expected| MountError::Value { key: key.to_owned(), value: value.to_owned(), expected };
    let switch = |value: Option<&String>| match value.map(|value| value.to_ascii_lowercase()).as_deref() {
        None | Some("true" | "1" | "t") => Ok(true),
        Some("false" | "0" | "f") => Ok(false),
        Some(other) => Err(wrong(other, "true or false")),
    };
    match key {
        "readonly" | "ro" => *read_only = Some(switch(value.as_ref())?),
        "readwrite" | "rw" => *read_only = Some(!switch(value.as_ref())?),
        "required" => {
            only(&[Secret, Ssh])?;
            spec.required = switch(value.as_ref())?;
        }
        // As Podman's users write it.
        "z" | "relabel" => spec.relabelled = true,
        _ => {
            if !KEYS.contains(&key) {
                return Err(MountError::Key(key.to_owned()));
            }
            let value = value.filter(|value| !value.is_empty()).ok_or_else(|| MountError::NoValue(key.to_owned()))?;
            let id = || value.parse::<u32>().map_err(|_| wrong(&value, "a number"));
            match key {
                "from" => {
                    only(&[MountKind::Bind, Cache])?;
                    spec.from = Some(value);
                }
                "source" | "src" => spec.source = Some(value),
                "target" | "dst" | "destination" => spec.target = Some(value),
                "size" => {
                    only(&[Tmpfs])?;
                    spec.size = Some(size(&value).ok_or_else(|| wrong(&value, "a size, as in `64m`"))?);
                }
                "id" => spec.id = Some(value),
                "sharing" => {
                    only(&[Cache])?;
                    spec.sharing = match value.to_ascii_lowercase().as_str() {
                        "shared" => Sharing::Shared,
                        "private" => Sharing::Private,
                        "locked" => Sharing::Locked,
                        _ => return Err(wrong(&value, "shared, private or locked")),
                    };
                }
                "mode" => {
                    only(&[Cache, Secret, Ssh])?;
                    let mode = u32::from_str_radix(&value, 8).ok().filter(|mode| *mode <= 0o7777);
                    spec.mode = Some(mode.ok_or_else(|| wrong(&value, "an octal number, as in `0700`"))?);
                }
                "uid" => {
                    only(&[Cache, Secret, Ssh])?;
                    spec.uid = Some(id()?);
                }
                "gid" => {
                    only(&[Cache, Secret, Ssh])?;
                    spec.gid = Some(id()?);
                }
                "env" => {
                    only(&[Secret])?;
                    spec.env = Some(value);
                }
                // Read before.
                _ => {}
            }
        }
    }
    Ok(())
}

/// Whether nothing is missing.
fn whole(spec: &MountSpec) -> Result<(), MountError> {
    let (kind, without_target) = (spec.kind.name(), spec.target.is_none());
    let what = match spec.kind {
        MountKind::Bind | MountKind::Cache | MountKind::Tmpfs if without_target => "a `target`",
        MountKind::Secret if without_target && spec.source.is_none() && spec.id.is_none() => "an `id`",
        MountKind::Secret if spec.source.is_some() && spec.id.is_some() => "either `id` or `source`",
        _ => return Ok(()),
    };
    Err(MountError::Needs { kind, what })
}

/// Bytes; `k`, `m`, `g`, `t` count by 1024, and `b` or `ib` may follow.
fn size(text: &str) -> Option<u64> {
    let lower = text.to_ascii_lowercase();
    let end = lower.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(lower.len());
    let (number, unit) = lower.split_at(end);
    let shift = match unit.trim() {
        "" | "b" => 0,
        "k" | "kb" | "kib" => 10,
        "m" | "mb" | "mib" => 20,
        "g" | "gb" | "gib" => 30,
        "t" | "tb" | "tib" => 40,
        _ => return None,
    };
    if let Ok(whole) = number.parse::<u64>() {
        return whole.checked_mul(1 << shift);
    }
    let bytes = number.parse::<f64>().ok()? * (1_u64 << shift) as f64;
    (bytes.is_finite() && bytes < u64::MAX as f64).then_some(bytes as u64)
}

/// A line of comma-separated values (RFC 4180): a field in double quotes may have commas, and doubled ones mean one.
fn fields(text: &str) -> Result<Vec<String>, MountError> {
    let (mut fields, mut field, mut quoted) = (Vec::new(), String::new(), false);
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.next_if_eq(&'"').is_some() => field.push('"'),
            '"' if quoted => quoted = false,
            '"' if field.is_empty() => quoted = true,
            ',' if !quoted => fields.push(std::mem::take(&mut field)),
            _ => field.push(c),
        }
    }
    fields.push(field);
    if quoted { Err(MountError::Quote) } else { Ok(fields) }
}
