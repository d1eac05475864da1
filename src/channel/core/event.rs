//! What is said of a channel, and what is done about it.

use crate::platform::Place;

/// How much a channel holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::channel) enum Mode {
    Bounded {
        capacity: u32,
    },
    Unbounded,
    /// The newest item only.
    Latest,
}

impl Mode {
    /// How many items may be on their way between two memories.
    pub(super) fn window(self) -> u64 {
        match self {
            Self::Bounded { capacity } => u64::from(capacity.max(1)),
            Self::Unbounded => u64::MAX,
            Self::Latest => 1,
        }
    }
}

/// One of the two kinds of ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::channel) enum Kind {
    Sender,
    Receiver,
}

/// What crosses between two memories.
#[derive(Debug)]
pub(in crate::channel) enum Event<I> {
    /// The memory below has a channel whose home moves up: so many senders are there, and the receiver perhaps.
    Open {
        mode: Mode,
        senders: u32,
        receiver: bool,
    },
    /// An end is in the message that follows. Downwards, the memory may not know the channel yet.
    Arrive {
        mode: Mode,
        kind: Kind,
    },
    Item {
        item: I,
    },
    /// So many of the items that were sent are taken.
    Credit {
        taken: u64,
    },
    /// There are so many senders more, or fewer.
    Cloned {
        count: u32,
    },
    Dropped {
        count: u32,
    },
    /// So many senders were lost with their worker.
    Lost {
        count: u32,
    },
    /// There is no receiver any more.
    Closed,
    /// There are no senders any more.
    Ended,
    /// The receiver leaves for the memory above. So many items came to it, and so many of them are still to come back.
    Leaving {
        received: u64,
        pending: u64,
    },
    /// An item that the receiver had not taken when it left.
    Unread {
        item: I,
    },
    /// An item that came when the receiver had left.
    Bounced {
        item: I,
    },
    /// So many items that had gone further down when the receiver left were lost there.
    Missing {
        count: u64,
    },
}

/// What is to be done.
#[derive(Debug)]
pub(in crate::channel) enum Action<I> {
    Post(Place, Event<I>),
    /// The receiver here may find something.
    WakeReceiver,
    /// Senders here may send.
    WakeSenders,
    /// To be dropped where no lock is held.
    Drop(I),
}

/// What an item is, as far as the channel goes.
pub(in crate::channel) trait Item {
    /// In the place of what a lost worker may have sent.
    fn lost() -> Self;
    /// True if it must not be replaced by a newer one.
    fn is_error(&self) -> bool;
}

/// What the receiver finds.
#[derive(Debug)]
pub(in crate::channel) enum Received<I> {
    Item(I),
    Nothing,
    Ended,
}
