//! Procedural macros of the crate `wasm-mt`; use them through it.
