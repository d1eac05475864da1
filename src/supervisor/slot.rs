//! One worker of a pool, as its page holds it: its port, and what is to be posted to it.

use std::mem;

use crate::error::Error;
use crate::platform::{HAS_TICKS, Packet, Port};
use crate::schedule::{TaskId, TaskOptions, Urgency};
use crate::wire::ToWorker;

/// So many messages are posted without waiting for more: the worker may begin with them.
const FLUSH_AT: usize = 64;

pub(super) struct WorkerSlot {
    pub(super) port: Port,
    /// Its place among the workers of its pool; its successor takes it over.
    pub(super) index: usize,
    /// Until the worker has greeted: what is to be sent then. -> `None`, for ever.
    queue: Option<Vec<Deferred>>,
    /// What is to be posted, and how many messages it holds.
    gathered: Packet,
    count: usize,
    /// Something among it should not wait for more.
    urgent: bool,
    /// Something may be gathered.
    marked: bool,
    /// How many packets were posted.
    pub(super) posted: u64,
}

/// What is sent to a starting worker when it is up.
pub(super) enum Deferred {
    Task(TaskId),
    Message(ToWorker),
}

impl WorkerSlot {
    pub(super) fn new(port: Port, index: usize) -> Self {
        Self {
            port,
            index,
            queue: Some(Vec::new()),
            gathered: Packet::default(),
            count: 0,
            urgent: false,
            marked: false,
            posted: 1, // what it was started with
        }
    }

    pub(super) fn is_starting(&self) -> bool {
        self.queue.is_some()
    }

    /// The worker has greeted: what is to be sent to it.
    pub(super) fn take_deferred(&mut self) -> Vec<Deferred> {
        self.queue.take().unwrap_or_default()
    }

    /// Keeps a task until the worker is up. False if it is.
    pub(super) fn keep(&mut self, task: TaskId) -> bool {
        match &mut self.queue {
            Some(queue) => {
                queue.push(Deferred::Task(task));
                true
            }
            None => false,
        }
    }

    /// Takes back a task that was kept. False if it was posted.
    pub(super) fn take_back(&mut self, task: TaskId) -> bool {
        let Some(queue) = &mut self.queue else { return false };
        let before = queue.len();
        queue.retain(|queued| !matches!(queued, Deferred::Task(kept) if *kept == task));
        queue.len() < before
    }

    /// Tells the worker, now or with what else is gathered.
    ///
    /// # Errors
    ///
    /// If the message bears attachments that cannot be posted. Then the worker knows nothing of it.
    pub(super) fn send(&mut self, message: ToWorker) -> Result<(), Error> {
        if let Some(queue) = &mut self.queue {
            queue.push(Deferred::Message(message));
            return Ok(());
        }
        if !message.bears_attachments() {
            message.write(&mut self.gathered);
            self.count += 1;
            self.urgent |= !HAS_TICKS;
            return Ok(());
        }
        // It goes alone, so that a value that cannot be posted harms no other.
        self.post_gathered();
        let mut packet = Packet::default();
        message.write(&mut packet);
        self.posted += 1;
        self.port.post(packet)
    }

    /// Posts a task whose call stays here, because it bears no attachments.
    pub(super) fn send_run(&mut self, task: TaskId, options: TaskOptions, call: &Packet) {
        ToWorker::write_run(task, options, call, &mut self.gathered);
        self.count += 1;
    }

    /// A task is posted. Where there are no ticks, only what takes less than its message waits for more.
    pub(super) fn was_given(&mut self, urgency: Urgency) {
        self.urgent |= urgency == Urgency::Now || (urgency == Urgency::Soon && !HAS_TICKS);
    }

    /// True if what is gathered should be posted at once.
    pub(super) fn is_urgent(&self) -> bool {
        self.urgent || self.count >= FLUSH_AT
    }

    /// Marks that something is gathered. False if it was.
    pub(super) fn mark(&mut self) -> bool {
        !mem::replace(&mut self.marked, true)
    }

    /// Posts what is gathered.
    pub(super) fn flush(&mut self) {
        self.urgent = false;
        self.marked = false;
        self.post_gathered();
    }

    fn post_gathered(&mut self) {
        if mem::take(&mut self.count) > 0 {
            self.posted += 1;
            // It bears no attachments, so only a worker that is gone can refuse it, and its loss is reported.
            self.port.post(mem::take(&mut self.gathered)).unwrap_or(());
        }
    }
}
