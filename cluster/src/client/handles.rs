//! What the handles of a client want, and what they get: how each task ends.

use bytes::Bytes;
use futures::FutureExt;
use wasm_mt::Error;
use wasm_mt::transport::Reply;

use super::{Done, Driver};
use crate::cluster::{LARGE, Submitted, aside};
use crate::ledger::{Again, Attempt, TaskNumber, TaskSignal};
use crate::message::NodeId;
use crate::objects::get;

/// A task that has not ended.
pub(super) struct Pending {
    /// `None` once nobody may need it again.
    pub(super) call: Option<Bytes>,
    pub(super) reply: Reply,
    pub(super) site: u64,
    pub(super) retries: u32,
    /// The object that holds its call.
    pub(super) stored: Option<String>,
    /// The object that holds its answer, which is being got.
    pub(super) arriving: Option<String>,
}

impl Driver {
    /// Takes what the program requests. True if it has gone.
    pub(super) fn serve_handles(&mut self) -> bool {
        let (submitted, signals) = {
            let mut requests = self.shared.requests();
            if requests.is_dropped {
                return true;
            }
            (std::mem::take(&mut requests.submitted), std::mem::take(&mut requests.signals))
        };
        submitted.into_iter().for_each(|submitted| self.submit(submitted));
        signals.into_iter().for_each(|(number, signal)| self.signal(number, signal));
        false
    }

    fn submit(&mut self, Submitted { number, task, call, reply }: Submitted) {
        let (site, retries) = (task.site, task.retries);
        let entry = Pending { call: Some(call.into()), reply, site, retries, stored: None, arriving: None };
        self.pending.insert(number, entry);
        self.ledger.submit(number, task);
    }

    fn signal(&mut self, number: TaskNumber, signal: TaskSignal) {
        if self.ledger.signal(number, signal) {
            let reply = self.finish(number);
            if signal == TaskSignal::Abort {
                reply.into_iter().for_each(|reply| reply.fail(Error::cancelled()));
            }
        }
    }

    /// The task has ended: gives what its answer is for.
    fn finish(&mut self, number: TaskNumber) -> Option<Reply> {
        let entry = self.pending.remove(&number)?;
        if let Some(name) = entry.stored {
            self.delete(name);
        }
        self.shared.ended(1);
        Some(entry.reply)
    }

    /// Removes an object from the store.
    pub(super) fn delete(&self, name: String) {
        let objects = self.objects.clone();
        let delete = async move {
            // What is left the broker forgets in time.
            drop(objects.delete(&name).await);
            Done::Nothing
        };
        self.running.push(delete.boxed());
    }

    pub(super) fn answer(&mut self, task: TaskNumber, from: Attempt, answer: &[u8]) {
        let Some(entry) = self.pending.get_mut(&task) else { return };
        entry.arriving = None;
        let is_large = answer.len() >= LARGE;
        let error = match entry.retries {
            0 => None,
            _ => aside(is_large, || entry.reply.error_in(answer)).ok().flatten(),
        };
        let is_lost = error.is_some_and(|error| error.is_worker_lost());
        if is_lost && self.ledger.try_again(task, from) != Again::Never {
            return;
        }
        if !self.ledger.answered(task) {
            return;
        }
        let Some(reply) = self.finish(task) else { return };
        // A peer that has the secret gives it as the answer to this task: there will be no other.
        if let Err((reply, error)) = aside(is_large, || reply.answer(answer)) {
            reply.fail(error);
        }
    }

    /// The answer of a task, which is too long for a message, is with the broker.
    pub(super) fn fetch(&mut self, task: TaskNumber, from: Attempt, name: &str) {
        let name = name.to_owned();
        let entry = self.pending.get_mut(&task);
        if entry.as_ref().is_some_and(|entry| entry.arriving.as_ref() == Some(&name)) {
            return;
        }
        // Nobody wants it, or that of another attempt is being got.
        let Some(entry) = entry.filter(|_| self.ledger.arrived(task)) else { return self.delete(name) };
        entry.arriving = Some(name.clone());
        let objects = self.objects.clone();
        let fetch = async move {
            let answer = get(&objects, &name).await;
            // What is left the broker forgets in time.
            drop(objects.delete(&name).await);
            Done::Fetched { task, from, answer }
        };
        self.running.push(fetch.boxed());
    }

    pub(super) fn fail(&mut self, task: TaskNumber, error: &Error) {
        if !self.ledger.answered(task) {
            return;
        }
        if let Some(reply) = self.finish(task) {
            reply.fail(error.clone());
        }
    }

    /// Its node was lost.
    pub(super) fn lose(&mut self, task: TaskNumber, node: NodeId) {
        if let Some(reply) = self.finish(task) {
            reply.lose(format!("the node {node} of the fleet was lost under it"));
        }
    }

    /// No node is there.
    pub(super) fn refuse(&mut self, task: TaskNumber) {
        if let Some(reply) = self.finish(task) {
            reply.fail(self.no_node());
        }
    }

    fn no_node(&self) -> Error {
        let seconds = self.config.start_timeout.as_secs();
        let others = if self.is_other_build_there() {
            "; nodes of another build are there, and take no tasks of this one"
        } else {
            ""
        };
        Error::other(format!(
            "no node of the fleet was there for {seconds} s{others}; start this very executable as a node on some machine"
        ))
    }
}
