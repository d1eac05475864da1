//! Where threads race over state of ours, the orders of what they do are tried: all with at most one preemption, where
//! faults of such code show. `LOOM_MAX_PREEMPTIONS=2` tries more of them, for a minute.

use std::future::poll_fn;
use std::task::Poll;

use loom::future::block_on;
use loom::sync::Arc;
use loom::sync::atomic::AtomicUsize;
use loom::thread;

use loop_waker::LoopWaker;
use sync::Ordering;

#[path = "../../src/worker/loop_waker.rs"]
mod loop_waker;

/// What the module is made of here: each step of it is seen by the model.
mod sync {
    use std::task::Waker;

    pub(super) use loom::sync::atomic::{AtomicBool, Ordering, fence};

    pub(super) struct AtomicWaker(loom::future::AtomicWaker);

    impl AtomicWaker {
        pub(super) fn new() -> Self {
            Self(loom::future::AtomicWaker::new())
        }

        pub(super) fn register(&self, waker: &Waker) {
            self.0.register_by_ref(waker);
        }

        pub(super) fn wake(&self) {
            self.0.wake();
        }
    }
}

/// A loop that was not woken would wait for ever, which the model reports.
#[test]
fn a_loop_rests_only_when_everything_was_seen() {
    const THREADS: usize = 2;
    let mut model = loom::model::Builder::new();
    model.preemption_bound = model.preemption_bound.or(Some(1));
    model.check(|| {
        let shared = Arc::new((LoopWaker::new(), AtomicUsize::new(0)));
        for _ in 0..THREADS {
            let shared = shared.clone();
            thread::spawn(move || {
                let (waker, requests) = &*shared;
                requests.fetch_add(1, Ordering::Relaxed);
                waker.wake();
            });
        }
        let (waker, requests) = &*shared;
        let mut served = 0;
        block_on(poll_fn(|context| {
            waker.begin_turn(context.waker());
            while waker.take_wakes() {
                served = requests.load(Ordering::Relaxed);
            }
            let woken = waker.end_turn();
            if served == THREADS {
                return Poll::Ready(());
            }
            if woken {
                context.waker().wake_by_ref();
            }
            Poll::Pending
        }));
    });
}
