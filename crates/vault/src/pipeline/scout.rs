//! The scout: one thread that goes through the folders ahead of the walk, opens and lists them, and looks at every
//! entry, so that nobody waits for a disk who has files to compare or to read.
//!
//! In each folder all entries are looked at first, then the folders among them are entered; so the files of one
//! folder are read together and lie together in the packs. What it sees goes to the walk in just this order, which
//! is why neither has to say where it is. Everything goes through open folders. A folder is closed before its last
//! subfolder is entered, so a path of any depth needs few of them; how far ahead it may be is bounded, too.

use std::ffi::{OsStr, OsString};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, RawDir, Stat, fstat, openat, statat};
use rustix::io::Errno;

use super::ignore::Rules;
use super::roots::Selection;
use super::run::Run;
use super::skip::Skip;
use crate::batches::Batches;
use crate::error::{Error, Result};
use crate::filter::Filter;
use crate::metadata;
use crate::node::{NodeKind, Xattr};

/// Entries of a folder that go over together, at most.
const PIECE: usize = 256;
/// What an entry weighs in a batch, which takes 1 MiB: a large folder's pieces go over some at a time.
const WEIGHT: u64 = 512;

/// What the scout hands over.
pub(super) enum Sight {
    /// A folder that was entered; its entries follow.
    Folder(Opened),
    /// The next entries of the folder entered last, in byte order of their names.
    Entries(Vec<Entry>),
    /// The folder that would be entered now cannot be opened.
    Closed(Errno),
}

/// A folder that was opened.
pub(super) struct Opened {
    pub(super) dir: Arc<OwnedFd>,
    pub(super) stat: Stat,
    pub(super) xattrs: Result<Vec<Xattr>, Errno>,
    /// How many entries follow.
    pub(super) entries: usize,
    /// Whether the user named the entries.
    pub(super) explicit: bool,
}

/// An entry of a folder.
pub(super) struct Entry {
    pub(super) name: Vec<u8>,
    pub(super) seen: Seen,
}

/// What an entry is.
pub(super) enum Seen {
    /// A folder, or what leads to one that the user named. It is entered after the entries beside it.
    Folder,
    /// Anything else.
    Other(Stat),
    /// Something to leave out.
    LeftOut,
    /// Something that cannot be looked at.
    Missing(Errno),
}

/// The scouting stage.
pub(super) struct Scout<'a> {
    pub(super) run: &'a Run<'a>,
    pub(super) sights: Batches<Sight>,
    pub(super) excludes: &'a Filter,
    pub(super) includes: &'a Filter,
    pub(super) ignore_files: &'a [String],
    pub(super) skip: Skip,
}

/// A folder whose subfolders are being entered.
struct Level {
    path: PathBuf,
    dir: Option<Arc<OwnedFd>>,
    subfolders: std::vec::IntoIter<(Vec<u8>, Selection)>,
    rules: Option<Arc<Rules>>,
}

/// What is to be looked at in an open folder.
struct Listed {
    dir: Arc<OwnedFd>,
    stat: Stat,
    names: Vec<(OsString, Selection)>,
    explicit: bool,
    /// What its files of rules, and those above, leave out.
    rules: Option<Arc<Rules>>,
}

impl Scout<'_> {
    /// Goes through everything selected. Afterwards the totals are known.
    pub(super) fn run(mut self, selection: Selection) -> Result<()> {
        let listed = self.list(CWD, OsStr::new("/"), Path::new("/"), selection, None);
        let listed = listed.map_err(|errno| Error::io("opening /", errno))?;
        let mut levels = vec![self.enter(listed, PathBuf::from("/"))?];
        while let Some(level) = levels.last_mut() {
            self.run.check()?;
            match level.subfolders.next() {
                Some((name, selection)) => {
                    let entered = self.descend(level, &name, selection)?;
                    levels.extend(entered);
                }
                None => drop(levels.pop()),
            }
        }
        self.run.counters.totals_final.store(true, Relaxed);
        self.sights.flush()
    }

    /// Opens a subfolder and looks at its entries; `None` if it cannot be opened.
    fn descend(&mut self, level: &mut Level, name: &[u8], selection: Selection) -> Result<Option<Level>> {
        let last = level.subfolders.as_slice().is_empty();
        let dir = if last { level.dir.take() } else { level.dir.clone() };
        let Some(dir) = dir else { return Ok(None) };
        let path = level.path.join(metadata::os(name));
        match self.list(&*dir, metadata::os(name), &path, selection, level.rules.as_ref()) {
            Ok(listed) => {
                drop(dir);
                self.enter(listed, path).map(Some)
            }
            Err(errno) => self.sights.push(Sight::Closed(errno), 0).map(|()| None),
        }
    }

    fn list(
        &self,
        dir: impl AsFd,
        name: &OsStr,
        path: &Path,
        selection: Selection,
        above: Option<&Arc<Rules>>,
    ) -> Result<Listed, Errno> {
        // Folders above what the user named may be reached through links; those found may not.
        let explicit = matches!(selection, Selection::Only(_));
        let follow = if explicit { OFlags::empty() } else { OFlags::NOFOLLOW };
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC | follow;
        let dir = Arc::new(openat(dir, name, flags, Mode::empty())?);
        let stat = fstat(&*dir)?;
        let rules = match selection {
            Selection::All if !self.ignore_files.is_empty() => {
                Rules::enter(above, &dir, path, self.ignore_files, self.run)
            }
            _ => None,
        };
        let names = match selection {
            Selection::Only(entries) => entries.into_iter().collect(),
            Selection::All => self.read_names(&dir, path, rules.as_deref())?,
            Selection::Nothing => Vec::new(),
        };
        Ok(Listed { dir, stat, names, explicit, rules })
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

    /// Looks at all entries of a folder and hands them over; its subfolders wait to be entered.
    fn enter(&mut self, listed: Listed, path: PathBuf) -> Result<Level> {
        let Listed { dir, stat: above, names, explicit, rules } = listed;
        let xattrs = metadata::open_xattrs(&*dir);
        let opened = Opened { dir: Arc::clone(&dir), stat: above, xattrs, entries: names.len(), explicit };
        self.sights.push(Sight::Folder(opened), 0)?;
        let (mut subfolders, mut piece) = (Vec::new(), Vec::new());
        for (name, selection) in names {
            let name = name.into_vec();
            let seen = match statat(&*dir, name.as_slice(), AtFlags::SYMLINK_NOFOLLOW) {
                Err(errno) => Seen::Missing(errno),
                Ok(stat) if !explicit && self.skip.leaves_out_file(&stat) => Seen::LeftOut,
                Ok(stat) if is_folder(&stat, &selection) => {
                    let beyond = !explicit && self.skip.leaves_out_content(&above, &stat);
                    let selection = if beyond { Selection::Nothing } else { selection };
                    subfolders.push((name.clone(), selection));
                    Seen::Folder
                }
                Ok(stat) => self.count(stat),
            };
            piece.push(Entry { name, seen });
            if piece.len() == PIECE {
                self.run.check()?;
                self.hand_over(&mut piece)?;
            }
        }
        self.hand_over(&mut piece)?;
        let dir = (!subfolders.is_empty()).then_some(dir);
        Ok(Level { path, dir, subfolders: subfolders.into_iter(), rules })
    }

    fn count(&self, stat: Stat) -> Seen {
        if metadata::kind(&stat) == NodeKind::File {
            self.run.counters.files_total.fetch_add(1, Relaxed);
            self.run.counters.bytes_total.fetch_add(stat.st_size as u64, Relaxed);
        }
        Seen::Other(stat)
    }

    fn hand_over(&mut self, piece: &mut Vec<Entry>) -> Result<()> {
        let entries = std::mem::take(piece);
        if entries.is_empty() {
            return Ok(());
        }
        let weight = WEIGHT * entries.len() as u64;
        self.sights.push(Sight::Entries(entries), weight)
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
