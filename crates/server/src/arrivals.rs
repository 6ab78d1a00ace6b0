//! How many files came into each vault of late: a thief or a broken program that floods a vault is noticed.
//!
//! A backup leaves one snapshot, a handful of locks and few index files. The counts are this server's memory alone, and
//! begin anew with it: a flood goes on.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use roadstead_api::id::VaultId;
use roadstead_vault::store::FileKind;

/// How long files are counted together, in milliseconds.
const WINDOW_MS: i64 = 3_600_000;

/// A count that is over its bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooMany {
    /// Of what.
    pub kind: FileKind,
    /// The bound.
    pub count: u32,
}

/// The counts of all vaults.
#[derive(Debug, Default)]
pub struct Arrivals(Mutex<HashMap<VaultId, Counts>>);

#[derive(Debug, Default)]
struct Counts {
    begun_ms: i64,
    by_kind: HashMap<FileKind, u32>,
}

impl Arrivals {
    /// Counts a file; says so when it is the first over the bound of an hour.
    pub fn count(&self, vault: &VaultId, kind: FileKind, now_ms: i64) -> Option<TooMany> {
        let bound = bound(kind)?;
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let counts = all.entry(vault.clone()).or_default();
        // A clock that was set back begins anew, too.
        if !(0..WINDOW_MS).contains(&(now_ms - counts.begun_ms)) {
            *counts = Counts { begun_ms: now_ms, ..Counts::default() };
        }
        let count = counts.by_kind.entry(kind).or_default();
        *count = count.saturating_add(1);
        (*count == bound + 1).then_some(TooMany { kind, count: bound })
    }
}

/// How many files of a kind an hour may bring; data is bounded by quotas.
fn bound(kind: FileKind) -> Option<u32> {
    match kind {
        FileKind::Snapshot => Some(120),
        FileKind::Lock => Some(600),
        FileKind::Index => Some(2000),
        FileKind::Pack | FileKind::Config | FileKind::Key => None,
    }
}

#[cfg(test)]
mod tests {
    use roadstead_api::id::VaultId;
    use roadstead_vault::store::FileKind;

    use super::{Arrivals, TooMany, WINDOW_MS};

    #[test]
    fn a_flood_is_told_once_an_hour_and_each_vault_counts_alone() {
        let arrivals = Arrivals::default();
        let (vault, other) = (VaultId("a".into()), VaultId("b".into()));
        let count = |vault, now| arrivals.count(vault, FileKind::Snapshot, now);
        assert!((0..120).all(|_| count(&vault, 5).is_none()));
        assert_eq!(count(&other, 5), None);
        assert_eq!(count(&vault, 6), Some(TooMany { kind: FileKind::Snapshot, count: 120 }));
        assert_eq!(count(&vault, 7), None);
        assert!((0..120).all(|_| count(&vault, 5 + WINDOW_MS).is_none()), "the next hour begins anew");
        assert!(count(&vault, 6 + WINDOW_MS).is_some());
        assert!((0..120).all(|_| count(&vault, 1).is_none()), "the clock was set back");
        assert!((0..10_000).all(|_| arrivals.count(&vault, FileKind::Pack, 5).is_none()));
    }
}
