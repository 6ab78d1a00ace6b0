//! The walk: one thread that looks at everything in order and decides what must be read.
//!
//! In each folder all entries are looked at first, then the folders among them are entered; so the files
//! of one folder are read together and lie together in the packs. Everything goes through open folders.
//! A folder is closed before its last subfolder is entered, so a path of any depth needs few of them.

use std::ffi::{OsStr, OsString};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, OnceLock};

use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, RawDir, Stat, fstat, openat, statat};
use rustix::io::Errno;

use super::compare::{Previous, is_unchanged};
use super::file::FileJob;
use super::folder::{Folder, Saver};
use super::ignore::Rules;
use super::roots::Selection;
use super::skip::Skip;
use crate::batches::Batches;
use crate::error::{Error, Result};
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
    pub(super) excludes: &'a Filter,
    pub(super) includes: &'a Filter,
    pub(super) ignore_files: &'a [String],
    pub(super) skip: Skip,
    pub(super) parent: &'a Blobs,
}

/// A folder whose subfolders are being entered.
struct Level {
    folder: Arc<Folder>,
    dir: Option<Arc<OwnedFd>>,
    subfolders: std::vec::IntoIter<Subfolder>,
    rules: Option<Arc<Rules>>,
    explicit: bool,
}

/// A folder seen but not yet entered.
struct Subfolder {
    slot: usize,
    name: Vec<u8>,
    selection: Selection,
    previous: Option<Node>,
}

/// An open folder with the names to take from it.
struct Opened {
    dir: Arc<OwnedFd>,
    stat: Stat,
    entries: Vec<(OsString, Selection)>,
    /// Whether the user named the entries.
    explicit: bool,
    /// What its files of rules, and those above, leave out.
    rules: Option<Arc<Rules>>,
}

impl Walk<'_> {
    /// Walks everything selected; the id of the topmost tree arrives in `tree` when all files are saved.
    pub(super) fn run(
        mut self,
        selection: Selection,
        previous_tree: Option<Id>,
        tree: Arc<OnceLock<Id>>,
    ) -> Result<()> {
        let path = PathBuf::from("/");
        let opened = self.open(CWD, OsStr::new("/"), &path, selection, None);
        let opened = opened.map_err(|errno| Error::io("opening /", errno))?;
        let mut top = self.owners.node(b"", &opened.stat);
        top.subtree = previous_tree;
        let folder = Folder::top(opened.entries.len(), tree);
        let mut levels = vec![self.enter(opened, folder, Some(&top))?];
        while let Some(level) = levels.last_mut() {
            self.saver.run.check()?;
            match level.subfolders.next() {
                Some(subfolder) => {
                    let entered = self.descend(level, subfolder)?;
                    levels.extend(entered);
                }
                None => drop(levels.pop()),
            }
        }
        self.saver.run.counters.totals_final.store(true, Relaxed);
        self.jobs.flush()
    }

    /// Opens a subfolder and looks at its entries; `None` if it cannot be opened.
    fn descend(&mut self, level: &mut Level, subfolder: Subfolder) -> Result<Option<Level>> {
        let last = level.subfolders.as_slice().is_empty();
        let dir = if last { level.dir.take() } else { level.dir.clone() };
        let Some(dir) = dir else { return Ok(None) };
        let Subfolder { slot, name, selection, previous } = subfolder;
        let path = level.folder.path.join(metadata::os(&name));
        self.saver.run.counters.set_current(&path);
        let opened = match self.open(&*dir, metadata::os(&name), &path, selection, level.rules.as_ref()) {
            Ok(opened) => opened,
            Err(errno) => {
                self.saver.run.unreachable(&path, errno);
                level.folder.put(slot, None, &mut self.saver)?;
                return Ok(None);
            }
        };
        drop(dir);
        let mut node = self.owners.node(&name, &opened.stat);
        match metadata::open_xattrs(&*opened.dir) {
            Ok(xattrs) => node.xattrs = xattrs,
            Err(errno) => self.saver.run.error(&path, FileErrorKind::Metadata, errno),
        }
        let before = previous.clone();
        let wanted = level.explicit || self.includes.is_empty() || self.includes.matches(&path);
        let entries = opened.entries.len();
        let folder = Folder::within(&level.folder, slot, node, previous, path, entries, wanted);
        self.enter(opened, folder, before.as_ref()).map(Some)
    }

    fn open(
        &self,
        dir: impl AsFd,
        name: &OsStr,
        path: &Path,
        selection: Selection,
        above: Option<&Arc<Rules>>,
    ) -> Result<Opened, Errno> {
        // Folders above what the user named may be reached through links; those found may not.
        let explicit = matches!(selection, Selection::Only(_));
        let follow = if explicit { OFlags::empty() } else { OFlags::NOFOLLOW };
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC | follow;
        let dir = Arc::new(openat(dir, name, flags, Mode::empty())?);
        let stat = fstat(&*dir)?;
        let rules = match selection {
            Selection::All if !self.ignore_files.is_empty() => {
                Rules::enter(above, &dir, path, self.ignore_files, self.saver.run)
            }
            _ => None,
        };
        let entries = match selection {
            Selection::Only(entries) => entries.into_iter().collect(),
            Selection::All => self.read_names(&dir, path, rules.as_deref())?,
            Selection::Nothing => Vec::new(),
        };
        Ok(Opened { dir, stat, entries, explicit, rules })
    }

    /// The names in a folder in byte order, without those left out.
    fn read_names(
        &self,
        dir: &OwnedFd,
        path: &Path,
        rules: Option<&Rules>,
    ) -> Result<Vec<(OsString, Selection)>, Errno> {
        let mut buffer = [MaybeUninit::uninit(); 32 << 10];
        let mut reader = RawDir::new(dir, &mut buffer);
        let mut names = Vec::new();
        let cache = self.skip.is_cache(dir);
        let filtered = !self.excludes.is_empty() || !self.includes.is_empty() || rules.is_some();
        while let Some(entry) = reader.next() {
            let entry = entry?;
            let name = OsStr::from_bytes(entry.file_name().to_bytes()).to_owned();
            if name == "." || name == ".." || Skip::leaves_out_entry(cache, &name) {
                continue;
            }
            if !filtered || self.takes(rules, &path.join(&name), || is_dir(dir, &name, entry.file_type())) {
                names.push((name, Selection::All));
            }
        }
        names.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        Ok(names)
    }

    /// Whether an entry that was found is to be saved, or a folder entered.
    fn takes(&self, rules: Option<&Rules>, path: &Path, is_dir: impl Fn() -> bool) -> bool {
        let includes = self.includes;
        let included = || {
            includes.is_empty() || includes.matches(path) || (includes.may_match_beneath(path) && is_dir())
        };
        !self.excludes.matches(path)
            && !rules.is_some_and(|rules| rules.leave_out(path, is_dir()))
            && included()
    }

    /// Looks at all entries of a folder: files that must be read go to the workers, other nodes into the
    /// tree, subfolders wait to be entered.
    fn enter(&mut self, opened: Opened, folder: Arc<Folder>, previous: Option<&Node>) -> Result<Level> {
        let Opened { dir, entries, explicit, rules, stat: above } = opened;
        let mut before = Previous::of(previous, self.parent, self.saver.run, &folder.path);
        let mut subfolders = Vec::new();
        if entries.is_empty() {
            folder.complete(Vec::new(), &mut self.saver)?;
        }
        for (slot, (name, selection)) in entries.into_iter().enumerate() {
            let name = name.into_vec();
            let previous = before.take(&name);
            match statat(&*dir, name.as_slice(), AtFlags::SYMLINK_NOFOLLOW) {
                Err(errno) => {
                    self.miss(&folder, &name, errno, explicit);
                    folder.put(slot, None, &mut self.saver)?;
                }
                Ok(stat) if !explicit && self.skip.leaves_out_file(&stat) => {
                    folder.put(slot, None, &mut self.saver)?;
                }
                Ok(stat) if is_folder(&stat, &selection) => {
                    let beyond = !explicit && self.skip.leaves_out_content(&above, &stat);
                    let selection = if beyond { Selection::Nothing } else { selection };
                    subfolders.push(Subfolder { slot, name, selection, previous });
                }
                Ok(stat) if metadata::kind(&stat) == NodeKind::File => {
                    self.file(&dir, &folder, slot, name, &stat, previous)?;
                }
                Ok(stat) => {
                    let node = self.special(&dir, &folder, &name, &stat);
                    folder.put(slot, node.as_ref(), &mut self.saver)?;
                }
            }
        }
        let dir = (!subfolders.is_empty()).then_some(dir);
        Ok(Level { folder, dir, subfolders: subfolders.into_iter(), rules, explicit })
    }

    /// Reports an entry that cannot be looked at. One that the user named should have been there.
    fn miss(&self, folder: &Folder, name: &[u8], errno: Errno, explicit: bool) {
        let path = folder.path.join(metadata::os(name));
        if explicit {
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
        run.counters.files_total.fetch_add(1, Relaxed);
        run.counters.bytes_total.fetch_add(stat.st_size as u64, Relaxed);
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
        let path = || folder.path.join(metadata::os(name));
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

/// Whether an entry is a folder; some file systems do not say when they list it.
fn is_dir(dir: &OwnedFd, name: &OsStr, listed: FileType) -> bool {
    let asked = || statat(dir, name, AtFlags::SYMLINK_NOFOLLOW);
    match listed {
        FileType::Unknown => asked().is_ok_and(|stat| metadata::kind(&stat) == NodeKind::Dir),
        listed => listed == FileType::Directory,
    }
}

/// Whether to enter an entry: a folder, or whatever leads to what the user named.
fn is_folder(stat: &Stat, selection: &Selection) -> bool {
    metadata::kind(stat) == NodeKind::Dir || matches!(selection, Selection::Only(_))
}
