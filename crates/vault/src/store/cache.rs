//! A cache on disk: what a repository far away was asked for once need not come over the wire again.
//!
//! Kept are index files, and the parts of packs that are read in blocks, which are mostly trees: bytes that never
//! change under their name, that are asked for only after a list said that they are there, and as they are stored,
//! thus sealed. Everything else goes to the store every time: lists, sizes, snapshots, locks, keys, the config.
//! What is kept has the hash of its bytes beside it and is compared with it when it is read; so a spoilt cache
//! costs time and nothing else, and so does one that cannot be written. Several processes may share a folder; it grows beyond its limit at most by what the others
//! add meanwhile.
//!
//! Whoever looks for damage must see the store itself: [`Store::behind_cache`] leads there.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use super::{FileKind, Name, Store};
use crate::error::{Error, Result};
use crate::id::Id;
use crate::random;
use crate::threads::unpoisoned;

/// Parts of packs that are longer than this are content of large files, which nobody reads twice.
const LARGEST_PART: usize = 256 << 10;
/// What the names of files that are still being written begin with.
const UNFINISHED: &str = "new-";
/// Bytes of the hash before the content of each file.
const HASH: usize = 32;

/// A store around another that keeps on disk what it read, up to a limit; what was not used longest goes first.
pub struct CacheStore {
    inner: Arc<dyn Store>,
    folder: PathBuf,
    limit: u64,
    kept: Mutex<Kept>,
}

/// What the folder holds.
#[derive(Default)]
struct Kept {
    files: BTreeMap<String, Entry>,
    /// Bytes of all.
    bytes: u64,
    /// Counts uses.
    clock: u64,
}

#[derive(Clone, Copy)]
struct Entry {
    bytes: u64,
    used: u64,
}

impl CacheStore {
    /// Keeps in `folder`, which is made if it is not there, up to `limit` bytes of what is read from `inner`.
    /// Names are hashes, so several repositories may share a folder. Fails if it cannot be made or listed.
    pub fn new(inner: Arc<dyn Store>, folder: impl Into<PathBuf>, limit: u64) -> Result<Self> {
        let folder = folder.into();
        let kept =
            open(&folder).map_err(|e| Error::io(format!("opening the cache {}", folder.display()), e))?;
        let cache = Self { inner, folder, limit, kept: Mutex::new(kept) };
        cache.make_room(&mut unpoisoned(&cache.kept));
        Ok(cache)
    }

    /// The bytes kept under a name, or else those that `fetch` gives, which are kept from then on.
    fn through(&self, name: &str, fetch: impl FnOnce() -> Result<Vec<u8>>) -> Result<Vec<u8>> {
        if let Some(bytes) = self.find(name) {
            return Ok(bytes);
        }
        let bytes = fetch()?;
        self.keep(name, &bytes);
        Ok(bytes)
    }

    fn find(&self, name: &str) -> Option<Vec<u8>> {
        if !self.touch(name) {
            return None;
        }
        let path = self.folder.join(name);
        let mut bytes = fs::read(&path).unwrap_or_default();
        let sound = bytes.split_first_chunk().is_some_and(|(hash, content)| Id::of(content) == Id(*hash));
        if !sound {
            self.drop_files(|kept| kept == name);
            return None;
        }
        bytes.drain(..HASH);
        // Only so that the next process knows what was used last; if that fails it knows less.
        let _ = fs::File::options()
            .append(true)
            .open(&path)
            .and_then(|file| file.set_modified(SystemTime::now()));
        Some(bytes)
    }

    /// Notes that a file is used; tells whether it is there.
    fn touch(&self, name: &str) -> bool {
        let mut kept = unpoisoned(&self.kept);
        kept.clock += 1;
        let clock = kept.clock;
        kept.files.get_mut(name).map(|entry| entry.used = clock).is_some()
    }

    /// Keeps a copy. A disk that is full or gone is no reason to fail.
    fn keep(&self, name: &str, bytes: &[u8]) {
        let length = (HASH + bytes.len()) as u64;
        if length > self.limit || write(&self.folder, name, bytes).is_err() {
            return;
        }
        let mut kept = unpoisoned(&self.kept);
        kept.clock += 1;
        let entry = Entry { bytes: length, used: kept.clock };
        let before = kept.files.insert(name.to_owned(), entry).map_or(0, |before| before.bytes);
        kept.bytes = kept.bytes + length - before;
        self.make_room(&mut kept);
    }

    fn make_room(&self, kept: &mut Kept) {
        if kept.bytes <= self.limit {
            return;
        }
        let mut oldest: Vec<(u64, String)> =
            kept.files.iter().map(|(name, entry)| (entry.used, name.clone())).collect();
        oldest.sort_unstable();
        // Some more than needed, so that not every file that comes looks at all of them.
        let enough = self.limit - self.limit / 16;
        for (_, name) in oldest {
            if kept.bytes <= enough {
                break;
            }
            self.forget(kept, &name);
        }
    }

    fn forget(&self, kept: &mut Kept, name: &str) {
        if let Some(entry) = kept.files.remove(name) {
            kept.bytes -= entry.bytes;
        }
        let _ = fs::remove_file(self.folder.join(name));
    }

    fn drop_files(&self, which: impl Fn(&str) -> bool) {
        let mut kept = unpoisoned(&self.kept);
        let names: Vec<String> = kept.files.keys().filter(|name| which(name)).cloned().collect();
        names.iter().for_each(|name| self.forget(&mut kept, name));
    }

    /// Drops what is kept of a file that is about to go.
    fn drop_copies(&self, kind: FileKind, name: &Name) {
        let (whole, part) = (whole_name(kind, name), format!("{}-", whole_name(kind, name)));
        self.drop_files(|kept| kept == whole || kept.starts_with(&part));
    }
}

fn whole_name(kind: FileKind, name: &Name) -> String {
    format!("{kind}-{name}")
}

/// Looks at what earlier processes left, the oldest first.
fn open(folder: &Path) -> io::Result<Kept> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        // Another process may remove it meanwhile.
        let (Ok(name), Ok(metadata)) = (entry.file_name().into_string(), entry.metadata()) else { continue };
        if name.starts_with(UNFINISHED) {
            remove_if_left(&entry.path(), &metadata);
        } else if metadata.is_file() {
            found.push((metadata.modified()?, name, metadata.len()));
        }
    }
    found.sort_unstable();
    let mut kept = Kept::default();
    for (_, name, bytes) in found {
        kept.clock += 1;
        kept.bytes += bytes;
        kept.files.insert(name, Entry { bytes, used: kept.clock });
    }
    Ok(kept)
}

/// Removes what a process that died was writing; what is younger somebody may be writing now.
fn remove_if_left(path: &Path, metadata: &fs::Metadata) {
    let age = metadata.modified().ok().and_then(|time| SystemTime::now().duration_since(time).ok());
    if age.is_some_and(|age| age.as_secs() > 3600) {
        let _ = fs::remove_file(path);
    }
}

/// Writes a file that is either there whole or not at all. It need not survive a power cut, since it is compared
/// with its hash whenever it is read.
fn write(folder: &Path, name: &str, bytes: &[u8]) -> Result<()> {
    let unfinished = folder.join(format!("{UNFINISHED}{}", hex::encode(random::array::<16>()?)));
    let content = [&Id::of(bytes).0, bytes].concat();
    let written = fs::write(&unfinished, content).and_then(|()| fs::rename(&unfinished, folder.join(name)));
    written.map_err(|e| {
        let _ = fs::remove_file(&unfinished);
        Error::io(format!("writing to the cache {}", folder.display()), e)
    })
}

impl Store for CacheStore {
    fn list(&self, kind: FileKind) -> Result<Vec<(Name, u64)>> {
        self.inner.list(kind)
    }

    fn read(&self, kind: FileKind, name: &Name) -> Result<Vec<u8>> {
        let fetch = || self.inner.read(kind, name);
        if kind != FileKind::Index {
            return fetch();
        }
        let kept = whole_name(kind, name);
        if let Some(bytes) = self.find(&kept) {
            return Ok(bytes);
        }
        let bytes = fetch()?;
        // What is damaged on its way is better asked for once more.
        if Id::of(&bytes) == name.0 {
            self.keep(&kept, &bytes);
        }
        Ok(bytes)
    }

    fn read_range(&self, kind: FileKind, name: &Name, offset: u64, length: usize) -> Result<Vec<u8>> {
        let fetch = || self.inner.read_range(kind, name, offset, length);
        match kind == FileKind::Pack && length <= LARGEST_PART {
            true => self.through(&format!("{}-{offset}-{length}", whole_name(kind, name)), fetch),
            false => fetch(),
        }
    }

    fn read_range_into(&self, kind: FileKind, name: &Name, offset: u64, bytes: &mut [u8]) -> Result<()> {
        super::copy_range(self, kind, name, offset, bytes)
    }

    fn is_near(&self) -> bool {
        self.inner.is_near()
    }

    fn save(&self, kind: FileKind, name: &Name, bytes: &[u8]) -> Result<()> {
        self.inner.save(kind, name, bytes)?;
        // The next run begins by reading it.
        if kind == FileKind::Index {
            self.keep(&whole_name(kind, name), bytes);
        }
        Ok(())
    }

    fn remove(&self, kind: FileKind, name: &Name) -> Result<()> {
        self.drop_copies(kind, name);
        self.inner.remove(kind, name)
    }

    fn has_trash(&self) -> bool {
        self.inner.has_trash()
    }

    fn discard(&self, kind: FileKind, name: &Name) -> Result<()> {
        self.drop_copies(kind, name);
        self.inner.discard(kind, name)
    }

    fn size(&self, kind: FileKind, name: &Name) -> Result<u64> {
        self.inner.size(kind, name)
    }

    fn location(&self) -> String {
        self.inner.location()
    }

    fn behind_cache(&self) -> Option<Arc<dyn Store>> {
        Some(Arc::clone(&self.inner))
    }
}
