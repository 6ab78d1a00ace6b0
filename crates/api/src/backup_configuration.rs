//! Backup configurations: what is backed up, and when.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Page,
    endpoint::endpoints,
    id::{AgentId, BackupConfigurationId},
};

/// When a configuration runs. Written as on the command line: `manual`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Schedule {
    /// Only when somebody starts it.
    #[default]
    Manual,
}

impl std::fmt::Display for Schedule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Manual => f.write_str("manual"),
        }
    }
}

impl std::str::FromStr for Schedule {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "manual" => Ok(Self::Manual),
            _ => Err(format!("{text:?} is not a schedule this version knows; it knows `manual`")),
        }
    }
}

/// A backup configuration.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BackupConfiguration {
    /// The configuration's id.
    pub id: BackupConfigurationId,
    /// Its name.
    pub name: String,
    /// The agent that carries it out.
    pub agent_id: AgentId,
    /// Whether it may be started.
    pub enabled: bool,
    /// The files and folders to back up: absolute paths.
    pub inclusions: Vec<String>,
    /// What to leave out: restic's exclude patterns.
    pub exclusions: Vec<String>,
    /// When it runs.
    pub schedule: Schedule,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// A configuration to be made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewBackupConfiguration {
    /// Its name, 1 to 200 characters.
    pub name: String,
    /// The agent that is to carry it out.
    pub agent_id: AgentId,
    /// The files and folders to back up: absolute paths without `..`, 1 to 1000 of them.
    pub inclusions: Vec<String>,
    /// What to leave out: restic's exclude patterns, up to 1000.
    #[serde(default)]
    pub exclusions: Vec<String>,
    /// When it runs.
    #[serde(default)]
    pub schedule: Schedule,
}

/// A change to a configuration: what is absent stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BackupConfigurationChange {
    /// The new name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// All inclusions from now on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inclusions: Option<Vec<String>>,
    /// All exclusions from now on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exclusions: Option<Vec<String>>,
    /// The new schedule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule: Option<Schedule>,
}

/// Which configurations to list.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BackupConfigurationQuery {
    /// Only those of this agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_id: Option<AgentId>,
    /// How many items at the most, 1 to 1000; 100 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// Where to go on: `next` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

endpoints! {
    /// Makes a backup configuration.
    BackupConfigurationCreate = "backup_configuration_create": Post "/backup-configurations", Creator, (()) ? (), NewBackupConfiguration => 201 BackupConfiguration;
    /// Lists backup configurations, oldest first.
    BackupConfigurationList = "backup_configuration_list": Get "/backup-configurations", Observer, (()) ? BackupConfigurationQuery, () => 200 Page<BackupConfiguration>;
    /// Shows one backup configuration.
    BackupConfigurationShow = "backup_configuration_show": Get "/backup-configurations/{id}", Observer, (BackupConfigurationId) ? (), () => 200 BackupConfiguration;
    /// Changes a backup configuration; what the body leaves out stays as it is.
    BackupConfigurationUpdate = "backup_configuration_update": Patch "/backup-configurations/{id}", Creator, (BackupConfigurationId) ? (), BackupConfigurationChange => 200 BackupConfiguration;
    /// Lets a backup configuration be started again.
    BackupConfigurationEnable = "backup_configuration_enable": Post "/backup-configurations/{id}/enable", Creator, (BackupConfigurationId) ? (), () => 200 BackupConfiguration;
    /// Keeps a backup configuration from being started; a run in hand goes on.
    BackupConfigurationDisable = "backup_configuration_disable": Post "/backup-configurations/{id}/disable", Creator, (BackupConfigurationId) ? (), () => 200 BackupConfiguration;
    /// Deletes a backup configuration. Its backups stay, and can be restored.
    BackupConfigurationDelete = "backup_configuration_delete": Delete "/backup-configurations/{id}", Admin, (BackupConfigurationId) ? (), () => 204 ();
}
