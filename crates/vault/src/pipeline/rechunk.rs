//! Copying snapshots into a repository that cuts files elsewhere: their content is read, cut, compressed and sealed
//! anew, as if it had been backed up there. So later backups into that repository share their blobs with the copies,
//! which after a plain copy they do not.
//!
//! The trees of a snapshot take the place of the file system, and another walk that of the usual one; folders,
//! blobs, packs and uploads are the same stages. Metadata stays as it is. Files of which nothing changed from one
//! snapshot to the next are read once.

use std::collections::HashMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, OnceLock};
use std::thread;

use crossbeam_channel::Receiver;

use super::Stages;
use super::blobs::{BlobCounts, BlobSink, Sealer};
use super::folder::{Folder, Saver};
use super::options::BackupOptions;
use super::run::Run;
use crate::batches::{Batches, batches};
use crate::cancel::Cancel;
use crate::chunker::Chunker;
use crate::copy::{CopySummary, Copying};
use crate::error::{Error, Result};
use crate::filter::Filter;
use crate::id::Id;
use crate::metadata::os;
use crate::monitor::{FileError, FileErrorKind, Monitor};
use crate::node::{Node, NodeKind};
use crate::pack::BlobKind;
use crate::progress::Counters;
use crate::repository::{Blobs, Buffers, Repository};
use crate::snapshot::Snapshot;
use crate::stats::plain_length;
use crate::threads::{threads, unpoisoned};
use crate::walk::{lost, refusal, too_much};

impl Repository {
    /// Copies snapshots into `destination` as [`Repository::copy_to`] does, and fails as that does, but cuts and
    /// compresses what is in them anew, as `destination` does it with its own backups. For a move between
    /// repositories of different chunkers or polynomials that are to be backed up into afterwards. A snapshot that
    /// one of the two ways has copied, the other does not copy again.
    ///
    /// `monitor` sees files. What cannot be copied of a snapshot is told to it, and that snapshot is not written.
    pub fn copy_rechunked_to(
        &self,
        destination: &Self,
        snapshots: &[Snapshot],
        monitor: &dyn Monitor,
        cancel: &Cancel,
    ) -> Result<CopySummary> {
        let copying = Copying::begin(self, destination, snapshots, cancel)?;
        let options = BackupOptions::default();
        let (run, counts) = (Run::new(monitor, cancel, totals(&copying.wanted)), BlobCounts::default());
        let stages = Stages {
            options: &options,
            excludes: Filter::default(),
            includes: Filter::default(),
            files: &destination.files,
            chunker: destination.chunker(),
            blobs: Arc::clone(&copying.to),
            counts: &counts,
        };
        let content = Mutex::default();
        let trees = stages.store(&run, |sink| {
            let copy = |snapshot: &&Snapshot| copy(&stages, &run, sink, &copying.from, &content, snapshot);
            copying.wanted.iter().map(copy).collect::<Option<Vec<_>>>()
        })?;
        let whole = copying.wanted.iter().zip(trees);
        let whole = whole.filter_map(|(snapshot, tree)| Some((*snapshot, tree?))).collect();
        let blobs = counts.blobs.iter().map(|count| count.load(Relaxed)).sum();
        copying.finish(whole, (blobs, run.counters.bytes_added.load(Relaxed)))
    }
}

/// Counters that know from the snapshots' own summaries what there is to do.
fn totals(snapshots: &[&Snapshot]) -> Counters {
    let summaries = snapshots.iter().filter_map(|snapshot| snapshot.summary.as_ref());
    let totals = summaries.fold((0, 0), |(files, bytes): (u64, u64), summary| {
        (
            files.saturating_add(summary.total_files_processed),
            bytes.saturating_add(summary.total_bytes_processed),
        )
    });
    Counters::guessing(totals.0, totals.1)
}

/// What files became of which the content was cut anew: their new blobs, by a hash of the old.
type Content = Mutex<HashMap<Id, Vec<Id>>>;

/// Copies what is in a snapshot; gives its new tree, or no tree where something of it is lost. Nothing at all when
/// the run has failed.
fn copy(
    stages: &Stages<'_>,
    run: &Run<'_>,
    sink: &BlobSink<'_>,
    from: &Blobs,
    content: &Content,
    snapshot: &Snapshot,
) -> Option<Option<Id>> {
    let (tree, has_holes) = (Arc::new(OnceLock::new()), AtomicBool::new(false));
    let (jobs, waiting) = batches(stages.options.queue);
    let saver = || {
        Ok(Saver { run, sink, sealer: Sealer::new(stages.files, stages.options.compression)?, grafts: &[] })
    };
    let source = Source { from, run, has_holes: &has_holes };
    let work = |waiting| {
        let buffers = Buffers::default();
        Worker { saver: saver()?, source, chunker: &stages.chunker, content, buffers }.work(waiting)
    };
    thread::scope(|scope| {
        for _ in 0..threads(stages.options.threads) {
            let (work, waiting) = (&work, waiting.clone());
            scope.spawn(move || run.guard(work(waiting)));
        }
        drop(waiting);
        run.guard(
            saver().and_then(|saver| TreeWalk { saver, source, jobs }.run(snapshot.tree, Arc::clone(&tree))),
        );
    });
    run.check().ok()?;
    Some(tree.get().copied().filter(|_| !has_holes.load(Relaxed)))
}

/// The repository that is copied from, and whether something was missing in it.
#[derive(Clone, Copy)]
struct Source<'a> {
    from: &'a Blobs,
    run: &'a Run<'a>,
    has_holes: &'a AtomicBool,
}

impl Source<'_> {
    /// The entries of a tree; `None` after telling that it is lost.
    fn tree(&self, tree: &Id, path: &Path) -> Result<Option<Vec<Node>>> {
        match self.from.tree(tree) {
            Ok(nodes) => Ok(Some(nodes)),
            Err(error) if error.is_loss() => {
                self.tell(&lost(path, &error));
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    fn tell(&self, error: &FileError) {
        self.has_holes.store(true, Relaxed);
        self.run.counters.error(self.run.monitor, error);
    }
}

/// A file to be cut anew.
struct Job {
    folder: Arc<Folder>,
    slot: usize,
    node: Node,
}

/// The walk through a snapshot's trees.
struct TreeWalk<'a> {
    saver: Saver<'a>,
    source: Source<'a>,
    jobs: Batches<Job>,
}

/// A folder whose subfolders are being entered.
struct Level {
    folder: Arc<Folder>,
    entries: usize,
    subfolders: std::vec::IntoIter<(usize, Id, Node)>,
}

impl TreeWalk<'_> {
    /// Goes through everything beneath a tree; the id of what it becomes arrives in `copy`.
    fn run(mut self, tree: Id, copy: Arc<OnceLock<Id>>) -> Result<()> {
        let Some(nodes) = self.source.tree(&tree, Path::new("/"))? else { return Ok(()) };
        let folder = Folder::top(nodes.len(), copy);
        let mut levels = vec![self.enter(folder, nodes, 1)?];
        while let Some(level) = levels.last_mut() {
            self.saver.run.check()?;
            match level.subfolders.next() {
                Some((slot, tree, node)) => {
                    let above = Arc::clone(&level.folder);
                    let entered = self.descend(&levels, &above, slot, &tree, node)?;
                    levels.extend(entered);
                }
                None => drop(levels.pop()),
            }
        }
        self.jobs.flush()
    }

    fn descend(
        &mut self,
        levels: &[Level],
        above: &Arc<Folder>,
        slot: usize,
        tree: &Id,
        node: Node,
    ) -> Result<Option<Level>> {
        let path = above.path.join(os(&node.name));
        self.saver.run.counters.set_current(&path);
        let nodes = match too_much(levels.iter().map(|level| level.entries)) {
            None => self.source.tree(tree, &path)?,
            Some(reason) => {
                self.source.tell(&FileError::new(&path, FileErrorKind::Refused, reason));
                None
            }
        };
        let Some(nodes) = nodes else {
            above.put(slot, None, &mut self.saver)?;
            return Ok(None);
        };
        let folder = Folder::within(above, slot, node, None, path, nodes.len(), true);
        self.enter(folder, nodes, levels.len() + 1).map(Some)
    }

    /// Files go to the workers, other entries into the new tree, subfolders wait to be entered.
    fn enter(&mut self, folder: Arc<Folder>, nodes: Vec<Node>, depth: usize) -> Result<Level> {
        let (entries, mut subfolders) = (nodes.len(), Vec::new());
        if nodes.is_empty() {
            folder.complete(Vec::new(), &mut self.saver)?;
        }
        for (slot, node) in nodes.into_iter().enumerate() {
            if let Some(reason) = refusal(&node, depth) {
                let path = folder.path.join(os(&node.name));
                self.source.tell(&FileError::new(path, FileErrorKind::Refused, reason));
                folder.put(slot, None, &mut self.saver)?;
            } else if let Some(tree) = node.folder() {
                subfolders.push((slot, tree, Node { subtree: None, ..node }));
            } else if node.kind == NodeKind::File {
                let (folder, size) = (Arc::clone(&folder), node.size);
                self.jobs.push(Job { folder, slot, node }, size)?;
            } else {
                folder.put(slot, Some(&node), &mut self.saver)?;
            }
        }
        Ok(Level { folder, entries, subfolders: subfolders.into_iter() })
    }
}

/// Cuts files anew.
struct Worker<'a> {
    saver: Saver<'a>,
    source: Source<'a>,
    chunker: &'a Chunker,
    content: &'a Content,
    buffers: Buffers,
}

/// Why a file is not copied: content that is lost, or the end of the run.
enum Trouble {
    Lost(Error),
    Run(Error),
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        Self::Run(error)
    }
}

impl Worker<'_> {
    fn work(&mut self, jobs: Receiver<Vec<Job>>) -> Result<()> {
        let run = self.saver.run;
        for Job { folder, slot, node } in jobs.into_iter().flatten() {
            run.check()?;
            let size = node.size;
            let copy = match self.content_of(&node) {
                Ok(content) => Some(Node { content, ..node }),
                Err(Trouble::Run(error)) => return Err(error),
                Err(Trouble::Lost(error)) => {
                    self.source.tell(&lost(&folder.path.join(os(&node.name)), &error));
                    None
                }
            };
            run.counters.files_searched.fetch_add(1, Relaxed);
            run.counters.bytes_searched.fetch_add(size, Relaxed);
            folder.put(slot, copy.as_ref(), &mut self.saver)?;
        }
        Ok(())
    }

    /// The new blobs of a file.
    fn content_of(&mut self, node: &Node) -> Result<Vec<Id>, Trouble> {
        if self.is_there_as_it_is(node) {
            return Ok(node.content.clone());
        }
        let key = Id::of(&node.content.iter().flat_map(|id| id.0).collect::<Vec<u8>>());
        if let Some(known) = unpoisoned(self.content).get(&key) {
            return Ok(known.clone());
        }
        let content = self.cut(node)?;
        // Small files need not be remembered: that they are there shows without.
        if node.content.len().max(content.len()) > 1 {
            unpoisoned(self.content).insert(key, content.clone());
        }
        Ok(content)
    }

    /// Whether a file is one blob that no chunker would cut, and that the destination has.
    fn is_there_as_it_is(&self, node: &Node) -> bool {
        let [id] = node.content.as_slice() else { return node.content.is_empty() };
        let length =
            self.source.from.index.get(BlobKind::Data, id).map(|location| plain_length(&location.blob));
        length.is_some_and(|length| length <= self.chunker.min_size() as u64) && self.saver.sink.has(id)
    }

    fn cut(&mut self, node: &Node) -> Result<Vec<Id>, Trouble> {
        let (mut scan, mut buffer, mut content) = (self.chunker.scan(), Vec::new(), Vec::new());
        for id in &node.content {
            self.saver.run.check()?;
            let blob = self.source.from.read_into(&mut self.buffers, BlobKind::Data, id);
            let or_lost =
                |error: Error| if error.is_loss() { Trouble::Lost(error) } else { Trouble::Run(error) };
            buffer.extend_from_slice(blob.map_err(or_lost)?);
            let mut saved = 0;
            while buffer.len() - saved > self.chunker.min_size() {
                let Some(cut) = scan.cut(&buffer[saved..]) else { break };
                content.push(self.save(&buffer[saved..saved + cut])?);
                saved += cut;
            }
            buffer.drain(..saved);
        }
        if !buffer.is_empty() {
            content.push(self.save(&buffer)?);
        }
        Ok(content)
    }

    fn save(&mut self, chunk: &[u8]) -> Result<Id> {
        self.saver.run.counters.bytes_done.fetch_add(chunk.len() as u64, Relaxed);
        self.saver.sink.save(&mut self.saver.sealer, BlobKind::Data, chunk)
    }
}
