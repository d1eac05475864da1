//! How many batches a node asks for.
//!
//! What it has is to last until more can be here, and not much longer: another node may have nothing. What is asked for comes after the
//! broker has delivered it, its client has granted it, and the broker has confirmed that: three messages and their replies.

use std::time::Duration;

/// So many tasks that await others may be in hand for each worker.
const ASYNC_TASKS: usize = 256;
/// No more messages are asked for at a time.
const MOST: usize = 32;
/// What is in hand lasts so much longer than it takes to fetch more: none is as long as expected.
const SPARE: Duration = Duration::from_millis(3);
/// A client that takes long for its replies has too much to do, and more would not come sooner.
const LONGEST: Duration = Duration::from_millis(500);

/// A node takes so long to read a task and to write its answer, one after the other.
const TASK: u64 = 2_000;

/// What a task adds to what is in hand, in nanoseconds of a worker, if a worker is expected to take so long for all of a batch. Zero: that is
/// not known.
pub(crate) fn each(nanos: u64, tasks: usize, workers: usize) -> u64 {
    if nanos == 0 { 0 } else { (nanos / tasks.max(1) as u64).max(TASK * workers as u64) }
}

/// What a node has.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct InHand {
    /// Batches that were not read yet.
    pub(crate) unread: usize,
    /// Tasks that were begun, or wait for a worker.
    pub(crate) tasks: usize,
    pub(crate) sync_tasks: usize,
    /// Tasks of batches whose clients are asked for them.
    pub(crate) asked_tasks: usize,
    /// How long a worker is expected to take for both, in nanoseconds.
    pub(crate) work: u64,
    /// So many are among them of which that is not known.
    pub(crate) unknown: usize,
}

/// What batches have been like lately.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Supply {
    /// So long it takes from asking for one until it is here.
    fetch: Duration,
    tasks: usize,
    each: u64,
}

impl Supply {
    /// A batch has come, of so many tasks, and [each](each) of them adds so much.
    pub(crate) fn received(&mut self, tasks: usize, each: u64) {
        (self.tasks, self.each) = (tasks, each);
    }

    /// Its client has granted it, and the broker has confirmed that.
    pub(crate) fn began(&mut self, granted: Duration, confirmed: Duration) {
        // The broker took about as long to deliver it, unless it had none.
        let fetch = (granted + 2 * confirmed).min(LONGEST);
        self.fetch = if self.fetch.is_zero() { fetch } else { (self.fetch * 7 + fetch) / 8 };
    }
}

/// How many messages are to be asked for at a time. `queued`: so many tasks wait for a worker.
pub(crate) fn wanted(hand: &InHand, supply: &Supply, workers: usize, queued: usize) -> usize {
    if hand.tasks >= ASYNC_TASKS * workers {
        return 0;
    }
    let free = if queued > 0 { 0 } else { workers.saturating_sub(hand.sync_tasks + hand.asked_tasks) };
    // Not for all of them at once: batches may have become larger, and others would have none.
    let for_free = free.div_ceil(supply.tasks.max(1)).min(workers.div_ceil(4));
    let mut for_later = 0;
    let batch = supply.each * supply.tasks as u64;
    if hand.unknown == 0 && batch > 0 {
        let lasts = (2 * supply.fetch + SPARE).as_nanos() as u64 * workers as u64;
        for_later = lasts.saturating_sub(hand.work).div_ceil(batch) as usize;
    }
    for_free.max(for_later).saturating_sub(hand.unread).min(MOST)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;

    /// A fetch takes 1 ms, so that what is in hand is to last for 5.
    fn supply(tasks: usize, each: u64) -> Supply {
        let mut supply = Supply::default();
        supply.received(tasks, each);
        supply.began(Duration::from_micros(600), Duration::from_micros(200));
        supply
    }

    #[test]
    fn what_is_not_known_is_asked_for_only_by_free_workers() {
        let hand = InHand { tasks: 7, sync_tasks: 7, unknown: 7, ..InHand::default() };
        assert_eq!(wanted(&hand, &supply(1, 0), 8, 0), 1);
        assert_eq!(wanted(&hand, &supply(1, 0), 8, 1), 0);
        assert_eq!(wanted(&hand, &supply(1, 0), 7, 0), 0);
        assert_eq!(wanted(&InHand::default(), &Supply::default(), 8, 0), 2);
    }

    #[test]
    fn what_is_known_is_asked_for_until_it_lasts() {
        let hand = InHand { tasks: 8, sync_tasks: 8, work: 8 * MS, ..InHand::default() };
        // 8 workers are to have 40 ms.
        assert_eq!(wanted(&hand, &supply(8, MS), 8, 0), 4);
        assert_eq!(wanted(&InHand { unread: 3, ..hand }, &supply(8, MS), 8, 0), 1);
        assert_eq!(wanted(&InHand { work: 40 * MS, ..hand }, &supply(8, MS), 8, 0), 0);
        assert_eq!(wanted(&InHand { unknown: 1, ..hand }, &supply(8, MS), 8, 0), 0);
    }

    #[test]
    fn tasks_that_await_others_let_more_in_until_there_are_very_many() {
        let hand = |tasks| InHand { tasks, work: tasks as u64 * 100 * MS, ..InHand::default() };
        assert_eq!(wanted(&hand(100), &supply(1, 100 * MS), 2, 0), 1);
        assert_eq!(wanted(&hand(ASYNC_TASKS * 2), &supply(1, 100 * MS), 2, 0), 0);
    }

    #[test]
    fn tasks_of_no_length_cost_their_node_something() {
        assert_eq!(each(100 * 1000, 100, 8), 16_000);
        assert_eq!(each(100 * MS, 100, 8), MS);
        assert_eq!(each(0, 100, 8), 0);
    }
}
