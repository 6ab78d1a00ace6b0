//! Restores: `/restore`. What clients call a restore is our restore configuration, with the state of its latest run.

use axum::http::Method;
use roadstead_api::{
    id::{AgentId, BackupId, RestoreConfigurationId, RestoreId},
    restore::{NewRestore, OverwriteRule, Restore, RestoreStop},
    restore_configuration::{NewRestoreConfiguration, RestoreConfiguration, RestoreConfigurationChange},
    run::RunState,
};
use serde_json::{Value, json};

use super::{
    agent::{self, DATACENTER, FLAVOR},
    answer::Answer,
    call::Call,
    nothing_here, paths,
    state::{errors, outcome, state_number, state_word},
    value::{date, duration, flag, id, integer, maybe_date, required, size, text},
};
use crate::{
    Error, Result,
    ops::{Context, backup, backup_configuration, restore, restore_configuration as ops},
};

/// An operation below `/restore`.
pub async fn answer(call: &Call, parts: &[&str]) -> Result<Answer> {
    let context = &call.context;
    match (&call.method, parts) {
        (&Method::PUT, []) => create(call).await,
        (&Method::POST, []) => update(call).await,
        (&Method::PUT, ["files"]) => add_file(call).await,
        (&Method::GET, ["files", restore]) => {
            let known = ops::show(context, RestoreConfigurationId(id(restore)?)).await?;
            Ok(Answer::Json(files(&known)))
        }
        (&Method::DELETE, ["files", restore]) => {
            ops::abandon(context, RestoreConfigurationId(id(restore)?)).await?;
            Ok(Answer::NoContent)
        }
        (&Method::POST, ["action-requested"]) => act(call).await,
        (&Method::GET, ["report", restore]) => {
            let known = ops::show(context, RestoreConfigurationId(id(restore)?)).await?;
            report(context, &known).await
        }
        (&Method::GET, [restore]) => {
            let known = ops::show(context, RestoreConfigurationId(id(restore)?)).await?;
            Ok(Answer::Json(shown(context, &known).await?))
        }
        _ => Err(nothing_here()),
    }
}

async fn create(call: &Call) -> Result<Answer> {
    let (context, body) = (&call.context, &call.body);
    let source = backup::show(context, BackupId(required(body, "BackupId")?)).await?;
    if integer(body, "BackupMachineId")?.is_some_and(|machine| machine != source.agent_id.0) {
        return Err(Error::invalid("BackupMachineId is not the agent that made the backup."));
    }
    let new = NewRestoreConfiguration {
        agent_id: integer(body, "DestinationMachineId")?.map(AgentId),
        path: text(body, "DestinationPath")?.filter(|path| !path.is_empty()),
        overwrite_rule: flag(body, "OverwriteFiles")?.map(rule),
        ..NewRestoreConfiguration::new(format!("{}-restore", source.name), source.id)
    };
    let made = ops::create(context, new).await?;
    Ok(Answer::Json(shown(context, &made).await?))
}

/// Only before it was started for the first time.
async fn update(call: &Call) -> Result<Answer> {
    let (context, body) = (&call.context, &call.body);
    let known = still_made(context, RestoreConfigurationId(required(body, "RestoreId")?)).await?;
    let change = RestoreConfigurationChange {
        backup_id: integer(body, "BackupId")?.map(BackupId),
        agent_id: integer(body, "DestinationMachineId")?.map(AgentId),
        path: text(body, "DestinationPath")?.filter(|path| !path.is_empty()),
        overwrite_rule: flag(body, "OverwriteFiles")?.map(rule),
        ..RestoreConfigurationChange::default()
    };
    ops::update(context, known.id, change).await?;
    Ok(Answer::NoContent)
}

/// `OverwriteFiles` overwrites whatever is there, and spares all of it else.
fn rule(overwrite_files: bool) -> OverwriteRule {
    if overwrite_files { OverwriteRule::Always } else { OverwriteRule::Never }
}

async fn still_made(context: &Context, id: RestoreConfigurationId) -> Result<RestoreConfiguration> {
    let known = ops::show(context, id).await?;
    match known.latest_restore_id {
        None => Ok(known),
        Some(_) => Err(Error::conflict("The restore was started already; make another.")),
    }
}

/// Filter 1 includes, 2 excludes.
async fn add_file(call: &Call) -> Result<Answer> {
    let (context, body) = (&call.context, &call.body);
    let known = still_made(context, RestoreConfigurationId(required(body, "ParentId")?)).await?;
    let pattern = paths::to_pattern(&paths::path(body)?);
    let with = |mut patterns: Vec<String>| {
        if !patterns.contains(&pattern) {
            patterns.push(pattern.clone());
        }
        Some(patterns)
    };
    let change = match integer(body, "Filter")?.unwrap_or(1) {
        1 => RestoreConfigurationChange { inclusions: with(known.inclusions), ..Default::default() },
        2 => RestoreConfigurationChange { exclusions: with(known.exclusions), ..Default::default() },
        _ => return Err(Error::invalid("Filter is 1 to include or 2 to exclude.")),
    };
    ops::update(context, known.id, change).await?;
    Ok(Answer::Empty)
}

/// Numbers here, where configurations have words: kind 1 is a folder.
fn files(known: &RestoreConfiguration) -> Value {
    let told = |filter: i64, patterns: &[String]| {
        let told = |pattern: &String| {
            let path = paths::of_pattern(pattern);
            json!({ "FilePath": path, "Filter": filter, "RestoreId": known.id, "FileItemType": 1 })
        };
        patterns.iter().map(told).collect::<Vec<_>>()
    };
    Value::Array([told(1, &known.inclusions), told(2, &known.exclusions)].concat())
}

async fn act(call: &Call) -> Result<Answer> {
    let context = &call.context;
    let id = RestoreConfigurationId(required(&call.body, "Id")?);
    match text(&call.body, "Action")?.as_deref() {
        Some("StartManual") => {
            let password = match text(&call.body, "EncryptedPassword")?.filter(|text| !text.is_empty()) {
                Some(_) => Some(agent::password(&call.body, "EncryptedPassword")?),
                None => None,
            };
            restore::create(context, NewRestore { password, ..NewRestore::by(id) }).await?;
        }
        Some("StopManual") => {
            context.authorize::<RestoreStop>()?;
            let never = || Error::conflict("The restore was not started.");
            let latest = ops::show(context, id).await?.latest_restore_id.ok_or_else(never)?;
            restore::stop(context, latest).await?;
        }
        _ => return Err(Error::invalid("Action is StartManual or StopManual.")),
    }
    Ok(Answer::NoContent)
}

async fn latest(context: &Context, id: Option<RestoreId>) -> Result<Option<Restore>> {
    match id {
        Some(id) => restore::show(context, id).await.map(Some),
        None => Ok(None),
    }
}

async fn shown(context: &Context, known: &RestoreConfiguration) -> Result<Value> {
    let source = backup::show(context, known.backup_id).await?;
    let (configuration, _) = backup_configuration::show_any(context, source.configuration_id).await?;
    let names = agent::names(context).await?;
    let latest = latest(context, known.latest_restore_id).await?;
    Ok(json!({
        "RestoreId": known.id,
        "BackupId": source.id,
        "BackupMachineId": source.agent_id,
        "BackupMachineName": names.get(&source.agent_id),
        "DestinationMachineId": known.agent_id,
        "DestinationMachineName": names.get(&known.agent_id),
        "MachineAgentId": known.agent_id,
        "DestinationPath": known.path,
        "OverwriteFiles": known.overwrite,
        "BackupConfigurationId": configuration.id,
        "BackupConfigurationName": configuration.name,
        "BackupRestorePoint": maybe_date(source.completed_at),
        "BackupFlavor": FLAVOR,
        "BackupDataCenter": DATACENTER,
        "IsEncrypted": agent::is_sealed(context, &source.vault_id).await,
        "EncryptedPassword": null,
        "PublicKey": agent::public_key(context, known.agent_id).await?,
        "RestoreStateId": state_number(latest.map(|restore| restore.state)),
        "Inclusions": files(known).as_array().map(|files| with_filter(files, 1)),
        "Exclusions": files(known).as_array().map(|files| with_filter(files, 2)),
    }))
}

fn with_filter(files: &[Value], filter: i64) -> Value {
    files.iter().filter(|file| file["Filter"] == filter).cloned().collect()
}

/// All counters are texts here, the number of errors, too.
async fn report(context: &Context, known: &RestoreConfiguration) -> Result<Answer> {
    let never = || Error::not_found("The restore was not started, so there is no report.");
    let run = latest(context, known.latest_restore_id).await?.ok_or_else(never)?;
    let report = restore::report(context, run.id).await?;
    let source = backup::show(context, run.backup_id).await?;
    let (configuration, _) = backup_configuration::show_any(context, source.configuration_id).await?;
    let names = agent::names(context).await?;
    let (reason, diagnostics) = match outcome(report.state, report.error.as_deref()) {
        (reason, _) if report.state == RunState::CompletedWithErrors => {
            (reason, "Some files may not have been restored".to_owned())
        }
        told => told,
    };
    let begun = report.started_at.unwrap_or(run.created_at);
    Ok(Answer::Json(json!({
        "BackupConfigurationId": configuration.id,
        "BackupConfigurationName": configuration.name,
        "BackupReportId": source.id,
        "RestorePoint": maybe_date(source.completed_at),
        "StartTime": date(begun),
        "CompletedTime": date(report.completed_at.unwrap_or(begun)),
        "Duration": duration(report.duration_seconds),
        "OriginatingComputerName": names.get(&source.agent_id),
        "State": state_word(report.state),
        "NumFilesRestored": report.files_restored.to_string(),
        "NumBytesRestored": size(report.bytes_restored),
        "RestoreDestination": names.get(&run.agent_id),
        "RestoreDestinationMachineId": run.agent_id,
        "NumErrors": report.error_count.to_string(),
        "Reason": reason,
        "Diagnostics": diagnostics,
        "ErrorList": errors(source.id.0, &report.errors),
    })))
}
