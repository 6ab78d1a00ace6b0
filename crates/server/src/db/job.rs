//! Jobs: one row each, with the story so far.

use roadstead_api::{
    id::{AccountId, AgentId, BackendId, BackupId, JobId, MachineId, RestoreId},
    job::{Job, JobKind, JobLine, JobQuery, JobState},
};
use sqlx::{AssertSqlSafe, Executor, any::AnyRow, query};

use super::{
    Connection,
    filter::Filter,
    row::{Columns, json, timestamp},
};
use crate::Result;

/// How many lines of its log a job keeps.
const MAX_LINES: usize = 200;

/// A job to be made.
#[derive(Debug)]
pub struct NewJob<'a> {
    /// The account it belongs to.
    pub account_id: AccountId,
    /// What it does.
    pub kind: JobKind,
    /// The backend that it works on.
    pub backend_id: &'a BackendId,
    /// Its token, which no other job has.
    pub token: &'a str,
    /// What it is to do, sealed.
    pub sealed_input: &'a str,
    /// The machines that it works on from the beginning.
    pub machine_ids: &'a [MachineId],
    /// How many machines were ordered.
    pub total: u32,
    /// Who asked for it.
    pub created_by: &'a str,
    /// Now.
    pub now_ms: i64,
}

/// A job with what only the server knows of it.
#[derive(Debug)]
pub struct JobRow {
    /// The account it belongs to.
    pub account_id: AccountId,
    /// As the API shows it.
    pub job: Job,
    /// Its token.
    pub token: String,
    /// What it is to do, sealed.
    pub sealed_input: String,
    /// When somebody last worked on it.
    pub alive_ms: i64,
}

/// Makes a queued job.
pub async fn insert(db: &mut Connection, new: &NewJob<'_>) -> Result<JobId> {
    let insert = query(
        "INSERT INTO jobs (account_id, kind, state, backend_id, token, sealed_input, machine_ids, done, total, log,
                           created_by, created_ms, alive_ms)
         VALUES ($1, $2, 'queued', $3, $4, $5, $9, 0, $6, '[]', $7, $8, $8) RETURNING id",
    )
    .bind(new.account_id.0)
    .bind(new.kind.as_str())
    .bind(new.backend_id.0.as_str())
    .bind(new.token)
    .bind(new.sealed_input)
    .bind(i64::from(new.total))
    .bind(new.created_by)
    .bind(new.now_ms)
    .bind(json(&new.machine_ids)?);
    Ok(JobId(db.fetch_one(insert).await?.integer("id")?))
}

/// An account's jobs below `before`, newest first.
pub async fn list(
    db: &mut Connection,
    account: AccountId,
    filter: &JobQuery,
    before: i64,
    limit: i64,
) -> Result<Vec<Job>> {
    let filter = Filter::from(4)
        .and("state = {}", filter.state.map(|state| state.as_str()))
        .and("backend_id = {}", filter.backend_id.as_ref().map(|id| id.0.as_str()));
    let text = format!(
        "SELECT * FROM jobs WHERE account_id = $1 AND id < $2{} ORDER BY id DESC LIMIT $3",
        filter.sql()
    );
    let select = query(AssertSqlSafe(text)).bind(account.0).bind(before).bind(limit);
    db.fetch_all(filter.bind(select)).await?.iter().map(job).collect()
}

/// An account's job.
pub async fn get(db: &mut Connection, account: AccountId, id: JobId) -> Result<Option<Job>> {
    let select = query("SELECT * FROM jobs WHERE account_id = $1 AND id = $2").bind(account.0).bind(id.0);
    db.fetch_optional(select).await?.as_ref().map(job).transpose()
}

/// Every job that has not ended, oldest first.
pub async fn open(db: &mut Connection, limit: i64) -> Result<Vec<JobRow>> {
    let select =
        query("SELECT * FROM jobs WHERE state IN ('queued', 'running') ORDER BY id LIMIT $1").bind(limit);
    db.fetch_all(select).await?.iter().map(job_row).collect()
}

/// Takes on a queued job; says whether nobody else has.
pub async fn claim(db: &mut Connection, id: JobId, now_ms: i64) -> Result<bool> {
    let update = query(
        "UPDATE jobs SET state = 'running', started_ms = $2, alive_ms = $2 WHERE id = $1 AND state = 'queued'",
    )
    .bind(id.0)
    .bind(now_ms);
    Ok(db.execute(update).await?.rows_affected() > 0)
}

/// Says that somebody still works on a job.
pub async fn keep_alive(db: &mut Connection, id: JobId, now_ms: i64) -> Result<()> {
    let update =
        query("UPDATE jobs SET alive_ms = $2 WHERE id = $1 AND state = 'running'").bind(id.0).bind(now_ms);
    db.execute(update).await?;
    Ok(())
}

/// Writes down how far a job is, with one line more in its log.
pub async fn advance(db: &mut Connection, job: &mut Job, text: String, now_ms: i64) -> Result<()> {
    job.log.push(JobLine { at: timestamp(now_ms)?, text });
    let extra = job.log.len().saturating_sub(MAX_LINES);
    job.log.drain(..extra);
    let update = query(
        "UPDATE jobs SET machine_ids = $2, done = $3, log = $4, alive_ms = $5, agent_id = $6, backup_id = $7,
                         restore_id = $8
         WHERE id = $1",
    )
    .bind(job.id.0)
    .bind(json(&job.machine_ids)?)
    .bind(i64::from(job.done))
    .bind(json(&job.log)?)
    .bind(now_ms)
    .bind(job.agent_id.map(|id| id.0))
    .bind(job.backup_id.map(|id| id.0))
    .bind(job.restore_id.map(|id| id.0));
    db.execute(update).await?;
    Ok(())
}

/// Ends a job, unless it has ended; its input is taken away.
pub async fn end(
    db: &mut Connection,
    id: JobId,
    state: JobState,
    reason: Option<&str>,
    now_ms: i64,
) -> Result<bool> {
    let update = query(
        "UPDATE jobs SET state = $2, reason = $3, completed_ms = $4, sealed_input = ''
         WHERE id = $1 AND state IN ('queued', 'running')",
    )
    .bind(id.0)
    .bind(state.as_str())
    .bind(reason)
    .bind(now_ms);
    Ok(db.execute(update).await?.rows_affected() > 0)
}

fn job(row: &AnyRow) -> Result<Job> {
    Ok(Job {
        id: JobId(row.integer("id")?),
        kind: row.word("kind")?,
        state: row.word("state")?,
        reason: row.maybe_text("reason")?,
        backend_id: BackendId(row.text("backend_id")?),
        machine_ids: row.json("machine_ids")?,
        agent_id: row.maybe_integer("agent_id")?.map(AgentId),
        backup_id: row.maybe_integer("backup_id")?.map(BackupId),
        restore_id: row.maybe_integer("restore_id")?.map(RestoreId),
        done: u32::try_from(row.integer("done")?).unwrap_or_default(),
        total: u32::try_from(row.integer("total")?).unwrap_or_default(),
        log: row.json("log")?,
        created_by: row.text("created_by")?,
        created_at: row.time("created_ms")?,
        started_at: row.maybe_time("started_ms")?,
        completed_at: row.maybe_time("completed_ms")?,
    })
}

fn job_row(row: &AnyRow) -> Result<JobRow> {
    Ok(JobRow {
        account_id: AccountId(row.integer("account_id")?),
        job: job(row)?,
        token: row.text("token")?,
        sealed_input: row.text("sealed_input")?,
        alive_ms: row.integer("alive_ms")?,
    })
}
