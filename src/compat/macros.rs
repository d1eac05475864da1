//! The macros of 0.1.
//!
//! An exported macro is at the root of the crate, where programs of 0.1 look for it; its documentation is in
//! [`compat`](super).

/// Makes a task of a closure that returns `Result<JsValue, JsValue>`, for [`exec`](crate::compat::ThreadExt::exec) and its like, or
/// of one that returns a future of that, for [`exec_async`](crate::compat::ThreadExt::exec_async). Web only.
///
/// The rules of [`remote!`](crate::remote) hold for what it captures, and a list of captures may stand before the closure.
///
/// ```ignore (web only)
/// let n = 42;
/// let ans = th.exec(FnOnce!(move || Ok(JsValue::from(n)))).await?;
/// let ans = th.exec(FnOnce!([m = n + 1] move || Ok(JsValue::from(m)))).await?;
/// let ans = th.exec_async(FnOnce!(async move || Ok(JsValue::from(n)))).await?;
/// let ans = th.exec_async(FnOnce!(move || job(n))).await?; // an `async fn`, or a boxed future
/// ```
#[doc(hidden)]
#[macro_export]
macro_rules! FnOnce {
    // What `exec!` takes: the result's type is known.
    (@sync [$($captures:tt)*] $closure:expr $(,)?) => {
        $crate::compat::Closure::<$crate::compat::Immediate>::new(
            $crate::remote!([$($captures)*] move || $crate::compat::ClosureResult::of($closure))
        )
    };
    (@sync $closure:expr $(,)?) => {
        $crate::compat::Closure::<$crate::compat::Immediate>::new(
            $crate::remote!(move || $crate::compat::ClosureResult::of($closure))
        )
    };
    ([$($captures:tt)*] async $($closure:tt)+) => {
        $crate::compat::Closure::<$crate::compat::Promised>::new($crate::remote!([$($captures)*] async move {
            $crate::compat::ClosureResult::of_async(async $($closure)+).await
        }))
    };
    ([$($captures:tt)*] $closure:expr $(,)?) => {
        $crate::compat::Closure::of($crate::remote!([$($captures)*] async move {
            $crate::compat::ClosureOutput::by($closure).await
        }))
    };
    (async move $body:block $(,)?) => {
        $crate::FnOnce!(async move || $body)
    };
    (async $body:block $(,)?) => {
        $crate::FnOnce!(async || $body)
    };
    (async $($closure:tt)+) => {
        $crate::compat::Closure::<$crate::compat::Promised>::new($crate::remote!(async move {
            $crate::compat::ClosureResult::of_async(async $($closure)+).await
        }))
    };
    ($closure:expr $(,)?) => {
        $crate::compat::Closure::of($crate::remote!(async move { $crate::compat::ClosureOutput::by($closure).await }))
    };
}

/// Runs a closure on a [`Thread`](crate::Thread): [`exec`](crate::compat::ThreadExt::exec) or, for an asynchronous closure,
/// [`exec_async`](crate::compat::ThreadExt::exec_async). Web only.
///
/// ```ignore (web only)
/// let (a, b) = (1, 2);
/// let ans = exec!(th, move || Ok(JsValue::from(add(a, b)))).await?;
/// let ans = exec!(th, async move || -> Result<JsValue, JsValue> { Ok(JsValue::from(sub(a, b).await)) }).await?;
/// ```
#[doc(hidden)]
#[macro_export]
macro_rules! exec {
    ($th:expr, [$($captures:tt)*] async $($closure:tt)+) => {
        <$crate::Thread as $crate::compat::ThreadExt>::exec_async(&$th, $crate::FnOnce!([$($captures)*] async $($closure)+))
    };
    ($th:expr, async $($closure:tt)+) => {
        <$crate::Thread as $crate::compat::ThreadExt>::exec_async(&$th, $crate::FnOnce!(async $($closure)+))
    };
    ($th:expr, $($closure:tt)+) => {
        <$crate::Thread as $crate::compat::ThreadExt>::exec(&$th, $crate::FnOnce!(@sync $($closure)+))
    };
}

/// `exec_js!` of the root, which has a function of this name too.
#[doc(hidden)]
#[macro_export]
macro_rules! exec_js {
    ($($arguments:tt)*) => {
        $crate::__exec_js!($($arguments)*)
    };
}

/// `exec_js_async!` of the root, which has a function of this name too.
#[doc(hidden)]
#[macro_export]
macro_rules! exec_js_async {
    ($($arguments:tt)*) => {
        $crate::__exec_js_async!($($arguments)*)
    };
}

/// Runs JavaScript on a [`Thread`](crate::Thread): [`exec_js`](crate::compat::ThreadExt::exec_js). Web only.
///
/// ```ignore (web only)
/// let ans = exec_js!(th, "const add = (a, b) => a + b; return add(1, 2);").await?;
/// ```
#[doc(hidden)]
#[macro_export]
macro_rules! __exec_js {
    ($th:expr, $str:expr $(,)?) => {
        <$crate::Thread as $crate::compat::ThreadExt>::exec_js(&$th, $str)
    };
}

/// Runs asynchronous JavaScript on a [`Thread`](crate::Thread): [`exec_js_async`](crate::compat::ThreadExt::exec_js_async). Web only.
///
/// ```ignore (web only)
/// let ans = exec_js_async!(th, "return await (await fetch('page.txt')).text();").await?;
/// ```
#[doc(hidden)]
#[macro_export]
macro_rules! __exec_js_async {
    ($th:expr, $str:expr $(,)?) => {
        <$crate::Thread as $crate::compat::ThreadExt>::exec_js_async(&$th, $str)
    };
}

/// Runs a closure on a [`ThreadPool`](crate::compat::ThreadPool), and calls a callback with its result, if one is given.
/// Web only.
///
/// ```ignore (web only)
/// pool_exec!(pool, move || Ok(JsValue::NULL));
/// pool_exec!(pool, async move || Ok(JsValue::from("done")), |result| console_ln!("{:?}", result));
/// ```
#[doc(hidden)]
#[macro_export]
macro_rules! pool_exec {
    (@sync $pool:tt $job:tt) => { $pool.exec $job };
    (@sync $pool:tt ($job:expr) $cb:expr) => { $pool.exec_with_cb($job, $cb) };
    (@async $pool:tt $job:tt) => { $pool.exec_async $job };
    (@async $pool:tt ($job:expr) $cb:expr) => { $pool.exec_async_with_cb($job, $cb) };
    ($pool:expr, async move || -> $output:ty $body:block $(, $cb:expr)? $(,)?) => {
        $crate::pool_exec!(@async ($pool) ($crate::FnOnce!(async move || -> $output $body)) $($cb)?)
    };
    ($pool:expr, async move || $body:expr $(, $cb:expr)? $(,)?) => {
        $crate::pool_exec!(@async ($pool) ($crate::FnOnce!(async move || $body)) $($cb)?)
    };
    ($pool:expr, async || -> $output:ty $body:block $(, $cb:expr)? $(,)?) => {
        $crate::pool_exec!(@async ($pool) ($crate::FnOnce!(async || -> $output $body)) $($cb)?)
    };
    ($pool:expr, async || $body:expr $(, $cb:expr)? $(,)?) => {
        $crate::pool_exec!(@async ($pool) ($crate::FnOnce!(async || $body)) $($cb)?)
    };
    ($pool:expr, async move $body:block $(, $cb:expr)? $(,)?) => {
        $crate::pool_exec!(@async ($pool) ($crate::FnOnce!(async move $body)) $($cb)?)
    };
    ($pool:expr, async $body:block $(, $cb:expr)? $(,)?) => {
        $crate::pool_exec!(@async ($pool) ($crate::FnOnce!(async $body)) $($cb)?)
    };
    ($pool:expr, $closure:expr $(, $cb:expr)? $(,)?) => {
        $crate::pool_exec!(@sync ($pool) ($crate::FnOnce!(@sync $closure)) $($cb)?)
    };
}

/// Runs JavaScript on a [`ThreadPool`](crate::compat::ThreadPool), and calls a callback with its result, if one is given.
/// Web only.
#[doc(hidden)]
#[macro_export]
macro_rules! pool_exec_js {
    ($pool:expr, $str:expr $(,)?) => {
        ($pool).exec_js($str)
    };
    ($pool:expr, $str:expr, $cb:expr $(,)?) => {
        ($pool).exec_js_with_cb($str, $cb)
    };
}

/// Runs asynchronous JavaScript on a [`ThreadPool`](crate::compat::ThreadPool), and calls a callback with its result, if
/// one is given. Web only.
#[doc(hidden)]
#[macro_export]
macro_rules! pool_exec_js_async {
    ($pool:expr, $str:expr $(,)?) => {
        ($pool).exec_js_async($str)
    };
    ($pool:expr, $str:expr, $cb:expr $(,)?) => {
        ($pool).exec_js_async_with_cb($str, $cb)
    };
}

/// Prints a line on the console: [`println!`](crate::println). Web only.
#[doc(hidden)]
#[macro_export]
macro_rules! console_ln {
    ($($arguments:tt)*) => {
        $crate::println!($($arguments)*)
    };
}

/// Prints a marked line on the console in programs with debug assertions, and nothing in others. Web only.
#[doc(hidden)]
#[macro_export]
macro_rules! debug_ln {
    ($($arguments:tt)*) => {
        if $crate::__private::cfg!(debug_assertions) {
            $crate::println!("\u{1f440} {}", $crate::__private::format_args!($($arguments)*));
        }
    };
}
