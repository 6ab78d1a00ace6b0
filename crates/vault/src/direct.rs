//! Writing past the system's cache.
//!
//! What goes to a large file that nobody reads soon costs more in the cache than all else that is done with it: memory
//! for every page, and what others had there. So its bytes are gathered in aligned memory, and what of them fills whole
//! cells goes to the disk directly; the rest, and all that the file system does not take that way, goes through the
//! cache. Each cell goes only one of the two ways, so neither has to know of the other.
//!
//! Source: open(2), `O_DIRECT`: memory, offset and length must be aligned to the blocks of the disk.

use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::sync::Mutex;

use rustix::fs::{FsWord, Mode, OFlags, fstatfs, open};
use rustix::io::{Errno, pwrite};

use crate::threads::unpoisoned;

/// What is aligned, and to what, in bytes: a multiple of any disk's block and any system's page.
pub(crate) const CELL: usize = 64 << 10;
/// What is gathered of a file that grows before it is written, in bytes.
const GATHERED: usize = 16 * CELL;
/// File systems that are on a disk of this machine and write directly as fast as any other way: ext2 to 4, and XFS. Over
/// a network each such write waits for the other side. Source: statfs(2).
const NEAR: [FsWord; 2] = [0xef53, 0x5846_5342];
/// How many are kept of the memories of files that are done: at its first use every page of memory costs.
const SPARE: usize = 4;
static SPARES: Mutex<Vec<Gathered>> = Mutex::new(Vec::new());

/// Memory in which a part of a file is gathered, to be used again for the next.
#[derive(Default)]
pub(crate) struct Gathered(Vec<u8>);

impl Gathered {
    /// Room for so many bytes that belong at `offset` of a file: where that is aligned the memory is, too. The same room
    /// again, with what was put there, as long as the same is asked for.
    pub(crate) fn room(&mut self, offset: u64, length: usize) -> &mut [u8] {
        let needed = length + 2 * CELL;
        if self.0.len() < needed {
            self.0 = vec![0; needed];
        }
        let start = self.0.as_ptr().align_offset(CELL) % CELL + (offset % CELL as u64) as usize;
        &mut self.0[start..start + length]
    }
}

/// A file that grows at its end, written directly as it does.
pub(crate) struct Growing {
    direct: OwnedFd,
    gathered: Gathered,
    /// How much is gathered, in bytes.
    filled: usize,
    /// Where in the file that belongs.
    offset: u64,
}

impl Growing {
    /// The file at this path, which is empty; `None` where the file system does not know that way, or not well.
    pub(crate) fn open(path: &Path) -> Option<Self> {
        let flags = OFlags::WRONLY | OFlags::DIRECT | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let direct = open(path, flags, Mode::empty()).ok()?;
        NEAR.contains(&fstatfs(&direct).ok()?.f_type).then_some(())?;
        let gathered = unpoisoned(&SPARES).pop().unwrap_or_default();
        Some(Self { direct, gathered, filled: 0, offset: 0 })
    }

    /// Appends to the file, which is also open the usual way.
    pub(crate) fn push(&mut self, file: impl AsFd, mut bytes: &[u8]) -> Result<(), Errno> {
        while !bytes.is_empty() {
            let room = &mut self.gathered.room(0, GATHERED)[self.filled..];
            let (now, later) = bytes.split_at(bytes.len().min(room.len()));
            room[..now.len()].copy_from_slice(now);
            self.filled += now.len();
            if self.filled == GATHERED {
                self.flush(&file)?;
            }
            bytes = later;
        }
        Ok(())
    }

    /// Writes what is still gathered.
    pub(crate) fn flush(&mut self, file: impl AsFd) -> Result<(), Errno> {
        let bytes = &self.gathered.room(0, GATHERED)[..self.filled];
        let (cells, rest) = bytes.split_at(self.filled - self.filled % CELL);
        write_directly(&file, &self.direct, cells, self.offset)?;
        write_all(&file, rest, self.offset + cells.len() as u64)?;
        self.offset += self.filled as u64;
        self.filled = 0;
        Ok(())
    }
}

impl Drop for Growing {
    fn drop(&mut self) {
        let mut spare = unpoisoned(&SPARES);
        if spare.len() < SPARE {
            spare.push(std::mem::take(&mut self.gathered));
        }
    }
}

/// Writes whole cells. What the direct way does not take goes the usual one, which tells what is really wrong.
pub(crate) fn write_directly(
    file: impl AsFd,
    direct: impl AsFd,
    bytes: &[u8],
    offset: u64,
) -> Result<(), Errno> {
    let mut done = 0;
    while done < bytes.len() && done % CELL == 0 {
        match pwrite(&direct, &bytes[done..], offset + done as u64) {
            Ok(count) if count > 0 => done += count,
            Err(Errno::INTR) => {}
            _ => break,
        }
    }
    write_all(file, &bytes[done..], offset + done as u64)
}

/// Writes bytes the usual way.
pub(crate) fn write_all(file: impl AsFd, mut bytes: &[u8], mut offset: u64) -> Result<(), Errno> {
    while !bytes.is_empty() {
        match pwrite(&file, bytes, offset) {
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
