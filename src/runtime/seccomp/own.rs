//! The filters of this program's own servers that read what a container sends: the stack and the companion of named networks. Each
//! lists what a server calls once it is set up; all else is refused, so that who takes one over has little to ask the kernel for.
//!
//! Neither starts a program, makes code of data, signals another process, or opens a kind of socket that it does not use. A list is
//! that of what the libraries below may call, too: what they need when memory is short or a thread ends.

use super::default::{rule, when};
use super::profile::{Action, Comparison, Condition, Profile, Rule};

const REFUSED: Action = Action::Errno(libc::EPERM as u16);

/// Memory, time, locks of its own threads, its end.
const PROCESS: &str = "brk madvise mremap munmap clock_gettime clock_nanosleep exit exit_group futex getpid gettid getrandom nanosleep \
    restart_syscall rt_sigprocmask rt_sigreturn sched_yield sigaltstack";
/// Sockets, once they are there.
const SOCKETS: &str = "accept4 bind close connect fcntl getpeername getsockname getsockopt listen poll ppoll read readv recvfrom recvmsg \
    sendmsg sendto setsockopt shutdown write writev";
const EPOLL: &str = "epoll_ctl epoll_pwait epoll_pwait2 epoll_wait";
/// Of files: reading them, which Landlock holds to a few.
const READING: &str = "fstat getdents64 lseek lstat newfstatat open openat pread64 readlink readlinkat stat statx";
/// Of threads: their beginning.
const THREADS: &str = "get_robust_list rseq sched_getaffinity set_robust_list";

/// For [`crate::network::stack`]'s process, which has no files and one thread.
pub fn stack() -> Profile {
    let rules = common();
    Profile { default: REFUSED, only_native: true, rules }
}

/// For that of [`crate::network::named::companion`].
pub fn companion() -> Profile {
    let mut rules = common();
    rules.push(rule(READING, Action::Allow));
    rules.push(rule(THREADS, Action::Allow));
    // Where its arguments are no filter sees; the C library then takes the one that says it in a register.
    rules.push(rule("clone3", Action::Errno(libc::ENOSYS as u16)));
    rules.push(when(rule("clone", Action::Allow), &[bits(0, libc::CLONE_THREAD as u32, libc::CLONE_THREAD as u32)]));
    Profile { default: REFUSED, only_native: true, rules }
}

fn common() -> Vec<Rule> {
    let mut rules = vec![rule(PROCESS, Action::Allow), rule(SOCKETS, Action::Allow), rule(EPOLL, Action::Allow)];
    for family in [libc::AF_INET, libc::AF_INET6] {
        rules.push(when(rule("socket", Action::Allow), &[Condition::int(0, family as u32)]));
    }
    rules.push(when(rule("ioctl", Action::Allow), &[Condition::int(1, libc::FIONBIO as u32)]));
    // Memory that is written is never executed.
    rules.push(when(rule("mmap mprotect", Action::Allow), &[bits(2, libc::PROT_EXEC as u32, 0)]));
    rules
}

/// Those bits of an argument have this value.
fn bits(index: u8, mask: u32, value: u32) -> Condition {
    Condition { index, op: Comparison::MaskedEqual, value: mask.into(), value2: value.into() }
}

#[cfg(test)]
mod tests {
    use super::super::{Architecture, Facts, compile};
    use super::*;
    use crate::oci::capability::CapabilitySet;

    #[test]
    fn what_no_server_does_is_refused() {
        let facts = Facts { capabilities: CapabilitySet::EMPTY, architecture: Architecture::X86_64, kernel: (6, 1) };
        for profile in [stack(), companion()] {
            compile(&profile, &facts).unwrap();
            let decide = |name: &str, arguments: [u64; 3]| {
                let number = Architecture::X86_64.number(name).unwrap();
                let [first, second, third] = arguments;
                profile.decide(&facts, Architecture::X86_64, number, &[first, second, third, 0, 0, 0])
            };
            for (name, arguments) in [
                ("execve", [0; 3]),
                ("ptrace", [0; 3]),
                ("fork", [0; 3]),
                ("clone", [libc::SIGCHLD as u64, 0, 0]),
                ("kill", [1, 9, 0]),
                ("socket", [libc::AF_UNIX as u64, 0, 0]),
                ("socket", [libc::AF_PACKET as u64, 0, 0]),
                ("mmap", [0, 4096, (libc::PROT_READ | libc::PROT_EXEC) as u64]),
                ("mprotect", [0, 4096, libc::PROT_EXEC as u64]),
                ("ioctl", [0, libc::TIOCSTI, 0]),
                ("mount", [0; 3]),
                ("unlinkat", [0; 3]),
                ("io_uring_setup", [0; 3]),
            ] {
                assert_eq!(decide(name, arguments), REFUSED, "{name}{arguments:?}");
            }
            assert_eq!(decide("socket", [libc::AF_INET6 as u64, 0, 0]), Action::Allow);
            assert_eq!(decide("mmap", [0, 4096, (libc::PROT_READ | libc::PROT_WRITE) as u64]), Action::Allow);
        }
    }
}
