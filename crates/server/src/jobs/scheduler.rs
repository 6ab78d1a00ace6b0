//! Gives each slot of each schedule its row, when it is due: a queued run, or the note that it was skipped or missed.
//!
//! Servers that share a database may all do this. Each decides over agents that hang on it, and over slots that nobody
//! can run any more; the database keeps a slot from having two rows.

use std::{collections::HashSet, sync::Arc};

use roadstead_api::{
    backup_configuration::MissedAction,
    id::{AgentId, BackupConfigurationId},
    run::{RunOrigin, RunState},
};

use crate::{
    Error, Result,
    app::App,
    db::{self, Db, backup::NewBackupRow, schedule::Standing},
    live::Live,
    schedule::{Circumstances, Decision, Timetable, decide},
};

/// How many configurations are gone through in one turn to write.
const BATCH: i64 = 100;
/// How many slots of one configuration are decided in one turn. After a long absence there are more turns.
const MAX_SLOTS: usize = 500;
/// What is said of a slot that nobody could run.
const MISSED: &str = "Nobody could run it within ten minutes of its time: its agent or the server was away.";

/// Decides over every slot that is due.
pub async fn run(app: Arc<App>) -> Result<()> {
    pass(&app.db, &app.live, app.now_ms()).await
}

async fn pass(db: &Db, live: &Live, now: i64) -> Result<()> {
    if db::schedule::is_ahead(&mut *db.read().await?, now).await? {
        tracing::warn!("the clock was set back; schedules begin again from now");
        let mut write = db.write().await?;
        db::schedule::take_back(&mut write, now).await?;
        write.commit().await?;
    }
    let mut after = 0;
    loop {
        let due = db::schedule::due(&mut *db.read().await?, now, after, BATCH).await?;
        let Some((last, _)) = due.last() else { return Ok(()) };
        after = last.0;
        let connected: HashSet<AgentId> = live.connected().into_iter().collect();
        let mut write = db.write().await?;
        let mut queued = false;
        for (id, agent) in &due {
            queued |= configuration(&mut write, *id, now, connected.contains(agent)).await?;
        }
        write.commit().await?;
        if queued {
            live.dispatch.notify_one();
        }
    }
}

/// Decides over a configuration's slots; says whether a run was queued.
async fn configuration(
    db: &mut db::Write,
    id: BackupConfigurationId,
    now_ms: i64,
    reachable: bool,
) -> Result<bool> {
    let Some(standing) = db::schedule::standing(db, id, now_ms).await? else { return Ok(false) };
    let timetable = match Timetable::of(&standing.configuration) {
        Ok(timetable) => timetable,
        Err(error) => {
            // Its time zone is gone from this machine, say. Others are not to suffer, and it is tried again.
            tracing::error!(configuration = %id, error = error.chain(), "a schedule cannot be followed");
            return Ok(false);
        }
    };
    let Standing { mut decided_ms, mut owed, mut active, .. } = standing;
    let makes_up = standing.configuration.missed == MissedAction::Asap;
    let mut queued = false;
    for slot in timetable.slots_after(decided_ms).take(MAX_SLOTS) {
        let due = timetable.due(slot);
        let at = Circumstances { now_ms, active, reachable };
        let Some(decision) = (due <= now_ms).then(|| decide(due, at)).flatten() else { break };
        let entered = enter(db, &standing, slot, decision, now_ms).await?;
        queued |= entered == Some(Decision::Run);
        active |= matches!(entered, Some(Decision::Run | Decision::Skipped));
        owed = makes_up && !active && (owed || entered == Some(Decision::Missed));
        decided_ms = slot;
    }
    if owed && reachable && !active {
        queued |= insert(db, &standing, RunOrigin::MadeUp, None, None, now_ms).await?;
        owed = false;
    }
    db::schedule::settle(db, id, decided_ms, timetable.next_due(decided_ms), owed).await?;
    Ok(queued)
}

/// Writes the row of a slot, and says what it is; `None` when the slot has one already.
async fn enter(
    db: &mut db::Write,
    standing: &Standing,
    slot_ms: i64,
    decision: Decision,
    now_ms: i64,
) -> Result<Option<Decision>> {
    // Where a run cannot be queued, somebody started one in this very moment, or the slot has its row.
    let second = (decision == Decision::Run).then_some(Decision::Skipped);
    for decision in [Some(decision), second].into_iter().flatten() {
        let ended = match decision {
            Decision::Run => None,
            Decision::Skipped => Some((RunState::Skipped, "The backup before it was still going on.")),
            Decision::Missed => Some((RunState::Missed, MISSED)),
        };
        if insert(db, standing, RunOrigin::Schedule, Some(slot_ms), ended, now_ms).await? {
            return Ok(Some(decision));
        }
    }
    Ok(None)
}

async fn insert(
    db: &mut db::Write,
    standing: &Standing,
    origin: RunOrigin,
    slot_ms: Option<i64>,
    ended: Option<(RunState, &str)>,
    now_ms: i64,
) -> Result<bool> {
    let configuration = &standing.configuration;
    let vault = db::vault::by_agent(db, configuration.agent_id).await?;
    let vault = vault.ok_or_else(|| Error::internal("The agent has no vault."))?;
    let number = db::backup_configuration::count_run(db, configuration.id).await?;
    let row = NewBackupRow {
        account_id: standing.account_id,
        configuration_id: configuration.id,
        agent_id: configuration.agent_id,
        vault_id: &vault.id,
        name: &format!("{}-{number}", configuration.name),
        origin,
        slot_ms,
        now_ms,
    };
    Ok(db::backup::insert_scheduled(db, &row, ended).await?.is_some())
}

#[cfg(test)]
mod tests;
