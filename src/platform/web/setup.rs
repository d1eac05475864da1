#![expect(unsafe_code, reason = "a function comes from the page as its address")]
//! How workers are made: as their builder says, else as it is said once for the whole program, by Rust ([`install`]) or by a
//! script of the page, in `globalThis.wasmMt`. In a worker `worker.js` says there what held on the page.

use std::cell::{Cell, RefCell};

use wasm_bindgen::prelude::*;
use web_sys::Worker;

use super::options::{Factory, WebOptions};
use super::reflect::{apply, array, get, global, text};
use super::thrown::text_of;
use crate::error::Error;
use crate::platform::Address;

thread_local! {
    static INSTALLED: RefCell<Option<WebOptions>> = const { RefCell::new(None) };
    /// A worker was asked for: what is said now comes too late for it.
    static IN_USE: Cell<bool> = const { Cell::new(false) };
}

/// Says how the workers of this program are made, as far as no builder says otherwise.
///
/// # Errors
///
/// If it comes too late for a worker, or a second time.
pub(crate) fn install(options: WebOptions) -> Result<(), Error> {
    if IN_USE.get() {
        return Err(Error::startup(
            "a worker of this program was made before its `WorkerSetup` was installed; install that first of all",
        ));
    }
    if INSTALLED.with_borrow(Option::is_some) {
        return Err(Error::startup("a `WorkerSetup` is installed already, and a program has one"));
    }
    INSTALLED.set(Some(options));
    Ok(())
}

/// In a worker: its own workers are made as it was itself.
pub(super) fn inherit(factory: Address) {
    // SAFETY: the page had a function of this type, or none (null). Only trusted scripts can say otherwise.
    let factory = unsafe { factory.function::<Factory>() };
    INSTALLED.set(Some(WebOptions { factory, ..WebOptions::default() }));
}

/// How a worker is to be made.
#[derive(Default)]
pub(super) struct Setup {
    /// The URL of the worker script, if it is the host's own.
    pub(super) script: Option<String>,
    /// The URL of the glue, if the program or the page gave it.
    pub(super) glue: Option<String>,
    pub(super) maker: Option<Maker>,
}

impl Setup {
    /// What a builder says, completed by what is said for the whole program.
    pub(super) fn of(options: &WebOptions) -> Self {
        IN_USE.set(true);
        let program =
            INSTALLED.with_borrow(|installed| installed.as_ref().map(Self::from)).unwrap_or_default();
        Self::from(options).or(program).or(Self::of_page())
    }

    /// What makes the worker is all of one or of the other.
    fn or(self, other: Self) -> Self {
        let (script, maker) = match (self.script, self.maker) {
            (None, None) => (other.script, other.maker),
            own => own,
        };
        Self { script, maker, glue: self.glue.or(other.glue) }
    }

    fn of_page() -> Self {
        let said = global("wasmMt");
        // It may be a `URL`.
        let url = |key| {
            let url = get(&said, key);
            url.as_string().or_else(|| text(&url, "href"))
        };
        let maker = Some(get(&said, "createWorker")).filter(JsValue::is_function).map(Maker::Script);
        Self { script: url("scriptUrl"), glue: url("glueUrl"), maker }
    }
}

impl From<&WebOptions> for Setup {
    fn from(WebOptions { script, glue, factory, .. }: &WebOptions) -> Self {
        Self { script: script.clone(), glue: glue.clone(), maker: factory.map(Maker::Program) }
    }
}

/// A `Worker`, be it one of Node.js.
fn worker(made: JsValue) -> Result<Worker, JsValue> {
    if get(&made, "postMessage").is_function() { Ok(made.unchecked_into()) } else { Err(made) }
}

/// Makes a worker.
#[derive(Clone)]
pub(super) enum Maker {
    /// A function of the program.
    Program(Factory),
    /// A function of the page.
    Script(JsValue),
}

impl Maker {
    pub(super) fn factory(&self) -> Option<Factory> {
        match self {
            Self::Program(factory) => Some(*factory),
            Self::Script(_) => None,
        }
    }

    /// # Errors
    ///
    /// A sentence on what was thrown, or given instead of a worker.
    pub(super) fn make(&self) -> Result<Worker, String> {
        let made = match self {
            Self::Program(factory) => factory(),
            Self::Script(function) => apply(function, &JsValue::UNDEFINED, &array(&[])).and_then(worker),
        };
        let what = match self {
            Self::Program(_) => "the worker factory threw",
            Self::Script(_) => "`globalThis.wasmMt.createWorker` gave or threw",
        };
        made.map_err(|thrown| format!("{what} {}; it must give a Worker", text_of(&thrown)))
    }
}
