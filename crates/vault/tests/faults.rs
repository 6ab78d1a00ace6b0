//! Stores that fail, disks that fill, files that may not be read.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    reason = "tests and what they share"
)]

mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use roadstead_vault::store::Disposal;
use roadstead_vault::{Cancel, Error, ErrorKind, Id, PruneOptions, Repository, RestoreOptions, VoidMonitor};
use support::faulty::{Fault, Faulty};
use support::trees::{self, assert_same, noise};
use support::{
    PASSWORD, Random, Recorder, backup, beneath, check, init, is_root, latest, long, open, options, stored,
    temporary,
};

#[test]
fn whichever_call_fails_a_backup_ends_well_or_failed() {
    let folder = temporary();
    let (source, vault) = (folder.path().join("source"), folder.path().join("vault"));
    trees::many(&source, 20);
    backup(&init(&vault), &[&source]);
    let mut failures = 0;
    for fails in (0..300).step_by(long(15, 1) as usize).chain(1..12) {
        fs::write(source.join("large"), noise(fails, 24 << 20)).unwrap();
        let before = stored(&vault, "snapshots").len();
        let store = Faulty::new(&vault, fails, Fault::Error);
        let outcome = Repository::open(store.clone(), PASSWORD.as_bytes())
            .and_then(|repository| repository.backup(&options(&[&source]), &VoidMonitor, &Cancel::new()));
        let after = stored(&vault, "snapshots").len();
        assert_eq!(after, before + usize::from(outcome.is_ok()), "call {fails}: {outcome:?}");
        failures += u64::from(outcome.is_err());
        // A lock whose removal failed stays behind; it is shared and stops only those who work alone.
        stored(&vault, "locks").iter().for_each(|lock| fs::remove_file(lock).unwrap());
    }
    assert!(failures > 8, "{failures}");
    let repository = open(&vault);
    backup(&repository, &[&source]);
    assert_eq!(check(&repository).problems, []);
    for restic in support::restics() {
        restic.check(&vault);
    }
}

#[test]
fn whichever_call_fails_a_restore_is_whole_or_says_so() {
    let folder = temporary();
    let (source, vault) = (folder.path().join("source"), folder.path().join("vault"));
    trees::many(&source, 20);
    fs::write(source.join("large"), noise(1, 3 << 20)).unwrap();
    backup(&init(&vault), &[&source]);
    let snapshot = latest(&open(&vault));
    for fails in (4..300).step_by(long(15, 1) as usize) {
        let target = folder.path().join(format!("target-{fails}"));
        let store = Faulty::new(&vault, fails, Fault::Error);
        let outcome = Repository::open(store, PASSWORD.as_bytes())
            .and_then(|r| r.restore(&snapshot, &RestoreOptions::to(&target), &VoidMonitor, &Cancel::new()));
        if outcome.is_ok_and(|summary| summary.errors == 0) {
            assert_same(&source, &beneath(&target, &source));
        }
    }
}

#[test]
fn a_full_disk_fails_the_backup_and_harms_nothing() {
    if !is_root() {
        return eprintln!("skipped: mounting needs root");
    }
    let folder = temporary();
    let (source, vault) = (folder.path().join("source"), folder.path().join("vault"));
    trees::many(&source, 20);
    let Some(disk) = Disk::mount(&vault, 8 << 20) else { return };
    let repository = init(&vault);
    backup(&repository, &[&source]);
    fs::write(source.join("too-large"), noise(1, 12 << 20)).unwrap();
    let error = repository.backup(&options(&[&source]), &VoidMonitor, &Cancel::new()).unwrap_err();
    let report = check(&repository);
    let (left, snapshots) = (stored(&vault, "tmp").len(), repository.snapshots().unwrap().len());
    fs::remove_file(source.join("too-large")).unwrap();
    let again = repository.backup(&options(&[&source]), &VoidMonitor, &Cancel::new());
    drop(disk);
    assert_eq!(error.kind(), ErrorKind::Full, "{error}");
    assert_eq!((report.problems, left, snapshots), (vec![], 0, 1));
    again.unwrap();
}

#[test]
fn wherever_the_disk_fills_the_vault_stays_sound() {
    if !is_root() {
        return eprintln!("skipped: mounting needs root");
    }
    let folder = temporary();
    let (source, vault) = (folder.path().join("source"), folder.path().join("vault"));
    trees::many(&source, 20);
    let Some(disk) = Disk::mount(&vault, LARGE_DISK) else { return };
    backup(&init(&vault), &[&source]);
    let (mut random, mut full) = (Random::new(11), 0);
    for trial in 0..long(15, 300) {
        fs::write(source.join(format!("large-{}", trial % 4)), noise(trial, 3 << 20)).unwrap();
        disk.leave(random.below(4 << 20));
        let repository = open(&vault);
        let outcome = match trial % 3 {
            2 => forget_and_prune(&repository),
            _ => repository.backup(&options(&[&source]), &VoidMonitor, &Cancel::new()).map(drop),
        };
        disk.resize(LARGE_DISK);
        if let Err(error) = outcome {
            assert_eq!(error.kind(), ErrorKind::Full, "trial {trial}: {error}");
            full += 1;
        }
        assert_eq!(check(&open(&vault)).problems, [], "trial {trial}");
        assert_eq!((stored(&vault, "locks").len(), stored(&vault, "tmp").len()), (0, 0), "trial {trial}");
    }
    assert!(full > 3, "{full}");
    backup(&open(&vault), &[&source]);
    for restic in support::restics() {
        restic.check(&vault);
    }
}

/// Gives up all but the last snapshot, and every byte that only the others needed.
fn forget_and_prune(repository: &Repository) -> Result<(), Error> {
    let mut ids: Vec<Id> = repository.snapshots()?.into_iter().map(|snapshot| snapshot.id).collect();
    ids.pop();
    repository.forget(&ids, Disposal::Remove, &Cancel::new())?;
    let options = PruneOptions { max_waste: 0.0, disposal: Disposal::Remove, ..PruneOptions::default() };
    repository.prune(&options, &VoidMonitor, &Cancel::new()).map(drop)
}

/// More than the tests fill, in bytes.
const LARGE_DISK: u64 = 256 << 20;

/// A disk in memory, mounted on a folder until this is dropped.
struct Disk<'a>(&'a Path);

impl<'a> Disk<'a> {
    /// Mounts one of so many bytes; `None` after saying why that cannot be done.
    fn mount(folder: &'a Path, size: u64) -> Option<Self> {
        fs::create_dir(folder).unwrap();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"]).arg(folder);
        if !mount.status().is_ok_and(|status| status.success()) {
            eprintln!("skipped: mounting is not allowed here");
            return None;
        }
        Some(Self(folder))
    }

    fn resize(&self, size: u64) {
        let mut mount = Command::new("mount");
        mount.args(["-o", &format!("remount,size={size}")]).arg(self.0);
        assert!(mount.status().unwrap().success());
    }

    /// Makes it so small that just this many bytes are free.
    fn leave(&self, free: u64) {
        let now = rustix::fs::statvfs(self.0).unwrap();
        self.resize((now.f_blocks - now.f_bfree) * now.f_frsize + free);
    }
}

impl Drop for Disk<'_> {
    fn drop(&mut self) {
        let unmounted = Command::new("umount").arg(self.0).status();
        assert!(std::thread::panicking() || unmounted.unwrap().success());
    }
}

/// Run as a user who may not read everything, in a process of its own when the tests run as root.
#[test]
fn files_that_may_not_be_read_are_reported_and_the_rest_is_saved() {
    const CHILD: &str = "VAULT_TEST_CHILD";
    if let Some(folder) = std::env::var_os(CHILD) {
        return unreadable_files(Path::new(&folder));
    }
    let folder = temporary();
    if !is_root() {
        return unreadable_files(folder.path());
    }
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).unwrap();
    // The program itself may lie where nobody may go.
    let program = folder.path().join("program");
    fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
    let mut child = Command::new("setpriv");
    child.args(["--reuid", "65534", "--regid", "65534", "--clear-groups"]).arg(program);
    child.args(["--exact", "files_that_may_not_be_read_are_reported_and_the_rest_is_saved"]);
    let output = child.env(CHILD, folder.path()).current_dir("/").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&[output.stdout, output.stderr].concat()));
}

fn unreadable_files(folder: &Path) {
    let (source, vault) = (folder.join("source"), folder.join("vault"));
    trees::many(&source, 5);
    fs::create_dir(source.join("closed")).unwrap();
    let close = |name: &str, mode| {
        fs::set_permissions(source.join(name), fs::Permissions::from_mode(mode)).unwrap();
    };
    let repository = init(&vault);
    backup(&repository, &[&source]);
    close("file-00002", 0o000);
    close("closed", 0o000);
    let monitor = Recorder::default();
    let summary = repository.backup(&options(&[&source]), &monitor, &Cancel::new()).unwrap();
    close("closed", 0o700);
    // The file is unchanged but for its permissions, which changes its change time: it must be read.
    let mut paths = monitor.error_paths();
    paths.sort();
    assert_eq!(paths, [source.join("closed"), source.join("file-00002")]);
    assert!(monitor.errors.lock().unwrap().iter().all(|error| error.code == Some(13)));
    assert_eq!((summary.errors, summary.files_unmodified), (2, 4));
    assert_eq!(check(&repository).problems, []);
    let target = folder.join("target");
    let restored = repository
        .restore(&latest(&repository), &RestoreOptions::to(&target), &Recorder::default(), &Cancel::new())
        .unwrap();
    assert_eq!((restored.files, restored.errors), (4, 0));
}
