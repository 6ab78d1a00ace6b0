//! Vault tasks: one row a run. A task is a job: durable, and begun again when its server dies in the middle.

use roadstead_api::{
    event::Event,
    id::{AccountId, VaultId, VaultTaskId},
    run::{Progress, RunState},
    vault_task::{CopyReport, DrillReport, NewVaultTask, RepairReport, VaultTask, VaultTaskKind},
};
use sqlx::{AssertSqlSafe, Executor, any::AnyRow, query};

use super::{
    Connection, Write,
    dialect::Dialect,
    row::{Columns, json},
};
use crate::Result;

/// A task that was taken to be done.
#[derive(Clone, Debug)]
pub struct Claimed {
    /// The task.
    pub id: VaultTaskId,
    /// The account that it belongs to.
    pub account_id: AccountId,
    /// The vault.
    pub vault_id: VaultId,
    /// What is to be done.
    pub input: NewVaultTask,
    /// Whether somebody wants it to end already.
    pub stop_asked: bool,
}

/// How a task ended by itself.
#[derive(Clone, Debug)]
pub enum Report {
    /// A drill.
    Drill(DrillReport),
    /// A copy.
    Copy(CopyReport),
    /// A repair.
    Repair(RepairReport),
}

/// Makes a queued task; `slot_ms` is the time of the vault's own schedule. Says which, or `None` when the slot has one
/// of its kind already.
pub async fn insert(
    db: &mut Connection,
    account: AccountId,
    vault: &VaultId,
    input: &NewVaultTask,
    slot_ms: Option<i64>,
    now_ms: i64,
) -> Result<Option<VaultTaskId>> {
    let insert = query(
        "INSERT INTO vault_tasks (account_id, vault_id, kind, input, slot_ms, state, progress, created_ms)
         VALUES ($1, $2, $3, $4, $5, 'queued', $6, $7) ON CONFLICT DO NOTHING RETURNING id",
    )
    .bind(account.0)
    .bind(vault.0.as_str())
    .bind(input.kind().as_str())
    .bind(json(input)?)
    .bind(slot_ms)
    .bind(json(&Progress::default())?)
    .bind(now_ms);
    db.fetch_optional(insert).await?.map(|row| row.integer("id").map(VaultTaskId)).transpose()
}

/// An account's task.
pub async fn get(db: &mut Connection, account: AccountId, id: VaultTaskId) -> Result<Option<VaultTask>> {
    let select =
        query("SELECT * FROM vault_tasks WHERE account_id = $1 AND id = $2").bind(account.0).bind(id.0);
    db.fetch_optional(select).await?.as_ref().map(task).transpose()
}

/// A vault's tasks below `before`, newest first.
pub async fn list(db: &mut Connection, vault: &VaultId, before: i64, limit: i64) -> Result<Vec<VaultTask>> {
    let select = query("SELECT * FROM vault_tasks WHERE vault_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3")
        .bind(vault.0.as_str())
        .bind(before)
        .bind(limit);
    db.fetch_all(select).await?.iter().map(task).collect()
}

/// Puts back in the queue what was going on when its server died.
pub async fn requeue_interrupted(db: &mut Connection) -> Result<()> {
    let update = Dialect::of(db).requeue("vault_tasks");
    db.execute(AssertSqlSafe(update)).await?;
    Ok(())
}

/// Takes a queued task, the oldest above `after`, if there is one.
pub async fn claim(db: &mut Write, after: i64, now_ms: i64) -> Result<Option<Claimed>> {
    let update = Dialect::of(db).claim("vault_tasks", after);
    let Some(row) = db.fetch_optional(AssertSqlSafe(update)).await? else { return Ok(None) };
    let claimed = Claimed {
        id: VaultTaskId(row.integer("id")?),
        account_id: AccountId(row.integer("account_id")?),
        vault_id: VaultId(row.text("vault_id")?),
        input: row.json("input")?,
        stop_asked: row.flag("stop_asked")?,
    };
    let update =
        query("UPDATE vault_tasks SET started_ms = $2 WHERE id = $1").bind(claimed.id.0).bind(now_ms);
    db.execute(update).await?;
    let event = Event::new("vault_task", claimed.id, "state").state(RunState::InProgress);
    db.tell(claimed.account_id, event);
    Ok(Some(claimed))
}

/// Puts a task back in the queue: it could not be done just now.
pub async fn put_back(db: &mut Write, claimed: &Claimed) -> Result<()> {
    db.execute(query("UPDATE vault_tasks SET state = 'queued' WHERE id = $1").bind(claimed.id.0)).await?;
    db.tell(claimed.account_id, Event::new("vault_task", claimed.id, "state").state(RunState::Queued));
    Ok(())
}

/// Notes how far a task has come; says whether somebody wants it to end.
pub async fn set_progress(db: &mut Write, claimed: &Claimed, progress: &Progress) -> Result<bool> {
    let update = query("UPDATE vault_tasks SET progress = $2 WHERE id = $1 RETURNING stop_asked")
        .bind(claimed.id.0)
        .bind(json(progress)?);
    let Some(row) = db.fetch_optional(update).await? else { return Ok(true) };
    db.tell(claimed.account_id, Event::new("vault_task", claimed.id, "progress").progress(progress.clone()));
    row.flag("stop_asked")
}

/// Whether somebody wants a task to end.
pub async fn stop_asked(db: &mut Connection, id: VaultTaskId) -> Result<bool> {
    let select = query("SELECT stop_asked FROM vault_tasks WHERE id = $1").bind(id.0);
    db.fetch_optional(select).await?.map_or(Ok(true), |row| row.flag("stop_asked"))
}

/// Asks a task to end. One that nobody has begun ends at once.
pub async fn ask_to_stop(
    db: &mut Connection,
    account: AccountId,
    id: VaultTaskId,
    now_ms: i64,
) -> Result<()> {
    let queued = query(
        "UPDATE vault_tasks SET state = 'cancelled', reason = 'Stopped before it began.', completed_ms = $3
         WHERE account_id = $1 AND id = $2 AND state = 'queued'",
    );
    db.execute(queued.bind(account.0).bind(id.0).bind(now_ms)).await?;
    let running = query(
        "UPDATE vault_tasks SET stop_asked = 1 WHERE account_id = $1 AND id = $2 AND state = 'in_progress'",
    );
    db.execute(running.bind(account.0).bind(id.0)).await?;
    Ok(())
}

/// Ends a task.
pub async fn finish(
    db: &mut Write,
    claimed: &Claimed,
    (state, reason): (RunState, Option<&str>),
    report: Option<&Report>,
    now_ms: i64,
) -> Result<()> {
    let report = match report {
        Some(Report::Drill(report)) => Some(json(report)?),
        Some(Report::Copy(report)) => Some(json(report)?),
        Some(Report::Repair(report)) => Some(json(report)?),
        None => None,
    };
    let update =
        query("UPDATE vault_tasks SET state = $2, reason = $3, report = $4, completed_ms = $5 WHERE id = $1")
            .bind(claimed.id.0)
            .bind(state.as_str())
            .bind(reason)
            .bind(report)
            .bind(now_ms);
    db.execute(update).await?;
    db.tell(claimed.account_id, Event::new("vault_task", claimed.id, "state").state(state));
    Ok(())
}

/// Notes that a snapshot has taken the place of another: the backup is in that one now, and has arrived when it did.
pub async fn replace_snapshot(db: &mut Connection, vault: &VaultId, old: &str, new: &str) -> Result<()> {
    let stamp = query(
        "INSERT INTO vault_snapshots (vault_id, name, owner, arrived_ms)
         SELECT vault_id, $3, owner, arrived_ms FROM vault_snapshots WHERE vault_id = $1 AND name = $2
         ON CONFLICT (vault_id, name) DO NOTHING",
    );
    db.execute(stamp.bind(vault.0.as_str()).bind(old).bind(new)).await?;
    let update = query("UPDATE backups SET snapshot_id = $3 WHERE vault_id = $1 AND snapshot_id = $2");
    db.execute(update.bind(vault.0.as_str()).bind(old).bind(new)).await?;
    Ok(())
}

/// Notes that nothing is left of a backup.
pub async fn lose_snapshot(db: &mut Connection, vault: &VaultId, snapshot: &str, now_ms: i64) -> Result<()> {
    let update = query(
        "UPDATE backups SET forgotten_ms = $3 WHERE vault_id = $1 AND snapshot_id = $2 AND forgotten_ms IS NULL",
    );
    db.execute(update.bind(vault.0.as_str()).bind(snapshot).bind(now_ms)).await?;
    Ok(())
}

/// When a vault's last good check and last good drill ended, in milliseconds since 1970.
pub async fn last_good(db: &mut Connection, vault: &VaultId) -> Result<(Option<i64>, Option<i64>)> {
    let select = query(
        "SELECT (SELECT MAX(completed_ms) FROM checks WHERE vault_id = $1 AND state = 'completed') AS checked,
                (SELECT MAX(completed_ms) FROM vault_tasks
                 WHERE vault_id = $1 AND kind = 'drill' AND state = 'completed') AS drilled",
    );
    let row = db.fetch_one(select.bind(vault.0.as_str())).await?;
    Ok((row.maybe_integer("checked")?, row.maybe_integer("drilled")?))
}

fn task(row: &AnyRow) -> Result<VaultTask> {
    let state = match row.word("state")? {
        RunState::InProgress if row.flag("stop_asked")? => RunState::StopRequested,
        state => state,
    };
    let kind: VaultTaskKind = row.word("kind")?;
    let has_report = row.maybe_text("report")?.is_some();
    let is_there = |of| kind == of && has_report;
    Ok(VaultTask {
        id: VaultTaskId(row.integer("id")?),
        vault_id: VaultId(row.text("vault_id")?),
        kind,
        state,
        reason: row.maybe_text("reason")?,
        progress: row.json("progress")?,
        slot_at: row.maybe_time("slot_ms")?,
        drill: is_there(VaultTaskKind::Drill).then(|| row.json("report")).transpose()?,
        copy: is_there(VaultTaskKind::Copy).then(|| row.json("report")).transpose()?,
        repair: is_there(VaultTaskKind::Repair).then(|| row.json("report")).transpose()?,
        created_at: row.time("created_ms")?,
        started_at: row.maybe_time("started_ms")?,
        completed_at: row.maybe_time("completed_ms")?,
    })
}
