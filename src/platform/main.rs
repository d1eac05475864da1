//! What runs on a new worker.

use super::address::Tag;
use super::backend::Outbox;
use super::packet::Packet;

/// What a worker does with the packets it gets.
pub(crate) type Inbox = Box<dyn FnMut(Packet)>;

/// The far side: given to [`start`](super::start) as a static, called on the worker.
pub(crate) struct Main(pub(crate) fn(Outbox) -> Inbox);

impl Tag for Main {
    const TAG: u64 = 0x6d61_696e_6d74_0003;
}
