//! The link between an agent and the server: one WebSocket that the agent opens, JSON text messages both ways.
//!
//! The agent connects to [`PATH`] with its credential (`Authorization: Bearer`), sends [`AgentMessage::Hello`] and is
//! answered with [`ServerMessage::Welcome`] or [`ServerMessage::Refused`]. After that:
//!
//! - the server sends [`ServerMessage::Start`]; the agent answers [`AgentMessage::Accepted`], then any number of
//!   [`AgentMessage::Progress`], then [`AgentMessage::Finished`], which it repeats at each connection until it has
//!   seen [`ServerMessage::Acknowledged`];
//! - the server may send [`ServerMessage::Stop`] at any time; a run the agent does not know is no error;
//! - the server may send [`ServerMessage::Ask`] at any time, which the agent answers with [`AgentMessage::Answer`];
//! - from [`ServerMessage::Measure`] on the agent sends [`AgentMessage::Sample`] as often as that says.
//!
//! At `Hello` the agent names the runs that it has in hand or finished. What the server believes running and the
//! agent does not name has died with the agent, and is failed.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    agent::HostFacts,
    backup_options::{BackupOptions, HookOutcome},
    id::{AgentId, SnapshotId, VaultId},
    metric::Sample,
    question::{Answer, Question},
    restore::{OverwriteRule, RestorePlan},
    run::{Progress, RunError, RunState},
    sealing::EncryptedPassword,
};

/// The version of this protocol.
pub const PROTOCOL: u32 = 1;
/// Where the server takes links.
pub const PATH: &str = "/agent/v1/link";
/// How large one message may be, in bytes.
pub const MAX_MESSAGE_BYTES: usize = 4 << 20;

/// What a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RunKind {
    /// A backup.
    Backup,
    /// A restore.
    Restore,
    /// A sealing of the vault, or a change of its password.
    Sealing,
    /// A check or cleanup of a sealed vault, which only its agent can look into.
    Upkeep,
}

/// Names one backup or restore.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct RunRef {
    /// What it is.
    pub kind: RunKind,
    /// Its id.
    pub id: i64,
}

impl std::fmt::Display for RunRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.kind {
            RunKind::Backup => write!(f, "backup-{}", self.id),
            RunKind::Restore => write!(f, "restore-{}", self.id),
            RunKind::Sealing => write!(f, "sealing-{}", self.id),
            RunKind::Upkeep => write!(f, "upkeep-{}", self.id),
        }
    }
}

/// What the agent sends.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "message", rename_all = "snake_case")]
pub enum AgentMessage {
    /// The first message.
    Hello {
        /// The protocol that the agent speaks.
        protocol: u32,
        /// The machine.
        host: HostFacts,
        /// The runs it has in hand, and those whose results it still keeps.
        runs: Vec<RunRef>,
        /// Whether it knows [`RunKind::Upkeep`]: one that does not could not even refuse such a run.
        #[serde(default)]
        takes_upkeep: bool,
    },
    /// Nothing happened, and the agent is alive.
    Heartbeat,
    /// The agent has taken a run.
    Accepted {
        /// The run.
        run: RunRef,
    },
    /// How far a run has come.
    Progress {
        /// The run.
        run: RunRef,
        /// `searching` or `in_progress`.
        state: RunState,
        /// The counters.
        progress: Progress,
    },
    /// How busy the machine is; sent only to a server that has asked for it.
    Sample {
        /// Whether it is one of those that are sent more often, since somebody watches.
        watched: bool,
        /// What was measured.
        sample: Sample,
    },
    /// What the server has asked.
    Answer {
        /// The number of the question.
        question: u64,
        /// The answer.
        answer: Answer,
    },
    /// Errors of single files of a run that is about to be told as finished; sent only to a server that takes them. The
    /// bounds are those of [`crate::run_error`].
    Errors {
        /// The run.
        run: RunRef,
        /// The number of the first of them, from 0.
        first: u32,
        /// The errors.
        errors: Vec<RunError>,
    },
    /// A run has ended.
    Finished {
        /// The run.
        run: RunRef,
        /// How.
        outcome: Outcome,
    },
}

/// How a run ended, as the agent keeps it on disk until the server has it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// `completed`, `completed_with_errors`, `failed` or `cancelled`.
    pub state: RunState,
    /// Why it failed.
    pub reason: Option<String>,
    /// The snapshot that a backup left.
    pub snapshot_id: Option<SnapshotId>,
    /// When it began, milliseconds since 1970, by the agent's clock.
    pub started_ms: i64,
    /// How long it took.
    pub duration_ms: i64,
    /// The last counters.
    pub progress: Progress,
    /// Files that a restore left as they were.
    pub files_skipped: u64,
    /// The first errors of single files; `progress.error_count` has them all.
    pub errors: Vec<RunError>,
    /// What became of the commands before and after a backup.
    #[serde(default)]
    pub hooks: Vec<HookOutcome>,
    /// What a restore would do, where that was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<RestorePlan>,
    /// What a check or cleanup of a sealed vault came to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upkeep: Option<Box<UpkeepFindings>>,
}

/// How many problems of a check are told one by one, at the most, and how long each may be in bytes.
pub const MAX_PROBLEMS: (usize, usize) = (1000, 2000);

/// What an agent found in a sealed vault, or did there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "of", rename_all = "snake_case")]
pub enum UpkeepFindings {
    /// A check.
    Check {
        /// One sentence a problem; up to [`MAX_PROBLEMS`].
        problems: Vec<String>,
        /// Snapshots looked at.
        snapshots_checked: u64,
        /// Packs looked at.
        packs_checked: u64,
        /// Data read and verified, in bytes.
        bytes_read: u64,
    },
    /// A cleanup.
    Cleanup {
        /// Packs written anew.
        packs_repacked: u64,
        /// Packs that were given to the trash.
        packs_dropped: u64,
        /// Their sizes in bytes.
        bytes_dropped: u64,
    },
}

/// What the server sends.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "message", rename_all = "snake_case")]
pub enum ServerMessage {
    /// The link stands.
    Welcome {
        /// The protocol that the server speaks.
        protocol: u32,
        /// How long the agent may be silent before it sends [`AgentMessage::Heartbeat`].
        heartbeat_seconds: u32,
        /// Whether it takes [`AgentMessage::Errors`].
        #[serde(default)]
        takes_errors: bool,
    },
    /// The link is refused; the agent tells its operator and tries again later.
    Refused {
        /// Why.
        reason: String,
    },
    /// Start a run. The same run may be sent twice; the second time it is only accepted again.
    Start(Box<Job>),
    /// Measure how busy the machine is. An agent that does not know how passes over it.
    Measure {
        /// How often.
        every_seconds: u32,
        /// For how long, and then as before; from now on when absent.
        for_seconds: Option<u32>,
    },
    /// A question. An agent that knows of no questions passes over it.
    Ask {
        /// Its number, which the answer repeats.
        question: u64,
        /// What is asked.
        what: Question,
    },
    /// Stop a run within two seconds.
    Stop {
        /// The run.
        run: RunRef,
    },
    /// A result is safe with the server; the agent may forget it.
    Acknowledged {
        /// The run.
        run: RunRef,
    },
}

/// A run for the agent to carry out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Job {
    /// The run.
    pub run: RunRef,
    /// The agent whose job it is.
    pub agent_id: AgentId,
    /// The vault, below the server's own URL.
    pub vault_id: VaultId,
    /// The vault's password; absent where the vault is sealed.
    pub vault_password: Option<String>,
    /// The password of a sealed vault, as its user gave it for this one run; absent where the agent keeps it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encrypted_password: Option<EncryptedPassword>,
    /// What to do.
    pub work: Work,
}

/// What a job does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum Work {
    /// Back up.
    Backup {
        /// Absolute paths.
        inclusions: Vec<String>,
        /// restic's exclude patterns.
        exclusions: Vec<String>,
        /// Labels that the snapshot gets.
        tags: Vec<String>,
        /// What is passed over, and which commands run.
        #[serde(default)]
        options: Box<BackupOptions>,
        /// The time zone by whose clocks limits of bandwidth hold; UTC when empty.
        #[serde(default)]
        timezone: String,
    },
    /// Make the vault, under this password.
    Seal {
        /// The password.
        password: EncryptedPassword,
    },
    /// Change the vault's password.
    ChangePassword {
        /// The password that opens it now.
        current: EncryptedPassword,
        /// The new one.
        new: EncryptedPassword,
    },
    /// Keep the password of a vault that was another agent's.
    TakeOver {
        /// The password.
        password: EncryptedPassword,
    },
    /// Verify a sealed vault.
    Check {
        /// Whether to read and verify data.
        read_data: bool,
        /// Which part of it, of `parts`.
        part: u32,
        /// In how many parts it is read.
        parts: u32,
    },
    /// Win back the space of a sealed vault that no snapshot needs. The server has granted it, for this run: what the agent
    /// deletes goes to the trash.
    Prune,
    /// Restore.
    Restore {
        /// The snapshot, or the beginning of its id; empty where the vault has one only.
        snapshot_id: SnapshotId,
        /// The folder that the files go under.
        path: String,
        /// Only what matches one of these; all where there is none.
        inclusions: Vec<String>,
        /// Which files that are there are overwritten.
        overwrite: OverwriteRule,
    },
    /// Tell what such a restore would do, and change nothing.
    PlanRestore {
        /// The snapshot, or the beginning of its id; empty where the vault has one only.
        snapshot_id: SnapshotId,
        /// The folder that the files would go under.
        path: String,
        /// Only what matches one of these; all where there is none.
        inclusions: Vec<String>,
        /// Which files that are there would be overwritten.
        overwrite: OverwriteRule,
    },
}
