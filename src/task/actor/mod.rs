//! The public values that stand for an object to be made on a worker, and for a call of it: [`ActorInit`], [`ActorCall`].

mod entry;
mod far;
mod run;
mod slot;

use std::any::Any;
use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::panic::Location;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use self::run::{AsyncMethod, Method};
use super::codec;
use super::encoded::Encoded;
use super::entry::Callee;
use super::handle::RemoteHandle;
use super::job::Job;
use super::residents;
use crate::error::Error;
use crate::platform::{Packet, Resident};
use crate::schedule::TaskKind;

pub(crate) use self::far::{
    ActorRequest, FarCall, Requested, read_answer, read_request, write_answer, write_detach,
};
pub(crate) use self::slot::holds_objects;

/// How the object of an [`Actor`](crate::Actor) is made: by code that runs on its worker.
///
/// Made by [`actor!`](crate::actor), or by hand by [`ActorInit::new`].
#[must_use = "no object is made until this is given to a `Thread` or a `Pool`"]
pub struct ActorInit<T> {
    encoded: Encoded,
    restarts: u32,
    object: PhantomData<fn() -> T>,
}

impl<T: 'static> ActorInit<T> {
    /// Makes an object by a function.
    ///
    /// `f` is a function, or a closure that captures nothing. It gets `args`: a tuple for several values, `()` for none.
    ///
    /// ```
    /// # use wasm_mt::{ActorCall, ActorInit, Thread};
    /// # wasm_mt::run(async {
    /// let words = Thread::new().spawn_actor(ActorInit::new("sea".to_owned(), |first| Ok(vec![first])));
    /// let count = ActorCall::new("shore".to_owned(), |word, words: &mut Vec<String>| {
    ///     words.push(word);
    ///     words.len()
    /// });
    /// assert_eq!(words.call(count).await?, 2);
    /// # Ok::<_, wasm_mt::Error>(())
    /// # });
    /// ```
    #[track_caller]
    pub fn new<A>(args: A, f: fn(A) -> Result<T, Error>) -> Self
    where
        A: Serialize + DeserializeOwned + 'static,
    {
        Self::encode(entry::initialiser(f), args)
    }

    /// Makes an object by an async function.
    ///
    /// As [`new`](Self::new). Calls wait until the object is there.
    ///
    /// ```
    /// # use wasm_mt::{ActorCall, ActorInit, Thread};
    /// # wasm_mt::run(async {
    /// let one = ActorInit::new_async((), |()| async {
    ///     wasm_mt::yield_now().await;
    ///     Ok(1)
    /// });
    /// let one = Thread::new().spawn_actor(one);
    /// assert_eq!(one.call(ActorCall::new((), |(), one: &mut i32| *one)).await?, 1);
    /// # Ok::<_, wasm_mt::Error>(())
    /// # });
    /// ```
    #[track_caller]
    pub fn new_async<A, F>(args: A, f: fn(A) -> F) -> Self
    where
        A: Serialize + DeserializeOwned + 'static,
        F: Future<Output = Result<T, Error>> + 'static,
    {
        Self::encode(entry::async_initialiser(f), args)
    }
}

impl<T> ActorInit<T> {
    #[track_caller]
    fn encode(callee: Callee, args: impl Serialize) -> Self {
        // Calls that fail since there is no object name the initialiser.
        let args = (args, Location::caller().to_string());
        let encoded = Encoded::new(TaskKind::Async, callee, &args);
        Self { encoded, restarts: 0, object: PhantomData }
    }

    /// Has the object made anew, up to so many times, when it was lost with its worker.
    ///
    /// A worker that was lost before the initialiser has run counts too. The object is made by the next call after the loss, on a
    /// worker that is there then, so the actor must live in a
    /// [`Pool`](crate::Pool): a [`Thread`](crate::Thread) has no second worker. The new object knows nothing of the old one. The
    /// calls that were lost are not made again: they end in an error that [`is_worker_lost`](Error::is_worker_lost).
    ///
    /// What was captured is copied for it, attachments ([`Transfer`](crate::Transfer) and its kin) too. With what cannot be copied, a
    /// canvas or a [`Receiver`](crate::Receiver) say, there is one object only: calls after its loss end in an error that
    /// [`is_codec`](Error::is_codec).
    ///
    /// ```
    /// # use wasm_mt::{Pool, actor, call, remote};
    /// # wasm_mt::run(async {
    /// let pool = Pool::builder().threads(1).build();
    /// let start = 40;
    /// let counter = pool.spawn_actor(actor!(move || Ok(start)).restart(1));
    /// assert_eq!(counter.call(call!(|n| { *n += 1; *n })).await?, 41);
    ///
    /// let faulty: Result<(), _> = counter.call(call!(|_| panic!("a bug"))).await;
    /// assert!(faulty.unwrap_err().is_panic()); // the worker is lost, and the object with it
    /// assert_eq!(counter.call(call!(|n| { *n += 2; *n })).await?, 42);
    /// # Ok::<_, wasm_mt::Error>(())
    /// # });
    /// ```
    pub fn restart(mut self, times: u32) -> Self {
        self.restarts = times;
        self
    }

    pub(crate) fn restarts(&self) -> u32 {
        self.restarts
    }

    /// Why there is no task that would make an object.
    pub(crate) fn fault(&self) -> Option<Error> {
        self.encoded.call.as_ref().err().map(|error| error.clone().of_task(self.encoded.made_at))
    }

    /// The task that makes the object of this name. It is for all callers, so it has the limit of none.
    pub(crate) fn into_job(self, object: &Resident) -> (Option<Job>, RemoteHandle<()>) {
        let (reply, handle) = RemoteHandle::new(self.encoded.made_at, |_empty| Ok(()));
        (Job::without_limit(self.encoded.referring_to(object), reply), handle)
    }
}

impl<T> Clone for ActorInit<T> {
    fn clone(&self) -> Self {
        Self { encoded: self.encoded.clone(), restarts: self.restarts, object: PhantomData }
    }
}

impl<T> fmt::Debug for ActorInit<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ActorInit({})", self.encoded.made_at)
    }
}

/// A call of an [`Actor`](crate::Actor): code that is given the object, on its worker.
///
/// Made by [`call!`](crate::call), or by hand by [`ActorCall::new`].
#[must_use = "a call does nothing until it is given to an actor"]
pub struct ActorCall<T, R> {
    encoded: Encoded,
    signature: PhantomData<fn(T) -> R>,
}

impl<T, R> ActorCall<T, R>
where
    T: 'static,
    R: Serialize + DeserializeOwned + 'static,
{
    /// Calls a function with the object.
    ///
    /// `f` is a function, or a closure that captures nothing. It gets `args`: a tuple for several values, `()` for none.
    ///
    /// ```
    /// # use wasm_mt::{ActorCall, Thread, actor};
    /// # wasm_mt::run(async {
    /// let list = Thread::new().spawn_actor(actor!(|| Ok(vec![1])));
    /// assert_eq!(list.call(ActorCall::new(2, |n, list| { list.push(n); list.len() })).await?, 2);
    /// # Ok::<_, wasm_mt::Error>(())
    /// # });
    /// ```
    #[track_caller]
    pub fn new<A>(args: A, f: Method<A, T, R>) -> Self
    where
        A: Serialize + DeserializeOwned + 'static,
    {
        // It may have to wait for its turn.
        Self::from_encoded(Encoded::new(TaskKind::Async, entry::method(f), &args))
    }

    /// Awaits an async function with the object, which the future may borrow.
    ///
    /// ```
    /// # use wasm_mt::{ActorCall, Thread, actor};
    /// # wasm_mt::run(async {
    /// let list = Thread::new().spawn_actor(actor!(|| Ok(vec![1])));
    /// let push = ActorCall::new_async(2, |n, list: &mut Vec<i32>| {
    ///     Box::pin(async move {
    ///         wasm_mt::yield_now().await;
    ///         list.push(n);
    ///         list.len()
    ///     })
    /// });
    /// assert_eq!(list.call(push).await?, 2);
    /// # Ok::<_, wasm_mt::Error>(())
    /// # });
    /// ```
    #[track_caller]
    pub fn new_async<A>(args: A, f: AsyncMethod<A, T, R>) -> Self
    where
        A: Serialize + DeserializeOwned + 'static,
    {
        Self::from_encoded(Encoded::new(TaskKind::Async, entry::async_method(f), &args))
    }

    /// The one that ends the object.
    #[track_caller]
    pub(crate) fn closing() -> ActorCall<T, ()> {
        ActorCall::from_encoded(Encoded::of(TaskKind::Async, Ok(run::closing()), Location::caller()))
    }

    /// The task that calls the object of this name.
    pub(crate) fn into_job(self, object: &Resident) -> (Option<Job>, RemoteHandle<R>) {
        let (reply, handle) = RemoteHandle::new(self.encoded.made_at, codec::decode::<R>);
        (Job::new(self.encoded.referring_to(object), reply), handle)
    }
}

impl<T, R> ActorCall<T, R> {
    fn from_encoded(encoded: Encoded) -> Self {
        Self { encoded, signature: PhantomData }
    }

    /// Gives the call a time limit, from its beginning on its worker. The wait for calls before it counts. It may have had its effect
    /// when its limit ends. If its code does not stop, since it does not await, its worker ends and the object is lost. See
    /// [`Remote::timeout`](crate::Remote::timeout).
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use wasm_mt::{Thread, actor, call};
    /// # wasm_mt::run(async {
    /// let list = Thread::new().spawn_actor(actor!(|| Ok(vec![1])));
    /// let endless = call!(async |_| std::future::pending::<()>().await);
    /// assert!(list.call(endless.timeout(Duration::from_millis(20))).await.unwrap_err().is_timeout());
    /// assert_eq!(list.call(call!(|list| list.len())).await?, 1); // the object is free again
    /// # Ok::<_, wasm_mt::Error>(())
    /// # });
    /// ```
    pub fn timeout(self, limit: Duration) -> Self {
        Self::from_encoded(self.encoded.timeout(limit))
    }
}

impl<T, R> Clone for ActorCall<T, R> {
    fn clone(&self) -> Self {
        Self::from_encoded(self.encoded.clone())
    }
}

impl<T, R> fmt::Debug for ActorCall<T, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ActorCall({})", self.encoded.made_at)
    }
}

/// A call that gives all calls of the object of this name an error, unless it was made.
pub(crate) fn failure(name: u64, error: Error) -> Packet {
    let mut call = run::failure(error);
    call.residents.push(Resident::Named(name));
    call
}

/// The name of a new object, for as long as it has an owner here. Then the keeper is dropped.
pub(crate) fn new_object(keeper: Box<dyn Any + Send + Sync>) -> Resident {
    residents::object(keeper)
}
