#![expect(unsafe_code, reason = "a function crosses as its address and is called through it")]
//! How a function crosses: as two addresses that are the same in every instance of one module.
//!
//! An [`Entry`] is a promoted static, one per signature: it knows how to decode the arguments, call the function and
//! encode the result. Beside it travels the address of the function itself; a [`Callee`] is such a pair. On the web every worker runs the page's own
//! compiled module, so its data and its function table lie where the page's lie; natively both sides share one memory.
//!
//! Nothing is keyed on these addresses: entries that the compiler merges or doubles are harmless.

use std::any::{Any, TypeId};
use std::future::Future;
use std::marker::PhantomData;
use std::panic::Location;
use std::rc::Rc;

use futures::future::LocalBoxFuture;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::batch::{Batch, BatchReader};
use super::chunk::Chunk;
use super::codec::{self, Decoder, foreign};
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
    /// As `call`, if what is called has an open argument that many values can be given to.
    make: Option<unsafe fn(Address, &mut Decoder) -> Made>,
}

/// A function that was made of its captures.
pub(super) type Made = Result<Rc<dyn Function>, Error>;

/// A function on its worker, without its types.
pub(super) trait Function {
    /// Calls it for the one argument that is left of a packet.
    fn call(&self, argument: Decoder) -> Call;

    /// Calls it for the items of a chunk, one after the other. Asynchronous ones have no chunks.
    fn run(&self, chunk: &Chunk) -> Result<(), Error>;

    /// Calls it for the first two results, for what that gives and the third, and so on.
    fn reduce(&self, results: Batch) -> Result<Batch, Error>;
}

impl Entry {
    /// `call` is given the address of a [`Callee`]'s function.
    pub(super) const fn new(call: unsafe fn(Address, Decoder) -> Call) -> Self {
        Self { call, make: None }
    }
}

impl Tag for Entry {
    const TAG: u64 = 0x7761_736d_6d74_0003;
}

/// A function and the entry for its signature.
pub(super) struct Callee {
    entry: &'static Tagged<Entry>,
    function: Address,
}

impl Callee {
    pub(super) fn sync<A, R>(f: fn(A) -> R) -> Self
    where
        A: DeserializeOwned + 'static,
        R: Serialize + 'static,
    {
        Self::new(const { &Tagged::new(Entry::new(call_sync::<A, R>)) }, f as *const ())
    }

    pub(super) fn future<A, F, R>(f: fn(A) -> F) -> Self
    where
        A: DeserializeOwned + 'static,
        F: Future<Output = R> + 'static,
        R: Serialize + 'static,
    {
        Self::new(const { &Tagged::new(Entry::new(call_future::<A, F, R>)) }, f as *const ())
    }

    /// The future's error is the task's.
    pub(super) fn fallible<A, F, R>(f: fn(A) -> F) -> Self
    where
        A: DeserializeOwned + 'static,
        F: Future<Output = Result<R, Error>> + 'static,
        R: Serialize + 'static,
    {
        Self::new(const { &Tagged::new(Entry::new(call_fallible::<A, F, R>)) }, f as *const ())
    }

    /// What is called is the closure that `make` gives.
    pub(super) fn made<A, G, X, R>(make: fn(A, Hint<X, R>) -> G) -> Self
    where
        A: DeserializeOwned + 'static,
        G: Fn(X) -> R + 'static,
        X: DeserializeOwned + 'static,
        R: Serialize + DeserializeOwned + 'static,
    {
        Self::new(
            const { &Tagged::new(Entry { call: call_made::<A, G, X, R>, make: Some(make_sync::<A, G, X, R>) }) },
            make as *const (),
        )
    }

    /// What is called is the async closure that `make` gives.
    pub(super) fn made_async<A, G, X, R>(make: fn(A, Hint<X, R>) -> G) -> Self
    where
        A: DeserializeOwned + 'static,
        G: AsyncFn(X) -> R + 'static,
        X: DeserializeOwned + 'static,
        R: Serialize + 'static,
    {
        Self::new(
            const {
                &Tagged::new(Entry {
                    call: call_made_async::<A, G, X, R>,
                    make: Some(make_async::<A, G, X, R>),
                })
            },
            make as *const (),
        )
    }

    /// A function that decodes and encodes by itself.
    pub(super) fn raw(f: fn(Packet) -> Call) -> Self {
        Self::new(const { &Tagged::new(Entry::new(call_raw)) }, f as *const ())
    }

    /// An entry of another file.
    ///
    /// # Safety
    /// `function` MUST be of the signature that the entry is for.
    pub(super) unsafe fn of_entry(entry: &'static Tagged<Entry>, function: *const ()) -> Self {
        Self::new(entry, function)
    }

    /// `function` MUST be of the signature that the entry is for.
    fn new(entry: &'static Tagged<Entry>, function: *const ()) -> Self {
        Self { entry, function: Address::of_function(function) }
    }

    /// Begins the packet of a call by a task that was made at `made_at`.
    pub(super) fn packet(&self, made_at: &'static Location<'static>) -> Packet {
        let addresses = vec![Address::of(self.entry), self.function, Address::of_location(made_at)];
        Packet { addresses, ..Packet::default() }
    }

    /// As [`packet`](Self::packet), for a call that is no task.
    #[track_caller]
    pub(super) fn packet_here(&self) -> Packet {
        self.packet(Location::caller())
    }

    /// As [`packet`](Self::packet), by a task that was made where this call says.
    pub(super) fn packet_like(&self, call: &Packet) -> Packet {
        let mut packet = self.packet_here();
        if let (Some(place), Some(made_at)) = (packet.addresses.get_mut(LOCATION), location(call)) {
            *place = made_at;
        }
        packet
    }
}

/// Begins the packet of a call that is no task, of a function that decodes by itself.
#[track_caller]
pub(crate) fn raw_call(f: fn(Packet) -> Call) -> Packet {
    Callee::raw(f).packet_here()
}

/// What the lane of addresses begins with in a call.
const LOCATION: usize = 2; // behind the entry and the function

/// Decodes a packet's entry and arguments and begins the call.
pub(crate) fn begin(packet: Packet) -> Call {
    let mut decoder = Decoder::new(packet);
    let [entry, function, _location] = [(); 3].map(|()| decoder.take_address());
    let entry = entry.and_then(Address::get::<Entry>);
    match (entry, function) {
        // SAFETY: the lane of addresses begins with what `Callee::packet` put there, an entry together with a function of its
        // signature; values only append to it. Both addresses mean the same here as there. Whoever else can write to that lane
        // is trusted ("Soundness" in `platform::address`); the entry's tag is checked.
        (Some(entry), Some(function)) => unsafe { (entry.call)(function, decoder) },
        _ => Call::Ended(Err(foreign())),
    }
}

/// Makes the function that this packet is the stem of: see [`RemoteFn`](super::RemoteFn).
pub(super) fn make(stem: Packet) -> Made {
    let mut decoder = Decoder::new(stem);
    let [entry, function, _location] = [(); 3].map(|()| decoder.take_address());
    let make = entry.and_then(Address::get::<Entry>).and_then(|entry| entry.make);
    let (Some(make), Some(function)) = (make, function) else { return Err(foreign()) };
    // SAFETY: as in `begin`.
    let made = unsafe { make(function, &mut decoder) };
    made.and_then(|made| decoder.finish().map(|()| made))
}

/// Stands for a place in the program, here and in every other instance of its module.
pub(super) fn site(made_at: &'static Location<'static>) -> Site {
    Site(Address::of_location(made_at).number() as u64)
}

/// The address of the place that made the task of this call.
pub(crate) fn location(call: &Packet) -> Option<Address> {
    call.addresses.get(LOCATION).copied()
}

/// The place in a packet that holds nothing but what [`location`] gave.
pub(crate) fn read_location(packet: &Packet) -> Option<&'static Location<'static>> {
    // SAFETY: `Callee::packet` has put a location's address where `location` finds it, and the messages hold that alone. Whoever
    // else can write to the lane of addresses is trusted ("Soundness" in `platform::address`).
    unsafe { packet.addresses.first()?.location() }
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
    Call::Ended(decoder.last().and_then(|args| encode(&f(args))))
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
    match decoder.last() {
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
    match decoder.last() {
        Ok(args) => {
            let future = f(args);
            Call::Running(Box::pin(async move { encode(&future.await?) }))
        }
        Err(error) => Call::Ended(Err(error)),
    }
}

/// # Safety
/// `address` MUST be that of an `fn(A, Hint<X, R>) -> G`.
unsafe fn call_made<A, G, X, R>(address: Address, mut decoder: Decoder) -> Call
where
    A: DeserializeOwned + 'static,
    G: Fn(X) -> R + 'static,
    X: DeserializeOwned + 'static,
    R: Serialize + DeserializeOwned + 'static,
{
    // SAFETY: the caller's contract.
    match unsafe { make_sync::<A, G, X, R>(address, &mut decoder) } {
        Ok(function) => function.call(decoder),
        Err(error) => Call::Ended(Err(error)),
    }
}

/// # Safety
/// `address` MUST be that of an `fn(A, Hint<X, R>) -> G`.
unsafe fn make_sync<A, G, X, R>(address: Address, decoder: &mut Decoder) -> Made
where
    A: DeserializeOwned + 'static,
    G: Fn(X) -> R + 'static,
    X: DeserializeOwned + 'static,
    R: Serialize + DeserializeOwned + 'static,
{
    // SAFETY: the caller's contract.
    let Some(make) = (unsafe { address.function::<fn(A, Hint<X, R>) -> G>() }) else { return Err(foreign()) };
    let function = make(decoder.next()?, Hint::new());
    Ok(Rc::new(TypedFunction { function, signature: PhantomData }))
}

struct TypedFunction<G, X, R> {
    function: G,
    signature: PhantomData<fn(X) -> R>,
}

impl<G, X, R> Function for TypedFunction<G, X, R>
where
    G: Fn(X) -> R,
    X: DeserializeOwned + 'static,
    R: Serialize + DeserializeOwned + 'static,
{
    fn call(&self, argument: Decoder) -> Call {
        Call::Ended(argument.last().and_then(|x| encode(&(self.function)(x))))
    }

    fn run(&self, chunk: &Chunk) -> Result<(), Error> {
        chunk.run(&self.function);
        Ok(())
    }

    fn reduce(&self, results: Batch) -> Result<Batch, Error> {
        // Most functions are not for pairs of results, and have no code for it.
        if TypeId::of::<X>() != TypeId::of::<(R, R)>() {
            return Err(foreign());
        }
        let mut results = BatchReader::new(results);
        let mut reduced = None;
        while let Some(result) = results.next::<R>() {
            let Some(before) = reduced.replace(result?) else { continue };
            let mut pair = reduced.take().map(|result| (before, result));
            let pair = (&mut pair as &mut dyn Any).downcast_mut::<Option<X>>().and_then(Option::take);
            reduced = pair.map(&self.function);
        }
        let mut batch = Batch::of::<R>();
        reduced.iter().try_for_each(|result| batch.push(result))?;
        Ok(batch)
    }
}

/// # Safety
/// `address` MUST be that of an `fn(A, Hint<X, R>) -> G`.
unsafe fn call_made_async<A, G, X, R>(address: Address, mut decoder: Decoder) -> Call
where
    A: DeserializeOwned + 'static,
    G: AsyncFn(X) -> R + 'static,
    X: DeserializeOwned + 'static,
    R: Serialize + 'static,
{
    // SAFETY: the caller's contract.
    match unsafe { make_async::<A, G, X, R>(address, &mut decoder) } {
        Ok(function) => function.call(decoder),
        Err(error) => Call::Ended(Err(error)),
    }
}

/// # Safety
/// `address` MUST be that of an `fn(A, Hint<X, R>) -> G`.
unsafe fn make_async<A, G, X, R>(address: Address, decoder: &mut Decoder) -> Made
where
    A: DeserializeOwned + 'static,
    G: AsyncFn(X) -> R + 'static,
    X: DeserializeOwned + 'static,
    R: Serialize + 'static,
{
    // SAFETY: the caller's contract.
    let Some(make) = (unsafe { address.function::<fn(A, Hint<X, R>) -> G>() }) else { return Err(foreign()) };
    let function = Rc::new(make(decoder.next()?, Hint::new()));
    Ok(Rc::new(TypedAsyncFunction { function, signature: PhantomData }))
}

struct TypedAsyncFunction<G, X, R> {
    function: Rc<G>,
    signature: PhantomData<fn(X) -> R>,
}

impl<G, X, R> Function for TypedAsyncFunction<G, X, R>
where
    G: AsyncFn(X) -> R + 'static,
    X: DeserializeOwned + 'static,
    R: Serialize + 'static,
{
    fn call(&self, argument: Decoder) -> Call {
        // The future borrows from the closure, and so has it beside itself.
        let function = self.function.clone();
        match argument.last() {
            Ok(x) => running(async move { function(x).await }),
            Err(error) => Call::Ended(Err(error)),
        }
    }

    fn run(&self, _chunk: &Chunk) -> Result<(), Error> {
        Err(foreign())
    }

    fn reduce(&self, _results: Batch) -> Result<Batch, Error> {
        Err(foreign())
    }
}

/// # Safety
/// `address` MUST be that of an `fn(Packet) -> Call`.
unsafe fn call_raw(address: Address, decoder: Decoder) -> Call {
    // SAFETY: the caller's contract.
    match unsafe { address.function::<fn(Packet) -> Call>() } {
        Some(f) => f(decoder.into_rest()),
        None => Call::Ended(Err(foreign())),
    }
}

pub(super) fn encode<R: Serialize>(result: &R) -> Outcome {
    let mut packet = Packet::default();
    codec::encode(result, &mut packet)?;
    Ok(packet)
}

fn running<R: Serialize>(future: impl Future<Output = R> + 'static) -> Call {
    Call::Running(Box::pin(async move { encode(&future.await) }))
}
