//! What code on a worker sends to the page that is no task and no result.

use super::context::current_worker;
use super::state::OnFailure;
use super::worker::Worker;
use crate::platform::Packet;

/// Has the page of this worker run a call, if this is a worker. What a synchronous task sends so leaves at once, and else with the
/// next packet. `on_failure` is called if it cannot be posted.
pub(crate) fn tell(call: Packet, on_failure: Option<OnFailure>) {
    let worker = current_worker();
    if let Some(worker) = worker.as_ref().and_then(|worker| worker.as_any().downcast_ref::<Worker>()) {
        worker.tell(call, on_failure);
    }
}

/// True on a worker while a call runs: nothing else does, until it returns.
pub(crate) fn is_in_call() -> bool {
    current_worker().is_some_and(|worker| worker.is_in_call())
}
