//! Restraint: a store that sends and fetches no more than so many bytes a second.
//!
//! Time is booked ahead: whoever moves bytes waits until those before have had theirs, so any number of
//! threads share one rate. What is listed or removed weighs nothing.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::{FileKind, Name, Store};
use crate::cancel::Cancel;
use crate::error::Result;
use crate::threads::unpoisoned;

/// A store around another that keeps to a rate in either direction.
pub struct LimitStore {
    inner: Arc<dyn Store>,
    upload: Option<Pace>,
    download: Option<Pace>,
    cancel: Cancel,
}

/// Rates in bytes a second; `None` is no limit, and 0 as good as one byte.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Limits {
    /// Of what is stored.
    pub upload: Option<u64>,
    /// Of what is read.
    pub download: Option<u64>,
}

impl LimitStore {
    /// Keeps `inner` to these rates. Waiting ends at once when `cancel` is set.
    pub fn new(inner: Arc<dyn Store>, limits: Limits, cancel: Cancel) -> Self {
        let pace = |rate: Option<u64>| rate.map(|rate| Pace::new(rate, Instant::now()));
        Self { inner, upload: pace(limits.upload), download: pace(limits.download), cancel }
    }

    fn wait(&self, pace: Option<&Pace>, bytes: usize) -> Result<()> {
        let wait = pace.map_or(Duration::ZERO, |pace| pace.book(bytes, Instant::now()));
        self.cancel.sleep(wait);
        self.cancel.check()
    }
}

/// A rate, and until when it is booked.
struct Pace {
    rate: u64,
    free: Mutex<Instant>,
}

impl Pace {
    fn new(rate: u64, now: Instant) -> Self {
        Self { rate: rate.max(1), free: Mutex::new(now) }
    }

    /// Books the time that so many bytes take; gives how long to wait before they may go. Time that nobody
    /// used is lost: there are no bursts.
    fn book(&self, bytes: usize, now: Instant) -> Duration {
        let mut free = unpoisoned(&self.free);
        let start = (*free).max(now);
        *free = start + Duration::from_secs_f64(bytes as f64 / self.rate as f64);
        start - now
    }
}

impl Store for LimitStore {
    fn list(&self, kind: FileKind) -> Result<Vec<(Name, u64)>> {
        self.inner.list(kind)
    }

    /// How long a file is shows when it is there: whoever comes next waits for it.
    fn read(&self, kind: FileKind, name: &Name) -> Result<Vec<u8>> {
        self.wait(self.download.as_ref(), 0)?;
        let bytes = self.inner.read(kind, name)?;
        if let Some(pace) = &self.download {
            pace.book(bytes.len(), Instant::now());
        }
        Ok(bytes)
    }

    fn read_range(&self, kind: FileKind, name: &Name, offset: u64, length: usize) -> Result<Vec<u8>> {
        self.wait(self.download.as_ref(), length)?;
        self.inner.read_range(kind, name, offset, length)
    }

    fn save(&self, kind: FileKind, name: &Name, bytes: &[u8]) -> Result<()> {
        // Locks weigh nothing: a lock that comes late may be taken for stale.
        let weight = if kind == FileKind::Lock { 0 } else { bytes.len() };
        if weight > 0 {
            self.wait(self.upload.as_ref(), weight)?;
        }
        self.inner.save(kind, name, bytes)
    }

    fn remove(&self, kind: FileKind, name: &Name) -> Result<()> {
        self.inner.remove(kind, name)
    }

    fn has_trash(&self) -> bool {
        self.inner.has_trash()
    }

    fn discard(&self, kind: FileKind, name: &Name) -> Result<()> {
        self.inner.discard(kind, name)
    }

    fn size(&self, kind: FileKind, name: &Name) -> Result<u64> {
        self.inner.size(kind, name)
    }

    fn location(&self) -> String {
        self.inner.location()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;
    use crate::id::Id;
    use crate::store::LocalStore;

    #[test]
    fn bytes_wait_for_those_before_and_idle_time_is_lost() {
        let start = Instant::now();
        let pace = Pace::new(1000, start);
        let seconds = Duration::from_secs;
        assert_eq!(pace.book(5000, start), seconds(0));
        assert_eq!(pace.book(1000, start), seconds(5));
        assert_eq!(pace.book(1000, start + seconds(4)), seconds(2));
        assert_eq!(pace.book(1000, start + seconds(100)), seconds(0));
        assert_eq!(pace.book(0, start + seconds(100)), seconds(1));
    }

    #[test]
    fn a_wait_ends_when_cancelled() {
        let folder = tempfile::tempdir().unwrap();
        let cancel = Cancel::new();
        let limits = Limits { upload: Some(1), download: None };
        let store = LimitStore::new(Arc::new(LocalStore::new(folder.path())), limits, cancel.clone());
        let save = |bytes: &[u8]| store.save(FileKind::Pack, &Name(Id::of(bytes)), bytes);
        // The first goes at once; the second would wait for hours.
        save(&[0; 50_000]).unwrap();
        cancel.cancel();
        assert_eq!(save(b"second").unwrap_err().kind(), ErrorKind::Cancelled);
        assert_eq!(store.list(FileKind::Pack).unwrap().len(), 1);
        assert_eq!(
            store.read(FileKind::Pack, &Name(Id::of(&[0; 50_000]))).unwrap_err().kind(),
            ErrorKind::Cancelled
        );
    }
}
