//! The type-erased task inside an executor.

use std::fmt;
use std::panic::{AssertUnwindSafe, Location};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::FutureExt;
use futures::future::{AbortHandle, Abortable, Aborted, Either, LocalBoxFuture, select};

use super::bounds::{self, Bounded, RunBounds, TimeLimit};
use super::encoded::Encoded;
use super::entry::{Call, begin};
#[cfg(feature = "transport")]
use super::entry::{location, read_location};
#[cfg(feature = "transport")]
use super::handle::RemoteHandle;
use super::in_handle::InHandle;
use super::lazy::Lazy;
use super::progress::NestedScope;
use super::reply::{ReplySender, TaskOwner};
use crate::error::{Error, panic_text};
use crate::platform::{self, Packet};
use crate::schedule::{HandleSignal, TaskId, TaskKind, TaskOptions, WorkerId};

/// A task without its type, as executors hold it.
///
/// A job owns its reply: whatever becomes of the job, its handle resolves. A job that is dropped unanswered resolves
/// it with an error that [`is_worker_lost`](Error::is_worker_lost).
///
/// ```
/// use std::sync::Mutex;
///
/// use futures::task::{FutureObj, Spawn, SpawnError};
/// use wasm_mt::{Executor, ExecutorExt, Job, remote};
///
/// /// Keeps what it is given.
/// #[derive(Default)]
/// struct Later(Mutex<Vec<Job>>);
///
/// impl Spawn for Later {
///     fn spawn_obj(&self, _: FutureObj<'static, ()>) -> Result<(), SpawnError> {
///         Err(SpawnError::shutdown())
///     }
/// }
///
/// impl Executor for Later {
///     fn submit(&self, job: Job) {
///         self.0.lock().unwrap().push(job);
///     }
///     fn concurrency(&self) -> usize {
///         1
///     }
/// }
///
/// # wasm_mt::run(async {
/// let later = Later::default();
/// let sum = later.spawn_remote(remote!(|| 2 + 3));
/// let jobs = std::mem::take(&mut *later.0.lock().unwrap());
/// for job in jobs {
///     job.run().await;
/// }
/// assert_eq!(sum.await?, 5);
/// # Ok::<_, wasm_mt::Error>(())
/// # });
/// ```
#[must_use = "a job that is dropped resolves its handle with an error"]
pub struct Job {
    pub(crate) call: Packet,
    pub(crate) options: TaskOptions,
    pub(crate) reply: ReplySender,
    made_at: &'static Location<'static>,
}

impl Job {
    /// The job of a task. One that could not be encoded has none: its handle gets the error.
    pub(super) fn new(encoded: Encoded, reply: ReplySender) -> Option<Self> {
        let timeout = bounds::inherited(encoded.options.timeout);
        let options = TaskOptions { timeout, ..encoded.options };
        Self::without_limit(Encoded { options, ..encoded }, reply)
    }

    /// As [`new`](Self::new), without the limit of the code that runs.
    pub(super) fn without_limit(
        Encoded { call, options, made_at }: Encoded,
        reply: ReplySender,
    ) -> Option<Self> {
        match call {
            Ok(call) => Some(Self { call, options, reply, made_at }),
            Err(error) => {
                reply.send(Err(error));
                None
            }
        }
    }

    /// The job of a call that another process has made, and its handle.
    #[cfg(feature = "transport")]
    pub(crate) fn arrived(
        call: Packet,
        kind: TaskKind,
        timeout: Option<Duration>,
        retries: u32,
    ) -> Option<(Self, RemoteHandle<Packet>)> {
        let made_at = read_location(&Packet { addresses: vec![location(&call)?], ..Packet::default() })?;
        let (reply, handle) = RemoteHandle::new(made_at, Ok);
        let encoded = Encoded::of(kind, Ok(call), made_at);
        let options = TaskOptions { timeout, retries, ..encoded.options };
        Some((Self::without_limit(Encoded { options, ..encoded }, reply)?, handle))
    }

    /// Sends signals of the handle there. False if nobody waits for the answer.
    #[cfg(feature = "transport")]
    pub(crate) fn signal_to(&self, owner: &Arc<dyn TaskOwner>) -> bool {
        self.reply.set_owner(Arc::downgrade(owner), RUNNING)
    }

    /// The call, the options and what answers it.
    #[cfg(feature = "transport")]
    pub(crate) fn into_parts(self) -> (Packet, TaskOptions, ReplySender) {
        (self.call, self.options, self.reply)
    }

    /// How long the task may take from its start, if that is [limited](crate::Remote::timeout).
    ///
    /// ```
    /// # use std::sync::Mutex;
    /// # use std::time::Duration;
    /// # use futures::task::{FutureObj, Spawn, SpawnError};
    /// # use wasm_mt::{Executor, ExecutorExt, Job, remote};
    /// # #[derive(Default)]
    /// # struct Later(Mutex<Vec<Job>>);
    /// # impl Spawn for Later {
    /// #     fn spawn_obj(&self, _: FutureObj<'static, ()>) -> Result<(), SpawnError> {
    /// #         Err(SpawnError::shutdown())
    /// #     }
    /// # }
    /// # impl Executor for Later {
    /// #     fn submit(&self, job: Job) {
    /// #         self.0.lock().unwrap().push(job);
    /// #     }
    /// #     fn concurrency(&self) -> usize {
    /// #         1
    /// #     }
    /// # }
    /// # wasm_mt::run(async {
    /// let limit = Duration::from_secs(1);
    /// # let later = Later::default();
    /// let handle = later.spawn_remote(remote!(|| 6 * 7).timeout(limit).retry(2));
    /// # let jobs = later.0.lock().unwrap();
    /// let job = &jobs[0]; // what the executor was given
    /// assert_eq!((job.timeout(), job.retries()), (Some(limit), 2));
    /// # Ok::<_, wasm_mt::Error>(())
    /// # });
    /// ```
    #[must_use]
    pub fn timeout(&self) -> Option<Duration> {
        self.options.timeout
    }

    /// How often the task may [run again](crate::Remote::retry) if what runs it is lost.
    #[must_use]
    pub fn retries(&self) -> u32 {
        self.options.retries
    }

    /// The same job, that may run again so often: 0 for an executor that runs it again by itself, elsewhere.
    #[must_use = "it is a job, too"]
    pub fn with_retries(mut self, times: u32) -> Self {
        self.options.retries = times;
        self
    }

    /// True if the task goes from await to await, beside others. A synchronous one has its worker for itself.
    #[must_use]
    pub fn is_async(&self) -> bool {
        self.options.kind == TaskKind::Async
    }

    /// The place of the call that made the task, which is its name in errors.
    ///
    /// ```
    /// # use std::sync::Mutex;
    /// # use futures::task::{FutureObj, Spawn, SpawnError};
    /// # use wasm_mt::{Error, Executor, ExecutorExt, Job, remote};
    /// # #[derive(Default)]
    /// # struct Later(Mutex<Vec<Job>>);
    /// # impl Spawn for Later {
    /// #     fn spawn_obj(&self, _: FutureObj<'static, ()>) -> Result<(), SpawnError> {
    /// #         Err(SpawnError::shutdown())
    /// #     }
    /// # }
    /// # impl Executor for Later {
    /// #     fn submit(&self, job: Job) {
    /// #         self.0.lock().unwrap().push(job);
    /// #     }
    /// #     fn concurrency(&self) -> usize {
    /// #         1
    /// #     }
    /// # }
    /// # wasm_mt::run(async {
    /// # let later = Later::default();
    /// let handle = later.spawn_remote(remote!(|| 6 * 7));
    /// let line = line!() - 1;
    /// # let jobs = later.0.lock().unwrap();
    /// let job = &jobs[0]; // what the executor was given
    /// assert_eq!((job.location().file(), job.location().line()), (file!(), line));
    /// # Ok::<_, wasm_mt::Error>(())
    /// # });
    /// ```
    #[must_use]
    pub fn location(&self) -> &'static Location<'static> {
        self.made_at
    }

    /// Runs the task here, through the encoding as anywhere, and answers it. Dropping the future, or the task's handle,
    /// stops it at its next await. So does its timeout; one that does not await is found to have run for too long when it
    /// has ended.
    ///
    /// A panic becomes the task's error where panics unwind. In the browser it ends the program that calls this.
    ///
    /// ```
    /// # use std::sync::Mutex;
    /// # use futures::task::{FutureObj, Spawn, SpawnError};
    /// # use wasm_mt::{Error, Executor, ExecutorExt, Job, remote};
    /// # #[derive(Default)]
    /// # struct Later(Mutex<Vec<Job>>);
    /// # impl Spawn for Later {
    /// #     fn spawn_obj(&self, _: FutureObj<'static, ()>) -> Result<(), SpawnError> {
    /// #         Err(SpawnError::shutdown())
    /// #     }
    /// # }
    /// # impl Executor for Later {
    /// #     fn submit(&self, job: Job) {
    /// #         self.0.lock().unwrap().push(job);
    /// #     }
    /// #     fn concurrency(&self) -> usize {
    /// #         1
    /// #     }
    /// # }
    /// # wasm_mt::run(async {
    /// # let later = Later::default();
    /// let handle = later.spawn_remote(remote!(|| -> u32 { panic!("a bug") }));
    /// # let job = later.0.lock().unwrap().pop().unwrap();
    /// job.run().await; // what the executor was given
    /// assert!(handle.await.unwrap_err().is_panic());
    /// # Ok::<_, wasm_mt::Error>(())
    /// # });
    /// ```
    pub async fn run(self) {
        let Self { call, reply, options, .. } = self;
        let (abort, registration) = AbortHandle::new_pair();
        let owner: Arc<dyn TaskOwner> = Arc::new(AbortOnSignal(abort.clone()));
        if !reply.set_owner(Arc::downgrade(&owner), RUNNING) {
            return;
        }
        let task = async {
            let began = platform::now();
            let bounds = RunBounds { limit: TimeLimit::new(options.timeout, began), abort };
            let entered = bounds.enter();
            let call = begin_here(call);
            drop(entered);
            let outcome = match call {
                Call::Ended(outcome) => outcome,
                Call::Running(future) => {
                    let future = Bounded { bounds, future };
                    match options.timeout {
                        None => future.await,
                        Some(limit) => match select(future, platform::sleep(limit)).await {
                            Either::Left((outcome, _)) => outcome,
                            Either::Right(((), _)) => Err(Error::timeout(limit)),
                        },
                    }
                }
            };
            let late = options.timeout.filter(|limit| platform::now().saturating_sub(began) > *limit);
            late.map_or(outcome, |limit| Err(Error::timeout(limit)))
        };
        match Abortable::new(AssertUnwindSafe(task).catch_unwind(), registration).await {
            Ok(Ok(outcome)) => reply.send(outcome),
            Ok(Err(payload)) => reply.send(Err(Error::panic(panic_text(&*payload), None))),
            // Nobody waits any more, or it was aborted.
            Err(Aborted) => reply.send(Err(Error::cancelled())),
        }
    }

    /// Answers with what a future gives. That ends with the handle, unless this is detached: then `on_detach` is called.
    pub(crate) fn answer(
        self,
        outcome: impl Future<Output = Result<Packet, Error>>,
        on_detach: impl FnOnce() + Send + 'static,
    ) -> impl Future<Output = ()> {
        let (abort, registration) = AbortHandle::new_pair();
        let on_detach: Box<dyn FnOnce() + Send> = Box::new(on_detach);
        let owner: Arc<dyn TaskOwner> =
            Arc::new(AnsweredElsewhere { abort, on_detach: Mutex::new(Some(on_detach)) });
        let is_wanted = self.reply.set_owner(Arc::downgrade(&owner), RUNNING);
        async move {
            if is_wanted {
                let outcome = Abortable::new(outcome, registration).await;
                self.reply.send(outcome.unwrap_or_else(|Aborted| Err(Error::cancelled())));
            }
            drop(owner);
        }
    }

    /// Has the job run by its own handle, whenever that is polled. `begin` makes the future that answers it.
    pub(crate) fn run_in_handle(
        self,
        begin: impl FnOnce(Self) -> LocalBoxFuture<'static, ()> + Send + 'static,
    ) -> InHandle {
        let slot = self.reply.slot();
        let kind = self.options.kind;
        let lazy = Lazy::Unbegun(Box::new(move || begin(self)), kind);
        // It is not to run, if the handle is gone.
        drop(slot.put_lazy(lazy));
        slot.wake();
        InHandle(Arc::downgrade(&slot))
    }

    /// Answers the job with an error, without running it.
    ///
    /// ```
    /// # use std::sync::Mutex;
    /// # use futures::task::{FutureObj, Spawn, SpawnError};
    /// # use wasm_mt::{Error, Executor, ExecutorExt, Job, remote};
    /// # #[derive(Default)]
    /// # struct Later(Mutex<Vec<Job>>);
    /// # impl Spawn for Later {
    /// #     fn spawn_obj(&self, _: FutureObj<'static, ()>) -> Result<(), SpawnError> {
    /// #         Err(SpawnError::shutdown())
    /// #     }
    /// # }
    /// # impl Executor for Later {
    /// #     fn submit(&self, job: Job) {
    /// #         self.0.lock().unwrap().push(job);
    /// #     }
    /// #     fn concurrency(&self) -> usize {
    /// #         1
    /// #     }
    /// # }
    /// # wasm_mt::run(async {
    /// # let later = Later::default();
    /// let handle = later.spawn_remote(remote!(|| 6 * 7));
    /// # let job = later.0.lock().unwrap().pop().unwrap();
    /// job.fail(Error::other("no host of the fleet answers; start one")); // what the executor was given
    /// let error = handle.await.unwrap_err();
    /// assert!(error.is_other() && error.to_string().contains("no host"));
    /// # Ok::<_, wasm_mt::Error>(())
    /// # });
    /// ```
    pub fn fail(self, error: Error) {
        self.reply.send(Err(error));
    }
}

impl fmt::Debug for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Job({})", self.made_at)
    }
}

/// Begins a call within whatever runs here. A panic of what it does at once is its outcome, where panics unwind.
fn begin_here(call: Packet) -> Call {
    let scope = NestedScope::enter();
    let begun = platform::guard(platform::current_task(), || begin(call));
    begun.unwrap_or_else(|payload| Call::Ended(scope.rescue(Error::panic(panic_text(&*payload), None))))
}

/// A job that runs here is the only one of its owner.
const RUNNING: TaskId = TaskId { maker: WorkerId::PAGE, number: 0 };

/// Stops a run.
struct AbortOnSignal(AbortHandle);

impl TaskOwner for AbortOnSignal {
    fn on_signal(&self, _task: TaskId, signal: HandleSignal) {
        match signal {
            HandleSignal::Cancel | HandleSignal::Abort => self.0.abort(),
            HandleSignal::Detach => {}
        }
    }
}

/// The owner of a task that runs in another memory.
struct AnsweredElsewhere {
    abort: AbortHandle,
    on_detach: Mutex<Option<Box<dyn FnOnce() + Send>>>,
}

impl TaskOwner for AnsweredElsewhere {
    fn on_signal(&self, _task: TaskId, signal: HandleSignal) {
        match signal {
            HandleSignal::Cancel | HandleSignal::Abort => self.abort.abort(),
            HandleSignal::Detach => {
                let on_detach = self.on_detach.lock().unwrap_or_else(PoisonError::into_inner).take();
                on_detach.into_iter().for_each(|on_detach| on_detach());
            }
        }
    }
}
