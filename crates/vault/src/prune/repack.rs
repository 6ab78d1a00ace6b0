//! The first phase: what is needed of wasteful packs, stored anew.
//!
//! A blob is verified and then copied sealed as it is: the same bytes under the same nonce tell nobody
//! anything new, and nothing need be compressed again.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::thread;

use crossbeam_channel::{Receiver, bounded, unbounded};

use super::{PackUse, PruneOptions, PruneSummary, Survey};
use crate::cancel::Cancel;
use crate::error::{Error, ErrorKind, Result};
use crate::files::Files;
use crate::id::Id;
use crate::index::Location;
use crate::index_file::IndexWriter;
use crate::monitor::Monitor;
use crate::pack::{BlobKind, PackBuilder};
use crate::progress::Counters;
use crate::repository::{Buffers, open_blob};
use crate::store::{FileKind, Name};
use crate::threads::threads;
use crate::threads::unpoisoned;

/// Packs up to this size, in bytes, are read at once; of larger ones, which others may write, blob by blob.
const WHOLE: u64 = 64 << 20;

/// The first phase under way.
pub(super) struct Repack<'a> {
    files: &'a Files,
    survey: &'a Survey,
    threads: usize,
    cancel: &'a Cancel,
    counters: Counters,
    filling: [Mutex<PackBuilder>; 2],
    written: Mutex<Written>,
    damaged: AtomicU64,
}

#[derive(Default)]
struct Written {
    index: IndexWriter,
    packs: HashSet<Id>,
    bytes: u64,
}

impl<'a> Repack<'a> {
    pub(super) fn new(
        files: &'a Files,
        survey: &'a Survey,
        options: &PruneOptions,
        cancel: &'a Cancel,
    ) -> Self {
        Self {
            files,
            survey,
            threads: threads(options.threads),
            cancel,
            counters: Counters::default(),
            filling: Default::default(),
            written: Mutex::default(),
            damaged: AtomicU64::new(0),
        }
    }

    /// Rewrites these packs; gives the new ones.
    pub(super) fn run(
        self,
        packs: &[PackUse],
        monitor: &dyn Monitor,
        summary: &mut PruneSummary,
    ) -> Result<HashSet<Id>> {
        let mut needed: HashMap<Id, Vec<Location>> =
            packs.iter().map(|pack| (pack.pack, Vec::new())).collect();
        for location in self.survey.blobs.index.iter().filter(|location| self.survey.needs(location)) {
            if let Some(locations) = needed.get_mut(&location.pack) {
                locations.push(location);
            }
        }
        self.read(packs, needed, monitor)?;
        for pack in &self.filling {
            let pack = std::mem::take(&mut *unpoisoned(pack));
            self.store(pack)?;
        }
        let mut written = unpoisoned(&self.written);
        self.save_index(written.index.take())?;
        summary.packs_repacked = packs.len() as u64;
        summary.packs_written = written.packs.len() as u64;
        summary.bytes_written = written.bytes;
        summary.blobs_damaged = self.damaged.load(Relaxed);
        Ok(std::mem::take(&mut written.packs))
    }

    fn read(
        &self,
        packs: &[PackUse],
        mut needed: HashMap<Id, Vec<Location>>,
        monitor: &dyn Monitor,
    ) -> Result<()> {
        let (queue, waiting) = unbounded();
        for pack in packs {
            let locations = needed.remove(&pack.pack).unwrap_or_default();
            // There is a receiver, so this cannot fail.
            let _ = queue.send((*pack, locations));
            self.counters.bytes_total.fetch_add(pack.size, Relaxed);
        }
        drop(queue);
        self.counters.files_total.store(packs.len() as u64, Relaxed);
        self.counters.totals_final.store(true, Relaxed);
        let (running, ended) = bounded(0);
        thread::scope(|scope| {
            scope.spawn(|| self.counters.report(monitor, &ended));
            let workers: Vec<_> = (0..self.threads).map(|_| scope.spawn(|| self.work(&waiting))).collect();
            let join = |worker: thread::ScopedJoinHandle<'_, _>| {
                worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            };
            let outcome = workers.into_iter().map(join).fold(Ok(()), Result::and);
            drop(running);
            outcome
        })
    }

    fn work(&self, waiting: &Receiver<(PackUse, Vec<Location>)>) -> Result<()> {
        let mut buffers = Buffers::default();
        for (pack, mut locations) in waiting {
            locations.sort_by_key(|location| location.blob.offset);
            let whole = match pack.size <= WHOLE {
                true => Some(self.files.store.read(FileKind::Pack, &Name(pack.pack))?),
                false => None,
            };
            for location in &locations {
                self.cancel.check()?;
                self.copy(location, whole.as_deref(), &mut buffers)?;
            }
            self.counters.files_searched.fetch_add(1, Relaxed);
            self.counters.bytes_searched.fetch_add(pack.size, Relaxed);
        }
        Ok(())
    }

    /// Copies one blob if it is sound. One that is not stays where it is, and its pack with it.
    fn copy(&self, location: &Location, whole: Option<&[u8]>, buffers: &mut Buffers) -> Result<()> {
        let sealed = match self.sealed(location, whole, buffers) {
            Ok(sealed) => sealed,
            Err(e) if e.kind() == ErrorKind::Damaged => {
                self.damaged.fetch_add(1, Relaxed);
                return Ok(());
            }
            Err(e) => return Err(e),
        };
        let blob = location.blob;
        let full = {
            let mut pack = unpoisoned(&self.filling[usize::from(blob.kind == BlobKind::Tree)]);
            pack.push(blob.kind, blob.id, blob.plain_length, &sealed);
            pack.is_full().then(|| std::mem::take(&mut *pack))
        };
        full.map_or(Ok(()), |pack| self.store(pack))
    }

    /// The sealed bytes of a blob whose content is what its id says.
    fn sealed<'p>(
        &self,
        location: &Location,
        whole: Option<&'p [u8]>,
        buffers: &mut Buffers,
    ) -> Result<Cow<'p, [u8]>> {
        let (offset, length) = (location.blob.offset, location.blob.length as usize);
        let sealed = match whole {
            Some(pack) => {
                let start = offset as usize;
                let part = start.checked_add(length).and_then(|end| pack.get(start..end));
                Cow::Borrowed(part.ok_or_else(|| Error::damaged("a pack is shorter than it was"))?)
            }
            None => {
                let name = Name(location.pack);
                Cow::Owned(self.files.store.read_range(FileKind::Pack, &name, offset.into(), length)?)
            }
        };
        open_blob(&self.files.key, location, &sealed, buffers)?;
        Ok(sealed)
    }

    fn store(&self, mut pack: PackBuilder) -> Result<()> {
        if pack.is_empty() {
            return Ok(());
        }
        pack.finish(&self.files.key)?;
        let name = Name(Id::of(&pack.bytes));
        self.files.store.save(FileKind::Pack, &name, &pack.bytes)?;
        let size = pack.bytes.len() as u64;
        self.counters.bytes_added.fetch_add(size, Relaxed);
        let json = {
            let mut written = unpoisoned(&self.written);
            written.packs.insert(name.0);
            written.bytes += size;
            written.index.push(name.0, pack.blobs)
        };
        self.save_index(json)
    }

    fn save_index(&self, json: Option<Vec<u8>>) -> Result<()> {
        json.map_or(Ok(()), |json| self.files.save(FileKind::Index, &json).map(drop))
    }
}
