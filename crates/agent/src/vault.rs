//! The way to a job's vault at the server.

use std::{sync::Arc, time::Duration};

use roadstead_vault::{
    Cancel, Result,
    store::{CacheStore, RestAuth, RestConfig, RestStore, RetryStore, Store},
};

use crate::{data_dir::DataDir, order::JobOrder};

/// How long a server may be away before its runs fail.
const PATIENCE: Duration = Duration::from_secs(600);
/// What an agent keeps of its vaults, in bytes: the index of some terabytes, and the trees of millions of files.
const CACHE: u64 = 256 << 20;

/// The job's vault at the server, whose absence is borne with for a while.
pub(crate) fn store(order: &JobOrder, cancel: &Cancel) -> Result<Arc<dyn Store>> {
    let url = order.server.vault(&order.job.vault_id);
    let auth = RestAuth::Bearer(order.credential.clone());
    let ca_pem = order.ca_pem.clone().map(String::into_bytes);
    let store = RestStore::new(RestConfig { url, auth, ca_pem, ..RestConfig::default() })?;
    Ok(Arc::new(RetryStore::new(Arc::new(store), PATIENCE, cancel.clone())))
}

/// The same with a cache in the agent's folder, so that a backup asks for no more of the one before than has changed.
/// Without the cache where there can be none.
pub(crate) fn cached(order: &JobOrder, cancel: &Cancel) -> Result<Arc<dyn Store>> {
    let store = store(order, cancel)?;
    match CacheStore::new(Arc::clone(&store), DataDir::new(&order.data_dir).cache(), CACHE) {
        Ok(cache) => Ok(Arc::new(cache)),
        Err(error) => {
            tracing::warn!(%error, "working without a cache");
            Ok(store)
        }
    }
}
