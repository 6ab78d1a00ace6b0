//! Views: one snapshot as a repository of its own.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    reason = "tests and what they share"
)]

mod support;

use std::fs;
use std::sync::Arc;

use roadstead_vault::store::{FileKind, LocalStore, Name, Store};
use roadstead_vault::{Cancel, CheckOptions, ErrorKind, Repository, RestoreOptions, VoidMonitor};
use support::trees::{self, assert_same, noise};
use support::{PASSWORD, backup, beneath, init, latest, temporary};

const VIEW: &str = "a password that only this view has";

#[test]
fn a_view_restores_its_snapshot_and_has_nothing_else() {
    let folder = temporary();
    let source = folder.path().join("source");
    trees::many(&source, 300);
    fs::write(source.join("large"), noise(1, 5 << 20)).unwrap();
    let vault = init(&folder.path().join("vault"));
    backup(&vault, &[&source]);
    let shown = latest(&vault);
    fs::write(source.join("secret"), noise(2, 1 << 20)).unwrap();
    fs::write(source.join("file-00001"), "later").unwrap();
    backup(&vault, &[&source]);
    let later = latest(&vault);

    let store = Arc::new(vault.view(&shown, VIEW, &Cancel::new()).unwrap());
    assert_eq!(
        Repository::open(store.clone(), PASSWORD.as_bytes()).err().unwrap().kind(),
        ErrorKind::WrongPassword
    );
    let view = Repository::open(store.clone(), VIEW.as_bytes()).unwrap();
    let snapshots = view.snapshots().unwrap();
    assert_eq!((snapshots.len(), snapshots[0].tree), (1, shown.tree));
    assert_eq!(view.snapshot("").unwrap(), snapshots[0]);
    assert!(view.snapshot(&later.id.to_hex()).is_err());

    let target = folder.path().join("target");
    let options = RestoreOptions::to(&target);
    let summary = view.restore(&snapshots[0], &options, &VoidMonitor, &Cancel::new()).unwrap();
    assert_eq!(summary.errors, 0);
    let again = folder.path().join("again");
    let options = RestoreOptions::to(&again);
    vault.restore(&shown, &options, &VoidMonitor, &Cancel::new()).unwrap();
    assert_same(&beneath(&target, &source), &beneath(&again, &source));
    assert!(!beneath(&target, &source).join("secret").exists());
}

#[test]
fn any_two_parts_of_a_view_fit_together_and_its_gaps_are_zeros() {
    let folder = temporary();
    let source = folder.path().join("source");
    trees::many(&source, 50);
    let place = folder.path().join("vault");
    let vault = init(&place);
    backup(&vault, &[&source]);
    let first = latest(&vault);
    fs::remove_dir_all(&source).unwrap();
    trees::many(&source, 20);
    backup(&vault, &[&source]);
    let [one, other] = [(); 2].map(|()| vault.view(&first, VIEW, &Cancel::new()).unwrap());
    for (name, size) in one.list(FileKind::Pack).unwrap() {
        let whole = one.read(FileKind::Pack, &name).unwrap();
        assert_eq!(whole.len() as u64, size);
        for start in [0, 1, 17, size / 3, size - 1] {
            let part = other.read_range(FileKind::Pack, &name, start, (size - start) as usize).unwrap();
            assert_eq!(part, whole[start as usize..], "{name} from {start}");
        }
        assert!(one.read_range(FileKind::Pack, &name, 1, size as usize).is_err());
        let stored = LocalStore::new(&place).read(FileKind::Pack, &name).unwrap();
        assert_ne!(stored[..whole.len()], whole, "it is sealed with another key");
    }
    assert_eq!(one.read(FileKind::Pack, &Name::CONFIG).unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(one.save(FileKind::Pack, &Name::CONFIG, b"").unwrap_err().kind(), ErrorKind::Denied);
    drop((one, other));
    let report = vault.check(&CheckOptions::default(), &VoidMonitor, &Cancel::new()).unwrap();
    assert!(report.problems.is_empty(), "{:?}", report.problems);
}
