//! The memory of this instance, and its table of functions.

use super::reflect::get;

/// Addresses are below this.
pub(crate) fn memory_size() -> usize {
    const PAGE: usize = 64 * 1024;
    // 4 GiB are one more than fit.
    core::arch::wasm32::memory_size(0).saturating_mul(PAGE)
}

/// How long the table of functions is: the same in every instance of one module.
pub(super) fn table_length() -> u32 {
    let length = get(&wasm_bindgen::function_table(), "length");
    length.as_f64().map_or(0, |length| length as u32)
}
