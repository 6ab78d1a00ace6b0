//! Walking a snapshot: makes folders, links and devices, and hands files to the workers.
//!
//! Names come from the repository and are hostile: only plain ones are let through, each once in a
//! folder, and folders only so deep, with only so many entries above. A folder is made when the first thing in it is wanted.

use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use rustix::fs::{AtFlags, FileType, Mode, mknodat, symlinkat, unlinkat};
use rustix::io::Errno;

use super::file::{FileJob, may_stay};
use super::folder::Folder;
use super::links::{Links, Step};
use super::{Run, metadata};
use crate::batches::Batches;
use crate::error::{ErrorKind, Result};
use crate::id::Id;
use crate::metadata::os;
use crate::monitor::{FileError, FileErrorKind};
use crate::node::{Node, NodeKind};
use crate::walk::{refusal, too_much};

/// The walk over a snapshot.
pub(super) struct Walk<'a> {
    run: &'a Run<'a>,
    jobs: Batches<FileJob<'a>>,
    top: Arc<Folder<'a>>,
    links: Links<'a>,
}

/// A folder of the snapshot being walked.
struct Level<'a> {
    /// The folder in the target, once something in it is wanted.
    folder: Option<Arc<Folder<'a>>>,
    /// Its node, until then.
    node: Option<Node>,
    path: PathBuf,
    entries: usize,
    nodes: std::vec::IntoIter<Node>,
}

impl<'a> Walk<'a> {
    pub(super) fn new(run: &'a Run<'a>, jobs: Batches<FileJob<'a>>, top: Arc<Folder<'a>>) -> Self {
        let links = Links::new(run, Arc::clone(&top));
        Self { run, jobs, top, links }
    }

    /// Walks everything beneath the tree.
    pub(super) fn run(mut self, tree: Id) -> Result<()> {
        let top = Some(Arc::clone(&self.top));
        let mut levels = vec![self.level(&tree, top, None, PathBuf::from("/"))?];
        while let Some(level) = levels.last_mut() {
            self.run.check()?;
            match level.nodes.next() {
                None => drop(levels.pop()),
                Some(node) => {
                    let entered = self.visit(&mut levels, node)?;
                    levels.extend(entered);
                }
            }
        }
        self.run.counters.totals_final.store(true, Relaxed);
        self.jobs.flush()
    }

    /// Reads a tree; its files come first, as they do in packs.
    fn level(
        &self,
        tree: &Id,
        folder: Option<Arc<Folder<'a>>>,
        node: Option<Node>,
        path: PathBuf,
    ) -> Result<Level<'a>> {
        let mut nodes = self.run.blobs.tree(tree)?;
        let entries = nodes.len();
        nodes.dedup_by(|a, b| a.name == b.name);
        if nodes.len() < entries {
            self.refuse(path.clone(), "the folder has several entries of one name; the first is taken");
        }
        nodes.sort_by_key(|node| node.kind == NodeKind::Dir);
        Ok(Level { folder, node, path, entries, nodes: nodes.into_iter() })
    }

    fn refuse(&self, path: PathBuf, reason: &str) {
        self.run.error(&FileError::new(path, FileErrorKind::Refused, reason));
    }

    /// Restores a node, or gives the level to walk next.
    fn visit(&mut self, levels: &mut [Level<'a>], node: Node) -> Result<Option<Level<'a>>> {
        let depth = levels.len();
        let Some(level) = levels.last_mut() else { return Ok(None) };
        let path = level.path.join(os(&node.name));
        if let Some(reason) = refusal(&node, depth) {
            self.refuse(path, reason);
            return Ok(None);
        }
        let wanted = self.run.include.is_empty() || self.run.include.matches(&path);
        if node.kind == NodeKind::Dir {
            return self.visit_folder(levels, node, path, wanted);
        }
        if wanted && let Some(folder) = self.materialize(levels)? {
            self.restore(levels, &folder, node, path)?;
        }
        Ok(None)
    }

    fn visit_folder(
        &self,
        levels: &mut [Level<'a>],
        node: Node,
        path: PathBuf,
        wanted: bool,
    ) -> Result<Option<Level<'a>>> {
        let Some(subtree) = node.subtree else {
            self.run.error(&FileError::new(path, FileErrorKind::Damaged, "a folder without a tree"));
            return Ok(None);
        };
        if let Some(reason) = too_much(levels.iter().map(|level| level.entries)) {
            self.refuse(path, reason);
            return Ok(None);
        }
        if !wanted && !self.run.include.may_match_beneath(&path) {
            return Ok(None);
        }
        let entered = match self.level(&subtree, None, Some(node), path.clone()) {
            Err(error)
                if matches!(error.kind(), ErrorKind::Damaged | ErrorKind::NotFound | ErrorKind::Io) =>
            {
                self.run.error(&FileError::new(path, FileErrorKind::Damaged, error.to_string()));
                return Ok(None);
            }
            other => other?,
        };
        if !wanted {
            return Ok(Some(entered));
        }
        // An empty folder is wanted for its own sake, so it is made now.
        let Some(above) = self.materialize(levels)? else { return Ok(None) };
        Ok(self.make(&above, entered))
    }

    fn make(&self, above: &Arc<Folder<'a>>, mut level: Level<'a>) -> Option<Level<'a>> {
        match above.make(level.node.take()?) {
            Ok(folder) => {
                level.folder = Some(folder);
                Some(level)
            }
            Err(errno) => {
                self.run.os_error(level.path, FileErrorKind::Write, errno);
                None
            }
        }
    }

    /// The deepest level's folder; it and those above are made if they are not yet. `None` if they cannot
    /// be, which is told once.
    fn materialize(&self, levels: &mut [Level<'a>]) -> Result<Option<Arc<Folder<'a>>>> {
        let mut above: Option<Arc<Folder<'a>>> = None;
        for level in levels {
            if level.folder.is_none() {
                let (Some(above), Some(node)) = (&above, level.node.take()) else { return Ok(None) };
                match above.make(node) {
                    Ok(folder) => level.folder = Some(folder),
                    Err(errno) => {
                        self.run.os_error(level.path.clone(), FileErrorKind::Write, errno);
                        return Ok(None);
                    }
                }
            }
            above.clone_from(&level.folder);
        }
        Ok(above)
    }

    fn restore(
        &mut self,
        levels: &[Level<'a>],
        folder: &Arc<Folder<'a>>,
        node: Node,
        path: PathBuf,
    ) -> Result<()> {
        let done = match node.kind {
            NodeKind::File => return self.file(levels, folder, node, path),
            NodeKind::Dir | NodeKind::Other => Err(Errno::NOTSUP),
            _ if is_linked(&node) => {
                let (run, names) = (self.run, names(levels, &node));
                self.links.special(folder, names, &node, || special(run, &folder.fd, &node))
            }
            _ => special(self.run, &folder.fd, &node),
        };
        match done {
            Ok(true) => drop(self.run.specials.fetch_add(1, Relaxed)),
            Ok(false) => drop(self.run.skipped.fetch_add(1, Relaxed)),
            Err(errno) => self.run.os_error(path, FileErrorKind::Write, errno),
        }
        Ok(())
    }

    fn file(
        &mut self,
        levels: &[Level<'a>],
        folder: &Arc<Folder<'a>>,
        node: Node,
        path: PathBuf,
    ) -> Result<()> {
        self.run.counters.files_total.fetch_add(1, Relaxed);
        self.run.counters.bytes_total.fetch_add(node.size, Relaxed);
        let step = match is_linked(&node) {
            false => Ok(None),
            true => self.links.restore(folder, names(levels, &node), &node).map(Some),
        };
        let (size, folder) = (node.size, Arc::clone(folder));
        match step {
            Ok(None) => self.jobs.push(FileJob { folder, node, made: None }, size)?,
            Ok(Some(Step::Fill(made))) => {
                self.jobs.push(FileJob { folder, node, made: Some(made) }, size)?;
            }
            Ok(Some(Step::Done)) => {
                self.run.counters.files_searched.fetch_add(1, Relaxed);
                self.run.counters.bytes_searched.fetch_add(node.size, Relaxed);
            }
            Err(errno) => self.run.os_error(path, FileErrorKind::Write, errno),
        }
        Ok(())
    }
}

/// Whether a node says that it has other names.
fn is_linked(node: &Node) -> bool {
    node.links > 1 && node.inode != 0
}

/// Makes a link, pipe, socket or device; tells whether anything was done.
fn special(run: &Run<'_>, dir: &OwnedFd, node: &Node) -> Result<bool, Errno> {
    match make_special(dir, node) {
        Err(Errno::EXIST) if may_stay(run, dir, node)? => return Ok(false),
        Err(Errno::EXIST) => {
            unlinkat(dir, node.name.as_slice(), AtFlags::empty())?;
            make_special(dir, node)?;
        }
        other => other?,
    }
    metadata::apply_at(dir, node, run.options.owner).map(|()| true)
}

/// The names that lead to a node from the top.
fn names(levels: &[Level<'_>], node: &Node) -> Vec<Vec<u8>> {
    let above = levels.iter().skip(1).filter_map(|level| level.path.file_name());
    above.map(|name| name.as_bytes().to_vec()).chain([node.name.clone()]).collect()
}

fn make_special(dir: impl AsFd, node: &Node) -> Result<(), Errno> {
    let name = node.name.as_slice();
    let kind = match node.kind {
        NodeKind::Symlink => return symlinkat(node.link_target.as_slice(), dir, name),
        NodeKind::BlockDevice => FileType::BlockDevice,
        NodeKind::CharDevice => FileType::CharacterDevice,
        NodeKind::Fifo => FileType::Fifo,
        NodeKind::Socket => FileType::Socket,
        NodeKind::File | NodeKind::Dir | NodeKind::Other => return Err(Errno::NOTSUP),
    };
    mknodat(dir, name, kind, Mode::RUSR | Mode::WUSR, node.device)
}
