//! Prune: what no snapshot needs any more leaves the repository.
//!
//! A plan is a plain value ([`PrunePlan`]): which packs stay, which are rewritten since too much of them is
//! waste, which go. It is carried out in two phases:
//!
//! 1. Under a *shared* lock, beside running backups: the needed blobs of wasteful packs are read, verified
//!    and stored in new packs with an index of their own ([`repack`]). Nothing goes; whoever is stopped
//!    here leaves copies behind, no harm.
//! 2. Under an *exclusive* lock, short: use is computed afresh from the snapshots there are now, new index
//!    files take the place of the old ones, and packs of which nothing is needed go to the trash ([`sweep`]).
//!    Each step leaves a repository that checks clean: packs go only once no index names them.
//!
//! What is true of packs is what their headers say, never an index. Of several copies of a needed blob the
//! one that arrived first stays, if its content is what its id says; another only if it is not. So neither
//! an index that lies nor junk stored under a known id loses a good blob. A snapshot or tree that cannot be
//! read ends a prune before anything goes: nobody knows what it needs.

mod choice;
mod planning;
mod repack;
mod sweep;
mod usage;

use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;

use crate::cancel::Cancel;
use crate::error::Result;
use crate::id::Id;
use crate::index::Location;
use crate::monitor::Monitor;
use crate::pack;
use crate::pack_headers::PackHeaders;
use crate::repository::{Blobs, Repository};
use crate::snapshot::Snapshot;
use crate::store::Disposal;

use choice::Choice;
use usage::Usage;

/// How to prune.
#[derive(Debug, Clone, PartialEq)]
pub struct PruneOptions {
    /// Waste to put up with, as a share of what is needed: the worst packs are rewritten until no more is
    /// left than this. 0 leaves none.
    pub max_waste: f64,
    /// When each pack arrived, from whoever keeps the store. Packs not in here count as the latest.
    pub arrivals: HashMap<Id, Timestamp>,
    /// What becomes of packs that nobody needs.
    pub disposal: Disposal,
    /// Threads that read packs; one for each processor when 0.
    pub threads: usize,
}

impl Default for PruneOptions {
    fn default() -> Self {
        Self { max_waste: 0.05, arrivals: HashMap::new(), disposal: Disposal::default(), threads: 0 }
    }
}

/// One pack in a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PackUse {
    /// The pack.
    pub pack: Id,
    /// Its size in bytes.
    pub size: u64,
    /// Bytes of it that are needed, with their part of the header.
    pub used: u64,
}

impl PackUse {
    /// Bytes that nobody needs.
    pub fn waste(&self) -> u64 {
        self.size.saturating_sub(self.used)
    }
}

/// What a prune would do. Every pack of the store is in one of the four lists.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PrunePlan {
    /// Packs that stay as they are.
    pub keep: Vec<PackUse>,
    /// Packs that are rewritten without their waste, the most wasteful first.
    pub repack: Vec<PackUse>,
    /// Packs of which nothing is needed.
    pub drop: Vec<PackUse>,
    /// Packs that nobody can make sense of, and of which nothing can be needed, with their sizes: they go.
    pub unreadable: Vec<(Id, u64)>,
    /// Snapshots that never made sense: stored as they are by whoever sent them. They stay and need
    /// nothing.
    pub junk_snapshots: Vec<Id>,
}

impl PrunePlan {
    /// Bytes that the store will have fewer, about.
    pub fn bytes_freed(&self) -> u64 {
        let wasted = self.repack.iter().map(PackUse::waste).sum::<u64>();
        let unreadable = self.unreadable.iter().map(|(_, size)| size).sum::<u64>();
        wasted + unreadable + self.drop.iter().map(|pack| pack.size).sum::<u64>()
    }

    /// Bytes that will be read and written anew, about.
    pub fn bytes_repacked(&self) -> u64 {
        self.repack.iter().map(|pack| pack.used).sum()
    }
}

/// What a prune did. Sizes are in bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PruneSummary {
    /// Packs whose needed blobs were stored anew.
    pub packs_repacked: u64,
    /// Packs written for them.
    pub packs_written: u64,
    /// Their sizes.
    pub bytes_written: u64,
    /// Packs taken away.
    pub packs_dropped: u64,
    /// Their sizes.
    pub bytes_dropped: u64,
    /// Packs left.
    pub packs_kept: u64,
    /// Their sizes.
    pub bytes_kept: u64,
    /// Needed blobs that are damaged where they lie: they stay there.
    pub blobs_damaged: u64,
    /// Whether the index was written anew.
    pub index_rewritten: bool,
}

impl Repository {
    /// Works out what a prune would do. Changes nothing but for its lock.
    ///
    /// [`ErrorKind::Damaged`](crate::ErrorKind::Damaged) when something that snapshots need is missing or cannot be read.
    pub fn plan_prune(&self, options: &PruneOptions, cancel: &Cancel) -> Result<PrunePlan> {
        let _lock = self.lock(cancel)?;
        Ok(self.survey(options, cancel)?.plan(options))
    }

    /// Prunes; see the module for how. `monitor` sees packs as files while they are rewritten.
    ///
    /// [`ErrorKind::Damaged`](crate::ErrorKind::Damaged) as [`Repository::plan_prune`]; [`ErrorKind::Locked`](crate::ErrorKind::Locked) when others are still at
    /// work when the second phase should begin, which does no harm and can be tried again;
    /// [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported) before anything is done where the store has no trash.
    pub fn prune(
        &self,
        options: &PruneOptions,
        monitor: &dyn Monitor,
        cancel: &Cancel,
    ) -> Result<PruneSummary> {
        options.disposal.require(&*self.files.store)?;
        let mut summary = PruneSummary::default();
        let survey = {
            let lock = self.lock(cancel)?;
            let mut survey = self.survey(options, cancel)?;
            let plan = survey.plan(options);
            let work = repack::Repack::new(&self.files, &survey, options, cancel);
            survey.choice.trusted = work.run(&plan.repack, monitor, &mut summary)?;
            lock.verify()?;
            survey
        };
        sweep::sweep(self, survey, options, cancel, &mut summary)?;
        Ok(summary)
    }

    fn survey(&self, options: &PruneOptions, cancel: &Cancel) -> Result<Survey> {
        // Snapshots before packs: whatever a snapshot listed now needs is stored by now.
        let mut usage = Usage::default();
        let snapshots = usage.new_snapshots(self, cancel)?;
        let headers = PackHeaders::read(&self.files, &options.arrivals, options.threads, cancel)?;
        Survey::new(self, usage, headers).complete(&snapshots, cancel)
    }
}

/// What is known before anything is decided: what lies where, and what of it is needed.
struct Survey {
    usage: Usage,
    choice: Choice,
    /// Reads through the headers of the packs.
    blobs: Blobs,
    sizes: HashMap<Id, u64>,
    unreadable: HashMap<Id, u64>,
}

impl Survey {
    fn new(repository: &Repository, usage: Usage, headers: PackHeaders) -> Self {
        let PackHeaders { index, sizes, unreadable } = headers;
        let blobs = Blobs::new(repository.files.clone(), Arc::new(index));
        Self { usage, choice: Choice::default(), blobs, sizes, unreadable }
    }

    /// Adds what these snapshots need, and chooses among copies.
    fn complete(mut self, snapshots: &[Snapshot], cancel: &Cancel) -> Result<Self> {
        self.usage.add(&self.blobs, snapshots, cancel)?;
        self.choice.settle(&self.blobs, &self.usage, cancel)?;
        Ok(self)
    }

    /// The same survey of the repository as it is now. What was needed before stays needed, also if its
    /// snapshot has been forgotten since: the next prune will see to that.
    fn refresh(self, repository: &Repository, options: &PruneOptions, cancel: &Cancel) -> Result<Self> {
        let Self { mut usage, choice, blobs, sizes, unreadable } = self;
        let snapshots = usage.new_snapshots(repository, cancel)?;
        let headers = PackHeaders { index: Arc::unwrap_or_clone(blobs.index), sizes, unreadable };
        let headers = headers.refresh(&repository.files, &options.arrivals, options.threads, cancel)?;
        let survey = Self { choice, ..Self::new(repository, usage, headers) };
        survey.complete(&snapshots, cancel)
    }

    /// How much of each readable pack is needed.
    fn uses(&self) -> HashMap<Id, PackUse> {
        let unused = |(pack, size): (&Id, &u64)| (*pack, PackUse { pack: *pack, size: *size, used: 0 });
        let mut uses: HashMap<Id, PackUse> = self.sizes.iter().map(unused).collect();
        for location in self.blobs.index.iter().filter(|location| self.needs(location)) {
            if let Some(pack) = uses.get_mut(&location.pack) {
                pack.used += u64::from(location.blob.length) + pack::entry_size(&location.blob);
            }
        }
        uses
    }

    /// Whether a blob is needed, and this copy of it chosen.
    fn needs(&self, location: &Location) -> bool {
        self.usage.contains(location.blob.kind, &location.blob.id) && self.choice.is_chosen(location)
    }
}

#[cfg(test)]
mod hostile_tests;
