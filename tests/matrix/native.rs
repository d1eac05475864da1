//! Faults that only a process can have.

use std::collections::BTreeMap;
use std::env;
use std::hint::black_box;
use std::io::{self, Write};
use std::pin::Pin;
use std::process::Command;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex};
use std::task::{Context, Waker};
use std::thread;
use std::time::Duration;

use wasm_mt::{Error, RemoteHandle, remote, yield_now};

use crate::cases::Situation;
use crate::faults::{Act, End, FAULTY, Fault, Options, PanickingWaker, Worker, nothing};
use crate::value::Value;

pub(crate) static FAULTS: &[Fault] = &[
    Fault {
        ends_process: Some("overflowed its stack"),
        ..Fault::new("an exhausted stack", Act::Sync(|_| Value::Number(dig(0))), &[], Worker::Ends)
    },
    Fault {
        ends_process: Some("memory allocation of"),
        ..Fault::new("no memory left", Act::Sync(takes_all_memory), &[], Worker::Ends)
    },
    Fault {
        situations: &[Situation::Alone, Situation::Many],
        ..Fault::new("a panicking waker of a handle", Act::Waker, &[End::Value], Worker::Stays)
    },
    Fault {
        options: Some(|case| Options {
            on_run: Some(Box::new(move |_| assert!(calls(case) != 1, "an `on_run` of the matrix"))),
            ..Options::default()
        }),
        ..Fault::new("a panicking on_run", Act::Sync(nothing), &[End::Value], Worker::Stays)
    },
    Fault {
        options: Some(|case| Options {
            on_start: Some(remote!(move || assert!(calls(case) != 3, "an `on_start` of the matrix"))),
            ..Options::default()
        }),
        // The third to start is the replacement: a worker that fails at first is not tried again.
        after_start: true,
        ..Fault::new(
            "a panic, and one of the replacement's on_start",
            Act::Sync(|_| panic!("it wants a replacement")),
            &[End::Panic],
            Worker::Ends,
        )
    },
];

fn dig(depth: u32) -> u32 {
    if depth == u32::MAX { 0 } else { black_box(dig(black_box(depth + 1))) + 1 }
}

fn takes_all_memory(_case: u32) -> Value {
    let all = black_box(Vec::<u8>::with_capacity(isize::MAX as usize));
    Value::Number(FAULTY + u32::from(all.is_empty()))
}

/// How often this was called for a case.
fn calls(case: u32) -> u32 {
    static CALLS: Mutex<BTreeMap<u32, u32>> = Mutex::new(BTreeMap::new());

    let mut calls = CALLS.lock().unwrap();
    let count = calls.entry(case).or_default();
    *count += 1;
    *count
}

/// Awaits a task after a panic of the waker that it wakes.
pub(crate) async fn wake_with_a_panic(mut handle: RemoteHandle<Value>) -> Result<Value, Error> {
    let waker = Waker::from(Arc::new(PanickingWaker));
    // The handle takes the place of this waker when it is polled again.
    if let std::task::Poll::Ready(early) = Pin::new(&mut handle).poll(&mut Context::from_waker(&waker)) {
        return early;
    }
    while !handle.is_finished() {
        yield_now().await;
    }
    handle.await
}

/// Ends the process if a case holds the thread that would end it, and names the case.
pub(crate) struct Watchdog(#[expect(dead_code, reason = "its drop is what is waited for")] Sender<()>);

impl Watchdog {
    pub(crate) fn new(case: String, limit: Duration) -> Self {
        let (sender, receiver) = channel();
        thread::spawn(move || {
            if receiver.recv_timeout(limit) == Err(RecvTimeoutError::Timeout) {
                let _unheard = writeln!(io::stderr(), "{case}: it holds its thread");
                std::process::exit(101);
            }
        });
        Self(sender)
    }
}

/// Names the case that a process is to run.
const PROGRAM: &str = "WASM_MT_TEST_CASE";

/// The case that this process is to run, without any other.
pub(crate) fn program() -> Option<String> {
    env::var(PROGRAM).ok()
}

/// Tells the process that runs this one how far it is.
pub(crate) fn progress(what: &str) {
    if program().is_some() {
        eprintln!("{what}");
    }
}

/// Runs a case in a process of its own, which must end. Gives what is wrong.
pub(crate) fn ends_process(case: &str, test: &str, last_words: &str) -> Vec<String> {
    let mut command = Command::new(env::current_exe().expect("a test has a file"));
    command.args(["--exact", test, "--nocapture"]).env(PROGRAM, case);
    let output = command.output().expect("a test can be run");
    let stderr = String::from_utf8_lossy(&output.stderr);
    let is_aborted = output.status.code().is_none();
    let says = ["the known tasks have ended", last_words].iter().all(|words| stderr.contains(words));
    if is_aborted && says { Vec::new() } else { vec![format!("it ended with {}: {stderr}", output.status)] }
}
