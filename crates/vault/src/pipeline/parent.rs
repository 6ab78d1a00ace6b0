//! The snapshot a backup is compared with.

use std::path::PathBuf;

use jiff::Timestamp;

use super::options::{BackupOptions, ParentChoice};
use crate::error::Result;
use crate::repository::Repository;
use crate::snapshot::Snapshot;
use crate::store::Name;

/// The parent asked for; with `Auto` the latest snapshot of the same host and paths that is not of the
/// future.
pub(super) fn choose(
    repository: &Repository,
    options: &BackupOptions,
    host: &str,
    paths: &[PathBuf],
    now: Timestamp,
) -> Result<Option<Snapshot>> {
    match options.parent {
        ParentChoice::None => Ok(None),
        ParentChoice::Snapshot(id) => repository.load_snapshot(&Name(id)).map(Some),
        ParentChoice::Auto => {
            let paths = path_strings(paths);
            let fits = |snapshot: &Snapshot| {
                let mut theirs = snapshot.paths.clone();
                theirs.sort();
                snapshot.hostname == host && snapshot.time <= now && theirs == paths
            };
            Ok(repository.snapshots()?.into_iter().rev().find(fits))
        }
    }
}

/// Paths as snapshots hold them.
pub(super) fn path_strings(paths: &[PathBuf]) -> Vec<String> {
    let mut paths: Vec<String> = paths.iter().map(|path| path.to_string_lossy().into_owned()).collect();
    paths.sort();
    paths
}
