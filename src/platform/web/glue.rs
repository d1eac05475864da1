//! Finds the JavaScript that wasm-bindgen generated for this program: a worker runs the same.

use std::cell::RefCell;

use js_sys::{Array, ArrayBuffer, Object, Promise};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::{JsFuture, future_to_promise};
use web_sys::{Blob, BlobPropertyBag, Url};

use super::node;
use super::reflect::{get, object};
use crate::platform::WORKER_SCRIPT;

thread_local! {
    static GLUE_URL: RefCell<Option<String>> = const { RefCell::new(None) };
    /// In a worker of ours: what URLs are relative to on its page.
    static BASE: RefCell<Option<String>> = const { RefCell::new(None) };
    /// The glue that was bundled last, and what came of it: a [`Bundle`]'s array, one of null if it is not the glue, or an
    /// empty one if it could not be had.
    static BUNDLE: RefCell<Option<(String, Promise)>> = const { RefCell::new(None) };
}

/// In a worker: the page knows it already, and has a bundle of it if it started this worker from one. That lasts as long as the
/// page, which is longer.
pub(super) fn set(url: Option<String>, bundle: &JsValue, base: String) {
    if let (Some(url), true) = (&url, bundle.is_object()) {
        BUNDLE.set(Some((url.clone(), Promise::resolve(bundle))));
    }
    GLUE_URL.set(url);
    BASE.set(Some(base));
}

/// What URLs are relative to on the page, in its workers too.
pub(super) fn base() -> String {
    let base = || get(&get(&js_sys::global(), "document"), "baseURI").as_string();
    BASE.with_borrow(Clone::clone).or_else(base).or_else(url).unwrap_or_default()
}

/// True if this is the URL of the page itself: its scripts are within it.
pub(super) fn is_page(url: &str) -> bool {
    let page = get(&get(&js_sys::global(), "document"), "URL").as_string();
    page.is_some_and(|page| page.split('#').next() == url.split('#').next())
}

/// The glue's URL, where it can be found.
pub(super) fn url() -> Option<String> {
    if let Some(url) = GLUE_URL.with_borrow(Clone::clone) {
        return Some(url);
    }
    // Only the glue can make an error for us, so its script is the first in the trace. That of glue which was evaluated has no URL,
    // and what called it is another script.
    let trace = get(&js_sys::Error::new(""), "stack").as_string()?;
    let place = get(&RegExp::new(PLACE_PATTERN, "").exec(&trace), "0").as_string()?;
    let is_node = node::is_here();
    let pattern = if is_node { node::PATH_PATTERN } else { SCRIPT_PATTERN };
    let script = get(&RegExp::new(pattern, "m").exec(&place), "0").as_string()?;
    let url = if is_node { node::url_of(script)? } else { script };
    GLUE_URL.set(Some(url.clone()));
    Some(url)
}

/// A stack trace as far as to its first line that is neither a title nor the instance itself.
const PLACE_PATTERN: &str = r"^(?:(?:\w*Error\b.*|.*(?:\.wasm(?::\d+)*\)*|:wasm-function\[.*))\n)*.*";

/// The URL of a script in a line of a stack trace, `at name (URL:line:column)` or `name@URL:line:column`, unless that is the
/// instance itself. By JavaScript's own regular expressions: Rust's code for it would be in every program.
const SCRIPT_PATTERN: &str =
    r"\w[\w+.-]*:\/\/(?!\S*(?:\.wasm(?::\d+)*\)*$|:wasm-function\[))\S*?(?=(?::\d+){0,2}\)*\s*$)";

/// What the page demands of a script, by the elements that name it. Workers have none.
struct Demands {
    integrity: String,
    credentials: &'static str,
}

impl Demands {
    fn of(url: &str) -> Self {
        let mut demands = Self { integrity: String::new(), credentials: "same-origin" };
        let elements = query_selector_all("script,link").map(|list| Array::from(&list)).unwrap_or_default();
        for element in elements.iter() {
            let text = |key| get(&element, key).as_string().unwrap_or_default();
            if text("src") == url || text("href") == url {
                if demands.integrity.is_empty() {
                    demands.integrity = text("integrity");
                }
                if text("crossOrigin") == "use-credentials" {
                    demands.credentials = "include";
                }
            }
        }
        demands
    }
}

/// True if the page demands the integrity of this script.
pub(super) fn is_pinned(url: &str) -> bool {
    !Demands::of(url).integrity.is_empty()
}

/// A script that needs to load no other: an array of its URL, and whether it is a module. No URL if there can be none.
#[derive(Clone)]
pub(super) struct Bundle(pub(super) JsValue);

impl Bundle {
    pub(super) fn url(&self) -> Option<String> {
        get(&self.0, "0").as_string()
    }

    /// As the glue's own script is, so that a task finds what belongs to that kind: only a classic one has
    /// `importScripts`.
    pub(super) fn is_module(&self) -> bool {
        get(&self.0, "1").is_truthy()
    }
}

/// What there is at the glue's URL.
pub(super) enum Found {
    /// The glue's text and the worker's, in one script of a blob. Importing the glue would take each worker as long as
    /// everything else together.
    Bundled(Bundle),
    /// It cannot be had here, or imports others itself, by URLs that mean nothing in a blob: a worker loads it.
    Loadable,
    /// It is not the glue. No worker may run it: it may be the whole application.
    Other,
}

/// Looks at what is to be the glue, and bundles it if that can be.
///
/// # Errors
///
/// What the page demands the integrity of, and cannot be had, no worker may load.
pub(super) async fn bundle(url: &str) -> Result<Found, String> {
    let known =
        BUNDLE.with_borrow(|bundle| bundle.as_ref().filter(|(of, _)| of == url).map(|(_, it)| it.clone()));
    let promise = known.unwrap_or_else(|| {
        let glue = url.to_owned();
        let promise =
            future_to_promise(async move { Ok(make_bundle(&glue).await.unwrap_or_default().into()) });
        BUNDLE.set(Some((url.to_owned(), promise.clone())));
        promise
    });
    let bundle = Bundle(JsFuture::from(promise).await.unwrap_or_default());
    if bundle.url().is_some() {
        return Ok(Found::Bundled(bundle));
    }
    if get(&bundle.0, "0").is_null() {
        return Ok(Found::Other);
    }
    if get(&bundle.0, "length").is_truthy() {
        return Ok(Found::Loadable);
    }
    // The network may do better next time.
    BUNDLE.set(None);
    if is_pinned(url) {
        return Err(format!(
            "the program's JavaScript {url} could not be fetched with the `integrity` that the page demands of it; \
             reload the page, so that both are of one build"
        ));
    }
    Ok(Found::Loadable)
}

/// How long the glue may take, in milliseconds: the browser has it. A worker that has no bundle imports it itself. WebKit
/// leaves a request now and then without an end.
const LIMIT: u32 = 2_000;

/// What the glue of this library's programs exports, as a module, and as a classic script or a part of one.
const EXPORT: &str = r"\bexport\b[^;]*\b__wasm_mt_start\b|\.__wasm_mt_start\s*=";

/// Tools that keep scripts in memory name them by URLs that nothing can load.
const NO_URL: &str = "webpack";

/// Why [`Found::Other`] cannot be run by a worker.
#[cold]
pub(super) fn is_other(url: &str, is_given: bool) -> String {
    let cure = if is_given {
        "give `glue_url` the URL of that, a file of its own"
    } else {
        "a bundler has put that into a larger script, which would run the whole application in each worker; enable the feature \
         `bundler` of wasm-mt, or write `globalThis.wasmMt = { glueUrl: new URL(\"./pkg/app.js\", import.meta.url) }`, with the \
         name of that file, before the program starts"
    };
    format!("{url} is not the JavaScript that wasm-bindgen generated for the program; {cure}")
}

/// Glue that is a classic script, and the name of its global.
const CLASSIC: &str = r"^\s*let ([\w$]+) = \(function\(exports\)";

/// What stands at the end of that.
const CLASSIC_END: &str = r"\.__wasm_mt_start\s*=[^]*\}\)\([^()]*\);\s*$";

/// The glue in a script element of its own within the page. A module there holds what starts the application too.
fn inline() -> Option<String> {
    let elements = query_selector_all("script").map(|list| Array::from(&list)).ok()?;
    let texts = elements.iter().filter_map(|element| get(&element, "text").as_string());
    let is_glue = |text: &String| {
        [CLASSIC, CLASSIC_END].iter().all(|pattern| !RegExp::new(pattern, "").exec(text).is_null())
    };
    texts.into_iter().find(is_glue)
}

/// What a [`Bundle`] holds.
async fn make_bundle(url: &str) -> Option<Array> {
    let other = || Some(Array::of1(&JsValue::NULL));
    if is_page(url) {
        return inline().map_or_else(other, |text| bundle_text(&text));
    }
    if url.starts_with(NO_URL) {
        return other();
    }
    let Demands { integrity, credentials } = Demands::of(url);
    // As the page has it, even if the host has a newer one by now.
    let options = object([
        ("cache", "force-cache".into()),
        ("credentials", credentials.into()),
        ("integrity", integrity.into()),
        ("signal", timeout(LIMIT)),
    ]);
    let response = JsFuture::from(fetch_with(url, &options).ok()?).await.ok()?;
    if !get(&response, "ok").is_truthy() {
        return None;
    }
    let text = JsFuture::from(text(&response).ok()?).await.ok()?.as_string()?;
    let has = |pattern| !RegExp::new(pattern, "m").exec(&text).is_null();
    // A host may answer with a page whatever is asked of it.
    if text.trim_start().starts_with('<') {
        return None;
    }
    if !has(EXPORT) {
        return other();
    }
    if has(r#"^\s*import\b(?!\s*[.(])|\bfrom\s*["']"#) {
        return Some(Array::of1(&JsValue::UNDEFINED));
    }
    bundle_text(&text)
}

fn bundle_text(text: &str) -> Option<Array> {
    let is_module = !RegExp::new(r"^\s*export\b|\bimport\.meta\b", "m").exec(text).is_null();
    // The worker's script knows one name only.
    let name = get(&RegExp::new(CLASSIC, "").exec(text), "1").as_string();
    let name = name.map_or(String::new(), |name| format!("self.wasm_bindgen={name};"));
    let url = blob_url(&[text, "\n;", &name, WORKER_SCRIPT]).ok()?;
    Some(Array::of2(&url.into(), &is_module.into()))
}

/// The URL of glue whose text is in a buffer; empty if that is not needed, because the glue's own URL can be found.
#[cfg_attr(not(feature = "compat"), expect(dead_code, reason = "only programs of 0.1 give buffers"))]
pub(crate) fn url_of_hidden_glue(text: &ArrayBuffer) -> String {
    if url().is_some() {
        return String::new();
    }
    let url = script_blob(&Array::of1(text));
    url.unwrap_or_default()
}

/// Text as the URL of a script. It is never revoked: a worker may load it late.
pub(super) fn blob_url(parts: &[&str]) -> Result<String, JsValue> {
    script_blob(&parts.iter().map(|part| JsValue::from_str(part)).collect::<Array>())
}

fn script_blob(parts: &Array) -> Result<String, JsValue> {
    let options = BlobPropertyBag::new();
    options.set_type("text/javascript");
    Url::create_object_url_with_blob(&Blob::new_with_str_sequence_and_options(parts, &options)?)
}

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(catch)]
    pub(super) fn fetch(url: &str) -> Result<Promise, JsValue>;

    #[wasm_bindgen(catch, js_namespace = document, js_name = querySelectorAll)]
    fn query_selector_all(selector: &str) -> Result<Object, JsValue>;

    /// Ends a request after so many milliseconds.
    #[wasm_bindgen(js_namespace = AbortSignal)]
    fn timeout(milliseconds: u32) -> JsValue;

    #[wasm_bindgen(catch, js_name = fetch)]
    fn fetch_with(url: &str, options: &Object) -> Result<Promise, JsValue>;

    type RegExp;
    #[wasm_bindgen(constructor)]
    fn new(pattern: &str, flags: &str) -> RegExp;
    #[wasm_bindgen(method)]
    fn exec(this: &RegExp, text: &str) -> JsValue;

    /// Of a response.
    #[wasm_bindgen(catch, js_namespace = ["Response", "prototype", "text"], js_name = call)]
    fn text(response: &JsValue) -> Result<Promise, JsValue>;
}
