//! Files of a backup: browsing a folder, finding files in all backups of a vault, comparing two backups. (The content of
//! a file, and a folder as an archive, are streams and have their own routes, [`content_path`] and [`archive_path`].)

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    BASE_PATH, Page,
    endpoint::endpoints,
    id::{BackupId, VaultId},
};

/// What a [`File`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FileType {
    /// A regular file.
    File,
    /// A folder.
    Dir,
    /// A symbolic link.
    Symlink,
    /// A device, fifo or socket.
    Special,
}

/// An entry of a folder in a backup.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct File {
    /// The name, without its folder; bytes that are not UTF-8 are shown as U+FFFD.
    pub name: String,
    /// What it is.
    #[serde(rename = "type")]
    pub kind: FileType,
    /// Its size in bytes; 0 for all but regular files.
    pub size_bytes: u64,
    /// The permission bits, as `chmod` takes them.
    pub mode: u32,
    /// The owner's user id.
    pub uid: u32,
    /// The owner's group id.
    pub gid: u32,
    /// When it was last written.
    pub modified_at: Option<Timestamp>,
    /// What a symbolic link points at.
    pub link_target: Option<String>,
}

/// Which folder of a backup to list.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FileQuery {
    /// The folder: an absolute path without `..`; `/` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// How many items at the most, 1 to 1000; 100 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// Where to go on: `next` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

/// The path that answers a regular file's content, as an attachment, with the file's path in the query's `path`.
/// It needs the role `creator`.
pub fn content_path(backup: BackupId) -> String {
    format!("{BASE_PATH}/backups/{backup}/content")
}

/// The form of an archive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ArchiveForm {
    /// POSIX tar, with owners, exact times, attributes and hard links.
    #[default]
    Tar,
    /// Zip, not compressed: files, folders and symbolic links.
    Zip,
}

impl ArchiveForm {
    /// The word of the query, and the ending of a file's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tar => "tar",
            Self::Zip => "zip",
        }
    }
}

/// The path that answers a file or folder with all that is beneath it as an archive, as an attachment, with its path in
/// the query's `path`, and an [`ArchiveForm`] in `format`. It needs the role `creator`.
pub fn archive_path(backup: BackupId) -> String {
    format!("{BASE_PATH}/backups/{backup}/archive")
}

/// What to find in a vault.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FindQuery {
    /// A pattern in restic's syntax, such as `*.conf` or `/etc/**/hosts`; has to be said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pattern: Option<String>,
    /// Whether letters of either case are the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ignore_case: Option<bool>,
    /// How many items at the most, 1 to 1000; 100 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// Where to go on: `next` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

/// A file that was found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FoundFile {
    /// The backup that it is in.
    pub backup_id: BackupId,
    /// Its path there.
    pub path: String,
    /// What is known of it.
    pub file: File,
}

/// With which backup to compare.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DiffQuery {
    /// The later backup, of the same vault; has to be said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub with: Option<BackupId>,
    /// How many items at the most, 1 to 1000; 100 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// Where to go on: `next` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

/// How a file differs between two backups.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FileDifference {
    /// Only the later backup has it.
    Added,
    /// Only the earlier backup has it.
    Removed,
    /// Its content, or where a link points.
    Content,
    /// Only owner, mode, times or attributes.
    Metadata,
    /// It is something else, such as a folder that was a file.
    Type,
}

/// A file that differs between two backups.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FileChange {
    /// Its path.
    pub path: String,
    /// How it differs.
    pub difference: FileDifference,
    /// What it was in the earlier backup.
    pub before: Option<File>,
    /// What it is in the later backup.
    pub after: Option<File>,
}

endpoints! {
    /// Finds files by name in all backups of a vault, newest backup first.
    FileFind = "file_find": Get "/vaults/{id}/files", Observer, (VaultId) ? FindQuery, () => 200 Page<FoundFile>;
    /// Lists what differs between a backup and a later one of the same vault, by path.
    FileDiff = "file_diff": Get "/backups/{id}/diff", Observer, (BackupId) ? DiffQuery, () => 200 Page<FileChange>;
    /// Lists a folder of a backup, by name.
    FileList = "file_list": Get "/backups/{id}/files", Observer, (BackupId) ? FileQuery, () => 200 Page<File>;
}
