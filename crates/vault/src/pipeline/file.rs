//! Reading files: chunk, and save the chunks.
//!
//! A worker reads a whole file by itself. Up to the chunker's minimum a file is one blob and is never
//! scanned. The blobs of one file after the other are gathered and saved together, and a file is done only then. One
//! that fails in the middle is left out; what of it was saved stays as ordinary blobs that the next run may find.
//! Of holes in sparse files only what lies at their ends is read: a chunk of zeros is known without.

use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use crossbeam_channel::{Receiver, TryRecvError};
use rustix::fs::{Mode, OFlags, SeekFrom, Stat, fstat, openat, seek};
use rustix::io::Errno;

use super::folder::{Folder, Saver};
use super::gather::Gathered;
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

/// Files that wait for the ids of their blobs, at most.
const MAX_WAITING: usize = 256;

/// A file that was read, whose blobs are gathered, all or the last of them.
struct Waiting {
    folder: Arc<Folder>,
    slot: usize,
    had_previous: bool,
    /// Its content is what was saved already.
    node: Node,
    /// Where its blobs end among those gathered.
    end: usize,
}

/// A worker: everything it needs to read files, reused from one to the next.
pub(super) struct FileReader<'a> {
    saver: Saver<'a>,
    chunker: &'a Chunker,
    owners: &'a Owners,
    gathered: Gathered,
    /// In the order of their blobs.
    waiting: Vec<Waiting>,
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
        let (gathered, waiting) = (Gathered::default(), Vec::new());
        Self { saver, chunker, owners, gathered, waiting, zeros: None }
    }

    /// Reads and saves files until no more come. Nothing stays gathered while no file is waiting.
    pub(super) fn work(&mut self, jobs: &Receiver<Vec<FileJob>>) -> Result<()> {
        loop {
            let batch = match jobs.try_recv() {
                Err(TryRecvError::Empty) => {
                    self.finish()?;
                    jobs.recv().ok()
                }
                other => other.ok(),
            };
            let Some(batch) = batch else { break };
            batch.into_iter().try_for_each(|job| self.take(job))?;
        }
        self.finish()
    }

    fn take(&mut self, job: FileJob) -> Result<()> {
        self.saver.run.check()?;
        let path = job.path();
        self.saver.run.counters.set_current(&path);
        match self.read(&job) {
            Ok(node) => {
                let (FileJob { folder, slot, had_previous, .. }, end) = (job, self.gathered.blobs());
                self.waiting.push(Waiting { folder, slot, had_previous, node, end });
                let enough = self.gathered.is_enough() || self.waiting.len() >= MAX_WAITING;
                return if enough { self.finish() } else { Ok(()) };
            }
            Err(Trouble::Run(error)) => return Err(error),
            Err(Trouble::File(FileErrorKind::Open, errno)) => self.saver.run.unreachable(&path, errno),
            Err(Trouble::File(kind, errno)) => self.saver.run.error(&path, kind, errno),
        }
        self.gathered.truncate(self.waiting.last().map_or(0, |file| file.end));
        self.saver.run.counters.files_searched.fetch_add(1, Relaxed);
        job.folder.put(job.slot, None, &mut self.saver)
    }

    /// Saves what is gathered, and with it all files that were read.
    fn finish(&mut self) -> Result<()> {
        self.save().map(drop)
    }

    /// Saves what is gathered, with it all files that were read; gives the ids of the blobs after theirs.
    fn save(&mut self) -> Result<Vec<Id>> {
        let mut ids = self.gathered.save(&mut self.saver)?;
        let mut start = 0;
        for Waiting { folder, slot, had_previous, mut node, end } in std::mem::take(&mut self.waiting) {
            node.content.extend(&ids[start..end]);
            start = end;
            let run = self.saver.run;
            run.counters.files_searched.fetch_add(1, Relaxed);
            run.counters.files_done.fetch_add(1, Relaxed);
            run.files.count(had_previous, false);
            folder.put(slot, Some(&node), &mut self.saver)?;
        }
        Ok(ids.split_off(start))
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

    /// The blobs of an open file that are saved already, and how many bytes it really had. The others are gathered.
    fn read_content(&mut self, file: &OwnedFd, stat: &Stat) -> Result<(Vec<Id>, u64), Trouble> {
        let (mut content, mut length, expected) = (Vec::new(), 0, stat.st_size as u64);
        let sparse = (stat.st_blocks as u64).saturating_mul(512) < expected;
        let mut scan = self.chunker.scan();
        loop {
            let ended = self.fill(file, expected, &mut length)?;
            while self.gathered.rest().len() > self.chunker.min_size() {
                let Some(cut) = scan.cut(self.gathered.rest()) else { break };
                self.gathered.cut(cut);
            }
            if ended {
                break;
            }
            if self.gathered.is_enough() || sparse {
                content.extend(self.save()?);
            }
            if sparse {
                self.skip_hole(file, expected, &mut length, &mut scan, &mut content)?;
            }
            if content.len() > MAX_CHUNKS {
                return Err(Trouble::File(FileErrorKind::Read, Errno::FBIG));
            }
        }
        let last = self.gathered.rest().len();
        if last > 0 {
            self.gathered.cut(last);
        }
        Ok((content, length))
    }

    /// Where the chunk that begins with the rest lies in a hole, takes it and those after it for what
    /// they are, and goes on where the last of them ends. No blob is gathered.
    fn skip_hole(
        &mut self,
        file: &OwnedFd,
        expected: u64,
        length: &mut u64,
        scan: &mut Scan<'a>,
        content: &mut Vec<Id>,
    ) -> Result<(), Trouble> {
        let start = *length - self.gathered.rest().len() as u64;
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
                self.gathered.truncate(0);
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
        let step = usize::try_from(expected.saturating_sub(*length) + 1).unwrap_or(STEP).min(STEP);
        let count = loop {
            match rustix::io::read(file, &mut *self.gathered.room(step)) {
                Err(Errno::INTR) => {}
                other => break other.map_err(|errno| Trouble::File(FileErrorKind::Read, errno))?,
            }
        };
        self.gathered.fill(count);
        *length += count as u64;
        self.saver.run.counters.bytes_searched.fetch_add(count as u64, Relaxed);
        self.saver.run.counters.bytes_done.fetch_add(count as u64, Relaxed);
        // A short read at the expected end saves the one that would tell there is nothing more.
        Ok(count == 0 || (*length == expected && count < step))
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
