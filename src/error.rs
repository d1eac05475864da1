//! The one error type of the crate: an opaque value with predicates.

use std::any::Any;
use std::fmt;
use std::panic::Location;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Why a task has no result.
///
/// Opaque on purpose: ask with the `is_*` predicates, show it with [`Display`](fmt::Display). The text says what
/// failed and what to do about it, and names the task by the place of the call that made it.
///
/// An error is text only, so it can be cloned, sent, encoded and be the result of another task. For the same reason it has no
/// [`source`](std::error::Error::source): what caused it is in its text.
///
/// An executor of your own makes errors by [`closed`](Self::closed), [`cancelled`](Self::cancelled) and
/// [`other`](Self::other), for [`Job::fail`](crate::Job::fail).
///
/// ```
/// # use wasm_mt::Error;
/// fn advice(error: &Error) -> &'static str {
///     if error.is_panic() {
///         "fix the task"
///     } else if error.is_worker_lost() {
///         "run it again"
///     } else {
///         "read the text"
///     }
/// }
/// ```
#[derive(Clone, Serialize, Deserialize)]
pub struct Error(#[serde(with = "shared")] pub(crate) Arc<ErrorInner>);

/// Flat, and shared by all copies, so that little code copies, drops and encodes it: every program has that code.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct ErrorInner {
    pub(crate) kind: ErrorKind,
    /// What is particular about it: a message, a cause, a limit.
    pub(crate) what: String,
    /// The place of a panic, or the stack of an exception. May be empty.
    pub(crate) place: String,
    /// Names the task. Empty if it is not known.
    pub(crate) task: String,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum ErrorKind {
    Panic,
    WorkerLost,
    Cancelled,
    Timeout,
    Closed,
    Startup,
    Codec,
    QueueFull,
    Js,
    Other,
    WouldBlock,
}

/// The place of what happened to a channel, and to no task.
const CHANNEL: &str = "channel";
/// That of what happened to the object of an actor, before a call.
const ACTOR: &str = "actor";

impl Error {
    /// The executor is closed, and does not run the task: [`is_closed`](Self::is_closed).
    ///
    /// ```
    /// # use futures::task::{FutureObj, Spawn, SpawnError};
    /// # use wasm_mt::{Error, Executor, ExecutorExt, Job, remote};
    /// # struct Shut;
    /// # impl Spawn for Shut {
    /// #     fn spawn_obj(&self, _: FutureObj<'static, ()>) -> Result<(), SpawnError> {
    /// #         Err(SpawnError::shutdown())
    /// #     }
    /// # }
    /// impl Executor for Shut {
    ///     fn submit(&self, job: Job) {
    ///         job.fail(Error::closed());
    ///     }
    /// #     fn concurrency(&self) -> usize {
    /// #         1
    /// #     }
    /// }
    ///
    /// # wasm_mt::run(async {
    /// let error = Shut.spawn_remote(remote!(|| 6 * 7)).await.unwrap_err();
    /// assert!(error.is_closed());
    /// # });
    /// ```
    #[must_use]
    pub fn closed() -> Self {
        Self::new(ErrorKind::Closed, String::new())
    }

    /// The task was aborted: [`is_cancelled`](Self::is_cancelled).
    ///
    /// ```
    /// # use std::sync::Mutex;
    /// # use futures::task::{FutureObj, Spawn, SpawnError};
    /// # use wasm_mt::{Error, Executor, ExecutorExt, Job, remote};
    /// # #[derive(Default)]
    /// # struct Queue(Mutex<Vec<Job>>);
    /// # impl Spawn for Queue {
    /// #     fn spawn_obj(&self, _: FutureObj<'static, ()>) -> Result<(), SpawnError> {
    /// #         Err(SpawnError::shutdown())
    /// #     }
    /// # }
    /// # impl Executor for Queue {
    /// #     fn submit(&self, job: Job) {
    /// #         self.0.lock().unwrap().push(job);
    /// #     }
    /// #     fn concurrency(&self) -> usize {
    /// #         1
    /// #     }
    /// # }
    /// impl Queue {
    ///     fn clear(&self) {
    ///         self.0.lock().unwrap().drain(..).for_each(|job| job.fail(Error::cancelled()));
    ///     }
    /// }
    ///
    /// # wasm_mt::run(async {
    /// let queue = Queue::default();
    /// let handle = queue.spawn_remote(remote!(|| 6 * 7));
    /// queue.clear();
    /// assert!(handle.await.unwrap_err().is_cancelled());
    /// # });
    /// ```
    #[must_use]
    pub fn cancelled() -> Self {
        Self::new(ErrorKind::Cancelled, String::new())
    }

    /// What an executor has to say beyond that: [`is_other`](Self::is_other).
    ///
    /// `text` says what went wrong and what to do, without a full stop; the error shows it behind the task's place.
    ///
    /// ```
    /// let error = wasm_mt::Error::other("no host of the fleet answers; start one");
    /// assert_eq!(error.to_string(), "failed to run a task: no host of the fleet answers; start one");
    /// ```
    #[must_use]
    pub fn other(text: impl Into<String>) -> Self {
        Self::new(ErrorKind::Other, text.into())
    }

    /// True if the task itself panicked, or made its worker trap.
    ///
    /// A panic's message and place are in the text also if the program sets a panic hook of its own, be it in a task. While it
    /// keeps a hook that it has taken ([`take_hook`](std::panic::take_hook)), natively the place may be missing, and in a
    /// browser the message too if the same poll panics.
    ///
    /// ```
    /// # use wasm_mt::remote;
    /// # wasm_mt::run(async {
    /// let list = vec![1, 2];
    /// let error = remote!(move || list[2]).await.unwrap_err();
    /// assert!(error.is_panic());
    /// assert!(error.to_string().contains("index out of bounds"));
    /// # });
    /// ```
    #[must_use]
    pub fn is_panic(&self) -> bool {
        self.0.kind == ErrorKind::Panic
    }

    /// True if the worker was stopped before it could answer, or the task's reply was dropped unanswered. From a
    /// [`Receiver`](crate::Receiver): a worker that had a sender of the channel was lost.
    ///
    /// ```
    /// # use wasm_mt::{Thread, remote};
    /// # wasm_mt::run(async {
    /// let thread = Thread::new();
    /// let other = thread.spawn_remote(remote!(async { std::future::pending::<()>().await }));
    /// let faulty = thread.spawn_remote(remote!(|| -> u32 { panic!("a bug") }));
    /// assert!(faulty.await.unwrap_err().is_panic());
    /// assert!(other.await.unwrap_err().is_worker_lost());
    /// # });
    /// ```
    #[must_use]
    pub fn is_worker_lost(&self) -> bool {
        self.0.kind == ErrorKind::WorkerLost
    }

    /// True if the task was aborted.
    ///
    /// ```
    /// # use wasm_mt::{Pool, remote};
    /// # wasm_mt::run(async {
    /// let pool = Pool::new();
    /// let search = pool.spawn_remote(remote!(async { std::future::pending::<u32>().await }));
    /// search.abort();
    /// let found = match search.await {
    ///     Err(error) if error.is_cancelled() => None,
    ///     found => Some(found?),
    /// };
    /// assert_eq!(found, None);
    /// # Ok::<_, wasm_mt::Error>(())
    /// # });
    /// ```
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.0.kind == ErrorKind::Cancelled
    }

    /// True if the task ran longer than its time limit.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use wasm_mt::remote;
    /// # wasm_mt::run(async {
    /// let endless = remote!(async { std::future::pending::<()>().await });
    /// let error = endless.timeout(Duration::from_millis(20)).await.unwrap_err();
    /// assert!(error.is_timeout());
    /// assert!(error.to_string().contains("20 ms"));
    /// # });
    /// ```
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        self.0.kind == ErrorKind::Timeout
    }

    /// True if the executor was closed, terminated or dropped before the task had its result. From a [`Sender`](crate::Sender):
    /// the channel has no receiver any more.
    ///
    /// ```
    /// # use wasm_mt::{Pool, remote};
    /// # wasm_mt::run(async {
    /// let pool = Pool::new();
    /// let handle = pool.spawn_remote(remote!(async { std::future::pending::<()>().await }));
    /// drop(pool);
    /// assert!(handle.await.unwrap_err().is_closed());
    /// # });
    /// ```
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.0.kind == ErrorKind::Closed
    }

    /// True if the worker could not be started.
    ///
    /// ```
    /// # use wasm_mt::{Thread, remote};
    /// # wasm_mt::run(async {
    /// let thread = Thread::builder().on_start(remote!(|| panic!("no logger"))).build();
    /// let error = thread.spawn_remote(remote!(|| 6 * 7)).await.unwrap_err();
    /// assert!(error.is_startup());
    /// assert!(error.to_string().contains("no logger"));
    /// # });
    /// ```
    #[must_use]
    pub fn is_startup(&self) -> bool {
        self.0.kind == ErrorKind::Startup
    }

    /// True if an argument, a result or a value of a channel could not be encoded or decoded.
    ///
    /// ```
    /// # use wasm_mt::remote;
    /// # wasm_mt::run(async {
    /// // This type asks what comes next, which the encoding does not say: it needs a `Described`.
    /// let error = remote!(|| serde_json::json!([1, 2])).await.unwrap_err();
    /// assert!(error.is_codec());
    /// # });
    /// ```
    #[must_use]
    pub fn is_codec(&self) -> bool {
        self.0.kind == ErrorKind::Codec
    }

    /// True if the executor's queue, or the channel, was full and waiting was not wanted.
    ///
    /// ```
    /// # use wasm_mt::{ExecutorExt, Pool, Strategy, remote};
    /// # wasm_mt::run(async {
    /// let pool = Pool::builder().strategy(Strategy::Serial).max_queue(0).build();
    /// let running = pool.spawn_remote(remote!(async { std::future::pending::<()>().await }));
    /// let refused = pool.try_spawn_remote(remote!(|| 6 * 7));
    /// assert!(refused.unwrap_err().is_queue_full());
    /// # });
    /// ```
    #[must_use]
    pub fn is_queue_full(&self) -> bool {
        self.0.kind == ErrorKind::QueueFull
    }

    /// True if JavaScript threw an exception.
    ///
    /// ```ignore (web only)
    /// let error = exec_js("return document.title;").await.unwrap_err();
    /// assert!(error.is_js()); // a worker has no document
    /// ```
    #[must_use]
    pub fn is_js(&self) -> bool {
        self.0.kind == ErrorKind::Js
    }

    /// True if a task was [joined](crate::RemoteHandle::join) that has no result yet and cannot be run where it is joined.
    ///
    /// ```
    /// # use wasm_mt::{Pool, remote};
    /// # wasm_mt::run(async {
    /// let pool = Pool::new();
    /// let mut handle = pool.spawn_remote(remote!(async { 6 * 7 }));
    /// assert_eq!(
    ///     match handle.join() {
    ///         Err(error) if error.is_would_block() => handle.await?,
    ///         result => result?,
    ///     },
    ///     42
    /// );
    /// # Ok::<_, wasm_mt::Error>(())
    /// # });
    /// ```
    #[must_use]
    pub fn is_would_block(&self) -> bool {
        self.0.kind == ErrorKind::WouldBlock
    }

    /// True if an executor outside this crate said so, by [`Error::other`].
    ///
    /// ```
    /// # use futures::task::{FutureObj, Spawn, SpawnError};
    /// # use wasm_mt::{Error, Executor, ExecutorExt, Job, remote};
    /// # struct Shut;
    /// # impl Spawn for Shut {
    /// #     fn spawn_obj(&self, _: FutureObj<'static, ()>) -> Result<(), SpawnError> {
    /// #         Err(SpawnError::shutdown())
    /// #     }
    /// # }
    /// impl Executor for Shut {
    ///     fn submit(&self, job: Job) {
    ///         job.fail(Error::other("the licence has expired"));
    ///     }
    /// #     fn concurrency(&self) -> usize {
    /// #         1
    /// #     }
    /// }
    ///
    /// # wasm_mt::run(async {
    /// let error = Shut.spawn_remote(remote!(|| 6 * 7)).await.unwrap_err();
    /// assert!(error.is_other() && !error.is_closed());
    /// # });
    /// ```
    #[must_use]
    pub fn is_other(&self) -> bool {
        self.0.kind == ErrorKind::Other
    }

    pub(crate) fn panic(message: impl Into<String>, location: Option<String>) -> Self {
        Self::at(ErrorKind::Panic, message.into(), location.unwrap_or_default())
    }

    pub(crate) fn worker_lost(cause: impl Into<String>) -> Self {
        Self::new(ErrorKind::WorkerLost, cause.into())
    }

    /// A channel has lost a sender with its worker.
    pub(crate) fn sender_lost() -> Self {
        let lost = "a worker that had a sender of the channel was lost, and what it sent last may be too";
        Self::at(ErrorKind::WorkerLost, lost.into(), CHANNEL.into())
    }

    pub(crate) fn object_lost() -> Self {
        let text = "its object was lost with a worker; have it made anew by `restart`, or make another actor";
        Self::at(ErrorKind::WorkerLost, text.into(), ACTOR.into())
    }

    /// A channel has no receiver.
    pub(crate) fn no_receiver() -> Self {
        let gone = "the channel has no receiver any more; stop sending";
        Self::at(ErrorKind::Closed, gone.into(), CHANNEL.into())
    }

    /// A channel holds as much as it may.
    pub(crate) fn channel_full() -> Self {
        let full = "the channel is full; await `send`, or give it a larger capacity";
        Self::at(ErrorKind::QueueFull, full.into(), CHANNEL.into())
    }

    /// The task ran for longer than it may.
    pub(crate) fn timeout(limit: Duration) -> Self {
        Self::late(limit, "")
    }

    /// The code that runs has used up its time.
    pub(crate) fn out_of_time() -> Self {
        Self::new(ErrorKind::Timeout, "time".to_owned())
    }

    /// The task ran for longer than it may, and may run on.
    pub(crate) fn timeout_running_on(limit: Duration) -> Self {
        Self::late(limit, "; its thread runs on until its code returns, or in a browser calls JavaScript")
    }

    fn late(limit: Duration, more: &str) -> Self {
        // Not by `Debug`, which would bring the code that formats fractions into every program.
        Self::new(ErrorKind::Timeout, format!("{} ms{more}", limit.as_millis() as u64))
    }

    pub(crate) fn would_block() -> Self {
        let what = "it cannot be joined here: it is asynchronous, has begun, or is on another worker; `.await` its handle";
        Self::new(ErrorKind::WouldBlock, what.to_owned())
    }

    pub(crate) fn queue_full() -> Self {
        Self::new(ErrorKind::QueueFull, String::new())
    }

    /// `cause` is "what went wrong; what to do", without a full stop.
    pub(crate) fn startup(cause: impl Into<String>) -> Self {
        Self::new(ErrorKind::Startup, cause.into())
    }

    /// `cause` is "what went wrong; what to do", without a full stop.
    pub(crate) fn codec(cause: impl Into<String>) -> Self {
        Self::new(ErrorKind::Codec, cause.into())
    }

    #[cfg_attr(
        not(target_family = "wasm"),
        expect(dead_code, reason = "only the web has JavaScript exceptions")
    )]
    pub(crate) fn js(message: impl Into<String>, stack: impl Into<String>) -> Self {
        Self::at(ErrorKind::Js, message.into(), stack.into())
    }

    #[cold]
    fn new(kind: ErrorKind, what: String) -> Self {
        Self::at(kind, what, String::new())
    }

    fn at(kind: ErrorKind, what: String, place: String) -> Self {
        Self(Arc::new(ErrorInner { kind, what, place, task: String::new() }))
    }

    /// Names the task that the error is about, unless a task nearer to the cause was named before.
    #[cold]
    pub(crate) fn of_task(self, made_at: &Location<'_>) -> Self {
        if self.0.task.is_empty() { self.of_task_at(made_at.to_string()) } else { self }
    }

    /// As [`of_task`](Self::of_task), by its place as a text.
    #[cold]
    pub(crate) fn of_task_at(mut self, made_at: String) -> Self {
        if self.0.task.is_empty() {
            Arc::make_mut(&mut self.0).task = made_at;
        }
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ErrorInner { kind, what, place, task } = &*self.0;
        if place == CHANNEL && task.is_empty() {
            // No task has failed.
        } else if task.is_empty() {
            f.write_str("failed to run a task: ")?;
        } else {
            write!(f, "failed to run the task made at {task}: ")?;
        }
        match kind {
            _ if place == CHANNEL || place == ACTOR => f.write_str(what),
            ErrorKind::Panic if place.is_empty() => write!(f, "it panicked: {what}"),
            ErrorKind::Panic => write!(f, "it panicked at {place}: {what}"),
            ErrorKind::WorkerLost => {
                write!(f, "its worker was lost: {what}; run it again on another worker if it may run twice")
            }
            ErrorKind::Cancelled => f.write_str("it was aborted"),
            ErrorKind::Timeout => write!(f, "it ran longer than its limit of {what}"),
            ErrorKind::Closed => f.write_str(
                "its executor was closed, terminated or dropped; keep it until the task's handle has resolved",
            ),
            ErrorKind::Startup => write!(f, "the worker did not start: {what}"),
            ErrorKind::Codec | ErrorKind::Other | ErrorKind::WouldBlock => f.write_str(what),
            ErrorKind::QueueFull => {
                f.write_str("the executor's queue is full; wait for one of its tasks, or raise `max_queue`")
            }
            ErrorKind::Js if place.is_empty() => write!(f, "JavaScript threw an exception: {what}"),
            ErrorKind::Js => write!(f, "JavaScript threw an exception: {what}\n{place}"),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Error({self})")
    }
}

impl std::error::Error for Error {}

/// Encodes what is shared. serde's own way for an `Arc` is a feature, which every program would have.
mod shared {
    use super::{Arc, Deserialize, Deserializer, ErrorInner, Serialize, Serializer};

    pub(super) fn serialize<S: Serializer>(
        inner: &Arc<ErrorInner>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        ErrorInner::serialize(inner, serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Arc<ErrorInner>, D::Error> {
        ErrorInner::deserialize(deserializer).map(Arc::new)
    }
}

/// What a panic said.
pub(crate) fn panic_text(payload: &(dyn Any + Send)) -> String {
    if let Some(text) = payload.downcast_ref::<&'static str>() {
        (*text).to_owned()
    } else if let Some(text) = payload.downcast_ref::<String>() {
        text.clone()
    } else {
        "a value that is not a text".to_owned()
    }
}
