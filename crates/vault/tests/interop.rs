//! With the real restic: each reads what the other wrote, all metadata included, and both work on one
//! repository in turns.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    reason = "tests and what they share"
)]

mod support;

use std::fs;
use std::path::Path;

use roadstead_vault::{BackupOptions, Cancel, ParentChoice, VoidMonitor};
use support::trees::{self, assert_same, assert_same_but};
use support::{Restic, backup, beneath, check, init, latest, open, restics, restore, stored, temporary};

#[test]
fn restic_restores_what_we_wrote() {
    for restic in restics() {
        let folder = temporary();
        let (source, vault) = (folder.path().join("source"), folder.path().join("vault"));
        trees::build(&source);
        let repository = init(&vault);
        let summary = backup(&repository, &[&source]);
        assert!(summary.files_new > 2000 && summary.bytes_searched > 90 << 20, "{summary:?}");
        restic.check(&vault);
        let target = folder.path().join("theirs");
        restic.run(&vault, &["restore", "latest", "--target", target.to_str().unwrap()]);
        assert_same_but(&source, &beneath(&target, &source), restic.loses());

        let ours = folder.path().join("ours");
        let restored = restore(&repository, &latest(&repository), &ours);
        assert_same(&source, &beneath(&ours, &source));
        assert_eq!(restored.files, summary.files_new);
        assert_sparse(&beneath(&ours, &source).join("sizes/sparse"));
        assert_eq!(check(&repository).problems, []);
    }
}

fn assert_sparse(path: &Path) {
    let metadata = fs::metadata(path).unwrap();
    let allocated = std::os::unix::fs::MetadataExt::blocks(&metadata) * 512;
    assert!(allocated < 1 << 20, "{allocated} of {} bytes are allocated", metadata.len());
}

#[test]
fn we_restore_what_restic_wrote() {
    for (i, restic) in restics().into_iter().enumerate() {
        // The old version is the same whoever writes it.
        for version in if i == 0 { &["1", "2"][..] } else { &["2"] } {
            let folder = temporary();
            let (source, vault) = (folder.path().join("source"), folder.path().join("vault"));
            trees::build(&source);
            restic.run(&vault, &["init", "--repository-version", version]);
            restic.run(&vault, &["backup", source.to_str().unwrap()]);
            let repository = open(&vault);
            let target = folder.path().join("target");
            restore(&repository, &latest(&repository), &target);
            assert_same_but(&source, &beneath(&target, &source), restic.loses());
            assert_eq!(check(&repository).problems, []);
            shares_chunks(&repository, &restic, &source, &vault);
        }
    }
}

/// In a repository that restic made we cut files where restic does, so nothing new is stored.
fn shares_chunks(repository: &roadstead_vault::Repository, restic: &Restic, source: &Path, vault: &Path) {
    let options = BackupOptions {
        paths: vec![source.to_owned()],
        parent: ParentChoice::None,
        ..BackupOptions::default()
    };
    let summary = repository.backup(&options, &VoidMonitor, &Cancel::new()).unwrap();
    assert_eq!(summary.data_blobs, 0, "{summary:?}");
    assert!(summary.files_new > 2000);
    restic.check(vault);
    // And with restic's snapshot as the parent nothing is even read.
    let again = backup(repository, &[source]);
    assert_eq!((again.files_new, again.files_changed, again.bytes_backed_up), (0, 0, 0));
}

#[test]
fn both_work_on_one_repository_in_turns() {
    for restic in restics() {
        let folder = temporary();
        let (source, vault) = (folder.path().join("source"), folder.path().join("vault"));
        trees::build(&source);
        let repository = init(&vault);
        backup(&repository, &[&source]);
        for round in 0..3 {
            fs::write(source.join("sizes/changing"), trees::noise(100 + round, 3 << 20)).unwrap();
            fs::remove_file(source.join(format!("many/file-0000{round}"))).unwrap();
            restic.run(&vault, &["backup", source.to_str().unwrap()]);
            fs::write(source.join("sizes/ours"), trees::noise(200 + round, 2 << 20)).unwrap();
            backup(&repository, &[&source]);
            restic.run(&vault, &["forget", "--keep-last", "1", "--group-by", "paths", "--prune"]);
            restic.check(&vault);
            assert_eq!(check(&repository).problems, []);
        }
        assert_eq!(repository.snapshots().unwrap().len(), 1);
        let target = folder.path().join("target");
        restore(&repository, &latest(&repository), &target);
        assert_same(&source, &beneath(&target, &source));
        assert!(stored(&vault, "locks").is_empty());
    }
}

#[test]
fn restic_reencodes_our_trees_to_the_same_ids() {
    for restic in restics() {
        let folder = temporary();
        let (source, vault) = (folder.path().join("source"), folder.path().join("vault"));
        trees::build(&source);
        backup(&init(&vault), &[&source]);
        // `rewrite` refuses trees whose own encoding would differ from what is stored.
        let (known, help) = restic.attempt(&vault, &["rewrite", "--help"]);
        if known && help.contains("--exclude") {
            restic.run(&vault, &["rewrite", "--exclude", "file-00001", "latest"]);
            restic.check(&vault);
        }
    }
}
