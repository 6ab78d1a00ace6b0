//! Vaults: whose they are, and their sealed passwords. The files lie in the vault store.

use jiff::Timestamp;
use roadstead_api::{
    id::{AccountId, AgentId, VaultId},
    vault::VaultMode,
};
use sqlx::{Executor, any::AnyRow, query};

use super::{Connection, row::Columns};
use crate::Result;

/// A vault's row.
#[derive(Clone, Debug)]
pub struct VaultRow {
    /// The vault's id.
    pub id: VaultId,
    /// The account that it belongs to.
    pub account_id: AccountId,
    /// The agent that backs up to it.
    pub agent_id: AgentId,
    /// Who holds its password.
    pub mode: VaultMode,
    /// The password, sealed, of a managed vault.
    pub sealed_password: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// Makes a managed vault.
pub async fn insert(
    db: &mut Connection,
    id: &VaultId,
    (account, agent): (AccountId, AgentId),
    sealed_password: &str,
    now_ms: i64,
) -> Result<()> {
    let insert = query(
        "INSERT INTO vaults (id, account_id, agent_id, mode, sealed_password, created_ms)
         VALUES ($1, $2, $3, 'managed', $4, $5)",
    )
    .bind(id.0.as_str())
    .bind(account.0)
    .bind(agent.0)
    .bind(sealed_password)
    .bind(now_ms);
    db.execute(insert).await?;
    Ok(())
}

/// An account's vaults above `after`, by id.
pub async fn list(db: &mut Connection, account: AccountId, after: &str, limit: i64) -> Result<Vec<VaultRow>> {
    let select = query("SELECT * FROM vaults WHERE account_id = $1 AND id > $2 ORDER BY id LIMIT $3")
        .bind(account.0)
        .bind(after)
        .bind(limit);
    db.fetch_all(select).await?.iter().map(vault).collect()
}

/// The ids of all vaults of an account.
pub async fn ids(db: &mut Connection, account: AccountId) -> Result<Vec<VaultId>> {
    let select = query("SELECT id FROM vaults WHERE account_id = $1").bind(account.0);
    db.fetch_all(select).await?.iter().map(|row| row.text("id").map(VaultId)).collect()
}

/// A vault of whatever account.
pub async fn get(db: &mut Connection, id: &VaultId) -> Result<Option<VaultRow>> {
    let select = query("SELECT * FROM vaults WHERE id = $1").bind(id.0.as_str());
    db.fetch_optional(select).await?.as_ref().map(vault).transpose()
}

/// An agent's vault.
pub async fn by_agent(db: &mut Connection, agent: AgentId) -> Result<Option<VaultRow>> {
    let select = query("SELECT * FROM vaults WHERE agent_id = $1").bind(agent.0);
    db.fetch_optional(select).await?.as_ref().map(vault).transpose()
}

fn vault(row: &AnyRow) -> Result<VaultRow> {
    let sealed_password = row.maybe_text("sealed_password")?;
    Ok(VaultRow {
        id: VaultId(row.text("id")?),
        account_id: AccountId(row.integer("account_id")?),
        agent_id: AgentId(row.integer("agent_id")?),
        mode: if row.text("mode")? == "sealed" { VaultMode::Sealed } else { VaultMode::Managed },
        sealed_password,
        created_at: row.time("created_ms")?,
    })
}
