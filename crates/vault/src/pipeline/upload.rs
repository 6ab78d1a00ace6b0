//! Storing full packs, and index files once their packs are stored.

use std::sync::Mutex;
use std::sync::atomic::Ordering::Relaxed;

use crossbeam_channel::{Receiver, Sender};

use super::run::Run;
use crate::error::Result;
use crate::files::Files;
use crate::id::Id;
use crate::index_file::IndexWriter;
use crate::pack::PackBuilder;
use crate::store::{FileKind, Name};
use crate::threads::unpoisoned;

/// Stores packs until no more come. Several threads may do so at once, sharing `index`.
pub(super) fn upload(
    run: &Run<'_>,
    files: &Files,
    index: &Mutex<IndexWriter>,
    full: &Receiver<PackBuilder>,
    emptied: &Sender<PackBuilder>,
) -> Result<()> {
    for mut pack in full {
        run.check()?;
        pack.finish(&files.key)?;
        let name = Name(Id::of(&pack.bytes));
        files.store.save(FileKind::Pack, &name, &pack.bytes)?;
        run.counters.bytes_added.fetch_add(pack.bytes.len() as u64, Relaxed);
        let blobs = std::mem::take(&mut pack.blobs);
        pack.bytes.clear();
        // Nobody may be waiting for a buffer; then this one is dropped.
        let _ = emptied.try_send(pack);
        let json = unpoisoned(index).push(name.0, blobs);
        json.map_or(Ok(()), |json| save_index(files, &json))?;
    }
    Ok(())
}

/// Stores an index of the packs that no full index file holds yet.
pub(super) fn finish(files: &Files, index: &Mutex<IndexWriter>) -> Result<()> {
    let json = unpoisoned(index).take();
    json.map_or(Ok(()), |json| save_index(files, &json))
}

fn save_index(files: &Files, json: &[u8]) -> Result<()> {
    files.save(FileKind::Index, json).map(drop)
}
