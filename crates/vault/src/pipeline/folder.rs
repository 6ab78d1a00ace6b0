//! Folders under way: each collects the nodes of its entries and becomes a tree when the last is in.
//!
//! The walk opens folders from the top down; their trees are made from the bottom up by whichever thread
//! completes the last entry. That needs neither a recursion nor a thread of its own, and memory only for
//! the folders between the walk and the slowest worker.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock};

use super::blobs::{BlobSink, Sealer};
use super::graft;
use super::run::Run;
use crate::error::Result;
use crate::id::Id;
use crate::node::Node;
use crate::pack::BlobKind;
use crate::threads::unpoisoned;
use crate::tree;

/// A folder being saved.
pub(super) struct Folder {
    pub(super) path: PathBuf,
    place: Place,
    entries: Mutex<Entries>,
}

/// What a finished folder's tree becomes.
enum Place {
    /// The snapshot's tree.
    Top(Arc<OnceLock<Id>>),
    /// An entry of the folder above. The parent's node of it is kept to tell whether it changed.
    Within {
        above: Option<Arc<Folder>>,
        slot: usize,
        node: Box<Node>,
        previous: Option<Box<Node>>,
        wanted: bool,
    },
}

/// What a thread needs to store blobs and so to make saver.
pub(super) struct Saver<'a> {
    pub(super) run: &'a Run<'a>,
    pub(super) sink: &'a BlobSink<'a>,
    pub(super) sealer: Sealer,
    /// Entries of the topmost folder besides those of the walk.
    pub(super) grafts: &'a [Node],
}

/// The folder above a finished one, and the slot and node it has there.
type Finished = (Arc<Folder>, usize, Vec<u8>);

struct Entries {
    /// The JSON of each entry's node in order of name; empty where the entry is not in or was left out.
    nodes: Vec<Vec<u8>>,
    missing: usize,
}

impl Folder {
    /// The folder `/`, with this many entries; its tree's id goes to `tree`.
    pub(super) fn top(entries: usize, tree: Arc<OnceLock<Id>>) -> Arc<Self> {
        Self::new(PathBuf::from("/"), Place::Top(tree), entries)
    }

    /// A folder with this many entries that is itself the entry number `slot` of `above`. Unless it is
    /// `wanted` for its own sake, it is left out if nothing in it is saved.
    pub(super) fn within(
        above: &Arc<Self>,
        slot: usize,
        node: Node,
        previous: Option<Node>,
        path: PathBuf,
        entries: usize,
        wanted: bool,
    ) -> Arc<Self> {
        let (above, previous) = (Some(Arc::clone(above)), previous.map(Box::new));
        Self::new(path, Place::Within { above, slot, node: Box::new(node), previous, wanted }, entries)
    }

    fn new(path: PathBuf, place: Place, entries: usize) -> Arc<Self> {
        let entries = Entries { nodes: vec![Vec::new(); entries], missing: entries };
        Arc::new(Self { path, place, entries: Mutex::new(entries) })
    }

    /// Puts an entry in: `None` leaves it out of the tree. Whoever puts the last one in makes the tree,
    /// and that of the folder above if this was its last, and so on.
    pub(super) fn put(&self, slot: usize, node: Option<&Node>, saver: &mut Saver<'_>) -> Result<()> {
        match self.insert(slot, node.map(tree::encode_node).unwrap_or_default()) {
            Some(nodes) => self.complete(nodes, saver),
            None => Ok(()),
        }
    }

    /// Makes the tree of this folder, all of whose nodes are known, and of those above that it completes.
    pub(super) fn complete(&self, mut nodes: Vec<Vec<u8>>, saver: &mut Saver<'_>) -> Result<()> {
        let mut next = self.finish(&nodes, saver)?;
        while let Some((above, slot, json)) = next {
            nodes = match above.insert(slot, json) {
                Some(nodes) => nodes,
                None => break,
            };
            next = above.finish(&nodes, saver)?;
        }
        Ok(())
    }

    /// The nodes of all entries, when this was the last one missing.
    fn insert(&self, slot: usize, json: Vec<u8>) -> Option<Vec<Vec<u8>>> {
        let mut entries = unpoisoned(&self.entries);
        entries.nodes[slot] = json;
        entries.missing -= 1;
        (entries.missing == 0).then(|| std::mem::take(&mut entries.nodes))
    }

    /// Saves the tree; gives the folder above, and this one's slot and node in it.
    fn finish(&self, nodes: &[Vec<u8>], saver: &mut Saver<'_>) -> Result<Option<Finished>> {
        if let Place::Within { above, slot, wanted: false, .. } = &self.place
            && nodes.iter().all(Vec::is_empty)
        {
            return Ok(above.as_ref().map(|above| (Arc::clone(above), *slot, Vec::new())));
        }
        let json = match (&self.place, saver.grafts) {
            (Place::Top(_), [_, ..]) => graft::topmost(nodes, saver.grafts, saver.run)?,
            _ => tree::encode(nodes.iter().map(Vec::as_slice).filter(|node| !node.is_empty())),
        };
        let id = saver.sink.save(&mut saver.sealer, BlobKind::Tree, &json)?;
        match &self.place {
            Place::Top(tree) => {
                let _ = tree.set(id);
                Ok(None)
            }
            Place::Within { above, slot, node, previous, .. } => {
                let node = Node { subtree: Some(id), ..(**node).clone() };
                saver.run.dirs.count(previous.is_some(), previous.as_deref() == Some(&node));
                Ok(above.as_ref().map(|above| (Arc::clone(above), *slot, tree::encode_node(&node))))
            }
        }
    }
}

impl Drop for Folder {
    /// Lets go of the folders above one by one: of a very deep path they would drop each other recursively.
    fn drop(&mut self) {
        let mut above = self.take_above();
        while let Some(mut folder) = above.and_then(Arc::into_inner) {
            above = folder.take_above();
        }
    }
}

impl Folder {
    fn take_above(&mut self) -> Option<Arc<Self>> {
        match &mut self.place {
            Place::Top(_) => None,
            Place::Within { above, .. } => above.take(),
        }
    }
}
