//! The index in memory: where every blob of the repository lies.
//!
//! One sorted array for each kind of blob, 48 bytes an entry. The first bits of ids are evenly spread, so a table of
//! where each value of them begins leads a lookup to a handful of neighbours.

use std::collections::HashMap;

use crate::error::{Error, Result};
use crate::id::Id;
use crate::pack::{BlobKind, PackedBlob};

#[derive(Clone, Copy)]
struct Entry {
    id: Id,
    pack: u32,
    offset: u32,
    length: u32,
    /// 0 when stored plain.
    plain_length: u32,
}

/// Where a blob lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Location {
    pub(crate) pack: Id,
    pub(crate) blob: PackedBlob,
}

/// All blobs of a repository at one moment. Filled with [`Index::extend`], then frozen by
/// [`Index::finish`]: lookups see only finished contents. Copies of a blob come in the order in which their
/// packs were first added. More may be added later, but only of packs that are new.
#[derive(Clone, Default)]
pub(crate) struct Index {
    packs: Vec<Id>,
    /// The place of each pack in `packs`, while the index is being filled.
    numbers: HashMap<Id, u32>,
    blobs: [Sorted; 2],
}

/// Entries in order of id, pack and offset, once they are finished.
#[derive(Clone, Default)]
struct Sorted {
    entries: Vec<Entry>,
    /// Where the entries begin whose ids begin with the bits 0, 1, 2 and so on, and where the last of them end.
    starts: Vec<usize>,
    /// How many bits that are.
    bits: u32,
}

impl Sorted {
    fn finish(&mut self) {
        let entries = &mut self.entries;
        entries.sort_unstable_by_key(|entry| (entry.id, entry.pack, entry.offset));
        entries.dedup_by_key(|entry| (entry.id, entry.pack, entry.offset));
        entries.shrink_to_fit();
        // Four to eight entries each.
        self.bits = (entries.len() / 4).checked_ilog2().unwrap_or(0);
        self.starts.clear();
        for (at, entry) in entries.iter().enumerate() {
            self.starts.resize(self.starts.len().max(bucket(&entry.id, self.bits) + 1), at);
        }
        self.starts.resize((1 << self.bits) + 1, entries.len());
    }

    /// The position of the first entry with this id.
    fn find(&self, id: &Id) -> Option<usize> {
        let bucket = bucket(id, self.bits);
        let (start, end) = (*self.starts.get(bucket)?, *self.starts.get(bucket + 1)?);
        let at = start + self.entries[start..end].partition_point(|entry| entry.id < *id);
        self.entries.get(at).filter(|entry| entry.id == *id).map(|_| at)
    }
}

/// The first bits of an id.
fn bucket(id: &Id, bits: u32) -> usize {
    let first = id.0.first_chunk().map_or(0, |bytes| u64::from_be_bytes(*bytes));
    first.checked_shr(u64::BITS - bits).unwrap_or(0) as usize
}

impl Index {
    /// Adds the packs of an index file.
    pub(crate) fn extend(&mut self, packs: &[(Id, Vec<PackedBlob>)]) -> Result<()> {
        for (pack, blobs) in packs {
            let number = self.number(*pack)?;
            for blob in blobs {
                let plain_length = blob.plain_length.unwrap_or(0);
                let (id, offset, length) = (blob.id, blob.offset, blob.length);
                let entry = Entry { id, pack: number, offset, length, plain_length };
                self.blobs[slot(blob.kind)].entries.push(entry);
            }
        }
        Ok(())
    }

    /// The same pack may be listed by several index files, the same blobs and all.
    fn number(&mut self, pack: Id) -> Result<u32> {
        if let Some(number) = self.numbers.get(&pack) {
            return Ok(*number);
        }
        let number = u32::try_from(self.packs.len());
        let number = number.map_err(|_| Error::damaged("the index lists too many packs"))?;
        self.packs.push(pack);
        self.numbers.insert(pack, number);
        Ok(number)
    }

    /// The packs added so far.
    pub(crate) fn packs(&self) -> impl Iterator<Item = Id> {
        self.packs.iter().copied()
    }

    /// The same, finished.
    pub(crate) fn finished(mut self) -> Self {
        self.finish();
        self
    }

    /// Sorts what was added.
    pub(crate) fn finish(&mut self) {
        self.numbers = HashMap::new();
        self.blobs.iter_mut().for_each(Sorted::finish);
    }

    pub(crate) fn contains(&self, kind: BlobKind, id: &Id) -> bool {
        self.blobs[slot(kind)].find(id).is_some()
    }

    /// The first place a blob lies at.
    pub(crate) fn get(&self, kind: BlobKind, id: &Id) -> Option<Location> {
        self.all(kind, id).next()
    }

    /// Every place a blob lies at: two writers may have stored it at the same time.
    pub(crate) fn all(&self, kind: BlobKind, id: &Id) -> impl Iterator<Item = Location> {
        let blobs = &self.blobs[slot(kind)];
        let first = blobs.find(id).unwrap_or(blobs.entries.len());
        let id = *id;
        blobs.entries[first..]
            .iter()
            .take_while(move |entry| entry.id == id)
            .map(move |entry| self.location(kind, entry))
    }

    /// Every place of every blob, in order of kind and id.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Location> {
        let of = |kind| self.blobs[slot(kind)].entries.iter().map(move |entry| self.location(kind, entry));
        of(BlobKind::Data).chain(of(BlobKind::Tree))
    }

    /// How many blobs are listed, copies included.
    pub(crate) fn len(&self) -> usize {
        self.blobs.iter().map(|blobs| blobs.entries.len()).sum()
    }

    fn location(&self, kind: BlobKind, entry: &Entry) -> Location {
        let plain_length = (entry.plain_length != 0).then_some(entry.plain_length);
        let (id, offset, length) = (entry.id, entry.offset, entry.length);
        let blob = PackedBlob { id, kind, offset, length, plain_length };
        Location { pack: self.packs[entry.pack as usize], blob }
    }
}

fn slot(kind: BlobKind) -> usize {
    match kind {
        BlobKind::Data => 0,
        BlobKind::Tree => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blob(id: Id) -> PackedBlob {
        PackedBlob { id, kind: BlobKind::Data, offset: 0, length: 1, plain_length: None }
    }

    fn finds_each_of(ids: impl Fn(u32) -> Id) {
        for count in [0, 1, 2, 10, 1000] {
            let mut index = Index::default();
            index.extend(&[(Id::of(b"p"), (0..count).map(|n| blob(ids(n))).collect())]).unwrap();
            index.finish();
            for n in 0..count {
                assert_eq!(index.get(BlobKind::Data, &ids(n)).unwrap().blob, blob(ids(n)));
                assert!(!index.contains(BlobKind::Tree, &ids(n)));
            }
            assert!(!index.contains(BlobKind::Data, &ids(count)));
            assert!(!index.contains(BlobKind::Data, &Id([0; 32])));
            assert!(!index.contains(BlobKind::Data, &Id([255; 32])));
        }
    }

    #[test]
    fn finds_what_is_there_and_nothing_else() {
        finds_each_of(|n| Id::of(&n.to_le_bytes()));
    }

    #[test]
    fn finds_ids_that_are_not_evenly_spread() {
        for (at, first) in [(0, 0), (0, 200), (4, 0), (4, 255), (20, 7), (20, 255)] {
            finds_each_of(|n| {
                let mut id = [first; 32];
                id[at..at + 4].copy_from_slice(&(n + 1).to_be_bytes());
                Id(id)
            });
        }
    }
}
