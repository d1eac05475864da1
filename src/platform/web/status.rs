//! What this instance runs, for `worker.js` to read after a trap.

use std::any::Any;
use std::cell::Cell;
use std::ptr;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use crate::platform::Packet;

thread_local! {
    static IS_WORKER: Cell<bool> = const { Cell::new(false) };
}

/// This instance is a worker of ours from now on. Gives the address of the block that `worker.js` reads.
pub(super) fn enter_worker() -> usize {
    IS_WORKER.set(true);
    ptr::from_ref(&STATUS).addr()
}

/// True in a worker of ours.
pub(super) fn is_worker() -> bool {
    IS_WORKER.get()
}

/// What `worker.js` reads after a trap, without entering the instance. It knows the address.
#[repr(C)]
struct StatusBlock {
    /// The task whose code runs.
    current: AtomicU64,
    /// Where the names of the tasks that have begun and may not have been answered lie, and how many there are.
    begun: AtomicUsize,
    count: AtomicUsize,
    /// What is gathered for the page: for the lanes of heads, bytes and addresses how many bytes, and where.
    gathered: [[AtomicUsize; 2]; 3],
}

static STATUS: StatusBlock = StatusBlock {
    current: AtomicU64::new(0),
    begun: AtomicUsize::new(0),
    count: AtomicUsize::new(0),
    gathered: [const { [const { AtomicUsize::new(0) }; 2] }; 3],
};

/// A panic traps, after its hook has run.
pub(crate) const PANIC_ABORTS: bool = true;

/// Runs code of a task, which [`current_task`] names meanwhile.
pub(crate) fn guard<R>(task: u64, code: impl FnOnce() -> R) -> Result<R, Box<dyn Any + Send>> {
    let outer = STATUS.current.swap(task, Ordering::Relaxed);
    let result = code();
    STATUS.current.store(outer, Ordering::Relaxed);
    Ok(result)
}

/// True once this instance has panicked: it cannot change the panic hook.
pub(crate) fn is_panicking() -> bool {
    std::thread::panicking()
}

/// Runs code of the program that no task depends on. A panic of it ends the instance, here as anywhere.
pub(crate) fn contain(code: impl FnOnce()) {
    code();
}

/// Never called: a panic of a future ends the instance.
pub(crate) fn on_panic(_handler: fn(Box<dyn Any + Send>)) {}

/// The task whose code runs in this instance; zero if none does.
pub(crate) fn current_task() -> u64 {
    STATUS.current.load(Ordering::Relaxed)
}

/// Lets the page know, should this instance trap, which tasks had begun. The slice MUST stay where it is until the next call.
pub(crate) fn show_begun(tasks: &[u64]) {
    STATUS.begun.store(tasks.as_ptr().addr(), Ordering::Relaxed);
    STATUS.count.store(tasks.len(), Ordering::Relaxed);
}

/// Lets `worker.js` post, should this instance trap, what is gathered for the page. The packet MUST have no attachments, and
/// stay as it is until the next call.
pub(crate) fn show_gathered(packet: &Packet) {
    let Packet { heads, bytes, addresses, .. } = packet;
    let lanes = [
        (heads.len(), heads.as_ptr().addr()),
        (bytes.len(), bytes.as_ptr().addr()),
        (size_of_val(&addresses[..]), addresses.as_ptr().addr()),
    ];
    for (lane, (length, place)) in STATUS.gathered.iter().zip(lanes) {
        lane[0].store(length, Ordering::Relaxed);
        lane[1].store(place, Ordering::Relaxed);
    }
}
