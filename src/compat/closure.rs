//! Closures of 0.1, which give and take JavaScript values, as tasks.

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;

use futures::future::LocalBoxFuture;
use js_sys::{Array, ArrayBuffer, Object, Reflect};
use serde::{Deserialize, Serialize};
use wasm_bindgen::prelude::*;

use super::{ResultJJ, text};
use crate::js::Js;
use crate::task::{Remote, RemoteHandle, Transfer};

/// What [`FnOnce!`](super::FnOnce) makes of a closure: what `exec` takes.
///
/// ```ignore (web only)
/// async fn number<F: MtClosure>(th: &Thread, job: F) -> Result<f64, JsValue> {
///     th.exec(job).await?.as_f64().ok_or(JsValue::from("no number"))
/// }
///
/// let n = 42;
/// assert_eq!(number(&th, FnOnce!(move || Ok(JsValue::from(n)))).await?, 42.0);
/// ```
pub trait MtClosure: sealed::IntoTask + 'static {}

/// What [`FnOnce!`](super::FnOnce) makes of an asynchronous closure, which returns a `T`: what `exec_async` takes.
///
/// ```ignore (web only)
/// async fn number<F: MtAsyncClosure<T>, T>(th: &Thread, job: F) -> Result<f64, JsValue> {
///     th.exec_async(job).await?.as_f64().ok_or(JsValue::from("no number"))
/// }
///
/// let n = 42;
/// assert_eq!(number(&th, FnOnce!(async move || Ok(JsValue::from(n)))).await?, 42.0);
/// ```
pub trait MtAsyncClosure<T>: sealed::IntoTask + 'static {}

pub(super) mod sealed {
    use super::{ClosureResult, Remote};

    pub trait IntoTask {
        fn into_task(self) -> Remote<ClosureResult>;
    }
}

/// A closure as a task, which returns what `K` says: an [`Immediate`] value or a [`Promised`] one.
#[must_use = "a closure runs when `exec` or its like is given it"]
pub struct Closure<K>(Remote<ClosureResult>, PhantomData<fn() -> K>);

/// The closure returns its result.
pub enum Immediate {}

/// The closure returns a future of its result.
pub enum Promised {}

impl<K> Closure<K> {
    /// Of a task whose closure returns that.
    pub fn new(task: Remote<ClosureResult>) -> Self {
        Self(task, PhantomData)
    }
}

impl<K: 'static> Closure<K> {
    /// Of a closure whose type says what it returns.
    pub fn of(task: Remote<ClosureOutput<K>>) -> Self {
        Self::new(task.read_as())
    }
}

impl<K> sealed::IntoTask for Closure<K> {
    fn into_task(self) -> Remote<ClosureResult> {
        self.0
    }
}

impl MtClosure for Closure<Immediate> {}

impl MtAsyncClosure<LocalBoxFuture<'static, ResultJJ>> for Closure<Promised> {}

impl<K> fmt::Debug for Closure<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What a closure may return: a result or a future of one. The compiler finds `K`, since no type is both.
pub trait Return<K> {
    /// What the closure comes to.
    fn result(self) -> impl Future<Output = ResultJJ>;
}

impl Return<Immediate> for ResultJJ {
    async fn result(self) -> ResultJJ {
        self
    }
}

impl<F: Future<Output = ResultJJ>> Return<Promised> for F {
    fn result(self) -> impl Future<Output = ResultJJ> {
        self
    }
}

/// A [`ClosureResult`] of a closure that returned what `K` says.
#[derive(Serialize, Deserialize)]
#[serde(transparent, bound = "")]
pub struct ClosureOutput<K>(ClosureResult, PhantomData<fn() -> K>);

impl<K> ClosureOutput<K> {
    /// Calls the closure and awaits its future, if it returns one.
    pub async fn by<T: Return<K>>(closure: impl FnOnce() -> T) -> Self {
        Self(ClosureResult::new(closure().result().await), PhantomData)
    }
}

/// What a closure has returned, on its way back.
#[derive(Serialize, Deserialize)]
pub struct ClosureResult(Result<Sent, Sent>);

#[derive(Serialize, Deserialize)]
enum Sent {
    Copied(Js<JsValue>),
    Moved(Transfer<Js<JsValue>>),
}

impl ClosureResult {
    /// Calls the closure.
    pub fn of(closure: impl FnOnce() -> ResultJJ) -> Self {
        Self::new(closure())
    }

    /// Calls the closure and awaits its future.
    pub async fn of_async(closure: impl AsyncFnOnce() -> ResultJJ) -> Self {
        Self::new(closure().await)
    }

    pub(super) fn new(result: ResultJJ) -> Self {
        Self(result.map(Sent::new).map_err(Sent::new))
    }

    fn into_result(self) -> ResultJJ {
        self.0.map(Sent::into_value).map_err(Sent::into_value)
    }
}

impl Sent {
    fn new(value: JsValue) -> Self {
        // The memory of an instance is a buffer that cannot be given away.
        let taken = value.dyn_ref::<ArrayBuffer>().and_then(take);
        taken.map_or_else(|| Self::Copied(Js(value)), |taken| Self::Moved(Js::transfer(taken)))
    }

    fn into_value(self) -> JsValue {
        match self {
            Self::Copied(Js(value)) | Self::Moved(Transfer(Js(value))) => value,
        }
    }
}

/// Moves the bytes of a buffer into another, if it gives them away.
fn take(buffer: &ArrayBuffer) -> Option<JsValue> {
    let options = Object::new();
    Reflect::set(&options, &"transfer".into(), &Array::of1(buffer)).ok()?;
    structured_clone(buffer, &options).ok()
}

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(catch, js_name = structuredClone)]
    fn structured_clone(value: &JsValue, options: &Object) -> Result<JsValue, JsValue>;
}

/// What a closure came to, or a text that says why there is no result. A closure runs to its end also if the future is
/// dropped.
pub(super) async fn result(handle: RemoteHandle<ClosureResult>) -> ResultJJ {
    let mut awaited = Awaited(Some(handle));
    let handle = awaited.0.as_mut().expect("it is taken when this is dropped");
    handle.await.map_err(|error| text(&error))?.into_result()
}

struct Awaited(Option<RemoteHandle<ClosureResult>>);

impl Drop for Awaited {
    fn drop(&mut self) {
        if let Some(handle) = self.0.take() {
            handle.forget();
        }
    }
}
