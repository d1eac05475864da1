#![expect(unsafe_code, reason = "a function crosses as its address and is called through it")]
//! How a function crosses: as two addresses that are the same in every instance of one module.
//!
//! An [`Entry`] is a promoted static, one per signature: it knows how to decode the arguments, call the function and
//! encode the result. Beside it travels the address of the function itself. On the web every worker runs the page's own
//! compiled module, so its data and its function table lie where the page's lie; natively both sides share one memory.
//!
//! Nothing is keyed on these addresses: entries that the compiler merges or doubles are harmless.

use std::future::Future;
use std::mem;
use std::panic::Location;
use std::ptr;
use std::rc::Rc;

use futures::future::LocalBoxFuture;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::codec::{self, Decoder};
use super::hint::Hint;
use crate::error::Error;
use crate::platform::{self, Packet};
use crate::schedule::Site;

/// What a call gives: an encoded result.
pub(crate) type Outcome = Result<Packet, Error>;

/// A call that was begun.
pub(crate) enum Call {
    /// It was a synchronous one and has ended.
    Ended(Outcome),
    /// It goes on when it is polled.
    Running(LocalBoxFuture<'static, Outcome>),
}

/// An arbitrary pattern that no other static is likely to hold.
const MAGIC: u64 = 0x7761_736d_6d74_0002;

/// Decodes arguments, calls the function at an address, encodes the result: all for one signature.
pub(crate) struct Entry {
    magic: u64,
    /// The `usize` MUST be the address of a function of the signature that the entry was made for.
    call: unsafe fn(usize, Decoder) -> Call,
}

impl Entry {
    /// The entry for a function `fn(A) -> R`.
    pub(crate) fn sync<A, R>() -> &'static Entry
    where
        A: DeserializeOwned + 'static,
        R: Serialize + 'static,
    {
        const { &Entry { magic: MAGIC, call: call_sync::<A, R> } }
    }

    /// The entry for a function `fn(A) -> impl Future<Output = R>`.
    pub(crate) fn future<A, F, R>() -> &'static Entry
    where
        A: DeserializeOwned + 'static,
        F: Future<Output = R> + 'static,
        R: Serialize + 'static,
    {
        const { &Entry { magic: MAGIC, call: call_future::<A, F, R> } }
    }

    /// The entry for a function `fn(A) -> impl Future<Output = Result<R, Error>>` whose error is the task's.
    pub(crate) fn fallible<A, F, R>() -> &'static Entry
    where
        A: DeserializeOwned + 'static,
        F: Future<Output = Result<R, Error>> + 'static,
        R: Serialize + 'static,
    {
        const { &Entry { magic: MAGIC, call: call_fallible::<A, F, R> } }
    }

    /// The entry for a function `fn(A, Hint<X, R>) -> impl Fn(X) -> R`, which makes the one that is called.
    pub(crate) fn made<A, G, X, R>() -> &'static Entry
    where
        A: DeserializeOwned + 'static,
        G: Fn(X) -> R + 'static,
        X: DeserializeOwned + 'static,
        R: Serialize + 'static,
    {
        const { &Entry { magic: MAGIC, call: call_made::<A, G, X, R> } }
    }

    /// The entry for a function `fn(A, Hint<X, R>) -> impl AsyncFn(X) -> R`, which makes the one that is called.
    pub(crate) fn made_async<A, G, X, R>() -> &'static Entry
    where
        A: DeserializeOwned + 'static,
        G: AsyncFn(X) -> R + 'static,
        X: DeserializeOwned + 'static,
        R: Serialize + 'static,
    {
        const { &Entry { magic: MAGIC, call: call_made_async::<A, G, X, R> } }
    }

    /// The entry for a function `fn(Packet) -> Outcome`, which decodes and encodes by itself.
    pub(super) fn raw() -> &'static Entry {
        const { &Entry { magic: MAGIC, call: call_raw } }
    }

    /// Begins a packet with this entry and `function`, which MUST be a function of the entry's signature.
    pub(super) fn packet(&'static self, function: *const ()) -> Packet {
        let entries = vec![ptr::from_ref(self).expose_provenance(), function.expose_provenance()];
        Packet { entries, ..Packet::default() }
    }
}

/// Decodes a packet's entry and arguments and begins the call.
pub(crate) fn begin(packet: Packet) -> Call {
    let mut decoder = Decoder::new(packet);
    let (Some(entry), Some(function)) = (decoder.take_entry(), decoder.take_entry()) else {
        return Call::Ended(Err(foreign()));
    };
    match lookup(entry) {
        // SAFETY: the lane of entries begins with what `Entry::packet` put there, an entry together with a function of its
        // signature; values only append to it. Both addresses mean the same here as there (module documentation).
        Some(entry) if function != 0 => unsafe { (entry.call)(function, decoder) },
        _ => Call::Ended(Err(foreign())),
    }
}

/// What stands for a place in the program, here and in every other instance of its module.
pub(super) fn site(place: &'static Location<'static>) -> Site {
    Site(ptr::from_ref(place).expose_provenance() as u64)
}

/// The place in the program that a site stands for.
pub(crate) fn place(site: Site) -> Option<&'static Location<'static>> {
    let address = usize::try_from(site.0).ok().filter(|address| is_within::<Location<'static>>(*address))?;
    // SAFETY: the address is aligned and lies within this memory. Sites are made by `site` only, of references that live for
    // ever, and cross in the lane of entries, which only this crate writes; so it is the address of such a place, and means
    // the same here as there (module documentation).
    Some(unsafe { &*ptr::with_exposed_provenance::<Location<'static>>(address) })
}

/// True if a static of this type may lie at the address.
pub(super) fn is_within<T>(address: usize) -> bool {
    let end = address.checked_add(size_of::<T>());
    address != 0 && address % align_of::<T>() == 0 && end.is_some_and(|end| end <= platform::memory_size())
}

pub(super) fn foreign() -> Error {
    Error::codec(
        "the task was made by another build of the program; reload the page so that both sides run the same one",
    )
}

/// The entry at an address, if there is one.
fn lookup(address: usize) -> Option<&'static Entry> {
    if !is_within::<Entry>(address) {
        return None;
    }
    // SAFETY: the address is aligned and lies within this memory. The first address in the lane of entries comes from
    // `Entry::packet` only; the magic tells apart an instance of another module, where something else lies there.
    let entry = unsafe { &*ptr::with_exposed_provenance::<Entry>(address) };
    (entry.magic == MAGIC).then_some(entry)
}

/// # Safety
/// `address` MUST be that of a function of type `F`, which MUST be a function pointer type.
unsafe fn function<F: Copy>(address: usize) -> F {
    const { assert!(size_of::<F>() == size_of::<usize>()) };
    // SAFETY: the caller vouches for the type; a function pointer is as large as its address.
    unsafe { mem::transmute_copy(&ptr::with_exposed_provenance::<()>(address)) }
}

/// # Safety
/// `address` MUST be that of an `fn(A) -> R`.
unsafe fn call_sync<A, R>(address: usize, decoder: Decoder) -> Call
where
    A: DeserializeOwned + 'static,
    R: Serialize + 'static,
{
    // SAFETY: the caller's contract.
    let f = unsafe { function::<fn(A) -> R>(address) };
    Call::Ended(decode(decoder).and_then(|args| encode(&f(args))))
}

/// # Safety
/// `address` MUST be that of an `fn(A) -> F`.
unsafe fn call_future<A, F, R>(address: usize, decoder: Decoder) -> Call
where
    A: DeserializeOwned + 'static,
    F: Future<Output = R> + 'static,
    R: Serialize + 'static,
{
    // SAFETY: the caller's contract.
    let f = unsafe { function::<fn(A) -> F>(address) };
    match decode(decoder) {
        Ok(args) => running(f(args)),
        Err(error) => Call::Ended(Err(error)),
    }
}

/// # Safety
/// `address` MUST be that of an `fn(A) -> F`.
unsafe fn call_fallible<A, F, R>(address: usize, decoder: Decoder) -> Call
where
    A: DeserializeOwned + 'static,
    F: Future<Output = Result<R, Error>> + 'static,
    R: Serialize + 'static,
{
    // SAFETY: the caller's contract.
    let f = unsafe { function::<fn(A) -> F>(address) };
    match decode(decoder) {
        Ok(args) => {
            let future = f(args);
            Call::Running(Box::pin(async move { encode(&future.await?) }))
        }
        Err(error) => Call::Ended(Err(error)),
    }
}

/// # Safety
/// `address` MUST be that of an `fn(A, Hint<X, R>) -> G`.
unsafe fn call_made<A, G, X, R>(address: usize, decoder: Decoder) -> Call
where
    A: DeserializeOwned + 'static,
    G: Fn(X) -> R + 'static,
    X: DeserializeOwned + 'static,
    R: Serialize + 'static,
{
    // SAFETY: the caller's contract.
    let make = unsafe { function::<fn(A, Hint<X, R>) -> G>(address) };
    Call::Ended(decode_open(decoder).and_then(|(args, x)| encode(&make(args, Hint::new())(x))))
}

/// # Safety
/// `address` MUST be that of an `fn(A, Hint<X, R>) -> G`.
unsafe fn call_made_async<A, G, X, R>(address: usize, decoder: Decoder) -> Call
where
    A: DeserializeOwned + 'static,
    G: AsyncFn(X) -> R + 'static,
    X: DeserializeOwned + 'static,
    R: Serialize + 'static,
{
    // SAFETY: the caller's contract.
    let make = unsafe { function::<fn(A, Hint<X, R>) -> G>(address) };
    match decode_open(decoder) {
        Ok((args, x)) => {
            // The future borrows from the closure, and so has it beside itself.
            let made = Rc::new(make(args, Hint::new()));
            running(async move { made(x).await })
        }
        Err(error) => Call::Ended(Err(error)),
    }
}

/// # Safety
/// `address` MUST be that of an `fn(Packet) -> Outcome`.
unsafe fn call_raw(address: usize, decoder: Decoder) -> Call {
    // SAFETY: the caller's contract.
    let f = unsafe { function::<fn(Packet) -> Outcome>(address) };
    Call::Ended(f(decoder.into_rest()))
}

fn decode<A: DeserializeOwned>(mut decoder: Decoder) -> Result<A, Error> {
    let args = decoder.next()?;
    decoder.finish()?;
    Ok(args)
}

/// Two values one after the other: the open argument is encoded behind the captured values.
fn decode_open<A: DeserializeOwned, X: DeserializeOwned>(mut decoder: Decoder) -> Result<(A, X), Error> {
    let both = (decoder.next()?, decoder.next()?);
    decoder.finish()?;
    Ok(both)
}

fn encode<R: Serialize>(result: &R) -> Outcome {
    let mut packet = Packet::default();
    codec::encode(result, &mut packet)?;
    Ok(packet)
}

fn running<R: Serialize>(future: impl Future<Output = R> + 'static) -> Call {
    Call::Running(Box::pin(async move { encode(&future.await) }))
}
