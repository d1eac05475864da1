//! The others in a browser: `libraries.js` has them do their work.

use wasm_bindgen::prelude::*;
use wasm_mt_benches::Benchmark;

use crate::{OURS, SIZE, steps};

const LIBRARIES: [&str; 7] =
    ["JavaScript", OURS, "comlink", "workerpool", "gloo-worker", "wasmworker", "wasm-bindgen-rayon"];
pub(crate) const BENCHMARKS: [Benchmark; 4] =
    [Benchmark::RoundTrip, Benchmark::TinyTasks, Benchmark::Transfer, Benchmark::CpuTasks];

/// Those that are on the page.
pub(crate) async fn libraries() -> Vec<&'static str> {
    let mut found = Vec::new();
    for library in LIBRARIES {
        if has(library).await.is_ok_and(|has| has == JsValue::TRUE) {
            found.push(library);
        }
    }
    found
}

pub(crate) async fn work(library: &str, benchmark: Benchmark, count: u32) -> Result<(), String> {
    let arguments = match benchmark {
        Benchmark::CpuTasks => vec![steps().into()],
        Benchmark::Transfer => vec![count.into(), (SIZE as u32).into()],
        _ => vec![count.into()],
    };
    let done = ask(library, &benchmark.name().replace('-', "_"), arguments.into()).await;
    done.map(drop).map_err(|thrown| thrown.as_string().unwrap_or_default())
}

/// What the page's address says of `name`.
pub(crate) fn option(name: &str) -> Option<String> {
    let search = web_sys::window()?.location().search().ok()?;
    web_sys::UrlSearchParams::new_with_str(&search).ok()?.get(name)
}

#[wasm_bindgen]
extern "C" {
    /// Milliseconds.
    #[wasm_bindgen(js_namespace = performance)]
    pub(crate) fn now() -> f64;

    #[wasm_bindgen(js_namespace = libraries, js_name = work, variadic, catch)]
    async fn ask(library: &str, workload: &str, arguments: Box<[JsValue]>) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(js_namespace = libraries, catch)]
    async fn has(library: &str) -> Result<JsValue, JsValue>;

    /// Ends the workers of a library.
    #[wasm_bindgen(js_namespace = libraries)]
    pub(crate) fn end(library: &str);
}
