//! Rebuilding machines: a machine is made on any backend, gets an agent, and has a backup restored onto it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    endpoint::endpoints,
    id::BackupId,
    job::Job,
    machine::{MachinePlan, NewMachine},
};

/// What is left out where nobody says: what belongs to one machine alone, and would keep the new one from starting, from
/// its network or from this server.
pub const USUAL_REBUILD_EXCLUSIONS: [&str; 18] = [
    "/boot",
    "/dev",
    "/proc",
    "/run",
    "/sys",
    "/etc/fstab",
    "/etc/hostname",
    "/etc/hosts",
    "/etc/machine-id",
    "/etc/netplan",
    "/etc/network",
    "/etc/resolv.conf",
    "/etc/ssh/ssh_host_*",
    "/etc/systemd/system/roadstead-agent.service",
    "/root/.ssh/authorized_keys",
    "/usr/local/bin/roadstead",
    "/var/lib/cloud",
    "/var/lib/roadstead-agent",
];

/// A machine to be made anew from a backup.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewRebuild {
    /// The machine to be made, one. Without a key, and a backend with a way of its own, nobody gets in to it.
    pub machine: NewMachine,
    /// The user that the machine's image lets log in with the key, such as `ubuntu`; what its backend says, or root, when
    /// absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// The backup to restore onto it. One of a sealed vault cannot be: its password has to be encrypted to an agent that is
    /// not there yet.
    pub backup_id: BackupId,
    /// The folder that the files go under; `/` (where they were) when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Only files that match one of these patterns; all when empty.
    #[serde(default)]
    pub inclusions: Vec<String>,
    /// Files that match one of these patterns are left out; when absent, what belongs to one machine alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exclusions: Option<Vec<String>>,
    /// A folder that program and agent are put in, and nothing beside it; as for machines that are protected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub folder: Option<String>,
    /// Whether the new machine gets a backup configuration, as one that is protected.
    #[serde(default)]
    pub protect: bool,
}

/// What a rebuild comes to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RebuildPlan {
    /// The machine that is made.
    pub machine: MachinePlan,
    /// The backup that is restored.
    pub backup_id: BackupId,
    /// Its name.
    pub backup_name: String,
    /// The folder that the files go under.
    pub path: String,
    /// Only files that match one of these; all when empty.
    pub inclusions: Vec<String>,
    /// What is left out.
    pub exclusions: Vec<String>,
    /// Whether the new machine gets a backup configuration.
    pub protect: bool,
}

endpoints! {
    /// Makes a machine, puts an agent on it and restores a backup onto it, as one job. It costs.
    MachineRebuild = "machine_rebuild": Post "/machines/rebuild", Admin, (()) ? (), NewRebuild => 202 Job;
    /// Shows what a rebuild comes to, and orders nothing.
    MachineRebuildPlanShow = "machine_rebuild_plan": Post "/machines/rebuild/plan", Admin, (()) ? (), NewRebuild => 200 RebuildPlan;
}
