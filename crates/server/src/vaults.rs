//! The vault store: a folder for each vault, each a restic repository.

use std::{path::PathBuf, sync::Arc};

use base64::{Engine, prelude::BASE64_STANDARD};
use roadstead_api::id::VaultId;
use roadstead_vault::{
    InitOptions, KdfCost, Repository,
    store::{FileKind, LocalStore, Name, Store},
};

use crate::{Error, ErrorKind, Result};

/// Where the vaults lie.
#[derive(Clone, Debug)]
pub struct Vaults {
    root: PathBuf,
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
    /// The vaults in this folder, which is made if it is not there.
    pub fn open(root: PathBuf) -> Result<Self> {
        std::fs::create_dir_all(&root)?;
        Ok(Self { root })
    }

    /// A vault's folder.
    pub fn folder(&self, id: &VaultId) -> PathBuf {
        self.root.join(&id.0)
    }

    /// A vault's files.
    pub fn store(&self, id: &VaultId) -> LocalStore {
        LocalStore::new(self.folder(id))
    }

    /// Makes a vault's repository, and returns its headers. Blocks for the time of a key derivation.
    pub fn create(&self, id: &VaultId, password: &str) -> Result<Vec<Header>> {
        let folder = self.folder(id);
        let store: Arc<dyn Store> = Arc::new(LocalStore::new(folder));
        // The password has 256 random bits, so nothing is gained by making its derivation dear.
        let options = InitOptions { kdf: KdfCost::RANDOM_KEY };
        Repository::init(store.clone(), password.as_bytes(), &options)?;
        let mut headers = vec![header(store.as_ref(), FileKind::Config, &Name::CONFIG)?];
        for (name, _) in store.list(FileKind::Key)? {
            headers.push(header(store.as_ref(), FileKind::Key, &name)?);
        }
        Ok(headers)
    }

    /// Removes the files of a vault whose creation was not completed.
    pub fn remove(&self, id: &VaultId) -> Result<()> {
        Ok(std::fs::remove_dir_all(self.folder(id))?)
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
            Kind::NotFound => Self::not_found(error.to_string()),
            Kind::Conflict => Self::conflict(error.to_string()),
            Kind::Invalid => Self::invalid(error.to_string()),
            _ => Self::internal("A vault could not be read or written; the log says how.").caused_by(error),
        }
    }
}
