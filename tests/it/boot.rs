//! How a worker starts, and why not. Web only: natively there is nothing to load.

use std::time::Duration;

use js_sys::{Date, Function};
use wasm_bindgen::{JsCast, JsValue};
use wasm_mt::{InlineExecutor, Remote, Thread, ThreadBuilder, exec_js, exec_js_async, remote};
use web_sys::Worker;

async fn start_error(builder: ThreadBuilder) -> String {
    let thread = builder.build();
    let error = thread.spawn_remote(Remote::new((), |()| 1)).await.unwrap_err();
    assert!(error.is_startup(), "{error}");
    assert!(thread.ready().await.unwrap_err().is_startup());
    error.to_string()
}

web_test! { async fn a_worker_script_that_is_not_there_is_told_by_its_status() {
    let text = start_error(Thread::builder().script_url("/no/such/worker.js")).await;
    assert!(
        text.contains("/no/such/worker.js") && text.contains("404") && text.contains("WORKER_SCRIPT"),
        "{text}"
    );
}}

web_test! { async fn glue_that_is_not_there_is_told_by_its_status() {
    let text = start_error(Thread::builder().glue_url("/no/such/glue.js")).await;
    assert!(text.contains("/no/such/glue.js") && text.contains("404") && text.contains("glue_url"), "{text}");
}}

web_test! { async fn foreign_glue_is_refused() {
    let foreign = "data:text/javascript,export const initSync = () => {};";
    let text = start_error(Thread::builder().glue_url(foreign)).await;
    assert!(text.contains("is not the JavaScript") && text.contains("glue_url"), "{text}");
}}

web_test! { async fn a_script_that_is_not_glue_is_refused() {
    let text = start_error(Thread::builder().glue_url("data:text/javascript,export default 1;")).await;
    assert!(text.contains("glue_url"), "{text}");
}}

web_test! { async fn an_impossible_glue_url_is_refused() {
    let text = start_error(Thread::builder().glue_url("http://[")).await;
    assert!(text.contains("is not a URL"), "{text}");
}}

web_test! { async fn a_script_that_fails_is_told_by_its_exception() {
    let text =
        start_error(Thread::builder().script_url("data:text/javascript,throw new Error('broken')")).await;
    assert!(text.contains("broken") && text.contains("script_url"), "{text}");
}}

web_test! { async fn a_factory_makes_the_worker() {
    let thread = Thread::builder()
        .worker_factory(|| {
            let script = js_sys::encode_uri_component(wasm_mt::WORKER_SCRIPT);
            Worker::new(&format!("data:text/javascript,{script}"))
        })
        .build();
    assert_eq!(thread.spawn_remote(Remote::new(1, |n: i32| n + 1)).await.unwrap(), 2);
}}

web_test! { async fn a_factory_that_throws_is_a_failed_start() {
    let text = start_error(Thread::builder().worker_factory(|| Err("no worker today".into()))).await;
    assert!(text.contains("no worker today"), "{text}");
}}

web_test! { async fn a_busy_page_is_not_taken_for_a_slow_worker() {
    let thread = Thread::builder().start_timeout(Duration::from_millis(300)).build();
    let end = Date::now() + 1000.0;
    while Date::now() < end {}
    thread.ready().await.unwrap();
}}

/// Makes a worker whose script runs behind `prelude`.
fn worker_behind(prelude: &str) -> Result<Worker, JsValue> {
    let source = "const blob = new Blob([prelude, script], { type: 'text/javascript' });
        return new Worker(URL.createObjectURL(blob));";
    let make = Function::new_with_args("prelude, script", source);
    make.call2(&JsValue::UNDEFINED, &prelude.into(), &wasm_mt::WORKER_SCRIPT.into())
        .map(JsCast::unchecked_into)
}

web_test! { async fn a_lack_of_memory_is_no_other_build() {
    // What Chromium says where a page holds some 120 instances.
    let text = start_error(Thread::builder().worker_factory(|| {
        worker_behind("WebAssembly.Instance = function () {
            throw new RangeError('WebAssembly.Instance(): Out of memory: Cannot allocate Wasm memory for new instance');
        };")
    }))
    .await;
    assert!(text.contains("memory") && text.contains("fewer threads") && !text.contains("reload"), "{text}");
}}

web_test! { async fn an_import_that_is_missing_is_another_build() {
    let text = start_error(Thread::builder().worker_factory(|| {
        worker_behind("WebAssembly.Instance = function () { throw new WebAssembly.LinkError('memory'); };")
    }))
    .await;
    assert!(text.contains("reload the page") && !text.contains("fewer threads"), "{text}");
}}

web_test! { async fn where_there_is_no_worker_an_executor_without_workers_is_named() {
    let outer = Thread::new();
    outer.spawn_remote(exec_js("delete self.Worker;")).await.unwrap();
    let inner = remote!(async { Thread::new().spawn_remote(remote!(|| 1)).await });
    let error = outer.spawn_remote(inner).await.unwrap().unwrap_err();
    assert!(error.is_startup() && error.to_string().contains("InlineExecutor"), "{error}");
}}

/// The URL of each kind of request for `there` and `/there`, as far as it tells.
const REQUESTS: &str = "
    const open = (path) => {
        const request = new XMLHttpRequest();
        request.open('GET', path, false);
        request.send();
        return request.responseURL;
    };
    const close = (opened) => { opened.close(); return opened.url; };
    const urls = ['there', '/there', '?there', '//host.invalid/there', 'https://host.invalid/there']
        .map((path) => new Request(path).url);
    const fetched = (await fetch('there')).url;
    const object = (await fetch(new Request('/there', { method: 'HEAD' }))).url;
    const full = (await fetch(new URL('/there', self.origin))).url;
    return JSON.stringify([urls, fetched, object, full, open('there'), open('/there'), close(new EventSource('/there')),
        close(new EventSource('there')), new Request('there') instanceof Request]);";

web_test! { async fn urls_are_relative_to_the_page() {
    let on_page = exec_here(REQUESTS).await;
    let thread = Thread::new();
    let on_worker = thread.spawn_remote(exec_js_async(REQUESTS)).await.unwrap();
    assert_eq!(on_worker.0, on_page);
    let nested = remote!(async { Thread::new().spawn_remote(exec_js_async(REQUESTS)).await });
    assert_eq!(thread.spawn_remote(nested).await.unwrap().unwrap().0, on_page);
}}

web_test! { async fn sockets_and_workers_are_relative_to_the_page() {
    let source = "const socket = new WebSocket('/there');
        socket.close();
        const worker = new Worker('/there.js');
        await new Promise((resolve) => worker.onerror = (event) => { event.preventDefault(); resolve(); });
        return socket.url;";
    let on_page = exec_here(source).await;
    assert!(on_page.as_string().unwrap().starts_with("ws://"), "{on_page:?}");
    assert_eq!(Thread::new().spawn_remote(exec_js_async(source)).await.unwrap().0, on_page);
}}

web_test! { async fn imported_scripts_are_relative_to_the_page() {
    let make = || worker_behind("self.seen = []; self.importScripts = (...urls) => self.seen.push(...urls);");
    let thread = Thread::builder().worker_factory(make).build();
    let source = "importScripts('there.js', '/there.js'); return String(seen);";
    let here = "return String(['there.js', '/there.js'].map((path) => new Request(path).url));";
    assert_eq!(thread.spawn_remote(exec_js(source)).await.unwrap().0, exec_here(here).await);
}}

/// What the body of an asynchronous function gives on the page.
async fn exec_here(source: &str) -> JsValue {
    InlineExecutor::new().spawn_remote(exec_js_async(source)).await.unwrap().0
}

web_test! { async fn what_is_no_relative_url_stays_as_it_is() {
    let source = "const blob = URL.createObjectURL(new Blob(['text']));
        const text = await (await fetch(blob)).text() + await (await fetch('data:,%20more')).text();
        const request = new Request('data:,x', { method: 'POST', body: '/there' });
        const copy = new Request(request);
        return [text, copy.method, await copy.text(), copy.url].join();";
    let on_worker = Thread::new().spawn_remote(exec_js_async(source)).await.unwrap();
    assert_eq!(on_worker.0, JsValue::from("text more,POST,/there,data:,x"));
}}
