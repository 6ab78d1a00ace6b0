//! What differs between two snapshots.
//!
//! Both are walked side by side. Folders with the same tree are not entered, so the time taken follows
//! what differs, and not what there is; only the count of bytes looks through the rest, to tell what is
//! new in the repository from what was there at another path.

use std::cmp::Ordering;
use std::collections::HashSet;
use std::iter::Peekable;
use std::path::{Path, PathBuf};
use std::vec::IntoIter;

use crate::browse::Entry;
use crate::cancel::Cancel;
use crate::error::Result;
use crate::id::Id;
use crate::metadata::os;
use crate::monitor::{FileError, FileErrorKind, Monitor};
use crate::node::{Node, NodeKind};
use crate::pack::BlobKind;
use crate::repository::{Blobs, Repository};
use crate::snapshot::Snapshot;
use crate::stats::plain_length;
use crate::walk::{lost, refusal, too_much};

/// How an entry differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Difference {
    /// Only the second snapshot has it.
    Added,
    /// Only the first snapshot has it.
    Removed,
    /// A file's content, or where a link points.
    Content,
    /// Only owner, mode, times or attributes.
    Metadata,
    /// One is a file and the other a folder, or the like.
    Kind,
}

/// One entry that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Its path in the snapshots.
    pub path: PathBuf,
    /// How it differs.
    pub difference: Difference,
    /// What it was in the first.
    pub before: Option<Entry>,
    /// What it is in the second.
    pub after: Option<Entry>,
}

/// What one side has and the other has not. Sizes are in bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct OneSide {
    /// Files.
    pub files: u64,
    /// Folders.
    pub dirs: u64,
    /// Links, devices, pipes and sockets.
    pub specials: u64,
    /// Blobs of data.
    pub data_blobs: u64,
    /// Blobs of trees.
    pub tree_blobs: u64,
    /// What is in the blobs, before compression.
    pub bytes: u64,
}

/// The counts of a comparison.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DiffSummary {
    /// Only in the second snapshot.
    pub added: OneSide,
    /// Only in the first snapshot.
    pub removed: OneSide,
    /// Files and links with other content.
    pub changed: u64,
    /// Entries with other metadata and the same content.
    pub metadata_changed: u64,
    /// Entries that became something else.
    pub kind_changed: u64,
    /// Folders that could not be read, and were not compared.
    pub unreadable: u64,
}

impl Repository {
    /// Compares two snapshots, and hands over each entry that differs, in byte order of paths, a folder
    /// before what is in it. A folder that only one of them has is told with all that is in it. Folders
    /// that cannot be read are told to `monitor` and passed by.
    pub fn diff(
        &self,
        before: &Snapshot,
        after: &Snapshot,
        monitor: &dyn Monitor,
        cancel: &Cancel,
        changed: &mut dyn FnMut(Change),
    ) -> Result<DiffSummary> {
        let blobs = self.blobs()?;
        let mut comparison = Comparison {
            blobs: &blobs,
            monitor,
            changed,
            summary: DiffSummary::default(),
            needs: [Needs::default(), Needs::default()],
            common: HashSet::new(),
        };
        comparison.run([before.tree, after.tree], cancel)?;
        comparison.weigh(cancel)?;
        Ok(comparison.summary)
    }
}

/// Blobs of one side's differing folders.
#[derive(Default)]
struct Needs {
    data: HashSet<Id>,
    trees: HashSet<Id>,
}

struct Comparison<'a> {
    blobs: &'a Blobs,
    monitor: &'a dyn Monitor,
    changed: &'a mut dyn FnMut(Change),
    summary: DiffSummary,
    needs: [Needs; 2],
    /// Trees that both have at the same path.
    common: HashSet<Id>,
}

/// The entries of one folder, on both sides.
struct Level {
    entries: usize,
    sides: [Peekable<IntoIter<Node>>; 2],
}

impl Level {
    /// The next name, with what each side has of it.
    fn next(&mut self) -> Option<[Option<Node>; 2]> {
        let [before, after] = &mut self.sides;
        let order = match (before.peek(), after.peek()) {
            (None, None) => return None,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(before), Some(after)) => before.name.cmp(&after.name),
        };
        let before = if order.is_le() { before.next() } else { None };
        let after = if order.is_ge() { after.next() } else { None };
        Some([before, after])
    }
}

impl Comparison<'_> {
    fn run(&mut self, top: [Id; 2], cancel: &Cancel) -> Result<()> {
        let mut path = PathBuf::from("/");
        let mut levels = Vec::new();
        levels.extend(self.enter(top.map(Some), &path, &[])?);
        while let Some(level) = levels.last_mut() {
            cancel.check()?;
            let Some(pair) = level.next() else {
                levels.pop();
                path.pop();
                continue;
            };
            let Some(name) = pair.iter().flatten().next().map(|node| node.name.clone()) else { continue };
            if let Some(reason) = pair.iter().flatten().find_map(|node| refusal(node, levels.len())) {
                self.trouble(&FileError::new(path.join(os(&name)), FileErrorKind::Refused, reason));
                continue;
            }
            path.push(os(&name));
            match self.compare(pair, &path, &levels)? {
                Some(level) => levels.push(level),
                None => drop(path.pop()),
            }
        }
        Ok(())
    }

    /// Tells how an entry beneath these folders differs; gives the folder to compare next.
    fn compare(&mut self, pair: [Option<Node>; 2], path: &Path, above: &[Level]) -> Result<Option<Level>> {
        for (node, needs) in pair.iter().zip(&mut self.needs) {
            needs.data.extend(node.iter().flat_map(|node| &node.content));
        }
        let trees = [0, 1].map(|side| pair[side].as_ref().and_then(Node::folder));
        if let Some(difference) = difference(&pair) {
            self.count(difference, &pair);
            let [before, after] = pair.map(|node| node.map(Entry::from));
            (self.changed)(Change { path: path.to_owned(), difference, before, after });
        }
        self.enter(trees, path, above)
    }

    /// Reads what differs of a folder; `None` where nothing can or nothing is to be compared.
    fn enter(&mut self, trees: [Option<Id>; 2], path: &Path, above: &[Level]) -> Result<Option<Level>> {
        if let [Some(before), Some(after)] = trees
            && before == after
        {
            self.common.insert(before);
            return Ok(None);
        }
        if trees == [None, None] {
            return Ok(None);
        }
        if let Some(reason) = too_much(above.iter().map(|level| level.entries)) {
            self.trouble(&FileError::new(path, FileErrorKind::Refused, reason));
            return Ok(None);
        }
        let mut sides = [Vec::new().into_iter().peekable(), Vec::new().into_iter().peekable()];
        for (side, tree) in trees.iter().enumerate() {
            let Some(tree) = tree else { continue };
            self.needs[side].trees.insert(*tree);
            match self.blobs.tree(tree) {
                Ok(nodes) => sides[side] = nodes.into_iter().peekable(),
                Err(error) if error.is_loss() => {
                    self.trouble(&lost(path, &error));
                    return Ok(None);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(Some(Level { entries: sides.iter().map(ExactSizeIterator::len).sum(), sides }))
    }

    fn trouble(&mut self, error: &FileError) {
        self.summary.unreadable += 1;
        self.monitor.error(error);
    }

    fn count(&mut self, difference: Difference, pair: &[Option<Node>; 2]) {
        let summary = &mut self.summary;
        match difference {
            Difference::Content => summary.changed += 1,
            Difference::Metadata => summary.metadata_changed += 1,
            Difference::Kind => summary.kind_changed += 1,
            Difference::Added => summary.added.count(pair[1].as_ref()),
            Difference::Removed => summary.removed.count(pair[0].as_ref()),
        }
    }

    /// Counts the blobs that just one of the snapshots needs.
    fn weigh(&mut self, cancel: &Cancel) -> Result<()> {
        let [before, after] = std::mem::take(&mut self.needs);
        let differ = before.data != after.data || before.trees != after.trees;
        let shared = if differ { self.shared(cancel)? } else { Needs::default() };
        for (ours, theirs, side) in
            [(&before, &after, &mut self.summary.removed), (&after, &before, &mut self.summary.added)]
        {
            let alone = |id: &&Id, theirs: &HashSet<Id>, shared: &HashSet<Id>| {
                !theirs.contains(*id) && !shared.contains(*id)
            };
            let data: Vec<_> = ours.data.iter().filter(|id| alone(id, &theirs.data, &shared.data)).collect();
            let trees: Vec<_> =
                ours.trees.iter().filter(|id| alone(id, &theirs.trees, &shared.trees)).collect();
            (side.data_blobs, side.tree_blobs) = (data.len() as u64, trees.len() as u64);
            let sizes = |kind, ids: Vec<&Id>| -> u64 {
                ids.into_iter()
                    .filter_map(|id| self.blobs.index.get(kind, id))
                    .map(|l| plain_length(&l.blob))
                    .sum()
            };
            side.bytes = sizes(BlobKind::Data, data) + sizes(BlobKind::Tree, trees);
        }
        Ok(())
    }

    /// What the folders need that both snapshots have. Those that cannot be read count for nothing.
    fn shared(&mut self, cancel: &Cancel) -> Result<Needs> {
        let mut shared = Needs::default();
        let mut waiting: Vec<Id> = self.common.drain().collect();
        while let Some(tree) = waiting.pop() {
            cancel.check()?;
            if !shared.trees.insert(tree) {
                continue;
            }
            match self.blobs.tree(&tree) {
                Ok(nodes) => nodes.iter().for_each(|node| {
                    shared.data.extend(&node.content);
                    waiting.extend(node.folder());
                }),
                Err(error) if error.is_loss() => {}
                Err(error) => return Err(error),
            }
        }
        Ok(shared)
    }
}

impl OneSide {
    fn count(&mut self, node: Option<&Node>) {
        match node.map(|node| node.kind) {
            Some(NodeKind::File) => self.files += 1,
            Some(NodeKind::Dir) => self.dirs += 1,
            Some(_) => self.specials += 1,
            None => {}
        }
    }
}

fn difference(pair: &[Option<Node>; 2]) -> Option<Difference> {
    let [before, after] = match pair {
        [Some(before), Some(after)] => [before, after],
        [None, Some(_)] => return Some(Difference::Added),
        [Some(_), None] => return Some(Difference::Removed),
        [None, None] => return None,
    };
    if before.kind != after.kind {
        return Some(Difference::Kind);
    }
    if before.content != after.content || before.link_target != after.link_target {
        return Some(Difference::Content);
    }
    // A folder's tree says nothing of the folder itself.
    let own = |node: &Node| Node { subtree: None, ..node.clone() };
    (own(before) != own(after)).then_some(Difference::Metadata)
}
