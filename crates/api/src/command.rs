//! Commands: something run on many machines at once, with what each of them said.
//!
//! Only admins run them, and see them: what a command prints may hold secrets.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Page, PageQuery,
    endpoint::endpoints,
    id::{BackendId, CommandId, MachineId},
};

/// How many machines a command runs on at once, where nobody says.
pub const DEFAULT_PARALLEL: u32 = 50;
/// How long a command may run on a machine, in seconds, where nobody says.
pub const DEFAULT_TIMEOUT_SECONDS: u32 = 600;
/// How long a script may be, in bytes.
pub const MAX_SCRIPT_BYTES: usize = 64 * 1024;
/// How long an answer may wait for output, in seconds.
pub const MAX_WAIT_SECONDS: u32 = 30;

/// A command.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Command {
    /// The command's id.
    pub id: CommandId,
    /// What is run.
    pub script: String,
    /// Where it stands.
    pub state: CommandState,
    /// Why it failed.
    pub reason: Option<String>,
    /// How many machines it runs on at once.
    pub parallel: u32,
    /// How long it may run on each, in seconds.
    pub timeout_seconds: u32,
    /// Machines that it was ordered for.
    pub total: u32,
    /// Machines on which it has ended well.
    pub completed: u32,
    /// Machines on which it has ended otherwise.
    pub failed: u32,
    /// Who asked for it.
    pub created_by: String,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When it began.
    pub started_at: Option<Timestamp>,
    /// When it ended on the last machine.
    pub completed_at: Option<Timestamp>,
}

/// Where a command stands, on one machine or on all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CommandState {
    /// It waits for its turn.
    Queued,
    /// It runs.
    Running,
    /// It ended with status 0; on every machine, where all are meant.
    Completed,
    /// It ended otherwise, or could not be run.
    Failed,
    /// It took too long and was ended.
    TimedOut,
    /// Somebody ended it.
    Cancelled,
}

impl CommandState {
    /// Whether nothing more happens to it.
    pub fn has_ended(self) -> bool {
        !matches!(self, Self::Queued | Self::Running)
    }

    /// The word, as JSON and the database have it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::TimedOut => "timed_out",
            Self::Cancelled => "cancelled",
        }
    }
}

impl std::fmt::Display for CommandState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::str::FromStr for CommandState {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        serde_json::from_value(serde_json::Value::from(text))
            .map_err(|_| format!("{text:?} is not a state of a command"))
    }
}

/// A command on one machine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CommandMachine {
    /// The machine.
    pub machine_id: MachineId,
    /// The machine's name when the command was ordered.
    pub machine_name: String,
    /// Where it stands there.
    pub state: CommandState,
    /// The status that it ended with.
    pub exit_code: Option<u32>,
    /// Why it failed, where it is not the status that says so.
    pub reason: Option<String>,
    /// How much it printed, in bytes; more than is kept where that was too much.
    pub output_bytes: u64,
    /// When it began there.
    pub started_at: Option<Timestamp>,
    /// When it ended there.
    pub completed_at: Option<Timestamp>,
}

/// A piece of what a command printed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CommandOutput {
    /// The piece's number; `cursor` of a later question goes on after it.
    pub number: i64,
    /// The machine that printed it.
    pub machine_id: MachineId,
    /// Where it was printed.
    pub stream: OutputStream,
    /// What was printed. What is no UTF-8 is replaced.
    pub text: String,
    /// When.
    pub at: Timestamp,
}

/// Where a program prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OutputStream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// A command to be run, on machines that are named or picked; on all of both kinds.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewCommand {
    /// What to run: commands of a POSIX shell, or a script that begins with `#!`; up to 64 KiB.
    pub script: String,
    /// The machines, up to 1000.
    #[serde(default)]
    pub machine_ids: Vec<MachineId>,
    /// Also those with this in their name, ids, addresses or tags.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub search: Option<String>,
    /// Also those with this tag. With `search` and `backend_id` only those that fit all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
    /// Also those of this backend.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backend_id: Option<BackendId>,
    /// On how many at once, 1 to 200; 50 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parallel: Option<u32>,
    /// How long it may run on each, in seconds, up to a day; 600 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_seconds: Option<u32>,
}

/// Leaves out the script: there may be secrets in it.
impl std::fmt::Debug for NewCommand {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewCommand")
            .field("machine_ids", &self.machine_ids)
            .field("search", &self.search)
            .field("tag", &self.tag)
            .field("backend_id", &self.backend_id)
            .finish_non_exhaustive()
    }
}

/// Which commands to list.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CommandQuery {
    /// Only those in this state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<CommandState>,
    /// How many items at the most, 1 to 1000; 100 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// Where to go on: `next` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

/// Which output to list.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CommandOutputQuery {
    /// Only what this machine printed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub machine_id: Option<MachineId>,
    /// How long to wait for more output, or for the end, where there is none yet; up to 30 seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wait_seconds: Option<u32>,
    /// How many items at the most, 1 to 1000; 100 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// Where to go on: `next` of the page before, or the number of the last piece.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

endpoints! {
    /// Runs a command on machines, over SSH with their keys, or by a way of their backend's own.
    CommandCreate = "command_create": Post "/commands", Admin, (()) ? (), NewCommand => 202 Command;
    /// Lists commands, newest first.
    CommandList = "command_list": Get "/commands", Admin, (()) ? CommandQuery, () => 200 Page<Command>;
    /// Shows one command.
    CommandShow = "command_show": Get "/commands/{id}", Admin, (CommandId) ? (), () => 200 Command;
    /// Lists the machines of a command, each with how it ended there.
    CommandMachineList = "command_machines": Get "/commands/{id}/machines", Admin, (CommandId) ? PageQuery, () => 200 Page<CommandMachine>;
    /// Lists what a command printed, in the order in which it came; waits for more where that is asked for.
    CommandOutputList = "command_output": Get "/commands/{id}/output", Admin, (CommandId) ? CommandOutputQuery, () => 200 Page<CommandOutput>;
    /// Ends a command on all machines.
    CommandCancel = "command_cancel": Post "/commands/{id}/cancel", Admin, (CommandId) ? (), () => 202 Command;
}
