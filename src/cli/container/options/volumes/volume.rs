//! `--volume` and `--tmpfs`: from their texts to what is mounted.

use super::target;
use super::words::{Words, there};
use crate::cli::Report;
use crate::container::mount::{Mount, Source, Volume};
use crate::container::name;
use crate::store;

/// `TARGET`, or `SOURCE:TARGET[:OPTIONS]`. A source is a path if it begins with `/` or `.`, else the name of a volume.
pub fn parse(text: &str) -> Result<Mount, Report> {
    let fields: Vec<&str> = text.split(':').collect();
    let (source, target, options) = match fields[..] {
        [target] => return anonymous(target::parse(target)?),
        ["", ..] => return Err(Report::new("host directory cannot be empty")),
        [source, target] => (source, target, ""),
        [source, target, options] => (source, target, options),
        _ => {
            return Err(Report::new(format!("{text}: incorrect volume format, should be [host-dir:]ctr-dir[:option]"))
                .hint("a path that has a `:` in it can be written with `--mount`"));
        }
    };
    let target = target::parse(target)?;
    let mut words = Words::default();
    for word in options.split(',').filter(|word| !word.is_empty()) {
        words.take(word, text)?;
    }
    let source = match source.starts_with(['/', '.']) {
        true => Source::Bind(there(source)?),
        false => named(source, words.nocopy)?,
    };
    words.mount(source, target, text)
}

/// A volume of this name, made if it is missing.
pub fn named(name: &str, nocopy: bool) -> Result<Source, Report> {
    if store::names::check(name).is_err() {
        return Err(Report::new(format!(
            "creating named volume \"{name}\": names must match [a-zA-Z0-9][a-zA-Z0-9_.-]*: invalid argument"
        ))
        .hint(format!("for a file or directory of that name write `./{name}`")));
    }
    Ok(Source::Volume(Volume {
        name: name.to_owned(),
        anonymous: false,
        backing: Default::default(),
        copy: !nocopy,
        subpath: None,
    }))
}

/// A volume of the container's own.
pub fn anonymous(target: String) -> Result<Mount, Report> {
    let volume =
        Volume { name: name::random_id()?, anonymous: true, backing: Default::default(), copy: true, subpath: None };
    Ok(Mount { source: Source::Volume(volume), target, options: Vec::new(), overlay: None })
}

/// `TARGET[:OPTIONS]`.
pub fn tmpfs(text: &str) -> Result<Mount, Report> {
    let (target, options) = text.split_once(':').unwrap_or((text, ""));
    in_memory(target::parse(target)?, options.split(',').filter(|option| !option.is_empty()))
}

/// A tmpfs with these options.
pub fn in_memory<'a>(target: String, options: impl Iterator<Item = &'a str>) -> Result<Mount, Report> {
    let mut all = vec!["rw".to_owned(), "nosuid".to_owned(), "nodev".to_owned()];
    let mut copy_up = true;
    for option in options {
        let opposite = |kept: &String| match option {
            "ro" => kept == "rw",
            "rw" => kept == "ro",
            _ => kept.strip_prefix("no").unwrap_or(kept) == option.strip_prefix("no").unwrap_or(option),
        };
        match option.split_once('=').map_or(option, |(key, _)| key) {
            "tmpcopyup" => copy_up = true,
            "notmpcopyup" => copy_up = false,
            "ro" | "rw" | "exec" | "noexec" | "suid" | "nosuid" | "dev" | "nodev" | "size" | "mode" | "uid" | "gid"
            | "U" | "nr_inodes" | "nr_blocks" => {
                all.retain(|kept| !opposite(kept));
                all.push(option.to_owned());
            }
            _ => {
                return Err(Report::new(format!("unknown mount option \"{option}\": invalid mount option")).hint(
                    "`size=`, `mode=`, `uid=`, `gid=`, `U`, `ro`, `exec`, `suid`, `dev`, `noexec` and `notmpcopyup` are",
                ));
            }
        }
    }
    Ok(Mount { source: Source::Tmpfs { copy_up }, target, options: all, overlay: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_flags_become_mounts() {
        let options = |mount: Mount| mount.options.join(",");
        assert_eq!(options(tmpfs("/t:size=1m,exec,suid,ro").unwrap()), "nodev,size=1m,exec,suid,ro");
        assert_eq!(tmpfs("/t:notmpcopyup").unwrap().source, Source::Tmpfs { copy_up: false });
        let bound = parse("/tmp:/x:ro,Z").unwrap();
        assert_eq!(
            (bound.source, bound.target.as_str(), bound.options),
            (Source::Bind("/tmp".into()), "/x", vec!["ro".to_owned(), "Z".to_owned()])
        );
        assert_eq!(options(parse("/tmp:/x:U").unwrap()), "U");
        assert_eq!(options(parse("/tmp:/x:idmap,cached,delegated,ro").unwrap()), "ro");
        assert_eq!(options(parse("/tmp:/x:mine,ro").unwrap()), "mine,ro");
        let volume = |text: &str| parse(text).unwrap().volume().cloned().unwrap();
        assert!(volume("data:/x:noexec").copy && !volume("data:/x:nocopy").copy && !volume("data:/x").anonymous);
        assert!(volume("/x").anonymous && volume("/x").name.len() == 64);
        assert!(parse("/tmp:/x:O").unwrap().overlay.is_some());
        assert!(parse("/tmp:/x:O,upperdir=/tmp,workdir=/tmp").unwrap().overlay.unwrap().directories.is_some());
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for bad in [
            "/tmp:/x:mine,U",
            "/etc/passwd:/x:mine",
            "/:/x:U",
            "/tmp:/x:idmap=uids=0-1-10",
            "/nowhere-at-all:/x",
            "b@d:/x",
            "../x:y",
            "/tmp:x",
            "/tmp:/x:frob",
            "tmp",
            ":/x",
            "a:/b:c:d",
            "/tmp:/",
            "/tmp:/x:ro,rw",
            "/tmp:/x:rslave,rshared",
            "/tmp:/x:O,ro",
            "/tmp:/x:O,upperdir=/tmp",
            "/tmp:/x:upperdir=/tmp",
            "data:/x:copy,nocopy,copy",
            "data:/x:mine",
            "/etc/passwd:/x:O",
        ] {
            assert!(parse(bad).is_err(), "{bad}");
        }
        assert!(tmpfs("t").is_err() && tmpfs("/t:frob").is_err() && tmpfs("/").is_err());
    }
}
