//! Where one vault lies, as it is told to the child processes that work on vaults. What opens a bucket is not in it:
//! they inherit that in their environment.

use std::{path::PathBuf, sync::Arc, time::Duration};

use roadstead_vault::{
    Cancel,
    store::{LocalStore, RetryStore, S3Config, S3Keys, S3Store, Store},
};
use serde::{Deserialize, Serialize};

use super::VaultStore;
use crate::Result;

/// How long work on a vault goes on asking a bucket that does not answer.
const PATIENCE: Duration = Duration::from_secs(120);

/// A vault's folder: on a disk, or in a bucket.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VaultFolder {
    /// On a disk of this machine.
    Disk(PathBuf),
    /// In a bucket: `s3://BUCKET/PREFIX?region=REGION&endpoint=URL`.
    Bucket(String),
}

impl VaultFolder {
    /// The vault's files, opened with the keys in the environment.
    pub fn files(&self) -> Result<VaultStore> {
        Ok(match self {
            Self::Disk(folder) => VaultStore::Disk(LocalStore::new(folder)),
            Self::Bucket(url) => {
                let config = S3Config::from_url(url, S3Keys::from_environment()?)?;
                VaultStore::Bucket(Arc::new(S3Store::new(config)?))
            }
        })
    }

    /// The same for work that takes long: a bucket that is away for a while is waited for.
    pub fn store(&self, cancel: &Cancel) -> Result<Arc<dyn Store>> {
        Ok(match self.files()? {
            VaultStore::Disk(store) => Arc::new(store),
            VaultStore::Bucket(store) => Arc::new(RetryStore::new(store, PATIENCE, cancel.clone())),
        })
    }

    /// A folder beneath this one.
    pub fn beneath(&self, name: &str) -> Result<Self> {
        Ok(match self {
            Self::Disk(folder) => Self::Disk(folder.join(name)),
            Self::Bucket(url) => {
                let config = S3Config::from_url(url, S3Keys::default())?;
                Self::Bucket(S3Store::new(config)?.beneath(name).url())
            }
        })
    }

    /// What plain restic calls it.
    pub fn for_restic(&self) -> Result<String> {
        Ok(match self.files()? {
            VaultStore::Disk(store) => store.root().display().to_string(),
            VaultStore::Bucket(store) => format!("s3:{}", store.location()),
        })
    }
}
