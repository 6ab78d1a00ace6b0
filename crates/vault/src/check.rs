//! Verification of a repository (skeleton).

use std::path::PathBuf;

use crate::cancel::Cancel;
use crate::error::{Error, ErrorKind, Result};
use crate::id::Id;
use crate::monitor::Monitor;
use crate::repository::Repository;
use crate::store::{FileKind, Name};

/// How thorough to be.
#[derive(Debug, Clone, Copy, Default)]
pub struct CheckOptions {
    /// Whether to read and verify every pack, not only the structure.
    pub read_data: bool,
    /// Threads that read packs; one for each processor when 0.
    pub threads: usize,
}

/// What is wrong with a file of the repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProblemKind {
    /// An index names a pack that is not there.
    PackMissing,
    /// A pack's size or content is not what it should be.
    PackDamaged,
    /// An index file cannot be read.
    IndexDamaged,
    /// A snapshot file cannot be read.
    SnapshotDamaged,
    /// A blob that a snapshot needs is in no index.
    BlobMissing,
    /// A tree cannot be understood.
    TreeDamaged,
}

/// A place where a problem can be felt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit {
    /// The snapshot hit.
    pub snapshot: Id,
    /// The path in it that cannot be restored whole.
    pub path: PathBuf,
}

/// One thing found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// What is wrong.
    pub kind: ProblemKind,
    /// With which file of the store, where known.
    pub file: Option<(FileKind, Name)>,
    /// In words.
    pub message: String,
    /// Whom it hits.
    pub hits: Vec<Hit>,
}

/// What a check found and how much it looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CheckReport {
    /// Everything wrong. Empty: the repository is sound.
    pub problems: Vec<Problem>,
    /// Snapshots read.
    pub snapshots: u64,
    /// Distinct trees read.
    pub trees: u64,
    /// Blobs in the index.
    pub blobs: u64,
    /// Packs in the store.
    pub packs: u64,
    /// Bytes of packs read and verified.
    pub bytes_read: u64,
    /// Packs in no index: leftovers of interrupted runs, harmless.
    pub packs_unindexed: u64,
}

impl Repository {
    /// Checks the repository.
    pub fn check(&self, _: &CheckOptions, _: &dyn Monitor, _: &Cancel) -> Result<CheckReport> {
        Err(Error::new(ErrorKind::Unsupported, "not written yet"))
    }
}
