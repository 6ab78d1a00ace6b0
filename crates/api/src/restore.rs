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

/// What becomes of files that are in the target already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OverwriteRule {
    /// They stay, all of them.
    #[default]
    Never,
    /// Those stay that have the backup's size and time, or its content; the others are overwritten.
    IfChanged,
    /// Those are overwritten that were written before the backup's file was, unless they have its content.
    IfNewer,
    /// They are overwritten, all of them.
    Always,
}

impl OverwriteRule {
    /// The rule that a plain yes or no stands for.
    pub fn of(overwrite: bool) -> Self {
        if overwrite { Self::IfChanged } else { Self::Never }
    }

    /// Whether it overwrites anything.
    pub fn overwrites(self) -> bool {
        self != Self::Never
    }
}

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
    /// Which files that are there are overwritten.
    pub overwrite_rule: OverwriteRule,
    /// Whether it only tells what it would do, in its report.
    pub dry_run: bool,
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
    /// Whether files that differ are overwritten: the rule `if_changed`.
    #[serde(default)]
    pub overwrite: bool,
    /// Which files that are there are overwritten; takes the place of `overwrite`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overwrite_rule: Option<OverwriteRule>,
    /// Whether only to tell what it would do: the agent looks at its files and changes none, and the report has the plan.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub dry_run: bool,
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

/// What would become of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RestoreAction {
    /// It would be made.
    Create,
    /// It would take the place of what is there.
    Overwrite,
    /// What is there would stay.
    Leave,
    /// It cannot be made: something stands in the way that may not go.
    Refuse,
}

/// So many files, and their sizes in sum. Links and devices count as files without a size.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PlannedFiles {
    /// Files.
    pub files: u64,
    /// Their sizes in sum, in bytes.
    pub bytes: u64,
}

/// What would become of one file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PlannedFile {
    /// Its path in the backup; bytes that are not UTF-8 are shown as U+FFFD.
    pub path: String,
    /// What would become of it.
    pub action: RestoreAction,
    /// Its size in bytes.
    pub size_bytes: u64,
}

/// How many files a plan names at the most.
pub const MAX_PLANNED_FILES: usize = 1000;

/// What a restore would do. Folders are not counted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RestorePlan {
    /// What would be made.
    pub created: PlannedFiles,
    /// What would take the place of something.
    pub overwritten: PlannedFiles,
    /// What would stay as it is.
    pub left: PlannedFiles,
    /// What cannot be made.
    pub refused: PlannedFiles,
    /// The first of them, by path; 1000 at the most, fewer where their paths are long.
    pub files: Vec<PlannedFile>,
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
    /// What it would have done, where that was all that was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<RestorePlan>,
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
