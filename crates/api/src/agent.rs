//! Agents: the process on a machine that backs it up, and how it is enrolled.

use std::net::IpAddr;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Page, PageQuery,
    endpoint::endpoints,
    id::{AgentId, MachineId, VaultId},
};

/// An agent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Agent {
    /// The agent's id.
    pub id: AgentId,
    /// Its name; the machine's host name unless another was given at enrolment.
    pub name: String,
    /// Whether it takes work.
    pub enabled: bool,
    /// Whether its vault is sealed: the server does not hold the password.
    pub encrypted: bool,
    /// Whether its link to the server is up.
    pub connected: bool,
    /// Whether it has a backup or restore in hand, or waiting.
    pub busy: bool,
    /// Where its backups go.
    pub vault_id: VaultId,
    /// SHA-256 of its public key in DER, in hexadecimal: the same that `agent enroll` prints.
    pub fingerprint: String,
    /// The machine it runs on, as it told at its last connection.
    pub host: HostFacts,
    /// The machine of a backend that this is, where that is known.
    #[serde(default)]
    pub machine_id: Option<MachineId>,
    /// When the last backup ended that can be restored.
    #[serde(default)]
    pub last_good_backup_at: Option<Timestamp>,
    /// When it was enrolled.
    pub created_at: Timestamp,
    /// When it was last heard of; absent before its first connection.
    pub last_seen_at: Option<Timestamp>,
}

/// What an agent says of its machine.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct HostFacts {
    /// The host name.
    pub hostname: String,
    /// The operating system, such as `Debian GNU/Linux 12 (bookworm)`.
    pub os: String,
    /// The processor architecture, such as `x86_64`.
    pub arch: String,
    /// The agent's version.
    pub agent_version: String,
    /// Its addresses, but for loopback and link-local ones; 64 at the most.
    #[serde(default)]
    pub addresses: Vec<IpAddr>,
    /// What it may be known by to a cloud or hypervisor: the ids that its firmware, cloud-init, a container engine and
    /// `/etc/machine-id` give it, in small letters; 16 at the most.
    #[serde(default)]
    pub instance_ids: Vec<String>,
}

/// An enrolment token to be made.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewEnrolmentToken {
    /// How long it can be used, 1 second to 7 days; 15 minutes when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttl_seconds: Option<u32>,
}

/// A token that enrols one agent, once.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EnrolmentToken {
    /// The token, for `roadstead agent enroll --token`.
    pub token: String,
    /// When it can no longer be used.
    pub expires_at: Timestamp,
}

/// What an agent sends to be enrolled.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Enrolment {
    /// The enrolment token. It is bound to the first key that uses it; that key may retry while it lives.
    pub token: String,
    /// The agent's name, 1 to 200 characters.
    pub name: String,
    /// The agent's RSA public key, `SubjectPublicKeyInfo` in PEM.
    pub public_key: String,
    /// The machine.
    pub host: HostFacts,
}

/// What an agent gets when it is enrolled.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Enrolled {
    /// The agent's id.
    pub agent_id: AgentId,
    /// Its vault.
    pub vault_id: VaultId,
    /// The agent's credential, encrypted to its public key (RSA-OAEP with SHA-256, then base64): only the holder of
    /// the private key can use what this reply says, also on a retry.
    pub encrypted_credential: String,
}

/// What becomes of the vault of an agent that is deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum VaultFate {
    /// It stays, and can be restored from.
    Keep,
    /// It is deleted, with every backup in it.
    Delete,
    /// So it is, and with it the older vaults of the agent, such as that from before it was sealed.
    DeleteAll,
}

/// How an agent is to be deleted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AgentDeletion {
    /// What becomes of its vault; has to be said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vault: Option<VaultFate>,
}

/// What deleting an agent would do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AgentDeletionPlan {
    /// The agent.
    pub agent_id: AgentId,
    /// Its name.
    pub name: String,
    /// Its vault.
    pub vault_id: VaultId,
    /// How large that is, in bytes.
    pub vault_size_bytes: u64,
    /// How many snapshots it holds.
    pub vault_snapshot_count: u64,
    /// Its older vaults, which nothing is backed up to any more.
    #[serde(default)]
    pub older_vaults: Vec<VaultId>,
    /// The names of its backup configurations, which go with it.
    pub backup_configurations: Vec<String>,
    /// How many backups and restores it has in hand or waiting, which are cancelled.
    pub active_runs: u64,
}

endpoints! {
    /// Makes a token that enrols one agent.
    EnrolmentTokenCreate = "enrolment_token_create": Post "/agents/tokens", Creator, (()) ? (), NewEnrolmentToken => 201 EnrolmentToken;
    /// Enrols an agent. The token in the body is the credential.
    AgentEnroll = "agent_enroll": Post "/agents/enroll", Public, (()) ? (), Enrolment => 201 Enrolled;
    /// Lists the agents, oldest first.
    AgentList = "agent_list": Get "/agents", Observer, (()) ? PageQuery, () => 200 Page<Agent>;
    /// Shows one agent.
    AgentShow = "agent_show": Get "/agents/{id}", Observer, (AgentId) ? (), () => 200 Agent;
    /// Shows what deleting an agent would do.
    AgentDeletionPlanShow = "agent_deletion_plan_show": Get "/agents/{id}/deletion", Observer, (AgentId) ? (), () => 200 AgentDeletionPlan;
    /// Deletes an agent and its configurations, and cancels its runs; its vault as is said.
    AgentDelete = "agent_delete": Delete "/agents/{id}", Admin, (AgentId) ? AgentDeletion, () => 204 ();
    /// Lets an agent take work again.
    AgentEnable = "agent_enable": Post "/agents/{id}/enable", Creator, (AgentId) ? (), () => 200 Agent;
    /// Keeps an agent from new work; what it has in hand goes on.
    AgentDisable = "agent_disable": Post "/agents/{id}/disable", Creator, (AgentId) ? (), () => 200 Agent;
}
