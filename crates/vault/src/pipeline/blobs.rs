//! Storing blobs: dedup, compress, encrypt, pack.
//!
//! A worker does all of it for its own blob and takes a lock only to claim the id and to append the
//! sealed bytes, so blobs cross no channel; only full packs do, to the uploads.

use std::collections::HashSet;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crossbeam_channel::{Receiver, Sender};

use crate::cipher::{NONCE, OVERHEAD};
use crate::compression::{Compression, Packer};
use crate::error::{Error, Result};
use crate::files::Files;
use crate::id::Id;
use crate::index::Index;
use crate::pack::{BlobKind, PACK_SIZE, PackBuilder};
use crate::threads::unpoisoned;

/// Ids are hashes already.
#[derive(Default)]
pub(super) struct FirstBytes(u64);

impl Hasher for FirstBytes {
    fn write(&mut self, bytes: &[u8]) {
        if let Some(first) = bytes.first_chunk() {
            self.0 ^= u64::from_le_bytes(*first);
        }
    }

    fn write_usize(&mut self, _length: usize) {}

    fn finish(&self) -> u64 {
        self.0
    }
}

/// The blobs this run has begun to store, by kind.
type Claimed = [Mutex<HashSet<Id, BuildHasherDefault<FirstBytes>>>; 2];

/// Where the workers put blobs.
pub(super) struct BlobSink<'a> {
    files: &'a Files,
    index: &'a Index,
    claimed: Claimed,
    packs: [Mutex<PackBuilder>; 2],
    full: Sender<PackBuilder>,
    empty: Receiver<PackBuilder>,
    counts: &'a BlobCounts,
}

/// What was added, before compression, by kind: data, trees.
#[derive(Default)]
pub(super) struct BlobCounts {
    pub(super) blobs: [AtomicU64; 2],
    pub(super) bytes: AtomicU64,
}

/// A thread's own compression context and buffer.
pub(super) struct Sealer {
    /// `None` in repositories of version 1, which know no compression.
    packer: Option<Packer>,
    buffer: Vec<u8>,
}

impl Sealer {
    pub(super) fn new(files: &Files, compression: Compression) -> Result<Self> {
        let packer = (files.version > 1).then(|| Packer::new(compression)).transpose()?;
        Ok(Self { packer, buffer: Vec::new() })
    }

    /// The sealed form of a blob, and its plain length if it is compressed.
    fn seal(&mut self, files: &Files, kind: BlobKind, plain: &[u8]) -> Result<(&[u8], Option<u32>)> {
        let room = Packer::bound(plain.len()) + OVERHEAD;
        if self.buffer.len() < room {
            self.buffer.resize(room, 0);
        }
        let packed = match &mut self.packer {
            Some(packer) => packer.compress(plain, &mut self.buffer[NONCE..room])?,
            None => usize::MAX,
        };
        // Data that does not shrink is stored as it is: less to do at every restore.
        let keep = packed < plain.len() || (kind == BlobKind::Tree && self.packer.is_some());
        let length = if keep { packed } else { plain.len() };
        if !keep {
            self.buffer[NONCE..NONCE + length].copy_from_slice(plain);
        }
        let sealed = &mut self.buffer[..length + OVERHEAD];
        files.key.seal_in_place(sealed)?;
        Ok((sealed, keep.then_some(plain.len() as u32)))
    }
}

impl<'a> BlobSink<'a> {
    /// A sink that sends full packs through `full` and takes emptied buffers back from `empty`.
    pub(super) fn new(
        files: &'a Files,
        index: &'a Index,
        counts: &'a BlobCounts,
        full: Sender<PackBuilder>,
        empty: Receiver<PackBuilder>,
    ) -> Self {
        let (claimed, packs) = (Claimed::default(), Default::default());
        Self { files, index, claimed, packs, full, empty, counts }
    }

    /// Stores a blob unless the repository has it; gives its id. It may still be on its way to the store
    /// when this returns.
    pub(super) fn save(&self, sealer: &mut Sealer, kind: BlobKind, plain: &[u8]) -> Result<Id> {
        let id = Id::of(plain);
        self.save_as(sealer, kind, id, plain).map(|()| id)
    }

    /// The same where the blob's id is known.
    pub(super) fn save_as(&self, sealer: &mut Sealer, kind: BlobKind, id: Id, plain: &[u8]) -> Result<()> {
        let slot = usize::from(kind == BlobKind::Tree);
        if self.index.contains(kind, &id) || !unpoisoned(&self.claimed[slot]).insert(id) {
            return Ok(());
        }
        let (sealed, plain_length) = sealer.seal(self.files, kind, plain)?;
        let full = {
            let mut pack = unpoisoned(&self.packs[slot]);
            pack.push(kind, id, plain_length, sealed);
            pack.is_full().then(|| std::mem::replace(&mut *pack, self.replacement()))
        };
        self.counts.blobs[slot].fetch_add(1, Relaxed);
        self.counts.bytes.fetch_add(plain.len() as u64, Relaxed);
        full.map_or(Ok(()), |pack| self.send(pack))
    }

    /// Whether the repository has a data blob, or this run stores it.
    pub(super) fn has(&self, id: &Id) -> bool {
        self.index.contains(BlobKind::Data, id) || unpoisoned(&self.claimed[0]).contains(id)
    }

    /// Sends what is left in packs that are not full.
    pub(super) fn flush(&self) -> Result<()> {
        for pack in &self.packs {
            let pack = std::mem::take(&mut *unpoisoned(pack));
            if !pack.is_empty() {
                self.send(pack)?;
            }
        }
        Ok(())
    }

    /// Whether the repository has the data blob, not counting what this run adds.
    pub(super) fn index(&self) -> &Index {
        self.index
    }

    fn replacement(&self) -> PackBuilder {
        self.empty.try_recv().unwrap_or_else(|_| PackBuilder::with_capacity(PACK_SIZE + PACK_SIZE / 16))
    }

    fn send(&self, pack: PackBuilder) -> Result<()> {
        // The uploads end early only when the run has failed.
        self.full.send(pack).map_err(|_| Error::cancelled())
    }
}
