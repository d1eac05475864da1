//! The floor in a browser: plain JavaScript on the same page, in `floor.js`.

use std::time::Duration;

use wasm_bindgen::prelude::*;
use wasm_mt_benches::Aim;

use crate::bulk::SIZE;
use crate::channels::BLOCK_SIZE;

mod ballast;

pub(crate) const ECHO: &str = "JavaScript: 64 bytes echoed by a worker";
pub(crate) const START: &str = "JavaScript: a worker instantiates the same module";
pub(crate) const POOL_START: &str = "JavaScript: as many workers instantiate the same module";
pub(crate) const TINY: &str = "JavaScript: a message for each task to 2 workers, another back";
pub(crate) const TINY_AIM: Option<Aim> = Some(Aim::TimesAsFast(5.0));
pub(crate) const SQUARES: &str = "JavaScript: chunks of 4,096 numbers to 2 workers, and back";
pub(crate) const NUMBERS: &str = "JavaScript: a worker sends them, 64 in a message";
pub(crate) const BLOCKS: &str = "JavaScript: a worker fills, copies and transfers them, and they are copied";
pub(crate) const EACH_AIM: Option<Aim> = Some(Aim::AtMost(4.0));
pub(crate) const CHUNKS_AIM: Option<Aim> = Some(Aim::AtMost(2.0));
/// How long the workers of a pool are given to end before the next start is measured.
pub(crate) const END: Duration = Duration::from_millis(20);
pub(crate) const BULK: &str = "JavaScript: transferred both ways, and copied four times";

pub(crate) struct Floor {
    module: JsValue,
}

impl Floor {
    pub(crate) fn new() -> Self {
        ballast::load();
        Self { module: wasm_bindgen::module() }
    }

    pub(crate) async fn round_trips(&mut self, count: u32) -> f64 {
        milliseconds(round_trips(count).await)
    }

    pub(crate) async fn starts(&mut self, count: u32) -> f64 {
        milliseconds(starts(count, &self.module).await)
    }

    pub(crate) async fn pool_start(&mut self, size: usize) -> f64 {
        milliseconds(pool_start(size, &self.module).await)
    }

    pub(crate) async fn tiny_tasks(&mut self, count: u32) -> f64 {
        milliseconds(tiny_tasks(count).await)
    }

    pub(crate) async fn numbers(&mut self, count: u32) -> f64 {
        milliseconds(numbers(count).await)
    }

    pub(crate) async fn blocks(&mut self, count: u32) -> f64 {
        milliseconds(blocks(count, BLOCK_SIZE).await)
    }

    pub(crate) async fn squares(&mut self, count: u32) -> f64 {
        milliseconds(squares(count).await)
    }

    pub(crate) async fn bulk(&mut self, count: u32) -> f64 {
        milliseconds(bulk(count, SIZE).await)
    }

    pub(crate) fn end_of_bulk(&mut self) {
        end_of_bulk();
    }
}

fn milliseconds(time: JsValue) -> f64 {
    time.as_f64().expect("the functions of `floor.js` resolve to numbers")
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

    #[wasm_bindgen(js_namespace = floor, js_name = roundTrips)]
    async fn round_trips(count: u32) -> JsValue;
    #[wasm_bindgen(js_namespace = floor)]
    async fn starts(count: u32, module: &JsValue) -> JsValue;
    #[wasm_bindgen(js_namespace = floor, js_name = poolStart)]
    async fn pool_start(size: usize, module: &JsValue) -> JsValue;
    #[wasm_bindgen(js_namespace = floor, js_name = tinyTasks)]
    async fn tiny_tasks(count: u32) -> JsValue;
    #[wasm_bindgen(js_namespace = floor)]
    async fn squares(count: u32) -> JsValue;
    #[wasm_bindgen(js_namespace = floor)]
    async fn numbers(count: u32) -> JsValue;
    #[wasm_bindgen(js_namespace = floor)]
    async fn blocks(count: u32, size: usize) -> JsValue;
    #[wasm_bindgen(js_namespace = floor)]
    async fn bulk(count: u32, size: usize) -> JsValue;
    #[wasm_bindgen(js_namespace = floor, js_name = endOfBulk)]
    fn end_of_bulk();
}
