//! The options that the builders of threads and of pools share.

/// The methods of a builder that has a `PoolConfig` in its field `config`.
macro_rules! worker_options {
    ($builder:ident) => {
        impl $builder {
            /// The name of the workers, for debuggers. Natively it is the name of their threads.
            ///
            /// ```
            /// # use wasm_mt::{Thread, remote};
            /// # wasm_mt::run(async {
            /// let thread = Thread::builder().name("decoder").build();
            /// let name = thread.spawn_remote(remote!(|| std::thread::current().name().map(str::to_owned))).await?;
            /// assert_eq!(name.as_deref(), Some("decoder")); // natively
            /// # Ok::<_, wasm_mt::Error>(())
            /// # });
            /// ```
            pub fn name(mut self, name: impl Into<String>) -> Self {
                self.config.spec.name = Some(name.into());
                self
            }

            /// How much stack each worker has, in bytes. Default: what the standard library gives a thread, 2 MiB mostly.
            ///
            /// A task's arguments pass over the stack when they are read, also those that end up in a `Box`; an unoptimized
            /// build takes some ten times the size of an array for that. Ignored on the web, where page and workers have the
            /// stack that the program is linked with, 1 MiB by default: `-C link-arg=-zstack-size=4194304`, for example, makes it
            /// four.
            ///
            /// ```
            /// # use wasm_mt::{Thread, remote};
            /// # wasm_mt::run(async {
            /// fn depth(levels: u32) -> u32 {
            ///     if levels == 0 { 0 } else { 1 + depth(levels - 1) }
            /// }
            ///
            /// let thread = Thread::builder().stack_size(256 << 20).build();
            /// assert_eq!(thread.spawn_remote(remote!(|| depth(200_000))).await?, 200_000);
            /// # Ok::<_, wasm_mt::Error>(())
            /// # });
            /// ```
            pub fn stack_size(mut self, bytes: usize) -> Self {
                self.config.spec.stack_size = Some(bytes);
                self
            }

            /// How long a worker may take to start, `on_start` included. Default: 10 seconds.
            ///
            /// Time in which the page itself is blocked, frozen or held by a debugger does not count.
            ///
            /// ```
            /// # use std::time::Duration;
            /// # use wasm_mt::{Thread, remote};
            /// # wasm_mt::run(async {
            /// let never = remote!(async { std::future::pending().await });
            /// let thread = Thread::builder().on_start(never).start_timeout(Duration::from_millis(20)).build();
            /// assert!(thread.ready().await.unwrap_err().is_startup());
            /// # });
            /// ```
            pub fn start_timeout(mut self, limit: ::std::time::Duration) -> Self {
                self.config.start_timeout = limit;
                self
            }

            /// How long an asynchronous task that was [aborted](crate::RemoteHandle::abort), or has run for longer than its
            /// [`timeout`](crate::Remote::timeout), may take to reach an await before its worker is ended. Default:
            /// 100 milliseconds. It begins anew as long as the worker sends messages, for other tasks for example, and is
            /// twenty times as long if the task awaits something, may be waiting behind others, or if others would be lost
            /// with the worker.
            ///
            /// ```
            /// # use std::time::Duration;
            /// # use wasm_mt::{Thread, remote};
            /// # wasm_mt::run(async {
            /// let thread = Thread::builder().grace(Duration::from_secs(10)).build();
            /// let endless = thread.spawn_remote(remote!(async { std::future::pending::<()>().await }));
            /// endless.abort();
            /// assert!(endless.await.unwrap_err().is_cancelled());
            /// assert!(!thread.is_lost()); // the task was dropped at its await, within the grace
            /// # });
            /// ```
            pub fn grace(mut self, grace: ::std::time::Duration) -> Self {
                self.config.grace = grace;
                self
            }

            /// A task that each worker runs before all others, a worker that replaces a lost one too: to set up logging, for
            /// example.
            ///
            /// If it panics, the worker has not started. Its time counts towards
            /// [`start_timeout`](Self::start_timeout); a `timeout` of its own is ignored.
            ///
            /// ```
            /// # use std::cell::RefCell;
            /// # use wasm_mt::{Thread, remote};
            /// # wasm_mt::run(async {
            /// thread_local!(static TABLE: RefCell<Vec<u32>> = RefCell::default());
            ///
            /// let fill = remote!(|| TABLE.set((0..10).map(|n| n * n).collect()));
            /// let thread = Thread::builder().on_start(fill).build();
            /// assert_eq!(thread.spawn_remote(remote!(|| TABLE.with_borrow(|table| table[9]))).await?, 81);
            /// # Ok::<_, wasm_mt::Error>(())
            /// # });
            /// ```
            pub fn on_start(mut self, task: $crate::Remote<()>) -> Self {
                self.config.on_start = Some(task.into_call());
                self
            }

            /// Calls a function with every task that has run, for timelines and measurements.
            ///
            /// In the browser it is called on the thread that built the workers; natively on the workers' threads. It adds to
            /// each task some bytes of a message, but no message.
            ///
            /// ```
            /// # use std::sync::Mutex;
            /// # use std::time::Duration;
            /// # use wasm_mt::{Pool, TaskRun, remote};
            /// # wasm_mt::run(async {
            /// static LONGEST: Mutex<Option<Duration>> = Mutex::new(None);
            ///
            /// let hook = |run: &TaskRun| {
            ///     let mut longest = LONGEST.lock().unwrap();
            ///     *longest = (*longest).max(Some(run.ended - run.began));
            /// };
            /// let pool = Pool::builder().on_run(hook).build();
            /// pool.spawn_remote(remote!(|| 6 * 7)).await?;
            /// assert!(LONGEST.lock().unwrap().is_some());
            /// # Ok::<_, wasm_mt::Error>(())
            /// # });
            /// ```
            pub fn on_run(mut self, hook: impl Fn(&$crate::TaskRun) + Send + Sync + 'static) -> Self {
                self.config.on_run = Some(::std::sync::Arc::new(hook));
                self
            }

            /// The URL of a worker script on the program's own host; by default the script is a blob.
            ///
            /// Needed under a content security policy that allows `worker-src 'self'` but not `blob:`. The script is
            /// [`WORKER_SCRIPT`](crate::WORKER_SCRIPT): serve it as it is. Such a worker loads the program's JavaScript itself,
            /// and browsers do not let it demand an `integrity`; what the page demands was checked before. Ignored natively.
            ///
            /// ```
            /// # use wasm_mt::{Thread, remote};
            /// # wasm_mt::run(async {
            /// let thread = Thread::builder().script_url("/assets/worker.js").build();
            /// assert_eq!(thread.spawn_remote(remote!(|| 6 * 7)).await?, 42);
            /// # Ok::<_, wasm_mt::Error>(())
            /// # });
            /// ```
            pub fn script_url(mut self, url: impl Into<String>) -> Self {
                self.config.spec.web.script = Some(url.into());
                self
            }

            /// The URL of the JavaScript that wasm-bindgen generated for the program; by default it is found automatically.
            ///
            /// Needed if a bundler put that JavaScript into a larger file. [`WorkerSetup`](crate::WorkerSetup) says it for all
            /// workers of a program. Ignored natively.
            ///
            /// ```
            /// # use wasm_mt::{Thread, remote};
            /// # wasm_mt::run(async {
            /// let thread = Thread::builder().glue_url("/assets/app.js").build();
            /// assert_eq!(thread.spawn_remote(remote!(|| 6 * 7)).await?, 42);
            /// # Ok::<_, wasm_mt::Error>(())
            /// # });
            /// ```
            pub fn glue_url(mut self, url: impl Into<String>) -> Self {
                self.config.spec.web.glue = Some(url.into());
                self
            }
        }
    };
}
pub(crate) use worker_options;
