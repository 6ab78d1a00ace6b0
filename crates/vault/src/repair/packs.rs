//! Salvage: what is sound in damaged packs goes into new ones, before the damaged go.
//!
//! What lies in a pack whose header nobody can read, only the index files still tell, and the new ones do not. So these
//! packs are always among those that are gone through.

use std::collections::{HashMap, HashSet};

use crate::cancel::Cancel;
use crate::error::Result;
use crate::id::Id;
use crate::index::Location;
use crate::pack::BlobKind;
use crate::pack_headers::PackHeaders;
use crate::pack_writer::PackWriter;
use crate::reindex;
use crate::repository::{Buffers, Repository, open_blob};
use crate::store::{Disposal, FileKind, Name};

/// What a salvage found and did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SalvageReport {
    /// Packs gone through, and taken away.
    pub packs: u64,
    /// Blobs stored anew.
    pub blobs_saved: u64,
    /// Blobs that lie in other packs, too, and so needed no saving.
    pub blobs_elsewhere: u64,
    /// Blobs of which no sound copy is left.
    pub blobs_lost: u64,
    /// Whether the index was not what it should be, and has been written anew.
    pub index_rewritten: bool,
}

type Blob = (BlobKind, Id);

impl Repository {
    /// Goes through packs that a check found damaged, and those whose header cannot be read: each blob that is
    /// still what its id says is stored anew, the index is rewritten without these packs, and then they are
    /// taken away. Which snapshots are hit by what is lost, and a way on from there, tells
    /// [`Repository::repair_snapshots`]. Packs that are not there are passed by. Without any pack to go through this
    /// does what [`Repository::repair_index`] does.
    ///
    /// Works alone: [`ErrorKind::Locked`](crate::ErrorKind::Locked) beside anyone else.
    /// [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported) before anything is done where there is no trash and `disposal` asks for it.
    pub fn salvage_packs(&self, packs: &[Id], disposal: Disposal, cancel: &Cancel) -> Result<SalvageReport> {
        if let Some(repository) = self.behind_cache() {
            return repository.salvage_packs(packs, disposal, cancel);
        }
        disposal.require(&*self.files.store)?;
        let lock = self.lock_alone(cancel)?;
        let headers = PackHeaders::read(&self.files, &HashMap::new(), 0, cancel)?;
        let readable = packs.iter().filter(|pack| headers.sizes.contains_key(pack));
        let damaged: HashSet<Id> = readable.chain(headers.unreadable.keys()).copied().collect();
        let mut salvage = Salvage {
            repository: self,
            writer: PackWriter::new(&self.files),
            saved: HashSet::new(),
            elsewhere: HashSet::new(),
            lost: HashSet::new(),
        };
        for (pack, locations) in self.contents(&headers, &damaged)? {
            cancel.check()?;
            let is_elsewhere = |location: &Location| {
                let blob = location.blob;
                headers.index.all(blob.kind, &blob.id).any(|other| !damaged.contains(&other.pack))
            };
            salvage.pack(pack, &locations, is_elsewhere)?;
        }
        salvage.writer.finish()?;
        let mut report = salvage.report(damaged.len());
        let headers = headers.refresh(&self.files, &HashMap::new(), 0, cancel)?;
        let stays = |location: &Location| !damaged.contains(&location.pack);
        report.index_rewritten = reindex::reindex(self, &headers.index, stays, &lock, cancel)?;
        for pack in damaged {
            cancel.check()?;
            lock.verify()?;
            disposal.dispose(&*self.files.store, FileKind::Pack, &Name(pack))?;
        }
        Ok(report)
    }

    /// What these packs should hold, by their headers and by the index files, either of which may be lost.
    fn contents(&self, headers: &PackHeaders, packs: &HashSet<Id>) -> Result<HashMap<Id, Vec<Location>>> {
        let mut contents: HashMap<Id, Vec<Location>> = packs.iter().map(|pack| (*pack, Vec::new())).collect();
        let indexed = match self.blobs() {
            Err(error) if error.is_loss() => None,
            other => Some(other?),
        };
        let indexed = indexed.iter().flat_map(|blobs| blobs.index.iter());
        for location in headers.index.iter().chain(indexed) {
            if let Some(locations) = contents.get_mut(&location.pack) {
                locations.push(location);
            }
        }
        for locations in contents.values_mut() {
            locations.sort_unstable_by_key(|location| (location.blob.offset, location.blob.id));
            locations.dedup();
        }
        Ok(contents)
    }
}

struct Salvage<'a> {
    repository: &'a Repository,
    writer: PackWriter<'a>,
    saved: HashSet<Blob>,
    elsewhere: HashSet<Blob>,
    lost: HashSet<Blob>,
}

impl Salvage<'_> {
    fn pack(
        &mut self,
        pack: Id,
        locations: &[Location],
        is_elsewhere: impl Fn(&Location) -> bool,
    ) -> Result<()> {
        let files = &self.repository.files;
        // A disk that fails may work again: that ends the salvage before anything goes.
        let bytes = files.store.read(FileKind::Pack, &Name(pack))?;
        let mut buffers = Buffers::default();
        for location in locations {
            let blob = location.blob;
            let key = (blob.kind, blob.id);
            if is_elsewhere(location) {
                self.elsewhere.insert(key);
                continue;
            }
            let start = blob.offset as usize;
            let sealed = start.checked_add(blob.length as usize).and_then(|end| bytes.get(start..end));
            let sound = sealed.filter(|sealed| open_blob(&files.key, location, sealed, &mut buffers).is_ok());
            match sound {
                Some(sealed) if self.saved.insert(key) => {
                    self.writer.push(blob.kind, blob.id, blob.plain_length, sealed)?;
                }
                Some(_) => {}
                None => drop(self.lost.insert(key)),
            }
        }
        Ok(())
    }

    fn report(&self, packs: usize) -> SalvageReport {
        SalvageReport {
            packs: packs as u64,
            blobs_saved: self.saved.len() as u64,
            blobs_elsewhere: self.elsewhere.len() as u64,
            blobs_lost: self.lost.difference(&self.saved).count() as u64,
            index_rewritten: false,
        }
    }
}
