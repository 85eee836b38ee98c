//! The mounts of a spec as steps (runtime-spec, config.md, "Mounts").

use std::path::Path;

use oci_spec::runtime::{Mount as SpecMount, Spec};

use super::{Error, Mount, Owners, Propagation, Source, Step};
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

/// Mounts in the order of the spec; the nodes and links of /dev right after /dev itself.
pub fn steps(spec: &Spec) -> Result<Vec<Step>, Error> {
    let mut steps = Vec::new();
    for mount in spec.mounts().iter().flatten() {
        let mount = step(mount)?;
        let is_dev = mount.target == "/dev" && matches!(mount.source, Source::New { .. });
        steps.push(Step::Mount(mount));
        if is_dev {
            for device in spec.linux().iter().flat_map(|linux| linux.devices().iter().flatten()) {
                steps.push(Step::Device(text(device.path())?));
            }
            steps.extend(LINKS.iter().map(|(path, to)| Step::Symlink { path: (*path).into(), to: (*to).into() }));
        }
    }
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
    let mut attributes = Attributes::default();
    let mut propagation = Propagation::Private;
    let mut bind = fstype == "bind";
    let mut owners = Owners::Kept;
    let mut optional = false;
    let mut own = Vec::new();
    for option in mount.options().iter().flatten() {
        match option.as_str() {
            "ro" => attributes = attributes | Attributes::READ_ONLY,
            "nosuid" => attributes = attributes | Attributes::NO_SUID,
            "nodev" => attributes = attributes | Attributes::NO_DEV,
            "noexec" => attributes = attributes | Attributes::NO_EXEC,
            "rw" | "suid" | "dev" | "exec" | "relatime" => {}
            "bind" | "rbind" => bind = true,
            "private" | "rprivate" => propagation = Propagation::Private,
            "slave" | "rslave" => propagation = Propagation::Slave,
            "shared" | "rshared" => propagation = Propagation::Shared,
            // Podman's and ours, beyond the specification.
            "U" => owners = Owners::Changed,
            "mine" => owners = Owners::Mine,
            // Ours: a mount that may be missing.
            "x-optional" => optional = true,
            other => match other.split_once('=') {
                Some((key, value)) => own.push((key.to_owned(), Some(value.to_owned()))),
                None if bind => return Err(Error::MountOption { target, option: other.to_owned() }),
                None => own.push((other.to_owned(), None)),
            },
        }
    }
    let source = if bind {
        let path = mount.source().as_deref().ok_or(Error::Missing("mounts[].source"))?;
        Source::Bind { path: text(path)?, owners }
    } else {
        Source::New { fstype, options: own }
    };
    let strict =
        matches!(&source, Source::New { fstype, .. } if fstype != "tmpfs") || target == "/dev" || target == "/sys";
    Ok(Mount { target, source, attributes: attributes.bits(), propagation, strict, optional })
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
        assert_eq!(source, Source::New { fstype: "devpts".into(), options });
    }

    #[test]
    fn a_bind_knows_no_options_of_its_own() {
        assert!(matches!(step(&mount("bind", "/x", &["ro", "frob"])), Err(Error::MountOption { .. })));
        assert!(matches!(step(&mount("bind", "x", &[])), Err(Error::NotAbsolute(_))));
        let given = step(&mount("bind", "/x", &["U", "ro"])).unwrap();
        assert!(matches!(given.source, Source::Bind { owners: Owners::Changed, .. }));
        let mount = step(&mount("none", "/x", &["rbind", "rslave"])).unwrap();
        assert_eq!(
            (mount.source, mount.propagation),
            (Source::Bind { path: "/src".into(), owners: Owners::Kept }, Propagation::Slave)
        );
    }
}
