//! Where a new worker begins.

use std::rc::Rc;
use std::sync::Arc;

use super::context;
use super::panic;
use super::run_loop::RunLoop;
use super::task_future::TaskFuture;
use super::worker::Worker;
use crate::platform::{self, Inbox, Main, Outbox, Packet, ResidentHolder, Tagged};
use crate::schedule::LocalEvent;
use crate::task::{self, Call, ResidentScope};
use crate::wire::{self, ToWorker, WorkerConfig};

/// What the platform calls on a new worker.
pub(crate) static MAIN: Tagged<Main> = Tagged::new(Main(main));

fn main(outbox: Outbox) -> Inbox {
    panic::watch();
    let mut worker = None;
    let residents = ResidentScope::enter();
    Box::new(move |packet| {
        // Page and worker run one module, as was checked at the start: what the page posts can be read.
        let messages = wire::read_all::<ToWorker>(packet).expect("the page writes what this very code reads");
        for message in messages {
            match (message, &worker) {
                (ToWorker::Resident { name, value }, _) => task::keep_resident(name, value),
                (ToWorker::Start { config, on_start }, None) => {
                    worker = Some(start(outbox.clone(), config, on_start, &residents));
                }
                (message, Some(worker)) => worker.receive(message),
                (_, None) => unreachable!("the first message is `Start`, but for what that refers to"),
            }
        }
        if let Some(worker) = &worker {
            worker.handle(LocalEvent::Woken);
            worker.context.loop_waker.wake();
        }
    })
}

/// Runs `on_start`, which may be asynchronous, then announces that tasks may come, and waits for them.
fn start(
    outbox: Outbox,
    config: WorkerConfig,
    on_start: Option<Packet>,
    residents: &ResidentScope,
) -> Rc<Worker> {
    let worker = Worker::new(outbox, config);
    let holder: Arc<dyn ResidentHolder> = worker.context.clone();
    residents.set_holder(Arc::downgrade(&holder));
    context::enter(worker.clone(), worker.context.clone());
    // `on_start` may make tasks and await them.
    platform::spawn_local(RunLoop::new(worker.clone()));
    let call = on_start.map(|on_start| worker.call(None, on_start));
    match call {
        None => worker.ready(Ok(Packet::default())),
        Some(Some(Call::Ended(outcome))) => worker.ready(outcome),
        Some(Some(Call::Running(future))) => {
            platform::spawn_local(TaskFuture::new(worker.clone(), None, future));
        }
        Some(None) => {}
    }
    worker
}
