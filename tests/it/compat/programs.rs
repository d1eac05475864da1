//! Whole programs of 0.1: that of its README, and those of its examples.

use futures::channel::oneshot;
use js_sys::{ArrayBuffer, Uint8Array};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::spawn_local;
use wasm_mt::prelude::*;
use wasm_mt::utils::{ab_from_text, console_ln, sleep, u8arr_from_vec};

use super::ResultJJ;

fn add(a: i32, b: i32) -> i32 {
    a + b
}

async fn sub(a: i32, b: i32) -> i32 {
    sleep(10).await; // sleep: part of the program
    a - b
}

web_test! { async fn that_of_the_readme() -> Result<(), JsValue> {
    let pkg_js = "./pkg/exec.js"; // path to `wasm-bindgen`'s JS binding
    let mt = WasmMt::new(pkg_js).and_init().await.unwrap();

    let th = mt.thread().and_init().await.unwrap();

    let a = 1;
    let b = 2;
    let ans = exec!(th, move || {
        let c = add(a, b);

        Ok(JsValue::from(c))
    })
    .await?;
    assert_eq!(ans, JsValue::from(3));

    let a = 1;
    let b = 2;
    let ans = exec!(th, async move || {
        let c = sub(a, b).await;

        Ok(JsValue::from(c))
    })
    .await?;
    assert_eq!(ans, JsValue::from(-1));

    let ans = exec_js!(
        th,
        "
        const add = (a, b) => a + b;
        return add(1, 2);
    "
    )
    .await?;
    assert_eq!(ans, JsValue::from(3));

    let ans = exec_js_async!(
        th,
        "
        const sub = (a, b) => new Promise(resolve => {
            setTimeout(() => resolve(a - b), 10);
        });
        return await sub(1, 2);
    "
    )
    .await?;
    assert_eq!(ans, JsValue::from(-1));

    let mut v: Vec<Thread> = vec![];
    for _i in 0..4 {
        let th = mt.thread().and_init().await?;
        v.push(th);
    }

    console_ln!("serial executor:");
    for th in &v {
        console_ln!("starting a thread");
        let ans = exec!(th, move || Ok(JsValue::from(42))).await?;
        console_ln!("ans: {:?}", ans);
    }

    console_ln!("parallel executor:");
    let mut answers = Vec::new();
    for th in v {
        let (tx, rx) = oneshot::channel();
        answers.push(rx);
        spawn_local(async move {
            console_ln!("starting a thread");
            let ans = exec!(th, move || Ok(JsValue::from(42))).await.unwrap();
            console_ln!("ans: {:?}", ans);
            tx.send(ans).unwrap();
        });
    }
    for ans in answers {
        assert_eq!(ans.await.unwrap(), JsValue::from(42));
    }
    Ok(())
}}

/// A Fibonacci number by nested threads, each with the buffer that its parent has got.
async fn fib_mt(num: u32, pkg_js_uri: &str, ab_init_test: Option<ArrayBuffer>) -> Result<u32, JsValue> {
    if num <= 1 {
        return Ok(num);
    }
    let mt = WasmMt::new(pkg_js_uri).and_init().await?;

    let mut vec_init_test = None;
    if let Some(ab) = ab_init_test {
        vec_init_test = Some(Uint8Array::new(&ab).to_vec());
        mt.set_ab_init(ab);
    }
    let th = mt.thread().and_init().await?;
    let pkg_js_uri = String::from(pkg_js_uri);

    let ans = exec!(th, async move || -> ResultJJ {
        let mut ab_left = None;
        let mut ab_right = None;
        if let Some(vec) = vec_init_test {
            ab_left = Some(u8arr_from_vec(&vec).buffer());
            ab_right = Some(u8arr_from_vec(&vec).buffer());
        }
        let (tx, rx) = oneshot::channel::<u32>();
        spawn_local(async move {
            let left = fib_mt(num - 2, &pkg_js_uri, ab_left).await.unwrap();
            let right = fib_mt(num - 1, &pkg_js_uri, ab_right).await.unwrap();
            tx.send(left + right).unwrap();
        });
        let ans_inner = rx.await.unwrap();
        Ok(JsValue::from(ans_inner))
    })
    .await
    .unwrap();
    Ok(ans.as_f64().unwrap() as u32)
}

web_test! { async fn that_of_nested_threads() {
    let ab = ab_from_text("return () => {};");
    assert_eq!(fib_mt(4, "./pkg/fib.js", Some(ab)).await, Ok(3));
}}

// They came with 0.1: a program of then that asks for `web-sys` without features has them.
web_test! { async fn the_features_of_web_sys_are_there() {
    web_sys::console::log_1(&JsValue::from("as in 0.1"));
    assert!(web_sys::window().is_some());
    let bytes = web_sys::TextEncoder::new().unwrap().encode_with_input("ab").to_vec();
    assert_eq!(bytes, [0x61, 0x62]);
    let global: Option<web_sys::WorkerGlobalScope> = js_sys::global().dyn_into().ok();
    assert!(global.is_none(), "a page is no worker");
}}
