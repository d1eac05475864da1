//! Where the tasks of a node find the fleet that they are part of.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::OnceCell;
use wasm_mt::{Error, Strategy};

use crate::client::Kind;
use crate::cluster::Cluster;
use crate::config::Config;

/// The node of this process, for its tasks.
pub(super) struct Place {
    config: Config,
    strategy: Strategy,
    /// Made when a task asks for it.
    cluster: OnceCell<Cluster>,
}

impl Place {
    pub(super) fn new(config: Config, strategy: Strategy) -> Self {
        Self { config, strategy, cluster: OnceCell::new() }
    }

    /// From now on, tasks of this process find this one.
    pub(super) fn enter(self: &Arc<Self>) {
        *PLACE.lock().unwrap_or_else(PoisonError::into_inner) = Arc::downgrade(self);
    }
}

/// The last one that was started.
static PLACE: Mutex<Weak<Place>> = Mutex::new(Weak::new());

/// The fleet that the node of this process belongs to.
pub(crate) async fn current() -> Result<Cluster, Error> {
    let place = PLACE.lock().unwrap_or_else(PoisonError::into_inner).upgrade();
    let Some(place) = place else {
        return Err(Error::other("this process is no node of a fleet; start one, or connect to a fleet"));
    };
    if place.strategy == Strategy::Serial {
        return Err(Error::other(
            "the pool of this node runs one task at a time, so that a task of the fleet could wait for itself; \
             start the node with another strategy",
        ));
    }
    let connect = || Cluster::connect_as(place.config.clone(), Kind::Children);
    place.cluster.get_or_try_init(connect).await.cloned()
}
