//! What becomes of files that nobody needs any more.

use super::{FileKind, Name, Store};
use crate::error::{Error, ErrorKind, Result};

/// How to take away what is not needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Disposal {
    /// Into the trash, from where it can come back.
    #[default]
    Trash,
    /// For good, at once.
    Remove,
}

impl Disposal {
    /// Fails with [`ErrorKind::Unsupported`] where this cannot be done, so that nobody stops half way.
    pub(crate) fn require(self, store: &dyn Store) -> Result<()> {
        if self == Self::Trash && !store.has_trash() {
            return Err(Error::new(ErrorKind::Unsupported, format!("{} has no trash", store.location())));
        }
        Ok(())
    }

    /// Takes one file away.
    pub(crate) fn dispose(self, store: &dyn Store, kind: FileKind, name: &Name) -> Result<()> {
        match self {
            Self::Trash => store.discard(kind, name),
            Self::Remove => store.remove(kind, name),
        }
    }
}
