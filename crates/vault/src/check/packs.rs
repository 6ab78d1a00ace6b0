//! Index files against the packs in the store.

use std::collections::{HashMap, HashSet};

use super::{CheckReport, Problem, ProblemKind};
use crate::cancel::Cancel;
use crate::error::{ErrorKind, Result};
use crate::files::Files;
use crate::id::Id;
use crate::index::{Index, Location};
use crate::index_file;
use crate::pack::{BlobKind, entry_size, header_size};
use crate::store::{FileKind, Name};

/// What is known of the packs.
pub(super) struct Packs {
    /// Packs with something wrong, and their problem's place in the report.
    pub(super) bad: HashMap<Id, usize>,
    /// Blobs in bad packs that were read and found sound there.
    pub(super) sound_in_bad: HashSet<(Id, BlobKind, Id)>,
    /// Packs in both store and index, with their sizes.
    pub(super) present: Vec<(Id, u64)>,
}

/// Loads all index files that can be read.
pub(super) fn load_index(files: &Files, cancel: &Cancel, report: &mut CheckReport) -> Result<Index> {
    let mut index = Index::default();
    for (name, _) in files.store.list(FileKind::Index)? {
        cancel.check()?;
        let loaded = files.load(FileKind::Index, &name).and_then(|json| index_file::parse(&json));
        match loaded.and_then(|packs| index.extend(&packs)) {
            Ok(()) => {}
            Err(e) if matches!(e.kind(), ErrorKind::Damaged | ErrorKind::Unsupported) => {
                let file = Some((FileKind::Index, name));
                report.problems.push(Problem::new(ProblemKind::IndexDamaged, file, e.to_string()));
            }
            Err(e) if e.kind() == ErrorKind::NotFound => {}
            Err(e) => return Err(e),
        }
    }
    index.finish();
    report.blobs = index.len() as u64;
    Ok(index)
}

impl Packs {
    /// Compares what the index says with what the store lists.
    pub(super) fn compare(files: &Files, index: &Index, report: &mut CheckReport) -> Result<Self> {
        let mut stored: HashMap<Id, u64> =
            files.store.list(FileKind::Pack)?.into_iter().map(|(name, size)| (name.0, size)).collect();
        report.packs = stored.len() as u64;
        let mut packs = Self { bad: HashMap::new(), sound_in_bad: HashSet::new(), present: Vec::new() };
        for (pack, expected) in expected_sizes(index) {
            match stored.remove(&pack) {
                None => packs.mark(pack, ProblemKind::PackMissing, "the pack is not there", report),
                Some(size) if size != expected => {
                    let message = format!("the pack has {size} bytes where the index says {expected}");
                    packs.mark(pack, ProblemKind::PackDamaged, &message, report);
                    packs.present.push((pack, size));
                }
                Some(size) => packs.present.push((pack, size)),
            }
        }
        report.packs_unindexed = stored.len() as u64;
        Ok(packs)
    }

    /// Notes that something is wrong with a pack. The first word on it stands.
    pub(super) fn mark(&mut self, pack: Id, kind: ProblemKind, message: &str, report: &mut CheckReport) {
        self.bad.entry(pack).or_insert_with(|| {
            report.problems.push(Problem::new(kind, Some((FileKind::Pack, Name(pack))), message));
            report.problems.len() - 1
        });
    }

    /// Whether this copy of a blob can be read, as far as is known.
    pub(super) fn is_sound(&self, location: &Location) -> bool {
        !self.bad.contains_key(&location.pack)
            || self.sound_in_bad.contains(&(location.pack, location.blob.kind, location.blob.id))
    }
}

/// The size each pack must have if the index lists all of its blobs.
fn expected_sizes(index: &Index) -> HashMap<Id, u64> {
    let mut sizes: HashMap<Id, u64> = HashMap::new();
    let empty = header_size(std::iter::empty());
    for location in index.iter() {
        let blob = &location.blob;
        *sizes.entry(location.pack).or_insert(empty) += entry_size(blob) + u64::from(blob.length);
    }
    sizes
}
