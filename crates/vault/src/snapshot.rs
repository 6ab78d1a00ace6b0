//! Snapshot files: what was backed up when, from where, and the tree it all hangs from.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::id::Id;

/// One backup's root, as stored in `snapshots/`. Field names and order are restic's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    /// The name of its file; not part of the file.
    #[serde(skip, default = "no_id")]
    pub id: Id,
    /// When the backup began.
    #[serde(deserialize_with = "crate::go_text::timestamp")]
    pub time: Timestamp,
    /// The snapshot it was compared with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<Id>,
    /// The tree of `/`.
    pub tree: Id,
    /// The absolute paths that were backed up; lossy where they are not UTF-8.
    #[serde(default, deserialize_with = "crate::go_text::null_to_default")]
    pub paths: Vec<String>,
    /// The machine.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub hostname: String,
    /// Who ran the backup.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub username: String,
    /// The user's number.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub uid: u32,
    /// The group's number.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub gid: u32,
    /// The exclude patterns in force.
    #[serde(
        default,
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "crate::go_text::null_to_default"
    )]
    pub excludes: Vec<String>,
    /// Labels.
    #[serde(
        default,
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "crate::go_text::null_to_default"
    )]
    pub tags: Vec<String>,
    /// The snapshot this one was rewritten from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub original: Option<Id>,
    /// Of a copy whose files were cut anew, the tree that the snapshot had first; restic does not know this.
    #[serde(default, rename = "roadstead_first_tree", skip_serializing_if = "Option::is_none")]
    pub first_tree: Option<Id>,
    /// The program that made it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub program_version: String,
    /// What the run counted; absent in snapshots of old programs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<SnapshotSummary>,
}

/// The counts a snapshot carries, as restic 0.17 and later store them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnapshotSummary {
    /// When the run began.
    #[serde(deserialize_with = "crate::go_text::timestamp")]
    pub backup_start: Timestamp,
    /// When it ended.
    #[serde(deserialize_with = "crate::go_text::timestamp")]
    pub backup_end: Timestamp,
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
    /// Data blobs added.
    pub data_blobs: u64,
    /// Tree blobs added.
    pub tree_blobs: u64,
    /// Bytes added before compression.
    pub data_added: u64,
    /// Bytes added as stored.
    pub data_added_packed: u64,
    /// Files looked at.
    pub total_files_processed: u64,
    /// Bytes of the files looked at.
    pub total_bytes_processed: u64,
}

/// What the name of every program that writes snapshots with this engine begins with.
const MARK: &str = "roadstead";

impl Snapshot {
    /// A snapshot of this engine's of which no more is known than its id and when it came: enough for rules of retention,
    /// where only others can read what it says.
    pub fn unread(id: Id, time: Timestamp) -> Self {
        Self {
            id,
            time,
            parent: None,
            tree: no_id(),
            paths: Vec::new(),
            hostname: String::new(),
            username: String::new(),
            uid: 0,
            gid: 0,
            excludes: Vec::new(),
            tags: Vec::new(),
            original: None,
            first_tree: None,
            program_version: MARK.to_owned(),
            summary: None,
        }
    }

    /// Whether this engine made it, rather than restic or another program. Only such ones are ever
    /// forgotten.
    pub fn is_ours(&self) -> bool {
        self.program_version.starts_with(MARK)
    }
}

fn no_id() -> Id {
    Id([0; 32])
}

fn is_zero(number: &u32) -> bool {
    *number == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: &str = r#"{"time":"2015-01-02T18:10:50.895208559+01:00","tree":"2da81727b6585232894cfbb8f8bdab8d1eccd3d8f7c92bc934d62e62e618ffdf","paths":["/tmp/testdata"],"hostname":"kasimir","username":"fd0","uid":1000,"gid":100,"tags":null}"#;

    #[test]
    fn old_snapshots_are_read() {
        let snapshot: Snapshot = serde_json::from_str(OLD).unwrap();
        assert_eq!((snapshot.paths.as_slice(), snapshot.uid), (&["/tmp/testdata".to_owned()][..], 1000));
        assert_eq!(snapshot.time.to_string(), "2015-01-02T17:10:50.895208559Z");
        assert!(snapshot.summary.is_none() && snapshot.tags.is_empty());
    }

    proptest::proptest! {
        #[test]
        fn mutated_snapshots_never_panic(at in 0..OLD.len(), byte: u8) {
            let mut json = OLD.as_bytes().to_vec();
            json[at] = byte;
            let _ = serde_json::from_slice::<Snapshot>(&json);
        }
    }
}
