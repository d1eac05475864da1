//! The worker's end of the way to its page.

use std::cell::{Cell, OnceCell};

use js_sys::Function;
use wasm_bindgen::JsValue;

use super::message;
use super::thrown::js_error;
use crate::error::Error;
use crate::platform::Packet;

thread_local! {
    /// How many packets this worker has posted.
    static SENT: Cell<u32> = const { Cell::new(0) };
    /// What `worker.js` posts packets with, and what it tells the page anything else with. A task may replace the worker's
    /// own `postMessage`.
    static WAYS: OnceCell<(Function, Function)> = const { OnceCell::new() };
}

/// Called once, when this instance becomes a worker.
pub(super) fn set(post: Function, tell: Function) {
    let first = WAYS.with(|ways| ways.set((post, tell)).is_ok());
    debug_assert!(first, "a worker boots once");
}

/// Tells the page something that is not a packet.
pub(super) fn tell(key: &str, value: &JsValue) {
    WAYS.with(|ways| {
        let told = ways.get().map(|(_, tell)| tell.call2(&JsValue::UNDEFINED, &key.into(), value));
        debug_assert!(told.is_some_and(|told| told.is_ok()), "plain text can be cloned");
    });
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

    /// Fails if a value in the packet can be neither cloned nor moved; then nothing was posted.
    pub(crate) fn post(&self, packet: Packet) -> Result<(), Error> {
        let (message, moved) = message::pack(packet);
        let posted =
            WAYS.with(|ways| ways.get().map(|(post, _)| post.call2(&JsValue::UNDEFINED, &message, &moved)));
        posted.expect("a worker has them").map_err(|thrown| not_cloneable(&thrown))?;
        SENT.set(SENT.get().wrapping_add(1));
        Ok(())
    }

    /// A worker whose port was dropped runs no more.
    #[expect(clippy::unused_self, reason = "the seam; natively a thread may outlive its port")]
    pub(crate) fn is_connected(&self) -> bool {
        true
    }
}

/// `postMessage` refused a value.
pub(super) fn not_cloneable(thrown: &JsValue) -> Error {
    Error::codec(format!(
        "a JavaScript value could not be sent: {}; send what structured clone carries, and transfer a value once only",
        js_error(thrown)
    ))
}
