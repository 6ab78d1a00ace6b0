//! Verification of a repository: is everything there that the snapshots need?
//!
//! Three looks: index files against the packs in the store ([`packs`]); on demand every blob of every pack
//! ([`data`]); every snapshot's trees against the blobs found sound ([`trees`]). Problems name the file of
//! the store, and the snapshots and paths that it hits. The check changes nothing.

mod data;
mod packs;
mod sound;
mod trees;

use std::path::PathBuf;
use std::sync::Arc;

use crate::cancel::Cancel;
use crate::error::{ErrorKind, Result};
use crate::id::Id;
use crate::monitor::Monitor;
use crate::repository::{Blobs, Repository};
use crate::snapshot::Snapshot;
use crate::store::{FileKind, Name};

use packs::Packs;

/// How thorough to be.
#[derive(Debug, Clone, Copy, Default)]
pub struct CheckOptions {
    /// Whether to read and verify every pack, not only the structure.
    pub read_data: bool,
    /// Of the packs, only this part of so many (counted from 0), so that what is too much for one check is read in
    /// several. All when absent. Packs fall to parts by their ids.
    pub part: Option<(u32, u32)>,
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
    /// Whom it hits; at most a thousand places.
    pub hits: Vec<Hit>,
}

impl Problem {
    fn new(kind: ProblemKind, file: Option<(FileKind, Name)>, message: impl Into<String>) -> Self {
        Self { kind, file, message: message.into(), hits: Vec::new() }
    }
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

impl CheckReport {
    /// The packs that are there and damaged: what [`Repository::salvage_packs`] is for.
    pub fn damaged_packs(&self) -> Vec<Id> {
        let damaged = self.problems.iter().filter(|problem| problem.kind == ProblemKind::PackDamaged);
        damaged.filter_map(|problem| problem.file).map(|(_, name)| name.0).collect()
    }
}

impl Repository {
    /// Checks the repository. What is wrong with it is in the report; an error means that the check itself
    /// could not be done. `monitor` sees packs as files, when data is read. No cache is asked.
    pub fn check(
        &self,
        options: &CheckOptions,
        monitor: &dyn Monitor,
        cancel: &Cancel,
    ) -> Result<CheckReport> {
        if let Some(repository) = self.behind_cache() {
            return repository.check(options, monitor, cancel);
        }
        let _lock = self.lock(cancel)?;
        let mut report = CheckReport::default();
        // Snapshots before indexes: whatever a snapshot listed now needs is indexed by now.
        let snapshots = self.load_snapshots(cancel, &mut report)?;
        let index = packs::load_index(&self.files, cancel, &mut report)?;
        let blobs = Blobs::new(self.files.clone(), Arc::new(index));
        let mut packs = Packs::compare(&self.files, &blobs.index, &mut report)?;
        if options.read_data {
            data::verify(&self.files, &blobs.index, &mut packs, options, monitor, cancel, &mut report)?;
        }
        trees::verify(&blobs, &packs, &snapshots, cancel, &mut report)?;
        Ok(report)
    }

    fn load_snapshots(&self, cancel: &Cancel, report: &mut CheckReport) -> Result<Vec<Snapshot>> {
        let mut snapshots = Vec::new();
        for (name, _) in self.files.store.list(FileKind::Snapshot)? {
            cancel.check()?;
            match self.load_snapshot(&name) {
                Ok(snapshot) => snapshots.push(snapshot),
                Err(e) if matches!(e.kind(), ErrorKind::Damaged | ErrorKind::Unsupported) => {
                    let file = Some((FileKind::Snapshot, name));
                    report.problems.push(Problem::new(ProblemKind::SnapshotDamaged, file, e.to_string()));
                }
                Err(e) if e.kind() == ErrorKind::NotFound => {}
                Err(e) => return Err(e),
            }
        }
        report.snapshots = snapshots.len() as u64;
        Ok(snapshots)
    }
}
