//! What exists on the web only.

use futures::task::{LocalFutureObj, LocalSpawn, Spawn, SpawnError};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

use crate::error::Error;
use crate::executor::Pool;
use crate::executor::fronts::{ParallelExecutor, SerialExecutor, WorkStealingExecutor};
use crate::executor::inline::InlineExecutor;
use crate::executor::pool::PoolBuilder;
use crate::executor::setup::WorkerSetup;
use crate::platform::{self, Attachment, NoRoom};
use crate::task::Remote;
use crate::task::transfer::{Transfer, Transferable, sealed, side_table};
use crate::thread::{Thread, ThreadBuilder};

/// What the prelude has on the web beside the rest.
pub(crate) mod prelude {
    pub use super::{Js, exec_js, exec_js_async};
}

/// A JavaScript value in a task's arguments or result. Web only.
///
/// `Js(v)` is cloned to the other side, by the browser's structured clone algorithm, when the task or its result is
/// posted: the clone shows the value as it is then. [`Js::transfer`] hands it over instead.
///
/// `T` is any imported type, such as `js_sys::Date`, or `JsValue` itself. On arrival the type is checked by
/// `instanceof`.
///
/// # Errors
///
/// A value that has no clone, such as a function, makes its task end in an error with
/// [`is_codec`](crate::Error::is_codec), and so does one that arrives with another type than `T`. `Js` is serializable
/// only by this crate: other serializers get an error with a text that says so.
///
/// # Examples
///
/// ```ignore (web only)
/// let date = Js(js_sys::Date::new_0());
/// let year = thread.spawn_remote(remote!(move || date.0.get_full_year())).await?;
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Js<T>(pub T);

impl<T: JsCast> Js<T> {
    /// A value to be transferred, not cloned: an `ArrayBuffer`, a `MessagePort`, an `OffscreenCanvas`, a stream, or
    /// a typed array, whose whole buffer goes with it.
    ///
    /// Once the task or its result is posted, the value is of no more use here; a buffer has length zero then. What
    /// is sent more than once, such as a `RemoteFn`'s arguments, is copied for each time.
    ///
    /// # Errors
    ///
    /// A value that cannot be transferred makes its task end in an error with
    /// [`is_codec`](crate::Error::is_codec); so does one that cannot be copied, where it is sent more than once.
    ///
    /// # Examples
    ///
    /// ```ignore (web only)
    /// let canvas = Js::transfer(element.transfer_control_to_offscreen()?);
    /// thread.spawn_remote(remote!(move || draw(&canvas.0.0))).await?;
    /// ```
    pub fn transfer(value: T) -> Transfer<Js<T>> {
        Transfer(Js(value))
    }
}

impl<T: JsCast> Transferable for Js<T> {}

impl<T: JsCast> sealed::Attach for Js<T> {
    fn attach(&self) -> Result<Attachment, NoRoom> {
        Ok(Attachment::new(self.0.as_ref().clone(), true))
    }

    fn detach(attachment: Attachment) -> Result<Option<Self>, NoRoom> {
        Ok(attachment.into_js().dyn_into().ok().map(Js))
    }
}

impl<T: JsCast> Serialize for Js<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        side_table::serialize(serializer, "Js", || {
            Ok::<_, NoRoom>(Attachment::new(self.0.as_ref().clone(), false))
        })
    }
}

impl<'de, T: JsCast> Deserialize<'de> for Js<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        side_table::deserialize(deserializer, "Js", sealed::Attach::detach)
    }
}

/// A task that runs JavaScript: the body of a function, whose `return` gives the result. Web only.
///
/// Runs in the global scope of the worker. Needs a content security policy that allows `unsafe-eval`.
///
/// # Errors
///
/// What the script throws, a syntax error too, makes the task end in an error that
/// [`is_js`](Error::is_js), with the exception's text and stack. A result that has no clone, such as a function, is an
/// error that [`is_codec`](Error::is_codec).
///
/// # Examples
///
/// ```ignore (web only)
/// let sum = thread.spawn_remote(exec_js("const add = (a, b) => a + b; return add(1, 2);")).await?;
/// assert_eq!(sum.0, JsValue::from(3));
/// ```
#[track_caller]
pub fn exec_js(source: impl Into<String>) -> Remote<Js<JsValue>> {
    Remote::fallible(source.into(), |source: String| async move { result(evaluate(&source)) })
}

/// A task that runs asynchronous JavaScript: the body of an `async` function, whose `return` gives the result. Web only.
///
/// # Errors
///
/// As [`exec_js`]; a rejected promise is an exception.
///
/// # Examples
///
/// ```ignore (web only)
/// let page = thread.spawn_remote(exec_js_async("return await (await fetch('page.txt')).text();")).await?;
/// ```
///
/// A relative URL means what it means on the page for `fetch`, `Request`, `XMLHttpRequest`, `WebSocket`, `EventSource`,
/// `Worker` and `importScripts`, in Rust code too. All else, such as `import()`, `new URL(path, location)` and the methods of
/// `Cache`, needs full URLs, since a worker's script is a blob, to which nothing is relative:
///
/// ```ignore (web only)
/// let sum = exec_js_async("const url = new Request('sum.js').url; return (await import(url)).sum(1, 2);");
/// ```
///
/// In a worker whose script has a URL of its own ([`script_url`](crate::ThreadBuilder::script_url),
/// [`worker_factory`](crate::ThreadBuilder::worker_factory)), all is relative to that, as in any worker.
#[track_caller]
pub fn exec_js_async(source: impl Into<String>) -> Remote<Js<JsValue>> {
    Remote::fallible(source.into(), |source: String| async move { result(evaluate_async(&source).await) })
}

fn result(evaluated: Result<JsValue, JsValue>) -> Result<Js<JsValue>, Error> {
    evaluated.map(Js).map_err(|thrown| platform::js_error(&thrown))
}

/// Runs the body of a function, or gives what it throws.
pub(crate) fn evaluate(source: &str) -> Result<JsValue, JsValue> {
    let function = ScriptFunction::new(source)?;
    let function: &js_sys::Function = function.unchecked_ref();
    function.call0(&JsValue::UNDEFINED)
}

/// Runs the body of an `async` function, or gives what it throws.
pub(crate) async fn evaluate_async(source: &str) -> Result<JsValue, JsValue> {
    let promise = evaluate(&format!("return (async () => {{\n{source}\n}})()"))?;
    JsFuture::from(js_sys::Promise::from(promise)).await
}

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_name = Function)]
    type ScriptFunction;
    /// As `js_sys::Function::new_no_args`, with the exception of a syntax error or a policy caught.
    #[wasm_bindgen(constructor, catch, js_class = "Function")]
    fn new(source: &str) -> Result<ScriptFunction, JsValue>;
}

macro_rules! local_spawn {
    ($($executor:ty)*) => {$(
        /// Web only: the future runs on the event loop here.
        impl LocalSpawn for $executor {
            fn spawn_local_obj(&self, future: LocalFutureObj<'static, ()>) -> Result<(), SpawnError> {
                self.status()?;
                platform::spawn_local(future);
                Ok(())
            }
        }
    )*};
}

local_spawn!(Thread Pool SerialExecutor ParallelExecutor WorkStealingExecutor InlineExecutor);

macro_rules! worker_factory {
    ($($builder:ty)*) => {$(
        /// Web only.
        impl $builder {
            /// Makes the Web Workers, for bundlers that look for the expression `new Worker(new URL(..))` in JavaScript.
            ///
            /// The factory is typically an imported JavaScript function. The worker's script must be
            /// [`WORKER_SCRIPT`](crate::WORKER_SCRIPT), as a classic or a module script. In a bundle it also brings what
            /// wasm-bindgen generated, or [`glue_url`](Self::glue_url) says where that is:
            ///
            /// ```js
            /// import * as glue from "./pkg/app.js";
            /// import "./wasm-mt-worker.js"; // the text of `WORKER_SCRIPT`
            /// self.wasm_bindgen = glue;
            /// ```
            ///
            /// Workers of such a worker are made by the same factory. Under Trusted Types the factory's own policy makes the URL.
            ///
            /// ```ignore (web only)
            /// #[wasm_bindgen(module = "/js/workers.js")]
            /// extern "C" {
            ///     #[wasm_bindgen(catch, js_name = createWorker)]
            ///     fn create_worker() -> Result<web_sys::Worker, JsValue>;
            /// }
            ///
            /// let thread = Thread::builder().worker_factory(create_worker).build();
            /// assert_eq!(thread.spawn_remote(remote!(|| 6 * 7)).await?, 42);
            /// ```
            pub fn worker_factory(mut self, factory: fn() -> Result<web_sys::Worker, JsValue>) -> Self {
                self.config.spec.web.factory = Some(factory);
                self
            }
        }
    )*};
}

worker_factory!(PoolBuilder ThreadBuilder);

/// Web only.
impl WorkerSetup {
    /// Makes the Web Workers: [`ThreadBuilder::worker_factory`] for all workers, in workers too.
    ///
    /// ```ignore (web only)
    /// WorkerSetup::new().worker_factory(|| web_sys::Worker::new("/assets/worker.js")).install()?;
    /// assert_eq!(remote!(|| 6 * 7).await?, 42);
    /// ```
    pub fn worker_factory(mut self, factory: fn() -> Result<web_sys::Worker, JsValue>) -> Self {
        self.options.factory = Some(factory);
        self
    }
}
