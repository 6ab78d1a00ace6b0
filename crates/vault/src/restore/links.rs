//! Hard links: the names of one file, symbolic link or device.
//!
//! The first name gets the content, and the others are linked to it at once, while its content is still on
//! the way. Should that prove damaged, all of its names go, so that no half of a file passes for the whole
//! under any of them.

use std::collections::HashMap;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex};

use rustix::fs::{AtFlags, linkat, statat, unlinkat};
use rustix::io::Errno;

use super::Run;
use super::file::{MINE, create_new, gives_way, may_stay};
use super::folder::Folder;
use crate::metadata::os;
use crate::monitor::{FileError, FileErrorKind};
use crate::node::{Node, NodeKind};
use crate::threads::unpoisoned;

/// The names that lead from the target's top to a file.
type Names = Vec<Vec<u8>>;

/// The files with several links met so far.
pub(super) struct Links<'a> {
    run: &'a Run<'a>,
    top: Arc<Folder<'a>>,
    files: HashMap<Key, Arc<Mutex<Linked>>>,
}

/// What it is, and its device and inode where it was backed up.
type Key = (NodeKind, u64, u64);

/// What is known of one file.
#[derive(Default)]
struct Linked {
    /// The names it has, the one that gets the content first; just that one when the content is whole.
    names: Vec<Names>,
    outcome: Outcome,
}

#[derive(Default, PartialEq)]
enum Outcome {
    #[default]
    Underway,
    Whole,
    Damaged,
}

/// A file made by the walk, whose content a worker is to write.
pub(super) struct Made<'a> {
    pub(super) file: OwnedFd,
    top: Arc<Folder<'a>>,
    linked: Arc<Mutex<Linked>>,
}

/// What becomes of one of several names.
pub(super) enum Step<'a> {
    /// It is the first: here is the file to fill.
    Fill(Made<'a>),
    /// It is linked, or was found to be, or cannot be, which is told.
    Done,
}

impl<'a> Links<'a> {
    pub(super) fn new(run: &'a Run<'a>, top: Arc<Folder<'a>>) -> Self {
        Self { run, top, files: HashMap::new() }
    }

    /// Links a file to the one restored before, or makes the first. `names` are its own from the top.
    pub(super) fn restore(
        &mut self,
        folder: &Folder<'a>,
        names: Names,
        node: &Node,
    ) -> Result<Step<'a>, Errno> {
        let linked = Arc::clone(self.files.entry(key(node)).or_default());
        let mut state = unpoisoned(&linked);
        if state.outcome == Outcome::Damaged {
            self.run.error(&is_damaged(&names));
            return Ok(Step::Done);
        }
        if state.names.is_empty() {
            state.names.push(names);
            drop(state);
            return self.first(folder, node, linked);
        }
        let done = self.link(&state.names[0], folder, node)?;
        if state.outcome == Outcome::Underway {
            state.names.push(names);
        }
        let counter = if done { &self.run.counters.files_done } else { &self.run.skipped };
        counter.fetch_add(1, Relaxed);
        Ok(Step::Done)
    }

    /// Links a symbolic link or a device to the one restored before, or has `make` make the first; tells whether
    /// anything was done. `names` are its own from the top.
    pub(super) fn special(
        &mut self,
        folder: &Folder<'a>,
        names: Names,
        node: &Node,
        make: impl FnOnce() -> Result<bool, Errno>,
    ) -> Result<bool, Errno> {
        let linked = Arc::clone(self.files.entry(key(node)).or_default());
        let mut state = unpoisoned(&linked);
        if let Some(first) = state.names.first() {
            return self.link(first, folder, node);
        }
        let made = make()?;
        state.names.push(names);
        state.outcome = Outcome::Whole;
        Ok(made)
    }

    fn first(&self, folder: &Folder<'a>, node: &Node, linked: Arc<Mutex<Linked>>) -> Result<Step<'a>, Errno> {
        let file = match create_new(&folder.fd, &node.name, MINE) {
            Err(Errno::EXIST) if may_stay(self.run, &folder.fd, node)? => {
                unpoisoned(&linked).outcome = Outcome::Whole;
                self.run.skipped.fetch_add(1, Relaxed);
                return Ok(Step::Done);
            }
            Err(Errno::EXIST) => {
                unlinkat(&folder.fd, node.name.as_slice(), AtFlags::empty())?;
                create_new(&folder.fd, &node.name, MINE)?
            }
            other => other?,
        };
        Ok(Step::Fill(Made { file, top: Arc::clone(&self.top), linked }))
    }

    /// Links to the first name; tells whether there was anything to do.
    fn link(&self, first: &Names, folder: &Folder<'a>, node: &Node) -> Result<bool, Errno> {
        let (first, folders) = first.split_last().ok_or(Errno::NOENT)?;
        let (from, name) = (self.top.open_beneath(folders)?, node.name.as_slice());
        match linkat(&from, first.as_slice(), &folder.fd, name, AtFlags::empty()) {
            Err(Errno::EXIST) => self.relink(&from, first, &folder.fd, node),
            other => other.map(|()| true),
        }
    }

    /// Puts a link in the place of what is there; tells whether anything was done.
    fn relink(&self, from: &OwnedFd, first: &[u8], to: &OwnedFd, node: &Node) -> Result<bool, Errno> {
        let name = node.name.as_slice();
        let identity = |dir: &OwnedFd, name| {
            statat(dir, name, AtFlags::SYMLINK_NOFOLLOW).map(|stat| (stat.st_dev, stat.st_ino))
        };
        if identity(from, first)? == identity(to, name)? || !gives_way(self.run, to, node)? {
            return Ok(false);
        }
        unlinkat(to, name, AtFlags::empty())?;
        linkat(from, first, to, name, AtFlags::empty()).map(|()| true)
    }
}

impl Made<'_> {
    /// Notes that the content is whole.
    pub(super) fn keep(&self) {
        let mut linked = unpoisoned(&self.linked);
        linked.outcome = Outcome::Whole;
        linked.names.truncate(1);
    }

    /// Takes away all names the file has by now, and tells of those linked to it.
    pub(super) fn discard(&self, run: &Run<'_>) {
        let mut linked = unpoisoned(&self.linked);
        linked.outcome = Outcome::Damaged;
        for (number, names) in std::mem::take(&mut linked.names).into_iter().enumerate() {
            let Some((name, folders)) = names.split_last() else { continue };
            let folder = self.top.open_beneath(folders);
            let _ = folder.and_then(|folder| unlinkat(folder, name.as_slice(), AtFlags::empty()));
            if number > 0 {
                run.counters.files_done.fetch_sub(1, Relaxed);
                run.error(&is_damaged(&names));
            }
        }
    }
}

fn key(node: &Node) -> Key {
    (node.kind, node.device_id, node.inode)
}

fn is_damaged(names: &Names) -> FileError {
    let path = names.iter().fold(PathBuf::from("/"), |path, name| path.join(os(name)));
    FileError::new(path, FileErrorKind::Damaged, "the file it is a link to is damaged")
}
