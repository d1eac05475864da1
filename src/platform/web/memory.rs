//! The memory of this instance, its stack, and its table of functions.

use std::cell::Cell;
use std::hint::black_box;

use super::reflect::number;

/// Addresses are below this.
pub(crate) fn memory_size() -> usize {
    const PAGE: usize = 64 * 1024;
    // 4 GiB are one more than fit.
    core::arch::wasm32::memory_size(0).saturating_mul(PAGE)
}

/// True once a quarter of the stack is lost. An exception of JavaScript that unwinds through frames of this instance does not
/// give back what they took, and no stable means sets the pointer. To be called at the same depth each time.
pub(crate) fn stack_has_sunk() -> bool {
    /// What the linker gives a program that does not ask for another stack.
    const STACK: usize = 1024 * 1024;

    thread_local! {
        static FIRST: Cell<usize> = const { Cell::new(0) };
    }
    let local = 0_u8;
    let address = std::ptr::from_ref(black_box(&local)).addr();
    let first = FIRST.get().max(address);
    FIRST.set(first);
    first - address > STACK / 4
}

/// How long the table of functions is: the same in every instance of one module.
pub(super) fn table_length() -> u32 {
    number(&wasm_bindgen::function_table(), "length").map_or(0, |length| length as u32)
}
