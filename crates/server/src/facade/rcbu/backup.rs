//! Backups: `/backup`.

use axum::http::Method;
use roadstead_api::{
    backup::{Backup, BackupQuery, BackupReport, NewBackup},
    backup_configuration::{BackupConfiguration, BackupConfigurationQuery},
    id::{AgentId, BackupConfigurationId, BackupId},
};
use serde_json::{Value, json};

use super::{
    agent::{self, DATACENTER, FLAVOR},
    answer::Answer,
    call::Call,
    configuration, nothing_here,
    state::{errors, outcome, state_word},
    value::{date, duration, id, maybe_date, required, size, text},
};
use crate::{
    Error, ErrorKind, Result,
    ops::{Context, backup as ops, backup_configuration},
};

/// How many backups of one configuration are told.
const MAX_TOLD: u32 = 1000;

/// An operation below `/backup`.
pub async fn answer(call: &Call, parts: &[&str]) -> Result<Answer> {
    let context = &call.context;
    match (&call.method, parts) {
        (&Method::POST, ["action-requested"]) => act(call).await,
        (&Method::GET, ["availableforrestore"]) => available(context).await,
        (&Method::GET, ["completed", configuration]) => {
            completed(context, BackupConfigurationId(id(configuration)?)).await
        }
        (&Method::GET, ["report", backup]) => {
            let backup = ops::show(context, BackupId(id(backup)?)).await?;
            let report = ops::report(context, backup.id).await?;
            Ok(Answer::Json(reported(context, &backup, &report).await?))
        }
        (&Method::GET, [backup]) => {
            let backup = ops::show(context, BackupId(id(backup)?)).await?;
            Ok(Answer::Json(shown(context, &backup).await?))
        }
        _ => Err(nothing_here()),
    }
}

/// Start takes a configuration's id and answers the backup's as a bare number; stop takes the backup's.
async fn act(call: &Call) -> Result<Answer> {
    let context = &call.context;
    let number = required(&call.body, "Id")?;
    match text(&call.body, "Action")?.as_deref() {
        Some("StartManual") => {
            let new = NewBackup { configuration_id: BackupConfigurationId(number) };
            Ok(Answer::Json(json!(ops::create_or_skip(context, new).await?.id)))
        }
        Some("StopManual") => {
            ops::stop(context, BackupId(number)).await?;
            Ok(Answer::NoContent)
        }
        _ => Err(Error::invalid("Action is StartManual or StopManual.")),
    }
}

async fn shown(context: &Context, backup: &Backup) -> Result<Value> {
    let (configuration, _) = backup_configuration::show_any(context, backup.configuration_id).await?;
    let changed = backup.completed_at.or(backup.started_at).unwrap_or(backup.created_at);
    Ok(json!({
        "BackupId": backup.id,
        "BackupConfigurationId": backup.configuration_id,
        "BackupConfigurationName": configuration.name,
        "CurrentState": state_word(backup.state),
        "MachineAgentId": backup.agent_id,
        "MachineName": machine(context, backup.agent_id).await?,
        "Datacenter": DATACENTER,
        "BackupDatacenter": DATACENTER,
        "StateChangeTime": date(changed),
        "IsEncrypted": agent::is_sealed(context, &backup.vault_id).await,
        "EncryptionKey": agent::public_key(context, backup.agent_id).await?,
    }))
}

async fn machine(context: &Context, agent: AgentId) -> Result<String> {
    match crate::ops::agent::show(context, agent).await {
        // It was deleted, and its vault kept.
        Err(error) if error.kind == ErrorKind::NotFound => Ok(String::new()),
        known => Ok(known?.name),
    }
}

/// Those backups of a configuration that can be restored, newest first.
async fn restorable(
    context: &Context,
    configuration: BackupConfigurationId,
    limit: u32,
) -> Result<Vec<Backup>> {
    let query = BackupQuery {
        configuration_id: Some(configuration),
        restorable: Some(true),
        limit: Some(limit),
        ..BackupQuery::default()
    };
    Ok(ops::list(context, query).await?.items)
}

async fn completed(context: &Context, id: BackupConfigurationId) -> Result<Answer> {
    let (configuration, _) = backup_configuration::show_any(context, id).await?;
    let machine = machine(context, configuration.agent_id).await?;
    let told = |backup: Backup| {
        json!({
            "BackupId": backup.id,
            "BackupConfigurationId": id,
            "BackupConfigurationName": configuration.name,
            "MachineName": machine,
            "MachineAgentId": backup.agent_id,
            "CompletedTime": maybe_date(backup.completed_at),
            "BytesSearched": backup.progress.bytes_searched,
            "NumErrors": backup.progress.error_count,
        })
    };
    Ok(Answer::Json(restorable(context, id, MAX_TOLD).await?.into_iter().map(told).collect()))
}

/// One entry for each configuration that has something to restore.
async fn available(context: &Context) -> Result<Answer> {
    let names = agent::names(context).await?;
    let mut told = Vec::new();
    for configuration in configuration::all(context, BackupConfigurationQuery::default()).await? {
        let BackupConfiguration { id, agent_id, name, .. } = &configuration;
        let Some(latest) = restorable(context, *id, 1).await?.pop() else { continue };
        let key = agent::public_key(context, *agent_id).await?;
        told.push(json!({
            "BackupConfigurationId": id,
            "BackupConfigurationName": name,
            "MachineName": names.get(agent_id),
            "MachineAgentId": agent_id,
            "IsEncrypted": agent::is_sealed(context, &latest.vault_id).await,
            "PublicKeyHex": key["ExponentHex"],
            "PublicKeyMod": key["ModulusHex"],
            "Flavor": FLAVOR,
            "LastSuccessfulBackupTime": maybe_date(latest.completed_at),
        }));
    }
    Ok(Answer::Json(Value::Array(told)))
}

/// Counters are texts here, but for the number of errors.
async fn reported(context: &Context, backup: &Backup, report: &BackupReport) -> Result<Value> {
    let (configuration, deleted) = backup_configuration::show_any(context, backup.configuration_id).await?;
    let (reason, diagnostics) = outcome(report.state, report.error.as_deref());
    let begun = report.started_at.unwrap_or(backup.created_at);
    Ok(json!({
        "BackupId": backup.id,
        "BackupConfigurationId": backup.configuration_id,
        "BackupConfigurationName": configuration.name,
        "BackupConfigurationIsDeleted": deleted,
        "ComputerName": machine(context, backup.agent_id).await?,
        "MachineAgentId": backup.agent_id,
        "Datacenter": DATACENTER,
        "BackupDatacenter": DATACENTER,
        "SnapshotId": backup.id,
        "State": state_word(report.state),
        "CanRestore": report.restorable,
        "StartTime": date(begun),
        "CompletedTime": date(report.completed_at.unwrap_or(begun)),
        "Duration": duration(report.duration_seconds),
        "FilesSearched": report.files_searched.to_string(),
        "BytesSearched": size(report.bytes_searched),
        "FilesBackedUp": report.files_backed_up.to_string(),
        "BytesBackedUp": size(report.bytes_backed_up),
        "NumErrors": report.error_count,
        "Reason": reason,
        "Diagnostics": diagnostics,
        "ErrorList": errors(backup.id.0, &report.errors),
    }))
}
