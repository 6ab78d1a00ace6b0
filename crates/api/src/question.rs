//! What the server asks an agent in between, and is answered at once over the link: nothing that works on a vault, and
//! nothing that changes the machine beyond how much the agent says.
//!
//! The server waits [`ANSWER_SECONDS`] at the most and asks [`MAX_OPEN`] questions at a time of one agent. An agent that
//! does not know a question says so; one that is older than all questions says nothing.

use serde::{Deserialize, Serialize};

use crate::{
    Page,
    agent_log::{AgentLog, LogLevel},
    file::File,
};

/// How long the server waits for an answer, in seconds.
pub const ANSWER_SECONDS: u32 = 20;
/// How many questions one agent may have open.
pub const MAX_OPEN: usize = 8;

/// A question.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "snake_case")]
pub enum Question {
    /// What is in a folder, by name. Answered with [`Answer::Files`].
    Files {
        /// The folder: an absolute path without `..`.
        path: String,
        /// Where to go on: `next` of the page before.
        cursor: Option<String>,
        /// How many entries at the most.
        limit: u32,
    },
    /// The last lines of the agent's log. Answered with [`Answer::Log`].
    Log {
        /// How many.
        lines: u32,
    },
    /// How much the log is to say from now on. Answered with [`Answer::Log`].
    SetLogLevel {
        /// The level.
        level: LogLevel,
    },
    /// Whether it is there. Answered with [`Answer::Awake`].
    Awake,
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum Answer {
    /// The entries of a folder.
    Files {
        /// Those of this page.
        page: Page<File>,
    },
    /// What the log says.
    Log {
        /// It.
        log: AgentLog,
    },
    /// It is there.
    Awake,
    /// There is none.
    Refused {
        /// What kind of reason that has.
        why: Refusal,
        /// The reason, for the user: a phrase without a full stop.
        reason: String,
    },
}

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// What was asked makes no sense.
    Invalid,
    /// The policy of the machine forbids it, or the system does.
    Forbidden,
    /// What was asked for is not there.
    NotFound,
    /// It cannot be told just now.
    Failed,
    /// The agent does not know such a question.
    Unknown,
}
