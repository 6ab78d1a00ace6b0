//! The way of a run, as users and agents push it along.
//!
//! ```text
//! queued -> start_requested -> searching -> in_progress -> completed | completed_with_errors | failed
//!    \______________\______________\______________\-> stop_requested -> cancelled
//! ```
//!
//! A run that the server believes in the hands of an agent, and that the agent does not know when it connects, died
//! with the agent: it is failed, never resumed. One that the agent was told of and never took is sent again.

use std::collections::HashSet;

use roadstead_api::{
    Endpoint,
    agent::HostFacts,
    backup_options::MAX_HOOK_OUTPUT,
    event::Event,
    id::{AccountId, AgentId, SealingId},
    link::{Outcome, RunKind, RunRef, ServerMessage},
    restore::MAX_PLANNED_FILES,
    run::{MAX_REPORTED_ERRORS, Progress, RunState},
};

use super::{Context, agent_machine, sealing, upkeep, vault_file};
use crate::{
    Error, Result,
    app::App,
    db::{self, Write, run::ActiveRun},
};

/// How many characters a fact about a host may have.
const MAX_FACT: usize = 500;
/// How many addresses of a host are kept.
const MAX_ADDRESSES: usize = 64;
/// How many ids of a host are kept.
const MAX_INSTANCE_IDS: usize = 16;

const STOPPABLE: [RunState; 3] = [RunState::StartRequested, RunState::Searching, RunState::InProgress];

/// Stops a run. What no agent has yet is cancelled at once.
pub async fn stop<E: Endpoint>(context: &Context, agent: AgentId, run: RunRef) -> Result<()> {
    let mut change = context.change::<E>().await?;
    let cancelled = db::run::move_on(&mut change, run, &[RunState::Queued], RunState::Cancelled).await?;
    if cancelled {
        db::run::set_completed(&mut change, run, context.now_ms()).await?;
    }
    let requested =
        !cancelled && db::run::move_on(&mut change, run, &STOPPABLE, RunState::StopRequested).await?;
    if !cancelled && !requested {
        return match db::run::get(&mut change, run).await?.map(|run| run.state) {
            Some(RunState::StopRequested) => Ok(()),
            Some(state) => Err(Error::conflict(format!("The {run} is {state} already."))),
            None => Err(Error::not_found(format!("There is no {run}."))),
        };
    }
    change.commit(run.id).await?;
    if !context.live.send(agent, ServerMessage::Stop { run }) {
        // The agent may hang on a neighbour, whose dispatcher finds the request.
        context.live.dispatch.notify_one();
    }
    Ok(())
}

/// An agent has connected, and says which runs it has in hand or finished. Returns whose agent it is.
pub async fn agent_connected(
    app: &App,
    agent: AgentId,
    host: &HostFacts,
    known: &[RunRef],
) -> Result<AccountId> {
    let known: HashSet<RunRef> = known.iter().copied().collect();
    let now = app.now_ms();
    let host = bounded(host);
    let mut write = app.db.write().await?;
    let account = db::agent::set_host(&mut write, agent, &host, now).await?;
    for active in db::run::active(&mut write, agent).await? {
        if !known.contains(&active.run) {
            settle_unknown(&mut write, active, now).await?;
        }
    }
    write.tell(account, Event::new("agent", agent, "connect"));
    write.commit().await?;
    agent_machine::agent_connected(&app.db, account, agent, now).await?;
    Ok(account)
}

/// What an agent says of its host, without what would not fit.
pub fn bounded(host: &HostFacts) -> HostFacts {
    let mut host = host.clone();
    for text in [&mut host.hostname, &mut host.os, &mut host.arch, &mut host.agent_version] {
        *text = text.chars().filter(|&c| c != '\0').take(MAX_FACT).collect();
    }
    host.addresses.truncate(MAX_ADDRESSES);
    host.instance_ids.retain(|id| id.len() <= MAX_FACT && id.bytes().all(|b| b.is_ascii_graphic()));
    host.instance_ids.truncate(MAX_INSTANCE_IDS);
    host
}

async fn settle_unknown(db: &mut Write, active: ActiveRun, now_ms: i64) -> Result<()> {
    let run = active.run;
    match active.state {
        RunState::Queued => {}
        RunState::StartRequested => {
            db::run::move_on(db, run, &[RunState::StartRequested], RunState::Queued).await?;
        }
        RunState::StopRequested => {
            db::run::end(db, run, RunState::Cancelled, None, now_ms).await?;
        }
        _ => {
            let reason = "The agent was restarted in the middle of the run.";
            db::run::end(db, run, RunState::Failed, Some(reason), now_ms).await?;
        }
    }
    Ok(())
}

/// The runs that somebody wants stopped while their agent was away.
pub async fn to_be_stopped(app: &App, agent: AgentId) -> Result<Vec<RunRef>> {
    let active = db::run::active(&mut *app.db.read().await?, agent).await?;
    Ok(active.into_iter().filter(|r| r.state == RunState::StopRequested).map(|r| r.run).collect())
}

/// An agent has taken a run.
pub async fn accepted(app: &App, agent: AgentId, run: RunRef) -> Result<()> {
    advance(app, agent, run, RunState::Searching).await
}

/// An agent tells how far a run has come.
pub async fn progressed(
    app: &App,
    agent: AgentId,
    run: RunRef,
    state: RunState,
    progress: Progress,
) -> Result<()> {
    let Some(active) = db::run::get(&mut *app.db.read().await?, run).await? else { return Ok(()) };
    if active.agent_id != agent || active.state.has_ended() {
        return Ok(());
    }
    if app.live.set_progress(run, progress.clone()) {
        let event = db::run::event(run, "progress").state(active.state).progress(progress);
        app.db.events().tell(active.account_id, event);
    }
    if state == RunState::InProgress && active.state != RunState::InProgress {
        advance(app, agent, run, RunState::InProgress).await?;
    }
    Ok(())
}

async fn advance(app: &App, agent: AgentId, run: RunRef, to: RunState) -> Result<()> {
    let from: &[RunState] = match to {
        RunState::InProgress => &STOPPABLE,
        _ => &[RunState::StartRequested],
    };
    let mut write = app.db.write().await?;
    db::run::advance(&mut write, agent, run, from, to, app.now_ms()).await?;
    write.commit().await
}

/// How many commands a backup runs at the most: before it, and after it.
const MAX_HOOKS: usize = 2;

/// An agent's run has ended. Safe to be told twice; when this returns, the result is on disk.
pub async fn finished(app: &App, agent: AgentId, run: RunRef, mut outcome: Outcome) -> Result<()> {
    outcome.errors.truncate(MAX_REPORTED_ERRORS);
    outcome.hooks.truncate(MAX_HOOKS);
    if let Some(plan) = &mut outcome.plan {
        plan.files.truncate(MAX_PLANNED_FILES);
    }
    for hook in &mut outcome.hooks {
        hook.output.truncate(hook.output.floor_char_boundary(MAX_HOOK_OUTPUT));
    }
    if !outcome.state.has_report() && outcome.state != RunState::Cancelled {
        return Err(Error::invalid(format!("A run does not end as {}.", outcome.state)));
    }
    if let (RunKind::Backup, Some(snapshot)) = (run.kind, &outcome.snapshot_id)
        && !vault_file::has_snapshot(app, agent, snapshot).await?
    {
        outcome.state = RunState::Failed;
        outcome.reason = Some("The snapshot that the agent named is not in its vault.".to_owned());
        outcome.snapshot_id = None;
    }
    if run.kind == RunKind::Sealing {
        sealing::ended(app, agent, run, &mut outcome).await?;
    }
    if run.kind == RunKind::Upkeep {
        upkeep::ended(app, agent, run, &mut outcome).await?;
    }
    let mut write = app.db.write().await?;
    if db::run::finish(&mut write, agent, run, &outcome, app.now_ms()).await? {
        db::run::set_started(&mut write, run, outcome.started_ms).await?;
        if run.kind == RunKind::Backup && !outcome.hooks.is_empty() {
            db::backup::set_hooks(&mut write, run.id, &outcome.hooks).await?;
        }
        match (run.kind, &outcome.snapshot_id) {
            (RunKind::Backup, Some(snapshot)) => {
                db::backup::set_snapshot(&mut write, run.id, snapshot).await?;
                db::agent::set_last_good(&mut write, agent, app.now_ms()).await?;
            }
            (RunKind::Backup, None) => {}
            (RunKind::Sealing, _) => {
                db::sealing::forget_passwords(&mut write, SealingId(run.id)).await?;
                app.live.removals.notify_one();
            }
            (RunKind::Upkeep, _) => upkeep::keep(&mut write, run, &outcome, app.now_ms()).await?,
            (RunKind::Restore, _) => {
                let skipped = i64::try_from(outcome.files_skipped).unwrap_or(i64::MAX);
                let plan = outcome.plan.as_ref();
                db::restore::set_files_skipped(&mut write, run.id, skipped, plan).await?;
            }
        }
    }
    write.commit().await?;
    app.live.forget_progress(run);
    // A thousand backups that end together, with nothing after them, are no reason to look through all agents. Views of
    // restores are to be closed.
    let is_next =
        run.kind == RunKind::Restore || !db::run::active(&mut *app.db.read().await?, agent).await?.is_empty();
    if is_next {
        app.live.dispatch.notify_one();
    }
    Ok(())
}
