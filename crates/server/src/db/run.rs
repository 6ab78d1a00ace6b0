//! What the rows of backups and restores share: their way through the states.
//!
//! Every change names the states that it may come from, so a message that arrives late or twice changes nothing. Whatever
//! moves a run on is told to those who watch.

use roadstead_api::{
    event::Event,
    id::{AccountId, AgentId},
    link::{Outcome, RunKind, RunRef},
    notification_channel::{Notification, Topic},
    run::RunState,
};
use sqlx::{AssertSqlSafe, Executor, any::AnyRow, query};

use super::{
    Connection, Write, mail, notification, restore,
    row::{Columns, active_states, json, timestamp},
    upkeep,
};
use crate::Result;

/// A run that has not ended.
#[derive(Clone, Copy, Debug)]
pub struct ActiveRun {
    /// Which it is.
    pub run: RunRef,
    /// The account it belongs to.
    pub account_id: AccountId,
    /// The agent whose it is.
    pub agent_id: AgentId,
    /// Where it stands.
    pub state: RunState,
}

/// What stands for a kind of run in rows and events.
pub fn kind_word(kind: RunKind) -> &'static str {
    match kind {
        RunKind::Backup => "backup",
        RunKind::Restore => "restore",
        RunKind::Sealing => "sealing",
        RunKind::Upkeep => "upkeep",
    }
}

fn table(kind: RunKind) -> &'static str {
    match kind {
        RunKind::Backup => "backups",
        RunKind::Restore => "restores",
        RunKind::Sealing => "sealings",
        RunKind::Upkeep => "upkeeps",
    }
}

/// An agent's runs that have not ended, oldest first.
pub async fn active(db: &mut Connection, agent: AgentId) -> Result<Vec<ActiveRun>> {
    db.fetch_all(query(AssertSqlSafe(of_agent())).bind(agent.0)).await?.iter().map(active_run).collect()
}

/// Selects an agent's. They are gathered before they are put in order: SQLite would go through all that the agent has
/// ever backed up, since there is an index that has that in this order.
fn of_agent() -> String {
    let active = all_active("agent_id = $1 AND");
    format!("WITH active AS MATERIALIZED ({active}) SELECT * FROM active ORDER BY created_ms, kind, id")
}

/// What is to be told to agents: runs to be stopped, and the queued ones of enabled agents that have none in hand. Agent
/// by agent, the oldest first.
pub async fn waiting(db: &mut Connection) -> Result<Vec<ActiveRun>> {
    let sql = format!(
        "WITH active AS ({})
         SELECT active.* FROM active JOIN agents a ON a.id = active.agent_id
         WHERE active.state = 'stop_requested' OR (active.state = 'queued' AND a.enabled = 1 AND active.agent_id IN
             (SELECT agent_id FROM active GROUP BY agent_id
              HAVING SUM(CASE WHEN state = 'queued' THEN 0 ELSE 1 END) = 0))
         ORDER BY active.agent_id, active.created_ms, active.kind, active.id",
        all_active("")
    );
    db.fetch_all(query(AssertSqlSafe(sql))).await?.iter().map(active_run).collect()
}

/// Selects the runs of every kind that have not ended.
fn all_active(condition: &str) -> String {
    let kinds = [RunKind::Backup, RunKind::Restore, RunKind::Sealing, RunKind::Upkeep].map(|kind| {
        format!(
            "SELECT '{}' AS kind, id, account_id, agent_id, state, created_ms FROM {} WHERE {condition} state IN {}",
            kind_word(kind),
            table(kind),
            active_states()
        )
    });
    kinds.join(" UNION ALL ")
}

/// Moves a run from one of these states to another; says whether it stood in one of them.
pub async fn move_on(db: &mut Write, run: RunRef, from: &[RunState], to: RunState) -> Result<bool> {
    let sql = format!(
        "UPDATE {} SET state = $2 WHERE id = $1 AND state IN {} RETURNING account_id",
        table(run.kind),
        any_of(from)
    );
    let moved = db.fetch_optional(query(AssertSqlSafe(sql)).bind(run.id).bind(to.as_str())).await?;
    tell(db, run, to, moved).await
}

/// Moves a run of an agent's from one of these states to another, and notes when it began unless that is noted already;
/// says whether it stood in one of them.
pub async fn advance(
    db: &mut Write,
    agent: AgentId,
    run: RunRef,
    from: &[RunState],
    to: RunState,
    now_ms: i64,
) -> Result<bool> {
    let sql = format!(
        "UPDATE {} SET state = $2, started_ms = COALESCE(started_ms, $3)
         WHERE id = $1 AND agent_id = $4 AND state IN {} RETURNING account_id",
        table(run.kind),
        any_of(from)
    );
    let update = query(AssertSqlSafe(sql)).bind(run.id).bind(to.as_str()).bind(now_ms).bind(agent.0);
    let moved = db.fetch_optional(update).await?;
    tell(db, run, to, moved).await
}

fn any_of(states: &[RunState]) -> String {
    let states: Vec<String> = states.iter().map(|state| format!("'{state}'")).collect();
    format!("({})", states.join(", "))
}

/// Tells of a run's new state, if a row came back; says whether one did.
async fn tell(db: &mut Write, run: RunRef, state: RunState, moved: Option<AnyRow>) -> Result<bool> {
    let Some(row) = moved else { return Ok(false) };
    let account = AccountId(row.integer("account_id")?);
    if run.kind == RunKind::Upkeep {
        upkeep::passed_on(db, run.id, state).await?;
        return Ok(true);
    }
    db.tell(account, event(run, "state").state(state));
    // Whoever seals a vault, or asks what a restore would do, waits for its end; nobody else is told.
    let is_told = match run.kind {
        RunKind::Backup => true,
        RunKind::Restore => !restore::is_dry_run(db, run.id).await?,
        RunKind::Sealing | RunKind::Upkeep => false,
    };
    if state.has_report() && is_told {
        notify(db, run, state, account).await?;
        mail::tell_of_run(db, account, run, state).await?;
    }
    Ok(true)
}

/// Lets it be told that a run has ended.
async fn notify(db: &mut Write, run: RunRef, state: RunState, account: AccountId) -> Result<()> {
    let (kind, id) = (kind_word(run.kind), run.id);
    let sql = format!(
        "SELECT r.name, r.reason, a.name AS agent FROM {} r JOIN agents a ON a.id = r.agent_id WHERE r.id = $1",
        table(run.kind)
    );
    let row = db.fetch_one(query(AssertSqlSafe(sql)).bind(id)).await?;
    let what = format!("The {kind} {} on agent {}", row.text("name")?, row.text("agent")?);
    let report = format!("roadstead {kind}s report {id}");
    let message = match (state, row.maybe_text("reason")?) {
        (RunState::Completed, _) => format!("{what} has ended well."),
        (RunState::CompletedWithErrors, _) => {
            format!("{what} has ended, but for some files; {report} lists them.")
        }
        (_, Some(reason)) => format!("{what} has failed: {reason} See {report}."),
        (_, None) => format!("{what} has failed. See {report}."),
    };
    let notification = Notification {
        topic: if state == RunState::Completed { Topic::Success } else { Topic::Failure },
        noun: kind.to_owned(),
        id: id.to_string(),
        state: state.to_string(),
        message,
        at: timestamp(db.now_ms())?,
    };
    notification::enqueue(db, account, &notification).await
}

/// An event of a run.
pub fn event(run: RunRef, what: &str) -> Event {
    Event::new(kind_word(run.kind), run.id, what)
}

/// Notes when a run began, unless that is noted already.
pub async fn set_started(db: &mut Connection, run: RunRef, now_ms: i64) -> Result<()> {
    let sql = format!("UPDATE {} SET started_ms = $2 WHERE id = $1 AND started_ms IS NULL", table(run.kind));
    db.execute(query(AssertSqlSafe(sql)).bind(run.id).bind(now_ms)).await?;
    Ok(())
}

/// Notes when a run ended.
pub async fn set_completed(db: &mut Connection, run: RunRef, now_ms: i64) -> Result<()> {
    let sql = format!("UPDATE {} SET completed_ms = $2 WHERE id = $1", table(run.kind));
    db.execute(query(AssertSqlSafe(sql)).bind(run.id).bind(now_ms)).await?;
    Ok(())
}

/// Ends a run without a result of its agent's; says whether it had not ended yet.
pub async fn end(
    db: &mut Write,
    run: RunRef,
    state: RunState,
    reason: Option<&str>,
    now_ms: i64,
) -> Result<bool> {
    let sql = format!(
        "UPDATE {} SET state = $2, reason = $3, completed_ms = $4 WHERE id = $1 AND state IN {} RETURNING account_id",
        table(run.kind),
        active_states()
    );
    let update = query(AssertSqlSafe(sql)).bind(run.id).bind(state.as_str()).bind(reason).bind(now_ms);
    let ended = db.fetch_optional(update).await?;
    tell(db, run, state, ended).await
}

/// Ends a run of an agent's with its result; says whether it had not ended yet.
pub async fn finish(
    db: &mut Write,
    agent: AgentId,
    run: RunRef,
    outcome: &Outcome,
    now_ms: i64,
) -> Result<bool> {
    let sql = format!(
        "UPDATE {} SET state = $2, reason = $3, progress = $4, errors = $5, completed_ms = $6, duration_ms = $7
         WHERE id = $1 AND agent_id = $8 AND state IN {} RETURNING account_id",
        table(run.kind),
        active_states()
    );
    let update = query(AssertSqlSafe(sql))
        .bind(run.id)
        .bind(outcome.state.as_str())
        .bind(outcome.reason.as_deref())
        .bind(json(&outcome.progress)?)
        .bind(json(&outcome.errors)?)
        .bind(now_ms)
        .bind(outcome.duration_ms.max(0))
        .bind(agent.0);
    let finished = db.fetch_optional(update).await?;
    tell(db, run, outcome.state, finished).await
}

/// The agent that a run belongs to, with its state.
pub async fn get(db: &mut Connection, run: RunRef) -> Result<Option<ActiveRun>> {
    let sql = format!(
        "SELECT '{}' AS kind, id, account_id, agent_id, state FROM {} WHERE id = $1",
        kind_word(run.kind),
        table(run.kind)
    );
    db.fetch_optional(query(AssertSqlSafe(sql)).bind(run.id)).await?.as_ref().map(active_run).transpose()
}

fn active_run(row: &AnyRow) -> Result<ActiveRun> {
    let kind = match row.text("kind")?.as_str() {
        "backup" => RunKind::Backup,
        "restore" => RunKind::Restore,
        "upkeep" => RunKind::Upkeep,
        _ => RunKind::Sealing,
    };
    Ok(ActiveRun {
        run: RunRef { kind, id: row.integer("id")? },
        account_id: AccountId(row.integer("account_id")?),
        agent_id: AgentId(row.integer("agent_id")?),
        state: row.word("state")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::testing;

    #[tokio::test]
    async fn what_an_agent_has_in_hand_is_found_without_its_past() {
        testing::each(|db| async move {
            testing::vault(&db, 1).await;
            let mut read = db.read().await.unwrap();
            assert_eq!(active(&mut read, AgentId(1)).await.unwrap().len(), 0, "its backup has ended");
            if read.backend_name() != "SQLite" {
                return;
            }
            let sql = format!("EXPLAIN QUERY PLAN {}", of_agent());
            let plan = read.fetch_all(query(AssertSqlSafe(sql)).bind(1)).await.unwrap();
            let plan: Vec<_> = plan.iter().map(|step| step.text("detail").unwrap()).collect();
            for table in ["backups", "restores", "sealings", "upkeeps"] {
                let looks = plan.iter().filter(|step| step.contains(&format!(" {table} USING")));
                assert!(
                    looks.clone().count() == 1 && looks.clone().all(|step| step.contains("_active")),
                    "{plan:#?}"
                );
            }
        })
        .await;
    }
}
