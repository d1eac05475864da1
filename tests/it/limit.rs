//! How long a test may take. One that hangs fails under its name, and the others run.

use std::time::Duration;

/// Seconds that a test may take; natively read when it runs, on the web when it is compiled.
const VARIABLE: &str = "WASM_MT_TEST_LIMIT";

/// Far more than any test takes, on a busy machine too.
const LIMIT: Duration = Duration::from_secs(60);

/// The limit that the environment asks for, else [`LIMIT`].
fn limit(asked: Option<&str>) -> Duration {
    asked.and_then(|seconds| seconds.parse().ok()).map_or(LIMIT, Duration::from_secs)
}

/// What a test that hangs fails with.
fn late(name: &str, limit: Duration) -> String {
    format!("{name} did not end within {} s ({VARIABLE} sets this limit)", limit.as_secs_f64())
}

#[cfg(target_family = "wasm")]
pub(crate) use web::run;

#[cfg(target_family = "wasm")]
mod web {
    use std::future::Future;

    use futures::future::{Either, select};

    use super::*;

    /// Awaits the test, and panics if it does not end in time.
    pub(crate) async fn run<T>(name: &str, test: impl Future<Output = T>) -> T {
        let limit = limit(option_env!("WASM_MT_TEST_LIMIT"));
        run_within(limit, name, test).await.unwrap_or_else(|late| panic!("{late}"))
    }

    async fn run_within<T>(limit: Duration, name: &str, test: impl Future<Output = T>) -> Result<T, String> {
        // sleep: this is the limit
        match select(std::pin::pin!(test), std::pin::pin!(wasm_mt::sleep(limit))).await {
            Either::Left((result, _)) => Ok(result),
            Either::Right(_) => Err(late(name, limit)),
        }
    }

    web_test! { async fn a_test_that_hangs_fails_under_its_name() {
        let hangs = run_within(Duration::from_millis(20), "it::hangs", std::future::pending::<()>());
        assert!(hangs.await.unwrap_err().starts_with("it::hangs did not end within 0.02 s"));
        assert_eq!(run_within(Duration::from_secs(20), "it::ends", async { 1 }).await, Ok(1));
    }}
}

#[cfg(not(target_family = "wasm"))]
pub(crate) use native::run;

#[cfg(not(target_family = "wasm"))]
mod native {
    use std::env;
    use std::panic::resume_unwind;
    use std::process::Command;
    use std::sync::mpsc::{self, RecvTimeoutError};
    use std::thread;

    use super::*;

    /// Runs the test, and panics if it does not end in time. A thread of its own, so that it may block; what it prints is
    /// captured as ever, since a thread inherits that. One that is late stays behind.
    pub(crate) fn run(name: &str, test: fn()) {
        let limit = limit(env::var(VARIABLE).ok().as_deref());
        let (alive, ended) = mpsc::channel::<()>();
        let run = move || {
            // Dropped at the end, however the test ends.
            let _alive = alive;
            test();
        };
        let thread = thread::Builder::new().name(name.to_owned()).spawn(run).unwrap();
        if ended.recv_timeout(limit) == Err(RecvTimeoutError::Timeout) {
            panic!("{}", late(name, limit));
        }
        if let Err(panic) = thread.join() {
            resume_unwind(panic);
        }
    }

    /// Tells this test, in a process of its own, how to hang.
    const HANG: &str = "WASM_MT_TEST_HANG";

    native_test! { fn a_test_that_hangs_fails_under_its_name() {
        match env::var(HANG).as_deref() {
            Ok("blocked") => loop {
                thread::park();
            },
            Ok("waiting") => wasm_mt::run(std::future::pending::<()>()),
            Ok(_) => panic!("not that way"),
            Err(_) => {
                for (hang, text) in [
                    ("blocked", "a_test_that_hangs_fails_under_its_name::native did not end within 1 s"),
                    ("waiting", "a_test_that_hangs_fails_under_its_name::native did not end within 1 s"),
                    ("not at all", "not that way"),
                ] {
                    let mut program = Command::new(env::current_exe().unwrap());
                    program.args(["--exact", "limit::native::a_test_that_hangs_fails_under_its_name::native"]);
                    let output = program.env(HANG, hang).env(VARIABLE, "1").output().unwrap();
                    let stdout = String::from_utf8_lossy(&output.stdout);
                    assert_eq!(output.status.code(), Some(101), "{stdout}");
                    // Captured, and shown under the name of the test.
                    let (_, shown) = stdout.split_once("failures:").unwrap();
                    assert!(shown.contains(text), "{stdout}");
                    assert!(output.stderr.is_empty(), "{output:?}");
                }
            }
        }
    }}
}
