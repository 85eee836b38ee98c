//! Memory that a process which waits for hours need not hold.

use std::fs;

/// Unmaps this program's code and constants from memory; what is touched again is mapped again, from the page cache.
///
/// A process that starts touches half of the program, and the kernel maps more around each page that it touches; one that
/// then waits needs a few of them. Whatever can't be released stays.
pub fn release_program_pages() {
    let (Ok(program), Ok(maps)) = (fs::read_link("/proc/self/exe"), fs::read_to_string("/proc/self/maps")) else {
        return;
    };
    for line in maps.lines() {
        let Some((start, length)) = program.to_str().and_then(|program| pristine(line, program)) else { continue };
        // SAFETY: the range is a private file mapping of this program that has never been writable (see `pristine`), so its
        // pages equal the file's and come back from it when they are touched; the file can't change while it is executed
        // (ETXTBSY). Nothing is freed that Rust owns.
        unsafe { libc::madvise(start as *mut libc::c_void, length, libc::MADV_DONTNEED) };
    }
}

/// Gives back to the system what was freed: the allocator keeps it for the next time, which may never come.
pub fn release_freed() {
    #[cfg(target_env = "gnu")]
    // SAFETY: malloc_trim(3) takes a number by value and touches free memory alone.
    unsafe {
        libc::malloc_trim(0)
    };
}

/// From so many bytes on, an allocation has pages of its own, which come when they are touched and go when it is freed: for who has
/// many buffers that may stay empty.
pub fn give_pages_from(bytes: i32) {
    #[cfg(target_env = "gnu")]
    // SAFETY: mallopt(3) takes two numbers by value; the option only says how later allocations are made.
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, bytes)
    };
    #[cfg(not(target_env = "gnu"))]
    let _ = bytes;
}

/// The range of a line of proc_pid_maps(5) that maps code, or the constants at the file's start. Constants further on may be
/// such as the loader wrote before it made them read-only.
fn pristine(line: &str, program: &str) -> Option<(usize, usize)> {
    let mut fields = line.split_whitespace();
    let (range, mode, offset) = (fields.next()?, fields.next()?, fields.next()?);
    let at_start = usize::from_str_radix(offset, 16).ok()? == 0;
    if fields.nth(2)? != program || !(mode == "r-xp" || mode == "r--p" && at_start) {
        return None;
    }
    let (start, end) = range.split_once('-')?;
    let (start, end) = (usize::from_str_radix(start, 16).ok()?, usize::from_str_radix(end, 16).ok()?);
    Some((start, end.checked_sub(start)?))
}

/// How often this thread has asked for memory since it began: for tests of what is to take none.
#[cfg(test)]
pub fn allocations() -> usize {
    counted::ALLOCATIONS.get()
}

#[cfg(test)]
mod counted {
    use std::alloc::{GlobalAlloc, Layout, System};
    use std::cell::Cell;

    thread_local!(pub static ALLOCATIONS: Cell<usize> = const { Cell::new(0) });

    struct Counted;

    #[global_allocator]
    static ALLOCATOR: Counted = Counted;

    // SAFETY: every call goes on to the system's allocator as it came, under the same conditions. What counts neither allocates
    // (a constant at first, and nothing to drop at the thread's end) nor panics.
    unsafe impl GlobalAlloc for Counted {
        unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
            ALLOCATIONS.set(ALLOCATIONS.get() + 1);
            // SAFETY: the caller's word for `layout` is passed on.
            unsafe { System.alloc(layout) }
        }

        unsafe fn realloc(&self, old: *mut u8, layout: Layout, size: usize) -> *mut u8 {
            ALLOCATIONS.set(ALLOCATIONS.get() + 1);
            // SAFETY: likewise, and `old` came from the same allocator.
            unsafe { System.realloc(old, layout, size) }
        }

        unsafe fn dealloc(&self, old: *mut u8, layout: Layout) {
            // SAFETY: likewise.
            unsafe { System.dealloc(old, layout) };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::pristine;

    #[test]
    fn only_code_and_first_constants_are_pristine() {
        let range = |line| pristine(line, "/bin/p");
        assert_eq!(range("00200000-00300000 r--p 00000000 fe:00 7 /bin/p"), Some((0x20_0000, 0x10_0000)));
        assert_eq!(range("00300000-00400000 r-xp 00100000 fe:00 7 /bin/p"), Some((0x30_0000, 0x10_0000)));
        for other in [
            "00400000-00500000 r--p 00200000 fe:00 7 /bin/p",
            "00400000-00500000 rw-p 00200000 fe:00 7 /bin/p",
            "00400000-00500000 r-xp 00000000 fe:00 7 /lib/x",
            "00400000-00500000 rw-p 00000000 00:00 0",
            "",
        ] {
            assert_eq!(range(other), None, "{other}");
        }
    }
}
