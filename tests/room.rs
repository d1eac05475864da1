//! Values for which there is no memory. A test runs itself once more in a process that may have little.
#![cfg(target_os = "linux")]

use std::env;
use std::process::Command;

use serde_bytes::ByteBuf;
use wasm_mt::{Described, Error, Remote, RemoteFn, Thread, Transfer, remote};

/// Set in the process that has little memory.
const IS_LIMITED: &str = "WASM_MT_TEST_IS_LIMITED";

/// What a process may have, in KiB.
const LIMIT: u32 = 1024 * 1024;

/// There may be one such value, and not two. (An encoding of it takes a few bytes more.)
const LARGE: usize = 600 * 1024 * 1024;

/// Runs this test alone in a process that has little memory. False in that process.
fn in_limited_process(test: &str) -> bool {
    if env::var_os(IS_LIMITED).is_some() {
        return false;
    }
    let mut command = Command::new("sh");
    command.args(["-c", &format!("ulimit -v {LIMIT}; exec \"$0\" \"$@\"")]);
    command.arg(env::current_exe().expect("a test has a file"));
    let output = command.args(["--exact", test, "--nocapture"]).env(IS_LIMITED, "1").output();
    let output = output.expect("a test can be run");
    let text = [output.stdout, output.stderr].concat();
    assert!(output.status.success(), "{}: {}", output.status, String::from_utf8_lossy(&text));
    true
}

#[track_caller]
fn assert_no_room<T>(result: Result<T, Error>, texts: &[&str]) {
    let Err(error) = result else { panic!("there is no memory for it") };
    assert!(error.is_codec(), "{error}");
    for text in ["no memory", &LARGE.to_string()[..6]].iter().chain(texts) {
        assert!(error.to_string().contains(text), "no {text:?} in: {error}");
    }
}

#[test]
fn a_result_for_which_there_is_no_memory_is_an_error() {
    if in_limited_process("a_result_for_which_there_is_no_memory_is_an_error") {
        return;
    }
    wasm_mt::run(async {
        let thread = Thread::new();
        assert_no_room(thread.spawn_remote(remote!(|| Transfer(vec![0u8; LARGE]))).await, &["Transfer<"]);
        assert_no_room(thread.spawn_remote(remote!(|| Transfer(vec![0u64; LARGE / 8]))).await, &["u64"]);
        assert_no_room(thread.spawn_remote(remote!(|| ByteBuf::from(vec![0; LARGE]))).await, &["ByteBuf"]);
        let text = remote!(|| String::from_utf8(vec![0; LARGE]).expect("zeros are text"));
        assert_no_room(thread.spawn_remote(text).await, &["String"]);
        // The thread is in order.
        assert_eq!(thread.spawn_remote(remote!(|| 1)).await.expect("it runs"), 1);
    });
}

#[test]
fn an_argument_for_which_there_is_no_memory_is_an_error() {
    if in_limited_process("an_argument_for_which_there_is_no_memory_is_an_error") {
        return;
    }
    wasm_mt::run(async {
        let thread = Thread::new();
        let bytes = Remote::new(ByteBuf::from(vec![0; LARGE]), |_| ());
        assert_no_room(thread.spawn_remote(bytes).await, &["ByteBuf"]);
        let described = Remote::new(Described(ByteBuf::from(vec![0; LARGE])), |_| ());
        assert_no_room(thread.spawn_remote(described).await, &["Described"]);
        let numbers = Transfer(vec![0f32; LARGE / 4]);
        assert_no_room(thread.spawn_remote(remote!(move || numbers.0.len())).await, &["f32"]);
        assert_eq!(thread.spawn_remote(remote!(|| 1)).await.expect("it runs"), 1);
    });
}

#[test]
fn a_call_that_there_is_no_memory_to_copy_is_an_error() {
    if in_limited_process("a_call_that_there_is_no_memory_to_copy_is_an_error") {
        return;
    }
    const HALF: usize = LARGE / 2;
    wasm_mt::run(async {
        let thread = Thread::new();
        let table = Transfer(vec![0u8; HALF]);
        let look_up = RemoteFn::new(table, |table: Transfer<Vec<u8>>, _| move |at: usize| table.0[at]);
        // One copy is held for further calls, one is encoded.
        let held = vec![0u8; HALF];
        let result = thread.spawn_remote(look_up.call(held.len() - 1)).await;
        let error = result.expect_err("there is no memory for it");
        assert!(error.is_codec() && error.to_string().contains(&HALF.to_string()), "{error}");
    });
}
