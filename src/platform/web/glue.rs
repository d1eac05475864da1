//! Finds the JavaScript that wasm-bindgen generated for this program: a worker runs the same.

use js_sys::{Array, ArrayBuffer};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

use super::local::{settled, spawn_local};
use super::node;
use super::reflect::{
    array, call, call_global, construct, elements, get, global, has, object, once, set, text,
};
use crate::platform::WORKER_SCRIPT;

thread_local! {
    /// An object. `glue` is the URL of the glue, `base` in a worker of ours what URLs are relative to on its page. By the URL of
    /// glue there is what came of bundling it, or a promise of that: a [`Bundle`]'s array, one of null if it is not the glue, or
    /// an empty one if it could not be had.
    static KNOWN: JsValue = object([]);
}

fn known(key: &str) -> JsValue {
    KNOWN.with(|known| get(known, key))
}

fn learn(key: &str, value: &JsValue) {
    KNOWN.with(|known| set(known, key, value));
}

/// In a worker: the page knows it already, and has a bundle of it if it started this worker from one. That lasts as long as the
/// page, which is longer.
pub(super) fn inherit(boot: &JsValue) {
    for key in ["glue", "base"] {
        learn(key, &get(boot, key));
    }
    if let Some(url) = url() {
        learn(&url, &get(boot, "bundle"));
    }
}

/// What URLs are relative to on the page, in its workers too.
pub(super) fn base() -> JsValue {
    let known = [known("base"), get(&global("document"), "baseURI")];
    known.into_iter().find(JsValue::is_truthy).unwrap_or_else(|| url().into())
}

/// True if this is the URL of the page itself: its scripts are within it.
pub(super) fn is_page(url: &str) -> bool {
    let page = text(&global("document"), "URL");
    page.is_some_and(|page| without_fragment(&page) == without_fragment(url))
}

fn without_fragment(url: &str) -> &[u8] {
    url.as_bytes().split(|byte| *byte == b'#').next().unwrap_or_default()
}

/// The glue's URL, where it can be found.
pub(super) fn url() -> Option<String> {
    if let Some(url) = known("glue").as_string() {
        return Some(url);
    }
    // Only the glue can make an error for us, so its script is the first in the trace. That of glue which was evaluated has no URL,
    // and what called it is another script.
    let trace = get(&js_sys::Error::new(""), "stack");
    let place = get(&matches(PLACE_PATTERN, "", &trace), "0");
    let is_node = node::is_here();
    let pattern = if is_node { node::PATH_PATTERN } else { SCRIPT_PATTERN };
    let script = text(&matches(pattern, "m", &place), "0")?;
    let url = if is_node { node::url_of(script)? } else { script };
    learn("glue", &url.as_str().into());
    Some(url)
}

/// What a regular expression finds in a text, as an array; null if nothing.
fn matches(pattern: &str, flags: &str, text: &JsValue) -> JsValue {
    let expression = construct(&global("RegExp"), [pattern.into(), flags.into()]).unwrap_or_default();
    call(&expression, "exec", [text.clone()]).unwrap_or_default()
}

/// A stack trace as far as to its first line that is neither a title nor the instance itself.
const PLACE_PATTERN: &str = r"^(?:(?:\w*Error\b.*|.*(?:\.wasm(?::\d+)*\)*|:wasm-function\[.*))\n)*.*";

/// The URL of a script in a line of a stack trace, `at name (URL:line:column)` or `name@URL:line:column`, unless that is the
/// instance itself. By JavaScript's own regular expressions: Rust's code for it would be in every program.
const SCRIPT_PATTERN: &str =
    r"\w[\w+.-]*:\/\/(?!\S*(?:\.wasm(?::\d+)*\)*$|:wasm-function\[))\S*?(?=(?::\d+){0,2}\)*\s*$)";

/// What the page demands of a script, by the elements that name it.
struct Demands {
    integrity: String,
    credentials: &'static str,
}

impl Demands {
    fn of(url: &str) -> Self {
        let mut demands = Self { integrity: String::new(), credentials: "same-origin" };
        for element in elements(&select("script,link")) {
            let text = |key| text(&element, key).unwrap_or_default();
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
    pub(super) fn url(&self) -> JsValue {
        get(&self.0, "0")
    }

    /// As the glue's own script is, so that a task finds what belongs to that kind: only a classic one has
    /// `importScripts`.
    pub(super) fn is_module(&self) -> bool {
        has(&self.0, "1")
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

impl Found {
    pub(super) fn is_glue(&self) -> bool {
        !matches!(self, Self::Other)
    }
}

/// Looks at what is to be the glue, and bundles it if that can be: gives what a [`Bundle`] holds.
pub(super) fn bundle(url: &str) -> JsFuture {
    let mut bundle = known(url);
    if bundle.is_undefined() {
        let glue = url.to_owned();
        let make = once(move |resolve| {
            spawn_local(async move {
                let bundle = make_bundle(&glue).await.unwrap_or_default();
                let told = call(&resolve, "call", [JsValue::UNDEFINED, bundle.into()]);
                debug_assert!(told.is_ok(), "a promise takes any value");
            });
        });
        bundle = construct(&global("Promise"), [make]).unwrap_or_default();
        learn(url, &bundle);
    }
    settled(Ok(bundle))
}

/// What came of that.
///
/// # Errors
///
/// What the page demands the integrity of, and cannot be had, no worker may load.
pub(super) fn found(url: &str, bundle: Bundle) -> Result<Found, String> {
    if bundle.url().is_truthy() {
        return Ok(Found::Bundled(bundle));
    }
    if bundle.url().is_null() {
        return Ok(Found::Other);
    }
    if has(&bundle.0, "length") {
        return Ok(Found::Loadable);
    }
    // The network may do better next time.
    learn(url, &JsValue::UNDEFINED);
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
fn inline() -> Option<JsValue> {
    let is_glue =
        |text: &JsValue| [CLASSIC, CLASSIC_END].iter().all(|pattern| matches(pattern, "", text).is_truthy());
    elements(&select("script")).map(|element| get(&element, "text")).find(is_glue)
}

/// Elements of the page. Workers have none.
fn select(selector: &str) -> JsValue {
    call(&global("document"), "querySelectorAll", [selector.into()]).unwrap_or_default()
}

/// What a [`Bundle`] holds.
async fn make_bundle(url: &str) -> Option<Array> {
    let other = || Some(array(&[JsValue::NULL]));
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
        ("signal", call(&global("AbortSignal"), "timeout", [LIMIT.into()]).unwrap_or_default()),
    ]);
    let response = fetch(url, options).await.ok()?;
    if !has(&response, "ok") {
        return None;
    }
    let text = settled(call(&response, "text", [])).await.ok()?;
    let has = |pattern, flags| matches(pattern, flags, &text).is_truthy();
    // A host may answer with a page whatever is asked of it.
    if has(r"^\s*<", "") {
        return None;
    }
    if !has(EXPORT, "m") {
        return other();
    }
    if has(r#"^\s*import\b(?!\s*[.(])|\bfrom\s*["']"#, "m") {
        return Some(array(&[JsValue::UNDEFINED]));
    }
    bundle_text(&text)
}

fn bundle_text(script: &JsValue) -> Option<Array> {
    let is_module = matches(r"^\s*export\b|\bimport\.meta\b", "m", script).is_truthy();
    // The worker's script knows one name only.
    let name = text(&matches(CLASSIC, "", script), "1");
    let name = name.map_or(String::new(), |name| format!("self.wasm_bindgen={name};"));
    let url = script_url(&[script.clone(), "\n;".into(), name.into(), WORKER_SCRIPT.into()]).ok()?;
    Some(array(&[url, is_module.into()]))
}

/// The URL of glue whose text is in a buffer; empty if that is not needed, because the glue's own URL can be found.
#[cfg_attr(not(feature = "compat"), expect(dead_code, reason = "only programs of 0.1 give buffers"))]
pub(crate) fn url_of_hidden_glue(text: &ArrayBuffer) -> String {
    if url().is_some() {
        return String::new();
    }
    let url = script_url(&[text.into()]);
    url.ok().and_then(|url| url.as_string()).unwrap_or_default()
}

/// A script, in parts, as its URL. It is never revoked: a worker may load it late.
pub(super) fn script_url(parts: &[JsValue]) -> Result<JsValue, JsValue> {
    let options = object([("type", "text/javascript".into())]);
    let blob = construct(&global("Blob"), [array(parts).into(), options])?;
    call(&global("URL"), "createObjectURL", [blob])
}

pub(super) fn fetch(url: &str, options: JsValue) -> JsFuture {
    settled(call_global("fetch", [url.into(), options]))
}
