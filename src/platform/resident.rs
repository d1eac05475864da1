//! Values that stay on workers: each crosses to a worker once, and then by its name.

use std::fmt;
use std::iter;
use std::mem;
use std::sync::Arc;

use super::backend::Port;
use super::packet::Packet;
use crate::error::Error;

/// A value that stays on workers, as a packet refers to it.
#[derive(Clone, Debug)]
pub(crate) enum Resident {
    /// Its value is here.
    Master(Arc<dyn Master>),
    /// Who reads this has got the value before.
    Named(u64),
}

/// The owned value. By this trait, only programs that have such values have their code.
pub(crate) trait Master: Send + Sync {
    fn name(&self) -> u64;

    /// How many bytes it takes, encoded.
    fn size(&self) -> u64;

    /// A copy of the encoded value. That of an attachment may fail.
    fn value(&self) -> Result<Packet, Error>;

    /// The call by which the worker at a port gets the value, unless that was asked before: now it counts as having it. When the
    /// master is dropped, it is told to forget it.
    fn keep_call(&self, port: &Arc<Port>) -> Option<Packet>;

    /// The call in the place of that one, if it could not be posted: tasks that refer to the value end in this error.
    fn error_call(&self, error: Error) -> Packet;

    /// The same call with all values that it refers to, for who has none of them.
    fn carry(&self, call: Packet) -> Packet;
}

impl fmt::Debug for dyn Master {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Master").field(&self.name()).finish()
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
#[derive(Clone, Debug, Default)]
pub(crate) struct Residents(Option<Arc<ResidentNode>>);

#[derive(Debug)]
struct ResidentNode {
    resident: Resident,
    next: Residents,
}

impl Residents {
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
