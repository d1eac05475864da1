//! Random packets.

use super::readers::{Reader, addresses};
use crate::platform::{Attachment, Packet};

/// What a case is made of. When it is at its end, it gives zeros.
pub(super) struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    fn byte(&mut self) -> usize {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        usize::from(*first)
    }

    fn bytes(&mut self, most: usize) -> Vec<u8> {
        let (taken, rest) = self.0.split_at(most.min(self.0.len()));
        self.0 = rest;
        taken.to_vec()
    }

    pub(super) fn pick<'t, T>(&mut self, choices: &'t [T]) -> &'t T {
        &choices[self.byte() % choices.len()]
    }

    /// A packet for this reader: any one, or an example with changes.
    pub(super) fn packet(&mut self, reader: &Reader) -> Packet {
        let example = self.byte() % (reader.examples.len() + 1);
        let mut packet = match example.checked_sub(1) {
            Some(example) => copy(&reader.examples[example]),
            None => self.lanes(),
        };
        // What is called is not read.
        let callee = packet.addresses.drain(..reader.callee.min(packet.addresses.len())).collect::<Vec<_>>();
        if example > 0 {
            while !self.0.is_empty() {
                self.change(&mut packet);
            }
        }
        packet.addresses.splice(..0, callee);
        packet
    }

    fn lanes(&mut self) -> Packet {
        let (heads, addresses, attachments) = (self.byte(), self.byte() % 8, self.byte() % 4);
        Packet {
            heads: self.bytes(heads),
            addresses: (0..addresses).map(|_| self.address()).collect(),
            attachments: (0..attachments).map(|_| self.attachment()).collect(),
            bytes: self.bytes(usize::MAX),
            ..Packet::default()
        }
    }

    fn address(&mut self) -> crate::platform::Address {
        addresses(|known| *self.pick(known))
    }

    fn attachment(&mut self) -> Attachment {
        let numbers = self.byte() % 5;
        let attachment = match numbers {
            0 => Attachment::from_slice(&[1_u8; 3]),
            1 => Attachment::from_slice(&[2_u16; 2]),
            2 => Attachment::from_slice(&[3_i64]),
            3 => Attachment::from_slice(&[4.0_f32; 0]),
            _ => Attachment::from_slice(&[5_usize; 4]),
        };
        attachment.expect("there is memory for a few numbers")
    }

    /// Changes a packet in one place.
    fn change(&mut self, packet: &mut Packet) {
        let (change, place, value) = (self.byte(), self.byte(), self.byte());
        // Most of what can be wrong is in the lanes of bytes.
        if change & 0x80 != 0 {
            return self.change_lanes(packet, change, place);
        }
        let lane = if change & 1 == 0 { &mut packet.bytes } else { &mut packet.heads };
        let place = place % (lane.len() + 1);
        match (change >> 1) % 7 {
            0 if place < lane.len() => lane[place] ^= 1 << (value % 8),
            1 if place < lane.len() => lane[place] = value as u8,
            2 => lane.truncate(place),
            3 => lane.extend_from_slice(&self.bytes(value % 16)),
            // A length that is huge: up to ten bytes of seven bits, the last with one.
            4 => drop(lane.splice(place..lane.len().min(place + 1), huge(value))),
            5 => drop(lane.splice(place..place, [value as u8])),
            _ => {
                let part = lane[place..lane.len().min(place + value % 16)].repeat(value / 16 + 1);
                lane.splice(place..place, part);
            }
        }
    }

    fn change_lanes(&mut self, packet: &mut Packet, change: usize, place: usize) {
        let Packet { heads, bytes, addresses, attachments, residents: _, lost: _ } = packet;
        match change % 8 {
            0 => std::mem::swap(heads, bytes),
            1 => addresses.push(self.address()),
            2 => addresses.truncate(place % 4),
            3 if !addresses.is_empty() => addresses.rotate_left(1),
            4 => attachments.push(self.attachment()),
            5 => attachments.truncate(place % 4),
            6 if !attachments.is_empty() => attachments.rotate_left(1),
            _ if !addresses.is_empty() => {
                let place = place % addresses.len();
                addresses[place] = self.address();
            }
            _ => {}
        }
    }
}

/// A number of so many bits that are all set, as lengths are written.
fn huge(bits: usize) -> Vec<u8> {
    let bits = bits % 64 + 1;
    let mut bytes = vec![0xff; bits / 7];
    bytes.push(((1_u16 << (bits % 7)) - 1) as u8);
    bytes
}

pub(super) fn copy(packet: &Packet) -> Packet {
    packet.try_clone().expect("attachments can be cloned natively")
}

/// How much the lanes hold. An attachment is a few numbers at most.
pub(super) fn size(packet: &Packet) -> usize {
    let Packet { heads, bytes, addresses, attachments, residents: _, lost: _ } = packet;
    heads.len() + bytes.len() + 8 * addresses.len() + 32 * attachments.len()
}
