//! The executor.

use std::fmt;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::FutureExt;
use futures::future::BoxFuture;
use futures::task::{FutureObj, Spawn, SpawnError};
use tokio::runtime::Runtime;
use tokio::sync::{Notify, oneshot, watch};
use tokio::task::JoinHandle;
use wasm_mt::transport::{Reply, Seal, Signal};
use wasm_mt::{Error, Executor, Job};

use crate::client;
use crate::config::Config;
use crate::connection::Connection;
use crate::ledger::{Task, TaskNumber, TaskSignal};
use crate::node;

/// An executor whose tasks run on the nodes of a fleet: processes of this very executable that [serve](crate::serve), on any machine that
/// reaches the same NATS servers.
///
/// Tasks, handles, timeouts, retries and `par_map` mean what they mean on a [`Pool`](wasm_mt::Pool). A node that is lost, and all workers with it,
/// takes with it what it had claimed: those handles resolve with an error that [`is_worker_lost`](Error::is_worker_lost), unless the
/// task may run [again](wasm_mt::Remote::retry). What no node had claimed runs on another.
///
/// Cloning gives another handle of the same client. **When the last one is dropped**, what was not answered resolves with an
/// error that [`is_closed`](Error::is_closed), and is cancelled on the nodes.
///
/// A future that is [spawned](Spawn) cannot leave its memory: it runs on a thread of the client.
#[derive(Clone)]
pub struct Cluster {
    owner: Arc<Owner>,
}

/// Dropped with the last handle.
struct Owner {
    shared: Arc<Shared>,
    runtime: Option<Runtime>,
    /// The loop.
    driver: Option<JoinHandle<()>>,
}

/// What the handles share with the loop that drives them.
pub(crate) struct Shared {
    seal: Seal,
    last: AtomicU64,
    requests: Mutex<Requests>,
    /// Something was requested.
    pub(crate) wake: Notify,
    pub(crate) concurrency: AtomicUsize,
    pub(crate) nodes: watch::Sender<usize>,
    /// How many tasks were taken and have not ended.
    pending: AtomicUsize,
    /// So many may wait, if that is limited.
    max_queue: Option<usize>,
}

/// What the loop is to do.
#[derive(Default)]
pub(crate) struct Requests {
    pub(crate) submitted: Vec<Submitted>,
    pub(crate) signals: Vec<(TaskNumber, TaskSignal)>,
    /// No task is taken any more.
    is_closed: bool,
    /// The last handle is gone.
    pub(crate) is_dropped: bool,
    /// Wait for the end of all tasks.
    closers: Vec<oneshot::Sender<()>>,
}

/// A task that was given to the executor.
pub(crate) struct Submitted {
    pub(crate) number: TaskNumber,
    pub(crate) task: Task,
    pub(crate) call: Vec<u8>,
    pub(crate) reply: Reply,
}

impl Requests {
    /// Takes nothing more. Gives what was not served.
    pub(crate) fn end(&mut self) -> (Vec<Submitted>, Vec<oneshot::Sender<()>>) {
        self.is_closed = true;
        (std::mem::take(&mut self.submitted), std::mem::take(&mut self.closers))
    }
}

impl Cluster {
    /// Connects to the broker. Nodes may come and go later: tasks wait for the first.
    ///
    /// ```no_run
    /// use wasm_mt::{Error, ExecutorExt, remote};
    /// use wasm_mt_nats::{Cluster, Config};
    ///
    /// async fn app(config: Config) -> Result<(), Error> {
    ///     let cluster = Cluster::connect(config).await?;
    ///     assert_eq!(cluster.spawn_remote(remote!(|| 6 * 7)).await?, 42);
    ///     Ok(())
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// [`is_other`](Error::is_other) if the broker cannot be reached, has no JetStream, or the configuration is wrong;
    /// [`is_startup`](Error::is_startup) if the program does not know which build it is: see [`Config::build`].
    pub async fn connect(config: Config) -> Result<Self, Error> {
        Self::connect_as(config, client::Kind::Program).await
    }

    /// The fleet that the node of this process belongs to: for tasks that spread tasks of their own over it.
    ///
    /// [`executor::current`](wasm_mt::executor::current) gives theirs to the pool of the node. A task may await either: nodes take the tasks of
    /// tasks however busy they are.
    ///
    /// ```no_run
    /// use wasm_mt::{Error, ExecutorExt, remote};
    /// use wasm_mt_nats::Cluster;
    ///
    /// async fn app(cluster: Cluster) -> Result<(), Error> {
    ///     let parent = remote!(async {
    ///         let fleet = Cluster::current().await?;
    ///         fleet.spawn_remote(remote!(|| 6 * 7)).await
    ///     });
    ///     assert_eq!(cluster.spawn_remote(parent).await??, 42);
    ///     Ok(())
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// [`is_other`](Error::is_other) if this process is no node, or the broker cannot be reached.
    pub async fn current() -> Result<Self, Error> {
        node::current().await
    }

    /// The cluster that this node's tasks can give theirs to.
    pub(crate) async fn connect_as(config: Config, kind: client::Kind) -> Result<Self, Error> {
        let runtime = runtime("wasm-mt-nats")?;
        let seal = config.seal()?;
        let shared = Arc::new(Shared {
            seal,
            last: AtomicU64::new(0),
            requests: Mutex::default(),
            wake: Notify::new(),
            concurrency: AtomicUsize::new(0),
            nodes: watch::Sender::new(0),
            pending: AtomicUsize::new(0),
            max_queue: config.max_queue.filter(|_| kind == client::Kind::Program),
        });
        let (started, start) = oneshot::channel();
        let driven = shared.clone();
        let driver = runtime.spawn(async move {
            let driver = match Connection::open(&config).await {
                Ok((connection, events)) => {
                    client::Driver::new(&config, kind, connection, events, driven).await
                }
                Err(error) => Err(error),
            };
            let driver = match driver {
                Ok(driver) => driver,
                // Who connects may have given up.
                Err(error) => return started.send(Err(error)).unwrap_or(()),
            };
            if started.send(Ok(())).is_ok() {
                driver.run().await;
            }
        });
        let owner = Owner { shared, runtime: Some(runtime), driver: Some(driver) };
        start.await.unwrap_or_else(|_| Err(Error::closed()))?;
        Ok(Self { owner: Arc::new(owner) })
    }

    /// Resolves when a node is there. Tasks wait for it by themselves.
    pub async fn ready(&self) {
        // The sender is in `self`.
        drop(self.owner.shared.nodes.subscribe().wait_for(|nodes| *nodes > 0).await);
    }

    /// How many nodes are there, as far as this client has heard.
    #[must_use]
    pub fn nodes(&self) -> usize {
        *self.owner.shared.nodes.borrow()
    }
}

/// Threads for the connection. They have little to do.
pub(crate) fn runtime(name: &str) -> Result<Runtime, Error> {
    let built =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).thread_name(name).enable_all().build();
    built.map_err(|error| {
        Error::other(format!("no thread could be started for the connection to the broker: {error}"))
    })
}

/// Bytes from which on it may take long to seal or to open them.
pub(crate) const LARGE: usize = 1 << 20;

/// Does what takes long if there is much of it. Other tasks of the runtime go on meanwhile, such as the loop of a node, which sends its
/// heartbeats. What is done within that very loop holds it up all the same.
pub(crate) fn aside<T>(is_large: bool, work: impl FnOnce() -> T) -> T {
    if is_large { tokio::task::block_in_place(work) } else { work() }
}

impl Shared {
    pub(crate) fn requests(&self) -> MutexGuard<'_, Requests> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// So many tasks have ended.
    pub(crate) fn ended(&self, count: usize) {
        if count > 0 && self.pending.fetch_sub(count, Ordering::AcqRel) == count {
            let mut requests = self.requests();
            // One that was taken meanwhile is waited for, too.
            if self.pending.load(Ordering::Acquire) == 0 {
                let closers = std::mem::take(&mut requests.closers);
                drop(requests);
                closers.into_iter().for_each(|closer| closer.send(()).unwrap_or(()));
            }
        }
    }

    /// So many workers the fleet has. Without any, tasks wait as they would for one.
    fn workers(&self) -> usize {
        self.concurrency.load(Ordering::Relaxed).max(1)
    }

    /// Counts a task, unless so many are there.
    fn try_enter(&self) -> bool {
        let most = self.max_queue.map_or(usize::MAX, |waiting| waiting.saturating_add(self.workers()));
        let enter = |pending| (pending < most).then_some(pending + 1);
        self.pending.fetch_update(Ordering::AcqRel, Ordering::Acquire, enter).is_ok()
    }

    /// Takes a task that is counted.
    fn submit(self: &Arc<Self>, job: Job) {
        let site = std::ptr::from_ref(job.location()).addr() as u64;
        let retries = job.retries();
        // Also if the code panics that encodes what it has captured.
        let counted = Counted(self);
        let is_taken = match self.seal.seal(job) {
            Some((call, reply)) => {
                let number = self.last.fetch_add(1, Ordering::Relaxed) + 1;
                let task = Task { site, size: call.len(), retries };
                self.take(Submitted { number, task, call, reply })
            }
            None => false,
        };
        if is_taken {
            std::mem::forget(counted);
        }
    }

    /// Gives a task to the loop. False: it has ended. Its handle may be dropped on another thread meanwhile: that waits for the lock, so no signal is with the loop
    /// before its task.
    fn take(self: &Arc<Self>, mut submitted: Submitted) -> bool {
        let mut requests = self.requests();
        if requests.is_closed {
            drop(requests);
            submitted.reply.fail(Error::closed());
            return false;
        }
        let (shared, number) = (Arc::downgrade(self), submitted.number);
        let is_wanted = submitted.reply.on_signal(move |signal| {
            shared.upgrade().iter().for_each(|shared| shared.signal(number, signal));
        });
        if is_wanted {
            requests.submitted.push(submitted);
            drop(requests);
            self.wake.notify_one();
        }
        is_wanted
    }

    fn signal(&self, number: TaskNumber, signal: Signal) {
        let signal = match signal {
            Signal::Cancel => TaskSignal::Cancel,
            Signal::Abort => TaskSignal::Abort,
            Signal::Detach => TaskSignal::Detach,
        };
        self.requests().signals.push((number, signal));
        self.wake.notify_one();
    }
}

/// A task that is counted and that the loop does not have.
struct Counted<'a>(&'a Shared);

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.ended(1);
    }
}

impl Executor for Cluster {
    fn submit(&self, job: Job) {
        let shared = &self.owner.shared;
        if shared.requests().is_closed {
            return job.fail(Error::closed());
        }
        shared.pending.fetch_add(1, Ordering::AcqRel);
        shared.submit(job);
    }

    fn try_submit(&self, job: Job) -> Result<(), Job> {
        let shared = &self.owner.shared;
        if shared.requests().is_closed {
            job.fail(Error::closed());
        } else if shared.try_enter() {
            shared.submit(job);
        } else {
            return Err(job);
        }
        Ok(())
    }

    fn concurrency(&self) -> usize {
        self.owner.shared.workers()
    }

    fn pending(&self) -> usize {
        self.owner.shared.pending.load(Ordering::Acquire)
    }

    fn close(&self) -> BoxFuture<'static, ()> {
        let mut requests = self.owner.shared.requests();
        requests.is_closed = true;
        let (closer, closed) = oneshot::channel();
        if self.pending() == 0 {
            closer.send(()).unwrap_or(());
        } else {
            requests.closers.push(closer);
        }
        closed.map(drop).boxed()
    }
}

impl Spawn for Cluster {
    fn spawn_obj(&self, future: FutureObj<'static, ()>) -> Result<(), SpawnError> {
        let runtime = self.owner.runtime.as_ref().ok_or_else(SpawnError::shutdown)?;
        drop(runtime.spawn(future));
        Ok(())
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        let mut requests = self.shared.requests();
        requests.is_closed = true;
        requests.is_dropped = true;
        drop(requests);
        self.shared.wake.notify_one();
        if let (Some(runtime), Some(driver)) = (self.runtime.take(), self.driver.take()) {
            // The loop says good-bye on a thread of its own: who drops a client does not wait for it.
            let end = move || {
                runtime.block_on(async { drop(tokio::time::timeout(client::FAREWELL, driver).await) });
                runtime.shutdown_background();
            };
            // Without one, the nodes find out by themselves.
            drop(std::thread::Builder::new().name("wasm-mt-nats-end".to_owned()).spawn(end));
        }
    }
}

impl fmt::Debug for Cluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cluster({} nodes)", self.nodes())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::time::Duration;

    use super::*;

    #[test]
    fn what_takes_long_holds_up_nothing() {
        let runtime = runtime("wasm-mt-nats").unwrap();
        let (beat, heard) = mpsc::channel();
        let heard = runtime.block_on(async {
            let long =
                tokio::spawn(async move { aside(true, || heard.recv_timeout(Duration::from_secs(20))) });
            tokio::spawn(async move { beat.send(()) }).await.unwrap().unwrap();
            long.await.unwrap()
        });
        assert_eq!(heard, Ok(()));
    }
}
