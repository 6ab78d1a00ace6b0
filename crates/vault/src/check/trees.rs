//! Every snapshot's trees against the blobs found sound.
//!
//! A tree is read once however many snapshots share it. Those with a problem somewhere beneath are entered
//! again for each snapshot, so that all that are hit are named; bounds keep that finite, and memory small, whatever
//! the repository holds.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use super::packs::Packs;
use super::{CheckReport, Hit, Problem, ProblemKind};
use crate::cancel::Cancel;
use crate::error::{ErrorKind, Result};
use crate::id::Id;
use crate::metadata::os;
use crate::node::{Node, NodeKind};
use crate::pack::BlobKind;
use crate::repository::Blobs;
use crate::snapshot::Snapshot;
use crate::walk::too_much;

const MAX_HITS: usize = 1000;
/// Trees entered again because of a problem beneath them.
const MAX_AGAIN: u64 = 1_000_000;

/// Walks all snapshots.
pub(super) fn verify(
    blobs: &Blobs,
    packs: &Packs,
    snapshots: &[Snapshot],
    cancel: &Cancel,
    report: &mut CheckReport,
) -> Result<()> {
    let mut walk = Walk {
        blobs,
        packs,
        cancel,
        report,
        sound: HashSet::new(),
        seen: HashSet::new(),
        causes: HashMap::new(),
        again: 0,
    };
    snapshots.iter().try_for_each(|snapshot| walk.snapshot(snapshot))
}

struct Walk<'a> {
    blobs: &'a Blobs,
    packs: &'a Packs,
    cancel: &'a Cancel,
    report: &'a mut CheckReport,
    /// Trees with nothing wrong in them or beneath.
    sound: HashSet<Id>,
    seen: HashSet<Id>,
    /// The problems of blobs that are in no index and of trees that cannot be understood.
    causes: HashMap<(BlobKind, Id), usize>,
    again: u64,
}

struct Level {
    tree: Id,
    path: PathBuf,
    entries: usize,
    nodes: std::vec::IntoIter<Node>,
    sound: bool,
}

impl Walk<'_> {
    fn snapshot(&mut self, snapshot: &Snapshot) -> Result<()> {
        let mut levels: Vec<Level> = Vec::new();
        levels.extend(self.enter(snapshot, snapshot.tree, PathBuf::from("/"))?);
        while let Some(level) = levels.last_mut() {
            self.cancel.check()?;
            let Some(node) = level.nodes.next() else {
                self.leave(&mut levels);
                continue;
            };
            let path = level.path.join(os(&node.name));
            level.sound &= self.content(snapshot, &node, &path);
            let Some(tree) = node.subtree.filter(|_| node.kind == NodeKind::Dir) else { continue };
            if self.sound.contains(&tree) {
                continue;
            }
            if let Some(reason) = too_much(levels.iter().map(|level| level.entries)) {
                // Nobody restores such a snapshot: where it goes on does not matter.
                self.note(ProblemKind::TreeDamaged, snapshot, BlobKind::Tree, tree, &path, reason);
                return Ok(());
            }
            match (self.enter(snapshot, tree, path)?, levels.last_mut()) {
                (Some(entered), _) => levels.push(entered),
                (None, above) => above.into_iter().for_each(|above| above.sound = false),
            }
        }
        Ok(())
    }

    /// Ends the deepest level: it is sound, or the one above is not either.
    fn leave(&mut self, levels: &mut Vec<Level>) {
        let Some(level) = levels.pop() else { return };
        if level.sound {
            self.sound.insert(level.tree);
        } else if let Some(above) = levels.last_mut() {
            above.sound = false;
        }
    }

    /// Reads a tree; `None` after noting that it cannot be read.
    fn enter(&mut self, snapshot: &Snapshot, tree: Id, path: PathBuf) -> Result<Option<Level>> {
        if !self.seen.insert(tree) {
            self.again += 1;
            if self.again > MAX_AGAIN {
                return Ok(None);
            }
        }
        if !self.is_readable(snapshot, BlobKind::Tree, tree, &path) {
            return Ok(None);
        }
        match self.blobs.tree(&tree) {
            Ok(nodes) => {
                self.report.trees = self.seen.len() as u64;
                Ok(Some(Level { tree, path, entries: nodes.len(), nodes: nodes.into_iter(), sound: true }))
            }
            Err(e) if matches!(e.kind(), ErrorKind::Damaged | ErrorKind::NotFound | ErrorKind::Io) => {
                self.note(ProblemKind::TreeDamaged, snapshot, BlobKind::Tree, tree, &path, &e.to_string());
                Ok(None)
            }
            Err(e) => Err(e),
        }
    }

    /// Whether all blobs of a file can be read.
    fn content(&mut self, snapshot: &Snapshot, node: &Node, path: &Path) -> bool {
        let readable = |id: &Id| self.is_readable(snapshot, BlobKind::Data, *id, path);
        node.content.iter().map(readable).fold(true, |all, one| all & one)
    }

    fn is_readable(&mut self, snapshot: &Snapshot, kind: BlobKind, id: Id, path: &Path) -> bool {
        let (blobs, packs) = (self.blobs, self.packs);
        if blobs.index.all(kind, &id).any(|location| packs.is_sound(&location)) {
            return true;
        }
        match blobs.index.get(kind, &id).and_then(|location| packs.bad.get(&location.pack)) {
            Some(problem) => self.hit(*problem, snapshot, path),
            None => {
                let message = format!("blob {id} is in no index");
                self.note(ProblemKind::BlobMissing, snapshot, kind, id, path, &message);
            }
        }
        false
    }

    /// Notes a problem that no file of the store accounts for.
    fn note(
        &mut self,
        kind: ProblemKind,
        snapshot: &Snapshot,
        blob: BlobKind,
        id: Id,
        path: &Path,
        message: &str,
    ) {
        let problems = &mut self.report.problems;
        let problem = *self.causes.entry((blob, id)).or_insert_with(|| {
            problems.push(Problem::new(kind, None, message));
            problems.len() - 1
        });
        self.hit(problem, snapshot, path);
    }

    fn hit(&mut self, problem: usize, snapshot: &Snapshot, path: &Path) {
        let hits = &mut self.report.problems[problem].hits;
        let hit = Hit { snapshot: snapshot.id, path: path.to_owned() };
        if hits.len() < MAX_HITS && hits.last() != Some(&hit) {
            hits.push(hit);
        }
    }
}
