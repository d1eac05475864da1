//! Where a new worker begins.

use std::rc::Rc;

use super::context;
use super::panic;
use super::run_loop::RunLoop;
use super::task_future::TaskFuture;
use super::worker::Worker;
use crate::platform::{self, Inbox, Main, Outbox, PANIC_ABORTS, Packet, Tagged};
use crate::schedule::LocalEvent;
use crate::task::{self, Call};
use crate::wire::{self, PacketReader, ToWorker, WorkerConfig};

/// What the platform calls on a new worker.
pub(crate) static MAIN: Tagged<Main> = Tagged::new(Main(main));

fn main(outbox: Outbox) -> Inbox {
    panic::watch();
    let mut worker = None;
    let residents = ResidentScope;
    Box::new(move |packet| {
        let _until_the_end = &residents;
        // Page and worker run one module, as was checked at the start: what the page posts can be read.
        let mut reader = PacketReader::new(packet);
        while let Some(message) = wire::next(&mut reader).expect("the page writes what this very code reads")
        {
            match (message, &worker) {
                (ToWorker::Start { config, on_start }, None) => {
                    worker = Some(start(outbox.clone(), config, on_start));
                }
                (message, Some(worker)) => worker.receive(message),
                // What `on_start` needs. It gives nothing.
                (ToWorker::Call { call }, None) => drop(task::begin(call)),
                (_, None) => unreachable!("the first message for the worker is `Start`"),
            }
        }
        if let Some(worker) = &worker {
            worker.handle(LocalEvent::Woken);
            worker.context.loop_waker.wake();
        }
    })
}

/// Drops the resident values of this thread before it ends. Where panics abort, threads end without that.
struct ResidentScope;

impl Drop for ResidentScope {
    fn drop(&mut self) {
        if !PANIC_ABORTS {
            task::drop_residents();
        }
    }
}

/// Runs `on_start`, which may be asynchronous, then announces that tasks may come, and waits for them.
fn start(outbox: Outbox, config: WorkerConfig, on_start: Option<Packet>) -> Rc<Worker> {
    let worker = Worker::new(outbox, config);
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
