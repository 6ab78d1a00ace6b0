//! The walk: one thread that goes through what the scout saw, in order, compares it with the parent and decides
//! what must be read.
//!
//! Of each folder the entries come first, then the folders among them one after the other, each with all that is
//! beneath it: so a stack of the folders that still have subfolders to come tells where each belongs.

use std::collections::VecDeque;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, OnceLock};

use crossbeam_channel::Receiver;
use rustix::fs::Stat;
use rustix::io::Errno;

use super::compare::{Previous, is_unchanged};
use super::file::FileJob;
use super::folder::{Folder, Saver};
use super::scout::{Entry, Opened, Seen, Sight};
use crate::batches::Batches;
use crate::error::Result;
use crate::filter::Filter;
use crate::id::Id;
use crate::metadata::{self, Owners};
use crate::monitor::FileErrorKind;
use crate::node::{Node, NodeKind};
use crate::repository::Blobs;

/// The walking stage.
pub(super) struct Walk<'a> {
    pub(super) saver: Saver<'a>,
    pub(super) jobs: Batches<FileJob>,
    pub(super) owners: &'a Owners,
    pub(super) includes: &'a Filter,
    pub(super) parent: &'a Blobs,
}

/// A folder whose entries are coming in, or its subfolders.
struct Level {
    folder: Arc<Folder>,
    /// The open folder, until all of its entries are in.
    dir: Option<Arc<OwnedFd>>,
    before: Previous,
    /// The number of the next entry, and how many there are.
    next: usize,
    entries: usize,
    subfolders: VecDeque<Subfolder>,
    explicit: bool,
}

/// A folder seen but not yet entered.
struct Subfolder {
    slot: usize,
    name: Vec<u8>,
    previous: Option<Node>,
}

impl Walk<'_> {
    /// Goes through all that is seen; the id of the topmost tree arrives in `tree` when all files are saved.
    pub(super) fn run(
        mut self,
        sights: Receiver<Vec<Sight>>,
        previous_tree: Option<Id>,
        tree: Arc<OnceLock<Id>>,
    ) -> Result<()> {
        let mut levels: Vec<Level> = Vec::new();
        let mut top = Some((previous_tree, tree));
        for sight in sights.into_iter().flatten() {
            self.saver.run.check()?;
            match (sight, top.take()) {
                (Sight::Folder(opened), Some((previous, tree))) => {
                    levels.push(self.begin(opened, previous, tree)?);
                }
                (Sight::Folder(opened), None) => {
                    let entered = self.descend(&mut levels, opened)?;
                    levels.extend(entered);
                }
                (Sight::Entries(entries), _) => {
                    if let Some(level) = levels.last_mut() {
                        self.look(level, entries)?;
                    }
                }
                (Sight::Closed(errno), _) => self.pass_by(&mut levels, errno)?,
            }
        }
        self.jobs.flush()
    }

    /// Enters the folder `/`.
    fn begin(&mut self, opened: Opened, previous: Option<Id>, tree: Arc<OnceLock<Id>>) -> Result<Level> {
        let mut node = self.owners.node(b"", &opened.stat);
        node.subtree = previous;
        let folder = Folder::top(opened.entries, tree);
        self.enter(opened, folder, Some(&node))
    }

    /// Enters the next subfolder.
    fn descend(&mut self, levels: &mut Vec<Level>, opened: Opened) -> Result<Option<Level>> {
        let Some((level, subfolder)) = next_subfolder(levels) else { return Ok(None) };
        let Subfolder { slot, name, previous } = subfolder;
        let path = level.folder.path.join(metadata::os(&name));
        self.saver.run.counters.set_current(&path);
        let mut node = self.owners.node(&name, &opened.stat);
        match &opened.xattrs {
            Ok(xattrs) => node.xattrs.clone_from(xattrs),
            Err(errno) => self.saver.run.error(&path, FileErrorKind::Metadata, *errno),
        }
        let before = previous.clone();
        let wanted = level.explicit || self.includes.is_empty() || self.includes.matches(&path);
        let folder = Folder::within(&level.folder, slot, node, previous, path, opened.entries, wanted);
        self.enter(opened, folder, before.as_ref()).map(Some)
    }

    /// Leaves out the next subfolder, which could not be opened.
    fn pass_by(&mut self, levels: &mut Vec<Level>, errno: Errno) -> Result<()> {
        let Some((level, subfolder)) = next_subfolder(levels) else { return Ok(()) };
        let path = level.folder.path.join(metadata::os(&subfolder.name));
        self.saver.run.unreachable(&path, errno);
        level.folder.put(subfolder.slot, None, &mut self.saver)
    }

    fn enter(&mut self, opened: Opened, folder: Arc<Folder>, previous: Option<&Node>) -> Result<Level> {
        let Opened { dir, entries, explicit, .. } = opened;
        let before = Previous::of(previous, self.parent, self.saver.run, &folder.path);
        if entries == 0 {
            folder.complete(Vec::new(), &mut self.saver)?;
        }
        let dir = (entries > 0).then_some(dir);
        Ok(Level { folder, dir, before, next: 0, entries, subfolders: VecDeque::new(), explicit })
    }

    /// Takes in entries of a folder: files that must be read go to the workers, other nodes into the tree.
    fn look(&mut self, level: &mut Level, entries: Vec<Entry>) -> Result<()> {
        let Some(dir) = level.dir.take() else { return Ok(()) };
        for Entry { name, seen } in entries {
            let (slot, previous) = (level.next, level.before.take(&name));
            level.next += 1;
            match seen {
                Seen::Folder => level.subfolders.push_back(Subfolder { slot, name, previous }),
                Seen::LeftOut => level.folder.put(slot, None, &mut self.saver)?,
                Seen::Missing(errno) => {
                    self.miss(level, &name, errno);
                    level.folder.put(slot, None, &mut self.saver)?;
                }
                Seen::Other(stat) if metadata::kind(&stat) == NodeKind::File => {
                    self.file(&dir, &level.folder, slot, name, &stat, previous)?;
                }
                Seen::Other(stat) => {
                    let node = self.special(&dir, &level.folder, &name, &stat);
                    level.folder.put(slot, node.as_ref(), &mut self.saver)?;
                }
            }
        }
        if level.next < level.entries {
            level.dir = Some(dir);
        } else {
            level.before = Previous::none();
        }
        Ok(())
    }

    /// Reports an entry that cannot be looked at. One that the user named should have been there.
    fn miss(&self, level: &Level, name: &[u8], errno: Errno) {
        let path = level.folder.path.join(metadata::os(name));
        if level.explicit {
            self.saver.run.error(&path, FileErrorKind::Open, errno);
        } else {
            self.saver.run.unreachable(&path, errno);
        }
    }

    fn file(
        &mut self,
        dir: &Arc<OwnedFd>,
        folder: &Arc<Folder>,
        slot: usize,
        name: Vec<u8>,
        stat: &Stat,
        previous: Option<Node>,
    ) -> Result<()> {
        let run = self.saver.run;
        match previous {
            Some(previous) if is_unchanged(stat, &previous, self.saver.sink.index()) => {
                let node = self.owners.node(&name, stat);
                let node = Node { content: previous.content, xattrs: previous.xattrs, ..node };
                run.counters.files_searched.fetch_add(1, Relaxed);
                run.counters.bytes_searched.fetch_add(node.size, Relaxed);
                run.files.count(true, true);
                folder.put(slot, Some(&node), &mut self.saver)
            }
            previous => {
                let had_previous = previous.is_some_and(|node| node.kind == NodeKind::File);
                let (folder, dir) = (Arc::clone(folder), Arc::clone(dir));
                self.jobs.push(FileJob { folder, slot, dir, name, had_previous }, stat.st_size as u64)
            }
        }
    }

    /// The node of a link, pipe, socket or device; `None` if it cannot be read.
    fn special(&self, dir: &OwnedFd, folder: &Folder, name: &[u8], stat: &Stat) -> Option<Node> {
        let mut node = self.owners.node(name, stat);
        let path = || -> PathBuf { folder.path.join(metadata::os(name)) };
        if node.kind == NodeKind::Symlink {
            match metadata::link_target(dir, metadata::os(name)) {
                Ok(target) => node.link_target = target,
                Err(errno) => {
                    self.saver.run.unreachable(&path(), errno);
                    return None;
                }
            }
        }
        match metadata::link_xattrs(dir, metadata::os(name)) {
            Ok(xattrs) => node.xattrs = xattrs,
            Err(errno) => self.saver.run.error(&path(), FileErrorKind::Metadata, errno),
        }
        Some(node)
    }
}

/// The folder that has the next subfolder to be entered, and that; folders that have none left are done with.
fn next_subfolder(levels: &mut Vec<Level>) -> Option<(&mut Level, Subfolder)> {
    while levels.last().is_some_and(|level| level.subfolders.is_empty()) {
        levels.pop();
    }
    let level = levels.last_mut()?;
    let subfolder = level.subfolders.pop_front()?;
    Some((level, subfolder))
}
