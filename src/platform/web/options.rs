//! How a worker is to be started, as far as only the web has it.

use wasm_bindgen::JsValue;
use web_sys::Worker;

/// Makes a worker, for bundlers that must see the expression that does.
pub(crate) type Factory = fn() -> Result<Worker, JsValue>;

/// How a worker is to be started, as far as only the web has it.
#[derive(Clone, Debug, Default)]
pub(crate) struct WebOptions {
    /// The URL of the worker script, where a blob may not be run.
    pub(crate) script: Option<String>,
    /// The URL of the glue, where it cannot be found.
    pub(crate) glue: Option<String>,
    /// The URL of the glue, should it not be found otherwise. May be empty.
    pub(crate) hidden_glue: String,
    /// Makes the worker, where a bundler must see how.
    pub(crate) factory: Option<Factory>,
}
