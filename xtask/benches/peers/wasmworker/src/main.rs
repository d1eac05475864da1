//! The smallest program of wasmworker that uses a worker.

use wasmworker::{WebWorker, webworker, webworker_fn};

#[webworker_fn]
pub fn add_one(x: u64) -> u64 {
    x + 1
}

fn main() {
    // Workers run it too.
    if web_sys::window().is_none() {
        return;
    }
    wasm_bindgen_futures::spawn_local(async {
        let worker = WebWorker::new(None).await.expect("workers can be had");
        web_sys::console::log_1(&worker.run(webworker!(add_one), &41).await.to_string().into());
    });
}
