//! What is different natively.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::panic;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::task::{Context, Wake, Waker};
use std::thread;
use std::time::Instant;

use futures::future::{FutureExt, join_all};
use wasm_mt::{Executor, Pool, remote};
use wasm_mt_soak::Round;

use crate::bodies::mix;
use crate::kinds::Kind;
use crate::spawn::{Ticket, Watched};

/// Every task has begun here, in this very memory.
pub(crate) const HEARS_ALL: bool = true;

/// Threads that the process always has: this one, that of the timers, and that of the deadlines.
const ALWAYS: u64 = 3;

static BEGUN: Mutex<BTreeMap<u64, u32>> = Mutex::new(BTreeMap::new());
/// Rounds below this are over.
static RELEASED: AtomicU64 = AtomicU64::new(0);

/// What follows `name=` on the command line.
pub(crate) fn option(name: &str) -> Option<String> {
    std::env::args().find_map(|option| Some(option.strip_prefix(name)?.strip_prefix('=')?.to_owned()))
}

/// Milliseconds.
pub(crate) fn now() -> f64 {
    static START: OnceLock<Instant> = OnceLock::new();
    START.get_or_init(Instant::now).elapsed().as_secs_f64() * 1000.0
}

pub(crate) fn is_webkit() -> bool {
    false
}

/// Panics of tasks are not worth a line each.
pub(crate) fn start() {
    let main = thread::current().id();
    let shown = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        if thread::current().id() == main {
            shown(info);
        }
    }));
}

/// Called by a task: it begins.
pub(crate) fn say_begun(number: u64) {
    let mut begun = BEGUN.lock().unwrap_or_else(PoisonError::into_inner);
    *begun.entry(number).or_default() += 1;
}

/// How often tasks have begun, since this was asked before.
pub(crate) fn begun() -> BTreeMap<u64, u32> {
    std::mem::take(&mut BEGUN.lock().unwrap_or_else(PoisonError::into_inner))
}

/// Ends the tasks that keep their threads: nobody else can.
pub(crate) fn release(round: u64) {
    RELEASED.store(round + 1, Ordering::Relaxed);
}

pub(crate) fn is_released(round: u64) -> bool {
    round < RELEASED.load(Ordering::Relaxed)
}

/// A line of `/proc/self/status`.
fn status(name: &str) -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
    line.split_whitespace().next()?.parse().ok()
}

/// Threads of workers that have not ended.
pub(crate) async fn workers() -> u64 {
    status("Threads").unwrap_or(0).saturating_sub(ALWAYS)
}

pub(crate) fn gauges() -> Vec<(&'static str, u64)> {
    let told = [("threads", status("Threads")), ("resident KiB", status("VmRSS"))];
    told.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
}

pub(crate) async fn report(round: &Round) {
    let line = serde_json::to_string(round).expect("a round is numbers and texts");
    let mut stdout = std::io::stdout().lock();
    writeln!(stdout, "{line}").and_then(|()| stdout.flush()).expect("somebody reads this");
}

/// Tasks that only this target has.
pub(crate) fn spawn(kind: Kind, ticket: Ticket, _executor: &dyn Executor, n: u32) -> Watched {
    let builder = Pool::builder().threads(1);
    let pool = match kind {
        Kind::HookPanics => builder.on_run(|_| panic!("on_run")).build(),
        _ => builder.build(),
    };
    let value = || pool.spawn_remote(remote!(move || mix(n)));
    let mut first = value();
    let others: Vec<_> = (0..8).map(|_| value()).collect();
    if kind == Kind::WakerPanics {
        let waker = Waker::from(Arc::new(Panics));
        let _is_ready = first.poll_unpin(&mut Context::from_waker(&waker)).is_ready();
    }
    async move {
        for result in join_all(others).await {
            if result.as_ref().ok() != Some(&mix(n)) {
                return ticket.settle(&result, |_, _| false);
            }
        }
        drop((first, pool));
        ticket.settle(&Ok(()), |_, _| true);
    }
    .boxed_local()
}

/// A waker that panics.
struct Panics;

impl Wake for Panics {
    fn wake(self: Arc<Self>) {
        panic!("a waker");
    }
}
