//! Vaults: the repositories that hold backup data. Each is a restic repository.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Page, PageQuery,
    endpoint::endpoints,
    id::{AgentId, BackupId, VaultId},
};

/// Who holds a vault's password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum VaultMode {
    /// The server does: it can browse, check and export the key.
    Managed,
    /// User and agent do; the server never.
    Sealed,
}

/// A vault.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Vault {
    /// The vault's id.
    pub id: VaultId,
    /// The agent that backs up to it.
    pub agent_id: AgentId,
    /// Who holds its password.
    pub mode: VaultMode,
    /// Whether its agent backs up to it. One that is not current is what a deleted agent left, or an agent that has
    /// another by now: it can only be read.
    pub current: bool,
    /// Where restic reaches it, without the `rest:` in front.
    pub url: String,
    /// What its files take, in bytes.
    pub size_bytes: u64,
    /// How many snapshots it holds.
    pub snapshot_count: u64,
    /// When it was made.
    pub created_at: Timestamp,
    /// When the last check ended that found it whole.
    pub last_good_check_at: Option<Timestamp>,
    /// When the last drill ended that brought back what was backed up.
    pub last_good_drill_at: Option<Timestamp>,
}

/// What plain restic needs to open a vault.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct VaultKey {
    /// The repository: a path where the vault lies on the server's own disk.
    pub repository: String,
    /// The repository's password.
    pub password: String,
}

/// What a backup would take to restore, and what it brought to its vault.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BackupStats {
    /// The backup.
    pub backup_id: BackupId,
    /// Files, each hard link counted.
    pub files: u64,
    /// What restoring it writes, in bytes.
    pub bytes: u64,
    /// What it has that no earlier backup has, in bytes.
    pub bytes_added: u64,
    /// What that takes in the vault, in bytes.
    pub bytes_added_stored: u64,
}

/// What a vault holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct VaultStats {
    /// Its backups, oldest first.
    pub backups: Vec<BackupStats>,
    /// What restoring each of them would write, in sum, in bytes.
    pub bytes_restored: u64,
    /// What they hold, what they share counted once, in bytes.
    pub bytes: u64,
    /// What that takes in the vault: compressed and sealed, in bytes.
    pub bytes_stored: u64,
    /// Folders that could not be read: what is in them is counted nowhere.
    pub unreadable: u64,
}

/// How large a vault was on a day, as it was measured then.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct VaultDay {
    /// The day in UTC, such as `2026-11-22`.
    pub day: String,
    /// What its files took, in bytes.
    pub size_bytes: u64,
    /// How many snapshots it held.
    pub snapshot_count: u64,
}

/// Which days to show.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GrowthQuery {
    /// How many days back, 1 to 731; 90 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub days: Option<u32>,
}

/// How a vault has grown.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct VaultGrowth {
    /// One entry a day on which a server ran, oldest first; the last is of today, and of now.
    pub days: Vec<VaultDay>,
}

endpoints! {
    /// Shows how large a vault was on each day.
    VaultGrowthShow = "vault_growth_show": Get "/vaults/{id}/growth", Observer, (VaultId) ? GrowthQuery, () => 200 VaultGrowth;
    /// Counts what a vault holds. Looks through all of its backups, which may take a while.
    VaultStatsShow = "vault_stats_show": Get "/vaults/{id}/stats", Observer, (VaultId) ? (), () => 200 VaultStats;
    /// Lists the vaults, oldest first.
    VaultList = "vault_list": Get "/vaults", Observer, (()) ? PageQuery, () => 200 Page<Vault>;
    /// Shows one vault.
    VaultShow = "vault_show": Get "/vaults/{id}", Observer, (VaultId) ? (), () => 200 Vault;
    /// Deletes a vault that no agent backs up to any more, with every backup in it.
    VaultDelete = "vault_delete": Delete "/vaults/{id}", Admin, (VaultId) ? (), () => 204 ();
    /// Shows what plain restic needs to open a managed vault.
    VaultKeyExport = "vault_key_export": Post "/vaults/{id}/export-key", Admin, (VaultId) ? (), () => 200 VaultKey;
}
