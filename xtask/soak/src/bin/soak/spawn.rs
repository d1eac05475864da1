//! Spawns tasks of each kind, and judges how they end.

use std::rc::Rc;
use std::time::Duration;

use futures::channel::oneshot;
use futures::future::{FutureExt, LocalBoxFuture, join_all};
use futures::stream::StreamExt;
use futures::task::SpawnExt;
use serde::Serialize;
use serde::de::DeserializeOwned;
use wasm_mt::{Error, Executor, ExecutorExt, Remote, RemoteHandle, Transfer, remote};

use crate::bodies::{self, Text, Unwritable, is_bad, mix};
use crate::kinds::Kind;
use crate::record::{Record, name_of};
use crate::room;
use crate::subject::{Made, State, Subject};

/// Resolves when what was spawned has ended and was judged.
pub(crate) type Watched = LocalBoxFuture<'static, ()>;

/// A task that was spawned, or is about to be.
pub(crate) struct Ticket {
    pub(crate) number: u64,
    state: Rc<State>,
    record: Rc<Record>,
    is_too_late: bool,
    /// What becomes of the executor is no excuse.
    has_own_pool: bool,
}

impl Ticket {
    fn new(kind: Kind, state: &Rc<State>, record: &Rc<Record>) -> Ticket {
        let number = record.open(kind, &state.name);
        let has_own_pool = kind.has_own_pool();
        let is_too_late = state.takes_no_more.get() && !has_own_pool;
        Ticket { number, state: state.clone(), record: record.clone(), is_too_late, has_own_pool }
    }

    /// True if the executor's state explains an error.
    pub(crate) fn excuses(&self, error: &Error) -> bool {
        let of_executor = error.is_closed() && (self.state.has_ended.get() || self.is_too_late)
            || error.is_worker_lost() && self.state.is_spoiled.get();
        of_executor && !self.has_own_pool
    }

    /// Judges a result that is fine if `is_fine`, or if it is an error that has an excuse.
    pub(crate) fn settle<T>(
        self,
        result: &Result<T, Error>,
        is_fine: impl FnOnce(&Self, &Result<T, Error>) -> bool,
    ) {
        let is_fine = match result {
            // What comes too late must not run.
            Ok(_) => !self.is_too_late && is_fine(&self, result),
            Err(error) => self.excuses(error) || is_fine(&self, result),
        };
        let end = result.as_ref().map_or_else(name_of, |_| "finished");
        if !is_fine {
            let text = result
                .as_ref()
                .map_or_else(Error::to_string, |_| "it has a wrong value, or should have none".to_owned());
            self.record.wrong(self.number, &text);
        }
        self.record.end(self.number, end);
    }

    fn end(self, end: &str) {
        self.record.end(self.number, end);
    }

    /// Awaits the result, and judges it.
    pub(crate) fn watch<T: 'static>(
        self,
        handle: RemoteHandle<T>,
        is_fine: impl FnOnce(&Self, &Result<T, Error>) -> bool + 'static,
    ) -> Watched {
        async move {
            let result = handle.await;
            self.settle(&result, is_fine);
        }
        .boxed_local()
    }

    /// Awaits the value of a task that says when it begins.
    fn watch_value(self, handle: RemoteHandle<u32>, value: u32) -> Watched {
        async move {
            let result = handle.await;
            match &result {
                Ok(_) => self.record.expect_begun(self.number),
                Err(error) if error.is_worker_lost() && self.state.keeps_unbegun.get() => {
                    self.record.expect_begun(self.number);
                }
                Err(_) => {}
            }
            self.settle(&result, |_, result| result.as_ref().ok() == Some(&value));
        }
        .boxed_local()
    }
}

/// Spawns a task of a kind, or several, on an executor.
pub(crate) fn spawn(kind: Kind, dice: &mut fastrand::Rng, on: &Subject, record: &Rc<Record>) -> Watched {
    let may_be_given_up = kind.is_given_up() || on.state.is_hasty && kind.is_stopped();
    if may_be_given_up || kind.is_spoiling() {
        on.state.is_spoiled.set(true);
    }
    if may_be_given_up {
        on.state.keeps_unbegun.set(false);
    }
    let executor = on.made.executor();
    let ticket = || Ticket::new(kind, &on.state, record);
    let n = dice.u32(..);
    let short = Duration::from_millis(dice.u64(1..20));
    match kind {
        Kind::Value | Kind::Retry | Kind::InTime => {
            let ticket = ticket();
            let task = bodies::value(ticket.number, n);
            let task = match kind {
                Kind::Retry => {
                    record.may_run_again(ticket.number);
                    task.retry(2)
                }
                Kind::InTime => task.timeout(Duration::from_secs(600)),
                _ => task,
            };
            ticket.watch_value(executor.spawn_remote(task), mix(n))
        }
        Kind::TrySpawn => {
            let ticket = ticket();
            match executor.try_spawn_remote(bodies::value(ticket.number, n)) {
                Ok(handle) => ticket.watch_value(handle, mix(n)),
                Err(error) => {
                    let is_bounded = on.state.is_bounded;
                    ticket.settle(&Err::<(), _>(error), |_, result| {
                        is_bounded && is(result, Error::is_queue_full)
                    });
                    async {}.boxed_local()
                }
            }
        }
        Kind::Work => {
            let milliseconds = dice.f64() * 10.0;
            let task = remote!(move || {
                bodies::work(milliseconds);
                mix(n)
            });
            plain(ticket(), executor, task, mix(n))
        }
        Kind::Text => {
            let words = (0..dice.usize(..200)).map(|word| format!("{word} of {n}")).collect();
            let text = Text { words, number: dice.bool().then_some(n.into()) };
            let same = text.clone();
            plain(ticket(), executor, remote!(move || text), same)
        }
        Kind::Bulk => {
            let bulk: Vec<u8> = (0..dice.usize(1..300_000)).map(|place| place as u8 ^ n as u8).collect();
            let same: Vec<u8> = bulk.iter().rev().copied().collect();
            let bulk = Transfer(bulk);
            let task = remote!(move || Transfer(bulk.0.into_iter().rev().collect::<Vec<u8>>()));
            plain(ticket(), executor, task, Transfer(same))
        }
        Kind::Sleep => {
            let task = remote!(async move {
                wasm_mt::sleep(short).await;
                mix(n)
            });
            plain(ticket(), executor, task, mix(n))
        }
        Kind::Yields => {
            let task = remote!(async move {
                for _ in 0..n % 8 {
                    wasm_mt::yield_now().await;
                }
                mix(n)
            });
            plain(ticket(), executor, task, mix(n))
        }
        Kind::Tree => {
            let depth = dice.u32(1..5);
            let handle = executor.spawn_remote(Remote::new_async(depth, bodies::tree));
            ticket().watch(handle, move |ticket, result| is_within(ticket, result, (2 << depth) - 1))
        }
        Kind::OwnPool => {
            record.count_workers(2);
            let handle = executor.spawn_remote(bodies::own_pool(n));
            ticket().watch(handle, move |ticket, result| is_within(ticket, result, bodies::of_own_pool(n)))
        }
        Kind::Broadcast => match &on.made {
            Made::Thread(_) => plain(ticket(), executor, remote!(move || mix(n)), mix(n)),
            Made::Pool(pool) => {
                let all = pool.broadcast(remote!(move || mix(n))).into_iter().map(|handle| {
                    ticket().watch(handle, move |_, result| result.as_ref().ok() == Some(&mix(n)))
                });
                join_all(all.collect::<Vec<_>>()).map(|_| ()).boxed_local()
            }
        },
        Kind::Future => future(ticket(), executor, n),
        Kind::ParMap | Kind::ParMapPanics => {
            let tickets = (0..dice.u32(1..300)).map(|_| ticket()).collect();
            par_map(tickets, on.made.clone(), kind == Kind::ParMapPanics)
        }
        Kind::Timeout => {
            let task = remote!(async { std::future::pending::<()>().await }).timeout(short);
            fails(ticket(), executor, task, Error::is_timeout)
        }
        Kind::Abort => {
            let task = remote!(async move {
                for _ in 0..n % 4 {
                    wasm_mt::sleep(Duration::from_millis(10)).await;
                }
                mix(n)
            });
            aborted(ticket(), executor.spawn_remote(task), short, mix(n))
        }
        Kind::AbortSpin => {
            let round = record.round();
            let task = remote!(move || {
                bodies::spin(round);
                mix(n)
            });
            aborted(ticket(), executor.spawn_remote(task), short, mix(n))
        }
        Kind::Drop => {
            let (ticket, at_once) = (ticket(), dice.bool());
            let task = remote!(async move {
                wasm_mt::sleep(Duration::from_millis(10)).await;
            });
            let handle = executor.spawn_remote(task);
            async move {
                if !at_once {
                    wasm_mt::sleep(short).await;
                }
                drop(handle);
                ticket.end("dropped");
            }
            .boxed_local()
        }
        Kind::Forget => {
            let ticket = ticket();
            executor.spawn_remote(bodies::value(ticket.number, n)).forget();
            ticket.end("forgotten");
            async {}.boxed_local()
        }
        Kind::Unwritable => fails(ticket(), executor, remote!(|| Unwritable), Error::is_codec),
        Kind::Panic => {
            fails(ticket(), executor, remote!(move || -> u32 { panic!("I am {n}") }), Error::is_panic)
        }
        Kind::LatePanic => {
            let task = remote!(async move {
                wasm_mt::sleep(short).await;
                if n > 0 { panic!("I am {n}") } else { n }
            });
            fails(ticket(), executor, task, Error::is_panic)
        }
        Kind::Spin => {
            let round = record.round();
            let task = remote!(move || bodies::spin(round)).timeout(short);
            fails(ticket(), executor, task, Error::is_timeout)
        }
        Kind::LeftOverPanic => {
            let task = remote!(move || {
                let spawned = wasm_mt::executor::current().spawn(async {
                    wasm_mt::yield_now().await;
                    panic!("left over");
                });
                spawned.map_or(0, |()| mix(n))
            });
            plain(ticket(), executor, task, mix(n))
        }
        Kind::BehindEndless => {
            let round = record.round();
            let leave = remote!(move || {
                wasm_mt::executor::current().spawn(async move { bodies::spin(round) }).map_or(0, |()| mix(n))
            });
            let leaves = plain(ticket(), executor, leave, mix(n));
            let task = remote!(async { std::future::pending::<()>().await }).timeout(short);
            let behind = fails(ticket(), executor, task, Error::is_timeout);
            join_all([leaves, behind]).map(|_| ()).boxed_local()
        }
        Kind::Endless
        | Kind::Trap
        | Kind::LeftOverException
        | Kind::LeftOverTrap
        | Kind::CloseWorker
        | Kind::Uncloneable
        | Kind::Throws
        | Kind::HookPanics
        | Kind::WakerPanics => room::spawn(kind, ticket(), executor, n),
        Kind::Close => unreachable!("it is not drawn"),
    }
}

fn is<T>(result: &Result<T, Error>, predicate: fn(&Error) -> bool) -> bool {
    result.as_ref().is_err_and(predicate)
}

/// A task that returns `value`.
pub(crate) fn plain<T>(ticket: Ticket, executor: &dyn Executor, task: Remote<T>, value: T) -> Watched
where
    T: Serialize + DeserializeOwned + PartialEq + 'static,
{
    ticket.watch(executor.spawn_remote(task), move |_, result| result.as_ref().ok() == Some(&value))
}

/// A task that fails in one way.
pub(crate) fn fails<T>(
    ticket: Ticket,
    executor: &dyn Executor,
    task: Remote<T>,
    way: fn(&Error) -> bool,
) -> Watched
where
    T: Serialize + DeserializeOwned + 'static,
{
    ticket.watch(executor.spawn_remote(task), move |_, result| is(result, way))
}

/// The result of a task that awaits others: their errors need the same excuse.
fn is_within(ticket: &Ticket, result: &Result<Result<u32, Error>, Error>, value: u32) -> bool {
    match result {
        Ok(Ok(found)) => *found == value,
        Ok(Err(error)) => ticket.excuses(error),
        Err(_) => false,
    }
}

/// A task that may have its value before it is aborted.
fn aborted(ticket: Ticket, handle: RemoteHandle<u32>, after: Duration, value: u32) -> Watched {
    async move {
        wasm_mt::sleep(after).await;
        handle.abort();
        let result = handle.await;
        ticket.settle(&result, |_, result| {
            result.as_ref().ok() == Some(&value) || is(result, Error::is_cancelled)
        });
    }
    .boxed_local()
}

/// A future that sends a number. It goes with its executor, or with its worker.
fn future(ticket: Ticket, executor: &dyn Executor, n: u32) -> Watched {
    let (sender, receiver) = oneshot::channel();
    let spawned = executor.spawn(async move {
        wasm_mt::yield_now().await;
        sender.send(mix(n)).unwrap_or_default();
    });
    let may_be_lost =
        move |state: &State| state.has_ended.get() || state.takes_no_more.get() || state.is_spoiled.get();
    async move {
        let received = if spawned.is_ok() { receiver.await.ok() } else { None };
        let is_fine = received.map_or_else(|| may_be_lost(&ticket.state), |number| number == mix(n));
        if !is_fine {
            ticket.record.wrong(ticket.number, &format!("the future sent {received:?}"));
        }
        ticket.end(if received.is_some() { "finished" } else { "lost with its executor" });
    }
    .boxed_local()
}

/// A function for as many items as there are tickets.
fn par_map(tickets: Vec<Ticket>, made: Made, panics: bool) -> Watched {
    async move {
        let function = if panics {
            remote!(|item| if is_bad(item) { panic!("I am {item}") } else { mix(item) })
        } else {
            remote!(|item: u32| mix(item))
        };
        let executor = made.executor();
        let mut results = executor.par_map(0..tickets.len() as u32, function);
        for (ticket, item) in tickets.into_iter().zip(0..) {
            let Some(result) = results.next().await else {
                ticket.record.wrong(ticket.number, "its result does not come");
                return;
            };
            ticket.settle(&result, |ticket, result| match result {
                Ok(number) => !(panics && is_bad(item)) && *number == mix(item),
                // Items are spawned as others end, and then it may be too late.
                Err(error) => {
                    panics && is_bad(item) && error.is_panic()
                        || error.is_closed() && ticket.state.takes_no_more.get()
                }
            });
        }
        assert!(results.next().await.is_none(), "a result without an item");
    }
    .boxed_local()
}
