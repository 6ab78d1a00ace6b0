//! The way of a backup, from the file system to the store:
//!
//! ```text
//! walk -> compare with parent -> chunk -> hash -> dedup -> compress -> encrypt -> pack -> store
//! ```
//!
//! One thread lists folders and looks at what is in them ([`scout`]), ahead of the one that walks ([`walk`]) and
//! compares ([`compare`]). Files that must be read go through one queue to the workers, each of which takes a file all the way into a pack ([`mod@file`], [`blobs`]). Full packs go
//! through another to the uploads ([`upload`]). Folders become trees as their last entry comes in
//! ([`folder`]). When everything is stored the snapshot is written, last of all.
//!
//! Memory is bounded: a pack being filled for data and one for trees, one for each upload, a chunk for
//! each worker, the queues, the index, and the folders between the walk and the slowest worker.

mod blobs;
mod compare;
mod file;
mod folder;
mod gather;
mod graft;
mod ignore;
mod options;
mod parent;
mod rechunk;
mod roots;
mod run;
mod scout;
mod skip;
mod stream;
mod upload;
mod walk;

use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, OnceLock};
use std::thread;

use crossbeam_channel::bounded;
use jiff::Timestamp;
use rustix::process::{getgid, getuid};

use crate::batches::batches;
use crate::cancel::Cancel;
use crate::chunker::Chunker;
use crate::command::Stream;
use crate::error::{Error, ErrorKind, Result};
use crate::files::Files;
use crate::filter::Filter;
use crate::id::Id;
use crate::index_file::IndexWriter;
use crate::metadata::{Owners, host_name, user_name};
use crate::monitor::Monitor;
use crate::node::Node;
use crate::progress::Counters;
use crate::repository::{Blobs, Repository};
use crate::snapshot::{Snapshot, SnapshotSummary};
use crate::store::FileKind;
use crate::threads::threads;

use blobs::{BlobCounts, BlobSink, Sealer};
use file::FileReader;
use folder::Saver;
use roots::{Roots, Selection};
use run::Run;
use scout::Scout;
use walk::Walk;

pub use options::{BackupOptions, BackupSummary, ParentChoice};
pub use skip::Skip;

/// Folders and pieces of folders queued between the scout and the walk. Each may hold a folder open.
const SIGHTS: usize = 64;

impl Repository {
    /// Backs up the paths of `options` and writes a snapshot.
    ///
    /// Files and folders that cannot be read are told to `monitor`, counted, and left out; the snapshot is
    /// written all the same. Fails with [`ErrorKind::NotFound`] when none of the paths exists, with
    /// [`ErrorKind::Locked`] when someone else works on the repository alone, with
    /// [`ErrorKind::Cancelled`] when `cancel` was set, and when the store fails. A failed run leaves blobs
    /// behind that the next one finds or a prune removes, and no snapshot.
    pub fn backup(
        &self,
        options: &BackupOptions,
        monitor: &dyn Monitor,
        cancel: &Cancel,
    ) -> Result<BackupSummary> {
        self.backup_with(Vec::new(), options, monitor, cancel)
    }

    /// Backs up the paths of `options`, and what streams give as files at the streams' paths, and writes one snapshot
    /// of both. With streams there need be no paths.
    ///
    /// A stream that fails is told to `monitor` with [`crate::FileErrorKind::Command`], counted, and left out; what a command
    /// that ends well says on its standard error is a warning. Fails as [`Repository::backup`] does, with
    /// [`ErrorKind::Invalid`] where a stream has no path of a file or the path of another, and with
    /// [`ErrorKind::Command`] when there are no paths and no stream gave anything.
    pub fn backup_with(
        &self,
        streams: Vec<Stream>,
        options: &BackupOptions,
        monitor: &dyn Monitor,
        cancel: &Cancel,
    ) -> Result<BackupSummary> {
        let started = Timestamp::now();
        let beside = graft::paths(&streams)?;
        let roots = match options.paths.is_empty() && !streams.is_empty() {
            true => Roots::none(),
            false => Roots::resolve(&options.paths)?,
        };
        let (excludes, includes) = (Filter::new(&options.excludes)?, Filter::new(&options.includes)?);
        let lock = self.lock(cancel)?;
        let host = options.hostname.clone().unwrap_or_else(host_name);
        let (all_paths, time) = ([roots.paths, beside].concat(), options.time.unwrap_or(started));
        let parent = parent::choose(self, options, &host, &all_paths, time)?;
        let blobs = self.blobs()?;
        blobs.warn(monitor);
        let paths = parent::path_strings(&all_paths);
        let (run, counts) = (Run::new(monitor, cancel, guess(parent.as_ref())), BlobCounts::default());
        let stages = Stages {
            options,
            excludes,
            includes,
            files: &self.files,
            chunker: self.chunker(),
            blobs,
            counts: &counts,
        };
        let previous = parent.as_ref().map(|parent| parent.tree);
        let is_streams_only = options.paths.is_empty();
        let tree = stages.store(&run, |sink| {
            let grafts = graft::store(&stages, &run, sink, streams, time)?;
            if is_streams_only && grafts.is_empty() {
                run.guard(Err(Error::new(
                    ErrorKind::Command,
                    "none of the commands to be backed up ended well",
                )));
                return None;
            }
            stages.read(&run, sink, roots.selection, previous, &grafts)
        })?;
        lock.verify()?;
        let mut summary = summarize(&run, &counts, parent.map(|parent| parent.id), started);
        summary.snapshot = self.save_snapshot(options, tree, paths, host, &summary, cancel)?;
        Ok(summary)
    }

    /// Writes the snapshot of a run that stored everything else; gives its id.
    fn save_snapshot(
        &self,
        options: &BackupOptions,
        tree: Id,
        paths: Vec<String>,
        host: String,
        summary: &BackupSummary,
        cancel: &Cancel,
    ) -> Result<Id> {
        let json = serde_json::to_vec(&snapshot(options, tree, paths, host, summary))
            .map_err(|e| Error::new(ErrorKind::Invalid, "writing the snapshot").with_source(e))?;
        cancel.check()?;
        Ok(self.files.save(FileKind::Snapshot, &json)?.0)
    }
}

/// What the stages of a backup are made from.
struct Stages<'a> {
    options: &'a BackupOptions,
    excludes: Filter,
    includes: Filter,
    files: &'a Files,
    chunker: Chunker,
    blobs: Arc<Blobs>,
    counts: &'a BlobCounts,
}

impl Stages<'_> {
    /// Stores everything that `read` puts into the sink, packs and indexes; gives what it gives, which is the id
    /// of the topmost tree.
    fn store<T>(&self, run: &Run<'_>, read: impl FnOnce(&BlobSink<'_>) -> Option<T>) -> Result<T> {
        let uploads = self.options.uploads.max(1);
        let (full, ready) = bounded(0);
        let (emptied, empty) = bounded(uploads);
        let (running, ended) = bounded(0);
        let index = Mutex::new(IndexWriter::default());
        let tree = thread::scope(|scope| {
            scope.spawn(|| run.counters.report(run.monitor, &ended));
            for _ in 0..uploads {
                let (ready, emptied) = (ready.clone(), emptied.clone());
                let index = &index;
                scope.spawn(move || run.guard(upload::upload(run, self.files, index, &ready, &emptied)));
            }
            drop(ready);
            let sink = BlobSink::new(self.files, &self.blobs.index, self.counts, full, empty);
            let tree = read(&sink);
            run.guard(sink.flush());
            drop(running);
            tree
        });
        // Also after a failure: what is stored and indexed, the next run need not send again.
        let indexed = upload::finish(self.files, &index);
        run.outcome()?;
        indexed?;
        tree.ok_or_else(|| Error::new(ErrorKind::Io, "the walk ended without a tree"))
    }

    /// Walks and reads everything into packs. There is no tree when the run has failed.
    fn read(
        &self,
        run: &Run<'_>,
        sink: &BlobSink<'_>,
        selection: Selection,
        previous: Option<Id>,
        grafts: &[Node],
    ) -> Option<Id> {
        let (owners, tree) = (Owners::read(), Arc::new(OnceLock::new()));
        let (jobs, waiting) = batches(self.options.queue);
        let (sights, seen) = batches(SIGHTS);
        let saver =
            || Ok(Saver { run, sink, sealer: Sealer::new(self.files, self.options.compression)?, grafts });
        let work = |waiting| FileReader::new(saver()?, &self.chunker, &owners).work(&waiting);
        let (excludes, includes, skip) = (&self.excludes, &self.includes, self.options.skip);
        let scout = Scout { run, sights, excludes, includes, ignore_files: &self.options.ignore_files, skip };
        thread::scope(|scope| {
            scope.spawn(move || run.guard(scout.run(selection)));
            for _ in 0..threads(self.options.threads) {
                let (work, waiting) = (&work, waiting.clone());
                scope.spawn(move || run.guard(work(waiting)));
            }
            drop(waiting);
            run.guard(saver().and_then(|saver| {
                let walk = Walk { saver, jobs, owners: &owners, includes, parent: &self.blobs };
                // It ends what is seen with itself, so that the scout does not wait for it in vain.
                walk.run(seen, previous, Arc::clone(&tree))
            }));
        });
        tree.get().copied()
    }
}

/// Counters that show the parent's totals until ours are known.
fn guess(parent: Option<&Snapshot>) -> Counters {
    let summary = parent.and_then(|parent| parent.summary.as_ref());
    summary.map_or_else(Counters::default, |summary| {
        Counters::guessing(summary.total_files_processed, summary.total_bytes_processed)
    })
}

fn summarize(run: &Run<'_>, counts: &BlobCounts, parent: Option<Id>, started: Timestamp) -> BackupSummary {
    let progress = run.counters.progress();
    BackupSummary {
        snapshot: Id([0; 32]),
        parent,
        files_new: run.files.new.load(Relaxed),
        files_changed: run.files.changed.load(Relaxed),
        files_unmodified: run.files.unmodified.load(Relaxed),
        dirs_new: run.dirs.new.load(Relaxed),
        dirs_changed: run.dirs.changed.load(Relaxed),
        dirs_unmodified: run.dirs.unmodified.load(Relaxed),
        files_searched: progress.files_searched,
        bytes_searched: progress.bytes_searched,
        files_backed_up: progress.files_backed_up,
        bytes_backed_up: progress.bytes_backed_up,
        data_blobs: counts.blobs[0].load(Relaxed),
        tree_blobs: counts.blobs[1].load(Relaxed),
        bytes_added: counts.bytes.load(Relaxed),
        bytes_added_stored: progress.bytes_added,
        errors: progress.errors,
        started,
        ended: Timestamp::now(),
    }
}

fn snapshot(
    options: &BackupOptions,
    tree: Id,
    paths: Vec<String>,
    hostname: String,
    counts: &BackupSummary,
) -> Snapshot {
    let summary = SnapshotSummary {
        backup_start: counts.started,
        backup_end: counts.ended,
        files_new: counts.files_new,
        files_changed: counts.files_changed,
        files_unmodified: counts.files_unmodified,
        dirs_new: counts.dirs_new,
        dirs_changed: counts.dirs_changed,
        dirs_unmodified: counts.dirs_unmodified,
        data_blobs: counts.data_blobs,
        tree_blobs: counts.tree_blobs,
        data_added: counts.bytes_added,
        data_added_packed: counts.bytes_added_stored,
        total_files_processed: counts.files_new + counts.files_changed + counts.files_unmodified,
        total_bytes_processed: counts.bytes_searched,
    };
    Snapshot {
        id: counts.snapshot,
        time: options.time.unwrap_or(counts.started),
        parent: counts.parent,
        tree,
        paths,
        hostname,
        username: options.username.clone().unwrap_or_else(user_name),
        uid: getuid().as_raw(),
        gid: getgid().as_raw(),
        excludes: options.excludes.clone(),
        tags: options.tags.clone(),
        original: None,
        first_tree: None,
        program_version: options.program_version.clone(),
        summary: Some(summary),
    }
}
