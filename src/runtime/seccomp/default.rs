//! The filter that a container gets where nobody asked for another one.
//!
//! It is the field's default for rootless engines: the facts are those of the profile that Podman and Buildah ship
//! (`pkg/seccomp` of containers/common, `seccomp.json`, 2025, and its later refusal of AF_VSOCK). What it knows nothing of
//! does not exist (ENOSYS, so that programs fall back to older calls); what would need rights that no container has is
//! refused (EPERM); namespaces and mounts are allowed, for they give power only inside the container's user namespace.
//!
//! It differs in three places, each time towards what that profile meant:
//! * socket families are compared over the 32 bits that the kernel reads: `AF_VSOCK | 1 << 32` gets nowhere;
//! * `perf_event_open` follows CAP_PERFMON or CAP_SYS_ADMIN (there, a refusal comes first and always wins);
//! * the futex calls of Linux 5.16 and 6.7 are allowed, as Docker's profile has them: they do what `futex` does.
//!
//! x86 programs of 32 bits reach sockets through `socketcall` too, whose arguments lie in memory where no filter sees them.

use std::borrow::Cow;

use super::profile::{Action, Condition, Profile, Rule, Scope};
use crate::oci::capability::{Capability, CapabilitySet};

const EPERM: Action = Action::Errno(libc::EPERM as u16);
const EINVAL: Action = Action::Errno(libc::EINVAL as u16);
const ENOSYS: Action = Action::Errno(libc::ENOSYS as u16);

/// Allowed to everyone.
const ALLOWED: &str = "\
    _llseek _newselect accept accept4 access adjtimex alarm bind brk capget capset chdir chmod chown chown32 \
    clock_adjtime clock_adjtime64 clock_getres clock_getres_time64 clock_gettime clock_gettime64 clock_nanosleep \
    clock_nanosleep_time64 clone clone3 close close_range connect copy_file_range creat dup dup2 dup3 epoll_create \
    epoll_create1 epoll_ctl epoll_ctl_old epoll_pwait epoll_pwait2 epoll_wait epoll_wait_old eventfd eventfd2 execve \
    execveat exit exit_group faccessat faccessat2 fadvise64 fadvise64_64 fallocate fanotify_mark fchdir fchmod \
    fchmodat fchmodat2 fchown fchown32 fchownat fcntl fcntl64 fdatasync fgetxattr flistxattr flock fork fremovexattr \
    fsconfig fsetxattr fsmount fsopen fspick fstat fstat64 fstatat64 fstatfs fstatfs64 fsync ftruncate ftruncate64 \
    futex futex_requeue futex_time64 futex_wait futex_waitv futex_wake futimesat get_mempolicy get_robust_list \
    get_thread_area getcpu getcwd getdents getdents64 getegid getegid32 geteuid geteuid32 getgid getgid32 getgroups \
    getgroups32 getitimer getpeername getpgid getpgrp getpid getppid getpriority getrandom getresgid getresgid32 \
    getresuid getresuid32 getrlimit getrusage getsid getsockname getsockopt gettid gettimeofday getuid getuid32 \
    getxattr inotify_add_watch inotify_init inotify_init1 inotify_rm_watch io_cancel io_destroy io_getevents \
    io_setup io_submit ioctl ioprio_get ioprio_set ipc keyctl kill landlock_add_rule landlock_create_ruleset \
    landlock_restrict_self lchown lchown32 lgetxattr link linkat listen listxattr llistxattr lremovexattr lseek \
    lsetxattr lstat lstat64 madvise mbind membarrier memfd_create memfd_secret mincore mkdir mkdirat mknod mknodat \
    mlock mlock2 mlockall mmap mmap2 mount mount_setattr move_mount mprotect mq_getsetattr mq_notify mq_open \
    mq_timedreceive mq_timedreceive_time64 mq_timedsend mq_timedsend_time64 mq_unlink mremap msgctl msgget msgrcv \
    msgsnd msync munlock munlockall munmap name_to_handle_at nanosleep newfstatat open open_tree openat openat2 \
    pause pidfd_getfd pidfd_open pidfd_send_signal pipe pipe2 pivot_root pkey_alloc pkey_free pkey_mprotect poll \
    ppoll ppoll_time64 prctl pread64 preadv preadv2 prlimit64 process_mrelease process_vm_readv process_vm_writev \
    pselect6 pselect6_time64 ptrace pwrite64 pwritev pwritev2 read readahead readlink readlinkat readv reboot \
    recvfrom recvmmsg recvmmsg_time64 recvmsg remap_file_pages removexattr rename renameat renameat2 restart_syscall \
    rmdir rseq rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend rt_sigtimedwait \
    rt_sigtimedwait_time64 rt_tgsigqueueinfo sched_get_priority_max sched_get_priority_min sched_getaffinity \
    sched_getattr sched_getparam sched_getscheduler sched_rr_get_interval sched_rr_get_interval_time64 \
    sched_setaffinity sched_setattr sched_setparam sched_setscheduler sched_yield seccomp select semctl semget semop \
    semtimedop semtimedop_time64 sendfile sendfile64 sendmmsg sendmsg sendto set_mempolicy set_robust_list \
    set_thread_area set_tid_address setfsgid setfsgid32 setfsuid setfsuid32 setgid setgid32 setgroups setgroups32 \
    setitimer setns setpgid setpriority setregid setregid32 setresgid setresgid32 setresuid setresuid32 setreuid \
    setreuid32 setrlimit setsid setsockopt setuid setuid32 setxattr shmat shmctl shmdt shmget shutdown sigaltstack \
    signal signalfd signalfd4 sigprocmask sigreturn socketcall socketpair splice stat stat64 statfs statfs64 statx \
    symlink symlinkat sync sync_file_range syncfs sysinfo syslog tee tgkill time timer_create timer_delete \
    timer_getoverrun timer_gettime timer_gettime64 timer_settime timer_settime64 timerfd_create timerfd_gettime \
    timerfd_gettime64 timerfd_settime timerfd_settime64 times tkill truncate truncate64 ugetrlimit umask umount \
    umount2 uname unlink unlinkat unshare utime utimensat utimensat_time64 utimes vfork wait4 waitid waitpid write \
    writev";

/// Refused to everyone: obsolete, or for the machine's administrator.
const REFUSED: &str = "\
    bdflush cachestat io_pgetevents io_pgetevents_time64 kexec_file_load kexec_load map_shadow_stack migrate_pages \
    move_pages nfsservctl nice oldfstat oldlstat oldolduname oldstat olduname sgetmask ssetmask swapoff swapon sysfs \
    uselib userfaultfd ustat vm86 vm86old vmsplice";

/// Allowed to who has the capability, refused to others.
const GATED: &[(Capability, &str)] = &[
    (Capability::DAC_READ_SEARCH, "open_by_handle_at"),
    (Capability::SYS_ADMIN, "fanotify_init lookup_dcookie quotactl quotactl_fd setdomainname sethostname"),
    (Capability::SYS_CHROOT, "chroot"),
    (Capability::SYS_MODULE, "delete_module finit_module init_module query_module"),
    (Capability::SYS_PACCT, "acct"),
    (Capability::SYS_PTRACE, "kcmp process_madvise"),
    (Capability::SYS_RAWIO, "ioperm iopl"),
    (Capability::SYS_TIME, "clock_settime clock_settime64 settimeofday stime"),
    (Capability::SYS_TTY_CONFIG, "vhangup"),
];

/// personality(2): Linux and 32-bit Linux, each also with UNAME26, and the question for the present one.
const PERSONALITIES: [u64; 5] = [0x0, 0x8, 0x2_0000, 0x2_0008, 0xffff_ffff];

impl Default for Profile {
    fn default() -> Self {
        let mut rules = vec![rule(REFUSED, EPERM), rule(ALLOWED, Action::Allow)];
        rules
            .extend(PERSONALITIES.map(|value| when(rule("personality", Action::Allow), &[Condition::equal(0, value)])));
        rules.push(on(rule("arch_prctl", Action::Allow), &["amd64", "x32"]));
        rules.push(on(rule("modify_ldt", Action::Allow), &["amd64", "x32", "x86"]));
        for (capability, names) in GATED {
            rules.push(having(rule(names, Action::Allow), *capability));
            rules.push(rule(names, EPERM));
        }
        for (capability, name) in [
            (Capability::BPF, "bpf"),
            (Capability::SYS_ADMIN, "bpf"),
            (Capability::PERFMON, "perf_event_open"),
            (Capability::SYS_ADMIN, "perf_event_open"),
        ] {
            rules.push(having(rule(name, Action::Allow), capability));
        }
        rules.push(rule("bpf perf_event_open", EPERM));
        // The hypervisor's side channel to other guests and to the host, which network namespaces do not divide.
        rules.push(when(rule("socket", EPERM), &[Condition::int(0, libc::AF_VSOCK as u32)]));
        // Not EPERM: programs take that for an audit system that refuses them, and give up.
        let audit = [Condition::int(0, libc::AF_NETLINK as u32), Condition::int(2, libc::NETLINK_AUDIT as u32)];
        rules.push(having(when(rule("socket", Action::Allow), &audit), Capability::AUDIT_WRITE));
        rules.push(when(rule("socket", EINVAL), &audit));
        rules.push(rule("socket", Action::Allow));
        Self { default: ENOSYS, only_native: false, rules }
    }
}

/// A rule for the calls in `names`, divided by spaces.
pub(super) fn rule(names: &'static str, action: Action) -> Rule {
    let names = names.split_ascii_whitespace().map(Cow::Borrowed).collect();
    Rule { names, action, conditions: Vec::new(), includes: Scope::default(), excludes: Scope::default() }
}

pub(super) fn when(mut rule: Rule, conditions: &[Condition]) -> Rule {
    rule.conditions.extend_from_slice(conditions);
    rule
}

pub(super) fn having(mut rule: Rule, capability: Capability) -> Rule {
    rule.includes.capabilities = CapabilitySet::EMPTY.with(capability);
    rule
}

fn on(mut rule: Rule, arches: &[&'static str]) -> Rule {
    rule.includes.arches = arches.iter().copied().map(Cow::Borrowed).collect();
    rule
}
