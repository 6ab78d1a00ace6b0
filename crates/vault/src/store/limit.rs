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

/// How long to sleep at most before the rate is asked for again.
const TICK: Duration = Duration::from_secs(1);

/// Tells the rates that hold now.
type Rates = Box<dyn Fn() -> Limits + Send + Sync>;

/// A store around another that keeps to a rate in either direction.
pub struct LimitStore {
    inner: Arc<dyn Store>,
    upload: Pace,
    download: Pace,
    limits: Rates,
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
        Self::changing(inner, move || limits, cancel)
    }

    /// Keeps `inner` to the rates that `limits` tells, which is asked again and again: whoever waits goes on as a new
    /// rate lets it.
    pub fn changing(
        inner: Arc<dyn Store>,
        limits: impl Fn() -> Limits + Send + Sync + 'static,
        cancel: Cancel,
    ) -> Self {
        let now = Instant::now();
        let (upload, download) = (Pace::new(now), Pace::new(now));
        Self { inner, upload, download, limits: Box::new(limits), cancel }
    }

    fn wait_to_store(&self, bytes: usize) -> Result<()> {
        self.wait(&self.upload, |limits| limits.upload, bytes)
    }

    fn wait_to_read(&self, bytes: usize) -> Result<()> {
        self.wait(&self.download, |limits| limits.download, bytes)
    }

    fn wait(&self, pace: &Pace, rate: impl Fn(Limits) -> Option<u64>, bytes: usize) -> Result<()> {
        let place = pace.book(bytes, rate((self.limits)()), Instant::now());
        while let Some(wait) = pace.left(place, rate((self.limits)()), Instant::now()) {
            self.cancel.sleep(wait.min(TICK));
            self.cancel.check()?;
        }
        self.cancel.check()
    }
}

/// What was booked, and how much of it the rates until now have let through.
struct Pace(Mutex<Booked>);

/// All in bytes since the beginning.
struct Booked {
    booked: f64,
    passed: f64,
    at: Instant,
}

impl Pace {
    fn new(now: Instant) -> Self {
        Self(Mutex::new(Booked { booked: 0.0, passed: 0.0, at: now }))
    }

    /// Books so many bytes behind those booked before; gives the place that they begin at.
    fn book(&self, bytes: usize, rate: Option<u64>, now: Instant) -> f64 {
        let mut pace = unpoisoned(&self.0);
        pace.pass(rate, now);
        let place = pace.booked;
        pace.booked += bytes as f64;
        place
    }

    /// How long it is at this rate until what is booked at a place may go; `None` when it may.
    fn left(&self, place: f64, rate: Option<u64>, now: Instant) -> Option<Duration> {
        let mut pace = unpoisoned(&self.0);
        pace.pass(rate, now);
        let (left, rate) = (place - pace.passed, rate?.max(1) as f64);
        // Less than half a byte is what counting in fractions has lost.
        (left > 0.5).then(|| Duration::try_from_secs_f64(left / rate).unwrap_or(TICK))
    }
}

impl Booked {
    /// Lets through what this rate does until now. Time that nobody had booked anything for is lost: there are no bursts.
    fn pass(&mut self, rate: Option<u64>, now: Instant) {
        let elapsed = now.saturating_duration_since(self.at).as_secs_f64();
        self.passed = match rate {
            Some(rate) => self.booked.min(self.passed + elapsed * rate.max(1) as f64),
            None => self.booked,
        };
        self.at = self.at.max(now);
    }
}

impl Store for LimitStore {
    fn list(&self, kind: FileKind) -> Result<Vec<(Name, u64)>> {
        self.inner.list(kind)
    }

    /// How long a file is shows when it is there: whoever comes next waits for it.
    fn read(&self, kind: FileKind, name: &Name) -> Result<Vec<u8>> {
        self.wait_to_read(0)?;
        let bytes = self.inner.read(kind, name)?;
        self.download.book(bytes.len(), (self.limits)().download, Instant::now());
        Ok(bytes)
    }

    fn read_range(&self, kind: FileKind, name: &Name, offset: u64, length: usize) -> Result<Vec<u8>> {
        self.wait_to_read(length)?;
        self.inner.read_range(kind, name, offset, length)
    }

    fn read_range_into(&self, kind: FileKind, name: &Name, offset: u64, bytes: &mut [u8]) -> Result<()> {
        self.wait_to_read(bytes.len())?;
        self.inner.read_range_into(kind, name, offset, bytes)
    }

    fn is_near(&self) -> bool {
        self.inner.is_near()
    }

    fn save(&self, kind: FileKind, name: &Name, bytes: &[u8]) -> Result<()> {
        // Locks weigh nothing: a lock that comes late may be taken for stale.
        let weight = if kind == FileKind::Lock { 0 } else { bytes.len() };
        if weight > 0 {
            self.wait_to_store(weight)?;
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

    fn behind_cache(&self) -> Option<Arc<dyn Store>> {
        self.inner.behind_cache()
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
        const RATE: Option<u64> = Some(1000);
        let start = Instant::now();
        let pace = Pace::new(start);
        let at = |seconds| start + Duration::from_secs(seconds);
        let left =
            |bytes, now| pace.left(pace.book(bytes, RATE, at(now)), RATE, at(now)).map(|left| left.as_secs());
        assert_eq!(left(5000, 0), None);
        assert_eq!(left(1000, 0), Some(5));
        assert_eq!(left(1000, 4), Some(2));
        assert_eq!(left(1000, 100), None);
        assert_eq!(left(0, 100), Some(1));
    }

    #[test]
    fn who_waits_goes_on_as_a_new_rate_lets_it() {
        let start = Instant::now();
        let pace = Pace::new(start);
        let at = |seconds| start + Duration::from_secs(seconds);
        pace.book(10_000, Some(10), start);
        let place = pace.book(1, Some(10), start);
        let left = |rate, now| pace.left(place, rate, at(now)).map(|left| left.as_secs());
        assert_eq!(left(Some(10), 100), Some(900), "1000 of 10000 have passed");
        assert_eq!(left(Some(1000), 104), Some(5));
        assert_eq!(left(Some(10), 105), Some(499), "as many as have passed until then stay passed");
        assert_eq!(left(None, 105), None);
        assert_eq!(left(Some(1), 105), None, "what has passed is not waited for again");
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
