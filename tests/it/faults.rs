//! What code that tasks leave behind, and JavaScript of others, do to a worker: every handle resolves, and nothing that was
//! computed is lost.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures::future::join_all;
use js_sys::{Array, Function};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::spawn_local;
use wasm_mt::{
    Error, Executor, ExecutorExt, Js, Pool, Remote, Strategy, Thread, exec_js, exec_js_async, remote, sleep,
};

#[wasm_bindgen]
extern "C" {
    /// Throws, and nothing on the way to the event loop catches that.
    #[wasm_bindgen(js_namespace = JSON, js_name = parse)]
    fn parse_uncaught(text: &str) -> JsValue;

    /// Throws a value that no text can be made of.
    #[wasm_bindgen(js_namespace = faultsOfTasks, js_name = throwIt)]
    fn throw_without_text();

    #[wasm_bindgen(js_name = setTimeout)]
    fn set_timeout(callback: &JsValue, milliseconds: u32) -> JsValue;
}

/// An executor of each kind that has workers, each with one.
fn executors() -> Vec<Box<dyn Executor>> {
    let pool = |strategy| Pool::builder().strategy(strategy).threads(1).build();
    vec![
        Box::new(Thread::new()),
        Box::new(pool(Strategy::Serial)),
        Box::new(pool(Strategy::Parallel)),
        Box::new(pool(Strategy::WorkStealing)),
    ]
}

/// Never ends by itself.
fn forever() -> Remote<()> {
    remote!(async {
        WAITS.store(true, Ordering::Relaxed);
        std::future::pending::<()>().await;
    })
}

/// That task has begun on this worker: what has not begun would wait on another.
static WAITS: AtomicBool = AtomicBool::new(false);

/// Calls it once a task waits that is to hear of the failure.
fn once_one_waits(callback: Box<dyn FnOnce()>) {
    later(|| if WAITS.load(Ordering::Relaxed) { callback() } else { once_one_waits(callback) });
}

/// As [`once_one_waits`].
async fn until_one_waits() {
    while !WAITS.load(Ordering::Relaxed) {
        // sleep: the task that waits comes by a message
        sleep(Duration::from_millis(1)).await;
    }
}

/// Runs `leave`, which leaves something behind that fails a little later, and a task that waits: it must hear of the failure.
/// Afterwards a pool works on.
async fn is_lost_with(leave: fn() -> Remote<()>, texts: &[&str]) {
    for executor in executors() {
        executor.spawn_remote(leave()).await.unwrap();
        let error = executor.spawn_remote(forever()).await.unwrap_err();
        assert!(error.is_worker_lost(), "{error}");
        let text = error.to_string();
        assert!(texts.iter().any(|part| text.to_lowercase().contains(part)), "{text}");
        works_if_it_is_a_pool(&*executor).await;
    }
}

/// A thread is lost with its worker.
async fn works_if_it_is_a_pool(executor: &dyn Executor) {
    match executor.spawn_remote(remote!(|| 6 * 7)).await {
        Ok(product) => assert_eq!(product, 42),
        Err(error) => assert!(error.is_worker_lost(), "{error}"),
    }
}

fn later(callback: impl FnOnce() + 'static) {
    set_timeout(&Closure::once_into_js(callback), 10);
}

web_test! { async fn an_exception_out_of_a_left_over_future_ends_its_worker() {
    let leave = || {
        remote!(|| {
            spawn_local(async {
                until_one_waits().await;
                parse_uncaught("rubbish");
            });
        })
    };
    is_lost_with(leave, &["json"]).await;
}}

web_test! { async fn a_trap_of_a_left_over_timer_ends_its_worker() {
    is_lost_with(|| remote!(|| once_one_waits(Box::new(|| core::arch::wasm32::unreachable()))), &["unreachable"]).await;
}}

web_test! { async fn a_stack_that_a_left_over_timer_exhausts_ends_its_worker() {
    fn dig(depth: u64) -> u64 {
        if depth == u64::MAX { 0 } else { std::hint::black_box(dig(std::hint::black_box(depth + 1))) + 1 }
    }
    let words = ["call stack", "recursion", "out of bounds"];
    is_lost_with(|| remote!(|| once_one_waits(Box::new(|| assert_ne!(dig(0), 1)))), &words).await;
}}

web_test! { async fn a_trap_that_somebody_catches_ends_its_worker() {
    let caught = || {
        remote!(|| {
            let trap = Closure::once_into_js(|| -> () { core::arch::wasm32::unreachable() });
            let call = Function::new_with_args("trap", "try { trap() } catch {}");
            call.call1(&JsValue::UNDEFINED, &trap).unwrap();
        })
    };
    for executor in executors() {
        let error = executor.spawn_remote(caught()).await.unwrap_err();
        assert!(error.is_panic(), "{error}");
        works_if_it_is_a_pool(&*executor).await;
    }
}}

web_test! { async fn an_exception_of_a_task_s_own_microtask_is_no_death() {
    let thread = Thread::new();
    let source = "queueMicrotask(() => { throw new Error('unrelated'); }); await new Promise(resolve => setTimeout(resolve, 1));";
    thread.spawn_remote(exec_js_async(source)).await.unwrap();
    assert_eq!(thread.spawn_remote(remote!(|| 1)).await.unwrap(), 1);
}}

/// A task of one site, whose number says what it does.
fn numbered(number: u32) -> Remote<u32> {
    remote!(move || match number {
        TRAPS => core::arch::wasm32::unreachable(),
        CLOSES => {
            Function::new_no_args("self.close()").call0(&JsValue::UNDEFINED).unwrap();
            0
        }
        number => number,
    })
}

const TRAPS: u32 = 1_000;
const CLOSES: u32 = 1_001;

async fn results_before_it_arrive(fault: u32) {
    for executor in executors() {
        // They are known to be short then, so that answers are gathered.
        let known = join_all((0..400).map(|number| executor.spawn_remote(numbered(number)))).await;
        assert!(known.iter().all(Result::is_ok));
        let numbers = (0..64).map(|number| if number == 40 { fault } else { number });
        let results = join_all(numbers.map(|number| executor.spawn_remote(numbered(number)))).await;
        for (number, result) in (0..40).zip(&results) {
            assert_eq!(result.as_ref().ok(), Some(&number), "{result:?}");
        }
        // Where it was closed, a task goes on to its end; the page may hear that or not.
        assert!(fault == CLOSES || results[40].as_ref().is_err_and(Error::is_panic));
        works_if_it_is_a_pool(&*executor).await;
    }
}

web_test! { async fn results_that_were_gathered_before_a_trap_arrive() {
    results_before_it_arrive(TRAPS).await;
}}

web_test! { async fn results_that_were_gathered_before_a_close_arrive() {
    results_before_it_arrive(CLOSES).await;
}}

web_test! { async fn what_a_task_puts_in_the_place_of_the_worker_s_functions_stops_nothing() {
    for source in [
        "self.postMessage = () => {};",
        "'use strict'; try { self.queueMicrotask = () => {}; } catch {}",
        "'use strict'; try { self.Uint8Array = class {}; } catch {}",
        "self.close = () => {};",
    ] {
        for executor in executors() {
            executor.spawn_remote(exec_js(source)).await.unwrap();
            let task = remote!(async move {
                // sleep: a timer and a microtask of the worker are what it needs
                sleep(Duration::from_millis(1)).await;
                6 * 7
            });
            assert_eq!(executor.spawn_remote(task).await.unwrap(), 42, "{source}");
        }
    }
}}

web_test! { async fn a_task_cannot_report_the_end_of_its_worker() {
    let source = "
        self.runs = (self.runs ?? 0) + 1;
        for (const wasmMt of [0, 1, 2, NaN, null, undefined, true, '']) {
            self.postMessage({ wasmMt, died: 'forged', task: 1, begun: [] });
            self.postMessage({ wasmMt, died: 'forged', task: 'x', begun: 'nonsense' });
            self.postMessage({ wasmMt, closing: true });
            self.postMessage({ wasmMt, refused: 'forged' });
            self.postMessage({ wasmMt, unread: true });
        }
        return self.runs;";
    for executor in executors() {
        assert_eq!(executor.spawn_remote(exec_js(source)).await.unwrap().0, JsValue::from(1));
        assert_eq!(executor.spawn_remote(exec_js("return self.runs;")).await.unwrap().0, JsValue::from(1));
    }
}}

web_test! { async fn bytes_that_a_task_posts_itself_are_not_copied_by_the_page() {
    let thread = Thread::new();
    thread.ready().await.unwrap();
    let pages = || core::arch::wasm32::memory_size(0);
    let before = pages();
    let source = "for (let i = 0; i < 4; i++) self.postMessage(new Uint8Array(32 << 20));";
    thread.spawn_remote(exec_js(source)).await.unwrap();
    let source = "self.postMessage([new Uint8Array(32 << 20), 1]);";
    thread.spawn_remote(exec_js(source)).await.unwrap();
    let grown = (pages() - before) * 64 * 1024;
    assert!(grown < 16 << 20, "the page's memory grew by {grown} bytes");
}}

web_test! { async fn messages_of_others_stay_as_they_are() {
    let thread = Thread::builder()
        .worker_factory(|| {
            let source = "const url = URL.createObjectURL(new Blob([script], { type: 'text/javascript' }));
                const worker = new Worker(url);
                worker.addEventListener('message', ({ data }) => { if (data?.length > 1) (self.messagesSeen ??= []).push(data); });
                return worker;";
            let make = Function::new_with_args("script", source);
            make.call1(&JsValue::UNDEFINED, &wasm_mt::WORKER_SCRIPT.into()).map(JsCast::unchecked_into)
        })
        .build();
    let source = "self.postMessage([1, 2, 3]); self.postMessage([new Uint8Array(90), 2, 3]);";
    thread.spawn_remote(exec_js(source)).await.unwrap();
    // By now all listeners have had their turn.
    let lengths =
        Function::new_no_args("return self.messagesSeen.filter(Array.isArray).map(data => data.length);");
    let lengths: Array = lengths.call0(&JsValue::UNDEFINED).unwrap().unchecked_into();
    assert_eq!(lengths.iter().filter(|length| *length == 3).count(), 2);
}}

web_test! { async fn what_a_task_throws_need_not_have_a_text() {
    let leave = || {
        remote!(|| {
            spawn_local(async {
                until_one_waits().await;
                let define = "self.faultsOfTasks = { throwIt: () => { throw Object.create(null); } };";
                Function::new_no_args(define).call0(&JsValue::UNDEFINED).unwrap();
                throw_without_text();
            });
        })
    };
    is_lost_with(leave, &["no text"]).await;
}}

web_test! { async fn every_task_behind_a_fault_is_answered_and_runs_at_most_once() {
    let pool = Pool::builder().threads(2).build();
    let leave = remote!(|| later(|| core::arch::wasm32::unreachable()));
    pool.spawn_remote(leave).await.unwrap();
    let mut ran = 0;
    while pool.stats().lost_workers == 0 {
        let handles = (0..200).map(|number| pool.spawn_remote(remote!(move || number))).collect::<Vec<_>>();
        for (number, handle) in handles.into_iter().enumerate() {
            match handle.await {
                Ok(result) => {
                    assert_eq!(result, number);
                    ran += 1;
                }
                Err(error) => assert!(error.is_worker_lost(), "{error}"),
            }
        }
        wasm_mt::yield_now().await;
    }
    assert!(ran > 0);
    assert_eq!(pool.spawn_remote(remote!(|| 6 * 7)).await.unwrap(), 42);
}}

web_test! { async fn a_getter_that_spawns_while_its_object_is_posted_finds_the_pool_free() {
    let pool = Pool::builder().threads(1).build();
    assert_eq!(pool.spawn_remote(remote!(|| 1)).await.unwrap(), 1);
    let spawned = Rc::new(RefCell::new(Vec::new()));
    let spawn = {
        let (pool, spawned) = (pool.clone(), spawned.clone());
        Closure::<dyn Fn() -> u32>::new(move || {
            spawned.borrow_mut().push(pool.spawn_remote(remote!(|| 2)));
            3
        })
    };
    let object = Function::new_with_args(
        "get",
        "return Object.defineProperty({}, 'three', { enumerable: true, get });",
    );
    let object = Js(object.call1(&JsValue::UNDEFINED, spawn.as_ref()).unwrap());
    let three = |object: Js<JsValue>| js_sys::Reflect::get(&object.0, &"three".into()).unwrap().as_f64();
    let behind = pool.spawn_remote(remote!(|| 4));
    assert_eq!(pool.spawn_remote(Remote::new(object, three)).await.unwrap(), Some(3.0));
    assert_eq!(behind.await.unwrap(), 4);
    let spawned = spawned.take();
    assert!(!spawned.is_empty());
    for task in spawned {
        assert_eq!(task.await.unwrap(), 2);
    }
}}

/// The JavaScript of this program, as text.
async fn glue() -> String {
    let find = "const url = new Error().stack.match(/https?:[^\\s)]*?(?=:\\d+:\\d+)/)[0];
        return (await fetch(url)).text();";
    crate::common::javascript(&find.replace("new Error().stack", &format!("{:?}", stack())))
        .await
        .as_string()
        .unwrap()
}

/// A stack trace that the program's JavaScript is part of.
fn stack() -> String {
    let stack = js_sys::Reflect::get(&js_sys::Error::new(""), &"stack".into()).unwrap();
    stack.as_string().unwrap()
}

web_test! { async fn javascript_of_another_build_is_refused_with_the_cure() {
    let text = glue().await;
    // As another build has them: these names end in a hash of what they do.
    let names = js_sys::RegExp::new(r"(invoke_*h[0-9a-f]{8})[0-9a-f]{8}", "g");
    let other = js_sys::JsString::from(text.as_str()).replace_by_pattern(&names, "$100000000");
    assert_ne!(String::from(&other), text);
    let blob = "return URL.createObjectURL(new Blob([text], { type: 'text/javascript' }));";
    let url = Function::new_with_args("text", blob).call1(&JsValue::UNDEFINED, &other).unwrap();
    let pool = Pool::builder().threads(2).glue_url(url.as_string().unwrap()).build();
    let asynchronous = || {
        remote!(async {
            wasm_mt::yield_now().await;
            1
        })
    };
    let outcomes = join_all((0..8).map(|_| pool.spawn_remote(asynchronous()))).await;
    for outcome in outcomes {
        let error = outcome.unwrap_err();
        assert!(error.is_startup() && error.to_string().contains("reload the page"), "{error}");
    }
}}

web_test! { async fn a_worker_whose_stack_exceptions_have_used_up_is_replaced_while_it_is_idle() {
    /// Unwinds through many frames, none of which gives back its part of the stack.
    #[inline(never)]
    fn throw_from(depth: u32) -> JsValue {
        let frame = std::hint::black_box([depth; 256]);
        let thrown = if depth == 0 { parse_uncaught("rubbish") } else { throw_from(depth - 1) };
        std::hint::black_box(frame);
        thrown
    }

    let pool = Pool::builder().threads(1).build();
    let mut rounds = 0;
    while pool.stats().retired_workers == 0 {
        rounds += 1;
        assert!(rounds < 100, "it is not replaced");
        let throws = remote!(async {
            later(|| drop(throw_from(4)));
            // sleep: the timer has thrown by then
            sleep(Duration::from_millis(20)).await;
        });
        pool.spawn_remote(throws).await.unwrap();
        wasm_mt::yield_now().await;
    }
    assert!(rounds > 4, "{rounds}");
    assert_eq!(pool.spawn_remote(remote!(|| 6 * 7)).await.unwrap(), 42);
    assert_eq!((pool.stats().retired_workers, pool.stats().lost_workers), (1, 0));
}}
