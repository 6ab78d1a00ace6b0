//! Writing large files past the system's cache.
//!
//! What a restore writes to a large file is seldom read again soon, but in the cache it costs more than all else that is
//! done with it: memory for every page, and what others had there. So a part of such a file is gathered, and what of it
//! fills whole cells goes to the disk directly; the rest, and all that the file system does not take that way, goes
//! through the cache. Each cell goes only one of the two ways, so neither has to know of the other.
//!
//! Source: open(2), `O_DIRECT`: memory, offset and length must be aligned to the blocks of the disk.

use std::ops::Range;
use std::os::fd::OwnedFd;
use std::sync::atomic::Ordering::Relaxed;

use rustix::io::{Errno, pwrite};

use super::Run;
use super::content::{self, Trouble, is_hole, write_all, write_sparse};
use crate::error::Error;
use crate::monitor::FileErrorKind;
use crate::node::Node;
use crate::pack::BlobKind;
use crate::repository::Buffers;

/// What is aligned, and to what, in bytes: a multiple of any disk's block and any system's page.
const CELL: usize = 64 << 10;
/// Holes are made of pages of so many bytes.
const PAGE: usize = content::PAGE;

/// A part of a file: which blobs, and where in the file they begin and end.
pub(super) struct Piece {
    pub(super) blobs: Range<usize>,
    pub(super) start: u64,
    pub(super) end: u64,
}

/// A part of a file that is gathered before it is written, in memory that is used again.
#[derive(Default)]
pub(super) struct Gathered(Vec<u8>);

impl Gathered {
    /// Room for so many bytes that belong at `offset` of a file: where that is aligned the memory is, too.
    fn room(&mut self, offset: u64, length: usize) -> &mut [u8] {
        let needed = length + 2 * CELL;
        if self.0.len() < needed {
            self.0 = vec![0; needed];
        }
        let start = self.0.as_ptr().align_offset(CELL) % CELL + (offset % CELL as u64) as usize;
        &mut self.0[start..start + length]
    }
}

/// Where a part goes: the file, and the same opened for writing directly.
pub(super) type Ways<'a> = (&'a OwnedFd, &'a OwnedFd);

/// Writes the blobs of a part of a node's file; gives the offset after the last.
pub(super) fn write(
    run: &Run<'_>,
    ways: Ways<'_>,
    node: &Node,
    piece: &Piece,
    buffers: &mut Buffers,
    gathered: &mut Gathered,
) -> Result<u64, Trouble> {
    let wrong = || Trouble::Content(Error::damaged("the index is wrong about the length of a blob"));
    let length = usize::try_from(piece.end - piece.start).map_err(|_| wrong())?;
    let (room, mut filled) = (gathered.room(piece.start, length), 0);
    for id in &node.content[piece.blobs.clone()] {
        run.check().map_err(Trouble::Run)?;
        let bytes = run.blobs.read_into(buffers, BlobKind::Data, id).map_err(content::trouble)?;
        let place = room.get_mut(filled..filled + bytes.len()).ok_or_else(wrong)?;
        place.copy_from_slice(bytes);
        filled += bytes.len();
        run.counters.bytes_done.fetch_add(bytes.len() as u64, Relaxed);
    }
    let written = write_cells(ways, &room[..filled], piece.start);
    written.map_err(|errno| Trouble::File(FileErrorKind::Write, errno))?;
    Ok(piece.start + filled as u64)
}

/// Writes bytes, aligned in memory as in the file, but for pages of zeros.
fn write_cells(ways: Ways<'_>, mut bytes: &[u8], mut offset: u64) -> Result<(), Errno> {
    while !bytes.is_empty() {
        let into_cell = (offset % CELL as u64) as usize;
        let full = |cell: &&[u8]| !cell.chunks(PAGE).any(is_hole);
        let count = match bytes.chunks_exact(CELL).take_while(full).count() * CELL {
            whole if whole > 0 && into_cell == 0 => {
                write_directly(ways, &bytes[..whole], offset)?;
                whole
            }
            _ => {
                let part = bytes.len().min(CELL - into_cell);
                write_sparse(ways.0, &bytes[..part], offset)?;
                part
            }
        };
        (bytes, offset) = (&bytes[count..], offset + count as u64);
    }
    Ok(())
}

/// Writes whole cells. What the direct way does not take goes the usual one, which tells what is really wrong.
fn write_directly((file, direct): Ways<'_>, bytes: &[u8], offset: u64) -> Result<(), Errno> {
    let mut done = 0;
    while done < bytes.len() && done % CELL == 0 {
        match pwrite(direct, &bytes[done..], offset + done as u64) {
            Ok(count) if count > 0 => done += count,
            Err(Errno::INTR) => {}
            _ => break,
        }
    }
    write_all(file, &bytes[done..], offset + done as u64)
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use proptest::prelude::*;
    use rustix::fs::{Mode, OFlags, open};

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(ProptestConfig::default().cases / 4))]
        #[test]
        fn what_is_gathered_lies_where_it_belongs(
            offset in 0..3 * CELL as u64,
            runs in proptest::collection::vec((any::<bool>(), 0..2 * CELL), 0..8),
        ) {
            // Beneath the working folder: what is temporary often lies in memory, which knows no other way.
            let folder = tempfile::tempdir_in(".").unwrap();
            let path = folder.path().join("file");
            let content: Vec<u8> =
                runs.iter().flat_map(|&(zero, length)| (0..length).map(move |i| if zero { 0 } else { (i % 251) as u8 | 1 })).collect();
            let file: OwnedFd = File::create(&path).unwrap().into();
            rustix::fs::ftruncate(&file, offset + content.len() as u64).unwrap();
            let flags = OFlags::WRONLY | OFlags::DIRECT;
            let direct = open(&path, flags, Mode::empty()).or_else(|_| open(&path, OFlags::WRONLY, Mode::empty())).unwrap();
            let mut gathered = Gathered::default();
            let room = gathered.room(offset, content.len());
            room.copy_from_slice(&content);
            write_cells((&file, &direct), room, offset).unwrap();
            let written = std::fs::read(&path).unwrap();
            prop_assert!(written[..offset as usize].iter().all(|byte| *byte == 0));
            prop_assert!(written[offset as usize..] == content);
        }
    }
}
