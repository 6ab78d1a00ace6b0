//! How long ago each vault was last checked, cleaned and drilled well.

use roadstead_api::{
    alarm::AlarmKind,
    id::{AccountId, VaultId},
    vault_task::DrillSettings,
};
use sqlx::{Executor, any::AnyRow, query};

use super::{Connection, row::Columns};
use crate::Result;

/// What there is to know of a managed vault with backups, to see whether its care is overdue. Times are in milliseconds
/// since 1970.
#[derive(Debug)]
pub struct Record {
    /// The vault.
    pub vault_id: VaultId,
    /// The account it belongs to.
    pub account_id: AccountId,
    /// The name of its agent.
    pub agent_name: String,
    /// When its first backup that can be restored ended.
    pub first_backup_ms: i64,
    /// When its last check that found it whole ended.
    pub good_check_ms: Option<i64>,
    /// When its last check that found it damaged ended, or was asked for where it goes on.
    pub bad_check_ms: Option<i64>,
    /// When its last cleanup that went well ended.
    pub good_cleanup_ms: Option<i64>,
    /// When its rules of retention were last changed; nothing where there are none.
    pub rules_ms: Option<i64>,
    /// When its last drill that brought everything back ended.
    pub good_drill_ms: Option<i64>,
    /// When its last drill that did not ended.
    pub bad_drill_ms: Option<i64>,
    /// When its first drill was asked for.
    pub first_drill_ms: Option<i64>,
    /// Every how many days it is drilled; 0 for never.
    pub drill_days: i64,
    /// Whether the alarm is open that it has no good check.
    pub check_alarmed: bool,
    /// Whether the alarm is open that it has no good cleanup.
    pub cleanup_alarmed: bool,
    /// Whether the alarm is open that it has no good drill.
    pub drill_alarmed: bool,
}

/// The records of the vaults above `after`, by id.
pub async fn records(db: &mut Connection, after: &str, limit: i64) -> Result<Vec<Record>> {
    let select = query(
        "SELECT v.id, v.account_id, a.name AS agent_name,
            (SELECT MIN(b.completed_ms) FROM backups b
             WHERE b.vault_id = v.id AND b.snapshot_id IS NOT NULL) AS first_backup,
            (SELECT MAX(x.completed_ms) FROM checks x WHERE x.vault_id = v.id AND x.state = 'completed') AS good_check,
            (SELECT MAX(COALESCE(x.completed_ms, x.created_ms)) FROM checks x WHERE x.vault_id = v.id AND
             (x.state = 'completed_with_errors' OR (x.completed_ms IS NULL AND x.reason IS NOT NULL))) AS bad_check,
            (SELECT MAX(x.completed_ms) FROM cleanups x
             WHERE x.vault_id = v.id AND x.state = 'completed') AS good_cleanup,
            (SELECT MAX(c.updated_ms) FROM backup_configurations c
             WHERE c.agent_id = v.agent_id AND c.retention <> '{}') AS rules,
            (SELECT MAX(x.completed_ms) FROM vault_tasks x
             WHERE x.vault_id = v.id AND x.kind = 'drill' AND x.state = 'completed') AS good_drill,
            (SELECT MAX(x.completed_ms) FROM vault_tasks x
             WHERE x.vault_id = v.id AND x.kind = 'drill' AND x.state = 'completed_with_errors') AS bad_drill,
            (SELECT MIN(x.created_ms) FROM vault_tasks x WHERE x.vault_id = v.id AND x.kind = 'drill') AS first_drill,
            COALESCE((SELECT every_days FROM drill_settings d WHERE d.account_id = v.account_id), $6)
              * CASE WHEN v.mode = 'managed' THEN 1 ELSE 0 END AS drill_days,
            (SELECT COUNT(*) FROM alarms m WHERE m.account_id = v.account_id AND m.kind = $3 AND m.noun = 'vault'
             AND m.noun_id = v.id AND m.closed_ms IS NULL) AS check_alarms,
            (SELECT COUNT(*) FROM alarms m WHERE m.account_id = v.account_id AND m.kind = $4 AND m.noun = 'vault'
             AND m.noun_id = v.id AND m.closed_ms IS NULL) AS cleanup_alarms,
            (SELECT COUNT(*) FROM alarms m WHERE m.account_id = v.account_id AND m.kind = $5 AND m.noun = 'vault'
             AND m.noun_id = v.id AND m.closed_ms IS NULL) AS drill_alarms
         FROM vaults v JOIN agents a ON a.id = v.agent_id
         WHERE (v.mode = 'managed' OR v.retired_ms IS NULL) AND v.id > $1
           AND EXISTS (SELECT 1 FROM backups b WHERE b.vault_id = v.id AND b.snapshot_id IS NOT NULL
                       AND b.completed_ms IS NOT NULL)
         ORDER BY v.id LIMIT $2",
    )
    .bind(after)
    .bind(limit)
    .bind(AlarmKind::CheckOverdue.as_str())
    .bind(AlarmKind::CleanupOverdue.as_str())
    .bind(AlarmKind::DrillOverdue.as_str())
    .bind(i64::from(DrillSettings::default().every_days));
    db.fetch_all(select).await?.iter().map(record).collect()
}

fn record(row: &AnyRow) -> Result<Record> {
    Ok(Record {
        vault_id: VaultId(row.text("id")?),
        account_id: AccountId(row.integer("account_id")?),
        agent_name: row.text("agent_name")?,
        first_backup_ms: row.integer("first_backup")?,
        good_check_ms: row.maybe_integer("good_check")?,
        bad_check_ms: row.maybe_integer("bad_check")?,
        good_cleanup_ms: row.maybe_integer("good_cleanup")?,
        rules_ms: row.maybe_integer("rules")?,
        good_drill_ms: row.maybe_integer("good_drill")?,
        bad_drill_ms: row.maybe_integer("bad_drill")?,
        first_drill_ms: row.maybe_integer("first_drill")?,
        drill_days: row.integer("drill_days")?,
        check_alarmed: row.integer("check_alarms")? > 0,
        cleanup_alarmed: row.integer("cleanup_alarms")? > 0,
        drill_alarmed: row.integer("drill_alarms")? > 0,
    })
}
