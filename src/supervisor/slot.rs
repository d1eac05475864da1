//! One worker of a pool, as its page holds it: its port, and what is to be posted to it.

use std::collections::VecDeque;
use std::mem;
use std::sync::{Arc, Weak};

use crate::error::Error;
use crate::platform::{HAS_TICKS, Master, Packet, Port, Post, Residents};
use crate::schedule::{TaskId, TaskOptions, Urgency, WorkerId};
use crate::wire::ToWorker;

/// So many messages are posted without waiting for more: the worker may begin with them.
const FLUSH_AT: usize = 64;

pub(super) struct WorkerSlot {
    pub(super) port: Arc<Port>,
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
    /// The resident values that it has, or was sent, and how many bytes each has; and some that it has forgotten.
    residents: Vec<(Weak<dyn Master>, u64)>,
    /// How many packets were posted.
    pub(super) posted: u64,
    /// How many objects of actors live on it.
    pub(super) objects: u32,
}

/// What is sent to a starting worker when it is up.
pub(super) enum Deferred {
    Task(TaskId),
    Message(ToWorker),
}

/// A packet to be posted when the lock is free: a browser that clones what it bears may run code of the program.
pub(super) struct QueuedPacket {
    port: Arc<Port>,
    packet: Packet,
    bears: Option<Carried>,
    /// The value that it brings instead, to which tasks of later packets refer.
    resident: Option<Weak<dyn Master>>,
}

/// The only task that a packet speaks of, if perhaps it cannot be posted.
#[derive(Clone, Copy)]
pub(super) enum Carried {
    /// It is to run on this worker.
    Task(WorkerId, TaskId),
    /// Its result is for this worker, which made it.
    Outcome(WorkerId, TaskId),
}

/// What came of posting.
pub(super) type Posted = Result<(), (Carried, Error)>;

impl QueuedPacket {
    pub(super) fn is_for(&self, slot: &WorkerSlot) -> bool {
        Arc::ptr_eq(&self.port, &slot.port)
    }

    /// Where no task is in transit, only a worker that is gone can refuse the packet, and its loss is reported.
    pub(super) fn post(self) -> Posted {
        let Self { port, packet, bears, resident } = self;
        let Err(error) = port.post(packet) else { return Ok(()) };
        if let Some(value) = resident.and_then(|value| value.upgrade()) {
            port.try_post(value.error_packet(error.clone()));
        }
        bears.map_or(Ok(()), |bears| Err((bears, error)))
    }
}

impl WorkerSlot {
    pub(super) fn new(port: Port, index: usize) -> Self {
        Self {
            port: Arc::new(port),
            index,
            queue: Some(Vec::new()),
            gathered: Packet::default(),
            count: 0,
            urgent: false,
            marked: false,
            residents: Vec::new(),
            posted: 1, // what it was started with
            objects: 0,
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

    /// Tells the worker, with what else is gathered, or alone what may be impossible to post.
    pub(super) fn send(
        &mut self,
        message: ToWorker,
        bears: Option<Carried>,
        out: &mut VecDeque<QueuedPacket>,
    ) {
        if let Some(queue) = &mut self.queue {
            queue.push(Deferred::Message(message));
        } else if !message.travels_alone() {
            message.write(&mut self.gathered);
            self.count += 1;
            self.urgent |= !HAS_TICKS;
        } else {
            // So it harms no other.
            self.flush(out);
            let mut packet = Packet::default();
            message.write(&mut packet);
            // The task owns them until it is settled.
            packet.residents.clear();
            self.post(packet, bears, out);
        }
    }

    /// Sends those of the values that the worker lacks, ahead of a task that refers to them.
    pub(super) fn send_residents(&mut self, residents: &Residents, out: &mut VecDeque<QueuedPacket>) {
        for master in residents.masters() {
            let port: Arc<dyn Post> = self.port.clone();
            let Some(packet) = master.packet_for(&port) else { continue };
            self.flush(out);
            self.posted += 1;
            let resident = Some(Arc::downgrade(master));
            out.push_back(QueuedPacket { port: self.port.clone(), packet, bears: None, resident });
            self.residents.retain(|(master, _)| master.strong_count() > 0);
            self.residents.push((Arc::downgrade(master), master.size()));
        }
    }

    /// How many bytes the resident values have that the worker keeps.
    pub(super) fn resident_bytes(&self) -> u64 {
        let held = self.residents.iter().filter(|(master, _)| master.strong_count() > 0);
        held.map(|(_, size)| size).sum()
    }

    /// Posts a task whose call stays here, because it need not travel alone.
    pub(super) fn send_run(&mut self, task: TaskId, options: TaskOptions, call: &Packet) {
        ToWorker::write_run(task, options, call, &mut self.gathered);
        // The task owns them until it is settled.
        self.gathered.residents.clear();
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

    /// Marks that something may be gathered, or that it was looked at. False if that is known.
    pub(super) fn mark(&mut self, marked: bool) -> bool {
        mem::replace(&mut self.marked, marked) != marked
    }

    /// Has posted what is gathered.
    pub(super) fn flush(&mut self, out: &mut VecDeque<QueuedPacket>) {
        self.urgent = false;
        if mem::take(&mut self.count) > 0 {
            let packet = mem::take(&mut self.gathered);
            self.post(packet, None, out);
        }
    }

    fn post(&mut self, packet: Packet, bears: Option<Carried>, out: &mut VecDeque<QueuedPacket>) {
        self.posted += 1;
        out.push_back(QueuedPacket { port: self.port.clone(), packet, bears, resident: None });
    }
}
