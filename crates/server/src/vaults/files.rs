//! The files of one vault, on a disk or in a bucket, for whoever hands them on: whole ones are never held in memory.
//!
//! What comes in is hashed on its way to a file of this machine. On a disk that file is renamed; a bucket gets it when
//! its name was found to be right, and it goes.

use std::{
    collections::HashMap,
    io::{Read, Seek, SeekFrom},
    sync::Arc,
};

use jiff::Timestamp;
use roadstead_vault::{
    Id, Result,
    store::{FileKind, LocalStore, Name, S3Store, Store, Trashed, Upload},
};

/// A vault's files.
#[derive(Clone)]
pub enum VaultStore {
    /// On a disk of this machine.
    Disk(LocalStore),
    /// In a bucket.
    Bucket(Arc<S3Store>),
}

impl VaultStore {
    /// The store itself.
    pub fn inner(&self) -> &dyn Store {
        match self {
            Self::Disk(store) => store,
            Self::Bucket(store) => store.as_ref(),
        }
    }

    /// Ends an upload: the file is under its name, durably. Its size in bytes.
    pub fn finish(&self, kind: FileKind, name: &Name, mut upload: Upload) -> Result<u64> {
        match self {
            Self::Disk(_) => upload.finish(name),
            Self::Bucket(store) => {
                upload.verify(name)?;
                let (body, length) = upload.body()?;
                store.save_file(kind, name, body).map(|()| length)
            }
        }
    }

    /// A part of a file, as fast as the disk or the bucket gives it. `length` is not 0.
    pub fn read_part(
        &self,
        kind: FileKind,
        name: &Name,
        offset: u64,
        length: u64,
    ) -> Result<Box<dyn Read + Send>> {
        match self {
            Self::Disk(store) => {
                let mut file = store.open_file(kind, name)?;
                let sought = file.seek(SeekFrom::Start(offset));
                sought.map_err(|e| roadstead_vault::Error::io(format!("reading {kind}/{name}"), e))?;
                Ok(Box::new(file.take(length)))
            }
            Self::Bucket(store) => Ok(Box::new(store.open_range(kind, name, offset, length)?.take(length))),
        }
    }

    /// When each file of a kind arrived, as the store has it.
    pub fn arrivals(&self, kind: FileKind) -> Result<HashMap<Id, Timestamp>> {
        match self {
            Self::Disk(store) => store.arrivals(kind),
            Self::Bucket(store) => store.arrivals(kind),
        }
    }

    /// What the trash holds.
    pub fn trash(&self) -> Result<Vec<Trashed>> {
        match self {
            Self::Disk(store) => store.trash(),
            Self::Bucket(store) => store.trash(),
        }
    }

    /// Removes for good what was thrown away before a time; returns how many files that were.
    pub fn empty_trash(&self, before: Timestamp) -> Result<usize> {
        match self {
            Self::Disk(store) => store.empty_trash(before),
            Self::Bucket(store) => store.empty_trash(before),
        }
    }

    /// Brings back what was thrown away at a time or later; returns how many files that were.
    pub fn restore_from_trash(&self, since: Timestamp) -> Result<usize> {
        match self {
            Self::Disk(store) => store.restore_from_trash(since),
            Self::Bucket(store) => store.restore_from_trash(since),
        }
    }

    /// All files of a kind with their sizes in bytes.
    pub fn list(&self, kind: FileKind) -> Result<Vec<(Name, u64)>> {
        self.inner().list(kind)
    }

    /// The size of a file in bytes.
    pub fn size(&self, kind: FileKind, name: &Name) -> Result<u64> {
        self.inner().size(kind, name)
    }

    /// Removes a file.
    pub fn remove(&self, kind: FileKind, name: &Name) -> Result<()> {
        self.inner().remove(kind, name)
    }
}

impl std::fmt::Debug for VaultStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.inner().location())
    }
}
