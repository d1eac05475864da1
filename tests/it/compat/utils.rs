//! `wasm_mt::utils`, and the macros for the console.

use std::time::{Duration, UNIX_EPOCH};

use js_sys::{ArrayBuffer, Uint8Array};
use wasm_bindgen::prelude::*;
use wasm_mt::utils::*;
use wasm_mt::{Thread, exec, remote};

use crate::common::on_worker;

/// Keeps what is printed on the console.
fn keep() {
    run_js("globalThis.log = console.log; globalThis.lines = []; console.log = line => lines.push(line);")
        .unwrap();
}

fn kept() -> Vec<String> {
    let lines = run_js("console.log = log; return lines;").unwrap();
    js_sys::Array::from(&lines).iter().map(|line| line.as_string().unwrap()).collect()
}

javascript_test! { fn console_ln_prints_a_line() {
    let (word, n) = ("two", 3);
    keep();
    console_ln!("one");
    console_ln!("{}, {:?}", word, n);
    wasm_mt::console_ln!("{n}");
    assert_eq!(kept(), ["one", "two, 3", "3"]);
}}

javascript_test! { fn debug_ln_prints_where_assertions_are_on() {
    keep();
    debug_ln!("n: {}", 1);
    wasm_mt::debug_ln!("m");
    let expected: &[&str] = if cfg!(debug_assertions) { &["\u{1f440} n: 1", "\u{1f440} m"] } else { &[] };
    assert_eq!(kept(), expected);
}}

web_test! { async fn console_ln_prints_in_workers_too() {
    let (th, name) = (Thread::new(), String::from("worker"));
    keep();
    let printed = exec!(th, move || {
        console_ln!("in a {}", name);
        debug_ln!("in a {}", name);
        Ok(JsValue::NULL)
    });
    printed.await.unwrap();
    assert_eq!(kept()[0], "in a worker");
}}

// On a worker: on the page the test's own driver needs `Function`.
web_test! { async fn sleep_takes_milliseconds_and_no_eval() {
    let slept = remote!(async {
        run_js("self.Function = () => { throw 'eval'; };").unwrap();
        let begun = web_time::Instant::now();
        // sleep: it is what is tested
        sleep(20).await;
        begun.elapsed()
    });
    // Browsers round, and may fire a little early.
    assert!(on_worker(slept).await.unwrap() >= Duration::from_millis(18));
}}

javascript_test! { fn run_js_gives_the_result_or_the_exception() {
    assert_eq!(run_js("return 1 + 2;"), Ok(JsValue::from(3)));
    assert_eq!(run_js("1;"), Ok(JsValue::UNDEFINED));
    assert_eq!(run_js("throw 'no';"), Err(JsValue::from("no")));
    assert!(run_js("return )").unwrap_err().is_instance_of::<js_sys::SyntaxError>());
}}

web_test! { async fn run_js_async_awaits_the_result_or_the_exception() {
    assert_eq!(run_js_async("return await Promise.resolve(3);").await, Ok(JsValue::from(3)));
    assert_eq!(run_js_async("await Promise.reject('no');").await, Err(JsValue::from("no")));
    assert!(run_js_async("return )").await.unwrap_err().is_instance_of::<js_sys::SyntaxError>());
}}

web_test! { async fn fetch_and_response_gives_the_response() {
    let url = "data:text/plain,hello%20there";
    let response = fetch_and_response(url).await.unwrap();
    assert!(response.ok());
    assert!(fetch_and_response("nowhere://at.all").await.is_err());
    let missing = fetch_and_response("/nothing-here").await.unwrap();
    assert_eq!(missing.status(), 404);
}}

web_test! { async fn fetch_as_text_gives_the_text() {
    assert_eq!(fetch_as_text("data:text/plain,hello%20there").await.unwrap(), "hello there");
    assert!(fetch_as_text("nowhere://at.all").await.is_err());
}}

web_test! { async fn fetch_as_arraybuffer_gives_the_bytes() {
    let bytes = fetch_as_arraybuffer("data:application/octet-stream;base64,AAEC/w==").await.unwrap();
    assert_eq!(Uint8Array::new(&bytes).to_vec(), [0, 1, 2, 255]);
    assert!(fetch_as_arraybuffer("nowhere://at.all").await.is_err());
}}

web_test! { async fn workers_fetch_too() {
    let th = Thread::new();
    let text = exec!(th, async move || Ok(JsValue::from(fetch_as_text("data:,far").await?)));
    assert_eq!(text.await, Ok(JsValue::from("far")));
}}

javascript_test! { fn texts_become_buffers_and_buffers_texts() {
    for text in ["", "plain", "\u{e9}\u{1f980}\0"] {
        let buffer = ab_from_text(text);
        assert_eq!(Uint8Array::new(&buffer).to_vec(), text.as_bytes());
        assert_eq!(text_from_ab(&buffer).unwrap(), text);
    }
    let broken = u8arr_from_vec(&[b'a', 0xff, b'b']).buffer();
    assert_eq!(text_from_ab(&broken).unwrap(), "a\u{fffd}b");
}}

javascript_test! { fn u8arr_from_vec_copies() {
    let mut bytes = vec![1, 2, 3];
    let array = u8arr_from_vec(&bytes);
    bytes[0] = 9;
    assert_eq!(array.to_vec(), [1, 2, 3]);
    // Its buffer holds these bytes and nothing else.
    assert_eq!((array.byte_offset(), array.buffer().byte_length()), (0, 3));
    let mib = vec![7; 1 << 20];
    assert_eq!(u8arr_from_vec(&mib).to_vec(), mib);
}}

javascript_test! { fn ab_dup_is_another_buffer() {
    let buffer = u8arr_from_vec(&[1, 2]).buffer();
    let copy = ab_dup(&buffer);
    Uint8Array::new(&buffer).set_index(0, 9);
    assert_eq!(Uint8Array::new(&copy).to_vec(), [1, 2]);
    assert_eq!(ab_dup(&ArrayBuffer::new(0)).byte_length(), 0);
}}

javascript_test! { fn perf_to_system_counts_milliseconds_since_1970() {
    for ms in [0, 1_234, 1_700_000_000_123] {
        assert_eq!(perf_to_system(ms as f64), UNIX_EPOCH + Duration::from_millis(ms));
    }
}}

javascript_test! { fn counter_counts() {
    let counter = Counter::new();
    assert_eq!((counter.num(), counter.inc(), counter.inc(), counter.num()), (0, 1, 2, 2));
}}
