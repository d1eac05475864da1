//! How a worker starts, and why not. Web only: natively there is nothing to load.

use std::time::Duration;

use js_sys::Date;
use wasm_mt::{Remote, Thread, ThreadBuilder};

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
    assert!(text.contains("reload the page"), "{text}");
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
            web_sys::Worker::new(&format!("data:text/javascript,{script}"))
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
