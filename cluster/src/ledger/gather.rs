//! Which tasks go together, and how many batches are to be there: by what tasks have cost, and by how far away the broker is.

use std::time::Duration;

use super::{Action, BatchState, Ledger, Place, Task, TaskNumber};

/// A batch is to keep a node busy for so long, or for half a round trip: then what crosses for it is a small part.
const BATCH: Duration = Duration::from_millis(2);
/// A client takes so long for a batch, however few tasks it has.
const BATCH_COST: Duration = Duration::from_micros(20);
/// No more batches are published before what has come meanwhile is looked at: it may tell what tasks cost.
const AT_A_TIME: usize = 64;
/// What a message has for a call beside its bytes, at most: two numbers and what sort of a body it is.
const CALL_HEAD: usize = 24;
/// No more tasks are in one.
const MOST: usize = 1024;

impl Ledger {
    /// So many batches are to be there that no node has.
    fn wanted(&mut self) -> usize {
        let workers = self.concurrency().max(2);
        let Some(Task { site, .. }) = self.first() else { return 0 };
        if self.cost(site).is_none() {
            // One for each, until it is known what they cost.
            return workers;
        }
        // Some that nodes can ask for, and those that are on their way there, or whose claims are on their way here.
        let round_trip = self.round_trip.unwrap_or_default();
        let on_the_way = 2.0 * round_trip.as_secs_f64() / self.busy().as_secs_f64();
        (workers as f64 * (2.0 + on_the_way)) as usize
    }

    /// The task that waits first.
    fn first(&mut self) -> Option<Task> {
        while self.queue.front().is_some_and(|number| !self.is_queued(*number)) {
            self.queue.pop_front();
        }
        Some(self.tasks.get(self.queue.front()?)?.task)
    }

    /// Gathers what waits into batches, as many as nodes may want next.
    pub(super) fn publish(&mut self) {
        self.has_more = false;
        let mut published = 0;
        while self.unclaimed < self.wanted() && self.in_flight < self.limits.in_flight {
            if published == AT_A_TIME {
                self.has_more = true;
                return;
            }
            published += 1;
            let Some(tasks) = self.gather() else { return };
            self.publish_batch(tasks);
        }
    }

    fn publish_batch(&mut self, tasks: Vec<TaskNumber>) {
        self.last_batch += 1;
        let batch = self.last_batch;
        let retried = self.tasks.get(&tasks[0]).is_some_and(|task| task.task.retries > 0);
        for number in &tasks {
            if let Some(task) = self.tasks.get_mut(number) {
                task.place = Place::Published(batch);
            }
        }
        self.in_flight += tasks.len();
        self.unclaimed += 1;
        let state = BatchState { tasks: tasks.clone(), left: tasks.len(), node: None, is_new: true, retried };
        self.batches.insert(batch, state);
        self.actions.push(Action::Publish { batch, tasks, retried });
    }

    /// The next tasks that go together.
    fn gather(&mut self) -> Option<Vec<TaskNumber>> {
        let Task { site, retries, .. } = self.first()?;
        let most = self.most_together(site, retries);
        let mut tasks = Vec::new();
        let mut size = 0;
        while tasks.len() < most {
            let Some(&number) = self.queue.front() else { break };
            if self.is_queued(number) {
                let task = self.tasks[&number].task;
                size += task.size + CALL_HEAD;
                let fits = tasks.is_empty() || size <= self.limits.message;
                if task.site != site || task.retries != retries || !fits {
                    break;
                }
                tasks.push(number);
            }
            self.queue.pop_front();
        }
        Some(tasks)
    }

    /// So many tasks may go together: a node is busy with them for some time, and others are left for other nodes.
    fn most_together(&self, site: u64, retries: u32) -> usize {
        // What may run again has a message of its own, which the broker keeps until it is answered.
        if retries > 0 {
            return 1;
        }
        let per_node = self.concurrency().max(1).div_ceil(self.nodes.len().max(1)) as u32;
        let (by_cost, least) = match self.cost(site) {
            None => (1, 1),
            Some(cost) => {
                let cost = cost.as_secs_f64();
                let by_cost = (self.busy() * per_node).as_secs_f64() / cost;
                // Longer ones end later, and shorter ones are sent later. The sum of both is least here.
                let all = (BATCH_COST * per_node).as_secs_f64() * self.queue.len() as f64;
                (by_cost as usize, (all / cost).sqrt() as usize)
            }
        };
        // The last ones are divided finer, so that all nodes end at about the same time.
        let by_share = self.queue.len().div_ceil(2 * self.concurrency().max(1));
        let room = self.limits.in_flight - self.in_flight;
        by_cost.min(by_share).max(least).clamp(1, MOST).min(room)
    }

    /// A batch is to keep a node busy for so long.
    fn busy(&self) -> Duration {
        BATCH.max(self.round_trip.unwrap_or_default() / 2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::Limits;
    use crate::message::{Blob, Body, PeerId};

    #[test]
    fn a_batch_fits_into_a_message_with_the_heads_of_its_calls() {
        const MESSAGE: usize = 1000;
        const SITE: u64 = 7;
        let limits = Limits {
            in_flight: 10_000,
            message: MESSAGE,
            silence: Duration::from_secs(3),
            no_node: Duration::from_secs(30),
        };
        let mut ledger = Ledger::new(PeerId(1), limits, Duration::ZERO);
        ledger.beat(PeerId(2), 1, false, Duration::ZERO);
        ledger.learn(SITE, Duration::from_micros(1));
        // The longest heads.
        let numbers = u64::MAX - 1000..u64::MAX;
        numbers.for_each(|number| ledger.submit(number, Task { site: SITE, size: 1, retries: 0 }));
        for action in ledger.take_actions() {
            let Action::Publish { tasks, .. } = action else { continue };
            let calls: Vec<_> = tasks.iter().map(|number| (*number, Body::Here(Blob(&[0])))).collect();
            let written = postcard::to_stdvec(&calls).unwrap().len();
            assert!(tasks.len() > 10 && written <= MESSAGE, "{written} bytes of {} tasks", tasks.len());
        }
    }
}
