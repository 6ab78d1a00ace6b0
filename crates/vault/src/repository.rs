//! An open repository: config, keys, snapshots, index and blobs.
//!
//! What can be done with it stands beside what does it: `pipeline.rs` (backup), `browse.rs` (list, cat),
//! `archive.rs`, `find.rs`, `diff.rs`, `stats.rs`, `view.rs`, `restore.rs`, `drill.rs`, `check.rs`, `forget.rs`,
//! `prune.rs`, `repair.rs`, `copy.rs`, `pipeline/rechunk.rs` (copies cut anew), `keys.rs`.
//!
//! Which operations may run together on one repository, by any number of processes, ours and restic's:
//!
//! | operation | lock | beside |
//! |---|---|---|
//! | open, snapshots, list, cat, archive, find, diff, stats, keys | none | everything; may fail when a prune removes what it reads |
//! | backup (of files or a stream), restore, drill, check, copy (of both repositories, cut anew or not), view (while it lives), forget, repair of snapshots, first phase of prune, plans of a restore and a prune | shared | all but those under an exclusive lock |
//! | second phase of prune, repair of the index, salvage; restic's `forget`, `prune` | exclusive | those without a lock |
//!
//! `tests/concurrency.rs` has a test for each pair. A forget beside a backup or a restore is harmless, since no blob
//! goes; the second phase of a prune counts as needed what any snapshot needed since its first.

mod blobs;
mod blocks;
mod index_files;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::cancel::Cancel;
use crate::chunker::Chunker;
use crate::cipher::Key;
use crate::config::Config;
use crate::error::{Error, ErrorKind, Result};
use crate::files::Files;
use crate::id::Id;
use crate::key_file::{self, KdfCost};
use crate::lock::{Lock, Mode};
use crate::metadata::{host_name, user_name};
use crate::snapshot::Snapshot;
use crate::store::{FileKind, Name, Store};
use crate::threads::unpoisoned;

use index_files::IndexFiles;

pub(crate) use blobs::{Blobs, Buffers, open_blob};

/// Key files tried when opening: hostile ones cost a derivation each.
const MAX_KEYS: usize = 20;

/// How to make a repository.
#[derive(Debug, Clone, Copy, Default)]
pub struct InitOptions {
    /// What deriving the key from the password costs.
    pub kdf: KdfCost,
}

/// An open repository. All methods take `&self` and may be called from several threads; what one
/// operation does in parallel it does in threads of its own that end with it.
pub struct Repository {
    pub(crate) files: Arc<Files>,
    config: Config,
    /// The key file that opened it.
    key: Name,
    patience: Duration,
    /// The index as last read.
    index: Mutex<Option<IndexFiles>>,
}

impl Repository {
    /// Makes a new repository in an empty store. [`ErrorKind::Conflict`] when there is one already.
    pub fn init(store: Arc<dyn Store>, password: &[u8], options: &InitOptions) -> Result<Self> {
        if !store.list(FileKind::Config)?.is_empty() || !store.list(FileKind::Key)?.is_empty() {
            return Err(Error::new(
                ErrorKind::Conflict,
                format!("{} is a repository already", store.location()),
            ));
        }
        let config = Config::generate()?;
        let key = Key::generate()?;
        let key_file = key_file::wrap(&key, password, options.kdf, &user_name(), &host_name())?;
        let name = Name(Id::of(&key_file));
        store.save(FileKind::Key, &name, &key_file)?;
        let files = Files { store, key, version: config.version };
        let json = serde_json::to_vec(&config)
            .map_err(|e| Error::new(ErrorKind::Invalid, "writing the config").with_source(e))?;
        files.save(FileKind::Config, &json)?;
        Ok(Self::with(files, config, name))
    }

    /// Opens a repository. [`ErrorKind::NotFound`] when there is none, [`ErrorKind::WrongPassword`] when
    /// no key opens with this password.
    pub fn open(store: Arc<dyn Store>, password: &[u8]) -> Result<Self> {
        let (name, key) = find_key(&*store, password)?;
        let mut files = Files { store, key, version: 1 };
        let config = Config::parse(&files.load(FileKind::Config, &Name::CONFIG)?)?;
        files.version = config.version;
        Ok(Self::with(files, config, name))
    }

    fn with(files: Files, config: Config, key: Name) -> Self {
        Self { files: Arc::new(files), config, key, patience: Duration::ZERO, index: Mutex::new(None) }
    }

    /// The same repository, whose operations wait so long for exclusive locks of others to go. Without
    /// this they fail at once with [`ErrorKind::Locked`].
    #[must_use]
    pub fn with_lock_patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// The same repository without the cache between it and its store, if there is one.
    pub(crate) fn behind_cache(&self) -> Option<Self> {
        let store = self.files.store.behind_cache()?;
        let files = Files { store, key: self.files.key.clone(), version: self.files.version };
        Some(Self { patience: self.patience, ..Self::with(files, self.config.clone(), self.key) })
    }

    /// The key file that opens it for us.
    pub(crate) fn key_name(&self) -> Name {
        self.key
    }

    /// Notes that another key file opens it now; gives the one before.
    pub(crate) fn replace_key_name(&mut self, key: Name) -> Name {
        std::mem::replace(&mut self.key, key)
    }

    /// The repository's own random id.
    pub fn id(&self) -> Id {
        self.config.id
    }

    /// All snapshots, oldest first. Files that cannot be read are left out: check tells of them.
    pub fn snapshots(&self) -> Result<Vec<Snapshot>> {
        let mut snapshots = Vec::new();
        for (name, _) in self.files.store.list(FileKind::Snapshot)? {
            match self.load_snapshot(&name) {
                Ok(snapshot) => snapshots.push(snapshot),
                Err(e) if matches!(e.kind(), ErrorKind::NotFound | ErrorKind::Damaged) => {}
                Err(e) => return Err(e),
            }
        }
        snapshots.sort_by_key(|snapshot| (snapshot.time, snapshot.id));
        Ok(snapshots)
    }

    /// The snapshot with this id or this beginning of an id. [`ErrorKind::NotFound`] when there is none,
    /// [`ErrorKind::Invalid`] when there are several.
    pub fn snapshot(&self, id: &str) -> Result<Snapshot> {
        if let Ok(name) = id.parse() {
            return self.load_snapshot(&name);
        }
        let listed = self.files.store.list(FileKind::Snapshot)?;
        let mut matching =
            listed.iter().map(|(name, _)| name).filter(|name| name.to_string().starts_with(id));
        match (matching.next(), matching.next()) {
            (Some(name), None) => self.load_snapshot(name),
            (Some(_), Some(_)) => {
                Err(Error::new(ErrorKind::Invalid, format!("several snapshots begin with {id}")))
            }
            (None, _) => Err(Error::new(ErrorKind::NotFound, format!("no snapshot {id:.64}"))),
        }
    }

    pub(crate) fn load_snapshot(&self, name: &Name) -> Result<Snapshot> {
        let json = self.files.load(FileKind::Snapshot, name)?;
        let snapshot: Snapshot = serde_json::from_slice(&json).map_err(|e| {
            Error::damaged(format!("snapshot {} is malformed", name.0.short())).with_source(e)
        })?;
        Ok(Snapshot { id: name.0, ..snapshot })
    }

    /// A lock beside others that are shared.
    pub(crate) fn lock(&self, cancel: &Cancel) -> Result<Lock> {
        Lock::take(&self.files, Mode::Shared, self.patience, cancel)
    }

    /// A lock beside nobody.
    pub(crate) fn lock_alone(&self, cancel: &Cancel) -> Result<Lock> {
        Lock::take(&self.files, Mode::Exclusive, self.patience, cancel)
    }

    pub(crate) fn chunker(&self) -> Chunker {
        Chunker::new(&self.config)
    }

    /// A reader of blobs through the index as the store has it now. The index is read again only if its
    /// files are others than last time; blobs are, so that what one operation read hides no damage from the next.
    pub(crate) fn blobs(&self) -> Result<Arc<Blobs>> {
        let listed = self.files.store.list(FileKind::Index)?;
        let mut names: Vec<Name> = listed.into_iter().map(|(name, _)| name).collect();
        names.sort_unstable();
        let mut known = unpoisoned(&self.index);
        let index = match known.take().filter(|known| known.names == names) {
            Some(index) => index,
            None => IndexFiles::read(&self.files, names)?,
        };
        let blobs = Blobs::new(Arc::clone(&self.files), Arc::clone(&index.index));
        let blobs = blobs.with_damaged_index(index.damaged.clone());
        *known = Some(index);
        Ok(Arc::new(blobs))
    }
}

fn find_key(store: &dyn Store, password: &[u8]) -> Result<(Name, Key)> {
    let keys = store.list(FileKind::Key)?;
    if keys.is_empty() {
        return Err(Error::new(ErrorKind::NotFound, format!("no repository at {}", store.location())));
    }
    let mut last = Error::new(ErrorKind::WrongPassword, "wrong password or no key found");
    for (name, _) in keys.iter().take(MAX_KEYS) {
        let opened = store.read(FileKind::Key, name).and_then(|file| key_file::unwrap(&file, password));
        match opened {
            Ok(key) => return Ok((*name, key)),
            Err(e) if e.is_temporary() => return Err(e),
            // A broken key file beside a good one does no harm.
            Err(e) if e.kind() == ErrorKind::WrongPassword || keys.len() == 1 => last = e,
            Err(_) => {}
        }
    }
    Err(last)
}
