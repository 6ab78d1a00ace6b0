//! Reading blobs: find, read, decrypt, unpack, verify.

use std::sync::Arc;

use super::blocks::Blocks;
use crate::cipher::Key;
use crate::compression;
use crate::error::{Error, ErrorKind, Result};
use crate::files::Files;
use crate::id::Id;
use crate::index::{Index, Location};
use crate::monitor::{FileError, FileErrorKind, Monitor};
use crate::node::Node;
use crate::pack::BlobKind;
use crate::store::{FileKind, Name};
use crate::tree;

/// Reads blobs, from any number of threads. Small ones come out of cached blocks of their packs.
pub(crate) struct Blobs {
    files: Arc<Files>,
    pub(crate) index: Arc<Index>,
    blocks: Blocks,
    /// Index files that could not be read.
    damaged_index: Vec<Name>,
}

/// What one thread reads blobs through, kept from one to the next: memory fresh from the system costs as much
/// as what is done with it.
#[derive(Default)]
pub(crate) struct Buffers {
    sealed: Vec<u8>,
    opened: Opened,
}

/// A blob that was opened.
#[derive(Default)]
pub(crate) struct Opened {
    /// As it was stored: plain or compressed. The buffer may be longer than the blob.
    stored: Vec<u8>,
    unpacked: Vec<u8>,
    /// How much of `stored` is the blob; `None` where `unpacked` is.
    length: Option<usize>,
}

impl Opened {
    /// The plain bytes of the blob opened last.
    fn content(&self) -> &[u8] {
        self.length.map_or(&self.unpacked, |length| &self.stored[..length])
    }

    fn into_content(mut self) -> Vec<u8> {
        let Some(length) = self.length else { return self.unpacked };
        self.stored.truncate(length);
        self.stored
    }

    fn open(&mut self, key: &Key, location: &Location, sealed: &[u8]) -> Result<()> {
        let (id, pack) = (location.blob.id, location.pack);
        let damaged = |e| {
            Error::damaged(format!("blob {} in pack {} is damaged", id.short(), pack.short())).with_source(e)
        };
        let stored = key.open_into(sealed, &mut self.stored).map_err(damaged)?;
        self.length = match location.blob.plain_length {
            Some(length) => {
                compression::decompress(stored, length as usize, &mut self.unpacked).map_err(damaged)?;
                None
            }
            None => Some(stored.len()),
        };
        if Id::of(self.content()) == id {
            Ok(())
        } else {
            Err(damaged(Error::damaged("its content is not what its id says")))
        }
    }
}

impl Blobs {
    pub(crate) fn new(files: Arc<Files>, index: Arc<Index>) -> Self {
        Self { files, index, blocks: Blocks::default(), damaged_index: Vec::new() }
    }

    /// Notes that these index files could not be read, and the packs were read in their place.
    pub(super) fn with_damaged_index(self, damaged_index: Vec<Name>) -> Self {
        Self { damaged_index, ..self }
    }

    /// Whether all index files could be read.
    pub(crate) fn has_whole_index(&self) -> bool {
        self.damaged_index.is_empty()
    }

    /// Tells of index files that could not be read.
    pub(crate) fn warn(&self, monitor: &dyn Monitor) {
        for name in &self.damaged_index {
            let reason = "the index file is damaged; the packs were read in its place, and repairing the index mends it";
            let path = format!("{}/{name}", FileKind::Index);
            monitor.warning(&FileError::new(path, FileErrorKind::Damaged, reason));
        }
    }

    /// The verified plain bytes of a blob. Of several copies one that is sound suffices.
    pub(crate) fn read(&self, kind: BlobKind, id: &Id) -> Result<Vec<u8>> {
        let mut buffers = Buffers::default();
        self.read_into(&mut buffers, kind, id)?;
        Ok(buffers.opened.into_content())
    }

    /// The same out of buffers that are used again.
    pub(crate) fn read_into<'a>(
        &self,
        buffers: &'a mut Buffers,
        kind: BlobKind,
        id: &Id,
    ) -> Result<&'a [u8]> {
        let mut first_error = None;
        for location in self.index.all(kind, id) {
            match self.open_copy(buffers, &location) {
                Ok(()) => return Ok(buffers.opened.content()),
                Err(e) if e.is_temporary() || e.kind() == ErrorKind::Cancelled => return Err(e),
                Err(e) => first_error = first_error.or(Some(e)),
            }
        }
        Err(first_error.unwrap_or_else(|| Error::damaged(format!("blob {} is in no index", id.short()))))
    }

    /// One copy of a blob as it is stored.
    pub(crate) fn sealed(&self, location: &Location) -> Result<Vec<u8>> {
        self.blocks.with(&*self.files.store, location, &mut Vec::new(), |sealed| Ok(sealed.to_vec()))
    }

    /// Verifies one copy of a blob.
    pub(crate) fn verify_copy(&self, location: &Location) -> Result<()> {
        self.open_copy(&mut Buffers::default(), location)
    }

    fn open_copy(&self, buffers: &mut Buffers, location: &Location) -> Result<()> {
        let Buffers { sealed, opened } = buffers;
        let (store, key) = (&*self.files.store, &self.files.key);
        self.blocks.with(store, location, sealed, |sealed| opened.open(key, location, sealed))
    }

    /// The nodes of a tree.
    pub(crate) fn tree(&self, id: &Id) -> Result<Vec<Node>> {
        tree::decode(&self.read(BlobKind::Tree, id)?)
    }
}

/// Decrypts, unpacks and verifies a blob.
pub(crate) fn open_blob<'a>(
    key: &Key,
    location: &Location,
    sealed: &[u8],
    buffers: &'a mut Buffers,
) -> Result<&'a [u8]> {
    buffers.opened.open(key, location, sealed)?;
    Ok(buffers.opened.content())
}
