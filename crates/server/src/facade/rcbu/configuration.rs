//! Backup configurations: `/backup-configuration`.

use std::collections::HashMap;

use axum::http::Method;
use roadstead_api::{
    backup::{Backup, BackupQuery},
    backup_configuration::{
        BackupConfiguration, BackupConfigurationChange, BackupConfigurationQuery, MissedAction,
        NewBackupConfiguration,
    },
    backup_options::{BackupOptions, Hooks},
    id::{AgentId, BackupConfigurationId},
    retention::Retention,
    run::RunState,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{
    agent::{self, DATACENTER, FLAVOR},
    answer::Answer,
    call::Call,
    nothing_here,
    paths::{self, Kinds},
    schedule,
    state::state_word,
    value::{flag, id, integer, maybe_date, required, text},
    zones,
};
use crate::{
    Error, Result, db,
    ops::{Context, backup, backup_configuration as ops},
};

/// How a client wrote what we keep in another form.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct Writing {
    zone: Option<String>,
    hour: Option<i64>,
    kinds: Kinds,
}

/// An operation below `/backup-configuration`.
pub async fn answer(call: &Call, parts: &[&str]) -> Result<Answer> {
    let context = &call.context;
    match (&call.method, parts) {
        (&Method::POST, []) => create(call).await,
        (&Method::GET, []) => listed(context, BackupConfigurationQuery::default()).await,
        (&Method::GET, ["system", agent]) => {
            let agent_id = AgentId(id(agent)?);
            crate::ops::agent::show(context, agent_id).await?;
            let query = BackupConfigurationQuery { agent_id: Some(agent_id), ..Default::default() };
            listed(context, query).await
        }
        (&Method::POST, ["enable", configuration]) => {
            let configuration = BackupConfigurationId(id(configuration)?);
            let wanted = flag(&call.body, "Enable")?.or(flag(&call.body, "Enabled")?);
            let wanted = wanted.ok_or_else(|| Error::invalid("Enable is missing."))?;
            let known = if wanted {
                ops::enable(context, configuration).await?
            } else {
                ops::disable(context, configuration).await?
            };
            one(context, &known, false).await
        }
        (&Method::GET, [configuration]) => {
            let (known, deleted) = ops::show_any(context, BackupConfigurationId(id(configuration)?)).await?;
            one(context, &known, deleted).await
        }
        (&Method::PUT, [configuration]) => update(call, BackupConfigurationId(id(configuration)?)).await,
        (&Method::DELETE, [configuration]) => {
            ops::delete(context, BackupConfigurationId(id(configuration)?)).await?;
            Ok(Answer::Empty)
        }
        _ => Err(nothing_here()),
    }
}

async fn create(call: &Call) -> Result<Answer> {
    let body = &call.body;
    let mut writing = Writing::default();
    let change = read(body, &mut writing)?;
    let enabled = flag(body, "IsActive")?.unwrap_or(true);
    let options = match scripts(body, &Hooks::default())? {
        Some(options) => serde_json::from_value(Value::Object(options))
            .map_err(|e| Error::invalid("BackupPrescript and BackupPostscript are commands.").caused_by(e))?,
        None => BackupOptions::default(),
    };
    let missing = |field| Error::invalid(format!("{field} is missing."));
    let name = change.name.ok_or_else(|| missing("BackupConfigurationName"))?;
    let agent_id = AgentId(required(body, "MachineAgentId")?);
    let inclusions = change.inclusions.ok_or_else(|| missing("Inclusions"))?;
    let plain = NewBackupConfiguration::new(name, agent_id, inclusions);
    let new = NewBackupConfiguration {
        exclusions: change.exclusions.unwrap_or_default(),
        schedule: change.schedule.unwrap_or_default(),
        timezone: change.timezone.unwrap_or_else(|| plain.timezone.clone()),
        missed: change.missed.unwrap_or_default(),
        retention: change.retention.unwrap_or_default(),
        options,
        notification_email: change.notification_email,
        notify_success: change.notify_success.unwrap_or(false),
        notify_failure: change.notify_failure.unwrap_or(false),
        ..plain
    };
    let (mut change, id) = ops::begin_create(&call.context, &new, enabled).await?;
    db::rcbu::set_writing(&mut change, id, &db::row::json(&writing)?).await?;
    change.commit(id).await?;
    one(&call.context, &ops::get(&call.context, id).await?, false).await
}

async fn update(call: &Call, id: BackupConfigurationId) -> Result<Answer> {
    let known = ops::show(&call.context, id).await?;
    let mut writing = written(&call.context, id).await?;
    let mut change = read(&call.body, &mut writing)?;
    change.options = scripts(&call.body, &known.options.hooks)?;
    let active = flag(&call.body, "IsActive")?;
    if !schedule::has_words(&known.schedule) && change.schedule == Some(Default::default()) {
        // It was told as manual for want of words; a client that sends that back means no change.
        change.schedule = None;
    }
    let changed = ops::update(&call.context, id, change).await?;
    keep(&call.context, id, &writing).await?;
    match active {
        Some(true) if !changed.enabled => drop(ops::enable(&call.context, id).await?),
        Some(false) if changed.enabled => drop(ops::disable(&call.context, id).await?),
        _ => {}
    }
    Ok(Answer::Empty)
}

/// Reads what a client sends as a change; what it leaves out is left out.
fn read(body: &Value, writing: &mut Writing) -> Result<BackupConfigurationChange> {
    let zone = text(body, "TimeZoneId")?.filter(|zone| !zone.is_empty());
    let timezone = zone.as_ref().map(|zone| zones::iana(zone).unwrap_or(zone).to_owned());
    writing.zone = zone.or(writing.zone.take());
    writing.hour = integer(body, "StartTimeHour")?.or(writing.hour);
    let exclusions = paths::read(body, "Exclusions", &mut writing.kinds)?;
    let missed = match integer(body, "MissedBackupActionId")? {
        None => None,
        Some(1) => Some(MissedAction::Asap),
        Some(2) => Some(MissedAction::NextSlot),
        Some(_) => return Err(Error::invalid("MissedBackupActionId is 1 or 2.")),
    };
    let retention = match integer(body, "VersionRetention")? {
        None => None,
        Some(0) => Some(Retention::default()),
        Some(days) => {
            let days = u32::try_from(days).map_err(|_| Error::invalid("VersionRetention is 0, 30 or 60."))?;
            Some(Retention { days: Some(days), ..Retention::default() })
        }
    };
    Ok(BackupConfigurationChange {
        name: text(body, "BackupConfigurationName")?,
        inclusions: paths::read(body, "Inclusions", &mut writing.kinds)?,
        exclusions: exclusions.map(|list| list.iter().map(|path| paths::to_pattern(path)).collect()),
        schedule: schedule::read(body)?,
        timezone,
        missed,
        retention,
        notification_email: text(body, "NotifyRecipients")?,
        notify_success: flag(body, "NotifySuccess")?,
        notify_failure: flag(body, "NotifyFailure")?,
        ..BackupConfigurationChange::default()
    })
}

/// The scripts that a client sends, as a change to the commands that are known. One that is sent back as it was told is
/// no change, and keeps its time.
fn scripts(body: &Value, known: &Hooks) -> Result<Option<Map<String, Value>>> {
    let mut change = Map::new();
    for (field, name, known) in
        [("BackupPrescript", "pre", &known.pre), ("BackupPostscript", "post", &known.post)]
    {
        let known = known.as_ref().map_or("", |hook| hook.command.as_str());
        match text(body, field)?.map(|script| script.trim().to_owned()) {
            None => {}
            Some(script) if script == known => {}
            Some(script) if script.is_empty() => drop(change.insert(name.to_owned(), Value::Null)),
            Some(script) => drop(change.insert(name.to_owned(), json!({ "command": script }))),
        }
    }
    let options = (!change.is_empty()).then(|| Map::from_iter([("hooks".to_owned(), Value::Object(change))]));
    Ok(options)
}

async fn keep(context: &Context, id: BackupConfigurationId, writing: &Writing) -> Result<()> {
    let mut write = context.db.write().await?;
    db::rcbu::set_writing(&mut write, id, &db::row::json(writing)?).await?;
    write.commit().await
}

async fn written(context: &Context, id: BackupConfigurationId) -> Result<Writing> {
    let text = db::rcbu::writing(&mut *context.db.read().await?, id).await?;
    Ok(text.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default())
}

async fn listed(context: &Context, query: BackupConfigurationQuery) -> Result<Answer> {
    let names = agent::names(context).await?;
    let mut told = Vec::new();
    for configuration in all(context, query).await? {
        told.push(shown(context, &configuration, false, &names).await?);
    }
    Ok(Answer::Json(Value::Array(told)))
}

/// Every configuration that a query picks.
pub async fn all(context: &Context, query: BackupConfigurationQuery) -> Result<Vec<BackupConfiguration>> {
    let (mut found, mut cursor) = (Vec::new(), None);
    loop {
        let page = BackupConfigurationQuery { limit: Some(1000), cursor, ..query.clone() };
        let page = ops::list(context, page).await?;
        found.extend(page.items);
        cursor = page.next;
        if cursor.is_none() {
            return Ok(found);
        }
    }
}

async fn one(context: &Context, configuration: &BackupConfiguration, deleted: bool) -> Result<Answer> {
    let names = agent::names(context).await?;
    Ok(Answer::Json(shown(context, configuration, deleted, &names).await?))
}

async fn shown(
    context: &Context,
    configuration: &BackupConfiguration,
    deleted: bool,
    names: &HashMap<AgentId, String>,
) -> Result<Value> {
    let writing = written(context, configuration.id).await?;
    let latest = latest(context, configuration.id).await?;
    let id = configuration.id.0;
    let agent = crate::ops::agent::show(context, configuration.agent_id).await;
    let is_encrypted = agent.is_ok_and(|agent| agent.encrypted);
    let zone = writing.zone.filter(|zone| zones::iana(zone).unwrap_or(zone) == configuration.timezone);
    let zone = zone.unwrap_or_else(|| configuration.timezone.clone());
    let mut told = Map::new();
    let fields = json!({
        "BackupConfigurationId": id,
        "BackupConfigurationName": configuration.name,
        "BackupConfigurationScheduleId": id,
        "MachineAgentId": configuration.agent_id,
        "MachineName": names.get(&configuration.agent_id),
        "Datacenter": DATACENTER,
        "Flavor": FLAVOR,
        "IsActive": configuration.enabled,
        "IsDeleted": deleted,
        "IsEncrypted": is_encrypted,
        "EncryptionKey": agent::public_key(context, configuration.agent_id).await?,
        "VersionRetention": configuration.retention.days.unwrap_or(0),
        "MissedBackupActionId": if configuration.missed == MissedAction::Asap { 1 } else { 2 },
        "TimeZoneId": zone,
        "NextScheduledRunTime": maybe_date(configuration.next_runtime),
        "LastRunTime": maybe_date(latest.as_ref().and_then(|backup| backup.completed_at)),
        "LastRunBackupReportId": latest.as_ref().map(|backup| backup.id),
        "BackupState": latest.as_ref().map(|backup| state_word(backup.state)),
        "BackupPrescript": configuration.options.hooks.pre.as_ref().map_or("", |hook| &hook.command),
        "BackupPostscript": configuration.options.hooks.post.as_ref().map_or("", |hook| &hook.command),
        "NotifyRecipients": configuration.notification_email.clone().unwrap_or_default(),
        "NotifySuccess": configuration.notify_success,
        "NotifyFailure": configuration.notify_failure,
        "Inclusions": paths::shown(configuration.inclusions.iter().cloned(), "Include", &writing.kinds, id),
        "Exclusions": paths::shown(
            configuration.exclusions.iter().map(|pattern| paths::of_pattern(pattern)), "Exclude", &writing.kinds, id,
        ),
    });
    if let Value::Object(fields) = fields {
        told.extend(fields);
    }
    schedule::write(&configuration.schedule, writing.hour, &mut told);
    Ok(Value::Object(told))
}

/// The latest backup of a configuration that has a report.
async fn latest(context: &Context, id: BackupConfigurationId) -> Result<Option<Backup>> {
    let query = BackupQuery {
        configuration_id: Some(id),
        active: Some(false),
        limit: Some(50),
        ..Default::default()
    };
    let page = backup::list(context, query).await?;
    Ok(page.items.into_iter().find(|backup| RunState::has_report(backup.state)))
}
