//! Damage, and the ways out of it: salvage what is sound, write snapshots anew without what is lost, back
//! up again what the source still has.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    reason = "tests and what they share"
)]

mod support;

use std::fs;
use std::path::{Path, PathBuf};

use roadstead_vault::store::Disposal;
use roadstead_vault::{
    BackupOptions, Cancel, ErrorKind, Id, ParentChoice, RepairedSnapshot, Repository, SalvageReport,
    SnapshotRepair, VoidMonitor,
};
use support::trees::{self, assert_same, noise};
use support::{
    Recorder, backup, beneath, check, init, latest, open, options, restics, restore, stored, temporary,
};

/// A repository of one pack of data with many files, one of which is large.
fn repository(folder: &Path) -> (PathBuf, PathBuf) {
    let (source, vault) = (folder.join("source"), folder.join("vault"));
    trees::many(&source, 100);
    fs::create_dir(source.join("sub")).unwrap();
    fs::write(source.join("sub/large"), noise(5, 8 << 20)).unwrap();
    backup(&init(&vault), &[&source]);
    (source, vault)
}

fn largest(vault: &Path) -> PathBuf {
    stored(vault, "data").into_iter().max_by_key(|pack| pack.metadata().unwrap().len()).unwrap()
}

fn id(pack: &Path) -> Id {
    pack.file_name().unwrap().to_str().unwrap().parse().unwrap()
}

fn flip(pack: &Path, at: usize) {
    let mut bytes = fs::read(pack).unwrap();
    bytes[at] ^= 1;
    fs::write(pack, bytes).unwrap();
}

fn salvage(vault: &Path, packs: &[Id]) -> SalvageReport {
    open(vault).salvage_packs(packs, Disposal::Remove, &Cancel::new()).unwrap()
}

fn repair(repository: &Repository, options: SnapshotRepair) -> (Vec<RepairedSnapshot>, Vec<PathBuf>) {
    let (snapshots, monitor) = (repository.snapshots().unwrap(), Recorder::default());
    let repaired = repository.repair_snapshots(&snapshots, &options, &monitor, &Cancel::new()).unwrap();
    (repaired, monitor.error_paths())
}

const FORGET: SnapshotRepair =
    SnapshotRepair { keep_parts: false, forget: Some(Disposal::Remove), dry_run: false };

#[test]
fn what_is_sound_in_a_damaged_pack_is_saved() {
    let folder = temporary();
    let (source, vault) = repository(folder.path());
    let pack = largest(&vault);
    let size = fs::metadata(&pack).unwrap().len() as usize;
    flip(&pack, size / 2);
    let report = check(&open(&vault));
    assert_eq!(report.damaged_packs(), [id(&pack)]);
    let salvaged = salvage(&vault, &report.damaged_packs());
    assert_eq!((salvaged.packs, salvaged.blobs_lost), (1, 1));
    assert!(salvaged.blobs_saved > 100 && !pack.exists(), "{salvaged:?}");
    let report = check(&open(&vault));
    assert!(report.problems.iter().all(|problem| problem.file.is_none()), "{report:?}");
    // The rest is there; and what the source still has comes back with the next backup.
    let repository = open(&vault);
    let (repaired, lost) = repair(&repository, SnapshotRepair { dry_run: true, ..FORGET });
    assert_eq!((repaired.len(), repaired[0].replacement, lost), (1, None, vec![source.join("sub/large")]));
    let again = BackupOptions { parent: ParentChoice::None, ..options(&[&source]) };
    repository.backup(&again, &VoidMonitor, &Cancel::new()).unwrap();
    assert_eq!(check(&repository).problems, []);
    assert_eq!(repair(&repository, FORGET), (vec![], vec![]));
    let target = folder.path().join("target");
    for snapshot in repository.snapshots().unwrap() {
        restore(&repository, &snapshot, &target);
        assert_same(&source, &beneath(&target, &source));
    }
    restics().iter().for_each(|restic| restic.check(&vault));
}

#[test]
fn packs_without_header_or_end_are_salvaged_by_the_index() {
    for damage in ["header", "end", "whole"] {
        let folder = temporary();
        let (_, vault) = repository(folder.path());
        let pack = largest(&vault);
        let bytes = fs::read(&pack).unwrap();
        match damage {
            "header" => flip(&pack, bytes.len() - 20),
            "end" => fs::write(&pack, &bytes[..bytes.len() / 2]).unwrap(),
            _ => fs::write(&pack, "").unwrap(),
        }
        // What nobody can read is gone through without being named.
        let salvaged = salvage(&vault, &[Id::of(b"no pack")]);
        assert!(salvaged.packs == 1 && salvaged.index_rewritten, "{salvaged:?}");
        assert_eq!(salvaged.blobs_lost == 0, damage == "header", "{salvaged:?}");
        assert_eq!(salvaged.blobs_saved == 0, damage == "whole", "{salvaged:?}");
        let (repaired, lost) = repair(&open(&vault), FORGET);
        assert_eq!(repaired.is_empty(), damage == "header");
        assert_eq!(lost.is_empty(), damage == "header");
        assert_eq!(check(&open(&vault)).problems, [], "{damage}");
        restics().iter().for_each(|restic| restic.check(&vault));
    }
}

#[test]
fn a_sound_pack_loses_nothing_by_salvage() {
    let folder = temporary();
    let (source, vault) = repository(folder.path());
    let packs: Vec<Id> = stored(&vault, "data").iter().map(|pack| id(pack)).collect();
    let salvaged = salvage(&vault, &packs);
    assert_eq!((salvaged.packs, salvaged.blobs_lost), (packs.len() as u64, 0));
    assert_eq!(check(&open(&vault)).problems, []);
    let target = folder.path().join("target");
    restore(&open(&vault), &latest(&open(&vault)), &target);
    assert_same(&source, &beneath(&target, &source));
    let first = largest(&vault);
    let salvaged = open(&vault).salvage_packs(&[id(&first)], Disposal::Trash, &Cancel::new()).unwrap();
    assert_eq!((salvaged.blobs_lost, stored(&vault, "trash").len()), (0, 1));
    restics().iter().for_each(|restic| restic.check(&vault));
}

#[test]
fn a_repaired_snapshot_is_what_is_left_and_says_of_what() {
    let folder = temporary();
    let (source, vault) = repository(folder.path());
    let first = latest(&open(&vault));
    let pack = largest(&vault);
    let size = fs::metadata(&pack).unwrap().len() as usize;
    flip(&pack, size / 2);
    salvage(&vault, &[id(&pack)]);
    let repository = open(&vault);
    let (repaired, lost) = repair(&repository, SnapshotRepair::default());
    assert_eq!((repaired.len(), repaired[0].snapshot, repaired[0].lost), (1, first.id, 1));
    assert_eq!(lost, [source.join("sub/large")]);
    let new = repository.snapshot(&repaired[0].replacement.unwrap().to_string()).unwrap();
    assert_eq!((new.original, new.time, &new.paths), (Some(first.id), first.time, &first.paths));
    assert_eq!(repository.snapshots().unwrap().len(), 2, "the old one stays unless it is to go");
    let target = folder.path().join("target");
    restore(&repository, &new, &target);
    fs::remove_file(source.join("sub/large")).unwrap();
    let restored = beneath(&target, &source);
    let names = |folder: &Path| trees::describe(folder).into_keys().collect::<Vec<_>>();
    assert_eq!(names(&restored), names(&source));

    // With the parts that are left, the file is as much shorter as was lost.
    let parts = SnapshotRepair { keep_parts: true, ..FORGET };
    let (repaired, _) = repair(&repository, parts);
    let new = repository.snapshot(&repaired[0].replacement.unwrap().to_string()).unwrap();
    let entry = repository.entry(&new, &source.join("sub/large")).unwrap();
    let mut content = Vec::new();
    repository.cat(&new, &source.join("sub/large"), &mut content, &Cancel::new()).unwrap();
    assert_eq!(entry.size, content.len() as u64);
    assert!(content.len() < 8 << 20 && content.starts_with(&noise(5, 8 << 20)[..1000]));
    assert!(repository.snapshot(&first.id.to_string()).is_err());
    assert_eq!(check(&repository).problems, []);
    restics().iter().for_each(|restic| restic.check(&vault));
}

#[test]
fn lost_folders_and_lost_snapshots_are_told() {
    let folder = temporary();
    let (source, vault) = repository(folder.path());
    // All trees lie in the smaller pack.
    let trees = stored(&vault, "data").into_iter().min_by_key(|pack| pack.metadata().unwrap().len()).unwrap();
    fs::remove_file(trees).unwrap();
    let repository = open(&vault);
    repository.repair_index(&Cancel::new()).unwrap();
    let (repaired, lost) = repair(&repository, FORGET);
    assert_eq!((repaired[0].replacement, lost), (None, vec![PathBuf::from("/")]));
    assert!(repository.snapshots().unwrap().is_empty());
    assert_eq!(check(&repository).problems, []);
    backup(&repository, &[&source]);
    assert_eq!(check(&repository).problems, []);
}

#[test]
fn nothing_is_salvaged_beside_others() {
    struct Salvager<'a>(&'a Path);
    impl roadstead_vault::Monitor for Salvager<'_> {
        fn progress(&self, _: &roadstead_vault::Progress) {
            let error = open(self.0).salvage_packs(&[], Disposal::Remove, &Cancel::new()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Locked);
        }
    }
    let folder = temporary();
    let (source, vault) = repository(folder.path());
    open(&vault).backup(&options(&[&source]), &Salvager(&vault), &Cancel::new()).unwrap();
}
