//! Protecting machines: an agent is put on a machine, enrolled, and given a backup configuration.
//!
//! Where the server can log in, a job does it; else whoever can runs a command there, or hands it to cloud-init.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    endpoint::endpoints,
    id::{AgentId, MachineId},
    job::Job,
    retention::Retention,
    schedule::Schedule,
};

/// What is backed up where nobody says: what of these a machine has.
pub const USUAL_INCLUSIONS: [&str; 4] = ["/etc", "/home", "/root", "/var"];
/// What is left out of that where nobody says.
pub const USUAL_EXCLUSIONS: [&str; 8] = [
    "/home/*/.cache",
    "/root/.cache",
    "/var/cache",
    "/var/lib/docker",
    "/var/lib/containerd",
    "/var/lib/roadstead*",
    "/var/run",
    "/var/tmp",
];
/// The folder that an agent keeps what is its own in, where nobody says.
pub const USUAL_FOLDER: &str = "/var/lib/roadstead-agent";
/// Where the program is put, unless a folder is named.
pub const USUAL_PROGRAM: &str = "/usr/local/bin/roadstead";

/// What a machine is to be protected with.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewProtection {
    /// The name of the agent and of its backup configuration; the machine's when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The files and folders to back up; those of `/etc`, `/home`, `/root` and `/var` that are there when empty.
    #[serde(default)]
    pub inclusions: Vec<String>,
    /// What to leave out; caches and the like when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exclusions: Option<Vec<String>>,
    /// When it is backed up; every night when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule: Option<Schedule>,
    /// The IANA time zone whose clocks the schedule goes by; `UTC` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timezone: Option<String>,
    /// How long backups are kept; the last of each of 7 days, 4 weeks and 6 months when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retention: Option<Retention>,
    /// A folder that program and agent are put in, and nothing beside it: nothing starts the agent again with the
    /// machine. When absent the program goes to `/usr/local/bin` and the agent to `/var/lib/roadstead-agent`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub folder: Option<String>,
    /// Whether to start the first backup at once.
    #[serde(default)]
    pub start: bool,
}

/// What protecting a machine comes to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ProtectionPlan {
    /// The machine.
    pub machine_id: MachineId,
    /// Its name.
    pub machine_name: String,
    /// How the server reaches it, in words.
    pub way: String,
    /// The agent that is known to run there already. It stays, and gets the server's version.
    pub agent_id: Option<AgentId>,
    /// Where the program is put.
    pub program: String,
    /// How large that is, in bytes.
    pub program_bytes: u64,
    /// The agent's folder.
    pub folder: String,
    /// The files and folders to back up; of the usual ones those that are there.
    pub inclusions: Vec<String>,
    /// What is left out.
    pub exclusions: Vec<String>,
    /// When it is backed up.
    pub schedule: Schedule,
    /// The time zone of the schedule.
    pub timezone: String,
    /// How long backups are kept.
    pub retention: Retention,
    /// Whether a backup is started at once.
    pub start: bool,
}

/// An agent to be installed by whoever can log in to a machine, or by cloud-init.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewInstallation {
    /// How long the command can be used, 1 second to 7 days; a day when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttl_seconds: Option<u32>,
    /// What the machine is protected with. Its name is the host's when absent.
    #[serde(default)]
    pub protection: NewProtection,
}

/// How to install an agent on one machine. What stands here lets one agent in, once: it is a secret.
#[derive(Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Installation {
    /// A command in one line, to be run there as root.
    pub command: String,
    /// User data for cloud-init, to make a machine with.
    pub cloud_init: String,
    /// When neither can be used any more.
    pub expires_at: Timestamp,
}

/// Leaves out the token.
impl std::fmt::Debug for Installation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Installation").field("expires_at", &self.expires_at).finish_non_exhaustive()
    }
}

endpoints! {
    /// Puts an agent on a machine and has it backed up, as a job. What is there already stays, so it can be done again.
    MachineProtect = "machine_protect": Post "/machines/{id}/protect", Admin, (MachineId) ? (), NewProtection => 202 Job;
    /// Shows what protecting a machine comes to, and does nothing.
    MachineProtectionPlanShow = "machine_protection_plan": Post "/machines/{id}/protect/plan", Admin, (MachineId) ? (), NewProtection => 200 ProtectionPlan;
    /// Makes a command, and user data for cloud-init, that install an agent on one machine and have it backed up.
    AgentInstall = "agent_install": Post "/agents/install", Creator, (()) ? (), NewInstallation => 201 Installation;
}
