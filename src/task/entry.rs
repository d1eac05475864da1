#![expect(unsafe_code, reason = "a function crosses as its address and is called through it")]
//! How a function crosses: as two addresses that are the same in every instance of one module.
//!
//! An [`Entry`] is a promoted static, one per signature: it knows how to decode the arguments, call the function and
//! encode the result. Beside it travels the address of the function itself. On the web every worker runs the page's own
//! compiled module, so its data and its function table lie where the page's lie; natively both sides share one memory.
//!
//! Nothing is keyed on these addresses: entries that the compiler merges or doubles are harmless.

use std::future::Future;
use std::panic::Location;
use std::rc::Rc;

use futures::future::LocalBoxFuture;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::codec::{self, Decoder};
use super::hint::Hint;
use crate::error::Error;
use crate::platform::{Address, Packet, Tag, Tagged};
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

/// Decodes arguments, calls the function at an address, encodes the result: all for one signature.
pub(crate) struct Entry {
    /// The address MUST be that of a function of the signature that the entry was made for.
    call: unsafe fn(Address, Decoder) -> Call,
}

impl Tag for Entry {
    const TAG: u64 = 0x7761_736d_6d74_0003;
}

impl Entry {
    /// The entry for a function `fn(A) -> R`.
    pub(crate) fn sync<A, R>() -> &'static Tagged<Entry>
    where
        A: DeserializeOwned + 'static,
        R: Serialize + 'static,
    {
        const { &Tagged::new(Entry { call: call_sync::<A, R> }) }
    }

    /// The entry for a function `fn(A) -> impl Future<Output = R>`.
    pub(crate) fn future<A, F, R>() -> &'static Tagged<Entry>
    where
        A: DeserializeOwned + 'static,
        F: Future<Output = R> + 'static,
        R: Serialize + 'static,
    {
        const { &Tagged::new(Entry { call: call_future::<A, F, R> }) }
    }

    /// The entry for a function `fn(A) -> impl Future<Output = Result<R, Error>>` whose error is the task's.
    pub(crate) fn fallible<A, F, R>() -> &'static Tagged<Entry>
    where
        A: DeserializeOwned + 'static,
        F: Future<Output = Result<R, Error>> + 'static,
        R: Serialize + 'static,
    {
        const { &Tagged::new(Entry { call: call_fallible::<A, F, R> }) }
    }

    /// The entry for a function `fn(A, Hint<X, R>) -> impl Fn(X) -> R`, which makes the one that is called.
    pub(crate) fn made<A, G, X, R>() -> &'static Tagged<Entry>
    where
        A: DeserializeOwned + 'static,
        G: Fn(X) -> R + 'static,
        X: DeserializeOwned + 'static,
        R: Serialize + 'static,
    {
        const { &Tagged::new(Entry { call: call_made::<A, G, X, R> }) }
    }

    /// The entry for a function `fn(A, Hint<X, R>) -> impl AsyncFn(X) -> R`, which makes the one that is called.
    pub(crate) fn made_async<A, G, X, R>() -> &'static Tagged<Entry>
    where
        A: DeserializeOwned + 'static,
        G: AsyncFn(X) -> R + 'static,
        X: DeserializeOwned + 'static,
        R: Serialize + 'static,
    {
        const { &Tagged::new(Entry { call: call_made_async::<A, G, X, R> }) }
    }

    /// The entry for a function `fn(Packet) -> Outcome`, which decodes and encodes by itself.
    pub(super) fn raw() -> &'static Tagged<Entry> {
        const { &Tagged::new(Entry { call: call_raw }) }
    }
}

/// What the lane of addresses begins with in a call.
const LOCATION: usize = 2; // behind the entry and the function

/// Begins the packet of a call of `function`, which MUST be of the entry's signature, by a task that was made at `made_at`.
pub(super) fn packet(
    entry: &'static Tagged<Entry>,
    function: *const (),
    made_at: &'static Location<'static>,
) -> Packet {
    let addresses = vec![Address::of(entry), Address::of_function(function), Address::of_location(made_at)];
    Packet { addresses, ..Packet::default() }
}

/// Decodes a packet's entry and arguments and begins the call.
pub(crate) fn begin(packet: Packet) -> Call {
    let mut decoder = Decoder::new(packet);
    let [entry, function, _location] = [(); 3].map(|()| decoder.take_address());
    let entry = entry.and_then(Address::get::<Entry>);
    match (entry, function) {
        // SAFETY: the lane of addresses begins with what `packet` put there, an entry together with a function of its
        // signature; values only append to it. Both addresses mean the same here as there (`platform::Address`).
        (Some(entry), Some(function)) => unsafe { (entry.call)(function, decoder) },
        _ => Call::Ended(Err(foreign())),
    }
}

/// Stands for a place in the program, here and in every other instance of its module.
pub(super) fn site(made_at: &'static Location<'static>) -> Site {
    Site(Address::of_location(made_at).number() as u64)
}

/// The address of the place that made the task of this call.
pub(crate) fn location(call: &Packet) -> Option<Address> {
    call.addresses.get(LOCATION).copied()
}

pub(super) fn foreign() -> Error {
    Error::codec(
        "the task was made by another build of the program; reload the page so that both sides run the same one",
    )
}

/// # Safety
/// `address` MUST be that of an `fn(A) -> R`.
unsafe fn call_sync<A, R>(address: Address, decoder: Decoder) -> Call
where
    A: DeserializeOwned + 'static,
    R: Serialize + 'static,
{
    // SAFETY: the caller's contract.
    let Some(f) = (unsafe { address.function::<fn(A) -> R>() }) else { return Call::Ended(Err(foreign())) };
    Call::Ended(decode(decoder).and_then(|args| encode(&f(args))))
}

/// # Safety
/// `address` MUST be that of an `fn(A) -> F`.
unsafe fn call_future<A, F, R>(address: Address, decoder: Decoder) -> Call
where
    A: DeserializeOwned + 'static,
    F: Future<Output = R> + 'static,
    R: Serialize + 'static,
{
    // SAFETY: the caller's contract.
    let Some(f) = (unsafe { address.function::<fn(A) -> F>() }) else { return Call::Ended(Err(foreign())) };
    match decode(decoder) {
        Ok(args) => running(f(args)),
        Err(error) => Call::Ended(Err(error)),
    }
}

/// # Safety
/// `address` MUST be that of an `fn(A) -> F`.
unsafe fn call_fallible<A, F, R>(address: Address, decoder: Decoder) -> Call
where
    A: DeserializeOwned + 'static,
    F: Future<Output = Result<R, Error>> + 'static,
    R: Serialize + 'static,
{
    // SAFETY: the caller's contract.
    let Some(f) = (unsafe { address.function::<fn(A) -> F>() }) else { return Call::Ended(Err(foreign())) };
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
unsafe fn call_made<A, G, X, R>(address: Address, decoder: Decoder) -> Call
where
    A: DeserializeOwned + 'static,
    G: Fn(X) -> R + 'static,
    X: DeserializeOwned + 'static,
    R: Serialize + 'static,
{
    // SAFETY: the caller's contract.
    let Some(make) = (unsafe { address.function::<fn(A, Hint<X, R>) -> G>() }) else {
        return Call::Ended(Err(foreign()));
    };
    Call::Ended(decode_open(decoder).and_then(|(args, x)| encode(&make(args, Hint::new())(x))))
}

/// # Safety
/// `address` MUST be that of an `fn(A, Hint<X, R>) -> G`.
unsafe fn call_made_async<A, G, X, R>(address: Address, decoder: Decoder) -> Call
where
    A: DeserializeOwned + 'static,
    G: AsyncFn(X) -> R + 'static,
    X: DeserializeOwned + 'static,
    R: Serialize + 'static,
{
    // SAFETY: the caller's contract.
    let Some(make) = (unsafe { address.function::<fn(A, Hint<X, R>) -> G>() }) else {
        return Call::Ended(Err(foreign()));
    };
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
unsafe fn call_raw(address: Address, decoder: Decoder) -> Call {
    // SAFETY: the caller's contract.
    let Some(f) = (unsafe { address.function::<fn(Packet) -> Outcome>() }) else {
        return Call::Ended(Err(foreign()));
    };
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
