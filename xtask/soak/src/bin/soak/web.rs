//! What is different in a browser. The functions of `soak` are in `page.js`, on the page.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::hint::black_box;
use std::time::Duration;

use js_sys::{Array, Function};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::spawn_local;
use wasm_mt::{Error, Executor, ExecutorExt, exec_js, remote};
use wasm_mt_soak::Round;

use crate::bodies::mix;
use crate::kinds::Kind;
use crate::spawn::{Ticket, Watched, fails, plain};

/// What a worker says just before it is ended need not arrive.
pub(crate) const HEARS_ALL: bool = false;
/// How many tasks of a program may be endless: in WebKit each keeps a thread busy for ever.
const MOST_ENDLESS: u32 = 2;

#[wasm_bindgen]
extern "C" {
    /// Milliseconds.
    #[wasm_bindgen(js_namespace = performance)]
    pub(crate) fn now() -> f64;

    #[wasm_bindgen(js_name = setTimeout)]
    fn set_timeout(callback: &JsValue, milliseconds: u32);
    /// Throws, and nothing on the way to the event loop catches that.
    #[wasm_bindgen(js_namespace = JSON, js_name = parse)]
    fn parse_uncaught(text: &str) -> JsValue;

    type BroadcastChannel;
    #[wasm_bindgen(constructor)]
    fn new(name: &str) -> BroadcastChannel;
    #[wasm_bindgen(method, js_name = postMessage)]
    fn post_message(this: &BroadcastChannel, number: f64);

    /// The numbers that were said since this was asked before.
    #[wasm_bindgen(js_namespace = soak, js_name = begun)]
    fn begun_numbers() -> Array;
    /// How many workers are alive.
    #[wasm_bindgen(js_namespace = soak, js_name = workers)]
    async fn count_workers() -> JsValue;
    #[wasm_bindgen(js_namespace = soak, js_name = report)]
    async fn report_line(line: &str);
}

/// What the page's address says of `name`.
pub(crate) fn option(name: &str) -> Option<String> {
    let search = web_sys::window()?.location().search().ok()?;
    web_sys::UrlSearchParams::new_with_str(&search).ok()?.get(name)
}

/// Of the engines that can run this, only WebKit has no scheduler.
pub(crate) fn is_webkit() -> bool {
    js_sys::Reflect::get(&js_sys::global(), &"scheduler".into())
        .is_ok_and(|scheduler| scheduler.is_undefined())
}

pub(crate) fn start() {}

/// Called by a task: it begins.
pub(crate) fn say_begun(number: u64) {
    thread_local! {
        static CHANNEL: BroadcastChannel = BroadcastChannel::new("begun");
    }
    CHANNEL.with(|channel| channel.post_message(number as f64));
}

/// How often tasks have begun, since this was asked before.
pub(crate) fn begun() -> BTreeMap<u64, u32> {
    let mut begun = BTreeMap::new();
    for number in begun_numbers().iter().filter_map(|number| number.as_f64()) {
        *begun.entry(number as u64).or_default() += 1;
    }
    begun
}

/// Tasks that keep their threads are ended with their workers here.
pub(crate) fn release(_round: u64) {}

pub(crate) fn is_released(_round: u64) -> bool {
    false
}

thread_local! {
    static ENDLESS: Cell<u32> = const { Cell::new(0) };
}

/// Workers that are left, those aside that WebKit cannot end: they hold their lock as long as their code runs.
pub(crate) async fn workers() -> u64 {
    let held = count_workers().await.as_f64().unwrap_or(0.0) as u64;
    held.saturating_sub(ENDLESS.get().min(MOST_ENDLESS).into())
}

pub(crate) fn gauges() -> Vec<(&'static str, u64)> {
    vec![("wasm pages", core::arch::wasm32::memory_size(0) as u64)]
}

/// Gives the round to the page, and waits until the page has been looked at.
pub(crate) async fn report(round: &Round) {
    let line = serde_json::to_string(round).expect("a round is numbers and texts");
    report_line(&line).await;
}

/// Tasks that only this target has.
pub(crate) fn spawn(kind: Kind, ticket: Ticket, executor: &dyn Executor, n: u32) -> Watched {
    match kind {
        Kind::Endless if ENDLESS.replace(ENDLESS.get() + 1) < MOST_ENDLESS => {
            let task = remote!(|| while black_box(true) {}).timeout(Duration::from_millis(20));
            fails(ticket, executor, task, Error::is_timeout)
        }
        Kind::Endless => plain(ticket, executor, remote!(move || mix(n)), mix(n)),
        Kind::Trap => {
            fails(ticket, executor, remote!(|| -> u32 { core::arch::wasm32::unreachable() }), Error::is_panic)
        }
        Kind::LeftOverException => {
            let task = remote!(move || {
                spawn_local(async {
                    wasm_mt::yield_now().await;
                    parse_uncaught("rubbish");
                });
                mix(n)
            });
            plain(ticket, executor, task, mix(n))
        }
        Kind::LeftOverTrap => {
            let task = remote!(move || {
                set_timeout(&Closure::once_into_js(|| -> () { core::arch::wasm32::unreachable() }), n % 10);
                mix(n)
            });
            plain(ticket, executor, task, mix(n))
        }
        Kind::CloseWorker => {
            let task = remote!(move || {
                // There is no way for it to throw.
                Function::new_no_args("self.close()").call0(&JsValue::UNDEFINED).map_or(0, |_| mix(n))
            });
            plain(ticket, executor, task, mix(n))
        }
        Kind::Uncloneable => {
            let handle = executor.spawn_remote(exec_js("return () => 1;"));
            ticket.watch(handle, |_, result| {
                result.as_ref().is_err_and(|error| error.is_js() || error.is_codec())
            })
        }
        Kind::Throws => {
            let handle = executor.spawn_remote(exec_js("throw new Error('not today');"));
            ticket.watch(handle, |_, result| result.as_ref().is_err_and(Error::is_js))
        }
        _ => unreachable!("it is not drawn here"),
    }
}
