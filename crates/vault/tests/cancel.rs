//! Whoever is cancelled makes hardly another call to the store, whatever was going on, and leaves no lock and a vault that
//! checks clean.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    reason = "tests and what they share"
)]

mod support;

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use roadstead_vault::store::{Disposal, RetryStore};
use roadstead_vault::{
    ArchiveFormat, Cancel, CheckOptions, DrillOptions, ErrorKind, FindOptions, Id, PruneOptions, Repository,
    RestoreOptions, Result, Search, Snapshot, SnapshotRepair, VoidMonitor,
};
use support::faulty::{Fault, Faulty};
use support::trees::{self, noise};
use support::{PASSWORD, backup, check, init, long, open, options, stored, temporary};

/// Backups of the vault, of which every second is forgotten: as many files of each kind as any loop may go through.
const BACKUPS: usize = 30;

type Work = fn(&Repository, &Path, &Cancel) -> Result<()>;

/// Every operation that can be cancelled. The path is of a folder with the source, and for what it may write.
const OPERATIONS: [(&str, Work); 13] = [
    ("backup", |repository, folder, cancel| {
        repository.backup(&options(&[&folder.join("source")]), &VoidMonitor, cancel).map(drop)
    }),
    ("restore", |repository, folder, cancel| {
        let options = RestoreOptions::to(folder.join("written"));
        repository.restore(&newest(repository)?, &options, &VoidMonitor, cancel).map(drop)
    }),
    ("drill", |repository, folder, cancel| {
        let options = DrillOptions { scratch: folder.join("written"), files: 100, bytes: 1 << 30 };
        repository.drill(&newest(repository)?, &options, &VoidMonitor, cancel).map(drop)
    }),
    ("check", |repository, _, cancel| {
        let options = CheckOptions { read_data: true, threads: 2, ..CheckOptions::default() };
        repository.check(&options, &VoidMonitor, cancel).map(drop)
    }),
    ("forget", |repository, _, cancel| {
        let ids: Vec<Id> = repository.snapshots()?.iter().map(|snapshot| snapshot.id).collect();
        repository.forget(&ids[1..], Disposal::Remove, cancel).map(drop)
    }),
    ("prune", |repository, _, cancel| {
        let options = PruneOptions {
            max_waste: 0.0,
            disposal: Disposal::Remove,
            threads: 2,
            ..PruneOptions::default()
        };
        repository.prune(&options, &VoidMonitor, cancel).map(drop)
    }),
    ("copy", |repository, folder, cancel| {
        let to = init(&folder.join("written"));
        repository.copy_to(&to, &repository.snapshots()?, &VoidMonitor, cancel).map(drop)
    }),
    ("copy cut anew", |repository, folder, cancel| {
        let to = init(&folder.join("written"));
        repository.copy_rechunked_to(&to, &repository.snapshots()?, &VoidMonitor, cancel).map(drop)
    }),
    ("repair of the index", |repository, _, cancel| repository.repair_index(cancel).map(drop)),
    ("salvage", |repository, folder, cancel| {
        let packs = stored(&folder.join("vault"), "data");
        let packs: Vec<Id> =
            packs.iter().map(|pack| pack.file_name().unwrap().to_str().unwrap().parse().unwrap()).collect();
        repository.salvage_packs(&packs, Disposal::Remove, cancel).map(drop)
    }),
    ("repair of snapshots", |repository, _, cancel| {
        let (snapshots, options) = (repository.snapshots()?, SnapshotRepair::default());
        repository.repair_snapshots(&snapshots, &options, &VoidMonitor, cancel).map(drop)
    }),
    ("find and stats", |repository, _, cancel| {
        let (snapshots, found) = (repository.snapshots()?, &mut |_| Search::Continue);
        repository.find(&snapshots, &FindOptions::default(), &VoidMonitor, cancel, found)?;
        repository.stats(&snapshots, &VoidMonitor, cancel).map(drop)
    }),
    ("archive", |repository, folder, cancel| {
        let (snapshot, path, out) = (newest(repository)?, folder.join("source"), &mut std::io::sink());
        repository.archive(&snapshot, &path, ArchiveFormat::Tar, out, &VoidMonitor, cancel).map(drop)
    }),
];

fn newest(repository: &Repository) -> Result<Snapshot> {
    Ok(repository.snapshots()?.pop().unwrap())
}

/// A folder with a source and a vault of many backups of it.
fn prepare() -> tempfile::TempDir {
    let folder = temporary();
    let source = folder.path().join("source");
    trees::many(&source, 20);
    let repository = init(&folder.path().join("vault"));
    let mut snapshots = Vec::new();
    for number in 0..BACKUPS {
        fs::write(source.join("changes"), noise(number as u64, 50_000)).unwrap();
        fs::write(source.join(format!("stays-{number}")), noise(1000 + number as u64, 50_000)).unwrap();
        snapshots.push(backup(&repository, &[&source]).snapshot);
    }
    let every_second: Vec<Id> = snapshots.into_iter().step_by(2).collect();
    repository.forget(&every_second, Disposal::Remove, &Cancel::new()).unwrap();
    fs::write(source.join("new"), noise(5000, 20 << 20)).unwrap();
    folder
}

/// Cancels at one call of the store, if there are so many; tells how many there were.
fn calls_of((name, work): (&str, Work), cancelled_at: u64, folder: &Path) -> u64 {
    let (vault, kept) = (folder.join("vault"), folder.join("kept"));
    fs::rename(&vault, &kept).unwrap();
    assert!(Command::new("cp").arg("-r").arg(&kept).arg(&vault).status().unwrap().success());
    let cancel = Cancel::new();
    let store = Faulty::new(&vault, cancelled_at, Fault::Cancel(cancel.clone()));
    // As every vault that is not on a disk of this machine is opened.
    let patient = RetryStore::new(store.clone(), Duration::from_secs(60), cancel.clone());
    let outcome = Repository::open(Arc::new(patient), PASSWORD.as_bytes())
        .and_then(|repository| work(&repository, folder, &cancel));
    // One that had done all but its last steps is done.
    if let Err(error) = outcome {
        assert_eq!(error.kind(), ErrorKind::Cancelled, "{name}, call {cancelled_at}: {error}");
    }
    assert!(stored(&vault, "locks").is_empty(), "{name}, call {cancelled_at}");
    assert_eq!(check(&open(&vault)).problems, [], "{name}, call {cancelled_at}");
    fs::remove_dir_all(&vault).unwrap();
    fs::rename(&kept, &vault).unwrap();
    let _ = fs::remove_dir_all(folder.join("written"));
    store.calls.load(Relaxed)
}

#[test]
fn whatever_is_cancelled_ends_at_once_and_leaves_a_clean_vault() {
    let folder = prepare();
    // One call of each thread may be under way; the lock goes at the end.
    let most = 2 + std::thread::available_parallelism().unwrap().get() as u64;
    for operation in OPERATIONS {
        let whole = calls_of(operation, u64::MAX, folder.path());
        assert!(whole > 12, "{} made {whole} calls, too few for this test", operation.0);
        for call in (3..whole - 3).step_by((whole / long(6, 300)).max(1) as usize) {
            let made = calls_of(operation, call, folder.path());
            let later = made.saturating_sub(call + 1);
            assert!(later <= most, "{}: {later} calls after it was cancelled at call {call}", operation.0);
        }
    }
}
