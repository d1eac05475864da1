//! Faults that only a browser can have.

use std::hint::black_box;
use std::time::Duration;

use futures::TryFutureExt;
use js_sys::{Array, Function, RangeError};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::spawn_local;
use wasm_mt::{Error, Executor, ExecutorExt, Js, Remote, sleep};

use crate::cases::Situation;
use crate::faults::{Act, End, FAULTY, Fault, Tells, Worker};
use crate::value::Value;

pub(crate) static FAULTS: &[Fault] = &[
    Fault {
        shares: true,
        ..Fault::new("a trap", Act::Sync(|_| core::arch::wasm32::unreachable()), &[End::Panic], Worker::Ends)
    },
    Fault {
        shares: true,
        ..Fault::new("an exhausted stack", Act::Sync(|_| Value::Number(dig(0))), &[End::Panic], Worker::Ends)
    },
    Fault {
        shares: true,
        ..Fault::new("no memory left", Act::Sync(takes_all_memory), &[End::Panic], Worker::Ends)
    },
    Fault {
        shares: true,
        ..Fault::new("an exception in a task", Act::Sync(|_| throws()), &[End::Panic], Worker::Ends)
    },
    Fault::new(
        "an exception in a left-over future",
        Act::Sync(leaves_a_throwing_future),
        &[End::Value],
        Worker::Ends,
    ),
    Fault::new(
        "an exception in a left-over timer",
        Act::Sync(|_| run_script("setTimeout(() => { throw new Error('a timer of the matrix'); }, 1);")),
        &[End::Value],
        Worker::Stays,
    ),
    Fault::new("a trap in a left-over timer", Act::Sync(leaves_a_trap), &[End::Value], Worker::Ends),
    Fault {
        inline: true,
        situations: NO_ITEMS,
        ..Fault::new(
            "an exception in a script",
            Act::Script("throw new Error('a script of the matrix');"),
            &[End::Js],
            Worker::Stays,
        )
    },
    Fault {
        inline: true,
        situations: NO_ITEMS,
        ..Fault::new(
            "a rejected promise",
            Act::AsyncScript("await Promise.reject(new Error('a promise of the matrix'));"),
            &[End::Js],
            Worker::Stays,
        )
    },
    Fault::new(
        "a rejected promise that nobody awaits",
        Act::Sync(|_| run_script("Promise.reject(new Error('a forgotten promise of the matrix'));")),
        &[End::Value],
        Worker::Stays,
    ),
    Fault {
        shares: true,
        ..Fault::new(
            "a close in a task",
            Act::Sync(|_| run_script("self.close();")),
            &[End::Value, End::WorkerLost],
            Worker::Ends,
        )
    },
    Fault::new(
        "a close in a timer",
        Act::Sync(|_| run_script("setTimeout(() => self.close(), 5);")),
        &[End::Value],
        Worker::Ends,
    ),
    Fault {
        tells: Tells::Nothing,
        ..Fault::new(
            "a garbage message",
            Act::Sync(|_| run_script(GARBAGE)),
            &[End::Value, End::WorkerLost],
            Worker::Ends,
        )
    },
    Fault {
        tells: Tells::Nothing,
        ..Fault::new(
            "an unreadable value",
            Act::Sync(unreadable),
            // Among other items it is looked at before it is posted: then it fails alone.
            &[End::Value, End::WorkerLost, End::Codec],
            Worker::MayEnd,
        )
    },
    Fault {
        // A parent would have to pass on what a child on its own worker gives.
        situations: &[Situation::Alone, Situation::Many, Situation::ParMap, Situation::Open],
        ..Fault::new("an uncloneable value", Act::Sync(uncloneable), &[End::Codec], Worker::Stays)
    },
];

/// A script is no function over items.
const NO_ITEMS: &[Situation] = &[Situation::Alone, Situation::Many, Situation::Nested, Situation::Open];

#[wasm_bindgen]
extern "C" {
    /// Throws, and nothing on the way to the event loop catches that.
    #[wasm_bindgen(js_namespace = JSON, js_name = parse)]
    fn parse_uncaught(text: &str) -> JsValue;

    #[wasm_bindgen(js_name = setTimeout)]
    fn set_timeout(callback: &JsValue, milliseconds: u32) -> JsValue;
}

/// Ends as every packet does, and says nothing that can be read.
const GARBAGE: &str = "
    const bytes = new Uint8Array(90).fill(0xee);
    const trailer = new DataView(bytes.buffer, 78);
    [20, 0, 0x746d7770].forEach((word, nth) => trailer.setUint32(4 * nth, word, true));
    self.postMessage(bytes);";

fn run_script(source: &str) -> Value {
    Function::new_no_args(source).call0(&JsValue::UNDEFINED).unwrap();
    Value::Number(FAULTY)
}

fn dig(depth: u32) -> u32 {
    if depth == u32::MAX { 0 } else { black_box(dig(black_box(depth + 1))) + 1 }
}

/// A memory has 4 GiB at most.
fn takes_all_memory(_case: u32) -> Value {
    let all = [(); 2].map(|()| black_box(Vec::<u8>::with_capacity(isize::MAX as usize)));
    Value::Number(FAULTY + u32::from(all[0].is_empty()))
}

fn throws() -> Value {
    parse_uncaught("rubbish");
    Value::Number(FAULTY)
}

fn leaves_a_throwing_future(_case: u32) -> Value {
    spawn_local(async {
        // sleep: the task has ended by then
        sleep(Duration::from_millis(5)).await;
        parse_uncaught("rubbish");
    });
    Value::Number(FAULTY)
}

fn leaves_a_trap(_case: u32) -> Value {
    set_timeout(&Closure::once_into_js(|| -> () { core::arch::wasm32::unreachable() }), 5);
    Value::Number(FAULTY)
}

/// Firefox can write it, and not read it.
fn unreadable(_case: u32) -> Value {
    Value::Js(Js(Array::of1(&RangeError::new("too far")).into()))
}

fn uncloneable(_case: u32) -> Value {
    Value::Js(Js(Function::new_no_args("return 1").into()))
}

/// Runs a script as a task.
pub(crate) fn script(
    executor: &dyn Executor,
    task: Remote<Js<JsValue>>,
) -> impl Future<Output = Result<Value, Error>> + 'static {
    executor.spawn_remote(task).map_ok(Value::Js)
}

/// Nothing on the page could end it; the runner has a limit of its own.
pub(crate) struct Watchdog;

impl Watchdog {
    pub(crate) fn new(_case: String, _limit: Duration) -> Self {
        Self
    }
}

/// No case has a process of its own.
pub(crate) fn program() -> Option<String> {
    None
}

pub(crate) fn progress(_what: &str) {}

pub(crate) fn ends_process(case: &str, _test: &str, _last_words: &str) -> Vec<String> {
    vec![format!("{case} is for a process")]
}
