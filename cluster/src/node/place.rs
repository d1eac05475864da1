//! Where the tasks of a node find the fleet that they are part of.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

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

    /// From now on, and for as long as it is there, tasks of this process find this one: it MUST be here before the first of them begins.
    pub(super) fn enter(self: &Arc<Self>) {
        let mut places = places();
        places.retain(|place| place.strong_count() > 0);
        places.push(Arc::downgrade(self));
    }
}

/// In the order in which they were started. The last one that is still there counts.
static PLACES: Mutex<Vec<Weak<Place>>> = Mutex::new(Vec::new());

fn places() -> MutexGuard<'static, Vec<Weak<Place>>> {
    PLACES.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The fleet that the node of this process belongs to.
pub(crate) async fn current() -> Result<Cluster, Error> {
    let place = places().iter().rev().find_map(Weak::upgrade);
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
