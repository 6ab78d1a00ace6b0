//! The trash of a local folder: `trash/SECONDS/KIND/NAME`, where SECONDS of Unix time tell when.
//!
//! Files move by rename, so each is at every moment either in its place or in the trash, and keeps the
//! modification time that tells when it arrived.

use std::fs;
use std::io::ErrorKind as IoErrorKind;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::upload::{path_of, sync_folder};
use super::{FileKind, Name};
use crate::error::{Error, Result};

/// A file in the trash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trashed {
    /// What it was.
    pub kind: FileKind,
    /// Its name.
    pub name: Name,
    /// Its size in bytes.
    pub size: u64,
    /// When it was thrown away, to the second.
    pub discarded: Timestamp,
}

impl Trashed {
    fn folder(&self, root: &Path) -> PathBuf {
        trash_of(root).join(self.discarded.as_second().to_string()).join(self.kind.dir())
    }

    fn path(&self, root: &Path) -> PathBuf {
        self.folder(root).join(self.name.to_string())
    }
}

fn trash_of(root: &Path) -> PathBuf {
    root.join("trash")
}

pub(super) fn discard(root: &Path, kind: FileKind, name: &Name) -> Result<()> {
    let from = path_of(root, kind, name);
    let trashed = Trashed { kind, name: *name, size: 0, discarded: Timestamp::now() };
    let moved = make_folder(root, &trashed).and_then(|()| rename(&from, &trashed.path(root)));
    moved.map_err(|e| Error::io(format!("throwing away {}", from.display()), e))
}

pub(super) fn list(root: &Path) -> Result<Vec<Trashed>> {
    let failed = |e| Error::io(format!("listing {}", trash_of(root).display()), e);
    let mut found = Vec::new();
    for (seconds, folder) in entries(&trash_of(root)).map_err(failed)? {
        let time = seconds.parse().ok().and_then(|seconds| Timestamp::from_second(seconds).ok());
        let Some(discarded) = time else { continue };
        for kind in FileKind::FOLDERS {
            for (name, path) in entries(&folder.join(kind.dir())).map_err(failed)? {
                let Ok(name) = name.parse() else { continue };
                let size = fs::metadata(&path).map_err(failed)?.len();
                found.push(Trashed { kind, name, size, discarded });
            }
        }
    }
    Ok(found)
}

pub(super) fn empty(root: &Path, before: Timestamp) -> Result<usize> {
    let mut removed = 0;
    for trashed in list(root)?.iter().filter(|trashed| trashed.discarded < before) {
        let path = trashed.path(root);
        fs::remove_file(&path).map_err(|e| Error::io(format!("removing {}", path.display()), e))?;
        removed += 1;
    }
    remove_empty_folders(root);
    Ok(removed)
}

pub(super) fn restore(root: &Path, since: Timestamp) -> Result<usize> {
    let mut found = list(root)?;
    found.retain(|trashed| trashed.discarded >= since);
    // Snapshots last: until their packs are back they cannot be restored.
    found.sort_by_key(|trashed| trashed.kind == FileKind::Snapshot);
    for trashed in &found {
        let (from, to) = (trashed.path(root), path_of(root, trashed.kind, &trashed.name));
        // The same content may have been stored again since.
        let moved = if to.exists() { fs::remove_file(&from) } else { rename(&from, &to) };
        moved.map_err(|e| Error::io(format!("bringing back {}", to.display()), e))?;
    }
    remove_empty_folders(root);
    Ok(found.len())
}

/// The names and paths in a folder; none where there is no folder.
fn entries(folder: &Path) -> std::io::Result<Vec<(String, PathBuf)>> {
    let entries = match fs::read_dir(folder) {
        Err(e) if matches!(e.kind(), IoErrorKind::NotFound | IoErrorKind::NotADirectory) => {
            return Ok(Vec::new());
        }
        other => other?,
    };
    entries.map(|entry| entry.map(|e| (e.file_name().to_string_lossy().into_owned(), e.path()))).collect()
}

fn make_folder(root: &Path, trashed: &Trashed) -> std::io::Result<()> {
    let folder = trashed.folder(root);
    if !folder.is_dir() {
        fs::create_dir_all(&folder)?;
        // The new names must outlast a power cut, or what moves there is lost with them.
        for above in folder.ancestors().skip(1).take(3) {
            sync_folder(above)?;
        }
    }
    Ok(())
}

fn rename(from: &Path, to: &Path) -> std::io::Result<()> {
    fs::rename(from, to)?;
    for path in [to, from] {
        path.parent().map_or(Ok(()), sync_folder)?;
    }
    Ok(())
}

/// Folders that are not empty refuse to be removed, which is as it should be.
fn remove_empty_folders(root: &Path) {
    for (_, folder) in entries(&trash_of(root)).unwrap_or_default() {
        FileKind::FOLDERS.iter().for_each(|kind| drop(fs::remove_dir(folder.join(kind.dir()))));
        let _ = fs::remove_dir(folder);
    }
}
