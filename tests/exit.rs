//! How a native program ends. The test runs itself once more as that program.
#![cfg(not(target_family = "wasm"))]

use std::env;
use std::process::{Command, Output};

/// Says how the program ends: `well` or `with an error`.
const END: &str = "WASM_MT_TEST_END";

/// Runs this test alone in a process of its own.
fn program(test: &str, end: &str) -> Output {
    let mut command = Command::new(env::current_exe().expect("a test has a file"));
    command.args(["--exact", test, "--nocapture"]).env(END, end);
    command.output().expect("a test can be run")
}

#[test]
fn a_program_that_ends_with_an_error_shows_it_and_has_exit_code_1() {
    let name = "a_program_that_ends_with_an_error_shows_it_and_has_exit_code_1";
    match env::var(END).as_deref() {
        Ok("well") => wasm_mt::run(async { Ok::<_, &str>(()) }),
        Ok(_) => wasm_mt::run(async { Err("no harbour") }),
        Err(_) => {
            let Output { status, stderr, .. } = program(name, "with an error");
            let stderr = String::from_utf8_lossy(&stderr);
            assert_eq!(status.code(), Some(1), "{stderr}");
            assert!(stderr.contains("Error: no harbour"), "{stderr}");
            assert_eq!(program(name, "well").status.code(), Some(0));
        }
    }
}
