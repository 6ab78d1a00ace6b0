//! The content of files, blob by blob.
//!
//! Runs of zeros of a page or more become holes.

use std::ops::Range;
use std::os::fd::OwnedFd;
use std::sync::atomic::Ordering::Relaxed;

use rustix::fs::{fstat, ftruncate};
use rustix::io::{Errno, pread};

use super::Run;
use crate::direct::write_all;
use crate::error::{Error, ErrorKind};
use crate::id::Id;
use crate::monitor::FileErrorKind;
use crate::node::Node;
use crate::pack::BlobKind;
use crate::repository::Buffers;

/// No chunker makes larger chunks.
const LARGEST: usize = 8 << 20;
pub(super) const PAGE: usize = 4096;
static ZEROS: [u8; PAGE] = [0; PAGE];

/// Why a file is not restored.
pub(super) enum Trouble {
    File(FileErrorKind, Errno),
    Content(Error),
    Run(Error),
}

/// Writes some of a node's blobs, the first of them at `offset`; gives the offset after the last.
pub(super) fn write(
    run: &Run<'_>,
    file: &OwnedFd,
    node: &Node,
    blobs: Range<usize>,
    offset: u64,
    buffers: &mut Buffers,
) -> Result<u64, Trouble> {
    let disk = |errno| Trouble::File(FileErrorKind::Write, errno);
    let (mut length, mut written_to) = (offset, offset);
    for id in &node.content[blobs] {
        run.check().map_err(Trouble::Run)?;
        let bytes = run.blobs.read_into(buffers, BlobKind::Data, id).map_err(trouble)?;
        written_to = write_sparse(file, bytes, length).map_err(disk)?.unwrap_or(written_to);
        length += bytes.len() as u64;
        run.counters.bytes_done.fetch_add(bytes.len() as u64, Relaxed);
    }
    // What ends in a hole is not that long yet, unless its whole length was set before.
    if written_to < length && fstat(file).map_err(disk)?.st_size.cast_unsigned() < length {
        ftruncate(file, length).map_err(disk)?;
    }
    Ok(length)
}

/// A store out of reach ends the run; whatever else is wrong with a blob hits this file alone.
pub(super) fn trouble(error: Error) -> Trouble {
    match error.kind() {
        ErrorKind::Unreachable | ErrorKind::Denied | ErrorKind::Cancelled => Trouble::Run(error),
        _ => Trouble::Content(error),
    }
}

/// Whether a file of the node's size has the node's content, blob by blob. What cannot be told is no.
pub(super) fn is_there(run: &Run<'_>, file: &OwnedFd, node: &Node) -> bool {
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

/// Writes bytes at an offset but for pages of zeros; gives the end of what was written, if anything was.
pub(super) fn write_sparse(file: &OwnedFd, bytes: &[u8], offset: u64) -> Result<Option<u64>, Errno> {
    let mut end = None;
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

/// Whether this is a whole page of zeros.
pub(super) fn is_hole(page: &[u8]) -> bool {
    page == &ZEROS[..page.len()] && page.len() == PAGE
}
