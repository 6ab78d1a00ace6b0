//! Which operations run together on one repository: the table of `repository.rs`, a test for each cell, and
//! many at once.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    reason = "tests and what they share"
)]

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use roadstead_vault::store::{Disposal, FileKind, LocalStore, Name, Store};
use roadstead_vault::{
    ArchiveFormat, BackupOptions, Cancel, CheckOptions, DrillOptions, Error, ErrorKind, FindOptions, Id,
    KdfCost, Page, PruneOptions, Repository, RestoreOptions, Result, Search, SnapshotRepair, Stream,
    VoidMonitor,
};
use support::trees::{self, assert_same, noise};
use support::{
    PASSWORD, backup, beneath, check, init, latest, long, open, options, restics, restore, stored, temporary,
};

/// What an operation asks of those beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Needs {
    Nothing,
    Shared,
    Alone,
}

type Work = fn(&Repository, &Path) -> Result<()>;

/// Every operation, with the locks it takes one after the other. The path is of a folder with a source and
/// another vault.
const OPERATIONS: [(&str, &[Needs], Work); 20] = [
    ("open and browse", &[Needs::Nothing], browse),
    ("find, diff, stats", &[Needs::Nothing], look),
    ("archive", &[Needs::Nothing], |repository, _| {
        let (snapshot, out, cancel) = (latest(repository), &mut std::io::sink(), Cancel::new());
        repository
            .archive(&snapshot, Path::new("/"), ArchiveFormat::Tar, out, &VoidMonitor, &cancel)
            .map(drop)
    }),
    ("keys", &[Needs::Nothing], |repository, _| {
        let key = repository.add_key(b"another", KdfCost::RANDOM_KEY)?;
        repository.keys()?;
        repository.remove_key(&key)
    }),
    ("backup", &[Needs::Shared], |repository, folder| {
        repository.backup(&options(&[&folder.join("source")]), &VoidMonitor, &Cancel::new()).map(drop)
    }),
    ("backup of a stream", &[Needs::Shared], |repository, _| {
        let stream = Stream::reader("stream", &b"content"[..]);
        repository.backup_stream(stream, &BackupOptions::default(), &VoidMonitor, &Cancel::new()).map(drop)
    }),
    ("restore", &[Needs::Shared], |repository, folder| {
        let (target, snapshot) = (folder.join("target"), latest(repository));
        repository.restore(&snapshot, &RestoreOptions::to(target), &VoidMonitor, &Cancel::new()).map(drop)
    }),
    ("plan of a restore", &[Needs::Shared], |repository, folder| {
        let (options, told) = (RestoreOptions::to(folder.join("target")), &mut |_: &Path, _, _| ());
        repository.plan_restore(&latest(repository), &options, &VoidMonitor, &Cancel::new(), told).map(drop)
    }),
    ("drill", &[Needs::Shared], |repository, _| {
        let scratch = temporary();
        let options = DrillOptions { scratch: scratch.path().join("drill"), files: 2, bytes: 1 << 20 };
        repository.drill(&latest(repository), &options, &VoidMonitor, &Cancel::new()).map(drop)
    }),
    ("view", &[Needs::Shared], |repository, _| {
        repository.view(&latest(repository), "long and random", &Cancel::new()).map(drop)
    }),
    ("check", &[Needs::Shared], |repository, _| {
        repository.check(&CheckOptions::default(), &VoidMonitor, &Cancel::new()).map(drop)
    }),
    ("forget", &[Needs::Shared], |repository, _| {
        repository.forget(&[Id::of(b"none")], Disposal::Remove, &Cancel::new()).map(drop)
    }),
    ("repair of snapshots", &[Needs::Shared], |repository, _| {
        let (snapshots, options) = (repository.snapshots()?, SnapshotRepair::default());
        repository.repair_snapshots(&snapshots, &options, &VoidMonitor, &Cancel::new()).map(drop)
    }),
    ("copy from here", &[Needs::Shared], |repository, folder| {
        repository.copy_to(&other(folder)?, &repository.snapshots()?, &VoidMonitor, &Cancel::new()).map(drop)
    }),
    ("copy to here", &[Needs::Shared], |repository, folder| {
        let other = other(folder)?;
        other.copy_to(repository, &other.snapshots()?, &VoidMonitor, &Cancel::new()).map(drop)
    }),
    ("copy to here, cut anew", &[Needs::Shared], |repository, folder| {
        let other = other(folder)?;
        other.copy_rechunked_to(repository, &other.snapshots()?, &VoidMonitor, &Cancel::new()).map(drop)
    }),
    ("plan of a prune", &[Needs::Shared], |repository, _| {
        repository.plan_prune(&PruneOptions::default(), &Cancel::new()).map(drop)
    }),
    ("prune", &[Needs::Shared, Needs::Alone], |repository, _| {
        let options = PruneOptions { disposal: Disposal::Remove, ..PruneOptions::default() };
        repository.prune(&options, &VoidMonitor, &Cancel::new()).map(drop)
    }),
    ("repair of the index", &[Needs::Alone], |repository, _| {
        repository.repair_index(&Cancel::new()).map(drop)
    }),
    ("salvage", &[Needs::Alone], |repository, _| {
        repository.salvage_packs(&[], Disposal::Remove, &Cancel::new()).map(drop)
    }),
];

fn other(folder: &Path) -> Result<Repository> {
    Repository::open(Arc::new(LocalStore::new(folder.join("other"))), PASSWORD.as_bytes())
}

fn browse(repository: &Repository, folder: &Path) -> Result<()> {
    let snapshot = repository.snapshots()?.remove(0);
    repository.list(&snapshot, &folder.join("source"), Page::ALL)?;
    repository
        .cat(&snapshot, &folder.join("source/file-00001"), &mut std::io::sink(), &Cancel::new())
        .map(drop)
}

fn look(repository: &Repository, _: &Path) -> Result<()> {
    let (snapshots, cancel) = (repository.snapshots()?, Cancel::new());
    let found = &mut |_| Search::Continue;
    repository.find(&snapshots, &FindOptions::default(), &VoidMonitor, &cancel, found)?;
    repository.diff(&snapshots[0], &snapshots[1], &VoidMonitor, &cancel, &mut |_| ())?;
    repository.stats(&snapshots, &VoidMonitor, &cancel).map(drop)
}

/// A store that calls somebody once, at the first call that is not about locks after so many were taken.
struct Gate {
    inner: LocalStore,
    locks: AtomicUsize,
    after: usize,
    #[allow(clippy::type_complexity, reason = "it is used once")]
    visitor: Mutex<Option<Box<dyn FnOnce() + Send>>>,
}

impl Gate {
    fn pass(&self, kind: FileKind) {
        if kind != FileKind::Lock && self.locks.load(Relaxed) == self.after {
            let visitor = self.visitor.lock().unwrap().take();
            visitor.into_iter().for_each(|visitor| visitor());
        }
    }
}

impl Store for Gate {
    fn list(&self, kind: FileKind) -> Result<Vec<(Name, u64)>> {
        self.pass(kind);
        self.inner.list(kind)
    }
    fn read(&self, kind: FileKind, name: &Name) -> Result<Vec<u8>> {
        self.pass(kind);
        self.inner.read(kind, name)
    }
    fn read_range(&self, kind: FileKind, name: &Name, offset: u64, length: usize) -> Result<Vec<u8>> {
        self.pass(kind);
        self.inner.read_range(kind, name, offset, length)
    }
    fn read_range_into(&self, kind: FileKind, name: &Name, offset: u64, bytes: &mut [u8]) -> Result<()> {
        self.pass(kind);
        self.inner.read_range_into(kind, name, offset, bytes)
    }
    fn is_near(&self) -> bool {
        self.inner.is_near()
    }
    fn save(&self, kind: FileKind, name: &Name, bytes: &[u8]) -> Result<()> {
        self.pass(kind);
        self.inner.save(kind, name, bytes)?;
        self.locks.fetch_add(usize::from(kind == FileKind::Lock), Relaxed);
        Ok(())
    }
    fn remove(&self, kind: FileKind, name: &Name) -> Result<()> {
        self.pass(kind);
        self.inner.remove(kind, name)
    }
    fn has_trash(&self) -> bool {
        self.inner.has_trash()
    }
    fn discard(&self, kind: FileKind, name: &Name) -> Result<()> {
        self.pass(kind);
        self.inner.discard(kind, name)
    }
    fn size(&self, kind: FileKind, name: &Name) -> Result<u64> {
        self.pass(kind);
        self.inner.size(kind, name)
    }
    fn location(&self) -> String {
        self.inner.location()
    }
    fn behind_cache(&self) -> Option<Arc<dyn Store>> {
        None
    }
}

/// A folder with a source, a vault of two snapshots of it, and another vault.
fn prepare() -> tempfile::TempDir {
    let folder = temporary();
    let source = folder.path().join("source");
    trees::many(&source, 10);
    let repository = init(&folder.path().join("vault"));
    backup(&repository, &[&source]);
    fs::write(source.join("second"), noise(1, 100_000)).unwrap();
    backup(&repository, &[&source]);
    let other = init(&folder.path().join("other"));
    fs::write(source.join("third"), noise(2, 100_000)).unwrap();
    backup(&other, &[&source]);
    folder
}

#[test]
fn every_pair_of_operations_does_what_the_table_says() {
    let prepared = prepare();
    let folder: PathBuf = prepared.path().to_owned();
    let vault = folder.join("vault");
    for (running, locks, work) in OPERATIONS {
        for (phase, held) in locks.iter().enumerate().filter(|(_, held)| **held != Needs::Nothing) {
            for (beside, wanted, other_work) in OPERATIONS {
                let refused = wanted.iter().any(|wanted| match (held, wanted) {
                    (_, Needs::Nothing) | (Needs::Shared, Needs::Shared) => false,
                    (_, _) => true,
                });
                let outcome: Arc<Mutex<Option<Result<()>>>> = Arc::default();
                let (kept, there) = (Arc::clone(&outcome), folder.clone());
                let visitor = move || {
                    let result = other_work(&open(&there.join("vault")), &there);
                    *kept.lock().unwrap() = Some(result);
                };
                let gate = Gate {
                    inner: LocalStore::new(&vault),
                    locks: AtomicUsize::new(0),
                    after: phase + 1,
                    visitor: Mutex::new(Some(Box::new(visitor))),
                };
                let repository = Repository::open(Arc::new(gate), PASSWORD.as_bytes()).unwrap();
                let pair = format!("{beside} beside {running} ({held:?})");
                work(&repository, &folder).unwrap_or_else(|e| panic!("{pair}: {e}"));
                let outcome = outcome.lock().unwrap().take().unwrap_or_else(|| panic!("{pair}: never met"));
                let told = outcome.as_ref().map_err(Error::kind);
                assert_eq!(told, if refused { Err(ErrorKind::Locked) } else { Ok(&()) }, "{pair}");
                assert!(stored(&vault, "locks").is_empty(), "{pair}");
            }
        }
    }
    assert_eq!(check(&open(&vault)).problems, []);
    restics().iter().for_each(|restic| restic.check(&vault));
}

const CHILD: &str = "VAULT_TEST_BESIDE";

/// Starts this test once more, as a process that does one thing.
fn start(work: &str, folder: &Path, number: usize) -> Child {
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", "five_backups_a_prune_and_a_restic_at_once"]);
    child.env(CHILD, format!("{work} {number} {}", folder.display()));
    child.stdout(std::process::Stdio::null()).spawn().unwrap()
}

fn child(order: &str) {
    let mut words = order.splitn(3, ' ');
    let (work, number, folder) =
        (words.next().unwrap(), words.next().unwrap(), Path::new(words.next().unwrap()));
    let repository = open(&folder.join("vault")).with_lock_patience(Duration::from_secs(300));
    if work == "backup" {
        backup(&repository, &[&folder.join(format!("source-{number}"))]);
        return;
    }
    let options = PruneOptions { disposal: Disposal::Remove, max_waste: 0.0, ..PruneOptions::default() };
    repository.prune(&options, &VoidMonitor, &Cancel::new()).unwrap();
}

#[test]
fn five_backups_a_prune_and_a_restic_at_once() {
    if let Ok(order) = std::env::var(CHILD) {
        return child(&order);
    }
    let folder = temporary();
    let (folder, vault) = (folder.path(), folder.path().join("vault"));
    let repository = init(&vault);
    let sources: Vec<PathBuf> = (0..6).map(|number| folder.join(format!("source-{number}"))).collect();
    sources.iter().for_each(|source| trees::many(source, 50));
    let restics = restics();
    for round in 0..long(3, 50) {
        for (number, source) in sources.iter().enumerate() {
            // Half of it is the same for all: whoever comes first stores it.
            fs::write(source.join("shared"), noise(round, 3 << 20)).unwrap();
            fs::write(source.join("own"), noise(1000 * round + number as u64, 1 << 20)).unwrap();
        }
        // Something to prune: all but the latest of each source.
        let old: Vec<Id> = repository.snapshots().unwrap().iter().map(|snapshot| snapshot.id).collect();
        repository.forget(&old, Disposal::Remove, &Cancel::new()).unwrap();
        let mut children: Vec<Child> = (0..5).map(|number| start("backup", folder, number)).collect();
        children.push(start("prune", folder, 0));
        // Ours wait for others to end; restic, when it is refused, comes again.
        if let Some(restic) = restics.get(round as usize % restics.len().max(1)) {
            while !restic.attempt(&vault, &["backup", sources[5].to_str().unwrap()]).0 {
                std::thread::yield_now();
            }
        }
        for child in &mut children {
            assert!(child.wait().unwrap().success(), "round {round}");
        }
        assert_eq!(check(&repository).problems, [], "round {round}");
        restics.iter().for_each(|restic| restic.check(&vault));
        let snapshots = repository.snapshots().unwrap();
        assert_eq!(snapshots.len(), if restics.is_empty() { 5 } else { 6 }, "round {round}");
        for snapshot in snapshots {
            let (target, source) = (temporary(), PathBuf::from(&snapshot.paths[0]));
            restore(&repository, &snapshot, target.path());
            assert_same(&source, &beneath(target.path(), &source));
        }
    }
}
