//! What operations ask of a store: in which order, and how often.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    reason = "tests and what they share"
)]

mod support;

use std::fs;
use std::sync::Arc;

use roadstead_vault::store::{FileKind, LimitStore, Limits, LocalStore, Operation, RecordingStore, Verb};
use roadstead_vault::{Cancel, InitOptions, KdfCost, Repository};
use support::trees::{self, assert_same, noise};
use support::{PASSWORD, backup, beneath, check, latest, restore, temporary};

fn count(operations: &[Operation], verb: Verb, kind: FileKind) -> usize {
    operations.iter().filter(|one| (one.verb, one.kind) == (verb, kind)).count()
}

fn last(operations: &[Operation], kind: FileKind) -> usize {
    operations.iter().rposition(|one| (one.verb, one.kind) == (Verb::Save, kind)).unwrap()
}

#[test]
fn packs_come_before_indexes_and_the_snapshot_last_and_what_is_unchanged_costs_nothing() {
    let folder = temporary();
    let source = folder.path().join("source");
    trees::many(&source, 300);
    fs::write(source.join("large"), noise(1, 40 << 20)).unwrap();
    let record = Arc::new(RecordingStore::new(Arc::new(LocalStore::new(folder.path().join("vault")))));
    let options = InitOptions { kdf: KdfCost::RANDOM_KEY };
    let repository = Repository::init(record.clone(), PASSWORD.as_bytes(), &options).unwrap();
    record.take();
    backup(&repository, &[&source]);
    let first = record.take();
    let saved = |kind| last(&first, kind);
    assert!(
        saved(FileKind::Pack) < saved(FileKind::Index) && saved(FileKind::Index) < saved(FileKind::Snapshot)
    );
    assert_eq!(
        (count(&first, Verb::Save, FileKind::Lock), count(&first, Verb::Remove, FileKind::Lock)),
        (1, 1)
    );
    assert!(count(&first, Verb::Save, FileKind::Pack) >= 3);
    assert_eq!(count(&first, Verb::Read, FileKind::Pack), 0);

    backup(&repository, &[&source]);
    let again = record.take();
    // Of the folders above the source, one may have changed.
    assert!(count(&again, Verb::Save, FileKind::Pack) <= 1);
    assert_eq!(
        (count(&again, Verb::Read, FileKind::Pack), count(&again, Verb::Save, FileKind::Snapshot)),
        (0, 1)
    );
    let data = again.iter().filter(|one| one.kind == FileKind::Pack).map(|one| one.amount).sum::<u64>();
    assert!(data < 2 << 20, "{data} bytes of packs were moved");
}

#[test]
fn a_limited_store_is_a_store_like_others() {
    let folder = temporary();
    let source = folder.path().join("source");
    trees::many(&source, 30);
    let limits = Limits { upload: Some(1 << 40), download: Some(1 << 40) };
    let local = Arc::new(LocalStore::new(folder.path().join("vault")));
    let store = Arc::new(LimitStore::new(local, limits, Cancel::new()));
    let options = InitOptions { kdf: KdfCost::RANDOM_KEY };
    let repository = Repository::init(store, PASSWORD.as_bytes(), &options).unwrap();
    backup(&repository, &[&source]);
    assert_eq!(check(&repository).problems, []);
    let target = folder.path().join("target");
    restore(&repository, &latest(&repository), &target);
    assert_same(&source, &beneath(&target, &source));
}
