//! A file on its way into a local folder: temporary until it is whole, verified and durable.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use rustix::fs::{Advice, fadvise};
use sha2::{Digest, Sha256};

use super::{FileKind, Name};
use crate::direct::{Growing, write_all};
use crate::error::{Error, ErrorKind, Result};
use crate::id::Id;

/// Packs from this size on, in bytes, go past the system's cache, or at least do not stay there. Smaller ones hold the
/// trees, or little, which is soon read again.
const LARGE: u64 = 8 << 20;

/// An upload begun with [`LocalStore::begin`](super::LocalStore::begin). Hashes what passes, so that a
/// body of unknown origin is stored only under its own name. Dropping it removes what was written.
pub struct Upload {
    file: File,
    temporary: PathBuf,
    root: PathBuf,
    kind: FileKind,
    /// How large packs are written.
    direct: Option<Growing>,
    /// `None` when the caller vouches for the name.
    hasher: Option<Sha256>,
    length: u64,
}

impl Upload {
    pub(super) fn new(
        root: &Path,
        temporary: PathBuf,
        kind: FileKind,
        expected: Option<u64>,
        verify: bool,
    ) -> Result<Self> {
        let file = File::create_new(&temporary)
            .map_err(|e| Error::io(format!("creating {}", temporary.display()), e))?;
        let hasher = verify.then(Sha256::new);
        let large = kind == FileKind::Pack && expected.is_some_and(|length| length >= LARGE);
        let direct = large.then(|| Growing::open(&temporary)).flatten();
        Ok(Self { file, temporary, root: root.to_owned(), kind, direct, hasher, length: 0 })
    }

    /// Appends a part of the body.
    pub fn write(&mut self, bytes: &[u8]) -> Result<()> {
        let written = match &mut self.direct {
            Some(direct) => direct.push(&self.file, bytes),
            None => write_all(&self.file, bytes, self.length),
        };
        written.map_err(|e| Error::io(format!("writing {}", self.temporary.display()), e))?;
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
    pub fn body(&mut self) -> Result<(File, u64)> {
        let file = self.flush().and_then(|()| File::open(&self.temporary));
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

    fn flush(&mut self) -> std::io::Result<()> {
        let written = self.direct.as_mut().map(|direct| direct.flush(&self.file));
        Ok(written.transpose().map(drop)?)
    }

    /// Frees the memory in which the system keeps what was written to a whole pack and is on the disk now, where it did
    /// not go past that cache. It goes round to the next one: on machines whose memory is not all there until it is
    /// touched that saves most of the time of writing, and what others have in that cache stays.
    fn forget(&self) {
        if self.kind == FileKind::Pack && self.length >= LARGE {
            // It is but advice.
            let _ = fadvise(&self.file, 0, None, Advice::DontNeed);
        }
    }

    fn persist(&mut self, path: &Path) -> std::io::Result<()> {
        self.flush()?;
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::store::{LocalStore, Store};

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(ProptestConfig::default().cases / 8))]
        #[test]
        fn what_is_uploaded_in_pieces_of_any_size_is_what_is_stored(
            pieces in proptest::collection::vec(0..(3_usize << 18), 0..8),
            expected in proptest::option::of(0..2 * LARGE),
            looked_at in 0..8_usize,
        ) {
            // Beneath the working folder: what is temporary often lies in memory, which knows no direct way.
            let folder = tempfile::tempdir_in(".").unwrap();
            let store = LocalStore::new(folder.path());
            let content: Vec<u8> = (0..pieces.iter().sum()).map(|at: usize| (at % 251) as u8).collect();
            let mut upload = store.begin(FileKind::Pack, expected).unwrap();
            let mut written = 0;
            for (number, piece) in pieces.iter().enumerate() {
                upload.write(&content[written..written + piece]).unwrap();
                written += piece;
                if number == looked_at {
                    let (mut body, length) = upload.body().unwrap();
                    let mut read = Vec::new();
                    std::io::Read::read_to_end(&mut body, &mut read).unwrap();
                    prop_assert!(length == written as u64 && read == content[..written]);
                }
            }
            let name = Name(Id::of(&content));
            prop_assert_eq!(upload.finish(&name).unwrap(), content.len() as u64);
            prop_assert!(store.read(FileKind::Pack, &name).unwrap() == content);
        }
    }
}
