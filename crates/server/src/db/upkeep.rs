//! Checks and cleanups of sealed vaults, while they are in the hands of their agents: one row a run. What all kinds of run
//! share is in [`super::run`]; each stands for a row of `checks` or `cleanups`, which shows how far it has come.

use roadstead_api::{
    event::Event,
    id::{AccountId, AgentId, CheckId, CleanupId, VaultId},
    run::{Progress, RunState},
};
use sqlx::{AssertSqlSafe, Executor, query};

use super::{
    Connection, Write,
    check::CheckFindings,
    cleanup::CleanupFindings,
    row::{Columns, json},
    vault::VaultRow,
};
use crate::Result;

/// The row that a run stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Of {
    /// A check.
    Check(CheckId),
    /// A cleanup.
    Cleanup(CleanupId),
}

impl Of {
    fn word(self) -> &'static str {
        match self {
            Self::Check(_) => "check",
            Self::Cleanup(_) => "cleanup",
        }
    }

    fn table(self) -> &'static str {
        match self {
            Self::Check(_) => "checks",
            Self::Cleanup(_) => "cleanups",
        }
    }

    fn id(self) -> i64 {
        match self {
            Self::Check(CheckId(id)) | Self::Cleanup(CleanupId(id)) => id,
        }
    }
}

/// What is to be done.
#[derive(Debug)]
pub struct UpkeepRow {
    /// What it stands for.
    pub of: Of,
    /// The vault.
    pub vault_id: VaultId,
}

/// Puts a check or cleanup into the queue of its vault's agent.
pub async fn hand_over(db: &mut Write, of: Of, vault: &VaultRow, now_ms: i64) -> Result<()> {
    let insert = query(
        "INSERT INTO upkeeps (account_id, agent_id, vault_id, kind, of_id, state, progress, errors, created_ms)
         VALUES ($1, $2, $3, $4, $5, 'queued', $6, '[]', $7) ON CONFLICT DO NOTHING",
    )
    .bind(vault.account_id.0)
    .bind(vault.agent_id.0)
    .bind(vault.id.0.as_str())
    .bind(of.word())
    .bind(of.id())
    .bind(json(&Progress::default())?)
    .bind(now_ms);
    db.execute(insert).await?;
    // Not queued any more for whoever looks into vaults on the server, nor in progress there.
    show(db, of, RunState::StartRequested).await
}

/// Lets the row that a run stands for show the run's new state.
pub async fn passed_on(db: &mut Write, run: i64, state: RunState) -> Result<()> {
    let Some(row) = get(db, run).await? else { return Ok(()) };
    // The agent is not there, or busy: as long as it is asked for again, it counts as asked for.
    show(db, row.of, if state == RunState::Queued { RunState::StartRequested } else { state }).await?;
    if !state.has_ended() {
        return Ok(());
    }
    let sql = format!(
        "UPDATE {} SET completed_ms = $2, reason = (SELECT u.reason FROM upkeeps u WHERE u.id = $3) WHERE id = $1",
        row.of.table()
    );
    let now_ms = db.now_ms();
    db.execute(query(AssertSqlSafe(sql)).bind(row.of.id()).bind(now_ms).bind(run)).await?;
    Ok(())
}

async fn show(db: &mut Write, of: Of, state: RunState) -> Result<()> {
    let sql = format!("UPDATE {} SET state = $2 WHERE id = $1 RETURNING account_id", of.table());
    let row = db.fetch_optional(query(AssertSqlSafe(sql)).bind(of.id()).bind(state.as_str())).await?;
    if let Some(row) = row {
        db.tell(AccountId(row.integer("account_id")?), Event::new(of.word(), of.id(), "state").state(state));
    }
    Ok(())
}

/// What a run is to do.
pub async fn get(db: &mut Connection, run: i64) -> Result<Option<UpkeepRow>> {
    let select = query("SELECT kind, of_id, vault_id FROM upkeeps WHERE id = $1").bind(run);
    let Some(row) = db.fetch_optional(select).await? else { return Ok(None) };
    let id = row.integer("of_id")?;
    let of = if row.text("kind")? == "check" { Of::Check(CheckId(id)) } else { Of::Cleanup(CleanupId(id)) };
    Ok(Some(UpkeepRow { of, vault_id: VaultId(row.text("vault_id")?) }))
}

/// Grants a cleanup: while it goes on, and until then, its agent may give files to the trash.
pub async fn grant(db: &mut Connection, run: i64, until_ms: i64) -> Result<()> {
    db.execute(query("UPDATE upkeeps SET granted_until_ms = $2 WHERE id = $1").bind(run).bind(until_ms))
        .await?;
    Ok(())
}

/// The agent that may give files of this vault to the trash just now, if there is one.
pub async fn granted(db: &mut Connection, vault: &VaultId, now_ms: i64) -> Result<Option<AgentId>> {
    let select = query(
        "SELECT agent_id FROM upkeeps WHERE vault_id = $1 AND kind = 'cleanup'
         AND state IN ('start_requested', 'searching', 'in_progress') AND granted_until_ms > $2 LIMIT 1",
    )
    .bind(vault.0.as_str())
    .bind(now_ms);
    db.fetch_optional(select).await?.map(|row| row.integer("agent_id").map(AgentId)).transpose()
}

/// Keeps what a check found.
pub async fn keep_check(db: &mut Connection, id: CheckId, findings: &CheckFindings) -> Result<()> {
    db.execute(query("UPDATE checks SET report = $2 WHERE id = $1").bind(id.0).bind(json(findings)?)).await?;
    Ok(())
}

/// What a cleanup has done so far.
pub async fn cleanup_report(db: &mut Connection, id: CleanupId) -> Result<CleanupFindings> {
    let select = query("SELECT report FROM cleanups WHERE id = $1").bind(id.0);
    db.fetch_optional(select).await?.map_or_else(|| Ok(CleanupFindings::default()), |row| row.json("report"))
}

/// Keeps what a cleanup has done so far, and notes which backups have lost their files.
pub async fn keep_cleanup(
    db: &mut Connection,
    (id, vault): (CleanupId, &VaultId),
    findings: &CleanupFindings,
    now_ms: i64,
) -> Result<()> {
    super::cleanup::forget(db, vault, &findings.forgotten, now_ms).await?;
    let update =
        query("UPDATE cleanups SET report = $2, started_ms = COALESCE(started_ms, $3) WHERE id = $1")
            .bind(id.0)
            .bind(json(findings)?)
            .bind(now_ms);
    db.execute(update).await?;
    Ok(())
}
