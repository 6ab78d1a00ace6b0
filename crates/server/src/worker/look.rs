//! Looking through vaults: finding, comparing, counting, archives.

use std::{
    io::Write,
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
};

use roadstead_api::file::{File, FileChange, FileDifference};
use roadstead_vault::{
    ArchiveFormat, Cancel, Change, Difference, FileError, FileErrorKind, FindOptions, Monitor, Repository,
    Search, Snapshot, VoidMonitor,
};
use serde::{Deserialize, Serialize};

use super::file;
use crate::{Error, Result};

/// A file found in a snapshot.
#[derive(Debug, Serialize, Deserialize)]
pub struct FoundEntry {
    /// The snapshot.
    pub snapshot: String,
    /// The path.
    pub path: String,
    /// What it is.
    pub file: File,
}

/// What a snapshot holds, in bytes.
#[derive(Debug, Serialize, Deserialize)]
pub struct Counted {
    /// The snapshot.
    pub snapshot: String,
    /// Files.
    pub files: u64,
    /// What restoring writes.
    pub bytes: u64,
    /// What no earlier snapshot has.
    pub bytes_added: u64,
    /// What that takes.
    pub bytes_added_stored: u64,
}

/// What some snapshots hold together, in bytes.
#[derive(Debug, Serialize, Deserialize)]
pub struct Counts {
    /// Each of them, oldest first.
    pub snapshots: Vec<Counted>,
    /// What they hold, what they share counted once.
    pub bytes: u64,
    /// What that takes.
    pub bytes_stored: u64,
    /// Folders that could not be read.
    pub unreadable: u64,
}

/// The snapshots of these names that the vault holds.
fn snapshots(repository: &Repository, names: &[String]) -> Vec<Snapshot> {
    names.iter().filter_map(|name| repository.snapshot(name).ok()).collect()
}

/// Finds entries, passing over the first `offset`.
pub fn find(
    repository: &Repository,
    names: &[String],
    (pattern, ignore_case): (String, bool),
    (offset, limit): (usize, usize),
    cancel: &Cancel,
) -> Result<Vec<FoundEntry>> {
    let options = FindOptions { patterns: vec![pattern], ignore_case, ..FindOptions::default() };
    let (mut passed, mut entries) = (0, Vec::new());
    repository.find(&snapshots(repository, names), &options, &VoidMonitor, cancel, &mut |found| {
        if passed < offset {
            passed += 1;
            return Search::Continue;
        }
        entries.push(FoundEntry {
            snapshot: found.snapshot.to_hex(),
            path: found.path.to_string_lossy().into_owned(),
            file: file(found.entry),
        });
        if entries.len() < limit { Search::Continue } else { Search::Stop }
    })?;
    Ok(entries)
}

/// Compares two snapshots, passing over the first `offset` differences.
pub fn diff(
    repository: &Repository,
    [before, after]: [&str; 2],
    (offset, limit): (usize, usize),
    cancel: &Cancel,
) -> Result<Vec<FileChange>> {
    let (before, after) = (repository.snapshot(before)?, repository.snapshot(after)?);
    let (mut passed, mut changes) = (0, Vec::new());
    repository.diff(&before, &after, &VoidMonitor, cancel, &mut |changed| {
        if passed >= offset && changes.len() < limit {
            changes.push(change(changed));
        }
        passed += 1;
    })?;
    Ok(changes)
}

fn change(change: Change) -> FileChange {
    FileChange {
        path: change.path.to_string_lossy().into_owned(),
        difference: match change.difference {
            Difference::Added => FileDifference::Added,
            Difference::Removed => FileDifference::Removed,
            Difference::Content => FileDifference::Content,
            Difference::Metadata => FileDifference::Metadata,
            Difference::Kind => FileDifference::Type,
        },
        before: change.before.map(file),
        after: change.after.map(file),
    }
}

/// Counts what snapshots hold.
pub fn count(repository: &Repository, names: &[String], cancel: &Cancel) -> Result<Counts> {
    let stats = repository.stats(&snapshots(repository, names), &VoidMonitor, cancel)?;
    let counted = |stats: &roadstead_vault::SnapshotStats| Counted {
        snapshot: stats.snapshot.to_hex(),
        files: stats.contents.files,
        bytes: stats.contents.bytes,
        bytes_added: stats.added.bytes,
        bytes_added_stored: stats.added.bytes_stored,
    };
    Ok(Counts {
        snapshots: stats.snapshots.iter().map(counted).collect(),
        bytes: stats.raw.bytes,
        bytes_stored: stats.raw.bytes_stored,
        unreadable: stats.unreadable,
    })
}

/// Writes out an archive. One that lacks something that is lost fails at its end, so that nobody takes it for whole.
pub fn archive(
    repository: &Repository,
    (snapshot, path, is_zip): (&str, &str, bool),
    out: &mut dyn Write,
    cancel: &Cancel,
) -> Result<()> {
    let format = if is_zip { ArchiveFormat::Zip } else { ArchiveFormat::Tar };
    let losses = Losses::default();
    let snapshot = repository.snapshot(snapshot)?;
    repository.archive(&snapshot, Path::new(path), format, out, &losses, cancel)?;
    match losses.0.into_inner() {
        false => Ok(()),
        true => Err(Error::internal("Some of the files are damaged, and left out of the archive.")),
    }
}

/// Whether anything was lost.
#[derive(Default)]
struct Losses(AtomicBool);

impl Monitor for Losses {
    fn error(&self, error: &FileError) {
        tracing::warn!(file = %error.path.display(), reason = %error.reason, "left out of an archive");
        if error.kind == FileErrorKind::Damaged {
            self.0.store(true, Ordering::Relaxed);
        }
    }
}
