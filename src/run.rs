//! The way in, and the few things that every program needs on both targets.

use std::fmt::{self, Display};
use std::future::Future;
use std::time::Duration;

use crate::platform;

/// Runs the program: blocks natively until `future` ends, and spawns it on the page's event loop in the browser.
///
/// The future ends in `()`, or in a `Result<(), E>`, whose error is shown. Natively it is written to standard error, and the
/// program exits with code 1, after the future was dropped, and with it the pools that it owned; so was what was spawned
/// beside it. The pool of [`executor::current`](crate::executor::current) ends with the process, as it does when `main` returns.
/// ([`try_run`] returns the error instead.) In the browser it is written to the console, and so is a panic. There
/// the end is also announced by an event `wasm-mt-exit` on the global object, whose `detail.error` is the error's text or
/// `null`.
///
/// # Panics
///
/// Natively, if it is called within another `run`, or within a task.
///
/// # Examples
///
/// ```no_run
/// use wasm_mt::{Error, Thread, remote};
///
/// fn main() {
///     wasm_mt::run(app());
/// }
///
/// async fn app() -> Result<(), Error> {
///     let thread = Thread::new();
///     wasm_mt::println!("{}", thread.spawn_remote(remote!(|| 6 * 7)).await?);
///     Ok(())
/// }
/// ```
pub fn run<F>(future: F)
where
    F: Future<Output: ProgramOutput> + 'static,
{
    platform::run(async { future.await.into_result() });
}

/// Runs the program as [`run`] does, and returns its error, so that `main` can return it too.
///
/// Natively it blocks until `future` ends, and returns what that has ended in. In the browser `main` must return before the
/// future can run: there it returns `Ok` at once, and an error of the future is shown as `run` shows it.
///
/// # Errors
///
/// Natively the error of the future. In the browser none.
///
/// # Panics
///
/// Natively, if it is called within a [`run`], or within a task.
///
/// # Examples
///
/// ```
/// use wasm_mt::{Error, Thread, remote};
///
/// fn main() -> Result<(), Error> {
///     wasm_mt::try_run(app())
/// }
///
/// async fn app() -> Result<(), Error> {
///     let thread = Thread::new();
///     wasm_mt::println!("{}", thread.spawn_remote(remote!(|| 6 * 7)).await?);
///     Ok(())
/// }
/// ```
pub fn try_run<E>(future: impl Future<Output = Result<(), E>> + 'static) -> Result<(), E>
where
    E: Display + 'static,
{
    platform::try_run(future, |error| format!("Error: {error}"))
}

/// What the future of a program may end in: `()`, or a `Result<(), E>` whose error can be displayed. See [`run`].
///
/// Sealed: the list is closed.
///
/// ```
/// # use wasm_mt::{ProgramOutput, remote};
/// fn start<T: ProgramOutput>(app: impl Future<Output = T> + 'static) {
///     wasm_mt::println!("version {}", env!("CARGO_PKG_VERSION"));
///     wasm_mt::run(app);
/// }
///
/// start(async { assert_eq!(2 + 3, 5) });
/// start(async { remote!(|| assert_eq!(2 + 3, 5)).await });
/// ```
pub trait ProgramOutput: sealed::Sealed {
    #[doc(hidden)]
    fn into_result(self) -> Result<(), String>;
}

impl ProgramOutput for () {
    fn into_result(self) -> Result<(), String> {
        Ok(())
    }
}

impl<E: Display> ProgramOutput for Result<(), E> {
    fn into_result(self) -> Result<(), String> {
        self.map_err(|error| format!("Error: {error}"))
    }
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for () {}
    impl<E> Sealed for Result<(), E> {}
}

/// Resolves after `duration`, on both targets and under any runtime. Browsers count in milliseconds, and no further than 24
/// days: a longer duration is cut to that.
///
/// ```
/// # wasm_mt::run(async {
/// wasm_mt::sleep(std::time::Duration::from_millis(1)).await;
/// # });
/// ```
pub fn sleep(duration: Duration) -> impl Future<Output = ()> + Send + 'static {
    platform::sleep(duration)
}

/// Lets everything else that is ready on this thread have its turn: in the browser the event loop, so that messages
/// arrive, timers fire and the page is drawn.
///
/// ```
/// # wasm_mt::run(async {
/// let mut sum = 0_u64;
/// for n in 0..100_000_u64 {
///     sum += n;
///     if n % 10_000 == 0 {
///         wasm_mt::yield_now().await; // the page stays responsive
///     }
/// }
/// # assert_eq!(sum, 4_999_950_000);
/// # });
/// ```
pub fn yield_now() -> impl Future<Output = ()> + Send + 'static {
    platform::yield_now()
}

/// Prints a line: natively on standard output, in the browser on the page's console, from workers too.
///
/// ```
/// wasm_mt::println!("{} and {name}", 1, name = "two");
/// ```
#[macro_export]
macro_rules! println {
    ($($arguments:tt)*) => {
        $crate::__private::print($crate::__private::format_args!($($arguments)*))
    };
}

/// Behind [`println!`](crate::println).
pub fn print(arguments: fmt::Arguments<'_>) {
    platform::print(&arguments.to_string());
}
