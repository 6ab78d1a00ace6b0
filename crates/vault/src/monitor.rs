//! What a run tells while it goes on: progress, and one event for every file that made trouble.

use std::fmt;
use std::path::PathBuf;

/// Watches a backup, restore or check. Called from many threads at once; must return soon, since workers
/// wait for it. Every method has a default that does nothing.
pub trait Monitor: Sync {
    /// The state of the run, about four times a second and once at the end.
    fn progress(&self, _progress: &Progress) {}

    /// A file or folder that could not be saved or restored. Counted in the summary.
    fn error(&self, _error: &FileError) {}

    /// Something worth knowing that cost nothing: a file that vanished or changed while it was read.
    fn warning(&self, _warning: &FileError) {}
}

/// A monitor that ignores everything.
#[derive(Debug, Clone, Copy, Default)]
pub struct VoidMonitor;

impl Monitor for VoidMonitor {}

/// Where a run stands. Sizes are in bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Progress {
    /// Files looked at so far, whether saved, unchanged or skipped.
    pub files_searched: u64,
    /// Bytes of the files looked at.
    pub bytes_searched: u64,
    /// Files there are in all: from the parent's summary at first, exact once `totals_final`.
    pub files_total: u64,
    /// Bytes there are in all, known as `files_total` is.
    pub bytes_total: u64,
    /// Whether the walk has ended, so that the totals are exact.
    pub totals_final: bool,
    /// New or changed files read and saved (in a restore: files written).
    pub files_backed_up: u64,
    /// Bytes of them actually read (in a restore: written).
    pub bytes_backed_up: u64,
    /// Bytes the repository has grown by, after compression.
    pub bytes_added: u64,
    /// Files and folders that could not be saved or restored.
    pub errors: u64,
    /// The path last begun; lossy where it is not UTF-8.
    pub current: String,
}

/// Why a file made trouble.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum FileErrorKind {
    /// It could not be opened, listed or looked at.
    Open,
    /// Reading failed in the middle.
    Read,
    /// Its metadata could not be read or set in full.
    Metadata,
    /// It was there when the folder was listed and is no more.
    Vanished,
    /// It changed while it was read; what was read is saved.
    Changed,
    /// What the command that it was made by said on its standard error.
    Command,
    /// It could not be created or written.
    Write,
    /// The repository holds damaged or missing content for it.
    Damaged,
    /// The repository holds an entry that must not be restored: a hostile name, a folder too deep.
    Refused,
}

/// One file's trouble.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileError {
    /// The path, byte for byte.
    pub path: PathBuf,
    /// In which doing.
    pub kind: FileErrorKind,
    /// The operating system's error number, where there is one.
    pub code: Option<i32>,
    /// A short reason without the path.
    pub reason: String,
}

impl FileError {
    pub(crate) fn new(path: impl Into<PathBuf>, kind: FileErrorKind, reason: impl Into<String>) -> Self {
        Self { path: path.into(), kind, code: None, reason: reason.into() }
    }

    pub(crate) fn os(path: impl Into<PathBuf>, kind: FileErrorKind, error: rustix::io::Errno) -> Self {
        let error = std::io::Error::from(error);
        Self { path: path.into(), kind, code: error.raw_os_error(), reason: error.to_string() }
    }
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path.display(), self.reason)
    }
}
