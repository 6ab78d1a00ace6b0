//! Whoever may write into a store may lie: prune must lose nothing that is good.

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;

use super::{PruneOptions, PruneSummary};
use crate::cancel::Cancel;
use crate::error::{ErrorKind, Result};
use crate::id::Id;
use crate::index_file::IndexWriter;
use crate::key_file::KdfCost;
use crate::monitor::VoidMonitor;
use crate::pack::{BlobKind, PackBuilder};
use crate::pipeline::BackupOptions;
use crate::repository::{InitOptions, Repository};
use crate::restore::RestoreOptions;
use crate::snapshot::Snapshot;
use crate::store::{FileKind, LocalStore, Name};

struct Vault {
    folder: tempfile::TempDir,
    repository: Repository,
    snapshot: Snapshot,
}

impl Vault {
    /// A repository with one snapshot of one file.
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Arc::new(LocalStore::new(folder.path().join("vault")));
        let options = InitOptions { kdf: KdfCost::RANDOM_KEY };
        let repository = Repository::init(store, b"", &options).unwrap();
        fs::create_dir(folder.path().join("source")).unwrap();
        fs::write(folder.path().join("source/file"), "good").unwrap();
        let options = BackupOptions { paths: vec![folder.path().join("source")], ..BackupOptions::default() };
        repository.backup(&options, &VoidMonitor, &Cancel::new()).unwrap();
        let snapshot = repository.snapshots().unwrap().remove(0);
        Self { folder, repository, snapshot }
    }

    fn store(&self) -> LocalStore {
        LocalStore::new(self.folder.path().join("vault"))
    }

    fn packs(&self) -> usize {
        self.repository.files.store.list(FileKind::Pack).unwrap().len()
    }

    /// Stores a pack that claims to hold `claimed`, and does not.
    fn junk(&self, claimed: &[u8], content: &[u8], indexed: bool) -> Id {
        let files = &self.repository.files;
        let mut pack = PackBuilder::default();
        pack.push(BlobKind::Data, Id::of(claimed), None, &files.key.seal(content).unwrap());
        pack.finish(&files.key).unwrap();
        let name = Name(Id::of(&pack.bytes));
        files.store.save(FileKind::Pack, &name, &pack.bytes).unwrap();
        if indexed {
            let mut index = IndexWriter::default();
            index.push(name.0, pack.blobs);
            files.save(FileKind::Index, &index.take().unwrap()).unwrap();
        }
        name.0
    }

    fn prune(&self, arrivals: HashMap<Id, Timestamp>) -> Result<PruneSummary> {
        let options = PruneOptions { arrivals, max_waste: 0.0, ..PruneOptions::default() };
        self.repository.prune(&options, &VoidMonitor, &Cancel::new())
    }

    fn assert_restores(&self) {
        let target = tempfile::tempdir().unwrap();
        let summary = self
            .repository
            .restore(&self.snapshot, &RestoreOptions::to(target.path()), &VoidMonitor, &Cancel::new())
            .unwrap();
        let path = self.folder.path().join("source/file");
        let restored = target.path().join(path.strip_prefix(Path::new("/")).unwrap());
        assert_eq!((fs::read(restored).unwrap(), summary.errors), (b"good".to_vec(), 0));
    }
}

#[test]
fn junk_under_a_known_id_goes_and_the_good_blob_stays() {
    let vault = Vault::new();
    vault.junk(b"good", b"evil", true);
    let summary = vault.prune(vault.store().arrivals(FileKind::Pack).unwrap()).unwrap();
    assert_eq!((summary.packs_dropped, summary.index_rewritten, vault.packs()), (1, true, 2));
    vault.assert_restores();
}

#[test]
fn junk_that_arrived_first_goes_as_well_since_it_is_no_copy() {
    let vault = Vault::new();
    let junk = vault.junk(b"good", b"evil", true);
    let mut arrivals = vault.store().arrivals(FileKind::Pack).unwrap();
    arrivals.insert(junk, Timestamp::MIN);
    vault.prune(arrivals).unwrap();
    assert_eq!(vault.packs(), 2);
    vault.assert_restores();
}

#[test]
fn of_two_true_copies_the_first_stays() {
    for first in [false, true] {
        let vault = Vault::new();
        let copy = vault.junk(b"good", b"good", true);
        let mut arrivals = vault.store().arrivals(FileKind::Pack).unwrap();
        arrivals.insert(copy, if first { Timestamp::MIN } else { Timestamp::MAX });
        vault.prune(arrivals).unwrap();
        let packs = vault.repository.files.store.list(FileKind::Pack).unwrap();
        assert_eq!(packs.iter().any(|(name, _)| name.0 == copy), first);
        vault.assert_restores();
    }
}

#[test]
fn an_index_that_lies_or_is_lost_loses_nothing() {
    let vault = Vault::new();
    let files = &vault.repository.files;
    // All real indexes gone, and one that claims everything lies in a pack that is not there.
    let mut index = IndexWriter::default();
    for location in vault.repository.blobs().unwrap().index.iter() {
        index.push(Id::of(b"no such pack"), vec![location.blob]);
    }
    for (name, _) in files.store.list(FileKind::Index).unwrap() {
        files.store.remove(FileKind::Index, &name).unwrap();
    }
    files.save(FileKind::Index, &index.take().unwrap()).unwrap();
    let summary = vault.prune(HashMap::new()).unwrap();
    assert_eq!((summary.packs_dropped, summary.index_rewritten), (0, true));
    vault.assert_restores();
    assert!(!vault.prune(HashMap::new()).unwrap().index_rewritten, "now it says what is true");
}

#[test]
fn junk_files_stop_nobody_and_a_damaged_snapshot_stops_everything() {
    let vault = Vault::new();
    let files = &vault.repository.files;
    for kind in [FileKind::Snapshot, FileKind::Pack] {
        files.store.save(kind, &Name(Id::of(b"junk")), b"junk").unwrap();
    }
    let plan = vault.repository.plan_prune(&PruneOptions::default(), &Cancel::new()).unwrap();
    assert_eq!(plan.junk_snapshots, [Id::of(b"junk")]);
    assert_eq!(plan.unreadable, [(Id::of(b"junk"), 4)]);
    assert_eq!(vault.prune(HashMap::new()).unwrap().packs_dropped, 1);
    vault.assert_restores();

    let snapshot = vault.folder.path().join("vault/snapshots").join(vault.snapshot.id.to_string());
    let mut bytes = fs::read(&snapshot).unwrap();
    bytes[20] ^= 1;
    fs::write(&snapshot, bytes).unwrap();
    assert_eq!(vault.prune(HashMap::new()).unwrap_err().kind(), ErrorKind::Damaged);
    assert_eq!(vault.packs(), 2);
}

#[test]
fn a_needed_blob_that_is_nowhere_stops_a_prune_and_is_told_with_its_snapshot() {
    let vault = Vault::new();
    let pack = vault.repository.blobs().unwrap().index.get(BlobKind::Data, &Id::of(b"good")).unwrap().pack;
    vault.repository.files.store.remove(FileKind::Pack, &Name(pack)).unwrap();
    let error = vault.prune(HashMap::new()).unwrap_err();
    assert!(error.to_string().contains(&vault.snapshot.id.to_string()), "{error}");
    assert_eq!(vault.packs(), 1);
}
