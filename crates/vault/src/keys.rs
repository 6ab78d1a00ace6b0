//! The keys of a repository: any number of passwords that open one master key.
//!
//! Changing a password stores the new key before the old one goes, so that at every moment one of the two
//! opens the repository. Whoever once knew a password may have kept the master key: taking a key away ends
//! no access that somebody already has.

use jiff::Timestamp;

use crate::error::{Error, ErrorKind, Result};
use crate::id::Id;
use crate::key_file::{self, KdfCost};
use crate::metadata::{host_name, user_name};
use crate::repository::Repository;
use crate::store::{FileKind, Name};

/// A key as its file describes it; nobody vouches for that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyInfo {
    /// The name of its file.
    pub id: Id,
    /// When it was made.
    pub created: Timestamp,
    /// Who made it.
    pub username: String,
    /// On which machine.
    pub hostname: String,
    /// Whether the repository was opened with it.
    pub current: bool,
}

impl Repository {
    /// All keys, oldest first. Files that are no keys are left out.
    pub fn keys(&self) -> Result<Vec<KeyInfo>> {
        let mut keys = Vec::new();
        for (name, _) in self.files.store.list(FileKind::Key)? {
            match self.files.store.read(FileKind::Key, &name).and_then(|file| key_file::describe(&file)) {
                Ok((created, username, hostname)) => {
                    let current = name == self.key_name();
                    keys.push(KeyInfo { id: name.0, created, username, hostname, current });
                }
                Err(e) if matches!(e.kind(), ErrorKind::Damaged | ErrorKind::NotFound) => {}
                Err(e) => return Err(e),
            }
        }
        keys.sort_by_key(|key| (key.created, key.id));
        Ok(keys)
    }

    /// Makes one more password open the repository; gives the new key's id.
    pub fn add_key(&self, password: &[u8], cost: KdfCost) -> Result<Id> {
        let file = key_file::wrap(&self.files.key, password, cost, &user_name(), &host_name())?;
        let name = Name(Id::of(&file));
        self.files.store.save(FileKind::Key, &name, &file)?;
        // Nobody should learn at the next start that the key does not open.
        key_file::unwrap(&self.files.store.read(FileKind::Key, &name)?, password)?;
        Ok(name.0)
    }

    /// Takes a key away. [`ErrorKind::Conflict`] for the one the repository was opened with: so one that
    /// opens is left. [`ErrorKind::NotFound`] when there is none of this id.
    pub fn remove_key(&self, id: &Id) -> Result<()> {
        if Name(*id) == self.key_name() {
            let message = format!("key {} is the one in use", id.short());
            return Err(Error::new(ErrorKind::Conflict, message));
        }
        self.files.store.remove(FileKind::Key, &Name(*id))
    }

    /// Puts a key with another password in the place of the one in use; gives its id.
    pub fn change_password(&mut self, password: &[u8], cost: KdfCost) -> Result<Id> {
        let new = self.add_key(password, cost)?;
        let old = self.replace_key_name(Name(new));
        match self.files.store.remove(FileKind::Key, &old) {
            Err(e) if e.kind() != ErrorKind::NotFound => Err(e),
            _ => Ok(new),
        }
    }
}
