//! The seam: where workers come from and how messages cross.
//!
//! Two rooms, `native` (a `std::thread` and a channel) and `web` (a Web Worker and `postMessage`), give the same
//! names. What a room MUST keep:
//!
//! - [`start`] returns at once. The worker it starts calls `main` exactly once, before it takes the first packet.
//! - Packets arrive in the order in which they were posted, each exactly once, or not at all once the worker is lost.
//! - [`Event::Lost`] is the last event of a worker, and comes exactly once, however the worker ends - except after
//!   [`Port`] was dropped, when no event comes any more.
//! - Dropping a [`Port`] ends the worker: on the web at once, natively as soon as the running task yields.
//! - Events are delivered on the thread that started the worker (web) or on the worker's own (native): whoever takes
//!   them MUST NOT hold a lock that the worker's tasks may want.
//! - The three lanes of a [`Packet`] are never mixed: nothing in `bytes` can become an entry or an attachment.

#[cfg(not(target_family = "wasm"))]
mod native;
#[cfg(not(target_family = "wasm"))]
use native as room;

#[cfg(target_family = "wasm")]
mod web;
#[cfg(target_family = "wasm")]
use web as room;

pub(crate) use room::Attachment;

/// What crosses between two memories, in three lanes.
#[derive(Debug, Default)]
pub(crate) struct Packet {
    /// Encoded values: anything may have written them, so nothing in them is trusted.
    pub(crate) bytes: Vec<u8>,
    /// Addresses of entries and functions, the same in every instance of one module. Only this crate writes them.
    pub(crate) entries: Vec<usize>,
    /// Values that travel beside the bytes.
    pub(crate) attachments: Vec<Attachment>,
}
