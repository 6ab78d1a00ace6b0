//! Making the index files say what the headers of the packs say.
//!
//! The new files are stored before the old ones go, so that at every moment some index names each pack. The old ones go
//! for good, also where packs go to the trash: packs that come back say themselves what is in them, while an old index
//! that came back might name packs that are lost, and backups would believe it.

use std::collections::BTreeMap;

use crate::cancel::Cancel;
use crate::error::{ErrorKind, Result};
use crate::id::Id;
use crate::index::{Index, Location};
use crate::index_file::{BLOBS, IndexWriter};
use crate::lock::Lock;
use crate::pack::PackedBlob;
use crate::repository::Repository;
use crate::store::FileKind;

/// Index files beyond those needed that are put up with before they are merged.
const SPARE: usize = 16;

/// Writes the index anew from what `index` knows of the packs that stay, unless that is what it says
/// already; tells whether. Needs the exclusive lock.
pub(crate) fn reindex(
    repository: &Repository,
    index: &Index,
    stays: impl Fn(&Location) -> bool,
    lock: &Lock,
    cancel: &Cancel,
) -> Result<bool> {
    if is_exact(repository, index, &stays)? {
        return Ok(false);
    }
    lock.verify()?;
    replace(repository, index, &stays, lock, cancel)?;
    Ok(true)
}

/// Whether the index files there are say just this.
fn is_exact(repository: &Repository, index: &Index, stays: impl Fn(&Location) -> bool) -> Result<bool> {
    let indexed = repository.blobs()?;
    if !indexed.has_whole_index() {
        return Ok(false);
    }
    let mut count = 0;
    for location in index.iter().filter(stays) {
        if !indexed.index.all(location.blob.kind, &location.blob.id).any(|other| other == location) {
            return Ok(false);
        }
        count += 1;
    }
    let files = repository.files.store.list(FileKind::Index)?.len();
    Ok(indexed.index.len() == count && files <= count / BLOBS + SPARE)
}

/// Puts this in the place of all index files.
fn replace(
    repository: &Repository,
    index: &Index,
    stays: impl Fn(&Location) -> bool,
    lock: &Lock,
    cancel: &Cancel,
) -> Result<()> {
    let files = &repository.files;
    let old = files.store.list(FileKind::Index)?;
    let mut packs: BTreeMap<Id, Vec<PackedBlob>> = BTreeMap::new();
    for location in index.iter().filter(stays) {
        packs.entry(location.pack).or_default().push(location.blob);
    }
    let mut writer = IndexWriter::default();
    for (pack, mut blobs) in packs {
        cancel.check()?;
        blobs.sort_by_key(|blob| blob.offset);
        if let Some(json) = writer.push(pack, blobs) {
            files.save(FileKind::Index, &json)?;
        }
    }
    writer.take().map_or(Ok(()), |json| files.save(FileKind::Index, &json).map(drop))?;
    for (name, _) in old {
        cancel.check()?;
        lock.verify()?;
        match files.store.remove(FileKind::Index, &name) {
            Err(e) if e.kind() != ErrorKind::NotFound => return Err(e),
            _ => {}
        }
    }
    Ok(())
}
