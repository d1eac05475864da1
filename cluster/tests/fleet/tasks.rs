//! Tasks, as programs use them.

use std::collections::BTreeSet;
use std::panic::{self, AssertUnwindSafe};
use std::pin::pin;
use std::process;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use futures::TryStreamExt;
use futures::future::try_join_all;
use futures::poll;
use futures::task::{FutureObj, Spawn, SpawnError};
use wasm_mt::executor::current;
use wasm_mt::{
    Error, Executor, ExecutorExt, Job, Pool, RemoteFn, Shared, Transfer, channel, remote, yield_now,
};
use wasm_mt_nats::{Cluster, Node};

use crate::notes::Notes;
use crate::store::{is_empty, wait_until_stored};
use crate::{Fleet, Test, endless, endless_noted, run};

pub(crate) const TESTS: &[Test] = &[
    ("tasks_run_on_all_nodes", tasks_run_on_all_nodes),
    ("errors_and_limits_mean_what_they_mean_elsewhere", errors_and_limits_mean_what_they_mean_elsewhere),
    ("a_hundred_thousand_tiny_tasks", a_hundred_thousand_tiny_tasks),
    ("bodies_of_64_mebibytes_cross", bodies_of_64_mebibytes_cross),
    ("tasks_await_tasks_here_and_on_the_fleet", tasks_await_tasks_here_and_on_the_fleet),
    ("tasks_that_waited_find_the_fleet_of_a_new_node", tasks_that_waited_find_the_fleet_of_a_new_node),
    ("a_queue_takes_what_it_has_room_for", a_queue_takes_what_it_has_room_for),
    ("a_panic_while_a_task_is_encoded_leaves_nothing", a_panic_while_a_task_is_encoded_leaves_nothing),
    ("a_handle_that_is_dropped_stops_its_task", a_handle_that_is_dropped_stops_its_task),
    ("a_handle_may_be_dropped_while_its_task_is_taken", a_handle_may_be_dropped_while_its_task_is_taken),
];

fn tasks_run_on_all_nodes() {
    let fleet = Fleet::new(3);
    run(async move {
        let cluster = fleet.connect().await;
        let executor: Box<dyn Executor> = Box::new(cluster.clone());
        let tasks = (0..24).map(|_| executor.spawn_remote(remote!(move || hold(20))));
        let processes: BTreeSet<u32> = try_join_all(tasks).await?.into_iter().collect();
        assert_eq!(processes.len(), 3, "each node has some");
        assert!(!processes.contains(&process::id()));
        assert_eq!((cluster.nodes(), cluster.concurrency()), (3, 6));
        let table: Vec<u32> = (0..10_000).collect();
        let get: RemoteFn<u32, u32> = remote!(move |n| table[n as usize] + 1);
        let got: Vec<u32> = executor.par_map(0..5_000, get).try_collect().await?;
        assert!(got.into_iter().eq(1..=5_000));
        let shared = Shared::new(vec![1_u8; 100_000]);
        let lengths = (0..10).map(|_| {
            let shared = shared.clone();
            executor.spawn_remote(remote!(move || shared.len()))
        });
        assert_eq!(try_join_all(lengths).await?, [100_000; 10]);
        executor.close().await;
        assert_eq!(executor.pending(), 0);
        assert!(executor.spawn_remote(remote!(|| 1)).await.unwrap_err().is_closed());
        Ok(())
    });
}

/// Holds its worker, and says where.
fn hold(milliseconds: u64) -> u32 {
    // sleep: it is what the task does
    thread::sleep(Duration::from_millis(milliseconds));
    process::id()
}

fn errors_and_limits_mean_what_they_mean_elsewhere() {
    let fleet = Fleet::new(1);
    run(async move {
        let cluster = fleet.connect().await;
        let error = cluster.spawn_remote(remote!(|| -> u32 { panic!("a bug") })).await.unwrap_err();
        assert!(error.is_panic() && error.to_string().contains("tasks.rs"), "{error}");
        let late = endless().timeout(Duration::from_millis(50));
        assert!(cluster.spawn_remote(late).await.unwrap_err().is_timeout());
        let aborted = cluster.spawn_remote(endless());
        aborted.abort();
        assert!(aborted.await.unwrap_err().is_cancelled());
        let (sender, _receiver) = channel::<u32>(1);
        let error = cluster.spawn_remote(remote!(move || drop(sender))).await.unwrap_err();
        assert!(error.is_codec(), "{error}");
        // A worker of the node that is lost under another task: as on a pool.
        let notes = Notes::new();
        let (beside, end) = (notes.clone(), notes.clone());
        let retried = remote!(async move {
            beside.write("begun");
            // Until the end is written, on whichever worker.
            while !beside.lines().iter().any(|line| line == "the end") {
                yield_now().await;
            }
            7
        });
        let retried = [(); 2].map(|()| cluster.spawn_remote(retried.clone().retry(1)));
        notes.wait_for(2);
        let faulty = (0..2).map(|_| cluster.spawn_remote(remote!(|| -> u32 { panic!("a bug") })));
        for faulty in faulty.collect::<Vec<_>>() {
            assert!(faulty.await.unwrap_err().is_panic());
        }
        end.write("the end");
        assert_eq!(try_join_all(retried).await?, [7, 7]);
        notes.remove();
        Ok(())
    });
}

fn a_hundred_thousand_tiny_tasks() {
    let fleet = Fleet::new(3);
    run(async move {
        let cluster = fleet.connect().await;
        let tasks = (0..100_000_u64).map(|n| cluster.spawn_remote(remote!(move || n * n)));
        let squares = try_join_all(tasks).await?;
        assert!(squares.into_iter().eq((0..100_000).map(|n| n * n)));
        Ok(())
    });
}

fn bodies_of_64_mebibytes_cross() {
    let fleet = Fleet::new(1);
    run(async move {
        let cluster = fleet.connect().await;
        let block: Vec<u8> = (0..64 << 20).map(|n: u32| n as u8).collect();
        let sent = Transfer(block.clone());
        let back = cluster.spawn_remote(remote!(move || sent)).await?;
        assert!(back.0 == block);
        wait_until_stored(&fleet, is_empty);
        Ok(())
    });
}

/// More parents than a node takes otherwise: they await what no node takes unless it takes more.
fn tasks_await_tasks_here_and_on_the_fleet() {
    let fleet = Fleet::new(2);
    run(async move {
        let cluster = fleet.connect().await;
        let parents = (0..40_u64).map(|n| {
            cluster.spawn_remote(remote!(async move {
                let fleet = Cluster::current().await?;
                let child = fleet.spawn_remote(remote!(move || n + 1)).await?;
                let own = current().spawn_remote(remote!(move || child + 1)).await?;
                Ok::<_, Error>(own)
            }))
        });
        let sums: Result<Vec<_>, _> = try_join_all(parents).await?.into_iter().collect();
        assert!(sums?.into_iter().eq(2..42));
        Ok(())
    });
}

/// Who starts the node is not scheduled before the task has run.
fn tasks_that_waited_find_the_fleet_of_a_new_node() {
    let fleet = Fleet::new(0);
    run(async move {
        let cluster = fleet.connect().await;
        assert!(Cluster::current().await.unwrap_err().is_other(), "this process is no node");
        let look = remote!(async { Cluster::current().await.map(|fleet| fleet.nodes()) });
        let waited = cluster.spawn_remote(look.clone());
        let pool = || Pool::builder().threads(2).build();
        let mut start = pin!(Node::start(fleet.config(), pool()));
        assert!(poll!(&mut start).is_pending());
        waited.await??;
        let node = start.await?;
        // One that does not start leaves it as it is, and so does another one's end.
        assert!(Node::start(fleet.config().replicas(0), pool()).await.is_err());
        cluster.spawn_remote(look).await??;
        drop(Node::start(fleet.config(), pool()).await?);
        Cluster::current().await?;
        node.drain().await;
        assert!(Cluster::current().await.unwrap_err().is_other(), "this process is no node any more");
        Ok(())
    });
}

fn a_queue_takes_what_it_has_room_for() {
    let mut fleet = Fleet::new(0);
    run(async move {
        let cluster = Cluster::connect(fleet.config().max_queue(2)).await?;
        let task = || remote!(|| 6 * 7);
        let is_full = || cluster.try_spawn_remote(task()).is_err_and(|error| error.is_queue_full());
        // One would run, and two wait.
        let taken = [(); 3].map(|()| cluster.try_spawn_remote(task()));
        let taken = taken.into_iter().collect::<Result<Vec<_>, _>>()?;
        assert!(is_full());
        let queued = cluster.spawn_remote(task());
        assert!(is_full() && cluster.pending() == 4);
        drop(queued);
        while cluster.pending() > 3 {
            yield_now().await;
        }
        fleet.start(1);
        assert_eq!(try_join_all(taken).await?, [42; 3]);
        let squares: Vec<u64> = cluster.par_map(0..100_u64, remote!(|n| n * n)).try_collect().await?;
        assert!(squares.into_iter().eq((0..100).map(|n| n * n)));
        // Its node has two workers.
        let endless: Vec<_> =
            (0..4).map(|_| cluster.try_spawn_remote(endless())).collect::<Result<_, _>>()?;
        assert!(is_full());
        drop(endless);
        while cluster.pending() > 0 {
            yield_now().await;
        }
        assert_eq!(cluster.try_spawn_remote(task())?.await?, 42);
        Ok(())
    });
}

/// It panics when it is encoded, which is when a task that uses it is sent.
#[derive(serde::Deserialize)]
struct Unwritable;

impl serde::Serialize for Unwritable {
    fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        panic!("a bug")
    }
}

fn a_panic_while_a_task_is_encoded_leaves_nothing() {
    let fleet = Fleet::new(0);
    run(async move {
        let cluster = fleet.connect().await;
        let value = Shared::new(Unwritable);
        let spawn = || {
            let task = remote!(move || drop(value));
            cluster.spawn_remote(task)
        };
        assert!(panic::catch_unwind(AssertUnwindSafe(spawn)).is_err());
        assert_eq!(cluster.pending(), 0);
        cluster.close().await;
        Ok(())
    });
}

fn a_handle_that_is_dropped_stops_its_task() {
    let fleet = Fleet::new(1);
    run(async move {
        let cluster = fleet.connect().await;
        let notes = Notes::new();
        let handle = cluster.spawn_remote(endless_noted(&notes));
        notes.wait_for(1);
        drop(handle);
        assert_eq!(notes.wait_for(2), ["begun", "stopped"]);
        cluster.close().await;
        // One that was forgotten runs on, without its client too.
        let there = notes.clone();
        let cluster = fleet.connect().await;
        let forgotten = remote!(async move {
            there.write("begun");
            there.wait_for(4);
            there.write("done");
        });
        cluster.spawn_remote(remote!(|| ())).forget();
        cluster.spawn_remote(forgotten).forget();
        notes.wait_for(3);
        // It is waited for, too.
        let mut closed = cluster.close();
        assert!(futures::poll!(&mut closed).is_pending());
        drop(closed);
        drop(cluster);
        notes.write("go on");
        assert_eq!(notes.wait_for(5).last().map(String::as_str), Some("done"));
        notes.remove();
        Ok(())
    });
}

/// Another thread gives its tasks to a fleet.
struct Later(mpsc::Sender<Job>);

impl Executor for Later {
    fn submit(&self, job: Job) {
        self.0.send(job).unwrap();
    }

    fn concurrency(&self) -> usize {
        1
    }
}

impl Spawn for Later {
    fn spawn_obj(&self, _: FutureObj<'static, ()>) -> Result<(), SpawnError> {
        Err(SpawnError::shutdown())
    }
}

fn a_handle_may_be_dropped_while_its_task_is_taken() {
    let fleet = Fleet::new(0);
    run(async move {
        let cluster = Cluster::connect(fleet.config().start_timeout(Duration::MAX)).await?;
        let (sender, jobs) = mpsc::channel();
        let later = Later(sender);
        let handles: Vec<_> = (0..20_000).map(|_| later.spawn_remote(remote!(|| ()))).collect();
        drop(later);
        let (taker, taking) = (cluster.clone(), Arc::new(AtomicUsize::new(0)));
        let taken = taking.clone();
        let takes = thread::spawn(move || {
            for job in jobs {
                taken.fetch_add(1, Ordering::SeqCst);
                taker.submit(job);
            }
        });
        for (n, handle) in handles.into_iter().enumerate() {
            while taking.load(Ordering::SeqCst) <= n {
                thread::yield_now();
            }
            // At any moment from then on.
            (0..n % 500).for_each(|_| std::hint::spin_loop());
            drop(handle);
        }
        takes.join().unwrap();
        // No node runs any, so it ends only if none is left.
        cluster.close().await;
        Ok(())
    });
}
