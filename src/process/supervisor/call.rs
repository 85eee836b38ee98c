//! What a call of the chown family asks for.

use crate::runtime::seccomp::{Architecture, CHOWN};
use crate::sys::seccomp::Call;

/// A change of owner that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chown {
    pub target: Target,
    /// `None`: stays as it is.
    pub uid: Option<u32>,
    pub gid: Option<u32>,
}

/// Of what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    Descriptor(i32),
    Path {
        /// The directory from which a relative path counts; `None`: the current one.
        from: Option<i32>,
        /// Where the path lies in the caller's memory.
        pointer: u64,
        /// A link at its end is followed.
        follow: bool,
        /// An empty path means the directory, or whatever file it is, itself.
        or_itself: bool,
    },
}

impl Chown {
    /// `None`: a call that is not known here.
    pub fn read(call: &Call) -> Option<Self> {
        let native = Architecture::native()?;
        let architecture = native.family().iter().find(|architecture| architecture.audit() == call.architecture)?;
        let name = CHOWN.split(' ').find(|name| architecture.number(name) == Some(call.number))?;
        let [first, second, third, fourth, fifth, _] = call.arguments;
        let descriptor = |argument: u64| argument as u32 as i32;
        let path = |follow| Target::Path { from: None, pointer: first, follow, or_itself: false };
        let (target, uid, gid) = match name {
            "chown" | "chown32" => (path(true), second, third),
            "lchown" | "lchown32" => (path(false), second, third),
            "fchown" | "fchown32" => (Target::Descriptor(descriptor(first)), second, third),
            _ => {
                let (from, flags) = (descriptor(first), fifth as i32);
                let from = (from != libc::AT_FDCWD).then_some(from);
                let (follow, or_itself) = (flags & libc::AT_SYMLINK_NOFOLLOW == 0, flags & libc::AT_EMPTY_PATH != 0);
                (Target::Path { from, pointer: second, follow, or_itself }, third, fourth)
            }
        };
        // The oldest calls of 32-bit programs have ids of 16 bits.
        let short = *architecture == Architecture::I386 && !name.ends_with("32") && name != "fchownat";
        let id = |argument: u64| {
            let (id, none) = if short { (argument as u32 & 0xffff, 0xffff) } else { (argument as u32, u32::MAX) };
            (id != none).then_some(id)
        };
        Some(Self { target, uid: id(uid), gid: id(gid) })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn read(architecture: Architecture, name: &str, arguments: [u64; 6]) -> Option<Chown> {
        let number = architecture.number(name).unwrap();
        Chown::read(&Call { id: 1, thread: 1, architecture: architecture.audit(), number, arguments })
    }

    #[test]
    #[cfg(target_arch = "x86_64")]
    fn arguments_are_read_as_the_kernel_reads_them() {
        let none = u64::from(u32::MAX);
        let native = |name, arguments| read(Architecture::X86_64, name, arguments).unwrap();
        let path = |from, pointer, follow, or_itself| Target::Path { from, pointer, follow, or_itself };
        let chown = native("chown", [0x1000, 33, none, 9, 9, 9]);
        assert_eq!(chown, Chown { target: path(None, 0x1000, true, false), uid: Some(33), gid: None });
        assert_eq!(native("lchown", [0x1000, 1, 2, 0, 0, 0]).target, path(None, 0x1000, false, false));
        // Only 32 bits of a descriptor or an id count.
        let fchown = native("fchown", [1 << 32 | 7, 1 << 32 | 5, u64::MAX, 0, 0, 0]);
        assert_eq!(fchown, Chown { target: Target::Descriptor(7), uid: Some(5), gid: None });
        let here = u64::from(libc::AT_FDCWD as u32);
        let at = native("fchownat", [here, 0x1000, 1, 2, libc::AT_SYMLINK_NOFOLLOW as u64, 0]);
        assert_eq!(at, Chown { target: path(None, 0x1000, false, false), uid: Some(1), gid: Some(2) });
        let at = native("fchownat", [4, 0x1000, 1, 2, libc::AT_EMPTY_PATH as u64, 0]);
        assert_eq!(at.target, path(Some(4), 0x1000, true, true));
        let short = read(Architecture::I386, "chown", [0x1000, 0xffff, 0x1_0021, 0, 0, 0]).unwrap();
        assert_eq!((short.uid, short.gid), (None, Some(0x21)));
        let long = read(Architecture::I386, "chown32", [0x1000, 0xffff, none, 0, 0, 0]).unwrap();
        assert_eq!((long.uid, long.gid), (Some(0xffff), None));
        assert_eq!(read(Architecture::X86_64, "chmod", [0; 6]), None);
    }
}
