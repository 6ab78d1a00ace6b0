//! Work on vaults in child processes with a memory limit: whatever a vault holds, the server itself stays up.
//!
//! The child gets one [`Order`] on its standard input and ends when that closes. It answers with one line of JSON, a
//! [`Reply`]; after that, for [`Task::Content`], the bytes of the file. Work that takes long tells before that, in lines of
//! the same kind, how far it has come.

mod child;
mod cleanup;
mod copy;
mod drill;
mod look;
mod parent;
mod repair;
mod telling;
mod view;

use std::path::PathBuf;

use jiff::Timestamp;
use roadstead_api::{
    file::{File, FileType},
    run::Progress,
};
use serde::{Deserialize, Serialize};

pub use child::vault_work;
pub use cleanup::{Policy, Verdict, plan_unread};
pub use copy::{Copied, Destination};
pub use drill::Drilled;
pub use look::{Counted, Counts, FoundEntry};
pub use parent::{Content, call, content, watched};
pub use repair::Repaired;
pub use view::{MAX_READ, Shown, open as open_view};

use crate::{Error, ErrorKind, Result, vaults::VaultFolder};

/// What a child is to do.
#[derive(Debug, Serialize, Deserialize)]
pub struct Order {
    /// The vault's folder.
    pub folder: VaultFolder,
    /// The vault's password.
    pub password: String,
    /// The work.
    pub task: Task,
}

/// The kinds of work.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Task {
    /// Verify the vault; the reply is a `CheckFindings`.
    Check {
        /// Whether to read and verify data.
        read_data: bool,
        /// Which part of it, of `parts`.
        part: u32,
        /// In how many parts it is read.
        parts: u32,
    },
    /// Compare every file with its name, which takes no password; the reply is a `CheckFindings`.
    CheckNames,
    /// Tell what a cleanup would do; the reply is a list of verdicts.
    PlanCleanup {
        /// Which snapshots which rules decide over.
        policies: Vec<Policy>,
        /// What time it is.
        now_ms: i64,
    },
    /// Clean the vault; the reply is a `CleanupFindings`.
    Cleanup {
        /// Which snapshots which rules decide over.
        policies: Vec<Policy>,
        /// What time it is.
        now_ms: i64,
        /// What the trash got before is gone for good.
        empty_before_ms: i64,
    },
    /// Restore samples of snapshots to scratch and compare them; the reply is [`Drilled`].
    Drill {
        /// The snapshots.
        snapshots: Vec<String>,
        /// How many files of all of them together.
        files: u32,
        /// How many bytes of all of them together.
        bytes: u64,
        /// The folder to restore to; it is made, and removed in the end.
        scratch: PathBuf,
    },
    /// Copy snapshots to another repository; the reply is [`Copied`].
    Copy {
        /// The snapshots; all that there are, if none is named.
        snapshots: Vec<String>,
        /// Where they go.
        destination: Destination,
        /// Whether to cut their files anew, as the destination does with its own.
        rechunk: bool,
    },
    /// Repair the vault; the reply is [`Repaired`].
    Repair {
        /// Whether to read all data, to find what is damaged.
        read_data: bool,
        /// Whether only to tell what would be done.
        dry_run: bool,
    },
    /// Bring everything back from the trash; the reply is nothing.
    RestoreTrash,
    /// List a folder of a snapshot; the reply is a list of files.
    List {
        /// The snapshot.
        snapshot: String,
        /// The folder.
        path: String,
        /// Entries to pass over.
        offset: usize,
        /// Entries to give at the most.
        limit: usize,
    },
    /// Find entries by name; the reply is a list of [`FoundEntry`].
    Find {
        /// The snapshots, in the order in which to look.
        snapshots: Vec<String>,
        /// The pattern.
        pattern: String,
        /// Whether letters of either case are the same.
        ignore_case: bool,
        /// Entries to pass over.
        offset: usize,
        /// Entries to give at the most.
        limit: usize,
    },
    /// Compare two snapshots; the reply is a list of changes.
    Diff {
        /// The earlier.
        before: String,
        /// The later.
        after: String,
        /// Changes to pass over.
        offset: usize,
        /// Changes to give at the most.
        limit: usize,
    },
    /// Count what snapshots hold; the reply is [`Counts`].
    Count {
        /// The snapshots.
        snapshots: Vec<String>,
    },
    /// Write out a file or folder as an archive; the reply is nothing, and the bytes follow.
    Archive {
        /// The snapshot.
        snapshot: String,
        /// What to write.
        path: String,
        /// Zip in place of tar.
        is_zip: bool,
    },
    /// Show a snapshot under another password; the reply is nothing, and then come the answers of [`view`].
    View {
        /// The snapshot.
        snapshot: String,
        /// The password to show it under.
        password: String,
    },
    /// Write out a file of a snapshot; the reply is nothing, and the bytes follow.
    Content {
        /// The snapshot.
        snapshot: String,
        /// The file.
        path: String,
    },
}

/// The first line of a child's answer.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Reply<T> {
    /// It goes on, and has come so far.
    Progress(Progress),
    /// It went well.
    Done(T),
    /// It did not.
    Failed {
        /// Whether the vault lacks what was asked for.
        not_found: bool,
        /// Whether what was asked for makes no sense, such as a malformed pattern.
        invalid: bool,
        /// Whether others are at work in the vault.
        busy: bool,
        /// What happened, with all causes.
        message: String,
    },
}

impl<T> Reply<T> {
    fn of(result: Result<T>) -> Self {
        match result {
            Ok(value) => Self::Done(value),
            Err(error) => Self::Failed {
                not_found: error.kind == ErrorKind::NotFound,
                invalid: error.kind == ErrorKind::Invalid,
                busy: error.kind == ErrorKind::Unavailable,
                message: error.chain(),
            },
        }
    }

    fn into_result(self) -> Result<T> {
        match self {
            Self::Done(value) => Ok(value),
            Self::Progress(_) => Err(Error::internal("Nobody asked how far the work on the vault has come.")),
            Self::Failed { not_found: true, message, .. } => Err(Error::not_found(message)),
            Self::Failed { invalid: true, message, .. } => Err(Error::invalid(message)),
            Self::Failed { busy: true, message, .. } => Err(Error::new(ErrorKind::Unavailable, message)),
            Self::Failed { message, .. } => Err(Error::internal(message)),
        }
    }
}

fn file(entry: roadstead_vault::Entry) -> File {
    use roadstead_vault::NodeKind;
    File {
        name: entry.name.to_string_lossy().into_owned(),
        kind: match entry.kind {
            NodeKind::File => FileType::File,
            NodeKind::Dir => FileType::Dir,
            NodeKind::Symlink => FileType::Symlink,
            _ => FileType::Special,
        },
        size_bytes: entry.size,
        mode: entry.mode,
        uid: entry.uid,
        gid: entry.gid,
        modified_at: Some(entry.modified).filter(|&at| at != Timestamp::default()),
        link_target: entry.link_target.map(|target| target.to_string_lossy().into_owned()),
    }
}
