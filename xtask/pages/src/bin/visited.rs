//! A program whose page is left for another and come back to, while a task is pending on a worker and on a worker of that.

use wasm_mt_pages::announce_main;

fn main() {
    announce_main();
    #[cfg(target_family = "wasm")]
    wasm_mt::run(web::app());
}

#[cfg(target_family = "wasm")]
mod web {
    use std::cell::Cell;

    use wasm_mt::{Error, InlineExecutor, Js, Thread, exec_js_async, remote};

    thread_local! {
        static IS_UP: Cell<bool> = const { Cell::new(false) };
        static IS_BACK: Cell<bool> = const { Cell::new(false) };
    }

    pub(super) async fn app() -> Result<(), Error> {
        let thread = Thread::new();
        let pending = thread.spawn_remote(remote!(async move {
            let inner = Thread::new();
            inner.ready().await?;
            IS_UP.set(true);
            while !IS_BACK.get() {
                wasm_mt::yield_now().await;
            }
            inner.spawn_remote(remote!(|| 6 * 7)).await
        }));
        let is_up = remote!(async move {
            while !IS_UP.get() {
                wasm_mt::yield_now().await;
            }
        });
        thread.spawn_remote(is_up).await?;
        let Js(is_kept) = InlineExecutor::new().spawn_remote(exec_js_async("return await leave();")).await?;
        thread.spawn_remote(remote!(|| IS_BACK.set(true))).await?;
        wasm_mt::println!("computed {}", pending.await??);
        wasm_mt::println!("computed after {}", is_kept.is_truthy());
        Ok(())
    }
}
