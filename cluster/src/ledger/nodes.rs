//! The nodes that a client has heard of, and what becomes of the tasks of one that is lost.

use std::collections::HashSet;
use std::time::Duration;

use super::{Action, BatchNumber, Ledger, Place, TaskState};
use crate::message::NodeId;

#[derive(Debug)]
pub(super) struct NodeState {
    pub(super) workers: usize,
    pub(super) heard: Duration,
    pub(super) leaving: bool,
    pub(super) batches: HashSet<BatchNumber>,
}

impl NodeState {
    /// How many workers it adds to those that take tasks.
    fn counted(&self) -> usize {
        if self.leaving { 0 } else { self.workers }
    }
}

impl Ledger {
    /// Something came of a node.
    pub(crate) fn beat(&mut self, node: NodeId, workers: usize, leaving: bool, now: Duration) {
        self.now = now;
        self.hear(node, workers);
        let Some(state) = self.nodes.get_mut(&node) else { return };
        self.workers -= state.counted();
        state.leaving = leaving;
        self.workers += state.counted();
    }

    /// Something else came of a node than a sign of life.
    pub(crate) fn heard(&mut self, node: NodeId, now: Duration) {
        self.now = now;
        if let Some(state) = self.nodes.get_mut(&node) {
            state.heard = now;
        }
    }

    pub(crate) fn is_there(&self, node: NodeId) -> bool {
        self.nodes.contains_key(&node)
    }

    pub(super) fn hear(&mut self, node: NodeId, workers: usize) {
        let total = &mut self.workers;
        let new = || {
            *total += workers;
            NodeState { workers, heard: Duration::ZERO, leaving: false, batches: HashSet::new() }
        };
        self.nodes.entry(node).or_insert_with(new).heard = self.now;
        self.alone_since = None;
    }

    /// A node has said that it ends: nothing of the client is left there.
    pub(crate) fn left(&mut self, node: NodeId) {
        self.lose(node);
    }

    /// A node has said, by the request of this number, that nothing of the client is there: it is new, or had taken the client for gone.
    pub(crate) fn emptied(&mut self, node: NodeId, number: u64) {
        self.emptied.insert(node, number);
        let batches = self.nodes.get_mut(&node).map(|state| std::mem::take(&mut state.batches));
        self.give_up(node, batches.unwrap_or_default());
    }

    /// True if a node has made this request before it said so. By a connection that was cut, it can come after that. What it claims so
    /// it would never run.
    pub(crate) fn is_late(&self, node: NodeId, number: u64) -> bool {
        self.emptied.get(&node).is_some_and(|last| number <= *last)
    }

    /// Nothing could be heard for a while, and that was our fault: no node is lost for it.
    pub(crate) fn forgive(&mut self, now: Duration) {
        self.now = now;
        self.nodes.values_mut().for_each(|node| node.heard = now);
        self.alone_since = self.alone_since.map(|_| now);
    }

    /// Time passes: nodes that were not heard of are lost.
    pub(crate) fn tick(&mut self, now: Duration) {
        self.now = now;
        let silence = self.limits.silence;
        let is_silent = |node: &NodeState| now.saturating_sub(node.heard) >= silence;
        let silent: Vec<_> =
            self.nodes.iter().filter(|(_, node)| is_silent(node)).map(|(id, _)| *id).collect();
        silent.into_iter().for_each(|node| self.lose(node));
        let is_over = self.alone_since.is_some_and(|since| now.saturating_sub(since) >= self.limits.no_node);
        if is_over {
            let waits = |task: &TaskState| task.place != Place::Answered;
            let tasks = self.tasks.iter().filter(|(_, task)| waits(task));
            let mut tasks: Vec<_> = tasks.map(|(number, _)| *number).collect();
            tasks.sort_unstable();
            for task in tasks {
                self.end(task);
                self.actions.push(Action::Refuse { task });
            }
            self.alone_since = Some(now);
        }
    }

    fn lose(&mut self, node: NodeId) {
        let Some(state) = self.nodes.remove(&node) else { return };
        self.workers -= state.counted();
        if self.nodes.is_empty() {
            self.alone_since = Some(self.now);
        }
        // What was on its way to it comes to others when the broker delivers it again. Meanwhile they are to have something else.
        self.batches.values_mut().for_each(|batch| batch.is_new = false);
        self.unclaimed = 0;
        self.give_up(node, state.batches);
    }

    /// What becomes of batches that a node has had.
    fn give_up(&mut self, node: NodeId, batches: HashSet<BatchNumber>) {
        let mut batches: Vec<_> = batches.into_iter().collect();
        batches.sort_unstable();
        for batch in batches {
            let tasks = self.tasks_of(batch);
            let Some(state) = self.batches.get_mut(&batch) else { continue };
            if state.retried {
                // The broker delivers it to another one, or the node is back and answers it.
                state.node = None;
            }
            for task in tasks {
                let Some(state) = self.tasks.get_mut(&task) else { continue };
                if state.may_run_again() {
                    state.place = Place::Published(batch);
                } else {
                    self.end(task);
                    self.actions.push(Action::Lose { task, node });
                }
            }
        }
    }
}
