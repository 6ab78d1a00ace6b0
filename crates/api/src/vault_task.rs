//! Vault tasks: work on a vault that the server does in the background, with progress, to be stopped at any time.
//!
//! A *drill* restores a sample of files of the last good backups to scratch and compares them with what was backed up. A
//! *copy* puts backups into another vault, or to a place that the server's operator allows. A *repair* saves what is left
//! of a damaged vault.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Page, PageQuery,
    endpoint::endpoints,
    id::{BackupId, VaultId, VaultTaskId},
    run::{Progress, RunState},
    setup::VaultStoreKind,
};

/// What a task does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum VaultTaskKind {
    /// It restores a sample of files to scratch and compares them with what was backed up.
    Drill,
    /// It copies backups to another repository.
    Copy,
    /// It saves what is left of a damaged vault.
    Repair,
}

impl VaultTaskKind {
    /// The word of JSON and the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Drill => "drill",
            Self::Copy => "copy",
            Self::Repair => "repair",
        }
    }
}

impl std::fmt::Display for VaultTaskKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::str::FromStr for VaultTaskKind {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        serde_json::from_value(serde_json::Value::from(text))
            .map_err(|_| format!("{text:.50?} is no kind of task of a vault"))
    }
}

/// A task to be started.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum NewVaultTask {
    /// Restore a sample of files of the last good backup of each configuration to scratch, and compare them with what
    /// was backed up.
    Drill {
        /// How many files at the most, 1 to 1000; what the account's drill settings say when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        files: Option<u32>,
        /// How many bytes at the most; what the account's drill settings say when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        bytes: Option<u64>,
    },
    /// Copy backups. What is there already is not copied again.
    Copy {
        /// To another managed vault of the account; either this or `to_target`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        to_vault: Option<VaultId>,
        /// To a repository of the vault's own at a place that the server's operator has given this name (`copy_targets`). It
        /// has the vault's password.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        to_target: Option<String>,
        /// Which backups; everything in the vault when there are none.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        backup_ids: Vec<BackupId>,
        /// Whether to cut the files anew, as the destination does with its own backups, so that later backups there share
        /// their parts with the copies. It reads and packs everything again, which takes longer.
        #[serde(default)]
        rechunk: bool,
    },
    /// Repair the vault: make its index anew, save what is sound in damaged packs, and write backups with holes anew without
    /// what is lost. What is taken away goes to the trash. Takes an admin.
    Repair {
        /// Whether to read all data, to find what is damaged.
        #[serde(default)]
        read_data: bool,
        /// Whether only to tell what would be done.
        #[serde(default)]
        dry_run: bool,
    },
}

impl NewVaultTask {
    /// A drill as large as the account's settings say.
    pub fn drill() -> Self {
        Self::Drill { files: None, bytes: None }
    }

    /// Of what kind it is.
    pub fn kind(&self) -> VaultTaskKind {
        match self {
            Self::Drill { .. } => VaultTaskKind::Drill,
            Self::Copy { .. } => VaultTaskKind::Copy,
            Self::Repair { .. } => VaultTaskKind::Repair,
        }
    }
}

/// One task.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct VaultTask {
    /// The task's id.
    pub id: VaultTaskId,
    /// The vault.
    pub vault_id: VaultId,
    /// What it does.
    pub kind: VaultTaskKind,
    /// Where it stands. One that found or left damage has `completed_with_errors`.
    pub state: RunState,
    /// Why it failed or was cancelled.
    pub reason: Option<String>,
    /// How far it has come.
    pub progress: Progress,
    /// The time of the vault's own schedule that it stands for; nothing when somebody asked for it.
    pub slot_at: Option<Timestamp>,
    /// What a drill found, once it has ended by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drill: Option<DrillReport>,
    /// What a copy did, once it has ended by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub copy: Option<CopyReport>,
    /// What a repair did, once it has ended by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repair: Option<RepairReport>,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When it began.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub completed_at: Option<Timestamp>,
}

/// What a drill found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct DrillReport {
    /// The backups that files were taken of: the last good one of each configuration.
    pub backup_ids: Vec<BackupId>,
    /// Files that these backups hold.
    pub files_held: u64,
    /// Files that came back as they were backed up.
    pub files_restored: u64,
    /// Their sizes in sum, in bytes.
    pub bytes_restored: u64,
    /// What did not come back, a sentence each.
    pub problems: Vec<String>,
}

/// What a copy did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct CopyReport {
    /// Backups that were copied.
    pub backups_copied: u64,
    /// Backups that were there already.
    pub backups_skipped: u64,
    /// Backups that were not copied, since something of them is lost.
    pub backups_failed: u64,
    /// What the destination has grown by, in bytes.
    pub bytes_added: u64,
    /// What is lost, a sentence each.
    pub problems: Vec<String>,
}

/// What a repair found and did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct RepairReport {
    /// Whether it only told what it would do.
    pub dry_run: bool,
    /// Whether the index was not what it should be, and was made anew.
    pub index_rewritten: bool,
    /// Packs that nobody can read any more.
    pub packs_unreadable: u64,
    /// Damaged packs that were gone through, and taken away.
    pub packs_damaged: u64,
    /// Parts of files in them that were saved.
    pub parts_saved: u64,
    /// Parts of files of which no sound copy is left.
    pub parts_lost: u64,
    /// Backups that have holes; they have been written anew without what is lost.
    pub backups_with_holes: Vec<BackupId>,
    /// Backups of which nothing was left.
    pub backups_lost: Vec<BackupId>,
    /// What is lost, a sentence each.
    pub problems: Vec<String>,
}

/// A place outside of the vault store that the server's operator allows copies to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CopyTarget {
    /// What it is called, in `to_target` too.
    pub name: String,
    /// What keeps the copies there.
    pub store: VaultStoreKind,
}

/// When the vaults of an account are drilled, and how much of each.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DrillSettings {
    /// Every how many days, 1 to 365; 0 for never.
    pub every_days: u32,
    /// How many files at the most, 1 to 1000.
    pub files: u32,
    /// How many bytes at the most: 1 MiB to 1 TiB. A single file may be larger where the sample has no smaller one.
    pub bytes: u64,
}

impl Default for DrillSettings {
    /// Once a week, 50 files, 256 MiB.
    fn default() -> Self {
        Self { every_days: 7, files: 50, bytes: 256 << 20 }
    }
}

endpoints! {
    /// Starts a task on a managed vault.
    VaultTaskCreate = "vault_task_create": Post "/vaults/{id}/tasks", Creator, (VaultId) ? (), NewVaultTask => 202 VaultTask;
    /// Lists the tasks of a vault, newest first.
    VaultTaskList = "vault_task_list": Get "/vaults/{id}/tasks", Observer, (VaultId) ? PageQuery, () => 200 Page<VaultTask>;
    /// Shows one task.
    VaultTaskShow = "vault_task_show": Get "/vault-tasks/{id}", Observer, (VaultTaskId) ? (), () => 200 VaultTask;
    /// Stops a task. One that goes on has ended within seconds; what it did until then stays.
    VaultTaskStop = "vault_task_stop": Post "/vault-tasks/{id}/stop", Creator, (VaultTaskId) ? (), () => 202 VaultTask;
    /// Lists the places that the server's operator allows copies to, by name.
    CopyTargetList = "copy_target_list": Get "/copy-targets", Creator, (()) ? (), () => 200 Page<CopyTarget>;
    /// Shows when vaults are drilled, and how much of each.
    DrillSettingsShow = "drill_settings_show": Get "/drill-settings", Observer, (()) ? (), () => 200 DrillSettings;
    /// Sets when vaults are drilled, and how much of each.
    DrillSettingsSet = "drill_settings_set": Post "/drill-settings", Admin, (()) ? (), DrillSettings => 200 DrillSettings;
}
