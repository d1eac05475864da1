//! The tests that run on both targets, filed by axis: one body each, `remote_test!` makes it a test here and there.

#[macro_use]
mod common;

mod run;
