//! A cache between the engine and a store: what it saves, how much it keeps, and that it hides nothing.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    reason = "tests and what they share"
)]

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use roadstead_vault::store::{CacheStore, Disposal, FileKind, LocalStore, RecordingStore, Verb};
use roadstead_vault::{Cancel, ErrorKind, ProblemKind, PruneOptions, Repository, VoidMonitor};
use support::trees::{self, assert_same, noise};
use support::{PASSWORD, backup, beneath, check, init, latest, restore, stored, temporary};

/// A repository behind a cache, and what is asked of the store behind that.
fn cached(folder: &Path, limit: u64) -> (Repository, Arc<RecordingStore>) {
    let record = Arc::new(RecordingStore::new(Arc::new(LocalStore::new(folder.join("vault")))));
    let store = CacheStore::new(record.clone(), folder.join("cache"), limit).unwrap();
    let repository = Repository::open(Arc::new(store), PASSWORD.as_bytes()).unwrap();
    record.take();
    (repository, record)
}

/// How often index files and parts of packs were asked of the store.
fn asked(record: &RecordingStore) -> usize {
    let is_index = |verb, kind| (verb, kind) == (Verb::Read, FileKind::Index);
    let is_part = |verb, kind| (verb, kind) == (Verb::ReadRange, FileKind::Pack);
    let operations = record.take();
    operations.iter().filter(|one| is_index(one.verb, one.kind) || is_part(one.verb, one.kind)).count()
}

fn kept(folder: &Path) -> Vec<PathBuf> {
    fs::read_dir(folder.join("cache")).unwrap().map(|entry| entry.unwrap().path()).collect()
}

fn bytes(files: &[PathBuf]) -> u64 {
    files.iter().map(|file| fs::metadata(file).unwrap().len()).sum()
}

/// A vault with one snapshot of a source of many folders.
fn prepare(folder: &Path) -> PathBuf {
    let source = folder.join("source");
    trees::deep(&source, 30);
    trees::many(&source.join("many"), 100);
    fs::write(source.join("large"), noise(1, 6 << 20)).unwrap();
    backup(&init(&folder.join("vault")), &[&source]);
    source
}

#[test]
fn what_was_read_once_is_not_asked_for_again() {
    let folder = temporary();
    let source = prepare(folder.path());
    let (first, record) = cached(folder.path(), 64 << 20);
    backup(&first, &[&source]);
    assert!(asked(&record) > 1);
    // Another process, later: it knows the index, too, that this one wrote.
    for _ in 0..2 {
        let (again, record) = cached(folder.path(), 64 << 20);
        let summary = backup(&again, &[&source]);
        assert_eq!((summary.files_changed, summary.bytes_backed_up), (0, 0));
        // The trees of folders above the source may be new.
        assert!(asked(&record) <= 1);
    }
    let (repository, _) = cached(folder.path(), 64 << 20);
    let target = folder.path().join("target");
    restore(&repository, &latest(&repository), &target);
    assert_same(&source, &beneath(&target, &source));
}

#[test]
fn a_cache_keeps_no_more_than_it_may() {
    let folder = temporary();
    let source = prepare(folder.path());
    for limit in [0, 1000, 400 << 10, 2 << 20] {
        let (repository, _) = cached(folder.path(), limit);
        let target = folder.path().join(format!("target-{limit}"));
        restore(&repository, &latest(&repository), &target);
        assert_same(&source, &beneath(&target, &source));
        let files = kept(folder.path());
        assert!(bytes(&files) <= limit, "{} of {limit}: {files:?}", bytes(&files));
        assert_eq!(files.is_empty(), limit < 100 << 10);
    }
    // One that may keep less than before gives the rest up at once.
    cached(folder.path(), 300 << 10);
    assert!(bytes(&kept(folder.path())) <= 300 << 10);
}

#[test]
fn a_spoilt_cache_costs_time_and_nothing_else() {
    let folder = temporary();
    let source = prepare(folder.path());
    let snapshot = latest(&cached(folder.path(), 64 << 20).0);
    type Spoil = fn(&Path);
    let ways: [(&str, Spoil); 5] = [
        ("flipped", |file| {
            let mut bytes = fs::read(file).unwrap();
            *bytes.last_mut().unwrap() ^= 1;
            fs::write(file, bytes).unwrap();
        }),
        ("short", |file| fs::write(file, [7; 40]).unwrap()),
        ("empty", |file| fs::write(file, []).unwrap()),
        ("gone", |file| fs::remove_file(file).unwrap()),
        ("a folder", |file| {
            fs::remove_file(file).unwrap();
            fs::create_dir(file).unwrap();
        }),
    ];
    for (way, spoil) in ways {
        let (repository, _) = cached(folder.path(), 64 << 20);
        restore(&repository, &snapshot, &folder.path().join(format!("before {way}")));
        let files = kept(folder.path());
        assert!(files.len() > 2, "{way}");
        let (later, _) = cached(folder.path(), 64 << 20);
        files.iter().filter(|file| file.is_file()).for_each(|file| spoil(file));
        let target = folder.path().join(format!("after {way}"));
        restore(&later, &snapshot, &target);
        assert_same(&source, &beneath(&target, &source));
    }
    // And one that is taken away while it is used.
    let (repository, _) = cached(folder.path(), 64 << 20);
    fs::remove_dir_all(folder.path().join("cache")).unwrap();
    backup(&repository, &[&source]);
    assert_eq!(check(&repository).problems, []);
}

#[test]
fn a_check_sees_the_store_and_not_the_cache() {
    let folder = temporary();
    let source = prepare(folder.path());
    let (repository, record) = cached(folder.path(), 64 << 20);
    restore(&repository, &latest(&repository), &folder.path().join("target"));
    assert_eq!(check(&repository).problems, []);
    let index = stored(&folder.path().join("vault"), "index").remove(0);
    let sound = fs::read(&index).unwrap();
    fs::write(&index, &sound[..sound.len() / 2]).unwrap();
    record.take();
    let problems = check(&repository).problems;
    assert_eq!(problems[0].kind, ProblemKind::IndexDamaged);
    // Repairing the index looks at the packs themselves, as well.
    repository.repair_index(&Cancel::new()).unwrap();
    assert!(asked(&record) > 1);
    assert_eq!(check(&repository).problems, []);
    backup(&repository, &[&source]);
}

#[test]
fn what_is_pruned_is_kept_no_longer() {
    let folder = temporary();
    let source = prepare(folder.path());
    let (repository, _) = cached(folder.path(), 64 << 20);
    let first = latest(&repository);
    restore(&repository, &first, &folder.path().join("target"));
    fs::remove_dir_all(source.join("many")).unwrap();
    backup(&repository, &[&source]);
    repository.forget(&[first.id], Disposal::Remove, &Cancel::new()).unwrap();
    let error = repository.snapshot(&first.id.to_string()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    let options = PruneOptions { max_waste: 0.0, disposal: Disposal::Remove, ..PruneOptions::default() };
    repository.prune(&options, &VoidMonitor, &Cancel::new()).unwrap();
    let left = stored(&folder.path().join("vault"), "data");
    let left = [left, stored(&folder.path().join("vault"), "index")].concat();
    let names: Vec<&str> = left.iter().map(|path| path.file_name().unwrap().to_str().unwrap()).collect();
    for file in kept(folder.path()) {
        let file = file.file_name().unwrap().to_str().unwrap();
        assert!(names.iter().any(|name| file.contains(name)), "{file} is kept, and gone from the store");
    }
}
