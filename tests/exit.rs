//! How a native program ends. A test runs itself once more as that program.
#![cfg(not(target_family = "wasm"))]

use std::cell::RefCell;
use std::env;
use std::future::Future;
use std::process::{Command, Output};
use std::sync::Mutex;
use std::sync::mpsc::{self, Receiver, Sender};
use std::task::{Context, Poll};
use std::thread;
use std::time::Duration;

use futures::task::{SpawnExt, noop_waker};
use futures::{FutureExt, StreamExt};
use wasm_mt::{
    Error, Executor, ExecutorExt, InlineExecutor, Pool, RemoteHandle, Transfer, executor, remote,
    remote_trait,
};

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

#[remote_trait]
trait Shape: Send {
    fn area(&self) -> u32;
}

#[derive(serde::Serialize, serde::Deserialize)]
struct Square(u32);

impl Shape for Square {
    fn area(&self) -> u32 {
        self.0 * self.0
    }
}

/// Polls until it is ready, with nothing of the thread's own.
fn wait<F: Future>(future: F) -> F::Output {
    let mut future = Box::pin(future);
    let waker = noop_waker();
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::yield_now(),
        }
    }
}

/// Uses all of the library that has something of each thread.
fn use_everything() -> Result<(), Error> {
    let here = InlineExecutor::new();
    let nested = remote!(async {
        wasm_mt::yield_now().await;
        executor::current().spawn_remote(remote!(|| 6 * 7)).await
    });
    assert_eq!(wait(here.spawn_remote(nested))??, 42);
    let shape: Box<dyn Shape> = Box::new(Square(3));
    assert_eq!(wait(here.spawn_remote(remote!(move || shape.area())))?, 9);
    let moved = Transfer(vec![1_u8, 2, 3]);
    assert_eq!(wait(here.spawn_remote(remote!(move || moved.0.len())))?, 3);
    let squares = here.par_map(1..4_u32, remote!(|number| number * number));
    let squares: Vec<_> = wait(squares.map(Result::unwrap).collect());
    assert_eq!(squares, [1, 4, 9]);
    let mut left: RemoteHandle<()> = here.spawn_remote(remote!(async { std::future::pending().await }));
    assert!((&mut left).now_or_never().is_none());
    drop(left);
    here.spawn_remote(remote!(|| ())).forget();
    let fails = here.spawn_remote(remote!(|| -> () { panic!("a task at the end of its thread") }));
    assert!(wait(fails).is_err_and(|error| error.is_panic()));
    assert!(here.spawn(async {}).is_err());
    wait(here.close());
    // The pool of the program, or what is left of a worker.
    let elsewhere = wait(executor::current().spawn_remote(remote!(|| 6 * 7)));
    assert!(elsewhere.is_ok_and(|product| product == 42));
    Ok(())
}

/// Uses the library when its thread drops its own values.
struct UsesItLast;

impl Drop for UsesItLast {
    fn drop(&mut self) {
        match use_everything() {
            Ok(()) => eprintln!("used at the end"),
            Err(error) => eprintln!("not used at the end: {error}"),
        }
    }
}

thread_local! {
    static USES_IT_LAST: UsesItLast = const { UsesItLast };
}

#[test]
fn values_that_a_thread_drops_at_its_end_may_run_tasks() {
    let name = "values_that_a_thread_drops_at_its_end_may_run_tasks";
    if env::var(END).is_ok() {
        // What a thread comes to first it drops last.
        for last in [true, false] {
            let use_it = move || {
                if last {
                    USES_IT_LAST.with(|_| ());
                }
                use_everything().expect("nothing stands in its way");
                USES_IT_LAST.with(|_| ());
            };
            thread::spawn(use_it).join().expect("it does not fail");
        }
        return;
    }
    let Output { status, stderr, .. } = program(name, "well");
    let stderr = String::from_utf8_lossy(&stderr);
    assert_eq!(status.code(), Some(0), "{status}: {stderr}");
    assert_eq!(stderr.matches("used at the end").count(), 2, "{stderr}");
    assert!(!stderr.contains("not used"), "{stderr}");
}
