//! The tests that run on both targets, filed by axis: one body each, `remote_test!` makes it a test here and there.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed, and says where")]

#[macro_use]
mod common;

mod actor;
#[cfg(target_family = "wasm")]
mod boot;
mod capture;
mod channel;
mod codec;
#[cfg(target_family = "wasm")]
mod compat;
mod deadlines;
mod drop;
mod error;
mod executor;
#[cfg(target_family = "wasm")]
mod faults;
mod hook;
#[cfg(target_family = "wasm")]
mod js;
mod left_over;
mod limit;
mod nest;
#[cfg(target_family = "wasm")]
mod nonsense;
mod objects;
#[cfg(target_family = "wasm")]
mod page_1;
mod pool;
mod prelude;
mod run;
mod scene;
mod shared;
mod stack;
mod transport;
