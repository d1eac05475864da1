//! Time on the web. The futures are `Send`: they hold one end of a channel, the browser's callback the other.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::Future;
use std::rc::Rc;
use std::time::Duration;

use futures::FutureExt;
use futures::channel::oneshot;
use wasm_bindgen::prelude::*;

use super::local::spawn_local;
use super::node;
use super::reflect::{construct, get, global, number, once, set};

/// Time since 1970, by a clock that never goes back within a thread and is the same for all threads of a page.
#[inline(never)]
pub(crate) fn now() -> Duration {
    thread_local! {
        static ORIGIN: f64 = number(&global("performance"), "timeOrigin").unwrap_or_default();
    }
    let milliseconds = ORIGIN.with(|origin| origin + performance_now());
    Duration::from_micros((milliseconds * 1000.0) as u64)
}

/// The step of that clock, as far as one reading shows it: engines count in whole milliseconds, or in tenths and less.
pub(crate) fn clock_tick() -> Duration {
    let now = performance_now();
    Duration::from_micros(if now == now.trunc() { 1_000 } else { 100 })
}

/// Resolves after `duration`; longer than 24 days is cut to that.
pub(crate) fn sleep(duration: Duration) -> impl Future<Output = ()> + Send + 'static {
    start_timer(duration, set_timeout)
}

/// As [`sleep`], but for this alone a program does not stay.
pub(crate) fn sleep_aside(duration: Duration) -> impl Future<Output = ()> + Send + 'static {
    start_timer(duration, if node::is_here() { node::set_timeout_aside } else { set_timeout })
}

fn start_timer(
    duration: Duration,
    set_timeout: fn(&JsValue, i32),
) -> impl Future<Output = ()> + Send + 'static {
    let (sender, receiver) = oneshot::channel::<()>();
    let rest = u64::from(duration.subsec_micros().div_ceil(1000));
    let milliseconds = duration.as_secs().saturating_mul(1000).saturating_add(rest);
    let milliseconds = i32::try_from(milliseconds).unwrap_or(i32::MAX);
    // A receiver that is gone does not wait.
    let fire = once(move |_| sender.send(()).unwrap_or(()));
    set_timeout(&fire, milliseconds);
    receiver.map(|_| ())
}

/// Resolves after the event loop had a turn: in most engines by a message to itself, since a timer that was set by a timer
/// waits 4 ms from the fifth on. In WebKit a message takes a quarter of a millisecond, so there four of five turns are
/// timers. Node.js has a function of its own for it.
pub(crate) fn yield_now() -> impl Future<Output = ()> + Send + 'static {
    thread_local! {
        static TURNS: Turns = Turns::new(is_webkit());
    }
    TURNS.with(Turns::wait)
}

/// As [`yield_now`], but never by a timer: those of a hidden page may take a minute.
pub(crate) fn yield_by_message() -> impl Future<Output = ()> + Send + 'static {
    thread_local! {
        static TURNS: Turns = Turns::new(false);
    }
    TURNS.with(Turns::wait)
}

/// Of the engines that can run this, only WebKit has no scheduler, and older versions of Firefox.
fn is_webkit() -> bool {
    global("scheduler").is_undefined()
}

/// Who waits for a turn of the event loop, and what brings it.
struct Turns {
    waiting: Rc<RefCell<VecDeque<oneshot::Sender<()>>>>,
    /// None in Node.js, which it would keep from its end.
    port: Option<MessagePort>,
    next: Closure<dyn FnMut(JsValue)>,
    /// How many timers were set in a row, where they are the faster way.
    timers: Option<Cell<u32>>,
}

impl Turns {
    /// One less than how many timers may be nested at once without a delay.
    const MOST_TIMERS: u32 = 4;

    fn new(has_slow_messages: bool) -> Self {
        let waiting = Rc::new(RefCell::new(VecDeque::<oneshot::Sender<()>>::new()));
        let others = waiting.clone();
        let next = Closure::new(move |_| {
            let sender = others.borrow_mut().pop_front();
            if let Some(sender) = sender {
                // A receiver that is gone does not wait.
                sender.send(()).unwrap_or(());
            }
        });
        let port = (!node::is_here()).then(|| {
            let channel = construct(&global("MessageChannel"), []).unwrap_or_default();
            set(&get(&channel, "port1"), "onmessage", next.as_ref());
            get(&channel, "port2").unchecked_into()
        });
        Self { waiting, port, next, timers: has_slow_messages.then(Cell::default) }
    }

    fn wait(&self) -> impl Future<Output = ()> + Send + use<> {
        let (sender, receiver) = oneshot::channel::<()>();
        self.waiting.borrow_mut().push_back(sender);
        match (&self.timers, &self.port) {
            (_, None) => node::set_immediate(self.next.as_ref()),
            (Some(timers), _) if timers.get() < Self::MOST_TIMERS => {
                timers.set(timers.get() + 1);
                set_timeout(self.next.as_ref(), 0);
            }
            (timers, Some(port)) => {
                if let Some(timers) = timers {
                    timers.set(0);
                }
                port.post_message(0);
            }
        }
        receiver.map(|_| ())
    }
}

/// Runs a small future of this crate, a deadline for example, beside the program.
pub(crate) fn spawn_service(future: impl Future<Output = ()> + Send + 'static) {
    spawn_local(future);
}

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = performance, js_name = now)]
    fn performance_now() -> f64;

    #[wasm_bindgen(js_name = setTimeout)]
    fn set_timeout(callback: &JsValue, milliseconds: i32);

    type MessagePort;
    #[wasm_bindgen(method, js_name = postMessage)]
    fn post_message(this: &MessagePort, message: u32);
}
