//! Most names of the crate, to be imported by `use wasm_mt::prelude::*`.
//!
//! On the web there are also `Js`, `exec_js` and `exec_js_async`; and with the feature `compat`, which is on by default, what
//! the prelude of wasm-mt 0.1 had. Names that other crates and programs often have too are left out: import
//! [`Error`](crate::Error), [`println!`](crate::println), [`run`](crate::run), [`sleep`](crate::sleep) and
//! [`yield_now`](crate::yield_now) one by one, or write `wasm_mt::run`.
//!
//! ```
//! use wasm_mt::prelude::*;
//!
//! # wasm_mt::run(async {
//! let pool = Pool::builder().strategy(Strategy::Parallel).threads(2).build();
//! let n = 6;
//! assert_eq!(pool.spawn_remote(remote!(move || n * 7)).await?, 42);
//! # Ok::<_, wasm_mt::Error>(())
//! # });
//! ```

#[doc(no_inline)]
pub use crate::executor::actor::Actor;
#[doc(no_inline)]
pub use crate::executor::ext::ExecutorExt;
#[doc(no_inline)]
pub use crate::executor::fronts::{ParallelExecutor, SerialExecutor, WorkStealingExecutor};
#[doc(no_inline)]
pub use crate::executor::inline::InlineExecutor;
#[doc(no_inline)]
pub use crate::executor::pool::Pool;
#[doc(no_inline)]
pub use crate::executor::traits::Executor;
#[doc(no_inline)]
pub use crate::schedule::Strategy;
#[doc(no_inline)]
pub use crate::task::{Remote, RemoteFn, RemoteHandle, Transfer, remote_trait};
#[doc(no_inline)]
pub use crate::thread::Thread;

#[doc(no_inline)]
pub use crate::{actor, call, remote};

#[cfg_attr(
    not(target_family = "wasm"),
    expect(unused_imports, unreachable_pub, reason = "it is empty natively")
)]
#[doc(no_inline)]
pub use crate::js::prelude::*;

#[cfg_attr(
    not(all(feature = "compat", target_family = "wasm")),
    expect(unused_imports, unreachable_pub, reason = "it is empty without `compat`")
)]
#[doc(no_inline)]
pub use crate::compat::prelude::*;
