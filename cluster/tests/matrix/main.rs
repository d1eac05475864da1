//! The matrix of faults of wasm-mt, on a fleet: its files are those of the library's own.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed, and says where")]

#[allow(dead_code, reason = "another test needs more of it")]
#[path = "../fleet/broker.rs"]
mod broker;
#[path = "../../../tests/matrix/cases.rs"]
mod cases;
#[path = "../../../tests/matrix/demands.rs"]
mod demands;
#[allow(dead_code, reason = "not every executor can have them all")]
#[path = "../../../tests/matrix/faults.rs"]
mod faults;
#[path = "../../../tests/matrix/notes.rs"]
mod notes;
#[path = "../../../tests/matrix/run.rs"]
mod run;
mod subjects;
#[path = "../../../tests/matrix/native.rs"]
mod target;
#[path = "../../../tests/matrix/value.rs"]
mod value;

use std::env;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::sync::OnceLock;

use self::broker::Broker;

/// So many groups the cases are dealt to.
const GROUPS: u32 = 24;

/// Where the broker is.
static URL: OnceLock<String> = OnceLock::new();

fn url() -> &'static str {
    URL.get().unwrap()
}

fn main() -> ExitCode {
    let filter = env::args().skip(1).find(|argument| !argument.starts_with('-')).unwrap_or_default();
    let groups: Vec<_> =
        (1..=GROUPS).filter(|group| format!("fleet_group_{group}").contains(&filter)).collect();
    println!("\nrunning {} tests", groups.len());
    let Some(broker) = Broker::start("") else {
        println!("the matrix is left out: there is no `nats-server` here");
        println!("\ntest result: ok. 0 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out");
        return ExitCode::SUCCESS;
    };
    URL.get_or_init(|| broker.url());
    cases::check_cover();
    let mut failed = 0;
    for &group in &groups {
        let run = || wasm_mt::run(async move { cases::group(group).await });
        let passed = catch_unwind(AssertUnwindSafe(run)).is_ok();
        println!("test fleet_group_{group} ... {}", if passed { "ok" } else { "FAILED" });
        failed += usize::from(!passed);
    }
    let (word, passed) = (if failed == 0 { "ok" } else { "FAILED" }, groups.len() - failed);
    println!(
        "\ntest result: {word}. {passed} passed; {failed} failed; 0 ignored; 0 measured; 0 filtered out"
    );
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
