//! How threads wake a worker's loop.

use std::task::Waker;

use super::sync::{AtomicBool, AtomicWaker, Ordering, fence};

/// Wakes a loop that rests. While the loop runs that costs two flags: it looks by itself before it rests.
///
/// No wake is lost, since each side writes its flag, then passes a fence, then reads the flag of the other: a waking thread
/// sets `awake` and reads `busy`; the loop clears `busy` at the end of its turn and reads `awake`. Of two such fences one is
/// first, and what was written before it is seen after the other. So the thread sees that the loop rests, and wakes it, or
/// the loop sees that it must go on. `tests/races.rs` tries every order.
pub(super) struct LoopWaker {
    /// Wakes the loop when it rests.
    waker: AtomicWaker,
    /// Something has come. Cleared by the loop, before it looks.
    awake: AtomicBool,
    /// The loop runs, and looks at `awake` before it rests.
    busy: AtomicBool,
}

impl LoopWaker {
    pub(super) fn new() -> Self {
        Self { waker: AtomicWaker::new(), awake: AtomicBool::new(false), busy: AtomicBool::new(false) }
    }

    /// Something has come that the loop may not know of. On any thread.
    pub(super) fn wake(&self) {
        // Not a store: it would part the loop from what a thread did that woke it before.
        self.awake.swap(true, Ordering::Release);
        fence(Ordering::SeqCst);
        if !self.busy.load(Ordering::Relaxed) {
            self.waker.wake();
        }
    }

    /// The loop begins a turn, and is woken by `waker` after it.
    pub(super) fn begin_turn(&self, waker: &Waker) {
        self.waker.register(waker);
        self.busy.store(true, Ordering::Relaxed);
    }

    /// The loop ends its turn. True if it must have another before it rests: something has come meanwhile.
    pub(super) fn end_turn(&self) -> bool {
        self.busy.store(false, Ordering::Relaxed);
        fence(Ordering::SeqCst);
        self.is_awake()
    }

    /// True if something has come that the loop has not looked at.
    pub(super) fn is_awake(&self) -> bool {
        self.awake.load(Ordering::Relaxed)
    }

    /// True if something has come since this was asked last. The loop asks before it looks for what it is.
    pub(super) fn take_wakes(&self) -> bool {
        self.awake.swap(false, Ordering::Acquire)
    }
}
