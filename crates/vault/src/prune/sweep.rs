//! The second phase: under an exclusive lock, what nobody needs goes.
//!
//! The order makes every step safe to be the last: new index files first, which name just the packs that
//! stay; then the old ones go; then the packs, which no index names any more.

use std::collections::HashSet;

use super::{PruneOptions, PruneSummary, Survey};
use crate::cancel::Cancel;
use crate::error::Result;
use crate::id::Id;
use crate::index::Location;
use crate::reindex;
use crate::repository::Repository;
use crate::store::{FileKind, Name};

pub(super) fn sweep(
    repository: &Repository,
    survey: Survey,
    options: &PruneOptions,
    cancel: &Cancel,
    summary: &mut PruneSummary,
) -> Result<()> {
    let lock = repository.lock_alone(cancel)?;
    let survey = survey.refresh(repository, options, cancel)?;
    let (drop, keep): (Vec<_>, Vec<_>) = survey.uses().into_values().partition(|pack| pack.used == 0);
    let kept: HashSet<Id> = keep.iter().map(|pack| pack.pack).collect();
    let stays = |location: &Location| kept.contains(&location.pack);
    summary.packs_kept = keep.len() as u64;
    summary.bytes_kept = keep.iter().map(|pack| pack.size).sum();
    summary.index_rewritten = reindex::reindex(repository, &survey.blobs.index, stays, &lock, cancel)?;
    let unreadable = survey.unreadable.iter().map(|(pack, size)| (*pack, *size));
    for (pack, size) in drop.iter().map(|pack| (pack.pack, pack.size)).chain(unreadable) {
        cancel.check()?;
        lock.verify()?;
        options.disposal.dispose(&*repository.files.store, FileKind::Pack, &Name(pack))?;
        summary.packs_dropped += 1;
        summary.bytes_dropped += size;
    }
    Ok(())
}
