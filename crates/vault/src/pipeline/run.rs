//! What the stages of one backup share: who watches, what counts, and whether to go on.
//!
//! The first fatal error, or the caller's cancel, stops every stage at its next look; the stages then end
//! one after the other because their channels close.

use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

use rustix::io::Errno;

use crate::cancel::Cancel;
use crate::error::{Error, Result};
use crate::monitor::{FileError, FileErrorKind, Monitor};
use crate::progress::Counters;
use crate::threads::unpoisoned;

/// New, changed and unmodified ones of a kind.
#[derive(Default)]
pub(super) struct Compared {
    pub(super) new: AtomicU64,
    pub(super) changed: AtomicU64,
    pub(super) unmodified: AtomicU64,
}

impl Compared {
    /// Counts one that had a counterpart in the parent or had not, equal or not.
    pub(super) fn count(&self, had_previous: bool, equal: bool) {
        let counter = match (had_previous, equal) {
            (false, _) => &self.new,
            (true, false) => &self.changed,
            (true, true) => &self.unmodified,
        };
        counter.fetch_add(1, Relaxed);
    }
}

/// The shared state of a backup.
pub(super) struct Run<'a> {
    pub(super) monitor: &'a dyn Monitor,
    pub(super) counters: Counters,
    pub(super) files: Compared,
    pub(super) dirs: Compared,
    cancel: &'a Cancel,
    failed: AtomicBool,
    failure: Mutex<Option<Error>>,
}

impl<'a> Run<'a> {
    pub(super) fn new(monitor: &'a dyn Monitor, cancel: &'a Cancel, counters: Counters) -> Self {
        Self {
            monitor,
            counters,
            files: Compared::default(),
            dirs: Compared::default(),
            cancel,
            failed: AtomicBool::new(false),
            failure: Mutex::new(None),
        }
    }

    /// Fails once the run was cancelled or another stage failed.
    pub(super) fn check(&self) -> Result<()> {
        self.cancel.check()?;
        if self.failed.load(Relaxed) { Err(Error::cancelled()) } else { Ok(()) }
    }

    /// Keeps the first failure of any stage and stops the others.
    pub(super) fn guard(&self, result: Result<()>) {
        if let Err(error) = result {
            // What a stage says after the first failure is its echo.
            unpoisoned(&self.failure).get_or_insert(error);
            self.failed.store(true, Relaxed);
        }
    }

    /// The first failure, if there was one.
    pub(super) fn outcome(&self) -> Result<()> {
        self.cancel.check()?;
        unpoisoned(&self.failure).take().map_or(Ok(()), Err)
    }

    /// Reports a file that cannot be saved.
    pub(super) fn error(&self, path: &Path, kind: FileErrorKind, errno: Errno) {
        self.counters.error(self.monitor, &FileError::os(path, kind, errno));
    }

    /// Reports what is worth knowing but harmless.
    pub(super) fn warn(&self, path: &Path, kind: FileErrorKind, reason: &str) {
        self.monitor.warning(&FileError::new(path, kind, reason));
    }

    /// Reports an entry that was listed and then could not be reached: gone is a warning, else an error.
    pub(super) fn unreachable(&self, path: &Path, errno: Errno) {
        match errno {
            Errno::NOENT => self.monitor.warning(&FileError::os(path, FileErrorKind::Vanished, errno)),
            _ => self.error(path, FileErrorKind::Open, errno),
        }
    }
}
