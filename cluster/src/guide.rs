//! The chapter of the guide on fleets. `cargo test --doc` compiles its code.

#[doc = include_str!(concat!("../../docs/guide/", "fleet.md"))]
mod fleet {}
