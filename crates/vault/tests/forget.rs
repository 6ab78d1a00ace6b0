//! Forgetting, against the real restic, and the trash.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    reason = "tests and what they share"
)]

mod support;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use roadstead_vault::store::{Disposal, FileKind, LocalStore, Name, Store};
use roadstead_vault::{
    BackupOptions, Cancel, Error, ErrorKind, Id, Repository, Result, Retention, VoidMonitor,
};
use support::trees;
use support::{PASSWORD, backup, check, init, open, options, restics, stored, temporary};

/// Snapshots at odd hours over some years, backed up in one and the same moment.
fn history(repository: &Repository, source: &Path, count: i64) -> Vec<(Id, Timestamp)> {
    let begin: Timestamp = "2023-12-30T22:10:00Z".parse().unwrap();
    let times = (0..count).map(|n| begin + SignedDuration::from_mins(n * n * 40 + n * 7));
    let one = |time| {
        let options = BackupOptions { time: Some(time), ..options(&[source]) };
        (repository.backup(&options, &VoidMonitor, &Cancel::new()).unwrap().snapshot, time)
    };
    times.map(one).collect()
}

#[test]
fn where_times_tell_the_truth_the_rules_are_those_of_restic() {
    let folder = temporary();
    let (source, vault) = (folder.path().join("source"), folder.path().join("vault"));
    trees::many(&source, 1);
    let repository = init(&vault);
    let history = history(&repository, &source, 120);
    let now = history.last().unwrap().1;
    let arrivals = history.into_iter().collect();
    let retention = Retention { floor: SignedDuration::ZERO, ..Retention::default() };
    let cases = [
        (Retention { last: 5, ..retention.clone() }, "--keep-last 5"),
        (Retention { hourly: 30, daily: 10, ..retention.clone() }, "--keep-hourly 30 --keep-daily 10"),
        (Retention { weekly: 9, monthly: 4, ..retention.clone() }, "--keep-weekly 9 --keep-monthly 4"),
        (Retention { yearly: 2, ..retention.clone() }, "--keep-yearly 2"),
        // Three years of history: the oldest snapshot stands for the rest.
        (Retention { yearly: 9, ..retention.clone() }, "--keep-yearly 9"),
        (Retention { within: Some(SignedDuration::from_hours(24 * 40)), ..retention }, "--keep-within 40d"),
    ];
    for restic in restics() {
        for (retention, arguments) in &cases {
            if retention.yearly == 9 && restic.is_old() {
                continue;
            }
            let ours = retention.plan(repository.snapshots().unwrap(), &arrivals, now).unwrap();
            let words = arguments.split(' ').collect::<Vec<_>>();
            let arguments = [&["forget", "--dry-run", "--json"], &words[..]].concat();
            let theirs: serde_json::Value = serde_json::from_str(&restic.run(&vault, &arguments)).unwrap();
            let removed = theirs[0]["remove"].as_array().unwrap().iter();
            let removed: BTreeSet<Id> =
                removed.map(|snapshot| snapshot["id"].as_str().unwrap().parse().unwrap()).collect();
            assert!(!removed.is_empty());
            assert_eq!(ours.forgotten().into_iter().collect::<BTreeSet<_>>(), removed, "{arguments:?}");
        }
    }
}

#[test]
fn what_is_forgotten_lies_in_the_trash_and_comes_back() {
    let folder = temporary();
    let (source, vault) = (folder.path().join("source"), folder.path().join("vault"));
    trees::many(&source, 3);
    let repository = init(&vault);
    let snapshots: Vec<Id> = (0..3).map(|_| backup(&repository, &[&source]).snapshot).collect();
    let store = LocalStore::new(&vault);
    let arrivals = store.arrivals(FileKind::Snapshot).unwrap();
    assert_eq!(arrivals.len(), 3);

    let gone = [snapshots[0], snapshots[1], Id::of(b"never there")];
    assert_eq!(repository.forget(&gone, Disposal::Trash, &Cancel::new()).unwrap(), 2);
    assert_eq!(stored(&vault, "snapshots").len(), 1);
    let trash = store.trash().unwrap();
    assert_eq!(
        trash.iter().map(|trashed| trashed.name.0).collect::<BTreeSet<_>>(),
        gone[..2].iter().copied().collect()
    );
    assert!(trash.iter().all(|trashed| trashed.kind == FileKind::Snapshot && trashed.size > 0));
    for restic in restics() {
        restic.check(&vault);
    }

    let hour = SignedDuration::from_hours(1);
    assert_eq!(store.empty_trash(Timestamp::now() - hour).unwrap(), 0);
    assert_eq!(store.restore_from_trash(Timestamp::now() + hour).unwrap(), 0);
    assert_eq!(store.restore_from_trash(Timestamp::now() - hour).unwrap(), 2);
    assert_eq!((repository.snapshots().unwrap().len(), store.trash().unwrap().len()), (3, 0));
    assert_eq!(store.arrivals(FileKind::Snapshot).unwrap(), arrivals, "arrival times stay");
    assert_eq!(check(&repository).problems, []);

    repository.forget(&snapshots[..1], Disposal::Trash, &Cancel::new()).unwrap();
    assert_eq!(store.empty_trash(Timestamp::now() + hour).unwrap(), 1);
    assert_eq!((store.trash().unwrap().len(), stored(&vault, "trash").len()), (0, 0));
    repository.forget(&snapshots[1..2], Disposal::Remove, &Cancel::new()).unwrap();
    assert_eq!((store.trash().unwrap().len(), stored(&vault, "snapshots").len()), (0, 1));
}

/// A store without a trash, as those behind REST are.
struct NoTrash(LocalStore);

impl Store for NoTrash {
    fn list(&self, kind: FileKind) -> Result<Vec<(Name, u64)>> {
        self.0.list(kind)
    }
    fn read(&self, kind: FileKind, name: &Name) -> Result<Vec<u8>> {
        self.0.read(kind, name)
    }
    fn read_range(&self, kind: FileKind, name: &Name, offset: u64, length: usize) -> Result<Vec<u8>> {
        self.0.read_range(kind, name, offset, length)
    }
    fn read_range_into(&self, kind: FileKind, name: &Name, offset: u64, bytes: &mut [u8]) -> Result<()> {
        self.0.read_range_into(kind, name, offset, bytes)
    }
    fn is_near(&self) -> bool {
        self.0.is_near()
    }
    fn save(&self, kind: FileKind, name: &Name, bytes: &[u8]) -> Result<()> {
        self.0.save(kind, name, bytes)
    }
    fn remove(&self, kind: FileKind, name: &Name) -> Result<()> {
        self.0.remove(kind, name)
    }
    fn has_trash(&self) -> bool {
        false
    }
    fn discard(&self, _: FileKind, _: &Name) -> Result<()> {
        Err(Error::new(ErrorKind::Unsupported, "no trash"))
    }
    fn size(&self, kind: FileKind, name: &Name) -> Result<u64> {
        self.0.size(kind, name)
    }
    fn location(&self) -> String {
        self.0.location()
    }
    fn behind_cache(&self) -> Option<Arc<dyn Store>> {
        None
    }
}

#[test]
fn where_there_is_no_trash_nothing_is_thrown_away() {
    let folder = temporary();
    let (source, vault) = (folder.path().join("source"), folder.path().join("vault"));
    trees::many(&source, 1);
    let snapshot = backup(&init(&vault), &[&source]).snapshot;
    let store = Arc::new(NoTrash(LocalStore::new(&vault)));
    let repository = Repository::open(store, PASSWORD.as_bytes()).unwrap();
    let error = repository.forget(&[snapshot], Disposal::Trash, &Cancel::new()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert_eq!(open(&vault).snapshots().unwrap().len(), 1);
    assert_eq!(repository.forget(&[snapshot], Disposal::Remove, &Cancel::new()).unwrap(), 1);
}
