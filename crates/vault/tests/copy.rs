//! Copies into other repositories, ours and restic's.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    reason = "tests and what they share"
)]

mod support;

use std::fs;
use std::path::{Path, PathBuf};

use roadstead_vault::{
    BackupOptions, Cancel, Compression, CopySummary, ErrorKind, Monitor, ParentChoice, Progress, Repository,
    VoidMonitor,
};
use support::faulty::{Fault, Faulty};
use support::trees::{self, assert_same, noise};
use support::{
    PASSWORD, Recorder, backup, beneath, check, init, latest, open, options, restics, restore, stored,
    temporary,
};

fn copy(from: &Repository, to: &Repository) -> CopySummary {
    let monitor = Recorder::default();
    let summary = from.copy_to(to, &from.snapshots().unwrap(), &monitor, &Cancel::new()).unwrap();
    assert_eq!((monitor.error_paths(), summary.failed.as_slice()), (vec![], &[][..]));
    summary
}

/// A repository with two snapshots that share most.
fn repository(folder: &Path) -> (PathBuf, Repository) {
    let source = folder.join("source");
    trees::many(&source, 200);
    fs::write(source.join("large"), noise(1, 5 << 20)).unwrap();
    let repository = init(&folder.join("vault"));
    backup(&repository, &[&source]);
    fs::write(source.join("later"), noise(2, 2 << 20)).unwrap();
    backup(&repository, &[&source]);
    (source, repository)
}

#[test]
fn a_copy_is_whole_and_made_once() {
    let folder = temporary();
    let (source, from) = repository(folder.path());
    let vault = folder.path().join("copy");
    let to = init(&vault);
    let summary = copy(&from, &to);
    assert_eq!((summary.copied.len(), summary.skipped.len()), (2, 0));
    assert!(summary.blobs > 100 && summary.bytes > 7 << 20, "{summary:?}");
    let copies = to.snapshots().unwrap();
    for (copy, first) in copies.iter().zip(from.snapshots().unwrap()) {
        assert_eq!((copy.original, copy.tree, copy.time), (Some(first.id), first.tree, first.time));
        assert!(copy.summary.is_some());
    }
    let again = copy(&from, &to);
    assert_eq!((again.copied.len(), again.skipped.len(), again.blobs), (0, 2, 0));
    // What comes later brings only what is new.
    fs::write(source.join("third"), noise(3, 1 << 20)).unwrap();
    backup(&from, &[&source]);
    let third = copy(&from, &to);
    assert_eq!((third.copied.len(), third.skipped.len()), (1, 2));
    assert!(third.bytes < 2 << 20, "{third:?}");
    assert_eq!(check(&to).problems, []);
    let target = folder.path().join("target");
    restore(&to, &latest(&to), &target);
    assert_same(&source, &beneath(&target, &source));
    restics().iter().for_each(|restic| restic.check(&vault));
    let error =
        from.copy_to(&open(&folder.path().join("vault")), &[], &VoidMonitor, &Cancel::new()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
}

#[test]
fn restic_takes_our_copies_for_copies_and_we_its() {
    for (number, restic) in restics().into_iter().enumerate() {
        for version in if number == 0 { &["1", "2"][..] } else { &["2"] } {
            let folder = temporary();
            let (source, ours) = (folder.path().join("source"), folder.path().join("ours"));
            trees::build(&source);
            let from = init(&ours);
            backup(&from, &[&source]);
            let theirs = folder.path().join("theirs");
            restic.run(&theirs, &["init", "--repository-version", version]);
            copy(&from, &open(&theirs));
            restic.check(&theirs);
            // And back: a copy of a copy is the same snapshot.
            fs::write(source.join("sizes/new"), noise(4, 3 << 20)).unwrap();
            restic.run(&theirs, &["backup", source.to_str().unwrap()]);
            let back = copy(&open(&theirs), &from);
            assert_eq!((back.copied.len(), back.skipped.len()), (1, 1));
            restic.check(&ours);
            let target = folder.path().join("target");
            restore(&from, &latest(&from), &target);
            trees::assert_same_but(&source, &beneath(&target, &source), restic.loses());
            if !restic.is_old() {
                restic.run(&theirs, &["copy", "--from-repo", ours.to_str().unwrap()]);
                assert_eq!(open(&theirs).snapshots().unwrap().len(), 2);
            }
        }
    }
}

#[test]
fn what_is_lost_keeps_its_snapshot_and_no_other() {
    let folder = temporary();
    let (source, from) = repository(folder.path());
    let vault = folder.path().join("vault");
    // The pack that came with the second backup's data.
    let packs = stored(&vault, "data").into_iter().filter(|pack| fs::metadata(pack).unwrap().len() > 1 << 20);
    let pack = packs.min_by_key(|pack| fs::metadata(pack).unwrap().len()).unwrap();
    let mut bytes = fs::read(&pack).unwrap();
    bytes[1000] ^= 1;
    fs::write(&pack, &bytes).unwrap();
    for lost in [false, true] {
        if lost {
            fs::remove_file(&pack).unwrap();
            from.repair_index(&Cancel::new()).unwrap();
        }
        let copied = folder.path().join(format!("copy-{lost}"));
        let (to, monitor) = (init(&copied), Recorder::default());
        let from = open(&vault);
        let snapshots = from.snapshots().unwrap();
        let summary = from.copy_to(&to, &snapshots, &monitor, &Cancel::new()).unwrap();
        assert_eq!(summary.copied[0].0, snapshots[0].id);
        assert_eq!((summary.copied.len(), summary.failed), (1, vec![snapshots[1].id]));
        assert_eq!(monitor.error_paths(), [source.join("later")]);
        assert_eq!(check(&to).problems, []);
        restics().iter().for_each(|restic| restic.check(&copied));
    }
}

#[test]
fn whichever_call_fails_a_copy_is_clean_and_the_next_completes_it() {
    let folder = temporary();
    let (_, from) = repository(folder.path());
    for fails in (0..60).step_by(3) {
        let vault = folder.path().join(format!("copy-{fails}"));
        init(&vault);
        let store = Faulty::new(&vault, fails, Fault::Error);
        let outcome = Repository::open(store, PASSWORD.as_bytes())
            .and_then(|to| from.copy_to(&to, &from.snapshots()?, &VoidMonitor, &Cancel::new()));
        stored(&vault, "locks").iter().for_each(|lock| fs::remove_file(lock).unwrap());
        let to = open(&vault);
        assert_eq!(check(&to).problems, [], "call {fails}");
        let rest = copy(&from, &to);
        assert_eq!(
            (rest.copied.is_empty(), to.snapshots().unwrap().len()),
            (outcome.is_ok(), 2),
            "call {fails}"
        );
        assert_eq!(check(&to).problems, [], "call {fails}");
        fs::remove_dir_all(vault).unwrap();
    }
}

#[test]
fn a_cancelled_copy_writes_no_snapshot() {
    struct Canceller(Cancel);
    impl Monitor for Canceller {
        fn progress(&self, _: &Progress) {
            self.0.cancel();
        }
    }
    let folder = temporary();
    let source = folder.path().join("source");
    fs::create_dir(&source).unwrap();
    fs::write(source.join("large"), noise(1, 300 << 20)).unwrap();
    let (from, to) = (init(&folder.path().join("vault")), init(&folder.path().join("copy")));
    let plain = BackupOptions { compression: Compression::Level(1), ..options(&[&source]) };
    from.backup(&plain, &VoidMonitor, &Cancel::new()).unwrap();
    let cancel = Cancel::new();
    let error =
        from.copy_to(&to, &from.snapshots().unwrap(), &Canceller(cancel.clone()), &cancel).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Cancelled);
    assert!(to.snapshots().unwrap().is_empty());
    assert!(stored(&folder.path().join("copy"), "locks").is_empty());
    assert_eq!(check(&to).problems, []);
}

fn rechunked(from: &Repository, to: &Repository) -> CopySummary {
    let monitor = Recorder::default();
    let summary = from.copy_rechunked_to(to, &from.snapshots().unwrap(), &monitor, &Cancel::new()).unwrap();
    assert_eq!((monitor.error_paths(), summary.failed.as_slice()), (vec![], &[][..]));
    summary
}

/// A backup of the source into `to` after a copy: nothing of it is new but what folders hold above it.
fn nothing_is_new(to: &Repository, source: &Path) {
    let options = BackupOptions { parent: ParentChoice::None, ..options(&[source]) };
    let summary = to.backup(&options, &VoidMonitor, &Cancel::new()).unwrap();
    assert_eq!(summary.data_blobs, 0, "{summary:?}");
    assert!(summary.bytes_backed_up > 5 << 20);
}

#[test]
fn a_copy_cut_anew_shares_its_blobs_with_the_destinations_own_backups() {
    let folder = temporary();
    let (source, from) = repository(folder.path());
    let vault = folder.path().join("copy");
    // Another vault of ours cuts by another table.
    let to = init(&vault);
    let summary = rechunked(&from, &to);
    assert_eq!((summary.copied.len(), summary.skipped.len()), (2, 0));
    assert!(summary.blobs > 40 && summary.bytes > 7 << 20, "{summary:?}");
    for (copy, first) in to.snapshots().unwrap().iter().zip(from.snapshots().unwrap()) {
        assert_eq!((copy.original, copy.first_tree), (Some(first.id), Some(first.tree)));
        assert!(copy.tree != first.tree && copy.time == first.time);
    }
    nothing_is_new(&to, &source);
    assert_eq!(check(&to).problems, []);
    let target = folder.path().join("target");
    restore(&to, &to.snapshots().unwrap()[1], &target);
    assert_same(&source, &beneath(&target, &source));
    restics().iter().for_each(|restic| restic.check(&vault));

    // Neither way copies again what one of them copied, and back home it is the same snapshot.
    assert_eq!((rechunked(&from, &to).skipped.len(), copy(&from, &to).skipped.len()), (2, 2));
    let third = init(&folder.path().join("third"));
    assert_eq!(copy(&from, &third).copied.len(), 2);
    assert_eq!(rechunked(&from, &third).skipped.len(), 2);
    let back = copy(&to, &from);
    assert_eq!((back.copied.len(), back.skipped.len()), (1, 2));
}

#[test]
fn copies_are_cut_anew_into_and_out_of_restics_repositories() {
    for (number, restic) in restics().into_iter().enumerate() {
        for version in if number == 0 { &["1", "2"][..] } else { &["2"] } {
            let folder = temporary();
            let (source, ours) = (folder.path().join("source"), folder.path().join("ours"));
            trees::build(&source);
            let from = init(&ours);
            backup(&from, &[&source]);
            let theirs = folder.path().join("theirs");
            restic.run(&theirs, &["init", "--repository-version", version]);
            rechunked(&from, &open(&theirs));
            restic.check(&theirs);
            nothing_is_new(&open(&theirs), &source);
            let target = folder.path().join("target");
            restic.run(&theirs, &["restore", "latest", "--target", target.to_str().unwrap()]);
            trees::assert_same_but(&source, &beneath(&target, &source), restic.loses());
            // And out of theirs into one of ours that has never seen it.
            let fresh = init(&folder.path().join("fresh"));
            assert_eq!(rechunked(&open(&theirs), &fresh).copied.len(), 2);
            nothing_is_new(&fresh, &source);
            restic.check(&folder.path().join("fresh"));
        }
    }
}

#[test]
fn what_is_lost_is_not_cut_anew_and_keeps_its_snapshot_alone() {
    let folder = temporary();
    let (source, from) = repository(folder.path());
    let vault = folder.path().join("vault");
    // The pack that came with the second backup's data.
    let packs = stored(&vault, "data").into_iter().filter(|pack| fs::metadata(pack).unwrap().len() > 1 << 20);
    let pack = packs.min_by_key(|pack| fs::metadata(pack).unwrap().len()).unwrap();
    let mut bytes = fs::read(&pack).unwrap();
    bytes[1000] ^= 1;
    fs::write(&pack, &bytes).unwrap();
    let (to, monitor) = (init(&folder.path().join("copy")), Recorder::default());
    let snapshots = from.snapshots().unwrap();
    let summary = from.copy_rechunked_to(&to, &snapshots, &monitor, &Cancel::new()).unwrap();
    assert_eq!((summary.copied.len(), summary.copied[0].0), (1, snapshots[0].id));
    assert_eq!(summary.failed, [snapshots[1].id]);
    assert_eq!(monitor.error_paths(), [source.join("later")]);
    assert_eq!(check(&to).problems, []);
    assert_eq!(to.snapshots().unwrap().len(), 1);
}

#[test]
fn whichever_call_fails_a_copy_cut_anew_is_clean_and_the_next_completes_it() {
    let folder = temporary();
    let (_, from) = repository(folder.path());
    let mut failures = 0;
    for fails in (0..30).step_by(2) {
        let vault = folder.path().join(format!("copy-{fails}"));
        init(&vault);
        let store = Faulty::new(&vault, fails, Fault::Error);
        let outcome = Repository::open(store, PASSWORD.as_bytes())
            .and_then(|to| from.copy_rechunked_to(&to, &from.snapshots()?, &VoidMonitor, &Cancel::new()));
        // What fails there is no loss here.
        assert!(outcome.as_ref().is_ok_and(|summary| summary.failed.is_empty()) || outcome.is_err());
        failures += u32::from(outcome.is_err());
        stored(&vault, "locks").iter().for_each(|lock| fs::remove_file(lock).unwrap());
        let to = open(&vault);
        assert_eq!(check(&to).problems, [], "call {fails}");
        rechunked(&from, &to);
        assert_eq!(to.snapshots().unwrap().len(), 2, "call {fails}");
        assert_eq!(check(&to).problems, [], "call {fails}");
        fs::remove_dir_all(vault).unwrap();
    }
    assert!(failures > 5, "{failures}");
    let cancel = Cancel::new();
    cancel.cancel();
    let to = init(&folder.path().join("cancelled"));
    let error = from.copy_rechunked_to(&to, &from.snapshots().unwrap(), &VoidMonitor, &cancel).unwrap_err();
    assert_eq!((error.kind(), to.snapshots().unwrap().len()), (ErrorKind::Cancelled, 0));
}
