//! A program of wasm-mt-pool 0.1: a pool from buffers that it has fetched itself. Web only.

#[cfg(target_family = "wasm")]
fn main() {
    wasm_mt::run(async { web::app().await.map_err(|error| format!("{error:?}")) });
}

#[cfg(not(target_family = "wasm"))]
fn main() {
    wasm_mt::println!("wasm-mt-pool 0.1 is for the web only: `cargo xtask demo` shows this program");
}

#[cfg(target_family = "wasm")]
mod web {
    use std::rc::Rc;

    use wasm_bindgen::prelude::*;
    use wasm_mt::utils::{Counter, console_ln, fetch_as_arraybuffer, sleep};
    use wasm_mt_pool::prelude::*;

    pub(super) async fn app() -> Result<(), JsValue> {
        let ab_js = fetch_as_arraybuffer("./pool_arraybuffers.js").await?;
        let ab_wasm = fetch_as_arraybuffer("./pool_arraybuffers_bg.wasm").await?;

        let size = 2;
        let pool = ThreadPool::new_with_arraybuffers(size, ab_js, ab_wasm).and_init().await?;
        console_ln!("pool with {} threads is ready now!", size);

        let num = 4;
        let ended = Rc::new(Counter::new());
        console_ln!("{} closures:", num);
        for idx in 0..num {
            let ended = ended.clone();
            let cb = move |_result| {
                ended.inc();
            };
            pool_exec!(
                pool,
                move || {
                    console_ln!("idx: {}", idx); // not necessarily ordered
                    Ok(JsValue::NULL)
                },
                cb
            );
        }

        while ended.num() < num {
            sleep(20).await;
        }
        console_ln!("pool is getting dropped.");
        Ok(())
    }
}
