//! A program of wasm-mt-pool 0.1: a server of two threads answers seven requests, and one is dropped with requests left. Web only.

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
    use std::cell::RefCell;
    use std::rc::Rc;

    use wasm_bindgen::prelude::*;
    use wasm_mt::utils::{console_ln, sleep};
    use wasm_mt_pool::prelude::*;

    type ResultJJ = Result<JsValue, JsValue>;

    const PAGES: usize = 7;

    pub(super) async fn app() -> Result<(), JsValue> {
        let served = run(None).await?;
        if served != (PAGES, 0) {
            return Err(JsValue::from("a page is missing"));
        }
        // Nothing is lost when a pool goes: every request has its answer.
        let (pages, cancelled) = run(Some(3)).await?;
        if pages < 3 || cancelled == 0 || pages + cancelled != PAGES {
            return Err(JsValue::from("a request was not answered"));
        }
        Ok(())
    }

    /// How many pages were served and how many requests cancelled. The pool is dropped when it has served `limit`.
    async fn run(limit: Option<usize>) -> Result<(usize, usize), JsValue> {
        let size = 2;
        let pool = ThreadPool::new(size, "./pool_http.js").and_init().await?;
        console_ln!("a thread pool with {} threads is ready now!", size);

        let log = Rc::new(HttpLog::default());
        for i in 0..PAGES {
            let log = log.clone();
            let cb = move |result: ResultJJ| log.add(result);

            console_ln!("client: requesting page-{}", i);
            pool_exec!(
                pool,
                async move || -> ResultJJ {
                    let page = format!("page-{}-content-{:.3}", i, js_sys::Math::random());
                    sleep(100).await;
                    Ok(JsValue::from(&page))
                },
                cb
            );
        }

        while log.pages.borrow().len() < limit.unwrap_or(PAGES) {
            sleep(20).await;
        }
        drop(pool);
        while log.answered() < PAGES {
            sleep(20).await;
        }
        console_ln!("bye: {} pages, {} cancelled", log.pages.borrow().len(), log.cancelled.borrow().len());
        Ok((log.pages.borrow().len(), log.cancelled.borrow().len()))
    }

    #[derive(Default)]
    struct HttpLog {
        pages: RefCell<Vec<String>>,
        cancelled: RefCell<Vec<JsValue>>,
    }

    impl HttpLog {
        fn add(&self, result: ResultJJ) {
            match result {
                Ok(page) => {
                    let page = page.as_string().unwrap_or_default();
                    console_ln!("{} of {}: {}", self.answered() + 1, PAGES, page);
                    self.pages.borrow_mut().push(page);
                }
                Err(error) => {
                    console_ln!("{} of {}: {:?}", self.answered() + 1, PAGES, error);
                    self.cancelled.borrow_mut().push(error);
                }
            }
        }

        fn answered(&self) -> usize {
            self.pages.borrow().len() + self.cancelled.borrow().len()
        }
    }
}
