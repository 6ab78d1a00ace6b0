//! Restore configurations: a restore that is kept, to be run again or by somebody else.
//!
//! They have no clock of their own: a restore runs when somebody starts it.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Page,
    endpoint::endpoints,
    id::{AgentId, BackupId, RestoreConfigurationId, RestoreId},
    restore::OverwriteRule,
};

/// A restore configuration.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RestoreConfiguration {
    /// The configuration's id.
    pub id: RestoreConfigurationId,
    /// Its name.
    pub name: String,
    /// The backup that it restores.
    pub backup_id: BackupId,
    /// The agent that it restores to.
    pub agent_id: AgentId,
    /// Whether it may be started.
    pub enabled: bool,
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
    /// Who is told of its runs: mail addresses with commas between them.
    pub notification_email: Option<String>,
    /// Whether runs that ended well are told.
    pub notify_success: bool,
    /// Whether runs that did not are told.
    pub notify_failure: bool,
    /// Its latest run.
    pub latest_restore_id: Option<RestoreId>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// A restore configuration to be made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewRestoreConfiguration {
    /// Its name, 1 to 200 characters.
    pub name: String,
    /// The backup to restore.
    pub backup_id: BackupId,
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
    /// Who is told of its runs: mail addresses with commas between them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notification_email: Option<String>,
    /// Whether runs that ended well are told.
    #[serde(default)]
    pub notify_success: bool,
    /// Whether runs that did not are told.
    #[serde(default)]
    pub notify_failure: bool,
}

impl NewRestoreConfiguration {
    /// A configuration that restores all files of a backup, on its own agent, where they were, and overwrites none.
    pub fn new(name: impl Into<String>, backup_id: BackupId) -> Self {
        Self {
            name: name.into(),
            backup_id,
            agent_id: None,
            path: None,
            inclusions: Vec::new(),
            exclusions: Vec::new(),
            overwrite: false,
            overwrite_rule: None,
            notification_email: None,
            notify_success: false,
            notify_failure: false,
        }
    }
}

/// A change to a restore configuration: what is absent stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RestoreConfigurationChange {
    /// The new name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The backup to restore from now on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backup_id: Option<BackupId>,
    /// The agent to restore to from now on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_id: Option<AgentId>,
    /// The new folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// All inclusions from now on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inclusions: Option<Vec<String>>,
    /// All exclusions from now on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exclusions: Option<Vec<String>>,
    /// Whether files that differ are overwritten from now on: the rule `if_changed`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overwrite: Option<bool>,
    /// Which files that are there are overwritten from now on; takes the place of `overwrite`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overwrite_rule: Option<OverwriteRule>,
    /// Who is told from now on; nobody when empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notification_email: Option<String>,
    /// Whether runs that ended well are told from now on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notify_success: Option<bool>,
    /// Whether runs that did not are told from now on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notify_failure: Option<bool>,
}

/// Which restore configurations to list.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RestoreConfigurationQuery {
    /// Only those that restore to this agent.
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
    /// Makes a restore configuration.
    RestoreConfigurationCreate = "restore_configuration_create": Post "/restore-configurations", Creator, (()) ? (), NewRestoreConfiguration => 201 RestoreConfiguration;
    /// Lists restore configurations, oldest first.
    RestoreConfigurationList = "restore_configuration_list": Get "/restore-configurations", Observer, (()) ? RestoreConfigurationQuery, () => 200 Page<RestoreConfiguration>;
    /// Shows one restore configuration.
    RestoreConfigurationShow = "restore_configuration_show": Get "/restore-configurations/{id}", Observer, (RestoreConfigurationId) ? (), () => 200 RestoreConfiguration;
    /// Changes a restore configuration; what the body leaves out stays as it is.
    RestoreConfigurationUpdate = "restore_configuration_update": Patch "/restore-configurations/{id}", Creator, (RestoreConfigurationId) ? (), RestoreConfigurationChange => 200 RestoreConfiguration;
    /// Lets a restore configuration be started again.
    RestoreConfigurationEnable = "restore_configuration_enable": Post "/restore-configurations/{id}/enable", Creator, (RestoreConfigurationId) ? (), () => 200 RestoreConfiguration;
    /// Keeps a restore configuration from being started; a run in hand goes on.
    RestoreConfigurationDisable = "restore_configuration_disable": Post "/restore-configurations/{id}/disable", Creator, (RestoreConfigurationId) ? (), () => 200 RestoreConfiguration;
    /// Deletes a restore configuration. Its restores stay known.
    RestoreConfigurationDelete = "restore_configuration_delete": Delete "/restore-configurations/{id}", Admin, (RestoreConfigurationId) ? (), () => 204 ();
}
