//! Copying snapshots into another repository.
//!
//! Blobs go as they are: verified, then sealed with the other repository's key, neither cut nor compressed
//! anew. What is there already does not go again, whichever snapshot brought it. A snapshot is written when
//! all that it needs is there, and remembers which one it is a copy of, as restic's do; so neither of the two
//! programs copies it again.
//!
//! Where the two repositories cut files differently, a later backup into the other one shares whole small
//! files with the copies, and of large files nothing. Who wants that cuts them anew: `pipeline/rechunk.rs`.

use std::collections::HashSet;
use std::path::Path;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex};
use std::thread;

use crossbeam_channel::{Receiver, bounded, unbounded};

use crate::cancel::Cancel;
use crate::error::{Error, ErrorKind, Result};
use crate::files::Files;
use crate::id::Id;
use crate::index::{Index, Location};
use crate::lock::Lock;
use crate::monitor::{FileError, Monitor};
use crate::node::Node;
use crate::pack::BlobKind;
use crate::pack_writer::PackWriter;
use crate::progress::Counters;
use crate::repository::{Blobs, Buffers, Repository, open_blob};
use crate::snapshot::Snapshot;
use crate::store::FileKind;
use crate::threads::threads;
use crate::threads::unpoisoned;
use crate::walk::{Step, Visitor, lost, walk};

/// What a copy did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CopySummary {
    /// The copies written: of which snapshot, under which id.
    pub copied: Vec<(Id, Id)>,
    /// Snapshots that were there already.
    pub skipped: Vec<Id>,
    /// Snapshots that were not copied since something of them is lost.
    pub failed: Vec<Id>,
    /// Blobs stored in the other repository.
    pub blobs: u64,
    /// Bytes it has grown by, without its index.
    pub bytes: u64,
}

impl Repository {
    /// Copies snapshots into `destination`. What of them is lost is told to `monitor`, with its path, and
    /// those snapshots are not copied. `monitor` sees blobs as files.
    ///
    /// Fails with [`ErrorKind::Invalid`] when both are the same repository, with [`ErrorKind::Locked`] when
    /// someone works alone on either, when a store fails, and with [`ErrorKind::Cancelled`]; what was
    /// stored until then need not be stored again.
    pub fn copy_to(
        &self,
        destination: &Self,
        snapshots: &[Snapshot],
        monitor: &dyn Monitor,
        cancel: &Cancel,
    ) -> Result<CopySummary> {
        let copying = Copying::begin(self, destination, snapshots, cancel)?;
        let Copying { from, to, wanted, .. } = &copying;
        let mut needs = Needs::new(from, monitor);
        let whole = needs.add_all(wanted, cancel)?;
        let transfer = Transfer {
            from,
            key: &self.files,
            to: &destination.files,
            writer: PackWriter::new(&destination.files),
            lost: Mutex::default(),
            counters: Counters::default(),
            cancel,
        };
        let sent = transfer.run(missing(&from.index, &to.index, &needs), monitor);
        let written = transfer.writer.finish();
        sent?;
        let written = written?;

        let lost = unpoisoned(&transfer.lost).drain().collect::<HashSet<Id>>();
        let whole = match lost.is_empty() {
            true => whole,
            // Only now it is known; another look tells whom it hits.
            false => Needs { lost, ..Needs::new(from, monitor) }.add_all(&whole, cancel)?,
        };
        let whole = whole.into_iter().map(|snapshot| (snapshot, snapshot.tree)).collect();
        copying.finish(whole, (written.blobs, written.bytes))
    }

    /// Writes a copy of a snapshot, with what its tree has become here; gives its id.
    fn save_copy(&self, snapshot: &Snapshot, tree: Id) -> Result<Id> {
        let copied = first_tree(snapshot);
        let copy = Snapshot {
            parent: None,
            original: Some(origin(snapshot)),
            tree,
            first_tree: (tree != copied).then_some(copied),
            ..snapshot.clone()
        };
        let json = serde_json::to_vec(&copy)
            .map_err(|e| Error::new(ErrorKind::Invalid, "writing the snapshot").with_source(e))?;
        Ok(self.files.save(FileKind::Snapshot, &json)?.0)
    }
}

/// The snapshot that this was first.
fn origin(snapshot: &Snapshot) -> Id {
    snapshot.original.unwrap_or(snapshot.id)
}

/// The tree that this snapshot had before its files were cut anew.
fn first_tree(snapshot: &Snapshot) -> Id {
    snapshot.first_tree.unwrap_or(snapshot.tree)
}

fn is_copy(one: &Snapshot, other: &Snapshot) -> bool {
    origin(one) == origin(other) && first_tree(one) == first_tree(other) && one.tags == other.tags
}

/// A copy under way, by either way: both repositories locked, and what there is to do.
pub(crate) struct Copying<'a> {
    destination: &'a Repository,
    pub(crate) from: Arc<Blobs>,
    pub(crate) to: Arc<Blobs>,
    /// Snapshots to copy.
    pub(crate) wanted: Vec<&'a Snapshot>,
    skipped: Vec<Id>,
    cancel: &'a Cancel,
    theirs: Lock,
    _ours: Lock,
}

impl<'a> Copying<'a> {
    pub(crate) fn begin(
        source: &Repository,
        destination: &'a Repository,
        snapshots: &'a [Snapshot],
        cancel: &'a Cancel,
    ) -> Result<Self> {
        if source.id() == destination.id() {
            return Err(Error::new(ErrorKind::Invalid, "a repository cannot be copied into itself"));
        }
        let ours = source.lock(cancel)?;
        let theirs = destination.lock(cancel)?;
        let (from, to) = (source.blobs()?, destination.blobs()?);
        let present = destination.snapshots()?;
        let (skipped, wanted): (Vec<&Snapshot>, Vec<&Snapshot>) =
            snapshots.iter().partition(|snapshot| present.iter().any(|other| is_copy(other, snapshot)));
        let skipped = skipped.iter().map(|snapshot| snapshot.id).collect();
        Ok(Self { destination, from, to, wanted, skipped, cancel, theirs, _ours: ours })
    }

    /// Writes the copies of those that are whole, with their trees; `stored` counts blobs and bytes.
    pub(crate) fn finish(self, whole: Vec<(&Snapshot, Id)>, stored: (u64, u64)) -> Result<CopySummary> {
        let is_whole = |snapshot: &&&Snapshot| whole.iter().any(|(other, _)| other.id == snapshot.id);
        let failed = self.wanted.iter().filter(|snapshot| !is_whole(snapshot)).map(|snapshot| snapshot.id);
        let (blobs, bytes) = stored;
        let mut summary =
            CopySummary { copied: Vec::new(), skipped: self.skipped, failed: failed.collect(), blobs, bytes };
        self.theirs.verify()?;
        for (snapshot, tree) in whole {
            self.cancel.check()?;
            summary.copied.push((snapshot.id, self.destination.save_copy(snapshot, tree)?));
        }
        Ok(summary)
    }
}

/// What some snapshots need.
pub(crate) struct Needs<'a> {
    blobs: &'a Blobs,
    monitor: &'a dyn Monitor,
    /// Blobs that are known to be lost although they are indexed.
    lost: HashSet<Id>,
    data: HashSet<Id>,
    trees: HashSet<Id>,
    /// Trees with nothing lost in them or beneath.
    sound: HashSet<Id>,
    /// For each folder on the way, whether it is sound so far.
    levels: Vec<bool>,
}

impl<'a> Needs<'a> {
    pub(crate) fn new(blobs: &'a Blobs, monitor: &'a dyn Monitor) -> Self {
        Self {
            blobs,
            monitor,
            lost: HashSet::new(),
            data: HashSet::new(),
            trees: HashSet::new(),
            sound: HashSet::new(),
            levels: Vec::new(),
        }
    }

    /// Adds what these snapshots need; gives those of which nothing is lost.
    pub(crate) fn add_all<'s>(
        &mut self,
        snapshots: &[&'s Snapshot],
        cancel: &Cancel,
    ) -> Result<Vec<&'s Snapshot>> {
        let mut whole = Vec::new();
        for snapshot in snapshots {
            self.levels = vec![true];
            self.need_tree(snapshot.tree, Path::new("/"));
            if !self.sound.contains(&snapshot.tree) {
                let blobs = self.blobs;
                walk(blobs, snapshot.tree, cancel, self)?;
            }
            if self.levels.first() == Some(&true) {
                whole.push(*snapshot);
            }
        }
        Ok(whole)
    }

    fn need_tree(&mut self, tree: Id, path: &Path) {
        self.trees.insert(tree);
        if !self.has(BlobKind::Tree, &tree) {
            self.trouble(&lost(path, &Error::damaged(format!("the tree {} is lost", tree.short()))));
        }
    }

    fn need_content(&mut self, node: &Node, path: &Path) {
        self.data.extend(&node.content);
        let lost_blobs = node.content.iter().filter(|id| !self.has(BlobKind::Data, id)).count();
        if lost_blobs > 0 {
            let message = format!("{lost_blobs} of {} blobs are lost", node.content.len());
            self.trouble(&lost(path, &Error::damaged(message)));
        }
    }

    fn has(&self, kind: BlobKind, id: &Id) -> bool {
        self.blobs.index.contains(kind, id) && !self.lost.contains(id)
    }
}

impl Visitor for Needs<'_> {
    fn entry(&mut self, path: &Path, node: Node) -> Result<Step> {
        self.need_content(&node, path);
        let Some(tree) = node.folder() else { return Ok(Step::Pass) };
        if self.sound.contains(&tree) {
            return Ok(Step::Pass);
        }
        self.need_tree(tree, path);
        Ok(Step::Enter)
    }

    fn entered(&mut self, _tree: &Id, _path: &Path) {
        self.levels.push(true);
    }

    fn left(&mut self, tree: &Id, _path: &Path) {
        if self.levels.pop() == Some(true) {
            self.sound.insert(*tree);
        }
    }

    fn trouble(&mut self, error: &FileError) {
        self.levels.iter_mut().for_each(|sound| *sound = false);
        self.monitor.error(error);
    }
}

/// Every place where what is needed lies.
pub(crate) fn copies(index: &Index, needs: &Needs<'_>) -> Vec<Location> {
    let of = |kind, ids: &HashSet<Id>| -> Vec<Location> {
        ids.iter().flat_map(|id| index.all(kind, id)).collect()
    };
    let mut locations = of(BlobKind::Data, &needs.data);
    locations.extend(of(BlobKind::Tree, &needs.trees));
    locations
}

/// Where what is needed and not yet there lies, in order of packs.
fn missing(from: &Index, to: &Index, needs: &Needs<'_>) -> Vec<Location> {
    let of = |kind, ids: &HashSet<Id>| -> Vec<Location> {
        let absent = ids.iter().filter(|id| !to.contains(kind, id));
        absent.filter_map(|id| from.get(kind, id)).collect()
    };
    let mut locations = of(BlobKind::Data, &needs.data);
    locations.extend(of(BlobKind::Tree, &needs.trees));
    locations.sort_unstable_by_key(|location| (location.pack, location.blob.offset));
    locations
}

/// Blobs on their way.
struct Transfer<'a> {
    from: &'a Blobs,
    key: &'a Files,
    to: &'a Files,
    writer: PackWriter<'a>,
    /// Blobs of which no sound copy was found.
    lost: Mutex<HashSet<Id>>,
    counters: Counters,
    cancel: &'a Cancel,
}

impl Transfer<'_> {
    fn run(&self, locations: Vec<Location>, monitor: &dyn Monitor) -> Result<()> {
        let bytes = locations.iter().map(|location| u64::from(location.blob.length)).sum();
        self.counters.files_total.store(locations.len() as u64, Relaxed);
        self.counters.bytes_total.store(bytes, Relaxed);
        self.counters.totals_final.store(true, Relaxed);
        let (queue, waiting) = unbounded();
        for pack in locations.chunk_by(|one, other| one.pack == other.pack) {
            // There is a receiver, so this cannot fail.
            let _ = queue.send(pack);
        }
        drop(queue);
        let (running, ended) = bounded(0);
        thread::scope(|scope| {
            scope.spawn(|| self.counters.report(monitor, &ended));
            let workers: Vec<_> = (0..threads(0)).map(|_| scope.spawn(|| self.work(&waiting))).collect();
            let join = |worker: thread::ScopedJoinHandle<'_, _>| {
                worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            };
            let outcome = workers.into_iter().map(join).fold(Ok(()), Result::and);
            drop(running);
            outcome
        })
    }

    fn work(&self, waiting: &Receiver<&[Location]>) -> Result<()> {
        for location in waiting.iter().flatten() {
            self.cancel.check()?;
            self.send(location)?;
            let length = u64::from(location.blob.length);
            for (counter, count) in
                [(&self.counters.files_searched, 1), (&self.counters.bytes_searched, length)]
            {
                counter.fetch_add(count, Relaxed);
            }
        }
        Ok(())
    }

    /// Sends the first sound copy of a blob; notes it as lost if there is none.
    fn send(&self, location: &Location) -> Result<()> {
        let blob = location.blob;
        for copy in self.from.index.all(blob.kind, &blob.id) {
            match self.reseal(&copy) {
                Ok((sealed, plain_length)) => {
                    return self.writer.push(blob.kind, blob.id, plain_length, &sealed);
                }
                Err(error) if error.is_loss() => {}
                Err(error) => return Err(error),
            }
        }
        unpoisoned(&self.lost).insert(blob.id);
        Ok(())
    }

    /// A verified copy of a blob, sealed for the other repository, and its plain length if it is compressed.
    fn reseal(&self, location: &Location) -> Result<(Vec<u8>, Option<u32>)> {
        let mut sealed = self.from.sealed(location)?;
        let mut buffers = Buffers::default();
        let plain = open_blob(&self.key.key, location, &sealed, &mut buffers)?;
        if self.to.version == 1 {
            return Ok((self.to.key.seal(plain)?, None));
        }
        let stored = self.key.key.open(&mut sealed)?;
        Ok((self.to.key.seal(stored)?, location.blob.plain_length))
    }
}
