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
    ended: Option<oneshot::Receiver<()>>,
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
/// [`is_other`](Error::is_other) if the broker cannot be reached, has no JetStream, or the configuration is wrong.
pub async fn serve(config: Config) -> Result<(), Error> {
    let node = Node::start(config, Pool::new()).await?;
    node.drain_on_signal().await;
    Ok(())
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
    ///     node.drain_on_signal().await;
    ///     Ok(())
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// [`is_other`](Error::is_other) if the broker cannot be reached, has no JetStream, or the configuration is wrong.
    pub async fn start(config: Config, pool: Pool) -> Result<Self, Error> {
        let runtime = runtime("wasm-mt-node")?;
        let id = PeerId::new();
        let place = Arc::new(Place::new(config.clone(), pool.strategy()));
        let (control, controlled) = watch::channel(Control::Run);
        let (started, start) = oneshot::channel();
        let (end, ended) = oneshot::channel();
        drop(runtime.spawn(async move {
            match Server::connect(&config, id, pool, controlled).await {
                Ok((server, inputs)) => {
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
        let node = Self { control, ended: Some(ended), runtime: Some(runtime), id, _place: place.clone() };
        start.await.unwrap_or_else(|_| Err(Error::closed()))?;
        place.enter();
        Ok(node)
    }

    /// Takes no more tasks, and resolves when those that were taken are answered.
    pub async fn drain(mut self) {
        self.control.send(Control::Drain).unwrap_or(());
        if let Some(ended) = self.ended.take() {
            // It may have ended before.
            drop(ended.await);
        }
    }

    /// Drains when the process is told to end: by SIGTERM, or Ctrl-C.
    pub async fn drain_on_signal(self) {
        let (told, signal) = oneshot::channel();
        if let Some(runtime) = &self.runtime {
            drop(runtime.spawn(async move {
                wait_for_signal().await;
                told.send(()).unwrap_or(());
            }));
        }
        drop(signal.await);
        self.drain().await;
    }
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
