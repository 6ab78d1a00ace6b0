//! Killed at random times: whatever was under way, the repository is clean, the next run needs no help,
//! and every snapshot that was acknowledged restores.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    reason = "tests and what they share"
)]

mod support;

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use roadstead_vault::store::Disposal;
use roadstead_vault::{Cancel, Id, PruneOptions, Repository, SnapshotRepair, VoidMonitor};
use support::faulty::{Fault, Faulty};
use support::trees::{self, assert_same, noise};
use support::{PASSWORD, Random, backup, beneath, check, init, long, restics, restore, stored, temporary};

const CHILD: &str = "VAULT_TEST_CRASH";
const WORKS: [&str; 4] = ["backup", "prune", "forget", "repair"];

/// What a child does: the whole of one work, killing itself at a call of its store if that is given.
fn child(order: &str) {
    let words: Vec<&str> = order.splitn(4, ' ').collect();
    let [work, at, snapshot, folder] = words.as_slice() else { panic!("{order}") };
    let folder = Path::new(folder);
    let store = Faulty::new(&folder.join("vault"), at.parse().unwrap(), Fault::Kill);
    let repository = Repository::open(store, PASSWORD.as_bytes()).unwrap();
    let repository = repository.with_lock_patience(Duration::from_secs(60));
    let cancel = Cancel::new();
    match *work {
        "backup" => drop(backup(&repository, &[&folder.join("source")])),
        "prune" => {
            let options =
                PruneOptions { max_waste: 0.0, disposal: Disposal::Remove, ..PruneOptions::default() };
            repository.prune(&options, &VoidMonitor, &cancel).unwrap();
        }
        "forget" => drop(repository.forget(&[snapshot.parse().unwrap()], Disposal::Trash, &cancel).unwrap()),
        _ => {
            repository.repair_index(&cancel).unwrap();
            let packs: Vec<Id> =
                stored(&folder.join("vault"), "data").iter().map(|pack| name(pack)).collect();
            repository.salvage_packs(&packs[..1], Disposal::Trash, &cancel).unwrap();
            let snapshots = repository.snapshots().unwrap();
            repository
                .repair_snapshots(&snapshots, &SnapshotRepair::default(), &VoidMonitor, &cancel)
                .unwrap();
        }
    }
}

fn name(file: &Path) -> Id {
    file.file_name().unwrap().to_str().unwrap().parse().unwrap()
}

/// Bytes of all files of a vault, those on their way included.
fn bytes(vault: &Path) -> u64 {
    let size = |path: &PathBuf| path.metadata().map_or(0, |metadata| metadata.len());
    ["data", "tmp", "index", "trash"]
        .iter()
        .flat_map(|kind| stored_now(vault, kind))
        .map(|path| size(&path))
        .sum()
}

/// The same as `stored`, where files come and go.
fn stored_now(vault: &Path, kind: &str) -> Vec<PathBuf> {
    let output = Command::new("find").arg(vault.join(kind)).args(["-type", "f"]).output().unwrap();
    String::from_utf8_lossy(&output.stdout).lines().map(PathBuf::from).collect()
}

/// Kills a child when the vault has changed by so many bytes, unless it ends before.
fn kill_after(mut child: Child, vault: &Path, changed: u64) -> ExitStatus {
    let before = bytes(vault);
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status;
        }
        if bytes(vault).abs_diff(before) >= changed {
            let _ = child.kill();
            return child.wait().unwrap();
        }
    }
}

#[test]
fn a_kill_at_any_time_loses_nothing_that_was_acknowledged() {
    if let Ok(order) = std::env::var(CHILD) {
        return child(&order);
    }
    let folder = temporary();
    let (source, vault) = (folder.path().join("source"), folder.path().join("vault"));
    trees::many(&source, 60);
    let repository = init(&vault);
    let (mut random, mut kept, mut kills): (_, Vec<(Id, PathBuf)>, _) = (Random::new(4711), Vec::new(), 0);
    let rounds = long(10, 200);
    for round in 0..rounds {
        for file in 0..20 {
            fs::write(source.join(format!("changing-{file}")), noise(round * 100 + file, 200 << 10)).unwrap();
        }
        let before: Vec<Id> = repository.snapshots().unwrap().iter().map(|snapshot| snapshot.id).collect();
        let work = WORKS[round as usize % WORKS.len()];
        let forgotten = if work == "forget" { kept.first().map(|(id, _)| *id) } else { None };
        let at = if work == "backup" { u64::MAX } else { random.below(60) + 3 };
        let snapshot = forgotten.unwrap_or(Id::of(b"none"));
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "a_kill_at_any_time_loses_nothing_that_was_acknowledged"]);
        command.env(CHILD, format!("{work} {at} {snapshot} {}", folder.path().display()));
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let status = kill_after(child, &vault, random.below(6 << 20) + 1);
        assert!(status.success() || status.signal() == Some(9), "round {round}: {work} ended with {status}");
        kills += u64::from(status.signal() == Some(9));
        // The forgotten one may be gone or not; those written by a repair are rewritings of others.
        let after = repository.snapshots().unwrap();
        kept.retain(|(id, _)| Some(*id) != forgotten);
        for (id, _) in &kept {
            assert!(after.iter().any(|snapshot| snapshot.id == *id), "round {round}: {work} lost {id}");
        }
        assert!(work == "backup" || after.len() <= before.len(), "round {round}: {work} wrote a snapshot");
        assert_whole(&repository, &vault, &source, &kept, &format!("round {round}, {work}"));
        // The next run needs no help.
        let summary = backup(&repository, &[&source]);
        let copy = folder.path().join(format!("copy-{round}"));
        assert!(Command::new("cp").arg("-a").arg(&source).arg(&copy).status().unwrap().success());
        kept.push((summary.snapshot, copy));
        if kept.len() > 4 {
            let (old, copy) = kept.remove(0);
            repository.forget(&[old], Disposal::Remove, &Cancel::new()).unwrap();
            fs::remove_dir_all(copy).unwrap();
        }
    }
    assert!(kills >= rounds / 3, "{kills} of {rounds} were killed before their end");
}

fn assert_whole(repository: &Repository, vault: &Path, source: &Path, kept: &[(Id, PathBuf)], when: &str) {
    assert_eq!(check(repository).problems, [], "{when}");
    for restic in restics() {
        restic.run(vault, &["unlock"]);
        restic.check(vault);
    }
    for (id, copy) in kept {
        let target = temporary();
        restore(repository, &repository.snapshot(&id.to_string()).unwrap(), target.path());
        assert_same(copy, &beneath(target.path(), source));
    }
}
