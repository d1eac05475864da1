//! The types of an open argument and of a result, on their way to the closure that is to have them.

use std::fmt;
use std::marker::PhantomData;

/// Tells a closure the types that its [`RemoteFn`](crate::RemoteFn) is to have.
///
/// The maker of a function gets one beside the captured values. A closure that goes through [`closure`](Self::closure) or
/// [`async_closure`](Self::async_closure) need not state the type of its parameter where the use of the function gives it:
///
/// ```
/// # use futures::TryStreamExt;
/// # use wasm_mt::{ExecutorExt, RemoteFn, Thread};
/// # wasm_mt::run(async {
/// let words = ["a", "bc"].map(String::from);
/// let thread = Thread::new();
/// let lengths = thread.par_map(
///     words,
///     RemoteFn::new(1, |more, hint| hint.closure(move |word| word.len() + more)),
/// );
/// let lengths: Vec<usize> = lengths.try_collect().await?;
/// assert_eq!(lengths, [2, 3]);
/// # Ok::<_, wasm_mt::Error>(())
/// # });
/// ```
///
/// Without it, the compiler checks the body of the closure before it knows the type of `word`. A closure that states its
/// types, or a function's name, needs no hint. A hint holds nothing and does nothing at run time.
pub struct Hint<X, R>(PhantomData<fn(X) -> R>);

impl<X, R> Hint<X, R> {
    pub(super) const fn new() -> Self {
        Self(PhantomData)
    }

    /// Gives the closure back.
    ///
    /// ```
    /// # use wasm_mt::RemoteFn;
    /// # wasm_mt::run(async {
    /// let length: RemoteFn<String, usize> = RemoteFn::new((), |(), hint| hint.closure(|word| word.len()));
    /// assert_eq!(length.call("sea".to_owned()).await?, 3);
    /// # Ok::<_, wasm_mt::Error>(())
    /// # });
    /// ```
    #[inline]
    pub fn closure<G>(self, function: G) -> G
    where
        G: Fn(X) -> R,
    {
        function
    }

    /// Gives the async closure back.
    ///
    /// ```
    /// # use futures::TryStreamExt;
    /// # use wasm_mt::{ExecutorExt, RemoteFn, Thread};
    /// # wasm_mt::run(async {
    /// let words = ["a", "bc"].map(String::from);
    /// let thread = Thread::new();
    /// let lengths = thread.par_map(
    ///     words,
    ///     RemoteFn::new_async(1, |more, hint| {
    ///         hint.async_closure(async move |word| {
    ///             wasm_mt::yield_now().await;
    ///             word.len() + more
    ///         })
    ///     }),
    /// );
    /// assert_eq!(lengths.try_collect::<Vec<usize>>().await?, [2, 3]);
    /// # Ok::<_, wasm_mt::Error>(())
    /// # });
    /// ```
    #[inline]
    pub fn async_closure<G>(self, function: G) -> G
    where
        G: AsyncFn(X) -> R,
    {
        function
    }
}

impl<X, R> Clone for Hint<X, R> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<X, R> Copy for Hint<X, R> {}

impl<X, R> fmt::Debug for Hint<X, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hint")
    }
}
