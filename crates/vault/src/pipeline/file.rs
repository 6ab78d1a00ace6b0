//! Reading a file: chunk, and save the chunks.
//!
//! A worker reads a whole file by itself. Up to the chunker's minimum a file is one blob and is never
//! scanned. A file that fails in the middle is left out; its chunks so far stay as ordinary blobs that
//! the next run may find. Of holes in sparse files only what lies at their ends is read: a chunk of zeros is
//! known without.

use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use crossbeam_channel::Receiver;
use rustix::buffer::spare_capacity;
use rustix::fs::{Mode, OFlags, SeekFrom, Stat, fstat, openat, seek};
use rustix::io::Errno;

use super::folder::{Folder, Saver};
use crate::chunker::{Chunker, Scan};
use crate::error::Result;
use crate::id::Id;
use crate::metadata::{self, Owners};
use crate::monitor::FileErrorKind;
use crate::node::{Node, NodeKind};
use crate::pack::BlobKind;

/// Bytes read at once from large files.
const STEP: usize = 1 << 20;
/// Chunks of a file, at most: the tree that names them must be no larger than a blob can be.
const MAX_CHUNKS: usize = 1 << 25;

/// A file that must be read.
pub(super) struct FileJob {
    pub(super) folder: Arc<Folder>,
    pub(super) slot: usize,
    /// The open folder.
    pub(super) dir: Arc<OwnedFd>,
    pub(super) name: Vec<u8>,
    /// Whether the parent had a file of this name.
    pub(super) had_previous: bool,
}

impl FileJob {
    pub(super) fn path(&self) -> PathBuf {
        self.folder.path.join(metadata::os(&self.name))
    }
}

/// A worker: everything it needs to read files, reused from one to the next.
pub(super) struct FileReader<'a> {
    saver: Saver<'a>,
    chunker: &'a Chunker,
    owners: &'a Owners,
    buffer: Vec<u8>,
    /// How much of the buffer's beginning is saved already.
    saved: usize,
    /// What zeros are cut into, once that was needed: the length of a chunk, and its id.
    zeros: Option<(usize, Id)>,
}

/// Why a file is not saved: its own trouble, which is reported, or the end of the run.
enum Trouble {
    File(FileErrorKind, Errno),
    Run(crate::error::Error),
}

impl From<crate::error::Error> for Trouble {
    fn from(error: crate::error::Error) -> Self {
        Self::Run(error)
    }
}

impl<'a> FileReader<'a> {
    pub(super) fn new(saver: Saver<'a>, chunker: &'a Chunker, owners: &'a Owners) -> Self {
        Self { saver, chunker, owners, buffer: Vec::new(), saved: 0, zeros: None }
    }

    /// Reads and saves files until no more come.
    pub(super) fn work(&mut self, jobs: &Receiver<Vec<FileJob>>) -> Result<()> {
        for job in jobs.iter().flatten() {
            self.saver.run.check()?;
            let path = job.path();
            self.saver.run.counters.set_current(&path);
            let node = match self.read(&job) {
                Ok(node) => Some(node),
                Err(Trouble::Run(error)) => return Err(error),
                Err(Trouble::File(FileErrorKind::Open, errno)) => {
                    self.saver.run.unreachable(&path, errno);
                    None
                }
                Err(Trouble::File(kind, errno)) => {
                    self.saver.run.error(&path, kind, errno);
                    None
                }
            };
            self.count(&job, node.as_ref());
            job.folder.put(job.slot, node.as_ref(), &mut self.saver)?;
        }
        Ok(())
    }

    fn count(&self, job: &FileJob, node: Option<&Node>) {
        let run = self.saver.run;
        run.counters.files_searched.fetch_add(1, Relaxed);
        if node.is_some() {
            run.counters.files_done.fetch_add(1, Relaxed);
            run.files.count(job.had_previous, false);
        }
    }

    fn read(&mut self, job: &FileJob) -> Result<Node, Trouble> {
        let open = |errno| Trouble::File(FileErrorKind::Open, errno);
        let file = open_file(&job.dir, &job.name).map_err(open)?;
        let before = fstat(&file).map_err(open)?;
        if metadata::kind(&before) != NodeKind::File {
            // It was replaced since the walk; the next backup sees what it is now.
            return Err(open(Errno::STALE));
        }
        let mut node = self.owners.node(&job.name, &before);
        (node.content, node.size) = self.read_content(&file, &before)?;
        match metadata::open_xattrs(&file) {
            Ok(xattrs) => node.xattrs = xattrs,
            Err(errno) => self.saver.run.error(&job.path(), FileErrorKind::Metadata, errno),
        }
        if fstat(&file).is_ok_and(|after| changed(&before, &after)) || node.size != before.st_size as u64 {
            self.saver.run.warn(&job.path(), FileErrorKind::Changed, "changed while it was read");
        }
        Ok(node)
    }

    /// The blobs of an open file, and how many bytes it really had.
    fn read_content(&mut self, file: &OwnedFd, stat: &Stat) -> Result<(Vec<Id>, u64), Trouble> {
        let (mut content, mut length, expected) = (Vec::new(), 0, stat.st_size as u64);
        let sparse = (stat.st_blocks as u64).saturating_mul(512) < expected;
        let mut scan = self.chunker.scan();
        self.buffer.clear();
        self.saved = 0;
        loop {
            let ended = self.fill(file, expected, &mut length)?;
            while self.buffer.len() - self.saved > self.chunker.min_size() {
                let Some(cut) = scan.cut(&self.buffer[self.saved..]) else { break };
                content.push(self.save(cut)?);
            }
            if ended {
                break;
            }
            if sparse {
                self.skip_hole(file, expected, &mut length, &mut scan, &mut content)?;
            }
            if content.len() > MAX_CHUNKS {
                return Err(Trouble::File(FileErrorKind::Read, Errno::FBIG));
            }
        }
        if self.saved < self.buffer.len() {
            content.push(self.save(self.buffer.len() - self.saved)?);
        }
        Ok((content, length))
    }

    /// Where the chunk that begins with the rest of the buffer lies in a hole, takes it and those after it for what
    /// they are, and goes on where the last of them ends.
    fn skip_hole(
        &mut self,
        file: &OwnedFd,
        expected: u64,
        length: &mut u64,
        scan: &mut Scan<'a>,
        content: &mut Vec<Id>,
    ) -> Result<(), Trouble> {
        let start = *length - (self.buffer.len() - self.saved) as u64;
        let end = match seek(file, SeekFrom::Data(start)) {
            Ok(data) => data,
            Err(Errno::NXIO) => expected,
            // A file system that knows of no holes.
            Err(_) => return Ok(()),
        };
        let hole = end.saturating_sub(start);
        if hole > self.chunker.min_size() as u64 {
            let (chunk, id) = self.zeros()?;
            let count = usize::try_from(hole / chunk as u64).unwrap_or(usize::MAX);
            if count > MAX_CHUNKS {
                return Err(Trouble::File(FileErrorKind::Read, Errno::FBIG));
            }
            // Not so where somebody has just made a hole of what was read.
            let passed = (start + (count * chunk) as u64).saturating_sub(*length);
            if passed > 0 {
                content.extend(std::iter::repeat_n(id, count));
                self.saver.run.counters.bytes_searched.fetch_add(passed, Relaxed);
                self.saver.run.counters.bytes_done.fetch_add(passed, Relaxed);
                (*length, *scan) = (*length + passed, self.chunker.scan());
                self.buffer.clear();
                self.saved = 0;
            }
        }
        // Looking for the end of the hole has moved the place that is read next.
        let moved = seek(file, SeekFrom::Start(*length));
        moved.map(drop).map_err(|errno| Trouble::File(FileErrorKind::Read, errno))
    }

    /// The length of the chunks that zeros are cut into, and the id of such a chunk, which is saved.
    fn zeros(&mut self) -> Result<(usize, Id)> {
        if let Some(zeros) = self.zeros {
            return Ok(zeros);
        }
        let (mut scan, mut bytes) = (self.chunker.scan(), Vec::new());
        let length = loop {
            bytes.resize(bytes.len() + STEP, 0);
            if let Some(cut) = scan.cut(&bytes) {
                break cut;
            }
        };
        let id = self.saver.sink.save(&mut self.saver.sealer, BlobKind::Data, &bytes[..length])?;
        Ok(*self.zeros.insert((length, id)))
    }

    /// Reads on; tells whether the file has ended.
    fn fill(&mut self, file: &OwnedFd, expected: u64, length: &mut u64) -> Result<bool, Trouble> {
        self.saver.run.check()?;
        self.buffer.drain(..self.saved);
        self.saved = 0;
        let step = usize::try_from(expected.saturating_sub(*length) + 1).unwrap_or(STEP).min(STEP);
        self.buffer.reserve(step);
        let count = loop {
            match rustix::io::read(file, spare_capacity(&mut self.buffer)) {
                Err(Errno::INTR) => {}
                other => break other.map_err(|errno| Trouble::File(FileErrorKind::Read, errno))?,
            }
        };
        *length += count as u64;
        self.saver.run.counters.bytes_searched.fetch_add(count as u64, Relaxed);
        self.saver.run.counters.bytes_done.fetch_add(count as u64, Relaxed);
        // A short read at the expected end saves the one that would tell there is nothing more.
        Ok(count == 0 || (*length == expected && count < step))
    }

    /// Saves the next bytes of the buffer as a blob.
    fn save(&mut self, length: usize) -> Result<Id> {
        let blob = &self.buffer[self.saved..self.saved + length];
        let id = self.saver.sink.save(&mut self.saver.sealer, BlobKind::Data, blob)?;
        self.saved += length;
        Ok(id)
    }
}

fn changed(before: &Stat, after: &Stat) -> bool {
    let key =
        |stat: &Stat| (stat.st_size, stat.st_mtime, stat.st_mtime_nsec, stat.st_ctime, stat.st_ctime_nsec);
    key(before) != key(after)
}

/// Opens a file without following links, without waiting for a pipe's other end, and where we may
/// without touching its access time.
fn open_file(dir: impl AsFd, name: &[u8]) -> Result<OwnedFd, Errno> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    match openat(&dir, name, flags | OFlags::NOATIME, Mode::empty()) {
        Err(Errno::PERM) => openat(&dir, name, flags, Mode::empty()),
        other => other,
    }
}
