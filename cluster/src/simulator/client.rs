//! The simulated client: drives [`Ledger`] as the client's loop does.

use std::collections::VecDeque;
use std::time::Duration;

use super::{Message, Occasion, Scene, ToClient, ToNode};
use crate::ledger::{Action, Claim, Ledger, Limits, Task};
use crate::message::PeerId;

const HEARTBEAT: Duration = Duration::from_millis(500);
/// To read that a node is there.
const BEAT: Duration = Duration::from_micros(1);

#[derive(Debug)]
pub(super) struct ClientSide {
    ledger: Ledger,
    inbox: VecDeque<ToClient>,
    turn_planned: bool,
    /// When it is done with what it does.
    pub(super) free: Duration,
    pub(super) answered: usize,
    nodes: usize,
    workers: usize,
}

impl ClientSide {
    pub(super) fn new() -> Self {
        let limits = Limits {
            in_flight: 100_000,
            message: 256 * 1024,
            silence: Duration::from_secs(3),
            no_node: Duration::from_secs(30),
        };
        Self {
            ledger: Ledger::new(PeerId(u64::MAX), limits, Duration::ZERO),
            inbox: VecDeque::new(),
            turn_planned: false,
            free: Duration::ZERO,
            answered: 0,
            nodes: 0,
            workers: 0,
        }
    }

    /// All nodes are there, and all tasks are submitted.
    pub(super) fn open(&mut self, scene: &mut Scene, nodes: usize, workers: usize) {
        (self.nodes, self.workers) = (nodes, workers);
        for node in 0..nodes {
            self.ledger.beat(PeerId(node as u64), workers, false, Duration::ZERO);
        }
        for number in 0..scene.tasks.len() {
            self.ledger.submit(number as u64, Task { site: 1, size: 64, retries: 0 });
        }
        self.act(Duration::ZERO, scene);
        scene.agenda.plan(HEARTBEAT, Occasion::ClientGets(ToClient::Beats));
    }

    pub(super) fn get(&mut self, now: Duration, message: ToClient, scene: &mut Scene) {
        self.inbox.push_back(message);
        if !self.turn_planned {
            self.turn_planned = true;
            scene.agenda.plan(now.max(self.free), Occasion::ClientTurn);
        }
    }

    /// What has come meanwhile is done before anything is gathered.
    pub(super) fn turn(&mut self, now: Duration, scene: &mut Scene) {
        self.turn_planned = false;
        self.free = now;
        for message in std::mem::take(&mut self.inbox) {
            self.handle(now, message, scene);
        }
        self.act(self.free, scene);
    }

    fn handle(&mut self, now: Duration, message: ToClient, scene: &mut Scene) {
        let network = scene.network;
        match message {
            // What it costs is in what it costs to publish.
            ToClient::Stored { sent } => self.ledger.replied(now - sent),
            ToClient::Claim { node, batch } => {
                self.free += network.message;
                let claim = self.ledger.claim(batch, PeerId(node as u64), self.workers, self.free);
                let reply = match claim {
                    Claim::Granted(tasks) => ToNode::Granted { batch, tasks },
                    Claim::Held | Claim::Gone => ToNode::Gone { batch },
                };
                scene.send(self.free, Occasion::NodeGets(node, reply));
            }
            ToClient::Answers { node, tasks, ran } => {
                self.free += network.message + network.client_task / 2 * tasks.len() as u32;
                for task in tasks {
                    assert!(self.ledger.answered(task), "{task} ends twice");
                    self.answered += 1;
                }
                ran.into_iter().for_each(|(_, each)| self.ledger.learn(1, each));
                scene.send(self.free, Occasion::NodeGets(node, ToNode::Arrived));
            }
            ToClient::Beats => {
                self.free += BEAT * self.nodes as u32;
                for node in 0..self.nodes {
                    self.ledger.beat(PeerId(node as u64), self.workers, false, self.free);
                }
                self.ledger.tick(self.free);
                scene.agenda.plan(self.free + HEARTBEAT, Occasion::ClientGets(ToClient::Beats));
            }
        }
    }

    fn act(&mut self, now: Duration, scene: &mut Scene) {
        self.free = now;
        let actions = self.ledger.take_actions();
        for action in actions {
            let Action::Publish { batch, tasks, .. } = action else { panic!("{action:?}") };
            self.free += scene.network.publish + scene.network.client_task / 2 * tasks.len() as u32;
            let nanos = self.ledger.cost(1).map_or(0, |cost| cost.as_nanos() as u64 * tasks.len() as u64);
            let message = Message { batch, nanos, tasks: tasks.len() };
            scene.tell_stream(self.free, Occasion::Publish { message, sent: self.free });
        }
        if (self.ledger.has_more() || !self.inbox.is_empty()) && !self.turn_planned {
            self.turn_planned = true;
            scene.agenda.plan(self.free, Occasion::ClientTurn);
        }
    }
}
