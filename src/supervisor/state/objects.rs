//! Where the objects of actors are.

use std::sync::Arc;
use std::time::Duration;

use super::PoolState;
use crate::error::Error;
use crate::platform::Port;
use crate::schedule::WorkerId;

impl PoolState {
    /// The way to a worker, if it is there.
    pub(in crate::supervisor) fn port(&self, worker: WorkerId) -> Option<Arc<Port>> {
        self.slots.get(worker).map(|slot| slot.port.clone())
    }

    pub(in crate::supervisor) fn has(&self, worker: WorkerId) -> bool {
        self.slots.get(worker).is_some()
    }

    /// As [`Supervisor::place`](crate::supervisor::Supervisor::place).
    pub(in crate::supervisor) fn place(&mut self, wanted: Option<WorkerId>) -> Option<WorkerId> {
        let load = |worker: &WorkerId| {
            let objects = self.slots.get(*worker).map(|slot| slot.objects);
            (objects, self.schedule.load(*worker))
        };
        let worker = wanted
            .filter(|worker| self.has(*worker))
            .or_else(|| self.workers().into_iter().min_by_key(load))?;
        self.slots.get_mut(worker)?.objects += 1;
        Some(worker)
    }

    pub(in crate::supervisor) fn displace(&mut self, worker: WorkerId) {
        if let Some(slot) = self.slots.get_mut(worker) {
            slot.objects -= 1;
        }
    }

    pub(in crate::supervisor) fn grace(&self) -> Duration {
        self.config.grace
    }

    pub(in crate::supervisor) fn absence(&self) -> Error {
        self.ended.clone().unwrap_or_else(|| self.absence.clone())
    }
}
