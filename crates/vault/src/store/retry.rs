//! Patience: temporary errors of a store are tried again for a while.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{FileKind, Name, Store};
use crate::cancel::Cancel;
use crate::error::{ErrorKind, Result};
use crate::random;

const FIRST_DELAY: Duration = Duration::from_millis(250);
const LONGEST_DELAY: Duration = Duration::from_secs(30);

/// A store around another that repeats calls which failed for a passing reason, with full jitter: each
/// wait is a random part of a limit that doubles. Ends at once when cancelled.
pub struct RetryStore {
    inner: Arc<dyn Store>,
    patience: Duration,
    cancel: Cancel,
}

impl RetryStore {
    /// Repeats calls to `inner` for up to `patience`, counted from the first failure.
    pub fn new(inner: Arc<dyn Store>, patience: Duration, cancel: Cancel) -> Self {
        Self { inner, patience, cancel }
    }

    fn retry<T>(&self, mut call: impl FnMut() -> Result<T>) -> Result<T> {
        let mut limit = FIRST_DELAY;
        let mut end = None;
        loop {
            self.cancel.check()?;
            let error = match call() {
                Err(e) if e.is_temporary() => e,
                other => return other,
            };
            let end = *end.get_or_insert_with(|| Instant::now() + self.patience);
            let delay = jitter(limit)?;
            if Instant::now() + delay > end {
                return Err(error);
            }
            self.cancel.sleep(delay);
            limit = (limit * 2).min(LONGEST_DELAY);
        }
    }

    fn take_away(&self, call: impl Fn() -> Result<()>) -> Result<()> {
        match call() {
            Err(e) if e.is_temporary() => match self.retry(call) {
                // The first try may have done it before its answer was lost.
                Err(e) if e.kind() == ErrorKind::NotFound => Ok(()),
                other => other,
            },
            other => other,
        }
    }
}

fn jitter(limit: Duration) -> Result<Duration> {
    let part = f64::from(u32::from_le_bytes(random::array()?)) / f64::from(u32::MAX);
    Ok(limit.mul_f64(part))
}

impl Store for RetryStore {
    fn list(&self, kind: FileKind) -> Result<Vec<(Name, u64)>> {
        self.retry(|| self.inner.list(kind))
    }

    fn read(&self, kind: FileKind, name: &Name) -> Result<Vec<u8>> {
        self.retry(|| self.inner.read(kind, name))
    }

    fn read_range(&self, kind: FileKind, name: &Name, offset: u64, length: usize) -> Result<Vec<u8>> {
        self.retry(|| self.inner.read_range(kind, name, offset, length))
    }

    fn read_range_into(&self, kind: FileKind, name: &Name, offset: u64, bytes: &mut [u8]) -> Result<()> {
        self.retry(|| self.inner.read_range_into(kind, name, offset, bytes))
    }

    fn is_near(&self) -> bool {
        self.inner.is_near()
    }

    fn save(&self, kind: FileKind, name: &Name, bytes: &[u8]) -> Result<()> {
        self.retry(|| self.inner.save(kind, name, bytes))
    }

    /// Removing is not repeated once cancelled, but always tried: locks must go at the end of any run.
    fn remove(&self, kind: FileKind, name: &Name) -> Result<()> {
        self.take_away(|| self.inner.remove(kind, name))
    }

    fn has_trash(&self) -> bool {
        self.inner.has_trash()
    }

    fn discard(&self, kind: FileKind, name: &Name) -> Result<()> {
        self.take_away(|| self.inner.discard(kind, name))
    }

    fn size(&self, kind: FileKind, name: &Name) -> Result<u64> {
        self.retry(|| self.inner.size(kind, name))
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
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::error::Error;

    /// Fails a number of times, then answers.
    struct Flaky(AtomicUsize);

    impl Flaky {
        fn answer<T>(&self, value: T) -> Result<T> {
            let left = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| n.checked_sub(1));
            if left.is_ok() { Err(Error::new(ErrorKind::Unreachable, "away")) } else { Ok(value) }
        }
    }

    impl Store for Flaky {
        fn list(&self, _: FileKind) -> Result<Vec<(Name, u64)>> {
            self.answer(Vec::new())
        }
        fn read(&self, _: FileKind, _: &Name) -> Result<Vec<u8>> {
            Err(Error::new(ErrorKind::NotFound, "no"))
        }
        fn read_range(&self, _: FileKind, _: &Name, _: u64, _: usize) -> Result<Vec<u8>> {
            self.answer(Vec::new())
        }
        fn read_range_into(&self, _: FileKind, _: &Name, _: u64, _: &mut [u8]) -> Result<()> {
            self.answer(())
        }
        fn is_near(&self) -> bool {
            false
        }
        fn save(&self, _: FileKind, _: &Name, _: &[u8]) -> Result<()> {
            self.answer(())
        }
        fn remove(&self, _: FileKind, _: &Name) -> Result<()> {
            self.answer(())
        }
        fn has_trash(&self) -> bool {
            true
        }
        fn discard(&self, _: FileKind, _: &Name) -> Result<()> {
            self.answer(())
        }
        fn size(&self, _: FileKind, _: &Name) -> Result<u64> {
            self.answer(0)
        }
        fn location(&self) -> String {
            String::new()
        }
        fn behind_cache(&self) -> Option<Arc<dyn Store>> {
            None
        }
    }

    fn store(failures: usize, patience: Duration, cancel: &Cancel) -> RetryStore {
        RetryStore::new(Arc::new(Flaky(AtomicUsize::new(failures))), patience, cancel.clone())
    }

    #[test]
    fn repeats_until_it_works_or_patience_ends() {
        let cancel = Cancel::new();
        assert!(store(2, Duration::from_secs(60), &cancel).list(FileKind::Pack).is_ok());
        let error = store(usize::MAX, Duration::ZERO, &cancel).list(FileKind::Pack).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unreachable);
        let error =
            store(0, Duration::from_secs(60), &cancel).read(FileKind::Pack, &Name::CONFIG).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
    }

    #[test]
    fn ends_at_once_when_cancelled() {
        let (cancel, flaky) = (Cancel::new(), Arc::new(Flaky(AtomicUsize::new(usize::MAX))));
        let store = RetryStore::new(flaky.clone(), Duration::from_secs(3600), cancel.clone());
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while flaky.0.load(Ordering::Relaxed) == usize::MAX {
                    std::thread::yield_now();
                }
                cancel.cancel();
            });
            assert_eq!(store.list(FileKind::Pack).unwrap_err().kind(), ErrorKind::Cancelled);
        });
    }
}
