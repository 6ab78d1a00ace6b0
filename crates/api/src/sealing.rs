//! Sealings: an agent is given a password of its user's for its vault, which the server never learns.
//!
//! The password is encrypted to the agent's public key before it leaves the user's machine. Sealing begins a new vault
//! with a new master key, made by the agent; changing the password keeps the vault and its master key. Both are runs: they
//! wait for the agent, and for what it has in hand.
//!
//! A sealed vault is one into which the server cannot look: it cannot list or download files of its backups, check or clean
//! it beyond comparing files with their names, show its key, or show a backup of it to another agent.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    agent::Agent,
    endpoint::endpoints,
    id::{AgentId, SealingId, VaultId},
    run::RunState,
};

/// How a password was padded before it was encrypted with RSA.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Padding {
    /// OAEP with SHA-256 (RFC 8017): what to use.
    #[default]
    Oaep,
    /// PKCS #1 v1.5: what clients of Rackspace Cloud Backup send.
    Pkcs1,
}

/// A password, encrypted to an agent's public key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EncryptedPassword {
    /// How it was padded.
    #[serde(default)]
    pub padding: Padding,
    /// What RSA made of it, in base64; at most 2,000 characters.
    pub text: String,
}

/// An agent's public key: what passwords are encrypted to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AgentKey {
    /// `SubjectPublicKeyInfo` in PEM.
    pub public_key: String,
    /// SHA-256 of the same in DER, in hexadecimal: what `agent enroll` printed.
    pub fingerprint: String,
}

/// What a sealing does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SealingKind {
    /// It begins a vault under a password that the server does not hold.
    Seal,
    /// It changes the password of a sealed vault.
    PasswordChange,
    /// It gives an agent the password of a sealed vault that was another's.
    TakeOver,
}

impl SealingKind {
    /// The word of JSON and the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Seal => "seal",
            Self::PasswordChange => "password_change",
            Self::TakeOver => "take_over",
        }
    }
}

impl std::str::FromStr for SealingKind {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "seal" => Ok(Self::Seal),
            "password_change" => Ok(Self::PasswordChange),
            "take_over" => Ok(Self::TakeOver),
            _ => Err(format!("{text:.50?} is no kind of sealing")),
        }
    }
}

/// One sealing, or change of a password.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Sealing {
    /// Its id.
    pub id: SealingId,
    /// What it does.
    pub kind: SealingKind,
    /// The agent.
    pub agent_id: AgentId,
    /// The vault that is sealed when it has completed.
    pub vault_id: VaultId,
    /// Where it stands.
    pub state: RunState,
    /// Why it failed.
    pub reason: Option<String>,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When the agent began.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub completed_at: Option<Timestamp>,
}

/// The password to seal with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSealing {
    /// The password, encrypted to the agent.
    pub password: EncryptedPassword,
}

/// The password that a sealed vault has, and the one that it is to have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewVaultPassword {
    /// The password that opens it now, encrypted to the agent.
    pub current: EncryptedPassword,
    /// The new one, encrypted to the agent.
    pub new: EncryptedPassword,
}

/// Whose an agent's vault is to be from now on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VaultMigration {
    /// The agent that gets it. Its own vault must be empty.
    pub to: AgentId,
    /// The password of a sealed vault, encrypted to that agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<EncryptedPassword>,
}

endpoints! {
    /// Shows an agent's public key.
    AgentKeyShow = "agent_key_show": Get "/agents/{id}/key", Observer, (AgentId) ? (), () => 200 AgentKey;
    /// Seals an agent's vault: from then on it backs up to a new one, whose password the server never learns.
    AgentEncrypt = "agent_encrypt": Post "/agents/{id}/encrypt", Creator, (AgentId) ? (), NewSealing => 202 Sealing;
    /// Changes the password of an agent's sealed vault.
    AgentPasswordChange = "agent_password_change": Post "/agents/{id}/password", Admin, (AgentId) ? (), NewVaultPassword => 202 Sealing;
    /// Gives an agent's vault and backup configurations to another agent, such as that of the reinstalled machine.
    AgentVaultMigrate = "agent_vault_migrate": Post "/agents/{id}/migrate-vault", Admin, (AgentId) ? (), VaultMigration => 200 Agent;
    /// Shows a sealing, or a change of a password.
    SealingShow = "sealing_show": Get "/sealings/{id}", Observer, (SealingId) ? (), () => 200 Sealing;
}
