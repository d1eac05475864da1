//! What all clones of an actor share in the memory that made it.

use std::any::Any;
use std::collections::BTreeMap;
use std::mem;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use futures::channel::oneshot;
use futures::future::select;

use crate::error::Error;
use crate::platform::{self, Packet, Resident};
use crate::schedule::WorkerId;
use crate::supervisor::Supervisor;
use crate::task::actor::{self, ActorInit};
use crate::task::{Call, Job, RemoteHandle, raw_call};
use crate::wire::{PacketReader, Put, Take, ToWorker};
use crate::worker;

/// What all clones of an actor share.
pub(super) struct Home<T> {
    /// The object's name. Dropped before the keeper.
    pub(super) object: Resident,
    keeper: Arc<Keeper>,
    placement: Mutex<Placement<T>>,
}

/// Keeps the pool for as long as the object has an owner: an actor, or a call that is not answered.
struct Keeper {
    supervisor: Arc<Supervisor>,
    /// Where the object was made last.
    worker: Mutex<Option<WorkerId>>,
}

struct Placement<T> {
    state: PlacementState,
    /// What makes the next object. -> `None` when there is to be none.
    init: Option<ActorInit<T>>,
    restarts: u32,
    /// Why there is to be none, unless the object was lost too often.
    fault: Option<Error>,
}

enum PlacementState {
    /// It is made by the next call. -> `Placing`
    Absent,
    /// Its initialiser is on its way, and these calls go behind it. -> `At`
    Placing(Vec<Job>),
    /// -> `Absent`, when a call finds this worker lost.
    At(WorkerId),
}

/// By the object's name: those that may come back to this memory.
static HOMES: Mutex<BTreeMap<u64, Weak<dyn Any + Send + Sync>>> = Mutex::new(BTreeMap::new());

/// No code of the program runs under these locks.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<T: 'static> Home<T> {
    /// Makes an object, on the worker of that name or on the least loaded one.
    pub(super) fn new(
        supervisor: Arc<Supervisor>,
        init: ActorInit<T>,
        worker: Option<WorkerId>,
    ) -> Arc<Self> {
        let keeper = Arc::new(Keeper { supervisor, worker: Mutex::new(None) });
        let placement = Placement {
            state: PlacementState::Placing(Vec::new()),
            restarts: init.restarts(),
            init: Some(init),
            fault: None,
        };
        let object = actor::new_object(Box::new(keeper.clone()));
        let home = Arc::new(Self { object, keeper, placement: Mutex::new(placement) });
        home.make(worker);
        home
    }

    /// From now on it is found by its name.
    pub(super) fn register(self: &Arc<Self>) {
        let home: Weak<dyn Any + Send + Sync> = Arc::downgrade(self) as _;
        lock(&HOMES).insert(self.object.name(), home);
    }

    pub(super) fn find(name: u64) -> Option<Arc<Self>> {
        let home = lock(&HOMES).get(&name).and_then(Weak::upgrade)?;
        home.downcast().ok()
    }

    /// Gives a call to the object's worker.
    pub(super) fn submit(&self, mut job: Job) {
        loop {
            let worker = {
                let mut placement = lock(&self.placement);
                match &mut placement.state {
                    PlacementState::At(worker) => *worker,
                    PlacementState::Placing(waiting) => return waiting.push(job),
                    PlacementState::Absent => {
                        placement.state = PlacementState::Placing(vec![job]);
                        drop(placement);
                        return self.make(None);
                    }
                }
            };
            match self.keeper.supervisor.pin(worker, job) {
                Ok(()) => return,
                Err(refused) => job = refused,
            }
            let mut placement = lock(&self.placement);
            if matches!(placement.state, PlacementState::At(lost) if lost == worker) {
                placement.state = PlacementState::Absent;
            }
        }
    }

    /// The object is not to be made anew.
    pub(super) fn close(&self) {
        let mut placement = lock(&self.placement);
        let init = placement.init.take();
        placement.fault.get_or_insert_with(Error::closed);
        drop(placement);
        drop(init);
    }

    /// Has the object made, on the wanted worker if that is there, and sends the calls that wait for that behind its initialiser.
    fn make(&self, wanted: Option<WorkerId>) {
        let Some((worker, made)) = self.send_init(wanted) else {
            let error = self.absence();
            return self.take_waiting().into_iter().for_each(|job| job.fail(error.clone()));
        };
        *lock(&self.keeper.worker) = Some(worker);
        self.watch(worker, made);
        loop {
            let waiting = {
                let mut placement = lock(&self.placement);
                match &mut placement.state {
                    PlacementState::Placing(waiting) if !waiting.is_empty() => mem::take(waiting),
                    state => {
                        *state = PlacementState::At(worker);
                        return;
                    }
                }
            };
            for job in waiting {
                // It is lost already.
                self.keeper.supervisor.pin(worker, job).unwrap_or_else(|job| job.fail(Error::object_lost()));
            }
        }
    }

    /// The calls that waited. The next one has the object made, if it may be.
    fn take_waiting(&self) -> Vec<Job> {
        match mem::replace(&mut lock(&self.placement).state, PlacementState::Absent) {
            PlacementState::Placing(waiting) => waiting,
            PlacementState::Absent | PlacementState::At(_) => Vec::new(),
        }
    }

    /// Sends the initialiser to a worker. `None` if there is no worker for it, or no initialiser.
    fn send_init(&self, wanted: Option<WorkerId>) -> Option<(WorkerId, RemoteHandle<()>)> {
        let supervisor = &self.keeper.supervisor;
        lock(&self.placement).init.as_ref()?;
        let mut worker = supervisor.place(wanted)?;
        let Some(init) = self.next_init() else {
            supervisor.displace(worker);
            return None;
        };
        let (job, made) = init.into_job(&self.object);
        let mut job = job?;
        while let Err(refused) = supervisor.pin(worker, job) {
            job = refused;
            match supervisor.place(None) {
                Some(other) => worker = other,
                None => {
                    job.fail(supervisor.absence());
                    return None;
                }
            }
        }
        Some((worker, made))
    }

    /// The initialiser of the next object, which is kept if a further one may be made.
    fn next_init(&self) -> Option<ActorInit<T>> {
        let (init, restarts) = {
            let mut placement = lock(&self.placement);
            (placement.init.take()?, placement.restarts)
        };
        if let Some(fault) = init.fault() {
            lock(&self.placement).fault = Some(fault);
            return None;
        }
        if restarts == 0 {
            return Some(init);
        }
        // It copies attachments, which may be code of the program.
        let copy = init.clone();
        let mut placement = lock(&self.placement);
        placement.restarts -= 1;
        match copy.fault() {
            None if placement.fault.is_none() => placement.init = Some(copy),
            None => {}
            // This object is the last.
            Some(fault) => _ = placement.fault.get_or_insert(fault),
        }
        Some(init)
    }

    /// Has calls fail that wait for an object whose initialiser did not reach the worker.
    fn watch(&self, worker: WorkerId, made: RemoteHandle<()>) {
        let (supervisor, name) = (Arc::downgrade(&self.keeper.supervisor), self.object.name());
        platform::spawn_service(async move {
            let Err(error) = made.await else { return };
            if let Some(supervisor) = supervisor.upgrade() {
                // A worker that is lost has lost the calls too.
                let _is_there = supervisor.tell(worker, ToWorker::packet_of(actor::failure(name, error)));
            }
        });
    }

    /// Why there is no object.
    fn absence(&self) -> Error {
        let placement = lock(&self.placement);
        match &placement.fault {
            Some(fault) => fault.clone(),
            // There is no worker for it.
            None if placement.init.is_some() || self.keeper.supervisor.is_lost() => {
                self.keeper.supervisor.absence()
            }
            None => Error::object_lost(),
        }
    }
}

impl<T> Drop for Home<T> {
    fn drop(&mut self) {
        lock(&HOMES).remove(&self.object.name());
    }
}

impl Drop for Keeper {
    /// The worker was told to drop the object. The pool stays until that has arrived there, or until the worker's grace is over.
    fn drop(&mut self) {
        static LAST: AtomicU64 = AtomicU64::new(0);

        let Some(worker) = *lock(&self.worker) else { return };
        let supervisor = self.supervisor.clone();
        supervisor.displace(worker);
        let number = LAST.fetch_add(1, Ordering::Relaxed);
        let (sender, passed) = oneshot::channel();
        lock(&PARTING).insert(number, sender);
        if !supervisor.tell(worker, ToWorker::packet_of(numbered(pass, number))) {
            lock(&PARTING).remove(&number);
            return;
        }
        platform::spawn_service(async move {
            select(passed, std::pin::pin!(platform::sleep_aside(supervisor.grace()))).await;
            lock(&PARTING).remove(&number);
            drop(supervisor);
        });
    }
}

/// Who waits, by number, until a worker has read what was told before.
static PARTING: Mutex<BTreeMap<u64, oneshot::Sender<()>>> = Mutex::new(BTreeMap::new());

/// On the worker: has read it, and says so.
fn pass(call: Packet) -> Call {
    if let Some(number) = u64::take(&mut PacketReader::new(call)) {
        worker::tell(numbered(passed, number), None);
    }
    Call::Ended(Ok(Packet::default()))
}

fn passed(call: Packet) -> Call {
    let number = u64::take(&mut PacketReader::new(call));
    let waits = number.and_then(|number| lock(&PARTING).remove(&number));
    // The grace may be over.
    waits.into_iter().for_each(|waits| waits.send(()).unwrap_or(()));
    Call::Ended(Ok(Packet::default()))
}

fn numbered(read: fn(Packet) -> Call, number: u64) -> Packet {
    let mut call = raw_call(read);
    number.put(&mut call);
    call
}
