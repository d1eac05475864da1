//! `ThreadPool`.

use std::cell::RefCell;
use std::rc::Rc;

use futures::StreamExt;
use futures::channel::mpsc;
use js_sys::ArrayBuffer;
use wasm_bindgen::prelude::*;
use wasm_mt::utils::{Counter, console_ln, run_js, run_js_async};
use wasm_mt_pool::prelude::*;
use wasm_mt_pool::{PoolCallback, ThreadPool};

use super::{ResultJJ, callback, hear, say, text};

async fn pool(size: usize) -> ThreadPool {
    ThreadPool::new(size, "./pkg/app.js").and_init().await.unwrap()
}

web_test! { async fn new_takes_any_path_and_needs_no_init() {
    for path in ["./pkg/app.js", ""] {
        let pool = ThreadPool::new(2, path);
        let (cb, result) = callback();
        pool_exec!(pool, move || Ok(JsValue::from(42)), cb);
        assert_eq!(result.await, Ok(JsValue::from(42)));
    }
}}

web_test! { async fn new_with_arraybuffers_and_set_ab_init_take_any_buffer() {
    let pool = ThreadPool::new_with_arraybuffers(1, ArrayBuffer::new(8), ArrayBuffer::new(0));
    pool.set_ab_init(ArrayBuffer::new(8));
    let pool = pool.and_init().await.unwrap();
    let (cb, result) = callback();
    pool.exec_with_cb(FnOnce!(move || Ok(JsValue::from(42))), cb);
    assert_eq!(result.await, Ok(JsValue::from(42)));
}}

web_test! { async fn and_init_stands_in_a_chain() {
    use wasm_mt_pool::wasm_mt::WasmMt;
    let pool: ThreadPool = ThreadPool::new(1, "").and_init().await.unwrap();
    let (cb, result) = callback();
    wasm_mt_pool::pool_exec!(pool, async move || WasmMt::new("").thread().exec_js("return 1;").await, cb);
    assert_eq!(result.await, Ok(JsValue::from(1)));
}}

web_test! { async fn a_job_that_runs_is_cancelled_with_its_pool() {
    let pool = pool(1).await;
    let begun = hear("running").await;
    let script = format!("{} await new Promise(() => {{}});", say("running", ""));
    let (cb, running) = callback();
    pool.exec_js_async_with_cb(&script, cb);
    let (cb, waiting) = callback();
    pool.exec_js_with_cb("return 1;", cb);
    begun.await;
    drop(pool);
    assert!(text(running.await).contains("dropped"));
    assert!(text(waiting.await).contains("dropped"));
}}

web_test! { async fn init_gives_the_pool() {
    let pool = ThreadPool::new(1, "");
    let (cb, result) = callback();
    pool.init().await.unwrap().exec_js_with_cb("return 1;", cb);
    assert_eq!(result.await, Ok(JsValue::from(1)));
}}

web_test! { async fn exec_runs_what_nobody_hears_of() {
    let pool = pool(2).await;
    let said = hear("exec").await;
    pool.exec(FnOnce!(move || run_js(&say("exec", "bare"))));
    assert_eq!(said.await, JsValue::from("bare"));
    let said = hear("exec").await;
    pool_exec!(pool, move || run_js(&say("exec", "macro")));
    assert_eq!(said.await, JsValue::from("macro"));
}}

web_test! { async fn exec_async_runs_what_nobody_hears_of() {
    let pool = pool(2).await;
    let said = hear("exec_async").await;
    pool.exec_async(FnOnce!(async move || run_js(&say("exec_async", "bare"))));
    assert_eq!(said.await, JsValue::from("bare"));
    let said = hear("exec_async").await;
    pool_exec!(pool, async move || run_js(&say("exec_async", "macro")));
    assert_eq!(said.await, JsValue::from("macro"));
}}

web_test! { async fn exec_js_and_exec_js_async_run_what_nobody_hears_of() {
    let pool = pool(2).await;
    let script = say("exec_js", "said");
    let said = hear("exec_js").await;
    pool.exec_js(&script);
    assert_eq!(said.await, JsValue::from("said"));
    let said = hear("exec_js").await;
    pool_exec_js!(pool, &script);
    assert_eq!(said.await, JsValue::from("said"));
    let script = format!("await null; {script}");
    let said = hear("exec_js").await;
    pool.exec_js_async(&script);
    assert_eq!(said.await, JsValue::from("said"));
    let said = hear("exec_js").await;
    pool_exec_js_async!(pool, &script);
    assert_eq!(said.await, JsValue::from("said"));
}}

web_test! { async fn exec_with_cb_calls_back() {
    let (pool, n) = (pool(2).await, 42);
    let (cb, result) = callback();
    pool.exec_with_cb(FnOnce!(move || Ok(JsValue::from(n))), cb);
    assert_eq!(result.await, Ok(JsValue::from(42)));
    let (cb, result) = callback();
    pool.exec_async_with_cb(FnOnce!(async move || Err(JsValue::from(n))), cb);
    assert_eq!(result.await, Err(JsValue::from(42)));
}}

web_test! { async fn exec_js_with_cb_calls_back() {
    let pool = pool(2).await;
    let (cb, result) = callback();
    pool.exec_js_with_cb("return 1;", cb);
    assert_eq!(result.await, Ok(JsValue::from(1)));
    let (cb, result) = callback();
    pool_exec_js!(pool, "throw 2;", cb);
    assert_eq!(result.await, Err(JsValue::from(2)));
    let (cb, result) = callback();
    pool.exec_js_async_with_cb("return await 3;", cb);
    assert_eq!(result.await, Ok(JsValue::from(3)));
    let (cb, result) = callback();
    pool_exec_js_async!(pool, "throw await 4;", cb);
    assert_eq!(result.await, Err(JsValue::from(4)));
}}

web_test! { async fn pool_exec_takes_closures_and_blocks() {
    let pool = &pool(2).await;
    let (sender, receiver) = mpsc::unbounded();
    let cb = || {
        let sender = sender.clone();
        move |result: ResultJJ| sender.unbounded_send(result.unwrap().as_f64().unwrap() as u32).unwrap()
    };
    let n = 40;
    pool_exec!(pool, || Ok(JsValue::from(0)), cb());
    pool_exec!(pool, move || Ok(JsValue::from(n + 1)), cb());
    pool_exec!(pool, move || -> ResultJJ { Ok(JsValue::from(n + 2)) }, cb());
    pool_exec!(pool, { move || Ok(JsValue::from(n + 3)) }, cb());
    pool_exec!(pool, async || Ok(JsValue::from(4)), cb());
    pool_exec!(pool, async move || Ok(JsValue::from(n + 5)), cb());
    pool_exec!(pool, async || -> ResultJJ { Ok(JsValue::from(6)) }, cb());
    pool_exec!(pool, async move || -> ResultJJ { Ok(JsValue::from(n + 7)) }, cb());
    pool_exec!(pool, async move { Ok(JsValue::from(n + 8)) }, cb());
    pool_exec!(pool, async { Ok(JsValue::from(9)) }, cb(),);
    pool_exec!(pool, async move || -> ResultJJ { Ok(JsValue::from(n)) },);
    pool_exec!(pool, move || Ok(JsValue::from(n)),);
    let mut results: Vec<u32> = receiver.take(10).collect().await;
    results.sort_unstable();
    assert_eq!(results, [0, 4, 6, 9, 41, 42, 43, 45, 47, 48]);
}}

// As in 0.1: one closure without types, for many jobs.
web_test! { async fn one_callback_serves_many_jobs() {
    let (sender, called) = mpsc::unbounded();
    // A closure that can be copied.
    let sender: &_ = Box::leak(Box::new(sender));
    let pool = pool(2).await;
    let cb = move |result| {
        console_ln!("callback: result: {:?}", result);
        sender.unbounded_send(()).unwrap();
    };
    for _ in 0..4 {
        pool_exec!(pool, move || Ok(JsValue::from("C")), cb);
        pool_exec!(pool, async move || Ok(JsValue::from("D")), cb);
    }
    assert_eq!(called.take(8).count().await, 8);
}}

fn give(cb: impl PoolCallback) {
    cb(Ok(JsValue::from(1)));
}

javascript_test! { fn pool_callback_is_every_function_of_a_result() {
    let got = Rc::new(RefCell::new(None));
    let kept = got.clone();
    give(move |result| *kept.borrow_mut() = Some(result));
    assert_eq!(got.take(), Some(Ok(JsValue::from(1))));
    give(drop);
}}

// Jobs that say when they begin, and end one by one when they are told to.
web_test! { async fn count_pending_jobs_counts_what_waits_for_a_thread() {
    let pool = pool(2).await;
    assert_eq!(pool.count_pending_jobs(), 0);
    run_js_async(
        "self.begun = [];
        self.jobs = new BroadcastChannel('jobs');
        const probe = new BroadcastChannel('jobs');
        await new Promise(listens => {
            self.jobs.onmessage = listens;
            probe.postMessage('');
        });
        probe.close();
        self.jobs.onmessage = ({ data }) => self.begun.push(data);",
    )
    .await
    .unwrap();
    let begun = |at: usize| run_js(&format!("return self.begun[{at}];")).unwrap().as_f64();
    let (sender, mut ended) = mpsc::unbounded();
    for n in 0..6 {
        let job = format!(
            "await new Promise(resolve => {{
                const jobs = new BroadcastChannel('jobs');
                jobs.onmessage = ({{ data }}) => {{
                    if (data === 'end {n}') {{ jobs.close(); resolve(); }}
                }};
                jobs.postMessage({n});
            }});
            return {n};"
        );
        let sender = sender.clone();
        pool_exec_js_async!(pool, &job, move |result: ResultJJ| sender.unbounded_send(result).unwrap());
    }
    for n in 0..6 {
        // Two at once, no more, in order: the next begins when one has ended.
        let at_once = if n < 5 { n + 2 } else { 6 };
        while begun(at_once - 1).is_none() {
            wasm_mt::yield_now().await;
        }
        assert_eq!((begun(at_once), pool.count_pending_jobs()), (None, 6 - at_once));
        run_js(&format!("self.jobs.postMessage('end {n}');")).unwrap();
        assert_eq!(ended.next().await, Some(Ok(JsValue::from(n as u32))));
    }
}}

web_test! { async fn a_panic_is_an_err_and_the_pool_goes_on() {
    let pool = pool(1).await;
    let (cb, panicked) = callback();
    pool_exec!(pool, move || -> ResultJJ { panic!("at the disco") }, cb);
    let (cb, after) = callback();
    pool_exec!(pool, move || Ok(JsValue::from(1)), cb);
    assert!(text(panicked.await).contains("at the disco"));
    assert_eq!(after.await, Ok(JsValue::from(1)));
}}

web_test! { async fn a_pool_that_is_dropped_half_way_answers_every_callback() {
    let pool = Rc::new(RefCell::new(Some(pool(2).await)));
    let called = Rc::new(Counter::new());
    let (sender, ended) = mpsc::unbounded();
    for n in 0..50 {
        let (sender, pool, called) = (sender.clone(), pool.clone(), called.clone());
        let again = pool.clone();
        let cb = move |result: ResultJJ| {
            if called.inc() == 25 {
                drop(again.take());
            }
            sender.unbounded_send((n, result)).unwrap();
        };
        pool_exec!(pool.borrow().as_ref().unwrap(), async move || Ok(JsValue::from(n)), cb);
    }
    assert_eq!(pool.borrow().as_ref().unwrap().count_pending_jobs(), 48);
    let results: Vec<(u32, ResultJJ)> = ended.take(50).collect().await;
    assert!(pool.borrow().is_none());

    // The results of two that ran may have come by then.
    let cancelled = results.iter().filter(|(_, result)| result.is_err()).count();
    assert!((23..=25).contains(&cancelled), "{cancelled}");
    for (place, (n, result)) in results.iter().enumerate() {
        match result {
            Ok(value) => assert_eq!(*value, JsValue::from(*n)),
            Err(error) => assert!(place >= 25 && !error.as_string().unwrap().is_empty(), "{n}: {error:?}"),
        }
    }
    let mut answered: Vec<u32> = results.into_iter().map(|(n, _)| n).collect();
    answered.sort_unstable();
    assert!(answered.into_iter().eq(0..50));
}}

// By hand: a macro cannot pass this attribute on to the other.
mod a_pool_without_threads_is_refused {
    #[wasm_bindgen_test::wasm_bindgen_test]
    #[should_panic = "at least one thread"]
    fn javascript() {
        drop(super::ThreadPool::new(0, ""));
    }
}
