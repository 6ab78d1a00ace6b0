//! Locks, between us and restic.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    reason = "tests and what they share"
)]

mod support;

use std::fs;
use std::path::Path;
use std::time::Duration;

use roadstead_vault::{Cancel, CheckOptions, ErrorKind, VoidMonitor};
use support::trees;
use support::{backup, init, options, restics, stored, temporary};

/// Puts back an exclusive lock that restic really wrote: caught while it holds it.
fn capture_exclusive_lock(restic: &support::Restic, vault: &Path) -> Option<(std::path::PathBuf, Vec<u8>)> {
    std::thread::scope(|scope| {
        let running = scope.spawn(|| restic.run(vault, &["prune"]));
        let mut caught = None;
        while !running.is_finished() {
            for path in stored(vault, "locks") {
                if let Ok(bytes) = fs::read(&path)
                    && !bytes.is_empty()
                {
                    caught = Some((path, bytes));
                }
            }
        }
        running.join().unwrap();
        caught
    })
}

#[test]
fn an_exclusive_lock_that_a_dead_restic_left_stops_nobody() {
    for restic in restics() {
        let folder = temporary();
        let (source, vault) = (folder.path().join("source"), folder.path().join("vault"));
        trees::many(&source, 3);
        let repository = init(&vault);
        backup(&repository, &[&source]);
        let (path, bytes) = capture_exclusive_lock(&restic, &vault).expect("prune takes a lock");
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, &bytes).unwrap();
        // That process has ended, so on this host its lock is stale and stops nobody.
        backup(&repository, &[&source]);
        assert_eq!(stored(&vault, "locks"), vec![path], "locks of others stay");
    }
}

#[test]
fn backups_and_prunes_at_the_same_time_wait_for_each_other() {
    for restic in restics() {
        let folder = temporary();
        let (source, vault) = (folder.path().join("source"), folder.path().join("vault"));
        trees::many(&source, 3);
        let repository = init(&vault).with_lock_patience(Duration::from_secs(20));
        std::thread::scope(|scope| {
            let theirs = scope.spawn(|| {
                for _ in 0..3 {
                    let _ = restic.attempt(&vault, &["prune"]);
                }
            });
            for _ in 0..5 {
                backup(&repository, &[&source]);
            }
            theirs.join().unwrap();
        });
        restic.check(&vault);
        assert!(stored(&vault, "locks").is_empty());
    }
}

#[test]
fn our_lock_is_there_while_we_work_and_stops_prune() {
    struct Prober<'a> {
        vault: &'a Path,
        seen: std::sync::Mutex<Vec<(bool, String)>>,
    }
    impl roadstead_vault::Monitor for Prober<'_> {
        fn progress(&self, _: &roadstead_vault::Progress) {
            for restic in restics() {
                self.seen.lock().unwrap().push(restic.attempt(self.vault, &["prune"]));
            }
        }
    }
    let folder = temporary();
    let (source, vault) = (folder.path().join("source"), folder.path().join("vault"));
    trees::many(&source, 3);
    let repository = init(&vault);
    let prober = Prober { vault: &vault, seen: Default::default() };
    repository.backup(&options(&[&source]), &prober, &Cancel::new()).unwrap();
    for (ok, output) in prober.seen.into_inner().unwrap() {
        assert!(!ok && output.contains("already locked"), "{output}");
    }
    assert!(stored(&vault, "locks").is_empty());
}

#[test]
fn unlocking_with_restic_ends_no_run_of_ours() {
    struct Unlocker<'a>(&'a Path);
    impl roadstead_vault::Monitor for Unlocker<'_> {
        fn progress(&self, _: &roadstead_vault::Progress) {
            restics().iter().for_each(|restic| drop(restic.run(self.0, &["unlock"])));
            assert_eq!(stored(self.0, "locks").len(), 1, "a living lock stays");
        }
    }
    let folder = temporary();
    let (source, vault) = (folder.path().join("source"), folder.path().join("vault"));
    trees::many(&source, 3);
    init(&vault).backup(&options(&[&source]), &Unlocker(&vault), &Cancel::new()).unwrap();
}

#[test]
fn unreadable_locks_are_no_licence() {
    let folder = temporary();
    let vault = folder.path().join("vault");
    let repository = init(&vault);
    fs::create_dir_all(vault.join("locks")).unwrap();
    let lock = vault.join("locks").join("ab".repeat(32));
    fs::write(&lock, "").unwrap();
    let run = || repository.check(&CheckOptions::default(), &VoidMonitor, &Cancel::new());
    assert!(run().is_ok(), "empty leftovers are ignored");
    fs::write(&lock, "junk").unwrap();
    assert_eq!(run().unwrap_err().kind(), ErrorKind::Damaged);
    assert_eq!(stored(&vault, "locks"), [lock]);
}
