//! Looking into snapshots: one folder at a time, or the content of one file.

use std::ffi::{OsStr, OsString};
use std::io::Write;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Component, Path};

use jiff::Timestamp;

use crate::cancel::Cancel;
use crate::error::{Error, ErrorKind, Result};
use crate::id::Id;
use crate::metadata::unix_mode;
use crate::node::{Node, NodeKind};
use crate::pack::BlobKind;
use crate::repository::{Blobs, Repository};
use crate::snapshot::Snapshot;

/// One entry of a folder in a snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its name, byte for byte.
    pub name: OsString,
    /// What it is.
    pub kind: NodeKind,
    /// Bytes, for files.
    pub size: u64,
    /// The Unix permission bits with set-uid, set-gid and sticky: at most 0o7777.
    pub mode: u32,
    /// When its content last changed.
    pub modified: Timestamp,
    /// Owner's number.
    pub uid: u32,
    /// Group's number.
    pub gid: u32,
    /// Owner's name, empty if unknown.
    pub user: String,
    /// Group's name, empty if unknown.
    pub group: String,
    /// Where a symbolic link points.
    pub link_target: Option<OsString>,
}

impl From<Node> for Entry {
    fn from(node: Node) -> Self {
        let link_target = (node.kind == NodeKind::Symlink).then(|| OsString::from_vec(node.link_target));
        Self {
            name: OsString::from_vec(node.name),
            kind: node.kind,
            size: node.size,
            mode: unix_mode(node.mode),
            modified: node.mtime,
            uid: node.uid,
            gid: node.gid,
            user: node.user,
            group: node.group,
            link_target,
        }
    }
}

/// Which part of a folder to give.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    /// Entries to skip.
    pub offset: usize,
    /// Entries to give at most.
    pub limit: usize,
}

impl Page {
    /// The whole folder.
    pub const ALL: Self = Self { offset: 0, limit: usize::MAX };
}

impl Repository {
    /// The entries of the folder `path` of a snapshot in byte order of their names; the page `page` of
    /// them. [`ErrorKind::NotFound`] when there is no such folder.
    pub fn list(&self, snapshot: &Snapshot, path: &Path, page: Page) -> Result<Vec<Entry>> {
        let blobs = self.blobs()?;
        let nodes = match find(&blobs, snapshot.tree, path)? {
            None => blobs.tree(&snapshot.tree)?,
            Some(node) => blobs.tree(&subtree(&node, path)?)?,
        };
        Ok(nodes.into_iter().skip(page.offset).take(page.limit).map(Entry::from).collect())
    }

    /// The entry `path` of a snapshot; [`ErrorKind::NotFound`] when there is none, and for `/`.
    pub fn entry(&self, snapshot: &Snapshot, path: &Path) -> Result<Entry> {
        let node = find(&*self.blobs()?, snapshot.tree, path)?;
        node.map(Entry::from).ok_or_else(|| not_found(path))
    }

    /// Copies the content of the file `path` of a snapshot, verified blob by blob; returns its length in
    /// bytes. Memory does not grow with the file. After an error `out` holds a part of the content.
    pub fn cat(&self, snapshot: &Snapshot, path: &Path, out: &mut dyn Write, cancel: &Cancel) -> Result<u64> {
        let blobs = self.blobs()?;
        let node = find(&blobs, snapshot.tree, path)?.ok_or_else(|| not_found(path))?;
        if node.kind != NodeKind::File {
            return Err(Error::new(ErrorKind::Invalid, format!("{} is no file", path.display())));
        }
        let mut length = 0;
        for id in &node.content {
            cancel.check()?;
            let bytes = blobs.read(BlobKind::Data, id)?;
            out.write_all(&bytes).map_err(|e| Error::io("writing a file's content", e))?;
            length += bytes.len() as u64;
        }
        Ok(length)
    }
}

/// The node at an absolute path; `None` for `/`, which has none.
pub(crate) fn find(blobs: &Blobs, tree: Id, path: &Path) -> Result<Option<Node>> {
    let mut found: Option<Node> = None;
    for component in path.components() {
        let name: &OsStr = match component {
            Component::Normal(name) => name,
            Component::RootDir | Component::CurDir => continue,
            _ => return Err(not_found(path)),
        };
        let tree = found.map_or(Ok(tree), |node| subtree(&node, path))?;
        let node = blobs.tree(&tree)?.into_iter().find(|node| node.name == name.as_bytes());
        found = Some(node.ok_or_else(|| not_found(path))?);
    }
    Ok(found)
}

fn subtree(node: &Node, path: &Path) -> Result<Id> {
    node.subtree.filter(|_| node.kind == NodeKind::Dir).ok_or_else(|| not_found(path))
}

fn not_found(path: &Path) -> Error {
    Error::new(ErrorKind::NotFound, format!("{} is not in the snapshot", path.display()))
}
