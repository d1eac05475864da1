//! The worker's side of a boot: what `worker.js` calls.

#![expect(unreachable_pub, reason = "wasm-bindgen exports public functions only")]

use std::cell::RefCell;

use js_sys::Function;
use wasm_bindgen::prelude::*;

use super::memory::table_length;
use super::outbox::{self, Outbox};
use super::reflect::{self, get, has};
use super::{glue, locks, message, setup, status};
use crate::platform::{Address, Inbox, Main};

thread_local! {
    static INBOX: RefCell<Option<Inbox>> = const { RefCell::new(None) };
}

/// Called by `worker.js` once, with what the page sent, and a function that posts to it. Gives the address of the block that
/// shows what runs, or zero if the page runs another build of the program.
#[wasm_bindgen(skip_typescript)]
pub fn __wasm_mt_start(boot: &JsValue, post: Function) -> usize {
    let number = |key| reflect::number(boot, key).map_or(0, |number| number as usize);
    if number("table") != table_length() as usize {
        return 0;
    }
    let main = Address::from_lane(number("main")).get::<Main>();
    let (Some(Main(main)), Some(first)) = (main, message::unpack(&get(boot, "first"))) else { return 0 };
    let block = status::enter_worker();
    outbox::set(post);
    glue::inherit(boot);
    setup::inherit(Address::from_lane(number("factory")));
    let mut inbox = main(Outbox::new());
    inbox(first);
    INBOX.set(Some(inbox));
    block
}

/// Called by `worker.js` with every later message.
#[wasm_bindgen(skip_typescript)]
pub fn __wasm_mt_receive(message: &JsValue) {
    let Some(packet) = message::unpack(message) else {
        if has(message, "count") {
            outbox::tell("sent", &outbox::sent().into());
        }
        // The script of this worker has seen to its own lock.
        if let Some(hold) = get(message, "hold").as_bool() {
            locks::follow(hold);
        }
        return;
    };
    INBOX.with_borrow_mut(|inbox| {
        if let Some(inbox) = inbox {
            inbox(packet);
        }
    });
}
