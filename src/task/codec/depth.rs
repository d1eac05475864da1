//! How deep values may be nested: as deep as the stack bears, whatever they are made of.

use super::fault::Fault;

/// How many turns of a recursive type: it passes an option, a sequence, a map, a trait object or an enum's variant at each.
///
/// The bound is that of `serde_json`: it keeps an unoptimized build well within the 1 MiB of stack that a linker gives to
/// wasm, and within what each engine adds to it.
const MOST_TURNS: u16 = 128;

/// How many levels of all, structs, tuples and newtypes too: a turn may pass some of these besides, and one that is written by
/// hand need not pass anything else.
const MOST_LEVELS: u16 = 4 * MOST_TURNS;

/// How deep in a value its reader or writer is.
#[derive(Clone, Copy, Default)]
pub(super) struct Depth {
    turns: u16,
    levels: u16,
}

impl Depth {
    /// Within a struct, a tuple or a newtype.
    #[inline]
    pub(super) fn part(self) -> Result<Self, Fault> {
        if self.levels == MOST_LEVELS {
            return Err(Fault::too_deep(MOST_LEVELS));
        }
        Ok(Self { levels: self.levels + 1, ..self })
    }

    /// Within what a recursive type passes at each turn.
    #[inline]
    pub(super) fn turn(self) -> Result<Self, Fault> {
        if self.turns == MOST_TURNS {
            return Err(Fault::too_deep(MOST_TURNS));
        }
        Self { turns: self.turns + 1, ..self }.part()
    }
}
