//! Objects that live on workers: [`Actor`].

mod far;
mod home;

use std::fmt;
use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use self::far::{Elsewhere, Far};
use self::home::Home;
use crate::channel::Sender;
use crate::schedule::WorkerId;
use crate::supervisor::Supervisor;
use crate::task::{ActorCall, ActorInit, RemoteHandle};

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
/// object as it is then. A call that awaits another call of its own actor waits for ever.
///
/// # The end of the object
///
/// An actor can be cloned and sent, and tasks can capture it: all are the same object. When the last one is dropped, and all calls have ended,
/// the object is dropped on its worker. Until then the actor keeps its pool: workers end with the last [`Pool`](crate::Pool)
/// or [`Thread`](crate::Thread) and the last actor, or by `terminate`, which in the browser ends the object without its drop.
///
/// # Errors
///
/// If the object cannot be made, the error of its initialiser is that of each call. If its worker is lost, by a panic in one of
/// the worker's tasks or calls say, calls end in an error that [`is_worker_lost`](crate::Error::is_worker_lost), these and later ones,
/// unless the object is to be made anew: [`restart`](ActorInit::restart).
#[must_use = "dropping an actor drops its object"]
pub struct Actor<T>(Whereabouts<T>);

enum Whereabouts<T> {
    /// This memory made it.
    Home(Arc<Home<T>>),
    Far(Arc<dyn Elsewhere>),
}

impl<T: 'static> Actor<T> {
    /// Makes an object, on the worker of that name or on the least loaded one.
    pub(crate) fn new(supervisor: Arc<Supervisor>, init: ActorInit<T>, worker: Option<WorkerId>) -> Self {
        Self(Whereabouts::Home(Home::new(supervisor, init, worker)))
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
    #[track_caller]
    pub fn ready(&self) -> RemoteHandle<()> {
        self.call(ActorCall::new((), |(), _object| ()))
    }

    /// Drops the object on its worker, behind the calls that were made before, even if other clones of the actor are left. Resolves when
    /// that is done. Later calls end in an error that [`is_closed`](crate::Error::is_closed).
    ///
    /// To drop the last actor drops the object too, at a time that nobody is told.
    ///
    /// ```
    /// use wasm_mt::{Error, Pool, actor, call};
    ///
    /// # wasm_mt::run(async {
    /// let pool = Pool::new();
    /// let file = pool.spawn_actor(actor!(|| Ok(String::new()))); // something that only one may have open
    /// file.call(call!(|file| file.push_str("sea"))).await?;
    /// file.close().await?; // now another may
    /// assert!(file.call(call!(|file| file.len())).await.unwrap_err().is_closed());
    /// # Ok::<_, Error>(())
    /// # });
    /// ```
    ///
    /// # Errors
    ///
    /// As those of a call.
    #[track_caller]
    pub fn close(&self) -> RemoteHandle<()> {
        let closed = self.call(ActorCall::<T, ()>::closing());
        if let Whereabouts::Home(home) = &self.0 {
            home.close();
        }
        closed
    }

    /// Calls the object: behind the calls that were made before, whatever else its worker has to do.
    ///
    /// # Errors
    ///
    /// The handle resolves with those of a task, with the error of the initialiser, or with one that
    /// [`is_worker_lost`](crate::Error::is_worker_lost) if the object is lost.
    ///
    /// # Examples
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
        match &self.0 {
            Whereabouts::Home(home) => {
                let (job, handle) = call.into_job(&home.object);
                if let Some(job) = job {
                    home.submit(job);
                }
                handle
            }
            Whereabouts::Far(far) => {
                let (call, handle) = call.into_far(far.name());
                if let Some(call) = call {
                    far.ask(call);
                }
                handle
            }
        }
    }
}

impl<T> Clone for Actor<T> {
    fn clone(&self) -> Self {
        Self(match &self.0 {
            Whereabouts::Home(home) => Whereabouts::Home(home.clone()),
            Whereabouts::Far(far) => Whereabouts::Far(far.clone()),
        })
    }
}

impl<T> fmt::Debug for Actor<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Actor").finish_non_exhaustive()
    }
}

/// Serializable by this crate only: within what crosses to other memories.
impl<T: 'static> Serialize for Actor<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0 {
            Whereabouts::Home(home) => {
                home.register();
                (home.object.name(), far::serve(home.clone())).serialize(serializer)
            }
            Whereabouts::Far(far) => (far.name(), far.requests()).serialize(serializer),
        }
    }
}

impl<'de, T: 'static> Deserialize<'de> for Actor<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (name, requests) = <(u64, Sender<()>)>::deserialize(deserializer)?;
        Ok(Self(match Home::find(name) {
            Some(home) => Whereabouts::Home(home),
            None => Whereabouts::Far(Arc::new(Far { name, requests })),
        }))
    }
}
