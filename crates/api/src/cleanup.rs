//! Cleanups: backups that no rule of retention keeps are forgotten, and the space that only they took is won back.
//!
//! What is forgotten goes to the vault's trash first, from where it can be brought back for a while.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Page, PageQuery,
    endpoint::endpoints,
    id::{BackupConfigurationId, BackupId, CleanupId, SnapshotId, VaultId},
    retention::Retention,
    run::RunState,
};

/// One cleanup of a vault. Sizes are in bytes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Cleanup {
    /// The cleanup's id.
    pub id: CleanupId,
    /// The vault that it cleans.
    pub vault_id: VaultId,
    /// Where it stands.
    pub state: RunState,
    /// Why it failed.
    pub reason: Option<String>,
    /// The time of the vault's own schedule that it stands for; nothing when somebody asked for it.
    pub slot_at: Option<Timestamp>,
    /// Backups that were kept.
    pub backups_kept: u64,
    /// Backups that were forgotten.
    pub backups_forgotten: u64,
    /// Packs that were written anew without their waste.
    pub packs_repacked: u64,
    /// Packs that went to the trash.
    pub packs_dropped: u64,
    /// Their sizes.
    pub bytes_dropped: u64,
    /// Files of the trash whose time was over, and that are gone for good.
    pub files_deleted: u64,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When it began.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub completed_at: Option<Timestamp>,
}

/// What a cleanup would do now.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CleanupPlan {
    /// A verdict on each backup of the vault, newest first within its configuration.
    pub verdicts: Vec<CleanupVerdict>,
}

/// What would become of one backup.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CleanupVerdict {
    /// The backup.
    pub backup_id: BackupId,
    /// Its configuration, whose rules decide.
    pub configuration_id: BackupConfigurationId,
    /// Its snapshot.
    pub snapshot_id: SnapshotId,
    /// When the snapshot arrived, by the server's clock.
    pub arrived_at: Timestamp,
    /// Whether it is kept.
    pub kept: bool,
    /// Why it is kept: the rules that want it, or `floor`, `newest`, `no_rule`.
    pub reasons: Vec<String>,
}

/// What lies in a vault's trash.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Trash {
    /// Files.
    pub files: u64,
    /// Their sizes in sum, in bytes.
    pub size_bytes: u64,
    /// The snapshots among them: backups that can be brought back.
    pub snapshots: u64,
    /// When the oldest was thrown away.
    pub oldest_at: Option<Timestamp>,
    /// After how many days a file of the trash is gone for good.
    pub keep_days: u32,
}

endpoints! {
    /// Starts a cleanup of a vault: what no rule of retention keeps goes to the trash.
    CleanupCreate = "cleanup_create": Post "/vaults/{id}/cleanups", Admin, (VaultId) ? (), () => 202 Cleanup;
    /// Lists the cleanups of a vault, newest first.
    CleanupList = "cleanup_list": Get "/vaults/{id}/cleanups", Observer, (VaultId) ? PageQuery, () => 200 Page<Cleanup>;
    /// Shows one cleanup.
    CleanupShow = "cleanup_show": Get "/cleanups/{id}", Observer, (CleanupId) ? (), () => 200 Cleanup;
    /// Shows what a cleanup of a vault would keep and forget now.
    CleanupPlanShow = "cleanup_plan_show": Get "/vaults/{id}/cleanup-plan", Observer, (VaultId) ? (), () => 200 CleanupPlan;
    /// Shows what cleanups would keep and forget of a configuration now, if it had these rules. Changes nothing.
    RetentionPlanShow = "retention_plan_show": Post "/backup-configurations/{id}/retention-plan", Observer, (BackupConfigurationId) ? (), Retention => 200 CleanupPlan;
    /// Shows what lies in a vault's trash.
    TrashShow = "trash_show": Get "/vaults/{id}/trash", Observer, (VaultId) ? (), () => 200 Trash;
    /// Brings everything back from a vault's trash.
    TrashRestore = "trash_restore": Post "/vaults/{id}/trash/restore", Admin, (VaultId) ? (), () => 200 Trash;
}
