//! Tasks before their types were checked.

use std::future::Future;
use std::marker::PhantomData;

use futures::future::LocalBoxFuture;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::checks::Probe;
use crate::{ActorCall, ActorInit, Error, Hint, Remote, RemoteFn};

/// What was captured, and the function that takes it.
pub struct Draft<A, F, X, R> {
    pub captured: A,
    function: F,
    signature: PhantomData<fn(X) -> R>,
}

impl<A, F, X, R> Draft<A, F, X, R> {
    fn new(captured: A, function: F) -> Self {
        Self { captured, function, signature: PhantomData }
    }

    pub fn argument(&self) -> Probe<X> {
        Probe::new()
    }

    pub fn result(&self) -> Probe<R> {
        Probe::new()
    }
}

/// The draft of a [`Remote`]; `F` is what the function returns, the result `R` or a future of it.
type RemoteDraft<A, F, R> = Draft<A, fn(A) -> F, (), R>;
/// The draft of a [`RemoteFn`]; `G` is the closure that the function makes.
type RemoteFnDraft<A, G, X, R> = Draft<A, fn(A, Hint<X, R>) -> G, X, R>;

/// The draft of an [`ActorInit`]; `F` is what the function returns, the result for an object `T` or a future of it.
type InitDraft<A, F, T> = Draft<A, fn(A) -> F, (), InitOf<T>>;
/// The draft of an [`ActorCall`].
type CallDraft<A, T, R> = Draft<A, for<'a> fn(A, &'a mut T) -> R, ObjectOf<T>, R>;
/// That of an asynchronous one.
type AsyncCallDraft<A, T, R> = Draft<A, for<'a> fn(A, &'a mut T) -> LocalBoxFuture<'a, R>, ObjectOf<T>, R>;

/// Stands for an object that is made.
pub struct InitOf<T>(PhantomData<fn() -> T>);
/// Stands for an object that is called.
pub struct ObjectOf<T>(PhantomData<fn(T)>);

#[inline]
pub fn remote<A, R>(
    captured: A,
    call: fn(A) -> R,
    finish: impl FnOnce(RemoteDraft<A, R, R>) -> Remote<R>,
) -> Remote<R> {
    finish(Draft::new(captured, call))
}

#[inline]
pub fn remote_async<A, F, R>(
    captured: A,
    call: fn(A) -> F,
    finish: impl FnOnce(RemoteDraft<A, F, R>) -> Remote<R>,
) -> Remote<R>
where
    F: Future<Output = R>,
{
    finish(Draft::new(captured, call))
}

#[inline]
pub fn remote_fn<A, G, X, R>(
    captured: A,
    make: fn(A, Hint<X, R>) -> G,
    finish: impl FnOnce(RemoteFnDraft<A, G, X, R>) -> RemoteFn<X, R>,
) -> RemoteFn<X, R>
where
    G: Fn(X) -> R,
{
    finish(Draft::new(captured, make))
}

#[inline]
pub fn remote_fn_async<A, G, X, R>(
    captured: A,
    make: fn(A, Hint<X, R>) -> G,
    finish: impl FnOnce(RemoteFnDraft<A, G, X, R>) -> RemoteFn<X, R>,
) -> RemoteFn<X, R>
where
    G: AsyncFn(X) -> R,
{
    finish(Draft::new(captured, make))
}

#[inline]
pub fn actor_init<A, T>(
    captured: A,
    make: fn(A) -> Result<T, Error>,
    finish: impl FnOnce(InitDraft<A, Result<T, Error>, T>) -> ActorInit<T>,
) -> ActorInit<T> {
    finish(Draft::new(captured, make))
}

#[inline]
pub fn actor_init_async<A, F, T>(
    captured: A,
    make: fn(A) -> F,
    finish: impl FnOnce(InitDraft<A, F, T>) -> ActorInit<T>,
) -> ActorInit<T>
where
    F: Future<Output = Result<T, Error>>,
{
    finish(Draft::new(captured, make))
}

#[inline]
pub fn actor_call<A, T, R>(
    captured: A,
    call: for<'a> fn(A, &'a mut T) -> R,
    finish: impl FnOnce(CallDraft<A, T, R>) -> ActorCall<T, R>,
) -> ActorCall<T, R> {
    finish(Draft::new(captured, call))
}

#[inline]
pub fn actor_call_async<A, T, R>(
    captured: A,
    call: for<'a> fn(A, &'a mut T) -> LocalBoxFuture<'a, R>,
    finish: impl FnOnce(AsyncCallDraft<A, T, R>) -> ActorCall<T, R>,
) -> ActorCall<T, R> {
    finish(Draft::new(captured, call))
}

impl<A, T> InitDraft<A, Result<T, Error>, T>
where
    A: Serialize + DeserializeOwned + 'static,
    T: 'static,
{
    #[inline]
    #[track_caller]
    pub fn into_actor_init(self) -> ActorInit<T> {
        ActorInit::new(self.captured, self.function)
    }
}

impl<A, F, T> InitDraft<A, F, T>
where
    A: Serialize + DeserializeOwned + 'static,
    F: Future<Output = Result<T, Error>> + 'static,
    T: 'static,
{
    #[inline]
    #[track_caller]
    pub fn into_actor_init_async(self) -> ActorInit<T> {
        ActorInit::new_async(self.captured, self.function)
    }
}

impl<A, T, R> CallDraft<A, T, R>
where
    A: Serialize + DeserializeOwned + 'static,
    T: 'static,
    R: Serialize + DeserializeOwned + 'static,
{
    #[inline]
    #[track_caller]
    pub fn into_actor_call(self) -> ActorCall<T, R> {
        ActorCall::new(self.captured, self.function)
    }
}

impl<A, T, R> AsyncCallDraft<A, T, R>
where
    A: Serialize + DeserializeOwned + 'static,
    T: 'static,
    R: Serialize + DeserializeOwned + 'static,
{
    #[inline]
    #[track_caller]
    pub fn into_actor_call_async(self) -> ActorCall<T, R> {
        ActorCall::new_async(self.captured, self.function)
    }
}

impl<A, R> RemoteDraft<A, R, R>
where
    A: Serialize + DeserializeOwned + 'static,
    R: Serialize + DeserializeOwned + 'static,
{
    #[inline]
    #[track_caller]
    pub fn into_remote(self) -> Remote<R> {
        Remote::new(self.captured, self.function)
    }
}

impl<A, F, R> RemoteDraft<A, F, R>
where
    A: Serialize + DeserializeOwned + 'static,
    F: Future<Output = R> + 'static,
    R: Serialize + DeserializeOwned + 'static,
{
    #[inline]
    #[track_caller]
    pub fn into_remote_async(self) -> Remote<R> {
        Remote::new_async(self.captured, self.function)
    }
}

impl<A, G, X, R> RemoteFnDraft<A, G, X, R>
where
    A: Serialize + DeserializeOwned + 'static,
    X: Serialize + DeserializeOwned + 'static,
    R: Serialize + DeserializeOwned + 'static,
{
    #[inline]
    #[track_caller]
    pub fn into_remote_fn(self) -> RemoteFn<X, R>
    where
        G: Fn(X) -> R + 'static,
    {
        RemoteFn::new(self.captured, self.function)
    }

    #[inline]
    #[track_caller]
    pub fn into_remote_fn_async(self) -> RemoteFn<X, R>
    where
        G: AsyncFn(X) -> R + 'static,
    {
        RemoteFn::new_async(self.captured, self.function)
    }
}

/// Calls an async closure: the one way to state the type of a future's result that `?` and `return` in it obey.
#[inline]
pub fn call_async<R>(closure: impl AsyncFnOnce() -> R) -> impl Future<Output = R> {
    closure()
}

/// As [`Hint::closure`], for a closure that returns a future of the result.
#[inline]
pub fn future_closure<G, F, X, R>(_: Hint<X, R>, function: G) -> G
where
    G: Fn(X) -> F,
    F: Future<Output = R>,
{
    function
}
