//! The smallest program of gloo-worker that uses a worker.

use gloo_worker::oneshot::oneshot;
use gloo_worker::{Registrable as _, Spawnable as _};

#[oneshot]
async fn AddOne(x: u64) -> u64 {
    x + 1
}

fn main() {
    if web_sys::window().is_none() {
        AddOne::registrar().register();
        return;
    }
    wasm_bindgen_futures::spawn_local(async {
        let mut worker = AddOne::spawner().with_loader(true).spawn("/worker.js");
        web_sys::console::log_1(&worker.run(41).await.to_string().into());
    });
}
