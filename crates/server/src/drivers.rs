//! The ways to the backends: drivers that were made once and keep their connections, and whose turn it is to ask.
//!
//! A driver belongs to one generation of its backend's row. When the credentials change so does the generation, and
//! the driver of the older one is never handed out again, whichever server made the change.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use roadstead_api::id::BackendId;
use roadstead_providers::{AddressGuard, Driver, LocalAccess};

/// The drivers of a server's backends.
#[derive(Debug)]
pub struct Drivers {
    /// Which addresses they may talk to.
    pub guard: AddressGuard,
    /// What they may use of this machine.
    pub local: LocalAccess,
    made: Mutex<HashMap<BackendId, Made>>,
    turns: Mutex<HashMap<BackendId, Arc<tokio::sync::Mutex<()>>>>,
}

/// A driver, and the generation that it was made for.
type Made = (i64, Arc<dyn Driver>);

impl Drivers {
    /// No driver yet.
    pub fn new(guard: AddressGuard, local: LocalAccess) -> Self {
        Self { guard, local, made: Mutex::default(), turns: Mutex::default() }
    }

    /// The driver of a backend, if it was made for this generation.
    pub fn get(&self, id: &BackendId, generation: i64) -> Option<Arc<dyn Driver>> {
        locked(&self.made).get(id).filter(|(made, _)| *made == generation).map(|(_, driver)| driver.clone())
    }

    /// Keeps a driver, unless there is one of a later generation.
    pub fn keep(&self, id: &BackendId, generation: i64, driver: Arc<dyn Driver>) {
        let mut made = locked(&self.made);
        if made.get(id).is_none_or(|(other, _)| *other <= generation) {
            made.insert(id.clone(), (generation, driver));
        }
    }

    /// Forgets a backend that is no longer asked.
    pub fn forget(&self, id: &BackendId) {
        locked(&self.made).remove(id);
        locked(&self.turns).remove(id);
    }

    /// What has to be held while a backend is asked for its machines, so that this is done once at a time.
    pub fn turn(&self, id: &BackendId) -> Arc<tokio::sync::Mutex<()>> {
        locked(&self.turns).entry(id.clone()).or_default().clone()
    }
}

/// A task that panicked while it held the lock left nothing half done in these maps.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
