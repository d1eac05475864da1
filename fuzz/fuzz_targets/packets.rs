//! Reads packets that nobody wrote: nothing may panic, or take more memory than a small multiple of the packet.

#![no_main]

use libfuzzer_sys::fuzz_target;
use wasm_mt::__private::{CountingAllocator, read};

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

fuzz_target!(|input: &[u8]| {
    read(input);
});
