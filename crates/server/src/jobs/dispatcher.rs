//! Sends queued runs to their agents: one at a time to each, oldest first. And what is to be stopped, again: the request
//! may have come to a neighbour.
//!
//! Many runs are prepared at a time, and all that are prepared go out with one commit: when a minute comes that a
//! thousand schedules name, the last agent does not wait for the disk a thousand times.

use std::sync::Arc;

use futures_util::{StreamExt, stream};
use roadstead_api::{
    id::{BackupId, RestoreId, SealingId, SnapshotId, VaultId},
    link::{Job, RunKind, ServerMessage, Work},
    run::RunState,
    sealing::SealingKind,
};
use tokio::sync::mpsc;

use crate::{
    Error, Result,
    app::App,
    db::{self, backup_configuration::Selection, run::ActiveRun, vault::VaultRow},
    ops::{self, vault_file, view},
};

/// The beginning of every snapshot's id: a view has one snapshot, whose id nobody knows before it is shown.
const ONLY_SNAPSHOT: SnapshotId = SnapshotId(String::new());

/// How many runs are prepared at a time, and go out together at the most.
const AT_ONCE: usize = 64;

/// Gives work to every connected agent that is free. One look says for which agents there is anything to do.
pub async fn run(app: Arc<App>) -> Result<()> {
    view::close_ended(&app).await?;
    let waiting = db::run::waiting(&mut *app.db.read().await?).await?;
    for stopped in waiting.iter().filter(|run| run.state == RunState::StopRequested) {
        app.live.send(stopped.agent_id, ServerMessage::Stop { run: stopped.run });
    }
    let next = next_of_each(&app, &waiting);
    let (ready, mut prepared) = mpsc::channel(AT_ONCE);
    // Beside each other: what is prepared may want a turn to write, too.
    tokio::join!(prepare_all(&app, next, ready), async {
        let mut batch = Vec::with_capacity(AT_ONCE);
        while prepared.recv_many(&mut batch, AT_ONCE).await > 0 {
            if let Err(error) = send(&app, batch.drain(..)).await {
                tracing::error!(error = error.chain(), "runs could not be sent to their agents");
            }
        }
    });
    Ok(())
}

/// The run that each connected agent is to begin, of all that are waiting, agent by agent.
fn next_of_each(app: &App, waiting: &[ActiveRun]) -> Vec<ActiveRun> {
    let of_agents = waiting.chunk_by(|one, next| one.agent_id == next.agent_id);
    let firsts = of_agents.filter_map(|runs| runs.first().copied());
    let can_begin =
        |run: &ActiveRun| run.state == RunState::Queued && app.live.link_of(run.agent_id).is_some();
    firsts.filter(can_begin).collect()
}

async fn prepare_all(app: &App, next: Vec<ActiveRun>, ready: mpsc::Sender<(ActiveRun, Job)>) {
    let prepare = async |run| {
        if let Some(job) = prepare(app, &run).await {
            // Whoever takes them stays until the last is there.
            let _ = ready.send((run, job)).await;
        }
    };
    stream::iter(next).for_each_concurrent(AT_ONCE, prepare).await;
}

/// What an agent is told of a run; `None` where that cannot be said, now or ever.
async fn prepare(app: &App, run: &ActiveRun) -> Option<Job> {
    let error = match job(app, run).await {
        Ok(job) => return Some(job),
        Err(error) => fail(app, run, &error).await.err()?,
    };
    tracing::error!(run = %run.run, error = error.chain(), "a run could not be sent to its agent");
    None
}

/// Moves runs on, in one turn to write, and sends them.
async fn send(app: &App, prepared: impl Iterator<Item = (ActiveRun, Job)>) -> Result<()> {
    let mut write = app.db.write().await?;
    let mut moved = Vec::new();
    for (run, job) in prepared {
        if !db::run::move_on(&mut write, run.run, &[RunState::Queued], RunState::StartRequested).await? {
            continue;
        }
        if run.run.kind == RunKind::Backup {
            db::backup::set_vault(&mut write, run.run.id, &job.vault_id).await?;
        }
        moved.push((run, job));
    }
    write.commit().await?;
    for (run, job) in moved {
        if !app.live.send(run.agent_id, ServerMessage::Start(Box::new(job))) {
            // The link broke in between. The agent never had the run, so it goes back into the queue.
            let mut write = app.db.write().await?;
            db::run::move_on(&mut write, run.run, &[RunState::StartRequested], RunState::Queued).await?;
            write.commit().await?;
        }
    }
    Ok(())
}

async fn job(app: &App, run: &ActiveRun) -> Result<Job> {
    let mut read = app.db.read().await?;
    let (vault, mut work) = match run.run.kind {
        RunKind::Sealing => {
            drop(read);
            return sealing(app, run).await;
        }
        RunKind::Upkeep => {
            drop(read);
            return upkeep(app, run).await;
        }
        RunKind::Backup => {
            let vault = db::vault::by_agent(&mut read, run.agent_id).await?;
            (vault.ok_or_else(|| Error::internal("The agent has no vault."))?, backup(&mut read, run).await?)
        }
        RunKind::Restore => restore(&mut read, run).await?,
    };
    drop(read);
    let vault_password = app.vault_password(&vault).await?;
    if vault.agent_id == run.agent_id {
        // The agent has no run in hand, so a lock of its own in the vault is a dead run's.
        vault_file::remove_leftover_locks(app, &vault).await?;
        return Ok(Job { vault_password, ..job_in(run, vault.id, work) });
    }
    let restore = RestoreId(run.run.id);
    if vault_password.is_some() {
        // It gets neither the vault's key nor anything else of the vault.
        if let Work::Restore { snapshot_id, .. } | Work::PlanRestore { snapshot_id, .. } = &mut work {
            *snapshot_id = ONLY_SNAPSHOT;
        }
        let vault_password = Some(view::password(app, restore).await?);
        return Ok(Job { vault_password, ..job_in(run, view::vault_name(restore), work) });
    }
    let given = db::restore::encrypted_password(&mut *app.db.read().await?, restore).await?;
    let sealed = || Error::conflict("The vault is sealed, and this restore came without its password.");
    Ok(Job { encrypted_password: Some(given.ok_or_else(sealed)?), ..job_in(run, vault.id, work) })
}

/// A job, without a password.
fn job_in(run: &ActiveRun, vault_id: VaultId, work: Work) -> Job {
    let (run, agent_id) = (run.run, run.agent_id);
    Job { run, agent_id, vault_id, vault_password: None, encrypted_password: None, work }
}

/// What an agent does to its vault's keys.
async fn sealing(app: &App, run: &ActiveRun) -> Result<Job> {
    let mut read = app.db.read().await?;
    let gone = || Error::internal("The sealing's row is gone.");
    let found = db::sealing::passwords(&mut read, SealingId(run.run.id)).await?;
    let (kind, vault, passwords) = found.ok_or_else(gone)?;
    let vault = db::vault::get(&mut read, &vault).await?;
    let vault = vault.ok_or_else(|| Error::conflict("The vault is gone."))?;
    drop(read);
    ops::sealing::prepare(app, kind, &vault).await?;
    let mut passwords = passwords.into_iter();
    let mut password = || passwords.next().ok_or_else(gone);
    let work = match kind {
        SealingKind::Seal => Work::Seal { password: password()? },
        SealingKind::PasswordChange => Work::ChangePassword { current: password()?, new: password()? },
        SealingKind::TakeOver => Work::TakeOver { password: password()? },
    };
    Ok(job_in(run, vault.id, work))
}

/// What an agent does in its sealed vault, whose password it has.
async fn upkeep(app: &App, run: &ActiveRun) -> Result<Job> {
    if app.live.link_of(run.agent_id).is_some_and(|link| !link.takes_upkeep) {
        return Err(Error::conflict(
            "The agent's version cannot look after its sealed vault: update the agent.",
        ));
    }
    let (vault, work) = ops::upkeep::prepare(app, run).await?;
    vault_file::remove_leftover_locks(app, &vault).await?;
    Ok(job_in(run, vault.id, work))
}

async fn backup(db: &mut db::Connection, run: &ActiveRun) -> Result<Work> {
    let Selection { name, inclusions, exclusions, options, timezone } =
        db::backup_configuration::selection(db, BackupId(run.run.id)).await?;
    Ok(Work::Backup { inclusions, exclusions, tags: vec![name], options: Box::new(options), timezone })
}

/// What a restore has to do, and out of which vault.
async fn restore(db: &mut db::Connection, run: &ActiveRun) -> Result<(VaultRow, Work)> {
    let restore = db::restore::get(db, run.account_id, RestoreId(run.run.id)).await?;
    let restore = restore.ok_or_else(|| Error::internal("The restore's row is gone."))?;
    let backup = db::backup::get(db, run.account_id, restore.backup_id).await?;
    let backup = backup.ok_or_else(|| Error::internal("The backup's row is gone."))?;
    let vault = db::vault::get(db, &backup.vault_id).await?;
    let gone = || Error::conflict("The backup's snapshot is gone.");
    let snapshot_id = backup.snapshot_id.ok_or_else(gone)?;
    let inclusions = selection(restore.inclusions, restore.exclusions);
    let (path, overwrite) = (restore.path, restore.overwrite_rule);
    let work = match restore.dry_run {
        true => Work::PlanRestore { snapshot_id, path, inclusions, overwrite },
        false => Work::Restore { snapshot_id, path, inclusions, overwrite },
    };
    Ok((vault.ok_or_else(gone)?, work))
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
