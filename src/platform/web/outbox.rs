//! The worker's end of the way to its page.

use std::cell::Cell;

use wasm_bindgen::JsValue;

use super::message::{self, post_message};
use super::thrown::js_error;
use crate::error::Error;
use crate::platform::Packet;

thread_local! {
    /// How many packets this worker has posted.
    static SENT: Cell<u32> = const { Cell::new(0) };
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
        post_message(&message, &moved).map_err(|thrown| not_cloneable(&thrown))?;
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
