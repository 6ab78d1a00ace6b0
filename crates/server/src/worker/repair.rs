//! Repairs, in the order in which they help: what is sound in packs that do not say any more what they hold is saved
//! while the index still knows it, and the index is made anew; what is sound in packs that a check finds damaged is
//! saved, too; and snapshots that miss something are written anew without it. Packs and snapshots that are taken away go
//! to the trash.

use std::collections::HashSet;

use roadstead_vault::{Cancel, CheckOptions, Id, Repository, SalvageReport, SnapshotRepair, store::Disposal};
use serde::{Deserialize, Serialize};

use super::telling::{Lost, Telling};
use crate::Result;

/// What a repair found and did.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Repaired {
    /// Whether the index was not what it should be.
    pub index_rewritten: bool,
    /// Packs that did not say any more what they hold.
    pub packs_unreadable: u64,
    /// Damaged packs that were gone through.
    pub packs_damaged: u64,
    /// Blobs of them that were saved.
    pub blobs_saved: u64,
    /// Blobs of which no sound copy is left.
    pub blobs_lost: u64,
    /// Snapshots with holes, and what has taken their place: `None` where nothing was left, and in a dry run.
    pub snapshots: Vec<(String, Option<String>)>,
    /// Snapshots that took the place of others, also in repairs before: the old one, and the new one.
    pub replaced: Vec<(String, String)>,
    /// What is lost, a sentence each.
    pub problems: Vec<String>,
}

/// Repairs a repository; with `dry_run` it only tells what it would do.
pub fn repair(repository: &Repository, read_data: bool, dry_run: bool, cancel: &Cancel) -> Result<Repaired> {
    let mut repaired = Repaired::default();
    if !dry_run {
        let salvaged = salvage(repository, &[], cancel, &mut repaired)?;
        repaired.packs_unreadable = salvaged.packs;
        repaired.index_rewritten = salvaged.index_rewritten;
    }
    let options = CheckOptions { read_data, ..CheckOptions::default() };
    let found = repository.check(&options, &Telling, cancel)?;
    let damaged = found.damaged_packs();
    repaired.packs_damaged = damaged.len() as u64;
    if !damaged.is_empty() && !dry_run {
        salvage(repository, &damaged, cancel, &mut repaired)?;
    }
    let lost = Lost::default();
    let options = SnapshotRepair { keep_parts: false, forget: Some(Disposal::Trash), dry_run };
    let holes = repository.repair_snapshots(&repository.snapshots()?, &options, &lost, cancel)?;
    repaired.snapshots =
        holes.iter().map(|hole| (hole.snapshot.to_hex(), hole.replacement.map(Id::to_hex))).collect();
    repaired.problems = lost.into_sentences();
    if dry_run {
        repaired.problems.extend(found.problems.iter().map(|problem| problem.message.clone()));
    }
    repaired.replaced = replaced(repository)?;
    Ok(repaired)
}

fn salvage(
    repository: &Repository,
    packs: &[Id],
    cancel: &Cancel,
    repaired: &mut Repaired,
) -> Result<SalvageReport> {
    let salvaged = repository.salvage_packs(packs, Disposal::Trash, cancel)?;
    repaired.blobs_saved += salvaged.blobs_saved;
    repaired.blobs_lost += salvaged.blobs_lost;
    Ok(salvaged)
}

/// Which snapshots took the place of others that are gone. A repair that was cut off before it could tell is so made up
/// for by the next.
fn replaced(repository: &Repository) -> Result<Vec<(String, String)>> {
    let snapshots = repository.snapshots()?;
    let there: HashSet<Id> = snapshots.iter().map(|snapshot| snapshot.id).collect();
    let pairs = snapshots.iter().filter_map(|snapshot| Some((snapshot.original?, snapshot.id)));
    Ok(pairs.filter(|(old, _)| !there.contains(old)).map(|(old, new)| (old.to_hex(), new.to_hex())).collect())
}
