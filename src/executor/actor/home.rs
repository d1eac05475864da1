//! What all clones of an actor share in the memory that made it.

use std::any::Any;
use std::collections::BTreeMap;
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use crate::error::Error;
use crate::platform::{self, Resident};
use crate::schedule::WorkerId;
use crate::supervisor::Supervisor;
use crate::task::actor::{self, ActorInit};
use crate::task::{Job, RemoteHandle};

/// What all clones of an actor share.
pub(super) struct Home<T> {
    supervisor: Arc<Supervisor>,
    /// The object's name.
    pub(super) object: Resident,
    placement: Mutex<Placement<T>>,
}

struct Placement<T> {
    /// Where the object is. -> `None` when that worker is known to be lost.
    worker: Option<WorkerId>,
    /// -> `None` when it is not to be made any more.
    init: Option<ActorInit<T>>,
    restarts: u32,
    /// It cannot be made.
    fault: Option<Error>,
}

impl<T> Placement<T> {
    /// The initialiser for the next object, which is kept if a further one may be made.
    fn next_init(&mut self) -> Option<ActorInit<T>> {
        if self.restarts == 0 {
            return self.init.take();
        }
        self.restarts -= 1;
        let init = self.init.clone()?;
        if init.fault().is_none() {
            return Some(init);
        }
        // It cannot be copied: this object is the last.
        self.fault = init.fault();
        self.init.take()
    }
}

/// By the object's name: those that may come back to this memory.
static HOMES: Mutex<BTreeMap<u64, Weak<dyn Any + Send + Sync>>> = Mutex::new(BTreeMap::new());

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<T: 'static> Home<T> {
    /// Makes an object, on the worker of that name or on the least loaded one.
    pub(super) fn new(
        supervisor: Arc<Supervisor>,
        init: ActorInit<T>,
        worker: Option<WorkerId>,
    ) -> Arc<Self> {
        let restarts = init.restarts();
        let placement = Mutex::new(Placement { worker: None, init: Some(init), restarts, fault: None });
        let home = Self { supervisor, object: actor::new_object(), placement };
        home.settle(worker);
        Arc::new(home)
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
            let Some(worker) = self.worker().or_else(|| self.settle(None)) else {
                return job.fail(self.loss());
            };
            match self.supervisor.pin(worker, job) {
                Ok(()) => return,
                Err(refused) => job = refused,
            }
            self.leave(worker);
        }
    }

    /// The object is not to be made anew.
    pub(super) fn close(&self) {
        let mut placement = self.placement();
        let init = placement.init.take();
        placement.fault.get_or_insert_with(Error::closed);
        drop(placement);
        drop(init);
    }

    fn worker(&self) -> Option<WorkerId> {
        self.placement().worker
    }

    /// Has the object made on a worker. `None` if there is none, or it is not to be made.
    fn settle(&self, wanted: Option<WorkerId>) -> Option<WorkerId> {
        loop {
            let (init, worker) = {
                let mut placement = self.placement();
                // Another thread may have been faster.
                if placement.worker.is_some() {
                    return placement.worker;
                }
                placement.init.as_ref()?;
                let worker = self.supervisor.house(wanted)?;
                let init = placement.next_init();
                placement.worker = Some(worker);
                (init?, worker)
            };
            if let Some(fault) = init.fault() {
                self.leave(worker);
                self.supervisor.unhouse(worker);
                self.placement().fault = Some(fault);
                return None;
            }
            let (job, made) = init.into_job(&self.object);
            let refused = job.and_then(|job| self.supervisor.pin(worker, job).err());
            if refused.is_none() {
                self.watch(worker, made);
                return Some(worker);
            }
            self.leave(worker);
        }
    }

    /// Has calls fail that wait for an object whose initialiser did not reach the worker.
    fn watch(&self, worker: WorkerId, made: RemoteHandle<()>) {
        // It keeps neither: without calls nobody needs to know.
        let supervisor = Arc::downgrade(&self.supervisor);
        let object = self.object.master().map(Arc::downgrade);
        platform::spawn_service(async move {
            let Err(error) = made.await else { return };
            let object = object.and_then(|object| object.upgrade());
            if let (Some(supervisor), Some(object)) = (supervisor.upgrade(), object) {
                let (job, told) = actor::failing_job(Resident::Master(object), error);
                told.forget();
                // A worker that is lost has lost the calls too.
                let _refused = job.and_then(|job| supervisor.pin(worker, job).err());
            }
        });
    }

    /// The worker is lost.
    fn leave(&self, worker: WorkerId) {
        let mut placement = self.placement();
        if placement.worker == Some(worker) {
            placement.worker = None;
        }
    }

    fn loss(&self) -> Error {
        if let Some(fault) = self.placement().fault.clone() {
            return fault;
        }
        if self.supervisor.is_lost() {
            return self.supervisor.absence();
        }
        Error::object_lost()
    }
}

impl<T> Home<T> {
    /// No code of the program runs under this lock, but that which copies what an initialiser has captured.
    fn placement(&self) -> MutexGuard<'_, Placement<T>> {
        lock(&self.placement)
    }
}

impl<T> Drop for Home<T> {
    fn drop(&mut self) {
        lock(&HOMES).remove(&self.object.name());
        // Unless a call still has it, this tells the worker to drop the object.
        drop(mem::replace(&mut self.object, Resident::Named(0)));
        if let Some(worker) = self.placement().worker {
            self.supervisor.unhouse(worker);
            let (job, passed) = actor::passing_job();
            passed.forget();
            Supervisor::release(self.supervisor.clone(), worker, job);
        }
    }
}
