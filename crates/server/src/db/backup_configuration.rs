//! Backup configurations. A deleted one keeps its row, since its backups still speak of it.

use roadstead_api::{
    backup_configuration::{BackupConfiguration, BackupConfigurationQuery, NewBackupConfiguration},
    backup_options::BackupOptions,
    id::{AccountId, AgentId, BackupConfigurationId, BackupId},
};
use sqlx::{Executor, any::AnyRow, query};

use super::{
    Connection,
    row::{Columns, json},
};
use crate::Result;

/// Makes a configuration.
pub async fn insert(
    db: &mut Connection,
    account: AccountId,
    new: &NewBackupConfiguration,
    now_ms: i64,
) -> Result<BackupConfigurationId> {
    let insert = query(
        "INSERT INTO backup_configurations (account_id, agent_id, name, enabled, inclusions, exclusions, schedule,
                                            run_count, created_ms, updated_ms, decided_ms, timezone, spread_minutes,
                                            missed, retention, notification_email, notify_success, notify_failure,
                                            options)
         VALUES ($1, $2, $3, 1, $4, $5, $6, 0, $7, $7, $7, $8, $9, $10, $11, $12, $13, $14, $15) RETURNING id",
    )
    .bind(account.0)
    .bind(new.agent_id.0)
    .bind(new.name.as_str())
    .bind(json(&new.inclusions)?)
    .bind(json(&new.exclusions)?)
    .bind(new.schedule.to_string())
    .bind(now_ms)
    .bind(new.timezone.as_str())
    .bind(i64::from(new.spread_minutes))
    .bind(new.missed.as_str())
    .bind(json(&new.retention)?)
    .bind(new.notification_email.as_deref())
    .bind(i64::from(new.notify_success))
    .bind(i64::from(new.notify_failure))
    .bind(json(&new.options)?);
    Ok(BackupConfigurationId(db.fetch_one(insert).await?.integer("id")?))
}

/// An account's configurations above `after`, oldest first.
pub async fn list(
    db: &mut Connection,
    account: AccountId,
    filter: &BackupConfigurationQuery,
    after: i64,
    limit: i64,
) -> Result<Vec<BackupConfiguration>> {
    let select = query(
        "SELECT * FROM backup_configurations
         WHERE account_id = $1 AND deleted_ms IS NULL AND id > $2 AND ($4 < 0 OR agent_id = $4)
         ORDER BY id LIMIT $3",
    )
    .bind(account.0)
    .bind(after)
    .bind(limit)
    .bind(filter.agent_id.map_or(-1, |id| id.0));
    db.fetch_all(select).await?.iter().map(configuration).collect()
}

/// An account's configuration, unless it was deleted.
pub async fn get(
    db: &mut Connection,
    account: AccountId,
    id: BackupConfigurationId,
) -> Result<Option<BackupConfiguration>> {
    let select =
        query("SELECT * FROM backup_configurations WHERE account_id = $1 AND id = $2 AND deleted_ms IS NULL")
            .bind(account.0)
            .bind(id.0);
    db.fetch_optional(select).await?.as_ref().map(configuration).transpose()
}

/// An account's configuration, and whether it was deleted.
pub async fn get_any(
    db: &mut Connection,
    account: AccountId,
    id: BackupConfigurationId,
) -> Result<Option<(BackupConfiguration, bool)>> {
    let select = query("SELECT * FROM backup_configurations WHERE account_id = $1 AND id = $2")
        .bind(account.0)
        .bind(id.0);
    let Some(row) = db.fetch_optional(select).await? else { return Ok(None) };
    Ok(Some((configuration(&row)?, row.maybe_integer("deleted_ms")?.is_some())))
}

/// Writes what can be changed of a configuration.
pub async fn update(db: &mut Connection, changed: &BackupConfiguration, now_ms: i64) -> Result<()> {
    let update = query(
        "UPDATE backup_configurations
         SET name = $2, inclusions = $3, exclusions = $4, schedule = $5, enabled = $6, updated_ms = $7,
             timezone = $8, spread_minutes = $9, missed = $10, retention = $11, notification_email = $12,
             notify_success = $13, notify_failure = $14, options = $15
         WHERE id = $1",
    )
    .bind(changed.id.0)
    .bind(changed.name.as_str())
    .bind(json(&changed.inclusions)?)
    .bind(json(&changed.exclusions)?)
    .bind(changed.schedule.to_string())
    .bind(i64::from(changed.enabled))
    .bind(now_ms)
    .bind(changed.timezone.as_str())
    .bind(i64::from(changed.spread_minutes))
    .bind(changed.missed.as_str())
    .bind(json(&changed.retention)?)
    .bind(changed.notification_email.as_deref())
    .bind(i64::from(changed.notify_success))
    .bind(i64::from(changed.notify_failure))
    .bind(json(&changed.options)?);
    db.execute(update).await?;
    Ok(())
}

/// Gives all configurations of an agent to another.
pub async fn move_to(db: &mut Connection, from: AgentId, to: AgentId) -> Result<()> {
    let update =
        query("UPDATE backup_configurations SET agent_id = $2 WHERE agent_id = $1 AND deleted_ms IS NULL");
    db.execute(update.bind(from.0).bind(to.0)).await?;
    Ok(())
}

/// Deletes all configurations of an agent, and says which.
pub async fn delete_of_agent(
    db: &mut Connection,
    agent: AgentId,
    now_ms: i64,
) -> Result<Vec<BackupConfigurationId>> {
    let update = query(
        "UPDATE backup_configurations SET deleted_ms = $2, next_due_ms = NULL, owed = 0
         WHERE agent_id = $1 AND deleted_ms IS NULL RETURNING id",
    );
    let deleted = db.fetch_all(update.bind(agent.0).bind(now_ms)).await?;
    deleted.iter().map(|row| row.integer("id").map(BackupConfigurationId)).collect()
}

/// Deletes an account's configuration; says whether there was one.
pub async fn delete(
    db: &mut Connection,
    account: AccountId,
    id: BackupConfigurationId,
    now_ms: i64,
) -> Result<bool> {
    let update = query(
        "UPDATE backup_configurations SET deleted_ms = $3, next_due_ms = NULL, owed = 0
         WHERE account_id = $1 AND id = $2 AND deleted_ms IS NULL",
    )
    .bind(account.0)
    .bind(id.0)
    .bind(now_ms);
    Ok(db.execute(update).await?.rows_affected() > 0)
}

/// Counts one more run of a configuration, and returns which it is.
pub async fn count_run(db: &mut Connection, id: BackupConfigurationId) -> Result<i64> {
    let update =
        query("UPDATE backup_configurations SET run_count = run_count + 1 WHERE id = $1 RETURNING run_count")
            .bind(id.0);
    db.fetch_one(update).await?.integer("run_count")
}

/// What a backup has to know.
#[derive(Debug)]
pub struct Selection {
    /// The configuration's name.
    pub name: String,
    /// What to back up.
    pub inclusions: Vec<String>,
    /// What to leave out.
    pub exclusions: Vec<String>,
    /// What else to pass over, and which commands to run.
    pub options: BackupOptions,
    /// The time zone by whose clocks it goes.
    pub timezone: String,
}

/// What a backup has to know of its configuration, whether or not that was deleted since.
pub async fn selection(db: &mut Connection, backup: BackupId) -> Result<Selection> {
    let select = query(
        "SELECT c.name, c.inclusions, c.exclusions, c.options, c.timezone
         FROM backups b JOIN backup_configurations c ON c.id = b.configuration_id WHERE b.id = $1",
    );
    let row = db.fetch_one(select.bind(backup.0)).await?;
    Ok(Selection {
        name: row.text("name")?,
        inclusions: row.json("inclusions")?,
        exclusions: row.json("exclusions")?,
        options: row.json("options")?,
        timezone: row.text("timezone")?,
    })
}

/// A row as a configuration.
pub(super) fn configuration(row: &AnyRow) -> Result<BackupConfiguration> {
    Ok(BackupConfiguration {
        id: BackupConfigurationId(row.integer("id")?),
        name: row.text("name")?,
        agent_id: AgentId(row.integer("agent_id")?),
        enabled: row.flag("enabled")?,
        inclusions: row.json("inclusions")?,
        exclusions: row.json("exclusions")?,
        schedule: row.word("schedule")?,
        timezone: row.text("timezone")?,
        spread_minutes: u32::try_from(row.integer("spread_minutes")?).unwrap_or(0),
        missed: row.word("missed")?,
        next_runtime: row.maybe_time("next_due_ms")?,
        retention: row.json("retention")?,
        options: row.json("options")?,
        notification_email: row.maybe_text("notification_email")?,
        notify_success: row.flag("notify_success")?,
        notify_failure: row.flag("notify_failure")?,
        created_at: row.time("created_ms")?,
        updated_at: row.time("updated_ms")?,
    })
}
