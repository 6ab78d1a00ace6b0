//! Sends queued runs to their agents: one at a time to each, oldest first. And what is to be stopped, again: the request
//! may have come to a neighbour.

use std::sync::Arc;

use roadstead_api::{
    id::{AgentId, BackupId, RestoreId},
    link::{Job, RunKind, ServerMessage, Work},
    run::RunState,
};

use crate::{
    Error, Result,
    app::App,
    db::{self, backup_configuration::Selection, run::ActiveRun},
    ops::vault_file,
};

/// Gives work to every connected agent that is free. One look says for which agents there is anything to do.
pub async fn run(app: Arc<App>) -> Result<()> {
    let waiting = db::run::waiting(&mut *app.db.read().await?).await?;
    for agent in waiting.into_iter().filter(|&agent| app.live.link_of(agent).is_some()) {
        if let Err(error) = dispatch(&app, agent).await {
            tracing::error!(%agent, error = error.chain(), "a run could not be sent to its agent");
        }
    }
    Ok(())
}

async fn dispatch(app: &App, agent: AgentId) -> Result<()> {
    let active = db::run::active(&mut *app.db.read().await?, agent).await?;
    for run in active.iter().filter(|run| run.state == RunState::StopRequested) {
        app.live.send(agent, ServerMessage::Stop { run: run.run });
    }
    let in_hand = active.iter().any(|run| run.state != RunState::Queued);
    let Some(next) = active.first().filter(|_| !in_hand) else { return Ok(()) };
    if !db::agent::is_enabled(&mut *app.db.read().await?, agent).await? {
        return Ok(());
    }
    let job = match job(app, next).await {
        Ok(job) => job,
        Err(error) => return fail(app, next, &error).await,
    };
    let mut write = app.db.write().await?;
    let moved = db::run::move_on(&mut write, next.run, &[RunState::Queued], RunState::StartRequested).await?;
    write.commit().await?;
    if moved && !app.live.send(agent, ServerMessage::Start(Box::new(job))) {
        // The link broke in between. The agent never had the run, so it goes back into the queue.
        let mut write = app.db.write().await?;
        db::run::move_on(&mut write, next.run, &[RunState::StartRequested], RunState::Queued).await?;
        write.commit().await?;
    }
    Ok(())
}

async fn job(app: &App, run: &ActiveRun) -> Result<Job> {
    let mut read = app.db.read().await?;
    let vault = db::vault::by_agent(&mut read, run.agent_id).await?;
    let vault = vault.ok_or_else(|| Error::internal("The agent has no vault."))?;
    let work = match run.run.kind {
        RunKind::Backup => backup(&mut read, run).await?,
        RunKind::Restore => restore(&mut read, run).await?,
    };
    drop(read);
    // The agent has no run in hand, so a lock of its own in the vault is a dead run's.
    vault_file::remove_leftover_locks(app, &vault).await?;
    let sealed = || Error::conflict("The vault is sealed, and this agent was given no password for it.");
    let vault_password = app.vault_password(&vault).await?.ok_or_else(sealed)?;
    Ok(Job { run: run.run, agent_id: run.agent_id, vault_id: vault.id, vault_password, work })
}

async fn backup(db: &mut db::Connection, run: &ActiveRun) -> Result<Work> {
    let backup = db::backup::get(db, run.account_id, BackupId(run.run.id)).await?;
    let backup = backup.ok_or_else(|| Error::internal("The backup's row is gone."))?;
    let Selection { name, inclusions, exclusions, options } =
        db::backup_configuration::selection(db, backup.configuration_id).await?;
    Ok(Work::Backup { inclusions, exclusions, tags: vec![name], options: Box::new(options) })
}

async fn restore(db: &mut db::Connection, run: &ActiveRun) -> Result<Work> {
    let restore = db::restore::get(db, run.account_id, RestoreId(run.run.id)).await?;
    let restore = restore.ok_or_else(|| Error::internal("The restore's row is gone."))?;
    let backup = db::backup::get(db, run.account_id, restore.backup_id).await?;
    let snapshot = backup.and_then(|backup| backup.snapshot_id);
    Ok(Work::Restore {
        snapshot_id: snapshot.ok_or_else(|| Error::conflict("The backup's snapshot is gone."))?,
        path: restore.path,
        inclusions: selection(restore.inclusions, restore.exclusions),
        overwrite: restore.overwrite,
    })
}

/// Inclusions and exclusions as one list of patterns: a later `!pattern` takes back what an earlier one matched.
fn selection(mut inclusions: Vec<String>, exclusions: Vec<String>) -> Vec<String> {
    if inclusions.is_empty() && !exclusions.is_empty() {
        inclusions.push("*".to_owned());
    }
    inclusions.extend(exclusions.into_iter().map(|pattern| format!("!{pattern}")));
    inclusions
}

/// A run that cannot even be described to its agent would stand in the queue for ever.
async fn fail(app: &App, run: &ActiveRun, error: &Error) -> Result<()> {
    if error.is_temporary() {
        return Ok(());
    }
    tracing::error!(run = %run.run, error = error.chain(), "a run could not be prepared");
    let mut write = app.db.write().await?;
    db::run::end(&mut write, run.run, RunState::Failed, Some(&error.message), app.now_ms()).await?;
    write.commit().await
}
