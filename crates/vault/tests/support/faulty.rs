//! A store of which one call goes wrong, or is the last before somebody cancels.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use roadstead_vault::store::{FileKind, LocalStore, Name, Store};
use roadstead_vault::{Cancel, Error, ErrorKind, Result};

/// What happens at the call.
pub enum Fault {
    /// It fails.
    Error,
    /// The process ends as by `kill -9`.
    Kill,
    /// It goes well, and the run is cancelled.
    Cancel(Cancel),
}

/// Fails the call with a given number, counted from 0.
pub struct Faulty {
    inner: LocalStore,
    pub calls: AtomicU64,
    fails: u64,
    fault: Fault,
}

impl Faulty {
    pub fn new(vault: &Path, fails: u64, fault: Fault) -> Arc<Self> {
        Arc::new(Self { inner: LocalStore::new(vault), calls: AtomicU64::new(0), fails, fault })
    }

    fn count(&self) -> Result<()> {
        if self.calls.fetch_add(1, Relaxed) != self.fails {
            return Ok(());
        }
        match &self.fault {
            Fault::Error => return Err(Error::new(ErrorKind::Io, "injected")),
            Fault::Kill => {
                let process = rustix::process::getpid();
                rustix::process::kill_process(process, rustix::process::Signal::KILL).unwrap();
            }
            Fault::Cancel(cancel) => cancel.cancel(),
        }
        Ok(())
    }
}

impl Store for Faulty {
    fn list(&self, kind: FileKind) -> Result<Vec<(Name, u64)>> {
        self.count().and_then(|()| self.inner.list(kind))
    }
    fn read(&self, kind: FileKind, name: &Name) -> Result<Vec<u8>> {
        self.count().and_then(|()| self.inner.read(kind, name))
    }
    fn read_range(&self, kind: FileKind, name: &Name, offset: u64, length: usize) -> Result<Vec<u8>> {
        self.count().and_then(|()| self.inner.read_range(kind, name, offset, length))
    }
    fn read_range_into(&self, kind: FileKind, name: &Name, offset: u64, bytes: &mut [u8]) -> Result<()> {
        self.count().and_then(|()| self.inner.read_range_into(kind, name, offset, bytes))
    }
    /// As behind a network, where most vaults are.
    fn is_near(&self) -> bool {
        false
    }
    fn save(&self, kind: FileKind, name: &Name, bytes: &[u8]) -> Result<()> {
        self.count().and_then(|()| self.inner.save(kind, name, bytes))
    }
    fn remove(&self, kind: FileKind, name: &Name) -> Result<()> {
        self.count().and_then(|()| self.inner.remove(kind, name))
    }
    fn has_trash(&self) -> bool {
        true
    }
    fn discard(&self, kind: FileKind, name: &Name) -> Result<()> {
        self.count().and_then(|()| self.inner.discard(kind, name))
    }
    fn size(&self, kind: FileKind, name: &Name) -> Result<u64> {
        self.count().and_then(|()| self.inner.size(kind, name))
    }
    fn location(&self) -> String {
        self.inner.location()
    }
    fn behind_cache(&self) -> Option<Arc<dyn Store>> {
        None
    }
}
