//! The resident values of the worker that this thread is, and the functions that were made of them.
//!
//! A [`RemoteFn`](super::RemoteFn) that has captured much is a resident value: its captures cross to a worker once and are decoded
//! there once, and its calls refer to it.

use std::rc::Rc;
use std::sync::Weak;

use super::codec::foreign;
use super::entry::{Function, Made, make};
use crate::error::Error;
use crate::platform::{Packet, Resident, ResidentHolder, ThreadSlot};
use crate::schedule::IdMap;

/// What a worker has of a resident value.
pub(crate) struct Held(State);

enum State {
    /// As it came, or why it could not. -> `Made`, by the first call.
    Encoded(Result<Packet, Error>),
    Made(Made),
}

struct Residents {
    values: IdMap<Held>,
    /// Is told when the last owner of a value is gone that was made here.
    holder: Option<Weak<dyn ResidentHolder>>,
}

thread_local! {
    /// `None`: this thread is no worker.
    static RESIDENTS: ThreadSlot<Option<Box<Residents>>> = const { ThreadSlot::new(None) };
}

/// Nothing in `code` may run code of the program.
fn with<R>(code: impl FnOnce(&mut Residents) -> R) -> Option<R> {
    RESIDENTS.with(|slot| {
        let mut residents = slot.take();
        let result = residents.as_deref_mut().map(code);
        // What is there is `None`.
        slot.set(residents);
        result
    })
}

/// This thread keeps resident values until this is dropped, and then drops them.
pub(crate) struct ResidentScope(());

impl ResidentScope {
    pub(crate) fn enter() -> Self {
        RESIDENTS.with(|slot| slot.set(Some(Box::new(Residents { values: IdMap::default(), holder: None }))));
        Self(())
    }

    /// Has this holder told of values that were made here.
    pub(crate) fn set_holder(&self, holder: Weak<dyn ResidentHolder>) {
        with(|residents| residents.holder = Some(holder));
    }
}

impl Drop for ResidentScope {
    fn drop(&mut self) {
        // Functions drop what they captured, and that is code of the program.
        drop(RESIDENTS.with(ThreadSlot::take));
    }
}

/// Keeps a value.
pub(crate) fn keep_resident(name: u64, value: Result<Packet, Error>) {
    keep(name, Held(State::Encoded(value)));
}

/// Keeps a value that was made here and goes elsewhere too. Gives what is to be sent.
pub(crate) fn share_resident(resident: &Resident) -> Option<Result<Packet, Error>> {
    let value = resident.value()?;
    let name = resident.name();
    with(|residents| {
        if residents.values.get(name).is_none() {
            resident.add_holder(residents.holder.as_ref()?);
            residents.values.insert(name, Held(State::Encoded(resident.value()?)));
        }
        Some(())
    });
    Some(value)
}

/// Takes out what is kept, to be dropped.
pub(crate) fn take_resident(name: u64) -> Option<Held> {
    with(|residents| residents.values.remove(name))?
}

fn keep(name: u64, value: Held) {
    with(|residents| residents.values.insert(name, value));
}

/// The function that is made of a value: by the first call that refers to it, if this thread is a worker, and else by each.
pub(super) fn function(resident: &Resident) -> Made {
    let name = resident.name();
    let value = match take_resident(name) {
        Some(Held(State::Made(made))) => {
            keep(name, Held(State::Made(made.clone())));
            return made;
        }
        Some(Held(State::Encoded(value))) => value,
        None => {
            with(|residents| residents.holder.iter().for_each(|holder| resident.add_holder(holder)));
            resident.value().ok_or_else(foreign)?
        }
    };
    let made = value.and_then(make);
    keep(name, Held(State::Made(made.clone())));
    made
}

/// The function of a stem, which is a packet of its own or refers to one of these values.
pub(super) fn function_of(stem: Packet, known: &[Resident]) -> Result<Rc<dyn Function>, Error> {
    match stem.residents.first() {
        // What was encoded within another packet has crossed as a name, if at all.
        Some(resident) => {
            let name = resident.name();
            function(known.iter().find(|known| known.name() == name).unwrap_or(resident))
        }
        None => make(stem),
    }
}
