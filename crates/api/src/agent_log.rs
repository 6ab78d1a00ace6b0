//! The log of an agent: its last lines, asked of it over its link, and how much it says.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{agent::Agent, endpoint::endpoints, id::AgentId};

/// How many lines an agent keeps.
pub const MAX_LINES: u32 = 2000;

/// How much a log says: of each word, what it says and all before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LogLevel {
    /// What went wrong for good.
    Error,
    /// What went wrong and may mend itself.
    Warn,
    /// What happened.
    #[default]
    Info,
    /// How it came about.
    Debug,
    /// Every step.
    Trace,
}

impl LogLevel {
    /// The word of JSON, and of `RUST_LOG`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace => "trace",
        }
    }
}

impl std::fmt::Display for LogLevel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::str::FromStr for LogLevel {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        serde_json::from_value(serde_json::Value::from(text))
            .map_err(|_| format!("{text:.50?} is no level of a log; write error, warn, info, debug or trace"))
    }
}

/// What an agent's log says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AgentLog {
    /// How much it says; absent where the machine's own `RUST_LOG` says that in other words.
    pub level: Option<LogLevel>,
    /// The last lines, oldest first, each with its time; those of jobs among them.
    pub lines: Vec<String>,
}

/// Which part of a log to show.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AgentLogQuery {
    /// How many lines at the most, 1 to 2000; 200 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lines: Option<u32>,
}

/// How much a log is to say.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LogLevelChange {
    /// The level, until the agent starts anew.
    pub level: LogLevel,
}

endpoints! {
    /// Shows the last lines of an agent's log.
    AgentLogShow = "agent_log_show": Get "/agents/{id}/log", Creator, (AgentId) ? AgentLogQuery, () => 200 AgentLog;
    /// Sets how much an agent's log says, until it starts anew.
    AgentLogLevelSet = "agent_log_level_set": Post "/agents/{id}/log-level", Creator, (AgentId) ? (), LogLevelChange => 200 AgentLog;
    /// Asks an agent whether it is awake, and has what waits for it looked through.
    AgentWake = "agent_wake": Post "/agents/{id}/wake", Creator, (AgentId) ? (), () => 200 Agent;
}
