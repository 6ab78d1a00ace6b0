//! An open repository (skeleton).

use std::sync::Arc;

use crate::error::{Error, ErrorKind, Result};
use crate::id::Id;
use crate::key_file::KdfCost;
use crate::snapshot::Snapshot;
use crate::store::Store;

/// How to make a repository.
#[derive(Debug, Clone, Copy, Default)]
pub struct InitOptions {
    /// What deriving the key from the password costs.
    pub kdf: KdfCost,
}

/// An open repository. Cheap to share; all methods take `&self`.
pub struct Repository {
    id: Id,
}

impl Repository {
    /// Makes a new repository in an empty store.
    pub fn init(_: Arc<dyn Store>, _password: &[u8], _: &InitOptions) -> Result<Self> {
        Err(Error::new(ErrorKind::Unsupported, "not written yet"))
    }

    /// Opens a repository.
    pub fn open(_: Arc<dyn Store>, _password: &[u8]) -> Result<Self> {
        Err(Error::new(ErrorKind::Unsupported, "not written yet"))
    }

    /// The repository's own random id.
    pub fn id(&self) -> Id {
        self.id
    }

    /// All snapshots, oldest first. Files that cannot be read are left out: check tells of them.
    pub fn snapshots(&self) -> Result<Vec<Snapshot>> {
        Err(Error::new(ErrorKind::Unsupported, "not written yet"))
    }

    /// The snapshot with this id or this beginning of an id.
    pub fn snapshot(&self, _id: &str) -> Result<Snapshot> {
        Err(Error::new(ErrorKind::Unsupported, "not written yet"))
    }
}
