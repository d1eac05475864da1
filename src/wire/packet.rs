//! Heads and bodies in a packet.

use std::mem;
use std::vec;

use super::head::{Head, head};
use crate::error::Error;
use crate::platform::{Address, Attachment, Packet};

/// How long each lane of a body is. In a head it stands for the body.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Extent {
    heads: usize,
    bytes: usize,
    addresses: usize,
    attachments: usize,
}

impl Extent {
    pub(crate) fn of(body: &Packet) -> Self {
        let Packet { heads, bytes, addresses, attachments } = body;
        Self {
            heads: heads.len(),
            bytes: bytes.len(),
            addresses: addresses.len(),
            attachments: attachments.len(),
        }
    }
}

head!(struct Extent { heads, bytes, addresses, attachments });

/// Appends a head. Its body, if it has one, MUST be appended next.
pub(crate) fn put_head(packet: &mut Packet, head: &impl Head) {
    head.put(&mut packet.heads);
}

/// Appends a copy of a body without attachments.
pub(crate) fn put_body(packet: &mut Packet, body: &Packet) {
    debug_assert!(body.attachments.is_empty(), "an attachment is moved, not copied");
    packet.heads.extend_from_slice(&body.heads);
    packet.bytes.extend_from_slice(&body.bytes);
    packet.addresses.extend_from_slice(&body.addresses);
}

/// Takes a packet apart from its front.
pub(crate) struct PacketReader {
    heads: Vec<u8>,
    bytes: Vec<u8>,
    heads_read: usize,
    bytes_read: usize,
    addresses: vec::IntoIter<Address>,
    attachments: vec::IntoIter<Attachment>,
}

impl PacketReader {
    pub(crate) fn new(packet: Packet) -> Self {
        let Packet { heads, bytes, addresses, attachments } = packet;
        Self {
            heads,
            bytes,
            heads_read: 0,
            bytes_read: 0,
            addresses: addresses.into_iter(),
            attachments: attachments.into_iter(),
        }
    }

    /// The next head.
    pub(crate) fn head<H: Head>(&mut self) -> Option<H> {
        let mut unread = &self.heads[self.heads_read..];
        let head = H::take(&mut unread)?;
        self.heads_read = self.heads.len() - unread.len();
        Some(head)
    }

    /// The body whose head was read.
    pub(crate) fn body(&mut self, extent: Extent) -> Option<Packet> {
        let Extent { heads, bytes, addresses, attachments } = extent;
        if addresses > self.addresses.len() || attachments > self.attachments.len() {
            return None;
        }
        Some(Packet {
            heads: take(&mut self.heads, &mut self.heads_read, heads)?,
            bytes: take(&mut self.bytes, &mut self.bytes_read, bytes)?,
            addresses: self.addresses.by_ref().take(addresses).collect(),
            attachments: self.attachments.by_ref().take(attachments).collect(),
        })
    }
}

/// The next bytes of a lane: the lane itself, if that is all of it.
fn take(lane: &mut Vec<u8>, read: &mut usize, length: usize) -> Option<Vec<u8>> {
    let end = read.checked_add(length).filter(|end| *end <= lane.len())?;
    if *read == 0 && end == lane.len() {
        return Some(mem::take(lane));
    }
    let taken = lane[*read..end].to_vec();
    *read = end;
    Some(taken)
}

/// The packet cannot be read as messages.
fn garbled() -> Error {
    Error::codec(
        "a message between page and worker is garbled; reload the page so that both run the same program",
    )
}

/// Appends a message, whose head has an [`Extent`] in place of its body. `split` hands the body over.
pub(super) fn put_message<H: Head>(
    packet: &mut Packet,
    split: impl FnOnce(&mut dyn FnMut(Packet) -> Option<Extent>) -> Option<H>,
) {
    let mut body = None;
    let mut detach = |packet: Packet| {
        let extent = Extent::of(&packet);
        body = Some(packet);
        Some(extent)
    };
    let head = split(&mut detach).expect("every body has an extent");
    put_head(packet, &head);
    if let Some(body) = body {
        packet.append(body);
    }
}

/// The messages of a packet, in order. `join` puts the body that it is handed into the place of its [`Extent`].
pub(super) fn read_messages<H: Head, M>(
    packet: Packet,
    join: impl Fn(H, &mut dyn FnMut(Extent) -> Option<Packet>) -> Option<M>,
) -> Result<Vec<M>, Error> {
    let mut reader = PacketReader::new(packet);
    let mut messages = Vec::new();
    while reader.heads_read < reader.heads.len() {
        let head = reader.head();
        let message = head.and_then(|head| join(head, &mut |extent| reader.body(extent)));
        messages.push(message.ok_or_else(garbled)?);
    }
    Ok(messages)
}
