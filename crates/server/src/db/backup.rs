//! Backups: one row a run. What both kinds of run share is in [`super::run`].

use std::collections::HashMap;

use roadstead_api::{
    backup::{Backup, BackupQuery, BackupReport},
    backup_options::HookOutcome,
    event::Event,
    id::{AccountId, AgentId, BackupConfigurationId, BackupId, SnapshotId, VaultId},
    run::{Progress, RunOrigin, RunState},
};
use sqlx::{
    Any, AssertSqlSafe, Executor,
    any::{AnyArguments, AnyRow},
    query,
    query::Query,
};

use super::{
    Connection, Write,
    row::{Columns, by_activity, json},
    values::{ROWS_AT_ONCE, values},
};
use crate::{Error, Result};

/// A backup to be made.
#[derive(Debug)]
pub struct NewBackupRow<'a> {
    /// The account it belongs to.
    pub account_id: AccountId,
    /// The configuration that it runs.
    pub configuration_id: BackupConfigurationId,
    /// The agent that is to run it.
    pub agent_id: AgentId,
    /// The vault that it goes to.
    pub vault_id: &'a VaultId,
    /// Its name.
    pub name: &'a str,
    /// How it comes to be.
    pub origin: RunOrigin,
    /// The slot of the schedule that it stands for.
    pub slot_ms: Option<i64>,
    /// How it ended before it began, with the reason. `None`: it is queued.
    pub ended: Option<(RunState, &'a str)>,
    /// Now.
    pub now_ms: i64,
}

impl NewBackupRow<'_> {
    fn state(&self) -> RunState {
        self.ended.map_or(RunState::Queued, |(state, _)| state)
    }
}

/// Makes a queued backup. While another of the same configuration goes on, it is a conflict.
pub async fn insert(db: &mut Write, new: &NewBackupRow<'_>) -> Result<BackupId> {
    let made = insert_all(db, std::slice::from_ref(new)).await?;
    let going_on =
        || Error::conflict("A backup of this configuration is going on; wait for it, or stop it first.");
    made.get(&new.configuration_id).copied().ok_or_else(going_on)
}

/// Makes backups, of each configuration one at the most, and says which of them were made. Not those that are to be
/// queued while another of the same configuration goes on, and not those whose slot has one already.
pub async fn insert_all(
    db: &mut Write,
    new: &[NewBackupRow<'_>],
) -> Result<HashMap<BackupConfigurationId, BackupId>> {
    let mut made = HashMap::with_capacity(new.len());
    for new in new.chunks(ROWS_AT_ONCE) {
        for row in db.fetch_all(insert_rows(new)?).await? {
            made.insert(
                BackupConfigurationId(row.integer("configuration_id")?),
                BackupId(row.integer("id")?),
            );
        }
    }
    for new in new {
        if let Some(id) = made.get(&new.configuration_id) {
            db.tell(new.account_id, Event::new("backup", id, "create").state(new.state()));
        }
    }
    Ok(made)
}

fn insert_rows<'q>(new: &'q [NewBackupRow<'_>]) -> Result<Query<'q, Any, AnyArguments>> {
    let rows = values(new.len(), 1, 11, |first| {
        let own: Vec<_> = (first..first + 11).map(|number| format!("${number}")).collect();
        format!("({}, $1, 0, '[]')", own.join(", "))
    });
    let text = format!(
        "INSERT INTO backups (account_id, configuration_id, agent_id, vault_id, name, state, reason, created_ms,
                              completed_ms, origin, slot_ms, progress, restore_count, errors)
         VALUES {rows} ON CONFLICT DO NOTHING RETURNING id, configuration_id"
    );
    let insert = query(AssertSqlSafe(text)).bind(json(&Progress::default())?);
    Ok(new.iter().fold(insert, |insert, new| {
        insert
            .bind(new.account_id.0)
            .bind(new.configuration_id.0)
            .bind(new.agent_id.0)
            .bind(new.vault_id.0.as_str())
            .bind(new.name)
            .bind(new.state().as_str())
            .bind(new.ended.map(|(_, reason)| reason))
            .bind(new.now_ms)
            .bind(new.ended.map(|_| new.now_ms))
            .bind(new.origin.as_str())
            .bind(new.slot_ms)
    }))
}

/// An account's backups below `before`, newest first.
pub async fn list(
    db: &mut Connection,
    account: AccountId,
    filter: &BackupQuery,
    before: i64,
    limit: i64,
) -> Result<Vec<Backup>> {
    let sql = format!(
        "SELECT * FROM backups
         WHERE account_id = $1 AND id < $2 AND ($4 < 0 OR agent_id = $4) AND ($5 < 0 OR configuration_id = $5) {}{}
         ORDER BY id DESC LIMIT $3",
        by_activity(filter.active),
        match filter.restorable {
            Some(true) => " AND snapshot_id IS NOT NULL AND forgotten_ms IS NULL",
            Some(false) => " AND (snapshot_id IS NULL OR forgotten_ms IS NOT NULL)",
            None => "",
        }
    );
    let select = query(AssertSqlSafe(sql))
        .bind(account.0)
        .bind(before)
        .bind(limit)
        .bind(filter.agent_id.map_or(-1, |id| id.0))
        .bind(filter.configuration_id.map_or(-1, |id| id.0));
    db.fetch_all(select).await?.iter().map(backup).collect()
}

/// An account's backup.
pub async fn get(db: &mut Connection, account: AccountId, id: BackupId) -> Result<Option<Backup>> {
    let select = query("SELECT * FROM backups WHERE account_id = $1 AND id = $2").bind(account.0).bind(id.0);
    db.fetch_optional(select).await?.as_ref().map(backup).transpose()
}

/// The report of an account's backup, whatever its state.
pub async fn report(db: &mut Connection, account: AccountId, id: BackupId) -> Result<Option<BackupReport>> {
    let select = query("SELECT * FROM backups WHERE account_id = $1 AND id = $2").bind(account.0).bind(id.0);
    db.fetch_optional(select).await?.as_ref().map(backup_report).transpose()
}

/// Counts one more restore of a backup, and returns which it is.
pub async fn count_restore(db: &mut Connection, id: BackupId) -> Result<i64> {
    let update =
        query("UPDATE backups SET restore_count = restore_count + 1 WHERE id = $1 RETURNING restore_count")
            .bind(id.0);
    db.fetch_one(update).await?.integer("restore_count")
}

/// Notes the vault that a backup goes to: its agent may have got another while it waited.
pub async fn set_vault(db: &mut Connection, id: i64, vault: &VaultId) -> Result<()> {
    let update = query("UPDATE backups SET vault_id = $2 WHERE id = $1").bind(id).bind(vault.0.as_str());
    db.execute(update).await?;
    Ok(())
}

/// Notes the snapshot that a backup left.
pub async fn set_snapshot(db: &mut Connection, id: i64, snapshot: &SnapshotId) -> Result<()> {
    let update =
        query("UPDATE backups SET snapshot_id = $2 WHERE id = $1").bind(id).bind(snapshot.0.as_str());
    db.execute(update).await?;
    Ok(())
}

/// Notes what became of the commands before and after a backup.
pub async fn set_hooks(db: &mut Connection, id: i64, hooks: &[HookOutcome]) -> Result<()> {
    db.execute(query("UPDATE backups SET hooks = $2 WHERE id = $1").bind(id).bind(json(&hooks)?)).await?;
    Ok(())
}

fn backup(row: &AnyRow) -> Result<Backup> {
    Ok(Backup {
        id: BackupId(row.integer("id")?),
        name: row.text("name")?,
        configuration_id: BackupConfigurationId(row.integer("configuration_id")?),
        agent_id: AgentId(row.integer("agent_id")?),
        vault_id: VaultId(row.text("vault_id")?),
        state: row.word("state")?,
        reason: row.maybe_text("reason")?,
        origin: row.word("origin")?,
        slot_at: row.maybe_time("slot_ms")?,
        snapshot_id: held_snapshot(row)?,
        forgotten_at: row.maybe_time("forgotten_ms")?,
        progress: row.json("progress")?,
        created_at: row.time("created_ms")?,
        started_at: row.maybe_time("started_ms")?,
        completed_at: row.maybe_time("completed_ms")?,
    })
}

/// The snapshot of a backup, unless retention gave it up.
fn held_snapshot(row: &AnyRow) -> Result<Option<SnapshotId>> {
    let forgotten = row.maybe_integer("forgotten_ms")?.is_some();
    Ok(row.maybe_text("snapshot_id")?.filter(|_| !forgotten).map(SnapshotId))
}

fn backup_report(row: &AnyRow) -> Result<BackupReport> {
    let progress: Progress = row.json("progress")?;
    let state = row.word("state")?;
    let snapshot_id = held_snapshot(row)?;
    Ok(BackupReport {
        id: BackupId(row.integer("id")?),
        configuration_id: BackupConfigurationId(row.integer("configuration_id")?),
        state,
        ok: state == RunState::Completed,
        error: row.maybe_text("reason")?,
        restorable: snapshot_id.is_some(),
        snapshot_id,
        started_at: row.maybe_time("started_ms")?,
        completed_at: row.maybe_time("completed_ms")?,
        duration_seconds: row.maybe_integer("duration_ms")?.unwrap_or(0) as f64 / 1000.0,
        files_searched: progress.files_searched,
        bytes_searched: progress.bytes_searched,
        files_backed_up: progress.files_done,
        bytes_backed_up: progress.bytes_done,
        bytes_added: progress.bytes_added,
        error_count: progress.error_count,
        errors: row.json("errors")?,
        hooks: row.json("hooks")?,
    })
}
