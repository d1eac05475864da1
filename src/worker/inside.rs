//! What an executor on a worker stands on: the way into the worker, from its own thread and, natively, from others.

use std::mem;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Waker;

use futures::task::{AtomicWaker, FutureObj, SpawnError};

use super::here;
use crate::error::Error;
use crate::platform;
use crate::schedule::{TaskId, Word};
use crate::task::{Holder, Job};
use crate::wire::Duty;

/// The way into a worker. It may be sent, as executors may: what another thread wants becomes an order.
pub(crate) struct Inside {
    threads: usize,
    /// What other threads want. `None`: the worker has ended.
    orders: Mutex<Option<Vec<Order>>>,
    /// Wakes the worker's loop when it rests.
    waker: AtomicWaker,
    /// Something has come. -> false, by the loop, before it looks.
    awake: AtomicBool,
    /// The loop goes on, and will look at `awake` before it sleeps.
    busy: AtomicBool,
}

/// What another thread wants of the worker.
pub(super) enum Order {
    Submit(Job),
    Hear(TaskId, Word),
    Spawn(FutureObj<'static, ()>),
}

impl Inside {
    pub(super) fn new(duty: Duty) -> Self {
        Self {
            threads: duty.threads as usize,
            orders: Mutex::new(Some(Vec::new())),
            waker: AtomicWaker::new(),
            awake: AtomicBool::new(false),
            busy: AtomicBool::new(false),
        }
    }

    /// How many workers the pool has.
    pub(crate) fn threads(&self) -> usize {
        self.threads
    }

    /// Unfinished tasks that were made here and are still here. On another thread nobody knows.
    pub(crate) fn pending(self: &Arc<Self>) -> usize {
        here()
            .filter(|worker| Arc::ptr_eq(&worker.inside, self))
            .map_or(0, |worker| worker.books.borrow().pending())
    }

    /// Takes a task, which becomes a child of the one whose code runs.
    pub(crate) fn submit(self: &Arc<Self>, job: Job) {
        match here().filter(|worker| Arc::ptr_eq(&worker.inside, self)) {
            Some(worker) => worker.submit(job),
            None => {
                if let Err(Order::Submit(job)) = self.order(Order::Submit(job)) {
                    job.fail(Error::closed());
                }
            }
        }
    }

    /// Runs a future on the worker's thread.
    pub(crate) fn spawn(self: &Arc<Self>, future: FutureObj<'static, ()>) -> Result<(), SpawnError> {
        if here().is_some_and(|worker| Arc::ptr_eq(&worker.inside, self)) {
            platform::spawn_local(future);
            return Ok(());
        }
        self.order(Order::Spawn(future)).map_err(|_| SpawnError::shutdown())
    }

    /// True if the worker has ended.
    pub(crate) fn is_closed(&self) -> bool {
        self.orders.lock().unwrap_or_else(PoisonError::into_inner).is_none()
    }

    /// Gives the order back if nobody will follow it.
    fn order(&self, order: Order) -> Result<(), Order> {
        match &mut *self.orders.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(orders) => orders.push(order),
            None => return Err(order),
        }
        self.wake();
        Ok(())
    }

    pub(super) fn take_orders(&self) -> Vec<Order> {
        let mut orders = self.orders.lock().unwrap_or_else(PoisonError::into_inner);
        orders.as_mut().map(mem::take).unwrap_or_default()
    }

    /// The worker has ended: what was not followed is refused.
    pub(super) fn close(&self) {
        let orders = self.orders.lock().unwrap_or_else(PoisonError::into_inner).take();
        for order in orders.into_iter().flatten() {
            if let Order::Submit(job) = order {
                job.fail(Error::closed());
            }
        }
    }

    /// Something has come that the worker's loop may not know of.
    pub(super) fn wake(&self) {
        self.awake.store(true, Ordering::SeqCst);
        // The loop looks before it goes to sleep.
        if !self.busy.load(Ordering::SeqCst) {
            self.waker.wake();
        }
    }

    /// The loop goes on.
    pub(super) fn enter(&self, waker: &Waker) {
        self.waker.register(waker);
        self.busy.store(true, Ordering::SeqCst);
    }

    /// The loop will not look any more.
    pub(super) fn leave(&self) {
        self.busy.store(false, Ordering::SeqCst);
    }

    /// True if something has come that the loop has not looked at.
    pub(super) fn is_awake(&self) -> bool {
        self.awake.load(Ordering::SeqCst)
    }

    /// True if something has come since this was asked last.
    pub(super) fn take_wakes(&self) -> bool {
        self.awake.swap(false, Ordering::SeqCst)
    }
}

impl Holder for Inside {
    fn hear(&self, task: TaskId, word: Word) {
        match here().filter(|worker| std::ptr::eq(&*worker.inside, self)) {
            Some(worker) => {
                worker.hear(task, word);
                self.wake();
            }
            // A worker that has ended has no such task any more.
            None => drop(self.order(Order::Hear(task, word))),
        }
    }
}
