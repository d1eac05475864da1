//! Objects that live on workers, and their calls.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use futures::channel::oneshot;
use futures::future::{join_all, pending, try_join_all};
use futures::{FutureExt, StreamExt, TryStreamExt};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use wasm_mt::{
    Actor, ActorCall, ActorInit, Error, Executor, ExecutorExt, Pool, RemoteFn, Sender, Shared, Strategy,
    Thread, Transfer, actor, call, channel, remote, unbounded, yield_now,
};

use crate::common::hold_the_thread;

/// As no serde type could be, and not `Send`. It says when it is dropped.
struct Log {
    lines: Rc<RefCell<Vec<String>>>,
    dropped: Option<Sender<Vec<String>>>,
}

impl Log {
    fn new(dropped: Option<Sender<Vec<String>>>) -> Self {
        Self { lines: Rc::default(), dropped }
    }

    fn add(&self, line: impl Into<String>) {
        self.lines.borrow_mut().push(line.into());
    }

    fn all(&self) -> Vec<String> {
        self.lines.borrow().clone()
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        if let Some(dropped) = &self.dropped {
            dropped.try_send(self.all()).unwrap();
        }
    }
}

fn log() -> ActorInit<Log> {
    actor!(|| Ok(Log::new(None)))
}

fn add(line: &str) -> ActorCall<Log, ()> {
    let line = line.to_owned();
    call!(move |log| log.add(line))
}

fn all() -> ActorCall<Log, Vec<String>> {
    call!(|log| log.all())
}

thread_local! {
    /// What a call on this worker waits for.
    static GATE: RefCell<Option<oneshot::Receiver<()>>> = const { RefCell::new(None) };
    static OPENS: RefCell<Option<oneshot::Sender<()>>> = const { RefCell::new(None) };
}

/// A call that has the object until the gate of its worker is opened.
fn waits_at_the_gate(line: &str) -> ActorCall<Log, ()> {
    let line = line.to_owned();
    call!(async move |log| {
        log.add(format!("{line} begins"));
        let (sender, receiver) = oneshot::channel();
        OPENS.set(Some(sender));
        receiver.await.unwrap();
        log.add(format!("{line} ends"));
    })
}

fn opens_the_gate() -> wasm_mt::Remote<()> {
    remote!(async || {
        while OPENS.with_borrow(Option::is_none) {
            yield_now().await;
        }
        OPENS.take().unwrap().send(()).unwrap();
    })
}

/// What is lost with its worker.
fn breaks<T: 'static>() -> ActorCall<T, ()> {
    ActorCall::new((), |(), _| panic!("on purpose"))
}

fn pools() -> impl Iterator<Item = Pool> {
    [Strategy::Serial, Strategy::Parallel, Strategy::WorkStealing]
        .into_iter()
        .map(|strategy| Pool::builder().strategy(strategy).threads(2).build())
}

remote_test! {
    async fn an_object_stays_as_its_calls_leave_it() {
        for pool in pools() {
            let log = pool.spawn_actor(log());
            let lines = join_all((0..100).map(|n| log.call(add(&n.to_string())))).await;
            assert!(lines.into_iter().all(|line| line.is_ok()));
            let expected: Vec<_> = (0..100).map(|n| n.to_string()).collect();
            assert_eq!(log.call(all()).await.unwrap(), expected);
            // By a clone too.
            log.clone().call(add("more")).await.unwrap();
            assert_eq!(log.call(all()).await.unwrap().len(), 101);
        }
    }

    async fn an_object_is_made_of_what_was_captured() {
        let pool = Pool::new();
        let (text, block) = ("sea".to_owned(), Transfer(vec![1_u8; 1000]));
        let (progress, made) = unbounded();
        let object = pool.spawn_actor(actor!(async move {
            progress.send("begins".to_owned()).await?;
            yield_now().await;
            progress.send("ends".to_owned()).await?;
            Ok((text, block))
        }));
        let length = object.call(call!(|(text, block): &mut (String, Transfer<Vec<u8>>)| text.len() + block.0.len()));
        assert_eq!(length.await.unwrap(), 1003);
        let made: Vec<String> = made.try_collect().await.unwrap();
        assert_eq!(made, ["begins", "ends"]);
    }

    async fn calls_come_one_by_one_in_their_order() {
        // Under `Serial` nothing else runs while one waits.
        for strategy in [Strategy::Parallel, Strategy::WorkStealing] {
            let pool = Pool::builder().strategy(strategy).threads(1).build();
            let (object, other) = (pool.spawn_actor(log()), pool.spawn_actor(log()));
            let first = object.call(waits_at_the_gate("first"));
            let later = [object.call(add("second")), object.call(add("third"))];
            // What is not of this object goes on.
            other.call(add("other")).await.unwrap();
            pool.spawn_remote(opens_the_gate()).await.unwrap();
            first.await.unwrap();
            try_join_all(later).await.unwrap();
            assert_eq!(object.call(all()).await.unwrap(), ["first begins", "first ends", "second", "third"]);
        }
    }

    async fn a_call_that_is_cancelled_gives_the_object_back() {
        let thread = Thread::new();
        let object = thread.spawn_actor(log());
        let endless = object.call(waits_at_the_gate("endless"));
        let (skipped, second) = (object.call(add("skipped")), object.call(add("second")));
        // It waits by now.
        thread.spawn_remote(remote!(|| ())).await.unwrap();
        drop(skipped);
        drop(endless);
        second.await.unwrap();
        assert_eq!(object.call(all()).await.unwrap(), ["endless begins", "second"]);
    }

    async fn a_limit_ends_a_call_and_not_its_object() {
        let object = Thread::new().spawn_actor(log());
        let limit = Duration::from_millis(10);
        let endless = call!(async |log: &mut Log| {
            log.add("endless");
            pending::<()>().await;
        });
        let endless = object.call(endless.timeout(limit));
        let waiting = object.call(add("waits").timeout(limit));
        assert!(endless.await.unwrap_err().is_timeout());
        // Its limit ends while it waits, or while it runs, or not at all.
        let waited = waiting.await;
        assert!(waited.as_ref().err().is_none_or(Error::is_timeout), "{waited:?}");
        let lines = object.call(all()).await.unwrap();
        assert!(lines == ["endless", "waits"] || lines == ["endless"] && waited.is_err(), "{lines:?}");
    }

    async fn what_cannot_be_made_is_the_error_of_each_call() {
        for pool in pools() {
            let none: Actor<Log> = pool.spawn_actor(actor!(|| Err(Error::other("no luck"))));
            let place = format!("actor.rs:{}", line!() - 1);
            let (before, ready) = (none.call(add("before")), none.ready());
            let text = before.await.unwrap_err().to_string();
            assert!(text.contains("no luck") && text.contains(&place), "{text}");
            assert!(ready.await.unwrap_err().is_other());
            assert!(none.call(all()).await.unwrap_err().is_other());
            let later: Actor<Log> = pool.spawn_actor(actor!(async {
                yield_now().await;
                Err(Error::other("no luck"))
            }));
            assert!(later.call(all()).await.unwrap_err().is_other());
        }
    }

    async fn captures_that_cannot_cross_are_the_error_of_each_call() {
        let pool = Pool::builder().threads(1).build();
        for faulty in [Faulty { written: false }, Faulty { written: true }] {
            let object = pool.spawn_actor(actor!(move || Ok(faulty.written)));
            let calls = [object.call(call!(|written| *written)), object.call(call!(|written| *written))];
            for call in calls {
                let error = call.await.unwrap_err();
                assert!(error.is_codec() && error.to_string().contains("on purpose"), "{error}");
            }
            // Of a call, it is this call's.
            let sound = pool.spawn_actor(log());
            let wrong = sound.call(call!(move |log| log.add(faulty.written.to_string())));
            let right = sound.call(add("right"));
            assert!(wrong.await.unwrap_err().is_codec());
            right.await.unwrap();
            assert_eq!(sound.call(all()).await.unwrap(), ["right"]);
        }
    }

    async fn an_object_is_dropped_behind_its_last_call() {
        for pool in pools() {
            let (dropped, mut drops) = unbounded();
            let object = pool.spawn_actor(actor!(move || Ok(Log::new(Some(dropped)))));
            let clone = object.clone();
            drop(object);
            clone.call(add("kept")).await.unwrap();
            let last = clone.call(call!(async |log| {
                yield_now().await;
                log.add("last");
            }));
            drop(clone);
            last.await.unwrap();
            assert_eq!(drops.next().await.unwrap().unwrap(), ["kept", "last"]);
            assert!(drops.next().await.is_none());
        }
    }

    async fn an_object_whose_calls_are_forgotten_or_cancelled_is_dropped_too() {
        let pool = Pool::builder().threads(1).build();
        let (dropped, mut drops) = unbounded();
        let object = pool.spawn_actor(actor!(move || Ok(Log::new(Some(dropped)))));
        object.call(add("forgotten")).forget();
        let endless = object.call(call!(async |log: &mut Log| {
            log.add("endless");
            pending::<()>().await;
        }));
        pool.spawn_remote(remote!(|| ())).await.unwrap();
        drop(object);
        assert!(drops.next().now_or_never().is_none());
        drop(endless);
        assert_eq!(drops.next().await.unwrap().unwrap(), ["forgotten", "endless"]);
    }

    async fn an_object_is_dropped_when_it_is_closed() {
        let pool = Pool::builder().threads(1).build();
        let (dropped, mut drops) = unbounded();
        let object = pool.spawn_actor(actor!(move || Ok(Log::new(Some(dropped)))).restart(1));
        let first = object.call(waits_at_the_gate("first"));
        let (closed, later, again) = (object.close(), object.call(add("later")), object.close());
        pool.spawn_remote(opens_the_gate()).await.unwrap();
        first.await.unwrap();
        closed.await.unwrap();
        assert_eq!(drops.next().now_or_never().unwrap().unwrap().unwrap(), ["first begins", "first ends"]);
        assert!(later.await.unwrap_err().is_closed());
        assert!(again.await.unwrap_err().is_closed());
        // By a task of another worker.
        let object = pool.spawn_actor(log());
        let captured = object.clone();
        Thread::new().spawn_remote(remote!(async move { captured.close().await })).await.unwrap().unwrap();
        assert!(object.call(all()).await.unwrap_err().is_closed());
    }

    async fn an_actor_keeps_its_workers() {
        let object = Pool::new().spawn_actor(log());
        object.call(add("alone")).await.unwrap();
        let thread = Thread::new();
        let ended = thread.spawn_actor(log());
        let endless = ended.call(waits_at_the_gate("endless"));
        thread.terminate();
        assert!(endless.await.unwrap_err().is_closed());
        assert!(ended.call(all()).await.unwrap_err().is_closed());
        assert_eq!(object.call(all()).await.unwrap(), ["alone"]);
    }

    async fn an_object_that_is_lost_ends_its_calls() {
        let pool = Pool::builder().threads(1).build();
        let object = pool.spawn_actor(log());
        let (waiting, blamed, behind) =
            (object.call(add("before")), object.call(breaks()), object.call(add("behind")));
        waiting.await.unwrap();
        assert!(blamed.await.unwrap_err().is_panic());
        assert!(behind.await.unwrap_err().is_worker_lost());
        let error = object.call(all()).await.unwrap_err();
        assert!(error.is_worker_lost() && error.to_string().contains("restart"), "{error}");
        // The pool has another worker.
        assert!(pool.spawn_actor(log()).call(all()).await.unwrap().is_empty());

        let thread = Thread::new();
        let object = thread.spawn_actor(log());
        assert!(thread.spawn_remote(remote!(|| -> () { panic!("on purpose") })).await.unwrap_err().is_panic());
        assert!(object.call(all()).await.unwrap_err().is_worker_lost());
        assert!(thread.spawn_actor(log()).call(all()).await.unwrap_err().is_worker_lost());
    }

    async fn an_object_whose_initialiser_panics_is_lost() {
        let pool = Pool::builder().threads(1).build();
        let object: Actor<Log> = pool.spawn_actor(actor!(|| panic!("on purpose")));
        assert!(object.call(all()).await.unwrap_err().is_worker_lost());
        assert!(object.ready().await.unwrap_err().is_worker_lost());
    }

    async fn an_object_is_made_anew_as_often_as_it_may() {
        for pool in pools() {
            let (first, block) = ("first".to_owned(), Transfer(vec![7_u8; 10]));
            let init = actor!(move || {
                let log = Log::new(None);
                log.add(format!("{first} {}", block.0.len()));
                Ok(log)
            });
            let object = pool.spawn_actor(init.restart(2));
            for _ in 0..2 {
                object.call(add("lost")).await.unwrap();
                assert!(object.call(breaks()).await.unwrap_err().is_panic());
                assert_eq!(object.call(all()).await.unwrap(), ["first 10"]);
            }
            assert!(object.call(breaks()).await.unwrap_err().is_panic());
            assert!(object.call(all()).await.unwrap_err().is_worker_lost());
        }
    }

    async fn what_cannot_be_copied_makes_one_object() {
        let pool = Pool::builder().threads(1).build();
        let (sender, words) = unbounded::<String>();
        sender.send("sea".to_owned()).await.unwrap();
        let init = actor!(async move {
            let mut words = words;
            words.next().await.unwrap()
        });
        let object = pool.spawn_actor(init.restart(2));
        assert_eq!(object.call(call!(|word| word.clone())).await.unwrap(), "sea");
        assert!(object.call(breaks()).await.unwrap_err().is_panic());
        let error = object.ready().await.unwrap_err();
        assert!(error.is_codec() && error.to_string().contains("Receiver"), "{error}");
    }

    async fn tasks_of_its_pool_call_an_object() {
        for strategy in [Strategy::Serial, Strategy::Parallel, Strategy::WorkStealing] {
            // A serial task waits for a call, and the call for no task.
            let pool = Pool::builder().strategy(strategy).threads(1).build();
            let object = pool.spawn_actor(log());
            let captured = object.clone();
            let task = remote!(async move {
                captured.call(add("task")).await?;
                let slow = captured.call(call!(async |log| {
                    yield_now().await;
                    log.add("slow");
                }));
                slow.await
            });
            pool.spawn_remote(task).await.unwrap().unwrap();
            assert_eq!(object.call(all()).await.unwrap(), ["task", "slow"], "{strategy:?}");
        }
    }

    async fn calls_wait_for_their_worker_and_no_other_takes_them() {
        for strategy in [Strategy::Parallel, Strategy::WorkStealing] {
            let pool = Pool::builder().strategy(strategy).threads(2).build();
            let object = pool.spawn_actor(log());
            // Before a task that only the end of its worker stops, what waits there leaves, but for this.
            let busy = pool.broadcast(remote!(|| hold_the_thread()));
            let limited = pool.broadcast(remote!(|| hold_the_thread()).timeout(Duration::from_secs(60)));
            let calls = (0..20).map(|n: u32| object.call(add(&n.to_string())));
            try_join_all(calls).await.unwrap();
            try_join_all(busy.into_iter().chain(limited)).await.unwrap();
            assert!(object.call(all()).await.unwrap().into_iter().eq((0..20).map(|n: u32| n.to_string())));
        }
    }

    async fn objects_are_spread_over_the_workers() {
        thread_local! {
            static HERE: Cell<u32> = const { Cell::new(0) };
        }
        let pool = Pool::builder().threads(2).build();
        let numbered = || actor!(|| {
            HERE.set(HERE.get() + 1);
            Ok(HERE.get())
        });
        let objects: Vec<_> = (0..4).map(|_| pool.spawn_actor(numbered())).collect();
        let calls = objects.iter().map(|object| object.call(call!(|number| *number)));
        let mut numbers = try_join_all(calls).await.unwrap();
        numbers.sort_unstable();
        assert_eq!(numbers, [1, 1, 2, 2]);
        // One on each worker.
        let each = pool.spawn_actors(numbered());
        let calls = each.iter().map(|object| object.call(call!(|number| *number)));
        assert_eq!(try_join_all(calls).await.unwrap(), [3, 3]);
        drop((objects, each));
        // Those that are gone count no more: a worker with one fewer gets the next.
        let mut each = pool.spawn_actors(numbered());
        try_join_all(each.iter().map(Actor::ready)).await.unwrap();
        drop(each.remove(1));
        pool.spawn_actor(numbered()).ready().await.unwrap();
        let here = try_join_all(pool.broadcast(remote!(|| HERE.get()))).await.unwrap();
        assert_eq!(here, [4, 5]);
    }

    async fn on_run_hears_of_what_the_program_has_made() {
        let (sender, runs) = std::sync::mpsc::channel();
        let sender = std::sync::Mutex::new(sender);
        let told = move |run: &wasm_mt::TaskRun| sender.lock().unwrap().send(run.location().unwrap().file()).unwrap();
        let pool = Pool::builder().threads(1).on_run(told).build();
        let object = pool.spawn_actor(log());
        object.call(add("call")).await.unwrap();
        drop(object);
        // Behind what drops the object.
        pool.spawn_remote(remote!(|| ())).await.unwrap();
        pool.close().await;
        let files: Vec<_> = runs.try_iter().collect();
        assert_eq!(files, [file!(); 3]);
    }

    async fn a_closed_object_is_not_made_anew() {
        for is_elsewhere in [false, true] {
            let pool = Pool::builder().threads(1).build();
            let object = pool.spawn_actor(log().restart(1));
            if is_elsewhere {
                let captured = object.clone();
                let closes = remote!(async move { captured.close().await });
                pool.spawn_remote(closes).await.unwrap().unwrap();
            } else {
                object.close().await.unwrap();
            }
            assert!(pool.spawn_remote(remote!(|| -> () { panic!("on purpose") })).await.unwrap_err().is_panic());
            assert!(object.call(all()).await.unwrap_err().is_closed());
        }
    }

    async fn an_object_is_dropped_whatever_goes_first() {
        for pool_first in [false, true] {
            let (dropped, mut drops) = unbounded();
            let pool = Pool::builder().threads(1).build();
            let object = pool.spawn_actor(actor!(move || Ok(Log::new(Some(dropped)))));
            let last = object.call(call!(async |log| {
                yield_now().await;
                log.add("last");
            }));
            if pool_first {
                drop(pool);
                drop(object);
                last.await.unwrap();
            } else {
                last.await.unwrap();
                drop(object);
                drop(pool);
            }
            assert_eq!(drops.next().await.unwrap().unwrap(), ["last"]);
        }
    }

    async fn calls_run_to_their_ends_when_nothing_else_is_left() {
        let object = Thread::builder().grace(Duration::ZERO).build().spawn_actor(log());
        let long = object.call(call!(async |log| {
            for _ in 0..50 {
                yield_now().await;
            }
            log.add("end");
            log.all()
        }));
        drop(object);
        assert_eq!(long.await.unwrap(), ["end"]);
    }

    async fn an_initialiser_has_no_limit_of_others() {
        fn slow() -> ActorInit<Log> {
            actor!(async || {
                // sleep: longer than the limit of the task
                wasm_mt::sleep(Duration::from_millis(60)).await;
                Ok(Log::new(None))
            })
        }
        let limit = Duration::from_millis(30);
        let thread = Thread::new();
        let makes = remote!(async move { Pool::builder().threads(1).build().spawn_actor(slow()) });
        // On a busy machine the task may be late itself.
        if let Ok(object) = thread.spawn_remote(makes.timeout(limit)).await {
            assert!(object.call(all()).await.unwrap().is_empty());
        }
        let pool = Pool::builder().threads(1).build();
        let object = pool.spawn_actor(slow().restart(1));
        assert!(object.call(breaks()).await.unwrap_err().is_panic());
        let captured = object.clone();
        let calls = remote!(async move { captured.ready().await });
        assert!(thread.spawn_remote(calls.timeout(limit)).await.unwrap_err().is_timeout());
        assert!(object.call(all()).await.unwrap().is_empty());
    }

    async fn the_loss_of_the_memory_that_made_it_is_that_of_the_object() {
        let thread = Thread::new();
        let makes = remote!(async || {
            let object = Thread::new().spawn_actor(log());
            object.ready().await.map(|()| object)
        });
        let object = thread.spawn_remote(makes).await.unwrap().unwrap();
        object.call(add("far")).await.unwrap();
        let during = object.call(call!(async |_| pending::<()>().await));
        assert!(thread.spawn_remote(remote!(|| -> () { panic!("on purpose") })).await.unwrap_err().is_panic());
        // Natively the thread lives on for its object.
        if cfg!(target_family = "wasm") {
            for error in [during.await.unwrap_err(), object.ready().await.unwrap_err()] {
                assert!(error.is_worker_lost() && error.to_string().contains("object"), "{error}");
            }
        }
    }

    async fn calls_carry_what_tasks_carry() {
        let pool = Pool::builder().threads(1).build();
        let object = pool.spawn_actor(actor!(|| Ok(0_u32)));
        let table = Shared::new(vec![1_u32; 1000]);
        for _ in 0..2 {
            let table = table.clone();
            object.call(call!(move |sum| *sum += table.iter().sum::<u32>())).await.unwrap();
        }
        let (sender, mut sums) = channel(1);
        let block = Transfer(vec![5_u32; 4]);
        let sum = object.call(call!(async move |sum| {
            *sum += block.0.iter().sum::<u32>();
            sender.send(*sum).await.unwrap();
            Transfer(vec![*sum; 2])
        }));
        assert_eq!(sums.next().await.unwrap().unwrap(), 2020);
        assert_eq!(sum.await.unwrap().0, [2020; 2]);
        let failed = object.call(call!(|_| Err::<(), _>("an error of its own".to_owned())));
        assert_eq!(failed.await.unwrap(), Err("an error of its own".to_owned()));
    }

    async fn a_task_has_objects_on_workers_of_its_own() {
        let task = remote!(async || {
            let object = Pool::builder().threads(1).build().spawn_actor(log());
            object.call(add("nested")).await?;
            object.call(all()).await
        });
        assert_eq!(Pool::new().spawn_remote(task).await.unwrap().unwrap(), ["nested"]);
    }

    async fn tasks_call_an_actor_that_they_have_captured() {
        let owner = Thread::new();
        let object = owner.spawn_actor(log());
        for pool in pools() {
            object.call(call!(|log| log.lines.borrow_mut().clear())).await.unwrap();
            let tasks = (0..4_u32).map(|task| {
                let object = object.clone();
                pool.spawn_remote(remote!(async move {
                    for n in 0..5_u32 {
                        object.call(add(&format!("{task} {n}"))).await?;
                    }
                    object.call(all()).await
                }))
            });
            for lines in try_join_all(tasks).await.unwrap() {
                assert!(lines.unwrap().len() >= 5);
            }
            let lines = object.call(all()).await.unwrap();
            assert_eq!(lines.len(), 20);
            for task in 0..4 {
                let own = lines.iter().filter(|line| line.starts_with(&task.to_string())).cloned();
                assert!(own.eq((0..5).map(|n| format!("{task} {n}"))), "{lines:?}");
            }
        }
    }

    async fn functions_children_and_results_have_it_too() {
        let pool = Pool::builder().threads(2).build();
        let object = pool.spawn_actor(actor!(|| Ok(0_u32)));
        let captured = object.clone();
        let function: RemoteFn<u32, Result<(), Error>> =
            remote!(async move |n| captured.call(call!(move |sum| *sum += n)).await);
        let done: Vec<_> = pool.par_map(0..10, function).try_collect().await.unwrap();
        assert!(done.into_iter().all(|done| done.is_ok()));
        // To a worker of a worker, and from there back.
        let captured = object.clone();
        let parent = remote!(async move {
            let thread = Thread::new();
            let child = thread.spawn_remote(remote!(async move {
                captured.call(call!(|sum| *sum += 1)).await?;
                Ok::<_, Error>(captured)
            }));
            child.await?
        });
        let back = pool.spawn_remote(parent).await.unwrap().unwrap();
        assert_eq!(back.call(call!(|sum| *sum)).await.unwrap(), 46);
        // Through a channel.
        let (sender, receiver) = channel(1);
        sender.send(back).await.unwrap();
        let adds = remote!(async move {
            let mut receiver = receiver;
            let object: Actor<u32> = receiver.next().await.unwrap()?;
            object.call(call!(|sum| *sum += 1)).await
        });
        pool.spawn_remote(adds).await.unwrap().unwrap();
        assert_eq!(object.call(call!(|sum| *sum)).await.unwrap(), 47);
    }

    async fn an_actor_elsewhere_keeps_the_object() {
        let (dropped, mut drops) = unbounded();
        let object = Thread::new().spawn_actor(actor!(move || Ok(Log::new(Some(dropped)))));
        let thread = Thread::new();
        let task = thread.spawn_remote(remote!(async move {
            yield_now().await;
            object.call(add("far")).await
        }));
        assert!(drops.next().now_or_never().is_none());
        task.await.unwrap().unwrap();
        assert_eq!(drops.next().await.unwrap().unwrap(), ["far"]);
    }

    async fn calls_from_elsewhere_carry_what_tasks_carry_and_tell_errors() {
        let (owner, thread) = (Thread::new(), Pool::builder().threads(1).build());
        let sum = owner.spawn_actor(actor!(|| Ok(0_u32)));
        let none: Actor<Log> = owner.spawn_actor(actor!(|| Err(Error::other("no luck"))));
        let table = Shared::new(vec![1_u32; 1000]);
        let task = remote!(async move {
            let block = Transfer(vec![5_u32; 4]);
            for _ in 0..2 {
                let table = table.clone();
                sum.call(call!(move |sum| *sum += table.iter().sum::<u32>())).await?;
            }
            let back = sum.call(call!(move |sum| {
                *sum += block.0.iter().sum::<u32>();
                Transfer(vec![*sum; 2])
            }));
            let back = back.await?.0;
            let refused = sum.call(ActorCall::new(Faulty { written: false }, |_, sum| *sum)).await;
            let unread = sum.call(ActorCall::new(Faulty { written: true }, |_, sum| *sum)).await;
            let failed = none.ready().await;
            Ok::<_, Error>((back, refused.unwrap_err(), unread.unwrap_err(), failed.unwrap_err()))
        });
        let (back, refused, unread, failed) = thread.spawn_remote(task).await.unwrap().unwrap();
        assert_eq!(back, [2020; 2]);
        assert!(refused.is_codec() && unread.is_codec(), "{refused}, {unread}");
        assert!(failed.is_other() && failed.to_string().contains("no luck"), "{failed}");
    }

    async fn a_call_from_elsewhere_that_is_dropped_gives_the_object_back() {
        let (owner, pool) = (Thread::new(), Pool::builder().threads(1).build());
        let object = owner.spawn_actor(log());
        let (captured, (begun, mut begins)) = (object.clone(), unbounded());
        // Dropped, timed out, and lost with its worker.
        let task = remote!(async move {
            let endless = |line: &'static str| {
                let (begun, line) = (begun.clone(), line.to_owned());
                call!(async move |log: &mut Log| {
                    log.add(line.clone());
                    begun.send(line).await.unwrap();
                    pending::<()>().await;
                })
            };
            drop(captured.call(endless("dropped")));
            let late = captured.call(endless("late").timeout(Duration::from_millis(10))).await;
            captured.call(call!(move |log| log.add(late.unwrap_err().is_timeout().to_string()))).await?;
            captured.call(endless("lost")).await
        });
        let lost = pool.spawn_remote(task);
        while begins.next().await.unwrap().unwrap() != "lost" {}
        let behind = object.call(add("behind"));
        pool.terminate();
        assert!(lost.await.unwrap_err().is_closed());
        behind.await.unwrap();
        let lines = object.call(all()).await.unwrap();
        // The first may have been dropped before it began, and the second may have been late already.
        assert!(lines.ends_with(&["true".to_owned(), "lost".to_owned(), "behind".to_owned()]), "{lines:?}");
    }

    async fn a_call_that_was_forgotten_elsewhere_runs() {
        let owner = Thread::new();
        let object = owner.spawn_actor(log());
        let gate = object.call(waits_at_the_gate("first"));
        let pool = Pool::builder().threads(1).build();
        let captured = object.clone();
        let forgets = remote!(async move { captured.call(add("forgotten")).forget() });
        pool.spawn_remote(forgets).await.unwrap();
        pool.terminate();
        owner.spawn_remote(opens_the_gate()).await.unwrap();
        gate.await.unwrap();
        assert_eq!(object.call(all()).await.unwrap(), ["first begins", "first ends", "forgotten"]);
    }

    async fn the_loss_of_an_object_is_told_elsewhere() {
        let (owner, pool) = (Thread::new(), Pool::builder().threads(1).build());
        let object = owner.spawn_actor(log());
        let task = remote!(async move {
            let waiting = object.call(waits_at_the_gate("lost"));
            let broken = object.call(breaks());
            drop(waiting);
            (broken.await.unwrap_err(), object.call(all()).await.unwrap_err())
        });
        let (broken, later) = pool.spawn_remote(task).await.unwrap();
        assert!(broken.is_panic() && later.is_worker_lost(), "{broken}, {later}");
    }

    async fn calls_can_be_written_in_every_form() {
        let object = Thread::new().spawn_actor(actor!(move || Ok(vec![1_u32])));
        let (n, text) = (2, "three".to_owned());
        object.call(call!(move |list| list.push(n))).await.unwrap();
        object.call(call!([length = text.len() as u32] move |list| list.push(length))).await.unwrap();
        let sum = call!(move |list: &mut Vec<u32>| -> u32 { list.iter().sum::<u32>() + n });
        assert_eq!(object.call(sum.clone()).await.unwrap(), 10);
        assert_eq!(object.call(sum).await.unwrap(), 10);
        let block = object.call(call!(move |list| async move {
            yield_now().await;
            list[0] + n
        }));
        assert_eq!(block.await.unwrap(), 3);
        let typed = object.call(call!(async move |list| -> Result<u32, Error> {
            yield_now().await;
            let first = list.first().ok_or_else(|| Error::other("it is empty"))?;
            Ok(first + n)
        }));
        assert_eq!(typed.await.unwrap().unwrap(), 3);
        let ignored = object.call(call!(|_| 7));
        assert_eq!(ignored.await.unwrap(), 7);
    }
}

/// Cannot be decoded, or not even encoded.
#[derive(Clone, Copy)]
struct Faulty {
    written: bool,
}

impl Serialize for Faulty {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.written {
            serializer.serialize_bool(true)
        } else {
            Err(serde::ser::Error::custom("on purpose"))
        }
    }
}

impl<'de> Deserialize<'de> for Faulty {
    fn deserialize<D: Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        Err(serde::de::Error::custom("on purpose"))
    }
}

#[cfg(not(target_family = "wasm"))]
native_test! { fn threads_that_find_an_object_lost_have_it_made_once() {
    use std::sync::{Arc, Barrier};
    for strategy in [Strategy::Serial, Strategy::Parallel] {
        for _ in 0..20 {
            let pool = Pool::builder().strategy(strategy).threads(1).build();
            let object = pool.spawn_actor(actor!(|| Ok(0_u32)).restart(1));
            let lost = object.clone();
            wasm_mt::run(async move { assert!(lost.call(breaks()).await.unwrap_err().is_panic()) });
            let barrier = Arc::new(Barrier::new(4));
            let calls = |_| {
                let (object, barrier) = (object.clone(), barrier.clone());
                std::thread::spawn(move || {
                    barrier.wait();
                    let call = object.call(call!(|sum| *sum += 1));
                    wasm_mt::run(async { call.await.unwrap() });
                })
            };
            let threads: Vec<_> = (0..4).map(calls).collect();
            threads.into_iter().for_each(|thread| thread.join().unwrap());
            let sum = object.call(call!(|sum| *sum));
            wasm_mt::run(async { assert_eq!(sum.await.unwrap(), 4) });
        }
    }
}}

#[cfg(not(target_family = "wasm"))]
native_test! { fn an_actor_is_called_from_many_threads() {
    let object = Pool::new().spawn_actor(actor!(|| Ok(0_u32)));
    let calls = |_| {
        let object = object.clone();
        std::thread::spawn(move || {
            let calls = (0..100).map(move |_| object.call(call!(|sum| *sum += 1)));
            wasm_mt::run(async { assert_eq!(try_join_all(calls).await.unwrap().len(), 100) });
        })
    };
    let threads: Vec<_> = (0..4).map(calls).collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    wasm_mt::run(async move { assert_eq!(object.call(call!(|sum| *sum)).await.unwrap(), 400) });
}}

#[cfg(target_family = "wasm")]
web_test! { async fn captures_that_cannot_be_posted_are_the_error_of_each_call() {
    use wasm_mt::Js;
    for pool in pools() {
        for closes in [false, true] {
            let function = Js(js_sys::Function::new_no_args(""));
            let object = pool.spawn_actor(actor!(move || {
                drop(function);
                Ok(Log::new(None))
            }));
            let call = object.call(all());
            let closed = closes.then(|| pool.close());
            assert!(call.await.unwrap_err().is_codec());
            match closed {
                Some(closed) => closed.await,
                None => assert!(object.ready().await.unwrap_err().is_codec()),
            }
        }
    }
    // From elsewhere.
    let (owner, thread) = (Thread::new(), Thread::new());
    let object = owner.spawn_actor(log());
    let task = remote!(async move {
        let moved = Js::transfer(js_sys::Object::new());
        object.call(call!(move |_| drop(moved))).await.unwrap_err()
    });
    let error = thread.spawn_remote(task).await.unwrap();
    assert!(error.is_codec(), "{error}");
}}
