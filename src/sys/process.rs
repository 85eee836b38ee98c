//! Making processes: `spawn` (another program, from any process) and `clone_single` (a copy of this one, single-threaded only).

use std::ffi::{CString, OsStr, OsString};
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::process::CommandExt;
use std::ptr;
use std::time::Duration;

use rustix::io::fcntl_dupfd_cloexec;
use rustix::process::{
    Pid, PidfdFlags, Resource, Rlimit, WaitIdOptions, WaitIdStatus, getrlimit, pidfd_open, setrlimit,
};

use super::{Call, Error, Result};

/// The first descriptor number that is handed over beyond the standard three.
pub const FIRST_INHERITED: RawFd = 3;

/// Of linux/sched.h; `libc` has it as an int, in which it is 0.
const CLONE_INTO_CGROUP: u64 = 0x2_0000_0000;

/// A child of this process, held by a descriptor that can't come to mean another one.
#[derive(Debug)]
pub struct Child {
    pub pid: Pid,
    pub pidfd: OwnedFd,
}

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    Exited(i32),
    Signaled(i32),
}

impl Ended {
    /// As a shell counts: the code, or 128 and the signal's number.
    pub fn code(self) -> i32 {
        match self {
            Self::Exited(code) => code,
            Self::Signaled(signal) => 128 + signal,
        }
    }

    pub fn success(self) -> bool {
        self == Self::Exited(0)
    }

    pub fn from_waitid(status: &WaitIdStatus) -> Option<Self> {
        match (status.exit_status(), status.terminating_signal()) {
            (Some(code), _) => Some(Self::Exited(code)),
            (None, Some(signal)) => Some(Self::Signaled(signal)),
            (None, None) => None,
        }
    }
}

impl Child {
    /// Blocks until the child has ended and takes its status.
    pub fn wait(&self) -> Result<Ended> {
        loop {
            match rustix::process::waitid(rustix::process::WaitId::PidFd(borrow(&self.pidfd)), WaitIdOptions::EXITED) {
                Ok(Some(status)) => {
                    if let Some(ended) = Ended::from_waitid(&status) {
                        return Ok(ended);
                    }
                }
                Ok(None) | Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(Error::new("waitid", error)),
            }
        }
    }
}

fn borrow(fd: &OwnedFd) -> BorrowedFd<'_> {
    use std::os::fd::AsFd;
    fd.as_fd()
}

/// When a process started, in clock ticks since boot.
pub fn start_time(pid: i32) -> Option<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name in parentheses may hold anything; the fields count from the last one.
    stat.rsplit_once(')')?.1.split_whitespace().nth(19)?.parse().ok()
}

/// A child of this process that has ended, however that was; it is still to be reaped.
pub fn ended_child() -> Option<Pid> {
    // SAFETY: an all-zero siginfo_t is valid.
    let mut info: libc::siginfo_t = unsafe { std::mem::zeroed() };
    let flags = libc::WEXITED | libc::WNOHANG | libc::WNOWAIT;
    // SAFETY: the siginfo_t outlives the call, which writes nothing else.
    let status = unsafe { libc::waitid(libc::P_ALL, 0, &raw mut info, flags) };
    // SAFETY: waitid fills in si_pid where it finds a child, and leaves it 0 where it finds none.
    if status == 0 { Pid::from_raw(unsafe { info.si_pid() }) } else { None }
}

/// A program to start, and the only descriptors that it gets: number `i` is `fds[i]`, all others are closed.
#[derive(Debug)]
pub struct Spawn<'a> {
    pub program: CString,
    pub args: Vec<CString>,
    pub env: Vec<CString>,
    pub fds: Vec<BorrowedFd<'a>>,
}

impl Spawn<'_> {
    /// Starts the program; safe from a process with threads (posix_spawn(3) runs no code of ours in the child).
    pub fn start(&self) -> Result<Child> {
        // Sources above every target, so that no dup2 overwrites what a later one needs.
        let floor = FIRST_INHERITED + 64 + self.fds.len() as RawFd;
        let sources: Vec<OwnedFd> = self
            .fds
            .iter()
            .map(|fd| fcntl_dupfd_cloexec(fd, floor))
            .collect::<std::result::Result<_, _>>()
            .call("fcntl(F_DUPFD_CLOEXEC)")?;
        let args = pointers(&self.args);
        let env = pointers(&self.env);
        let mut pid: libc::pid_t = 0;
        // SAFETY: the two attribute objects are initialised before use and destroyed once, after it; `args` and `env` are
        // arrays of pointers to NUL-terminated strings that outlive the call, each array ended by a null pointer; the
        // signal sets are initialised by sigemptyset/sigfillset.
        let status = unsafe {
            let mut actions: libc::posix_spawn_file_actions_t = std::mem::zeroed();
            let mut attributes: libc::posix_spawnattr_t = std::mem::zeroed();
            libc::posix_spawn_file_actions_init(&mut actions);
            libc::posix_spawnattr_init(&mut attributes);
            for (target, source) in sources.iter().enumerate() {
                libc::posix_spawn_file_actions_adddup2(&mut actions, source.as_raw_fd(), target as RawFd);
            }
            libc::posix_spawn_file_actions_addclosefrom_np(&mut actions, sources.len() as RawFd);
            let mut none: libc::sigset_t = std::mem::zeroed();
            let mut all: libc::sigset_t = std::mem::zeroed();
            libc::sigemptyset(&mut none);
            libc::sigfillset(&mut all);
            libc::posix_spawnattr_setsigmask(&mut attributes, &none);
            libc::posix_spawnattr_setsigdefault(&mut attributes, &all);
            let flags = libc::POSIX_SPAWN_SETSIGMASK | libc::POSIX_SPAWN_SETSIGDEF;
            libc::posix_spawnattr_setflags(&mut attributes, flags as libc::c_short);
            let status = libc::posix_spawn(
                &mut pid,
                self.program.as_ptr(),
                &actions,
                &attributes,
                args.as_ptr().cast::<*mut libc::c_char>(),
                env.as_ptr().cast::<*mut libc::c_char>(),
            );
            libc::posix_spawnattr_destroy(&mut attributes);
            libc::posix_spawn_file_actions_destroy(&mut actions);
            status
        };
        if status != 0 {
            let call = format!("posix_spawn({})", self.program.to_string_lossy());
            return Err(Error::new(call, io::Error::from_raw_os_error(status)));
        }
        let pid = Pid::from_raw(pid).ok_or_else(|| Error::new("posix_spawn", io::Error::other("no pid")))?;
        // The child is not reaped before `wait`, so its pid can't have been used again.
        let pidfd = pidfd_open(pid, PidfdFlags::empty()).call("pidfd_open")?;
        Ok(Child { pid, pidfd })
    }
}

fn pointers(strings: &[CString]) -> Vec<*const libc::c_char> {
    strings.iter().map(|s| s.as_ptr()).chain([ptr::null()]).collect()
}

/// Becomes this program, looked for in `PATH` as a shell does. It returns where it could not.
pub fn become_program(program: &OsStr, args: &[OsString]) -> io::Error {
    use std::os::unix::process::CommandExt;
    std::process::Command::new(program).args(args).exec()
}

/// Sets a variable of this process's environment, and of those that it starts. Refused in a process that has other threads.
pub fn set_variable(name: &str, value: &OsStr) -> Result<()> {
    refuse_threads("setenv")?;
    // SAFETY: no other thread can read the environment meanwhile: there is none.
    unsafe { std::env::set_var(name, value) };
    Ok(())
}

/// Takes a variable out of this process's environment, so that those that it starts do not get it. Refused in a process that has
/// other threads.
pub fn take_variable(name: &str) -> Result<Option<OsString>> {
    refuse_threads("unsetenv")?;
    let value = std::env::var_os(name);
    // SAFETY: no other thread can read the environment meanwhile: there is none.
    unsafe { std::env::remove_var(name) };
    Ok(value)
}

/// Overwrites `text` in the arguments of this process that are it or end with it, where all users of the machine can read them
/// (proc_pid_cmdline(5)). Refused in a process that has other threads.
pub fn wipe_arguments(text: &str) -> Result<()> {
    refuse_threads("wipe the arguments")?;
    let stat = std::fs::read_to_string("/proc/self/stat").call("read(/proc/self/stat)")?;
    // Behind the name, which stands in brackets, comes the third field; `arg_start` and `arg_end` are the 48th and 49th.
    let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields).split_whitespace().skip(45);
    let places: Vec<usize> = fields.take(2).filter_map(|place| place.parse().ok()).collect();
    let &[start, end] = places.as_slice() else {
        return Err(Error::new("read(/proc/self/stat)", io::Error::from(io::ErrorKind::InvalidData)));
    };
    // SAFETY: the kernel laid the arguments there on this process's own stack, where they stay writable as long as it runs; the
    // standard library keeps pointers to them and copies what they show when it is asked, which no other thread does meanwhile.
    let arguments = unsafe {
        std::slice::from_raw_parts_mut(ptr::with_exposed_provenance_mut::<u8>(start), end.saturating_sub(start))
    };
    for argument in arguments.split_mut(|byte| *byte == 0) {
        let kept = argument.len().saturating_sub(text.len());
        if let Some(tail) = argument.get_mut(kept..).filter(|tail| *tail == text.as_bytes()) {
            tail.fill(b'*');
        }
    }
    Ok(())
}

fn refuse_threads(call: &'static str) -> Result<()> {
    // A directory's links count those that lie in it, here one a thread: one call instead of three for a list (proc(5)).
    let threads = rustix::fs::stat("/proc/self/task").call("stat(/proc/self/task)")?.st_nlink.saturating_sub(2);
    if threads == 1 {
        return Ok(());
    }
    Err(Error::new(call, io::Error::other(format!("refused: this process has {threads} threads"))))
}

/// Starts a program, looked for along PATH, with the environment and the open descriptors of this process, and no signal blocked.
pub fn start_below(program: &OsStr, args: &[OsString]) -> io::Result<std::process::Child> {
    let mut command = std::process::Command::new(program);
    command.args(args);
    // SAFETY: between fork and exec this runs nothing but async-signal-safe calls: signal(2), sigemptyset(3), sigprocmask(2).
    unsafe { command.pre_exec(|| super::signal::reset().map_err(|error| error.source)) };
    command.spawn()
}

/// Takes over a descriptor that the starter of this process left open at `number`.
///
/// Call it once for each number, before this process has opened anything.
pub fn inherited(number: RawFd) -> Result<OwnedFd> {
    // SAFETY: fcntl with F_SETFD takes no pointer; a number that is not open fails with EBADF and is not wrapped.
    let status = unsafe { libc::fcntl(number, libc::F_SETFD, libc::FD_CLOEXEC) };
    if status < 0 {
        return Err(Error::new(format!("fcntl({number}, F_SETFD)"), io::Error::last_os_error()));
    }
    // SAFETY: the descriptor is open (just checked), and the contract of this function makes us its only owner.
    Ok(unsafe { OwnedFd::from_raw_fd(number) })
}

/// Replaces this process by the program behind `file`, with exactly these arguments and environment. Returns only to fail.
pub fn exec(file: BorrowedFd<'_>, args: &[CString], env: &[CString]) -> Error {
    let args = pointers(args);
    let env = pointers(env);
    // SAFETY: the path is an empty C string, both arrays hold pointers to NUL-terminated strings that live past the call and
    // end with a null pointer; on success the call does not return.
    unsafe {
        libc::syscall(
            libc::SYS_execveat,
            file.as_raw_fd(),
            c"".as_ptr(),
            args.as_ptr(),
            env.as_ptr(),
            libc::AT_EMPTY_PATH,
        )
    };
    Error::new("execveat", io::Error::last_os_error())
}

/// How many milliseconds lie between the tries. Linux 6.18 was seen to answer ENOENT, which clone(2) does not know as an error, to one
/// in some ten thousand clones into new namespaces, on a busy machine on which others ended.
const PAUSES: [u64; 4] = [1, 4, 16, 64];

/// The two sides of [`clone_single`].
#[derive(Debug)]
pub enum Cloned {
    Parent(Child),
    Child,
}

/// A copy of this process, in the new namespaces that `flags` name (clone3(2)).
///
/// Refused in a process that has other threads: their locks would stay taken in the child for ever.
pub fn clone_single(flags: u64) -> Result<Cloned> {
    clone_in_group(flags, None)
}

/// As [`clone_single`]; the copy begins in the control group whose directory is open.
pub fn clone_in_group(flags: u64, group: Option<BorrowedFd<'_>>) -> Result<Cloned> {
    refuse_threads("clone3")?;
    let mut pidfd: RawFd = -1;
    // SAFETY: an all-zero clone_args is valid: every optional part is absent.
    let mut arguments: libc::clone_args = unsafe { std::mem::zeroed() };
    arguments.flags = flags | libc::CLONE_PIDFD as u64;
    if let Some(group) = group {
        arguments.flags |= CLONE_INTO_CGROUP;
        arguments.cgroup = group.as_raw_fd() as u64;
    }
    arguments.pidfd = &raw mut pidfd as u64;
    // With CLONE_PARENT the kernel takes the exit signal from this process and refuses to be told one.
    arguments.exit_signal = if flags & libc::CLONE_PARENT as u64 == 0 { libc::SIGCHLD as u64 } else { 0 };
    let clone = || {
        // SAFETY: the arguments outlive the call and carry their size; no CLONE_VM, so the child has its own copy of all memory
        // and of this stack; there is no other thread (checked above) whose locks the copy could hold.
        let pid = unsafe { libc::syscall(libc::SYS_clone3, &raw mut arguments, size_of::<libc::clone_args>()) };
        if pid < 0 { Err(io::Error::last_os_error()) } else { Ok(pid as i32) }
    };
    match patiently(clone) {
        Ok(0) => Ok(Cloned::Child),
        Ok(pid) => {
            let pid = Pid::from_raw(pid).ok_or_else(|| Error::new("clone3", io::Error::other("no pid")))?;
            // SAFETY: clone3 succeeded with CLONE_PIDFD, so it stored a new descriptor that nobody else owns.
            Ok(Cloned::Parent(Child { pid, pidfd: unsafe { OwnedFd::from_raw_fd(pidfd) } }))
        }
        Err(error) => Err(Error::new(format!("clone3({flags:#x})"), error)),
    }
}

/// Tries again, a few times, what fails with ENOENT.
fn patiently(mut clone: impl FnMut() -> io::Result<i32>) -> io::Result<i32> {
    for pause in PAUSES {
        match clone() {
            Err(error) if error.raw_os_error() == Some(libc::ENOENT) => {
                std::thread::sleep(Duration::from_millis(pause))
            }
            other => return other,
        }
    }
    clone()
}

/// Ends this process at once: no destructors, no exit handlers, no flush. For a copy that must not run its parent's.
pub fn exit_now(code: i32) -> ! {
    // SAFETY: _exit takes no pointer and does not return.
    unsafe { libc::_exit(code) }
}

/// Replaces this process by the program behind `file`, which gets `fds` as its descriptors 0, 1, 2, … and no other.
///
/// For a process that [`clone_single`] made: it changes the descriptor table in place. Returns only to fail.
pub fn exec_with(file: OwnedFd, args: &[CString], env: &[CString], fds: &[BorrowedFd<'_>]) -> Error {
    let count = fds.len() as RawFd;
    let lift = |fd: BorrowedFd<'_>| fcntl_dupfd_cloexec(fd, count + FIRST_INHERITED).call("fcntl(F_DUPFD_CLOEXEC)");
    let lifted: Result<Vec<OwnedFd>> = fds.iter().map(|fd| lift(*fd)).collect();
    let (lifted, file) = match (lifted, lift(borrow(&file))) {
        (Ok(lifted), Ok(file)) => (lifted, file),
        (Err(error), _) | (_, Err(error)) => return error,
    };
    for (target, source) in lifted.iter().enumerate() {
        // SAFETY: dup2 takes no pointer. What stood at `target` is closed unknown to its owner, who never runs again: this
        // process either becomes another program or ends.
        if unsafe { libc::dup2(source.as_raw_fd(), target as RawFd) } < 0 {
            return Error::new("dup2", io::Error::last_os_error());
        }
    }
    if let Err(error) = close_on_exec_from(count) {
        return error;
    }
    exec(borrow(&file), args, env)
}

/// Marks every descriptor from `first` on to be closed by an exec (close_range(2), Linux 5.11).
pub fn close_on_exec_from(first: RawFd) -> Result<()> {
    // SAFETY: close_range takes no pointer; with CLOSE_RANGE_CLOEXEC nothing is closed under its owner.
    let status = unsafe { libc::syscall(libc::SYS_close_range, first, libc::c_uint::MAX, libc::CLOSE_RANGE_CLOEXEC) };
    if status == 0 { Ok(()) } else { Err(Error::new("close_range", io::Error::last_os_error())) }
}

/// Executes the program at `path`; returns only to fail, with the error number.
pub fn exec_path(path: &std::ffi::CStr, args: &[CString], env: &[CString]) -> i32 {
    let args = pointers(args);
    let env = pointers(env);
    // SAFETY: the path is a C string, both arrays hold pointers to NUL-terminated strings that live past the call and end
    // with a null pointer.
    unsafe { libc::execve(path.as_ptr(), args.as_ptr(), env.as_ptr()) };
    io::Error::last_os_error().raw_os_error().unwrap_or(libc::EIO)
}

/// A descriptor that a program is handed under this number.
#[derive(Debug)]
pub struct Handed {
    pub number: RawFd,
    pub fd: OwnedFd,
}

impl Handed {
    /// The same once more.
    pub fn try_clone(&self) -> Result<Self> {
        Ok(Self { number: self.number, fd: self.fd.try_clone().call("fcntl(F_DUPFD_CLOEXEC)")? })
    }
}

/// Makes these the standard input, output and error of a process that is about to execute another program.
pub fn set_standard(fds: [BorrowedFd<'_>; 3]) -> Result<()> {
    set((0..).zip(fds))
}

/// Leaves a process that is about to execute another program, beside the standard three, what is `handed` on and `kept`, and closes
/// every other descriptor, really and at once.
///
/// For a copy made by [`clone_single`]: owners of the others never run again there. `kept` must not stand at a number of those that
/// are handed on (see [`above`]).
pub fn leave_only(handed: &[Handed], kept: BorrowedFd<'_>) -> Result<()> {
    set(handed.iter().map(|Handed { number, fd }| (*number, borrow(fd))))?;
    let mut left: Vec<RawFd> = handed.iter().map(|handed| handed.number).chain([kept.as_raw_fd()]).collect();
    left.sort_unstable();
    let mut from = FIRST_INHERITED;
    for number in left.into_iter().chain([RawFd::MAX]) {
        if from < number {
            // SAFETY: close_range takes no pointer. The descriptors belong to values of this copied process that are never
            // used or dropped again: it ends by execve or _exit.
            if unsafe { libc::syscall(libc::SYS_close_range, from, number - 1, 0) } != 0 {
                return Err(Error::new("close_range", io::Error::last_os_error()));
            }
        }
        from = number.saturating_add(1);
    }
    Ok(())
}

/// The descriptor at a number above all at which something is handed on.
pub fn above(handed: &[Handed], fd: BorrowedFd<'_>) -> Result<OwnedFd> {
    let last = handed.iter().map(|handed| handed.number).fold(FIRST_INHERITED, RawFd::max);
    fcntl_dupfd_cloexec(fd, last.saturating_add(1)).call("fcntl(F_DUPFD_CLOEXEC)")
}

/// Makes each the descriptor of its number. Of what stood there, only numbers from 3 on can have an owner, who must not use it again.
fn set<'a>(fds: impl Iterator<Item = (RawFd, BorrowedFd<'a>)> + Clone) -> Result<()> {
    // Above the targets first, so that no dup2 overwrites what a later one needs.
    let last = fds.clone().map(|(number, _)| number).fold(FIRST_INHERITED, RawFd::max);
    let lift =
        |(number, fd)| Ok((number, fcntl_dupfd_cloexec(fd, last.saturating_add(1)).call("fcntl(F_DUPFD_CLOEXEC)")?));
    for (number, source) in fds.map(lift).collect::<Result<Vec<(RawFd, OwnedFd)>>>()? {
        // SAFETY: dup2 takes no pointer; that nobody uses what stood at the number is the contract of this function.
        if unsafe { libc::dup2(source.as_raw_fd(), number) } < 0 {
            return Err(Error::new("dup2", io::Error::last_os_error()));
        }
    }
    Ok(())
}

/// The soft and the hard limit of this process's resource with this number (RLIMIT_*).
pub fn limit(number: u32) -> Result<(u64, u64)> {
    let mut now = libc::rlimit64 { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: prlimit64 on this process (pid 0) reads no new limit (null) and writes one rlimit64, which outlives the call.
    if unsafe { libc::prlimit64(0, number, std::ptr::null(), &raw mut now) } != 0 {
        return Err(Error::new(format!("prlimit({number})"), io::Error::last_os_error()));
    }
    Ok((now.rlim_cur, now.rlim_max))
}

/// Sets a resource limit by its RLIMIT_* number, no higher than the hard limit that this process may not raise.
pub fn set_limit(number: u32, soft: u64, hard: u64) -> Result<()> {
    let hard = hard.min(limit(number)?.1);
    let wanted = libc::rlimit64 { rlim_cur: soft.min(hard), rlim_max: hard };
    // SAFETY: prlimit64 on this process (pid 0) reads one rlimit64, which outlives the call, and writes none (null).
    if unsafe { libc::prlimit64(0, number, &raw const wanted, std::ptr::null_mut()) } != 0 {
        return Err(Error::new(format!("prlimit({number}, {soft}, {hard})"), io::Error::last_os_error()));
    }
    Ok(())
}

/// Raises the limit of open files to what is allowed, for who holds a descriptor of each layer; the limit.
pub fn raise_descriptor_limit() -> u64 {
    let limit = getrlimit(Resource::Nofile);
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit });
    getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX)
}

/// Closes the number behind `fd` in a copy made by [`clone_single`], whose owner in this copy never runs again.
pub fn close_copy(fd: BorrowedFd<'_>) -> Result<()> {
    // SAFETY: close takes no pointer; see the contract above.
    if unsafe { libc::close(fd.as_raw_fd()) } == 0 {
        Ok(())
    } else {
        Err(Error::new("close", io::Error::last_os_error()))
    }
}

/// Leaves the user's session keyring for an empty one of its own (keyctl(2)). A kernel without keys needs none.
pub fn leave_session_keyring() -> Result<()> {
    // SAFETY: KEYCTL_JOIN_SESSION_KEYRING with a null name makes an anonymous keyring and reads no memory.
    let status = unsafe { libc::syscall(libc::SYS_keyctl, libc::KEYCTL_JOIN_SESSION_KEYRING, std::ptr::null::<u8>()) };
    match io::Error::last_os_error() {
        error if status < 0 && ![Some(libc::ENOSYS), Some(libc::EDQUOT)].contains(&error.raw_os_error()) => {
            Err(Error::new("keyctl(JOIN_SESSION_KEYRING)", error))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_that_passes_is_waited_for() {
        let after = |failures: usize, errno: i32| {
            let mut tries = 0;
            let result = patiently(|| {
                tries += 1;
                if tries > failures { Ok(7) } else { Err(io::Error::from_raw_os_error(errno)) }
            });
            (result.map_err(|error| error.raw_os_error()), tries)
        };
        assert_eq!(after(PAUSES.len(), libc::ENOENT), (Ok(7), PAUSES.len() + 1));
        assert_eq!(after(9, libc::ENOENT), (Err(Some(libc::ENOENT)), PAUSES.len() + 1));
        assert_eq!(after(1, libc::EAGAIN), (Err(Some(libc::EAGAIN)), 1));
    }
}
