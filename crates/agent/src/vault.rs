//! The way to a job's vault at the server.

use std::{sync::Arc, time::Duration};

use roadstead_vault::{
    Cancel, Result,
    store::{RestAuth, RestConfig, RestStore, RetryStore, Store},
};

use crate::order::JobOrder;

/// How long a server may be away before its runs fail.
const PATIENCE: Duration = Duration::from_secs(600);

/// The job's vault at the server, whose absence is borne with for a while.
pub(crate) fn store(order: &JobOrder, cancel: &Cancel) -> Result<Arc<dyn Store>> {
    let url = order.server.vault(&order.job.vault_id);
    let auth = RestAuth::Bearer(order.credential.clone());
    let ca_pem = order.ca_pem.clone().map(String::into_bytes);
    let store = RestStore::new(RestConfig { url, auth, ca_pem, ..RestConfig::default() })?;
    Ok(Arc::new(RetryStore::new(Arc::new(store), PATIENCE, cancel.clone())))
}
