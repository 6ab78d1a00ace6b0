//! Repair. Of the index: whatever became of its files, they can be made anew from the packs. Needed after
//! packs came back from the trash, and when an index file is lost or damaged. Changes no pack.
//!
//! Of damaged packs ([`packs`]): what is sound in them is saved, and the index made anew. Of snapshots that miss
//! something ([`snapshots`]): new ones without it. In this order; a backup of what the source still has may come
//! before the last, and makes it needless for that.

mod packs;
mod snapshots;

use std::collections::HashMap;

use crate::cancel::Cancel;
use crate::error::Result;
use crate::id::Id;
use crate::pack_headers::PackHeaders;
use crate::reindex;
use crate::repository::Repository;

pub use packs::SalvageReport;
pub use snapshots::{RepairedSnapshot, SnapshotRepair};

/// What a repair of the index found and did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RepairReport {
    /// Packs indexed.
    pub packs: u64,
    /// Blobs in them, copies included.
    pub blobs: u64,
    /// Packs whose header cannot be read, so that nobody knows what is in them any more. They stay where they are,
    /// in no index: whoever wants to save what is in them calls [`Repository::salvage_packs`] instead.
    pub unreadable: Vec<Id>,
    /// Whether the index was not what it should be, and has been written anew.
    pub rewritten: bool,
}

impl Repository {
    /// Makes the index name just what is in the packs there are. Works alone:
    /// [`ErrorKind::Locked`](crate::ErrorKind::Locked) beside anyone else.
    pub fn repair_index(&self, cancel: &Cancel) -> Result<RepairReport> {
        if let Some(repository) = self.behind_cache() {
            return repository.repair_index(cancel);
        }
        let lock = self.lock_alone(cancel)?;
        let headers = PackHeaders::read(&self.files, &HashMap::new(), 0, cancel)?;
        let rewritten = reindex::reindex(self, &headers.index, |_| true, &lock, cancel)?;
        let mut unreadable: Vec<Id> = headers.unreadable.into_keys().collect();
        unreadable.sort();
        let (packs, blobs) = (headers.sizes.len() as u64, headers.index.len() as u64);
        Ok(RepairReport { packs, blobs, unreadable, rewritten })
    }
}
