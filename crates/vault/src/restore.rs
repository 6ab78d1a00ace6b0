//! Restores (skeleton).

use std::path::PathBuf;

use crate::cancel::Cancel;
use crate::error::{Error, ErrorKind, Result};
use crate::monitor::Monitor;
use crate::repository::Repository;
use crate::snapshot::Snapshot;

/// What to do with files that are in the target already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Overwrite {
    /// Leave them all.
    Never,
    /// Leave those whose size and modification time are the snapshot's, rewrite the others.
    #[default]
    IfChanged,
    /// Rewrite all.
    Always,
}

/// What to restore, where and how.
#[derive(Debug, Clone)]
pub struct RestoreOptions {
    /// The folder beneath which the snapshot's absolute paths appear; made if missing.
    pub target: PathBuf,
    /// Patterns in restic's syntax of what to restore; everything when empty.
    pub include: Vec<String>,
    /// What to do with files that exist.
    pub overwrite: Overwrite,
    /// Threads that read, verify and write; one for each processor when 0.
    pub threads: usize,
    /// Whether to restore owner and group. Without privileges only one's own are possible.
    pub owner: bool,
}

/// What a restore did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RestoreSummary {
    /// Files written, hard links included.
    pub files: u64,
    /// Folders made or found.
    pub dirs: u64,
    /// Bytes of the files written.
    pub bytes: u64,
    /// Files left as they were.
    pub skipped: u64,
    /// Files and folders that could not be restored in full.
    pub errors: u64,
}

impl RestoreOptions {
    /// Everything, into this folder, with owners if we are root.
    pub fn to(target: impl Into<PathBuf>) -> Self {
        let owner = rustix::process::geteuid().is_root();
        Self { target: target.into(), include: Vec::new(), overwrite: Overwrite::default(), threads: 0, owner }
    }
}

impl Repository {
    /// Restores a snapshot.
    pub fn restore(
        &self,
        _: &Snapshot,
        _: &RestoreOptions,
        _: &dyn Monitor,
        _: &Cancel,
    ) -> Result<RestoreSummary> {
        Err(Error::new(ErrorKind::Unsupported, "not written yet"))
    }
}
