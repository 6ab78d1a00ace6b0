//! One snapshot shown as a repository of its own, under another password: what whoever may have that snapshot, and
//! nothing else of the vault, can be given to restore from.
//!
//! A view is a [`Store`]. It holds a config, a key, a snapshot and an index that know of nothing beyond the snapshot, and
//! packs whose blobs are opened with the vault's key and sealed again with the view's as they are read. Blobs keep their
//! places and lengths, and also their nonces: under another key a nonce that was random is as good as a new one, and so a
//! blob looks the same however often, and by however many servers, it is shown. What lies between the blobs of the
//! snapshot is shown as zeros. Nothing is written anywhere.
//!
//! The view's password has to be random: its key is derived from it without delay.

use std::collections::HashMap;
use std::sync::Arc;

use sha2::{Digest, Sha512};

use crate::cancel::Cancel;
use crate::cipher::Key;
use crate::config::Config;
use crate::copy::{Needs, copies};
use crate::error::{Error, ErrorKind, Result};
use crate::files::Files;
use crate::id::Id;
use crate::index::Location;
use crate::index_file::IndexWriter;
use crate::key_file::{self, KdfCost};
use crate::lock::Lock;
use crate::monitor::VoidMonitor;
use crate::pack::PackedBlob;
use crate::repository::{Blobs, Repository};
use crate::snapshot::Snapshot;
use crate::store::{FileKind, Name, Store, copy_range, no_trash};

/// A snapshot as a store. The vault is locked against a prune's last phase for as long as it lives.
pub struct View {
    blobs: Arc<Blobs>,
    vault: Arc<Files>,
    key: Key,
    /// The blobs of the snapshot in each pack, in their order.
    packs: HashMap<Id, Vec<PackedBlob>>,
    /// The other files.
    files: Vec<(FileKind, Name, Vec<u8>)>,
    _lock: Lock,
}

impl Repository {
    /// Shows a snapshot under a password, which has to be random and long.
    ///
    /// What of the snapshot is lost is missing in the view, too: a restore from it tells so.
    pub fn view(&self, snapshot: &Snapshot, password: &str, cancel: &Cancel) -> Result<View> {
        let lock = self.lock(cancel)?;
        let blobs = self.blobs()?;
        let mut needs = Needs::new(&blobs, &VoidMonitor);
        needs.add_all(&[snapshot], cancel)?;
        let locations = copies(&blobs.index, &needs);
        let key = Key::from_derived(&Sha512::digest(password.as_bytes()).into());
        let mut view = View {
            blobs,
            vault: Arc::clone(&self.files),
            key,
            packs: by_pack(&locations),
            files: Vec::new(),
            _lock: lock,
        };
        view.add_files(snapshot, password)?;
        Ok(view)
    }
}

fn by_pack(locations: &[Location]) -> HashMap<Id, Vec<PackedBlob>> {
    let mut packs: HashMap<Id, Vec<PackedBlob>> = HashMap::new();
    for location in locations {
        packs.entry(location.pack).or_default().push(location.blob);
    }
    packs.values_mut().for_each(|blobs| blobs.sort_unstable_by_key(|blob| blob.offset));
    packs
}

impl View {
    fn add_files(&mut self, snapshot: &Snapshot, password: &str) -> Result<()> {
        let key_file = key_file::wrap(&self.key, password.as_bytes(), KdfCost::RANDOM_KEY, "", "")?;
        self.files.push((FileKind::Key, Name(Id::of(&key_file)), key_file));
        self.add(FileKind::Config, &json(&Config::generate()?)?)?;
        let shown = Snapshot { parent: None, original: None, first_tree: None, ..snapshot.clone() };
        self.add(FileKind::Snapshot, &json(&shown)?)?;
        let mut index = IndexWriter::default();
        let mut packs: Vec<_> = self.packs.iter().map(|(pack, blobs)| (*pack, blobs.clone())).collect();
        packs.sort_unstable_by_key(|(pack, _)| *pack);
        for (pack, blobs) in packs {
            if let Some(file) = index.push(pack, blobs) {
                self.add(FileKind::Index, &file)?;
            }
        }
        match index.take() {
            Some(file) => self.add(FileKind::Index, &file),
            None => Ok(()),
        }
    }

    fn add(&mut self, kind: FileKind, json: &[u8]) -> Result<()> {
        let sealed = self.key.seal(json)?;
        let name = if kind == FileKind::Config { Name::CONFIG } else { Name(Id::of(&sealed)) };
        self.files.push((kind, name, sealed));
        Ok(())
    }

    fn file(&self, kind: FileKind, name: &Name) -> Result<&[u8]> {
        let mut files = self.files.iter();
        let is_it = |file: &&(FileKind, Name, Vec<u8>)| {
            file.0 == kind && (kind == FileKind::Config || file.1 == *name)
        };
        files.find(is_it).map(|(_, _, bytes)| bytes.as_slice()).ok_or_else(|| missing(kind, name))
    }

    fn pack(&self, name: &Name) -> Result<&[PackedBlob]> {
        let blobs = self.packs.get(&name.0).map(Vec::as_slice);
        blobs.ok_or_else(|| missing(FileKind::Pack, name))
    }

    /// A part of a pack. A blob that is damaged is shown as zeros: whoever reads it finds that out.
    fn read_pack(&self, name: &Name, offset: u64, length: usize) -> Result<Vec<u8>> {
        let blobs = self.pack(name)?;
        let end = offset.saturating_add(length as u64);
        if end > size(blobs) {
            return Err(Error::damaged(format!("pack {} is shorter", name.0.short())));
        }
        let mut part = vec![0; length];
        let first = blobs.partition_point(|blob| blob_end(blob) <= offset);
        for blob in blobs[first..].iter().take_while(|blob| u64::from(blob.offset) < end) {
            let location = Location { pack: name.0, blob: *blob };
            match self.sealed_anew(&location) {
                Ok(sealed) => lay_over(&mut part, offset, &sealed, blob.offset.into()),
                Err(error) if error.is_loss() => {}
                Err(error) => return Err(error),
            }
        }
        Ok(part)
    }

    fn sealed_anew(&self, location: &Location) -> Result<Vec<u8>> {
        let mut sealed = self.blobs.sealed(location)?;
        self.vault.key.open(&mut sealed)?;
        self.key.seal_under_its_nonce(&mut sealed)?;
        Ok(sealed)
    }
}

/// Copies what of `bytes`, which begin at `at`, lies within `part`, which begins at `offset`.
fn lay_over(part: &mut [u8], offset: u64, bytes: &[u8], at: u64) {
    let (from, to) = (offset.max(at), (offset + part.len() as u64).min(at + bytes.len() as u64));
    if from < to {
        let (target, source) = ((from - offset) as usize, (from - at) as usize);
        let length = (to - from) as usize;
        part[target..target + length].copy_from_slice(&bytes[source..source + length]);
    }
}

fn blob_end(blob: &PackedBlob) -> u64 {
    u64::from(blob.offset) + u64::from(blob.length)
}

fn size(blobs: &[PackedBlob]) -> u64 {
    blobs.iter().map(blob_end).max().unwrap_or(0)
}

fn missing(kind: FileKind, name: &Name) -> Error {
    Error::new(ErrorKind::NotFound, format!("{kind}/{name} is not in the view"))
}

fn json(value: &impl serde::Serialize) -> Result<Vec<u8>> {
    serde_json::to_vec(value).map_err(|e| Error::new(ErrorKind::Invalid, "writing JSON").with_source(e))
}

impl Store for View {
    fn list(&self, kind: FileKind) -> Result<Vec<(Name, u64)>> {
        if kind == FileKind::Pack {
            return Ok(self.packs.iter().map(|(pack, blobs)| (Name(*pack), size(blobs))).collect());
        }
        let files = self.files.iter().filter(|file| file.0 == kind);
        Ok(files.map(|(_, name, bytes)| (*name, bytes.len() as u64)).collect())
    }

    fn read(&self, kind: FileKind, name: &Name) -> Result<Vec<u8>> {
        match kind {
            FileKind::Pack => self.read_pack(name, 0, self.size(kind, name)? as usize),
            _ => self.file(kind, name).map(<[u8]>::to_vec),
        }
    }

    fn read_range(&self, kind: FileKind, name: &Name, offset: u64, length: usize) -> Result<Vec<u8>> {
        if kind == FileKind::Pack {
            return self.read_pack(name, offset, length);
        }
        let part = usize::try_from(offset).ok().and_then(|from| {
            self.file(kind, name).map(|bytes| bytes.get(from..from.checked_add(length)?)).transpose()
        });
        part.unwrap_or_else(|| Err(Error::damaged(format!("{kind}/{name} is shorter")))).map(<[u8]>::to_vec)
    }

    fn read_range_into(&self, kind: FileKind, name: &Name, offset: u64, bytes: &mut [u8]) -> Result<()> {
        copy_range(self, kind, name, offset, bytes)
    }

    fn is_near(&self) -> bool {
        false
    }

    /// Whoever restores sets a lock; it is the view's own that counts.
    fn save(&self, kind: FileKind, name: &Name, _bytes: &[u8]) -> Result<()> {
        match kind {
            FileKind::Lock => Ok(()),
            _ => Err(Error::new(ErrorKind::Denied, format!("{kind}/{name}: a view is for reading"))),
        }
    }

    fn remove(&self, kind: FileKind, name: &Name) -> Result<()> {
        self.save(kind, name, &[])
    }

    fn has_trash(&self) -> bool {
        false
    }

    fn discard(&self, kind: FileKind, name: &Name) -> Result<()> {
        no_trash(self, kind, name)
    }

    fn size(&self, kind: FileKind, name: &Name) -> Result<u64> {
        match kind {
            FileKind::Pack => self.pack(name).map(size),
            _ => self.file(kind, name).map(|bytes| bytes.len() as u64),
        }
    }

    fn location(&self) -> String {
        format!("a view of {}", self.vault.store.location())
    }

    fn behind_cache(&self) -> Option<Arc<dyn Store>> {
        None
    }
}
