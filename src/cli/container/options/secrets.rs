//! `--secret`: which secrets a container has, and how its programs find them.

use std::path::Path;

use clap::Args;

use super::volumes::target;
use crate::cli::Report;
use crate::container::Error;
use crate::container::mount::secret::{DIRECTORY, Place, Secret};
use crate::container::record::Container;
use crate::store::Store;

/// Where no file can be made.
const OF_THE_KERNEL: [&str; 2] = ["/proc", "/sys"];

#[derive(Debug, Args)]
#[command(next_help_heading = "Volumes")]
#[group(skip)]
pub struct Flags {
    /// Give a secret, as a file in /run/secrets or with `type=env` as a variable; `target=`, `uid=`, `gid=`, `mode=`
    #[arg(long, value_name = "NAME[,KEY=VALUE…]")]
    secret: Vec<String>,
}

impl Flags {
    pub fn fill(&self, container: &mut Container, store: &Store) -> Result<(), Report> {
        for text in &self.secret {
            let (name, place) = parse(text)?;
            let secret = store.secret(&name)?.ok_or(Error::NoSecret(name))?;
            let taken = |other: &Secret| match (&other.place, &place) {
                (Place::File { target: a, .. }, Place::File { target: b, .. }) => a == b,
                _ => false,
            };
            if container.secrets.iter().any(taken) {
                return Err(Report::new(format!("`{text}`: another secret has that target")));
            }
            container.secrets.push(Secret { id: secret.id, name: secret.name, place });
        }
        Ok(())
    }
}

/// `NAME`, or `source=NAME`, and options.
fn parse(text: &str) -> Result<(String, Place), Report> {
    let (mut name, mut is_variable, mut to) = (None, false, None);
    let (mut uid, mut gid, mut mode) = (None, None, None);
    for (at, field) in text.split(',').enumerate() {
        let bad = || Report::new(format!("option {field} invalid: parsing secret"));
        let number = |value: &str| value.parse().map(Some).map_err(|_| bad());
        match field.split_once('=') {
            None if at == 0 => name = Some(field),
            Some(("source" | "src", value)) => name = Some(value),
            Some(("type", "mount")) => is_variable = false,
            Some(("type", "env")) => is_variable = true,
            Some(("type", other)) => {
                return Err(
                    Report::new(format!("type {other} is invalid: parsing secret")).hint("`mount` and `env` are")
                );
            }
            Some(("target" | "dst", value)) => to = Some(value),
            Some(("uid", value)) => uid = number(value)?,
            Some(("gid", value)) => gid = number(value)?,
            Some(("mode", value)) => {
                let octal = u32::from_str_radix(value, 8).ok().filter(|mode| *mode <= 0o7777);
                mode = Some(octal.ok_or_else(|| Report::new(format!("mode {value} invalid: parsing secret")))?);
            }
            _ => return Err(bad()),
        }
    }
    let name = name.filter(|name| !name.is_empty()).ok_or_else(|| Report::new("no secret is named: parsing secret"))?;
    let to = to.filter(|to| !to.is_empty()).unwrap_or(name);
    if is_variable {
        if uid.is_some() || gid.is_some() || mode.is_some() {
            return Err(Report::new("UID, GID, Mode options cannot be set with secret type env: parsing secret"));
        }
        if to.contains(['=', '\0']) {
            return Err(Report::new(format!("`{to}` is not the name of a variable: parsing secret")));
        }
        return Ok((name.to_owned(), Place::Variable(to.to_owned())));
    }
    let target = if to.starts_with('/') { target::parse(to)? } else { target::parse(&format!("{DIRECTORY}/{to}"))? };
    if let Some(kernel) = OF_THE_KERNEL.into_iter().find(|kernel| Path::new(&target).starts_with(kernel)) {
        return Err(Report::new(format!("the secret's target {target} is in {kernel}, which is the kernel's"))
            .hint(format!("a name alone lies in {DIRECTORY}")));
    }
    let (uid, gid, mode) = (uid.unwrap_or(0), gid.unwrap_or(0), mode.unwrap_or(0o444));
    Ok((name.to_owned(), Place::File { target, uid, gid, mode }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_become_places() {
        let file = |target: &str, uid, gid, mode| Place::File { target: target.into(), uid, gid, mode };
        let place = |text: &str| parse(text).map(|(_, place)| place);
        assert_eq!(parse("s1").unwrap(), ("s1".into(), file("/run/secrets/s1", 0, 0, 0o444)));
        assert_eq!(parse("source=s1,type=mount").unwrap().0, "s1");
        assert_eq!(place("s1,target=foo,uid=33,gid=40,mode=0400").unwrap(), file("/run/secrets/foo", 33, 40, 0o400));
        assert_eq!(place("s1,target=/etc/x/../bar").unwrap(), file("/etc/bar", 0, 0, 0o444));
        assert_eq!(place("s1,target=../../x").unwrap(), file("/x", 0, 0, 0o444));
        assert_eq!(place("s1,type=env,target=X").unwrap(), Place::Variable("X".into()));
        for bad in [
            "",
            "s1,type=foo",
            "s1,mode=xyz",
            "s1,mode=77777",
            "s1,foo=x",
            "s1,uid=-1",
            "s1,type=env,mode=0400",
            "type=env",
            "s1,type=env,target=A=B",
            "s1,target=/",
            "s1,extra",
            "s1,target=/proc/x",
            "s1,target=/etc/../sys/x",
        ] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
