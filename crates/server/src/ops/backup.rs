//! Backups: starting, watching, stopping.

use roadstead_api::{
    Page,
    backup::{
        Backup, BackupCreate, BackupList, BackupQuery, BackupReport, BackupReportShow, BackupShow,
        BackupStop, NewBackup,
    },
    id::BackupId,
    link::{RunKind, RunRef},
    run::{RunOrigin, RunState},
};

use super::{Context, agent, backup_configuration, page, run};
use crate::{Error, ErrorKind, Result, db, db::backup::NewBackupRow};

/// Starts a backup: it is queued, and sent to its agent as soon as that is free.
pub async fn create(context: &Context, new: NewBackup) -> Result<Backup> {
    start(context, new, false).await
}

/// The same; but while another of the configuration goes on, a skipped one is noted, which is no conflict.
pub async fn create_or_skip(context: &Context, new: NewBackup) -> Result<Backup> {
    start(context, new, true).await
}

async fn start(context: &Context, new: NewBackup, may_skip: bool) -> Result<Backup> {
    context.authorize::<BackupCreate>()?;
    let configuration = backup_configuration::get(context, new.configuration_id).await?;
    if !configuration.enabled {
        return Err(Error::conflict("The backup configuration is disabled; enable it first."));
    }
    let agent = agent::get(context, configuration.agent_id).await?;
    if !agent.enabled {
        return Err(Error::conflict(format!("Agent {} is disabled; enable it first.", agent.name)));
    }
    let mut change = context.change::<BackupCreate>().await?;
    let number = db::backup_configuration::count_run(&mut change, configuration.id).await?;
    let mut row = NewBackupRow {
        account_id: context.account(),
        configuration_id: configuration.id,
        agent_id: agent.id,
        vault_id: &agent.vault_id,
        name: &format!("{}-{number}", configuration.name),
        origin: RunOrigin::Asked,
        slot_ms: None,
        ended: None,
        now_ms: context.now_ms(),
    };
    let id = match db::backup::insert(&mut change, &row).await {
        Err(error) if may_skip && error.kind == ErrorKind::Conflict => {
            row.ended = Some((RunState::Skipped, "The backup before it was still going on."));
            db::backup::insert(&mut change, &row).await?
        }
        made => made?,
    };
    db::schedule::forgive(&mut change, configuration.id).await?;
    change.commit(id).await?;
    context.live.dispatch.notify_one();
    get(context, id).await
}

/// Lists backups.
pub async fn list(context: &Context, query: BackupQuery) -> Result<Page<Backup>> {
    context.authorize::<BackupList>()?;
    let limit = page::limit(query.limit)?;
    let before = page::number(query.cursor.as_deref(), i64::MAX)?;
    let mut read = context.db.read().await?;
    let found = db::backup::list(&mut read, context.account(), &query, before, page::fetch(limit)).await?;
    let found = found.into_iter().map(|backup| as_of_now(context, backup)).collect();
    Ok(page::page(found, limit, |backup: &Backup| backup.id.to_string()))
}

/// Shows one backup with its live progress.
pub async fn show(context: &Context, id: BackupId) -> Result<Backup> {
    context.authorize::<BackupShow>()?;
    get(context, id).await
}

/// Stops a backup; its agent has two seconds.
pub async fn stop(context: &Context, id: BackupId) -> Result<Backup> {
    let backup = get(context, id).await?;
    run::stop::<BackupStop>(context, backup.agent_id, run_ref(id)).await?;
    get(context, id).await
}

/// Shows the report of a backup that ended by itself.
pub async fn report(context: &Context, id: BackupId) -> Result<BackupReport> {
    context.authorize::<BackupReportShow>()?;
    let report = db::backup::report(&mut *context.db.read().await?, context.account(), id).await?;
    let report = report.ok_or_else(|| not_found(id))?;
    if !report.state.has_report() {
        return Err(Error::not_found(format!("Backup {id} is {} and has no report.", report.state)));
    }
    Ok(report)
}

/// A backup of the caller's account.
pub async fn get(context: &Context, id: BackupId) -> Result<Backup> {
    let found = db::backup::get(&mut *context.db.read().await?, context.account(), id).await?;
    found.map(|backup| as_of_now(context, backup)).ok_or_else(|| not_found(id))
}

fn not_found(id: BackupId) -> Error {
    Error::not_found(format!("There is no backup {id}."))
}

fn run_ref(id: BackupId) -> RunRef {
    RunRef { kind: RunKind::Backup, id: id.0 }
}

fn as_of_now(context: &Context, mut backup: Backup) -> Backup {
    if !backup.state.has_ended() {
        backup.progress = context.live.progress(run_ref(backup.id)).unwrap_or(backup.progress);
    }
    backup
}
