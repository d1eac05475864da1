//! Results of every kind of JavaScript value.

use js_sys::{ArrayBuffer, Function};
use wasm_bindgen::prelude::*;
use wasm_mt::prelude::*;
use wasm_mt::utils::run_js;

use super::{text, thread};

/// What a worker returns, and what must then hold for it, `v`, on the page.
const KINDS: [(&str, &str); 26] = [
    ("undefined", "v === undefined"),
    ("null", "v === null"),
    ("true", "v === true"),
    ("false", "v === false"),
    ("42", "v === 42"),
    ("-0", "Object.is(v, -0)"),
    ("NaN", "Object.is(v, NaN)"),
    ("1e308 * 10", "v === Infinity"),
    ("2n ** 70n", "v === 2n ** 70n"),
    ("''", "v === ''"),
    ("'\\u00e9\\u{1f980}\\0'", "v === '\\u00e9\\u{1f980}\\0'"),
    ("'\\ud800'", "v === '\\ud800'"),
    ("[1, [2], , undefined]", "Array.isArray(v) && v.length === 4 && v[1][0] === 2 && !(2 in v) && 3 in v"),
    ("({ a: 1, b: { c: [2] } })", "v.a === 1 && v.b.c[0] === 2"),
    ("new Map([[1, 'a'], ['k', new Set([2])]])", "v instanceof Map && v.get(1) === 'a' && v.get('k').has(2)"),
    ("new Date(86400000)", "v instanceof Date && v.getTime() === 86400000"),
    ("/a+/gi", "v instanceof RegExp && v.source === 'a+' && v.flags === 'gi'"),
    ("new Uint8Array([1, 2, 255])", "v instanceof Uint8Array && v.join() === '1,2,255'"),
    ("new Float64Array([0.5, NaN])", "v instanceof Float64Array && v[0] === 0.5 && Number.isNaN(v[1])"),
    ("new BigInt64Array([-1n])", "v instanceof BigInt64Array && v[0] === -1n"),
    ("new Uint8Array(new Uint8Array([1, 2, 3]).buffer, 1)", "v.byteOffset === 1 && v.join() === '2,3'"),
    ("new DataView(new ArrayBuffer(4), 2)", "v instanceof DataView && v.byteLength === 2"),
    ("new Uint8Array([7, 8]).buffer", "v instanceof ArrayBuffer && new Uint8Array(v).join() === '7,8'"),
    ("new ArrayBuffer(0)", "v instanceof ArrayBuffer && v.byteLength === 0"),
    ("new TypeError('odd')", "v instanceof TypeError && v.message === 'odd'"),
    ("(() => { const a = { n: 1 }; a.self = a; return a; })()", "v.self === v && v.n === 1"),
];

fn assert_holds(value: &JsValue, source: &str, condition: &str) {
    let check = Function::new_with_args("v", &format!("return {condition};"));
    let holds = check.call1(&JsValue::UNDEFINED, value).unwrap();
    assert!(holds.is_truthy(), "{source} came back as {value:?}");
}

web_test! { async fn values_of_javascript_come_back() {
    let th = thread().await;
    for (source, condition) in KINDS {
        let value = th.exec_js(&format!("return {source};")).await.unwrap();
        assert_holds(&value, source, condition);
    }
}}

web_test! { async fn values_of_closures_come_back() {
    let th = thread().await;
    for (source, condition) in KINDS {
        let js = format!("return {source};");
        let value = exec!(th, move || run_js(&js)).await.unwrap();
        assert_holds(&value, source, condition);
        let js = format!("return {source};");
        let value = exec!(th, async move || run_js(&js)).await.unwrap();
        assert_holds(&value, source, condition);
    }
}}

web_test! { async fn values_come_back_as_errors_too() {
    let th = thread().await;
    for (source, condition) in KINDS {
        let value = th.exec_js(&format!("throw {source};")).await.unwrap_err();
        assert_holds(&value, source, condition);
    }
}}

web_test! { async fn a_value_without_a_clone_is_an_err() {
    let th = thread().await;
    for source in ["() => 1", "Symbol('s')", "new WeakMap()", "{ f: () => 1 }", "Promise.resolve()"] {
        for js in [format!("return {source};"), format!("throw {source};")] {
            let js = js.replace("return {", "return ({").replace("throw {", "throw ({").replace("};", "});");
            let refused = text(th.exec_js(&js).await);
            assert!(refused.contains("clone"), "{source}: {refused}");
            let refused = text(exec!(th, move || run_js(&js)).await);
            assert!(refused.contains("clone"), "{source}: {refused}");
        }
    }
    assert_eq!(th.exec_js("return 1;").await, Ok(JsValue::from(1)));
}}

web_test! { async fn array_buffers_are_transferred() {
    let th = thread().await;
    let buffer: ArrayBuffer =
        th.exec_js("self.kept = new ArrayBuffer(8); return self.kept;").await.unwrap().dyn_into().unwrap();
    assert_eq!(buffer.byte_length(), 8);
    assert_eq!(th.exec_js("return self.kept.byteLength;").await, Ok(JsValue::from(0)));
    // What is gone cannot go again.
    assert!(!text(th.exec_js("return self.kept;").await).is_empty());
    // A typed array is cloned: others may see its buffer.
    th.exec_js("self.kept = new Uint8Array(8); return self.kept;").await.unwrap();
    assert_eq!(th.exec_js("return self.kept.byteLength;").await, Ok(JsValue::from(8)));
}}

web_test! { async fn the_memory_of_a_worker_is_copied() {
    let th = thread().await;
    let memory = || {
        exec!(th, move || {
            let memory: js_sys::WebAssembly::Memory = wasm_bindgen::memory().unchecked_into();
            Ok(memory.buffer())
        })
    };
    for _ in 0..2 {
        let buffer: ArrayBuffer = memory().await.unwrap().dyn_into().unwrap();
        assert!(buffer.byte_length() > 65_536);
    }
    let another = th.exec_js("return new WebAssembly.Memory({ initial: 1 }).buffer;").await.unwrap();
    assert_eq!(another.dyn_into::<ArrayBuffer>().unwrap().byte_length(), 65_536);
}}
