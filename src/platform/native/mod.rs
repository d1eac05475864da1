//! Workers are `std::thread`s, messages cross in a channel.

mod attachment;
mod time;

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::future::Future;
use std::num::NonZero;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Arc;
use std::thread;

use futures::StreamExt;
use futures::channel::mpsc::{self, TrySendError, UnboundedSender};
use futures::future::{AbortHandle, Abortable};
use futures::task::{FutureObj, LocalSpawnExt};
use futures_executor::{LocalPool, LocalSpawner};

use super::{Events, Loss, Main, Packet, Tagged, WorkerEvent, WorkerSpec};
use crate::error::Error;

pub(crate) use attachment::{Attachment, Number};
pub(crate) use time::{clock_tick, now, sleep, spawn_service, yield_now};

/// Read by nobody: natively there is no script and no glue, but a program may set them for its other target.
#[derive(Clone, Debug, Default)]
pub(crate) struct WebOptions {
    pub(crate) script: Option<String>,
    pub(crate) glue: Option<String>,
}

thread_local! {
    /// Where [`spawn_local`] puts its futures: set while this thread runs a local pool of ours.
    static SPAWNER: RefCell<Option<LocalSpawner>> = const { RefCell::new(None) };
    /// The task whose code runs on this thread.
    static CURRENT: Cell<u64> = const { Cell::new(0) };
}

/// The page's end of a worker: dropping it ends the worker at its next yield.
pub(crate) struct Port {
    inbox: UnboundedSender<ToThread>,
    /// Ends the loop that reads the inbox, whatever is still in there.
    end: AbortHandle,
}

impl Drop for Port {
    fn drop(&mut self) {
        self.end.abort();
    }
}

/// What a worker's channel carries.
enum ToThread {
    Packet(Packet),
    Future(FutureObj<'static, ()>),
}

impl Port {
    pub(crate) fn post(&self, packet: Packet) -> Result<(), Error> {
        // A worker that is gone has said so, or is about to: its packets have nobody to answer them.
        let sent = self.inbox.unbounded_send(ToThread::Packet(packet));
        sent.map_err(|_| Error::worker_lost("its thread has ended"))
    }

    /// Runs a future on the worker's thread: natively it shares our memory. Gives it back if the worker is gone.
    pub(crate) fn spawn(&self, future: FutureObj<'static, ()>) -> Result<(), FutureObj<'static, ()>> {
        match self.inbox.unbounded_send(ToThread::Future(future)).map_err(TrySendError::into_inner) {
            Ok(()) => Ok(()),
            Err(ToThread::Future(future)) => Err(future),
            Err(ToThread::Packet(_)) => unreachable!("what comes back is what was sent"),
        }
    }
}

/// The worker's end of the way to its page.
#[derive(Clone)]
pub(crate) struct Outbox {
    events: Arc<Lifeline>,
    end: AbortHandle,
}

impl Outbox {
    pub(crate) fn post(&self, packet: Packet) -> Result<(), Error> {
        (self.events.0)(WorkerEvent::Packet(packet));
        Ok(())
    }

    /// False once the port was dropped: nobody hears what is posted, and no task should begin.
    pub(crate) fn is_heard(&self) -> bool {
        !self.end.is_aborted()
    }
}

/// Tells the page when the worker is gone, however it went.
struct Lifeline(Events);

/// Sends the worker's last event when its thread is left, by its end or by a panic.
struct Witness(Arc<Lifeline>);

impl Drop for Witness {
    fn drop(&mut self) {
        (self.0.0)(WorkerEvent::Lost(Loss { cause: "its thread has ended".into(), ..Loss::default() }));
    }
}

pub(crate) fn start(
    spec: WorkerSpec,
    main: &'static Tagged<Main>,
    first: Packet,
    events: Events,
) -> Result<Port, Error> {
    let (sender, mut inbox) = mpsc::unbounded();
    sender.unbounded_send(ToThread::Packet(first)).expect("the receiver is alive: it is in this function");
    let (end, registration) = AbortHandle::new_pair();
    let ended = end.clone();
    let run = move || {
        let lifeline = Arc::new(Lifeline(events));
        let witness = Witness(lifeline.clone());
        let outbox = Outbox { events: lifeline, end: ended };
        let worker = async move {
            let mut receive = (main.0)(outbox);
            while let Some(next) = inbox.next().await {
                match next {
                    ToThread::Packet(packet) => receive(packet),
                    ToThread::Future(future) => spawn_local(future),
                }
                // What the packet woke or began has its turn before the next one, as in a browser.
                yield_now().await;
            }
        };
        // The panics of tasks are caught where they run. What comes out here is the panic of a value's drop; the
        // hook has shown it and the witness reports the loss.
        let _shown =
            panic::catch_unwind(AssertUnwindSafe(|| run_local(Abortable::new(worker, registration))));
        drop(witness);
    };
    let name = spec.name.unwrap_or_else(|| "wasm-mt".to_owned());
    match thread::Builder::new().name(name).spawn(run) {
        Ok(_detached) => Ok(Port { inbox: sender, end }),
        Err(error) => Err(Error::startup(format!("the system gave no thread: {error}; start fewer of them"))),
    }
}

/// Runs a future to its end on this thread, and beside it what it gives to [`spawn_local`], which ends with it.
pub(crate) fn run_local<F: Future>(future: F) -> F::Output {
    /// Puts back what was there, also when the future panics.
    struct Restore(Option<LocalSpawner>);
    impl Drop for Restore {
        fn drop(&mut self) {
            SPAWNER.set(self.0.take());
        }
    }

    let mut pool = LocalPool::new();
    let _restore = Restore(SPAWNER.replace(Some(pool.spawner())));
    pool.run_until(future)
}

/// Runs a future beside the others of this thread.
pub(crate) fn spawn_local(future: impl Future<Output = ()> + 'static) {
    let spawner = SPAWNER.with_borrow(Clone::clone).expect("called on a worker, or within `wasm_mt::run`");
    spawner.spawn_local(future).expect("the local pool is alive: it runs this very code");
}

/// Runs code of a task, which [`current`] names meanwhile. A panic comes back as its payload.
pub(crate) fn guard<R>(task: u64, code: impl FnOnce() -> R) -> Result<R, Box<dyn Any + Send>> {
    let outer = CURRENT.replace(task);
    let result = panic::catch_unwind(AssertUnwindSafe(code));
    CURRENT.set(outer);
    result
}

/// Panics unwind, and [`guard`] catches them.
pub(crate) const PANIC_ABORTS: bool = false;

/// The task whose code runs on this thread; zero if none does.
pub(crate) fn current() -> u64 {
    CURRENT.get()
}

/// Nobody reads it: a panic is caught, and its worker tells what had begun.
pub(crate) fn show_begun(_tasks: &[u64]) {}

/// Messages are posted as they come: there is no moment at which this thread is done for now.
pub(crate) const HAS_TICKS: bool = false;

/// Never called, since there are no ticks.
pub(crate) fn at_end_of_tick(future: impl Future<Output = ()> + Send + 'static) {
    spawn_service(future);
}

/// How many threads can run at the same time.
pub(crate) fn parallelism() -> usize {
    thread::available_parallelism().map_or(1, NonZero::get)
}

/// A future runs only while somebody polls it, or runs a pool that it was given to.
pub(crate) const HAS_EVENT_LOOP: bool = false;

/// True if [`spawn_local`] can be called here.
pub(crate) fn has_local_pool() -> bool {
    SPAWNER.with_borrow(Option::is_some)
}

/// Addresses are below this.
pub(crate) fn memory_size() -> usize {
    usize::MAX
}

/// Writes a line where the program's user reads it.
pub(crate) fn print(text: &str) {
    println!("{text}");
}

/// The program's way in: runs `future` to its end; an error is shown and becomes exit code 1.
pub(crate) fn run(future: impl Future<Output = Result<(), String>> + 'static) {
    if let Err(text) = run_local(future) {
        eprintln!("{text}");
        std::process::exit(1);
    }
}
