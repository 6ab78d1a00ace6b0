//! Keys and the index: what an owner looks after, against the real restic.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    reason = "tests and what they share"
)]

mod support;

use std::fs;
use std::path::Path;
use std::sync::Arc;

use roadstead_vault::store::{FileKind, LocalStore, Name, Store};
use roadstead_vault::{
    BackupOptions, Cancel, ErrorKind, Id, KdfCost, Monitor, ParentChoice, Progress, Repository, VoidMonitor,
};
use support::trees::{self, assert_same, noise};
use support::{
    PASSWORD, backup, beneath, check, init, latest, open, options, restics, restore, stored, temporary,
};

fn opens(vault: &Path, password: &[u8]) -> Result<Repository, ErrorKind> {
    Repository::open(Arc::new(LocalStore::new(vault)), password).map_err(|error| error.kind())
}

#[test]
fn keys_come_and_go_and_one_always_opens() {
    let folder = temporary();
    let vault = folder.path().join("vault");
    let mut repository = init(&vault);
    let first = repository.keys().unwrap().remove(0).id;
    let second = repository.add_key(b"second", KdfCost::RANDOM_KEY).unwrap();
    assert_eq!(opens(&vault, b"second").unwrap().id(), repository.id());
    let current = |repository: &Repository| {
        let keys = repository.keys().unwrap();
        keys.into_iter().filter(|key| key.current).map(|key| key.id).collect::<Vec<_>>()
    };
    assert_eq!((repository.keys().unwrap().len(), current(&repository)), (2, vec![first]));
    assert_eq!(current(&opens(&vault, b"second").unwrap()), [second]);

    let third = repository.change_password(b"third", KdfCost::RANDOM_KEY).unwrap();
    assert_eq!(current(&repository), [third]);
    assert_eq!(opens(&vault, PASSWORD.as_bytes()).err(), Some(ErrorKind::WrongPassword));
    assert_eq!(repository.remove_key(&third).unwrap_err().kind(), ErrorKind::Conflict);
    assert_eq!(repository.remove_key(&first).unwrap_err().kind(), ErrorKind::NotFound);
    repository.remove_key(&second).unwrap();
    assert_eq!(opens(&vault, b"second").err(), Some(ErrorKind::WrongPassword));
    assert!(opens(&vault, b"third").is_ok());
    // Junk among the keys is no key.
    LocalStore::new(&vault).save(FileKind::Key, &Name(Id::of(b"junk")), b"junk").unwrap();
    assert_eq!(repository.keys().unwrap().len(), 1);
}

#[test]
fn nineteen_junk_keys_hide_no_good_one() {
    let folder = temporary();
    let vault = folder.path().join("vault");
    let id = init(&vault).id();
    let key = stored(&vault, "keys").remove(0);
    let good = String::from_utf8(fs::read(&key).unwrap()).unwrap();
    let whole = good.len();
    // One that asks for a terabyte of memory, one for years, others that are cut off or nothing at all.
    let mut junk: Vec<Vec<u8>> = [
        good.replace("\"N\":1024", "\"N\":8589934592").into_bytes(),
        good.replace("\"p\":1", "\"p\":1000000000").into_bytes(),
        good.replace("\"N\":1024", "\"N\":1023").into_bytes(),
        good.replace("\"r\":8", "\"r\":0").into_bytes(),
        Vec::new(),
        vec![0xff; 1 << 20],
    ]
    .into();
    junk.extend((0..13).map(|cut| good.as_bytes()[..whole * cut / 13].iter().rev().copied().collect()));
    for (number, bytes) in junk.iter().enumerate() {
        assert!(bytes.as_slice() != good.as_bytes(), "{number}");
        // Names that come before and after the good one's.
        let name = Name(Id::of(format!("junk {number}").as_bytes()));
        LocalStore::new(&vault).save(FileKind::Key, &name, bytes).unwrap();
    }
    assert_eq!(stored(&vault, "keys").len(), 20);
    let repository = opens(&vault, PASSWORD.as_bytes()).unwrap();
    assert_eq!(repository.id(), id);
    assert_eq!(opens(&vault, b"guessed").err(), Some(ErrorKind::WrongPassword));
    assert_eq!(check(&repository).problems, []);
}

#[test]
fn restic_opens_with_keys_that_we_added() {
    for restic in restics() {
        let folder = temporary();
        let vault = folder.path().join("vault");
        restic.run(&vault, &["init"]);
        let theirs = open(&vault).keys().unwrap().remove(0);
        assert!(theirs.current && theirs.created.as_second() > 1_600_000_000);
        let repository = open(&vault);
        repository.add_key(b"ours", KdfCost::RANDOM_KEY).unwrap();
        let ours = opens(&vault, b"ours").unwrap();
        ours.remove_key(&theirs.id).unwrap();
        assert!(!restic.attempt(&vault, &["snapshots"]).0);
        ours.add_key(PASSWORD.as_bytes(), KdfCost::RANDOM_KEY).unwrap();
        restic.check(&vault);
    }
}

#[test]
fn a_lost_or_damaged_index_is_made_anew() {
    let folder = temporary();
    let (source, vault) = (folder.path().join("source"), folder.path().join("vault"));
    trees::many(&source, 30);
    let repository = init(&vault);
    backup(&repository, &[&source]);
    fs::write(source.join("new"), noise(1, 1 << 20)).unwrap();
    backup(&repository, &[&source]);
    assert!(!repository.repair_index(&Cancel::new()).unwrap().rewritten, "nothing was wrong");
    let indexes = stored(&vault, "index");
    fs::remove_file(&indexes[0]).unwrap();
    fs::write(&indexes[1], "damaged").unwrap();
    assert_ne!(check(&repository).problems, []);
    let report = repository.repair_index(&Cancel::new()).unwrap();
    assert_eq!((report.packs, report.rewritten, stored(&vault, "index").len()), (4, true, 1));
    assert_eq!(check(&repository).problems, []);
    restics().iter().for_each(|restic| restic.check(&vault));
    let target = folder.path().join("target");
    restore(&repository, &latest(&repository), &target);
    assert_same(&source, &beneath(&target, &source));
}

#[test]
fn after_a_repair_a_backup_heals_what_the_source_still_has() {
    let folder = temporary();
    let (source, vault) = (folder.path().join("source"), folder.path().join("vault"));
    trees::many(&source, 30);
    fs::write(source.join("large"), noise(1, 1 << 20)).unwrap();
    let repository = init(&vault);
    backup(&repository, &[&source]);
    // The larger one holds the files. Trees of folders above the source differ from run to run.
    let data = stored(&vault, "data").into_iter().max_by_key(|pack| pack.metadata().unwrap().len()).unwrap();
    fs::write(&data, &fs::read(&data).unwrap()[..100]).unwrap();
    let report = repository.repair_index(&Cancel::new()).unwrap();
    assert_eq!((report.packs, report.unreadable.len(), report.rewritten), (1, 1, true));
    assert_ne!(check(&repository).problems, []);
    let options = BackupOptions { parent: ParentChoice::None, ..options(&[&source]) };
    repository.backup(&options, &VoidMonitor, &Cancel::new()).unwrap();
    assert_eq!(check(&repository).problems, []);
    let target = folder.path().join("target");
    for snapshot in repository.snapshots().unwrap() {
        restore(&repository, &snapshot, &target);
        assert_same(&source, &beneath(&target, &source));
    }
}

#[test]
fn the_index_is_not_repaired_beside_a_backup() {
    struct Repairer<'a>(&'a Path);
    impl Monitor for Repairer<'_> {
        fn progress(&self, _: &Progress) {
            let error = open(self.0).repair_index(&Cancel::new()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Locked);
        }
    }
    let folder = temporary();
    let (source, vault) = (folder.path().join("source"), folder.path().join("vault"));
    trees::many(&source, 3);
    init(&vault).backup(&options(&[&source]), &Repairer(&vault), &Cancel::new()).unwrap();
    assert_eq!(check(&open(&vault)).problems, []);
}
