//! Functions that live on their workers, and values that do.
//!
//! A [`RemoteFn`](super::RemoteFn) that has captured much is a *resident* value: its captures cross to a worker once and are decoded
//! there once, and its calls refer to it by name. So is a [`Shared`](super::Shared), which tasks refer to.
//!
//! ```text
//!   RemoteFn, calls, tasks --own--> Master ............ dropped with its last owner
//!                                     |                           |
//!     ahead of the first task that    | keep(name, value)         | forget(name)
//!     refers to it                    v                           v
//!   worker:                       encoded --first call--> made --> (dropped)
//! ```
//!
//! What crosses for that are calls of [`keep`] and [`forget`], which a worker runs as soon as it reads them. A task that migrates from
//! the worker that has made its function carries the captures along, for one run.

use std::any::Any;
use std::mem;
use std::panic::AssertUnwindSafe;
use std::ptr;
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};

use super::codec::{Decoder, foreign};
use super::entry::{Call, Callee, Function, Made, Outcome, begin, make, raw_call};
use super::progress;
use crate::error::Error;
use crate::platform::{self, Master, Packet, Post, Resident, Residents, ThreadSlot};
use crate::wire::{PacketReader, Put, Take, ToWorker};

/// Where the encoded value comes from.
pub(super) trait Source: Send + Sync {
    /// A copy of it.
    fn packet(&self) -> Result<Packet, Error>;
}

/// What is dropped when an object has no owner any more, behind the message that says so. The object is made where it is.
struct OwnedName(#[expect(dead_code, reason = "it is dropped")] Box<dyn Any + Send + Sync>);

impl Source for OwnedName {
    fn packet(&self) -> Result<Packet, Error> {
        Ok(Packet::default())
    }
}

/// The encoded captures of a function.
impl Source for Mutex<Packet> {
    fn packet(&self) -> Result<Packet, Error> {
        lock(self).try_clone()
    }
}

/// A value that workers keep, as its owners here have it.
pub(super) struct Kept<S> {
    name: u64,
    /// As it was encoded last.
    size: AtomicU64,
    /// Any type: what a panic of its own code spoils is its own.
    pub(super) source: AssertUnwindSafe<S>,
    /// The workers that have it, or were sent it.
    ports: Mutex<Vec<Weak<dyn Post>>>,
}

/// What the lowest bits of a name say.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum NameKind {
    Function,
    Value,
    /// Of an actor. Nothing crosses but its name.
    Object,
}

impl NameKind {
    const BITS: u32 = 2;

    fn is_of(self, name: u64) -> bool {
        name & ((1 << Self::BITS) - 1) == self as u64
    }
}

/// A name that nothing else has.
pub(super) fn new_name(kind: NameKind) -> u64 {
    /// Names are unique among all memories of the program: each counts from a place of its own.
    static REALM: OnceLock<u64> = OnceLock::new();
    static LAST: AtomicU64 = AtomicU64::new(0);

    let number = LAST.fetch_add(1, Ordering::Relaxed);
    REALM.get_or_init(platform::realm).wrapping_add(number) << NameKind::BITS | kind as u64
}

fn is_function(resident: &&Resident) -> bool {
    NameKind::Function.is_of(resident.name())
}

/// The name of the object that a call refers to.
pub(super) fn object_name(residents: &Residents) -> Option<u64> {
    residents.iter().map(Resident::name).find(|name| NameKind::Object.is_of(*name))
}

/// Makes the captures of a function resident.
pub(super) fn resident(captures: Packet) -> Resident {
    Resident::Master(Arc::new(Kept::new(new_name(NameKind::Function), Mutex::new(captures))))
}

/// The name of a new object.
pub(super) fn object(keeper: Box<dyn Any + Send + Sync>) -> Resident {
    Resident::Master(Arc::new(Kept::new(new_name(NameKind::Object), OwnedName(keeper))))
}

impl<S> Kept<S> {
    pub(super) fn new(name: u64, source: S) -> Self {
        Self { name, size: AtomicU64::new(0), source: AssertUnwindSafe(source), ports: Mutex::default() }
    }
}

impl<S: Source> Master for Kept<S> {
    fn name(&self) -> u64 {
        self.name
    }

    fn size(&self) -> u64 {
        self.size.load(Ordering::Relaxed)
    }

    fn value(&self) -> Result<Packet, Error> {
        let value = self.source.packet()?;
        self.size.store(value.bytes.len() as u64, Ordering::Relaxed);
        Ok(value)
    }

    fn packet_for(&self, port: &Arc<dyn Post>) -> Option<Packet> {
        let mut ports = lock(&self.ports);
        if ports.iter().any(|known| ptr::addr_eq(known.as_ptr(), Arc::as_ptr(port))) {
            return None;
        }
        ports.retain(|port| port.strong_count() > 0);
        ports.push(Arc::downgrade(port));
        drop(ports);
        let value = self.value();
        let mut packet = Packet::default();
        // First what it refers to itself.
        for master in value.iter().flat_map(|value| value.residents.masters()) {
            master.packet_for(port).into_iter().for_each(|more| packet.append(more));
        }
        packet.append(keep_packet(self.name, value));
        Some(packet)
    }

    fn error_packet(&self, error: Error) -> Packet {
        keep_packet(self.name, Err(error))
    }

    fn carry(&self, mut call: Packet) -> Packet {
        let residents = mem::take(&mut call.residents);
        let mut values = Vec::new();
        residents.masters().for_each(|master| gather(&**master, &mut values));
        let mut carrier = Callee::raw(call_carried).packet_like(&call);
        values.len().put(&mut carrier);
        for (name, value) in values {
            name.put(&mut carrier);
            value.put(&mut carrier);
        }
        call.residents = residents;
        call.put(&mut carrier);
        carrier.residents.clear();
        carrier
    }
}

/// Adds a value, behind those that it refers to itself.
fn gather(master: &dyn Master, values: &mut Vec<(u64, Result<Packet, Error>)>) {
    let value = master.value();
    for master in value.iter().flat_map(|value| value.residents.masters()) {
        gather(&**master, values);
    }
    values.push((master.name(), value));
}

impl<S> Drop for Kept<S> {
    fn drop(&mut self) {
        for port in mem::take(&mut *lock(&self.ports)).iter().filter_map(Weak::upgrade) {
            port.try_post(forget_packet(self.name));
        }
        // What was made of it on this thread. Another, which owned it too, drops what it has with the next that it makes.
        drop(take_first(&|(name, held)| *name == self.name && matches!(held, Held::Own(..))));
    }
}

/// No code of the program runs under these locks but that which copies an attachment.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Has a worker keep a value.
fn keep_packet(name: u64, value: Result<Packet, Error>) -> Packet {
    let mut call = raw_call(keep);
    name.put(&mut call);
    value.put(&mut call);
    ToWorker::packet_of(call)
}

/// Has a worker forget it.
fn forget_packet(name: u64) -> Packet {
    let mut call = raw_call(forget);
    name.put(&mut call);
    ToWorker::packet_of(call)
}

fn keep(call: Packet) -> Call {
    Call::Ended(read_kept(call))
}

fn read_kept(call: Packet) -> Outcome {
    let mut reader = PacketReader::new(call);
    let (name, value) = (u64::take(&mut reader), Take::take(&mut reader));
    let (name, value) = (name.ok_or_else(foreign)?, value.ok_or_else(foreign)?);
    // It may be forgotten before it comes, if it was still to be posted when its last owner went.
    if take(name).is_none() {
        put(name, Held::Encoded(value));
    }
    Ok(Packet::default())
}

fn forget(call: Packet) -> Call {
    let Some(name) = u64::take(&mut PacketReader::new(call)) else { return Call::Ended(Err(foreign())) };
    match take(name) {
        // A function drops what it captured, and that is code of the program.
        Some(held) => drop(held),
        None => put(name, Held::Forgotten),
    }
    Call::Ended(Ok(Packet::default()))
}

/// Runs a call with the values that came with it.
fn call_carried(call: Packet) -> Call {
    let mut reader = PacketReader::new(call);
    let Some((values, call)) = read_carried(&mut reader) else { return Call::Ended(Err(foreign())) };
    let mut kept = Vec::new();
    for (name, value) in values {
        // It may have come back to the worker that made it.
        match take(name) {
            None => {
                put(name, Held::Encoded(value));
                kept.push(name);
            }
            Some(held) => put(name, held),
        }
    }
    let call = begin(call);
    // One that goes on owns its function.
    for name in kept {
        drop(take(name));
    }
    call
}

type WithValues = (Vec<(u64, Result<Packet, Error>)>, Packet);

fn read_carried(reader: &mut PacketReader) -> Option<WithValues> {
    let count = usize::take(reader)?;
    let mut values = Vec::new();
    for _ in 0..count {
        values.push((Take::take(reader)?, Take::take(reader)?));
    }
    Some((values, Take::take(reader)?))
}

/// What this thread, a worker's, has of a resident value.
enum Held {
    /// As it came, or why it could not. -> `Made`, by the first call.
    Encoded(Result<Packet, Error>),
    Made(Made),
    /// A value that was decoded, or why it could not be.
    Value(Result<Rc<dyn Any>, Error>),
    /// As `Made`, of captures whose master is in this memory: it is a call of this worker's own.
    Own(Made, Weak<dyn Master>),
    /// It is yet to come, and is not needed any more.
    Forgotten,
}

thread_local! {
    /// By name. There are few.
    static HELD: ThreadSlot<Vec<(u64, Held)>> = const { ThreadSlot::new(Vec::new()) };
}

/// Nothing in `code` may run code of the program.
fn with<R>(code: impl FnOnce(&mut Vec<(u64, Held)>) -> R) -> R {
    HELD.with(|slot| {
        let mut held = slot.take();
        let result = code(&mut held);
        // What is there is empty.
        slot.set(held);
        result
    })
}

fn put(name: u64, value: Held) {
    with(|held| held.push((name, value)));
}

fn take(name: u64) -> Option<Held> {
    take_first(&|held| held.0 == name)
}

fn take_first(is_it: &dyn Fn(&(u64, Held)) -> bool) -> Option<Held> {
    with(|held| held.iter().position(is_it).map(|place| held.swap_remove(place).1))
}

/// Drops all that this thread has. A worker's thread MUST do so before it ends.
pub(crate) fn drop_residents() {
    drop(HELD.with(ThreadSlot::take));
}

/// The function that is made of a value: by the first call on a worker that refers to it. A task that runs within another, by
/// [`Job::run`](super::Job::run), makes one of its own: its thread need not be a worker's.
pub(super) fn function(resident: &Resident) -> Made {
    let name = resident.name();
    let (made, held) = match (take(name), resident) {
        (Some(Held::Made(made)), _) => (made.clone(), Held::Made(made)),
        (Some(Held::Own(made, master)), _) => (made.clone(), Held::Own(made, master)),
        (Some(Held::Encoded(value)), _) => {
            let made = value.and_then(make);
            (made.clone(), Held::Made(made))
        }
        (_, Resident::Master(master)) => {
            let made = master.value().and_then(make);
            if progress::is_nested() {
                return made;
            }
            // Those whose last owner was dropped on another thread.
            let is_dead = |held: &Held| matches!(held, Held::Own(_, master) if master.strong_count() == 0);
            while let Some(dead) = take_first(&|(_, held)| is_dead(held)) {
                drop(dead);
            }
            (made.clone(), Held::Own(made, Arc::downgrade(master)))
        }
        (_, Resident::Named(_)) => return Err(foreign()),
    };
    put(name, held);
    made
}

/// The call of a function with one argument.
pub(super) fn call(call: Packet) -> Call {
    let function_of_call = call.residents.iter().find(is_function).cloned();
    let decoder = Decoder::new(call);
    match function_of_call.ok_or_else(foreign).and_then(|resident| function(&resident)) {
        Ok(function) => function.call(decoder),
        Err(error) => Call::Ended(Err(error)),
    }
}

/// What [`Encoded`](super::encoded::Encoded) has of a function that is resident.
pub(super) fn referring(captures: Packet) -> Packet {
    let mut referring = Packet::default();
    referring.residents.push(resident(captures));
    referring
}

/// True if a stem is that, and no call, which has addresses.
pub(super) fn is_referring(stem: &Packet) -> bool {
    stem.addresses.is_empty() && !stem.residents.is_empty()
}

/// The value of this name that this thread's worker has: made by `decode` of what has come, when it is first wanted.
pub(super) fn value(
    name: u64,
    decode: &dyn Fn(Packet) -> Result<Rc<dyn Any>, Error>,
) -> Option<Result<Rc<dyn Any>, Error>> {
    let value = match take(name)? {
        Held::Value(value) => value,
        Held::Encoded(value) => value.and_then(decode),
        other => {
            put(name, other);
            return None;
        }
    };
    put(name, Held::Value(value.clone()));
    Some(value)
}

/// The function of a stem, which is a packet of its own or refers to one of these values.
pub(super) fn function_of(stem: Packet, known: &Residents) -> Result<Rc<dyn Function>, Error> {
    // What was encoded within another packet has come as a name.
    if !is_referring(&stem) {
        return make(stem);
    }
    let name = stem.residents.iter().find(is_function).map(Resident::name).ok_or_else(foreign)?;
    let known = known.iter().find(|known| known.name() == name).cloned();
    function(&known.unwrap_or(Resident::Named(name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As a worker runs what a master posts.
    fn run(call: impl FnOnce() -> Packet) {
        let mut reader = PacketReader::new(call());
        match crate::wire::next(&mut reader) {
            Ok(Some(ToWorker::Call { call })) => assert!(matches!(begin(call), Call::Ended(Ok(_)))),
            other => panic!("{other:?}"),
        }
    }

    fn value() -> Packet {
        Packet { bytes: vec![1; 10], ..Packet::default() }
    }

    #[test]
    fn a_value_that_is_forgotten_before_it_comes_is_not_kept() {
        run(|| keep_packet(1, Ok(value())));
        run(|| forget_packet(1));
        assert!(take(1).is_none());
        run(|| forget_packet(2));
        run(|| keep_packet(2, Ok(value())));
        assert!(take(2).is_none());
        // The next one of that name is another.
        run(|| keep_packet(2, Ok(value())));
        assert!(matches!(take(2), Some(Held::Encoded(Ok(packet))) if packet.bytes == value().bytes));
        drop_residents();
    }

    #[test]
    fn an_error_takes_the_place_of_a_value_that_could_not_be_posted() {
        let Resident::Master(master) = resident(value()) else { panic!("it was made here") };
        run(|| master.error_packet(Error::closed()));
        let error = function(&Resident::Named(master.name())).err();
        assert!(error.is_some_and(|error| error.is_closed()));
        drop_residents();
    }
}
