//! What the parts of a node share: its connection, its pool, and what it has in hand.

use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use async_nats::{Event, Subscriber};
use bytes::Bytes;
use tokio::sync::{Notify, mpsc, watch};
use wasm_mt::transport::Seal;
use wasm_mt::{Error, Executor, Pool};

use super::Control;
use crate::config::Config;
use crate::connection::Connection;
use crate::cost::Shifts;
use crate::demand::{self, Supply};
use crate::message::{self, Beat, NodeId, PeerState, Role};
use crate::objects::Objects;
use crate::pull::Pull;
use crate::tasks::Tasks;

/// What the parts of a node share.
pub(crate) struct Server {
    pub(crate) id: NodeId,
    pub(crate) connection: Connection,
    pub(crate) objects: Objects,
    pub(super) pool: Pool,
    pub(crate) workers: usize,
    pub(crate) tasks: Tasks,
    supply: Mutex<Supply>,
    shifts: Mutex<Shifts>,
    pub(super) control: watch::Receiver<Control>,
    /// A task has ended, or a batch.
    pub(crate) freed: Notify,
    /// When the last batch ended, in nanoseconds since the start.
    pub(super) last_end: AtomicU64,
    pub(super) began: Instant,
}

/// What comes to a node.
pub(super) struct Inputs {
    pub(super) tasks: Pull,
    pub(super) children: Pull,
    pub(super) requests: Subscriber,
    pub(super) beats: Subscriber,
    /// What happens to the connection.
    pub(super) events: mpsc::UnboundedReceiver<Event>,
}

impl Server {
    /// Connects to the broker, and makes there what the fleet needs.
    pub(super) async fn connect(
        config: &Config,
        id: NodeId,
        pool: Pool,
        control: watch::Receiver<Control>,
    ) -> Result<(Arc<Self>, Inputs), Error> {
        let (connection, events) = Connection::open(config).await?;
        let stream = connection.stream().await?;
        let names = &connection.names;
        let tasks = Pull::new(&connection, connection.tasks_consumer(&stream).await?).await?;
        let children = Pull::new(&connection, connection.children_consumer(&stream).await?).await?;
        let requests = connection.subscribe(names.peer(id)).await?;
        let beats = connection.subscribe(names.client_beats()).await?;
        let objects = connection.objects().await?;
        connection.settle().await;
        let workers = pool.concurrency();
        let server = Self {
            id,
            objects,
            pool,
            workers,
            tasks: Tasks::new(config.silence),
            supply: Mutex::default(),
            shifts: Mutex::new(Shifts::new(workers)),
            control,
            freed: Notify::new(),
            last_end: AtomicU64::new(0),
            began: Instant::now(),
            connection,
        };
        Ok((Arc::new(server), Inputs { tasks, children, requests, beats, events }))
    }

    pub(super) fn seal(&self) -> &Seal {
        &self.connection.seal
    }

    pub(super) fn is_draining(&self) -> bool {
        *self.control.borrow() == Control::Drain
    }

    pub(super) fn supply(&self) -> MutexGuard<'_, Supply> {
        self.supply.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn shifts(&self) -> MutexGuard<'_, Shifts> {
        self.shifts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// So many messages of programs' tasks are to be asked for.
    pub(super) fn wanted(&self) -> usize {
        let supply = *self.supply();
        demand::wanted(&self.tasks.in_hand(), &supply, self.workers, self.pool.stats().queued)
    }

    pub(super) async fn beat_as_is(&self) {
        self.beat(if self.is_draining() { PeerState::Leaving } else { PeerState::Here }).await;
    }

    pub(super) async fn beat(&self, state: PeerState) {
        let role = Role::Node { workers: self.workers as u32 };
        let beat = message::write(self.seal(), &Beat { id: self.id, role, state });
        let names = &self.connection.names;
        // Without the broker nobody hears it.
        drop(self.connection.client.publish(names.node_beats(), beat).await);
        // A node of another build that starts removes what no one uses.
        if state != PeerState::Gone {
            let build = Bytes::copy_from_slice(self.seal().build().as_bytes());
            drop(self.connection.client.publish(names.node_builds(), build).await);
        }
    }
}
