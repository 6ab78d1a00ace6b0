//! Blocks of packs kept in memory.
//!
//! Neighbouring blobs of a pack are wanted together: the files of one folder, the trees of one snapshot.
//! Reading packs in aligned blocks turns a hundred thousand small reads into some thousand, which over a
//! network is all the difference, and keeps memory bounded whatever is restored. Large blobs pass by.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use crate::error::{Error, Result};
use crate::id::Id;
use crate::index::Location;
use crate::store::{FileKind, Name, Store};
use crate::threads::unpoisoned;

const BLOCK: u64 = 256 << 10;
/// Blocks kept: 16 MiB.
const KEPT: usize = 64;
/// Blobs from this length on are read alone.
const LARGE: u32 = 192 << 10;
/// And from this on, where reading little costs little: then a block is but a copy too many.
const LARGE_NEAR: u32 = 32 << 10;
/// No chunker of ours makes larger blobs; buffers that are kept grow no further.
const LARGEST_KEPT: usize = 8 << 20;

type Content = Arc<Vec<u8>>;

/// A cache of blocks, the least recently used of which go first. Threads that want the same block at the
/// same time wait for one read.
#[derive(Default)]
pub(super) struct Blocks {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    blocks: HashMap<(Id, u64), Slot>,
    clock: u64,
    /// Sizes of packs, so that the last block is not read beyond the end.
    sizes: HashMap<Id, u64>,
}

struct Slot {
    used: u64,
    content: Arc<Mutex<Option<Content>>>,
}

impl Blocks {
    /// Hands the sealed bytes of a blob to `open`, out of `buffer` where they do not lie in one block.
    pub(super) fn with<T>(
        &self,
        store: &dyn Store,
        location: &Location,
        buffer: &mut Vec<u8>,
        open: impl FnOnce(&[u8]) -> Result<T>,
    ) -> Result<T> {
        let (offset, length) = (u64::from(location.blob.offset), location.blob.length);
        if length >= if store.is_near() { LARGE_NEAR } else { LARGE } {
            return open(read_alone(store, location, buffer)?);
        }
        let end = offset + u64::from(length);
        let (first, last) = (offset / BLOCK, end.saturating_sub(1).max(offset) / BLOCK);
        if first == last {
            let block = self.block(store, location.pack, first)?;
            return open(part(&block, location, offset - first * BLOCK, end - first * BLOCK)?);
        }
        buffer.clear();
        for number in first..=last {
            let block = self.block(store, location.pack, number)?;
            let start = number * BLOCK;
            let (from, to) = (offset.max(start) - start, end.min(start + BLOCK) - start);
            buffer.extend_from_slice(part(&block, location, from, to)?);
        }
        open(buffer)
    }

    fn block(&self, store: &dyn Store, pack: Id, number: u64) -> Result<Content> {
        let slot = self.slot(pack, number);
        let mut content = unpoisoned(&slot);
        if let Some(content) = &*content {
            return Ok(Arc::clone(content));
        }
        let start = number * BLOCK;
        let length = self.size(store, pack)?.saturating_sub(start).min(BLOCK);
        let bytes = Arc::new(store.read_range(FileKind::Pack, &Name(pack), start, length as usize)?);
        *content = Some(Arc::clone(&bytes));
        Ok(bytes)
    }

    fn slot(&self, pack: Id, number: u64) -> Arc<Mutex<Option<Content>>> {
        let mut state = unpoisoned(&self.state);
        state.clock += 1;
        let used = state.clock;
        if state.blocks.len() >= KEPT && !state.blocks.contains_key(&(pack, number)) {
            let oldest = state.blocks.iter().min_by_key(|(_, slot)| slot.used).map(|(key, _)| *key);
            oldest.map(|key| state.blocks.remove(&key));
        }
        let slot =
            state.blocks.entry((pack, number)).or_insert_with(|| Slot { used, content: Arc::default() });
        slot.used = used;
        Arc::clone(&slot.content)
    }

    fn size(&self, store: &dyn Store, pack: Id) -> Result<u64> {
        if let Some(size) = unpoisoned(&self.state).sizes.get(&pack) {
            return Ok(*size);
        }
        let size = store.size(FileKind::Pack, &Name(pack))?;
        unpoisoned(&self.state).sizes.insert(pack, size);
        Ok(size)
    }
}

fn part<'a>(block: &'a [u8], location: &Location, from: u64, to: u64) -> Result<&'a [u8]> {
    block.get(from as usize..to as usize).ok_or_else(|| {
        Error::damaged(format!("pack {} is shorter than the index says", location.pack.short()))
    })
}

fn read_alone<'a>(store: &dyn Store, location: &Location, buffer: &'a mut Vec<u8>) -> Result<&'a [u8]> {
    let (name, length) = (Name(location.pack), location.blob.length as usize);
    let offset = u64::from(location.blob.offset);
    if length > LARGEST_KEPT {
        *buffer = store.read_range(FileKind::Pack, &name, offset, length)?;
        return Ok(buffer);
    }
    if buffer.len() < length {
        buffer.resize(length, 0);
    }
    store.read_range_into(FileKind::Pack, &name, offset, &mut buffer[..length])?;
    Ok(&buffer[..length])
}
