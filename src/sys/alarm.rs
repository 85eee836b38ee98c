//! A limit for a system call that has none.

use std::io;
use std::sync::Once;
use std::time::{Duration, Instant};

use nix::errno::Errno;

use super::{Error, Result};

/// What interrupts: a signal that nobody sends by accident.
const SIGNAL: libc::c_int = 63;
/// A signal that came before the call was entered interrupts nothing, so that more follow.
const AGAIN: Duration = Duration::from_millis(10);

/// The result of `call`, made again where a signal interrupted it; `None`: it has not come back within `limit`.
pub fn within<T>(limit: Duration, mut call: impl FnMut() -> nix::Result<T>) -> Result<Option<nix::Result<T>>> {
    let end = Instant::now() + limit;
    let _alarm = Alarm::after(limit)?;
    loop {
        match call() {
            Err(Errno::EINTR) if Instant::now() >= end => return Ok(None),
            Err(Errno::EINTR) => {}
            result => return Ok(Some(result)),
        }
    }
}

/// Interrupts what this thread waits in: once, and from then on again and again.
struct Alarm {
    timer: libc::timer_t,
    /// The signals that this thread had blocked.
    blocked: libc::sigset_t,
}

extern "C" fn ignore(_: libc::c_int) {}

impl Alarm {
    fn after(limit: Duration) -> Result<Self> {
        static HANDLED: Once = Once::new();
        HANDLED.call_once(|| {
            // SAFETY: all zeros are a valid `sigaction`: no flags, so that calls are interrupted, and an empty mask. The handler
            // does nothing, so it is safe at any moment in any thread. The number is valid; the call can't fail.
            unsafe {
                let mut action: libc::sigaction = std::mem::zeroed();
                action.sa_sigaction = ignore as extern "C" fn(libc::c_int) as libc::sighandler_t;
                libc::sigaction(SIGNAL, &action, std::ptr::null_mut());
            }
        });
        // SAFETY: all zeros are a valid `sigevent`, of which the fields for this kind of notification are set: a signal to one
        // thread, which exists as long as it runs this. `timer` is written by the call. The sets are initialised before use.
        let (status, timer, blocked) = unsafe {
            let mut event: libc::sigevent = std::mem::zeroed();
            event.sigev_notify = libc::SIGEV_THREAD_ID;
            event.sigev_signo = SIGNAL;
            event.sigev_notify_thread_id = libc::gettid();
            let mut timer: libc::timer_t = std::mem::zeroed();
            let status = libc::timer_create(libc::CLOCK_MONOTONIC, &mut event, &mut timer);
            (status, timer, std::mem::zeroed())
        };
        if status != 0 {
            return Err(Error::new("timer_create", io::Error::last_os_error()));
        }
        let mut alarm = Self { timer, blocked };
        let time = |of: Duration| libc::timespec {
            tv_sec: of.as_secs() as libc::time_t,
            tv_nsec: of.subsec_nanos() as libc::c_long,
        };
        // A time of zero would be none.
        let value = libc::itimerspec { it_value: time(limit.max(AGAIN)), it_interval: time(AGAIN) };
        // SAFETY: the set is initialised by sigemptyset before use and outlives the call, as does that in which the old mask is
        // left; the timer exists until the drop, and its setting outlives the call.
        let status = unsafe {
            let mut only: libc::sigset_t = std::mem::zeroed();
            libc::sigemptyset(&mut only);
            libc::sigaddset(&mut only, SIGNAL);
            libc::pthread_sigmask(libc::SIG_UNBLOCK, &only, &mut alarm.blocked);
            libc::timer_settime(alarm.timer, 0, &value, std::ptr::null_mut())
        };
        if status == 0 { Ok(alarm) } else { Err(Error::new("timer_settime", io::Error::last_os_error())) }
    }
}

impl Drop for Alarm {
    fn drop(&mut self) {
        // SAFETY: the timer is this value's own and not used afterwards; the mask is that which pthread_sigmask has left. What the
        // timer sent is delivered by then, since the signal is not blocked before.
        unsafe {
            libc::timer_delete(self.timer);
            libc::pthread_sigmask(libc::SIG_SETMASK, &self.blocked, std::ptr::null_mut());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsFd;

    use super::*;

    fn never() -> nix::Result<usize> {
        let (reader, _writer) = rustix::pipe::pipe().map_err(|error| Errno::from_raw(error.raw_os_error()))?;
        nix::unistd::read(reader.as_fd(), &mut [0])
    }

    #[test]
    fn a_call_that_does_not_come_back_is_given_up() {
        for limit in [Duration::ZERO, Duration::from_millis(50)] {
            let begun = Instant::now();
            assert!(within(limit, never).unwrap().is_none());
            assert!(begun.elapsed() >= limit);
        }
        assert_eq!(within(Duration::from_secs(60), || Ok(7)).unwrap(), Some(Ok(7)));
        assert_eq!(within(Duration::from_secs(60), || Err::<(), _>(Errno::EBADF)).unwrap(), Some(Err(Errno::EBADF)));
    }

    #[test]
    fn a_thread_that_has_blocked_all_signals_is_interrupted_and_has_them_blocked_again() {
        let mut all = nix::sys::signal::SigSet::all();
        all.thread_block().unwrap();
        assert!(within(Duration::from_millis(20), never).unwrap().is_none());
        all = nix::sys::signal::SigSet::thread_get_mask().unwrap();
        assert!(all.contains(nix::sys::signal::Signal::SIGTERM));
        assert_eq!(nix::sys::signal::SigSet::thread_get_mask().unwrap(), all);
    }
}
