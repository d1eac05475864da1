//! The floor in a browser: plain JavaScript on the same page, in `floor.js`.

use wasm_bindgen::prelude::*;

pub(crate) const ECHO: &str = "JavaScript: 64 bytes echoed by a worker";
pub(crate) const START: &str = "JavaScript: a worker instantiates the same module";

pub(crate) struct Floor {
    module: JsValue,
}

impl Floor {
    pub(crate) fn new() -> Self {
        Self { module: wasm_bindgen::module() }
    }

    pub(crate) async fn round_trips(&mut self, count: u32) -> f64 {
        milliseconds(round_trips(count).await)
    }

    pub(crate) async fn starts(&mut self, count: u32) -> f64 {
        milliseconds(starts(count, &self.module).await)
    }
}

fn milliseconds(time: JsValue) -> f64 {
    time.as_f64().expect("the functions of `floor.js` resolve to numbers")
}

/// How many rounds the page's address asks for.
pub(crate) fn rounds() -> Option<usize> {
    let search = web_sys::window()?.location().search().ok()?;
    web_sys::UrlSearchParams::new_with_str(&search).ok()?.get("rounds")?.parse().ok()
}

#[wasm_bindgen]
extern "C" {
    /// Milliseconds.
    #[wasm_bindgen(js_namespace = performance)]
    pub(crate) fn now() -> f64;

    #[wasm_bindgen(js_namespace = floor, js_name = roundTrips)]
    async fn round_trips(count: u32) -> JsValue;
    #[wasm_bindgen(js_namespace = floor)]
    async fn starts(count: u32, module: &JsValue) -> JsValue;
}
