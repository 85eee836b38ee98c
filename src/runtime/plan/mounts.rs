//! The mounts of a spec as steps (runtime-spec, config.md, "Mounts").

use std::path::Path;

use oci_spec::runtime::{Mount as SpecMount, Spec};

use super::{Error, Mount, Owners, Propagation, Source, Step, Upper};
use crate::sys::mount::Attributes;

/// Links that every /dev has.
const LINKS: [(&str, &str); 6] = [
    ("/dev/fd", "/proc/self/fd"),
    ("/dev/stdin", "/proc/self/fd/0"),
    ("/dev/stdout", "/proc/self/fd/1"),
    ("/dev/stderr", "/proc/self/fd/2"),
    ("/dev/core", "/proc/kcore"),
    ("/dev/ptmx", "pts/ptmx"),
];

/// In place of `uid=` and `gid=` of a file system's own: those of the program's user, who is not known yet.
pub const OF_USER: &str = "U";

/// Where a terminal is bound.
const CONSOLE: &str = "/dev/console";

/// Mounts in the order of the spec; the nodes and links of /dev right after /dev itself, which is made read-only in the end.
pub fn steps(spec: &Spec) -> Result<Vec<Step>, Error> {
    let mut steps = Vec::new();
    let mut last = None;
    let label = spec.linux().as_ref().and_then(|linux| linux.mount_label().as_deref());
    for mount in spec.mounts().iter().flatten() {
        let mut mount = step(mount)?;
        if let Source::New { fstype, options, .. } = &mut mount.source {
            options.extend(labelled(fstype, label));
        }
        let is_dev = mount.target == "/dev";
        let is_new = matches!(mount.source, Source::New { .. });
        let read_only = Attributes::READ_ONLY.bits();
        if is_dev && is_new && mount.attributes & read_only != 0 {
            mount.attributes &= !read_only;
            last = Some(Step::Freeze(mount.target.clone()));
        }
        steps.push(Step::Mount(mount));
        if is_dev && is_new {
            for device in spec.linux().iter().flat_map(|linux| linux.devices().iter().flatten()) {
                steps.push(Step::Device(text(device.path())?));
            }
            steps.extend(LINKS.iter().map(|(path, to)| Step::Symlink { path: (*path).into(), to: (*to).into() }));
        }
        if is_dev && spec.process().as_ref().and_then(|process| process.terminal()).unwrap_or(false) {
            steps.push(Step::File(CONSOLE.into()));
        }
    }
    steps.extend(last);
    Ok(steps)
}

fn text(path: &Path) -> Result<String, Error> {
    path.to_str().map(str::to_owned).ok_or_else(|| Error::NotUtf8(path.to_string_lossy().into_owned()))
}

fn step(mount: &SpecMount) -> Result<Mount, Error> {
    let target = text(mount.destination())?;
    if !target.starts_with('/') {
        return Err(Error::NotAbsolute(target));
    }
    let fstype = mount.typ().clone().unwrap_or_default();
    let mut options = Options { bind: fstype == "bind", ..Options::default() };
    for option in mount.options().iter().flatten() {
        options.take(option);
    }
    let source = if options.joined {
        Source::Joined
    } else if options.bind {
        if let Some((option, _)) = options.own.first() {
            return Err(Error::MountOption { target, option: option.clone() });
        }
        let path = text(mount.source().as_deref().ok_or(Error::Missing("mounts[].source"))?)?;
        Source::Bind {
            path,
            subpath: options.subpath,
            recursive: options.recursive,
            owners: options.owners,
            label: options.label,
        }
    } else if fstype == "overlay" {
        overlay(&mut options).ok_or_else(|| Error::Overlay(target.clone()))?
    } else {
        let user = (options.owners == Owners::Changed).then(|| (OF_USER.to_owned(), None));
        Source::New { fstype, options: options.own.into_iter().chain(user).collect(), copy_up: options.copy_up }
    };
    let strict =
        matches!(&source, Source::New { fstype, .. } if fstype != "tmpfs") || target == "/dev" || target == "/sys";
    let Options { attributes, propagation, optional, .. } = options;
    Ok(Mount { target, source, attributes: attributes.bits(), propagation, strict, optional })
}

/// What the options of a mount say, one by one.
#[derive(Default)]
struct Options {
    attributes: Attributes,
    propagation: Propagation,
    bind: bool,
    recursive: bool,
    owners: Owners,
    optional: bool,
    copy_up: bool,
    layers: bool,
    joined: bool,
    thrown_away: bool,
    subpath: Option<String>,
    label: Option<String>,
    /// The file system's own.
    own: Vec<(String, Option<String>)>,
}

impl Options {
    // flat: an arm an option
    fn take(&mut self, option: &str) {
        match option {
            "ro" => self.attributes = self.attributes | Attributes::READ_ONLY,
            "nosuid" => self.attributes = self.attributes | Attributes::NO_SUID,
            "nodev" => self.attributes = self.attributes | Attributes::NO_DEV,
            "noexec" => self.attributes = self.attributes | Attributes::NO_EXEC,
            "rw" | "suid" | "dev" | "exec" | "relatime" => {}
            "bind" => self.bind = true,
            "rbind" => (self.bind, self.recursive) = (true, true),
            "private" | "rprivate" => self.propagation = Propagation::Private,
            "slave" | "rslave" => self.propagation = Propagation::Slave,
            "shared" | "rshared" => self.propagation = Propagation::Shared,
            "unbindable" | "runbindable" => self.propagation = Propagation::Unbindable,
            // Podman's and ours, beyond the specification.
            "U" => self.owners = Owners::Changed,
            "mine" => self.owners = Owners::Mine,
            // Ours: a mount that may be missing; the owner, by number; what is there at first; whose an overlay's directories are; what is
            // the container's whose IPC namespace is joined; the label of SELinux that the files are given.
            "x-optional" => self.optional = true,
            "x-copy-up" => self.copy_up = true,
            "x-layers" => self.layers = true,
            "x-joined" => self.joined = true,
            "x-thrown-away" => self.thrown_away = true,
            other => match other.split_once('=') {
                Some(("x-subpath", subpath)) => self.subpath = Some(subpath.to_owned()),
                Some(("x-label", label)) => self.label = Some(label.to_owned()),
                Some(("x-owner", ids)) if let Some((uid, gid)) = owner(ids) => self.owners = Owners::Given { uid, gid },
                Some((key, value)) => self.own.push((key.to_owned(), Some(value.to_owned()))),
                None => self.own.push((other.to_owned(), None)),
            },
        }
    }
}

/// What labels the files of a new file system: of those that only have what is in memory, the kernel lets a user namespace say it.
pub fn labelled(fstype: &str, label: Option<&str>) -> Option<(String, Option<String>)> {
    let takes_it = ["tmpfs", "ramfs", "devpts"].contains(&fstype);
    label.filter(|_| takes_it).map(|label| ("context".to_owned(), Some(label.to_owned())))
}

/// `UID:GID`.
fn owner(ids: &str) -> Option<(u32, u32)> {
    let (uid, gid) = ids.split_once(':')?;
    Some((uid.parse().ok()?, gid.parse().ok()?))
}

/// By the options of the kernel's overlay; each lower directory has one of its own.
fn overlay(options: &mut Options) -> Option<Source> {
    let (mut lowers, mut upper, mut work) = (Vec::new(), None, None);
    for (key, value) in std::mem::take(&mut options.own) {
        match key.as_str() {
            "lowerdir" => lowers.push(value?),
            "upperdir" => upper = value,
            "workdir" => work = value,
            _ => return None,
        }
    }
    let upper = match (upper, work) {
        (Some(dir), Some(work)) => Some(Upper { dir, work, thrown_away: options.thrown_away }),
        (None, None) if !lowers.is_empty() => None,
        _ => return None,
    };
    Some(Source::Overlay { lowers, upper, layers: options.layers, subpath: options.subpath.take() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use oci_spec::runtime::MountBuilder;

    fn mount(typ: &str, target: &str, options: &[&str]) -> SpecMount {
        let options: Vec<String> = options.iter().map(|o| (*o).to_owned()).collect();
        MountBuilder::default().typ(typ).destination(target).source("/src").options(options).build().unwrap()
    }

    #[test]
    fn options_of_the_mount_and_of_the_file_system_are_told_apart() {
        let Mount { source, attributes, strict, .. } =
            step(&mount("devpts", "/dev/pts", &["nosuid", "noexec", "newinstance", "mode=0620"])).unwrap();
        assert_eq!(attributes, (Attributes::NO_SUID | Attributes::NO_EXEC).bits());
        assert!(strict);
        let options = vec![("newinstance".into(), None), ("mode".into(), Some("0620".into()))];
        assert_eq!(source, Source::New { fstype: "devpts".into(), options, copy_up: false });
    }

    #[test]
    fn a_bind_knows_no_options_of_its_own() {
        assert!(matches!(step(&mount("bind", "/x", &["ro", "frob"])), Err(Error::MountOption { .. })));
        assert!(matches!(step(&mount("bind", "x", &[])), Err(Error::NotAbsolute(_))));
        let given = step(&mount("bind", "/x", &["U", "ro"])).unwrap();
        assert!(matches!(given.source, Source::Bind { owners: Owners::Changed, .. }));
        let given = step(&mount("bind", "/x", &["x-owner=33:44"])).unwrap();
        assert!(matches!(given.source, Source::Bind { owners: Owners::Given { uid: 33, gid: 44 }, .. }));
        assert!(matches!(step(&mount("bind", "/x", &["x-owner=me"])), Err(Error::MountOption { .. })));
        let mount = step(&mount("none", "/x", &["rbind", "rslave"])).unwrap();
        assert_eq!(
            (mount.source, mount.propagation),
            (
                Source::Bind { path: "/src".into(), subpath: None, recursive: true, owners: Owners::Kept, label: None },
                Propagation::Slave
            )
        );
    }

    #[test]
    fn what_is_in_memory_has_the_label_of_the_files() {
        let context = ("context".to_owned(), Some("a:b:c:s0".to_owned()));
        assert_eq!(labelled("tmpfs", Some("a:b:c:s0")), Some(context));
        assert_eq!((labelled("proc", Some("a:b:c:s0")), labelled("tmpfs", None)), (None, None));
        let given = step(&mount("bind", "/x", &["x-label=a:b:c:s0:c1,c2"])).unwrap();
        assert!(matches!(given.source, Source::Bind { label: Some(label), .. } if label == "a:b:c:s0:c1,c2"));
    }

    #[test]
    fn an_overlay_is_whole_or_an_error() {
        let of = |options: &[&str]| step(&mount("overlay", "/x", options)).map(|mount| mount.source);
        let upper = Upper { dir: "/u".into(), work: "/w".into(), thrown_away: true };
        let both = Source::Overlay {
            lowers: vec!["/a".into(), "/b:c".into()],
            upper: Some(upper),
            layers: false,
            subpath: None,
        };
        let options = ["lowerdir=/a", "lowerdir=/b:c", "upperdir=/u", "workdir=/w", "x-thrown-away"];
        assert_eq!(of(&options).unwrap(), both);
        for bad in [&["lowerdir=/a", "upperdir=/u"][..], &[], &["lowerdir=/a", "volatile"], &["lowerdir"]] {
            assert!(matches!(of(bad), Err(Error::Overlay(_))), "{bad:?}");
        }
    }
}
