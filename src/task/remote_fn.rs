//! The public value that stands for a task with an open argument: [`RemoteFn`].

use std::fmt;
use std::marker::PhantomData;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::calls::Calls;
use super::encoded::Encoded;
use super::entry::Callee;
use super::hint::Hint;
use super::remote::Remote;
use crate::schedule::TaskKind;

/// A function to be called on workers: a task with one argument left open, for many calls.
///
/// Made by [`remote!`](crate::remote) from a closure with a parameter. By hand, [`RemoteFn::new`] takes the captured values and
/// a function that makes the closure of them. It is called on a worker, since no closure crosses; the values do, and are
/// encoded at once, so a `RemoteFn` is `Send` whatever they are.
///
/// A `RemoteFn` that is bound by `let` before its first call needs its types named.
///
/// ```
/// # use wasm_mt::{RemoteFn, Thread};
/// # wasm_mt::run(async {
/// let thread = Thread::new();
/// let scale = RemoteFn::new(3, |factor, _| move |x: i32| factor * x);
/// assert_eq!(thread.spawn_remote(scale.call(5)).await?, 15);
/// assert_eq!(thread.spawn_remote(scale.call(7)).await?, 21);
/// # Ok::<_, wasm_mt::Error>(())
/// # });
/// ```
///
/// # Calls
///
/// The closure is made of its captures on a worker, for a call or for many, and is called by reference. So it is an
/// [`Fn`], or an [`AsyncFn`] whose future may borrow what was captured. A body that moves out of a capture, or changes one, does
/// not compile:
///
/// ```compile_fail,E0507
/// # use wasm_mt::{RemoteFn, remote};
/// let prefix = String::from("item ");
/// let name: RemoteFn<u32, String> = remote!(move |n| prefix + &n.to_string()); // write `prefix.clone() + ..`
/// ```
///
/// ```compile_fail,E0596
/// # use wasm_mt::{RemoteFn, remote};
/// let list = vec![1, 3];
/// let with: RemoteFn<u32, usize> = remote!(move |n| {
///     list.push(n); // write `let mut list = list.clone();` before
///     list.len()
/// });
/// ```
///
/// What is to be changed is cloned in the body, or captured in a [`Cell`](std::cell::Cell) or [`RefCell`](std::cell::RefCell).
/// A call may find there what an earlier call on the same worker has left, or what was captured: no result may depend on it.
///
/// # Large captures
///
/// Captures that take 1 KiB or more, encoded, and such with attachments ([`Transfer`](crate::Transfer) and its kin) cross to each
/// worker once and are decoded there once: all calls on that worker share the closure. A worker that replaces a lost one gets
/// them again. They stay for as long as the `RemoteFn` has an owner: itself, a clone, a call or a task of it that is not
/// answered. [`Stats::resident_bytes`](crate::Stats::resident_bytes) says how much that is.
///
/// Calls that a task makes share the closure of their worker too. One that migrates carries the captures along.
///
/// ```
/// # use wasm_mt::{Pool, RemoteFn, remote};
/// # wasm_mt::run(async {
/// let pool = Pool::builder().threads(1).build();
/// let table = (0..100_000).collect::<Vec<u32>>();
/// let entry: RemoteFn<usize, u32> = remote!(move |n| table[n]);
/// assert_eq!(pool.spawn_remote(entry.call(7)).await?, 7); // the table crosses
/// assert_eq!(pool.spawn_remote(entry.call(9)).await?, 9); // nothing but 9 does
/// assert!(pool.stats().resident_bytes > 100_000);
/// drop(entry); // the worker drops its table
/// assert_eq!(pool.stats().resident_bytes, 0);
/// # Ok::<_, wasm_mt::Error>(())
/// # });
/// ```
///
/// # Traits
///
/// A clone shares large captures, and has a copy of small ones.
pub struct RemoteFn<X, R> {
    encoded: Encoded,
    signature: PhantomData<fn(X) -> R>,
}

impl<X, R> RemoteFn<X, R>
where
    X: Serialize + DeserializeOwned + 'static,
    R: Serialize + DeserializeOwned + 'static,
{
    /// Tasks that call the closure which `make` gives, with an argument given later.
    ///
    /// `make` is a function, or a closure that captures nothing. It gets `args`: a tuple for several values, `()` for none; and a
    /// [`Hint`], by which the closure can go to have its types inferred.
    ///
    /// ```
    /// # use wasm_mt::{RemoteFn, Thread};
    /// # wasm_mt::run(async {
    /// let line: RemoteFn<f64, f64> = RemoteFn::new((2.0, 1.0), |(slope, start), hint| hint.closure(move |x| x * slope + start));
    /// assert_eq!(Thread::new().spawn_remote(line.call(3.0)).await?, 7.0);
    /// # Ok::<_, wasm_mt::Error>(())
    /// # });
    /// ```
    #[track_caller]
    pub fn new<A, G>(args: A, make: fn(A, Hint<X, R>) -> G) -> Self
    where
        A: Serialize + DeserializeOwned + 'static,
        G: Fn(X) -> R + 'static,
    {
        Self::from_encoded(Encoded::new(TaskKind::Sync, Callee::made(make), &args).reusable())
    }

    /// Tasks that await the async closure which `make` gives, with an argument given later.
    ///
    /// As [`new`](Self::new), with an async closure. Its future may borrow what was captured, and stays on its worker, so it
    /// need not be `Send`.
    ///
    /// ```
    /// # use wasm_mt::{RemoteFn, Thread};
    /// # wasm_mt::run(async {
    /// let repeat = RemoteFn::new_async(String::from("ab"), |text, _| {
    ///     async move |count: usize| {
    ///         wasm_mt::yield_now().await;
    ///         text.repeat(count)
    ///     }
    /// });
    /// assert_eq!(Thread::new().spawn_remote(repeat.call(3)).await?, "ababab");
    /// # Ok::<_, wasm_mt::Error>(())
    /// # });
    /// ```
    #[track_caller]
    pub fn new_async<A, G>(args: A, make: fn(A, Hint<X, R>) -> G) -> Self
    where
        A: Serialize + DeserializeOwned + 'static,
        G: AsyncFn(X) -> R + 'static,
    {
        Self::from_encoded(Encoded::new(TaskKind::Async, Callee::made_async(make), &args).reusable())
    }

    /// The task for one argument.
    ///
    /// Captured attachments ([`Transfer`](crate::Transfer) and its kin) are copied, once for each worker.
    ///
    /// ```
    /// # use wasm_mt::{RemoteFn, Transfer, remote};
    /// # wasm_mt::run(async {
    /// let table = Transfer(vec![1, 10, 100]);
    /// let look_up: RemoteFn<usize, u32> = remote!(move |place| table.0[place]);
    /// assert_eq!(look_up.call(1).await?, 10);
    /// assert_eq!(look_up.call(2).await?, 100); // the table went with both
    /// # Ok::<_, wasm_mt::Error>(())
    /// # });
    /// ```
    pub fn call(&self, x: X) -> Remote<R> {
        Remote::from_encoded(self.encoded.with(&x))
    }
}

impl<X, R> RemoteFn<X, R> {
    fn from_encoded(encoded: Encoded) -> Self {
        Self { encoded, signature: PhantomData }
    }

    /// Gives every task of this function a time limit: see [`Remote::timeout`].
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use wasm_mt::{RemoteFn, remote};
    /// # wasm_mt::run(async {
    /// let forever: RemoteFn<u32, u32> = remote!(async move |n| {
    ///     std::future::pending::<()>().await;
    ///     n
    /// });
    /// let forever = forever.timeout(Duration::from_millis(20));
    /// assert!(forever.call(1).await.unwrap_err().is_timeout());
    /// # });
    /// ```
    #[must_use]
    pub fn timeout(self, limit: Duration) -> Self {
        Self::from_encoded(self.encoded.timeout(limit))
    }

    /// Lets every task of this function run again: see [`Remote::retry`].
    ///
    /// ```
    /// # use wasm_mt::{Pool, RemoteFn, Strategy, remote};
    /// # wasm_mt::run(async {
    /// let pool = Pool::builder().threads(1).strategy(Strategy::Parallel).build();
    /// let slow: RemoteFn<u32, u32> = remote!(async move |n| {
    ///     for _ in 0..1000 {
    ///         wasm_mt::yield_now().await;
    ///     }
    ///     n
    /// });
    /// let handle = pool.spawn_remote(slow.retry(1).call(42));
    /// let faulty = pool.spawn_remote(remote!(|| -> u32 { panic!("a bug") }));
    /// assert!(faulty.await.unwrap_err().is_panic()); // the worker is lost, and the other task with it
    /// assert_eq!(handle.await?, 42);
    /// # Ok::<_, wasm_mt::Error>(())
    /// # });
    /// ```
    #[must_use]
    pub fn retry(self, times: u32) -> Self {
        Self::from_encoded(self.encoded.retry(times))
    }

    /// Makes ready for many calls.
    pub(crate) fn into_calls(self) -> Calls {
        Calls::new(self.encoded)
    }
}

impl<X, R> Clone for RemoteFn<X, R> {
    fn clone(&self) -> Self {
        Self::from_encoded(self.encoded.clone())
    }
}

impl<X, R> fmt::Debug for RemoteFn<X, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RemoteFn({})", self.encoded.made_at)
    }
}
