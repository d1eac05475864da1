//! `WasmMt` and `Thread`.

use futures::channel::oneshot;
use futures::future::{join, join_all};
use js_sys::{ArrayBuffer, Uint8Array};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::spawn_local;
use wasm_mt::utils::{ab_from_text, fetch_as_arraybuffer, run_js, sleep};
use wasm_mt::{Thread, prelude::*};

use super::{ResultJJ, hear, say, text, thread};
use crate::common::meet;

/// What the test runner's page was loaded with.
fn runner_uri() -> String {
    let origin = run_js("return location.origin;").unwrap().as_string().unwrap();
    format!("{origin}/wasm-bindgen-test")
}

async fn answers(th: &Thread) {
    assert_eq!(exec!(th, move || Ok(JsValue::from(42))).await, Ok(JsValue::from(42)));
}

web_test! { async fn new_takes_any_path() {
    for path in ["./pkg/app.js", "", "https://nowhere.invalid/app.js", &runner_uri()] {
        let mt = WasmMt::new(path).and_init().await.unwrap();
        answers(&mt.thread().and_init().await.unwrap()).await;
    }
}}

web_test! { async fn new_with_arraybuffers_takes_what_was_fetched() {
    let uri = runner_uri();
    let ab_js = fetch_as_arraybuffer(&uri).await.unwrap();
    let ab_wasm = fetch_as_arraybuffer(&format!("{uri}_bg.wasm")).await.unwrap();
    assert_eq!(Uint8Array::new(&ab_wasm).slice(0, 4).to_vec(), b"\0asm");
    let mt = WasmMt::new_with_arraybuffers(ab_js, ab_wasm).and_init().await.unwrap();
    answers(&mt.thread().and_init().await.unwrap()).await;
}}

web_test! { async fn set_ab_init_takes_any_buffer() {
    let mt = WasmMt::new(&runner_uri()).and_init().await.unwrap();
    mt.set_ab_init(ab_from_text("return () => { throw 'not run'; };"));
    answers(&mt.thread().and_init().await.unwrap()).await;
}}

web_test! { async fn set_ab_wasm_takes_any_buffer() {
    let mt = WasmMt::new(&runner_uri());
    mt.set_ab_wasm(ArrayBuffer::new(8));
    mt.init().await.unwrap();
    answers(&mt.thread().and_init().await.unwrap()).await;
}}

web_test! { async fn init_of_the_builder_gives_the_builder() {
    let mt = WasmMt::new("./pkg/app.js");
    let th = mt.init().await.unwrap().thread();
    answers(th.init().await.unwrap()).await;
}}

web_test! { async fn and_init_stands_in_a_chain() {
    let th = WasmMt::new("./pkg/app.js").and_init().await.unwrap().thread().and_init().await.unwrap();
    answers(&th).await;
}}

web_test! { async fn thread_gives_another_worker_each_time() {
    let mt = WasmMt::new("");
    let (a, b) = (mt.thread(), mt.thread());
    let set = a.exec_js("self.mark = 'a'; return self.mark;").await.unwrap();
    let seen = b.exec_js("return self.mark;").await.unwrap();
    assert_eq!((set, seen), (JsValue::from("a"), JsValue::UNDEFINED));
}}

web_test! { async fn init_may_be_called_again_or_not_at_all() {
    let mt = WasmMt::new("");
    answers(&mt.thread()).await;
    let th = mt.thread();
    th.init().await.unwrap().init().await.unwrap();
    answers(&th).await;
}}

web_test! { async fn init_says_why_a_worker_did_not_start() {
    let th = Thread::builder().script_url("/nothing-here.js").build();
    let error = th.init().await.err().unwrap().as_string().unwrap();
    assert!(error.contains("nothing-here.js"), "{error}");
    assert!(th.and_init().await.is_err());
}}

web_test! { async fn exec_runs_a_closure_in_the_worker() {
    let th = thread().await;
    let scope = th.exec(FnOnce!(move || run_js("return self.constructor.name;"))).await.unwrap();
    assert_eq!(scope, JsValue::from("DedicatedWorkerGlobalScope"));
}}

web_test! { async fn exec_async_awaits_a_closure_in_the_worker() {
    let th = thread().await;
    let scope = th
        .exec_async(FnOnce!(async move || {
            sleep(1).await; // sleep: the helper of 0.1 is what is tested
            run_js("return self.constructor.name;")
        }))
        .await;
    assert_eq!(scope.unwrap(), JsValue::from("DedicatedWorkerGlobalScope"));
}}

web_test! { async fn exec_js_runs_javascript() {
    let th = thread().await;
    let js = "const add = (a, b) => a + b; return add(1, 2);";
    assert_eq!(th.exec_js(js).await, Ok(JsValue::from(3)));
    assert_eq!(exec_js!(th, js).await, Ok(JsValue::from(3)));
}}

web_test! { async fn exec_js_async_awaits_javascript() {
    let th = thread().await;
    let js =
        "const sub = (a, b) => new Promise(res => setTimeout(() => res(a - b), 1)); return await sub(1, 2);";
    assert_eq!(th.exec_js_async(js).await, Ok(JsValue::from(-1)));
    assert_eq!(exec_js_async!(th, js).await, Ok(JsValue::from(-1)));
    // A comment at the end is no part of what stands behind it.
    assert_eq!(th.exec_js_async("return 1; // one").await, Ok(JsValue::from(1)));
}}

// As in 0.1: a program may look after a time limit itself, and the closure runs on.
web_test! { async fn a_closure_that_nobody_awaits_any_more_runs_to_its_end() {
    let th = thread().await;
    for rest in [say("let go", "closure"), format!("await null; {}", say("let go", "script"))] {
        let said = hear("let go").await;
        let mut unwanted = Box::pin(th.exec_js_async(&rest));
        assert!(futures::poll!(&mut unwanted).is_pending());
        drop(unwanted);
        said.await;
    }
    let said = hear("let go").await;
    let script = say("let go", "async closure");
    let mut unwanted = Box::pin(exec!(th, async move || {
        wasm_mt::yield_now().await;
        run_js(&script)
    }));
    assert!(futures::poll!(&mut unwanted).is_pending());
    drop(unwanted);
    assert_eq!(said.await, JsValue::from("async closure"));
}}

web_test! { async fn exceptions_come_back_as_they_were() {
    let th = thread().await;
    for thrown in [
        th.exec_js("throw new RangeError('too far');").await,
        th.exec_js_async("throw new RangeError('too far');").await,
        th.exec(FnOnce!(move || run_js("throw new RangeError('too far');"))).await,
    ] {
        let error: js_sys::RangeError = thrown.unwrap_err().dyn_into().unwrap();
        assert_eq!(error.message(), "too far");
    }
    assert_eq!(th.exec_js("throw 7;").await, Err(JsValue::from(7)));
    assert_eq!(th.exec_js_async("throw null;").await, Err(JsValue::NULL));
    assert!(th.exec_js("return 1 +;").await.unwrap_err().is_instance_of::<js_sys::SyntaxError>());
    assert_eq!(exec!(th, move || Err(JsValue::from("no"))).await, Err(JsValue::from("no")));
    answers(&th).await;
}}

web_test! { async fn a_panic_is_an_err_with_its_text() {
    let th = thread().await;
    let (panicked, beside) = join(
        exec!(th, move || -> ResultJJ { panic!("at the disco") }),
        exec!(th, async move || {
            std::future::pending::<()>().await;
            Ok(JsValue::NULL)
        }),
    )
    .await;
    assert!(text(panicked).contains("at the disco"));
    assert!(text(beside).contains("lost"));
    assert!(th.is_terminated());
    assert!(!text(exec!(th, move || Ok(JsValue::NULL)).await).is_empty());
}}

web_test! { async fn terminate_ends_what_runs_and_what_comes() {
    let th = thread().await;
    assert!(!th.is_terminated());
    let forever = th.exec_js_async("await new Promise(() => {});");
    let (cancelled, ()) = join(forever, async { th.terminate() }).await;
    assert!(text(cancelled).contains("terminate"));
    assert!(th.is_terminated());
    assert!(text(exec!(th, move || Ok(JsValue::from(1))).await).contains("terminate"));
    assert!(exec!(th, async move || Ok(JsValue::from(1))).await.is_err());
    assert!(exec_js!(th, "return 1;").await.is_err());
    assert!(exec_js_async!(th, "return 1;").await.is_err());
    // Again is nothing.
    th.terminate();
}}

web_test! { async fn a_thread_has_the_id_that_it_was_given() {
    let mt = WasmMt::new("");
    let threads: Vec<Thread> = (0..3).map(|_| mt.thread()).collect();
    assert_eq!(threads[0].get_id(), None);
    for (n, th) in threads.iter().enumerate() {
        assert_eq!(th.set_id(&n.to_string()).get_id().unwrap().as_str(), n.to_string());
    }
    let ids = threads.iter().map(|th| th.get_id().unwrap().to_string()).collect::<Vec<_>>();
    assert_eq!(ids, ["0", "1", "2"]);
    threads[1].set_id("again");
    assert_eq!(*threads[1].get_id().unwrap(), "again");
}}

javascript_test! { fn clones_of_a_thread_share_what_is_noted_on_it() {
    let th = WasmMt::new("").thread();
    let clone = th.clone();
    clone.set_id("shared").set_busy(true);
    assert_eq!((th.get_id().unwrap().as_str(), th.get_busy()), ("shared", true));
    drop(th);
    assert_eq!((clone.get_id().unwrap().as_str(), clone.get_busy()), ("shared", true));
    drop(clone);
    // Whatever memory a new thread gets, nothing is noted on it.
    for _ in 0..3 {
        let th = WasmMt::new("").thread();
        assert_eq!((th.get_id(), th.get_busy()), (None, false));
        th.set_id("gone").set_busy(true);
        th.terminate();
    }
}}

// A program that imports names one by one.
web_test! { async fn the_macros_need_no_trait_in_scope() {
    mod program {
        use wasm_bindgen::JsValue;
        use wasm_mt::{Thread, WasmMt, exec, exec_js, exec_js_async};

        pub(super) async fn app() -> Result<(), JsValue> {
            let th: std::rc::Rc<Thread> = WasmMt::new("").thread().into();
            assert_eq!(exec!(th, move || Ok(JsValue::from(1))).await?, 1);
            assert_eq!(exec!(&th, async move || Ok(JsValue::from(2))).await?, 2);
            assert_eq!(exec!(WasmMt::new("").thread(), [n = 3] move || Ok(JsValue::from(n))).await?, 3);
            assert_eq!(exec_js!(th, "return 4;").await?, 4);
            assert_eq!(exec_js_async!(th, &String::from("return 5;")).await?, 5);
            Ok(())
        }
    }
    program::app().await.unwrap();
}}

javascript_test! { fn every_name_of_0_1_has_the_path_that_it_had() {
    #[expect(unused_imports, reason = "that they can be imported is the test")]
    mod program {
        use wasm_mt::compat::{ThreadExt, ThreadPool};
        use wasm_mt::prelude::{FnOnce, WasmMt, exec, exec_js, exec_js_async};
        use wasm_mt::utils::{Counter, console_ln, debug_ln, sleep};
        use wasm_mt::{
            FnOnce as _, MtAsyncClosure, MtClosure, Thread, WasmMt as _, console_ln as _, debug_ln as _,
        };
        use wasm_mt_pool::prelude::{
            FnOnce as _, ThreadPool as _, pool_exec, pool_exec_js, pool_exec_js_async,
        };
        use wasm_mt_pool::{PoolCallback, ThreadPool as _, wasm_mt as _};
    }
}}

javascript_test! { fn a_thread_is_as_busy_as_it_was_said_to_be() {
    let th = WasmMt::new("").thread();
    assert!(!th.get_busy());
    assert!(th.set_busy(true).get_busy());
    assert!(!th.set_busy(false).get_busy());
}}

web_test! { async fn four_threads_run_in_parallel_by_spawn_local() {
    let mt = WasmMt::new("./pkg/app.js").and_init().await.unwrap();
    let mut receivers = Vec::new();
    for i in 0..4 {
        let th = mt.thread().and_init().await.unwrap();
        th.set_id(&i.to_string());
        let (sender, receiver) = oneshot::channel();
        spawn_local(async move {
            // One after the other they would wait for ever.
            let met = exec!(th, async move || {
                meet("four threads", 4).await;
                Ok(JsValue::from(i))
            });
            sender.send((th.get_id().unwrap().to_string(), met.await)).unwrap();
        });
        receivers.push(receiver);
    }
    for (i, ended) in join_all(receivers).await.into_iter().enumerate() {
        assert_eq!(ended.unwrap(), (i.to_string(), Ok(JsValue::from(i as u32))));
    }
}}

web_test! { async fn threads_nest_by_another_builder() {
    let th = thread().await;
    let pkg_js = String::from("./pkg/app.js");
    let ans = exec!(th, async move || -> ResultJJ {
        let th = WasmMt::new(&pkg_js).and_init().await?.thread().and_init().await?;
        let inner = exec!(th, move || run_js("return self.constructor.name;")).await?;
        Ok(JsValue::from(inner.as_string().unwrap() + " in " + &pkg_js))
    })
    .await
    .unwrap();
    assert_eq!(ans, JsValue::from("DedicatedWorkerGlobalScope in ./pkg/app.js"));
}}
