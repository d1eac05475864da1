//! How a native program ends. A test runs itself once more as that program.
#![cfg(not(target_family = "wasm"))]

use std::cell::RefCell;
use std::env;
use std::process::{Command, Output};
use std::sync::Mutex;
use std::sync::mpsc::{self, Receiver, Sender};
use std::time::Duration;

use futures::task::SpawnExt;
use wasm_mt::{InlineExecutor, Pool, remote};

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

/// Writes a line when it is dropped.
struct Says(&'static str);

impl Drop for Says {
    fn drop(&mut self) {
        eprintln!("{} dropped", self.0);
    }
}

/// Tells the test when its worker's thread ends.
struct Ends(Sender<()>);

impl Drop for Ends {
    fn drop(&mut self) {
        self.0.send(()).unwrap_or(());
    }
}

thread_local! {
    static ENDS: RefCell<Option<Ends>> = const { RefCell::new(None) };
}

static SENDER: Mutex<Option<Sender<()>>> = Mutex::new(None);

/// Waits, when it is dropped, until the worker has ended.
struct Awaits(Receiver<()>);

impl Drop for Awaits {
    fn drop(&mut self) {
        match self.0.recv_timeout(Duration::from_secs(30)) {
            Ok(()) => eprintln!("the worker ended"),
            Err(error) => eprintln!("the worker did not end: {error}"),
        }
    }
}

/// Fails while it owns a pool, and has a future run beside it.
async fn fails() -> Result<(), &'static str> {
    let (sender, receiver) = mpsc::channel();
    *SENDER.lock().expect("nothing panics under the lock") = Some(sender);
    // Dropped last: when the pool is gone.
    let _awaits = Awaits(receiver);
    let _future = Says("the future");
    let beside = Says("what runs beside it");
    InlineExecutor::new()
        .spawn(async move {
            let _beside = beside;
            std::future::pending::<()>().await;
        })
        .expect("it is called within `run`");
    let pool = Pool::builder().threads(1).build();
    let noted = pool.spawn_remote(remote!(|| {
        let sender = SENDER.lock().expect("nothing panics under the lock").take();
        ENDS.set(sender.map(Ends));
    }));
    noted.await.expect("the worker runs");
    Err("no harbour")
}

#[test]
fn a_program_that_ends_with_an_error_drops_what_it_owns_before() {
    let name = "a_program_that_ends_with_an_error_drops_what_it_owns_before";
    if env::var(END).is_ok() {
        wasm_mt::run(fails());
        unreachable!("an error ends the program");
    }
    let Output { status, stderr, .. } = program(name, "with an error");
    let stderr = String::from_utf8_lossy(&stderr);
    assert_eq!(status.code(), Some(1), "{stderr}");
    for line in ["the future dropped", "what runs beside it dropped", "the worker ended"] {
        assert_eq!(stderr.matches(line).count(), 1, "{line:?} in {stderr}");
    }
    assert!(stderr.ends_with("Error: no harbour\n"), "{stderr}");
}

#[test]
fn try_run_gives_what_its_future_gives() {
    assert_eq!(wasm_mt::try_run(async { Ok::<_, &str>(()) }), Ok(()));
    assert_eq!(wasm_mt::try_run(async { Err("no harbour") }), Err("no harbour"));
    assert_eq!(wasm_mt::try_run(fails()), Err("no harbour"));
}
