//! What of a [`ParMap`](super::ParMap) is in flight, and how much is sent at a time.
//!
//! Items travel in chunks. The first ones hold a single item and show what one costs; then chunks grow until they cost about
//! [`CHUNK_TIME`], and shrink when they cost more. A chunk that takes much longer, because its items are not alike, comes back
//! unfinished: what it has not begun is sent again, in smaller chunks.

use std::collections::VecDeque;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::FutureExt;

use crate::platform::{Attachment, Packet};
use crate::task::{Job, Outcome, RemoteHandle, Results};

/// What a chunk should cost: many times what it takes to send one, and little beside what a user notices.
const CHUNK_TIME: Duration = Duration::from_millis(2);
/// No chunk has more items.
const MOST_ITEMS: usize = 4096;
/// So many chunks per worker are in flight, or have ended and wait for those before them.
const IN_FLIGHT: usize = 4;
/// At least so many chunks per worker are made of what is left, so that all workers end at the same time.
const CHUNKS_LEFT: usize = 4;

/// Where items come from and tasks go to.
pub(super) trait ChunkSource {
    /// The next item, encoded.
    fn next(&mut self) -> Option<Outcome>;

    /// How many items are left at most, if it is known.
    fn left(&self) -> Option<usize>;

    /// True if several items may be one task.
    fn share_tasks(&self) -> bool;

    /// The task for these items. If it cannot be made, the handle holds the error.
    fn job(&self, items: Vec<Packet>) -> (Option<Job>, RemoteHandle<Results>);

    /// Gives the task to the executor, unless its queue is full.
    fn try_submit(&self, job: Job) -> Result<(), Job>;

    /// Gives the task to the executor.
    fn submit(&self, job: Job);
}

pub(super) struct Flow {
    workers: usize,
    /// In the order of the items.
    chunks: VecDeque<Chunk>,
    /// The tasks of chunks for which there was no room in the executor's queue.
    waiting: VecDeque<Job>,
    /// How many items a chunk may have, as far as their cost is known.
    size: usize,
    /// Results bear JavaScript values that are cloned: each goes alone, so that one that has no clone harms no other. What is
    /// moved is mostly numbers, which can always be posted.
    singly: bool,
    /// There are no more items.
    over: bool,
}

enum Chunk {
    /// -> `Ended`, when it is polled.
    Sent {
        handle: RemoteHandle<Results>,
        items: usize,
    },
    Ended(Vec<Outcome>),
}

impl Chunk {
    fn items(&self) -> usize {
        match self {
            Self::Sent { items, .. } => *items,
            Self::Ended(outcomes) => outcomes.len(),
        }
    }
}

impl Flow {
    pub(super) fn new(workers: usize) -> Self {
        Self {
            workers: workers.max(1),
            chunks: VecDeque::new(),
            waiting: VecDeque::new(),
            size: 1,
            singly: false,
            over: false,
        }
    }

    /// How many items are on their way.
    pub(super) fn items(&self) -> usize {
        self.chunks.iter().map(Chunk::items).sum()
    }

    /// True if there are no others.
    pub(super) fn is_drained(&self) -> bool {
        self.over
    }

    /// The outcomes of the next chunk.
    pub(super) fn poll_next(
        &mut self,
        context: &mut Context<'_>,
        source: &mut dyn ChunkSource,
    ) -> Poll<Option<Vec<Outcome>>> {
        loop {
            self.send(source);
            // Those behind the first are only progressed while that is waited for.
            let mut progressed = self.poll_chunk(0, context, source);
            match self.chunks.pop_front() {
                None => return Poll::Ready(None),
                Some(Chunk::Ended(outcomes)) => {
                    self.send(source);
                    return Poll::Ready(Some(outcomes));
                }
                Some(sent) => self.chunks.push_front(sent),
            }
            let mut place = 1;
            while place < self.chunks.len() {
                progressed |= self.poll_chunk(place, context, source);
                place += 1;
            }
            // What has ended has made room, and may have left something to be sent again.
            if !progressed {
                return Poll::Pending;
            }
        }
    }

    /// Polls a chunk. True if it has ended now.
    fn poll_chunk(&mut self, place: usize, context: &mut Context<'_>, source: &dyn ChunkSource) -> bool {
        let Some(Chunk::Sent { handle, items }) = self.chunks.get_mut(place) else { return false };
        let Poll::Ready(results) = handle.poll_unpin(context) else { return false };
        let items = *items;
        let Results { outcomes, rest, ran } = results.unwrap_or_else(|error| Results {
            outcomes: (0..items).map(|_| Err(error.clone())).collect(),
            ..Results::default()
        });
        self.learn(&outcomes, ran);
        self.chunks[place] = Chunk::Ended(outcomes);
        self.send_again(place + 1, rest, source);
        true
    }

    /// Sends what was not begun, before all that comes after it.
    fn send_again(&mut self, place: usize, rest: Vec<Packet>, source: &dyn ChunkSource) {
        let size = self.size(Some(rest.len()), source);
        let mut rest = rest.into_iter();
        let mut chunks = Vec::new();
        while rest.len() > 0 {
            chunks.push(rest.by_ref().take(size).collect::<Vec<_>>());
        }
        for items in chunks.into_iter().rev() {
            let (chunk, job) = make(items, source);
            self.chunks.insert(place, chunk);
            if let Some(job) = job {
                self.waiting.push_front(job);
            }
        }
    }

    /// Sends as much as is to be in flight.
    fn send(&mut self, source: &mut dyn ChunkSource) {
        self.submit(source);
        while !self.over && self.waiting.is_empty() && self.chunks.len() < IN_FLIGHT * self.workers {
            self.fill(source);
            self.submit(source);
        }
    }

    /// Makes the next chunk. An item that bears attachments goes alone; one that could not be encoded has ended.
    fn fill(&mut self, source: &mut dyn ChunkSource) {
        let size = self.size(source.left(), source);
        let mut items = Vec::new();
        let mut odd = None;
        while items.len() < size && odd.is_none() {
            match source.next() {
                Some(Ok(item)) if item.attachments.is_empty() => items.push(item),
                Some(item) => odd = Some(item),
                None => {
                    self.over = true;
                    break;
                }
            }
        }
        if !items.is_empty() {
            self.push(items, source);
        }
        match odd {
            Some(Ok(item)) => self.push(vec![item], source),
            Some(Err(error)) => self.chunks.push_back(Chunk::Ended(vec![Err(error)])),
            None => {}
        }
    }

    fn push(&mut self, items: Vec<Packet>, source: &dyn ChunkSource) {
        let (chunk, job) = make(items, source);
        self.chunks.push_back(chunk);
        self.waiting.extend(job);
    }

    /// Gives the executor what it takes. If it takes nothing and has nothing of ours, its queue must take one more.
    fn submit(&mut self, source: &dyn ChunkSource) {
        while let Some(job) = self.waiting.pop_front() {
            let Err(job) = source.try_submit(job) else { continue };
            let sent = self.chunks.iter().filter(|chunk| matches!(chunk, Chunk::Sent { .. })).count();
            if sent > self.waiting.len() + 1 {
                self.waiting.push_front(job);
                return;
            }
            source.submit(job);
        }
    }

    /// How many items the next chunk has at most, if so many are left.
    fn size(&self, left: Option<usize>, source: &dyn ChunkSource) -> usize {
        if self.singly || !source.share_tasks() {
            return 1;
        }
        let fair = left.map_or(MOST_ITEMS, |left| left / (CHUNKS_LEFT * self.workers));
        self.size.min(fair).max(1)
    }

    fn learn(&mut self, outcomes: &[Outcome], ran: Option<Duration>) {
        self.singly |=
            outcomes.iter().flatten().any(|result| !result.attachments.iter().all(Attachment::moves));
        let Some(ran) = ran else { return };
        let done = outcomes.len();
        if 2 * ran <= CHUNK_TIME {
            self.size = self.size.max(2 * done).min(MOST_ITEMS);
        } else if ran > 2 * CHUNK_TIME {
            let enough = done as f64 * CHUNK_TIME.as_secs_f64() / ran.as_secs_f64();
            self.size = self.size.min(enough as usize).max(1);
        }
    }
}

/// A chunk for these items, and its task. Without one, the chunk ends when it is polled.
fn make(items: Vec<Packet>, source: &dyn ChunkSource) -> (Chunk, Option<Job>) {
    let count = items.len();
    let (job, handle) = source.job(items);
    (Chunk::Sent { handle, items: count }, job)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn learn(flow: &mut Flow, items: usize, millis: u64) -> usize {
        let outcomes = (0..items).map(|_| Ok(Packet::default())).collect::<Vec<_>>();
        flow.learn(&outcomes, Some(Duration::from_millis(millis)));
        flow.size
    }

    #[test]
    fn chunks_grow_until_they_cost_enough_and_shrink_when_they_cost_more() {
        let mut flow = Flow::new(1);
        assert_eq!(learn(&mut flow, 1, 0), 2);
        // Another that was sent at the same time.
        assert_eq!(learn(&mut flow, 1, 0), 2);
        assert_eq!(learn(&mut flow, 2, 1), 4);
        assert_eq!(learn(&mut flow, 4, 2), 4);
        assert_eq!(learn(&mut flow, 4, 4), 4);
        assert_eq!(learn(&mut flow, 4, 8), 1);
        assert_eq!(learn(&mut flow, 1, 1_000), 1);
        for _ in 0..20 {
            let size = flow.size;
            learn(&mut flow, size, 0);
        }
        assert_eq!(flow.size, MOST_ITEMS);
        assert_eq!(learn(&mut flow, 1_000, 20), 100);
    }
}
