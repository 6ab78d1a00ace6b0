//! Writing files.
//!
//! Runs of zeros of a page or more become holes. A file whose content is damaged is removed again, so that
//! no half of one passes for the whole.

use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use crossbeam_channel::Receiver;
use rustix::fs::{AtFlags, Mode, OFlags, Stat, ftruncate, openat, renameat, statat, unlinkat};
use rustix::io::{Errno, pwrite};

use super::folder::Folder;
use super::{Overwrite, Run, metadata};
use crate::error::{Error, ErrorKind, Result};
use crate::metadata::{kind, os, time, unix_mode};
use crate::monitor::{FileError, FileErrorKind};
use crate::node::{Node, NodeKind};
use crate::pack::BlobKind;
use crate::random;

/// Permissions of what others must not read yet.
pub(super) const MINE: Mode = Mode::RUSR.union(Mode::WUSR);
const PAGE: usize = 4096;
static ZEROS: [u8; PAGE] = [0; PAGE];

/// A file to write.
pub(super) struct FileJob<'a> {
    pub(super) folder: Arc<Folder<'a>>,
    pub(super) node: Node,
    /// The file itself, where the walk had to make it because others are to be linked to it.
    pub(super) made: Option<OwnedFd>,
}

/// Why a file is not restored.
enum Trouble {
    File(FileErrorKind, Errno),
    Content(Error),
    Run(Error),
}

/// A file that was created: open, and what to call it when it is whole.
struct Created {
    file: OwnedFd,
    /// `None` when it has its final name already.
    temporary: Option<String>,
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
        Some(file) => Created { file, temporary: None },
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
    let written = write_content(run, &created.file, &node).and_then(|length| {
        if length != node.size {
            let reason = format!("its content has {length} bytes where {} are recorded", node.size);
            run.error(&FileError::new(path, FileErrorKind::Damaged, reason));
        }
        if let Err(errno) = metadata::apply(&created.file, &node, run.options.owner) {
            run.os_error(path.clone(), FileErrorKind::Metadata, errno);
        }
        match &created.temporary {
            Some(temporary) => renameat(&folder.fd, temporary, &folder.fd, node.name.as_slice())
                .map_err(|errno| Trouble::File(FileErrorKind::Write, errno)),
            None => Ok(()),
        }
    });
    match written {
        Ok(()) => drop(run.counters.files_done.fetch_add(1, Relaxed)),
        Err(_) => {
            let name = created.temporary.as_deref().map_or(node.name.as_slice(), str::as_bytes);
            let _ = unlinkat(&folder.fd, name, AtFlags::empty());
        }
    }
    written
}

/// Creates the file to write to; `None` when the one that is there may stay.
fn create(run: &Run<'_>, folder: &Folder<'_>, node: &Node) -> Result<Option<Created>, Errno> {
    // In a folder of our own nobody else can open it yet, so it may have its permissions from the start.
    let mode = if folder.private { permissions(node) } else { MINE };
    match create_new(&folder.fd, &node.name, mode) {
        Ok(file) => Ok(Some(Created { file, temporary: None })),
        Err(Errno::EXIST) if may_stay(run, &folder.fd, node)? => Ok(None),
        Err(Errno::EXIST) => {
            let suffix = random::array::<8>().map_err(|_| Errno::IO)?;
            let temporary = format!(".roadstead-{}", hex::encode(suffix));
            let file = create_new(&folder.fd, temporary.as_bytes(), MINE)?;
            Ok(Some(Created { file, temporary: Some(temporary) }))
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
