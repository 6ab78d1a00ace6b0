//! Making files: new ones under their name, others beside what is there until they are whole.

use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;

use rustix::fs::{AtFlags, Mode, OFlags, Stat, fstat, openat, renameat, statat, unlinkat};
use rustix::io::Errno;

use super::folder::Folder;
use super::links::Made;
use super::{Overwrite, Run, content, metadata};
use crate::metadata::{kind, os, time, unix_mode};
use crate::monitor::FileErrorKind;
use crate::node::{Node, NodeKind};
use crate::random;

/// Permissions of what others must not read yet.
pub(super) const MINE: Mode = Mode::RUSR.union(Mode::WUSR);

/// A file to write.
pub(super) struct FileJob<'a> {
    pub(super) folder: Arc<Folder<'a>>,
    pub(super) node: Node,
    /// The file itself, where the walk had to make it because others are to be linked to it.
    pub(super) made: Option<Made<'a>>,
}

/// A file that was created, open.
pub(super) enum Created<'a> {
    /// Under its final name.
    Final(OwnedFd),
    /// By the walk, under its final name and perhaps more.
    Linked(Made<'a>),
    /// Under this name, until it is whole.
    Temporary(OwnedFd, String),
}

impl Created<'_> {
    pub(super) fn file(&self) -> &OwnedFd {
        match self {
            Self::Final(file) | Self::Temporary(file, _) => file,
            Self::Linked(made) => &made.file,
        }
    }

    /// The same file opened anew to be written past the system's cache, where the file system knows that way.
    pub(super) fn open_direct(&self, folder: &Folder<'_>, node: &Node) -> Option<OwnedFd> {
        let name = match self {
            Self::Final(_) => node.name.as_slice(),
            Self::Temporary(_, name) => name.as_bytes(),
            Self::Linked(_) => return None,
        };
        let flags = OFlags::WRONLY | OFlags::DIRECT | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let direct = openat(&folder.fd, name, flags, Mode::empty()).ok()?;
        // Somebody may have put another file under its name by now.
        let key = |stat: Stat| (stat.st_dev, stat.st_ino);
        (fstat(&direct).map(key).ok()? == fstat(self.file()).map(key).ok()?).then_some(direct)
    }

    /// The file is whole.
    pub(super) fn keep(&self, folder: &Folder<'_>, node: &Node) -> Result<(), Errno> {
        match self {
            Self::Final(_) => {}
            Self::Linked(made) => made.keep(),
            Self::Temporary(_, name) => renameat(&folder.fd, name, &folder.fd, node.name.as_slice())?,
        }
        Ok(())
    }

    /// The file cannot be made whole.
    pub(super) fn discard(&self, run: &Run<'_>, folder: &Folder<'_>, node: &Node) {
        let name = match self {
            Self::Final(_) => node.name.as_slice(),
            Self::Linked(made) => return made.discard(run),
            Self::Temporary(_, name) => name.as_bytes(),
        };
        let _ = unlinkat(&folder.fd, name, AtFlags::empty());
    }
}

/// Creates the file to write to; `None` when the one that is there may stay.
pub(super) fn create<'a>(
    run: &Run<'_>,
    folder: &Folder<'_>,
    node: &Node,
) -> Result<Option<Created<'a>>, Errno> {
    // In a folder of our own nobody else can open it yet, so it may have its permissions from the start.
    let mode = if folder.private { permissions(node) } else { MINE };
    match create_new(&folder.fd, &node.name, mode) {
        Ok(file) => Ok(Some(Created::Final(file))),
        Err(Errno::EXIST) if may_stay(run, &folder.fd, node)? || adopt(run, folder, node)? => Ok(None),
        Err(Errno::EXIST) => {
            let suffix = random::array::<8>().map_err(|_| Errno::IO)?;
            let temporary = format!(".roadstead-{}", hex::encode(suffix));
            let file = create_new(&folder.fd, temporary.as_bytes(), MINE)?;
            Ok(Some(Created::Temporary(file, temporary)))
        }
        Err(errno) => Err(errno),
    }
}

pub(super) fn create_new(dir: impl AsFd, name: &[u8], mode: Mode) -> Result<OwnedFd, Errno> {
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    openat(dir, name, flags, mode)
}

/// Whether what is there may stay. A folder in the way is an error.
pub(super) fn may_stay(run: &Run<'_>, dir: impl AsFd, node: &Node) -> Result<bool, Errno> {
    let stat = statat(dir, node.name.as_slice(), AtFlags::SYMLINK_NOFOLLOW)?;
    match run.options.overwrite {
        Overwrite::Never => Ok(true),
        _ if kind(&stat) == NodeKind::Dir => Err(Errno::ISDIR),
        Overwrite::IfChanged => Ok(is_same(&stat, node)),
        Overwrite::IfNewer => Ok(!is_older(&stat, node)),
        Overwrite::Always => Ok(false),
    }
}

/// Whether what is there may be removed for a folder, or for another name of a file.
pub(super) fn gives_way(run: &Run<'_>, dir: impl AsFd, node: &Node) -> Result<bool, Errno> {
    match run.options.overwrite {
        Overwrite::Never => Ok(false),
        Overwrite::IfNewer => {
            let stat = statat(dir, node.name.as_slice(), AtFlags::SYMLINK_NOFOLLOW)?;
            Ok(is_older(&stat, node))
        }
        Overwrite::IfChanged | Overwrite::Always => Ok(true),
    }
}

/// The file that is there, if it has the node's content and the rule is to leave such a one.
pub(super) fn holds_content(run: &Run<'_>, dir: impl AsFd, node: &Node) -> Result<Option<OwnedFd>, Errno> {
    if matches!(run.options.overwrite, Overwrite::Always | Overwrite::Never) || node.kind != NodeKind::File {
        return Ok(None);
    }
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let Ok(file) = openat(dir, node.name.as_slice(), flags, Mode::empty()) else { return Ok(None) };
    let found = fstat(&file)?;
    // Other names of the file may lie outside of the target.
    let fits = kind(&found) == NodeKind::File && found.st_nlink == 1 && found.st_size as u64 == node.size;
    Ok((fits && content::is_there(run, &file, node)).then_some(file))
}

/// Gives the file that is there the node's metadata if it has the node's content already.
fn adopt(run: &Run<'_>, folder: &Folder<'_>, node: &Node) -> Result<bool, Errno> {
    let Some(file) = holds_content(run, &folder.fd, node)? else { return Ok(false) };
    if let Err(errno) = metadata::apply(&file, node, run.options.owner) {
        run.os_error(folder.path.join(os(&node.name)), FileErrorKind::Metadata, errno);
    }
    Ok(true)
}

fn is_older(stat: &Stat, node: &Node) -> bool {
    time(stat.st_mtime, stat.st_mtime_nsec) < node.mtime
}

fn permissions(node: &Node) -> Mode {
    Mode::from_raw_mode(unix_mode(node.mode) & 0o777)
}

fn is_same(stat: &Stat, node: &Node) -> bool {
    kind(stat) == NodeKind::File
        && node.kind == NodeKind::File
        && stat.st_size as u64 == node.size
        && time(stat.st_mtime, stat.st_mtime_nsec) == node.mtime
}
