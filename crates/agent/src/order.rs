//! What an agent and its job's process say to each other: one JSON value a line, over the job's pipes.
//!
//! Down the standard input goes one [`JobOrder`], and at most one [`Stop`] before the end of the stream. An end
//! without a [`Stop`] means that the agent has died. Up the standard output come [`Report`]s.
//!
//! Secrets go this way and not through arguments or the environment, which other users may read.

use std::path::PathBuf;

use roadstead_api::{
    link::{Job, Outcome},
    run::{Progress, RunState},
};
use serde::{Deserialize, Serialize};

use crate::{proxy::ProxyUrl, server_url::ServerUrl};

/// How long a line may be, in bytes: an order holds one message of the link and little more.
pub(crate) const MAX_LINE_BYTES: u64 = 2 * roadstead_api::link::MAX_MESSAGE_BYTES as u64;

/// All that a job's process needs to know. No `Debug`: it holds secrets.
#[derive(Serialize, Deserialize)]
pub(crate) struct JobOrder {
    /// Where the vaults are.
    pub server: ServerUrl,
    /// The CA that alone vouches for the server, in PEM.
    pub ca_pem: Option<String>,
    /// The proxy to reach the server through.
    #[serde(default)]
    pub proxy: Option<ProxyUrl>,
    /// What the agent proves itself with.
    pub credential: String,
    /// The agent's folder.
    pub data_dir: PathBuf,
    /// The job.
    pub job: Job,
}

/// Why a job ends before it is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Stop {
    /// Somebody stopped the run.
    Asked,
    /// The agent was told to end.
    Shutdown,
    /// The agent is gone.
    Orphaned,
}

impl Stop {
    /// The state that the run ends in.
    pub fn state(self) -> RunState {
        match self {
            Self::Asked => RunState::Cancelled,
            Self::Shutdown | Self::Orphaned => RunState::Failed,
        }
    }

    /// Why it failed.
    pub fn reason(self) -> Option<String> {
        match self {
            Self::Asked => None,
            Self::Shutdown => Some("the agent was shut down".to_owned()),
            Self::Orphaned => Some("the agent ended while the job ran".to_owned()),
        }
    }
}

/// What a job's process tells.
#[derive(Serialize, Deserialize)]
#[serde(tag = "report", rename_all = "snake_case")]
pub(crate) enum Report {
    /// How far it has come.
    Progress {
        /// `searching` or `in_progress`.
        state: RunState,
        /// The counters.
        progress: Progress,
    },
    /// How it ended, where the disk would not take it.
    Unsaved {
        /// How.
        outcome: Box<Outcome>,
    },
}

/// A value as a line.
pub(crate) fn line(value: &impl Serialize) -> serde_json::Result<Vec<u8>> {
    let mut line = serde_json::to_vec(value)?;
    line.push(b'\n');
    Ok(line)
}
