//! FastCDC with a secret gear table.
//!
//! The table is derived from the repository's polynomial and id, which only key holders know, so that
//! chunk sizes are no fingerprint of known files. Source of the method: Xia et al., "FastCDC" (USENIX ATC
//! 2016): skip the minimum, then a stricter mask before the average size and a laxer one after it, which
//! pulls sizes towards the average.

use sha2::{Digest, Sha256};

use crate::id::Id;
use crate::polynomial::Polynomial;

/// No chunk but the last of a file is smaller.
pub(super) const MIN: usize = 512 << 10;
/// The size cuts aim for.
const AVERAGE: usize = 1 << 20;
/// No chunk is larger.
const MAX: usize = 8 << 20;
/// Two bits stricter than the average asks for, and two laxer. The high bits depend on the last 64 bytes.
const STRICT: u64 = !0 << (64 - (AVERAGE.ilog2() + 2));
const LAX: u64 = !0 << (64 - (AVERAGE.ilog2() - 2));

/// A random number for every byte value.
pub(crate) struct GearTable([u64; 256]);

impl GearTable {
    /// SHA-256 in counter mode: block `i` gives entries `4i` to `4i + 3`. Part of the format: `gear-v1`.
    pub(crate) fn derive(polynomial: Polynomial, id: &Id) -> Self {
        let mut table = [0; 256];
        for (i, entries) in table.chunks_mut(4).enumerate() {
            let mut hasher = Sha256::new_with_prefix(b"roadstead gear-v1");
            hasher.update(polynomial.0.to_be_bytes());
            hasher.update(id.0);
            hasher.update((i as u64).to_be_bytes());
            for (entry, bytes) in entries.iter_mut().zip(hasher.finalize().as_chunks::<8>().0) {
                *entry = u64::from_be_bytes(*bytes);
            }
        }
        Self(table)
    }

    /// Goes on with a scan; see [`super::Scan::cut`].
    pub(super) fn scan(&self, data: &[u8], scanned: &mut usize, hash: &mut u64) -> Option<usize> {
        let start = (*scanned).max(MIN);
        let average = data.len().min(AVERAGE);
        let end = data.len().min(MAX);
        let found = self.search(data, start, average, STRICT, hash);
        let found = found.or_else(|| self.search(data, start.max(average), end, LAX, hash));
        *scanned = end.max(*scanned);
        found.or_else(|| (end == MAX).then_some(MAX))
    }

    fn search(&self, data: &[u8], from: usize, to: usize, mask: u64, hash: &mut u64) -> Option<usize> {
        let mut h = *hash;
        for (i, &byte) in data.get(from..to)?.iter().enumerate() {
            h = (h << 1).wrapping_add(self.0[usize::from(byte)]);
            if h & mask == 0 {
                return Some(from + i + 1);
            }
        }
        *hash = h;
        None
    }
}
