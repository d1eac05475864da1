#![expect(unsafe_code, reason = "a function crosses as its address and is called through it")]
//! The entries of actors: one per signature of an initialiser, and of a function that the object is given to.

use std::future::Future;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::run::{self, AsyncMethod, Method};
use crate::error::Error;
use crate::platform::{Address, Tagged};
use crate::task::codec::{Decoder, foreign};
use crate::task::entry::{Call, Callee, Entry};

pub(super) fn initialiser<A, T>(f: fn(A) -> Result<T, Error>) -> Callee
where
    A: DeserializeOwned + 'static,
    T: 'static,
{
    // SAFETY: the entry is for the signature of `f`.
    unsafe { Callee::of_entry(const { &Tagged::new(Entry::new(make::<A, T>)) }, f as *const ()) }
}

pub(super) fn async_initialiser<A, F, T>(f: fn(A) -> F) -> Callee
where
    A: DeserializeOwned + 'static,
    F: Future<Output = Result<T, Error>> + 'static,
    T: 'static,
{
    // SAFETY: the entry is for the signature of `f`.
    unsafe { Callee::of_entry(const { &Tagged::new(Entry::new(make_async::<A, F, T>)) }, f as *const ()) }
}

pub(super) fn method<A, T, R>(f: Method<A, T, R>) -> Callee
where
    A: DeserializeOwned + 'static,
    T: 'static,
    R: Serialize + 'static,
{
    // SAFETY: the entry is for the signature of `f`.
    unsafe { Callee::of_entry(const { &Tagged::new(Entry::new(call::<A, T, R>)) }, f as *const ()) }
}

pub(super) fn async_method<A, T, R>(f: AsyncMethod<A, T, R>) -> Callee
where
    A: DeserializeOwned + 'static,
    T: 'static,
    R: Serialize + 'static,
{
    // SAFETY: the entry is for the signature of `f`.
    unsafe { Callee::of_entry(const { &Tagged::new(Entry::new(call_async::<A, T, R>)) }, f as *const ()) }
}

/// # Safety
/// `address` MUST be that of an `fn(A) -> Result<T, Error>`.
unsafe fn make<A, T>(address: Address, decoder: Decoder) -> Call
where
    A: DeserializeOwned + 'static,
    T: 'static,
{
    // SAFETY: the caller's contract.
    match unsafe { address.function::<fn(A) -> Result<T, Error>>() } {
        Some(f) => run::make(decoder, f),
        None => Call::Ended(Err(foreign())),
    }
}

/// # Safety
/// `address` MUST be that of an `fn(A) -> F`.
unsafe fn make_async<A, F, T>(address: Address, decoder: Decoder) -> Call
where
    A: DeserializeOwned + 'static,
    F: Future<Output = Result<T, Error>> + 'static,
    T: 'static,
{
    // SAFETY: the caller's contract.
    match unsafe { address.function::<fn(A) -> F>() } {
        Some(f) => run::make_async(decoder, f),
        None => Call::Ended(Err(foreign())),
    }
}

/// # Safety
/// `address` MUST be that of a `Method<A, T, R>`.
unsafe fn call<A, T, R>(address: Address, decoder: Decoder) -> Call
where
    A: DeserializeOwned + 'static,
    T: 'static,
    R: Serialize + 'static,
{
    // SAFETY: the caller's contract.
    match unsafe { address.function::<Method<A, T, R>>() } {
        Some(f) => run::call(decoder, f),
        None => Call::Ended(Err(foreign())),
    }
}

/// # Safety
/// `address` MUST be that of an `AsyncMethod<A, T, R>`.
unsafe fn call_async<A, T, R>(address: Address, decoder: Decoder) -> Call
where
    A: DeserializeOwned + 'static,
    T: 'static,
    R: Serialize + 'static,
{
    // SAFETY: the caller's contract.
    match unsafe { address.function::<AsyncMethod<A, T, R>>() } {
        Some(f) => run::call_async(decoder, f),
        None => Call::Ended(Err(foreign())),
    }
}
