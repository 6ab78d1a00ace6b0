//! Jobs: work that takes time and goes on by itself, such as the making of machines.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Page,
    endpoint::endpoints,
    id::{AgentId, BackendId, BackupId, JobId, MachineId, RestoreId},
};

/// A job.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Job {
    /// The job's id.
    pub id: JobId,
    /// What it does.
    pub kind: JobKind,
    /// Where it stands.
    pub state: JobState,
    /// Why it failed.
    pub reason: Option<String>,
    /// The backend that it works on.
    pub backend_id: BackendId,
    /// The machines that it has made, or works on.
    pub machine_ids: Vec<MachineId>,
    /// The agent that it has put on a machine.
    #[serde(default)]
    pub agent_id: Option<AgentId>,
    /// The backup that it has started.
    #[serde(default)]
    pub backup_id: Option<BackupId>,
    /// The restore that it has started.
    #[serde(default)]
    pub restore_id: Option<RestoreId>,
    /// Machines that are ready.
    pub done: u32,
    /// Machines that were ordered.
    pub total: u32,
    /// What has happened so far, oldest first; of a long story the end.
    pub log: Vec<JobLine>,
    /// Who asked for it.
    pub created_by: String,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When it began.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub completed_at: Option<Timestamp>,
}

/// A line of a job's log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct JobLine {
    /// When.
    pub at: Timestamp,
    /// What happened.
    pub text: String,
}

/// What a job does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum JobKind {
    /// It makes machines.
    MachineCreate,
    /// It puts an agent on a machine.
    MachineProtect,
    /// It makes a machine and restores a backup onto it.
    MachineRebuild,
}

/// Where a job stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum JobState {
    /// It waits for its turn.
    Queued,
    /// It goes on.
    Running,
    /// It ended well.
    Completed,
    /// It ended badly; the reason says why.
    Failed,
}

impl JobState {
    /// Whether nothing more happens to the job.
    pub fn has_ended(self) -> bool {
        matches!(self, Self::Completed | Self::Failed)
    }
}

macro_rules! words {
    ($type:ident: $($variant:ident = $word:literal),+) => {
        impl $type {
            /// The word, as JSON and the database have it.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word),+
                }
            }
        }

        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl std::str::FromStr for $type {
            type Err = String;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                match text {
                    $($word => Ok(Self::$variant),)+
                    _ => Err(format!("{text:?} is none of: {}", [$($word),+].join(", "))),
                }
            }
        }
    };
}
words!(JobKind: MachineCreate = "machine_create", MachineProtect = "machine_protect", MachineRebuild = "machine_rebuild");
words!(JobState: Queued = "queued", Running = "running", Completed = "completed", Failed = "failed");

/// Which jobs to list.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct JobQuery {
    /// Only those in this state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<JobState>,
    /// Only those that work on this backend.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backend_id: Option<BackendId>,
    /// How many items at the most, 1 to 1000; 100 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// Where to go on: `next` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

endpoints! {
    /// Lists jobs, newest first.
    JobList = "job_list": Get "/jobs", Observer, (()) ? JobQuery, () => 200 Page<Job>;
    /// Shows one job.
    JobShow = "job_show": Get "/jobs/{id}", Observer, (JobId) ? (), () => 200 Job;
}
