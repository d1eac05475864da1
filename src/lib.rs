//! Real multithreading for Rust in the browser.

#[cfg(all(target_family = "wasm", target_feature = "atomics"))]
compile_error!(
    "wasm-mt gives every worker a memory of its own and does not support shared memory yet: \
     build without `-C target-feature=+atomics`, or use a crate made for shared memory, such as wasm-bindgen-rayon"
);

mod error;
mod platform;
mod task;

pub use error::Error;
