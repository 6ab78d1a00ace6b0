//! FastCDC with a secret gear table.
//!
//! The table is derived from the repository's polynomial and id, which only key holders know, so that
//! chunk sizes are no fingerprint of known files. Source of the method: Xia et al., "FastCDC" (USENIX ATC
//! 2016): skip the minimum, then a stricter mask before the average size and a laxer one after it, which
//! pulls sizes towards the average.
//!
//! The name in the config fixes table and sizes for good: other cuts would find none of the chunks that are
//! there. Why the sizes of `gear-v2` are what they are: `docs/decisions/0003-chunks-of-128-kib.md`.

use sha2::{Digest, Sha256};

use crate::id::Id;
use crate::polynomial::Polynomial;

/// The limits of chunks, in bytes.
#[derive(Clone, Copy)]
struct Sizes {
    /// No chunk but the last of a file is smaller.
    min: usize,
    /// The size cuts aim for: a power of two.
    average: usize,
    /// No chunk is larger.
    max: usize,
}

impl Sizes {
    fn of(name: &str) -> Self {
        match name {
            "gear-v1" => Self { min: 512 << 10, average: 1 << 20, max: 8 << 20 },
            _ => Self { min: 64 << 10, average: 128 << 10, max: 1 << 20 },
        }
    }

    /// Two bits stricter than the average asks for. The high bits depend on the last 64 bytes.
    fn strict(self) -> u64 {
        !0 << (64 - (self.average.ilog2() + 2))
    }

    /// And two laxer.
    fn lax(self) -> u64 {
        !0 << (64 - (self.average.ilog2() - 2))
    }
}

/// A random number for every byte value.
pub(crate) struct GearTable {
    numbers: [u64; 256],
    sizes: Sizes,
}

impl GearTable {
    /// The chunker of this name. The table is SHA-256 in counter mode: block `i` gives entries `4i` to
    /// `4i + 3`.
    pub(crate) fn derive(name: &str, polynomial: Polynomial, id: &Id) -> Self {
        let mut numbers = [0; 256];
        for (i, entries) in numbers.chunks_mut(4).enumerate() {
            let mut hasher = Sha256::new_with_prefix(b"roadstead ");
            hasher.update(name);
            hasher.update(polynomial.0.to_be_bytes());
            hasher.update(id.0);
            hasher.update((i as u64).to_be_bytes());
            for (entry, bytes) in entries.iter_mut().zip(hasher.finalize().as_chunks::<8>().0) {
                *entry = u64::from_be_bytes(*bytes);
            }
        }
        Self { numbers, sizes: Sizes::of(name) }
    }

    pub(super) fn min_size(&self) -> usize {
        self.sizes.min
    }

    /// Goes on with a scan; see [`super::Scan::cut`].
    pub(super) fn scan(&self, data: &[u8], scanned: &mut usize, hash: &mut u64) -> Option<usize> {
        let sizes = self.sizes;
        let start = (*scanned).max(sizes.min);
        let average = data.len().min(sizes.average);
        let end = data.len().min(sizes.max);
        let found = self.search(data, start, average, sizes.strict(), hash);
        let found = found.or_else(|| self.search(data, start.max(average), end, sizes.lax(), hash));
        *scanned = end.max(*scanned);
        found.or_else(|| (end == sizes.max).then_some(end))
    }

    fn search(&self, data: &[u8], from: usize, to: usize, mask: u64, hash: &mut u64) -> Option<usize> {
        let mut h = *hash;
        for (i, &byte) in data.get(from..to)?.iter().enumerate() {
            h = (h << 1).wrapping_add(self.numbers[usize::from(byte)]);
            if h & mask == 0 {
                return Some(from + i + 1);
            }
        }
        *hash = h;
        None
    }
}
