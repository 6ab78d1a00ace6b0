//! Walking a snapshot's trees in order, for those who only look.
//!
//! No recursion, one path for the whole way, and memory for the folders between the top and where the walk
//! is, up to a bound on their entries. Names come from the repository and are hostile: an entry whose name no
//! file can have is told and passed by, and so is what lies deeper than any path can be.

use std::path::{Path, PathBuf};

use crate::cancel::Cancel;
use crate::error::{Error, Result};
use crate::id::Id;
use crate::metadata::os;
use crate::monitor::{FileError, FileErrorKind};
use crate::node::Node;
use crate::repository::Blobs;

/// Folders nested deeper are passed by.
pub(crate) const MAX_DEPTH: usize = 2500;

/// Entries that the folders on the way from the top may have together, but for the largest, while what is beneath is
/// walked: far more than any real path has, and few enough that trees which are wide and deep at once do not fill
/// memory. Tests make do with fewer.
pub(crate) const MAX_ENTRIES: usize = if cfg!(test) { 10_000 } else { 1 << 22 };

const TOO_DEEP: &str = "folders are nested too deep";

/// Why less is shown of a folder than its tree holds.
const TWICE: &str = "the folder has several entries of one name; the first is taken";

/// How to go on after an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// Into it, if it is a folder.
    Enter,
    /// To the next one beside it.
    Pass,
    /// Nowhere: enough was seen.
    Stop,
}

/// Who looks.
pub(crate) trait Visitor {
    /// An entry, at its path from the top of the snapshot.
    fn entry(&mut self, path: &Path, node: Node) -> Result<Step>;

    /// The tree at this path was read; its entries follow.
    fn entered(&mut self, _tree: &Id, _path: &Path) {}

    /// The entries of this tree, and all beneath them, have been seen.
    fn left(&mut self, _tree: &Id, _path: &Path) {}

    /// Something that cannot be looked at.
    fn trouble(&mut self, error: &FileError);
}

struct Level {
    tree: Id,
    entries: usize,
    nodes: std::vec::IntoIter<Node>,
}

/// Shows everything beneath a snapshot's tree, in byte order of names, a folder before what is in it.
/// A tree that is lost is told to the visitor; an error means that the store is out of reach.
pub(crate) fn walk(blobs: &Blobs, tree: Id, cancel: &Cancel, visitor: &mut dyn Visitor) -> Result<()> {
    let mut path = PathBuf::from("/");
    let mut levels: Vec<Level> = Vec::new();
    levels.extend(enter(blobs, tree, &path, visitor)?);
    while let Some(level) = levels.last_mut() {
        cancel.check()?;
        let Some(node) = level.nodes.next() else {
            visitor.left(&level.tree, &path);
            levels.pop();
            path.pop();
            continue;
        };
        if let Some(reason) = refusal(&node, levels.len()) {
            visitor.trouble(&FileError::new(path.join(os(&node.name)), FileErrorKind::Refused, reason));
            continue;
        }
        path.push(os(&node.name));
        let subtree = node.folder();
        let step = visitor.entry(&path, node)?;
        let refused = subtree.and_then(|_| too_much(levels.iter().map(|level| level.entries)));
        let entered = match (step, subtree, refused) {
            (Step::Stop, ..) => return Ok(()),
            (Step::Enter, Some(_), Some(reason)) => {
                visitor.trouble(&FileError::new(&path, FileErrorKind::Refused, reason));
                None
            }
            (Step::Enter, Some(tree), None) => enter(blobs, tree, &path, visitor)?,
            _ => None,
        };
        match entered {
            Some(level) => levels.push(level),
            None => drop(path.pop()),
        }
    }
    Ok(())
}

fn enter(blobs: &Blobs, tree: Id, path: &Path, visitor: &mut dyn Visitor) -> Result<Option<Level>> {
    match blobs.tree(&tree) {
        Ok(mut nodes) => {
            let entries = nodes.len();
            nodes.dedup_by(|a, b| a.name == b.name);
            if nodes.len() < entries {
                visitor.trouble(&FileError::new(path, FileErrorKind::Refused, TWICE));
            }
            visitor.entered(&tree, path);
            Ok(Some(Level { tree, entries, nodes: nodes.into_iter() }))
        }
        Err(error) if error.is_loss() => {
            visitor.trouble(&lost(path, &error));
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// What to tell of a folder whose tree is lost.
pub(crate) fn lost(path: &Path, error: &Error) -> FileError {
    FileError::new(path, FileErrorKind::Damaged, error.to_string())
}

/// Why an entry of a folder at this depth is passed by.
pub(crate) fn refusal(node: &Node, depth: usize) -> Option<&'static str> {
    if !node.has_plain_name() {
        return Some("not a name a file can have");
    }
    (depth > MAX_DEPTH).then_some(TOO_DEEP)
}

/// Why a folder is not gone into: those on the way to it, each with so many entries, are too many or have too many. Also
/// entries that were passed count: their memory goes when the whole folder does.
pub(crate) fn too_much(above: impl ExactSizeIterator<Item = usize>) -> Option<&'static str> {
    if above.len() > MAX_DEPTH {
        return Some(TOO_DEEP);
    }
    let (all, largest) = above.fold((0, 0), |(all, largest), one| (all + one, one.max(largest)));
    (all - largest > MAX_ENTRIES).then_some("the folders above have too many entries")
}
