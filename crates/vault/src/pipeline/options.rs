//! What a backup is asked for, and what it answers.

use std::path::PathBuf;

use jiff::Timestamp;

use super::skip::Skip;
use crate::compression::Compression;
use crate::id::Id;

/// Which snapshot a backup compares with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ParentChoice {
    /// The latest one of the same host and paths.
    #[default]
    Auto,
    /// None: every file is read.
    None,
    /// This one.
    Snapshot(Id),
}

/// What to back up and how.
#[derive(Debug, Clone)]
pub struct BackupOptions {
    /// Files and folders; relative ones count from the current folder. At least one must exist.
    pub paths: Vec<PathBuf>,
    /// Exclude patterns in restic's syntax; a leading `!` takes matching names back in.
    pub excludes: Vec<String>,
    /// Patterns in restic's syntax of what to take from the paths; everything when empty. Folders in which
    /// nothing is taken are left out, too.
    pub includes: Vec<String>,
    /// Names of files, such as `.gitignore`, that say in each folder what to leave out of it. Their syntax
    /// is git's.
    pub ignore_files: Vec<String>,
    /// What to leave out whatever its name.
    pub skip: Skip,
    /// The machine's name in the snapshot; the system's own when `None`.
    pub hostname: Option<String>,
    /// The user's name in the snapshot; the process's own when `None`.
    pub username: Option<String>,
    /// Labels of the snapshot.
    pub tags: Vec<String>,
    /// What to compare with.
    pub parent: ParentChoice,
    /// The snapshot's time; now when `None`.
    pub time: Option<Timestamp>,
    /// How hard to try to make new blobs small.
    pub compression: Compression,
    /// Threads that read, hash and compress; one for each processor when 0.
    pub threads: usize,
    /// Packs uploaded at once. More hide the latency of a store; each costs 17 MiB of memory.
    pub uploads: usize,
    /// Files queued between the walk and the workers.
    pub queue: usize,
    /// What the snapshot says made it.
    pub program_version: String,
}

impl Default for BackupOptions {
    fn default() -> Self {
        Self {
            paths: Vec::new(),
            excludes: Vec::new(),
            includes: Vec::new(),
            ignore_files: Vec::new(),
            skip: Skip::default(),
            hostname: None,
            username: None,
            tags: Vec::new(),
            parent: ParentChoice::Auto,
            time: None,
            compression: Compression::Auto,
            threads: 0,
            uploads: 2,
            queue: 512,
            program_version: concat!("roadstead ", env!("CARGO_PKG_VERSION")).to_owned(),
        }
    }
}

/// What a backup did. Sizes are in bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackupSummary {
    /// The snapshot written.
    pub snapshot: Id,
    /// The snapshot compared with.
    pub parent: Option<Id>,
    /// Files without a counterpart in the parent.
    pub files_new: u64,
    /// Files that differ from the parent's.
    pub files_changed: u64,
    /// Files taken over from the parent unread.
    pub files_unmodified: u64,
    /// Folders without a counterpart in the parent.
    pub dirs_new: u64,
    /// Folders that differ from the parent's.
    pub dirs_changed: u64,
    /// Folders equal to the parent's.
    pub dirs_unmodified: u64,
    /// Files looked at, with those that could not be read.
    pub files_searched: u64,
    /// Bytes of the files looked at.
    pub bytes_searched: u64,
    /// New and changed files saved.
    pub files_backed_up: u64,
    /// Bytes of them actually read.
    pub bytes_backed_up: u64,
    /// Data blobs added to the repository.
    pub data_blobs: u64,
    /// Tree blobs added to the repository.
    pub tree_blobs: u64,
    /// Bytes added before compression.
    pub bytes_added: u64,
    /// Bytes added as stored.
    pub bytes_added_stored: u64,
    /// Files and folders that could not be saved.
    pub errors: u64,
    /// When the run began.
    pub started: Timestamp,
    /// When it ended.
    pub ended: Timestamp,
}
