//! Blobs on their way into new packs, with an index of their own: for whoever copies, salvages or rewrites.
//!
//! Used from any number of threads. What was stored is indexed at the end, also after a failure, so that
//! whoever tries again finds it.

use std::sync::Mutex;

use crate::compression::{Compression, Packer};
use crate::error::Result;
use crate::files::Files;
use crate::id::Id;
use crate::index_file::IndexWriter;
use crate::pack::{BlobKind, PackBuilder};
use crate::store::{FileKind, Name};
use crate::threads::unpoisoned;

/// Fills packs and stores them.
pub(crate) struct PackWriter<'a> {
    files: &'a Files,
    filling: [Mutex<PackBuilder>; 2],
    written: Mutex<Written>,
}

/// What was stored.
#[derive(Default)]
pub(crate) struct Written {
    index: IndexWriter,
    /// Blobs.
    pub(crate) blobs: u64,
    /// Packs.
    pub(crate) packs: u64,
    /// Bytes of the packs.
    pub(crate) bytes: u64,
}

impl<'a> PackWriter<'a> {
    pub(crate) fn new(files: &'a Files) -> Self {
        Self { files, filling: Default::default(), written: Mutex::default() }
    }

    /// Adds a blob sealed with the repository's own key.
    pub(crate) fn push(
        &self,
        kind: BlobKind,
        id: Id,
        plain_length: Option<u32>,
        sealed: &[u8],
    ) -> Result<()> {
        let full = {
            let mut pack = unpoisoned(&self.filling[usize::from(kind == BlobKind::Tree)]);
            pack.push(kind, id, plain_length, sealed);
            pack.is_full().then(|| std::mem::take(&mut *pack))
        };
        full.map_or(Ok(()), |pack| self.store(pack))
    }

    /// Compresses, seals and adds a tree; gives its id.
    pub(crate) fn push_tree(&self, json: &[u8]) -> Result<Id> {
        let id = Id::of(json);
        if self.files.version == 1 {
            self.push(BlobKind::Tree, id, None, &self.files.key.seal(json)?)?;
            return Ok(id);
        }
        let mut packed = vec![0; Packer::bound(json.len())];
        let length = Packer::new(Compression::Auto)?.compress(json, &mut packed)?;
        self.push(BlobKind::Tree, id, Some(json.len() as u32), &self.files.key.seal(&packed[..length])?)?;
        Ok(id)
    }

    /// Stores what is left in packs that are not full, and the index of all.
    pub(crate) fn finish(&self) -> Result<Written> {
        let stored =
            self.filling.iter().try_for_each(|pack| self.store(std::mem::take(&mut *unpoisoned(pack))));
        let mut written = std::mem::take(&mut *unpoisoned(&self.written));
        let indexed = self.save_index(written.index.take());
        stored.and(indexed).map(|()| written)
    }

    fn store(&self, mut pack: PackBuilder) -> Result<()> {
        if pack.is_empty() {
            return Ok(());
        }
        pack.finish(&self.files.key)?;
        let name = Name(Id::of(&pack.bytes));
        self.files.store.save(FileKind::Pack, &name, &pack.bytes)?;
        let json = {
            let mut written = unpoisoned(&self.written);
            written.blobs += pack.blobs.len() as u64;
            written.packs += 1;
            written.bytes += pack.bytes.len() as u64;
            written.index.push(name.0, pack.blobs)
        };
        self.save_index(json)
    }

    fn save_index(&self, json: Option<Vec<u8>>) -> Result<()> {
        json.map_or(Ok(()), |json| self.files.save(FileKind::Index, &json).map(drop))
    }
}
