//! What a restore would do, told without doing it.
//!
//! The way is the restore's own: the same names are refused, the same patterns asked, and what is there already is judged
//! by the same rules, content included. Nothing in the target is touched, and no folder of it is left through a link.

use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::atomic::Ordering::Relaxed;

use rustix::fs::{CWD, Mode, OFlags, openat};
use rustix::io::Errno;

use super::file::{gives_way, holds_content, may_stay};
use super::folder::FLAGS;
use super::{RestoreOptions, Run, watched};
use crate::cancel::Cancel;
use crate::error::{Error, Result};
use crate::filter::Filter;
use crate::id::Id;
use crate::monitor::{FileError, FileErrorKind, Monitor};
use crate::node::{Node, NodeKind};
use crate::repository::Repository;
use crate::snapshot::Snapshot;
use crate::walk::{Step, Visitor, walk};

/// What would become of a file, link or device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RestoreAction {
    /// It would be made; nothing is there.
    Create,
    /// It would take the place of what is there.
    Overwrite,
    /// What is there would stay; where it has the snapshot's content it may get its metadata.
    Leave,
    /// It cannot be made: something stands in the way that may not go.
    Refuse,
}

/// So many files, and what they have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Planned {
    /// Files, links and devices; each name counts.
    pub files: u64,
    /// The size of the files among them, in bytes.
    pub bytes: u64,
}

/// What a restore would do. Folders are not counted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RestorePlan {
    /// What would be made.
    pub created: Planned,
    /// What would take the place of something.
    pub overwritten: Planned,
    /// What would stay as it is.
    pub left: Planned,
    /// What cannot be made.
    pub refused: Planned,
    /// What could not be looked at in the vault or in the target.
    pub errors: u64,
}

impl RestorePlan {
    fn count(&mut self, action: RestoreAction, node: &Node) {
        let planned = match action {
            RestoreAction::Create => &mut self.created,
            RestoreAction::Overwrite => &mut self.overwritten,
            RestoreAction::Leave => &mut self.left,
            RestoreAction::Refuse => &mut self.refused,
        };
        planned.files += 1;
        planned.bytes += if node.kind == NodeKind::File { node.size } else { 0 };
    }
}

impl Repository {
    /// Tells what [`Repository::restore`] would do with the same options, as the target is now: each file, link and
    /// device by its path in the snapshot, with its size, in the order of paths.
    ///
    /// Files of the snapshot's size but another time are read, as the restore would. What cannot be looked at is told to
    /// `monitor` and counted. Fails as [`Repository::restore`] does; a target that is not there yet is none.
    pub fn plan_restore(
        &self,
        snapshot: &Snapshot,
        options: &RestoreOptions,
        monitor: &dyn Monitor,
        cancel: &Cancel,
        told: &mut dyn FnMut(&Path, RestoreAction, u64),
    ) -> Result<RestorePlan> {
        let include = Filter::new(&options.include)?;
        let _lock = self.lock(cancel)?;
        let blobs = self.blobs()?;
        blobs.warn(monitor);
        let run = Run::new(snapshot, options, include, &blobs, monitor, cancel);
        let top = match openat(CWD, &options.target, OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty()) {
            Ok(top) => Place::Open(top),
            Err(Errno::NOENT) => Place::Absent,
            Err(e) => return Err(Error::io(format!("opening {}", options.target.display()), e)),
        };
        watched(&run, || {
            let mut look =
                Look { run: &run, plan: RestorePlan::default(), places: vec![], next: Some(top), told };
            walk(&blobs, snapshot.tree, cancel, &mut look)?;
            run.counters.totals_final.store(true, Relaxed);
            Ok(RestorePlan { errors: run.counters.errors.load(Relaxed), ..look.plan })
        })
    }
}

/// What is in the target where a folder of the snapshot goes.
enum Place {
    /// The folder.
    Open(OwnedFd),
    /// Nothing that would stay.
    Absent,
    /// Something that may not go.
    Blocked,
}

struct Look<'a> {
    run: &'a Run<'a>,
    plan: RestorePlan,
    /// Of each folder from the top to where the walk is.
    places: Vec<Place>,
    /// Of the folder that the walk is about to enter.
    next: Option<Place>,
    told: &'a mut dyn FnMut(&Path, RestoreAction, u64),
}

impl Look<'_> {
    fn enter(&self, node: &Node) -> Result<Place, Errno> {
        let above = match self.places.last() {
            Some(Place::Open(above)) => above,
            Some(Place::Blocked) => return Ok(Place::Blocked),
            Some(Place::Absent) | None => return Ok(Place::Absent),
        };
        match openat(above, node.name.as_slice(), FLAGS, Mode::empty()) {
            Ok(folder) => Ok(Place::Open(folder)),
            Err(Errno::NOENT) => Ok(Place::Absent),
            Err(Errno::LOOP | Errno::NOTDIR) if gives_way(self.run, above, node)? => Ok(Place::Absent),
            Err(Errno::LOOP | Errno::NOTDIR) => Ok(Place::Blocked),
            Err(errno) => Err(errno),
        }
    }

    fn action(&self, node: &Node) -> Result<RestoreAction, Errno> {
        let folder = match self.places.last() {
            Some(Place::Open(folder)) => folder,
            Some(Place::Blocked) => return Ok(RestoreAction::Refuse),
            Some(Place::Absent) | None => return Ok(RestoreAction::Create),
        };
        match may_stay(self.run, folder, node) {
            Ok(true) => Ok(RestoreAction::Leave),
            Ok(false) if holds_content(self.run, folder, node)?.is_some() => Ok(RestoreAction::Leave),
            Ok(false) => Ok(RestoreAction::Overwrite),
            Err(Errno::NOENT) => Ok(RestoreAction::Create),
            Err(Errno::ISDIR) => Ok(RestoreAction::Refuse),
            Err(errno) => Err(errno),
        }
    }
}

impl Visitor for Look<'_> {
    fn entry(&mut self, path: &Path, node: Node) -> Result<Step> {
        let include = &self.run.include;
        let wanted = include.is_empty() || include.matches(path);
        let is_folder = node.kind == NodeKind::Dir;
        let leads_there = is_folder && include.may_match_beneath(path);
        if !(wanted || leads_there) {
            return Ok(Step::Pass);
        }
        let looked = match is_folder {
            true => self.enter(&node).map(|place| self.next = Some(place)),
            false => self.action(&node).map(|action| {
                self.plan.count(action, &node);
                (self.told)(path, action, if node.kind == NodeKind::File { node.size } else { 0 });
            }),
        };
        self.run.counters.set_current(path);
        if !is_folder {
            self.run.counters.files_searched.fetch_add(1, Relaxed);
            self.run.counters.bytes_searched.fetch_add(node.size, Relaxed);
        }
        match looked {
            Ok(()) => Ok(Step::Enter),
            Err(errno) => {
                self.run.os_error(path.to_owned(), FileErrorKind::Open, errno);
                Ok(Step::Pass)
            }
        }
    }

    fn entered(&mut self, _tree: &Id, _path: &Path) {
        self.places.push(self.next.take().unwrap_or(Place::Absent));
    }

    fn left(&mut self, _tree: &Id, _path: &Path) {
        self.places.pop();
    }

    fn trouble(&mut self, error: &FileError) {
        self.run.error(error);
    }
}
