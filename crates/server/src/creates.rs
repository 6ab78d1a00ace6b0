//! Which creates with a key of their caller's this server has in hand.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
};

use roadstead_api::id::UserId;

/// The creates in hand, by who asked and their key.
#[derive(Debug, Default)]
pub struct Creates(Mutex<HashSet<(UserId, String)>>);

/// A create in hand. Dropped, it is in hand no longer.
#[derive(Debug)]
pub struct Claim {
    creates: Arc<Creates>,
    /// Who asked.
    pub user: UserId,
    /// With which key.
    pub key: String,
}

impl Creates {
    /// Takes a create in hand, unless it is already.
    pub fn claim(self: &Arc<Self>, user: UserId, key: &str) -> Option<Claim> {
        let mut keys = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let new = keys.insert((user, key.to_owned()));
        new.then(|| Claim { creates: Arc::clone(self), user, key: key.to_owned() })
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        let mut keys = self.creates.0.lock().unwrap_or_else(PoisonError::into_inner);
        keys.remove(&(self.user, std::mem::take(&mut self.key)));
    }
}
