//! A chunk that runs: many calls of one function as one task.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::batch::{Batch, Cursor, Lanes};
use super::codec;
use super::progress::Rescue;
use super::results::Results;
use crate::error::Error;
use crate::platform::{self, Attachment, Packet};
use crate::schedule::nanos;

/// A chunk that has run for so long begins no further item: others may have nothing to do.
const CHUNK_LIMIT: Duration = Duration::from_millis(8);
/// The clock is read at least once for so many items. To read it takes longer than many an item does.
const MOST_UNTIMED: u64 = 16;

/// The items, and how far they have come. What has run is in here at any time, since a panic takes what lies on the stack.
#[derive(Debug)]
pub(super) struct Chunk {
    items: Batch,
    /// Of the item that it has, if it has one only.
    attachments: RefCell<Vec<Option<Attachment>>>,
    /// Where the next item is. In two parts: the second does not change where items are numbers.
    read: Cell<usize>,
    lanes: Cell<Lanes>,
    results: RefCell<Results>,
    began: Duration,
}

impl Chunk {
    pub(super) fn new(mut items: Batch) -> Self {
        Self {
            attachments: RefCell::new(items.take_attachments()),
            items,
            read: Cell::default(),
            lanes: Cell::default(),
            results: RefCell::default(),
            began: platform::now(),
        }
    }

    /// Calls the function for one item after the other, until all have run or others should have their turn.
    pub(super) fn run<X, R>(&self, function: &impl Fn(X) -> R)
    where
        X: DeserializeOwned + 'static,
        R: Serialize + 'static,
    {
        self.results.borrow_mut().values = Batch::of::<R>();
        let mut attachments = self.attachments.take();
        let mut scratch = Packet::default();
        let mut pace = Pace { began: self.began, items: 0, next: 1 };
        while let Some(item) = self.next(&mut attachments) {
            match item.map(function) {
                Ok(result) => self.add(result, &mut scratch),
                Err(error) => self.fail(error),
            }
            if pace.is_over() {
                break;
            }
        }
    }

    fn cursor(&self) -> Cursor {
        Cursor { read: self.read.get(), lanes: self.lanes.get() }
    }

    #[inline]
    fn next<X: DeserializeOwned + 'static>(
        &self,
        attachments: &mut [Option<Attachment>],
    ) -> Option<Result<X, Error>> {
        let start = self.cursor();
        let end = self.items.next(start)?;
        // Before it is decoded: that may panic.
        self.read.set(end.read);
        if end.lanes != start.lanes {
            self.lanes.set(end.lanes);
        }
        Some(self.items.decode(start, end, attachments))
    }

    #[inline]
    fn add<R: Serialize + 'static>(&self, result: R, scratch: &mut Packet) {
        if self.results.borrow_mut().values.push_plain(&result) {
            return;
        }
        // Both may run any code: nothing is borrowed meanwhile, and a panic is that of the item, which has no result yet.
        let encoded = codec::encode(&result, scratch);
        drop(result);
        let encoded = encoded.and_then(|()| self.check(scratch));
        match encoded {
            Ok(()) => self.results.borrow_mut().values.append(scratch),
            Err(error) => self.fail(error),
        }
        scratch.clear();
    }

    /// A result that cannot be posted is to harm no other.
    fn check(&self, result: &Packet) -> Result<(), Error> {
        let shares = self.items.len() > 1;
        result.attachments.iter().filter(|_| shares).try_for_each(Attachment::check)
    }

    fn fail(&self, error: Error) {
        self.results.borrow_mut().fail(error);
    }

    /// What has become of the items.
    pub(super) fn finish(&self) -> Results {
        let ran = platform::now().saturating_sub(self.began);
        Results { ran: Some(ran), ..self.results() }
    }

    fn results(&self) -> Results {
        let cursor = self.cursor();
        Results { begun: cursor.read, rest: self.items.rest(cursor), ..self.results.take() }
    }
}

impl Rescue for Chunk {
    fn rescue(&self, panic: Error) -> Packet {
        let mut results = self.results();
        results.fail(panic);
        results.write()
    }
}

/// Says when the clock is to be read.
struct Pace {
    began: Duration,
    /// How many have run.
    items: u32,
    /// So many will have when it is read next.
    next: u32,
}

impl Pace {
    /// An item has run. True if it was the last for now.
    #[inline]
    fn is_over(&mut self) -> bool {
        self.items += 1;
        if self.items < self.next {
            return false;
        }
        let (ran, limit) = (nanos(platform::now().saturating_sub(self.began)), nanos(CHUNK_LIMIT));
        // As many more as take a small part of the time.
        let more = u64::from(self.items) * (limit / 64) / ran.max(1);
        self.next = self.items + more.clamp(1, MOST_UNTIMED) as u32;
        ran >= limit
    }
}
