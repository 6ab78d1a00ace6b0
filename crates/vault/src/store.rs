//! Where the files of a repository lie.
//!
//! A [`Store`] is dumb: it keeps named files of six kinds and knows nothing of what is in them. Local
//! folders, REST servers and buckets of S3-compatible object stores implement it; [`RetryStore`],
//! [`LimitStore`], [`CacheStore`] and [`RecordingStore`] wrap another store. Some stores have a trash, from which what was
//! thrown away by mistake comes back.

mod cache;
mod disposal;
mod http;
mod limit;
mod local;
mod record;
mod rest;
mod retry;
mod s3;
mod trash;
mod upload;

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use crate::error::{Error, ErrorKind, Result};
use crate::id::Id;

pub use cache::CacheStore;
pub use disposal::Disposal;
pub use limit::{LimitStore, Limits};
pub use local::LocalStore;
pub use record::{Operation, RecordingStore, Verb};
pub use rest::{RestAuth, RestConfig, RestStore};
pub use retry::RetryStore;
pub use s3::{S3Config, S3Keys, S3Store};
pub use trash::Trashed;
pub use upload::Upload;

/// The kinds of files a repository is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FileKind {
    /// The one file `config`.
    Config,
    /// A master key, wrapped with a password.
    Key,
    /// A pack of blobs.
    Pack,
    /// An index of packs.
    Index,
    /// A snapshot.
    Snapshot,
    /// A lock.
    Lock,
}

impl FileKind {
    /// All kinds that live in folders, thus all but the config.
    pub const FOLDERS: [Self; 5] = [Self::Key, Self::Pack, Self::Index, Self::Snapshot, Self::Lock];

    /// The name of the folder in restic's layout and of the segment in REST paths.
    pub fn dir(self) -> &'static str {
        match self {
            Self::Config => "config",
            Self::Key => "keys",
            Self::Pack => "data",
            Self::Index => "index",
            Self::Snapshot => "snapshots",
            Self::Lock => "locks",
        }
    }
}

impl fmt::Display for FileKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.dir())
    }
}

/// The name of a stored file: the SHA-256 of its bytes. The config has no name: it is given
/// [`Name::CONFIG`], which every store ignores.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(pub Id);

impl Name {
    /// The name given where the kind is [`FileKind::Config`].
    pub const CONFIG: Self = Self(Id([0; 32]));
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Name {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        text.parse().map(Self)
    }
}

/// Named files of six kinds.
///
/// Called from many threads at once; calls block. No method has a body here, so that no store around another forgets
/// to pass one on. What the engine relies upon:
///
/// - `save` is atomic: a file is there whole, durably and under its name once the call returned `Ok`, and
///   not at all before, so that no reader ever lists or reads a part of one. The caller vouches that the
///   name is the SHA-256 of the bytes. Saving a name that is there already succeeds without a second
///   write; a second config is [`ErrorKind::Conflict`].
/// - `list` gives every file whose `save` returned before the call, in any order, without those that are
///   no repository files.
/// - A file that is not there is [`ErrorKind::NotFound`] from `read`,
///   `read_range`, `size`, `remove` and `discard`.
/// - [`Error::is_temporary`] is true just for failures which the same call may overcome later.
/// - `read_range` past the end of a file is [`ErrorKind::Damaged`], never a
///   short answer.
pub trait Store: Send + Sync {
    /// All files of a kind with their sizes in bytes. For the config: itself, or nothing.
    fn list(&self, kind: FileKind) -> Result<Vec<(Name, u64)>>;

    /// A whole file.
    fn read(&self, kind: FileKind, name: &Name) -> Result<Vec<u8>>;

    /// Exactly `length` bytes of a file from `offset`.
    fn read_range(&self, kind: FileKind, name: &Name, offset: u64, length: usize) -> Result<Vec<u8>>;

    /// The same into a buffer of the caller's, which it fills.
    fn read_range_into(&self, kind: FileKind, name: &Name, offset: u64, bytes: &mut [u8]) -> Result<()>;

    /// Whether reading a small part of a file costs little more than its bytes, as on a disk of this machine.
    fn is_near(&self) -> bool;

    /// Stores a whole file.
    fn save(&self, kind: FileKind, name: &Name, bytes: &[u8]) -> Result<()>;

    /// Removes a file.
    fn remove(&self, kind: FileKind, name: &Name) -> Result<()>;

    /// Whether [`Store::discard`] works here.
    fn has_trash(&self) -> bool;

    /// Takes a file away so that it can be brought back: atomically, like `save`. A store without a trash
    /// answers [`ErrorKind::Unsupported`].
    fn discard(&self, kind: FileKind, name: &Name) -> Result<()>;

    /// The size of a file in bytes.
    fn size(&self, kind: FileKind, name: &Name) -> Result<u64>;

    /// Where this is, for messages; without credentials.
    fn location(&self) -> String;

    /// The store itself, where this one, or one that it stands before, may answer out of what it kept: whoever looks for
    /// damage asks that one.
    fn behind_cache(&self) -> Option<Arc<dyn Store>>;
}

/// [`Store::read_range_into`] of a store that answers with bytes of its own.
pub(crate) fn copy_range(
    store: &dyn Store,
    kind: FileKind,
    name: &Name,
    offset: u64,
    bytes: &mut [u8],
) -> Result<()> {
    bytes.copy_from_slice(&store.read_range(kind, name, offset, bytes.len())?);
    Ok(())
}

/// [`Store::discard`] of a store without a trash.
pub(crate) fn no_trash(store: &dyn Store, kind: FileKind, name: &Name) -> Result<()> {
    let message = format!("throwing away {kind}/{name}: {} has no trash", store.location());
    Err(Error::new(ErrorKind::Unsupported, message))
}
