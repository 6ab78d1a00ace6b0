//! Sealings: one row a run. What all kinds of run share is in [`super::run`].

use roadstead_api::{
    id::{AccountId, AgentId, SealingId, VaultId},
    run::Progress,
    sealing::{EncryptedPassword, Sealing, SealingKind},
};
use sqlx::{AssertSqlSafe, Executor, any::AnyRow, query};

use super::{
    Connection,
    row::{Columns, active_states, is_duplicate, json},
};
use crate::{Error, Result};

/// A sealing to be made.
#[derive(Debug)]
pub struct NewSealingRow<'a> {
    /// The account it belongs to.
    pub account_id: AccountId,
    /// The agent.
    pub agent_id: AgentId,
    /// The vault that is to be sealed.
    pub vault_id: &'a VaultId,
    /// What it does.
    pub kind: SealingKind,
    /// The passwords, as the agent gets them.
    pub passwords: &'a [EncryptedPassword],
    /// Now.
    pub now_ms: i64,
}

/// Makes a queued sealing. One that stands against another of the agent is a conflict.
pub async fn insert(db: &mut Connection, new: &NewSealingRow<'_>) -> Result<SealingId> {
    let insert = query(
        "INSERT INTO sealings (account_id, agent_id, vault_id, kind, passwords, state, progress, errors, created_ms)
         VALUES ($1, $2, $3, $4, $5, 'queued', $6, '[]', $7) RETURNING id",
    )
    .bind(new.account_id.0)
    .bind(new.agent_id.0)
    .bind(new.vault_id.0.as_str())
    .bind(new.kind.as_str())
    .bind(json(&new.passwords)?)
    .bind(json(&Progress::default())?)
    .bind(new.now_ms);
    match db.fetch_one(insert).await {
        Ok(row) => Ok(SealingId(row.integer("id")?)),
        Err(error) if is_duplicate(&error) => {
            Err(Error::conflict("The agent's vault is being sealed, or its password changed, already."))
        }
        Err(error) => Err(error.into()),
    }
}

/// An account's sealing.
pub async fn get(db: &mut Connection, account: AccountId, id: SealingId) -> Result<Option<Sealing>> {
    let select = query("SELECT * FROM sealings WHERE account_id = $1 AND id = $2").bind(account.0).bind(id.0);
    db.fetch_optional(select).await?.as_ref().map(sealing).transpose()
}

/// What the agent is to do for a sealing, and with which passwords.
pub async fn passwords(
    db: &mut Connection,
    id: SealingId,
) -> Result<Option<(SealingKind, VaultId, Vec<EncryptedPassword>)>> {
    let select = query("SELECT kind, vault_id, passwords FROM sealings WHERE id = $1").bind(id.0);
    let row = db.fetch_optional(select).await?;
    row.map(|row| Ok((row.word("kind")?, VaultId(row.text("vault_id")?), row.json("passwords")?))).transpose()
}

/// Takes the passwords of a sealing away, since it has ended.
pub async fn forget_passwords(db: &mut Connection, id: SealingId) -> Result<()> {
    db.execute(query("UPDATE sealings SET passwords = '[]' WHERE id = $1").bind(id.0)).await?;
    Ok(())
}

/// Whether a sealing that has ended has its passwords still: it died with its agent.
pub async fn has_ended_passwords(db: &mut Connection) -> Result<bool> {
    let sql = format!(
        "SELECT COUNT(*) AS n FROM sealings WHERE passwords <> '[]' AND state NOT IN {}",
        active_states()
    );
    Ok(db.fetch_one(AssertSqlSafe(sql)).await?.integer("n")? > 0)
}

/// Takes the passwords of all of these away.
pub async fn forget_ended_passwords(db: &mut Connection) -> Result<()> {
    let sql = format!(
        "UPDATE sealings SET passwords = '[]' WHERE passwords <> '[]' AND state NOT IN {}",
        active_states()
    );
    db.execute(AssertSqlSafe(sql)).await?;
    Ok(())
}

/// What is being done to a vault by an agent: so long it may write the vault's config and keys.
pub async fn active_in(db: &mut Connection, agent: AgentId, vault: &VaultId) -> Result<Option<SealingKind>> {
    let sql = format!(
        "SELECT kind FROM sealings WHERE agent_id = $1 AND vault_id = $2 AND state IN {}",
        active_states()
    );
    let select = query(AssertSqlSafe(sql)).bind(agent.0).bind(vault.0.as_str());
    db.fetch_optional(select).await?.map(|row| row.word("kind")).transpose()
}

/// The vaults that a sealing began and did not complete.
pub async fn left_behind(db: &mut Connection) -> Result<Vec<VaultId>> {
    let select = query(
        "SELECT s.vault_id FROM sealings s JOIN vaults v ON v.id = s.vault_id
         WHERE s.kind = 'seal' AND s.state IN ('failed', 'cancelled')
           AND v.retired_ms IS NOT NULL AND v.deleted_ms IS NULL",
    );
    db.fetch_all(select).await?.iter().map(|row| row.text("vault_id").map(VaultId)).collect()
}

fn sealing(row: &AnyRow) -> Result<Sealing> {
    Ok(Sealing {
        id: SealingId(row.integer("id")?),
        kind: row.word("kind")?,
        agent_id: AgentId(row.integer("agent_id")?),
        vault_id: VaultId(row.text("vault_id")?),
        state: row.word("state")?,
        reason: row.maybe_text("reason")?,
        created_at: row.time("created_ms")?,
        started_at: row.maybe_time("started_ms")?,
        completed_at: row.maybe_time("completed_ms")?,
    })
}
