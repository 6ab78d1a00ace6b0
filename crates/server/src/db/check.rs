//! Checks: one row a run. A check is a job: durable, and begun again when the server dies in the middle.

use roadstead_api::{
    check::Check,
    id::{AccountId, CheckId, VaultId},
    run::RunState,
};
use serde::{Deserialize, Serialize};
use sqlx::{Executor, any::AnyRow, query};

use super::{
    Connection,
    row::{Columns, json},
};
use crate::Result;

/// What a check found, as its row keeps it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CheckFindings {
    /// One sentence a problem.
    pub problems: Vec<String>,
    /// Snapshots looked at.
    pub snapshots_checked: u64,
    /// Packs looked at.
    pub packs_checked: u64,
    /// Data read and verified, in bytes.
    pub bytes_read: u64,
}

/// Makes a queued check.
pub async fn insert(
    db: &mut Connection,
    account: AccountId,
    vault: &VaultId,
    read_data: bool,
    now_ms: i64,
) -> Result<CheckId> {
    let insert = query(
        "INSERT INTO checks (account_id, vault_id, read_data, state, report, created_ms)
         VALUES ($1, $2, $3, 'queued', $4, $5) RETURNING id",
    )
    .bind(account.0)
    .bind(vault.0.as_str())
    .bind(i64::from(read_data))
    .bind(json(&CheckFindings::default())?)
    .bind(now_ms);
    Ok(CheckId(db.fetch_one(insert).await?.integer("id")?))
}

/// An account's check.
pub async fn get(db: &mut Connection, account: AccountId, id: CheckId) -> Result<Option<Check>> {
    let select = query("SELECT * FROM checks WHERE account_id = $1 AND id = $2").bind(account.0).bind(id.0);
    db.fetch_optional(select).await?.as_ref().map(check).transpose()
}

/// Puts back in the queue what was going on when the server died.
pub async fn requeue_interrupted(db: &mut Connection) -> Result<()> {
    db.execute("UPDATE checks SET state = 'queued' WHERE state = 'in_progress'").await?;
    Ok(())
}

/// Takes the oldest queued check, if there is one.
pub async fn claim(db: &mut Connection) -> Result<Option<Check>> {
    let update = "UPDATE checks SET state = 'in_progress'
         WHERE id = (SELECT MIN(id) FROM checks WHERE state = 'queued') RETURNING *";
    db.fetch_optional(update).await?.as_ref().map(check).transpose()
}

/// Ends a check.
pub async fn finish(
    db: &mut Connection,
    id: CheckId,
    state: RunState,
    reason: Option<&str>,
    findings: &CheckFindings,
    now_ms: i64,
) -> Result<()> {
    let update =
        query("UPDATE checks SET state = $2, reason = $3, report = $4, completed_ms = $5 WHERE id = $1")
            .bind(id.0)
            .bind(state.as_str())
            .bind(reason)
            .bind(json(findings)?)
            .bind(now_ms);
    db.execute(update).await?;
    Ok(())
}

fn check(row: &AnyRow) -> Result<Check> {
    let findings: CheckFindings = row.json("report")?;
    Ok(Check {
        id: CheckId(row.integer("id")?),
        vault_id: VaultId(row.text("vault_id")?),
        read_data: row.flag("read_data")?,
        state: row.word("state")?,
        reason: row.maybe_text("reason")?,
        problems: findings.problems,
        snapshots_checked: findings.snapshots_checked,
        packs_checked: findings.packs_checked,
        bytes_read: findings.bytes_read,
        created_at: row.time("created_ms")?,
        completed_at: row.maybe_time("completed_ms")?,
    })
}
