//! What crosses between two memories.

use super::address::Address;
use super::backend::Attachment;
use super::resident::Residents;
use super::room;
use crate::error::Error;

/// From this length on, values are not gathered with others, so that they alone fail if there is no memory for them.
const LARGE: usize = 1024 * 1024;

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
    /// Values that it refers to and that stay on workers. They do not cross with it: the heads have their names.
    pub(crate) residents: Residents,
    /// How many bytes arrived for which there was no memory: then there is nothing in `bytes`.
    pub(crate) lost: usize,
}

impl Packet {
    /// True if it may be impossible to post it: then it is to harm no other.
    pub(crate) fn travels_alone(&self) -> bool {
        !self.attachments.is_empty() || self.bytes.len() >= LARGE
    }

    /// A packet with the same content, for what is sent again.
    pub(crate) fn try_clone(&self) -> Result<Self, Error> {
        let bytes = room::copy(&self.bytes)?;
        let (heads, addresses, residents) =
            (self.heads.clone(), self.addresses.clone(), self.residents.clone());
        let mut copy = Self { heads, bytes, addresses, attachments: Vec::new(), residents, lost: self.lost };
        for attachment in &self.attachments {
            copy.attachments.push(attachment.try_clone()?);
        }
        Ok(copy)
    }

    /// Leaves nothing in it but the memory of its lanes.
    pub(crate) fn clear(&mut self) {
        self.heads.clear();
        self.bytes.clear();
        self.addresses.clear();
        self.attachments.clear();
        self.residents.clear();
        self.lost = 0;
    }

    /// Appends another packet, lane by lane.
    pub(crate) fn append(&mut self, more: Packet) {
        join(&mut self.heads, more.heads);
        join(&mut self.bytes, more.bytes);
        join(&mut self.addresses, more.addresses);
        join(&mut self.attachments, more.attachments);
        self.residents.append(more.residents);
    }
}

fn join<T>(lane: &mut Vec<T>, mut more: Vec<T>) {
    if lane.is_empty() {
        *lane = more;
    } else {
        lane.append(&mut more);
    }
}
