//! What a client and its nodes say to each other of themselves, and the signals that it sends them.

use std::time::{Duration, Instant};

use async_nats::Message;
use bytes::Bytes;
use futures::FutureExt;

use super::{Done, Driver};
use crate::ledger::{TaskNumber, TaskSignal};
use crate::message::{self, Beat, NodeId, PeerState, Role, ToNode};

impl Driver {
    pub(super) fn hear(&mut self, beat: &Message) {
        let Some(beat) = message::read::<Beat>(&self.connection.seal, &beat.payload) else { return };
        let Role::Node { workers } = beat.role else { return };
        match beat.state {
            PeerState::Gone => self.ledger.left(beat.id),
            state => self.ledger.beat(beat.id, workers as usize, state == PeerState::Leaving, self.now()),
        }
    }

    pub(super) fn hear_build(&mut self, build: &[u8]) {
        if build != self.connection.seal.build().as_bytes() {
            self.other_build = Some(Instant::now());
        }
    }

    /// True if a node of another build is there: none is lost before it was silent for so long.
    pub(super) fn is_other_build_there(&self) -> bool {
        self.other_build.is_some_and(|heard| heard.elapsed() < self.config.silence)
    }

    /// Says to all nodes that the client is there, and to those of other builds that this one is used.
    pub(super) fn beat(&self) {
        self.send(self.connection.names.client_beats(), self.sealed_beat(PeerState::Here));
        let build = Bytes::copy_from_slice(self.connection.seal.build().as_bytes());
        self.send(self.connection.names.client_builds(), build);
    }

    pub(super) fn sealed_beat(&self, state: PeerState) -> Bytes {
        let beat = Beat { id: self.ledger.id, role: Role::Client, state };
        message::write(&self.connection.seal, &beat)
    }

    /// Tells each node what it is to know, unless it is being told something.
    pub(super) fn tell_all(&mut self) {
        let nodes: Vec<_> =
            self.signals.keys().filter(|node| !self.telling.contains(*node)).copied().collect();
        nodes.into_iter().for_each(|node| self.tell(node));
    }

    /// Tells a node what it is to know.
    fn tell(&mut self, node: NodeId) {
        /// No more signals are in a message.
        const MOST: usize = 4096;
        /// What has not arrived after so long is said again, if the node is still there.
        const TELL: Duration = Duration::from_secs(5);

        let Some(mut signals) = self.signals.remove(&node) else { return };
        if signals.len() > MOST {
            self.signals.insert(node, signals.split_off(MOST));
        }
        self.telling.insert(node);
        let (connection, client, since) = (self.connection.clone(), self.ledger.id, Instant::now());
        let tell = async move {
            let message = ToNode { signals: signals.clone() };
            let told =
                message::ask::<_, ()>(&connection, client, node, message, || since.elapsed() > TELL).await;
            Done::Told { node, failed: if told.is_some() { Vec::new() } else { signals } }
        };
        self.running.push(tell.boxed());
    }

    /// A node was told, or could not be told what is in `failed`.
    pub(super) fn told(&mut self, node: NodeId, failed: Vec<(TaskNumber, TaskSignal)>) {
        self.telling.remove(&node);
        // One that is lost needs to know nothing.
        if !failed.is_empty() && self.ledger.is_there(node) {
            let later = self.signals.insert(node, failed).unwrap_or_default();
            self.signals.entry(node).or_default().extend(later);
        }
    }
}
