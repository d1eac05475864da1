//! The tests that run on both targets, filed by axis: one body each, `remote_test!` makes it a test here and there.

#[macro_use]
mod common;

#[cfg(target_family = "wasm")]
mod boot;
mod capture;
mod codec;
mod drop;
mod error;
#[cfg(target_family = "wasm")]
mod js;
mod nest;
mod run;
