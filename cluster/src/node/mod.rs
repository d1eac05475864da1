//! A node: receives batches, asks their clients for them, runs their tasks on a pool of this process, and answers.

use std::fmt;
use std::sync::Arc;

use tokio::runtime::Runtime;
use tokio::sync::{oneshot, watch};
use wasm_mt::{Error, Pool};

mod batch;
mod place;
mod server;
mod serving;
mod signal;

pub(crate) use self::place::current;
pub(crate) use self::server::Server;

use self::place::Place;
use self::serving::run;
use self::signal::wait_for_signal;
use crate::cluster::runtime;
use crate::config::Config;
use crate::message::{NodeId, PeerId};

/// Runs tasks of a fleet in this process.
///
/// Dropping it ends it at once: what it had claimed is lost. [`drain`](Self::drain) lets it finish.
pub struct Node {
    control: watch::Sender<Control>,
    /// Resolves when it has finished.
    ended: oneshot::Receiver<()>,
    runtime: Option<Runtime>,
    id: NodeId,
    _place: Arc<Place>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Control {
    Run,
    /// Take nothing more, and end when all is answered.
    Drain,
}

/// Serves until the process is told to end (SIGTERM, or Ctrl-C), finishes what was begun, and returns.
/// A second signal changes nothing.
///
/// ```no_run
/// use wasm_mt_nats::Config;
///
/// fn main() -> Result<(), wasm_mt::Error> {
///     let secret = std::fs::read("/etc/mandelbrot/secret").expect("the node has its configuration");
///     wasm_mt::try_run(wasm_mt_nats::serve(Config::new("nats://127.0.0.1:4222", "mandelbrot", secret)))
/// }
/// ```
///
/// # Errors
///
/// As [`Node::start`] and [`Node::drain_on_signal`].
pub async fn serve(config: Config) -> Result<(), Error> {
    let node = Node::start(config, Pool::new()).await?;
    node.drain_on_signal().await
}

impl Node {
    /// Connects to the broker, and serves until it is dropped or drained. Tasks run on `pool`.
    ///
    /// ```no_run
    /// use wasm_mt::{Error, Pool};
    /// use wasm_mt_nats::{Config, Node};
    ///
    /// async fn app(config: Config) -> Result<(), Error> {
    ///     let pool = Pool::builder().threads(2).build(); // the other cores are for others
    ///     let node = Node::start(config, pool).await?;
    ///     node.drain_on_signal().await
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// [`is_other`](Error::is_other) if the broker cannot be reached, has no JetStream, or the configuration is wrong;
    /// [`is_startup`](Error::is_startup) if the program does not know which build it is: see [`Config::build`].
    pub async fn start(config: Config, pool: Pool) -> Result<Self, Error> {
        let runtime = runtime("wasm-mt-node")?;
        let id = PeerId::new();
        let place = Arc::new(Place::new(config.clone(), pool.strategy()));
        let (control, controlled) = watch::channel(Control::Run);
        let (started, start) = oneshot::channel();
        let (end, ended) = oneshot::channel();
        let entered = place.clone();
        drop(runtime.spawn(async move {
            match Server::connect(&config, id, pool, controlled).await {
                Ok((server, inputs)) => {
                    // It is the node's, and ends with that.
                    entered.enter();
                    drop(entered);
                    if started.send(Ok(())).is_ok() {
                        let connection = server.connection.clone();
                        drop(tokio::spawn(async move { connection.sweep().await }));
                        run(server, inputs, &config).await;
                    }
                }
                // Who starts it may have given up.
                Err(error) => started.send(Err(error)).unwrap_or(()),
            }
            end.send(()).unwrap_or(());
        }));
        let node = Self { control, ended, runtime: Some(runtime), id, _place: place };
        start.await.unwrap_or_else(|_| Err(Error::closed()))?;
        Ok(node)
    }

    /// Takes no more tasks, and resolves when those that were taken are answered.
    pub async fn drain(mut self) {
        // One that has ended by itself has nothing left to finish.
        drop(self.finish().await);
    }

    /// Drains when the process is told to end: by SIGTERM, or Ctrl-C.
    ///
    /// # Errors
    ///
    /// [`is_other`](Error::is_other) if the node has ended by itself, which is a fault of this crate. What it had claimed is lost.
    pub async fn drain_on_signal(mut self) -> Result<(), Error> {
        let (told, signal) = oneshot::channel();
        if let Some(runtime) = &self.runtime {
            drop(runtime.spawn(async move {
                wait_for_signal().await;
                told.send(()).unwrap_or(());
            }));
        }
        tokio::select! {
            _ = signal => self.finish().await,
            ended = &mut self.ended => ended.map_err(|_| broken()),
        }
    }

    /// Has it finish what it has taken.
    async fn finish(&mut self) -> Result<(), Error> {
        self.control.send(Control::Drain).unwrap_or(());
        (&mut self.ended).await.map_err(|_| broken())
    }
}

/// Its thread has dropped what says that it has finished.
#[cold]
fn broken() -> Error {
    Error::other(
        "the node has ended by itself, and what it had claimed is lost; start its process again, and report what it has printed: \
         this is a fault of wasm-mt-nats",
    )
}

impl Drop for Node {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Node({})", self.id)
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use futures::executor::block_on;
    use wasm_mt::Strategy;

    use super::*;

    /// A node whose loop is this.
    fn a_node(run: impl Future<Output = ()> + Send + 'static) -> Node {
        let config = Config::new("nats://127.0.0.1:4222", "tests", "a secret of the tests");
        let runtime = runtime("wasm-mt-node").unwrap();
        let (end, ended) = oneshot::channel();
        drop(runtime.spawn(async move {
            run.await;
            end.send(()).unwrap_or(());
        }));
        let place = Arc::new(Place::new(config, Strategy::WorkStealing));
        let control = watch::Sender::new(Control::Run);
        Node { control, ended, runtime: Some(runtime), id: PeerId::new(), _place: place }
    }

    #[test]
    fn a_node_that_ends_by_itself_does_not_wait_for_a_signal() {
        let node = a_node(async { panic!("a fault") });
        let error = block_on(node.drain_on_signal()).unwrap_err();
        assert!(error.is_other() && error.to_string().contains("start its process again"), "{error}");
        block_on(a_node(async { panic!("a fault") }).drain());
        block_on(a_node(async {}).drain());
    }

    #[test]
    fn a_node_that_runs_waits_for_a_signal() {
        use futures::FutureExt;

        let mut waits = Box::pin(a_node(pending()).drain_on_signal());
        assert!((&mut waits).now_or_never().is_none());
    }
}
