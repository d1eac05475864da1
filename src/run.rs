//! The way in, and the few things that every program needs on both targets.

use std::fmt::{self, Display};
use std::future::Future;
use std::time::Duration;

use crate::platform;

/// Runs the program: blocks natively until `future` ends, and spawns it on the page's event loop in the browser.
///
/// An `Err` is shown: natively on standard error, with exit code 1; in the browser on the console, and so is a panic. There the end is also
/// announced by an event `wasm-mt-exit` on the global object, whose `detail.error` is the error's text or `null`.
///
/// # Panics
///
/// Natively, if it is called within another `run`, or within a task.
///
/// ```no_run
/// use wasm_mt::{Error, Thread, remote};
///
/// async fn app() -> Result<(), Error> {
///     let thread = Thread::new();
///     wasm_mt::println!("{}", thread.spawn_remote(remote!(|| 6 * 7)).await?);
///     Ok(())
/// }
///
/// wasm_mt::run(app()); // all of `main`
/// ```
pub fn run<F>(future: F)
where
    F: Future<Output: Exit> + 'static,
{
    platform::run(async { future.await.into_result() });
}

/// What a program's future may end in: `()`, or a `Result<(), E>`.
pub trait Exit: sealed::Sealed {
    #[doc(hidden)]
    fn into_result(self) -> Result<(), String>;
}

impl Exit for () {
    fn into_result(self) -> Result<(), String> {
        Ok(())
    }
}

impl<E: Display> Exit for Result<(), E> {
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
/// days: longer is cut to that.
pub fn sleep(duration: Duration) -> impl Future<Output = ()> + Send + 'static {
    platform::sleep(duration)
}

/// Lets everything else that is ready on this thread have its turn: in the browser the event loop, so that messages
/// arrive, timers fire and the page is drawn.
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
