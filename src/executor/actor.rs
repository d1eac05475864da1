//! Objects that live on workers: [`Actor`].

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::Error;
use crate::platform::{self, Resident};
use crate::schedule::WorkerId;
use crate::supervisor::Supervisor;
use crate::task::{self, ActorCall, ActorInit, Job, RemoteHandle};

/// An object that lives on a worker: a database, a simulation, a canvas.
///
/// The object is made on its worker and never leaves it, so its type `T` need be neither serde nor `Send`: it may hold an
/// `Rc`, or JavaScript values. What crosses are calls: closures that are given `&mut T` there, and their results.
///
/// ```
/// use std::cell::Cell;
/// use std::rc::Rc;
///
/// use wasm_mt::{Actor, Pool, actor, call};
///
/// struct Counter {
///     count: Rc<Cell<u32>>, // as it likes
/// }
///
/// # wasm_mt::run(async {
/// let pool = Pool::new();
/// let start = 40;
/// let counter: Actor<Counter> = pool.spawn_actor(actor!(move || Ok(Counter { count: Rc::new(Cell::new(start)) })));
/// let more = 2;
/// let count = counter.call(call!(move |counter| {
///     counter.count.set(counter.count.get() + more);
///     counter.count.get()
/// }));
/// assert_eq!(count.await?, 42);
/// # Ok::<_, wasm_mt::Error>(())
/// # });
/// ```
///
/// # Calls
///
/// A call is a task of its worker: its handle is a [`RemoteHandle`], and dropping that cancels the call. The calls of one actor
/// run one at a time, in the order in which they were made; an asynchronous one has the object until it ends. Other
/// tasks of the worker, and calls of other actors there, go on meanwhile. A call that is cancelled while it awaits leaves the
/// object as it is then.
///
/// # The end of the object
///
/// An actor can be cloned and sent; all clones are the same object. When the last one is dropped, and all calls have ended,
/// the object is dropped on its worker. Until then the actor keeps its pool: workers end with the last [`Pool`](crate::Pool)
/// or [`Thread`](crate::Thread) and the last actor, or by `terminate`, which ends the object without its drop.
///
/// # Errors
///
/// If the object cannot be made, the error of its initialiser is that of each call. If its worker is lost, by a panic in one of
/// the worker's tasks or calls say, calls end in an error that [`is_worker_lost`](Error::is_worker_lost), these and later ones,
/// unless the object is to be made anew: [`restart`](ActorInit::restart).
pub struct Actor<T> {
    home: Arc<Home<T>>,
}

/// What all clones of an actor share.
struct Home<T> {
    supervisor: Arc<Supervisor>,
    /// The object's name.
    object: Resident,
    placement: Mutex<Placement<T>>,
}

struct Placement<T> {
    /// Where the object is. -> `None` when that worker is known to be lost.
    worker: Option<WorkerId>,
    /// -> `None` when it is not to be made any more.
    init: Option<ActorInit<T>>,
    restarts: u32,
    /// It cannot be made.
    fault: Option<Error>,
}

impl<T: 'static> Actor<T> {
    /// Makes an object, on the worker of that name or on the least loaded one.
    pub(crate) fn new(supervisor: Arc<Supervisor>, init: ActorInit<T>, worker: Option<WorkerId>) -> Self {
        let restarts = init.restarts();
        let placement = Mutex::new(Placement { worker: None, init: Some(init), restarts, fault: None });
        let home = Home { supervisor, object: task::new_object(), placement };
        home.settle(worker);
        Self { home: Arc::new(home) }
    }

    /// Resolves when the object is there: a call that does nothing. Awaiting it is optional.
    ///
    /// # Errors
    ///
    /// That of the initialiser, or the loss of the object.
    ///
    /// # Examples
    ///
    /// ```
    /// # use wasm_mt::{Actor, Error, Thread, actor};
    /// # wasm_mt::run(async {
    /// let none: Actor<u32> = Thread::new().spawn_actor(actor!(|| Err(Error::other("no luck"))));
    /// assert!(none.ready().await.unwrap_err().is_other());
    /// # });
    /// ```
    pub fn ready(&self) -> RemoteHandle<()> {
        self.call(ActorCall::new((), |(), _object| ()))
    }

    /// Calls the object.
    ///
    /// ```
    /// use wasm_mt::{Thread, actor, call};
    ///
    /// # wasm_mt::run(async {
    /// let words = Thread::new().spawn_actor(actor!(|| Ok(Vec::<String>::new())));
    /// let word = "sea".to_owned();
    /// words.call(call!(move |words| words.push(word))).await?;
    /// let length = words.call(call!(async |words| {
    ///     wasm_mt::yield_now().await; // the future may borrow the object
    ///     words[0].len()
    /// }));
    /// assert_eq!(length.await?, 3);
    /// # Ok::<_, wasm_mt::Error>(())
    /// # });
    /// ```
    pub fn call<R>(&self, call: ActorCall<T, R>) -> RemoteHandle<R>
    where
        R: Serialize + DeserializeOwned + 'static,
    {
        let (job, handle) = call.into_job(&self.home.object);
        if let Some(job) = job {
            self.home.submit(job);
        }
        handle
    }
}

impl<T: 'static> Home<T> {
    /// Gives a call to the object's worker.
    fn submit(&self, mut job: Job) {
        loop {
            let Some(worker) = self.worker().or_else(|| self.settle(None)) else {
                return job.fail(self.loss());
            };
            match self.supervisor.pin(worker, job) {
                Ok(()) => return,
                Err(refused) => job = refused,
            }
            self.leave(worker);
        }
    }

    fn worker(&self) -> Option<WorkerId> {
        self.placement().worker
    }

    /// Has the object made on a worker. `None` if there is none, or it is not to be made.
    fn settle(&self, wanted: Option<WorkerId>) -> Option<WorkerId> {
        loop {
            let (init, worker) = {
                let mut placement = self.placement();
                // Another thread may have been faster.
                if placement.worker.is_some() {
                    return placement.worker;
                }
                placement.init.as_ref()?;
                let worker = self.supervisor.house(wanted)?;
                let init =
                    if placement.restarts > 0 { placement.init.clone() } else { placement.init.take() };
                placement.restarts = placement.restarts.saturating_sub(1);
                placement.worker = Some(worker);
                (init?, worker)
            };
            if let Some(fault) = init.fault() {
                self.leave(worker);
                self.supervisor.unhouse(worker);
                self.placement().fault = Some(fault);
                return None;
            }
            let (job, made) = init.into_job(&self.object);
            let refused = job.and_then(|job| self.supervisor.pin(worker, job).err());
            if refused.is_none() {
                self.watch(worker, made);
                return Some(worker);
            }
            self.leave(worker);
        }
    }

    /// Has calls fail that wait for an object whose initialiser did not reach the worker.
    fn watch(&self, worker: WorkerId, made: RemoteHandle<()>) {
        let (supervisor, object) = (Arc::downgrade(&self.supervisor), self.object.clone());
        platform::spawn_service(async move {
            let Err(error) = made.await else { return };
            if let Some(supervisor) = supervisor.upgrade() {
                let (job, told) = task::failing_job(&object, error);
                told.forget();
                // A worker that is lost has lost the calls too.
                let _refused = job.and_then(|job| supervisor.pin(worker, job).err());
            }
        });
    }

    /// The worker is lost.
    fn leave(&self, worker: WorkerId) {
        let mut placement = self.placement();
        if placement.worker == Some(worker) {
            placement.worker = None;
        }
    }

    fn loss(&self) -> Error {
        if let Some(fault) = self.placement().fault.clone() {
            return fault;
        }
        if self.supervisor.is_lost() {
            return self.supervisor.absence();
        }
        Error::worker_lost("the object of the actor was on a worker that is lost; `restart` has it made anew")
    }
}

impl<T> Home<T> {
    /// No code of the program runs under this lock, but that which copies what an initialiser has captured.
    fn placement(&self) -> MutexGuard<'_, Placement<T>> {
        self.placement.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Drop for Home<T> {
    fn drop(&mut self) {
        let worker = self.placement().worker;
        worker.into_iter().for_each(|worker| self.supervisor.unhouse(worker));
    }
}

impl<T> Clone for Actor<T> {
    fn clone(&self) -> Self {
        Self { home: self.home.clone() }
    }
}

impl<T> fmt::Debug for Actor<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Actor").finish_non_exhaustive()
    }
}
