//! The vault store: a folder for each vault, on a disk or in a bucket, each a restic repository.

mod files;
mod folder;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use base64::{Engine, prelude::BASE64_STANDARD};
use roadstead_api::id::VaultId;
use roadstead_vault::{
    InitOptions, KdfCost, Repository, remove_scratch,
    store::{FileKind, LocalStore, Name, S3Config, S3Store, Store, Upload},
};

pub use files::VaultStore;
pub use folder::VaultFolder;

use crate::{Error, ErrorKind, Result};

/// Where the vaults lie.
#[derive(Clone, Debug)]
pub struct Vaults {
    root: VaultStore,
    /// Where uploads are received that go to a bucket.
    received: LocalStore,
    /// Where drills restore to.
    scratch: PathBuf,
}

/// A file without which a vault cannot be opened; the database keeps a copy.
#[derive(Debug)]
pub struct Header {
    /// `config` or `keys`.
    pub kind: &'static str,
    /// The file's name; empty for the config.
    pub name: String,
    /// Its content in base64.
    pub content: String,
}

/// How large a vault is.
#[derive(Clone, Copy, Debug, Default)]
pub struct VaultSize {
    /// What its files take, in bytes.
    pub bytes: u64,
    /// How many snapshots it holds.
    pub snapshots: u64,
}

impl Vaults {
    /// The vaults in a data folder, where `vaults` is made if it is not there; in a bucket, if one is given.
    pub fn open(data_dir: &Path, bucket: Option<&S3Config>) -> Result<Self> {
        let folder = data_dir.join("vaults");
        let root = match bucket {
            Some(config) => VaultStore::Bucket(Arc::new(S3Store::new(config.clone())?)),
            None => {
                std::fs::create_dir_all(&folder)?;
                VaultStore::Disk(LocalStore::new(folder))
            }
        };
        let received = LocalStore::new(data_dir.join("received"));
        received.remove_leftovers()?;
        let scratch = data_dir.join("scratch");
        remove_scratch(&scratch)?;
        Ok(Self { root, received, scratch })
    }

    /// Fails if the bucket that the vaults are to lie in cannot be used. One that is merely out of reach may come back.
    /// Blocks.
    pub fn reach(&self) -> Result<()> {
        use roadstead_vault::ErrorKind as Kind;
        let VaultStore::Bucket(store) = &self.root else { return Ok(()) };
        match store.reach() {
            Err(error) if matches!(error.kind(), Kind::NotFound | Kind::Denied | Kind::Invalid) => {
                Err(Error::invalid(format!("The vault store {} cannot be used.", store.location()))
                    .caused_by(error))
            }
            Err(error) => {
                tracing::warn!(store = store.location(), %error, "the vault store is out of reach");
                Ok(())
            }
            Ok(()) => Ok(()),
        }
    }

    /// Whether they are in a bucket, rather than in a folder here.
    pub fn is_bucket(&self) -> bool {
        matches!(self.root, VaultStore::Bucket(_))
    }

    /// A folder for a drill to restore to: nobody has it yet.
    pub fn scratch(&self, name: &str) -> PathBuf {
        self.scratch.join(name)
    }

    /// A vault's folder.
    pub fn folder(&self, id: &VaultId) -> VaultFolder {
        match self.store(id) {
            VaultStore::Disk(store) => VaultFolder::Disk(store.root().to_owned()),
            VaultStore::Bucket(store) => VaultFolder::Bucket(store.url()),
        }
    }

    /// A vault's files.
    pub fn store(&self, id: &VaultId) -> VaultStore {
        match &self.root {
            VaultStore::Disk(root) => VaultStore::Disk(LocalStore::new(root.root().join(&id.0))),
            VaultStore::Bucket(root) => VaultStore::Bucket(Arc::new(root.beneath(&id.0))),
        }
    }

    /// Begins to receive a file for a vault, of so many bytes if the sender said; [`VaultStore::finish`] ends it.
    pub fn begin(&self, id: &VaultId, kind: FileKind, length: Option<u64>) -> Result<Upload> {
        Ok(match self.store(id) {
            VaultStore::Disk(store) => store.begin(kind, length)?,
            // It is soon read again, so it had better stay in the system's cache.
            VaultStore::Bucket(_) => self.received.begin(kind, None)?,
        })
    }

    /// Makes a vault's repository, and returns its headers. Blocks for the time of a key derivation.
    pub fn create(&self, id: &VaultId, password: &str) -> Result<Vec<Header>> {
        let store: Arc<dyn Store> = match self.store(id) {
            VaultStore::Disk(store) => Arc::new(store),
            VaultStore::Bucket(store) => store,
        };
        // The password has 256 random bits, so nothing is gained by making its derivation dear.
        let options = InitOptions { kdf: KdfCost::RANDOM_KEY };
        Repository::init(store, password.as_bytes(), &options)?;
        self.headers(id)
    }

    /// The headers of a vault, as they are now. Blocks.
    pub fn headers(&self, id: &VaultId) -> Result<Vec<Header>> {
        let store = self.store(id);
        let mut headers = Vec::new();
        for kind in [FileKind::Config, FileKind::Key] {
            for (name, _) in store.list(kind)? {
                headers.push(header(store.inner(), kind, &name)?);
            }
        }
        Ok(headers)
    }

    /// Makes the folder of a vault whose files are still to come; buckets have none.
    pub fn make_folder(&self, id: &VaultId) -> Result<()> {
        match self.store(id) {
            VaultStore::Disk(store) => Ok(std::fs::create_dir_all(store.root())?),
            VaultStore::Bucket(_) => Ok(()),
        }
    }

    /// Removes the files of a vault: one that was deleted, or whose creation was not completed. Those that are gone
    /// already are no error. Blocks.
    pub fn remove(&self, id: &VaultId) -> Result<()> {
        match self.store(id) {
            VaultStore::Disk(store) => match std::fs::remove_dir_all(store.root()) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
                _ => Ok(()),
            },
            VaultStore::Bucket(store) => Ok(store.clear().map(drop)?),
        }
    }

    /// Removes what uploads that were interrupted have left in a vault; a server that was killed removed none of it. Blocks.
    pub fn remove_leftovers(&self, id: &VaultId) -> Result<()> {
        match self.store(id) {
            VaultStore::Disk(store) => Ok(store.remove_leftovers().map(drop)?),
            VaultStore::Bucket(_) => Ok(()),
        }
    }

    /// How large a vault is now. Blocks while its folders are listed.
    pub fn size(&self, id: &VaultId) -> Result<VaultSize> {
        let store = self.store(id);
        let mut size = VaultSize::default();
        for kind in FileKind::FOLDERS {
            let files = store.list(kind)?;
            size.bytes += files.iter().map(|(_, bytes)| bytes).sum::<u64>();
            if kind == FileKind::Snapshot {
                size.snapshots = files.len() as u64;
            }
        }
        Ok(size)
    }
}

fn header(store: &dyn Store, kind: FileKind, name: &Name) -> Result<Header> {
    let content = BASE64_STANDARD.encode(store.read(kind, name)?);
    let name = if kind == FileKind::Config { String::new() } else { name.to_string() };
    Ok(Header { kind: kind.dir(), name, content })
}

impl From<roadstead_vault::Error> for Error {
    fn from(error: roadstead_vault::Error) -> Self {
        use roadstead_vault::ErrorKind as Kind;
        match error.kind() {
            Kind::Full => Self::new(ErrorKind::Full, "The vault store's disk is full.").caused_by(error),
            Kind::Locked => {
                Self::new(ErrorKind::Unavailable, "Others are at work in the vault.").caused_by(error)
            }
            Kind::Unreachable => {
                Self::new(ErrorKind::Unavailable, "The vault store does not answer just now.")
                    .caused_by(error)
            }
            Kind::NotFound => Self::not_found(error.to_string()),
            Kind::Conflict => Self::conflict(error.to_string()),
            Kind::Invalid => Self::invalid(error.to_string()),
            _ => Self::internal("A vault could not be read or written; the log says how.").caused_by(error),
        }
    }
}
