//! How much the vaults hold, kept in memory: a quota is looked at with each upload, and listing a vault each time would
//! cost more than the upload.
//!
//! What comes in through this server is added at once. What others do (another server, a prune) is seen within a minute,
//! when a vault is listed anew.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use roadstead_api::id::VaultId;

use crate::{Result, vaults::Vaults};

/// How long a listing is good for.
const GOOD_FOR: Duration = Duration::from_secs(60);

#[derive(Clone, Copy, Debug)]
struct Known {
    bytes: u64,
    listed: Instant,
}

/// What is known of the vaults' sizes.
#[derive(Debug, Default)]
pub struct Usage(Mutex<HashMap<VaultId, Known>>);

impl Usage {
    /// How much a vault holds, in bytes.
    pub async fn of(&self, vaults: &Vaults, vault: &VaultId) -> Result<u64> {
        let known = self.known().get(vault).copied();
        if let Some(known) = known.filter(|known| known.listed.elapsed() < GOOD_FOR) {
            return Ok(known.bytes);
        }
        let listed = Instant::now();
        let (vaults, id) = (vaults.clone(), vault.clone());
        let size = tokio::task::spawn_blocking(move || vaults.size(&id)).await??;
        self.known().insert(vault.clone(), Known { bytes: size.bytes, listed });
        Ok(size.bytes)
    }

    /// A file came in.
    pub fn add(&self, vault: &VaultId, bytes: u64) {
        if let Some(known) = self.known().get_mut(vault) {
            known.bytes = known.bytes.saturating_add(bytes);
        }
    }

    /// A poisoned lock only means that some task panicked between two of these one-line changes.
    fn known(&self) -> std::sync::MutexGuard<'_, HashMap<VaultId, Known>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
