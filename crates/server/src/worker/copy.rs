//! Copies of snapshots into another repository: another vault, or one at a place that the operator allows.

use roadstead_vault::{Cancel, InitOptions, KdfCost, Repository, Snapshot, store::FileKind};
use serde::{Deserialize, Serialize};

use super::telling::Lost;
use crate::{Result, vaults::VaultFolder};

/// Where copies go.
#[derive(Debug, Serialize, Deserialize)]
pub struct Destination {
    /// The repository.
    pub folder: VaultFolder,
    /// Its password.
    pub password: String,
    /// Whether to make it if it is not there.
    pub make: bool,
}

/// What a copy did.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Copied {
    /// Snapshots that were copied.
    pub copied: u64,
    /// Snapshots that were there already.
    pub skipped: u64,
    /// Snapshots that were not copied, since something of them is lost.
    pub failed: u64,
    /// What the destination has grown by, in bytes.
    pub bytes_added: u64,
    /// What is lost, a sentence each.
    pub problems: Vec<String>,
}

/// Copies the snapshots of these names; all, if there are none. With `rechunk` their files are cut anew.
pub fn copy(
    repository: &Repository,
    names: &[String],
    destination: &Destination,
    rechunk: bool,
    cancel: &Cancel,
) -> Result<Copied> {
    let mut snapshots: Vec<Snapshot> = match names {
        [] => repository.snapshots()?,
        names => names.iter().map(|name| repository.snapshot(name)).collect::<Result<_, _>>()?,
    };
    snapshots.sort_by_key(|snapshot| snapshot.time);
    let to = open(destination, cancel)?;
    let lost = Lost::default();
    let summary = match rechunk {
        true => repository.copy_rechunked_to(&to, &snapshots, &lost, cancel)?,
        false => repository.copy_to(&to, &snapshots, &lost, cancel)?,
    };
    Ok(Copied {
        copied: summary.copied.len() as u64,
        skipped: summary.skipped.len() as u64,
        failed: summary.failed.len() as u64,
        bytes_added: summary.bytes,
        problems: lost.into_sentences(),
    })
}

fn open(destination: &Destination, cancel: &Cancel) -> Result<Repository> {
    let Destination { folder, password, make } = destination;
    let store = folder.store(cancel)?;
    if *make && store.list(FileKind::Key)?.is_empty() {
        if let VaultFolder::Disk(folder) = folder {
            std::fs::create_dir_all(folder)?;
        }
        // The password has 256 random bits, so nothing is gained by making its derivation dear.
        let options = InitOptions { kdf: KdfCost::RANDOM_KEY };
        return Ok(Repository::init(store, password.as_bytes(), &options)?);
    }
    Ok(Repository::open(store, password.as_bytes())?)
}
