//! What crosses between two memories, and what it refers to.

use std::collections::BTreeSet;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::{Arc, OnceLock};
use std::{fmt, iter, mem};

use super::address::Address;
use super::backend::Attachment;
use super::endpoint::Endpoint;
use super::room;
use crate::error::Error;

/// From this length on, values are not gathered with others, so that they alone fail if there is no memory for them.
const LARGE: usize = 1024 * 1024;

/// Appends to two packets for the memory above or below what makes an end known there.
type Announce = fn(&dyn Endpoint, bool, &mut Packet, &mut Packet);

/// How that is done, if there are ends.
static ANNOUNCE: OnceLock<Announce> = OnceLock::new();

/// Says how ends are made known, from now on.
pub(crate) fn announce_by(announce: Announce) {
    ANNOUNCE.get_or_init(|| announce);
}

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

    /// Appends to another packet, that for the memory above or below, what makes known there which ends are among the attachments;
    /// and to one that is posted before what holds even if that is not.
    pub(crate) fn announce(&self, above: bool, ahead: &mut Packet, packet: &mut Packet) {
        let Some(announce) = ANNOUNCE.get() else { return };
        self.attachments
            .iter()
            .filter_map(Attachment::end)
            .for_each(|end| announce(end, above, ahead, packet));
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

/// A value that stays on workers, as a packet refers to it.
#[derive(Clone)]
pub(crate) enum Resident {
    /// Its value is here.
    Master(Arc<dyn Master>),
    /// Who reads this has got the value before.
    Named(u64),
}

/// The way to a worker.
pub(crate) trait Post: Send + Sync {
    /// Posts a packet, if the worker is there.
    fn try_post(&self, packet: Packet);
}

/// The owned value. By this trait, only programs that have such values have their code.
pub(crate) trait Master: Send + Sync + UnwindSafe + RefUnwindSafe {
    fn name(&self) -> u64;

    /// How many bytes it takes, encoded.
    fn size(&self) -> u64;

    /// A copy of the encoded value. That of an attachment may fail.
    fn value(&self) -> Result<Packet, Error>;

    /// What is to be posted at a port so that its worker has the value, unless that was asked before: now it counts as having it.
    /// When the master is dropped, it is told to forget it.
    fn packet_for(&self, port: &Arc<dyn Post>) -> Option<Packet>;

    /// What is to be posted in the place of that, if it could not be: tasks that refer to the value end in this error.
    fn error_packet(&self, error: Error) -> Packet;

    /// The same call with all values that it refers to, for who has none of them.
    fn carry(&self, call: Packet) -> Packet;
}

/// Their names.
impl fmt::Debug for Residents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter().map(Resident::name).collect::<BTreeSet<_>>()).finish()
    }
}

impl Resident {
    pub(crate) fn name(&self) -> u64 {
        match self {
            Self::Master(master) => master.name(),
            Self::Named(name) => *name,
        }
    }

    pub(crate) fn master(&self) -> Option<&Arc<dyn Master>> {
        match self {
            Self::Master(master) => Some(master),
            Self::Named(_) => None,
        }
    }
}

/// What a packet refers to: mostly nothing, and then no more than a word, since packets are moved a lot.
#[derive(Clone, Default)]
pub(crate) struct Residents(Option<Arc<ResidentNode>>);

struct ResidentNode {
    resident: Resident,
    next: Residents,
}

impl Residents {
    pub(crate) const NONE: Self = Self(None);

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    pub(crate) fn clear(&mut self) {
        self.0 = None;
    }

    pub(crate) fn push(&mut self, resident: Resident) {
        let next = mem::take(self);
        self.0 = Some(Arc::new(ResidentNode { resident, next }));
    }

    pub(crate) fn append(&mut self, more: Self) {
        if self.is_empty() {
            *self = more;
        } else {
            more.iter().for_each(|resident| self.push(resident.clone()));
        }
    }

    /// All of them, in no order that means something.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Resident> {
        let nodes = iter::successors(self.0.as_ref(), |node| node.next.0.as_ref());
        nodes.map(|node| &node.resident)
    }

    /// Those whose values are here.
    pub(crate) fn masters(&self) -> impl Iterator<Item = &Arc<dyn Master>> {
        self.iter().filter_map(Resident::master)
    }
}
