//! A file on its way into a local folder: temporary until it is whole, verified and durable.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use rustix::fs::{Advice, fadvise};
use sha2::{Digest, Sha256};

use super::{FileKind, Name};
use crate::error::{Error, ErrorKind, Result};
use crate::id::Id;

/// Packs from this size on, in bytes, do not stay in the system's cache. Smaller ones hold the trees, or little, which
/// is soon read again.
const FORGOTTEN: u64 = 8 << 20;

/// An upload begun with [`LocalStore::begin`](super::LocalStore::begin). Hashes what passes, so that a
/// body of unknown origin is stored only under its own name. Dropping it removes what was written.
pub struct Upload {
    file: File,
    temporary: PathBuf,
    root: PathBuf,
    kind: FileKind,
    /// `None` when the caller vouches for the name.
    hasher: Option<Sha256>,
    length: u64,
}

impl Upload {
    pub(super) fn new(root: &Path, temporary: PathBuf, kind: FileKind, verify: bool) -> Result<Self> {
        let file = File::create_new(&temporary)
            .map_err(|e| Error::io(format!("creating {}", temporary.display()), e))?;
        let hasher = verify.then(Sha256::new);
        Ok(Self { file, temporary, root: root.to_owned(), kind, hasher, length: 0 })
    }

    /// Appends a part of the body.
    pub fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.file
            .write_all(bytes)
            .map_err(|e| Error::io(format!("writing {}", self.temporary.display()), e))?;
        if let Some(hasher) = &mut self.hasher {
            hasher.update(bytes);
        }
        self.length += bytes.len() as u64;
        Ok(())
    }

    /// Puts the file under its name, durably; returns its size. Refused with
    /// [`ErrorKind::Invalid`] when the name is not the SHA-256 of the body (but for the config), and with
    /// [`ErrorKind::Conflict`] when there is a config already, or a file of the same name and another
    /// size. A file that is there with the same size stays as it is.
    pub fn finish(mut self, name: &Name) -> Result<u64> {
        self.verify(name)?;
        let path = path_of(&self.root, self.kind, name);
        if self.exists(&path)? {
            return Ok(self.length);
        }
        self.persist(&path).map_err(|e| Error::io(format!("storing {}", path.display()), e))?;
        Ok(self.length)
    }

    /// Refuses a name that is not the SHA-256 of the body, as [`Upload::finish`] does. For whoever takes the body
    /// elsewhere with [`Upload::body`] and then lets go of this.
    pub fn verify(&mut self, name: &Name) -> Result<()> {
        let hasher = self.hasher.take().filter(|_| self.kind != FileKind::Config);
        let actual = hasher.map(|hasher| Id(hasher.finalize().into()));
        match actual.filter(|actual| *actual != name.0) {
            Some(actual) => Err(Error::new(
                ErrorKind::Invalid,
                format!("the body of {}/{name} has the SHA-256 {actual}", self.kind),
            )),
            None => Ok(()),
        }
    }

    /// What was written so far, open for reading, and its length in bytes.
    pub fn body(&self) -> Result<(File, u64)> {
        let file = File::open(&self.temporary);
        file.map(|file| (file, self.length))
            .map_err(|e| Error::io(format!("reading {}", self.temporary.display()), e))
    }

    fn exists(&self, path: &Path) -> Result<bool> {
        match fs::metadata(path) {
            Ok(there) if there.len() == self.length && self.kind != FileKind::Config => Ok(true),
            Ok(_) => Err(Error::new(ErrorKind::Conflict, format!("{} exists", path.display()))),
            Err(_) => Ok(false),
        }
    }

    /// Frees the memory in which the system keeps what was written to a whole pack and is on the disk now. It goes round
    /// to the next one: on machines whose memory is not all there until it is touched that saves most of the time of
    /// writing, and what others have in that cache stays.
    fn forget(&self) {
        if self.kind == FileKind::Pack && self.length >= FORGOTTEN {
            // It is but advice.
            let _ = fadvise(&self.file, 0, None, Advice::DontNeed);
        }
    }

    fn persist(&self, path: &Path) -> std::io::Result<()> {
        self.file.sync_data()?;
        self.forget();
        let folder = path.parent().unwrap_or(&self.root);
        if !folder.exists() {
            fs::create_dir_all(folder)?;
            sync_folder(folder.parent().unwrap_or(folder))?;
        }
        if self.kind == FileKind::Config {
            // A link fails where a rename would replace the other's config.
            fs::hard_link(&self.temporary, path)?;
        } else {
            fs::rename(&self.temporary, path)?;
        }
        sync_folder(folder)
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        // After a rename there is nothing left to remove.
        let _ = fs::remove_file(&self.temporary);
    }
}

pub(super) fn sync_folder(folder: &Path) -> std::io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Where a file lies: restic's layout, with packs spread over 256 folders.
pub(super) fn path_of(root: &Path, kind: FileKind, name: &Name) -> PathBuf {
    let name = name.to_string();
    match kind {
        FileKind::Config => root.join("config"),
        FileKind::Pack => root.join("data").join(&name[..2]).join(name),
        _ => root.join(kind.dir()).join(name),
    }
}
