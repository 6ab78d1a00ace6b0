//! Bringing a snapshot back.
//!
//! One thread walks the snapshot and makes folders, links and devices; workers write the files, large ones
//! in parts. Everything happens relative to open folders and never through a symbolic link, so nothing is
//! ever written outside the target, whatever the repository holds. Files that are there already are replaced
//! whole, by rename, unless they are what they should be. Each blob is verified before it is written. A
//! folder gets its metadata when everything in it is done.
//!
//! Memory is bounded: blobs are read one at a time for each worker, small ones through a cache of blocks; of a large
//! file each worker gathers a part.

mod content;
mod direct;
mod file;
mod folder;
#[cfg(test)]
mod hostile_tests;
mod links;
mod metadata;
mod parts;
mod plan;
mod walk;

use std::os::fd::OwnedFd;
use std::panic::resume_unwind;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::thread;

use crossbeam_channel::{bounded, unbounded};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::batches::batches;
use crate::cancel::Cancel;
use crate::error::{Error, ErrorKind, Result};
use crate::filter::Filter;
use crate::monitor::{FileError, FileErrorKind, Monitor};
use crate::progress::Counters;
use crate::repository::{Blobs, Repository};
use crate::snapshot::Snapshot;
use crate::threads::threads;

use folder::Folder;
use walk::Walk;

pub use plan::{Planned, RestoreAction, RestorePlan};

/// Files waiting for a worker; each may hold a folder open.
const QUEUE: usize = 128;

/// What to do with files that are in the target already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Overwrite {
    /// Leave them all.
    Never,
    /// Leave those whose size and modification time are the snapshot's; give those with the snapshot's
    /// content its metadata; rewrite the others.
    #[default]
    IfChanged,
    /// Rewrite those that were written before the snapshot's file was, unless they have its content.
    IfNewer,
    /// Rewrite all.
    Always,
}

/// What to restore, where and how.
#[derive(Debug, Clone)]
pub struct RestoreOptions {
    /// The folder beneath which the snapshot's absolute paths appear; made if missing.
    pub target: PathBuf,
    /// Patterns in restic's syntax of what to restore; everything when empty.
    pub include: Vec<String>,
    /// What to do with files that exist.
    pub overwrite: Overwrite,
    /// Threads that read, verify and write; one for each processor when 0.
    pub threads: usize,
    /// Whether to restore owner and group. Without privileges only one's own are possible.
    pub owner: bool,
}

impl RestoreOptions {
    /// Everything, into this folder, with owners if we are root.
    pub fn to(target: impl Into<PathBuf>) -> Self {
        let owner = rustix::process::geteuid().is_root();
        Self {
            target: target.into(),
            include: Vec::new(),
            overwrite: Overwrite::default(),
            threads: 0,
            owner,
        }
    }
}

/// What a restore did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RestoreSummary {
    /// Files written, hard links included.
    pub files: u64,
    /// Folders made or found.
    pub dirs: u64,
    /// Symbolic links, devices, pipes and sockets made.
    pub specials: u64,
    /// Bytes of the files written.
    pub bytes: u64,
    /// Files whose content was left as it was.
    pub skipped: u64,
    /// Files and folders that could not be restored in full.
    pub errors: u64,
}

/// What the threads of a restore share.
struct Run<'a> {
    options: &'a RestoreOptions,
    include: Filter,
    blobs: &'a Blobs,
    monitor: &'a dyn Monitor,
    cancel: &'a Cancel,
    failed: AtomicBool,
    counters: Counters,
    dirs: AtomicU64,
    specials: AtomicU64,
    skipped: AtomicU64,
}

impl<'a> Run<'a> {
    fn new(
        snapshot: &Snapshot,
        options: &'a RestoreOptions,
        include: Filter,
        blobs: &'a Blobs,
        monitor: &'a dyn Monitor,
        cancel: &'a Cancel,
    ) -> Self {
        Self {
            options,
            include,
            blobs,
            monitor,
            cancel,
            failed: AtomicBool::new(false),
            counters: totals(snapshot),
            dirs: AtomicU64::new(0),
            specials: AtomicU64::new(0),
            skipped: AtomicU64::new(0),
        }
    }

    fn error(&self, error: &FileError) {
        self.counters.error(self.monitor, error);
    }

    /// Fails once the run was cancelled or another thread failed.
    fn check(&self) -> Result<()> {
        self.cancel.check()?;
        if self.failed.load(Relaxed) { Err(Error::cancelled()) } else { Ok(()) }
    }

    /// Stops the other threads after a failure.
    fn guard(&self, result: Result<()>) -> Result<()> {
        self.failed.fetch_or(result.is_err(), Relaxed);
        result
    }

    fn os_error(&self, path: PathBuf, kind: FileErrorKind, errno: rustix::io::Errno) {
        self.error(&FileError::os(path, kind, errno));
    }
}

impl Repository {
    /// Restores a snapshot beneath the target of `options`: `/home/me` appears as `TARGET/home/me`.
    ///
    /// What cannot be restored is told to `monitor`, with its path in the snapshot, and counted; the rest
    /// is restored all the same. Fails when the target cannot be made, when the snapshot's own tree cannot
    /// be read, when the store is out of reach, and with [`ErrorKind::Cancelled`] when
    /// `cancel` was set; what was restored until then stays.
    pub fn restore(
        &self,
        snapshot: &Snapshot,
        options: &RestoreOptions,
        monitor: &dyn Monitor,
        cancel: &Cancel,
    ) -> Result<RestoreSummary> {
        let include = Filter::new(&options.include)?;
        let _lock = self.lock(cancel)?;
        let blobs = self.blobs()?;
        blobs.warn(monitor);
        let target = open_target(options)?;
        raise_file_limit();
        let run = Run::new(snapshot, options, include, &blobs, monitor, cancel);
        let outcome = watched(&run, || write_all(&run, target, snapshot));
        cancel.check()?;
        outcome.map(|()| summarize(&run))
    }
}

/// Works while the counters are told to the monitor.
fn watched<T>(run: &Run<'_>, work: impl FnOnce() -> Result<T>) -> Result<T> {
    let (running, ended) = bounded(0);
    thread::scope(|scope| {
        scope.spawn(|| run.counters.report(run.monitor, &ended));
        let outcome = work();
        drop(running);
        outcome
    })
}

/// Walks and writes everything; gives the first failure of any thread that is no echo of another's.
fn write_all(run: &Run<'_>, target: OwnedFd, snapshot: &Snapshot) -> Result<()> {
    let (jobs, waiting) = batches(QUEUE);
    thread::scope(|scope| {
        let (calls, called) = unbounded();
        let worker = || {
            let (waiting, calls, called) = (waiting.clone(), calls.clone(), called.clone());
            scope.spawn(move || run.guard(parts::work(run, &waiting, calls, &called)))
        };
        let workers: Vec<_> = (0..threads(run.options.threads)).map(|_| worker()).collect();
        drop((waiting, calls));
        let walked = run.guard(Walk::new(run, jobs, Folder::top(run, target)).run(snapshot.tree));
        let worked =
            workers.into_iter().map(|worker| worker.join().unwrap_or_else(|panic| resume_unwind(panic)));
        let outcomes: Vec<_> = worked.chain([walked]).filter_map(Result::err).collect();
        let (echoes, failures): (Vec<_>, Vec<_>) =
            outcomes.into_iter().partition(|e| e.kind() == ErrorKind::Cancelled);
        failures.into_iter().chain(echoes).next().map_or(Ok(()), Err)
    })
}

/// Each folder on the way to what is being restored is held open; the usual limit of 1024 is low. This
/// concerns the whole process and is harmless; where it is refused, very deep folders fail.
fn raise_file_limit() {
    let limit = getrlimit(Resource::Nofile);
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit });
}

/// Counters that show the snapshot's own totals until ours are known.
fn totals(snapshot: &Snapshot) -> Counters {
    snapshot.summary.as_ref().map_or_else(Counters::default, |summary| {
        Counters::guessing(summary.total_files_processed, summary.total_bytes_processed)
    })
}

fn open_target(options: &RestoreOptions) -> Result<OwnedFd> {
    let target = &options.target;
    let error = |e| Error::io(format!("opening {}", target.display()), e);
    std::fs::create_dir_all(target).map_err(error)?;
    std::fs::File::open(target).map(Into::into).map_err(error)
}

fn summarize(run: &Run<'_>) -> RestoreSummary {
    RestoreSummary {
        files: run.counters.files_done.load(Relaxed),
        dirs: run.dirs.load(Relaxed),
        specials: run.specials.load(Relaxed),
        bytes: run.counters.bytes_done.load(Relaxed),
        skipped: run.skipped.load(Relaxed),
        errors: run.counters.errors.load(Relaxed),
    }
}
