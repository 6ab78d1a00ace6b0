//! Activity: backups, restores, checks, cleanups and tasks of vaults in one list, running and past, newest first.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Page,
    endpoint::endpoints,
    id::{AgentId, VaultId},
    run::RunState,
};

/// What an activity is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ActivityKind {
    /// A backup.
    Backup,
    /// A check of a vault.
    Check,
    /// A cleanup of a vault.
    Cleanup,
    /// A copy of backups to another repository: a task of a vault.
    Copy,
    /// A restore drill: a task of a vault.
    Drill,
    /// A repair: a task of a vault.
    Repair,
    /// A restore.
    Restore,
}

impl ActivityKind {
    /// The word of JSON and of cursors.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Backup => "backup",
            Self::Check => "check",
            Self::Cleanup => "cleanup",
            Self::Copy => "copy",
            Self::Drill => "drill",
            Self::Repair => "repair",
            Self::Restore => "restore",
        }
    }
}

impl std::fmt::Display for ActivityKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::str::FromStr for ActivityKind {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        serde_json::from_value(serde_json::Value::from(text)).map_err(|_| {
            format!("{text:.50?} is no kind of activity; there are backup, check, cleanup, copy, drill, repair and restore")
        })
    }
}

/// Something that goes on or went on. `kind` and `id` say where to read more of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Activity {
    /// What it is.
    pub kind: ActivityKind,
    /// Its id among those of its kind.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// Where it stands.
    pub state: RunState,
    /// Why it failed, was cancelled, missed or skipped.
    pub reason: Option<String>,
    /// The agent whose data it is about.
    pub agent_id: AgentId,
    /// The agent that a restore writes to.
    pub destination_agent_id: Option<AgentId>,
    /// The vault that it reads or writes.
    pub vault_id: VaultId,
    /// The configuration that it ran: a backup's or a restore's.
    pub configuration_id: Option<i64>,
    /// Whether that configuration was deleted since.
    pub configuration_deleted: bool,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When it began.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub completed_at: Option<Timestamp>,
}

/// Which activities to list.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ActivityQuery {
    /// Only those of this kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<ActivityKind>,
    /// Only those of this agent, be it the one whose data it is or the one that is written to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_id: Option<AgentId>,
    /// Only those that have not ended (true), or that have (false).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub active: Option<bool>,
    /// Only those in this state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<RunState>,
    /// How many items at the most, 1 to 1000; 100 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// Where to go on: `next` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

endpoints! {
    /// Lists backups, restores, checks, cleanups, and tasks of vaults, newest first.
    ActivityList = "activity_list": Get "/activity", Observer, (()) ? ActivityQuery, () => 200 Page<Activity>;
}
