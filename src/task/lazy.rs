//! Tasks that run where and when their handles are polled.
//!
//! Until its first poll such a task lies in the slot of its handle, and may be sent with it. Then it becomes a future, which
//! cannot leave its thread: that lies in a table of the thread, and the slot holds its number.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::mem::{self, ManuallyDrop};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::task::{Context, Waker};

use futures::future::LocalBoxFuture;

use crate::error::Error;
use crate::platform;
use crate::schedule::TaskKind;

/// Makes the future that runs the task and answers its handle. It runs nothing of the task itself.
pub(super) type Begin = Box<dyn FnOnce() -> LocalBoxFuture<'static, ()> + Send>;

/// The handle of a task that it runs itself.
pub(super) trait Wanted: Send + Sync {
    /// True if the task may be awaited.
    fn is_wanted(&self) -> bool;
}

/// A task that waits for its handle to be polled.
pub(super) enum Lazy {
    /// -> `Begun`, by the first poll.
    Unbegun(Begin, TaskKind),
    /// Its future has this number in the table of the thread on which it began.
    Begun(u64),
}

/// A future that has begun.
struct Begun {
    /// `None` while it is polled.
    future: Option<LocalBoxFuture<'static, ()>>,
    handle: Arc<dyn Wanted>,
}

/// The futures of a thread.
struct LocalFutures {
    begun: BTreeMap<u64, Begun>,
    /// How many handles had left a future behind, when that was looked at last.
    orphans: usize,
}

thread_local! {
    /// Not dropped with the thread, whose own values may run tasks when they are.
    static LOCAL_FUTURES: RefCell<ManuallyDrop<LocalFutures>> =
        const { RefCell::new(ManuallyDrop::new(LocalFutures { begun: BTreeMap::new(), orphans: 0 })) };
    /// Empties the table when the thread ends.
    static AT_THREAD_END: AtThreadEnd = const { AtThreadEnd };
}

struct AtThreadEnd;

impl Drop for AtThreadEnd {
    fn drop(&mut self) {
        drop(LOCAL_FUTURES.with_borrow_mut(|here| mem::take(&mut here.begun)));
    }
}

/// So many tasks may wait for one another on one thread: each is polled by the one that waits for it, on one stack.
const MAX_NESTED: u32 = 128;

/// A task that is polled, maybe by another.
pub(super) struct NestedPoll(());

thread_local! {
    static NESTED: Cell<u32> = const { Cell::new(0) };
}

impl NestedPoll {
    /// Fails if there are too many.
    pub(super) fn enter() -> Result<Self, Error> {
        let nested = NESTED.get();
        if nested == MAX_NESTED {
            return Err(too_deep());
        }
        NESTED.set(nested + 1);
        Ok(Self(()))
    }
}

impl Drop for NestedPoll {
    fn drop(&mut self) {
        NESTED.set(NESTED.get() - 1);
    }
}

#[cold]
fn too_deep() -> Error {
    Error::panic(
        format!(
            "more than {MAX_NESTED} tasks wait for one another on one thread, which would exhaust its stack; \
             let a task wait for fewer within one another, or give them to a `Pool`"
        ),
        None,
    )
}

/// How many handles have gone that were on another thread than the future of their task.
static ORPHANS: AtomicUsize = AtomicUsize::new(0);

impl Lazy {
    /// Begins the task, if it has not begun. Gives its number.
    pub(super) fn begin(self, handle: Arc<dyn Wanted>) -> u64 {
        static LAST_NUMBER: AtomicU64 = AtomicU64::new(0);

        let begin = match self {
            Self::Unbegun(begin, _) => begin,
            Self::Begun(number) => return number,
        };
        drop(take_orphans());
        // Later than that nothing is left here but by a handle that leaves its thread in the middle of its task.
        let _registered = AT_THREAD_END.try_with(|_| ());
        let number = LAST_NUMBER.fetch_add(1, Ordering::Relaxed);
        let begun = Begun { future: Some(begin()), handle };
        let _none = LOCAL_FUTURES.with_borrow_mut(|here| here.begun.insert(number, begun));
        number
    }

    /// True if the task waits, and can go on on this thread.
    pub(super) fn is_free(&self) -> bool {
        match self {
            Self::Unbegun(..) => true,
            // Not while it is polled.
            Self::Begun(number) => LOCAL_FUTURES
                .with_borrow(|here| here.begun.get(number).is_some_and(|begun| begun.future.is_some())),
        }
    }

    /// True if it has not begun and is of this kind.
    pub(super) fn is_unbegun(&self, wanted: TaskKind) -> bool {
        matches!(self, Self::Unbegun(_, kind) if *kind == wanted)
    }

    /// Nobody waits for the task any more.
    pub(super) fn discard(self) {
        if let Self::Begun(number) = self {
            match LOCAL_FUTURES.with_borrow_mut(|here| here.begun.remove(&number)) {
                Some(begun) => drop(begun),
                None => orphan(),
            }
        }
    }

    /// Lets the task run on without its handle: beside the others of this thread where there is a pool for that, else to
    /// its first await that is not ready. False if it has begun on another thread: then it must not be awaited.
    pub(super) fn detach(self) -> bool {
        let future = match self {
            Self::Unbegun(begin, _) => Some(begin()),
            Self::Begun(number) => LOCAL_FUTURES.with_borrow_mut(|here| here.begun.remove(&number)?.future),
        };
        let Some(mut future) = future else {
            orphan();
            return false;
        };
        if platform::has_local_pool() {
            platform::spawn_local(future);
        } else if let Ok(_nested) = NestedPoll::enter() {
            let ended = future.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            drop((ended, future));
        }
        true
    }
}

/// Takes the future with this number out of its place, to be polled. `None`: it is not on this thread; `Some(None)`: it is
/// being polled.
pub(super) fn take_future(number: u64) -> Option<Option<LocalBoxFuture<'static, ()>>> {
    LOCAL_FUTURES.with_borrow_mut(|here| here.begun.get_mut(&number).map(|begun| begun.future.take()))
}

/// Puts a future back that was polled, or forgets it if it has ended.
pub(super) fn put_back(number: u64, future: LocalBoxFuture<'static, ()>, ended: bool) {
    let rest = LOCAL_FUTURES.with_borrow_mut(|here| {
        if ended {
            return (here.begun.remove(&number), Some(future));
        }
        match here.begun.get_mut(&number) {
            Some(begun) => (None, begun.future.replace(future)),
            None => (None, Some(future)),
        }
    });
    // Dropping it runs the task's code.
    drop(rest);
}

/// The handle of a task is gone whose future is on another thread.
pub(super) fn orphan() {
    ORPHANS.fetch_add(1, Ordering::Relaxed);
}

/// The futures here whose handles are gone, if some may have been orphans.
fn take_orphans() -> BTreeMap<u64, Begun> {
    let orphans = ORPHANS.load(Ordering::Relaxed);
    LOCAL_FUTURES.with_borrow_mut(|here| {
        if mem::replace(&mut here.orphans, orphans) == orphans {
            return BTreeMap::new();
        }
        let (waiting, gone) =
            mem::take(&mut here.begun).into_iter().partition(|(_, begun)| begun.handle.is_wanted());
        here.begun = waiting;
        gone
    })
}
