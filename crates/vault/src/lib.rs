//! The backup engine of Roadstead: restic repositories of format version 2, written and read.
//!
//! A *repository* is a flat set of named files behind a [`store::Store`]: one config, keys, packs of
//! encrypted blobs, index files, snapshots and locks. The format is that of restic's design document
//! (<https://github.com/restic/restic/blob/master/doc/design.rst>), so that whoever leaves Roadstead takes
//! the data along, and so that the real `restic check` can judge every test here.
//!
//! Start at [`Repository`]: [`Repository::init`], [`Repository::open`], then [`Repository::backup`],
//! [`Repository::list`], [`Repository::restore`], [`Repository::check`], [`Repository::prune`]. The way of a backup reads on one
//! screen in `pipeline.rs`.
//!
//! Invariants kept everywhere:
//! - Packs are stored before the index files that name them, index files before the snapshot.
//! - Content is addressed by the SHA-256 of its plain bytes; nonces are random, always.
//! - Bytes from a repository are hostile until verified: every parser is bounded and none panics.
//! - What is needed is never taken away: packs go only when no index names them and no snapshot needs them.
//! - A process that held a lock ignores hangups from then on, since restic sends them to see who lives.
//! - A file that cannot be read is an event to the [`Monitor`], never the end of a run.

mod archive;
mod batches;
mod browse;
mod cancel;
mod check;
mod chunker;
mod cipher;
mod command;
mod compression;
mod config;
mod copy;
mod diff;
mod direct;
mod drill;
mod error;
mod files;
mod filter;
mod find;
#[cfg(test)]
mod forge;
mod forget;
mod go_text;
mod id;
mod index;
mod index_file;
mod key_file;
mod keys;
mod lock;
mod metadata;
mod monitor;
mod node;
mod pack;
mod pack_headers;
mod pack_writer;
mod pipeline;
mod polynomial;
mod progress;
mod prune;
mod random;
mod reindex;
mod repair;
mod repository;
mod restore;
mod snapshot;
mod stats;
pub mod store;
mod threads;
mod tree;
mod view;
mod walk;

pub use archive::{ArchiveFormat, ArchiveSummary};
pub use browse::{Entry, Page};
pub use cancel::Cancel;
pub use check::{CheckOptions, CheckReport, Hit, Problem, ProblemKind};
pub use command::Stream;
pub use compression::Compression;
pub use copy::CopySummary;
pub use diff::{Change, DiffSummary, Difference, OneSide};
pub use drill::{DrillOptions, DrillReport, remove_scratch};
pub use error::{Error, ErrorKind, Result};
pub use filter::read_patterns;
pub use find::{FindOptions, Found, Search};
pub use forget::{ForgetGroup, ForgetPlan, GroupBy, Reason, Retention, Verdict};
pub use id::Id;
pub use key_file::KdfCost;
pub use keys::KeyInfo;
pub use monitor::{FileError, FileErrorKind, Monitor, Progress, VoidMonitor};
pub use node::{Node, NodeKind, Xattr};
pub use pipeline::{BackupOptions, BackupSummary, ParentChoice, Skip};
pub use prune::{PackUse, PruneOptions, PrunePlan, PruneSummary};
pub use repair::{RepairReport, RepairedSnapshot, SalvageReport, SnapshotRepair};
pub use repository::{InitOptions, Repository};
pub use restore::{Overwrite, Planned, RestoreAction, RestoreOptions, RestorePlan, RestoreSummary};
pub use snapshot::{Snapshot, SnapshotSummary};
pub use stats::{Contents, RawStats, SnapshotStats, Stats};
pub use view::View;
