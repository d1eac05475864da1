//! The shapes of what `postMessage` carries.
//!
//! A packet is one `Uint8Array`, or an array of it and the attachments. Behind the lane of bytes it holds that of heads; then,
//! in words, that of addresses, for each attachment how it crosses, the lengths of heads and addresses, and a magic word.
//! All that is behind the bytes so that those are copied once, from where they are.
//! Every call into JavaScript counts in a small task's time: see that a packet takes few.
//! Everything else is an object with the key `wasmMt` (`worker.js`).

use js_sys::{Array, Uint8Array};
use wasm_bindgen::prelude::*;

use super::attachment::{self, Attachment, Parts};
use super::reflect::{call, get};
use crate::error::Error;
use crate::platform::{Address, Endpoint, NoRoom, Packet, room};

/// Ends every packet, so that no other message is taken for one.
const PACKET_MAGIC: usize = 0x746d_7770;

/// From this length a buffer is moved; below, the browser's copy is cheaper than the hand-over.
const MOVED_FROM: usize = 16 * 1024;

const WORD: usize = size_of::<usize>();

/// How many words end a packet: the lengths of two lanes, and the magic word.
const TRAILER: usize = 3;

/// How an attachment crosses.
mod way {
    pub(super) const CLONED: usize = 0;
    pub(super) const MOVED: usize = 1;
    /// As its parts: see `attachment::dismantle`.
    pub(super) const REBUILT: usize = 2;
    /// It is an end, and has come before (`platform::endpoint`).
    pub(super) const END: usize = 3;
}

/// A packet as `postMessage` takes it.
pub(super) struct Packed {
    pub(super) message: JsValue,
    /// The list of what is moved or, if nothing is, undefined.
    pub(super) moved: JsValue,
    /// What is to be told when it is posted.
    pub(super) ends: Vec<Box<dyn Endpoint>>,
}

/// Packs a packet.
///
/// Fails if there is no memory for it.
pub(super) fn pack(packet: Packet) -> Result<Packed, Error> {
    let Packet { heads, mut bytes, addresses, attachments, residents: _, lost: _ } = packet;
    let rest = heads.len() + (addresses.len() + attachments.len() + TRAILER) * WORD;
    let no_room = NoRoom::of::<u8>(bytes.len());
    if bytes.try_reserve_exact(rest).is_err() {
        return Err(no_room.into());
    }
    bytes.extend_from_slice(&heads);
    addresses.iter().for_each(|address| put_word(&mut bytes, address.number()));
    let mut moved = None;
    let mut move_along = |value: &JsValue| moved.get_or_insert_with(Array::new).push(value);
    let message = (!attachments.is_empty()).then(Array::new);
    let mut ends = Vec::new();
    for attachment in attachments {
        let (value, transfer) = match attachment.into_parts() {
            Parts::Value(value, transfer) => (value, transfer),
            Parts::End(end) => {
                put_word(&mut bytes, way::END);
                if let Some(message) = &message {
                    message.push(&(end.name() as f64).into());
                }
                ends.push(end);
                continue;
            }
        };
        let (way, value) = if transfer {
            move_along(&attachment::transferable(&value));
            (way::MOVED, value)
        } else if let Some(parts) = attachment::dismantle(&value) {
            (way::REBUILT, parts)
        } else {
            (way::CLONED, value)
        };
        put_word(&mut bytes, way);
        if let Some(message) = &message {
            message.push(&value);
        }
    }
    put_word(&mut bytes, heads.len());
    put_word(&mut bytes, addresses.len());
    put_word(&mut bytes, PACKET_MAGIC);
    let Ok(body) = copy_of(&bytes) else { return Err(no_room.into()) };
    if bytes.len() >= MOVED_FROM {
        move_along(&get(&body, "buffer"));
    }
    let message = match message {
        Some(message) => {
            message.unshift(&body);
            message.into()
        }
        None => body.into(),
    };
    Ok(Packed { message, moved: moved.into(), ends })
}

/// The packet that a message holds, if it is one of ours. Others may read the message too: it stays as it is.
pub(super) fn unpack(message: &JsValue) -> Option<Packet> {
    if let Some(body) = message.dyn_ref::<Uint8Array>() {
        return unpack_body(body, None);
    }
    let message = message.dyn_ref::<Array>()?;
    let body = message.get(0).dyn_into::<Uint8Array>().ok()?;
    unpack_body(&body, Some(message))
}

/// Bytes that a task has posted itself may be many, so their end is looked at before they are copied from this length on.
const LOOKED_AT_FROM: usize = 64 * 1024;

/// `message` is the array that the attachments follow the body in.
fn unpack_body(body: &Uint8Array, message: Option<&Array>) -> Option<Packet> {
    let length = body.length() as usize;
    let attachments = message.map_or(0, |message| message.length() as usize - 1);
    if length < LOOKED_AT_FROM {
        let mut bytes = vec![0; length];
        copy_out(&mut bytes, body);
        return take_apart(bytes, attachments, message);
    }
    let trailer = read(body, length - TRAILER * WORD)?;
    let (_, heads, addresses) = split_trailer(&trailer)?;
    if let Some(bytes) = read(body, 0) {
        return take_apart(bytes, attachments, message);
    }
    // Without the values: whose they are is to be told.
    let words = addresses.checked_add(attachments)?.checked_add(TRAILER)?;
    let lost = length.checked_sub(words.checked_mul(WORD)?.checked_add(heads)?)?;
    Some(Packet { lost, ..take_apart(read(body, lost)?, attachments, message)? })
}

/// The bytes from this place on, if there is memory for them.
pub(super) fn read(body: &Uint8Array, start: usize) -> Option<Vec<u8>> {
    let end = body.length();
    let mut bytes = room::zeroed(end as usize - start).ok()?;
    copy_out(&mut bytes, call(body, "subarray", [(start as u32).into()]).ok()?.unchecked_ref());
    Some(bytes)
}

fn take_apart(mut bytes: Vec<u8>, attachments: usize, message: Option<&Array>) -> Option<Packet> {
    let (front, heads, addresses) = split_trailer(&bytes)?;
    let (front, ways) = split_back(front, attachments.checked_mul(WORD)?)?;
    let (front, addresses) = split_back(front, addresses.checked_mul(WORD)?)?;
    let (front, heads) = split_back(front, heads)?;
    let heads = heads.to_vec();
    let addresses = addresses.chunks_exact(WORD).map(word).map(Address::from_lane).collect();
    let mut attachments = Vec::new();
    for (way, nth) in ways.chunks_exact(WORD).map(word).zip(1..) {
        let value = message?.get(nth);
        if way == way::END {
            attachments.push(Attachment::arriving(value.as_f64()? as u64));
            continue;
        }
        let value = if way == way::REBUILT { attachment::rebuild(value) } else { value };
        // It is moved again if the packet is sent on.
        attachments.push(Attachment::new(value, way == way::MOVED));
    }
    let length = front.len();
    bytes.truncate(length);
    Some(Packet { heads, bytes, addresses, attachments, ..Packet::default() })
}

/// What is before the trailer, and how long the lanes of heads and addresses are.
fn split_trailer(bytes: &[u8]) -> Option<(&[u8], usize, usize)> {
    let (front, trailer) = bytes.split_last_chunk::<{ TRAILER * WORD }>()?;
    let mut trailer = trailer.chunks_exact(WORD).map(word);
    let (heads, addresses, magic) = (trailer.next()?, trailer.next()?, trailer.next()?);
    (magic == PACKET_MAGIC).then_some((front, heads, addresses))
}

/// The last bytes apart from those before them.
fn split_back(bytes: &[u8], last: usize) -> Option<(&[u8], &[u8])> {
    Some(bytes.split_at(bytes.len().checked_sub(last)?))
}

/// A word as its bytes, the lowest first. Not inlined: packets are packed with many.
#[inline(never)]
fn put_word(bytes: &mut Vec<u8>, word: usize) {
    bytes.extend_from_slice(&word.to_le_bytes());
}

/// A word from its bytes, the lowest first.
fn word(bytes: &[u8]) -> usize {
    bytes.first_chunk().map_or(0, |word| usize::from_le_bytes(*word))
}

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = ["Uint8Array", "prototype", "set"], js_name = call)]
    fn copy_out(to: &mut [u8], from: &Uint8Array);

    /// Throws if there is no memory for it.
    #[wasm_bindgen(catch, js_namespace = ["Uint8Array", "prototype", "slice"], js_name = call)]
    fn copy_of(bytes: &[u8]) -> Result<Uint8Array, JsValue>;
}
