//! Drills: samples of several snapshots restored to scratch, one after the other.

use std::path::PathBuf;

use roadstead_vault::{Cancel, DrillOptions, Repository};
use serde::{Deserialize, Serialize};

use super::telling::Telling;
use crate::Result;

/// How many problems are told one by one.
const MAX_PROBLEMS: usize = 1000;

/// What a drill found.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Drilled {
    /// The snapshots that files were taken of.
    pub snapshots: Vec<String>,
    /// Files that these hold.
    pub files_held: u64,
    /// Files that came back as they were.
    pub files: u64,
    /// Their sizes in sum, in bytes.
    pub bytes: u64,
    /// What did not, a sentence each.
    pub problems: Vec<String>,
}

/// Drills snapshots, each with its share of so many files and bytes.
pub fn drill(
    repository: &Repository,
    snapshots: Vec<String>,
    (files, bytes): (u32, u64),
    scratch: PathBuf,
    cancel: &Cancel,
) -> Result<Drilled> {
    let count = snapshots.len().max(1) as u64;
    let options = DrillOptions {
        scratch,
        files: (files as usize).div_ceil(count as usize),
        bytes: bytes.div_ceil(count),
    };
    let mut drilled = Drilled::default();
    for name in &snapshots {
        let snapshot = match repository.snapshot(name) {
            Ok(snapshot) => snapshot,
            Err(error) if error.kind() == roadstead_vault::ErrorKind::NotFound => {
                drilled.problems.push(format!("the snapshot {name} is not in the vault"));
                continue;
            }
            Err(error) => return Err(error.into()),
        };
        let report = repository.drill(&snapshot, &options, &Telling, cancel)?;
        drilled.files_held += report.files_held;
        drilled.files += report.files;
        drilled.bytes += report.bytes;
        drilled.problems.extend(report.problems.iter().map(ToString::to_string));
    }
    if drilled.problems.len() > MAX_PROBLEMS {
        let more = drilled.problems.len() - MAX_PROBLEMS;
        drilled.problems.truncate(MAX_PROBLEMS);
        drilled.problems.push(format!("and {more} more problems"));
    }
    drilled.snapshots = snapshots;
    Ok(drilled)
}
