//! Comparing with the parent: which files need no reading.
//!
//! A file whose size, modification time, change time and inode are the parent's is taken for unchanged;
//! the change time cannot be set by programs, so not even a restored modification time hides a change.

use rustix::fs::Stat;

use crate::index::Index;
use crate::metadata;
use crate::monitor::FileErrorKind;
use crate::node::{Node, NodeKind};
use crate::pack::BlobKind;
use crate::repository::Blobs;

use super::run::Run;

/// The parent's entries of one folder, asked for in order of name.
pub(super) struct Previous {
    nodes: std::iter::Peekable<std::vec::IntoIter<Node>>,
}

impl Previous {
    /// No entries.
    pub(super) fn none() -> Self {
        Self { nodes: Vec::new().into_iter().peekable() }
    }

    /// The entries of the folder that `node` was in the parent; none if it was no folder. A parent's tree
    /// that cannot be read costs only time: its files are read again.
    pub(super) fn of(node: Option<&Node>, blobs: &Blobs, run: &Run<'_>, path: &std::path::Path) -> Self {
        let subtree = node.filter(|node| node.kind == NodeKind::Dir).and_then(|node| node.subtree);
        let nodes = match subtree.map(|id| blobs.tree(&id)) {
            Some(Ok(nodes)) => nodes,
            Some(Err(error)) => {
                run.warn(path, FileErrorKind::Damaged, &format!("the parent's tree cannot be read: {error}"));
                Vec::new()
            }
            None => Vec::new(),
        };
        Self { nodes: nodes.into_iter().peekable() }
    }

    /// The entry of this name. Names must be asked for in ascending order.
    pub(super) fn take(&mut self, name: &[u8]) -> Option<Node> {
        while self.nodes.next_if(|node| node.name.as_slice() < name).is_some() {}
        self.nodes.next_if(|node| node.name == name)
    }
}

/// Whether `stat` is of the file that `previous` was, with all of its content still in the repository.
pub(super) fn is_unchanged(stat: &Stat, previous: &Node, index: &Index) -> bool {
    previous.kind == NodeKind::File
        && previous.size == stat.st_size as u64
        && previous.inode == stat.st_ino
        && previous.mtime == metadata::time(stat.st_mtime, stat.st_mtime_nsec)
        && previous.ctime == metadata::time(stat.st_ctime, stat.st_ctime_nsec)
        && previous.content.iter().all(|id| index.contains(BlobKind::Data, id))
}
