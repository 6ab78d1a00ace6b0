//! Backups: one run of a backup configuration, its live status and its report.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Page,
    backup_options::HookOutcome,
    endpoint::endpoints,
    id::{AgentId, BackupConfigurationId, BackupId, SnapshotId, VaultId},
    run::{Progress, RunError, RunOrigin, RunState},
};

/// One run of a backup configuration.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Backup {
    /// The backup's id.
    pub id: BackupId,
    /// Its name: the configuration's, and how many runs that had had (`daily-sql-10`).
    pub name: String,
    /// The configuration that it ran.
    pub configuration_id: BackupConfigurationId,
    /// The agent that runs it.
    pub agent_id: AgentId,
    /// The vault that it goes to.
    pub vault_id: VaultId,
    /// Where it stands.
    pub state: RunState,
    /// Why it failed, was cancelled, missed or skipped.
    pub reason: Option<String>,
    /// How it came to be.
    pub origin: RunOrigin,
    /// The time of the schedule that it stands for: each has one backup, even if only to say that it was missed.
    pub slot_at: Option<Timestamp>,
    /// The snapshot that it left in the vault; nothing once retention gave that up.
    pub snapshot_id: Option<SnapshotId>,
    /// When retention gave up its files.
    pub forgotten_at: Option<Timestamp>,
    /// How far it has come.
    pub progress: Progress,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When the agent began.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub completed_at: Option<Timestamp>,
}

/// A backup to be started.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewBackup {
    /// The configuration to run.
    pub configuration_id: BackupConfigurationId,
}

/// What there is to say of a backup that ended by itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BackupReport {
    /// The backup's id.
    pub id: BackupId,
    /// The configuration that it ran.
    pub configuration_id: BackupConfigurationId,
    /// How it ended.
    pub state: RunState,
    /// Whether everything was backed up.
    pub ok: bool,
    /// What went wrong, in one sentence; nothing where `ok`.
    pub error: Option<String>,
    /// Whether files can be restored from it.
    pub restorable: bool,
    /// The snapshot that it left in the vault.
    pub snapshot_id: Option<SnapshotId>,
    /// When the agent began.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub completed_at: Option<Timestamp>,
    /// From beginning to end.
    pub duration_seconds: f64,
    /// Files looked at.
    pub files_searched: u64,
    /// Their sizes in sum.
    pub bytes_searched: u64,
    /// Files that were new or changed, and read.
    pub files_backed_up: u64,
    /// Their sizes in sum.
    pub bytes_backed_up: u64,
    /// What the vault grew by.
    pub bytes_added: u64,
    /// Files that could not be read.
    pub error_count: u64,
    /// The first of them (see [`crate::run::MAX_REPORTED_ERRORS`]).
    pub errors: Vec<RunError>,
    /// What became of the commands before and after it.
    #[serde(default)]
    pub hooks: Vec<HookOutcome>,
}

/// Which backups to list.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BackupQuery {
    /// Only those of this agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_id: Option<AgentId>,
    /// Only those of this configuration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub configuration_id: Option<BackupConfigurationId>,
    /// Only those that have not ended (true), or that have (false).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub active: Option<bool>,
    /// Only those that files can be restored from (true), or that they cannot (false).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restorable: Option<bool>,
    /// How many items at the most, 1 to 1000; 100 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// Where to go on: `next` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

endpoints! {
    /// Starts a backup. A second one of the same configuration waits for nobody: it is a conflict while the first goes on.
    BackupCreate = "backup_create": Post "/backups", Creator, (()) ? (), NewBackup => 202 Backup;
    /// Lists backups, newest first.
    BackupList = "backup_list": Get "/backups", Observer, (()) ? BackupQuery, () => 200 Page<Backup>;
    /// Shows one backup with its live progress.
    BackupShow = "backup_show": Get "/backups/{id}", Observer, (BackupId) ? (), () => 200 Backup;
    /// Stops a backup. The reply comes at once; the state is `cancelled` when it has ended.
    BackupStop = "backup_stop": Post "/backups/{id}/stop", Creator, (BackupId) ? (), () => 202 Backup;
    /// Shows the report of a backup that ended by itself.
    BackupReportShow = "backup_report_show": Get "/backups/{id}/report", Observer, (BackupId) ? (), () => 200 BackupReport;
}
