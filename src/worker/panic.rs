//! What a panic said and where, for the error that its task ends in.
//!
//! A hook notes it. Where panics unwind, the worker asks for the note when it has caught one: a task may catch its own
//! panics and go on. Where they abort, the hook is the last Rust code to run, so it reports to the page itself.

use std::any::Any;
use std::cell::Cell;
use std::panic::{self, PanicHookInfo};
use std::sync::Once;

use super::context::current_worker;
use crate::error::panic_text;
use crate::platform::{self, PANIC_ABORTS};
use crate::schedule::TaskId;

/// A message and a place.
type Note = (String, Option<String>);

thread_local! {
    static LAST_PANIC: Cell<Option<Note>> = const { Cell::new(None) };
    /// Where panics abort: there was one, and the page knows.
    static REPORTED: Cell<bool> = const { Cell::new(false) };
}

/// Makes sure that panics on workers are noted. The hook that was there is called after ours.
pub(super) fn watch() {
    static INSTALLED: Once = Once::new();

    if PANIC_ABORTS {
        // One thread per instance, and the program may have set a hook of its own since: ours comes first again.
        install();
    } else {
        INSTALLED.call_once(install);
    }
}

fn install() {
    let next = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        note(info);
        next(info);
    }));
}

fn note(info: &PanicHookInfo<'_>) {
    // Other threads are not ours.
    let Some(worker) = current_worker() else { return };
    let location = info.location().map(ToString::to_string);
    let note = (panic_text(info.payload()), location);
    if !PANIC_ABORTS {
        return LAST_PANIC.set(Some(note));
    }
    // Told once: hooks of ours may be chained.
    if REPORTED.replace(true) {
        return;
    }
    let (message, location) = note;
    let task = Some(platform::current_task()).filter(|task| *task != 0).map(TaskId::from_number);
    worker.report_panic(task, message, location);
}

/// True once a panic was noted, where panics abort.
pub(super) fn was_reported() -> bool {
    REPORTED.get()
}

/// Before code that may panic: what was noted until now was caught elsewhere.
pub(super) fn forget_last() {
    LAST_PANIC.set(None);
}

/// What is known of a panic that was caught.
pub(super) fn describe(payload: &(dyn Any + Send)) -> Note {
    LAST_PANIC.take().unwrap_or_else(|| (panic_text(payload), None))
}
