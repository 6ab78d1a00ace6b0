//! Restores: files of a backup written to a path on an agent's machine.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Page,
    endpoint::endpoints,
    id::{AgentId, BackupId, RestoreConfigurationId, RestoreId},
    run::{Progress, RunError, RunState},
    sealing::EncryptedPassword,
};

/// One restore.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Restore {
    /// The restore's id.
    pub id: RestoreId,
    /// Its name: the backup's, and how many restores that had had.
    pub name: String,
    /// The backup that it restores.
    pub backup_id: BackupId,
    /// The restore configuration that it runs.
    pub configuration_id: Option<RestoreConfigurationId>,
    /// The agent that runs it.
    pub agent_id: AgentId,
    /// The folder that the files go under, each with its full path; `/` puts them where they were.
    pub path: String,
    /// Only files that match one of these; all where there is none.
    pub inclusions: Vec<String>,
    /// Files that match one of these are left out.
    pub exclusions: Vec<String>,
    /// Whether files that differ are overwritten; else they stay, and are counted as skipped.
    pub overwrite: bool,
    /// Where it stands.
    pub state: RunState,
    /// Why it failed, or was cancelled.
    pub reason: Option<String>,
    /// How far it has come.
    pub progress: Progress,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When the agent began.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub completed_at: Option<Timestamp>,
}

/// A restore to be started: of a backup, or as a restore configuration says. What else stands here takes the place of
/// what the configuration says.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewRestore {
    /// The backup to restore.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backup_id: Option<BackupId>,
    /// The restore configuration to run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restore_configuration_id: Option<RestoreConfigurationId>,
    /// The agent to restore to; the one that made the backup when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_id: Option<AgentId>,
    /// The folder that the files go under: absolute, without `..`; `/` (where they were) when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Only files that match one of these patterns; all when empty.
    #[serde(default)]
    pub inclusions: Vec<String>,
    /// Files that match one of these patterns are left out.
    #[serde(default)]
    pub exclusions: Vec<String>,
    /// Whether files that differ are overwritten.
    #[serde(default)]
    pub overwrite: bool,
    /// The password of a sealed vault, encrypted to the agent that restores; needed where that is another than the
    /// vault's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<EncryptedPassword>,
}

impl NewRestore {
    /// All files of a backup, where they were, on its own agent.
    pub fn of(backup_id: BackupId) -> Self {
        Self { backup_id: Some(backup_id), ..Self::default() }
    }

    /// What a restore configuration says.
    pub fn by(configuration_id: RestoreConfigurationId) -> Self {
        Self { restore_configuration_id: Some(configuration_id), ..Self::default() }
    }
}

/// What there is to say of a restore that ended by itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RestoreReport {
    /// The restore's id.
    pub id: RestoreId,
    /// The backup that it restored.
    pub backup_id: BackupId,
    /// How it ended.
    pub state: RunState,
    /// Whether everything was restored.
    pub ok: bool,
    /// What went wrong, in one sentence; nothing where `ok`.
    pub error: Option<String>,
    /// When the agent began.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub completed_at: Option<Timestamp>,
    /// From beginning to end.
    pub duration_seconds: f64,
    /// Files written.
    pub files_restored: u64,
    /// Their sizes in sum.
    pub bytes_restored: u64,
    /// Files left as they were: identical already, or different and not to be overwritten.
    pub files_skipped: u64,
    /// Files that could not be written.
    pub error_count: u64,
    /// The first of them (see [`crate::run::MAX_REPORTED_ERRORS`]).
    pub errors: Vec<RunError>,
}

/// Which restores to list.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RestoreQuery {
    /// Only those of this agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_id: Option<AgentId>,
    /// Only those that have not ended (true), or that have (false).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub active: Option<bool>,
    /// How many items at the most, 1 to 1000; 100 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// Where to go on: `next` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

endpoints! {
    /// Starts a restore.
    RestoreCreate = "restore_create": Post "/restores", Creator, (()) ? (), NewRestore => 202 Restore;
    /// Lists restores, newest first.
    RestoreList = "restore_list": Get "/restores", Observer, (()) ? RestoreQuery, () => 200 Page<Restore>;
    /// Shows one restore with its live progress.
    RestoreShow = "restore_show": Get "/restores/{id}", Observer, (RestoreId) ? (), () => 200 Restore;
    /// Stops a restore. The reply comes at once; the state is `cancelled` when it has ended.
    RestoreStop = "restore_stop": Post "/restores/{id}/stop", Creator, (RestoreId) ? (), () => 202 Restore;
    /// Shows the report of a restore that ended by itself.
    RestoreReportShow = "restore_report_show": Get "/restores/{id}/report", Observer, (RestoreId) ? (), () => 200 RestoreReport;
}
