//! What must not compile, and what the compiler says then.
//!
//! The texts are our own where they can be, but the compiler frames them, so they are compared only with the version that
//! framed the recorded ones. After a change: `TRYBUILD=overwrite cargo test --test ui`.
#![cfg(not(target_family = "wasm"))]

use std::process::Command;

const COMPILER: &str = "rustc 1.95.";

#[test]
fn misuse_of_remote_is_told_its_cure() {
    let version = Command::new("rustc").arg("--version").output().expect("the compiler runs").stdout;
    if version.starts_with(COMPILER.as_bytes()) {
        trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
    } else {
        println!("not compared: the recorded texts are of {COMPILER}x");
    }
}
