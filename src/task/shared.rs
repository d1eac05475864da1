//! A value that many tasks use: [`Shared`].

use std::any::Any;
use std::collections::BTreeMap;
use std::fmt;
use std::ops::Deref;
use std::rc::Rc;
use std::sync::{Arc, Mutex, Weak};

use serde::de::{DeserializeOwned, Error as _};
use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::codec::{self, is_reader, is_writer, side_table};
use super::residents::{self, Kept, NameKind, Source, lock};
use crate::error::Error;
use crate::platform::{Master, Packet, Resident};

/// A value that crosses to each worker at most once, however many tasks use it.
///
/// It derefs to the value, here and there. A task that captures a `Shared`, or has one in its arguments, carries no more than its
/// name; the value goes ahead of the first such task on each worker, and is decoded there once. A worker that replaces a
/// lost one gets it again. Workers drop it when its last owner here is gone: the `Shared`, its clones, and tasks that are not
/// answered. [`Stats::resident_bytes`](crate::Stats::resident_bytes) says how much that is.
///
/// ```
/// use futures::TryStreamExt;
/// use wasm_mt::{ExecutorExt, Pool, Shared, remote};
///
/// # wasm_mt::run(async {
/// let pool = Pool::new();
/// let table = Shared::new((0..1000).map(|n| n * n).collect::<Vec<u32>>());
/// assert_eq!(table[3], 9); // here too
/// let tasks = (0..100).map(|n: usize| {
///     let table = table.clone();
///     pool.spawn_remote(remote!(move || table[n] + 1))
/// });
/// let sum: u32 = futures::future::try_join_all(tasks).await?.iter().sum();
/// assert_eq!(sum, 328_450);
/// # Ok::<_, wasm_mt::Error>(())
/// # });
/// ```
///
/// # Copies, not references
///
/// Each worker has a copy of its own, made of the value as it was encoded for that worker: it is for reading. What a task
/// changes in it, by a `Cell` or a lock, others on that worker may see, and no one else does; no result may depend on it.
///
/// # Where it may be
///
/// In captures and arguments of tasks and of functions, within other values, and in items of [`par_map`](crate::ExecutorExt::par_map).
/// A task may give one to tasks that it makes; one that migrates carries the value along. A result may hold one that comes from
/// the page, and not one that a task has made: that is an error which [`is_codec`](Error::is_codec). So is sending one through a
/// [`channel`](crate::channel()).
///
/// A value that cannot be encoded, or decoded, is the error of each task that uses it: [`is_codec`](Error::is_codec). Other
/// serializers and deserializers than this crate's get an error; give them the value inside.
pub struct Shared<T> {
    value: Arc<T>,
    master: Arc<Kept<Arc<T>>>,
}

/// By name. The masters of this memory's values.
static SHARED: Mutex<BTreeMap<u64, Weak<dyn Any + Send + Sync>>> = Mutex::new(BTreeMap::new());

impl<T> Shared<T>
where
    T: Serialize + DeserializeOwned + Send + Sync + 'static,
{
    /// Shares a value. It is encoded when the first task that uses it is sent to a worker, and for each further worker again.
    ///
    /// ```
    /// let words = wasm_mt::Shared::new(vec!["sea".to_owned(), "shore".to_owned()]);
    /// assert_eq!(words.concat().len(), 8);
    /// ```
    #[must_use]
    pub fn new(value: T) -> Self {
        Self::named(residents::new_name(NameKind::Value), value)
    }

    /// That of this memory.
    fn known(name: u64) -> Option<Self> {
        let master = lock(&SHARED).get(&name).and_then(Weak::upgrade)?;
        let master = master.downcast::<Kept<Arc<T>>>().ok()?;
        Some(Self { value: master.source.0.clone(), master })
    }

    /// A value of this name, known to this memory unless it has an older one.
    fn named(name: u64, value: T) -> Self {
        let value = Arc::new(value);
        let master = Arc::new(Kept::new(name, value.clone()));
        let weak: Weak<dyn Any + Send + Sync> = Arc::downgrade(&master) as _;
        let mut known = lock(&SHARED);
        if known.get(&name).is_none_or(|known| known.strong_count() == 0) {
            known.insert(name, weak);
        }
        // Not each time: it looks at all of them.
        if known.len().is_power_of_two() {
            known.retain(|_, master| master.strong_count() > 0);
        }
        drop(known);
        Self { value, master }
    }
}

impl<T: Serialize + Send + Sync + 'static> Source for Arc<T> {
    fn packet(&self) -> Result<Packet, Error> {
        let mut packet = Packet::default();
        codec::encode(&**self, &mut packet).map(|()| packet)
    }
}

impl<T> Deref for Shared<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T> Clone for Shared<T> {
    fn clone(&self) -> Self {
        Self { value: self.value.clone(), master: self.master.clone() }
    }
}

impl<T: fmt::Debug> fmt::Debug for Shared<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

/// Serializable by this crate only: the name of the value, which crosses ahead.
impl<T> Serialize for Shared<T>
where
    T: Serialize + Send + Sync + 'static,
{
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if !is_writer::<S>() {
            return Err(S::Error::custom(side_table::foreign("Shared")));
        }
        side_table::refer(Resident::Master(self.master.clone()));
        self.master.name().serialize(serializer)
    }
}

impl<'de, T> Deserialize<'de> for Shared<T>
where
    T: Serialize + DeserializeOwned + Send + Sync + 'static,
{
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if !is_reader::<D>() {
            return Err(D::Error::custom(side_table::foreign("Shared")));
        }
        let name = u64::deserialize(deserializer)?;
        let decode = |packet| Ok(Rc::new(Self::named(name, codec::decode::<T>(packet)?)) as Rc<dyn Any>);
        let shared = match residents::value(name, &decode) {
            Some(shared) => shared.map_err(D::Error::custom)?.downcast_ref::<Self>().cloned(),
            // Its owner is in this memory.
            None => Self::known(name),
        };
        shared.ok_or_else(|| {
            D::Error::custom(
                "a `Shared` that a task has made is not known elsewhere; return the value, and share it where it is needed",
            )
        })
    }
}
