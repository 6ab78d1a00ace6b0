//! Restic's way to cut: a Rabin fingerprint over a window of 64 bytes, modulo the repository's polynomial.
//!
//! A cut lies after a byte when the low 20 bits of the window's fingerprint are zero and the chunk has at
//! least the minimum size. Source: restic's design document, "Backups and Deduplication"; the method is
//! Rabin's (1981) with two tables, one to take the oldest byte out of the window and one to reduce.

use crate::polynomial::{DEGREE, Polynomial};

/// Restic's own limits: they are part of the format.
pub(super) const MIN: usize = 512 << 10;
const MAX: usize = 8 << 20;
const WINDOW: usize = 64;
const MASK: u64 = (1 << 20) - 1;
const SHIFT: u32 = DEGREE - 8;

/// What a byte adds to the fingerprint from the window's far end, and how the eight bits that overflow
/// the degree are reduced.
pub(crate) struct RabinTables {
    out: [u64; 256],
    reduce: [u64; 256],
}

impl RabinTables {
    pub(crate) fn new(polynomial: Polynomial) -> Self {
        let mut tables = Self { out: [0; 256], reduce: [0; 256] };
        for byte in 0..256u64 {
            // The top bits themselves are in the entry, so that one XOR both clears and reduces them.
            let top = byte << DEGREE;
            tables.reduce[byte as usize] = top | Polynomial(top).modulo(polynomial).0;
        }
        for byte in 0..256 {
            tables.out[byte] = (1..WINDOW).fold(byte as u64, |hash, _| tables.append(hash, 0));
        }
        tables
    }

    fn append(&self, hash: u64, byte: u8) -> u64 {
        let top = (hash >> SHIFT) as usize & 255;
        ((hash << 8) | u64::from(byte)) ^ self.reduce[top]
    }

    /// Goes on with a scan; see [`super::Scan::cut`].
    pub(super) fn scan(&self, data: &[u8], scanned: &mut usize, hash: &mut u64) -> Option<usize> {
        if data.len() < MIN {
            return None;
        }
        if *scanned < MIN {
            *hash = data[MIN - WINDOW..MIN].iter().fold(0, |hash, &byte| self.append(hash, byte));
            *scanned = MIN;
            if *hash & MASK == 0 {
                return Some(MIN);
            }
        }
        let end = data.len().min(MAX);
        let oldest = &data[*scanned - WINDOW..end - WINDOW];
        let mut h = *hash;
        for (i, (&newest, &oldest)) in data[*scanned..end].iter().zip(oldest).enumerate() {
            h = self.append(h ^ self.out[usize::from(oldest)], newest);
            if h & MASK == 0 {
                return Some(*scanned + i + 1);
            }
        }
        (*hash, *scanned) = (h, end);
        (end == MAX).then_some(MAX)
    }
}
