//! What nodes request of a client: they claim batches, and bring answers.

use std::time::Duration;

use async_nats::Message;

use super::Driver;
use crate::ledger::{BatchNumber, Claim, TaskNumber};
use crate::message::{self, Blob, Body, ClientReply, NodeId, Numbered, Ran, ToClient};

impl Driver {
    /// A node asks for something, or answers.
    pub(super) fn request(&mut self, request: &Message) {
        let Some(reply_to) = request.reply.clone() else { return };
        let seal = self.connection.seal.clone();
        // What is not sealed is of nobody's.
        let Some(asked) = message::read::<Numbered<ToClient<'_>>>(&seal, &request.payload) else { return };
        let Numbered { from: node, number, message } = asked;
        let reply = match message {
            ToClient::Claim { .. } | ToClient::Lost if self.ledger.is_late(node, number) => ClientReply::Gone,
            ToClient::Claim { workers, batch } => self.claim(node, workers, batch),
            ToClient::Lost => {
                self.ledger.emptied(node, number);
                ClientReply::Taken
            }
            ToClient::Answers { answers, ran } => {
                self.take_answers(node, answers, ran);
                ClientReply::Taken
            }
        };
        let reply = message::write(&seal, &Numbered { from: node, number, message: reply });
        self.send(reply_to.to_string(), reply);
    }

    fn claim(&mut self, node: NodeId, workers: u32, batch: BatchNumber) -> ClientReply {
        match self.ledger.claim(batch, node, workers as usize, self.now()) {
            Claim::Granted(tasks) => {
                for task in &tasks {
                    if let Some(entry) = self.pending.get_mut(task).filter(|entry| entry.retries == 0) {
                        entry.call = None;
                    }
                }
                let detached = tasks.iter().copied().filter(|task| self.ledger.is_detached(*task)).collect();
                ClientReply::Granted { tasks, detached }
            }
            Claim::Held => ClientReply::Held,
            Claim::Gone => ClientReply::Gone,
        }
    }

    fn take_answers(
        &mut self,
        node: NodeId,
        answers: Vec<(BatchNumber, TaskNumber, Body<'_>)>,
        ran: Vec<Ran>,
    ) {
        self.ledger.heard(node, self.now());
        for (batch, task, body) in answers {
            match body {
                Body::Here(Blob(answer)) => self.answer(task, (batch, node), answer),
                Body::Stored(name) => self.fetch(task, (batch, node), name),
                // That of an attempt that was given up says nothing of the next one.
                Body::Failed(error) if self.ledger.is_last(task, (batch, node)) => self.fail(task, &error),
                Body::Failed(_) => {}
            }
        }
        ran.iter().for_each(|ran| self.learn(ran.batch, Duration::from_nanos(ran.nanos)));
    }
}
