//! Which thread receives the next request: one that is awake, and only one.
//!
//! Who works with files asks again as soon as it is answered, and to wake a thread that sleeps takes longer than most requests
//! do. So a thread that has answered looks for the next request for a moment before it sleeps; where nothing comes, it looks
//! less and less often. A file system that nobody uses costs nothing.
//!
//! ```text
//!   receiving ──request──▶ working ──answered──▶ nobody receives? look for a moment, then receiving (asleep in the kernel)
//!       ▲                     │                  else waiting, here
//!       └───── waiting ◀──────┘ calls one, if what it does may take long, or if requests pile up
//! ```
//!
//! The others wait here, as the kernel would wake one of them for every request, in vain. After work that has taken long, as on
//! a disk that is slow just now, one is called for each of the next requests.
//!
//! To close the last descriptor of a removed file takes as long as most requests do, since then its blocks are given back. Nobody
//! waits for that, so it is done while nothing else is to do.

use std::cell::{Cell, RefCell};
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::overlay::inode::lock;

/// For how long a thread looks: what it takes to wake one.
const MOMENT: Duration = Duration::from_micros(30);
/// After so many vain looks one in 2^n turns is used to look.
const MOST_VAIN: u32 = 5;
/// Work that has taken longer than a thread needs to wake is long, and likely to be followed by more of that kind.
const LONG: Duration = Duration::from_millis(1);
const AFTER_LONG: u32 = 8;
/// So many requests that lay ready, one after the other, are more than one thread can do: to wake another costs as much as some.
const PILE: u32 = 16;
/// How many descriptors wait to be closed at most.
const CLOSING: usize = 32;

/// The turns of all threads of a session.
#[derive(Debug)]
pub struct Turns {
    device: OwnedFd,
    threads: Mutex<Threads>,
    called: Condvar,
    /// For how many requests more somebody is called.
    after_long: AtomicU32,
}

#[derive(Debug, Default)]
struct Threads {
    /// Of those that have had a turn: such a one tells the others when it leaves.
    receiving: usize,
    waiting: usize,
    /// How many of those who wait are to receive, whoever does already.
    calls: usize,
    /// One has left: the session is over.
    over: bool,
}

/// What a thread knows of itself.
#[derive(Debug)]
struct Seat {
    turns: Arc<Turns>,
    begun: Cell<Instant>,
    /// The last that had no turn.
    request: Cell<u64>,
    turn: Cell<u32>,
    vain: Cell<u32>,
    ready: Cell<u32>,
    /// What is to be closed when there is nothing else to do.
    closing: RefCell<Vec<Arc<OwnedFd>>>,
}

impl Drop for Seat {
    fn drop(&mut self) {
        lock(&self.turns.threads).over = true;
        self.turns.called.notify_all();
    }
}

/// A request's way through this thread.
#[must_use]
#[derive(Debug)]
pub struct Turn<'a>(&'a Turns);

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.end();
    }
}

thread_local!(static SEAT: RefCell<Option<Seat>> = const { RefCell::new(None) });

/// Says that what this thread does next may take long, or needs another thread: one that waits receives meanwhile.
pub fn long_work() {
    SEAT.with_borrow(|seat| {
        if let Some(seat) = seat {
            seat.turns.call();
        }
    });
}

/// Takes a lock that may be held for long: another thread receives meanwhile, the one that the holder waits for, it may be.
pub fn lock_patiently<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    match mutex.try_lock() {
        Ok(guard) => guard,
        Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
        Err(TryLockError::WouldBlock) => {
            long_work();
            lock(mutex)
        }
    }
}

/// Gives up a file, if there is one: this thread closes it soon, unless somebody else has it.
pub fn close_later(file: Option<Arc<OwnedFd>>) {
    SEAT.with_borrow(|seat| {
        if let (Some(seat), Some(file)) = (seat, file) {
            let mut closing = seat.closing.borrow_mut();
            closing.truncate(CLOSING - 1);
            closing.push(file);
        }
    });
}

impl Turns {
    pub fn new(device: OwnedFd) -> Arc<Self> {
        Arc::new(Self { device, threads: Mutex::default(), called: Condvar::new(), after_long: AtomicU32::new(0) })
    }

    /// This thread has received a request, and answers it before the turn is dropped.
    pub fn begin(self: &Arc<Self>) -> Turn<'_> {
        SEAT.with_borrow_mut(|seat| {
            if seat.is_some() {
                let mut threads = lock(&self.threads);
                threads.receiving = threads.receiving.saturating_sub(1);
            }
            let new = || Seat {
                turns: self.clone(),
                begun: Cell::new(Instant::now()),
                request: Cell::new(0),
                turn: Cell::new(0),
                vain: Cell::new(0),
                ready: Cell::new(0),
                closing: RefCell::default(),
            };
            seat.get_or_insert_with(new).begun.set(Instant::now());
        });
        let after_long = self.after_long.load(Ordering::Relaxed);
        if after_long > 0 {
            self.after_long.store(after_long - 1, Ordering::Relaxed);
            self.call();
        }
        Turn(self)
    }

    /// This thread has answered. When this returns it is to receive.
    fn end(&self) {
        SEAT.with_borrow(|seat| {
            let Some(seat) = seat else { return };
            if seat.begun.get().elapsed() > LONG {
                self.after_long.store(AFTER_LONG, Ordering::Relaxed);
            }
            self.wait(seat);
            self.look(seat);
        });
    }

    /// This thread has done (a part of) a request that has no answer and no turn of its own.
    pub fn go_on(&self, request: u64) {
        SEAT.with_borrow(|seat| match seat {
            Some(seat) if seat.request.replace(request) != request => self.look(seat),
            Some(seat) => self.close(seat),
            None => {}
        });
    }

    fn wait(&self, seat: &Seat) {
        let mut threads = lock(&self.threads);
        if threads.receiving > 0 && threads.calls == 0 {
            // It may be long until this thread is called.
            drop(threads);
            seat.closing.take();
            threads = lock(&self.threads);
        }
        threads.waiting += 1;
        while threads.receiving > 0 && threads.calls == 0 && !threads.over {
            threads = self.called.wait(threads).unwrap_or_else(PoisonError::into_inner);
        }
        threads.waiting -= 1;
        threads.calls = threads.calls.saturating_sub(1);
        threads.receiving += 1;
    }

    fn look(&self, seat: &Seat) {
        seat.turn.set(seat.turn.get().wrapping_add(1));
        let moment = if seat.turn.get().is_multiple_of(1 << seat.vain.get()) { MOMENT } else { Duration::ZERO };
        if moment.is_zero() && seat.closing.borrow().is_empty() {
            return;
        }
        if self.is_ready() {
            seat.ready.set(seat.ready.get() + 1);
            if seat.ready.get() >= PILE {
                seat.ready.set(0);
                self.call();
            }
            return self.close(seat);
        }
        seat.ready.set(0);
        let begin = Instant::now();
        while seat.closing.borrow_mut().pop().is_some() || begin.elapsed() < moment {
            if self.is_ready() {
                seat.vain.set(0);
                return self.close(seat);
            }
        }
        if !moment.is_zero() {
            seat.vain.set((seat.vain.get() + 1).min(MOST_VAIN));
        }
    }

    /// Closes what is left to close, unless this thread receives a request now: one lies ready, and nobody else could take it.
    fn close(&self, seat: &Seat) {
        if !seat.closing.borrow().is_empty() && (lock(&self.threads).receiving > 1 || !self.is_ready()) {
            seat.closing.take();
        }
    }

    fn is_ready(&self) -> bool {
        let mut fds = [PollFd::new(&self.device, PollFlags::IN)];
        poll(&mut fds, Some(&Timespec { tv_sec: 0, tv_nsec: 0 })).is_ok_and(|ready| ready > 0)
    }

    /// Has a thread that waits receive.
    fn call(&self) {
        let mut threads = lock(&self.threads);
        if threads.calls < threads.waiting {
            threads.calls += 1;
            self.called.notify_one();
        }
    }
}
