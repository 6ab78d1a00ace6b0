//! Repositories made by an attacker who holds the key, for tests; and how those bear them who only look.

mod walks;

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex};

use jiff::Timestamp;

use crate::cancel::Cancel;
use crate::id::Id;
use crate::index_file::IndexWriter;
use crate::key_file::KdfCost;
use crate::monitor::{FileError, FileErrorKind, Monitor};
use crate::node::{Node, NodeKind};
use crate::pack::{BlobKind, PackBuilder};
use crate::repository::{InitOptions, Repository};
use crate::snapshot::Snapshot;
use crate::store::{FileKind, LocalStore, Name};
use crate::tree;
use crate::walk::MAX_ENTRIES;

/// How deep walks get in trees that are wide and deep at once: so many levels of a thousand fit, and the largest.
pub(crate) const DEEPEST: usize = MAX_ENTRIES / 1000 + 2;

/// A repository whose trees can be written at will.
pub(crate) struct Forge {
    pub(crate) repository: Repository,
    packs: [PackBuilder; 2],
}

impl Forge {
    /// A new repository in a folder.
    pub(crate) fn new(folder: &Path) -> Self {
        let store = Arc::new(LocalStore::new(folder));
        Self::on(Repository::init(store, b"", &InitOptions { kdf: KdfCost::RANDOM_KEY }).unwrap())
    }

    /// For a repository that is there.
    pub(crate) fn on(repository: Repository) -> Self {
        Self { repository, packs: Default::default() }
    }

    pub(crate) fn blob(&mut self, kind: BlobKind, plain: &[u8]) -> Id {
        let sealed = self.repository.files.key.seal(plain).unwrap();
        self.packs[usize::from(kind == BlobKind::Tree)].push(kind, Id::of(plain), None, &sealed);
        Id::of(plain)
    }

    pub(crate) fn tree(&mut self, nodes: &[Node]) -> Id {
        let nodes: Vec<_> = nodes.iter().map(tree::encode_node).collect();
        self.blob(BlobKind::Tree, &tree::encode(nodes.iter().map(Vec::as_slice)))
    }

    /// A tree that is small, and says that it holds more than any disk: memory has to bear what is on one path.
    pub(crate) fn wide_and_deep(&mut self) -> Id {
        let mut below = self.tree(&[]);
        for _ in 0..20 {
            let folder = |name: u32| {
                let name = format!("{name:04}");
                Node { subtree: Some(below), ..node(name.as_bytes(), NodeKind::Dir) }
            };
            below = self.tree(&(0..1000).map(folder).collect::<Vec<_>>());
        }
        below
    }

    /// Stores everything, and a snapshot of the tree.
    pub(crate) fn snapshot(&mut self, tree: Id) -> Snapshot {
        let files = &self.repository.files;
        let mut index = IndexWriter::default();
        for mut pack in std::mem::take(&mut self.packs).into_iter().filter(|pack| !pack.is_empty()) {
            pack.finish(&files.key).unwrap();
            let name = Name(Id::of(&pack.bytes));
            files.store.save(FileKind::Pack, &name, &pack.bytes).unwrap();
            index.push(name.0, pack.blobs);
        }
        if let Some(json) = index.take() {
            files.save(FileKind::Index, &json).unwrap();
        }
        let json = format!(r#"{{"time":"2020-01-01T00:00:00Z","tree":"{tree}","paths":null}}"#);
        files.save(FileKind::Snapshot, json.as_bytes()).unwrap();
        let mut snapshots = self.repository.snapshots().unwrap();
        snapshots.retain(|snapshot| snapshot.tree == tree);
        snapshots.remove(0)
    }
}

/// An entry of a tree.
pub(crate) fn node(name: &[u8], kind: NodeKind) -> Node {
    Node {
        name: name.to_vec(),
        kind,
        mode: 0o755,
        mtime: Timestamp::UNIX_EPOCH,
        atime: Timestamp::UNIX_EPOCH,
        ctime: Timestamp::UNIX_EPOCH,
        uid: rustix::process::getuid().as_raw(),
        gid: rustix::process::getgid().as_raw(),
        user: String::new(),
        group: String::new(),
        inode: 0,
        device_id: 0,
        size: 0,
        links: 0,
        link_target: Vec::new(),
        xattrs: Vec::new(),
        device: 0,
        content: Vec::new(),
        subtree: None,
    }
}

/// Keeps what is told.
#[derive(Default)]
pub(crate) struct Errors(pub(crate) Mutex<Vec<FileError>>);

impl Monitor for Errors {
    fn error(&self, error: &FileError) {
        self.0.lock().unwrap().push(error.clone());
    }
}

/// Ends the run at the first refusal, and keeps how deep that was.
#[derive(Default)]
pub(crate) struct FirstRefusal {
    pub(crate) cancel: Cancel,
    depth: AtomicUsize,
}

impl FirstRefusal {
    /// How deep it was; 0 if nothing was refused.
    pub(crate) fn depth(&self) -> usize {
        self.depth.load(Relaxed)
    }
}

impl Monitor for FirstRefusal {
    fn error(&self, error: &FileError) {
        assert_eq!(error.kind, FileErrorKind::Refused);
        if !self.cancel.is_cancelled() {
            self.depth.store(depth(&error.path), Relaxed);
            self.cancel.cancel();
        }
    }
}

/// How many folders lead to a path, itself included.
pub(crate) fn depth(path: &Path) -> usize {
    path.components().count() - 1
}
