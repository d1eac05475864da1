//! A program of wasm-mt-pool 0.1: closures and JavaScript on a pool of two threads, with and without callbacks. Web only.

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
    use wasm_mt::utils::{Counter, console_ln, sleep};
    use wasm_mt_pool::prelude::*;

    const NUM: usize = 4;

    pub(super) async fn app() -> Result<(), JsValue> {
        let size = 2;
        let pool = ThreadPool::new(size, "./pool_exec.js").and_init().await?;
        console_ln!("pool with {} threads is ready now!", size);

        console_ln!("a) {} closures", NUM);
        for _ in 0..NUM {
            pool_exec!(pool, move || {
                console_ln!("a) closure: done.");
                Ok(JsValue::NULL)
            });
        }

        console_ln!("b) {} async closures", NUM);
        for _ in 0..NUM {
            pool_exec!(pool, async move || {
                sleep(100).await;
                console_ln!("b) async closure: done.");
                Ok(JsValue::NULL)
            });
        }

        let called = Rc::new(Counter::new());
        let count = called.clone();
        let cb = move |result| {
            console_ln!("callback {}: result: {:?}", count.inc(), result);
        };

        console_ln!("c) {} closures with callback", NUM);
        for _ in 0..NUM {
            pool_exec!(pool, move || Ok(JsValue::from("C")), cb.clone());
        }

        console_ln!("d) {} async closures with callback", NUM);
        for _ in 0..NUM {
            pool_exec!(
                pool,
                async move || {
                    sleep(100).await;
                    Ok(JsValue::from("D"))
                },
                cb.clone()
            );
        }

        console_ln!("e) JavaScript with callback");
        for _ in 0..NUM {
            pool_exec_js!(pool, "const add = (x, y) => x + y; return add(1, 2);", cb.clone());
        }

        console_ln!("f) asynchronous JavaScript with callback");
        let js_async = "return await new Promise(res => setTimeout(() => res(1 - 2), 100));";
        for _ in 0..NUM {
            pool_exec_js_async!(pool, js_async, cb.clone());
        }

        while called.num() < 4 * NUM {
            sleep(50).await;
        }
        console_ln!("{} jobs wait; pool is getting dropped.", pool.count_pending_jobs());
        Ok(())
    }
}
