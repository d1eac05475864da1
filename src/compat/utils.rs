//! Helpers of 0.1. Nothing here needs a worker.

use std::cell::Cell;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use js_sys::{ArrayBuffer, Promise, Uint8Array};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{Response, TextDecoder};

use crate::js;
use crate::run;

pub use crate::{console_ln, debug_ln};

/// Counts up from 0.
///
/// ```ignore (web only)
/// let counter = Counter::new();
/// assert_eq!((counter.inc(), counter.inc(), counter.num()), (1, 2, 2));
/// ```
#[derive(Debug, Default)]
pub struct Counter(Cell<usize>);

impl Counter {
    /// A counter that stands at 0.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one, and says what that gives.
    pub fn inc(&self) -> usize {
        self.0.set(self.0.get() + 1);
        self.0.get()
    }

    /// Where it stands.
    #[must_use]
    pub fn num(&self) -> usize {
        self.0.get()
    }
}

/// The time that is `amt` milliseconds after the beginning of 1970, to the millisecond.
///
/// ```ignore (web only)
/// assert_eq!(perf_to_system(1500.0).duration_since(UNIX_EPOCH)?, Duration::from_millis(1500));
/// ```
#[must_use]
pub fn perf_to_system(amt: f64) -> SystemTime {
    // A negative number is 0 then.
    UNIX_EPOCH + Duration::from_millis(amt as u64)
}

/// A copy of the bytes in JavaScript.
///
/// ```ignore (web only)
/// assert_eq!(u8arr_from_vec(&[1, 2, 3]).to_vec(), [1, 2, 3]);
/// ```
#[must_use]
pub fn u8arr_from_vec(vec: &[u8]) -> Uint8Array {
    Uint8Array::from(vec)
}

/// A copy of a buffer.
///
/// ```ignore (web only)
/// let buffer = ab_from_text("sea");
/// let copy = ab_dup(&buffer);
/// js_sys::Uint8Array::new(&copy).set_index(0, b'p');
/// assert_eq!(text_from_ab(&buffer).as_deref(), Some("sea"));
/// ```
#[must_use]
pub fn ab_dup(ab: &ArrayBuffer) -> ArrayBuffer {
    ab.slice(0)
}

/// The bytes of a text in UTF-8.
///
/// ```ignore (web only)
/// assert_eq!(ab_from_text("é").byte_length(), 2);
/// ```
#[must_use]
pub fn ab_from_text(text: &str) -> ArrayBuffer {
    u8arr_from_vec(text.as_bytes()).buffer()
}

/// The text whose UTF-8 the buffer holds, with U+FFFD for what is none; `None` if the browser cannot read the buffer.
///
/// ```ignore (web only)
/// let buffer = u8arr_from_vec(&[b's', 0xFF, b'a']).buffer();
/// assert_eq!(text_from_ab(&buffer).as_deref(), Some("s\u{FFFD}a"));
/// ```
#[must_use]
pub fn text_from_ab(ab: &ArrayBuffer) -> Option<String> {
    TextDecoder::new().ok()?.decode_with_buffer_source(ab).ok()
}

/// Requests a resource. An answer with an HTTP error is no error here.
///
/// # Errors
///
/// What `fetch` is rejected with: the resource cannot be reached, or the URL cannot be read.
///
/// # Examples
///
/// ```ignore (web only)
/// let response = fetch_and_response("data:text/plain,sea").await?;
/// assert_eq!(response.status(), 200);
/// ```
pub async fn fetch_and_response(url: &str) -> Result<Response, JsValue> {
    JsFuture::from(fetch(url)?).await?.dyn_into()
}

/// Requests a text.
///
/// # Errors
///
/// As those of [`fetch_and_response`].
///
/// # Examples
///
/// ```ignore (web only)
/// assert_eq!(fetch_as_text("data:text/plain,sea").await?, "sea");
/// ```
pub async fn fetch_as_text(url: &str) -> Result<String, JsValue> {
    let text = JsFuture::from(fetch_and_response(url).await?.text()?).await?;
    text.as_string().ok_or(text)
}

/// Requests bytes.
///
/// # Errors
///
/// As those of [`fetch_and_response`].
///
/// # Examples
///
/// ```ignore (web only)
/// let buffer = fetch_as_arraybuffer("data:text/plain,sea").await?;
/// assert_eq!(buffer.byte_length(), 3);
/// ```
pub async fn fetch_as_arraybuffer(url: &str) -> Result<ArrayBuffer, JsValue> {
    JsFuture::from(fetch_and_response(url).await?.array_buffer()?).await?.dyn_into()
}

/// Runs JavaScript here: the body of a function, whose `return` gives the result. Needs a content security policy that
/// allows `unsafe-eval`.
///
/// # Errors
///
/// What the script throws; a `SyntaxError` or an `EvalError` if it cannot be run.
///
/// # Examples
///
/// ```ignore (web only)
/// assert_eq!(run_js("const add = (a, b) => a + b; return add(1, 2);")?, JsValue::from(3));
/// assert!(run_js("throw new Error('no');").is_err());
/// ```
pub fn run_js(js: &str) -> Result<JsValue, JsValue> {
    js::evaluate(js)
}

/// Runs asynchronous JavaScript here: the body of an `async` function, whose `return` gives the result.
///
/// # Errors
///
/// As those of [`run_js`]; a rejected promise is an exception.
///
/// # Examples
///
/// ```ignore (web only)
/// assert_eq!(run_js_async("return await Promise.resolve(3);").await?, JsValue::from(3));
/// ```
pub async fn run_js_async(js: &str) -> Result<JsValue, JsValue> {
    js::evaluate_async(js).await
}

/// Resolves after `ms` milliseconds.
pub async fn sleep(ms: u32) {
    run::sleep(Duration::from_millis(u64::from(ms))).await;
}

#[wasm_bindgen]
extern "C" {
    /// That of the page or the worker.
    #[wasm_bindgen(catch)]
    fn fetch(url: &str) -> Result<Promise, JsValue>;
}
