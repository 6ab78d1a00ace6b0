//! The way to a job's vault at the server.

use std::{sync::Arc, time::Duration};

use jiff::{Timestamp, tz::TimeZone};
use roadstead_api::{
    bandwidth::{BandwidthLimit, rate_at},
    link::Work,
    schedule::TimeOfDay,
};
use roadstead_vault::{
    Cancel, Result,
    store::{
        CacheStore, FileKind, LimitStore, Limits, Name, RestAuth, RestConfig, RestStore, RetryStore, Store,
    },
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
    let proxy = order.proxy.clone().map(String::from);
    let store = RestStore::new(RestConfig { url, auth, ca_pem, proxy, ..RestConfig::default() })?;
    let store = limited(Arc::new(store), order, cancel);
    Ok(Arc::new(RetryStore::new(store, PATIENCE, cancel.clone())))
}

/// The store, kept to what the configuration of a backup allows at each time of the day.
fn limited(store: Arc<dyn Store>, order: &JobOrder, cancel: &Cancel) -> Arc<dyn Store> {
    let Work::Backup { options, timezone, .. } = &order.job.work else { return store };
    if options.bandwidth.is_empty() {
        return store;
    }
    let zone = TimeZone::get(timezone).unwrap_or_else(|_| {
        tracing::warn!(timezone, "the time zone is not known here; limits of bandwidth go by UTC");
        TimeZone::UTC
    });
    let limits = options.bandwidth.clone();
    let now = move || Limits { upload: rate(&limits, &zone, Timestamp::now()), download: None };
    Arc::new(LimitStore::changing(store, now, cancel.clone()))
}

fn rate(limits: &[BandwidthLimit], zone: &TimeZone, now: Timestamp) -> Option<u64> {
    let clock = zone.to_datetime(now);
    rate_at(limits, TimeOfDay::new(clock.hour(), clock.minute())?)
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

/// The same for a run that the server has granted a cleanup: what is deleted there goes to the server's trash.
pub(crate) fn granted(order: &JobOrder, cancel: &Cancel) -> Result<Arc<dyn Store>> {
    Ok(Arc::new(Granted(store(order, cancel)?)))
}

/// A store whose server throws away what it is asked to remove.
struct Granted(Arc<dyn Store>);

impl Store for Granted {
    fn list(&self, kind: FileKind) -> Result<Vec<(Name, u64)>> {
        self.0.list(kind)
    }

    fn read(&self, kind: FileKind, name: &Name) -> Result<Vec<u8>> {
        self.0.read(kind, name)
    }

    fn read_range(&self, kind: FileKind, name: &Name, offset: u64, length: usize) -> Result<Vec<u8>> {
        self.0.read_range(kind, name, offset, length)
    }

    fn read_range_into(&self, kind: FileKind, name: &Name, offset: u64, bytes: &mut [u8]) -> Result<()> {
        self.0.read_range_into(kind, name, offset, bytes)
    }

    fn is_near(&self) -> bool {
        self.0.is_near()
    }

    fn save(&self, kind: FileKind, name: &Name, bytes: &[u8]) -> Result<()> {
        self.0.save(kind, name, bytes)
    }

    fn remove(&self, kind: FileKind, name: &Name) -> Result<()> {
        self.0.remove(kind, name)
    }

    fn has_trash(&self) -> bool {
        true
    }

    fn discard(&self, kind: FileKind, name: &Name) -> Result<()> {
        self.0.remove(kind, name)
    }

    fn size(&self, kind: FileKind, name: &Name) -> Result<u64> {
        self.0.size(kind, name)
    }

    fn location(&self) -> String {
        self.0.location()
    }

    fn behind_cache(&self) -> Option<Arc<dyn Store>> {
        self.0.behind_cache()
    }
}

#[cfg(test)]
mod tests {
    use jiff::{Timestamp, tz::TimeZone};

    use super::rate;

    #[test]
    fn limits_go_by_the_clocks_of_their_zone() {
        let limits = ["08:00-18:00=2KiB".parse().unwrap()];
        let rates = |zone: &str| {
            let zone = TimeZone::get(zone).unwrap();
            ["2026-07-01T07:00:00Z", "2026-07-01T17:30:00Z", "2026-01-01T07:00:00Z"]
                .map(|now| rate(&limits, &zone, now.parse::<Timestamp>().unwrap()))
        };
        assert_eq!(rates("UTC"), [None, Some(2048), None]);
        assert_eq!(rates("Europe/Paris"), [Some(2048), None, Some(2048)]);
    }
}
