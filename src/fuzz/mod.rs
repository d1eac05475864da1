//! Gives random input to everything that reads what crosses the seam: for the property beside, and for the target in
//! the folder `fuzz`.
//!
//! An input names a reader and makes a [packet](packet) for it: of any lanes, or of those that the library's own writers
//! made, changed in some places. Then must hold: nothing panics, and no more memory is taken than a small multiple of
//! the packet.
//!
//! Addresses are the exception. They are trusted, since they lie in a lane of their own ("Soundness" in
//! `platform::address`): only genuine ones are tried, in every order, and numbers that no static can have.

#![cfg_attr(test, expect(unreachable_pub, reason = "public where the target is built"))]

mod allocator;
mod packet;
#[cfg(test)]
mod properties;
mod readers;
mod values;

pub use self::allocator::CountingAllocator;

use self::packet::Input;

/// Beside its value, an error with its text, which names a type, may take so much.
const ERROR: usize = 1024;

/// Reads what the input makes. True if there was a value.
///
/// # Panics
///
/// If a reader panics, or takes too much memory, which only shows where [`CountingAllocator`] is the allocator.
pub fn read(input: &[u8]) -> bool {
    readers::with_readers(|readers| {
        let mut input = Input::new(input);
        let reader = input.pick(readers);
        let packet = input.packet(reader);
        let allowed = ERROR + reader.multiple * packet::size(&packet);
        let mut is_read = false;
        let taken = allocator::most_taken(|| is_read = (reader.read)(packet));
        assert!(taken <= allowed, "{} took {taken} bytes, {allowed} are allowed", reader.name);
        is_read
    })
}

/// Inputs that make what the library's own writers have made.
#[cfg(test)]
fn seeds() -> Vec<Vec<u8>> {
    readers::with_readers(|readers| {
        let examples = |(nth, reader): (usize, &readers::Reader)| {
            (1..=reader.examples.len()).map(move |example| vec![nth as u8, example as u8])
        };
        readers.iter().enumerate().flat_map(examples).collect()
    })
}
