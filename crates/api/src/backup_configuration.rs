//! Backup configurations: what is backed up, and when.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    Page,
    backup_options::BackupOptions,
    endpoint::endpoints,
    id::{AgentId, BackupConfigurationId},
    retention::Retention,
    schedule::Schedule,
};

/// What becomes of a slot of the schedule that passed while nobody could run it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MissedAction {
    /// It is made up for as soon as its agent is there again, once for all slots that were missed.
    #[default]
    Asap,
    /// Nothing is made up for; the next slot comes as ever.
    NextSlot,
}

impl MissedAction {
    /// The word of JSON and the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Asap => "asap",
            Self::NextSlot => "next_slot",
        }
    }
}

impl std::fmt::Display for MissedAction {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::str::FromStr for MissedAction {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "asap" => Ok(Self::Asap),
            "next_slot" | "next-slot" => Ok(Self::NextSlot),
            _ => Err(format!("{text:.50?} is neither asap nor next_slot")),
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
    /// When it runs by itself.
    pub schedule: Schedule,
    /// The IANA time zone whose clocks the schedule goes by, such as `Europe/Paris`.
    pub timezone: String,
    /// Over how many minutes after its times it is spread. Each configuration has its own place in them, always the same.
    pub spread_minutes: u32,
    /// What becomes of times that pass while nobody can run it.
    pub missed: MissedAction,
    /// When it runs next by itself; nothing for a manual one, and while it is disabled.
    pub next_runtime: Option<Timestamp>,
    /// How long its backups are kept.
    pub retention: Retention,
    /// What is passed over, and which commands run before and after.
    pub options: BackupOptions,
    /// Who is told of its runs: mail addresses with commas between them.
    pub notification_email: Option<String>,
    /// Whether runs that ended well are told.
    pub notify_success: bool,
    /// Whether runs that did not are told.
    pub notify_failure: bool,
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
    /// When it runs by itself.
    #[serde(default)]
    pub schedule: Schedule,
    /// The IANA time zone whose clocks the schedule goes by; `UTC` when absent.
    #[serde(default = "utc")]
    pub timezone: String,
    /// Over how many minutes after its times it is spread, up to 1440.
    #[serde(default)]
    pub spread_minutes: u32,
    /// What becomes of times that pass while nobody can run it.
    #[serde(default)]
    pub missed: MissedAction,
    /// How long its backups are kept; for ever when absent.
    #[serde(default)]
    pub retention: Retention,
    /// What is passed over, and which commands run before and after.
    #[serde(default)]
    pub options: BackupOptions,
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

fn utc() -> String {
    "UTC".to_owned()
}

impl NewBackupConfiguration {
    /// A configuration that leaves nothing out, runs when it is started, and is kept for ever.
    pub fn new(name: impl Into<String>, agent_id: AgentId, inclusions: Vec<String>) -> Self {
        Self {
            name: name.into(),
            agent_id,
            inclusions,
            exclusions: Vec::new(),
            schedule: Schedule::Manual,
            timezone: utc(),
            spread_minutes: 0,
            missed: MissedAction::default(),
            retention: Retention::default(),
            options: BackupOptions::default(),
            notification_email: None,
            notify_success: false,
            notify_failure: false,
        }
    }
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
    /// The new time zone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timezone: Option<String>,
    /// The new spread.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spread_minutes: Option<u32>,
    /// What becomes of missed times from now on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missed: Option<MissedAction>,
    /// All rules of retention from now on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retention: Option<Retention>,
    /// The options that change, as `options` has them: what is absent stays, and `null` brings back what is usual, at any
    /// depth (RFC 7396).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub options: Option<Map<String, Value>>,
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
