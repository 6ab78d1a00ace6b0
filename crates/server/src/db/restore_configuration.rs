//! Restore configurations. A deleted one keeps its row, since its restores still speak of it.

use roadstead_api::{
    id::{AccountId, AgentId, BackupId, RestoreConfigurationId, RestoreId},
    restore_configuration::{RestoreConfiguration, RestoreConfigurationQuery},
};
use sqlx::{AssertSqlSafe, Executor, any::AnyRow, query};

use super::{
    Connection,
    restore::{rule_number, rule_of},
    row::{Columns, json},
};
use crate::Result;

const SELECT: &str = "SELECT c.*,
        (SELECT MAX(r.id) FROM restores r WHERE r.configuration_id = c.id AND r.dry_run = 0) AS latest_restore_id
     FROM restore_configurations c";

/// Makes a configuration as this one says, but for its id.
pub async fn insert(
    db: &mut Connection,
    account: AccountId,
    new: &RestoreConfiguration,
    now_ms: i64,
) -> Result<RestoreConfigurationId> {
    let insert = query(
        "INSERT INTO restore_configurations (account_id, backup_id, agent_id, name, enabled, path, inclusions,
                                             exclusions, overwrite, notification_email, notify_success, notify_failure,
                                             run_count, created_ms, updated_ms)
         VALUES ($1, $2, $3, $4, 1, $5, $6, $7, $8, $9, $10, $11, 0, $12, $12) RETURNING id",
    )
    .bind(account.0)
    .bind(new.backup_id.0)
    .bind(new.agent_id.0)
    .bind(new.name.as_str())
    .bind(new.path.as_str())
    .bind(json(&new.inclusions)?)
    .bind(json(&new.exclusions)?)
    .bind(rule_number(new.overwrite_rule))
    .bind(new.notification_email.as_deref())
    .bind(i64::from(new.notify_success))
    .bind(i64::from(new.notify_failure))
    .bind(now_ms);
    Ok(RestoreConfigurationId(db.fetch_one(insert).await?.integer("id")?))
}

/// An account's configurations above `after`, oldest first.
pub async fn list(
    db: &mut Connection,
    account: AccountId,
    filter: &RestoreConfigurationQuery,
    after: i64,
    limit: i64,
) -> Result<Vec<RestoreConfiguration>> {
    let sql = format!(
        "{SELECT} WHERE c.account_id = $1 AND c.deleted_ms IS NULL AND c.id > $2 AND ($4 < 0 OR c.agent_id = $4)
         ORDER BY c.id LIMIT $3"
    );
    let select = query(AssertSqlSafe(sql))
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
    id: RestoreConfigurationId,
) -> Result<Option<RestoreConfiguration>> {
    let sql = format!("{SELECT} WHERE c.account_id = $1 AND c.id = $2 AND c.deleted_ms IS NULL");
    let select = query(AssertSqlSafe(sql)).bind(account.0).bind(id.0);
    db.fetch_optional(select).await?.as_ref().map(configuration).transpose()
}

/// Writes what can be changed of a configuration.
pub async fn update(db: &mut Connection, changed: &RestoreConfiguration, now_ms: i64) -> Result<()> {
    let update = query(
        "UPDATE restore_configurations
         SET backup_id = $2, agent_id = $3, name = $4, enabled = $5, path = $6, inclusions = $7, exclusions = $8,
             overwrite = $9, notification_email = $10, notify_success = $11, notify_failure = $12, updated_ms = $13
         WHERE id = $1",
    )
    .bind(changed.id.0)
    .bind(changed.backup_id.0)
    .bind(changed.agent_id.0)
    .bind(changed.name.as_str())
    .bind(i64::from(changed.enabled))
    .bind(changed.path.as_str())
    .bind(json(&changed.inclusions)?)
    .bind(json(&changed.exclusions)?)
    .bind(rule_number(changed.overwrite_rule))
    .bind(changed.notification_email.as_deref())
    .bind(i64::from(changed.notify_success))
    .bind(i64::from(changed.notify_failure))
    .bind(now_ms);
    db.execute(update).await?;
    Ok(())
}

/// Gives all configurations of an agent to another.
pub async fn move_to(db: &mut Connection, from: AgentId, to: AgentId) -> Result<()> {
    let update =
        query("UPDATE restore_configurations SET agent_id = $2 WHERE agent_id = $1 AND deleted_ms IS NULL");
    db.execute(update.bind(from.0).bind(to.0)).await?;
    Ok(())
}

/// Deletes all configurations that restore to an agent, and says which.
pub async fn delete_of_agent(
    db: &mut Connection,
    agent: AgentId,
    now_ms: i64,
) -> Result<Vec<RestoreConfigurationId>> {
    let update = query(
        "UPDATE restore_configurations SET deleted_ms = $2
         WHERE agent_id = $1 AND deleted_ms IS NULL RETURNING id",
    );
    let deleted = db.fetch_all(update.bind(agent.0).bind(now_ms)).await?;
    deleted.iter().map(|row| row.integer("id").map(RestoreConfigurationId)).collect()
}

/// Deletes an account's configuration; says whether there was one.
pub async fn delete(
    db: &mut Connection,
    account: AccountId,
    id: RestoreConfigurationId,
    now_ms: i64,
) -> Result<bool> {
    let update = query(
        "UPDATE restore_configurations SET deleted_ms = $3
         WHERE account_id = $1 AND id = $2 AND deleted_ms IS NULL",
    )
    .bind(account.0)
    .bind(id.0)
    .bind(now_ms);
    Ok(db.execute(update).await?.rows_affected() > 0)
}

/// Counts one more run of a configuration, and returns which it is.
pub async fn count_run(db: &mut Connection, id: RestoreConfigurationId) -> Result<i64> {
    let update = query(
        "UPDATE restore_configurations SET run_count = run_count + 1 WHERE id = $1 RETURNING run_count",
    )
    .bind(id.0);
    db.fetch_one(update).await?.integer("run_count")
}

fn configuration(row: &AnyRow) -> Result<RestoreConfiguration> {
    let overwrite_rule = rule_of(row)?;
    Ok(RestoreConfiguration {
        id: RestoreConfigurationId(row.integer("id")?),
        name: row.text("name")?,
        backup_id: BackupId(row.integer("backup_id")?),
        agent_id: AgentId(row.integer("agent_id")?),
        enabled: row.flag("enabled")?,
        path: row.text("path")?,
        inclusions: row.json("inclusions")?,
        exclusions: row.json("exclusions")?,
        overwrite: overwrite_rule.overwrites(),
        overwrite_rule,
        notification_email: row.maybe_text("notification_email")?,
        notify_success: row.flag("notify_success")?,
        notify_failure: row.flag("notify_failure")?,
        latest_restore_id: row.maybe_integer("latest_restore_id")?.map(RestoreId),
        created_at: row.time("created_ms")?,
        updated_at: row.time("updated_ms")?,
    })
}
