//! How much is in snapshots, and how much of the repository they take up.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use crate::cancel::Cancel;
use crate::cipher::OVERHEAD;
use crate::error::Result;
use crate::id::Id;
use crate::monitor::{FileError, Monitor};
use crate::node::{Node, NodeKind};
use crate::pack::{BlobKind, PackedBlob};
use crate::repository::{Blobs, Repository};
use crate::snapshot::Snapshot;
use crate::walk::{Step, Visitor, walk};

/// What a snapshot would take to restore, and what it brought to the repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SnapshotStats {
    /// The snapshot.
    pub snapshot: Id,
    /// Its contents.
    pub contents: Contents,
    /// Blobs that no earlier one of the snapshots looked at needs.
    pub added: RawStats,
}

/// Files and folders. Sizes are in bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Contents {
    /// Files, each hard link counted.
    pub files: u64,
    /// Folders, those above the paths backed up counted.
    pub dirs: u64,
    /// Links, devices, pipes and sockets.
    pub specials: u64,
    /// What restoring it writes: the sizes of the files, each of several hard links once.
    pub bytes: u64,
}

/// Blobs. Sizes are in bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RawStats {
    /// Blobs, each counted once.
    pub blobs: u64,
    /// What is in them.
    pub bytes: u64,
    /// What they take up as stored: compressed and sealed.
    pub bytes_stored: u64,
}

/// What some snapshots hold together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stats {
    /// Each of them, oldest first.
    pub snapshots: Vec<SnapshotStats>,
    /// Their blobs, what they share counted once.
    pub raw: RawStats,
    /// Folders that could not be read: what is in them is counted nowhere.
    pub unreadable: u64,
}

impl Stats {
    /// What restoring each of them would take, together.
    pub fn contents(&self) -> Contents {
        let mut all = Contents::default();
        self.snapshots.iter().for_each(|snapshot| all.add(&snapshot.contents));
        all
    }
}

impl Contents {
    fn add(&mut self, other: &Self) {
        self.files += other.files;
        self.dirs += other.dirs;
        self.specials += other.specials;
        self.bytes = self.bytes.saturating_add(other.bytes);
    }
}

impl RawStats {
    fn add(&mut self, blob: &PackedBlob) {
        self.blobs += 1;
        self.bytes += plain_length(blob);
        self.bytes_stored += u64::from(blob.length);
    }
}

/// The length of a blob's content in bytes.
pub(crate) fn plain_length(blob: &PackedBlob) -> u64 {
    blob.plain_length.unwrap_or_else(|| blob.length.saturating_sub(OVERHEAD as u32)).into()
}

impl Repository {
    /// Counts what these snapshots hold. Folders that cannot be read are told to `monitor`.
    pub fn stats(&self, snapshots: &[Snapshot], monitor: &dyn Monitor, cancel: &Cancel) -> Result<Stats> {
        let blobs = self.blobs()?;
        let mut sorted: Vec<&Snapshot> = snapshots.iter().collect();
        sorted.sort_by_key(|snapshot| (snapshot.time, snapshot.id));
        let mut counter = Counter {
            blobs: &blobs,
            monitor,
            seen: HashSet::new(),
            added: RawStats::default(),
            known: HashMap::new(),
            levels: Vec::new(),
            links: HashSet::new(),
            unreadable: 0,
        };
        let mut stats = Stats::default();
        for snapshot in sorted {
            let (contents, added) = counter.snapshot(snapshot, cancel)?;
            stats.raw.blobs += added.blobs;
            stats.raw.bytes += added.bytes;
            stats.raw.bytes_stored += added.bytes_stored;
            stats.snapshots.push(SnapshotStats { snapshot: snapshot.id, contents, added });
        }
        stats.unreadable = counter.unreadable;
        Ok(stats)
    }
}

struct Counter<'a> {
    blobs: &'a Blobs,
    monitor: &'a dyn Monitor,
    /// Blobs counted for any snapshot.
    seen: HashSet<Id>,
    added: RawStats,
    /// What is in a tree and beneath it, where no hard links make that depend on the rest of the snapshot.
    known: HashMap<Id, Contents>,
    levels: Vec<Level>,
    /// The files of this snapshot that have several links.
    links: HashSet<(u64, u64)>,
    unreadable: u64,
}

#[derive(Default)]
struct Level {
    contents: Contents,
    linked: bool,
}

impl Counter<'_> {
    fn snapshot(&mut self, snapshot: &Snapshot, cancel: &Cancel) -> Result<(Contents, RawStats)> {
        self.added = RawStats::default();
        self.levels = vec![Level::default()];
        self.links.clear();
        self.need(BlobKind::Tree, &snapshot.tree);
        let blobs = self.blobs;
        walk(blobs, snapshot.tree, cancel, self)?;
        let contents = self.levels.first().map(|level| level.contents).unwrap_or_default();
        Ok((contents, self.added))
    }

    fn need(&mut self, kind: BlobKind, id: &Id) {
        if let Some(location) = self.blobs.index.get(kind, id).filter(|_| self.seen.insert(*id)) {
            self.added.add(&location.blob);
        }
    }

    /// The bytes a restore writes for this file: none for the second of several links.
    fn size(&mut self, node: &Node) -> u64 {
        let linked = node.links > 1 && node.inode != 0;
        if let Some(level) = self.levels.last_mut().filter(|_| linked) {
            level.linked = true;
        }
        let counted = linked && !self.links.insert((node.device_id, node.inode));
        if counted { 0 } else { node.size }
    }

    fn count(&mut self, contents: &Contents) {
        if let Some(level) = self.levels.last_mut() {
            level.contents.add(contents);
        }
    }
}

impl Visitor for Counter<'_> {
    fn entry(&mut self, _path: &Path, node: Node) -> Result<Step> {
        match node.kind {
            NodeKind::File => {
                let bytes = self.size(&node);
                self.count(&Contents { files: 1, bytes, ..Contents::default() });
                node.content.iter().for_each(|id| self.need(BlobKind::Data, id));
            }
            NodeKind::Dir => self.count(&Contents { dirs: 1, ..Contents::default() }),
            _ => self.count(&Contents { specials: 1, ..Contents::default() }),
        }
        let Some(tree) = node.folder() else { return Ok(Step::Pass) };
        if let Some(contents) = self.known.get(&tree).copied() {
            self.count(&contents);
            return Ok(Step::Pass);
        }
        self.need(BlobKind::Tree, &tree);
        Ok(Step::Enter)
    }

    fn entered(&mut self, _tree: &Id, _path: &Path) {
        self.levels.push(Level::default());
    }

    fn left(&mut self, tree: &Id, _path: &Path) {
        let Some(level) = self.levels.pop() else { return };
        if !level.linked {
            self.known.insert(*tree, level.contents);
        }
        if let Some(above) = self.levels.last_mut() {
            above.contents.add(&level.contents);
            above.linked |= level.linked;
        }
    }

    fn trouble(&mut self, error: &FileError) {
        self.unreadable += 1;
        self.monitor.error(error);
    }
}
