//! The locks by which a page notices workers that end without a message, also while it is hidden and restored.
//!
//! A worker holds a lock, and its page asks for the same one: it gets it when the worker is gone, however it went. But Firefox
//! loads a page anew on the way back to it if any of its workers held a lock, and looks before `pagehide`. So the workers let
//! go when the page is about to leave, and hold new locks when it is back, or stays after all. A worker that is busy at that
//! moment cannot let go, and then the page is not kept; nor if the next page is there as soon as it is asked for, one that Firefox
//! has kept itself, say. WebKit takes requests back from a page that it keeps: they are made
//! anew too.

use std::cell::Cell;
use std::time::Duration;

use wasm_bindgen::prelude::*;

use super::local::{settled, spawn_local};
use super::reflect::{self, call, function, get, global, once, text};
use super::time::sleep;

/// How long a page that wanted to leave may take. What stays longer stays: a download, or a user who was asked.
const DEPARTURE: Duration = Duration::from_secs(10);

/// Tells all workers to hold a lock or not, and which departure that is about.
type Tell = fn(bool, u32);

thread_local! {
    static IS_AWAY: Cell<bool> = const { Cell::new(false) };
    /// How often the page has left. A lock that was asked for before says nothing of its worker: that has let go of it.
    static DEPARTURES: Cell<u32> = const { Cell::new(0) };
    /// Absent if there has been no worker yet.
    static TELL: Cell<Option<Tell>> = const { Cell::new(None) };
}

/// Asks for the lock that a worker holds: when it comes, the worker is gone. A lock that a worker was told to hold comes with the
/// number of the departure before.
pub(super) fn watch(name: &str, since: Option<f64>, tell: Tell, gone: impl FnOnce() + 'static) {
    if TELL.replace(Some(tell)).is_none() {
        listen();
    }
    let departures = DEPARTURES.get();
    if since.is_some_and(|since| since != f64::from(departures)) {
        return;
    }
    if IS_AWAY.get() {
        return tell(false, departures);
    }
    let granted = once(move |_lock| {
        spawn_local(async move {
            // What the worker posted before its end may still be on its way through the event loop.
            sleep(Duration::ZERO).await;
            if DEPARTURES.get() == departures {
                gone();
            }
        });
    });
    // Without locks a deadline is the only witness; a page that goes away needs none.
    let request = call(&get(&global("navigator"), "locks"), "request", [name.into(), granted]);
    spawn_local(async move {
        let _gone: Result<JsValue, JsValue> = settled(request).await;
    });
}

/// The page, of which this worker is a part, leaves or is back.
pub(super) fn follow(is_back: bool) {
    if is_back { come_back() } else { leave() }
}

/// Hears when the page leaves and comes back. It is so for good.
fn listen() {
    let on_event = function(|event| {
        if text(&event, "type").is_some_and(|event| event == "pageshow") {
            return come_back();
        }
        leave();
        let departure = DEPARTURES.get();
        spawn_local(async move {
            sleep(DEPARTURE).await;
            if DEPARTURES.get() == departure {
                come_back();
            }
        });
    });
    for event in ["beforeunload", "pagehide", "pageshow"] {
        // Where there is nothing like it, there is no page that leaves.
        reflect::listen(event, &on_event);
    }
}

fn leave() {
    if !IS_AWAY.replace(true) {
        DEPARTURES.set(DEPARTURES.get().wrapping_add(1));
        tell(false);
    }
}

fn come_back() {
    if IS_AWAY.replace(false) {
        tell(true);
    }
}

fn tell(hold: bool) {
    if let Some(tell) = TELL.get() {
        tell(hold, DEPARTURES.get());
    }
}
