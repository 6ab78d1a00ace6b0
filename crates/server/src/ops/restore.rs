//! Restores: starting, watching, stopping.

use roadstead_api::{
    Page,
    backup::Backup,
    id::RestoreId,
    link::{RunKind, RunRef},
    restore::{
        NewRestore, OverwriteRule, Restore, RestoreCreate, RestoreList, RestoreQuery, RestoreReport,
        RestoreReportShow, RestoreShow, RestoreStop,
    },
    vault::VaultMode,
};

use super::{Context, backup, page, restore_configuration, run, sealing, validate, vault};
use crate::{Error, Result, db, db::restore::NewRestoreRow};

/// Starts a restore: it is queued, and sent to its agent as soon as that is free.
pub async fn create(context: &Context, new: NewRestore) -> Result<Restore> {
    context.authorize::<RestoreCreate>()?;
    let new = completed(context, new).await?;
    let path = new.path.as_deref().unwrap_or("/");
    validate::path("path", path)?;
    validate::patterns("inclusions", &new.inclusions)?;
    validate::patterns("exclusions", &new.exclusions)?;
    let neither = || Error::invalid("Say what to restore: backup_id or restore_configuration_id.");
    let backup = backup::get(context, new.backup_id.ok_or_else(neither)?).await?;
    if backup.snapshot_id.is_none() {
        return Err(Error::conflict(nothing_left(&backup)));
    }
    let vault = vault::get(context, &backup.vault_id).await?;
    let agent_id = new.agent_id.unwrap_or(vault.agent_id);
    restore_configuration::destination(context, &backup, agent_id).await?;
    if let Some(password) = &new.password {
        sealing::check(password)?;
    } else if vault.mode == VaultMode::Sealed && vault.agent_id != agent_id {
        return Err(Error::conflict(
            "The vault is sealed, and another agent's: give its password (password), encrypted to the agent that restores.",
        ));
    }
    let mut change = context.change::<RestoreCreate>().await?;
    let number = db::backup::count_restore(&mut change, backup.id).await?;
    if let Some(configuration) = new.restore_configuration_id.filter(|_| !new.dry_run) {
        db::restore_configuration::count_run(&mut change, configuration).await?;
    }
    let row = NewRestoreRow {
        account_id: context.account(),
        backup_id: backup.id,
        configuration_id: new.restore_configuration_id,
        source_agent_id: backup.agent_id,
        agent_id,
        name: &format!("{}-{}-{number}", backup.name, if new.dry_run { "plan" } else { "restore" }),
        path,
        inclusions: &new.inclusions,
        exclusions: &new.exclusions,
        overwrite: new.overwrite_rule.unwrap_or_else(|| OverwriteRule::of(new.overwrite)),
        dry_run: new.dry_run,
        password: new.password.as_ref(),
        now_ms: context.now_ms(),
    };
    let id = db::restore::insert(&mut change, &row).await?;
    change.commit(id).await?;
    context.live.dispatch.notify_one();
    get(context, id).await
}

/// Fills in what the restore configuration says, if one is named.
async fn completed(context: &Context, new: NewRestore) -> Result<NewRestore> {
    let Some(id) = new.restore_configuration_id else { return Ok(new) };
    let known = restore_configuration::get(context, id).await?;
    if !known.enabled {
        return Err(Error::conflict("The restore configuration is disabled; enable it first."));
    }
    let or = |asked: Vec<String>, known| if asked.is_empty() { known } else { asked };
    Ok(NewRestore {
        backup_id: new.backup_id.or(Some(known.backup_id)),
        restore_configuration_id: Some(id),
        agent_id: new.agent_id.or(Some(known.agent_id)),
        path: new.path.or(Some(known.path)),
        inclusions: or(new.inclusions, known.inclusions),
        exclusions: or(new.exclusions, known.exclusions),
        overwrite: false,
        overwrite_rule: new
            .overwrite_rule
            .or(new.overwrite.then_some(OverwriteRule::IfChanged))
            .or(Some(known.overwrite_rule)),
        dry_run: new.dry_run,
        password: new.password,
    })
}

fn nothing_left(backup: &Backup) -> String {
    let id = backup.id;
    match backup.forgotten_at {
        Some(_) => format!(
            "Backup {id} was given up by the retention of its configuration; look into the vault's trash."
        ),
        None => format!("Backup {id} is {} and left no snapshot to restore.", backup.state),
    }
}

/// Lists restores.
pub async fn list(context: &Context, query: RestoreQuery) -> Result<Page<Restore>> {
    context.authorize::<RestoreList>()?;
    let limit = page::limit(query.limit)?;
    let before = page::number(query.cursor.as_deref(), i64::MAX)?;
    let mut read = context.db.read().await?;
    let found = db::restore::list(&mut read, context.account(), &query, before, page::fetch(limit)).await?;
    let found = found.into_iter().map(|restore| as_of_now(context, restore)).collect();
    Ok(page::page(found, limit, |restore: &Restore| restore.id.to_string()))
}

/// Shows one restore with its live progress.
pub async fn show(context: &Context, id: RestoreId) -> Result<Restore> {
    context.authorize::<RestoreShow>()?;
    get(context, id).await
}

/// Stops a restore; its agent has two seconds.
pub async fn stop(context: &Context, id: RestoreId) -> Result<Restore> {
    let restore = get(context, id).await?;
    run::stop::<RestoreStop>(context, restore.agent_id, run_ref(id)).await?;
    get(context, id).await
}

/// Shows the report of a restore that ended by itself.
pub async fn report(context: &Context, id: RestoreId) -> Result<RestoreReport> {
    context.authorize::<RestoreReportShow>()?;
    let report = db::restore::report(&mut *context.db.read().await?, context.account(), id).await?;
    let report = report.ok_or_else(|| not_found(id))?;
    if !report.state.has_report() {
        return Err(Error::not_found(format!("Restore {id} is {} and has no report.", report.state)));
    }
    Ok(report)
}

async fn get(context: &Context, id: RestoreId) -> Result<Restore> {
    let found = db::restore::get(&mut *context.db.read().await?, context.account(), id).await?;
    found.map(|restore| as_of_now(context, restore)).ok_or_else(|| not_found(id))
}

fn not_found(id: RestoreId) -> Error {
    Error::not_found(format!("There is no restore {id}."))
}

fn run_ref(id: RestoreId) -> RunRef {
    RunRef { kind: RunKind::Restore, id: id.0 }
}

fn as_of_now(context: &Context, mut restore: Restore) -> Restore {
    if !restore.state.has_ended() {
        restore.progress = context.live.progress(run_ref(restore.id)).unwrap_or(restore.progress);
    }
    restore
}
