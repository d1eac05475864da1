//! Values that stay on workers: each crosses to a worker once, and then by its name.

use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};

use super::backend::realm;
use super::packet::Packet;
use crate::error::Error;

/// A value that stays on workers, as a packet refers to it.
#[derive(Clone, Debug)]
pub(crate) enum Resident {
    /// Its value is here.
    Master(Arc<Master>),
    /// Who reads this has got the value before.
    Named(u64),
}

/// What a packet refers to: mostly nothing, and then no more than a word, since packets are moved a lot.
#[derive(Clone, Debug, Default)]
pub(crate) struct Residents(Option<Box<ResidentList>>);

#[derive(Clone, Debug)]
struct ResidentList(Vec<Resident>);

impl Residents {
    pub(crate) fn clear(&mut self) {
        self.0 = None;
    }

    pub(crate) fn append(&mut self, more: Self) {
        match (&mut self.0, more.0) {
            (Some(list), Some(more)) => list.0.extend(more.0),
            (list, more) => *list = list.take().or(more),
        }
    }
}

impl FromIterator<Resident> for Residents {
    fn from_iter<I: IntoIterator<Item = Resident>>(residents: I) -> Self {
        let list = Vec::from_iter(residents);
        Self((!list.is_empty()).then(|| Box::new(ResidentList(list))))
    }
}

impl Deref for Residents {
    type Target = [Resident];

    fn deref(&self) -> &[Resident] {
        self.0.as_ref().map_or(&[], |list| &list.0)
    }
}

impl DerefMut for Residents {
    fn deref_mut(&mut self) -> &mut [Resident] {
        self.0.as_mut().map_or(&mut [], |list| &mut list.0)
    }
}

/// The encoded value. When its last owner is gone, all that hold it are told.
#[derive(Debug)]
pub(crate) struct Master {
    name: u64,
    value: Mutex<Result<Packet, Error>>,
    /// How many bytes it has.
    size: usize,
    holders: Mutex<Vec<Weak<dyn ResidentHolder>>>,
}

/// What has the value of a master, or of which workers have it.
pub(crate) trait ResidentHolder: Send + Sync {
    /// The last owner of the master with this name, whose value has so many bytes, is gone.
    fn on_master_dropped(&self, name: u64, size: usize);
}

impl std::fmt::Debug for dyn ResidentHolder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ResidentHolder")
    }
}

impl Resident {
    /// A value that is new. Its name is unique among all memories of the program: they count from a place that is their own.
    pub(crate) fn new(value: Packet) -> Self {
        static REALM: OnceLock<u64> = OnceLock::new();
        static LAST: AtomicU64 = AtomicU64::new(0);

        let number = LAST.fetch_add(1, Ordering::Relaxed);
        Self::received(REALM.get_or_init(realm).wrapping_add(number), Ok(value))
    }

    /// A value that has come with its name, or why it could not come.
    pub(crate) fn received(name: u64, value: Result<Packet, Error>) -> Self {
        let size = value.as_ref().map_or(0, |value| value.bytes.len());
        Self::Master(Arc::new(Master { name, value: Mutex::new(value), size, holders: Mutex::default() }))
    }

    pub(crate) fn name(&self) -> u64 {
        match self {
            Self::Master(master) => master.name,
            Self::Named(name) => *name,
        }
    }

    /// How many bytes it has, if its value is here.
    pub(crate) fn size(&self) -> usize {
        match self {
            Self::Master(master) => master.size,
            Self::Named(_) => 0,
        }
    }

    /// A copy of the value, if it is here. That of an attachment may fail.
    pub(crate) fn value(&self) -> Option<Result<Packet, Error>> {
        match self {
            Self::Master(master) => Some(match &*lock(&master.value) {
                Ok(value) => value.try_clone(),
                Err(error) => Err(error.clone()),
            }),
            Self::Named(_) => None,
        }
    }

    /// Tells `holder` when the last owner is gone.
    pub(crate) fn add_holder(&self, holder: &Weak<dyn ResidentHolder>) {
        if let Self::Master(master) = self {
            let mut holders = lock(&master.holders);
            if !holders.iter().any(|known| known.ptr_eq(holder)) {
                holders.retain(|known| known.strong_count() > 0);
                holders.push(holder.clone());
            }
        }
    }
}

/// No code of the program runs under these locks but that which copies an attachment.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Drop for Master {
    fn drop(&mut self) {
        let holders = std::mem::take(&mut *lock(&self.holders));
        for holder in holders.iter().filter_map(Weak::upgrade) {
            holder.on_master_dropped(self.name, self.size);
        }
    }
}
