//! The worker's side of a boot: what `worker.js` calls.

#![expect(unreachable_pub, reason = "wasm-bindgen exports public functions only")]

use std::cell::{Cell, RefCell};
use std::ptr;

use wasm_bindgen::prelude::*;

use super::super::{Address, Inbox, Main, Packet};
use super::message::{self, post_message};
use super::{STATUS, glue, js_error};
use crate::error::Error;

thread_local! {
    static INBOX: RefCell<Option<Inbox>> = const { RefCell::new(None) };
    static IS_WORKER: Cell<bool> = const { Cell::new(false) };
    /// How many packets this worker has posted.
    static SENT: Cell<u32> = const { Cell::new(0) };
}

/// True in a worker of ours.
pub(super) fn is_worker() -> bool {
    IS_WORKER.get()
}

/// The worker's end of the way to its page.
#[derive(Clone)]
pub(crate) struct Outbox(());

impl Outbox {
    /// Fails if a value in the packet can be neither cloned nor moved; then nothing was posted.
    pub(crate) fn post(&self, packet: Packet) -> Result<(), Error> {
        let (message, moved) = message::pack(packet);
        post_message(&message, &moved).map_err(|thrown| not_cloneable(&thrown))?;
        SENT.set(SENT.get().wrapping_add(1));
        Ok(())
    }

    /// A worker whose port was dropped runs no more.
    #[expect(clippy::unused_self, reason = "the seam; natively a thread may outlive its port")]
    pub(crate) fn is_heard(&self) -> bool {
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

/// How long the table of functions is: the same in every instance of one module.
pub(super) fn table_length() -> u32 {
    let length = message::get(&wasm_bindgen::function_table(), "length");
    length.as_f64().map_or(0, |length| length as u32)
}

/// Called by `worker.js` once, with what the page sent. Gives the address of the block that tells what runs, or
/// zero if the page runs another build of the program.
#[wasm_bindgen(skip_typescript)]
pub fn __wasm_mt_start(main: usize, table: u32, glue: String, bundle: &JsValue, first: &JsValue) -> usize {
    if table != table_length() {
        return 0;
    }
    let main = Address::from_lane(main).get::<Main>();
    let (Some(Main(main)), Some(first)) = (main, message::unpack(first)) else { return 0 };
    IS_WORKER.set(true);
    glue::set(glue, bundle);
    let mut inbox = main(Outbox(()));
    inbox(first);
    INBOX.set(Some(inbox));
    ptr::from_ref(&STATUS).addr()
}

/// Called by `worker.js` with every later message.
#[wasm_bindgen(skip_typescript)]
pub fn __wasm_mt_receive(message: &JsValue) {
    let Some(packet) = message::unpack(message) else {
        if message::get(message, "count").is_truthy() {
            message::tell("sent", &SENT.get().into());
        }
        return;
    };
    INBOX.with_borrow_mut(|inbox| {
        if let Some(inbox) = inbox {
            inbox(packet);
        }
    });
}
