//! `FnOnce!`, `exec!`, and the traits of what they make.

use std::future::Future;
use std::pin::Pin;

use wasm_bindgen::prelude::*;
use wasm_mt::{MtAsyncClosure, MtClosure, Thread, prelude::*};
use wasm_mt_pool::ThreadPool;

use super::{ResultJJ, thread};

fn twice(n: u32) -> u32 {
    2 * n
}

async fn later(n: u32) -> u32 {
    wasm_mt::yield_now().await;
    n
}

async fn run<F: MtClosure>(th: &Thread, job: F) -> ResultJJ {
    th.exec(job).await
}

async fn run_async<F, T>(th: &Thread, job: F) -> ResultJJ
where
    F: MtAsyncClosure<T>,
    T: Future<Output = ResultJJ> + 'static,
{
    th.exec_async(job).await
}

web_test! { async fn mt_closure_is_what_exec_takes() {
    let (th, n) = (thread().await, 21);
    assert_eq!(run(&th, FnOnce!(move || Ok(JsValue::from(twice(n))))).await, Ok(JsValue::from(42)));
}}

web_test! { async fn mt_async_closure_is_what_exec_async_takes() {
    let (th, n) = (thread().await, 21);
    let job = FnOnce!(async move || Ok(JsValue::from(later(twice(n)).await)));
    assert_eq!(run_async(&th, job).await, Ok(JsValue::from(42)));
}}

web_test! { async fn fn_once_takes_every_form_of_a_closure() {
    let th = thread().await;
    let n = 1;
    assert_eq!(th.exec(FnOnce!(|| Ok(JsValue::from(0)))).await, Ok(JsValue::from(0)));
    assert_eq!(th.exec(FnOnce!(move || Ok(JsValue::from(n)))).await, Ok(JsValue::from(1)));
    assert_eq!(th.exec(FnOnce!(move || -> ResultJJ { Ok(JsValue::from(n)) })).await, Ok(JsValue::from(1)));
    let quiet = th.exec({
        #[allow(warnings, reason = "programs of 0.1 had to")]
        {
            FnOnce!(move || Ok(JsValue::from(n)))
        }
    });
    assert_eq!(quiet.await, Ok(JsValue::from(1)));
    assert_eq!(th.exec_async(FnOnce!(async || Ok(JsValue::from(0)))).await, Ok(JsValue::from(0)));
    assert_eq!(
        th.exec_async(FnOnce!(async move || Ok(JsValue::from(later(n).await)))).await,
        Ok(JsValue::from(1))
    );
    assert_eq!(
        th.exec_async(FnOnce!(async move || -> ResultJJ { Ok(JsValue::from(later(n).await)) })).await,
        Ok(JsValue::from(1))
    );
}}

async fn job(n: u32) -> ResultJJ {
    Ok(JsValue::from(later(twice(n)).await))
}

fn boxed_job(n: u32) -> Pin<Box<dyn Future<Output = ResultJJ>>> {
    Box::pin(job(n))
}

web_test! { async fn a_closure_may_return_a_future() {
    let (th, n, answer) = (thread().await, 21, Ok(JsValue::from(42)));
    assert_eq!(th.exec_async(FnOnce!(move || job(n))).await, answer);
    assert_eq!(th.exec_async(FnOnce!(move || boxed_job(n))).await, answer);
    assert_eq!(th.exec_async(FnOnce!(move || async move { job(n).await })).await, answer);
    assert_eq!(th.exec_async(FnOnce!(move || Box::pin(async move { job(n).await }))).await, answer);
    assert_eq!(th.exec_async(FnOnce!(move || Box::pin(async move { Ok(JsValue::from(2 * n)) }))).await, answer);
    assert_eq!(th.exec_async(FnOnce!([half = n] move || job(half))).await, answer);
    assert_eq!(run_async(&th, FnOnce!(move || job(n))).await, answer);
    let pool = ThreadPool::new(1, "");
    let (callback, result) = super::callback();
    pool.exec_async_with_cb(FnOnce!(move || job(n)), callback);
    assert_eq!(result.await, answer);
}}

web_test! { async fn what_a_closure_returns_is_found_from_its_end() {
    let (th, fail) = (thread().await, true);
    let inner = FnOnce!(move || {
        let number: ResultJJ = Ok(JsValue::from(1));
        let number = number?;
        if fail {
            return Err(JsValue::from("early"));
        }
        Ok(number)
    });
    assert_eq!(th.exec(inner).await, Err(JsValue::from("early")));
    let inner = FnOnce!(move || if fail { panic!("as it must") } else { Ok(JsValue::NULL) });
    assert!(super::text(th.exec(inner).await).contains("as it must"));
}}

web_test! { async fn exec_takes_closures_and_blocks() {
    let th = &thread().await;
    let word = String::from("a");
    let copy = || word.clone();
    assert_eq!(exec!(th, || Ok(JsValue::NULL)).await, Ok(JsValue::NULL));
    let w = copy();
    assert_eq!(exec!(th, move || Ok(JsValue::from(w))).await, Ok(JsValue::from("a")));
    let w = copy();
    assert_eq!(exec!(th, move || -> ResultJJ { Ok(JsValue::from(w)) }).await, Ok(JsValue::from("a")));
    let w = copy();
    assert_eq!(exec!(th, { move || Ok(JsValue::from(w)) }).await, Ok(JsValue::from("a")));
    assert_eq!(exec!(th, async || Ok(JsValue::NULL)).await, Ok(JsValue::NULL));
    let w = copy();
    assert_eq!(exec!(th, async move || Ok(JsValue::from(w))).await, Ok(JsValue::from("a")));
    let w = copy();
    assert_eq!(exec!(th, async move || -> ResultJJ { Ok(JsValue::from(w)) },).await, Ok(JsValue::from("a")));
    let w = copy();
    assert_eq!(exec!(th, async move { Ok(JsValue::from(w)) }).await, Ok(JsValue::from("a")));
    assert_eq!(exec!(th, async { Ok(JsValue::NULL) }).await, Ok(JsValue::NULL));
}}

web_test! { async fn question_marks_and_returns_leave_the_closure() {
    let th = thread().await;
    let fail = true;
    let early = exec!(th, move || {
        if fail {
            return Err(JsValue::from("early"));
        }
        Ok(JsValue::NULL)
    });
    assert_eq!(early.await, Err(JsValue::from("early")));
    let inner = exec!(th, async move || {
        let th = WasmMt::new("").thread();
        let value = exec!(th, move || Err(JsValue::from("inner"))).await?;
        Ok(value)
    });
    assert_eq!(inner.await, Err(JsValue::from("inner")));
}}

web_test! { async fn captures_are_serde_values() {
    let th = thread().await;
    let (numbers, names) = (vec![1, 2, 3], Some(vec![String::from("x")]));
    let count = 0;
    let sum = exec!(th, move || {
        count += numbers.iter().sum::<i32>();
        Ok(JsValue::from(format!("{count} {names:?}")))
    });
    assert_eq!(sum.await, Ok(JsValue::from("6 Some([\"x\"])")));
}}

web_test! { async fn captures_may_be_listed() {
    let th = thread().await;
    let name = "short";
    let listed = exec!(th, [name = name.to_owned(), n = 1 + 1] move || Ok(JsValue::from(name.repeat(n))));
    assert_eq!(listed.await, Ok(JsValue::from("shortshort")));
    let listed = exec!(th, [name = name.to_owned()] async move || -> ResultJJ { Ok(JsValue::from(name)) });
    assert_eq!(listed.await, Ok(JsValue::from("short")));
    let listed = th.exec(FnOnce!([n = 3] move || Ok(JsValue::from(n))));
    assert_eq!(listed.await, Ok(JsValue::from(3)));
}}

// The braces of JavaScript are no captures.
web_test! { async fn scripts_nest_in_closures() {
    let (th, a) = (thread().await, String::from("kept"));
    let nested = exec!(th, async move || -> ResultJJ {
        let th = WasmMt::new("").thread();
        let first = exec_js!(th, "const a = 1; return { a: {a}.a }.a;").await?;
        let second = exec_js_async!(th, "const a = 2; return { a }.a;").await?;
        Ok(JsValue::from(first.as_f64().unwrap() + second.as_f64().unwrap()))
    });
    assert_eq!(nested.await, Ok(JsValue::from(3)));
    assert_eq!(a, "kept");
}}
