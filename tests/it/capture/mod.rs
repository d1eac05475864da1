//! What `remote!` captures, and what it makes of the forms of a task: each is compared with the same closure called here.

/// Calls the closure here, and on a worker, with clones of its captures, and compares.
macro_rules! same {
    ([$($capture:ident),*] $($task:tt)*) => {{
        let here = {
            $(#[allow(unused_mut, reason = "not all tasks change what they capture")]
            let mut $capture = $capture.clone();)*
            ($($task)*)()
        };
        let task = {
            $(let $capture = $capture.clone();)*
            wasm_mt::remote!($($task)*)
        };
        assert_eq!($crate::common::on_worker(task).await.unwrap(), here);
    }};
}

/// Awaits the async block or closure here, and on a worker, with clones of its captures, and compares.
macro_rules! same_async {
    ([$($capture:ident),*] async move { $($body:tt)* }) => {
        same_async!(@ [$($capture),*] (async move { $($body)* }) async move { $($body)* })
    };
    ([$($capture:ident),*] $($closure:tt)*) => {
        same_async!(@ [$($capture),*] (($($closure)*)()) $($closure)*)
    };
    (@ [$($capture:ident),*] ($future:expr) $($task:tt)*) => {{
        let here = {
            $(#[allow(unused_mut, reason = "not all tasks change what they capture")]
            let mut $capture = $capture.clone();)*
            $future.await
        };
        let task = {
            $(let $capture = $capture.clone();)*
            wasm_mt::remote!($($task)*)
        };
        assert_eq!($crate::common::on_worker(task).await.unwrap(), here);
    }};
}

mod forms;
mod functions;
mod macros;
mod names;
mod owned;
mod scopes;
