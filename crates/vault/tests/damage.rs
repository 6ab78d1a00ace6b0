//! Damaged repositories: the check finds every loss and names who is hit; nothing else is lost.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    reason = "tests and what they share"
)]

mod support;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use roadstead_vault::store::{Disposal, LocalStore};
use roadstead_vault::{
    BackupOptions, Cancel, CheckReport, ErrorKind, Id, ParentChoice, ProblemKind, PruneOptions, Repository,
    RestoreOptions, SnapshotRepair,
};
use support::trees::{self, assert_same, noise};
use support::{
    Random, Recorder, backup, beneath, check, init, latest, long, open, restics, restore, stored, temporary,
};

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
fn a_damaged_index_file_costs_time_and_nothing_else() {
    let folder = temporary();
    let (source, vault) = repository(folder.path());
    let used_before = open(&vault);
    restore(&used_before, &latest(&used_before), &folder.path().join("before"));
    let indexes = stored(&vault, "index");
    assert_eq!(indexes.len(), 2);
    fs::write(&indexes[0], "damaged").unwrap();
    let file = format!("index/{}", indexes[0].file_name().unwrap().display());
    for (number, repository) in [used_before, open(&vault)].into_iter().enumerate() {
        let (monitor, target) = (Recorder::default(), folder.path().join(format!("target-{number}")));
        for snapshot in repository.snapshots().unwrap() {
            let options = RestoreOptions::to(target.join(snapshot.id.to_string()));
            let summary = repository.restore(&snapshot, &options, &monitor, &Cancel::new()).unwrap();
            assert_eq!(summary.errors, 0);
        }
        let whole = target.join(latest(&repository).id.to_string());
        assert_same(&source, &beneath(&whole, &source));
        // Who has read the file when it was whole needs it no more.
        let warned = monitor.warnings.lock().unwrap();
        assert_eq!(warned.iter().filter(|warning| warning.path == Path::new(&file)).count(), 2 * number);
    }
    let repository = open(&vault);
    backup(&repository, &[&source]);
    repository.prune(&PruneOptions::default(), &Recorder::default(), &Cancel::new()).unwrap();
    assert_eq!(check(&repository).problems, []);
    restics().iter().for_each(|restic| restic.check(&vault));
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

/// What a restore of each snapshot cannot bring back, by snapshot and path.
fn losses(vault: &Path, expected: &[(Id, PathBuf)], source: &Path) -> Option<BTreeSet<(Id, PathBuf)>> {
    let repository = Repository::open(Arc::new(LocalStore::new(vault)), support::PASSWORD.as_bytes()).ok()?;
    let mut lost = BTreeSet::new();
    for (id, copy) in expected {
        let (target, monitor) = (temporary(), Recorder::default());
        let options = RestoreOptions::to(target.path());
        let restored = repository
            .snapshot(&id.to_string())
            .and_then(|snapshot| repository.restore(&snapshot, &options, &monitor, &Cancel::new()));
        if restored.is_err() {
            lost.insert((*id, PathBuf::from("/")));
            continue;
        }
        let told = monitor.error_paths();
        lost.extend(told.iter().map(|path| (*id, path.clone())));
        // Whatever is not told must be there, and be what it was.
        let (expected, actual) = (trees::describe(copy), beneath(target.path(), source));
        let actual = if actual.exists() { trees::describe(&actual) } else { Default::default() };
        for (path, one) in expected.iter().filter(|(_, one)| one.kind == "file") {
            let full = source.join(path);
            let is_told = told.iter().any(|told| full.starts_with(told));
            let same = actual.get(path).is_some_and(|other| other.content == one.content);
            assert!(same || is_told, "{} of {id} is lost without a word", full.display());
        }
    }
    Some(lost)
}

/// Damages a file of the repository at random; tells which.
fn damage_at_random(vault: &Path, random: &mut Random) -> (PathBuf, String) {
    let kinds = ["data", "data", "data", "index", "snapshots"];
    let files = stored(vault, kinds[random.below(5) as usize]);
    let file = files[random.below(files.len() as u64) as usize].clone();
    let mut bytes = fs::read(&file).unwrap();
    let at = random.below(bytes.len() as u64) as usize;
    let what = match random.below(4) {
        0 => {
            bytes[at] ^= 1 << random.below(8);
            format!("a bit at {at}")
        }
        1 => {
            bytes.truncate(at);
            format!("the end from {at}")
        }
        2 => {
            bytes.clear();
            "all content".to_owned()
        }
        _ => {
            fs::remove_file(&file).unwrap();
            let told = format!("{} is gone", file.display());
            return (file, told);
        }
    };
    fs::write(&file, bytes).unwrap();
    let told = format!("{} lost {what}", file.display());
    (file, told)
}

/// Whoever restores meets no loss that the check did not name; repair and a new backup heal the rest.
#[test]
fn random_damage_is_found_named_and_healed() {
    let folder = temporary();
    let (source, vault) = repository(folder.path());
    let mut expected = Vec::new();
    for (number, snapshot) in open(&vault).snapshots().unwrap().into_iter().enumerate() {
        let copy = folder.path().join(format!("copy-{number}"));
        restore(&open(&vault), &snapshot, &copy);
        expected.push((snapshot.id, beneath(&copy, &source)));
    }
    let mut random = Random::new(7);
    for trial in 0..long(30, 300) {
        let copied = folder.path().join(format!("trial-{trial}"));
        copy(&vault, &copied);
        let (file, told) = damage_at_random(&copied, &mut random);
        let repository = open(&copied);
        let report = check(&repository);
        // Index files may say the same twice, and a lost snapshot only the server knows of.
        let lost = losses(&copied, &expected, &source).unwrap();
        let is_snapshot = file.starts_with(copied.join("snapshots"));
        for (id, path) in lost.iter().filter(|_| !is_snapshot) {
            let named = report.problems.iter().flat_map(|problem| &problem.hits);
            let named = named.filter(|hit| hit.snapshot == *id).any(|hit| path.starts_with(&hit.path));
            // Where an index file is gone, nobody knows that there was one, and what it named is lost until it is made anew.
            let no_index = path == Path::new("/") && file.starts_with(copied.join("index"));
            assert!(
                named || (no_index && !report.problems.is_empty()),
                "{told}: {} of {id} is not named in {report:?}",
                path.display()
            );
        }
        assert!(!report.problems.is_empty() || !file.exists() || lost.is_empty(), "{told}: {report:?}");
        heal(&copied, &source, &told);
        fs::remove_dir_all(&copied).unwrap();
    }
}

fn heal(vault: &Path, source: &Path, told: &str) {
    let cancel = Cancel::new();
    let repository = open(vault);
    let damaged = check(&repository).damaged_packs();
    repository.salvage_packs(&damaged, Disposal::Remove, &cancel).unwrap();
    let snapshots = repository.snapshots().unwrap();
    // A snapshot that cannot be read is no more than a file in the way.
    let readable: BTreeSet<String> = snapshots.iter().map(|snapshot| snapshot.id.to_string()).collect();
    for file in stored(vault, "snapshots") {
        if !readable.contains(file.file_name().unwrap().to_str().unwrap()) {
            fs::remove_file(file).unwrap();
        }
    }
    let again = BackupOptions { parent: ParentChoice::None, ..support::options(&[source]) };
    let summary = repository.backup(&again, &Recorder::default(), &cancel).unwrap();
    // What the source still has is healed in the old snapshots, too; what it has not is cut out of them.
    let options = SnapshotRepair { forget: Some(Disposal::Remove), ..SnapshotRepair::default() };
    repository.repair_snapshots(&snapshots, &options, &Recorder::default(), &cancel).unwrap();
    assert_eq!(check(&repository).problems, [], "{told}");
    let target = temporary();
    restore(&repository, &repository.snapshot(&summary.snapshot.to_string()).unwrap(), target.path());
    assert_same(source, &beneath(target.path(), source));
}
