//! Where a task's result is awaited: [`RemoteHandle`].

use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use futures::future::FusedFuture;
use futures::task::noop_waker_ref;

use super::entry::Outcome;
use super::in_handle;
use super::reply::{OwnedTask, ReplySender, ReplySlot, ReplyState};
use crate::error::Error;
use crate::platform::{self, Packet};
use crate::schedule::HandleSignal;

/// The result of a task that was given to an executor, as a future.
///
/// It always resolves: to the task's value, or to an [`Error`] that says why there is none.
///
/// **Dropping the handle cancels the task**: one that has not begun by the time its worker gets the message never starts, an
/// asynchronous one is dropped at its next await, and a synchronous one that has begun finishes and its result is thrown
/// away; natively it can see that by [`is_cancelled`](crate::is_cancelled). [`forget`](Self::forget) lets it run instead, [`abort`](Self::abort) stops it even if that ends its worker. The handle
/// does not keep its executor alive.
///
/// ```
/// use futures::future::try_join;
/// use wasm_mt::{Thread, remote};
///
/// # wasm_mt::run(async {
/// let thread = Thread::new();
/// let text = thread.spawn_remote(remote!(|| "text".to_owned()));
/// let number = thread.spawn_remote(remote!(|| 5));
/// assert_eq!(try_join(text, number).await?, ("text".to_owned(), 5));
/// # Ok::<_, wasm_mt::Error>(())
/// # });
/// ```
#[must_use = "dropping a handle cancels its task; call `.forget()` to let it run"]
pub struct RemoteHandle<T> {
    slot: Arc<ReplySlot>,
    made_at: &'static Location<'static>,
    decode: fn(Packet) -> Result<T, Error>,
    taken: bool,
}

impl<T> RemoteHandle<T> {
    pub(super) fn new(
        made_at: &'static Location<'static>,
        decode: fn(Packet) -> Result<T, Error>,
    ) -> (ReplySender, Self) {
        let slot = ReplySlot::new();
        (ReplySender::new(slot.clone()), Self { slot, made_at, decode, taken: false })
    }

    /// Detaches the task: it runs to its end. Its result, or error, is thrown away.
    ///
    /// ```
    /// # use wasm_mt::{Executor, Pool, remote};
    /// # wasm_mt::run(async {
    /// let pool = Pool::new();
    /// pool.spawn_remote(remote!(|| wasm_mt::println!("saved"))).forget();
    /// pool.close().await; // waits for it
    /// # });
    /// ```
    pub fn forget(mut self) {
        let (_waker, owner, lazy) = match &mut *self.slot.lock() {
            // Where there is an event loop, that runs it.
            ReplyState::Waiting { waker, owner, lazy } => {
                (waker.take(), owner.take(), lazy.take_if(|_| !platform::HAS_EVENT_LOOP))
            }
            _ => (None, None, None),
        };
        self.taken = true;
        if let Some(owner) = owner {
            owner.signal(HandleSignal::Detach);
        }
        if let Some(lazy) = lazy {
            if !lazy.detach() {
                drop(self.slot.abandon());
            }
        }
    }

    /// Stops the task, with its worker if need be, and resolves the handle with an error that [`is_cancelled`](Error::is_cancelled),
    /// unless it has its answer already.
    ///
    /// A task that has not begun never starts; an asynchronous one is dropped at its next await. If it has not ended after
    /// a grace, 100 milliseconds or more (see [`PoolBuilder::grace`](crate::PoolBuilder::grace)), its worker is ended with it:
    /// in the browser where it is; natively the thread runs on until the task ends, and its result is ignored. A pool replaces that worker,
    /// and other tasks on it resolve with an error that [`is_worker_lost`](Error::is_worker_lost). A
    /// [`Thread`](crate::Thread) is lost. A task that runs on the thread of its own executor, an
    /// [`InlineExecutor`](crate::InlineExecutor) or [`Job::run`](crate::Job::run), is only ever stopped at an await.
    ///
    /// ```
    /// # use wasm_mt::{Pool, remote};
    /// # wasm_mt::run(async {
    /// let pool = Pool::new();
    /// let never = pool.spawn_remote(remote!(async { std::future::pending::<()>().await }));
    /// never.abort();
    /// assert!(never.await.unwrap_err().is_cancelled());
    /// # });
    /// ```
    pub fn abort(&self) {
        let owner = match &*self.slot.lock() {
            ReplyState::Waiting { owner, .. } => owner.clone(),
            _ => return,
        };
        match owner {
            Some(owner) => owner.signal(HandleSignal::Abort),
            // The job has no owner yet, or none that takes signals: it is found answered later.
            None => self.slot.answer(Err(Error::cancelled())),
        }
    }

    /// True once the task has its result, or failed: awaiting the handle gives it at once.
    ///
    /// ```
    /// # use wasm_mt::{Executor, Pool, remote};
    /// # wasm_mt::run(async {
    /// let pool = Pool::new();
    /// let handle = pool.spawn_remote(remote!(|| 6 * 7));
    /// pool.close().await; // when all tasks have ended
    /// assert!(handle.is_finished());
    /// assert_eq!(handle.await?, 42);
    /// # Ok::<_, wasm_mt::Error>(())
    /// # });
    /// ```
    #[must_use]
    pub fn is_finished(&self) -> bool {
        !matches!(*self.slot.lock(), ReplyState::Waiting { .. })
    }
}

impl<T> Future for RemoteHandle<T> {
    type Output = Result<T, Error>;

    /// # Panics
    ///
    /// If the handle is polled again after it gave its result. If a *synchronous* task waits for a task that it made: their
    /// worker does nothing else until it returns, so it would wait for ever. (A look at the handle itself by
    /// [`now_or_never`](futures::FutureExt::now_or_never) is no wait.)
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let polled = self.poll_result(context);
        if polled.is_pending() && self.is_blocked() {
            cannot_wait(context);
        }
        polled
    }
}

impl<T> RemoteHandle<T> {
    /// As `poll`, whether or not it may be waited for.
    pub(crate) fn poll_result(&mut self, context: &mut Context<'_>) -> Poll<Result<T, Error>> {
        assert!(!self.taken, "a RemoteHandle was polled after it had given its result");
        let mut answer = self.slot.take_answer(context.waker());
        // Where nothing else would run it, the task may be in here.
        if answer.is_none() && !platform::HAS_EVENT_LOOP && in_handle::drive(&self.slot, context) {
            answer = self.slot.take_answer(context.waker());
        }
        match answer {
            Some(outcome) => Poll::Ready(self.decode(outcome)),
            None => Poll::Pending,
        }
    }

    fn decode(&mut self, outcome: Outcome) -> Result<T, Error> {
        self.taken = true;
        outcome.and_then(self.decode).map_err(|error| error.of_task(self.made_at))
    }

    /// The result, if it is there.
    pub(crate) fn take_result(&mut self) -> Option<Result<T, Error>> {
        assert!(!self.taken, "a RemoteHandle was joined after it had given its result");
        let outcome = self.slot.take_answer(noop_waker_ref())?;
        Some(self.decode(outcome))
    }

    /// Runs the task if it lies here. False if it does not, or is not synchronous or has begun.
    pub(crate) fn run_in_place(&self) -> bool {
        in_handle::run(&self.slot)
    }

    /// Where the task is, if it has no result.
    pub(crate) fn owned_task(&self) -> Option<OwnedTask> {
        self.slot.owned_task()
    }

    /// There is no result, and the task cannot be run here.
    pub(crate) fn would_block(&self) -> Error {
        Error::would_block().of_task(self.made_at)
    }

    /// True if there is no result, and none will come while the code that runs now waits for it.
    pub(crate) fn is_blocked(&self) -> bool {
        self.slot.is_blocked()
    }
}

/// The code that runs is not to wait for what is blocked by it. A look is no wait.
pub(crate) fn cannot_wait(context: &Context<'_>) {
    assert!(
        is_noop(context.waker()),
        "a synchronous task cannot wait for a task that it made, since its worker does nothing else until it returns; \
         make it asynchronous: `remote!(async move {{ .. }})`, and await the handle"
    );
}

/// True if waking it does nothing.
fn is_noop(waker: &Waker) -> bool {
    waker.will_wake(noop_waker_ref()) || waker.will_wake(Waker::noop())
}

impl<T> FusedFuture for RemoteHandle<T> {
    fn is_terminated(&self) -> bool {
        self.taken
    }
}

impl<T> Drop for RemoteHandle<T> {
    fn drop(&mut self) {
        if self.taken {
            return;
        }
        if let ReplyState::Waiting { owner, lazy, .. } = self.slot.abandon() {
            if let Some(owner) = owner {
                owner.signal(HandleSignal::Cancel);
            }
            if let Some(lazy) = lazy.filter(|_| !platform::HAS_EVENT_LOOP) {
                lazy.discard();
            }
        }
    }
}

impl<T> fmt::Debug for RemoteHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RemoteHandle({})", self.made_at)
    }
}
