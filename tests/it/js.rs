//! What only exists on the web: JavaScript in tasks, and what tells a worker from its page.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use futures::future::{Either, select};
use futures::task::LocalSpawnExt;
use js_sys::{Array, ArrayBuffer, Date, Function, Map, RangeError, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use wasm_mt::{Executor, Js, Pool, Remote, Thread, Transfer, exec_js, exec_js_async};

use crate::common::on_worker;

web_test! { async fn javascript_runs_in_the_worker() {
    let sum = on_worker(exec_js("const add = (a, b) => a + b; return add(1, 2);")).await.unwrap();
    assert_eq!(sum.0, JsValue::from(3));
    let scope = on_worker(exec_js("return self.constructor.name;")).await.unwrap();
    assert_eq!(scope.0.as_string().unwrap(), "DedicatedWorkerGlobalScope");
}}

web_test! { async fn asynchronous_javascript_is_awaited() {
    let source = "const sub = (a, b) => new Promise(resolve => setTimeout(() => resolve(a - b), 1)); return await sub(1, 2);";
    assert_eq!(on_worker(exec_js_async(source)).await.unwrap().0, JsValue::from(-1));
}}

web_test! { async fn an_exception_is_an_error_with_text_and_stack_and_the_thread_goes_on() {
    let thread = Thread::new();
    for task in [
        exec_js("throw new TypeError('no such thing');"),
        exec_js_async("throw new TypeError('no such thing');"),
    ] {
        let error = thread.spawn_remote(task).await.unwrap_err();
        assert!(error.is_js(), "{error}");
        let text = error.to_string();
        assert!(text.contains("TypeError: no such thing") && text.lines().count() > 1, "{text}");
    }
    let error = thread.spawn_remote(exec_js("return 1 +;")).await.unwrap_err();
    assert!(error.is_js() && error.to_string().contains("SyntaxError"), "{error}");
    let error = thread.spawn_remote(exec_js("throw 7;")).await.unwrap_err();
    assert!(error.is_js() && error.to_string().contains('7'), "{error}");
    assert_eq!(thread.spawn_remote(exec_js("return 'on';")).await.unwrap().0, JsValue::from("on"));
}}

// Firefox cannot read an error again that was made while WebAssembly ran.
web_test! { async fn error_objects_cross_both_ways() {
    let thread = Thread::new();
    let thrown = thread.spawn_remote(exec_js("return new RangeError('too far');")).await.unwrap().0;
    let thrown: RangeError = thrown.dyn_into().unwrap();
    assert_eq!(thrown.message(), "too far");
    let describe = |error: Js<RangeError>| String::from(error.0.to_string());
    let described = thread.spawn_remote(Remote::new(Js(thrown), describe)).await.unwrap();
    assert_eq!(described, "RangeError: too far");
    let named = exec_js("const error = new Error('why'); error.name = 'Odd'; return error;");
    let named: js_sys::Error = thread.spawn_remote(named).await.unwrap().0.dyn_into().unwrap();
    assert_eq!(named.message(), "why");
}}

web_test! { async fn a_message_that_cannot_be_read_is_no_silence() {
    let pool = Pool::builder().threads(1).build();
    let nested = || exec_js("return [new RangeError('too far')];");
    let there = pool.spawn_remote(nested()).await.map(|value| value.0);
    let found = RangeError::new("too far");
    let length = |errors: Js<Array>| errors.0.length();
    let back = pool.spawn_remote(Remote::new(Js(Array::of1(&found)), length)).await;
    let (there, back) = (there.map(|value| Array::from(&value).length()), back);
    let user_agent = web_sys::window().unwrap().navigator().user_agent().unwrap();
    for crossed in [there, back] {
        match crossed {
            Ok(length) if user_agent.contains("Firefox") => {
                panic!("{length}: what Firefox cannot read is tested no more")
            }
            Ok(length) => assert_eq!(length, 1),
            Err(error) => {
                assert!(error.is_worker_lost() && error.to_string().contains("could not be read"), "{error}");
            }
        }
    }
    assert_eq!(pool.spawn_remote(exec_js("return 'on';")).await.unwrap().0, JsValue::from("on"));
}}

web_test! { async fn a_result_without_a_clone_fails_its_own_task_only() {
    let thread = Thread::new();
    let refused = thread.spawn_remote(exec_js("return () => 1;"));
    let beside = thread.spawn_remote(exec_js("return [1];"));
    let error = refused.await.unwrap_err();
    assert!(error.is_codec(), "{error}");
    assert_eq!(Array::from(&beside.await.unwrap().0).length(), 1);
}}

web_test! { async fn an_argument_without_a_clone_fails_its_own_task_only() {
    let thread = Thread::new();
    thread.ready().await.unwrap();
    let function = Js(Function::new_no_args("return 1"));
    let error = thread.spawn_remote(Remote::new(function, |f: Js<Function>| f.0.length())).await.unwrap_err();
    assert!(error.is_codec(), "{error}");
    assert_eq!(thread.spawn_remote(Remote::new((), |()| 1)).await.unwrap(), 1);
    assert_eq!(thread.pending(), 0);
}}

web_test! { async fn close_does_not_wait_for_a_queued_task_that_cannot_be_sent() {
    let thread = Thread::new();
    let function = Js(Function::new_no_args("return 1"));
    let refused = thread.spawn_remote(Remote::new(function, |f: Js<Function>| f.0.length()));
    let closed = Executor::close(&thread);
    assert!(refused.await.unwrap_err().is_codec());
    // sleep: only a fault makes it fire, and then it is the verdict
    let late = wasm_mt::sleep(Duration::from_secs(10));
    assert!(matches!(select(Box::pin(late), closed).await, Either::Right(_)), "it was never closed");
}}

web_test! { async fn javascript_values_are_cloned_in_and_out() {
    let date = Date::new(&JsValue::from(86_400_000.0));
    let map = Map::new().set(&"key".into(), &JsValue::from(7));
    let task = Remote::new((Js(date), Js(map)), |(date, map): (Js<Date>, Js<Map>)| {
        (Js(date.0), map.0.get(&"key".into()).as_f64())
    });
    let (date, seven) = on_worker(task).await.unwrap();
    assert_eq!((date.0.get_time(), seven), (86_400_000.0, Some(7.0)));
}}

web_test! { async fn a_transferred_buffer_moves_there_and_back() {
    let bytes = Uint8Array::from(&[1_u8, 2, 3][..]);
    let buffer = bytes.buffer();
    let task =
        Remote::new(Js::transfer(buffer.clone()), |Transfer(Js(buffer)): Transfer<Js<ArrayBuffer>>| {
            let bytes = Uint8Array::new(&buffer);
            bytes.set_index(0, 9);
            Js::transfer(buffer)
        });
    let Transfer(Js(back)) = on_worker(task).await.unwrap();
    assert_eq!(buffer.byte_length(), 0, "the page's buffer has moved away");
    assert_eq!(Uint8Array::new(&back).to_vec(), [9, 2, 3]);
}}

web_test! { async fn a_value_of_another_type_is_refused() {
    let task = Remote::new((), |()| Js(JsValue::from(1).unchecked_into::<Date>()));
    let error = on_worker(task).await.unwrap_err();
    assert!(error.is_codec(), "{error}");
}}

web_test! { async fn a_static_that_a_task_increments_stays_zero_on_the_page() {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let task = Remote::new((), |()| {
        COUNT.fetch_add(1, Ordering::Relaxed);
        COUNT.load(Ordering::Relaxed)
    });
    assert_eq!(on_worker(task).await.unwrap(), 1);
    assert_eq!(COUNT.load(Ordering::Relaxed), 0);
}}

web_test! { async fn a_page_timer_fires_while_a_synchronous_task_runs() {
    let thread = Thread::new();
    thread.ready().await.unwrap();
    let task = thread.spawn_remote(Remote::new(200.0, |milliseconds: f64| {
        let end = Date::now() + milliseconds;
        while Date::now() < end {}
    }));
    // sleep: a timer of the page is what is tested
    match select(Box::pin(wasm_mt::sleep(Duration::from_millis(5))), task).await {
        Either::Left(((), task)) => task.await.unwrap(),
        Either::Right(_) => panic!("the page did not run before the task had ended"),
    }
}}

web_test! { async fn a_line_printed_on_a_worker_is_on_the_page_s_console() {
    let hook = Function::new_no_args(
        "const lines = [], log = console.log; console.log = text => { lines.push(text); log(text); }; return lines;",
    );
    let lines: Array = hook.call0(&JsValue::UNDEFINED).unwrap().unchecked_into();
    let nested = Remote::new_async((), |()| async {
        wasm_mt::println!("from a {}", "worker");
        on_worker(Remote::new((), |()| wasm_mt::println!("from a worker of a worker"))).await
    });
    on_worker(nested).await.unwrap().unwrap();
    wasm_mt::println!("from the page");
    let lines = lines.iter().filter_map(|line| line.as_string()).collect::<Vec<_>>();
    assert_eq!(lines, ["from a worker", "from a worker of a worker", "from the page"]);
}}

web_test! { async fn a_local_future_is_spawned_here() {
    let here = Rc::new(Cell::new(0));
    let there = here.clone();
    let thread = Thread::new();
    thread.spawn_local_with_handle(async move { there.set(7) }).unwrap().await;
    assert_eq!(here.get(), 7);
}}

web_test! { async fn a_trap_is_the_fault_of_its_task() {
    let thread = Thread::new();
    let bystander = thread.spawn_remote(Remote::new_async((), |()| std::future::pending::<()>()));
    let culprit = thread.spawn_remote(Remote::new((), |()| -> () { core::arch::wasm32::unreachable() }));
    let error = culprit.await.unwrap_err();
    assert!(error.is_panic() && error.to_string().to_lowercase().contains("unreachable"), "{error}");
    let error = bystander.await.unwrap_err();
    assert!(error.is_worker_lost() && error.to_string().to_lowercase().contains("unreachable"), "{error}");
}}

web_test! { async fn a_trap_after_an_await_is_the_fault_of_its_task() {
    let thread = Thread::new();
    let bystander = thread.spawn_remote(Remote::new_async((), |()| std::future::pending::<()>()));
    let culprit = thread.spawn_remote(Remote::new_async((), |()| async {
        wasm_mt::yield_now().await;
        core::arch::wasm32::unreachable()
    }));
    let error: Result<(), _> = culprit.await;
    assert!(error.unwrap_err().is_panic());
    assert!(bystander.await.unwrap_err().is_worker_lost());
}}

web_test! { async fn an_exhausted_stack_is_the_fault_of_its_task() {
    fn dig(depth: u64) -> u64 {
        if depth == u64::MAX { 0 } else { std::hint::black_box(dig(std::hint::black_box(depth + 1))) + 1 }
    }
    let thread = Thread::new();
    let error = thread.spawn_remote(Remote::new(0, dig)).await.unwrap_err();
    assert!(error.is_panic(), "{error}");
    assert!(thread.is_lost());
}}

web_test! { async fn a_worker_that_closes_itself_is_lost() {
    let thread = Thread::new();
    let bystander = thread.spawn_remote(Remote::new_async((), |()| std::future::pending::<()>()));
    let closing = thread.spawn_remote(exec_js_async("self.close(); await new Promise(() => {});"));
    assert!(closing.await.unwrap_err().is_worker_lost());
    assert!(bystander.await.unwrap_err().is_worker_lost());
    assert!(thread.is_lost());
}}

web_test! { async fn a_worker_that_ends_without_a_word_is_lost() {
    // Keeps the browser's own `close`, which tells nobody: only the lock is a witness.
    let thread = Thread::builder()
        .worker_factory(|| {
            let source = "const parts = ['self.endSilently = self.close.bind(self);', script];
                return new Worker(URL.createObjectURL(new Blob(parts, { type: 'text/javascript' })));";
            let make = Function::new_with_args("script", source);
            make.call1(&JsValue::UNDEFINED, &wasm_mt::WORKER_SCRIPT.into()).map(JsCast::unchecked_into)
        })
        .build();
    let source = "self.endSilently(); await new Promise(() => {});";
    let error = thread.spawn_remote(exec_js_async(source)).await.unwrap_err();
    assert!(error.is_worker_lost(), "{error}");
}}

web_test! { async fn an_unrelated_exception_in_a_worker_is_no_death() {
    let thread = Thread::new();
    let source = "setTimeout(() => { throw new Error('unrelated'); }, 0); await new Promise(resolve => setTimeout(resolve, 1));";
    thread.spawn_remote(exec_js_async(source)).await.unwrap();
    assert_eq!(thread.spawn_remote(Remote::new((), |()| 1)).await.unwrap(), 1);
}}

web_test! { async fn a_task_that_listens_to_messages_of_its_own_does_not_make_its_worker_deaf() {
    let thread = Thread::new();
    let source = "self.onmessage = event => { self.heard = event.data; };";
    thread.spawn_remote(exec_js(source)).await.unwrap();
    assert_eq!(thread.spawn_remote(Remote::new((), |()| 1)).await.unwrap(), 1);
}}

web_test! { async fn an_exception_that_a_task_only_reports_is_no_death() {
    let thread = Thread::new();
    let source = "self.reportError(new Error('reported')); return 1;";
    assert_eq!(thread.spawn_remote(exec_js(source)).await.unwrap().0, JsValue::from(1));
    assert_eq!(thread.spawn_remote(Remote::new((), |()| 2)).await.unwrap(), 2);
}}

web_test! { async fn messages_of_a_task_s_own_are_not_taken_for_ours() {
    let thread = Thread::new();
    let source = "for (const m of [1, null, 'text', {}, [], [1], new Uint8Array(3), [new Uint8Array(90)]]) self.postMessage(m);";
    thread.spawn_remote(exec_js(source)).await.unwrap();
    assert_eq!(thread.spawn_remote(Remote::new((), |()| 1)).await.unwrap(), 1);
}}
