//! What crosses between two memories.

use super::address::Address;
use super::backend::Attachment;
use crate::error::Error;

/// What crosses between two memories, in four lanes that are never mixed.
#[derive(Debug, Default)]
pub(crate) struct Packet {
    /// The heads of messages. Only this crate writes them.
    pub(crate) heads: Vec<u8>,
    /// Encoded values: any `Serialize` may have written them, so nothing in them is trusted.
    pub(crate) bytes: Vec<u8>,
    /// Addresses of statics and functions, and nothing else. Only this crate writes them.
    pub(crate) addresses: Vec<Address>,
    /// Values that travel beside the bytes.
    pub(crate) attachments: Vec<Attachment>,
}

impl Packet {
    /// A packet with the same content, for what is sent again.
    pub(crate) fn try_clone(&self) -> Result<Self, Error> {
        Ok(Self {
            heads: self.heads.clone(),
            bytes: self.bytes.clone(),
            addresses: self.addresses.clone(),
            attachments: self.attachments.iter().map(Attachment::try_clone).collect::<Result<_, _>>()?,
        })
    }

    /// Appends another packet, lane by lane.
    pub(crate) fn append(&mut self, more: Packet) {
        join(&mut self.heads, more.heads);
        join(&mut self.bytes, more.bytes);
        join(&mut self.addresses, more.addresses);
        join(&mut self.attachments, more.attachments);
    }
}

fn join<T>(lane: &mut Vec<T>, mut more: Vec<T>) {
    if lane.is_empty() {
        *lane = more;
    } else {
        lane.append(&mut more);
    }
}
