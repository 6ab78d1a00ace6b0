//! Writing files: small ones whole, large ones in parts, by several workers where there is nothing else to do.
//!
//! Workers that write to the same file spin in the kernel until the other is done. So whoever opens a large file goes
//! through its parts alone, and others help only while no file waits for them.
//!
//! Parts go past the system's cache where the file system knows that way.
//!
//! A file is finished by whoever is the last to let go of it. One that cannot be made whole is removed again, so
//! that no half of it passes for the whole.

use std::ops::Range;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Weak};

use crossbeam_channel::{Receiver, Sender, select_biased};
use rustix::fs::ftruncate;

use super::content::{self, Trouble};
use super::direct::{self, Piece};
use super::file::{Created, FileJob, create};
use super::folder::Folder;
use super::{Run, metadata};
use crate::direct::Gathered;
use crate::error::{Error, Result};
use crate::metadata::os;
use crate::monitor::{FileError, FileErrorKind};
use crate::node::Node;
use crate::pack::BlobKind;
use crate::repository::Buffers;
use crate::threads::threads;

/// Files from this size on are written in parts.
const LARGE: u64 = 64 << 20;
/// About what a part has, in bytes.
const PART: u64 = 8 << 20;
/// What a part has at the most that is gathered: one with a blob larger than any chunker makes is not.
const GATHERED: u64 = 2 * PART;

/// A file being written. Dropped before it is finished it is removed.
struct Opened<'a> {
    run: &'a Run<'a>,
    folder: Arc<Folder<'a>>,
    node: Node,
    path: PathBuf,
    created: Created<'a>,
    /// A part of it could not be written, which was told.
    failed: AtomicBool,
    finished: bool,
}

/// A large file on which several may work.
pub(super) struct Shared<'a> {
    file: Opened<'a>,
    /// The same file for writing directly.
    direct: Option<OwnedFd>,
    pieces: Vec<Piece>,
    /// How many of them somebody has taken.
    taken: AtomicUsize,
}

/// A call for help with a large file, void once its parts are all written.
type Call<'a> = Weak<Shared<'a>>;

/// What a worker needs for every file, kept from one to the next.
#[derive(Default)]
struct Memory {
    buffers: Buffers,
    gathered: Gathered,
}

/// Writes files until no more come, and helps with large ones until nobody has any.
pub(super) fn work<'a>(
    run: &'a Run<'a>,
    jobs: &Receiver<Vec<FileJob<'a>>>,
    calls: Sender<Call<'a>>,
    called: &Receiver<Call<'a>>,
) -> Result<()> {
    let mut memory = Memory::default();
    loop {
        select_biased! {
            recv(jobs) -> batch => match batch {
                Ok(batch) => {
                    batch.into_iter().try_for_each(|job| restore(run, job, &calls, &mut memory))?;
                }
                Err(_) => break,
            },
            recv(called) -> call => if let Some(file) = call.ok().and_then(|call| call.upgrade()) {
                // One part, and back to see whether files have come.
                if file.write_next(&mut memory)? {
                    let _ = calls.send(Arc::downgrade(&file));
                }
                Shared::let_go(file);
            },
        }
    }
    drop(calls);
    let files = called.iter().filter_map(|call| call.upgrade());
    files.into_iter().try_for_each(|file| Shared::write(file, &mut memory))
}

/// Restores a file; of a large one it lets others know.
fn restore<'a>(
    run: &'a Run<'a>,
    job: FileJob<'a>,
    calls: &Sender<Call<'a>>,
    memory: &mut Memory,
) -> Result<()> {
    run.check()?;
    let FileJob { folder, node, made } = job;
    let (path, size) = (folder.path.join(os(&node.name)), node.size);
    run.counters.set_current(&path);
    let created = made.map_or_else(|| create(run, &folder, &node), |made| Ok(Some(Created::Linked(made))));
    let written = match created {
        Ok(Some(created)) => {
            let failed = AtomicBool::new(false);
            write(Opened { run, folder, node, path, created, failed, finished: false }, calls, memory)
        }
        Ok(None) => {
            run.skipped.fetch_add(1, Relaxed);
            Ok(())
        }
        Err(errno) => {
            run.os_error(path, FileErrorKind::Write, errno);
            Ok(())
        }
    };
    run.counters.files_searched.fetch_add(1, Relaxed);
    run.counters.bytes_searched.fetch_add(size, Relaxed);
    written
}

fn write<'a>(file: Opened<'a>, calls: &Sender<Call<'a>>, memory: &mut Memory) -> Result<()> {
    let all = 0..file.node.content.len();
    // Its full length first: then it may end in a hole, and parts may come in any order.
    let sized = |file: &Opened<'_>| ftruncate(file.created.file(), file.node.size).is_ok();
    match pieces(&file).filter(|_| sized(&file)) {
        None => {
            if let Some(length) = file.write(all, 0, memory)? {
                file.finish(length);
            }
        }
        Some(pieces) => {
            let helpers = threads(file.run.options.threads).min(pieces.len()) - 1;
            let direct = file.created.open_direct(&file.folder, &file.node);
            let file = Arc::new(Shared { file, direct, pieces, taken: AtomicUsize::new(0) });
            for _ in 0..helpers {
                // Whoever calls receives calls afterwards, so this cannot fail.
                let _ = calls.send(Arc::downgrade(&file));
            }
            Shared::write(file, memory)?;
        }
    }
    Ok(())
}

/// The parts of a large file; `None` where it is not large, or the index does not tell how long its blobs are.
fn pieces(file: &Opened<'_>) -> Option<Vec<Piece>> {
    if file.node.size < LARGE {
        return None;
    }
    let (mut pieces, mut first, mut start, mut end) = (Vec::new(), 0, 0, 0_u64);
    for (number, id) in file.node.content.iter().enumerate() {
        if end - start >= PART {
            pieces.push(Piece { blobs: first..number, start, end });
            (first, start) = (number, end);
        }
        let location = file.run.blobs.index.get(BlobKind::Data, id)?;
        end = end.checked_add(location.blob.plain_size().into())?;
    }
    pieces.push(Piece { blobs: first..file.node.content.len(), start, end });
    (end == file.node.size).then_some(pieces)
}

impl Opened<'_> {
    /// Writes some of the blobs; `None` after telling why that cannot be done.
    fn write(&self, blobs: Range<usize>, offset: u64, memory: &mut Memory) -> Result<Option<u64>> {
        let (file, buffers) = (self.created.file(), &mut memory.buffers);
        self.told(content::write(self.run, file, &self.node, blobs, offset, buffers))
    }

    /// The end of what was written; `None` after telling why it is not.
    fn told(&self, written: Result<u64, Trouble>) -> Result<Option<u64>> {
        match written {
            Ok(end) => Ok(Some(end)),
            Err(Trouble::Run(error)) => Err(error),
            Err(trouble) => {
                self.fail(trouble);
                Ok(None)
            }
        }
    }

    /// Tells what is wrong, once.
    fn fail(&self, trouble: Trouble) {
        if !self.failed.swap(true, Relaxed) {
            self.tell(trouble);
        }
    }

    fn tell(&self, trouble: Trouble) {
        let path = self.path.clone();
        match trouble {
            Trouble::File(kind, errno) => self.run.os_error(path, kind, errno),
            Trouble::Content(error) | Trouble::Run(error) => {
                self.run.error(&FileError::new(path, FileErrorKind::Damaged, reason(&error)));
            }
        }
    }

    /// Everything is written: so many bytes.
    fn finish(mut self, length: u64) {
        if length != self.node.size {
            let reason = format!("its content has {length} bytes where {} are recorded", self.node.size);
            self.run.error(&FileError::new(&self.path, FileErrorKind::Damaged, reason));
        }
        if let Err(errno) = metadata::apply(self.created.file(), &self.node, self.run.options.owner) {
            self.tell(Trouble::File(FileErrorKind::Metadata, errno));
        }
        match self.created.keep(&self.folder, &self.node) {
            Ok(()) => {
                self.finished = true;
                self.run.counters.files_done.fetch_add(1, Relaxed);
            }
            Err(errno) => self.tell(Trouble::File(FileErrorKind::Write, errno)),
        }
    }
}

impl Drop for Opened<'_> {
    fn drop(&mut self) {
        if !self.finished {
            self.created.discard(self.run, &self.folder, &self.node);
        }
    }
}

impl Shared<'_> {
    /// Writes parts until none is left.
    fn write(file: Arc<Self>, memory: &mut Memory) -> Result<()> {
        while file.write_next(memory)? {}
        Self::let_go(file);
        Ok(())
    }

    /// Writes a part that nobody has taken; tells whether there was one.
    fn write_next(&self, memory: &mut Memory) -> Result<bool> {
        let Some(piece) = self.pieces.get(self.taken.fetch_add(1, Relaxed)) else { return Ok(false) };
        if !self.file.failed.load(Relaxed) {
            let end = self.write_piece(piece, memory)?;
            if end.is_some_and(|end| end != piece.end) {
                let wrong = Error::damaged("the index is wrong about the length of a blob");
                self.file.fail(Trouble::Content(wrong));
            }
        }
        Ok(true)
    }

    /// Writes a part; `None` after telling why that cannot be done.
    fn write_piece(&self, piece: &Piece, memory: &mut Memory) -> Result<Option<u64>> {
        let file = &self.file;
        match self.direct.as_ref().filter(|_| piece.end - piece.start <= GATHERED) {
            Some(direct) => {
                let (ways, Memory { buffers, gathered }) = ((file.created.file(), direct), memory);
                file.told(direct::write(file.run, ways, &file.node, piece, buffers, gathered))
            }
            None => file.write(piece.blobs.clone(), piece.start, memory),
        }
    }

    /// Finishes the file if nobody else is at work on it any more.
    fn let_go(file: Arc<Self>) {
        if let Some(Self { file, .. }) = Arc::into_inner(file)
            && !file.failed.load(Relaxed)
        {
            let size = file.node.size;
            file.finish(size);
        }
    }
}

fn reason(error: &Error) -> String {
    match std::error::Error::source(error) {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}
