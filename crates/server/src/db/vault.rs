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
    /// Whether its agent backs up to it. What is not current can only be read.
    pub current: bool,
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

/// Makes a vault that an agent is about to seal. Nobody backs up to it yet.
pub async fn insert_sealed(
    db: &mut Connection,
    id: &VaultId,
    (account, agent): (AccountId, AgentId),
    now_ms: i64,
) -> Result<()> {
    let insert = query(
        "INSERT INTO vaults (id, account_id, agent_id, mode, created_ms, retired_ms)
         VALUES ($1, $2, $3, 'sealed', $4, $4)",
    )
    .bind(id.0.as_str())
    .bind(account.0)
    .bind(agent.0)
    .bind(now_ms);
    db.execute(insert).await?;
    Ok(())
}

/// Makes a vault the one that its agent backs up to. The one before has to be retired.
pub async fn make_current(db: &mut Connection, id: &VaultId) -> Result<()> {
    db.execute(query("UPDATE vaults SET retired_ms = NULL WHERE id = $1").bind(id.0.as_str())).await?;
    Ok(())
}

/// Gives all vaults of an agent, older ones too, to another, whose own becomes the first one's.
pub async fn exchange(
    db: &mut Connection,
    from: AgentId,
    to: AgentId,
    empty: &VaultId,
    now_ms: i64,
) -> Result<()> {
    retire(db, empty, now_ms).await?;
    let update = query("UPDATE vaults SET agent_id = $2 WHERE agent_id = $1 AND deleted_ms IS NULL");
    db.execute(update.bind(from.0).bind(to.0)).await?;
    let update = query("UPDATE vaults SET agent_id = $2, retired_ms = NULL WHERE id = $1");
    db.execute(update.bind(empty.0.as_str()).bind(from.0)).await?;
    Ok(())
}

/// An account's vaults above `after`, by id.
pub async fn list(db: &mut Connection, account: AccountId, after: &str, limit: i64) -> Result<Vec<VaultRow>> {
    let select = query(
        "SELECT * FROM vaults WHERE account_id = $1 AND id > $2 AND deleted_ms IS NULL ORDER BY id LIMIT $3",
    )
    .bind(account.0)
    .bind(after)
    .bind(limit);
    db.fetch_all(select).await?.iter().map(vault).collect()
}

/// The ids of all vaults of an account.
pub async fn ids(db: &mut Connection, account: AccountId) -> Result<Vec<VaultId>> {
    let select = query("SELECT id FROM vaults WHERE account_id = $1 AND deleted_ms IS NULL").bind(account.0);
    db.fetch_all(select).await?.iter().map(|row| row.text("id").map(VaultId)).collect()
}

/// A vault of whatever account.
pub async fn get(db: &mut Connection, id: &VaultId) -> Result<Option<VaultRow>> {
    let select = query("SELECT * FROM vaults WHERE id = $1 AND deleted_ms IS NULL").bind(id.0.as_str());
    db.fetch_optional(select).await?.as_ref().map(vault).transpose()
}

/// The vault that an agent backs up to.
pub async fn by_agent(db: &mut Connection, agent: AgentId) -> Result<Option<VaultRow>> {
    let select = query("SELECT * FROM vaults WHERE agent_id = $1 AND retired_ms IS NULL").bind(agent.0);
    db.fetch_optional(select).await?.as_ref().map(vault).transpose()
}

/// The vaults that an agent does not back up to any more, oldest first.
pub async fn older_of_agent(db: &mut Connection, agent: AgentId) -> Result<Vec<VaultId>> {
    let select = query(
        "SELECT id FROM vaults WHERE agent_id = $1 AND retired_ms IS NOT NULL AND deleted_ms IS NULL
         ORDER BY created_ms, id",
    );
    db.fetch_all(select.bind(agent.0)).await?.iter().map(|row| row.text("id").map(VaultId)).collect()
}

/// Notes that nobody backs up to a vault any more.
pub async fn retire(db: &mut Connection, id: &VaultId, now_ms: i64) -> Result<()> {
    let update = query("UPDATE vaults SET retired_ms = $2 WHERE id = $1 AND retired_ms IS NULL");
    db.execute(update.bind(id.0.as_str()).bind(now_ms)).await?;
    Ok(())
}

/// Deletes a vault: what backups it held is given up, and its files are to be removed.
pub async fn delete(db: &mut Connection, id: &VaultId, now_ms: i64) -> Result<()> {
    for sql in [
        "UPDATE vaults SET deleted_ms = $2, retired_ms = COALESCE(retired_ms, $2), sealed_password = NULL WHERE id = $1",
        "UPDATE backups SET forgotten_ms = $2
         WHERE vault_id = $1 AND snapshot_id IS NOT NULL AND forgotten_ms IS NULL",
    ] {
        db.execute(query(sql).bind(id.0.as_str()).bind(now_ms)).await?;
    }
    Ok(())
}

/// The deleted vaults whose files are to be removed.
pub async fn to_be_removed(db: &mut Connection) -> Result<Vec<VaultId>> {
    let select =
        query("SELECT id FROM vaults WHERE deleted_ms IS NOT NULL AND removed_ms IS NULL ORDER BY id");
    db.fetch_all(select).await?.iter().map(|row| row.text("id").map(VaultId)).collect()
}

/// Notes that the files of a deleted vault are gone, and forgets what was known of each.
pub async fn set_removed(db: &mut Connection, id: &VaultId, now_ms: i64) -> Result<()> {
    for sql in [
        "DELETE FROM vault_headers WHERE vault_id = $1",
        "DELETE FROM vault_snapshots WHERE vault_id = $1",
        "DELETE FROM vault_locks WHERE vault_id = $1",
    ] {
        db.execute(query(sql).bind(id.0.as_str())).await?;
    }
    let update = query("UPDATE vaults SET removed_ms = $2 WHERE id = $1");
    db.execute(update.bind(id.0.as_str()).bind(now_ms)).await?;
    Ok(())
}

fn vault(row: &AnyRow) -> Result<VaultRow> {
    let sealed_password = row.maybe_text("sealed_password")?;
    Ok(VaultRow {
        id: VaultId(row.text("id")?),
        account_id: AccountId(row.integer("account_id")?),
        agent_id: AgentId(row.integer("agent_id")?),
        mode: if row.text("mode")? == "sealed" { VaultMode::Sealed } else { VaultMode::Managed },
        sealed_password,
        current: row.maybe_integer("retired_ms")?.is_none(),
        created_at: row.time("created_ms")?,
    })
}
