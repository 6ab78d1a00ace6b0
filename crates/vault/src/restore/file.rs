//! Writing files.
//!
//! Runs of zeros of a page or more become holes. A file whose content is damaged is removed again, so that
//! no half of one passes for the whole.

use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use crossbeam_channel::Receiver;
use rustix::fs::{AtFlags, Mode, OFlags, Stat, fstat, ftruncate, openat, renameat, statat, unlinkat};
use rustix::io::{Errno, pread, pwrite};

use super::folder::Folder;
use super::links::Made;
use super::{Overwrite, Run, metadata};
use crate::error::{Error, ErrorKind, Result};
use crate::id::Id;
use crate::metadata::{kind, os, time, unix_mode};
use crate::monitor::{FileError, FileErrorKind};
use crate::node::{Node, NodeKind};
use crate::pack::BlobKind;
use crate::random;

/// Permissions of what others must not read yet.
pub(super) const MINE: Mode = Mode::RUSR.union(Mode::WUSR);
/// No chunker makes larger chunks.
const LARGEST: usize = 8 << 20;
const PAGE: usize = 4096;
static ZEROS: [u8; PAGE] = [0; PAGE];

/// A file to write.
pub(super) struct FileJob<'a> {
    pub(super) folder: Arc<Folder<'a>>,
    pub(super) node: Node,
    /// The file itself, where the walk had to make it because others are to be linked to it.
    pub(super) made: Option<Made<'a>>,
}

/// Why a file is not restored.
enum Trouble {
    File(FileErrorKind, Errno),
    Content(Error),
    Run(Error),
}

/// A file that was created, open.
enum Created<'a> {
    /// Under its final name.
    Final(OwnedFd),
    /// By the walk, under its final name and perhaps more.
    Linked(Made<'a>),
    /// Under this name, until it is whole.
    Temporary(OwnedFd, String),
}

impl Created<'_> {
    fn file(&self) -> &OwnedFd {
        match self {
            Self::Final(file) | Self::Temporary(file, _) => file,
            Self::Linked(made) => &made.file,
        }
    }

    /// The file is whole.
    fn keep(&self, folder: &Folder<'_>, node: &Node) -> Result<(), Errno> {
        match self {
            Self::Final(_) => {}
            Self::Linked(made) => made.keep(),
            Self::Temporary(_, name) => renameat(&folder.fd, name, &folder.fd, node.name.as_slice())?,
        }
        Ok(())
    }

    /// The file cannot be made whole.
    fn discard(&self, run: &Run<'_>, folder: &Folder<'_>, node: &Node) {
        let name = match self {
            Self::Final(_) => node.name.as_slice(),
            Self::Linked(made) => return made.discard(run),
            Self::Temporary(_, name) => name.as_bytes(),
        };
        let _ = unlinkat(&folder.fd, name, AtFlags::empty());
    }
}

/// Writes files until no more come.
pub(super) fn work<'a>(run: &'a Run<'a>, jobs: Receiver<Vec<FileJob<'a>>>) -> Result<()> {
    for job in jobs.iter().flatten() {
        run.check()?;
        let path = job.folder.path.join(os(&job.node.name));
        run.counters.set_current(&path);
        let size = job.node.size;
        match write(run, job, &path) {
            Ok(()) => {}
            Err(Trouble::Run(error)) => return Err(error),
            Err(Trouble::File(kind, errno)) => run.os_error(path, kind, errno),
            Err(Trouble::Content(error)) => {
                run.error(&FileError::new(path, FileErrorKind::Damaged, reason(&error)))
            }
        }
        run.counters.files_searched.fetch_add(1, Relaxed);
        run.counters.bytes_searched.fetch_add(size, Relaxed);
    }
    Ok(())
}

fn reason(error: &Error) -> String {
    match std::error::Error::source(error) {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

fn write<'a>(run: &'a Run<'a>, job: FileJob<'a>, path: &PathBuf) -> Result<(), Trouble> {
    let FileJob { folder, node, made } = job;
    let created = match made {
        Some(made) => Created::Linked(made),
        None => {
            match create(run, &folder, &node).map_err(|errno| Trouble::File(FileErrorKind::Write, errno))? {
                Some(created) => created,
                None => {
                    run.skipped.fetch_add(1, Relaxed);
                    return Ok(());
                }
            }
        }
    };
    let written = write_content(run, created.file(), &node).and_then(|length| {
        if length != node.size {
            let reason = format!("its content has {length} bytes where {} are recorded", node.size);
            run.error(&FileError::new(path, FileErrorKind::Damaged, reason));
        }
        if let Err(errno) = metadata::apply(created.file(), &node, run.options.owner) {
            run.os_error(path.clone(), FileErrorKind::Metadata, errno);
        }
        created.keep(&folder, &node).map_err(|errno| Trouble::File(FileErrorKind::Write, errno))
    });
    match written {
        Ok(()) => drop(run.counters.files_done.fetch_add(1, Relaxed)),
        Err(_) => created.discard(run, &folder, &node),
    }
    written
}

/// Creates the file to write to; `None` when the one that is there may stay.
fn create<'a>(run: &Run<'_>, folder: &Folder<'_>, node: &Node) -> Result<Option<Created<'a>>, Errno> {
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
        Overwrite::Always => Ok(false),
    }
}

/// Gives the file that is there the node's metadata if it has the node's content already.
fn adopt(run: &Run<'_>, folder: &Folder<'_>, node: &Node) -> Result<bool, Errno> {
    if run.options.overwrite != Overwrite::IfChanged {
        return Ok(false);
    }
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let Ok(file) = openat(&folder.fd, node.name.as_slice(), flags, Mode::empty()) else { return Ok(false) };
    let found = fstat(&file)?;
    // Other names of the file may lie outside of the target.
    let fits = kind(&found) == NodeKind::File && found.st_nlink == 1 && found.st_size as u64 == node.size;
    if !fits || !has_content(run, &file, node) {
        return Ok(false);
    }
    if let Err(errno) = metadata::apply(&file, node, run.options.owner) {
        run.os_error(folder.path.join(os(&node.name)), FileErrorKind::Metadata, errno);
    }
    Ok(true)
}

/// Whether a file of the node's size has the node's content, blob by blob. What cannot be told is no.
fn has_content(run: &Run<'_>, file: &OwnedFd, node: &Node) -> bool {
    let (mut offset, mut bytes) = (0, Vec::new());
    for id in &node.content {
        let location = run.blobs.index.get(BlobKind::Data, id);
        let length = location.map_or(usize::MAX, |location| location.blob.plain_size() as usize);
        if length > LARGEST || run.check().is_err() {
            return false;
        }
        bytes.resize(length, 0);
        if read_exact(file, &mut bytes, offset).is_err() || Id::of(&bytes) != *id {
            return false;
        }
        offset += length as u64;
    }
    offset == node.size
}

fn read_exact(file: &OwnedFd, mut bytes: &mut [u8], mut offset: u64) -> Result<(), Errno> {
    while !bytes.is_empty() {
        match pread(file, &mut *bytes, offset) {
            Ok(0) => return Err(Errno::IO),
            Ok(count) => {
                bytes = &mut bytes[count..];
                offset += count as u64;
            }
            Err(Errno::INTR) => {}
            Err(errno) => return Err(errno),
        }
    }
    Ok(())
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

/// Writes all blobs; gives the length.
fn write_content(run: &Run<'_>, file: &OwnedFd, node: &Node) -> Result<u64, Trouble> {
    let disk = |errno| Trouble::File(FileErrorKind::Write, errno);
    let (mut length, mut written_to) = (0, 0);
    for id in &node.content {
        run.check().map_err(Trouble::Run)?;
        let bytes = run.blobs.read(BlobKind::Data, id).map_err(trouble)?;
        written_to = write_sparse(file, &bytes, length).map_err(disk)?.unwrap_or(written_to);
        length += bytes.len() as u64;
        run.counters.bytes_done.fetch_add(bytes.len() as u64, Relaxed);
    }
    if written_to < length {
        ftruncate(file, length).map_err(disk)?;
    }
    Ok(length)
}

/// A store out of reach ends the run; whatever else is wrong with a blob hits this file alone.
fn trouble(error: Error) -> Trouble {
    match error.kind() {
        ErrorKind::Unreachable | ErrorKind::Denied | ErrorKind::Cancelled => Trouble::Run(error),
        _ => Trouble::Content(error),
    }
}

/// Writes bytes at an offset but for pages of zeros; gives the end of what was written, if anything was.
fn write_sparse(file: &OwnedFd, bytes: &[u8], offset: u64) -> Result<Option<u64>, Errno> {
    let mut end = None;
    let is_hole = |page: &[u8]| page == &ZEROS[..page.len()] && page.len() == PAGE;
    let mut start = 0;
    while start < bytes.len() {
        let pages = || bytes[start..].chunks(PAGE);
        let holes = pages().take_while(|page| is_hole(page)).map(<[u8]>::len).sum::<usize>();
        start += holes;
        let data: usize =
            bytes[start..].chunks(PAGE).take_while(|page| !is_hole(page)).map(<[u8]>::len).sum();
        if data > 0 {
            write_all(file, &bytes[start..start + data], offset + start as u64)?;
            start += data;
            end = Some(offset + start as u64);
        }
    }
    Ok(end)
}

fn write_all(file: &OwnedFd, mut bytes: &[u8], mut offset: u64) -> Result<(), Errno> {
    while !bytes.is_empty() {
        match pwrite(file, bytes, offset) {
            Ok(0) => return Err(Errno::IO),
            Ok(count) => {
                bytes = &bytes[count..];
                offset += count as u64;
            }
            Err(Errno::INTR) => {}
            Err(errno) => return Err(errno),
        }
    }
    Ok(())
}
