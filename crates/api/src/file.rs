//! Files of a backup: browsing a folder. (The content of a file is a stream and has its own route,
//! [`content_path`].)

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{BASE_PATH, Page, endpoint::endpoints, id::BackupId};

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

endpoints! {
    /// Lists a folder of a backup, by name.
    FileList = "file_list": Get "/backups/{id}/files", Observer, (BackupId) ? FileQuery, () => 200 Page<File>;
}
