//! Cleanups of vaults: their rows, what they decide over, and what they leave behind.

use roadstead_api::{
    cleanup::Cleanup,
    event::Event,
    id::{AccountId, BackupConfigurationId, BackupId, CleanupId, VaultId},
    retention::Retention,
    run::RunState,
    vault_task::DrillSettings,
};
use serde::{Deserialize, Serialize};
use sqlx::{AssertSqlSafe, Executor, any::AnyRow, query};

use super::{
    Connection, Write,
    dialect::Dialect,
    row::{Columns, json},
};
use crate::Result;

/// What a cleanup did, as its row keeps it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct CleanupFindings {
    /// Snapshots that were kept.
    pub kept: u64,
    /// Snapshots that are not there any more.
    pub forgotten: Vec<String>,
    /// Packs written anew.
    pub packs_repacked: u64,
    /// Packs that went to the trash.
    pub packs_dropped: u64,
    /// Their sizes in bytes.
    pub bytes_dropped: u64,
    /// Files of the trash that are gone for good.
    pub files_deleted: u64,
}

/// A backup that a cleanup decides over, and the rules of its configuration, also of a deleted one.
#[derive(Clone, Debug)]
pub struct Kept {
    /// The backup.
    pub backup_id: BackupId,
    /// Its configuration.
    pub configuration_id: BackupConfigurationId,
    /// The rules.
    pub retention: Retention,
    /// The configuration's time zone.
    pub timezone: String,
    /// The backup's snapshot.
    pub snapshot: String,
    /// When that arrived.
    pub arrived_ms: i64,
}

/// Makes a queued cleanup; `slot_ms` is the time of the vault's own schedule. Says which, or `None` when the slot has
/// one already.
pub async fn insert(
    db: &mut Connection,
    account: AccountId,
    vault: &VaultId,
    slot_ms: Option<i64>,
    now_ms: i64,
) -> Result<Option<CleanupId>> {
    let insert = query(
        "INSERT INTO cleanups (account_id, vault_id, slot_ms, state, report, created_ms)
         VALUES ($1, $2, $3, 'queued', $4, $5) ON CONFLICT DO NOTHING RETURNING id",
    )
    .bind(account.0)
    .bind(vault.0.as_str())
    .bind(slot_ms)
    .bind(json(&CleanupFindings::default())?)
    .bind(now_ms);
    db.fetch_optional(insert).await?.map(|row| row.integer("id").map(CleanupId)).transpose()
}

/// An account's cleanup.
pub async fn get(db: &mut Connection, account: AccountId, id: CleanupId) -> Result<Option<Cleanup>> {
    let select = query("SELECT * FROM cleanups WHERE account_id = $1 AND id = $2").bind(account.0).bind(id.0);
    db.fetch_optional(select).await?.as_ref().map(cleanup).transpose()
}

/// A vault's cleanups below `before`, newest first.
pub async fn list(db: &mut Connection, vault: &VaultId, before: i64, limit: i64) -> Result<Vec<Cleanup>> {
    let select = query("SELECT * FROM cleanups WHERE vault_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3")
        .bind(vault.0.as_str())
        .bind(before)
        .bind(limit);
    db.fetch_all(select).await?.iter().map(cleanup).collect()
}

/// Every backup of a vault that has a snapshot, by configuration.
pub async fn kept(db: &mut Connection, vault: &VaultId) -> Result<Vec<Kept>> {
    let select = query(
        "SELECT b.id, b.configuration_id, b.snapshot_id, s.arrived_ms, c.retention, c.timezone
         FROM backups b JOIN backup_configurations c ON c.id = b.configuration_id
         JOIN vault_snapshots s ON s.vault_id = b.vault_id AND s.name = b.snapshot_id
         WHERE b.vault_id = $1 AND b.forgotten_ms IS NULL ORDER BY b.configuration_id, b.id",
    )
    .bind(vault.0.as_str());
    let kept = |row: &AnyRow| {
        Ok(Kept {
            backup_id: BackupId(row.integer("id")?),
            configuration_id: BackupConfigurationId(row.integer("configuration_id")?),
            retention: row.json("retention")?,
            timezone: row.text("timezone")?,
            snapshot: row.text("snapshot_id")?,
            arrived_ms: row.integer("arrived_ms")?,
        })
    };
    db.fetch_all(select).await?.iter().map(kept).collect()
}

/// Puts back in the queue what was going on when its server died.
pub async fn requeue_interrupted(db: &mut Connection) -> Result<()> {
    let update = Dialect::of(db).requeue("cleanups");
    db.execute(AssertSqlSafe(update)).await?;
    Ok(())
}

/// Takes a queued cleanup, the oldest above `after`, if there is one.
pub async fn claim(db: &mut Write, after: i64, now_ms: i64) -> Result<Option<Cleanup>> {
    let update = Dialect::of(db).claim("cleanups", after);
    let Some(row) = db.fetch_optional(AssertSqlSafe(update)).await? else { return Ok(None) };
    tell(db, &row)?;
    let claimed = cleanup(&row)?;
    let update = query("UPDATE cleanups SET started_ms = $2 WHERE id = $1").bind(claimed.id.0).bind(now_ms);
    db.execute(update).await?;
    Ok(Some(claimed))
}

/// Tells of a cleanup's new state.
fn tell(db: &mut Write, row: &AnyRow) -> Result<()> {
    let event = Event::new("cleanup", row.integer("id")?, "state").state(row.text("state")?);
    db.tell(AccountId(row.integer("account_id")?), event);
    Ok(())
}

/// Puts a cleanup back in the queue: it could not be done just now.
pub async fn put_back(db: &mut Write, id: CleanupId) -> Result<()> {
    let update = query("UPDATE cleanups SET state = 'queued' WHERE id = $1 RETURNING id, account_id, state");
    match db.fetch_optional(update.bind(id.0)).await? {
        Some(row) => tell(db, &row),
        None => Ok(()),
    }
}

/// Ends a cleanup, and notes which backups have lost their files.
pub async fn finish(
    db: &mut Write,
    cleanup: &Cleanup,
    state: RunState,
    reason: Option<&str>,
    findings: &CleanupFindings,
    now_ms: i64,
) -> Result<()> {
    forget(db, &cleanup.vault_id, &findings.forgotten, now_ms).await?;
    let update = query(
        "UPDATE cleanups SET state = $2, reason = $3, report = $4, completed_ms = $5 WHERE id = $1
         RETURNING id, account_id, state",
    )
    .bind(cleanup.id.0)
    .bind(state.as_str())
    .bind(reason)
    .bind(json(findings)?)
    .bind(now_ms);
    match db.fetch_optional(update).await? {
        Some(row) => tell(db, &row),
        None => Ok(()),
    }
}

/// Notes which backups have lost their files.
pub async fn forget(db: &mut Connection, vault: &VaultId, snapshots: &[String], now_ms: i64) -> Result<()> {
    for snapshot in snapshots {
        let update = query(
            "UPDATE backups SET forgotten_ms = $3
             WHERE vault_id = $1 AND snapshot_id = $2 AND forgotten_ms IS NULL",
        )
        .bind(vault.0.as_str())
        .bind(snapshot.as_str())
        .bind(now_ms);
        db.execute(update).await?;
    }
    Ok(())
}

/// Notes that the files of a backup are there again.
pub async fn remember(db: &mut Connection, vault: &VaultId, snapshot: &str) -> Result<()> {
    let update = query("UPDATE backups SET forgotten_ms = NULL WHERE vault_id = $1 AND snapshot_id = $2")
        .bind(vault.0.as_str())
        .bind(snapshot);
    db.execute(update).await?;
    Ok(())
}

/// A vault, and when its own schedule was last followed.
#[derive(Debug)]
pub struct Upkeep {
    /// The vault.
    pub vault_id: VaultId,
    /// The account it belongs to.
    pub account_id: AccountId,
    /// When it was made.
    pub created_ms: i64,
    /// Whether a configuration of it has rules of retention.
    pub has_rules: bool,
    /// The slot of its last periodic cleanup.
    pub last_cleanup_ms: Option<i64>,
    /// The slot of its last periodic check.
    pub last_check_ms: Option<i64>,
    /// Which part of the data that read.
    pub last_part: Option<i64>,
    /// Every how many days it is drilled; 0 for never.
    pub drill_days: i64,
    /// Whether it has a backup that can be drilled.
    pub has_backups: bool,
    /// The slot of its last periodic drill.
    pub last_drill_ms: Option<i64>,
}

/// The vaults that are looked after above `after`, by id: those that the server can look into, and sealed ones that an agent
/// backs up to, which cannot be drilled.
pub async fn upkeep(db: &mut Connection, after: &str, limit: i64) -> Result<Vec<Upkeep>> {
    let select = query(
        "SELECT v.id, v.account_id, v.created_ms,
            (SELECT COUNT(*) FROM backup_configurations c
             WHERE c.agent_id = v.agent_id AND c.retention <> '{}') AS rules,
            (SELECT MAX(slot_ms) FROM cleanups x WHERE x.vault_id = v.id) AS last_cleanup,
            (SELECT MAX(slot_ms) FROM checks x WHERE x.vault_id = v.id) AS last_check,
            (SELECT part FROM checks x WHERE x.vault_id = v.id AND x.slot_ms IS NOT NULL
             ORDER BY x.slot_ms DESC LIMIT 1) AS last_part,
            COALESCE((SELECT every_days FROM drill_settings d WHERE d.account_id = v.account_id), $3) AS drill_days,
            (SELECT COUNT(*) FROM (SELECT 1 FROM backups b WHERE b.vault_id = v.id AND b.snapshot_id IS NOT NULL
             AND b.forgotten_ms IS NULL AND v.mode = 'managed' LIMIT 1) known) AS backups,
            (SELECT MAX(slot_ms) FROM vault_tasks x WHERE x.vault_id = v.id AND x.kind = 'drill') AS last_drill
         FROM vaults v WHERE (v.mode = 'managed' OR v.retired_ms IS NULL) AND v.deleted_ms IS NULL AND v.id > $1 ORDER BY v.id LIMIT $2",
    )
    .bind(after)
    .bind(limit)
    .bind(i64::from(DrillSettings::default().every_days));
    let upkeep = |row: &AnyRow| {
        Ok(Upkeep {
            vault_id: VaultId(row.text("id")?),
            account_id: AccountId(row.integer("account_id")?),
            created_ms: row.integer("created_ms")?,
            has_rules: row.integer("rules")? > 0,
            last_cleanup_ms: row.maybe_integer("last_cleanup")?,
            last_check_ms: row.maybe_integer("last_check")?,
            last_part: row.maybe_integer("last_part")?,
            drill_days: row.integer("drill_days")?,
            has_backups: row.integer("backups")? > 0,
            last_drill_ms: row.maybe_integer("last_drill")?,
        })
    };
    db.fetch_all(select).await?.iter().map(upkeep).collect()
}

fn cleanup(row: &AnyRow) -> Result<Cleanup> {
    let findings: CleanupFindings = row.json("report")?;
    Ok(Cleanup {
        id: CleanupId(row.integer("id")?),
        vault_id: VaultId(row.text("vault_id")?),
        state: row.word("state")?,
        reason: row.maybe_text("reason")?,
        slot_at: row.maybe_time("slot_ms")?,
        backups_kept: findings.kept,
        backups_forgotten: findings.forgotten.len() as u64,
        packs_repacked: findings.packs_repacked,
        packs_dropped: findings.packs_dropped,
        bytes_dropped: findings.bytes_dropped,
        files_deleted: findings.files_deleted,
        created_at: row.time("created_ms")?,
        started_at: row.maybe_time("started_ms")?,
        completed_at: row.maybe_time("completed_ms")?,
    })
}
