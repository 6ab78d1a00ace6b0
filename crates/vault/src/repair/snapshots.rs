//! Repair of snapshots with holes: a new snapshot without what is lost takes the place of the old one.
//!
//! Trees are made anew from the bottom up, where something beneath them is lost; all others stay as they
//! are. What restic's trees say beyond what this engine knows is lost with those made anew.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;

use crate::cancel::Cancel;
use crate::error::{Error, ErrorKind, Result};
use crate::id::Id;
use crate::metadata::os;
use crate::monitor::{FileError, FileErrorKind, Monitor};
use crate::node::{Node, NodeKind};
use crate::pack::BlobKind;
use crate::pack_writer::PackWriter;
use crate::repository::{Blobs, Repository};
use crate::snapshot::Snapshot;
use crate::stats::plain_length;
use crate::store::{Disposal, FileKind, Name};
use crate::tree;
use crate::walk::{lost, too_much};

/// Damaged trees that are entered again, to tell what is lost at each of their places.
const MAX_AGAIN: u64 = 1_000_000;

/// How to repair snapshots.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SnapshotRepair {
    /// Whether a file keeps what is left of its content, shortened by what is lost, as restic does it;
    /// else it is left out.
    pub keep_parts: bool,
    /// What becomes of the old snapshots; they stay when `None`.
    pub forget: Option<Disposal>,
    /// Whether only to tell what would be done.
    pub dry_run: bool,
}

/// A snapshot with holes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RepairedSnapshot {
    /// The snapshot.
    pub snapshot: Id,
    /// The one that takes its place. `None` if nothing of it is left, or in a dry run.
    pub replacement: Option<Id>,
    /// Files and folders that are lost, in whole or in part.
    pub lost: u64,
}

impl Repository {
    /// Looks for what is lost of these snapshots, by the index and the trees, and writes those that have
    /// holes anew without it, each as a rewriting of the old one. What is lost is told to `monitor`, file by
    /// file; a lost folder is told without what was in it, which nobody knows. Gives the snapshots that had
    /// holes. One with more folders within each other, or more in them, than any real one has is told and stays as it is.
    ///
    /// What is damaged must be out of the index first: [`Repository::salvage_packs`] sees to that, or
    /// [`Repository::repair_index`] where whole packs are lost.
    /// [`ErrorKind::Unsupported`] before anything is done where old snapshots are to go
    /// to a trash that is not there.
    pub fn repair_snapshots(
        &self,
        snapshots: &[Snapshot],
        options: &SnapshotRepair,
        monitor: &dyn Monitor,
        cancel: &Cancel,
    ) -> Result<Vec<RepairedSnapshot>> {
        options.forget.map_or(Ok(()), |disposal| disposal.require(&*self.files.store))?;
        let lock = self.lock(cancel)?;
        let blobs = self.blobs()?;
        let writer = PackWriter::new(&self.files);
        let mut rewriter = Rewriter {
            blobs: &blobs,
            writer: (!options.dry_run).then_some(&writer),
            monitor,
            keep_parts: options.keep_parts,
            lost: 0,
            sound: HashSet::new(),
            rewritten: HashMap::new(),
            again: 0,
        };
        let mut found = Vec::new();
        for snapshot in snapshots {
            rewriter.lost = 0;
            let tree = rewriter.rewrite(snapshot.tree, cancel)?;
            if rewriter.lost > 0 {
                found.push((snapshot, tree, rewriter.lost));
            }
        }
        writer.finish()?;
        lock.verify()?;
        found
            .into_iter()
            .map(|(snapshot, tree, lost)| self.replace(snapshot, tree, lost, options, cancel))
            .collect()
    }

    fn replace(
        &self,
        old: &Snapshot,
        tree: Option<Id>,
        lost: u64,
        options: &SnapshotRepair,
        cancel: &Cancel,
    ) -> Result<RepairedSnapshot> {
        cancel.check()?;
        let repaired = RepairedSnapshot { snapshot: old.id, replacement: None, lost };
        if options.dry_run {
            return Ok(repaired);
        }
        let replacement = tree.map(|tree| self.save_repaired(old, tree)).transpose()?;
        if let Some(disposal) = options.forget {
            match disposal.dispose(&*self.files.store, FileKind::Snapshot, &Name(old.id)) {
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        Ok(RepairedSnapshot { replacement, ..repaired })
    }

    fn save_repaired(&self, old: &Snapshot, tree: Id) -> Result<Id> {
        // The counts were those of the run that made it, and are no longer true.
        let original = old.original.or(Some(old.id));
        let new = Snapshot { tree, original, first_tree: None, summary: None, ..old.clone() };
        let json = serde_json::to_vec(&new)
            .map_err(|e| Error::new(ErrorKind::Invalid, "writing the snapshot").with_source(e))?;
        Ok(self.files.save(FileKind::Snapshot, &json)?.0)
    }
}

struct Rewriter<'a> {
    blobs: &'a Blobs,
    /// `None` in a dry run.
    writer: Option<&'a PackWriter<'a>>,
    monitor: &'a dyn Monitor,
    keep_parts: bool,
    /// Files and folders of this snapshot that are lost.
    lost: u64,
    sound: HashSet<Id>,
    /// What trees with something lost beneath became.
    rewritten: HashMap<Id, Id>,
    again: u64,
}

/// A folder being gone through.
struct Level {
    tree: Id,
    path: PathBuf,
    entries: usize,
    nodes: std::vec::IntoIter<Node>,
    kept: Vec<Node>,
    changed: bool,
}

impl Rewriter<'_> {
    /// The tree without what is lost of it; itself where nothing is, or where it cannot be gone through. `None` where
    /// all is.
    fn rewrite(&mut self, top: Id, cancel: &Cancel) -> Result<Option<Id>> {
        if self.sound.contains(&top) {
            return Ok(Some(top));
        }
        let Some(level) = self.enter(top, PathBuf::from("/"))? else { return Ok(None) };
        let mut levels = vec![level];
        loop {
            cancel.check()?;
            let Some(level) = levels.last_mut() else { return Ok(None) };
            if let Some(node) = level.nodes.next() {
                let Some(entered) = self.visit(level, node)? else { continue };
                levels.push(entered);
                if self.is_too_much(&levels) {
                    return Ok(Some(top));
                }
                continue;
            }
            let Some(level) = levels.pop() else { return Ok(None) };
            let (tree, changed) = (self.leave(&level)?, level.changed);
            let Some(above) = levels.last_mut() else { return Ok(Some(tree)) };
            above.changed |= changed;
            if let Some(node) = above.kept.last_mut() {
                node.subtree = Some(tree);
            }
        }
    }

    /// Whether memory would not bear what these folders hold. That is told, and what was found lost counts no more.
    fn is_too_much(&mut self, levels: &[Level]) -> bool {
        let (reason, deepest) = (too_much(levels.iter().map(|level| level.entries)), levels.last());
        let (Some(reason), Some(deepest)) = (reason, deepest) else { return false };
        self.monitor.error(&FileError::new(&deepest.path, FileErrorKind::Refused, reason));
        self.lost = 0;
        true
    }

    /// Keeps an entry as far as it is there; gives the folder to go into.
    fn visit(&mut self, level: &mut Level, mut node: Node) -> Result<Option<Level>> {
        let path = level.path.join(os(&node.name));
        if node.kind != NodeKind::Dir {
            let index = &self.blobs.index;
            let before = node.content.len();
            node.content.retain(|id| index.contains(BlobKind::Data, id));
            if node.content.len() == before {
                level.kept.push(node);
                return Ok(None);
            }
            level.changed = true;
            self.tell(
                &path,
                &Error::damaged(format!("{} of {before} blobs are lost", before - node.content.len())),
            );
            if self.keep_parts {
                let locations = node.content.iter().filter_map(|id| index.get(BlobKind::Data, id));
                node.size = locations.map(|location| plain_length(&location.blob)).sum();
                level.kept.push(node);
            }
            return Ok(None);
        }
        let Some(tree) = node.subtree else {
            level.changed = true;
            self.tell(&path, &Error::damaged("a folder without a tree"));
            return Ok(None);
        };
        if let Some(known) = self.known(tree) {
            level.changed |= known != tree;
            level.kept.push(Node { subtree: Some(known), ..node });
            return Ok(None);
        }
        let entered = self.enter(tree, path)?;
        match &entered {
            Some(_) => level.kept.push(node),
            None => level.changed = true,
        }
        Ok(entered)
    }

    /// What a tree became that need not be entered again.
    fn known(&mut self, tree: Id) -> Option<Id> {
        if self.sound.contains(&tree) {
            return Some(tree);
        }
        let rewritten = self.rewritten.get(&tree).copied()?;
        self.again += 1;
        (self.again > MAX_AGAIN).then_some(rewritten)
    }

    /// Reads a tree; `None` after telling that it is lost.
    fn enter(&mut self, tree: Id, path: PathBuf) -> Result<Option<Level>> {
        match self.blobs.tree(&tree) {
            Ok(nodes) => {
                let (entries, nodes) = (nodes.len(), nodes.into_iter());
                Ok(Some(Level { tree, path, entries, nodes, kept: Vec::new(), changed: false }))
            }
            // A disk that fails may work again: only what is gone or wrong is lost.
            Err(error) if matches!(error.kind(), ErrorKind::Damaged | ErrorKind::NotFound) => {
                self.tell(&path, &error);
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Stores a tree that is another now; gives its id.
    fn leave(&mut self, level: &Level) -> Result<Id> {
        if !level.changed {
            self.sound.insert(level.tree);
            return Ok(level.tree);
        }
        if let Some(rewritten) = self.rewritten.get(&level.tree) {
            return Ok(*rewritten);
        }
        let nodes: Vec<Vec<u8>> = level.kept.iter().map(tree::encode_node).collect();
        let json = tree::encode(nodes.iter().map(Vec::as_slice));
        let id = match self.writer {
            Some(writer) => writer.push_tree(&json)?,
            None => Id::of(&json),
        };
        self.rewritten.insert(level.tree, id);
        Ok(id)
    }

    fn tell(&mut self, path: &std::path::Path, error: &Error) {
        self.lost += 1;
        self.monitor.error(&lost(path, error));
    }
}
