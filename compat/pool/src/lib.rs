#![doc = include_str!("../README.md")]

pub use wasm_mt;

#[cfg(target_family = "wasm")]
pub use wasm_mt::compat::{PoolCallback, ThreadPool, pool_exec, pool_exec_js, pool_exec_js_async};

/// What programs of 0.1 import. Web only.
#[cfg(target_family = "wasm")]
pub mod prelude {
    pub use crate::{ThreadPool, pool_exec, pool_exec_js, pool_exec_js_async};
    pub use wasm_mt::compat::{FnOnce, ThreadExt};
}
