//! Blobs gathered to be hashed together: with AVX-512 that takes less than half as long as one by one.

use super::folder::Saver;
use crate::error::Result;
use crate::id::Id;
use crate::pack::BlobKind;

/// How much is gathered, in bytes. Of half of it too few chunks of large files come together, and twice as much is no
/// faster.
const BYTES: usize = 2 << 20;

/// Bytes in the order they were read: blobs, and what is not cut into blobs yet.
#[derive(Default)]
pub(super) struct Gathered {
    /// Kept from one gathering to the next. What is beyond `filled` means nothing.
    bytes: Vec<u8>,
    filled: usize,
    /// Where each blob ends.
    ends: Vec<usize>,
}

impl Gathered {
    /// Blobs that wait.
    pub(super) fn blobs(&self) -> usize {
        self.ends.len()
    }

    /// Whether it is time to save them.
    pub(super) fn is_enough(&self) -> bool {
        self.end() >= BYTES
    }

    /// What is not cut yet.
    pub(super) fn rest(&self) -> &[u8] {
        &self.bytes[self.end()..self.filled]
    }

    /// Makes the first bytes of the rest a blob.
    pub(super) fn cut(&mut self, length: usize) {
        self.ends.push(self.end() + length);
    }

    /// Room for so many bytes more. [`Gathered::fill`] tells how much of it was used.
    pub(super) fn room(&mut self, length: usize) -> &mut [u8] {
        let end = self.filled + length;
        if self.bytes.len() < end {
            self.bytes.resize(end, 0);
        }
        &mut self.bytes[self.filled..end]
    }

    /// Adds the first bytes of the room to the rest.
    pub(super) fn fill(&mut self, length: usize) {
        self.filled += length;
    }

    /// Forgets all but the first blobs.
    pub(super) fn truncate(&mut self, blobs: usize) {
        self.ends.truncate(blobs);
        self.filled = self.end();
    }

    /// Saves the blobs; gives their ids. The rest stays.
    pub(super) fn save(&mut self, saver: &mut Saver<'_>) -> Result<Vec<Id>> {
        let (mut start, mut blobs) = (0, Vec::with_capacity(self.ends.len()));
        for &end in &self.ends {
            blobs.push(&self.bytes[start..end]);
            start = end;
        }
        let ids = Id::of_all(&blobs);
        for (id, blob) in ids.iter().zip(blobs) {
            saver.sink.save_as(&mut saver.sealer, BlobKind::Data, *id, blob)?;
        }
        self.bytes.copy_within(start..self.filled, 0);
        self.filled -= start;
        self.ends.clear();
        Ok(ids)
    }

    fn end(&self) -> usize {
        self.ends.last().copied().unwrap_or(0)
    }
}
