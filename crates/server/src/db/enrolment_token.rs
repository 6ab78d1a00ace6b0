//! Enrolment tokens: single use, bound to the first key that comes with them.

use roadstead_api::{
    id::{AccountId, AgentId},
    protection::NewProtection,
};
use sqlx::{Executor, query};

use super::{
    Connection,
    row::{Columns, json},
};
use crate::Result;

/// A token that a key has claimed.
#[derive(Debug)]
pub struct Claim {
    /// The token's row.
    pub token: i64,
    /// The account that it enrols to.
    pub account_id: AccountId,
    /// The agent that it enrolled already, when the key comes again.
    pub agent_id: Option<AgentId>,
    /// What the agent's machine is protected with from the beginning.
    pub protection: Option<NewProtection>,
}

/// Makes a token.
pub async fn insert(
    db: &mut Connection,
    account: AccountId,
    secret_hash: &str,
    protection: Option<&NewProtection>,
    expires_ms: i64,
    now_ms: i64,
) -> Result<()> {
    let insert = query(
        "INSERT INTO enrolment_tokens (account_id, secret_hash, expires_ms, created_ms, protection)
         VALUES ($1, $2, $3, $4, $5)",
    )
    .bind(account.0)
    .bind(secret_hash)
    .bind(expires_ms)
    .bind(now_ms)
    .bind(protection.map(json).transpose()?);
    db.execute(insert).await?;
    Ok(())
}

/// Binds a token that still lives to the key with this fingerprint. `None` when there is no such token, when it has
/// expired, or when another key was first.
pub async fn claim(
    db: &mut Connection,
    secret_hash: &str,
    fingerprint: &str,
    now_ms: i64,
) -> Result<Option<Claim>> {
    let update = query(
        "UPDATE enrolment_tokens SET fingerprint = $2
         WHERE secret_hash = $1 AND expires_ms > $3 AND (fingerprint IS NULL OR fingerprint = $2)
         RETURNING id, account_id, agent_id, protection",
    )
    .bind(secret_hash)
    .bind(fingerprint)
    .bind(now_ms);
    let row = db.fetch_optional(update).await?;
    row.map(|row| {
        Ok(Claim {
            token: row.integer("id")?,
            account_id: AccountId(row.integer("account_id")?),
            agent_id: row.maybe_integer("agent_id")?.map(AgentId),
            protection: row.maybe_json("protection")?,
        })
    })
    .transpose()
}

/// Notes which agent a token enrolled.
pub async fn set_agent(db: &mut Connection, token: i64, agent: AgentId) -> Result<()> {
    db.execute(query("UPDATE enrolment_tokens SET agent_id = $2 WHERE id = $1").bind(token).bind(agent.0))
        .await?;
    Ok(())
}
