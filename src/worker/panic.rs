//! What a panic said and where, for the error that its task ends in.
//!
//! A hook notes it. Where panics unwind, the worker asks for the note when it has caught one: a task may catch its own
//! panics and go on. Where they abort, the hook is the last Rust code to run, so it reports to the page itself.
//!
//! The program may set a hook of its own at any time, in a task too. std then drops ours, and what [`Chained`] does when it
//! is dropped is to come again, in front of the program's. So also a task that sets a hook and panics at once is understood.
//! A program that takes our hook and keeps it, as code does that suppresses output for a while, is not waited for where panics
//! abort: ours is set again before any code of a task runs. Where they unwind that is done after a panic that was not noted,
//! because other threads may panic while a hook is changed; what that one said is in its payload.

use std::any::Any;
use std::cell::Cell;
use std::panic::{self, PanicHookInfo};
use std::ptr;
use std::sync::{Mutex, MutexGuard, Once, PoisonError};

use super::context::current_worker;
use crate::error::panic_text;
use crate::platform::{self, PANIC_ABORTS, ThreadSlot};
use crate::schedule::TaskId;

/// A message and a place.
type Note = (String, Option<String>);

type Hook = Box<dyn Fn(&PanicHookInfo<'_>) + Send + Sync>;

thread_local! {
    static LAST_PANIC: ThreadSlot<Option<Note>> = const { ThreadSlot::new(None) };
    /// Where panics abort: there was one, and the page knows.
    static REPORTED: Cell<bool> = const { Cell::new(false) };
}

/// The addresses of our hooks that are not dropped: the one that is set, and such as the program has taken.
static OURS: Mutex<Vec<usize>> = Mutex::new(Vec::new());

fn ours() -> MutexGuard<'static, Vec<usize>> {
    OURS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Our hook, in front of the one that was there.
struct Chained {
    next: Hook,
}

impl Chained {
    fn call(&self, info: &PanicHookInfo<'_>) {
        note(info);
        (self.next)(info);
    }
}

impl Drop for Chained {
    fn drop(&mut self) {
        let this = ptr::from_ref(self).addr();
        ours().retain(|hook| *hook != this);
        set_first();
    }
}

/// Begins to note panics on workers.
pub(super) fn watch() {
    static INSTALLED: Once = Once::new();

    if PANIC_ABORTS {
        set_first();
    } else {
        INSTALLED.call_once(set_first);
    }
}

/// Sets our hook in front of the one that is there, unless that is ours.
fn set_first() {
    static CHANGE: Mutex<()> = Mutex::new(());

    // Not while this thread panics. And if another is at it, or this one further up, it does what is wanted.
    if platform::is_panicking() {
        return;
    }
    let Ok(_change) = CHANGE.try_lock() else { return };
    let address = |hook: &Hook| ptr::from_ref(&**hook).cast::<()>().addr();
    let mut hook = panic::take_hook();
    let is_ours = ours().contains(&address(&hook));
    if !is_ours {
        let chained = Chained { next: hook };
        hook = Box::new(move |info| chained.call(info));
        debug_assert_eq!(size_of_val(&*hook), size_of::<Chained>(), "it lies where its one capture does");
        ours().push(address(&hook));
    }
    panic::set_hook(hook);
}

fn note(info: &PanicHookInfo<'_>) {
    // Other threads are not ours.
    let Some(worker) = current_worker() else { return };
    let location = info.location().map(ToString::to_string);
    let note = (panic_text(info.payload()), location);
    if !PANIC_ABORTS {
        return keep(Some(note));
    }
    // Told once: hooks of ours may be chained.
    if REPORTED.replace(true) {
        return;
    }
    let (message, location) = note;
    let task = Some(platform::current_task()).filter(|task| *task != 0).map(TaskId::from_number);
    worker.report_panic(task, message, location);
}

/// Drops the last note: a thread does not drop it when it ends.
pub(super) fn forget_last() {
    keep(None);
}

fn keep(note: Option<Note>) {
    LAST_PANIC.with(|last| last.set(note));
}

/// True once a panic was noted, where panics abort.
pub(super) fn was_reported() -> bool {
    REPORTED.get()
}

/// Before code of a task: what it panics with will be noted, and what was noted until now was caught elsewhere.
pub(super) fn prepare() {
    if PANIC_ABORTS {
        set_first();
    } else {
        keep(None);
    }
}

/// What is known of a panic that was caught.
pub(super) fn describe(payload: &(dyn Any + Send)) -> Note {
    let text = panic_text(payload);
    // One that was caught elsewhere is another one.
    match LAST_PANIC.with(ThreadSlot::take).filter(|(noted, _)| *noted == text) {
        Some(note) => note,
        None => {
            set_first();
            (text, None)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hooks_that_are_taken_and_set_again_make_no_chain() {
        watch();
        for _ in 0..1_000 {
            let before = panic::take_hook();
            panic::set_hook(Box::new(|_| {}));
            set_first();
            panic::set_hook(before);
        }
        let count = ours().len();
        assert!((1..4).contains(&count), "{count}");
    }
}
