//! How workers are made, said once for the whole program.

use crate::error::Error;
use crate::platform::{self, WebOptions};

/// How the workers of a program are made on the web, as far as their builder does not say it: those of the default pool, of
/// all libraries, and of workers too.
///
/// Most programs need none. A program in a bundle must say where its own JavaScript is, which wasm-bindgen generated: what the
/// bundler made holds the whole application, and no worker may run that.
///
/// A script of the page can say the same in `globalThis.wasmMt`, before the program starts, where bundlers see it. What Rust
/// says comes first.
///
/// ```js
/// globalThis.wasmMt = {
///     glueUrl: new URL("./pkg/app.js", import.meta.url), // as `glue_url`
///     // scriptUrl: "/worker.js",                        // as `script_url`
///     // createWorker: () => new Worker(new URL("./worker.js", import.meta.url), { type: "module" }), // as `worker_factory`
/// };
/// ```
///
/// Natively it is ignored.
///
/// # Examples
///
/// ```
/// use wasm_mt::{WorkerSetup, remote};
///
/// # wasm_mt::run(async {
/// WorkerSetup::new().glue_url("/assets/app.js").install()?;
/// assert_eq!(remote!(|| 6 * 7).await?, 42);
/// # Ok::<_, wasm_mt::Error>(())
/// # });
/// ```
#[derive(Clone, Debug, Default)]
#[must_use = "it says nothing before it is installed"]
pub struct WorkerSetup {
    pub(crate) options: WebOptions,
}

impl WorkerSetup {
    /// A setup that says nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The URL of the JavaScript that wasm-bindgen generated for the program, relative to the page:
    /// [`ThreadBuilder::glue_url`](crate::ThreadBuilder::glue_url) for all workers.
    pub fn glue_url(mut self, url: impl Into<String>) -> Self {
        self.options.glue = Some(url.into());
        self
    }

    /// The URL of a worker script on the program's own host, relative to the page:
    /// [`ThreadBuilder::script_url`](crate::ThreadBuilder::script_url) for all workers.
    ///
    /// ```
    /// # use wasm_mt::{WorkerSetup, remote};
    /// # wasm_mt::run(async {
    /// WorkerSetup::new().script_url("/assets/worker.js").install()?;
    /// assert_eq!(remote!(|| 6 * 7).await?, 42);
    /// # Ok::<_, wasm_mt::Error>(())
    /// # });
    /// ```
    pub fn script_url(mut self, url: impl Into<String>) -> Self {
        self.options.script = Some(url.into());
        self
    }

    /// Makes it hold for the whole program.
    ///
    /// # Errors
    ///
    /// [`is_startup`](Error::is_startup) if a worker was made before, or if a setup is installed already. Never natively.
    ///
    /// # Examples
    ///
    /// ```ignore (web only)
    /// WorkerSetup::new().glue_url("/assets/app.js").install()?;
    /// // A program has one.
    /// assert!(WorkerSetup::new().install().unwrap_err().is_startup());
    /// ```
    pub fn install(self) -> Result<(), Error> {
        platform::install(self.options)
    }
}
