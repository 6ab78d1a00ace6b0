//! Writing large files of a restore past the system's cache.
//!
//! A part of such a file is gathered, and what of it fills whole cells goes to the disk directly, but for holes.

use std::ops::Range;
use std::os::fd::OwnedFd;
use std::sync::atomic::Ordering::Relaxed;

use rustix::io::Errno;

use super::Run;
use super::content::{self, Trouble, is_hole, write_sparse};
use crate::direct::{CELL, Gathered, write_directly};
use crate::error::Error;
use crate::monitor::FileErrorKind;
use crate::node::Node;
use crate::pack::BlobKind;
use crate::repository::Buffers;

/// Holes are made of pages of so many bytes.
const PAGE: usize = content::PAGE;

/// A part of a file: which blobs, and where in the file they begin and end.
pub(super) struct Piece {
    pub(super) blobs: Range<usize>,
    pub(super) start: u64,
    pub(super) end: u64,
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
                write_directly(ways.0, ways.1, &bytes[..whole], offset)?;
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
