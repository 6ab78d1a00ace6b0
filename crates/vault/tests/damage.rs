//! Damaged repositories: the check finds every loss and names who is hit; nothing else is lost.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    reason = "tests and what they share"
)]

mod support;

use std::fs;
use std::path::{Path, PathBuf};

use roadstead_vault::{Cancel, CheckReport, ErrorKind, ProblemKind, RestoreOptions};
use support::trees::{self, noise};
use support::{Recorder, backup, beneath, check, init, latest, open, stored, temporary};

/// A repository with two snapshots, the second of which shares most with the first.
fn repository(folder: &Path) -> (PathBuf, PathBuf) {
    let (source, vault) = (folder.join("source"), folder.join("vault"));
    trees::many(&source, 50);
    fs::create_dir(source.join("sub")).unwrap();
    fs::write(source.join("sub/large"), noise(5, 4 << 20)).unwrap();
    let repository = init(&vault);
    backup(&repository, &[&source]);
    fs::write(source.join("later"), noise(6, 1 << 20)).unwrap();
    backup(&repository, &[&source]);
    assert_eq!(check(&repository).problems, []);
    (source, vault)
}

#[derive(Debug, Clone, Copy)]
enum Damage {
    Flip,
    Truncate,
    Empty,
    Delete,
}

fn inflict(damage: Damage, path: &Path) {
    let mut bytes = fs::read(path).unwrap();
    let middle = bytes.len() / 2;
    match damage {
        Damage::Flip => bytes[middle] ^= 4,
        Damage::Truncate => bytes.truncate(middle),
        Damage::Empty => bytes.clear(),
        Damage::Delete => return fs::remove_file(path).unwrap(),
    }
    fs::write(path, bytes).unwrap();
}

fn copy(from: &Path, to: &Path) {
    let status = std::process::Command::new("cp").arg("-r").arg(from).arg(to).status().unwrap();
    assert!(status.success());
}

#[test]
fn every_damage_to_every_file_is_found() {
    let folder = temporary();
    let (_, vault) = repository(folder.path());
    for kind in ["data", "index", "snapshots"] {
        for (i, file) in stored(&vault, kind).iter().enumerate() {
            for damage in [Damage::Flip, Damage::Truncate, Damage::Empty, Damage::Delete] {
                let copied = folder.path().join(format!("{kind}-{i}-{damage:?}"));
                copy(&vault, &copied);
                inflict(damage, &copied.join(file.strip_prefix(&vault).unwrap()));
                let report = check(&open(&copied));
                assess(kind, damage, &report);
                fs::remove_dir_all(&copied).unwrap();
            }
        }
    }
}

fn assess(kind: &str, damage: Damage, report: &CheckReport) {
    let found = |kind| report.problems.iter().any(|problem| problem.kind == kind);
    let all_hits = || report.problems.iter().flat_map(|problem| &problem.hits);
    match (kind, damage) {
        // Nothing in the repository tells that there ever was this snapshot; the server knows.
        ("snapshots", Damage::Delete) => assert_eq!(report.snapshots, 1),
        ("snapshots", _) => assert!(found(ProblemKind::SnapshotDamaged), "{damage:?} {report:?}"),
        ("index", Damage::Delete) => assert!(found(ProblemKind::BlobMissing) && report.packs_unindexed > 0),
        ("index", _) => assert!(found(ProblemKind::IndexDamaged), "{damage:?} {report:?}"),
        (_, Damage::Delete) => assert!(found(ProblemKind::PackMissing) && all_hits().count() > 0),
        (_, _) => assert!(found(ProblemKind::PackDamaged) && all_hits().count() > 0, "{damage:?} {report:?}"),
    }
}

#[test]
fn hits_name_snapshots_and_paths() {
    let folder = temporary();
    let (source, vault) = repository(folder.path());
    // The pack that came with the second backup's data.
    let repository = open(&vault);
    let snapshots = repository.snapshots().unwrap();
    let newest = stored(&vault, "data").into_iter().filter(|p| fs::metadata(p).unwrap().len() > 1 << 20);
    let smallest = newest.min_by_key(|path| fs::metadata(path).unwrap().len()).unwrap();
    inflict(Damage::Flip, &smallest);
    let report = check(&repository);
    assert_eq!(report.problems.len(), 1, "{report:?}");
    let hits = &report.problems[0].hits;
    assert!(
        hits.iter().all(|hit| hit.path == source.join("later") && hit.snapshot == snapshots[1].id),
        "{hits:?}"
    );
    assert_eq!(hits.len(), 1);

    // Everything else can still be restored; what is lost is told and not left half written.
    let monitor = Recorder::default();
    let target = folder.path().join("target");
    let options = RestoreOptions::to(&target);
    let summary = repository.restore(&latest(&repository), &options, &monitor, &Cancel::new()).unwrap();
    assert_eq!((summary.errors, summary.files), (1, 51));
    assert_eq!(monitor.error_paths(), [source.join("later")]);
    assert!(!beneath(&target, &source).join("later").exists());
    assert_eq!(fs::read(beneath(&target, &source).join("sub/large")).unwrap(), noise(5, 4 << 20));
}

#[test]
fn lost_packs_are_healed_by_the_next_backup_after_a_new_index() {
    let folder = temporary();
    let (source, vault) = repository(folder.path());
    for index in stored(&vault, "index") {
        fs::remove_file(index).unwrap();
    }
    // Without any index the parent's blobs are unknown, so everything is read and stored again.
    let repository = open(&vault);
    let summary =
        repository.backup(&support::options(&[&source]), &Recorder::default(), &Cancel::new()).unwrap();
    assert_eq!(summary.files_unmodified, 0);
    let report = check(&repository);
    assert!(report.problems.iter().all(|p| p.kind == ProblemKind::BlobMissing), "{report:?}");
    assert!(report.problems.iter().flat_map(|p| &p.hits).all(|hit| hit.snapshot != summary.snapshot));
}

#[test]
fn broken_openings_are_told_apart() {
    let folder = temporary();
    let (_, vault) = repository(folder.path());
    let store = || std::sync::Arc::new(roadstead_vault::store::LocalStore::new(&vault));
    let kind = |password: &str| {
        roadstead_vault::Repository::open(store(), password.as_bytes()).err().unwrap().kind()
    };
    assert_eq!(kind("wrong"), ErrorKind::WrongPassword);
    let config = fs::read(vault.join("config")).unwrap();
    fs::write(vault.join("config"), &config[..40]).unwrap();
    assert_eq!(kind(support::PASSWORD), ErrorKind::Damaged);
    fs::remove_file(vault.join("config")).unwrap();
    assert_eq!(kind(support::PASSWORD), ErrorKind::NotFound);
    fs::write(&stored(&vault, "keys")[0], "{}").unwrap();
    assert_eq!(kind(support::PASSWORD), ErrorKind::Damaged);
    fs::remove_dir_all(&vault).unwrap();
    assert_eq!(kind(support::PASSWORD), ErrorKind::NotFound);
}
