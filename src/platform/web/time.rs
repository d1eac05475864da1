//! Time on the web. The futures are `Send`: they hold one end of a channel, the browser's callback the other.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::future::Future;
use std::rc::Rc;
use std::time::Duration;

use futures::FutureExt;
use futures::channel::oneshot;
use wasm_bindgen::prelude::*;

/// Time since some moment of the past; it never goes back.
pub(crate) fn now() -> Duration {
    Duration::from_micros((performance_now() * 1000.0) as u64)
}

/// Resolves after `duration`; longer than 24 days is cut to that.
pub(crate) fn sleep(duration: Duration) -> impl Future<Output = ()> + Send + 'static {
    let (sender, receiver) = oneshot::channel::<()>();
    let rest = u64::from(duration.subsec_micros().div_ceil(1000));
    let milliseconds = duration.as_secs().saturating_mul(1000).saturating_add(rest);
    let milliseconds = i32::try_from(milliseconds).unwrap_or(i32::MAX);
    // A receiver that is gone does not wait.
    let fire = Closure::once_into_js(move || sender.send(()).unwrap_or(()));
    set_timeout(&fire, milliseconds);
    receiver.map(|_| ())
}

/// Resolves after the event loop had a turn, by a message to itself: a nested `setTimeout(0)` would wait 4 ms.
pub(crate) fn yield_now() -> impl Future<Output = ()> + Send + 'static {
    thread_local! {
        static TURNS: Turns = Turns::new();
    }
    let (sender, receiver) = oneshot::channel();
    TURNS.with(|turns| turns.wait(sender));
    receiver.map(|_| ())
}

/// Who waits for a turn of the event loop, and the channel that brings it.
struct Turns {
    waiting: Rc<RefCell<VecDeque<oneshot::Sender<()>>>>,
    channel: MessageChannel,
    _on_message: Closure<dyn FnMut()>,
}

impl Turns {
    fn new() -> Self {
        let waiting = Rc::new(RefCell::new(VecDeque::<oneshot::Sender<()>>::new()));
        let next = waiting.clone();
        let on_message = Closure::new(move || {
            let sender = next.borrow_mut().pop_front();
            if let Some(sender) = sender {
                // A receiver that is gone does not wait.
                sender.send(()).unwrap_or(());
            }
        });
        let channel = MessageChannel::new();
        channel.port1().set_onmessage(&on_message);
        Self { waiting, channel, _on_message: on_message }
    }

    fn wait(&self, sender: oneshot::Sender<()>) {
        self.waiting.borrow_mut().push_back(sender);
        self.channel.port2().post_message(0);
    }
}

/// Runs a small future of this crate, a deadline for example, beside the program.
pub(crate) fn spawn_service(future: impl Future<Output = ()> + Send + 'static) {
    super::spawn_local(future);
}

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = performance, js_name = now)]
    fn performance_now() -> f64;

    #[wasm_bindgen(js_name = setTimeout)]
    fn set_timeout(callback: &JsValue, milliseconds: i32);

    type MessageChannel;
    #[wasm_bindgen(constructor)]
    fn new() -> MessageChannel;
    #[wasm_bindgen(method, getter)]
    fn port1(this: &MessageChannel) -> MessagePort;
    #[wasm_bindgen(method, getter)]
    fn port2(this: &MessageChannel) -> MessagePort;

    type MessagePort;
    #[wasm_bindgen(method, setter)]
    fn set_onmessage(this: &MessagePort, callback: &Closure<dyn FnMut()>);
    #[wasm_bindgen(method, js_name = postMessage)]
    fn post_message(this: &MessagePort, message: u32);
}
