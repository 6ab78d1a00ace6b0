//! Forgetting and pruning: what is needed stays, what is not goes, whatever happens in between.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    reason = "tests and what they share"
)]

mod support;

use std::collections::HashSet;
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::Ordering::Relaxed;

use jiff::{SignedDuration, Timestamp};
use roadstead_vault::store::{Disposal, FileKind, LocalStore};
use roadstead_vault::{
    Cancel, ErrorKind, Id, Monitor, Progress, PruneOptions, PruneSummary, Repository, VoidMonitor,
};
use support::faulty::{Fault, Faulty};
use support::trees::{self, assert_same, noise};
use support::{
    PASSWORD, backup, beneath, check, init, long, open, options, restics, restore, stored, temporary,
};

/// A vault with some snapshots of a changing source, of which two are left, and what they must restore to.
struct History {
    folder: tempfile::TempDir,
    kept: Vec<(Id, PathBuf)>,
}

impl History {
    fn new() -> Self {
        let folder = temporary();
        let mut history = Self { folder, kept: Vec::new() };
        let (source, repository) = (history.source(), init(&history.vault()));
        trees::many(&source, 60);
        let mut forgotten = Vec::new();
        for round in 0..5 {
            fs::write(source.join("large"), noise(round, 6 << 20)).unwrap();
            // Neighbours in a pack, of which every other one changes.
            for n in (0..40).skip((round % 2) as usize).step_by(2) {
                fs::write(source.join(format!("middle-{n}")), noise(1000 * round + n, 100 << 10)).unwrap();
            }
            let snapshot = backup(&repository, &[&source]).snapshot;
            if [1, 4].contains(&round) {
                history.keep(snapshot);
            } else {
                forgotten.push(snapshot);
            }
        }
        repository.forget(&forgotten, Disposal::Remove, &Cancel::new()).unwrap();
        history
    }

    /// Notes that a snapshot must restore to what the source is now.
    fn keep(&mut self, snapshot: Id) {
        let copy = self.folder.path().join(format!("copy-{}", self.kept.len()));
        let copied = Command::new("cp").arg("-a").arg(self.source()).arg(&copy).status().unwrap();
        assert!(copied.success());
        self.kept.push((snapshot, copy));
    }

    fn source(&self) -> PathBuf {
        self.folder.path().join("source")
    }

    fn vault(&self) -> PathBuf {
        self.folder.path().join("vault")
    }

    /// The same vault once more, to do something else to it.
    fn copy_vault(&self, name: &str) -> PathBuf {
        let copy = self.folder.path().join(name);
        assert!(Command::new("cp").arg("-a").arg(self.vault()).arg(&copy).status().unwrap().success());
        copy
    }

    /// Both checks are clean and all snapshots restore.
    fn assert_whole(&self, vault: &Path) {
        let repository = open(vault);
        assert_eq!(check(&repository).problems, []);
        for restic in restics() {
            restic.run(vault, &["unlock"]);
            restic.check(vault);
        }
        assert_eq!(repository.snapshots().unwrap().len(), self.kept.len());
        for (snapshot, expected) in &self.kept {
            let target = temporary();
            restore(&repository, &repository.snapshot(&snapshot.to_string()).unwrap(), target.path());
            assert_same(expected, &beneath(target.path(), &self.source()));
        }
    }
}

fn prune(repository: &Repository, options: &PruneOptions) -> PruneSummary {
    repository.prune(options, &VoidMonitor, &Cancel::new()).unwrap()
}

fn bytes(vault: &Path) -> u64 {
    stored(vault, "data").iter().map(|path| path.metadata().unwrap().len()).sum()
}

/// No waste left, nothing kept back.
fn thorough() -> PruneOptions {
    PruneOptions { max_waste: 0.0, disposal: Disposal::Remove, ..PruneOptions::default() }
}

#[test]
fn what_is_needed_stays_and_the_rest_goes() {
    let history = History::new();
    let vault = history.vault();
    let repository = open(&vault);
    let plan = repository.plan_prune(&thorough(), &Cancel::new()).unwrap();
    assert!(!plan.drop.is_empty() && !plan.repack.is_empty(), "{plan:?}");
    let before = bytes(&vault);
    let summary = prune(&repository, &thorough());
    let planned = plan.drop.len() + plan.repack.len();
    assert_eq!((summary.packs_dropped, summary.packs_repacked), (planned as u64, plan.repack.len() as u64));
    assert_eq!(summary.bytes_kept, bytes(&vault));
    assert_eq!(before + summary.bytes_written - summary.bytes_dropped, bytes(&vault));
    assert!(before - bytes(&vault) > 12 << 20, "{} of {before} left", bytes(&vault));
    history.assert_whole(&vault);
    let again = prune(&repository, &thorough());
    assert_eq!((again.packs_repacked, again.packs_dropped, again.index_rewritten), (0, 0, false));

    // restic's own prune of the same comes to the same size, but for its headers and rounding.
    let history = History::new();
    prune(&open(&history.vault()), &thorough());
    let ours = bytes(&history.vault());
    for restic in restics() {
        restic.run(&history.vault(), &["prune", "--max-unused", "0"]);
        let theirs = bytes(&history.vault());
        assert!(theirs * 100 >= ours * 99, "restic found {} bytes more to remove", ours - theirs);
    }
}

#[test]
fn waste_within_bounds_is_put_up_with() {
    let history = History::new();
    let repository = open(&history.vault());
    let all = PruneOptions { max_waste: f64::INFINITY, ..thorough() };
    let summary = prune(&repository, &all);
    assert_eq!(summary.packs_repacked, 0);
    assert!(summary.packs_dropped > 0);
    let plan =
        repository.plan_prune(&PruneOptions { max_waste: 0.02, ..thorough() }, &Cancel::new()).unwrap();
    let (waste, used) = plan.keep.iter().fold((0, 0), |sum, pack| (sum.0 + pack.waste(), sum.1 + pack.used));
    assert!(
        waste * 50 <= used + plan.bytes_repacked() + 50 * 36 * plan.keep.len() as u64,
        "{waste} of {used}"
    );
    history.assert_whole(&history.vault());
}

#[test]
fn packs_wait_in_the_trash_and_come_back() {
    let history = History::new();
    let vault = history.vault();
    let (repository, store) = (open(&vault), LocalStore::new(&vault));
    let before: HashSet<PathBuf> = stored(&vault, "data").into_iter().collect();
    let arrivals = store.arrivals(FileKind::Pack).unwrap();
    let options = PruneOptions { arrivals, disposal: Disposal::Trash, ..thorough() };
    let summary = prune(&repository, &options);
    let trash = store.trash().unwrap();
    assert_eq!(trash.len() as u64, summary.packs_dropped);
    assert_eq!(trash.iter().map(|trashed| trashed.size).sum::<u64>(), summary.bytes_dropped);
    history.assert_whole(&vault);
    let hour = SignedDuration::from_hours(1);
    assert_eq!(store.restore_from_trash(Timestamp::now() - hour).unwrap(), trash.len());
    assert!(before.is_subset(&stored(&vault, "data").into_iter().collect()));
    let repaired = repository.repair_index(&Cancel::new()).unwrap();
    assert_eq!(repaired.packs as usize, stored(&vault, "data").len());
    assert!(repaired.rewritten && repaired.unreadable.is_empty(), "{repaired:?}");
    history.assert_whole(&vault);
    assert_eq!(store.trash().unwrap(), []);
    let again = prune(&repository, &options);
    assert!(again.packs_dropped >= summary.packs_dropped, "{again:?}");
    assert_eq!(store.empty_trash(Timestamp::now() + hour).unwrap() as u64, again.packs_dropped);
    history.assert_whole(&vault);
}

#[test]
fn many_small_packs_become_few() {
    let folder = temporary();
    let (source, vault) = (folder.path().join("source"), folder.path().join("vault"));
    trees::many(&source, 3);
    let repository = init(&vault);
    for round in 0..20 {
        fs::write(source.join("new"), noise(round, 1000)).unwrap();
        backup(&repository, &[&source]);
    }
    assert_eq!((stored(&vault, "data").len(), stored(&vault, "index").len()), (40, 20));
    prune(&repository, &thorough());
    assert_eq!((stored(&vault, "data").len(), stored(&vault, "index").len()), (2, 1));
    assert_eq!(check(&repository).problems, []);
    restics().iter().for_each(|restic| restic.check(&vault));
}

#[test]
fn repositories_of_restic_are_pruned_as_well() {
    for restic in restics() {
        let folder = temporary();
        let (source, vault) = (folder.path().join("source"), folder.path().join("vault"));
        trees::many(&source, 60);
        restic.run(&vault, &["init", "--repository-version", if restic.is_old() { "1" } else { "2" }]);
        for round in 0..3 {
            fs::write(source.join("large"), noise(round, 5 << 20)).unwrap();
            restic.run(&vault, &["backup", source.to_str().unwrap()]);
        }
        restic.run(&vault, &["forget", "--keep-last", "1"]);
        let summary = prune(&open(&vault), &thorough());
        assert!(summary.bytes_dropped > 8 << 20, "{summary:?}");
        restic.check(&vault);
        let target = folder.path().join("target");
        restic.run(&vault, &["restore", "latest", "--target", target.to_str().unwrap()]);
        assert_same(&source, &beneath(&target, &source));
    }
}

/// Prunes again and again while another run goes on.
struct Pruner<'a> {
    vault: &'a Path,
    outcomes: std::sync::Mutex<Vec<Result<PruneSummary, ErrorKind>>>,
}

impl Monitor for Pruner<'_> {
    fn progress(&self, _: &Progress) {
        let outcome = open(self.vault).prune(&thorough(), &VoidMonitor, &Cancel::new());
        self.outcomes.lock().unwrap().push(outcome.map_err(|error| error.kind()));
    }
}

#[test]
fn beside_a_running_backup_the_first_phase_runs_and_the_second_waits() {
    let mut history = History::new();
    let vault = history.vault();
    let pruner = Pruner { vault: &vault, outcomes: Default::default() };
    let before = stored(&vault, "data");
    let summary = open(&vault).backup(&options(&[&history.source()]), &pruner, &Cancel::new()).unwrap();
    history.keep(summary.snapshot);
    let outcomes = pruner.outcomes.into_inner().unwrap();
    assert!(!outcomes.is_empty());
    assert!(outcomes.iter().all(|outcome| *outcome == Err(ErrorKind::Locked)), "{outcomes:?}");
    assert!(before.iter().all(|pack| pack.exists()), "nothing has gone");
    assert!(stored(&vault, "data").len() > before.len(), "copies have been made");
    history.assert_whole(&vault);
    prune(&open(&vault), &thorough());
    history.assert_whole(&vault);
}

#[test]
fn a_backup_between_the_phases_keeps_what_it_took_for_granted() {
    struct Between<'a> {
        history: &'a std::sync::Mutex<History>,
    }
    impl Monitor for Between<'_> {
        // At the end of the first phase: a backup of what the plan holds for waste.
        fn progress(&self, _: &Progress) {
            let mut history = self.history.lock().unwrap();
            if history.kept.len() == 2 {
                fs::write(history.source().join("large"), noise(0, 6 << 20)).unwrap();
                let summary = backup(&open(&history.vault()), &[&history.source()]);
                assert_eq!(summary.data_blobs, 0, "what was forgotten is still there to be used");
                history.keep(summary.snapshot);
            }
        }
    }
    let history = std::sync::Mutex::new(History::new());
    let vault = history.lock().unwrap().vault();
    open(&vault).prune(&thorough(), &Between { history: &history }, &Cancel::new()).unwrap();
    let history = history.into_inner().unwrap();
    assert_eq!(history.kept.len(), 3);
    history.assert_whole(&vault);
}

#[test]
fn whichever_call_fails_a_prune_loses_nothing() {
    let history = History::new();
    let calls = {
        let store = Faulty::new(&history.copy_vault("counted"), u64::MAX, Fault::Error);
        let repository = Repository::open(store.clone(), PASSWORD.as_bytes()).unwrap();
        prune(&repository, &PruneOptions { threads: 1, ..thorough() });
        store.calls.load(Relaxed)
    };
    assert!(calls > 50, "{calls}");
    let mut failures = 0;
    // The same vault all the time: what one failure leaves, the next prune finds.
    for (round, fails) in (2..calls.min(300)).step_by(long(15, 1) as usize).enumerate() {
        let vault =
            if round % 3 == 0 { history.copy_vault(&format!("copy-{fails}")) } else { history.vault() };
        let store = Faulty::new(&vault, fails, Fault::Error);
        let outcome = Repository::open(store, PASSWORD.as_bytes())
            .and_then(|repository| repository.prune(&thorough(), &VoidMonitor, &Cancel::new()));
        failures += u64::from(outcome.is_err());
        // A lock whose removal failed is not stale as long as this process lives.
        stored(&vault, "locks").iter().for_each(|lock| fs::remove_file(lock).unwrap());
        history.assert_whole(&vault);
    }
    assert!(failures > 3, "{failures}");
    prune(&open(&history.vault()), &thorough());
    history.assert_whole(&history.vault());
}

/// The prune runs in a process of its own, which kills itself in the middle.
#[test]
fn killed_anywhere_a_prune_loses_nothing() {
    const CHILD: &str = "VAULT_TEST_KILL";
    if let Ok(order) = std::env::var(CHILD) {
        let (at, vault) = order.split_once(' ').unwrap();
        let store = Faulty::new(Path::new(vault), at.parse().unwrap(), Fault::Kill);
        let repository = Repository::open(store, PASSWORD.as_bytes()).unwrap();
        prune(&repository, &thorough());
        return;
    }
    let history = History::new();
    let vault = history.vault();
    let mut kills = 0;
    for at in (3..).step_by(11).take(long(5, 10) as usize) {
        let mut child = Command::new(std::env::current_exe().unwrap());
        child.args(["--exact", "killed_anywhere_a_prune_loses_nothing"]);
        let output = child.env(CHILD, format!("{at} {}", vault.display())).output().unwrap();
        assert!(
            output.status.success() || output.status.signal() == Some(9),
            "{}",
            String::from_utf8_lossy(&output.stdout)
        );
        kills += u64::from(output.status.signal() == Some(9));
        history.assert_whole(&vault);
    }
    assert!(kills > 2, "{kills}");
    prune(&open(&vault), &thorough());
    history.assert_whole(&vault);
}
