//! The worker's end of the way to its page.

use std::cell::{Cell, RefCell};

use js_sys::Function;
use wasm_bindgen::JsValue;

use super::message::{self, Packed};
use super::thrown::not_cloneable;
use crate::error::Error;
use crate::platform::{Packet, Place};

thread_local! {
    /// How many packets this worker has posted.
    static SENT: Cell<u32> = const { Cell::new(0) };
    /// What `worker.js` posts with: a task may replace the worker's own `postMessage`. It takes a packet and what is moved
    /// with it; or a value and the name of the message that carries it.
    static POST: RefCell<Option<Function>> = const { RefCell::new(None) };
}

/// This instance has become a worker.
pub(super) fn set(post: Function) {
    POST.set(Some(post));
}

fn post(what: &JsValue, rest: &JsValue) -> Result<JsValue, JsValue> {
    POST.with_borrow(|post| post.as_ref().expect("a worker can post").call2(&JsValue::UNDEFINED, what, rest))
}

/// Tells the page something that is not a packet.
pub(super) fn tell(name: &str, value: &JsValue) {
    let told = post(value, &name.into());
    debug_assert!(told.is_ok(), "plain text can be cloned");
}

/// How many packets this worker has posted.
pub(super) fn sent() -> u32 {
    SENT.get()
}

/// The worker's end of the way to its page.
#[derive(Clone)]
pub(crate) struct Outbox(());

impl Outbox {
    pub(super) fn new() -> Self {
        Self(())
    }

    /// Fails if a value in the packet can be neither cloned nor moved, or if there is no memory for it; then nothing was posted.
    pub(crate) fn post(&self, packet: Packet) -> Result<(), Error> {
        let Packed { message, moved, ends } = message::pack(packet)?;
        post(&message, &moved).map_err(|thrown| not_cloneable(&thrown))?;
        ends.iter().for_each(|end| end.moved(Place::ABOVE));
        SENT.set(SENT.get().wrapping_add(1));
        Ok(())
    }

    /// Not known before the message is read.
    #[expect(clippy::unused_self, reason = "the seam; natively the page can show it")]
    pub(crate) fn is_stopped(&self, _task: u64) -> bool {
        false
    }

    #[expect(clippy::unused_self, reason = "the seam; natively it is shown until then")]
    pub(crate) fn has_read_stop(&self, _task: u64) {}

    /// A worker whose port was dropped runs no more.
    #[expect(clippy::unused_self, reason = "the seam; natively a thread may outlive its port")]
    pub(crate) fn is_connected(&self) -> bool {
        true
    }
}
