//! Restores: one row a run. What both kinds of run share is in [`super::run`].

use roadstead_api::{
    id::{AccountId, AgentId, BackupId, RestoreConfigurationId, RestoreId, VaultId},
    restore::{OverwriteRule, Restore, RestorePlan, RestoreQuery, RestoreReport},
    run::{Progress, RunState},
    sealing::EncryptedPassword,
};
use sqlx::{AssertSqlSafe, Executor, any::AnyRow, query};

use super::{
    Connection,
    row::{Columns, active_states, by_activity, json},
};
use crate::{Error, Result};

/// A restore to be made.
#[derive(Debug)]
pub struct NewRestoreRow<'a> {
    /// The account it belongs to.
    pub account_id: AccountId,
    /// The backup that it restores.
    pub backup_id: BackupId,
    /// The restore configuration that it runs.
    pub configuration_id: Option<RestoreConfigurationId>,
    /// The agent that made the backup.
    pub source_agent_id: AgentId,
    /// The agent that is to run it.
    pub agent_id: AgentId,
    /// Its name.
    pub name: &'a str,
    /// The folder that the files go under.
    pub path: &'a str,
    /// Only what matches one of these.
    pub inclusions: &'a [String],
    /// What is left out.
    pub exclusions: &'a [String],
    /// Which files that are there are overwritten.
    pub overwrite: OverwriteRule,
    /// Whether it only tells what it would do.
    pub dry_run: bool,
    /// The password of a sealed vault, encrypted to the agent.
    pub password: Option<&'a EncryptedPassword>,
    /// Now.
    pub now_ms: i64,
}

/// What is to be known of a restore whose backup is shown to its agent.
#[derive(Debug)]
pub struct ViewRow {
    /// The account it belongs to.
    pub account_id: AccountId,
    /// The agent that carries it out.
    pub agent_id: AgentId,
    /// The backup that it restores.
    pub backup_id: BackupId,
    /// Where it stands.
    pub state: RunState,
    /// The view's password, sealed, if it has one.
    pub sealed_view: Option<String>,
}

/// Makes a queued restore.
pub async fn insert(db: &mut Connection, new: &NewRestoreRow<'_>) -> Result<RestoreId> {
    let insert = query(
        "INSERT INTO restores (account_id, backup_id, agent_id, name, path, inclusions, overwrite, files_skipped,
                               state, progress, errors, created_ms, configuration_id, source_agent_id, exclusions,
                               encrypted_password, dry_run)
         VALUES ($1, $2, $3, $4, $5, $6, $7, 0, 'queued', $8, '[]', $9, $10, $11, $12, $13, $14) RETURNING id",
    )
    .bind(new.account_id.0)
    .bind(new.backup_id.0)
    .bind(new.agent_id.0)
    .bind(new.name)
    .bind(new.path)
    .bind(json(&new.inclusions)?)
    .bind(rule_number(new.overwrite))
    .bind(json(&Progress::default())?)
    .bind(new.now_ms)
    .bind(new.configuration_id.map(|id| id.0))
    .bind(new.source_agent_id.0)
    .bind(json(&new.exclusions)?)
    .bind(new.password.map(json).transpose()?)
    .bind(i64::from(new.dry_run));
    Ok(RestoreId(db.fetch_one(insert).await?.integer("id")?))
}

/// An account's restores below `before`, newest first.
pub async fn list(
    db: &mut Connection,
    account: AccountId,
    filter: &RestoreQuery,
    before: i64,
    limit: i64,
) -> Result<Vec<Restore>> {
    let sql = format!(
        "SELECT * FROM restores WHERE account_id = $1 AND id < $2 AND ($4 < 0 OR agent_id = $4) {}
         ORDER BY id DESC LIMIT $3",
        by_activity(filter.active)
    );
    let select = query(AssertSqlSafe(sql))
        .bind(account.0)
        .bind(before)
        .bind(limit)
        .bind(filter.agent_id.map_or(-1, |id| id.0));
    db.fetch_all(select).await?.iter().map(restore).collect()
}

/// An account's restore.
pub async fn get(db: &mut Connection, account: AccountId, id: RestoreId) -> Result<Option<Restore>> {
    let select = query("SELECT * FROM restores WHERE account_id = $1 AND id = $2").bind(account.0).bind(id.0);
    db.fetch_optional(select).await?.as_ref().map(restore).transpose()
}

/// The report of an account's restore, whatever its state.
pub async fn report(db: &mut Connection, account: AccountId, id: RestoreId) -> Result<Option<RestoreReport>> {
    let select = query("SELECT * FROM restores WHERE account_id = $1 AND id = $2").bind(account.0).bind(id.0);
    db.fetch_optional(select).await?.as_ref().map(restore_report).transpose()
}

/// The password of a sealed vault that a restore came with.
pub async fn encrypted_password(db: &mut Connection, id: RestoreId) -> Result<Option<EncryptedPassword>> {
    let select =
        query("SELECT encrypted_password FROM restores WHERE id = $1 AND encrypted_password IS NOT NULL");
    db.fetch_optional(select.bind(id.0)).await?.map(|row| row.json("encrypted_password")).transpose()
}

/// Whether an agent has a restore in hand, or waiting, of a backup in this vault.
pub async fn reads(db: &mut Connection, agent: AgentId, vault: &VaultId) -> Result<bool> {
    let sql = format!(
        "SELECT COUNT(*) AS n FROM restores r JOIN backups b ON b.id = r.backup_id
         WHERE r.agent_id = $1 AND b.vault_id = $2 AND r.state IN {}",
        active_states()
    );
    let select = query(AssertSqlSafe(sql)).bind(agent.0).bind(vault.0.as_str());
    Ok(db.fetch_one(select).await?.integer("n")? > 0)
}

/// A restore, as far as its view goes.
pub async fn view(db: &mut Connection, id: RestoreId) -> Result<Option<ViewRow>> {
    let select =
        query("SELECT account_id, agent_id, backup_id, state, sealed_view FROM restores WHERE id = $1")
            .bind(id.0);
    let view = |row: AnyRow| {
        Ok(ViewRow {
            account_id: AccountId(row.integer("account_id")?),
            agent_id: AgentId(row.integer("agent_id")?),
            backup_id: BackupId(row.integer("backup_id")?),
            state: row.word("state")?,
            sealed_view: row.maybe_text("sealed_view")?,
        })
    };
    db.fetch_optional(select).await?.map(view).transpose()
}

/// Keeps the password of a restore's view.
pub async fn set_view(db: &mut Connection, id: RestoreId, sealed_view: &str) -> Result<()> {
    let update = query("UPDATE restores SET sealed_view = $2 WHERE id = $1").bind(id.0).bind(sealed_view);
    db.execute(update).await?;
    Ok(())
}

/// Notes how many files a restore left as they were, and what it would have done, where that was asked.
pub async fn set_files_skipped(
    db: &mut Connection,
    id: i64,
    files: i64,
    plan: Option<&RestorePlan>,
) -> Result<()> {
    let update = query("UPDATE restores SET files_skipped = $2, plan = $3 WHERE id = $1");
    db.execute(update.bind(id).bind(files).bind(plan.map(json).transpose()?)).await?;
    Ok(())
}

/// Whether a restore only tells what it would do.
pub async fn is_dry_run(db: &mut Connection, id: i64) -> Result<bool> {
    let select = query("SELECT dry_run FROM restores WHERE id = $1").bind(id);
    db.fetch_optional(select).await?.map_or(Ok(false), |row| row.flag("dry_run"))
}

/// What stands for a rule; the first two were a yes or no once.
pub fn rule_number(rule: OverwriteRule) -> i64 {
    match rule {
        OverwriteRule::Never => 0,
        OverwriteRule::IfChanged => 1,
        OverwriteRule::IfNewer => 2,
        OverwriteRule::Always => 3,
    }
}

/// The rule in a row's `overwrite`.
pub fn rule_of(row: &AnyRow) -> Result<OverwriteRule> {
    match row.integer("overwrite")? {
        0 => Ok(OverwriteRule::Never),
        1 => Ok(OverwriteRule::IfChanged),
        2 => Ok(OverwriteRule::IfNewer),
        3 => Ok(OverwriteRule::Always),
        other => Err(Error::internal(format!("{other} stands for no rule of overwriting."))),
    }
}

fn restore(row: &AnyRow) -> Result<Restore> {
    let overwrite_rule = rule_of(row)?;
    Ok(Restore {
        id: RestoreId(row.integer("id")?),
        name: row.text("name")?,
        backup_id: BackupId(row.integer("backup_id")?),
        configuration_id: row.maybe_integer("configuration_id")?.map(RestoreConfigurationId),
        agent_id: AgentId(row.integer("agent_id")?),
        path: row.text("path")?,
        inclusions: row.json("inclusions")?,
        exclusions: row.json("exclusions")?,
        overwrite: overwrite_rule.overwrites(),
        overwrite_rule,
        dry_run: row.flag("dry_run")?,
        state: row.word("state")?,
        reason: row.maybe_text("reason")?,
        progress: row.json("progress")?,
        created_at: row.time("created_ms")?,
        started_at: row.maybe_time("started_ms")?,
        completed_at: row.maybe_time("completed_ms")?,
    })
}

fn restore_report(row: &AnyRow) -> Result<RestoreReport> {
    let progress: Progress = row.json("progress")?;
    let state = row.word("state")?;
    Ok(RestoreReport {
        id: RestoreId(row.integer("id")?),
        backup_id: BackupId(row.integer("backup_id")?),
        state,
        ok: state == RunState::Completed,
        error: row.maybe_text("reason")?,
        started_at: row.maybe_time("started_ms")?,
        completed_at: row.maybe_time("completed_ms")?,
        duration_seconds: row.maybe_integer("duration_ms")?.unwrap_or(0) as f64 / 1000.0,
        files_restored: progress.files_done,
        bytes_restored: progress.bytes_done,
        files_skipped: row.integer("files_skipped")?.unsigned_abs(),
        error_count: progress.error_count,
        errors: row.json("errors")?,
        plan: row.maybe_text("plan")?.map(|_| row.json("plan")).transpose()?,
    })
}
