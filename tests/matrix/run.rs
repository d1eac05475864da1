//! Runs one case.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use futures::future::{Either, LocalBoxFuture, join_all, select};
use futures::{StreamExt, TryStreamExt};
use serde::{Deserialize, Serialize};
use wasm_mt::{
    Actor, ActorCall, Error, Executor, ExecutorExt, Remote, RemoteFn, RemoteHandle, Sender, call, channel,
    executor, remote, sleep, yield_now,
};

use crate::cases::{Case, Situation};
use crate::demands;
use crate::faults::{Act, FAULTY, Fault, Tells, Worker, commit, commit_async, fault};
use crate::notes::{Notes, note};
use crate::subjects::Made;
use crate::target;
use crate::value::Value;

/// How long a case may take.
const CASE_LIMIT: Duration = Duration::from_secs(60);

/// So many tasks show that their site is a short one, and that what ends before the fault arrives.
const KNOWN: u32 = 60;
/// So many tasks stand before the faulty one, and as many behind it.
const MANY: u32 = 30;
const ITEMS: u32 = 60;
const FAULTY_ITEM: u32 = 30;

/// Where the numbers of tasks begin.
mod first {
    pub(super) const BEFORE: u32 = 100;
    pub(super) const BESIDE: u32 = 300;
    pub(super) const BEHIND: u32 = 600;
    pub(super) const PARENT: u32 = 900;
    pub(super) const KNOWN: u32 = 1_000;
    pub(super) const PROBE: u32 = 2_000;
    pub(super) const WAITING: u32 = 3_000;
    pub(super) const CALL: u32 = 4_000;
    pub(super) const LATER_CALL: u32 = 4_500;
}

/// What a task is in its case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Role {
    /// It has ended before anything else is spawned.
    Known,
    /// It ends before the fault on its worker, since synchronous tasks are taken in order.
    Before,
    /// It may have begun and not ended when the fault happens.
    Beside,
    Faulty,
    /// It was spawned after the faulty one, or nobody knows.
    Behind,
    /// A call of a function over items.
    Item,
    /// A call of an object.
    Call,
    /// One after the fault.
    LaterCall,
}

/// How a task ended.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Record {
    pub(crate) role: Role,
    pub(crate) number: u32,
    pub(crate) outcome: Result<Value, Error>,
}

type Pending<'a> = LocalBoxFuture<'a, Record>;

/// A case that runs.
struct Scene<'a> {
    number: u32,
    place: u32,
    fault: &'static Fault,
    executor: &'a dyn Executor,
    /// Where the notes are: not within a task.
    notes: Option<Rc<Notes>>,
}

/// Runs a case with a watchdog. Gives what was not as it must be.
pub(crate) async fn watched(number: u32, case: &Case, test: &str) -> Vec<String> {
    if let Some(last_words) = case.fault.ends_process {
        return target::ends_process(&case.to_string(), test, last_words);
    }
    // What holds this thread too is its business.
    let _watchdog = target::Watchdog::new(case.to_string(), 2 * CASE_LIMIT);
    let stage = Cell::new("");
    // sleep: only a fault makes it fire, and then it is the verdict
    let late = std::pin::pin!(sleep(CASE_LIMIT));
    match select(std::pin::pin!(run(number, case, &stage)), late).await {
        Either::Left((found, _)) => found,
        Either::Right(_) => vec![format!("it hangs: {} did not come to an end", stage.get())],
    }
}

/// Runs a case. Gives what was not as it must be.
pub(crate) async fn run(number: u32, case: &Case, stage: &Cell<&str>) -> Vec<String> {
    let Case { place, fault, subject, situation } = *case;
    let notes = Rc::new(Notes::of(number));
    let made = subject.make(fault.options.map(|options| options(number)).unwrap_or_default()).await;
    let scene = Scene { number, place, fault, executor: made.executor(), notes: Some(notes.clone()) };

    if fault.after_start {
        stage.set("the start of all workers");
        made.ready().await.expect("the first workers start");
    }
    stage.set("what ends before the fault");
    let mut records = Vec::new();
    if fault.options.is_none() {
        records = join_all((0..KNOWN).map(|n| scene.plain(Role::Known, first::KNOWN + n))).await;
    }
    target::progress("the known tasks have ended");
    stage.set("the tasks");
    records.extend(match situation {
        Situation::Alone => scene.alone(&made).await,
        Situation::Many => scene.many().await,
        Situation::Nested => scene.nested().await,
        Situation::ParMap => scene.par_map().await,
        Situation::Open => scene.open(&made).await,
    });
    stage.set("the loss of the worker");
    records.extend(scene.worker_has_ended(&made).await);
    stage.set("a note of a task with a result");
    while records.iter().any(|record| record.outcome.is_ok() && notes.count(record.number) == 0) {
        yield_now().await;
    }
    let mut found = demands::of_executor(case, &records, &made);
    stage.set("a task afterwards");
    let ready = made.ready().await;
    let probes = join_all((0..3).map(|n| scene.plain(Role::Behind, first::PROBE + n))).await;
    stage.set("a worker in each place");
    let works = probes.iter().any(|probe| probe.outcome.is_ok());
    while works && made.stats().is_some_and(|stats| stats.workers < made.executor().concurrency()) {
        yield_now().await;
    }
    found.extend(demands::afterwards(case, &made, ready, probes.iter().map(|probe| &probe.outcome)));
    found.extend(records.iter().filter_map(|record| demands::of_record(case, record, &notes)));
    found
}

/// A task that does what its number says. The faulty one is of the same site: it is taken for a short one, and what was
/// computed before it is gathered when it begins.
fn numbered(case: u32, place: u32, number: u32) -> Remote<Value> {
    remote!(move || match number {
        FAULTY => commit(place, case),
        number => {
            note(case, number);
            Value::Number(number)
        }
    })
}

impl Scene<'_> {
    fn record<'a>(
        role: Role,
        number: u32,
        outcome: impl Future<Output = Result<Value, Error>> + 'a,
    ) -> Pending<'a> {
        Box::pin(async move { Record { role, number, outcome: outcome.await } })
    }

    /// Spawns a synchronous task.
    fn plain(&self, role: Role, number: u32) -> Pending<'static> {
        let task = numbered(self.number, self.place, number);
        let task = if role == Role::Behind { self.limited(task) } else { task };
        Self::record(role, number, self.executor.spawn_remote(task))
    }

    /// Spawns a task that takes its time.
    fn slow(&self, number: u32) -> Pending<'static> {
        let case = self.number;
        let task = remote!(async move {
            note(case, number);
            // sleep: it is to be there when something fails that another task has left behind
            sleep(Duration::from_millis(10)).await;
            Value::Number(number)
        });
        Self::record(Role::Beside, number, self.executor.spawn_remote(self.limited(task)))
    }

    /// Where left-over code takes the thread, only a task with a timeout ends.
    fn limited(&self, task: Remote<Value>) -> Remote<Value> {
        match self.fault.limit_behind {
            Some(limit) => task.timeout(Duration::from_millis(limit)),
            None => task,
        }
    }

    fn faulty(&self) -> Pending<'static> {
        let (place, case) = (self.place, self.number);
        let task: Remote<Value> = match self.fault.act {
            Act::Sync(_) => numbered(case, place, FAULTY),
            Act::Async(_) => remote!(async move { commit_async(place, case).await }),
            #[cfg(target_family = "wasm")]
            Act::Script(source) => {
                return Self::record(
                    Role::Faulty,
                    FAULTY,
                    target::script(self.executor, wasm_mt::exec_js(source)),
                );
            }
            #[cfg(target_family = "wasm")]
            Act::AsyncScript(source) => {
                let task = wasm_mt::exec_js_async(source);
                return Self::record(Role::Faulty, FAULTY, target::script(self.executor, task));
            }
            #[cfg(not(target_family = "wasm"))]
            Act::Waker => {
                let handle = self.executor.spawn_remote(numbered(case, place, FAULTY));
                return Self::record(Role::Faulty, FAULTY, target::wake_with_a_panic(handle));
            }
        };
        let task = match self.fault.limit {
            Some(limit) => task.timeout(Duration::from_millis(limit)),
            None => task,
        };
        self.ends(self.executor.spawn_remote(task))
    }

    /// As [`faulty`](Self::faulty), in a call of an object.
    fn faulty_call(&self, object: &Actor<u32>) -> Option<Pending<'static>> {
        let (place, case) = (self.place, self.number);
        let call: ActorCall<u32, Value> = match self.fault.act {
            Act::Sync(_) => call!(move |_| commit(place, case)),
            Act::Async(_) => call!(async move |_| commit_async(place, case).await),
            _ => return None,
        };
        let call = match self.fault.limit {
            Some(limit) => call.timeout(Duration::from_millis(limit)),
            None => call,
        };
        Some(self.ends(object.call(call)))
    }

    /// Aborts the faulty task, if it is to be.
    fn ends(&self, handle: RemoteHandle<Value>) -> Pending<'static> {
        if !self.fault.aborted {
            return Self::record(Role::Faulty, FAULTY, handle);
        }
        let notes = self.notes.clone();
        Self::record(Role::Faulty, FAULTY, async move {
            let mut handle = handle;
            // An executor without workers runs it while it is polled.
            while notes.as_ref().is_some_and(|notes| notes.count(FAULTY) == 0) {
                if let std::task::Poll::Ready(early) = futures::poll!(&mut handle) {
                    return early;
                }
                yield_now().await;
            }
            handle.abort();
            handle.await
        })
    }

    async fn alone(&self, made: &Made) -> Vec<Record> {
        let mut records = vec![self.faulty().await];
        // A worker that left-over code occupies ends when a task waits behind that.
        if self.fault.limit_behind.is_none() {
            records.extend(self.worker_has_ended(made).await);
        }
        records.extend(join_all((0..4).map(|n| self.plain(Role::Behind, first::BEHIND + n))).await);
        records
    }

    async fn many(&self) -> Vec<Record> {
        let mut all: Vec<_> = (0..2).map(|n| self.slow(first::BESIDE + n)).collect();
        all.extend((0..MANY).map(|n| self.plain(Role::Before, first::BEFORE + n)));
        all.push(self.faulty());
        all.extend((2..4).map(|n| self.slow(first::BESIDE + n)));
        all.extend((0..MANY).map(|n| self.plain(Role::Behind, first::BEHIND + n)));
        join_all(all).await
    }

    /// The fault happens in a child; another parent has no part in it.
    async fn nested(&self) -> Vec<Record> {
        let (case, place) = (self.number, self.place);
        let parent = |number: u32| {
            remote!(async move {
                note(case, number);
                children(case, place, number).await
            })
        };
        let parents =
            [0, 1].map(|n| (first::PARENT + n, self.executor.spawn_remote(parent(first::PARENT + n))));
        let behind: Vec<_> = (0..6).map(|n| self.plain(Role::Behind, first::BEHIND + n)).collect();
        let (numbers, handles): (Vec<_>, Vec<_>) = parents.into_iter().unzip();
        let (families, mut records) = futures::join!(join_all(handles), join_all(behind));
        for (number, family) in numbers.into_iter().zip(families) {
            let outcome = family.map(|children| {
                records.extend(children);
                Value::Number(number)
            });
            records.push(Record { role: Role::Beside, number, outcome });
        }
        records
    }

    async fn par_map(&self) -> Vec<Record> {
        let (place, case) = (self.place, self.number);
        let function: RemoteFn<u32, Value> = match self.fault.act {
            Act::Sync(_) => remote!(move |n: u32| item(case, n).unwrap_or_else(|| commit(place, case))),
            Act::Async(_) => remote!(async move |n: u32| match item(case, n) {
                Some(value) => value,
                None => commit_async(place, case).await,
            }),
            _ => unreachable!("its situations do not name this one"),
        };
        let function = match self.fault.limit {
            // The other items have it too, and are not to reach it on a machine that is busy with endless loops.
            Some(limit) => function.timeout(Duration::from_millis(6 * limit)),
            None => function,
        };
        let outcomes: Vec<_> = self.executor.par_map(0..ITEMS, function).collect().await;
        let records = (0..).zip(outcomes).map(|(n, outcome)| match n {
            FAULTY_ITEM => Record { role: Role::Faulty, number: FAULTY, outcome },
            number => Record { role: Role::Item, number, outcome },
        });
        records.collect()
    }

    /// Channels and a stream are open, and objects are there.
    async fn open(&self, made: &Made) -> Vec<Record> {
        let objects: Vec<_> = (0..Made::THREADS).filter_map(|_| made.object()).collect();
        let mut all = vec![self.stream(first::BESIDE), self.received(first::BESIDE + 1)];
        let calls = |first: u32| {
            (first..).zip(&objects).map(|(number, object)| self.call(Role::Call, number, object))
        };
        all.extend(calls(first::CALL));
        let faulty = objects.first().and_then(|object| self.faulty_call(object));
        all.push(faulty.unwrap_or_else(|| self.faulty()));
        all.extend(calls(first::CALL + 10));
        all.extend([self.received(first::BESIDE + 2), self.stream(first::BESIDE + 3)]);
        let mut records = join_all(all).await;
        records.extend(self.worker_has_ended(made).await);
        let later = (first::LATER_CALL..).zip(&objects);
        records
            .extend(join_all(later.map(|(number, object)| self.call(Role::LaterCall, number, object))).await);
        records
    }

    fn call(&self, role: Role, number: u32, object: &Actor<u32>) -> Pending<'static> {
        let case = self.number;
        let call = call!(move |count| {
            note(case, number);
            *count += 1;
            Value::Number(number)
        });
        Self::record(role, number, object.call(call))
    }

    /// A task that sends the items of a stream. It has another value if they are not as they must be.
    fn stream(&self, number: u32) -> Pending<'static> {
        let case = self.number;
        let mut items = self.executor.spawn_stream(4, |sender: Sender<u32>| {
            self.limited(remote!(async move {
                note(case, number);
                for item in 0..ITEMS {
                    if sender.send(item).await.is_err() {
                        return Value::Number(u32::MAX);
                    }
                }
                Value::Number(number)
            }))
        });
        Self::record(Role::Beside, number, async move {
            let mut next = 0;
            while let Some(item) = items.next().await {
                // It is the last one, and that of the task.
                if item? != next {
                    return Ok(Value::Number(u32::MAX));
                }
                next += 1;
            }
            let value = items.result().await?;
            Ok(if next == ITEMS { value } else { Value::Number(u32::MAX) })
        })
    }

    /// A task that receives what is sent here.
    fn received(&self, number: u32) -> Pending<'static> {
        let case = self.number;
        let (sender, receiver) = channel::<u32>(4);
        let task = self.limited(remote!(async move {
            note(case, number);
            let items: Result<Vec<u32>, Error> = receiver.try_collect().await;
            Value::Number(if items.is_ok_and(|items| items.into_iter().eq(0..ITEMS)) {
                number
            } else {
                u32::MAX
            })
        }));
        let handle = self.executor.spawn_remote(task);
        Self::record(Role::Beside, number, async move {
            let send = async move {
                for item in 0..ITEMS {
                    // It is closed when the task is lost.
                    if let Err(closed) = sender.send(item).await {
                        assert!(closed.is_closed(), "{closed}");
                        return;
                    }
                }
            };
            futures::join!(handle, send).0
        })
    }

    /// Resolves when the worker has ended, if the fault ends one: to the tasks that it took to see that.
    async fn worker_has_ended(&self, made: &Made) -> Vec<Record> {
        let stays = || made.stats().is_some_and(|stats| stats.lost_workers == 0);
        let mut records = Vec::new();
        while self.fault.worker == Worker::Ends && stays() {
            if self.fault.limit_behind.is_none() {
                yield_now().await;
                continue;
            }
            // The tasks behind may all have run before the left-over code began, and only one that waits shows that.
            let base = first::WAITING + records.len() as u32;
            records.extend(join_all((0..4).map(|n| self.plain(Role::Behind, base + n))).await);
        }
        records
    }
}

/// The value of an item, unless it is the faulty one.
fn item(case: u32, number: u32) -> Option<Value> {
    (number != FAULTY_ITEM).then(|| {
        note(case, number);
        Value::Number(number)
    })
}

/// What the parent with this number does.
async fn children(number: u32, place: u32, parent: u32) -> Vec<Record> {
    let executor = executor::current();
    let scene = Scene { number, place, fault: fault(place), executor: &executor, notes: None };
    let base = first::BEHIND + 20 * (parent - first::PARENT + 1);
    let mut all: Vec<_> = (0..6).map(|n| scene.plain(Role::Behind, base + n)).collect();
    if parent == first::PARENT {
        all.push(scene.faulty());
    }
    all.extend((6..12).map(|n| scene.plain(Role::Behind, base + n)));
    join_all(all).await
}

/// True if a task may be lost although nobody saw it begin.
pub(crate) fn is_vague(case: &Case, role: Role) -> bool {
    let Case { fault, subject, .. } = case;
    // What comes at any time may cross the beginning of a task that only the end of its worker stops.
    if !subject.keeps_order() {
        return true;
    }
    // A thread is not replaced: what had not begun ends with it.
    fault.tells != Tells::Begun || !subject.replaces_workers() || role == Role::Item && fault.shares
}
