//! Vaults: the repositories that hold backup data. Each is a restic repository.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Page, PageQuery,
    endpoint::endpoints,
    id::{AgentId, VaultId},
};

/// Who holds a vault's password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum VaultMode {
    /// The server does: it can browse, check and export the key.
    Managed,
    /// User and agent do; the server never.
    Sealed,
}

/// A vault.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Vault {
    /// The vault's id.
    pub id: VaultId,
    /// The agent that backs up to it.
    pub agent_id: AgentId,
    /// Who holds its password.
    pub mode: VaultMode,
    /// Where restic reaches it, without the `rest:` in front.
    pub url: String,
    /// What its files take, in bytes.
    pub size_bytes: u64,
    /// How many snapshots it holds.
    pub snapshot_count: u64,
    /// When it was made.
    pub created_at: Timestamp,
}

/// What plain restic needs to open a vault.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct VaultKey {
    /// The repository: a path where the vault lies on the server's own disk.
    pub repository: String,
    /// The repository's password.
    pub password: String,
}

endpoints! {
    /// Lists the vaults, oldest first.
    VaultList = "vault_list": Get "/vaults", Observer, (()) ? PageQuery, () => 200 Page<Vault>;
    /// Shows one vault.
    VaultShow = "vault_show": Get "/vaults/{id}", Observer, (VaultId) ? (), () => 200 Vault;
    /// Shows what plain restic needs to open a managed vault.
    VaultKeyExport = "vault_key_export": Post "/vaults/{id}/export-key", Admin, (VaultId) ? (), () => 200 VaultKey;
}
