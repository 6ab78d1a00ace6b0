//! Slots of schedules: which configurations have one due, and the rows that slots end in.
//!
//! That a slot has one row is the work of the unique index `backups_slot`, however many servers look at once.

use roadstead_api::{
    alarm::AlarmKind,
    backup_configuration::BackupConfiguration,
    id::{AccountId, AgentId, BackupConfigurationId, VaultId},
};
use sqlx::{AssertSqlSafe, Executor, query};

use super::{
    Connection, backup_configuration,
    dialect::Dialect,
    row::{Columns, active_states},
    values::{ROWS_AT_ONCE, values},
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
    /// The vault that its agent backs up to.
    pub vault_id: VaultId,
    /// Whether a run of it goes on.
    pub active: bool,
    /// How far it has come.
    pub place: Place,
}

/// How far a configuration has come in its schedule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// All slots up to this one have their row.
    pub decided_ms: i64,
    /// When the next is due.
    pub next_due_ms: Option<i64>,
    /// Whether a missed slot is to be made up for.
    pub owed: bool,
    /// How many runs it has had.
    pub run_count: i64,
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

/// What is looked at: configurations above `$2` that have a slot due or owe a run, and whose agents are enabled. The last
/// condition finds them, the one before it holds of a row also after another server has changed it.
const DUE: &str = "backup_configurations c JOIN agents a ON a.id = c.agent_id
             JOIN vaults v ON v.agent_id = a.id AND v.retired_ms IS NULL
         WHERE c.id > $2 AND c.enabled = 1 AND c.deleted_ms IS NULL AND a.enabled = 1
           AND (c.next_due_ms <= $1 OR c.owed = 1)
           AND c.id IN (SELECT id FROM backup_configurations WHERE next_due_ms <= $1
                        UNION SELECT id FROM backup_configurations WHERE owed = 1)";

/// The last of the first `limit` configurations, above `after`, that have a slot due or owe a run.
pub async fn due(
    db: &mut Connection,
    now_ms: i64,
    after: i64,
    limit: i64,
) -> Result<Option<BackupConfigurationId>> {
    let sql =
        format!("SELECT MAX(id) AS last FROM (SELECT c.id FROM {DUE} ORDER BY c.id LIMIT $3) AS first_ones");
    let select = query(AssertSqlSafe(sql)).bind(now_ms).bind(after).bind(limit);
    Ok(db.fetch_one(select).await?.maybe_integer("last")?.map(BackupConfigurationId))
}

/// How things stand with those of them from above `after` up to `last`, which no other server looks at until this turn
/// ends.
pub async fn standings(
    db: &mut Connection,
    now_ms: i64,
    after: i64,
    last: BackupConfigurationId,
) -> Result<Vec<Standing>> {
    let sql = format!(
        "SELECT c.*, v.id AS vault_id,
            CASE WHEN EXISTS (SELECT 1 FROM backups b WHERE b.configuration_id = c.id AND b.state IN {})
                 THEN 1 ELSE 0 END AS is_active
         FROM {DUE} AND c.id <= $3 ORDER BY c.id {}",
        active_states(),
        Dialect::of(db).hold("c")
    );
    let select = query(AssertSqlSafe(sql)).bind(now_ms).bind(after).bind(last.0);
    let standing = |row| {
        Ok(Standing {
            configuration: backup_configuration::configuration(row)?,
            account_id: AccountId(Columns::integer(row, "account_id")?),
            vault_id: VaultId(row.text("vault_id")?),
            active: row.flag("is_active")?,
            place: Place {
                decided_ms: row.integer("decided_ms")?,
                next_due_ms: row.maybe_integer("next_due_ms")?,
                owed: row.flag("owed")?,
                run_count: row.integer("run_count")?,
            },
        })
    };
    db.fetch_all(select).await?.iter().map(standing).collect()
}

/// Notes how far configurations have come that this turn holds.
pub async fn settle(db: &mut Connection, settled: &[(BackupConfigurationId, Place)]) -> Result<()> {
    for settled in settled.chunks(ROWS_AT_ONCE) {
        let rows = values(settled.len(), 0, 5, |first| {
            let own: Vec<_> = (first..first + 5).map(|number| format!("CAST(${number} AS BIGINT)")).collect();
            format!("({})", own.join(", "))
        });
        let sql = format!(
            "UPDATE backup_configurations SET decided_ms = s.column2, next_due_ms = s.column3, owed = s.column4,
                                              run_count = s.column5
             FROM (VALUES {rows}) AS s WHERE id = s.column1"
        );
        let update = settled.iter().fold(query(AssertSqlSafe(sql)), |update, (id, place)| {
            update
                .bind(id.0)
                .bind(place.decided_ms)
                .bind(place.next_due_ms)
                .bind(i64::from(place.owed))
                .bind(place.run_count)
        });
        db.execute(update).await?;
    }
    Ok(())
}

/// Begins a configuration's schedule anew: slots up to now are nobody's, and it owes nothing.
pub async fn begin(
    db: &mut Connection,
    id: BackupConfigurationId,
    now_ms: i64,
    next_due_ms: Option<i64>,
) -> Result<()> {
    let update =
        query("UPDATE backup_configurations SET decided_ms = $2, next_due_ms = $3, owed = 0 WHERE id = $1");
    db.execute(update.bind(id.0).bind(now_ms).bind(next_due_ms)).await?;
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
