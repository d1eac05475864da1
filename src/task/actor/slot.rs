//! An object on its worker, and the calls that wait for it.
//!
//! ```text
//!   call --lend--> it is there: runs at once ---------------------------> given back, or to the first that waits
//!                  lent, or not made yet: waits in line --(Lease)--> runs --> ..
//! ```
//!
//! The object is in its slot while no call has it. A [`Lease`] owns it: dropped at any time, by a call that was cancelled too, it
//! gives the object to the next call.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;

use futures::channel::oneshot;

use crate::error::Error;
use crate::platform::Residents;
use crate::task::codec::foreign;
use crate::task::residents;

/// What the initialiser gave: the object, or why there is none.
type MadeObject = Result<Box<dyn Any>, Error>;

thread_local! {
    static OBJECTS: Cell<u32> = const { Cell::new(0) };
}

/// True if this thread, a worker's, has an object: then it cannot be replaced by another.
pub(crate) fn holds_objects() -> bool {
    OBJECTS.get() > 0
}

/// The place of an object on its worker.
pub(super) struct Slot {
    /// `None` while it is made, and while a call has it.
    object: RefCell<Option<MadeObject>>,
    filled: Cell<bool>,
    waiting: RefCell<VecDeque<oneshot::Sender<Lease>>>,
}

/// The object, lent to one call.
pub(super) struct Lease {
    slot: Rc<Slot>,
    /// `None` only while it is dropped.
    object: Option<MadeObject>,
}

/// The slot of the object that a call refers to.
pub(super) fn slot(residents: &Residents) -> Result<Rc<Slot>, Error> {
    let name = residents::object_name(residents).ok_or_else(foreign)?;
    let make = |_empty| Ok(Rc::new(Slot::new()) as Rc<dyn Any>);
    let slot = residents::value(name, &make).ok_or_else(foreign)??;
    slot.downcast().map_err(|_| foreign())
}

impl Slot {
    fn new() -> Self {
        OBJECTS.set(OBJECTS.get() + 1);
        Self { object: RefCell::new(None), filled: Cell::new(false), waiting: RefCell::new(VecDeque::new()) }
    }

    /// The object, for a call that begins now; or the wait for the calls before it.
    pub(super) fn lend(self: &Rc<Self>) -> Result<Lease, oneshot::Receiver<Lease>> {
        if let Some(object) = self.object.take() {
            return Ok(Lease { slot: self.clone(), object: Some(object) });
        }
        let (sender, receiver) = oneshot::channel();
        self.waiting.borrow_mut().push_back(sender);
        Err(receiver)
    }

    /// Takes the object, or why there is none, if it has neither.
    pub(super) fn fill(self: &Rc<Self>, object: MadeObject) {
        if !self.filled.replace(true) {
            self.put(object);
        }
    }

    /// Gives the object to the first call that still waits for it.
    fn put(self: &Rc<Self>, object: MadeObject) {
        let mut lease = Lease { slot: self.clone(), object: Some(object) };
        loop {
            let next = self.waiting.borrow_mut().pop_front();
            let Some(next) = next else { break };
            match next.send(lease) {
                Ok(()) => return,
                Err(refused) => lease = refused,
            }
        }
        *self.object.borrow_mut() = lease.object.take();
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        OBJECTS.set(OBJECTS.get() - 1);
    }
}

impl Lease {
    /// The object, if it could be made.
    pub(super) fn object<T: 'static>(&mut self) -> Result<&mut T, Error> {
        match &mut self.object {
            Some(Ok(object)) => object.downcast_mut().ok_or_else(foreign),
            Some(Err(error)) => Err(error.clone()),
            None => Err(foreign()),
        }
    }

    /// Drops the object. Later calls end in an error that says so.
    pub(super) fn close(&mut self) -> Result<(), Error> {
        self.object.replace(Err(Error::closed())).unwrap_or_else(|| Err(foreign())).map(drop)
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(object) = self.object.take() {
            self.slot.put(object);
        }
    }
}
