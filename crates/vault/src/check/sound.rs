//! Which blobs of a pack are sound: opened one after the other, and hashed together as backups do.

use std::ops::Range;

use crate::cipher::{Key, OVERHEAD};
use crate::compression;
use crate::id::Id;
use crate::index::Location;
use crate::repository::{Buffers, open_blob};

/// How many plain bytes are gathered at once. Blobs of half of that are looked at alone.
const BYTES: usize = 2 << 20;

/// Opens blobs, in memory that is used again for the next pack.
#[derive(Default)]
pub(super) struct Opener {
    alone: Buffers,
    /// A blob as it was compressed.
    packed: Vec<u8>,
    /// The blobs that wait for their hash; beyond `filled` what is there means nothing.
    plain: Vec<u8>,
    filled: usize,
    /// Which of the pack's blobs these are, and where each lies.
    waiting: Vec<(usize, Range<usize>)>,
}

impl Opener {
    /// Whether each of these blobs of a pack has the content that its id says.
    pub(super) fn sound(&mut self, key: &Key, pack: &[u8], blobs: &[Location]) -> Vec<bool> {
        let mut sound = vec![false; blobs.len()];
        for (number, location) in blobs.iter().enumerate() {
            let start = location.blob.offset as usize;
            let Some(sealed) = pack.get(start..start + location.blob.length as usize) else { continue };
            let length = match location.blob.plain_length {
                Some(length) => length as usize,
                None => sealed.len().saturating_sub(OVERHEAD),
            };
            if length > BYTES / 2 {
                sound[number] = open_blob(key, location, sealed, &mut self.alone).is_ok();
                continue;
            }
            if self.filled + length > BYTES {
                self.hash(blobs, &mut sound);
            }
            if self.open(key, sealed, length, location.blob.plain_length.is_some()) {
                self.waiting.push((number, self.filled..self.filled + length));
                self.filled += length;
            }
        }
        self.hash(blobs, &mut sound);
        sound
    }

    /// Opens a blob behind those that wait; tells whether it could be.
    fn open(&mut self, key: &Key, sealed: &[u8], length: usize, packed: bool) -> bool {
        let end = self.filled + length;
        if self.plain.len() < end {
            self.plain.resize(end, 0);
        }
        let plain = &mut self.plain[self.filled..end];
        if !packed {
            return key.open_to(sealed, plain).is_ok();
        }
        let stored = key.open_into(sealed, &mut self.packed);
        stored.and_then(|stored| compression::decompress_to(stored, plain)).is_ok()
    }

    /// Hashes the blobs that wait.
    fn hash(&mut self, blobs: &[Location], sound: &mut [bool]) {
        let plain: Vec<&[u8]> = self.waiting.iter().map(|(_, place)| &self.plain[place.clone()]).collect();
        let ids = Id::of_all(&plain);
        for ((number, _), id) in self.waiting.drain(..).zip(ids) {
            sound[number] = id == blobs[number].blob.id;
        }
        self.filled = 0;
    }
}
