//! Slots of schedules: which configurations have one due, and the rows that slots end in.
//!
//! That a slot has one row is the work of the unique index `backups_slot`, however many servers look at once.

use roadstead_api::{
    alarm::AlarmKind,
    backup_configuration::BackupConfiguration,
    id::{AccountId, AgentId, BackupConfigurationId},
};
use sqlx::{AssertSqlSafe, Executor, query};

use super::{
    Connection, backup_configuration,
    row::{Columns, active_states},
};
use crate::Result;

/// How far the clock has to be set back to be noticed, in milliseconds.
const SET_BACK_MS: i64 = 1000;

/// How things stand with a configuration that has a slot due, or a missed one to be made up for.
#[derive(Debug)]
pub struct Standing {
    /// The configuration.
    pub configuration: BackupConfiguration,
    /// The account it belongs to.
    pub account_id: AccountId,
    /// All slots up to this one have their row.
    pub decided_ms: i64,
    /// Whether a missed slot is to be made up for.
    pub owed: bool,
    /// Whether a run of it goes on.
    pub active: bool,
}

/// What there is to know of a configuration that follows a schedule, to see whether it is overdue.
#[derive(Debug)]
pub struct Record {
    /// The configuration.
    pub configuration: BackupConfiguration,
    /// The account it belongs to.
    pub account_id: AccountId,
    /// The name of its agent.
    pub agent_name: String,
    /// Whether it is to run at all: it and its agent are enabled, and it is not deleted.
    pub active: bool,
    /// When its last backup that can be restored ended.
    pub good_ms: Option<i64>,
    /// Whether the alarm that it is overdue is open.
    pub alarmed: bool,
}

/// The records of the configurations above `after`, by id.
pub async fn records(db: &mut Connection, after: i64, limit: i64) -> Result<Vec<Record>> {
    let select = query(
        "SELECT c.*, a.name AS agent_name,
            CASE WHEN c.enabled = 1 AND c.deleted_ms IS NULL AND a.enabled = 1 THEN 1 ELSE 0 END AS is_active,
            (SELECT MAX(b.completed_ms) FROM backups b
             WHERE b.configuration_id = c.id AND b.snapshot_id IS NOT NULL AND b.forgotten_ms IS NULL) AS good_ms,
            (SELECT COUNT(*) FROM alarms m
             WHERE m.account_id = c.account_id AND m.kind = $3 AND m.noun = 'backup_configuration'
               AND m.noun_id = CAST(c.id AS TEXT) AND m.closed_ms IS NULL) AS alarms
         FROM backup_configurations c JOIN agents a ON a.id = c.agent_id
         WHERE c.id > $1 AND (c.deleted_ms IS NULL OR EXISTS (
             SELECT 1 FROM alarms m WHERE m.account_id = c.account_id AND m.kind = $3
               AND m.noun = 'backup_configuration' AND m.noun_id = CAST(c.id AS TEXT) AND m.closed_ms IS NULL))
         ORDER BY c.id LIMIT $2",
    )
    .bind(after)
    .bind(limit)
    .bind(AlarmKind::BackupOverdue.as_str());
    let record = |row| {
        Ok(Record {
            configuration: backup_configuration::configuration(row)?,
            account_id: AccountId(Columns::integer(row, "account_id")?),
            agent_name: row.text("agent_name")?,
            active: row.integer("is_active")? == 1,
            good_ms: row.maybe_integer("good_ms")?,
            alarmed: row.integer("alarms")? > 0,
        })
    };
    db.fetch_all(select).await?.iter().map(record).collect()
}

/// The configurations, above `after`, that have a slot due or owe a run, and whose agents are enabled; with their agents.
pub async fn due(
    db: &mut Connection,
    now_ms: i64,
    after: i64,
    limit: i64,
) -> Result<Vec<(BackupConfigurationId, AgentId)>> {
    let select = query(
        "SELECT c.id, c.agent_id FROM backup_configurations c JOIN agents a ON a.id = c.agent_id
         WHERE c.id > $2 AND c.enabled = 1 AND c.deleted_ms IS NULL AND a.enabled = 1
           AND c.id IN (SELECT id FROM backup_configurations WHERE next_due_ms <= $1
                        UNION SELECT id FROM backup_configurations WHERE owed = 1)
         ORDER BY c.id LIMIT $3",
    )
    .bind(now_ms)
    .bind(after)
    .bind(limit);
    let rows = db.fetch_all(select).await?;
    let pair = |row| {
        Ok((BackupConfigurationId(Columns::integer(row, "id")?), AgentId(Columns::integer(row, "agent_id")?)))
    };
    rows.iter().map(pair).collect()
}

/// How things stand with a configuration, which no other server looks at until this turn ends. `None` when there is
/// nothing to do any more.
pub async fn standing(
    db: &mut Connection,
    id: BackupConfigurationId,
    now_ms: i64,
) -> Result<Option<Standing>> {
    // A change that changes nothing keeps others out.
    let take = query(
        "UPDATE backup_configurations SET owed = owed
         WHERE id = $1 AND enabled = 1 AND deleted_ms IS NULL AND (next_due_ms <= $2 OR owed = 1) RETURNING *",
    )
    .bind(id.0)
    .bind(now_ms);
    let Some(row) = db.fetch_optional(take).await? else { return Ok(None) };
    let sql = format!(
        "SELECT COUNT(*) AS active FROM backups WHERE configuration_id = $1 AND state IN {}",
        active_states()
    );
    let active = db.fetch_one(query(AssertSqlSafe(sql)).bind(id.0)).await?.integer("active")? > 0;
    Ok(Some(Standing {
        configuration: backup_configuration::configuration(&row)?,
        account_id: AccountId(row.integer("account_id")?),
        decided_ms: row.integer("decided_ms")?,
        owed: row.flag("owed")?,
        active,
    }))
}

/// Notes which slots are decided, when the next is due, and whether a run is owed.
pub async fn settle(
    db: &mut Connection,
    id: BackupConfigurationId,
    decided_ms: i64,
    next_due_ms: Option<i64>,
    owed: bool,
) -> Result<()> {
    let update =
        query("UPDATE backup_configurations SET decided_ms = $2, next_due_ms = $3, owed = $4 WHERE id = $1")
            .bind(id.0)
            .bind(decided_ms)
            .bind(next_due_ms)
            .bind(i64::from(owed));
    db.execute(update).await?;
    Ok(())
}

/// Owes nothing more to a configuration that somebody starts.
pub async fn forgive(db: &mut Connection, id: BackupConfigurationId) -> Result<()> {
    db.execute(query("UPDATE backup_configurations SET owed = 0 WHERE id = $1").bind(id.0)).await?;
    Ok(())
}

/// The agent was disabled until now: its slots of that time are nobody's.
pub async fn agent_enabled(db: &mut Connection, agent: AgentId, now_ms: i64) -> Result<()> {
    let update = query(
        "UPDATE backup_configurations SET decided_ms = $2, next_due_ms = $2
         WHERE agent_id = $1 AND next_due_ms IS NOT NULL AND decided_ms < $2",
    )
    .bind(agent.0)
    .bind(now_ms);
    db.execute(update).await?;
    Ok(())
}

/// Whether slots are decided that have not come yet: the clock was set back.
pub async fn is_ahead(db: &mut Connection, now_ms: i64) -> Result<bool> {
    let select = query("SELECT id FROM backup_configurations WHERE decided_ms > $1 LIMIT 1")
        .bind(now_ms.saturating_add(SET_BACK_MS));
    Ok(db.fetch_optional(select).await?.is_some())
}

/// Takes back what was decided of slots that have not come yet: none of them was missed. Runs stay, and are not repeated.
pub async fn take_back(db: &mut Connection, now_ms: i64) -> Result<()> {
    let missed = query(
        "DELETE FROM backups WHERE state = 'missed' AND slot_ms > $1
         AND configuration_id IN (SELECT id FROM backup_configurations WHERE decided_ms > $1)",
    );
    db.execute(missed.bind(now_ms)).await?;
    let update = query(
        "UPDATE backup_configurations SET decided_ms = $1, owed = 0,
                next_due_ms = CASE WHEN next_due_ms IS NULL THEN NULL ELSE $1 END
         WHERE decided_ms > $1",
    );
    db.execute(update.bind(now_ms)).await?;
    Ok(())
}
