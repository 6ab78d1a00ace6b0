//! What backups and restores have in common: states, progress, and errors of single files.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The state of a backup or restore.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RunState {
    /// It waits for its agent.
    Queued,
    /// The agent was told to start it.
    StartRequested,
    /// The agent looks for files; none was read yet.
    Searching,
    /// Files are read or written.
    InProgress,
    /// The agent was told to stop it.
    StopRequested,
    /// It ended well.
    Completed,
    /// It ended, and some files could not be read or written.
    CompletedWithErrors,
    /// It ended badly; the reason says why.
    Failed,
    /// Somebody stopped it.
    Cancelled,
    /// Its time passed while nobody could run it.
    Missed,
    /// Its time came while the run before it was still going.
    Skipped,
}

impl RunState {
    /// Whether nothing more happens to the run.
    pub fn has_ended(self) -> bool {
        !matches!(
            self,
            Self::Queued | Self::StartRequested | Self::Searching | Self::InProgress | Self::StopRequested
        )
    }

    /// Whether the run left a report: it ended by itself, well or badly.
    pub fn has_report(self) -> bool {
        matches!(self, Self::Completed | Self::CompletedWithErrors | Self::Failed)
    }

    /// The state's word, as JSON and the database have it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::StartRequested => "start_requested",
            Self::Searching => "searching",
            Self::InProgress => "in_progress",
            Self::StopRequested => "stop_requested",
            Self::Completed => "completed",
            Self::CompletedWithErrors => "completed_with_errors",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Missed => "missed",
            Self::Skipped => "skipped",
        }
    }
}

impl std::fmt::Display for RunState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::str::FromStr for RunState {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        serde_json::from_value(serde_json::Value::from(text))
            .map_err(|_| format!("{text:?} is not a state of a run"))
    }
}

/// How a backup came to be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RunOrigin {
    /// Somebody asked for it.
    #[default]
    Asked,
    /// Its time came.
    Schedule,
    /// It makes up for times that were missed.
    MadeUp,
}

impl RunOrigin {
    /// The word of JSON and the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::Schedule => "schedule",
            Self::MadeUp => "made_up",
        }
    }
}

impl std::str::FromStr for RunOrigin {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "asked" => Ok(Self::Asked),
            "schedule" => Ok(Self::Schedule),
            "made_up" => Ok(Self::MadeUp),
            _ => Err(format!("{text:.50?} is no origin of a run")),
        }
    }
}

/// How far a run has come. Sizes are in bytes. Backups and restores count the same way: a restore "searches" the
/// snapshot and counts what it wrote as done.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Progress {
    /// Files looked at so far.
    pub files_searched: u64,
    /// Their sizes in sum.
    pub bytes_searched: u64,
    /// Files read (backup) or written (restore) so far.
    pub files_done: u64,
    /// Their sizes in sum.
    pub bytes_done: u64,
    /// What the vault grew by (backups only).
    pub bytes_added: u64,
    /// Files there are to look at, as far as is known.
    pub files_total: u64,
    /// Their sizes in sum, as far as is known.
    pub bytes_total: u64,
    /// Whether the totals are final; until then they are an estimate that grows.
    pub totals_final: bool,
    /// Files that could not be read or written.
    pub error_count: u64,
    /// The file in hand.
    pub current_path: Option<String>,
}

/// One file that could not be read or written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RunError {
    /// A stable word for the kind of error, such as `permission_denied`, `not_found`, `io`.
    #[serde(rename = "type")]
    pub kind: String,
    /// What happened, in few words.
    pub reason: String,
    /// The operating system's error number, 0 where there is none.
    pub code: i32,
    /// More of it, such as the operation that failed.
    pub details: String,
    /// The file; bytes that are not UTF-8 are shown as U+FFFD.
    pub path: String,
}

/// How many errors of single files a report carries at the most; the rest is counted.
pub const MAX_REPORTED_ERRORS: usize = 1000;
