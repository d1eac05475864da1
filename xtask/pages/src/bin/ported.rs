//! A program of wasm-mt 0.1, with the names and in the shape of that time: closures on nested threads and on a pool.

use wasm_mt_pages::announce_main;

fn main() {
    announce_main();
}

#[cfg(target_family = "wasm")]
#[expect(unreachable_pub, reason = "wasm-bindgen exports public functions only")]
mod web {
    use std::cell::Cell;
    use std::rc::Rc;

    use wasm_bindgen::prelude::*;
    use wasm_mt::prelude::*;
    use wasm_mt::utils::{console_ln, fetch_as_arraybuffer, sleep};
    use wasm_mt_pages::parameter;
    use wasm_mt_pool::prelude::*;

    type ResultJJ = Result<JsValue, JsValue>;

    /// As programs of then did, this one has its page call it.
    #[wasm_bindgen]
    pub fn app() {
        wasm_mt::run(async { run().await.map_err(|error| format!("{error:?}")) });
    }

    async fn run() -> Result<(), JsValue> {
        let pkg_js = String::from("./app/ported.js");
        let (mt, pool) = if parameter("buffers").is_some() {
            let ab_js = fetch_as_arraybuffer(&pkg_js).await?;
            let ab_wasm = fetch_as_arraybuffer("./app/ported_bg.wasm").await?;
            let pool = ThreadPool::new_with_arraybuffers(2, ab_js.clone(), ab_wasm.clone());
            (WasmMt::new_with_arraybuffers(ab_js, ab_wasm), pool)
        } else {
            (WasmMt::new(&pkg_js), ThreadPool::new(2, &pkg_js))
        };
        let th = mt.and_init().await?.thread().and_init().await?;
        let ans = exec!(th, async move || -> ResultJJ {
            let th = WasmMt::new(&pkg_js).and_init().await?.thread().and_init().await?;
            let seven = exec!(th, move || Ok(JsValue::from(7))).await?;
            let six = exec_js!(th, "return 6;").await?;
            Ok(seven * six)
        })
        .await?;

        let sum = Rc::new(Cell::new(0.0));
        let pool = pool.and_init().await?;
        for n in 0..10 {
            let sum = sum.clone();
            pool_exec!(pool, move || Ok(JsValue::from(n)), move |result: ResultJJ| {
                sum.set(sum.get() + result.ok().and_then(|n| n.as_f64()).unwrap_or(f64::NAN));
            });
        }
        while sum.get() < 45.0 {
            sleep(1).await;
        }
        console_ln!("computed {:?} and {}", ans.as_f64(), sum.get());

        // As the program itself is a module or a classic script.
        let imported =
            exec_js!(th, "importScripts('data:text/javascript,self.imported=1'); return self.imported;");
        console_ln!("computed importScripts {}", imported.await.is_ok());
        Ok(())
    }
}
