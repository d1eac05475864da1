//! What the entries of actors do on a worker: making the object, and calling it.

use std::future::Future;
use std::rc::Rc;

use futures::channel::oneshot;
use futures::future::LocalBoxFuture;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::slot::{self, Lease, Slot};
use crate::error::Error;
use crate::platform::Packet;
use crate::task::codec::{Decoder, foreign};
use crate::task::entry::{Call, Outcome, encode, raw_call};
use crate::wire::{PacketReader, Put, Take};

/// A function of an object.
pub(super) type Method<A, T, R> = for<'a> fn(A, &'a mut T) -> R;
/// An asynchronous one. Its future may borrow from the object.
pub(super) type AsyncMethod<A, T, R> = for<'a> fn(A, &'a mut T) -> LocalBoxFuture<'a, R>;

/// A slot that is to be filled, with an error at least.
struct Vacant(Rc<Slot>);

impl Vacant {
    /// `made_at`: the place of the initialiser.
    fn fill<T: 'static>(self, made: Result<T, Error>, made_at: String) -> Call {
        let made = made.map_err(|error| error.of_task_at(made_at));
        self.0.fill(made.map(|object| Box::new(object) as _));
        Call::Ended(Ok(Packet::default()))
    }
}

impl Drop for Vacant {
    fn drop(&mut self) {
        self.0.fill(Err(Error::cancelled()));
    }
}

pub(super) fn make<A, T>(decoder: Decoder, f: fn(A) -> Result<T, Error>) -> Call
where
    A: DeserializeOwned + 'static,
    T: 'static,
{
    let vacant = match slot::slot(decoder.residents()) {
        Ok(slot) => Vacant(slot),
        Err(error) => return Call::Ended(Err(error)),
    };
    match decoder.last() {
        Ok((arguments, made_at)) => vacant.fill(f(arguments), made_at),
        Err(error) => vacant.fill::<T>(Err(error), String::new()),
    }
}

pub(super) fn make_async<A, F, T>(decoder: Decoder, f: fn(A) -> F) -> Call
where
    A: DeserializeOwned + 'static,
    F: Future<Output = Result<T, Error>> + 'static,
    T: 'static,
{
    let vacant = match slot::slot(decoder.residents()) {
        Ok(slot) => Vacant(slot),
        Err(error) => return Call::Ended(Err(error)),
    };
    match decoder.last() {
        Ok((arguments, made_at)) => {
            let future = f(arguments);
            Call::Running(Box::pin(async move {
                vacant.fill(future.await, made_at);
                Ok(Packet::default())
            }))
        }
        Err(error) => vacant.fill::<T>(Err(error), String::new()),
    }
}

pub(super) fn call<A, T, R>(decoder: Decoder, f: Method<A, T, R>) -> Call
where
    A: DeserializeOwned + 'static,
    T: 'static,
    R: Serialize + 'static,
{
    let run = move |arguments, mut lease: Lease| encode(&f(arguments, lease.object()?));
    match begin(decoder) {
        Ok((arguments, Ok(lease))) => Call::Ended(run(arguments, lease)),
        Ok((arguments, Err(waiting))) => {
            Call::Running(Box::pin(async move { run(arguments, wait(waiting).await?) }))
        }
        Err(error) => Call::Ended(Err(error)),
    }
}

pub(super) fn call_async<A, T, R>(decoder: Decoder, f: AsyncMethod<A, T, R>) -> Call
where
    A: DeserializeOwned + 'static,
    T: 'static,
    R: Serialize + 'static,
{
    match begin(decoder) {
        Ok((arguments, lent)) => Call::Running(Box::pin(async move {
            let mut lease = match lent {
                Ok(lease) => lease,
                Err(waiting) => wait(waiting).await?,
            };
            let result = f(arguments, lease.object()?).await;
            encode(&result)
        })),
        Err(error) => Call::Ended(Err(error)),
    }
}

/// The object, or the wait for it.
type Lent = Result<Lease, oneshot::Receiver<Lease>>;

/// Decodes the arguments of a call, and lends it the object.
fn begin<A: DeserializeOwned>(decoder: Decoder) -> Result<(A, Lent), Error> {
    let slot = slot::slot(decoder.residents())?;
    Ok((decoder.last()?, slot.lend()))
}

/// The slot is there as long as a call that refers to it.
async fn wait(waiting: oneshot::Receiver<Lease>) -> Result<Lease, Error> {
    waiting.await.map_err(|_| foreign())
}

/// A call that says why the object could not be made, where nothing has reached its worker that would.
pub(super) fn failure(error: Error) -> Packet {
    let mut call = raw_call(fail);
    Err::<Packet, Error>(error).put(&mut call);
    call
}

fn fail(call: Packet) -> Call {
    let slot = slot::slot(&call.residents);
    let error = Take::take(&mut PacketReader::new(call)).ok_or_else(foreign).and_then(|error| error);
    if let (Ok(slot), Err::<Packet, Error>(error)) = (slot, error) {
        slot.fill(Err(error));
    }
    Call::Ended(Ok(Packet::default()))
}

/// A call that drops the object.
pub(super) fn closing() -> Packet {
    raw_call(close)
}

/// True of what that gave.
pub(super) fn is_closing(call: &Packet) -> bool {
    call.addresses.get(..2) == closing().addresses.get(..2)
}

fn close(call: Packet) -> Call {
    match slot::slot(&call.residents).map(|slot| slot.lend()) {
        Ok(Ok(lease)) => Call::Ended(closed(lease)),
        Ok(Err(waiting)) => Call::Running(Box::pin(async { closed(wait(waiting).await?) })),
        Err(error) => Call::Ended(Err(error)),
    }
}

fn closed(mut lease: Lease) -> Outcome {
    lease.close().map(|()| Packet::default())
}
