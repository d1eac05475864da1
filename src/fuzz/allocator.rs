#![expect(unsafe_code, reason = "an allocator is called through a trait that is unsafe")]
//! An allocator that counts, thread by thread, how much memory is taken.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

/// The system's allocator, which counts.
#[derive(Debug)]
pub struct CountingAllocator;

thread_local! {
    static TAKEN: Cell<isize> = const { Cell::new(0) };
    static MOST: Cell<isize> = const { Cell::new(0) };
}

fn count(taken: isize) {
    // Threads that end may allocate when their thread-locals are gone.
    let count = |counter: &Cell<isize>| {
        counter.set(counter.get() + taken);
        counter.get()
    };
    if let Ok(now) = TAKEN.try_with(count) {
        MOST.try_with(|most| most.set(most.get().max(now))).unwrap_or(());
    }
}

// SAFETY: all is done by the system's allocator; counting neither allocates nor unwinds.
unsafe impl GlobalAlloc for CountingAllocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as isize);
        // SAFETY: the caller's contract.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        count(-(layout.size() as isize));
        // SAFETY: the caller's contract.
        unsafe { System.dealloc(place, layout) }
    }

    unsafe fn realloc(&self, place: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // Both may be there for a moment.
        count(size as isize);
        count(-(layout.size() as isize));
        // SAFETY: the caller's contract.
        unsafe { System.realloc(place, layout, size) }
    }
}

/// How much memory was taken at most, beyond what was before.
pub(super) fn most_taken(run: impl FnOnce()) -> usize {
    let before = TAKEN.get();
    MOST.set(before);
    run();
    usize::try_from(MOST.get() - before).unwrap_or(0)
}
