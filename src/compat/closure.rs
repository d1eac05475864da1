//! Closures of 0.1, which give and take JavaScript values, as tasks.

use std::fmt;

use futures::future::LocalBoxFuture;
use js_sys::ArrayBuffer;
use serde::{Deserialize, Serialize};
use wasm_bindgen::{JsCast, JsValue};

use super::{ResultJJ, text};
use crate::js::Js;
use crate::task::{Remote, RemoteHandle, Transfer};

/// What [`FnOnce!`](crate::FnOnce) makes of a closure: what `exec` takes.
pub trait MtClosure: sealed::Task + 'static {}

/// What [`FnOnce!`](crate::FnOnce) makes of an asynchronous closure, which returns a `T`: what `exec_async` takes.
pub trait MtAsyncClosure<T>: sealed::Task + 'static {}

pub(super) mod sealed {
    use super::{Remote, Reply};

    pub trait Task {
        fn into_task(self) -> Remote<Reply>;
    }
}

/// A closure as a task.
pub struct Closure(pub Remote<Reply>);

impl sealed::Task for Closure {
    fn into_task(self) -> Remote<Reply> {
        self.0
    }
}

impl MtClosure for Closure {}

/// An asynchronous closure as a task.
pub struct FutureClosure(pub Remote<Reply>);

impl sealed::Task for FutureClosure {
    fn into_task(self) -> Remote<Reply> {
        self.0
    }
}

impl MtAsyncClosure<LocalBoxFuture<'static, ResultJJ>> for FutureClosure {}

impl fmt::Debug for Closure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for FutureClosure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What a closure has returned, on its way back.
#[derive(Serialize, Deserialize)]
pub struct Reply(Result<Sent, Sent>);

#[derive(Serialize, Deserialize)]
enum Sent {
    Copied(Js<JsValue>),
    Moved(Transfer<Js<JsValue>>),
}

impl Reply {
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
        // The module's own memory is a buffer that cannot be given away.
        let is_memory = || {
            let memory: js_sys::WebAssembly::Memory = wasm_bindgen::memory().unchecked_into();
            memory.buffer() == value
        };
        if value.is_instance_of::<ArrayBuffer>() && !is_memory() {
            Self::Moved(Js::transfer(value))
        } else {
            Self::Copied(Js(value))
        }
    }

    fn into_value(self) -> JsValue {
        match self {
            Self::Copied(Js(value)) | Self::Moved(Transfer(Js(value))) => value,
        }
    }
}

/// What came back of a closure, or a text about why nothing did.
pub(super) async fn result(handle: RemoteHandle<Reply>) -> ResultJJ {
    handle.await.map_err(|error| text(&error))?.into_result()
}
