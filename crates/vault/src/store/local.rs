//! A repository in a local folder, in restic's layout.
//!
//! A file is written under `tmp/`, synced, renamed, and its folder synced, so that a power cut leaves
//! either the whole file or none. Folders are made as they are needed.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::ErrorKind as IoErrorKind;
use std::os::unix::fs::{DirBuilderExt, FileExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use rustix::buffer::spare_capacity;
use rustix::io::{Errno, pread};

use super::trash::{self, Trashed};
use super::upload::{Upload, path_of, sync_folder};
use super::{FileKind, Name, Store};
use crate::error::{Error, ErrorKind, Result};
use crate::id::Id;
use crate::random;

/// Leftovers of crashed writers are older than this.
const TEMPORARY_AGE: Duration = Duration::from_secs(3600);

/// A folder of this machine. Implements [`Store`]; servers use [`LocalStore::begin`] for bodies that
/// arrive piece by piece from clients they do not trust.
#[derive(Debug, Clone)]
pub struct LocalStore {
    root: PathBuf,
}

impl LocalStore {
    /// The store in this folder. Nothing is touched yet; missing folders count as empty.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// Where it is.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Begins to receive a file of unknown trust, which is said to have so many bytes, if anybody said. Any number may be
    /// under way at once.
    pub fn begin(&self, kind: FileKind, expected: Option<u64>) -> Result<Upload> {
        self.upload(kind, expected, true)
    }

    /// Removes what interrupted uploads left behind more than an hour ago; returns how many. Safe beside
    /// running uploads.
    pub fn remove_leftovers(&self) -> Result<usize> {
        let folder = self.root.join("tmp");
        let entries = match fs::read_dir(&folder) {
            Err(e) if e.kind() == IoErrorKind::NotFound => return Ok(0),
            other => other.map_err(|e| Error::io(format!("listing {}", folder.display()), e))?,
        };
        let old = |entry: &fs::DirEntry| {
            let modified = entry.metadata().and_then(|metadata| metadata.modified()).ok();
            let age = modified.and_then(|time| SystemTime::now().duration_since(time).ok());
            age.is_some_and(|age| age > TEMPORARY_AGE)
        };
        Ok(entries.flatten().filter(old).filter(|entry| fs::remove_file(entry.path()).is_ok()).count())
    }

    /// When each file of a kind arrived, as the file system has it. The trash leaves that as it is.
    pub fn arrivals(&self, kind: FileKind) -> Result<HashMap<Id, Timestamp>> {
        let mut arrivals = HashMap::new();
        for (name, _) in self.list(kind)? {
            // A file may go between the listing and this.
            let metadata = fs::metadata(path_of(&self.root, kind, &name)).and_then(|file| file.modified());
            let arrived = metadata.ok().and_then(|time| Timestamp::try_from(time).ok());
            arrivals.extend(arrived.map(|time| (name.0, time)));
        }
        Ok(arrivals)
    }

    /// What the trash holds, in any order.
    pub fn trash(&self) -> Result<Vec<Trashed>> {
        trash::list(&self.root)
    }

    /// Removes for good what was thrown away before a time; returns how many files that were.
    pub fn empty_trash(&self, before: Timestamp) -> Result<usize> {
        trash::empty(&self.root, before)
    }

    /// Brings back what was thrown away at a time or later; returns how many files that were. The index
    /// does not know the packs among them until it is repaired.
    pub fn restore_from_trash(&self, since: Timestamp) -> Result<usize> {
        trash::restore(&self.root, since)
    }

    fn upload(&self, kind: FileKind, expected: Option<u64>, verify: bool) -> Result<Upload> {
        let folder = self.root.join("tmp");
        let temporary = folder.join(hex::encode(random::array::<16>()?));
        match Upload::new(&self.root, temporary.clone(), kind, expected, verify) {
            Err(e) if e.kind() == ErrorKind::NotFound => {
                make_folder(&folder)?;
                Upload::new(&self.root, temporary, kind, expected, verify)
            }
            other => other,
        }
    }

    /// Opens a file for reading, for servers that hand it on piece by piece.
    pub fn open_file(&self, kind: FileKind, name: &Name) -> Result<File> {
        let path = path_of(&self.root, kind, name);
        File::open(&path).map_err(|e| Error::io(format!("opening {}", path.display()), e))
    }
}

impl Store for LocalStore {
    fn list(&self, kind: FileKind) -> Result<Vec<(Name, u64)>> {
        let folder = self.root.join(kind.dir());
        let listed = match kind {
            FileKind::Config => self.size(kind, &Name::CONFIG).map(|size| vec![(Name::CONFIG, size)]),
            FileKind::Pack => list_packs(&folder),
            _ => list_folder(&folder),
        };
        match listed {
            Err(e) if e.kind() == ErrorKind::NotFound => Ok(Vec::new()),
            other => other,
        }
    }

    fn read(&self, kind: FileKind, name: &Name) -> Result<Vec<u8>> {
        let path = path_of(&self.root, kind, name);
        fs::read(&path).map_err(|e| Error::io(format!("reading {}", path.display()), e))
    }

    fn read_range(&self, kind: FileKind, name: &Name, offset: u64, length: usize) -> Result<Vec<u8>> {
        let file = self.open_file(kind, name)?;
        // Not filled with zeros first, which would cost as much as the reading.
        let mut bytes = Vec::with_capacity(length);
        while bytes.len() < length {
            let at = offset.saturating_add(bytes.len() as u64);
            match pread(&file, spare_capacity(&mut bytes), at) {
                Ok(0) => return Err(too_short(kind, name)),
                Ok(_) | Err(Errno::INTR) => {}
                Err(errno) => return Err(Error::io(format!("reading {kind}/{name}"), errno)),
            }
        }
        // There may be more room than was asked for.
        bytes.truncate(length);
        Ok(bytes)
    }

    fn read_range_into(&self, kind: FileKind, name: &Name, offset: u64, bytes: &mut [u8]) -> Result<()> {
        match self.open_file(kind, name)?.read_exact_at(bytes, offset) {
            Err(e) if e.kind() == IoErrorKind::UnexpectedEof => Err(too_short(kind, name)),
            other => other.map_err(|e| Error::io(format!("reading {kind}/{name}"), e)),
        }
    }

    fn is_near(&self) -> bool {
        true
    }

    fn save(&self, kind: FileKind, name: &Name, bytes: &[u8]) -> Result<()> {
        let mut upload = self.upload(kind, Some(bytes.len() as u64), false)?;
        upload.write(bytes)?;
        upload.finish(name).map(drop)
    }

    fn remove(&self, kind: FileKind, name: &Name) -> Result<()> {
        let path = path_of(&self.root, kind, name);
        let removed = fs::remove_file(&path).and_then(|()| sync_folder(path.parent().unwrap_or(&self.root)));
        removed.map_err(|e| Error::io(format!("removing {}", path.display()), e))
    }

    fn has_trash(&self) -> bool {
        true
    }

    fn discard(&self, kind: FileKind, name: &Name) -> Result<()> {
        trash::discard(&self.root, kind, name)
    }

    fn size(&self, kind: FileKind, name: &Name) -> Result<u64> {
        let path = path_of(&self.root, kind, name);
        let metadata =
            fs::metadata(&path).map_err(|e| Error::io(format!("looking at {}", path.display()), e))?;
        Ok(metadata.len())
    }

    fn location(&self) -> String {
        self.root.display().to_string()
    }

    fn behind_cache(&self) -> Option<Arc<dyn Store>> {
        None
    }
}

fn too_short(kind: FileKind, name: &Name) -> Error {
    Error::damaged(format!("{kind}/{name} is shorter than it should be"))
}

fn make_folder(folder: &Path) -> Result<()> {
    let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.map_err(|e| Error::io(format!("creating {}", folder.display()), e))
}

fn list_packs(folder: &Path) -> Result<Vec<(Name, u64)>> {
    let mut packs = Vec::new();
    for entry in read_folder(folder)? {
        // Packs right in `data` are nobody's: only the 256 folders count.
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            packs.extend(list_folder(&entry.path())?);
        }
    }
    Ok(packs)
}

fn list_folder(folder: &Path) -> Result<Vec<(Name, u64)>> {
    let mut files = Vec::new();
    for entry in read_folder(folder)? {
        let name = entry.file_name().to_str().and_then(|name| name.parse().ok());
        // A file may go between the listing and this.
        if let (Some(name), Ok(metadata)) = (name, entry.metadata()) {
            files.push((name, metadata.len()));
        }
    }
    Ok(files)
}

fn read_folder(folder: &Path) -> Result<Vec<fs::DirEntry>> {
    let error = |e| Error::io(format!("listing {}", folder.display()), e);
    fs::read_dir(folder).map_err(error)?.collect::<std::io::Result<_>>().map_err(error)
}
