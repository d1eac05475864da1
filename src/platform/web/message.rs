//! The shapes of what `postMessage` carries.
//!
//! A packet is one `Uint8Array`, or an array of it and the attachments. Its tail holds the lane of entries, as words,
//! their number and a magic word: at the end, so that the bytes in front are copied once, from where they are.
//! Everything else is an object with the key `wasmMt` (`worker.js`).

use js_sys::{Array, Object, Reflect, Uint8Array};
use wasm_bindgen::prelude::*;

use super::super::Packet;
use super::attachment::Attachment;

/// Ends every packet, so that the message of somebody else is not taken for one.
const MAGIC: u32 = 0x746d_7770;

/// From this length a buffer is moved; below, the browser's copy is cheaper than the hand-over.
const MOVED_FROM: u32 = 16 * 1024;

const WORD: usize = size_of::<u32>();

/// A packet as `postMessage` takes it: the message, and the list of what is moved.
pub(super) fn pack(packet: Packet) -> (JsValue, Array) {
    let Packet { mut bytes, entries, attachments } = packet;
    bytes.reserve_exact((entries.len() + 2) * WORD);
    let count = entries.len();
    for word in entries.into_iter().chain([count, MAGIC as usize]) {
        bytes.extend_from_slice(&word.to_le_bytes());
    }
    let body = Uint8Array::from(&bytes[..]);
    let moved = Array::new();
    if body.length() >= MOVED_FROM {
        moved.push(&body.buffer());
    }
    if attachments.is_empty() {
        return (body.into(), moved);
    }
    let message = Array::of1(&body);
    for attachment in attachments {
        let (value, transfer) = attachment.into_parts();
        if transfer {
            moved.push(&super::attachment::transferable(&value));
        }
        message.push(&value);
    }
    (message.into(), moved)
}

/// The packet that a message holds, if it is one of ours.
pub(super) fn unpack(message: &JsValue) -> Option<Packet> {
    if let Some(body) = message.dyn_ref::<Uint8Array>() {
        return unpack_body(body, Vec::new());
    }
    let message = message.dyn_ref::<Array>()?;
    let body = message.get(0).dyn_into::<Uint8Array>().ok()?;
    let attachments = (1..message.length()).map(|i| Attachment::from_js(message.get(i))).collect();
    unpack_body(&body, attachments)
}

fn unpack_body(body: &Uint8Array, attachments: Vec<Attachment>) -> Option<Packet> {
    let mut bytes = body.to_vec();
    if take_word(&mut bytes)? != MAGIC {
        return None;
    }
    let count = take_word(&mut bytes)? as usize;
    if count > bytes.len() / WORD {
        return None;
    }
    let mut entries =
        (0..count).map(|_| take_word(&mut bytes).map(|word| word as usize)).collect::<Option<Vec<_>>>()?;
    entries.reverse();
    Some(Packet { bytes, entries, attachments })
}

fn take_word(bytes: &mut Vec<u8>) -> Option<u32> {
    let word = *bytes.last_chunk::<WORD>()?;
    bytes.truncate(bytes.len() - WORD);
    Some(u32::from_le_bytes(word))
}

/// A property, or undefined.
pub(super) fn get(object: &JsValue, key: &str) -> JsValue {
    Reflect::get(object, &JsValue::from_str(key)).unwrap_or(JsValue::UNDEFINED)
}

pub(super) fn object<const N: usize>(properties: [(&str, JsValue); N]) -> Object {
    let object = Object::new();
    for (key, value) in properties {
        set(&object, key, &value);
    }
    object
}

/// Version of the boot message and of all other objects; `worker.js` has the same.
pub(super) const VERSION: u32 = 1;

/// Tells the page something that is not a packet.
pub(super) fn tell(key: &str, value: &JsValue) {
    let message = object([("wasmMt", VERSION.into()), (key, value.clone())]);
    let posted = post_message(&message, &Array::new());
    debug_assert!(posted.is_ok(), "plain text can be cloned");
}

/// Fires `wasm-mt-exit` on the global object, for pages that show how a program ended.
pub(super) fn announce_exit(error: Option<String>) {
    let error = error.map_or(JsValue::NULL, JsValue::from);
    let init = object([("detail", object([("error", error)]).into())]);
    dispatch_event(&CustomEvent::new("wasm-mt-exit", &init));
}

#[wasm_bindgen]
extern "C" {
    /// The worker's own, to its page.
    #[wasm_bindgen(catch, js_name = postMessage)]
    pub(super) fn post_message(message: &JsValue, transfer: &Array) -> Result<(), JsValue>;

    /// Of a plain object: nothing can go wrong.
    #[wasm_bindgen(js_namespace = Reflect)]
    fn set(object: &Object, key: &str, value: &JsValue) -> bool;

    #[wasm_bindgen(js_name = dispatchEvent)]
    fn dispatch_event(event: &CustomEvent) -> bool;

    type CustomEvent;
    #[wasm_bindgen(constructor)]
    fn new(name: &str, init: &Object) -> CustomEvent;
}
