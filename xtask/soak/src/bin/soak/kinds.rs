//! What is tried.

use crate::room;

/// A kind of task, of several tasks that belong together, or of another call that must end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Computes a number.
    Value,
    /// The same, and may run again.
    Retry,
    /// The same, and has a time limit that is never over.
    InTime,
    /// The same, if the executor has room for it.
    TrySpawn,
    /// Keeps its thread for some milliseconds.
    Work,
    /// Returns what it is given, a structure.
    Text,
    /// Returns what it is given, a block of numbers.
    Bulk,
    /// Waits for a timer.
    Sleep,
    /// Lets others have their turn, several times.
    Yields,
    /// Spawns tasks that spawn tasks, and awaits them.
    Tree,
    /// Has a pool of its own.
    OwnPool,
    /// One task for each worker.
    Broadcast,
    /// A future that stays in its memory.
    Future,
    /// A function for many items.
    ParMap,
    /// The same, but the function panics for some of them.
    ParMapPanics,
    /// Awaits something that never comes, with a time limit.
    Timeout,
    /// Is aborted while it awaits something, or before.
    Abort,
    /// The handle is dropped.
    Drop,
    /// The handle is let go.
    Forget,
    /// Returns what cannot be encoded.
    Unwritable,
    /// Panics.
    Panic,
    /// Panics after it has awaited something.
    LatePanic,
    /// Keeps its thread until its time is over.
    Spin,
    /// Keeps its thread until it is aborted.
    AbortSpin,
    /// Keeps its thread, calls no JavaScript, and has a time limit. In WebKit its thread goes on for ever.
    Endless,
    /// Traps.
    Trap,
    /// Leaves a future behind in which JavaScript throws an exception.
    LeftOverException,
    /// Leaves a timer behind that traps.
    LeftOverTrap,
    /// Leaves a future behind that panics.
    LeftOverPanic,
    /// Closes its worker.
    CloseWorker,
    /// Returns a JavaScript value that cannot be cloned.
    Uncloneable,
    /// Is JavaScript, and throws an exception.
    Throws,
    /// Has a time limit, and stands behind code without end that another task has left behind.
    BehindEndless,
    /// Tasks of a pool whose `on_run` panics.
    HookPanics,
    /// Tasks beside one whose handle is polled with a waker that panics.
    WakerPanics,
    /// The end of an executor. It is in every plan.
    Close,
}

use Kind::*;

/// Each kind that can be drawn, how often, and where.
const KINDS: [(Kind, u32, Target); 35] = [
    (Value, 20, Target::Both),
    (Retry, 4, Target::Both),
    (InTime, 4, Target::Both),
    (TrySpawn, 6, Target::Both),
    (Work, 6, Target::Both),
    (Text, 6, Target::Both),
    (Bulk, 6, Target::Both),
    (Sleep, 6, Target::Both),
    (Yields, 6, Target::Both),
    (Tree, 6, Target::Both),
    (OwnPool, 1, Target::Both),
    (Broadcast, 3, Target::Both),
    (Future, 4, Target::Both),
    (ParMap, 4, Target::Both),
    (ParMapPanics, 2, Target::Both),
    (Timeout, 5, Target::Both),
    (Abort, 6, Target::Both),
    (Drop, 6, Target::Both),
    (Forget, 4, Target::Both),
    (Unwritable, 2, Target::Both),
    (Panic, 3, Target::Both),
    (LatePanic, 2, Target::Both),
    (Spin, 2, Target::Both),
    (AbortSpin, 2, Target::Both),
    (Endless, 1, Target::Web),
    (Trap, 2, Target::Web),
    (LeftOverException, 1, Target::Web),
    (LeftOverTrap, 1, Target::Web),
    (LeftOverPanic, 1, Target::Both),
    (CloseWorker, 1, Target::Web),
    (Uncloneable, 2, Target::Web),
    (Throws, 2, Target::Web),
    (BehindEndless, 1, Target::Both),
    (HookPanics, 1, Target::Native),
    (WakerPanics, 1, Target::Native),
];

/// Kinds that are drawn only if they are asked for by name: in WebKit each endless task takes a core from then on, and a
/// machine of two has none left for the rest.
const LEFT_OUT: [(Kind, Target); 1] = [(Endless, Target::Webkit)];

/// Where something is so.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Target {
    Native,
    Web,
    /// In a browser of this engine.
    Webkit,
    Both,
}

impl Target {
    fn is_this(self) -> bool {
        match self {
            Target::Both => true,
            Target::Native => cfg!(not(target_family = "wasm")),
            Target::Web => cfg!(target_family = "wasm"),
            Target::Webkit => room::is_webkit(),
        }
    }
}

/// The kinds to draw from, with their weights: those that are named in a list with commas, all others if it is empty.
pub(crate) fn drawn(only: &str) -> Vec<(Kind, u32)> {
    let is_left_out = |kind| LEFT_OUT.iter().any(|(left_out, target)| *left_out == kind && target.is_this());
    let is_wanted = |kind: Kind| {
        let name = format!("{kind:?}");
        if only.is_empty() {
            !is_left_out(kind)
        } else {
            only.split(',').any(|only| only.eq_ignore_ascii_case(&name))
        }
    };
    let here = KINDS.into_iter().filter(|(kind, _, target)| target.is_this() && is_wanted(*kind));
    let drawn: Vec<_> = here.map(|(kind, weight, _)| (kind, weight)).collect();
    assert!(!drawn.is_empty(), "no kind of task here is called {only}");
    drawn
}

impl Kind {
    /// True if many of them take no time to speak of.
    pub(crate) fn is_cheap(self) -> bool {
        matches!(self, Value | Retry | InTime | TrySpawn | Text | Yields | Drop | Forget)
    }

    /// True if its worker may be given up, without last words.
    pub(crate) fn is_given_up(self) -> bool {
        matches!(self, Spin | AbortSpin | Endless | BehindEndless)
    }

    /// True if it runs on a pool that is made for it, and not on the executor.
    pub(crate) fn has_own_pool(self) -> bool {
        matches!(self, HookPanics | WakerPanics)
    }

    /// True if it is asynchronous and is stopped before its end.
    pub(crate) fn is_stopped(self) -> bool {
        matches!(self, Abort | Timeout)
    }

    /// True if its worker may be lost, and others with it.
    pub(crate) fn is_spoiling(self) -> bool {
        matches!(
            self,
            ParMapPanics
                | Panic
                | LatePanic
                | Trap
                | LeftOverException
                | LeftOverTrap
                | LeftOverPanic
                | CloseWorker
        )
    }
}
