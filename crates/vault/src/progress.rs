//! The counters behind [`Progress`], shared by the threads of a run, and the thread that reports them.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError};

use crate::monitor::{FileError, Monitor, Progress};

const INTERVAL: Duration = Duration::from_millis(250);

/// Counts of a run. All in files, folders or bytes as in [`Progress`].
#[derive(Default)]
pub(crate) struct Counters {
    pub(crate) files_searched: AtomicU64,
    pub(crate) bytes_searched: AtomicU64,
    pub(crate) files_total: AtomicU64,
    pub(crate) bytes_total: AtomicU64,
    pub(crate) totals_final: AtomicBool,
    pub(crate) files_done: AtomicU64,
    pub(crate) bytes_done: AtomicU64,
    pub(crate) bytes_added: AtomicU64,
    pub(crate) errors: AtomicU64,
    current: Mutex<String>,
    /// Totals guessed from an earlier run, shown until the walk has seen more or has ended.
    guess: (u64, u64),
}

impl Counters {
    /// Counters that show these totals, in files and bytes, until better ones are known.
    pub(crate) fn guessing(files: u64, bytes: u64) -> Self {
        Self { guess: (files, bytes), ..Self::default() }
    }

    /// Tells which path is being worked on. Cheap: skipped while someone else does.
    pub(crate) fn set_current(&self, path: &std::path::Path) {
        if let Ok(mut current) = self.current.try_lock() {
            current.clear();
            current.push_str(&path.to_string_lossy());
        }
    }

    /// Counts and reports a failure.
    pub(crate) fn error(&self, monitor: &dyn Monitor, error: &FileError) {
        self.errors.fetch_add(1, Relaxed);
        monitor.error(error);
    }

    pub(crate) fn progress(&self) -> Progress {
        let totals_final = self.totals_final.load(Relaxed);
        let guess = if totals_final { (0, 0) } else { self.guess };
        Progress {
            files_searched: self.files_searched.load(Relaxed),
            bytes_searched: self.bytes_searched.load(Relaxed),
            files_total: self.files_total.load(Relaxed).max(guess.0),
            bytes_total: self.bytes_total.load(Relaxed).max(guess.1),
            totals_final,
            files_backed_up: self.files_done.load(Relaxed),
            bytes_backed_up: self.bytes_done.load(Relaxed),
            bytes_added: self.bytes_added.load(Relaxed),
            errors: self.errors.load(Relaxed),
            current: self.current.lock().map(|current| current.clone()).unwrap_or_default(),
        }
    }

    /// Reports four times a second until the sender of `ended` is dropped, and then once more.
    pub(crate) fn report(&self, monitor: &dyn Monitor, ended: &Receiver<()>) {
        while ended.recv_timeout(INTERVAL) == Err(RecvTimeoutError::Timeout) {
            monitor.progress(&self.progress());
        }
        monitor.progress(&self.progress());
    }
}
