//! What the snapshots need: every tree they lead to and every blob of every file.

use std::collections::HashSet;

use crate::cancel::Cancel;
use crate::error::{Error, ErrorKind, Result};
use crate::id::Id;
use crate::node::NodeKind;
use crate::pack::BlobKind;
use crate::repository::{Blobs, Repository};
use crate::snapshot::Snapshot;
use crate::store::{FileKind, Name};

/// Needed blobs. Only grows: what a snapshot needed once is needed for the whole run.
#[derive(Default)]
pub(super) struct Usage {
    snapshots: HashSet<Id>,
    /// Snapshot files that nobody can read although they are what was once stored.
    pub(super) junk: Vec<Id>,
    data: HashSet<Id>,
    trees: HashSet<Id>,
}

impl Usage {
    /// The snapshots that this has not seen yet.
    pub(super) fn new_snapshots(
        &mut self,
        repository: &Repository,
        cancel: &Cancel,
    ) -> Result<Vec<Snapshot>> {
        let mut new = Vec::new();
        for (name, _) in repository.files.store.list(FileKind::Snapshot)? {
            cancel.check()?;
            if !self.snapshots.insert(name.0) {
                continue;
            }
            match repository.load_snapshot(&name) {
                Ok(snapshot) => new.push(snapshot),
                Err(e) if e.kind() == ErrorKind::NotFound => {}
                Err(e) if e.kind() == ErrorKind::Damaged && is_as_stored(repository, &name)? => {
                    self.junk.push(name.0);
                }
                Err(e) => return Err(e),
            }
        }
        Ok(new)
    }

    /// Adds what these snapshots need. [`ErrorKind::Damaged`] if a part of that is not there.
    pub(super) fn add(&mut self, blobs: &Blobs, snapshots: &[Snapshot], cancel: &Cancel) -> Result<()> {
        snapshots.iter().try_for_each(|snapshot| {
            let message = || format!("nobody knows all that snapshot {} needs", snapshot.id);
            self.add_tree(blobs, snapshot.tree, cancel).map_err(|e| match e.kind() {
                ErrorKind::Damaged => Error::damaged(message()).with_source(e),
                _ => e,
            })
        })
    }

    fn add_tree(&mut self, blobs: &Blobs, top: Id, cancel: &Cancel) -> Result<()> {
        let mut waiting = vec![top];
        while let Some(tree) = waiting.pop() {
            cancel.check()?;
            if self.trees.contains(&tree) {
                continue;
            }
            for node in blobs.tree(&tree)? {
                waiting.extend(node.subtree.filter(|_| node.kind == NodeKind::Dir));
                for id in node.content {
                    if !blobs.index.contains(BlobKind::Data, &id) {
                        return Err(Error::damaged(format!("blob {id} is in no pack")));
                    }
                    self.data.insert(id);
                }
            }
            self.trees.insert(tree);
        }
        Ok(())
    }

    pub(super) fn contains(&self, kind: BlobKind, id: &Id) -> bool {
        match kind {
            BlobKind::Data => self.data.contains(id),
            BlobKind::Tree => self.trees.contains(id),
        }
    }
}

/// Whether a file that makes no sense is, byte for byte, what somebody once stored under this name. Then
/// nothing was lost, since it never made sense; else it is damaged, and may have been a good snapshot.
fn is_as_stored(repository: &Repository, name: &Name) -> Result<bool> {
    match repository.files.store.read(FileKind::Snapshot, name) {
        Ok(bytes) => Ok(Id::of(&bytes) == name.0),
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(true),
        Err(e) => Err(e),
    }
}
